"""Which column is what: named by the caller, or recognised by its name, and then said in a note."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypedDict

from workbench.errors import DataError, UsageError, unknown

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Columns", "Roles", "roles_of"]

# Best first. Names are compared in lower case and without signs: answerKey = answer_key = "Answer Key".
KNOWN: dict[str, tuple[str, ...]] = {
    "text": ("text", "question", "prompt", "sentence", "querytext", "query", "input", "questionstem", "ctx"),
    "context": ("passage", "context"),
    "choices": ("choices", "options", "endings"),
    "label": ("label", "answer", "answerkey", "target", "gold", "answeridx", "answerindex"),
    "group": ("group",),
    "cluster": ("cluster",),
    "example": ("example", "id"),
}
NUMBERED = re.compile(r"(?:option|choice|ending|ans|answer|opt)?_?([0-9]|[a-j])", re.IGNORECASE)


class Columns(TypedDict, total=False):
    """The options of `Examples.of` besides the name."""

    text: str
    context: str | None
    choices: str | Sequence[str]
    label: str
    label_as: str
    group: str
    cluster: str
    example: str
    features: Sequence[str]
    slices: Sequence[str]
    source: str
    licence: str
    card: str


@dataclass(frozen=True)
class Roles:
    """The columns that play a part, None or () where there is none; `notes` say what was taken as what."""

    text: str | None = None
    context: str | None = None
    choices: str | None = None
    spread: tuple[str, ...] = ()  # the columns that hold one choice each
    common: tuple[str, ...] = ()  # the choices that all rows share
    label: str | None = None
    group: str | None = None
    cluster: str | None = None
    example: str | None = None
    features: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def used(self) -> set[str]:
        """The columns that Examples replace by their own; one that is named as group or cluster stays beside its copy."""
        named = (self.text, self.context, self.choices, self.label, self.example, *self.spread)
        copied = {name for name in (self.group, self.cluster) if name in ("group", "cluster")}
        return {name for name in named if name} | copied


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _named(frame: "pd.DataFrame", role: str, name: Any) -> str:
    """Return the column that the caller named, or say that there is none of that name."""
    if not isinstance(name, str):
        raise UsageError(f"{role}= takes the name of a column; found {type(name).__name__}.")
    if name not in frame.columns:
        raise DataError(f"{role}={name!r}: {unknown('column', name, map(str, frame.columns))}")
    return name


def _recognised(frame: "pd.DataFrame", role: str, notes: list[str]) -> str | None:
    """Return the column whose name tells its role; the note names it, and the others that would have fitted."""
    plain: dict[str, str] = {}
    for column in frame.columns:
        plain.setdefault(_plain(column), column)
    fitting = [plain[name] for name in KNOWN[role] if name in plain]
    if not fitting:
        return None
    if fitting[0] != role:
        others = f" (not {', '.join(fitting[1:])})" if len(fitting) > 1 else ""
        notes.append(f"{role}: the column {fitting[0]}{others}, by its name.")
    return fitting[0]


def roles_of(frame: "pd.DataFrame", columns: Mapping[str, Any]) -> Roles:
    """Return which column plays which part; raise DataError where there is neither text nor features.

    >>> import pandas as pd
    >>> roles_of(pd.DataFrame({"question": ["a"], "answer": ["b"]}), {}).notes
    ('text: the column question, by its name.', 'label: the column answer, by its name.')
    """
    for option in columns:
        if option not in Columns.__annotations__:
            raise unknown("option of Examples.of", option, Columns.__annotations__)
    notes: list[str] = []
    found: dict[str, str | None] = {}
    features = tuple(_named(frame, "features", name) for name in columns.get("features") or ())
    found["text"] = None
    if "text" in columns:
        found["text"] = _named(frame, "text", columns["text"])
    elif not features:
        found["text"] = _recognised(frame, "text", notes)
    found["context"] = None
    if columns.get("context"):
        found["context"] = _named(frame, "context", columns["context"])
    elif "context" not in columns and "text" not in columns and found["text"] is not None:
        found["context"] = _recognised(frame, "context", notes)
        if found["context"]:
            notes.append(f"The text of an example is its {found['context']}, an empty line, and its {found['text']}.")
    for role in ("label", "group", "cluster", "example"):
        found[role] = _named(frame, role, columns[role]) if role in columns else _recognised(frame, role, notes)
    if found["example"] and "example" not in columns and _plain(found["example"]) == "id":
        found["example"] = _unique_or_none(frame, found["example"], notes)
    choices = _choices(frame, columns.get("choices"), notes) if found["text"] else {}
    if found["text"] is None:
        features = features or _features(frame, columns, found, notes)
    return Roles(
        text=found["text"],
        context=found["context"],
        label=found["label"],
        group=found["group"],
        cluster=found["cluster"],
        example=found["example"],
        features=features,
        notes=tuple(notes),
        **choices,
    )


def _unique_or_none(frame: "pd.DataFrame", column: str, notes: list[str]) -> str | None:
    """Return a column that is only called id, if it is fit to be one; its name alone promises nothing."""
    values = frame[column]
    if values.isna().any() or values.astype(str).duplicated().any():
        notes[:] = [note for note in notes if not note.startswith("example:")]
        notes.append(f"The values of {column} are not unique: ids are hashes of the content.")
        return None
    return column


def _choices(frame: "pd.DataFrame", named: Any, notes: list[str]) -> dict[str, Any]:
    """Return the part of the roles that says where the choices stand."""
    if isinstance(named, str):
        return {"choices": _named(frame, "choices", named)}
    if named is not None:
        values = tuple(map(str, named))
        if all(value in frame.columns for value in values):
            return {"spread": values}
        if len(values) < 2 or len(set(values)) < len(values):
            raise UsageError(
                f"choices={list(values)!r}: give at least two different answers, a column, or one column each."
            )
        notes.append(f"choices: {', '.join(values)} for every example.")
        return {"common": values}
    column = _recognised(frame, "choices", notes)
    if column:
        return {"choices": column}
    stems: dict[str, list[str]] = {}
    for name in frame.columns:
        match = NUMBERED.fullmatch(str(name))
        if match:
            stems.setdefault(name[: match.start(1)].lower(), []).append(name)
    spread = next(
        (names for stem, names in stems.items() if len(names) >= (2 if stem else 3)), None
    )  # A, B may be anything
    if spread is None:
        return {}
    notes.append(f"choices: the columns {', '.join(spread)}, by their names.")
    return {"spread": tuple(spread)}


def _features(
    frame: "pd.DataFrame", columns: Mapping[str, Any], found: Mapping[str, str | None], notes: list[str]
) -> tuple[str, ...]:
    """Return the feature columns of a table without text: all that have no other part, if the caller named the label."""
    have = ", ".join(map(str, frame.columns)) or "no columns"
    if "label" not in columns:
        raise DataError(
            f"Examples need the column(s) text; this table has {have}. Name it with Examples.of(..., text='...'), or, for a "
            "table of features, name the label with label='...'."
        )
    taken = {found["label"], found["cluster"], found["example"]}
    features = tuple(name for name in frame.columns if name not in taken)
    if not features:
        raise DataError(
            f"This table has the column(s) {have} and no features beside the label. Add a text or features."
        )
    notes.append(f"There is no text; features: {', '.join(features)}.")
    return features
