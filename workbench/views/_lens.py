"""How the explorer reads the rows of a report: by confidence and correctness, or by the view that a probe has of them.

A lens names the numbers and outcomes to count, the fields to brush, the table's columns, and the words of the page. Everything
else of the explorer is the same for both.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import UsageError
from workbench.stats.intervals import Design, design_effect
from workbench.views import _fields, _map, _rows, _temperature

if TYPE_CHECKING:
    import pandas as pd

    from workbench.probes.protocol import View
    from workbench.reports import Report

__all__ = ["METRICS", "Lens", "lens_of"]

Floats = NDArray[np.float64]

OVERALL = "all"
MOST_METRICS = 14  # of a probe with a view
METRICS = {  # the metrics of a calibration that the page shows, in this order, and their words
    "accuracy": "Accuracy",
    "mean_confidence": "Mean confidence",
    "confidence_gap": "Confidence gap",
    "ece": "ECE, binned",
    "smooth_ece": "ECE, smooth",
    "l2_debiased": "L2, debiased",
    "brier": "Brier score",
    "nll": "NLL (nats)",
    "auroc": "AUROC of confidence",
    "aurc": "Area under risk-coverage",
}


@dataclass(frozen=True, eq=False)
class Lens:
    """What the explorer counts and shows of rows (n,)."""

    view: "View | None"  # None: confidence and correctness
    fields: tuple[_fields.Field, ...]  # the first is that of `value`
    columns: tuple[_rows.Column, ...]
    value: Floats  # (n,), NaN where a row has none
    outcome: Floats  # (n,), 1, 0 or NaN
    effect: Design  # of the outcome: how far rows of one cluster resemble each other
    why_not: str  # why there is no temperature, "" where there is one
    headline: tuple[str, ...]  # metrics to show first
    map: _map.Map | None = None  # terms against measures, of a view that has them
    parts: tuple[str, ...] = ()  # columns that split all of a probe's metrics: shown of each of their values
    points: Design | None = None  # how far rows of one cluster resemble each other within a point of the curve

    def metrics(self, found: "pd.DataFrame") -> list[tuple[str, dict[Any, Any]]]:
        """Return the overall metrics as pairs of their words and their line; those without words are not shown.

        A probe that has no overall metrics shows those of its groups.
        """
        from workbench.charts.metrics import metric_title

        groups = found["group"].astype(str)
        split = groups.str.startswith(tuple(f"{part}=" for part in self.parts)) & ~groups.str.contains(" & ")
        whole = found[(groups == OVERALL) | split] if self.parts else found[groups == OVERALL]
        lines = (whole if len(whole) else found).to_dict("records")
        order = {name: at for at, name in enumerate(METRICS if self.view is None else self.headline)}
        lines.sort(key=lambda line: order.get(line["metric"], len(order)))
        if self.view is None:
            return [(METRICS.get(line["metric"], ""), line) for line in lines]
        words = [
            metric_title(line["metric"]) + ("" if line["group"] == OVERALL else f", {self._told(line['group'])}")
            for line in lines
        ]
        return [
            (said if at < MOST_METRICS else "", line) for at, (said, line) in enumerate(zip(words, lines, strict=True))
        ]

    def _told(self, group: str) -> str:
        """Return a group in words: the value of one of the parts has a title of its own."""
        from workbench.charts.metrics import metric_title

        column, _, value = group.partition("=")
        return metric_title(value) if column in self.parts else group

    @property
    def mean_words(self) -> str:
        """What the mean of the value is called: "Mean difference (nats)"."""
        title = self.fields[0].title or "confidence"
        return f"Mean {title[0].lower() if title[1:2].islower() else title[:1]}{title[1:]}"

    @property
    def heading(self) -> str:
        """What the value is called, without its unit."""
        title = re.sub(r"\s*\([^()]*\)$", "", self.fields[0].title or "confidence")
        return title[:1].upper() + title[1:]


def lens_of(report: "Report") -> Lens:
    """Return how to read a report: by its probe's view where it has one, else by confidence and correctness.

    Raises `UsageError` where there are no rows, or rows that have neither.
    """
    rows = report.explored
    if not len(rows):
        raise UsageError(f"This report has no explored rows to show; its outcome is {report.outcome!r}.")
    view = report.view
    value, outcome = ("confidence", "correct") if view is None else (view.value, view.outcome)
    missing = [name for name in ("example", value, outcome) if name not in rows]
    if missing:
        raise UsageError(
            "The explorer shows rows with a confidence and an outcome, or those that a probe has a view of; "
            f"those of {report.probe!r} lack {', '.join(missing)}."
        )
    if view is None:
        fields = _fields.fields_of(rows, report.by, report.options)
        columns = _rows.columns_of(rows, _slices(fields))
        why_not = _temperature.why_not(rows)
    else:
        known = [name for name in view.slices if name in rows]  # a search may have named fewer
        fields = _fields.view_fields(rows, (*known, *report.by), view)
        columns = _rows.view_columns(rows, _slices(fields), view)
        why_not = "These rows have no confidence."
    values, outcomes = rows[value].to_numpy(float), rows[outcome].to_numpy(float)
    known = np.isfinite(outcomes) if view is not None else np.isfinite(outcomes) & np.isfinite(values)
    effect = _effect(rows[known], outcomes[known])
    drawn = None if view is None else _map.map_of(rows, fields, view)
    points = None
    if view is not None and fields[1].kind == _fields.CURVE:
        within = values if view.mean else outcomes
        usable = np.isfinite(within)
        points = _map.effect_within(within[usable], fields[1].codes[usable], _clusters(rows[usable]))
    return Lens(view, fields, columns, values, outcomes, effect, why_not, report.headline, drawn, report.parts, points)


def _slices(fields: Sequence[_fields.Field]) -> list[str]:
    """Return the names of the slice columns; the last field is the outcome."""
    return [field.name for field in fields[:-1] if field.kind == _fields.SLICE]


def _effect(rows: "pd.DataFrame", outcomes: Floats) -> Design:
    """Return the design effect of the outcomes of rows."""
    return design_effect(outcomes, clusters=_clusters(rows))


def _clusters(rows: "pd.DataFrame") -> "NDArray[Any] | None":
    return rows["cluster"].to_numpy() if rows["cluster"].nunique() < len(rows) else None
