"""The packs: examples that ship with Workbench, each with a card. They were written by us.

A pack is a file of JSON lines and a card of the same name in the folder `packs`; `tools/build_facts.py`,
`tools/build_occupations.py` and `tools/build_associations.py` write the files.
"""

import json
from dataclasses import replace
from functools import cache
from importlib import resources

from workbench.data.examples import Examples
from workbench.errors import unknown

__all__ = ["pack", "packs"]

SLICES = ("domain", "difficulty", "continent", "occupation", "template", "test")  # those of them that a pack has
SOURCE = "written for Workbench"


def packs() -> list[str]:
    """Return the names of the packs, sorted.

    >>> packs()
    ['associations', 'facts', 'mini', 'occupations']
    """
    folder = resources.files("workbench.data").joinpath("packs")
    return sorted(entry.name.removesuffix(".jsonl") for entry in folder.iterdir() if entry.name.endswith(".jsonl"))


@cache
def pack(name: str) -> Examples:
    """Return a pack by its name.

    "facts" has four-option questions in nine domains, "mini" twelve of them; "occupations" sentences with a slot for a pronoun, and
    the share of women in each occupation; "associations" sets of words, and of sentences about them.

    >>> pack("mini").frame["text"][0]
    'What is the capital of France?'
    """
    import pandas as pd

    known = packs()
    if name not in known:
        raise unknown("pack", name, known)
    folder = resources.files("workbench.data").joinpath("packs")
    lines = folder.joinpath(f"{name}.jsonl").read_text(encoding="utf-8").split("\n")
    frame = pd.DataFrame([json.loads(line) for line in lines if line])
    card = folder.joinpath(f"{name}.md").read_text(encoding="utf-8")
    slices = tuple(column for column in SLICES if column in frame.columns)
    made = Examples(frame, name=name, source=SOURCE, licence="Apache-2.0", card=card, slices=slices)
    return replace(made, origin={"pack": name})
