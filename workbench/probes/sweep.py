"""The probe `sweep`: what corrupted inputs cost, by corruption and severity, in the terms of any other probe.

A composite probe: it asks an inner probe (calibration, unless another is named) about the clean examples and about every corrupted
copy of them (`workbench.data.corruptions`). Each row stands beside the clean answer of the same example, so that changes are
paired; metrics, tables and charts are functions of any of the rows.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workbench.data.corruptions import SEVERITIES, corruptions
from workbench.data.images import image_corruptions
from workbench.models.verbs import Monitor
from workbench.probes import _sweep_embedding, _sweep_estimates, _sweep_metrics, _sweep_rows, _sweep_view
from workbench.probes._slices import OVERALL
from workbench.probes._sweep_again import sweep_again
from workbench.probes._sweep_plan import CLEAN, inner_of
from workbench.probes.protocol import Again, Option, Scored, View

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from workbench.data.examples import Examples

__all__ = ["PROBE", "Sweep"]

CURVES = (  # drawn where there are such metrics, in this order
    *("accuracy", "accuracy_change", "flip_rate", "similarity", "mean_confidence", "confidence_change"),
    *("ece", "smooth_ece", "l2_debiased"),
)
BY_SLICE = ("accuracy_change", "flip_rate", "similarity")
MOST_CURVES, MOST_ESTIMATED = 9, 4


class Sweep:
    """The probe `sweep`; its one instance is `PROBE`."""

    name = "sweep"
    title = "Corruption sweep"
    question = "How much do corrupted inputs cost, and whom?"
    asks = frozenset({"inner", "inner_options", "corruptions", "severities", "columns", "corruption_seed"})
    texts = ("text",)  # columns of a row that can be changed and asked again
    headline = (
        *("accuracy", "accuracy_change", "flip_rate", "mean_confidence", "confidence_change"),
        *("ece", "l2_debiased", "smooth_ece", "similarity", "text_changed"),
    )
    named: Mapping[str, str] = {
        f"corruption={CLEAN}": CLEAN,
        OVERALL: "all corrupted copies",
    }  # shown first, side by side
    sliced = ("accuracy", "accuracy_change", "flip_rate", "confidence_change", "ece", "similarity")
    limits = (
        "Corruptions are made by rules at rates of our own; no severity stands for what a given group of writers types.",
        "A corrupted text may have lost its answer: some of what is lost no reader could have kept.",
        "The same examples are asked at every severity: points of a curve are not independent of each other.",
        "Binned ECE is biased upwards in small samples, the more the less confident a model is: a rise of ECE alone is no "
        "loss of calibration. Read it beside its null band, the debiased L2 and smooth ECE.",
        "Corruptions times severities times slices are many intervals: with twenty of 95 %, one is expected to miss by chance.",
    )
    options: Mapping[str, Option] = {
        "corruptions": Option(
            (),
            "names or corruptions, several with commas; none: keyboard, or gaussian-noise for images",
            suggests=(*corruptions(), *image_corruptions()),
        ),
        "severities": Option(SEVERITIES, "of 1 to 5; 0, the clean copy, is always asked", suggests=SEVERITIES),
        "inner": Option(
            "",
            "the probe that is asked about each copy; none: the one that fits",
            suggests=("calibration", _sweep_embedding.NAME),
        ),
        "inner_options": Option({}, "options of the inner probe, by name"),
        "columns": Option((), "columns of texts to corrupt; none: the text alone"),
        "detail": Option(
            "copies",
            "copies: the inner probe's metrics of each copy, few of them by slice; full: all by slice, slowly; pooled: none",
            _sweep_metrics.DETAIL,
        ),
        "corruption_seed": Option(0, "another number puts the changes elsewhere", limits=(0, 2**31)),
    }

    def view(self, rows: "pd.DataFrame", options: Mapping[str, Any]) -> View | None:
        """Return what the explorer shows of rows: the curve over severities, edits inline, the answers before and after."""
        return _sweep_view.view_of(rows, options)

    def score(self, model: Any, examples: "Examples", options: Mapping[str, Any], *, monitor: Monitor) -> Scored:
        """Return the inner probe's rows of the clean examples (severity 0) and of each copy, beside the clean answers."""
        return _sweep_rows.score(model, examples, options, monitor=monitor)

    def again(self, rows: "pd.DataFrame", options: Mapping[str, Any], data: Mapping[str, Any]) -> Again:
        """Return the text of a copy as the inner probe asks it; it is corrupted no further."""
        return sweep_again(rows, options, data)

    def not_yet(self, rows: "pd.DataFrame") -> str:
        """Return why nothing can be said of part of a run, "" where something can."""
        first = _sweep_embedding.VALUE in rows and not rows["severity"].gt(0).any()
        return "the clean texts come first, and vectors are compared with theirs." if first else ""

    def summarise(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, by: tuple[str, ...] = (), seed: int = 0
    ) -> "pd.DataFrame":
        """Return the metrics over all corrupted copies, of each copy, and of both by slice."""
        return _sweep_metrics.summarise(rows, options, by=by, seed=seed)

    def per_row(self, rows: "pd.DataFrame", options: Mapping[str, Any]) -> "Mapping[str, NDArray[np.float64]]":
        """Return the numbers (n,) whose means are metrics over all corrupted copies, NaN where a row is not in one."""
        return _sweep_metrics.per_row(rows, options)

    def values(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, by: tuple[str, ...] = ()
    ) -> "Mapping[tuple[str, str], float]":
        """Return the values of the metrics by (metric, group), without their intervals."""
        return _sweep_metrics.values(rows, options, by=by)

    def tables(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, seed: int = 0
    ) -> Mapping[str, "pd.DataFrame"]:
        """Return `edits`, every change of a text with its place, and `estimates` of accuracy without labels, beside the truth."""
        del options
        estimates = _sweep_estimates.estimate_table(rows, seed=seed)
        return {"edits": _sweep_rows.edit_table(rows), **({"estimates": estimates} if len(estimates) else {})}

    def charts(
        self, metrics: "pd.DataFrame", tables: Mapping[str, "pd.DataFrame"], options: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return a severity curve for each main metric, and forest plots of what was lost by slice."""
        from workbench.charts.metrics import metric_bars
        from workbench.charts.sweep import estimate_curves, severity_curves

        known = set(metrics["metric"])
        inner = inner_of(("similarity",) if "similarity" in known else (), options)
        wanted = dict.fromkeys([*CURVES, *getattr(inner, "headline", ())])
        curves = metrics[(metrics["slice"] == OVERALL) & (metrics["corruption"] != OVERALL)]
        charts = {}
        for metric in [name for name in wanted if name in known][:MOST_CURVES]:
            if curves.loc[curves["metric"].eq(metric), "value"].notna().any():
                charts[f"{metric}_by_severity"] = severity_curves(curves, metric)
        if (estimates := tables.get("estimates")) is not None:
            names = [str(name) for name in dict.fromkeys(estimates["corruption"]) if name != CLEAN]
            charts |= {f"estimates_{name}": estimate_curves(estimates, name) for name in names[:MOST_ESTIMATED]}
        pooled = metrics[metrics["corruption"] == OVERALL]
        for metric in BY_SLICE:
            lines = pooled[pooled["metric"].eq(metric)]
            if (lines["group"] != OVERALL).any() and lines["value"].notna().any():
                charts[f"{metric}_by_slice"] = metric_bars(lines, metric)
        return charts


PROBE = Sweep()
