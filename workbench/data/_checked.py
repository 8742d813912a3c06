"""What a table of examples must hold, and which of its columns are fit for slicing."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.data._build import OURS
from workbench.errors import DataError
from workbench.frames import require

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["checked", "sliceable"]

MOST_SLICES = 100  # values that a column may have to be fit for slicing ...
FEWEST_ROWS = 3  # ... with this many rows for each on average


def checked(frame: "pd.DataFrame", features: Sequence[str]) -> "pd.DataFrame":
    """Return the table, or raise DataError that names the row or column that breaks the contract of `Examples`."""
    remedy = "Use Examples.of(...), which recognises other names."
    require(frame, ["example", *(features or ["text"])], what="Examples", remedy=remedy)
    if not len(frame):
        raise DataError("Examples need at least one row; this table is empty.")
    for column in ("example", "text"):
        if column in frame.columns:
            wrong = next(
                (i for i, v in enumerate(frame[column].tolist()) if not isinstance(v, str) or not v.strip()), None
            )
            if wrong is not None:
                raise DataError(
                    f"Row {wrong} has no {column}: found {frame[column].iloc[wrong]!r}, not a text. {remedy}"
                )
    twice = frame["example"].duplicated()
    if twice.any():
        raise DataError(f"Two rows have the id {frame['example'][twice].iloc[0]!r}. Ids must be unique.")
    if "choices" in frame.columns:
        _check_choices(frame)
    elif "label" in frame.columns and not all(isinstance(label, str) for label in frame["label"]):
        wrong = next(label for label in frame["label"] if not isinstance(label, str))
        raise DataError(f"A label without choices is the name of a class, a text; found {wrong!r}. {remedy}")
    return frame


def _check_choices(frame: "pd.DataFrame") -> None:
    labels = frame["label"].tolist() if "label" in frame.columns else [0] * len(frame)
    for row, (choices, label) in enumerate(zip(frame["choices"], labels, strict=True)):
        if not isinstance(choices, list) or len(choices) < 2 or not all(isinstance(choice, str) for choice in choices):
            raise DataError(f"Row {row}: the choices are {choices!r}, not a list of at least 2 texts.")
        if len(set(choices)) < len(choices):
            raise DataError(f"Row {row}: the choices {choices!r} are not all different.")
        if isinstance(label, bool) or not isinstance(label, int) or not 0 <= label < len(choices):
            raise DataError(f"Row {row}: the label {label!r} is not the index of one of its {len(choices)} choices.")


def sliceable(frame: "pd.DataFrame") -> tuple[str, ...]:
    """Return the columns that are fit for slicing: texts, booleans or whole numbers with few values, each with some rows."""
    from pandas.api import types

    fit = []
    for name in frame.columns:
        column = frame[name]
        if name in OURS or types.is_float_dtype(column.dtype) or types.is_datetime64_any_dtype(column.dtype):
            continue
        try:
            count = column.nunique()
        except TypeError:  # lists and the like
            continue
        if types.is_integer_dtype(column.dtype) and count > 20:
            continue
        if 2 <= count <= min(MOST_SLICES, len(column) // FEWEST_ROWS):
            fit.append(str(name))
    return tuple(fit)
