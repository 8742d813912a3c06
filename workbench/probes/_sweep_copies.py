"""Corrupted copies of examples: what changed, where, and in which examples nothing did."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.data.edits import Edit, marked
from workbench.errors import DataError
from workbench.probes._sweep_plan import Plan

if TYPE_CHECKING:
    from workbench.data.examples import Examples

__all__ = ["Change", "Copy", "copy_of", "edits_of", "shown"]


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


def copy_of(examples: "Examples", plan: Plan, name: str, severity: int) -> Copy:
    """Return the examples corrupted: a pure function of each example's id and text, the severity and the plan's seed."""
    if plan.images:
        return _images(examples, plan, name, severity)
    frame, ids = examples.frame, examples.frame["example"].tolist()
    edits: list[list[tuple[str, Edit]]] = [[] for _ in ids]
    marks: list[str] = [str(text) for text in frame[plan.columns[0]]]
    columns: dict[str, list[str]] = {}
    emptied = 0
    for at, column in enumerate(plan.columns):
        texts = frame[column].tolist()
        own = ids if at == 0 else [f"{example}\x1f{column}" for example in ids]  # no two columns share their bits
        made = plan.corruptions[name].apply(texts, own, severity=severity, seed=plan.seed)
        _check(made, texts, name)
        columns[column] = []
        for place, (text, new, some) in enumerate(zip(texts, made.texts, made.edits, strict=True)):
            if not new.strip() and text.strip():
                emptied += 1
                columns[column].append(text)
                continue
            columns[column].append(new)
            edits[place] += [(column, edit) for edit in some]
            if at == 0:
                marks[place] = marked(text, some)
    corrupted = examples
    for column, values in columns.items():
        corrupted = corrupted.with_column(column, values)
    corrupted = replace(corrupted, slices=examples.slices)
    touched = [example for example, some in zip(ids, edits, strict=True) if some]
    changes = {
        example: Change(mark, json.dumps([[column, *edit] for column, edit in some], ensure_ascii=False), len(some))
        for example, mark, some in zip(ids, marks, edits, strict=True)
    }
    return Copy(name, severity, corrupted.where(touched) if touched else None, changes, emptied)


def _images(examples: "Examples", plan: Plan, name: str, severity: int) -> Copy:
    """Return the images corrupted; there is no map of edits, the change is said in words."""
    frame, column = examples.frame, plan.columns[0]
    ids, images = frame["example"].tolist(), frame[column].tolist()
    made = plan.corruptions[name].apply(images, ids, severity=severity, seed=plan.seed)
    same = [bool(np.array_equal(old, new)) for old, new in zip(images, made, strict=True)]
    corrupted = replace(examples.with_column(column, made), slices=examples.slices)
    touched = [example for example, kept in zip(ids, same, strict=True) if not kept]
    said = {True: Change("unchanged", "[]", 0), False: Change(f"{name}, severity {severity}", "[]", 1)}
    changes = {example: said[kept] for example, kept in zip(ids, same, strict=True)}
    return Copy(name, severity, corrupted.where(touched) if touched else None, changes, 0)


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


def _check(made: Any, texts: Sequence[str], name: str) -> None:
    """Raise `DataError` where a person's own corruption does not give what it must."""
    if len(made.texts) != len(texts) or len(made.edits) != len(texts):
        raise DataError(
            f"The corruption {name!r} gave {len(made.texts)} texts for {len(texts)}. It must give one for each."
        )
