"""The edits of a report as the page shows them: each one's changed words, and its first answers old and new."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench._edited import answers_of
from workbench.views._again import words_of
from workbench.views._rows import Column
from workbench.views._what_if import as_json, changes

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["listed"]

MOST = 50  # that the page is told
MOST_ANSWERS = 3
LONGEST = 600  # characters of a text, of an answer a third


def listed(
    edits: "pd.DataFrame", rows: "pd.DataFrame", texts: Sequence[str], columns: Sequence[Column]
) -> dict[str, Any]:
    """Return the number of edits, the titles of their first answers, and the latest edits, newest first.

    An edit of an example that is not among the rows has the place None and its text without marks.
    """
    names = answers_of(edits)[:MOST_ANSWERS]
    heads = [{"name": name, "words": words_of(name, columns)} for name in names]
    latest = edits.iloc[::-1].head(MOST).to_dict("records")
    some = rows[rows["example"].isin({line["example"] for line in latest})] if latest else rows[:0]
    places = {(one, two): at for one, two, at in zip(some["example"], some["variant"], some.index, strict=True)}
    lines = []
    for line in latest:
        at = places.get((line["example"], line.get("variant") or ""))
        lines.append(
            {
                "row": None if at is None else int(at),
                "example": str(line["example"])[:LONGEST],
                "parts": _parts(line, None if at is None else rows.loc[at], texts),
                "answers": [[_short(line.get(f"{name}_{which}")) for which in ("old", "new")] for name in names],
                "model": str(line.get("model") or "")[:LONGEST],
                "time": str(line.get("time") or "")[:40],
            }
        )
    return {"n": len(edits), "heads": heads, "lines": lines}


def _parts(line: dict[Any, Any], row: "pd.Series[Any] | None", texts: Sequence[str]) -> list[str]:
    """Return the changed texts of an edit as parts (kept, old, new, kept, ...), one after the other."""
    found = [""]
    for name in texts:
        new = line.get(name)
        if not isinstance(new, str):
            continue
        old = new if row is None else str(row[name])
        if old == new and row is not None:
            continue
        parts = changes(old[:LONGEST], new[:LONGEST])
        found[-1] += f" · {parts[0]}" if found != [""] else parts[0]
        found += parts[1:]
    return found if found != [""] else ["(unchanged)"]


def _short(value: Any) -> Any:
    """Return an answer for the page; a file may hold what is neither text nor number, which is shown as text."""
    known = value is None or isinstance(value, (int, float, np.number))
    return as_json(value) if known else str(value)[: LONGEST // 3]
