"""The probe `unlabelled`: how accurate the model is on examples without labels, estimated from examples that have some.

Rows hold the answers on both sets, told apart by `set`; estimates and charts are functions of them. Where the target has labels
the truth stands beside the estimates. How the model is asked stands in `_unlabelled_rows`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.frames import Metric, metrics_frame
from workbench.models.verbs import Monitor
from workbench.probes import _unlabelled_rows as ways
from workbench.probes._slices import clusters_of, groups_of
from workbench.probes.protocol import Option, Scored, View

if TYPE_CHECKING:
    import pandas as pd

    from workbench.data.examples import Examples
    from workbench.stats.intervals import Interval

__all__ = ["PROBE", "Unlabelled"]

OVERALL = "all"
ESTIMATES = ("atc", "doc", "average_confidence", "cbpe", "importance_weighted")


class Unlabelled:
    """The probe `unlabelled`; its one instance is `PROBE`."""

    name = "unlabelled"
    title = "Accuracy without labels"
    question = "How accurate is the model on examples without labels, as far as its confidence can say?"
    why_not_again = (
        "its rows keep neither the choices nor the head that they were answered with, "
        "and its estimates are of whole sets."
    )
    asks = frozenset({"reference", "train", "weights"})
    headline = ("accuracy", *ESTIMATES, *(f"{name}_error" for name in ESTIMATES), "reference_accuracy")
    sliced = ("accuracy", *ESTIMATES)
    limits = (
        "Each estimate rests on an assumption that labels alone can test: intervals say how it varies with the sample, not whether "
        "the assumption holds.",
        "Without labels no method works for every shift (Garg et al. 2022): where estimates disagree, none is to be trusted.",
        "Confidence that falls less than accuracy does, which is usual under shift, makes every estimate too high.",
        "The interval of cbpe is too narrow where most of the target has confidences that few reference rows have: of 95 % "
        "intervals 80 to 89 % held the value then, 89 to 95 % elsewhere.",
        "Importance weights undo a shift of inputs alone, and only where the reference holds examples like the target's.",
        "The reference must not be what the model was fitted on: there it is too right and too sure.",
    )
    options: Mapping[str, Option] = {
        "reference": Option(None, "labelled examples, other than those that the model was fitted on", variable=True),
        "train": Option(
            None, "labelled examples that a head is fitted on, of a model that gives vectors", variable=True
        ),
        "weights": Option(
            "auto",
            "importance weights: a column weight, else of vectors where they are at hand",
            ("auto", "vectors", "none"),
        ),
        "draws": Option(500, "bootstrap draws of both sets behind each interval", limits=(20, 100_000)),
    }
    view = View(
        value="confidence",
        title="Confidence",
        outcome="correct",
        rate="Accuracy",
        outcomes=("right", "wrong"),
        slices=("set",),
        columns=(
            ("text", "Example", "text"),
            ("label", "Label", "text"),
            ("predicted", "Predicted", "text"),
            ("confidence", "Confidence", "number"),
            ("correct", "Correct", "hit"),
        ),
    )

    def score(self, model: Any, examples: "Examples", options: Mapping[str, Any], *, monitor: Monitor) -> Scored:
        """Return the rows of the reference and of the target."""
        return ways.rows_of(model, examples, options, monitor=monitor)

    def summarise(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, by: tuple[str, ...] = (), seed: int = 0
    ) -> "pd.DataFrame":
        """Return the estimates of the target and of each of its slices, all from the whole reference, and the truth beside."""
        from workbench.stats.intervals import proportion

        source = rows[(rows["set"] == ways.REFERENCE) & rows["confidence"].notna() & rows["correct"].notna()]
        target = rows[rows["set"] == ways.TARGET]
        found = []
        if len(source):
            right = proportion(source["correct"].to_numpy(float), clusters=clusters_of(source))
            found.append(Metric("reference_accuracy", OVERALL, *right))
        for group, members in groups_of(target, tuple(name for name in by if name not in ways.SHOWN)):
            lines = _estimates(source, target[members], options["draws"], seed)
            found += [Metric(name, group, *one) for name, one in lines.items()]
        return metrics_frame(found)

    def tables(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, seed: int = 0
    ) -> Mapping[str, "pd.DataFrame"]:
        """Return nothing: every number is a metric."""
        del rows, options, seed
        return {}

    def charts(
        self, metrics: "pd.DataFrame", tables: Mapping[str, "pd.DataFrame"], options: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return the estimates beside the truth, and the accuracy and each estimate by slice."""
        from workbench.charts.metrics import metric_bars, metric_title

        del tables, options
        whole = metrics[(metrics["group"] == OVERALL) & metrics["value"].notna()]
        mine = whole[whole["metric"].isin([*ESTIMATES, "reference_accuracy"])]
        if not len(mine):
            return {}
        names = [f"estimate={metric_title(name)}" for name in mine["metric"]]
        truth = whole[whole["metric"] == "accuracy"]
        charts = {"estimates": metric_bars(_stacked(mine.assign(metric="accuracy", group=names), truth), "accuracy")}
        sliced = metrics[(metrics["group"] != OVERALL) & metrics["value"].notna()]
        for name in ("accuracy", *ESTIMATES):
            if name in set(sliced["metric"]):
                charts[f"{name}_by_slice"] = metric_bars(metrics, name)
        return charts


PROBE = Unlabelled()


def _stacked(lines: "pd.DataFrame", truth: "pd.DataFrame") -> "pd.DataFrame":
    import pandas as pd

    return pd.concat([lines, truth], ignore_index=True)


def _estimates(source: "pd.DataFrame", target: "pd.DataFrame", draws: int, seed: int) -> "dict[str, Interval]":
    """Return the estimates of a target, and its accuracy and their errors where all of its answers have labels."""
    from workbench.stats.intervals import proportion
    from workbench.stats.unlabelled import Answers, Draws, estimates

    usable = target[target["confidence"].notna()]
    found: dict[str, Interval] = {}
    if len(usable) < len(target):
        found["scored"] = proportion(target["confidence"].notna().to_numpy(float), clusters=clusters_of(target))
    if not len(usable):
        return found
    labelled = bool(usable["correct"].notna().all())
    right = usable["correct"].to_numpy(float) if labelled else None
    if right is not None:
        found["accuracy"] = proportion(right, clusters=clusters_of(usable))
    if not len(source):
        return found
    weight = source["weight"].to_numpy(float)
    known = np.isfinite(weight).all() and weight.sum() > 0
    answers = [
        Answers(part["confidence"].to_numpy(float), hits, clusters_of(part))
        for part, hits in ((source, source["correct"].to_numpy(float)), (usable, right))
    ]
    made = estimates(*answers, weights=weight if known else None, draws=Draws(draws, seed))
    found.update({name: one.accuracy for name, one in made.items()})
    if labelled:
        found.update({f"{name}_error": one.error for name, one in made.items()})
    return found
