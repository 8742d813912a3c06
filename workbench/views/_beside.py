"""Two reports on the same examples side by side: who is right where, the other's answer in the table, and what differs.

Rows are matched by example, variant and group, as `wb.compare` does. Agreement is one more slice of both explorers: it is counted,
brushed, taken back and logged like any other.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.views import _fields, _rows
from workbench.views._lens import Lens, lens_of

if TYPE_CHECKING:
    import pandas as pd

    from workbench.audit.compare import Comparison
    from workbench.reports import Report

__all__ = ["AGREEMENT", "Beside", "beside", "differences"]

AGREEMENT = "agreement"
KEYS = ["example", "variant", "group"]
UNKNOWN = 4


@dataclass(frozen=True, eq=False)
class Beside:
    """What an explorer shows of the other report: the agreement with it, and its answers as further columns (n,)."""

    side: str  # "a" or "b"
    name: str  # of the model, with what sets the run apart where both are of one model
    apart: str  # that alone
    field: _fields.Field
    answers: "pd.DataFrame"
    columns: tuple[_rows.Column, ...]

    def into(self, lens: Lens) -> Lens:
        """Return the lens with the agreement as a slice, and the other's answers beside the own."""
        fields = (*lens.fields[:-1], self.field, lens.fields[-1])
        own = {column.name.rpartition("_")[0] for column in self.columns}
        columns = [one._replace(title=f"{self.side}: {one.title}") if one.name in own else one for one in lens.columns]
        last = max((at for at, one in enumerate(columns) if one.name in own), default=len(columns) - 1)
        return replace(lens, fields=fields, columns=(*columns[: last + 1], *self.columns, *columns[last + 1 :]))

    def for_page(self, lens: Lens) -> dict[str, Any]:
        """Return what the page needs of it."""
        at = [field.name for field in lens.fields].index(AGREEMENT)
        words = ("right", "wrong") if lens.view is None else lens.view.outcomes
        return {"field": at, "side": self.side, "name": self.name, "apart": self.apart, "words": list(words)}


def beside(comparison: "Comparison") -> tuple[Beside, Beside]:
    """Return what the explorer of each report shows of the other one."""
    reports = (comparison.a, comparison.b)
    lenses = [lens_of(report) for report in reports]
    found = []
    for k, side in enumerate("ab"):
        mine, theirs = reports[k].explored, reports[1 - k].explored
        at = _places(mine, theirs)
        own, other = lenses[k].outcome, np.append(lenses[1 - k].outcome, np.nan)[at]
        field = _agreement(own, other, lenses[0]) if side == "a" else _agreement(other, own, lenses[0])
        view = lenses[k].view
        shown = ("predicted", "confidence", "correct") if view is None else ("predicted", view.value, view.outcome)
        further = "ba"[k]
        titles = {one.name: one for one in lenses[1 - k].columns}
        columns = [titles[name] for name in shown if name in titles and name in theirs]
        answers = (
            theirs[[one.name for one in columns]].reindex(np.where(at < 0, len(theirs), at)).reset_index(drop=True)
        )
        renamed = tuple(one._replace(name=f"{one.name}_{further}", title=f"{further}: {one.title}") for one in columns)
        answers.columns = [one.name for one in renamed]
        found.append(Beside(side, comparison.names[k], comparison.apart[k], field, answers, renamed))
    return found[0], found[1]


def _places(mine: "pd.DataFrame", theirs: "pd.DataFrame") -> NDArray[np.intp]:
    """Return where each of my rows stands among theirs, -1 where it does not."""
    import pandas as pd

    return pd.MultiIndex.from_frame(theirs[KEYS]).get_indexer(pd.MultiIndex.from_frame(mine[KEYS]))


def _agreement(a: NDArray[np.float64], b: NDArray[np.float64], lens: Lens) -> _fields.Field:
    """Return who says the first word of the outcome: both, a alone, b alone, neither; and what is not known of both."""
    yes, no = ("right", "wrong") if lens.view is None else lens.view.outcomes
    known = np.isfinite(a) & np.isfinite(b)
    codes = np.where(known, 2 * (a <= 0) + (b <= 0), UNKNOWN).astype(np.uint8)
    cells = (f"both {yes}", f"a {yes}, b {no}", f"a {no}, b {yes}", f"both {no}")
    labels = cells if known.all() else (*cells, "not known of both")
    return _fields.Field(AGREEMENT, _fields.SLICE, len(labels), codes, np.empty(0), labels, title="Agreement")


def differences(
    comparison: "Comparison", lens: Lens, a: "pd.DataFrame", b: "pd.DataFrame", draws: int
) -> list[dict[str, Any]]:
    """Return the lines of what differs between selected rows of both, with words; none where no row is in both."""
    from workbench.audit._match import matched
    from workbench.audit._paired import Asked
    from workbench.audit._paired import differences as differ

    brief = {} if lens.view is None else dict(lens.view.brief)
    one, two = (_part(report, rows) for report, rows in ((comparison.a, a), (comparison.b, b)))
    if not len(a) or not len(b):
        return []
    try:
        rows = matched(one, two)
    except DataError:  # a brush on the rows of one report may leave none that has its counterpart
        return []
    asked = Asked(comparison.a._probe, {**comparison.a.options, **brief}, (), draws, 0)
    found, _ = differ(rows.a, rows.b, asked)
    return [_line(words, line) for words, line in lens.metrics(found) if words]


def _part(report: "Report", rows: "pd.DataFrame") -> "Report":
    return replace(report, rows=rows, stored={})


def _line(words: str, row: dict[Any, Any]) -> dict[str, Any]:
    """Return one difference as JSON: NaN is null."""
    names = ("value_a", "value_b", "difference", "low", "high", "p")
    numbers = {key: None if not np.isfinite(row[key]) else float(row[key]) for key in names}
    return {"words": words, "n": int(row["n"]), "method": str(row["method"]), **numbers}
