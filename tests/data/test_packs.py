"""Packs: found by name, described, and the same object each time."""

import pytest

from workbench.data.packs import pack, packs
from workbench.errors import UsageError


def test_packs_are_listed() -> None:
    """All packs are known by name."""
    assert packs() == ["associations", "facts", "mini", "occupations"]


@pytest.mark.parametrize("name", ["facts", "mini"])
def test_a_pack_says_what_it_is(name: str) -> None:
    """A pack has its name, our licence, a card and slices, and asks questions with four choices."""
    examples = pack(name)
    assert (examples.name, examples.licence, examples.kind) == (name, "Apache-2.0", "choice")
    assert examples.slices == ("domain", "difficulty", "continent")
    assert examples.card.startswith(f"# {name}\n")
    assert {len(choices) for choices in examples.frame["choices"]} == {4}
    assert pack(name) is examples


def test_an_unknown_pack_names_the_nearest() -> None:
    """A misspelt name is met with the nearest and all that are known."""
    with pytest.raises(
        UsageError,
        match=r"Unknown pack 'fact'\. Did you mean 'facts'\? Known: associations, facts, mini, occupations\.",
    ):
        pack("fact")
