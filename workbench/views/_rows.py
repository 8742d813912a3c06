"""The example table's kernel side: the columns to show, their order, and windows of rows as plain text."""

import base64
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.data._thumbnails import PNG

if TYPE_CHECKING:
    import pandas as pd

    from workbench.probes.protocol import View

__all__ = ["MOST_ROWS", "Column", "Window", "columns_of", "detail", "view_columns", "window"]

MOST_ROWS = 400  # of one window
LONGEST = 400  # characters of a cell; the whole text stands in the row's detail
DETAIL = 20_000
LARGEST = 100_000  # bytes of a picture
LOOK_AT, SENTENCE = 200, 24  # rows and their mean number of characters from which a column of text is a wide one
PHRASE = 10  # the same where no column holds sentences
TITLES = {
    "text": "Example",
    "label": "Label",
    "predicted": "Predicted",
    "confidence": "Confidence",
    "correct": "Correct",
}


Cell = str | list[str]  # a text, or one with its edits: kept, old, new, kept, old, new, ... kept


class Column(NamedTuple):
    """One column of the table: the rows' column, its title, and how it is shown ("text", "number", "hit", "change" or "image")."""

    name: str
    title: str
    kind: str
    wide: bool = False  # holds sentences
    words: tuple[str, str] = ("right", "wrong")  # of a hit: for 1 and 0
    wrong: bool = True  # whether the second word is an error, shown in the colour of errors
    characters: int = 0  # of nine in ten of its texts: what a narrow column has room for


class Window(NamedTuple):
    """Some rows of the table: from `start`, `cells` as text, `rows` their positions in the report's rows."""

    start: int
    cells: list[list[Cell]]
    rows: list[int]


def columns_of(rows: "pd.DataFrame", by: Sequence[str]) -> tuple[Column, ...]:
    """Return the columns to show: text, label, predicted, confidence, correct, and the slices; not those without a value."""
    kinds = {"confidence": "number", "correct": "hit"}
    filled = [name for name in TITLES if name in rows and rows[name].notna().any() and not rows[name].eq("").all()]
    first = [
        Column(name, TITLES[name], kinds.get(name, "text"), wide=name == "text", characters=_length(rows[name], 0.9))
        for name in filled
    ]
    if "text" not in filled:  # predictions without texts: show their ids
        first.insert(0, Column("example", "Example", "text", wide=True))
    return (*first, *(_of_slice(rows, name) for name in by if name not in TITLES))


def view_columns(rows: "pd.DataFrame", by: Sequence[str], view: "View") -> tuple[Column, ...]:
    """Return the columns of a probe's view, then the slices; without any: the text, the value and the outcome."""
    usual = (("text", "Text", "text"), (view.value, view.title, "number"), (view.outcome, view.rate, "hit"))
    named = [line for line in view.columns or usual if line[0] in rows]
    if not named or (named[0][2] == "text" and _length(rows[named[0][0]]) == 0):  # rows without texts: show their ids
        named = [("example", "Example", "text"), *named[1:]]
    lengths = [_length(rows[name]) if kind in ("text", "change") else 0 for name, _, kind in named]
    least = SENTENCE if max(lengths) > SENTENCE else max(PHRASE, max(lengths) / 2)
    wide = [length > least for length in lengths]
    if not any(wide) and named[0][2] != "image":
        wide[0] = True
    found = [
        Column(
            name,
            title,
            kind,
            wide=much,
            words=view.words(name),
            wrong=view.words(name)[1] == "wrong",
            characters=_length(rows[name], 0.9) if kind == "text" else 0,
        )
        for (name, title, kind), much in zip(named, wide, strict=True)
    ]
    known = {name for name, _, _ in named}
    return (*found, *(_of_slice(rows, name) for name in by if name not in known))


def _of_slice(rows: "pd.DataFrame", name: str) -> Column:
    """Return the column of a slice."""
    return Column(name, name, "text", characters=_length(rows[name], 0.9))


def _length(column: "pd.Series[Any]", share: float | None = None) -> int:
    """Return the mean number of characters of texts from all over a column, or what a share of them has at most."""
    known = column.dropna()
    some = known.iloc[:: max(1, len(known) // LOOK_AT)].map(lambda text: len(str(text)))
    return 0 if not len(some) else round(float(some.mean() if share is None else some.quantile(share)))


def ranked(rows: "pd.DataFrame", column: str, *, descending: bool) -> NDArray[np.intp]:
    """Return the positions (n,) of all rows in the order of a column; ties keep their order, blanks come last."""
    values = rows[column]
    if values.dtype == object or not hasattr(values.dtype, "kind") or values.dtype.kind not in "biuf":
        values = values.map(lambda value: "" if value is None or value != value else str(value))
    order = values.reset_index(drop=True).sort_values(ascending=not descending, kind="stable", na_position="last")
    return order.index.to_numpy(np.intp)


def window(rows: "pd.DataFrame", columns: Sequence[Column], order: NDArray[np.intp], start: int, end: int) -> Window:
    """Return the rows from `start` to `end` of an order, at most 400."""
    start = max(0, min(start, len(order)))
    at = order[start : min(end, start + MOST_ROWS)]
    part = rows.iloc[at]
    cells = [_cells(part, column, LONGEST) for column in columns]
    return Window(start, [list(line) for line in zip(*cells, strict=True)], at.tolist())


def detail(rows: "pd.DataFrame", position: int, columns: Sequence[Column]) -> list[list[Cell]]:
    """Return everything about one row: pairs of a title and a text, "image" after a picture, and answers with probabilities."""
    row = rows.iloc[position]
    one = rows.iloc[[position]]
    pairs: list[list[Cell]] = [["id", str(row["example"])]]
    pairs += [
        [column.title, _cells(one, column, DETAIL)[0], *(["image"] if column.kind == "image" else [])]
        for column in columns
        if column.name != "example"
    ]
    choices, logits = row.get("choices"), row.get("logits")
    if choices is not None and not isinstance(choices, float) and len(choices) <= MOST_ROWS:
        p = _softmax(logits) if logits is not None and not isinstance(logits, float) else [None] * len(choices)
        told = [
            f"{choice}  ({share:.3f})" if share is not None else str(choice)
            for choice, share in zip(choices, p, strict=False)
        ]
        pairs.append(["Choices", "\n".join(told)[:DETAIL]])
    return pairs


def _cells(part: "pd.DataFrame", column: Column, longest: int) -> list[Cell]:
    """Return the cells of a column; of the kind "change" with their edits, if the rows hold them."""
    if column.kind == "change" and {"before", "edits"} <= set(part.columns):
        lines = zip(part["before"], part["edits"], part[column.name], strict=True)
        return [_parts(before, edits, change, longest) for before, edits, change in lines]
    if column.kind == "image":
        return [_picture(value) for value in part[column.name]]
    return [_text(value, column, longest) for value in part[column.name]]


def _picture(value: Any) -> str:
    """Return a PNG as the address of an image, "" for what is none or is large.

    >>> _picture(PNG), _picture(b"<svg onload=alert(1)>"), _picture(None)
    ('data:image/png;base64,iVBORw0KGgo=', '', '')
    """
    if not isinstance(value, bytes) or not value.startswith(PNG) or len(value) > LARGEST:
        return ""
    return f"data:image/png;base64,{base64.b64encode(value).decode()}"


def _parts(before: str, edits: str, change: str, longest: int) -> Cell:
    """Return a text with its edits as parts: kept, old, new, kept, and so on; just the text where nothing changed in it.

    >>> _parts("She sings.", '[["text", 0, 3, 0, 2, "She", "He", "term"]]', "‹She → He› sings.", 400)
    ['', 'She', 'He', ' sings.']
    """
    if change == before or edits == "[]":
        return change if len(change) <= longest else change[: longest - 1] + "…"
    listed = json.loads(edits)
    parts, at = [], 0
    for column, start, end, _, _, old, new, _ in listed:
        if column != listed[0][0] or start > longest:
            break
        parts += [before[at:start], old, new]
        at = end
    rest = before[at:]
    return [*parts, rest if at + len(rest) <= longest else rest[: max(0, longest - at)] + "…"]


def _text(value: Any, column: Column, longest: int = LONGEST) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    if column.kind == "number":
        return f"{value:z.3f}".replace("-", "−")
    if column.kind == "hit":
        return column.words[0] if value > 0 else column.words[1]
    text = str(value)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _softmax(logits: Any) -> list[float]:
    values = np.asarray(list(logits), dtype=float)
    shifted = np.exp(values - values.max())
    return [float(x) for x in shifted / shifted.sum()]
