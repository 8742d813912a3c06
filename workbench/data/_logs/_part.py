"""What the readers of logs share: a part is one task of one model, a row one answer, and a verdict what the tool said of it."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.errors import DataError, UsageError, unknown

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COLUMNS", "Asked", "Part", "Printed", "Read", "carried", "chosen", "frame_of", "hit", "short", "text_of"]

COLUMNS = (
    *("example", "variant", "cluster", "task", "text", "label", "predicted"),
    *("choices", "logits", "confidence", "correct", "value"),
)
TAKEN = (*COLUMNS, "group", "half", "p_label", "nll", "brier", "label_index", "probabilities", "metric")
LONGEST = 200  # characters of a field that may name a slice


class Asked(NamedTuple):
    """What the caller wants to know: the tool's metric by name (None for its first), and from which value on it is right."""

    metric: str | None = None
    right: float | None = None


class Printed(NamedTuple):
    """A number that the tool printed, and the mean of the rows that it is over (NaN where it is no mean of them)."""

    metric: str
    group: str
    printed: float
    rows: float
    n: int


class Read(NamedTuple):
    """The rows of a part, what the tool printed of them, the metric that was read, slices to begin with, and notes."""

    frame: "pd.DataFrame"
    printed: Sequence[Printed]
    metric: str
    notes: Sequence[str] = ()
    slices: Sequence[str] = ()


@dataclass(frozen=True)
class Part:
    """One task of one model in a log, read when it is asked for."""

    tool: str
    model: str
    task: str
    path: Path
    read: Callable[[Asked], Read] = field(repr=False)


def chosen(known: Iterable[str], wanted: str | None, first: Sequence[str], where: str) -> str:
    """Return the metric that is wanted, or the first that the log has of those that come first.

    >>> chosen(["f1", "acc"], None, ["acc"], "a.jsonl")
    'acc'
    """
    names = list(dict.fromkeys(known))
    if not names:
        raise DataError(
            f"{where} has no metric that is a number per row, so that no row is known to be right or wrong."
        )
    if wanted is not None:
        if wanted not in names:
            raise unknown(f"metric of {where}", wanted, names)
        return wanted
    return next((name for name in first if name in names), names[0])


def hit(value: float, right: float | None, metric: str, where: str) -> float:
    """Return 1.0, 0.0 or NaN of a tool's value; a value between needs to be told from where on it is right.

    >>> hit(1, None, "acc", "row 0"), hit(0.3, 0.5, "f1", "row 0")
    (1.0, 0.0)
    """
    if math.isnan(value):
        return value
    if right is not None:
        return float(value >= right)
    if value not in (0.0, 1.0):
        raise UsageError(
            f"{where} has {metric} = {value:g}, which is neither right (1) nor wrong (0). Say from which value on an answer is "
            "right, as in read_predictions(..., right=0.5), or name another metric with metric=."
        )
    return float(value)


def frame_of(records: Sequence[Mapping[str, Any]], where: str) -> "pd.DataFrame":
    """Return records as a table: the columns of `COLUMNS`, then what the log says of each example."""
    import pandas as pd

    if not records:
        raise DataError(f"{where} has no rows.")
    names = [*COLUMNS, *dict.fromkeys(name for one in records for name in one if name not in COLUMNS)]
    columns = {name: [one.get(name) for one in records] for name in names}
    columns["variant"] = ["" if one is None else one for one in columns["variant"]]
    columns["cluster"] = [
        one.get("example") if at is None else at for one, at in zip(records, columns["cluster"], strict=True)
    ]
    frame = pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})
    for name in ("confidence", "correct", "value"):
        frame[name] = pd.to_numeric(frame[name]).astype(float)
    return frame


def carried(fields: Any) -> dict[str, Any]:
    """Return the fields of an example that can name a slice: short texts, numbers, booleans; doc_ stands before a taken name.

    >>> carried({"subject": "law", "label": 2, "options": ["a"]})
    {'subject': 'law', 'doc_label': 2}
    """
    if not isinstance(fields, Mapping):
        return {}
    plain = {
        str(name): value
        for name, value in fields.items()
        if isinstance(value, (bool, int, float)) or (isinstance(value, str) and len(value) <= LONGEST)
    }
    return {f"doc_{name}" if name in TAKEN else name: value for name, value in plain.items()}


def text_of(value: Any) -> str:
    """Return what a person or a model said: a text, a message, or the last message of several.

    >>> text_of([{"role": "user", "content": [{"type": "text", "text": "Hello"}]}])
    'Hello'
    """
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        inner = next((value[name] for name in ("content", "text", "turns") if value.get(name) is not None), "")
        return text_of(inner)
    if isinstance(value, Sequence):
        pieces = [text_of(one) for one in value]
        spoken = [one for one in value if isinstance(one, Mapping) and "role" in one]
        if spoken:
            users = [one for one in spoken if one["role"] == "user"]
            return text_of((users or spoken)[-1].get("content"))
        return "\n".join(piece for piece in pieces if piece)
    return "" if value is None else str(value)


def short(name: Any) -> str:
    """Return the name of a model without the folders of a path; a name of a hub keeps its owner.

    >>> short("/models/smollm2"), short("org/name")
    ('smollm2', 'org/name')
    """
    text = str(name)
    return text.rstrip("/").rsplit("/", 1)[-1] if text.startswith(("/", "./", "~")) or text.count("/") > 1 else text
