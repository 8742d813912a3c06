"""Corrupted copies of examples: what changed, where, and in which examples nothing did."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.data._copies import Copies, copies_of
from workbench.data._thumbnails import thumbnails
from workbench.data.edits import Edit, marked
from workbench.probes._sweep_plan import Plan

if TYPE_CHECKING:
    from workbench.data.examples import Examples

__all__ = ["Change", "Copy", "copy_of", "edits_of", "pictures_of", "shown", "size_of"]


@dataclass(frozen=True)
class Change:
    """What was done to an example: its text marked inline, the edits as JSON (column, then the edit), and their number."""

    change: str
    edits: str
    count: int


@dataclass(frozen=True)
class Copy:
    """The changed examples of one corruption at one severity (None where nothing changed), and what was done by example."""

    corruption: str
    severity: int
    changed: "Examples | None"
    changes: Mapping[str, Change]
    emptied: int  # texts of which nothing would be left: they stay as they are
    pictures: Mapping[str, bytes | None] = field(
        default_factory=dict
    )  # of images: a small PNG by example, while there is room


def copy_of(examples: "Examples", plan: Plan, name: str, severity: int, *, room: int = 0) -> Copy:
    """Return the examples corrupted: a pure function of each example's id and text, the severity and the plan's seed.

    Pictures of images take `room` bytes at most.
    """
    made = copies_of(examples, plan.corruptions[name], plan.columns, severity=severity, seed=plan.seed)
    corrupted = examples
    for column, values in made.columns.items():
        corrupted = corrupted.with_column(column, values)
    corrupted = replace(corrupted, slices=examples.slices)
    said = _said_of_images if plan.images else _said_of_texts
    changes = said(examples, plan.columns[0], made, f"{name}, severity {severity}")
    touched = [example for example, change in changes.items() if change.count]
    changed = corrupted.where(touched) if touched else None
    return Copy(name, severity, changed, changes, made.emptied, pictures_of(corrupted, room=room))


def pictures_of(examples: "Examples", *, room: int) -> dict[str, bytes | None]:
    """Return a small PNG of each image by example, as far as there is room; {} where examples have none."""
    if not examples.image:
        return {}
    frame = examples.frame
    return dict(zip(frame["example"], thumbnails(frame[examples.image], room=room), strict=True))


def size_of(pictures: Mapping[str, bytes | None]) -> int:
    """Return how many bytes pictures take.

    >>> size_of({"a": b"12", "b": None})
    2
    """
    return sum(len(one) for one in pictures.values() if one)


def _said_of_texts(examples: "Examples", first: str, made: Copies, _: str) -> dict[str, Change]:
    """Return what was done to each example: the edits of the first column inline, those of all as JSON."""
    frame = examples.frame
    return {
        example: Change(
            marked(str(text), [edit for column, edit in some if column == first]),
            json.dumps([[column, *edit] for column, edit in some], ensure_ascii=False),
            len(some),
        )
        for example, text, some in zip(frame["example"], frame[first], made.edits, strict=True)
    }


def _said_of_images(examples: "Examples", first: str, made: Copies, words: str) -> dict[str, Change]:
    """Return the same of images: there is no map of edits, the change is said in words."""
    frame = examples.frame
    said = {True: Change("unchanged", "[]", 0), False: Change(words, "[]", 1)}
    return {
        example: said[bool(np.array_equal(old, new))]
        for example, old, new in zip(frame["example"], frame[first], made.columns[first], strict=True)
    }


def shown(value: Any) -> str:
    """Return an input as text: a text as it is, an image by its size.

    >>> shown(np.zeros((2, 3)))
    'image 2 × 3'
    """
    return f"image {' × '.join(map(str, value.shape))}" if getattr(value, "ndim", 0) >= 2 else str(value)


def edits_of(listed: str) -> list[tuple[str, Edit]]:
    """Return the edits of a row, each with the column that it changed.

    >>> edits_of('[["text", 0, 1, 0, 1, "a", "s", "keyboard"]]')[0][1].new
    's'
    """
    return [(column, Edit(*edit)) for column, *edit in json.loads(listed)]
