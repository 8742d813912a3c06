"""From a table as it was found to the table of `Examples`: our column names, checked values, and notes on every decision."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.data._columns import Roles, roles_of
from workbench.data._labels import Answers, answers_of, blank, class_name, listed
from workbench.data._read import Table
from workbench.errors import DataError, UsageError, counted
from workbench.frames import example_ids

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["OURS", "Built", "build", "plain", "tidy"]

OURS = ("example", "text", "choices", "label", "group", "cluster")


class Built(NamedTuple):
    """The table of Examples, its feature columns, and what was decided on the way."""

    frame: "pd.DataFrame"
    features: tuple[str, ...]
    notes: tuple[str, ...]


def build(table: Table, columns: Mapping[str, Any]) -> Built:
    """Return the table of Examples made of a table as it was found."""
    import pandas as pd

    found = table.frame.set_axis([str(name) for name in table.frame.columns], axis=1)
    twice = sorted(set(found.columns[found.columns.duplicated()]))
    if twice:
        raise DataError(f"The table has the column(s) {', '.join(twice)} more than once. Name each column once.")
    roles = roles_of(found, columns)
    if not len(found):
        raise DataError(f"The table of {table.name!r} has columns but no rows.")
    notes = [*table.notes, *roles.notes]
    ours: dict[str, list[Any]] = {}
    if roles.text is not None:
        ours["text"] = _texts(found, roles)
    answers = _answers(found, roles)
    labels = _labels(found, roles, named="label" in columns, notes=notes)
    if answers is not None:
        ours |= _choices(answers, labels, columns.get("label_as"), notes)
    elif labels is not None:
        if columns.get("label_as"):
            raise UsageError(
                f"label_as={columns['label_as']!r} needs choices; this table has none. Name them with choices=."
            )
        ours["label"] = _classes(labels, notes)
    extras = found[[name for name in found.columns if name not in roles.used]]
    ours = {"example": _ids(found, roles, ours), **ours}
    for role in ("group", "cluster"):
        column = getattr(roles, role)
        if column is not None:
            ours[role] = _named(cells(found[column]), role, ours["example"], notes)
    frame = pd.DataFrame(
        {name: pd.Series(ours[name], dtype=object if name == "choices" else None) for name in OURS if name in ours}
    )
    for name in extras.columns:
        kept = f"source_{name}" if name in OURS else name
        if kept != name:
            notes.append(f"The column {name} that is not used as {name} was renamed {kept}.")
        frame[kept] = (
            tidy(cells(extras[name]), digits=table.literal) if extras[name].dtype == object else extras[name].array
        )
    features = tuple(f"source_{name}" if name in OURS and name in extras.columns else name for name in roles.features)
    return Built(frame, features, tuple(notes))


def _texts(found: "pd.DataFrame", roles: Roles) -> list[str]:
    """Return the text of each example; the context, where there is one, stands before it."""
    columns = [name for name in (roles.context, roles.text) if name]
    parts = []
    for name in columns:
        values = cells(found[name])
        for row, value in enumerate(values):
            if blank(value):
                raise DataError(f"Row {row} has no text: its {name} is {value!r}. Drop such rows before.")
            if not isinstance(value, (str, int, float)):
                raise DataError(f"Row {row}: its {name} is a {type(value).__name__}, not a text.")
        parts.append([str(value) for value in values])
    return ["\n\n".join(pair) for pair in zip(*parts, strict=True)]


def _answers(found: "pd.DataFrame", roles: Roles) -> list[Answers] | None:
    if roles.common:
        return [Answers(roles.common)] * len(found)
    if roles.choices is not None:
        return [listed(value, row) for row, value in enumerate(cells(found[roles.choices]))]
    if roles.spread:
        lists = zip(*(cells(found[name]) for name in roles.spread), strict=True)
        keys = tuple(name[-1:].upper() for name in roles.spread)
        return [Answers(listed(list(row), i).choices, keys) for i, row in enumerate(lists)]
    return None


def _labels(found: "pd.DataFrame", roles: Roles, *, named: bool, notes: list[str]) -> list[Any] | None:
    if roles.label is None:
        return None
    values: list[Any] = cells(found[roles.label])
    if not named and all(map(blank, values)):
        notes.append(f"The column {roles.label} is empty: these examples have no label.")
        return None
    return values


def _choices(
    answers: list[Answers], labels: list[Any] | None, label_as: str | None, notes: list[str]
) -> dict[str, list[Any]]:
    """Return choices and label; a choice that a row repeats is merged, since no model could tell the two apart."""
    places: list[int] | None = None
    if labels is not None:
        places, note = answers_of(labels, answers, label_as)
        notes.append(note)
    else:
        notes.append("There are choices but no label: a text to be read or continued, not a question to be marked.")
    kept, merged = [], []
    for row, answer in enumerate(answers):
        unique = list(dict.fromkeys(answer.choices))
        if len(unique) < 2:
            raise DataError(
                f"Row {row}: all its choices are {unique[0]!r}. A question needs at least 2 different ones."
            )
        if len(unique) < len(answer.choices):
            merged.append(row)
        kept.append(unique)
    if merged:
        rows = ", ".join(map(str, merged[:8])) + (", ..." if len(merged) > 8 else "")
        notes.append(
            f"{counted(len(merged), 'row repeats', 'rows repeat')} a choice; the repeats were merged (row {rows})."
        )
    ours: dict[str, list[Any]] = {"choices": kept}
    if places is not None:
        ours["label"] = [kept[i].index(answers[i].choices[place]) for i, place in enumerate(places)]
    return ours


def _classes(labels: list[Any], notes: list[str]) -> list[str]:
    for row, label in enumerate(labels):
        if blank(label):
            raise DataError(f"Row {row} has no label. Drop such rows, or leave the label out.")
        if isinstance(label, (list, dict, tuple)) or hasattr(label, "tolist"):
            raise DataError(f"Row {row}: the label {label!r} is a {type(label).__name__}, not the name of a class.")
    names = [class_name(label) for label in labels]
    classes = sorted(set(names))
    if len(classes) > 50 and len(classes) > len(names) / 2:
        notes.append(
            f"The {len(names)} labels have {len(classes)} different values: they look like free answers, not classes."
        )
    else:
        shown = ", ".join(classes[:6]) + (", ..." if len(classes) > 6 else "")
        notes.append(f"There are no choices: the label is one of {counted(len(classes), 'class', 'classes')}: {shown}.")
    return names


def _ids(found: "pd.DataFrame", roles: Roles, ours: Mapping[str, list[Any]]) -> list[str]:
    """Return the ids of the column that has them, or hashes of text, choices, label and features."""
    if roles.example is None:
        parts = {name: ours[name] for name in ("text", "choices", "label") if name in ours}
        parts |= {name: cells(found[name]) for name in roles.features}
        return example_ids(
            [dict(zip(parts, map(plain, row), strict=True)) for row in zip(*parts.values(), strict=True)]
        )
    seen: dict[str, int] = {}
    ids = []
    for row, value in enumerate(cells(found[roles.example])):
        if blank(value):
            raise DataError(f"Row {row} has no {roles.example}. Every example needs an id, or leave the column out.")
        name = class_name(value)
        if name in seen:
            raise DataError(
                f"Rows {seen[name]} and {row} have the same {roles.example}, {name!r}. Ids must be unique; drop the column to "
                "take hashes of the content."
            )
        seen[name] = row
        ids.append(name)
    return ids


def _named(values: Sequence[Any], role: str, ids: Sequence[str], notes: list[str]) -> list[str]:
    """Return group or cluster as texts; an empty group is "(missing)", an empty cluster the example itself, and it is said."""
    empty = sum(map(blank, values))
    if empty:
        instead = "(missing)" if role == "group" else "the example itself"
        notes.append(f"{empty} of {len(values)} rows have no {role}: {instead} stands for it.")
    other = ["(missing)"] * len(ids) if role == "group" else ids
    return [other[i] if blank(value) else class_name(value) for i, value in enumerate(values)]


# -- values ------------------------------------------------------------------------------------------------------------


def cells(column: "pd.Series[Any]") -> list[Any]:
    """Return the values of a column as Python's own: a number of numpy among objects becomes a plain one."""
    return [value.item() if getattr(value, "shape", None) == () else value for value in column.tolist()]


def tidy(values: list[Any], *, digits: bool) -> "pd.Series[Any]":
    """Return a column with the type that its values have; with `digits`, text that is all numbers becomes numbers.

    Text with leading zeros, or digits that a number would not keep, stays text.

    >>> tidy(["1", None, "2.5"], digits=True).tolist(), tidy(["007", "1"], digits=True).tolist()
    ([1.0, nan, 2.5], ['007', '1'])
    """
    import pandas as pd

    if digits and values:
        whole = [_number(value) for value in values]
        if all(number is not None for number in whole):
            return pd.Series(
                [float("nan") if value is None else number for value, number in zip(values, whole, strict=True)]
            )
    if any(isinstance(value, (list, dict, tuple)) or hasattr(value, "tolist") for value in values):
        return pd.Series(values, dtype=object)
    return pd.Series(values).infer_objects()


def _number(value: Any) -> int | float | None:
    """Return the number that a text spells exactly; 0 for an empty cell; None for all else."""
    if value is None:
        return 0
    for kind in (int, float):
        try:
            number = kind(value)
        except (TypeError, ValueError):
            continue
        if str(number) == value or (kind is float and value.rstrip("0").rstrip(".") == str(number).removesuffix(".0")):
            return number
    return None


def plain(value: Any) -> Any:
    """Return a value as JSON knows it, the same for every pandas version: whole floats are integers, nothing is None.

    >>> import numpy as np
    >>> plain(np.float64(2.0)), plain(float("nan")), plain(np.array(["a"]))
    (2, None, ['a'])
    """
    if isinstance(value, str):
        return value
    if hasattr(value, "tolist"):
        kind = getattr(getattr(value, "dtype", None), "kind", "")
        value = value.tolist()
        if kind in ("b", "i", "u"):  # an image: its numbers are plain already
            return value
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if blank(value):
        return None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, (bool, int, float)) else str(value)
