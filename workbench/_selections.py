"""The log of a search: every selection that was looked at, with the rule that carries it to rows that were held out."""

from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.frames import SELECTION_COLUMNS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CONFIRM", "EXPLORED", "Selection", "frame_of", "log_of"]

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


def frame_of(log: list[Selection]) -> "pd.DataFrame":
    """Return the log as a table.

    >>> frame_of([Selection("now", "explorer", "domain: law", 3)])["status"].tolist()
    ['explored']
    """
    import pandas as pd

    return pd.DataFrame(log, columns=list(SELECTION_COLUMNS)).astype(NUMBERS)


def log_of(table: "pd.DataFrame") -> list[Selection]:
    """Return the log that a saved table holds; older files lack the later columns.

    >>> log_of(frame_of([Selection("now", "explorer", "domain: law", 3)]).iloc[:, :4])[0].tried
    1
    """
    lines = []
    for line in table.to_dict("records"):
        known: dict[str, Any] = {name: line[name] for name in SELECTION_COLUMNS if name in line}
        known |= {name: kind(known[name]) for name, kind in NUMBERS.items() if name in known}
        lines.append(Selection(**{**known, "examples": tuple(known.get("examples", ()))}))
    return lines
