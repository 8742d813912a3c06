"""SST-2 (Socher et al. 2013): sentences of film reviews, negative or positive, with the original split."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from workbench.data._sets._lines import lines_of
from workbench.data._sets._options import chosen
from workbench.data.examples import Examples
from workbench.errors import DataError

__all__ = ["LABELS", "files", "read"]

SPLITS = ("train", "dev", "test")
LABELS = ("negative", "positive")
CARD = """SST-2: the sentences of the Stanford Sentiment Treebank (Socher et al. 2013, EMNLP) with a clear sentiment, in the
original split of 6,920, 872 and 1,821; unlike GLUE's version it has whole sentences alone, and labels for the test set.
Sentences of English film reviews (Rotten Tomatoes), in tokens with blanks between them, mostly in lower case."""


def files(*, split: str | Iterable[str] = "test") -> tuple[str, ...]:
    """Return the files of the splits."""
    return tuple(f"{one}.tsv" for one in chosen("split", split, SPLITS))


def read(folder: Path, *, split: str | Iterable[str] = "test") -> Examples:
    """Return the sentences of one or more splits ("train", "dev", "test"): text, label (negative, positive), split."""
    import pandas as pd

    names = files(split=split)
    records: list[dict[str, Any]] = []
    for name in names:
        one = name.removesuffix(".tsv")
        for number, line in enumerate(lines_of(folder, name)):
            text, tab, label = line.rpartition("\t")
            if not tab or label not in ("0", "1"):
                raise DataError(f"Line {number + 1} of {name} is {line!r}; a text, a tab and 0 or 1 are wanted.")
            records.append(
                {"example": f"sst2-{one}-{number:04d}", "text": text, "label": LABELS[int(label)], "split": one}
            )
    return Examples(
        pd.DataFrame(records),
        name="sst2",
        source="Socher et al. 2013, clairett/pytorch-sentiment-classification, data/SST2/",
        licence="none stated (Stanford Sentiment Treebank)",
        card=CARD,
        slices=("split",) if len(names) > 1 else (),
    )
