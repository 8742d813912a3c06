"""Corrupted copies of examples: what changed, where, and in which examples nothing did."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from workbench.data.edits import Edit, marked
from workbench.errors import DataError
from workbench.probes._sweep_plan import Plan

if TYPE_CHECKING:
    from workbench.data.examples import Examples

__all__ = ["Change", "Copy", "copy_of", "edits_of"]


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
