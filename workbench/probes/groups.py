"""The groups probe: whether a predictor treats groups alike, by every rate that the field compares.

Rows hold a decision, its label and a score, whatever gave them: a classifier, the answers to questions, the rows of another
report, or predictions made elsewhere. Group metrics do not agree with each other; the charts show where they conflict.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workbench.errors import DataError
from workbench.frames import metrics_frame
from workbench.models.verbs import Monitor
from workbench.probes._groups_mitigate import mitigation_table
from workbench.probes._groups_rows import check_groups, rows_of
from workbench.probes._groups_summary import attributes_of, between_of, carried, metrics_of_groups, usable
from workbench.probes._prompts import SCORINGS
from workbench.probes._rows import need_verb
from workbench.probes._slices import clusters_of
from workbench.probes.protocol import Option, Scored, View

if TYPE_CHECKING:
    import pandas as pd

    from workbench.data.examples import Examples

__all__ = ["PROBE", "Groups"]

CONSTRAINTS = ("demographic_parity", "equalized_odds", "true_positive_rate_parity", "false_positive_rate_parity")
FORESTS = ("selection_rate", "accuracy", "tpr", "fpr", "fnr", "ppv", "npv", "base_rate")
GAPS = ("calibration_gap", "confidence_gap", "ece_mass")


class Groups:
    """The probe `groups`; its one instance is `PROBE`."""

    name = "groups"
    title = "Groups"
    question = "Does the model decide alike for different groups, and is it right as often?"
    why_not_again = (
        "its rows keep a decision and a score, not the classes or choices that were "
        "asked: ask a report of the probe 'calibration'."
    )
    asks = frozenset({"positive", "scoring"})  # options that the rows are made by
    headline = (
        "selection_rate",
        "accuracy",
        "demographic_parity_difference",
        "equalised_odds_difference",
        "accuracy_difference",
        "calibration_gap_difference",
        "confidence_gap_difference",
        "worst_group_accuracy",
    )
    sliced = ("selection_rate", "accuracy", "tpr", "fpr", "ppv", "ece_mass")
    view = View(
        value="score",
        title="Score (probability of the positive class, or confidence)",
        outcome="correct",
        rate="Accuracy",
        outcomes=("right", "wrong"),
        columns=(
            ("text", "Example", "text"),
            ("label", "Label", "text"),
            ("predicted", "Predicted", "text"),
            ("score", "Score", "number"),
            ("correct", "Correct", "hit"),
        ),
        truth="outcome",
    )
    limits = (
        "Parity of a rate is not fairness: where base rates differ, an imperfect predictor cannot have equal PPV, FPR and FNR in "
        "all groups, and which of them matters depends on what the decision does.",
        "Labels carry their own bias (arrests are not crimes): rates against biased labels are fair only to the labels.",
        "A difference between the largest and the smallest of several groups is above 0 for groups that are alike: read it against "
        "its null, and its interval as one that allows for all pairs.",
        "A null that holds the value does not show equal treatment: in small groups even a large difference stays hidden.",
        "Attributes and intersections are a search. Hold out a half (holdout=0.5) for what you want to claim.",
        "Thresholds by group use the group in the decision, which law forbids in places.",
    )
    options: Mapping[str, Option] = {
        "positive": Option(
            None, "the class whose rates are compared; one of two is chosen, and said, where none is named"
        ),
        "threshold": Option(None, "decide by score >= threshold, not by what was predicted", limits=(0.0, 1.0)),
        "intersections": Option(
            1, "cross up to so many slice columns: 2 gives pairs such as sex & race", limits=(1, 4)
        ),
        "interval": Option(
            "simultaneous",
            "of differences and ratios: for all pairs at once, or the plain percentile bootstrap",
            ("simultaneous", "percentile"),
        ),
        "bins": Option(15, "number of bins of equal mass behind the ECE", limits=(1, 1000)),
        "draws": Option(1000, "random draws behind bootstraps and nulls", limits=(20, 100_000)),
        "mitigate": Option((), "parity constraints that thresholds by group are fitted to, out of fold", CONSTRAINTS),
        "scoring": Option(
            "raw", "likelihood of an answer's text (sum, per token, per character) or its letter", SCORINGS
        ),
    }

    def score(self, model: Any, examples: "Examples", options: Mapping[str, Any], *, monitor: Monitor) -> Scored:
        """Return the rows: one per example, classified or answered."""
        from workbench.probes import _calibration_rows as ways

        frame = examples.frame
        check_groups(examples.slices, "group" in frame.columns and frame["group"].nunique() > 1)
        if options["mitigate"]:
            from workbench.stats._fairlearn import need_fairlearn

            need_fairlearn()
        if examples.kind == "choice":
            need_verb(model, "choose", "log-likelihoods of answers")
            given = ways.choice_rows(model, examples, options, monitor=monitor)
        elif examples.kind == "class":
            need_verb(model, "classify", "class probabilities")
            given = ways.class_rows(model, examples, options, monitor=monitor)
        else:
            raise DataError(f"The examples {examples.name!r} have no labels; name their column with label=.")
        if not len(given.rows):
            return given
        slices = [name for name in examples.slices if name in given.rows.columns]
        classes = examples.kind == "class"
        made = rows_of(given.rows, columns={}, by=slices, positive=options["positive"], classes=classes)
        return Scored(_checked(made.rows, options), {}, (*given.notes, *made.notes), missing=given.missing)

    def from_predictions(
        self, frame: Any, *, columns: Mapping[str, Any], by: Sequence[str], options: Mapping[str, Any]
    ) -> Scored:
        """Return the rows of predictions that were made elsewhere, or of another report."""
        made = rows_of(frame, columns=columns, by=by, positive=options["positive"])
        return Scored(_checked(made.rows, options), {}, made.notes)

    def summarise(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, by: tuple[str, ...] = (), seed: int = 0
    ) -> "pd.DataFrame":
        """Return the metrics of all rows ("all"), of each group ("sex=f"), and between the groups of a column ("sex")."""
        return metrics_frame(metrics_of_groups(rows, options, by=by, seed=seed) if len(rows) else [])

    def tables(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, seed: int = 0
    ) -> Mapping[str, "pd.DataFrame"]:
        """Return `between`, every difference and ratio with its null and its extremes, and `mitigation` where it is asked for."""
        import pandas as pd

        if not len(rows):
            return {}
        given, clusters = usable(rows, options), clusters_of(rows)
        lines = [
            {
                "attribute": attribute.name,
                "metric": name,
                **dict(zip(("value", "low", "high", "n", "method"), one.interval, strict=True)),
                **dict(zip(("null", "p", "lowest", "highest", "groups"), one[1:], strict=True)),
            }
            for attribute in attributes_of(rows, carried(rows), options["intersections"])
            for name, one in between_of(attribute, given, clusters, options, seed).items()
        ]
        tables = {"between": pd.DataFrame(lines)}
        wanted = options["mitigate"]
        if wanted:
            several = (wanted,) if isinstance(wanted, str) else tuple(wanted)
            tables["mitigation"] = mitigation_table(rows, several, options, seed=seed)
        return tables

    def charts(
        self, metrics: "pd.DataFrame", tables: Mapping[str, "pd.DataFrame"], options: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return PPV beside FPR, the differences beside their null, and a forest of each rate by group."""
        from workbench.charts import groups as drawn
        from workbench.charts import metrics as bars

        del options
        known = metrics[metrics["value"].notna()]
        sliced = known[known["group"].str.contains("=", regex=False)]
        charts: dict[str, Any] = {}
        if {"ppv", "fpr"} <= set(sliced["metric"]):
            first = sliced["group"].str.partition("=")[0].iloc[0]
            one = known[known["group"].str.startswith(f"{first}=") | (known["group"] == "all")]
            charts["rates_side_by_side"] = drawn.rates_side_by_side(one, ["base_rate", "ppv", "fpr"])
        between = tables.get("between")
        if between is not None and len(between) and _some(between):
            charts["differences_between_groups"] = drawn.differences_between_groups(between)
        for metric in (*FORESTS, *GAPS):
            if metric in set(sliced["metric"]):
                charts[f"{metric}_by_slice"] = bars.metric_bars(metrics, metric)
        return charts


PROBE = Groups()


def _checked(rows: "pd.DataFrame", options: Mapping[str, Any]) -> "pd.DataFrame":
    """Return the rows, or raise `DataError` where a threshold has no score to be compared with."""
    if options["threshold"] is not None and (rows["score"].isna().all() or rows["decision"].isna().all()):
        raise DataError(
            "threshold needs a score of the positive class; these rows have none. Name it with score='...'."
        )
    return rows


def _some(between: "pd.DataFrame") -> bool:
    """Return whether any difference has a value."""
    return bool((between["metric"].str.contains("difference", regex=False) & between["value"].notna()).any())
