"""IMDb reviews and their counterfactual edits (Kaushik, Hovy and Lipton 2020, arXiv 1909.12434)."""

import csv
import io
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from workbench.data._sets._files import bytes_of, file_of
from workbench.data._sets._options import chosen
from workbench.data.examples import Examples
from workbench.errors import DataError

__all__ = ["files", "read"]

SPLITS = ("train", "dev")
CARD = """Counterfactually augmented IMDb reviews, Kaushik, Hovy and Lipton 2020 (arXiv 1909.12434): people edited a review as
little as they could so that its sentiment turned. The two reviews of a pair share everything but that; a model that rests on
what goes along with a sentiment loses on the edits. `cluster` is the pair: its reviews are near copies. The files do not say
which is the original; `place` is their order in the file."""


def files(*, split: str | Iterable[str] = "dev") -> tuple[str, ...]:
    """Return the files of the splits."""
    return tuple(f"{one}_paired.tsv" for one in chosen("split", split, SPLITS))


def read(folder: Path, *, split: str | Iterable[str] = "dev") -> Examples:
    """Return the reviews of one or both splits ("train", "dev"), pair after pair.

    Columns: text, label (negative, positive), cluster (the pair), place ("first" or "second" of its pair), split.
    """
    import pandas as pd

    records: list[dict[str, Any]] = []
    names = files(split=split)
    for name in names:
        one = name.removesuffix("_paired.tsv")
        seen: Counter[str] = Counter()
        text = bytes_of(file_of(folder, name)).decode("utf-8")
        for number, row in enumerate(csv.DictReader(io.StringIO(text, newline=""), delimiter="\t")):
            pair, label = row.get("batch_id"), str(row.get("Sentiment")).lower()
            if not pair or label not in ("negative", "positive"):
                raise DataError(
                    f"Row {number + 1} of {name} has no batch_id, or its Sentiment is {row.get('Sentiment')!r}."
                )
            seen[pair] += 1
            record = {"example": f"cad-{one}-{pair}-{seen[pair]}", "text": row["Text"], "label": label}
            place = "first" if seen[pair] == 1 else "second"
            records.append({**record, "cluster": f"{one}-{pair}", "place": place, "split": one})
        odd = [pair for pair, count in seen.items() if count != 2]
        if odd:
            raise DataError(f"The pair {odd[0]} of {name} has {seen[odd[0]]} review(s), not two.")
    return Examples(
        pd.DataFrame(records),
        name="cad-imdb",
        source="Kaushik et al. 2020, acmi-lab/counterfactually-augmented-data, sentiment/combined/paired/",
        licence="Apache-2.0",
        card=CARD,
        slices=("place", "split") if len(names) > 1 else ("place",),
    )
