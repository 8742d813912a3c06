"""1,000 texts each of four corpora, as TextFooler (Jin et al. 2020, arXiv 1907.11932) used them: sentiment by domain, topics."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from workbench.data._sets._lines import lines_of
from workbench.data._sets._options import chosen
from workbench.data._sets.ag_news import TOPICS
from workbench.data._sets.sst2 import LABELS
from workbench.data.examples import Examples
from workbench.errors import DataError, UsageError

__all__ = ["files", "read"]

CORPORA = {"imdb": LABELS, "mr": LABELS, "yelp": LABELS, "ag": TOPICS}
CARD = """1,000 texts each of IMDb and Yelp reviews, Rotten Tomatoes sentences (MR) and AG News, drawn by the authors of
TextFooler (Jin et al. 2020, arXiv 1907.11932) from the test sets. In lower case and tokenised; quotation marks around a text
and escapes (a backslash and n for a line break) are as in the files. `domain` is the corpus: IMDb and Yelp are long, MR is
one sentence."""


def files(*, corpus: str | Iterable[str] = ("imdb", "mr", "yelp")) -> tuple[str, ...]:
    """Return the files of the corpora."""
    return chosen("corpus", corpus, CORPORA)


def read(folder: Path, *, corpus: str | Iterable[str] = ("imdb", "mr", "yelp")) -> Examples:
    """Return the texts of one or more corpora with one sort of label: "imdb", "mr" and "yelp" (sentiment), or "ag" (topics).

    Columns: text, label (negative and positive, or the topic), domain (the corpus).
    """
    import pandas as pd

    names = files(corpus=corpus)
    if len({CORPORA[name] for name in names}) > 1:
        raise UsageError("ag has topics, the other corpora have sentiments. Read it alone: corpus='ag'.")
    records: list[dict[str, Any]] = []
    for name in names:
        labels = CORPORA[name]
        for number, line in enumerate(lines_of(folder, name, f"{name}.txt", f"data/{name}")):
            label, _, text = line.partition(" ")
            if label not in [str(i) for i in range(len(labels))] or not text.strip():
                raise DataError(
                    f"Line {number + 1} of {name} starts with {line[:40]!r}; a class, a blank and a text are wanted."
                )
            records.append(
                {"example": f"{name}-{number:04d}", "text": text, "label": labels[int(label)], "domain": name}
            )
    return Examples(
        pd.DataFrame(records),
        name="textfooler",
        source="Jin et al. 2020, jind11/TextFooler, data/",
        licence="MIT (the repository); the corpora's own terms apply",
        card=CARD,
        slices=("domain",) if len(names) > 1 else (),
    )
