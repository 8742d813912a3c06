"""BANKING77 (Casanueva et al. 2020, arXiv 2003.04807): questions to a bank, with 77 intents."""

from collections.abc import Iterable
from pathlib import Path

from workbench.data._read import read as read_table
from workbench.data._sets._files import file_of
from workbench.data._sets._options import chosen
from workbench.data.examples import Examples
from workbench.frames import require

__all__ = ["files", "read"]

SPLITS = ("train", "test")
CARD = """BANKING77, Casanueva, Temcinas, Gerz, Henderson and Vulic 2020 (arXiv 2003.04807): 13,083 questions of customers to
an online bank, 77 intents that lie close to one another; 10,003 for training, 3,080 for testing. Some labels are known to be
wrong or to overlap (Ying and Thomas 2022)."""


def files(*, split: str | Iterable[str] = "test") -> tuple[str, ...]:
    """Return the files of the splits."""
    return tuple(f"{one}.csv" for one in chosen("split", split, SPLITS))


def read(folder: Path, *, split: str | Iterable[str] = "test") -> Examples:
    """Return the questions of one or both splits ("train", "test"): text, label (the intent), split."""
    import pandas as pd

    parts = []
    for one, name in zip(chosen("split", split, SPLITS), files(split=split), strict=True):
        table = read_table(file_of(folder, name)).frame
        require(table, ("text", "category"), what="BANKING77", remedy=f"Give the authors' {name}.")
        ids = [f"banking77-{one}-{number:05d}" for number in range(len(table))]
        parts.append(pd.DataFrame({"example": ids, "text": table["text"], "label": table["category"], "split": one}))
    return Examples(
        pd.concat(parts, ignore_index=True),
        name="banking77",
        source="Casanueva et al. 2020, PolyAI-LDN/task-specific-datasets, banking_data/",
        licence="CC BY 4.0",
        card=CARD,
        slices=("split",) if len(parts) > 1 else (),
    )
