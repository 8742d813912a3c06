"""The log of a search: every selection that was looked at, with the rule that carries it to rows that were held out."""

import weakref
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.frames import SELECTION_COLUMNS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CONFIRM", "EXPLORED", "Log", "Selection", "frame_of", "log_of", "looks"]

NUMBERS = {"n": int, "tried": int, "level": float, "counted": int}
EXPLORED, CONFIRM = "explored", "confirm"  # the status of what was looked at, and the source of what was tested


class Selection(NamedTuple):
    """One line of the log. `tried` is how many slices it stands for, `rule` its JSON or "" where ids alone say it.

    A line whose source is "confirm" is a test on the held-out half: of `metric`, with its `status` and `result` in words, how it
    was asked (`correction`, `family`, `direction`, `level`), and how many tests were `counted`. Elsewhere these are "" and 0.
    """

    time: str
    source: str
    description: str
    n: int
    name: str = ""
    examples: tuple[str, ...] = ()
    rule: str = ""
    tried: int = 1
    metric: str = ""
    status: str = EXPLORED
    result: str = ""
    correction: str = ""
    family: str = ""
    direction: str = ""
    level: float = 0.0
    counted: int = 0


class Log(list[Selection]):
    """The lines of a log; who watches it hears of each that is added. A watcher that is gone is forgotten.

    >>> class Watcher:
    ...     def heard(self): print("heard")
    >>> log, watcher = Log(), Watcher()
    >>> log.watch(watcher.heard)
    >>> log.append(Selection("now", "explorer", "domain: law", 3))
    heard
    """

    def __init__(self, lines: Iterable[Selection] = ()) -> None:
        super().__init__(lines)
        # the words of selections that no rule says, by `_looks.ids_key` of their examples
        self.by_ids: dict[str, str] = {}
        self._watchers: list[weakref.WeakMethod[Callable[[], None]]] = []

    def __reduce__(self) -> tuple[Any, ...]:
        return Log, (list(self),)  # a copy, in another process or not, is watched by nobody

    def watch(self, heard: Callable[[], None]) -> None:
        """Call a method after each line that is added."""
        self._watchers.append(weakref.WeakMethod(heard))

    def append(self, line: Selection) -> None:
        """Add a line."""
        super().append(line)
        self._watchers = [one for one in self._watchers if one() is not None]
        for watcher in self._watchers:
            heard = watcher()
            if heard is not None:
                heard()


def frame_of(log: list[Selection]) -> "pd.DataFrame":
    """Return the log as a table.

    >>> frame_of([Selection("now", "explorer", "domain: law", 3)])["status"].tolist()
    ['explored']
    """
    import pandas as pd

    return pd.DataFrame(log, columns=list(SELECTION_COLUMNS)).astype(NUMBERS)


def looks(log: Iterable[Selection]) -> int:
    """Return how many different slices were looked at, as `confirm` counts them: each rule once, and no test.

    >>> brush = Selection("now", "explorer", "domain: law", 3)
    >>> looks([brush, brush, Selection("now", "slices", "7 slices", 9, tried=7), brush._replace(source="confirm")])
    8
    """
    return sum({line.rule or line.description: line.tried for line in log if line.source != CONFIRM}.values())


def log_of(table: "pd.DataFrame") -> Log:
    """Return the log that a saved table holds; older files lack the later columns.

    >>> log_of(frame_of([Selection("now", "explorer", "domain: law", 3)]).iloc[:, :4])[0].tried
    1
    """
    lines = Log()
    for line in table.to_dict("records"):
        known: dict[str, Any] = {name: line[name] for name in SELECTION_COLUMNS if name in line}
        known |= {name: kind(known[name]) for name, kind in NUMBERS.items() if name in known}
        lines.append(Selection(**{**known, "examples": tuple(known.get("examples", ()))}))
    return lines
