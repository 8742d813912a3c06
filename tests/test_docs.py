"""What is public is documented."""

from pathlib import Path

import pytest
from workbench_ipython.completion import FLAGS

import workbench
from workbench.probes.find import find, names

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("name", [name for name in workbench.__all__ if name not in {"Report", "packs", "benchmarks"}])
def test_the_readme_shows_every_public_name(name: str) -> None:
    """Each name of `workbench` occurs in the README."""
    assert f"wb.{name}" in README


@pytest.mark.parametrize("magic", sorted(FLAGS))
def test_the_readme_shows_every_magic(magic: str) -> None:
    """Each magic occurs in the README."""
    assert f"%{magic}" in README


@pytest.mark.parametrize("probe", names())
def test_every_probe_has_a_page_that_names_its_options(probe: str) -> None:
    """A probe's page says its question and names each of its options."""
    page = (ROOT / "docs" / f"{probe}.md").read_text()

    assert find(probe).question in page
    assert [option for option in find(probe).options if f"`{option}" not in page] == []
