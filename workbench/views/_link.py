"""One selection over several reports, and its history: what explorers share.

Reports are joined by example. Each explorer has brushes of its own; **an example passes them when one of its rows does** (a report
may have many rows of an example: tokens, variants, groups), and a report without a brush lets all pass. A row is selected when it
passes the brushes of its own report and its example passes those of every other. So a report that lacks an example shows nothing
of it, and lets it through unless it is brushed itself.

An explorer alone has a link of its own, in which there is nobody to follow; the history is the same.
"""

import secrets
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from workbench.errors import UsageError
from workbench.views._messages import Brush

if TYPE_CHECKING:
    import pandas as pd

    from workbench.reports import Report

__all__ = ["History", "Link", "Part", "ids_of", "named"]

MOST_STEPS = 100  # that can be taken back
LONGEST = 80  # characters of a selection's name

Mask = NDArray[np.bool_]


class Part(NamedTuple):
    """What is set in one explorer: its brushes, and the rows of `select(ids)` or None."""

    brush: Brush
    mask: Mask | None

    def same(self, other: "Part") -> bool:
        """Whether both select the same rows."""
        mine, theirs = self.brush, other.brush
        alike = (mine.ranges, mine.temperature, mine.cut) == (theirs.ranges, theirs.temperature, theirs.cut)
        return alike and self.mask is other.mask


State = tuple[Part, ...]


class History:
    """The states of a selection, at most 100, and the place among them.

    >>> history = History()
    >>> for state, step in (("none", 0), ("half", 1), ("more", 1), ("law", 2)):
    ...     history.note(state, step)
    >>> history.back(), history.back(), history.back(), history.forward()
    ('more', 'none', None, 'more')
    """

    def __init__(self) -> None:
        self._states: list[Any] = []
        self._at, self._step = -1, None

    def note(self, state: Any, step: Any) -> None:
        """Take in a state; what follows the present one is forgotten. States of one step (a drag) count as one."""
        if step is None or step != self._step or self._at < 1:
            self._at += 1
        del self._states[max(self._at, 0) :]
        self._states.append(state)
        self._step = step
        if len(self._states) > MOST_STEPS:
            del self._states[0]
            self._at -= 1

    @property
    def now(self) -> Any:
        """The present state, None before the first."""
        return self._states[self._at] if self._states else None

    @property
    def ways(self) -> dict[str, bool]:
        """Whether there is a step back, and one forward."""
        return {"undo": self._at > 0, "redo": self._at + 1 < len(self._states)}

    def back(self) -> Any:
        """Go one state back and return it, or None."""
        return self._go(-1)

    def forward(self) -> Any:
        """Go one state forward and return it, or None."""
        return self._go(1)

    def _go(self, steps: int) -> Any:
        if not 0 <= self._at + steps < len(self._states):
            return None
        self._at += steps
        self._step = None
        return self._states[self._at]


class Linked(Protocol):
    """What a link asks of an explorer."""

    @property
    def title(self) -> str:
        """What it shows."""

    @property
    def words(self) -> str:
        """Its brushes in words, "" where there are none."""

    @property
    def part(self) -> Part:
        """What is set in it."""

    @property
    def passing(self) -> Mask | None:
        """The rows that pass its own brushes, None where nothing is brushed."""

    def follow(self, allowed: Mask | None) -> None:
        """Take the rows that the other reports allow as a limit, None for no limit, and show what is left."""

    def restore(self, part: Part, serial: int) -> None:
        """Set brushes and mask, in the page as well."""

    def only(self, mask: Mask | None) -> Part:
        """Return the part without a brush, with a mask or without."""

    def kept(self, name: str) -> list[str]:
        """Return the examples of a named selection."""

    def keep(self, name: str) -> None:
        """Keep the selected examples under a name."""

    @property
    def selection(self) -> "pd.DataFrame":
        """The rows that are selected."""


class Link:
    """The explorers of some reports on the same examples: their lock, the number of the last change, and the history."""

    def __init__(self, reports: "Sequence[Report]") -> None:
        self.lock = threading.RLock()
        self.key = f"wb-{secrets.token_hex(6)}"
        self.serial = 0
        self.history = History()
        self.explorers: list[Linked] = []
        self.last: Any = None  # the explorer that was brushed last
        self.listeners: list[Callable[[], None]] = []  # called after each change, while the lock is held
        self._reports = reports
        if len(reports) > 1:
            _check_shared(reports, self.places)

    def told(self) -> dict[str, Any]:
        """Return what the page needs of it, for the explorer that joins next."""
        if len(self._reports) == 1:
            return {"key": self.key, "examples": 0}
        return {"key": self.key, "examples": len(self.names), "place": len(self.explorers), "aligned": self.aligned}

    def packed(self) -> bytes:
        """Return the places of the report that joins next, b"" where the page needs none."""
        return b"" if len(self._reports) == 1 or self.aligned else self.places[len(self.explorers)].tobytes()

    def join(self, explorer: Linked) -> None:
        """Take in the explorer of the next report; with the last one the history begins."""
        self.explorers.append(explorer)
        if len(self.explorers) == len(self._reports):
            self.history.note(self.state, None)

    @property
    def state(self) -> State:
        """What is set in each explorer."""
        return tuple(one.part for one in self.explorers)

    # -- examples --------------------------------------------------------------------------------------------------------

    @cached_property
    def _joined(self) -> tuple[tuple[NDArray[np.int32], ...], "pd.Index[Any]"]:
        import pandas as pd

        columns = [report.explored["example"] for report in self._reports]
        if columns[0].is_unique and all(columns[0].equals(column) for column in columns[1:]):
            every = np.arange(len(columns[0]), dtype=np.int32)
            return (every,) * len(columns), pd.Index(columns[0])
        codes, names = pd.factorize(pd.concat(columns, ignore_index=True))
        ends = np.cumsum([len(column) for column in columns])[:-1]
        return tuple(np.split(codes.astype(np.int32), ends)), pd.Index(names)

    @property
    def places(self) -> tuple[NDArray[np.int32], ...]:
        """The example of each row of each report, as a place in `names`."""
        return self._joined[0]

    @property
    def names(self) -> "pd.Index[Any]":
        """The ids of all examples, each once, in the order of the reports."""
        return self._joined[1]

    @cached_property
    def aligned(self) -> bool:
        """Whether the rows of all reports are the examples, one row each in one order: then a row is its own place."""
        every = np.arange(len(self.names), dtype=np.int32)
        return all(np.array_equal(one, every) for one in self.places)

    def _at(self, ids: Sequence[str]) -> NDArray[np.intp]:
        """Return the places of ids in `names`, -1 for one that no report has."""
        import pandas as pd

        return self.names.get_indexer(pd.Index(list(ids), dtype=object))

    def rows(self, explorer: Linked, ids: Sequence[str]) -> Mask:
        """Return which rows (n,) of an explorer are of these examples; all must be among them."""
        at = self._at(ids)
        return np.isin(self.places[self.explorers.index(explorer)], at[at >= 0])

    def lacking(self, explorer: Linked, ids: Sequence[str]) -> list[str]:
        """Return those ids that an explorer has no row of."""
        at = self._at(ids)
        held = np.zeros(len(self.names) + 1, dtype=bool)
        held[self.places[self.explorers.index(explorer)]] = True
        held[-1] = False  # the place -1 of ids that no report has
        return [name for name, place in zip(ids, at, strict=True) if not held[place]]

    @property
    def chosen(self) -> list[str]:
        """The ids of the examples that pass all brushes."""
        kept = np.ones(len(self.names), dtype=bool)
        for one in self._passed():
            kept &= True if one is None else one
        return list(self.names[kept])

    # -- changes ---------------------------------------------------------------------------------------------------------

    def changed(self, serial: int, step: Any = None) -> None:
        """Note a change in one explorer, and let all follow; the lock is held."""
        self.serial = max(self.serial, serial)
        state, last = self.state, self.history.now
        if last is None or not all(mine.same(old) for mine, old in zip(state, last, strict=True)):
            self.history.note(state, step)
        self._spread()

    def undo(self) -> bool:
        """Go one step back; False where there is none."""
        return self._restore(-1)

    def redo(self) -> bool:
        """Go one step forward again; False where there is none."""
        return self._restore(1)

    def clear(self) -> None:
        """Clear the brushes of all."""
        with self.lock:
            self._set({})

    def recall(self, ids: "Iterable[str] | pd.DataFrame | str") -> None:
        """Select examples, or a selection by its name, in the report that has the most of them (all, by id); clear the rest."""
        with self.lock:
            if isinstance(ids, str):
                best = max(self.explorers, key=lambda one: len(_or_none(one, ids)))
                self._set({id(best): self.rows(best, best.kept(ids))})
                return
            wanted = ids_of(ids)
            lacking = [self.lacking(one, wanted) for one in self.explorers]
            least = min(lacking, key=len)
            if least:
                nearest = self.explorers[lacking.index(least)].title
                raise UsageError(
                    f"No report holds all of these examples; {least[0]!r} is not in {nearest!r}. "
                    "Select in one report: canvas.explorers[0].select(...)."
                )
            best = self.explorers[lacking.index(least)]
            self._set({id(best): self.rows(best, wanted)})

    def name(self, name: str) -> None:
        """Keep the present selection with each report, under a name."""
        told = named(name)
        with self.lock:
            if not any(one.words for one in self.explorers):
                raise UsageError("Nothing is selected, so that there is nothing to name. Brush a chart first.")
            for one in self.explorers:
                one.keep(told)

    def _set(self, masks: Mapping[int, Mask]) -> None:
        self.serial += 1
        for one in self.explorers:
            one.restore(one.only(masks.get(id(one))), self.serial)
        self.changed(self.serial)

    def _restore(self, way: int) -> bool:
        with self.lock:
            state = self.history.back() if way < 0 else self.history.forward()
            if state is None:
                return False
            self.serial += 1
            for explorer, part in zip(self.explorers, state, strict=True):
                if not part.same(explorer.part):
                    explorer.restore(part, self.serial)
            self._spread()
            return True

    def _spread(self) -> None:
        """Let each explorer follow the others, and tell who listens."""
        self._lead()
        for listener in self.listeners:
            listener()

    def _lead(self) -> None:
        if len(self.explorers) == 1:
            self.explorers[0].follow(None)
            return
        passed = self._passed()
        for at, explorer in enumerate(self.explorers):
            others = [one for k, one in enumerate(passed) if k != at and one is not None]
            explorer.follow(np.logical_and.reduce(others)[self.places[at]] if others else None)

    def _passed(self) -> list[Mask | None]:
        """Return which examples pass the brushes of each report, None where it has none."""
        found: list[Mask | None] = []
        for explorer, places in zip(self.explorers, self.places, strict=True):
            rows, some = explorer.passing, None
            if rows is not None:
                some = np.zeros(len(self.names), dtype=bool)
                some[places[rows]] = True
            found.append(some)
        return found


def ids_of(ids: "Iterable[str] | pd.DataFrame") -> list[str]:
    """Return the ids of a list, or of a table with a column `example`, each once.

    >>> ids_of(["b", "a", "b"])
    ['b', 'a']
    """
    table: Any = ids
    return list(dict.fromkeys(table["example"] if hasattr(table, "columns") else table))


def _or_none(explorer: Linked, name: str) -> list[str]:
    """Return the examples of a named selection, none where the explorer has none of that name."""
    try:
        return explorer.kept(name)
    except UsageError:
        return []


def named(name: Any) -> str:
    """Return a selection's name, checked.

    >>> named("  hard questions ")
    'hard questions'
    """
    told = name.strip() if isinstance(name, str) else ""
    if not told or len(told) > LONGEST or not told.isprintable():
        raise UsageError(f"A selection's name is a line of 1 to {LONGEST} characters; found {str(name)[:100]!r}.")
    return told


def _check_shared(reports: "Sequence[Report]", places: Sequence[NDArray[np.int32]]) -> None:
    """Raise `UsageError` that names two reports without an example in common."""
    for i, one in enumerate(places):
        for j in range(i):
            if not np.isin(places[j], one).any():
                first, second = (
                    f"{reports[k].title!r} (ids like {reports[k].explored['example'].iloc[0]!r})" for k in (j, i)
                )
                raise UsageError(
                    f"{first} and {second} share no example, so that nothing links them. Run both on the same examples; "
                    "predictions made elsewhere need a column `example`."
                )
