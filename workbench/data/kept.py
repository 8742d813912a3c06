"""Examples on disk: by value as JSON lines that a person can read, or by where they come from; with a mark for each example.

A mark is a short hash of all that an example holds, so that it can be named where two sets differ. Numbers, texts, lists, arrays
(images) and edits keep their types; what else a table may hold is refused.
"""

import base64
import csv
import hashlib
import io
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workbench.data._build import plain
from workbench.data.edits import Edit
from workbench.data.examples import Examples
from workbench.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Found", "about_of", "found", "from_lines", "marks_of", "marks_read", "marks_text", "rebuilt", "to_lines"]

MARK = 16  # hexadecimal digits
TOLD = ("name", "source", "licence", "card", "slices", "features", "notes", "steps")  # beside the table


class Found(NamedTuple):
    """Examples that were made again: those that are lacking or not the same, by id, and the examples where none lacks."""

    examples: Examples | None
    lacking: tuple[str, ...]
    changed: tuple[str, ...]


def marks_of(frame: "pd.DataFrame", keys: Iterable[str] = ("example",)) -> dict[tuple[str, ...], str]:
    """Return a mark for each row of a table, by the values of its key columns, in the order of the rows.

    >>> import pandas as pd
    >>> marks_of(pd.DataFrame({"example": ["a"], "p": [0.5]}))
    {('a',): '8024b59d41448f99'}
    """
    names = sorted(map(str, frame.columns))
    columns = [list(map(plain, frame[name].tolist())) for name in names]
    places = [names.index(key) for key in keys]
    found = {}
    for row in zip(*columns, strict=True):
        text = json.dumps(dict(zip(names, row, strict=True)), sort_keys=True, ensure_ascii=True)
        found[tuple(str(row[at]) for at in places)] = hashlib.sha256(text.encode()).hexdigest()[:MARK]
    return found


def about_of(examples: Examples) -> dict[str, Any]:
    """Return all of the examples that is not the table, and the types of its columns."""
    told = {name: getattr(examples, name) for name in TOLD}
    types = {str(name): str(dtype) for name, dtype in examples.frame.dtypes.items()}
    return {**examples.about(), **told, "types": types}


def to_lines(examples: Examples) -> bytes:
    r"""Return the table as JSON, a line per example; raise `DataError` that names a column with something else than data.

    >>> to_lines(Examples.of([{"id": "a", "text": "Is fire cold?"}]))
    b'{"example": "a", "text": "Is fire cold?"}\n'
    """
    frame, lines = examples.frame, []
    names = list(map(str, frame.columns))
    for row in frame.itertuples(index=False, name=None):
        held = {name: _encoded(value, name) for name, value in zip(names, row, strict=True)}
        lines.append(json.dumps(held, ensure_ascii=False))
    return "".join(f"{line}\n" for line in lines).encode()


def from_lines(content: bytes, about: Mapping[str, Any]) -> Examples:
    """Return the examples that `to_lines` and `about_of` kept.

    >>> one = Examples.of([{"id": "a", "text": "Is fire cold?", "choices": ["yes", "no"], "label": 1}])
    >>> from_lines(to_lines(one), about_of(one)).hash == one.hash
    True
    """
    import pandas as pd

    rows = []
    for number, line in enumerate(content.decode().split("\n"), start=1):
        if line:
            try:
                rows.append(_decoded(json.loads(line)))
            except (ValueError, TypeError, KeyError) as problem:
                raise DataError(
                    f"Line {number} of the examples of {about.get('name')!r} is damaged: {problem}."
                ) from None
    columns = {
        name: pd.Series([row.get(name) for row in rows], dtype=None if kind == "object" else kind)
        for name, kind in about["types"].items()
    }
    frame = pd.DataFrame(
        {
            name: column.astype(object) if about["types"][name] == "object" else column
            for name, column in columns.items()
        }
    )
    return _told(Examples(frame, features=tuple(about["features"])), about)


def rebuilt(about: Mapping[str, Any], ids: Iterable[str], marks: Mapping[tuple[str, ...], str] | None = None) -> Found:
    """Return the examples of a pack or a published set again: those of the ids, in their order.

    Raises what reading the set raises; `DataError` where the examples come from neither.
    """
    origin = about.get("origin") or {}
    if "pack" in origin:
        from workbench.data.packs import pack

        base = pack(origin["pack"])
    elif "benchmark" in origin:
        from workbench.data.benchmarks import benchmark

        base = benchmark(origin["benchmark"], **origin.get("options", {}))
    else:
        raise DataError(f"The examples of {about.get('name')!r} come from no pack and no published set.")
    return found(base, about, ids, marks)


def found(
    base: Examples, about: Mapping[str, Any], ids: Iterable[str], marks: Mapping[tuple[str, ...], str] | None = None
) -> Found:
    """Return those of the examples that are wanted, in the order of the ids, and which of them are not as they were."""
    wanted, frame = list(ids), base.frame
    known = set(frame["example"])
    lacking = tuple(example for example in wanted if example not in known)
    part = frame.set_index("example", drop=False).loc[[example for example in wanted if example in known]]
    part = part.reset_index(drop=True)
    now = marks_of(part)
    changed = tuple(key[0] for key, mark in now.items() if marks is not None and marks.get(key) != mark)
    if lacking or not len(part):
        return Found(None, lacking, changed)
    return Found(_told(replace(base, _frame=part, slices=()), about), lacking, changed)


def marks_text(marks: Mapping[tuple[str, ...], str], keys: Iterable[str] = ("example",)) -> bytes:
    """Return marks as CSV."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([*keys, "mark"])
    writer.writerows([*key, mark] for key, mark in marks.items())
    return buffer.getvalue().encode()


def marks_read(content: bytes) -> dict[tuple[str, ...], str]:
    """Return the marks of a CSV that `marks_text` wrote."""
    lines = list(csv.reader(io.StringIO(content.decode(), newline="")))[1:]
    return {tuple(line[:-1]): line[-1] for line in lines}


def _told(examples: Examples, about: Mapping[str, Any]) -> Examples:
    """Return the examples with what was said of them; a slice column that is gone is left out."""
    slices = tuple(name for name in about["slices"] if name in examples.frame.columns)
    return replace(
        examples,
        name=about["name"],
        source=about.get("source", ""),
        licence=about.get("licence", ""),
        card=about.get("card", ""),
        slices=slices,
        notes=tuple(about.get("notes", ())),
        steps=tuple(about.get("steps", ())),
        origin=dict(about.get("origin") or {}),
    )


def _encoded(value: Any, column: str) -> Any:
    """Return a value as JSON holds it, with its type where JSON has none."""
    if isinstance(value, Edit):
        return {"$edit": list(value)}
    if isinstance(value, np.ndarray):
        if value.dtype == object:
            return [_encoded(part, column) for part in value]
        data = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
        return {"$array": data, "type": value.dtype.str, "shape": list(value.shape)}
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {"$float": str(value)}
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, tuple):
        return {"$tuple": [_encoded(part, column) for part in value]}
    if isinstance(value, list):
        return [_encoded(part, column) for part in value]
    if isinstance(value, Mapping) and all(isinstance(name, str) for name in value):
        return {"$dict": {name: _encoded(part, column) for name, part in value.items()}}
    if hasattr(value, "isoformat") and hasattr(value, "nanosecond"):
        return {"$time": value.isoformat()}
    if type(value).__name__ in {"NAType", "NaTType"}:
        return None
    raise DataError(f"The column {column!r} holds a {type(value).__name__}, which cannot be kept as data.")


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(part) for part in value]
    if not isinstance(value, dict):
        return value
    if "$array" in value:
        flat = np.frombuffer(base64.b64decode(value["$array"]), dtype=np.dtype(value["type"]))
        return flat.reshape(value["shape"]).copy()
    if "$edit" in value:
        return Edit(*value["$edit"])
    if "$tuple" in value:
        return tuple(_decoded(part) for part in value["$tuple"])
    if "$float" in value:
        return float(value["$float"])
    if "$dict" in value:
        return {name: _decoded(part) for name, part in value["$dict"].items()}
    if "$time" in value:
        import pandas as pd

        return pd.Timestamp(value["$time"])
    return {name: _decoded(part) for name, part in value.items()}
