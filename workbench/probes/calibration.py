"""The calibration probe: whether the model is right as often as it says.

Rows hold a confidence and whether it was right, whatever gave them: the likelihood of an answer, a class probability, the next
token, a number that the model wrote, or predictions made elsewhere. All metrics, tables and charts are functions of these rows.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import UsageError
from workbench.frames import Metric, metrics_frame
from workbench.models.verbs import Monitor
from workbench.probes import _calibration_rows as ways
from workbench.probes._calibration_again import examples_again
from workbench.probes._calibration_read import rows_of
from workbench.probes._prompts import SCORINGS
from workbench.probes._recalibrate import CALIBRATORS, conformal_table, recalibration_table
from workbench.probes._slices import OVERALL, clusters_of, groups_of
from workbench.probes.protocol import Again, Option, Scored, View

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from workbench.data.examples import Examples
    from workbench.stats.intervals import Interval

__all__ = ["PROBE", "Calibration", "probabilities_of"]

ANSWERS = {"choice": ways.choice_rows, "class": ways.class_rows, "token": ways.token_rows, "stated": ways.stated_rows}
RIGHT = View(  # of rows without a confidence
    value="correct",
    title="Right (1) or wrong (0)",
    outcome="correct",
    rate="Accuracy",
    outcomes=("right", "wrong"),
    columns=(
        ("text", "Example", "text"),
        ("label", "Label", "text"),
        ("predicted", "Predicted", "text"),
        ("correct", "Correct", "hit"),
    ),
)
KIND_OF = {"choice": "choice", "class": "class", "text": "token"}  # what kind of examples is asked how, by default


class Calibration:
    """The probe `calibration`; its one instance is `PROBE`."""

    name = "calibration"
    title = "Calibration"
    question = "When the model states a confidence, how often is it right?"
    headline = (
        *("accuracy", "accuracy_of_all", "mean_confidence", "confidence_gap", "ece", "l2_debiased"),
        *("smooth_ece", "brier", "nll", "auroc", "aurc"),
    )
    sliced = ("accuracy", "mean_confidence", "confidence_gap", "ece", "smooth_ece", "auroc")
    asks = frozenset({"answer", "scoring", "chat", "max_rows"})  # options that change what the model is asked
    texts = ("text",)  # columns of a row that can be changed and asked again
    limits = (
        "Binned ECE and MCE are biased upwards in small samples: read them against their null band, and beside the debiased L2 "
        "and smooth ECE.",
        "A null band that holds the value does not show calibration: with few examples a real miscalibration stays hidden.",
        "Slices are a search: with twenty of them, one 95 % interval is expected to miss by chance. Hold out a half "
        "(holdout=0.5) for what you want to claim.",
        "With fewer than about 30 clusters, or hardly any errors, intervals tend to be too narrow.",
        "The confidence of a multiple-choice answer is a softmax over the answers offered; other wordings give other numbers.",
    )
    options: Mapping[str, Option] = {
        "answer": Option("auto", "how the model answers; auto looks at the examples", ("auto", *ANSWERS)),
        "scoring": Option(
            "raw", "likelihood of an answer's text (sum, per token, per character) or its letter", SCORINGS
        ),
        "bins": Option(15, "number of confidence bins", limits=(1, 1000)),
        "scheme": Option("width", "bins of equal width, or of equal mass", ("width", "mass")),
        "draws": Option(1000, "random draws behind null bands and bootstraps", limits=(20, 100_000)),
        "recalibrate": Option((), "calibrators to fit out of fold and compare", CALIBRATORS),
        "conformal": Option((), "conformal scores for prediction sets", ("lac", "aps", "raps")),
        "alpha": Option(0.1, "prediction sets miss at most this share", limits=(0.001, 0.999)),
        "cross_check": Option(False, "compute ECE and its kin with netcal too, and show both", (False, True)),
        "chat": Option(False, "ask stated confidence through the chat template", (False, True)),
        "max_rows": Option(200_000, "at most so many rows of next tokens", limits=(1, 10_000_000)),
    }

    def score(self, model: Any, examples: "Examples", options: Mapping[str, Any], *, monitor: Monitor) -> Scored:
        """Return the rows: one per example, or per token for next tokens."""
        ways.check_slices(examples.slices)
        answer = options["answer"]
        if answer == "auto":
            answer = KIND_OF[examples.kind]
            if answer == "token" and "score" not in model.verbs:
                raise UsageError(f"The examples {examples.name!r} have no labels; name their column with label=.")
        return ANSWERS[answer](model, examples, options, monitor=monitor)

    def again(self, rows: "pd.DataFrame", options: Mapping[str, Any], data: Mapping[str, Any]) -> Again:
        """Return the example that gave a row, so that it can be asked again; rows of tokens keep no whole text."""
        return Again(examples_again(rows, options, data))

    def from_predictions(self, frame: Any, *, columns: Mapping[str, Any], by: Sequence[str]) -> Scored:
        """Return the rows of predictions that were made elsewhere."""
        return rows_of(frame, columns=columns, by=by)

    def view(self, rows: "pd.DataFrame", options: Mapping[str, Any]) -> View | None:
        """Return None, for a confidence and an outcome are the explorer's own, or how rows without a confidence are shown."""
        del options
        return RIGHT if _unstated(rows) else None

    def summarise(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, by: tuple[str, ...] = (), seed: int = 0
    ) -> "pd.DataFrame":
        """Return every calibration metric of any rows, overall ("all") and by slice ("domain=history").

        Rows without a confidence or an outcome are left out of the metrics and counted in `scored`, the share that has both.
        Where some of them are known to be right or wrong, `accuracy_of_all` is over these too.
        """
        from workbench.stats.intervals import proportion

        if _unstated(rows):
            return metrics_frame(_accuracies(rows, by))
        usable = _usable(rows)
        metrics: list[Metric] = []
        for group, member in groups_of(rows, by):
            some = member & usable
            if not member.any() and group != OVERALL:
                continue
            scored = (
                proportion(usable[member].astype(float), clusters=clusters_of(rows[member])) if member.any() else None
            )
            if scored is not None and not usable[member].all():
                metrics.append(Metric("scored", group, *scored))
            found = _summary(rows[some], options, seed)
            metrics += [Metric(name, group, *interval) for name, interval in found.items()]
            metrics += _of_all(rows[member], group)
        return metrics_frame(metrics)

    def per_row(self, rows: "pd.DataFrame", options: Mapping[str, Any]) -> "Mapping[str, NDArray[np.float64]]":
        """Return the numbers (n,) whose mean is a metric, NaN where a row is not in it."""
        del options
        confidence, correct = rows["confidence"].to_numpy(float), rows["correct"].to_numpy(float)
        if _unstated(rows):
            return {"accuracy": correct}
        usable = _usable(rows)
        numbers = {"accuracy": correct, "mean_confidence": confidence, "confidence_gap": confidence - correct}
        numbers |= {name: rows[name].to_numpy(float) for name in ("nll", "brier")}
        return {**{k: np.where(usable, v, np.nan) for k, v in numbers.items()}, "scored": usable.astype(float)}

    def values(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, by: tuple[str, ...] = ()
    ) -> "Mapping[tuple[str, str], float]":
        """Return the values of the metrics that are no means over rows, by (metric, group), without their intervals."""
        from workbench.stats._values import values_of
        from workbench.stats.summary import Settings

        if _unstated(rows):
            return {}
        settings = Settings(bins=options["bins"], scheme=options["scheme"])
        confidence, correct = rows["confidence"].to_numpy(float), rows["correct"].to_numpy(float)
        usable, clusters = _usable(rows), rows["cluster"].to_numpy()
        together = clusters_of(rows) is not None
        found: dict[tuple[str, str], float] = {}
        for group, member in groups_of(rows, by):
            some = member & usable
            table, labels = probabilities_of(rows[some]) if together else (None, None)
            classes = None if table is None or labels is None else (table, labels)
            values = values_of(confidence[some], correct[some], clusters[some], settings, classes)
            found |= {(name, group): value for name, value in values.items()}
        return found

    def tables(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, seed: int = 0
    ) -> Mapping[str, "pd.DataFrame"]:
        """Return `bins` and `risk_coverage`; `netcal`, `recalibration` and `conformal` where the options ask for them."""
        import pandas as pd

        from workbench.stats import calibration, clustered, ranking
        from workbench.stats.summary import Settings

        usable = rows[_usable(rows)]
        if not len(usable):
            return {}
        confidence, correct = usable["confidence"].to_numpy(float), usable["correct"].to_numpy(float)
        settings = {"bins": options["bins"], "scheme": options["scheme"], "draws": options["draws"], "seed": seed}
        together = clusters_of(usable)
        if together is None:
            bins = calibration.bin_table(confidence, correct, **settings)
        else:
            bins = clustered.bin_table(confidence, correct, together, settings=Settings(**settings))
        curve = ranking.risk_coverage(confidence, correct, clusters=together)
        tables = {
            "bins": pd.DataFrame(bins.columns()).assign(group=OVERALL),
            "risk_coverage": pd.DataFrame(curve.columns()).assign(group=OVERALL),
        }
        if options["cross_check"]:
            tables["netcal"] = _cross_check(confidence, correct, options["bins"])
        if options["recalibrate"]:
            tables["recalibration"] = recalibration_table(usable, _several(options["recalibrate"]), options, seed=seed)
        if options["conformal"]:
            tables["conformal"] = conformal_table(usable, _several(options["conformal"]), options["alpha"], seed=seed)
        return tables

    def charts(
        self, metrics: "pd.DataFrame", tables: Mapping[str, "pd.DataFrame"], options: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return the reliability diagram, the histogram of confidences, the risk-coverage curve, and metrics by slice."""
        from workbench.charts import calibration
        from workbench.charts import metrics as bars

        del options
        if "bins" not in tables:
            sliced = len(metrics) and metrics["group"].nunique() > 1
            return {"accuracy_by_slice": bars.metric_bars(metrics, "accuracy")} if sliced else {}
        charts = {
            "reliability": calibration.reliability(tables["bins"]),
            "confidence_histogram": calibration.confidence_histogram(tables["bins"]),
            "risk_coverage": calibration.risk_coverage(tables["risk_coverage"]),
        }
        if metrics["group"].nunique() > 1:
            charts["accuracy_by_slice"] = bars.metric_bars(metrics, "accuracy")
            charts["confidence_gap_by_slice"] = bars.metric_bars(metrics, "confidence_gap")
            charts["ece_by_slice"] = bars.metric_bars(metrics, "ece")
        return charts


PROBE = Calibration()


def _unstated(rows: "pd.DataFrame") -> bool:
    """Return whether rows are known to be right or wrong, and none was asked for a confidence."""
    asked = "stated" in rows or not len(rows)
    return bool(not asked and rows["confidence"].isna().all() and rows["correct"].notna().any())


def _of_all(rows: "pd.DataFrame", group: str) -> list[Metric]:
    """Return the accuracy of the rows with and without a confidence, none where all have one or a confidence was asked for."""
    from workbench.stats.intervals import proportion

    known = rows[rows["correct"].notna()]
    if "stated" in rows or not known["confidence"].isna().any():
        return []
    hits = known["correct"].to_numpy(float)
    return [Metric("accuracy_of_all", group, *proportion(hits, clusters=clusters_of(known)))]


def _accuracies(rows: "pd.DataFrame", by: tuple[str, ...]) -> list[Metric]:
    """Return the accuracy of rows without a confidence, overall and by slice."""
    from workbench.stats.intervals import proportion

    known = rows[rows["correct"].notna()]
    parts = [(group, known[member]) for group, member in groups_of(known, by)]
    return [
        Metric("accuracy", group, *proportion(part["correct"].to_numpy(float), clusters=clusters_of(part)))
        for group, part in parts
        if len(part) or group == OVERALL
    ]


def _usable(rows: "pd.DataFrame") -> np.ndarray:
    """Return which rows have both a confidence and an outcome, (n,) bool."""
    return np.asarray((rows["confidence"].notna() & rows["correct"].notna()).to_numpy(dtype=bool))


def _summary(rows: "pd.DataFrame", options: Mapping[str, Any], seed: int) -> "dict[str, Interval]":
    from workbench.stats.summary import Extras, Settings, summary

    settings = Settings(bins=options["bins"], scheme=options["scheme"], draws=options["draws"], seed=seed)
    probabilities, labels = probabilities_of(rows)
    extras = Extras(
        nll=_column(rows, "nll"),
        brier=_column(rows, "brier"),
        probabilities=probabilities,
        labels=labels,
        clusters=clusters_of(rows),
    )
    return summary(
        rows["confidence"].to_numpy(float), rows["correct"].to_numpy(float), extras=extras, settings=settings
    )


def probabilities_of(rows: "pd.DataFrame") -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return probabilities (n, K) and labels (n,) of rows whose classes mean the same in all of them, else (None, None).

    Multiple choice is left out: the first answer of one question has nothing to do with the first of another, so that a
    class-wise error would be one of positions.
    """
    from workbench.probes._prompts import softmax

    if not len(rows) or rows["logits"].isna().any() or (rows["label_index"] < 0).any():
        return None, None
    first = list(rows["choices"].iloc[0])
    if any(list(few) != first for few in rows["choices"]):
        return None, None
    logits = np.asarray([list(row) for row in rows["logits"]], dtype=np.float64)
    return softmax(logits), rows["label_index"].to_numpy(int)


def _cross_check(confidence: np.ndarray, correct: np.ndarray, bins: int) -> "pd.DataFrame":
    """Return our value and netcal's of each metric that both have, and the reason where netcal gives none."""
    import pandas as pd

    from workbench.stats.recalibration import cross_check

    found = cross_check(confidence, correct, bins)
    return pd.DataFrame([{"metric": name, **line._asdict()} for name, line in found.items()])


def _column(rows: "pd.DataFrame", name: str) -> np.ndarray | None:
    """Return a column as floats, None unless every row has a number."""
    values = rows[name].to_numpy(float)
    return values if len(values) and np.isfinite(values).all() else None


def _several(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
