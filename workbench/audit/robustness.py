"""Several models here and elsewhere: who is more accurate there than models of its accuracy are.

`robustness` reads the rows of reports that there are, one of the usual data and one of the shifted data for each model, and asks
nothing again. The estimate and its interval are `workbench.stats.robustness.effective_robustness`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workbench.errors import DataError, UsageError, unknown
from workbench.reports import Report
from workbench.stats.intervals import Interval, proportion
from workbench.stats.robustness import effective_robustness

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SIDES", "Robust", "robustness"]

SIDES = ("inside", "outside")
Reports = Mapping[str, Report] | Sequence[Report]
LIMITS = (
    "A model above the line is more accurate elsewhere than its accuracy here foretells, which is not why; and it may be less "
    "accurate there than a model on the line.",
    "The line is that of the models at hand: few of them, or of one kind, make another line than many of many kinds would. The "
    "interval allows for the rows that were drawn, not for which models they are.",
    "A model that the line is fitted to draws it towards itself: name the standard models in baseline, without those in question.",
)


@dataclass(frozen=True, eq=False)
class Robust:
    """Effective robustness of several models.

    `metrics` has one line per model: model, inside and outside (accuracies, with Wilson's 95 % bounds, by cluster where rows
    have such, in inside_low, inside_high, outside_low, outside_high), expected (what the line foretells outside), value
    (outside minus expected) with low and high (95 %), baseline (whether the line is fitted to it), n_inside, n_outside, method.
    `slope` and `intercept` are the line's: logit(outside) = intercept + slope logit(inside); `line` follows it with its 95 %
    interval (inside, outside, low, high).
    """

    metrics: "pd.DataFrame"
    slope: Interval
    intercept: Interval
    line: "pd.DataFrame"
    notes: tuple[str, ...] = ()
    limits: tuple[str, ...] = LIMITS
    _reports: Mapping[tuple[str, str], Report] = field(default_factory=dict, repr=False)

    def rows(self, model: str, side: str = "outside") -> "pd.DataFrame":
        """Return the rows behind a model's accuracy, "inside" or "outside": those that all models answered.

        Raises `UsageError` for a model or side that there is not.
        """
        return self.report(model, side).explored

    def report(self, model: str, side: str = "outside") -> Report:
        """Return the report behind a model's accuracy, of the rows that all models answered: `wb.explore` shows it.

        Raises `UsageError` for a model or side that there is not.
        """
        if side not in SIDES:
            raise unknown("side", side, SIDES)
        names = list(self.metrics["model"])
        if model not in names:
            raise unknown("model", model, names)
        return self._reports[model, side]

    @property
    def title(self) -> str:
        """What was compared, in one line."""
        models, (here, there) = int(self.metrics["baseline"].sum()), self.metrics[["n_inside", "n_outside"]].iloc[0]
        return f"Effective robustness over {models} models on the line, n = {here:,} inside and {there:,} outside"

    def chart(self) -> Any:
        """Return accuracy outside over accuracy inside, the line with its band, and each model's distance from it."""
        from workbench.charts.offline import offline
        from workbench.charts.robustness import effective_robustness as draw

        return offline(draw(self.metrics, self.line))

    def _repr_html_(self) -> str:
        from workbench.audit._show import robustness_html

        return robustness_html(self)

    def __repr__(self) -> str:
        wide = max(map(len, self.metrics["model"]))
        said = [self.title]
        said += [f"! {note}" for note in self.notes]
        columns = ["model", "inside", "outside", "expected", "value", "low", "high", "baseline"]
        for name, *shares, value, low, high, on_line in self.metrics[columns].itertuples(index=False, name=None):
            shown = "  ".join(f"{share:.3f}" for share in shares) + f"  {value:+.3f} {_bounds(low, high, '+.3f')}"
            said.append(f"  {name:<{wide}}  {shown}{'' if on_line else '  not on the line'}")
        said.append(f"  slope {self.slope.value:.2f} {_bounds(self.slope.low, self.slope.high, '.2f')}")
        return "\n".join(
            [
                *said,
                "columns: accuracy inside, outside, expected outside; outside - expected. .metrics, .line, .rows(model, side), "
                ".chart(), .limits; wb.explore(...) opens the rows behind each",
            ]
        )


def _bounds(low: float, high: float, form: str) -> str:
    return f"[{low:{form}}, {high:{form}}]" if low == low else "(no interval)"


class _Hits(NamedTuple):
    """Hits (models, rows) of the rows that all models answered, how many rows were left out, and each model's report of them.

    clusters: those of the rows, None where each is its own.
    """

    hits: "np.ndarray[Any, Any]"
    left: int
    clusters: "np.ndarray[Any, Any] | None"
    reports: list[Report]


def robustness(
    inside: Reports, outside: Reports, *, baseline: Sequence[str] | None = None, draws: int = 1000, seed: int = 0
) -> Robust:
    """Return how much more accurate each model is elsewhere than a line through the models foretells (Taori et al. 2020).

    `inside` and `outside` hold a report of each model on the usual and on the shifted data: {name: report}, or two lists in one
    order, named by the reports' models. Any probe whose rows say what was `correct` will do (`calibration`, `groups`, ...). Rows
    that one of the models did not answer are left out for all. `baseline` names the models that the line is fitted to, all where
    it is None.

    Raises `UsageError` for models that differ or have one name, `DataError` where fewer than three models are on the line, where
    models of one set were asked about other examples, and where rows do not say what was correct.

    >>> import numpy as np, pandas as pd, workbench as wb
    >>> def report(right, rows):
    ...     table = pd.DataFrame({"example": range(rows), "confidence": 0.8, "hit": np.arange(rows) < right})
    ...     return wb.from_predictions(table, confidence="confidence", correct="hit", example="example")
    >>> here = {name: report(right, 1000) for name, right in {"a": 600, "b": 700, "c": 800, "new": 800}.items()}
    >>> there = {name: report(right, 1000) for name, right in {"a": 400, "b": 509, "c": 640, "new": 740}.items()}
    >>> robustness(here, there, baseline=["a", "b", "c"]).metrics.set_index("model")["value"].round(2).abs().to_dict()
    {'a': 0.0, 'b': 0.0, 'c': 0.0, 'new': 0.1}
    """
    import pandas as pd

    here, there = _named(inside, "inside"), _named(outside, "outside")
    if set(here) != set(there):
        raise UsageError(
            f"inside has the models {', '.join(here)} and outside {', '.join(there)}. Pass a report of each model on both."
        )
    names = list(here)
    for name in baseline or ():
        if name not in here:
            raise unknown("model", name, names)
    fit = [baseline is None or name in baseline for name in names]
    usual = _hits([here[name] for name in names], names, "inside")
    shifted = _hits([there[name] for name in names], names, "outside")
    together = usual.clusters, shifted.clusters
    found = effective_robustness(usual.hits, shifted.hits, baseline=fit, clusters=together, draws=draws, seed=seed)
    accuracies = usual.hits.mean(axis=1), shifted.hits.mean(axis=1)
    table = pd.DataFrame({
        "model": names, "inside": accuracies[0], "outside": accuracies[1],
        "expected": accuracies[1] - [one.value for one in found.models],
        "value": [one.value for one in found.models], "low": [one.low for one in found.models],
        "high": [one.high for one in found.models], "baseline": fit,
        "n_inside": usual.hits.shape[1], "n_outside": shifted.hits.shape[1], "method": [one.method for one in found.models],
    })  # fmt: skip
    for side, part in (("inside", usual), ("outside", shifted)):
        bounds = [proportion(hits, clusters=part.clusters) for hits in part.hits]
        table = table.assign(
            **{f"{side}_low": [one.low for one in bounds], f"{side}_high": [one.high for one in bounds]}
        )
    notes = [
        f"{part.left:,} rows {side} have no answer of some model; they are left out for all."
        for side, part in (("inside", usual), ("outside", shifted))
        if part.left
    ]
    notes += [
        f"All rows {side} are of one cluster, so that no interval can be given."
        for side, part in (("inside", usual), ("outside", shifted))
        if part.clusters is not None and len(set(part.clusters)) < 2
    ]
    behind = {(name, "inside"): one for name, one in zip(names, usual.reports, strict=True)}
    behind |= {(name, "outside"): one for name, one in zip(names, shifted.reports, strict=True)}
    return Robust(table, found.slope, found.intercept, pd.DataFrame(found.line), tuple(notes), _reports=behind)


def _named(reports: Reports, side: str) -> dict[str, Report]:
    """Return the reports by their model's name, or raise `UsageError`."""
    if isinstance(reports, Report) or not len(reports):
        raise UsageError(f"{side} must hold a report of each model: {{name: report}} or a list of them.")
    found: dict[str, Any] = dict(reports) if isinstance(reports, Mapping) else {}
    if not found:
        for report in reports:  # a list: the names are the models'
            name = str(report.record.model.get("name")) if isinstance(report, Report) else "?"
            if name in found:
                raise UsageError(f"Two reports of {side} are of {name!r}. Name them: {{'one': report, 'two': other}}.")
            found[name] = report
    for name, report in found.items():
        if not isinstance(report, Report):
            raise UsageError(
                f"{side} must hold reports; {name!r} is a {type(report).__name__}. Make one with wb.run(...)."
            )
    return {str(name): report for name, report in found.items()}


def _hits(reports: Sequence[Report], names: Sequence[str], side: str) -> _Hits:
    """Return the hits of the rows that all reports have, matched by example, variant and group."""
    import pandas as pd

    columns, owners = [], []
    for name, report in zip(names, reports, strict=True):
        rows = report.explored
        if "correct" not in rows or rows["correct"].isna().all():
            raise DataError(
                f"The rows of {name!r} ({report.probe}) do not say what was correct {side}. Use a probe that does: calibration."
            )
        keys = [rows[key].astype(str) for key in ("example", "variant", "group")]
        places = pd.MultiIndex.from_arrays(keys)
        columns.append(pd.Series(pd.to_numeric(rows["correct"]).to_numpy(np.float64), index=places))
        owners.append(pd.Series(rows["cluster"].astype(str).to_numpy(object), index=places))
    first = set(columns[0].index.get_level_values(0))
    for name, column in zip(names, columns, strict=True):
        other = set(column.index.get_level_values(0)) ^ first
        if other:
            raise DataError(
                f"{len(other):,} examples {side} are not in both {names[0]!r} and {name!r}, the first is {min(other)!r}. "
                "Run all models on the same examples."
            )
    table = pd.concat(columns, axis=1)
    whole = table.notna().all(axis=1)
    kept = set(table.index[whole])
    mine = [
        report if whole.all() else _part(report, [key in kept for key in column.index])
        for report, column in zip(reports, columns, strict=True)
    ]
    return _Hits(table[whole].to_numpy().T, int((~whole).sum()), _together(owners, table.index[whole]), mine)


def _together(owners: "list[pd.Series[Any]]", places: "pd.Index[Any]") -> "np.ndarray[Any, Any] | None":
    """Return the clusters of some rows, in the report that has the fewest, None where each row is its own."""
    found = [one.loc[places].to_numpy(object) for one in owners]
    fewest = min(found, key=lambda one: len(set(one)))
    return fewest if len(set(fewest)) < len(fewest) else None


def _part(report: Report, answered: Sequence[bool]) -> Report:
    """Return the report of some of the explored rows."""
    rows = report.explored[list(answered)].reset_index(drop=True)
    part = report.where(rows)
    return replace(part, rows=rows, notes=(f"A part: the {len(rows):,} rows that all models answered.", *report.notes))
