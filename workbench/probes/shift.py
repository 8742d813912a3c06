"""The probe `shift`: whether new examples come from the same distribution as a reference, without labels.

Rows hold the examples of both sets, with the vector that is compared and how typical each is of the new set, so that every test,
table and chart is a function of any of these rows. What is compared stands in `_shift_features`, the tests in `_shift_tests`.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workbench.frames import metrics_frame
from workbench.models.verbs import Monitor
from workbench.probes._shift_features import WAYS
from workbench.probes._shift_metrics import metrics_of_shift, tables_of_shift
from workbench.probes._shift_rows import rows_of
from workbench.probes._shift_tests import TESTS, chosen_test
from workbench.probes.protocol import Option, Scored, View

if TYPE_CHECKING:
    import pandas as pd

    from workbench.data.examples import Examples

__all__ = ["PROBE", "Shift"]


class Shift:
    """The probe `shift`; its one instance is `PROBE`."""

    name = "shift"
    title = "Shift"
    question = "Do these examples come from the same distribution as the reference?"
    why_not_again = "its answer is about two sets of examples, and no text has one alone."
    without_model = True  # tokens and columns need none
    asks = frozenset({"reference", "split", "on", "test", "columns", "layer", "pooling", "width"})
    headline = (
        *("p_value", "mmd2", "mmd2_over_pairs", "energy_distance", "energy_distance_over_pairs", "auroc"),
        *("balanced_accuracy", "columns_shifted", "columns_shifted_bh", "condition_number"),
    )
    sliced = ("p_value", "p_value_bh", "mmd2", "ks_distance", "auroc", "label_weight")
    limits = (
        "A shift that is found need not cost accuracy, and one that costs accuracy may not be found: the test sees what the "
        "vectors or columns hold, and nothing else.",
        "A large p-value does not show that nothing moved: few rows, or a change in few of them, are missed.",
        "p-values suppose rows that are drawn independently. Authors, templates, sessions or days that share rows, and sets drawn "
        "in an order, make them too small or too large. Only mmd and energy deal whole clusters where cluster= names them.",
        "Columns, slices, representations and tests that you try are a search: read the corrected p-values, and confirm on rows "
        "that you have not seen (holdout=0.5).",
        "What a row contributes says what it looks like beside the two sets, not that it caused the shift.",
        "Label shift (bbse) supposes that each class still looks as it did. Where inputs moved too, its weights mean nothing.",
    )
    options: Mapping[str, Option] = {
        "reference": Option(
            None,
            "examples to compare with, a pack or set by name; with split= the value that marks them",
            variable=True,
        ),
        "split": Option(None, "column of the examples that tells the two sets apart"),
        "on": Option("embedding", "what is compared", WAYS),
        "test": Option("auto", "how: mmd for vectors, ks for columns and tokens where auto", TESTS),
        "columns": Option((), "columns to compare; all that both sets have where none is named"),
        "layer": Option(-1, "hidden states of this layer (on='hidden')", limits=(-1000, 1000)),
        "pooling": Option(
            "auto", "how a text's states become one vector (on='hidden')", ("auto", "mean", "last", "first")
        ),
        "method": Option(
            "auto",
            "of mmd and energy: sign flips where both sets have as many rows, else permutation",
            ("auto", "permutation", "sign flips"),
        ),
        "draws": Option(999, "permutations, sign flips or bootstrap draws", limits=(20, 1_000_000)),
        "width": Option(None, "of the RBF kernel; the median distance where it is not given", limits=(1e-12, 1e12)),
        "folds": Option(2, "of the classifier test", limits=(2, 50)),
        "retrain": Option(False, "fit the classifiers anew in each draw: slower, more power", (False, True)),
        "level": Option(0.05, "at which sets are called different", limits=(1e-9, 0.5)),
    }
    view = View(
        value="contribution",
        title="Typical of the new set, as the test reads each row",
        outcome="new",
        rate="From the new set",
        outcomes=("new", "reference"),
        columns=(
            ("text", "Example", "text"),
            ("new", "Set", "hit"),
            ("contribution", "Typical of new", "number"),
        ),
    )

    def score(self, model: Any, examples: "Examples", options: Mapping[str, Any], *, monitor: Monitor) -> Scored:
        """Return one row per example of either set."""
        chosen_test(options)
        return rows_of(model, examples, options, monitor)

    def from_predictions(
        self, frame: Any, *, columns: Mapping[str, Any], by: Sequence[str], options: Mapping[str, Any]
    ) -> Scored:
        """Return the rows of two tables of predictions: texts, columns or probabilities are compared, without a model."""
        from workbench.probes._shift_stored import stored_rows

        chosen_test(options)
        return stored_rows(frame, columns, by, options)

    def not_yet(self, rows: "pd.DataFrame") -> str:
        """Return why nothing can be said of part of a run."""
        del rows
        return "a test of the texts that are done would not be the test of all, for they come by length."

    def summarise(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, by: tuple[str, ...] = (), seed: int = 0
    ) -> "pd.DataFrame":
        """Return statistic and p-value of all rows and of each slice, and what is known of each column or class."""
        return metrics_frame(metrics_of_shift(rows, options, by=by, seed=seed) if len(rows) else [])

    def tables(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, seed: int = 0
    ) -> Mapping[str, "pd.DataFrame"]:
        """Return `tests` (with the finding as a sentence), `columns` or `weights`, and `contributions`."""
        return tables_of_shift(rows, options, seed=seed) if len(rows) else {}

    def says(self, metrics: "pd.DataFrame") -> tuple[str, ...]:
        """Return the finding of all rows as one sentence: test, level, statistic, p, draws, exact or approximate."""
        whole = metrics[(metrics["group"] == "all") & metrics["value"].notna()]
        said = whole.loc[whole["metric"].isin(["p_value", "condition_number"]), "method"].str.removeprefix(
            "no interval: "
        )
        return tuple(one for one in said if one.endswith("."))

    def charts(
        self, metrics: "pd.DataFrame", tables: Mapping[str, "pd.DataFrame"], options: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return the contributions of both sets, the distance of each column, the weight of each class, and p-values by slice."""
        from workbench.charts import shift as drawn
        from workbench.charts.metrics import metric_bars

        found: dict[str, Any] = {}
        known = set(metrics["metric"])
        if "ks_distance" in known:
            found["ks_distance_by_column"] = drawn.distances(metrics)
        if "label_weight" in known:
            found["label_weight_by_class"] = drawn.weights(metrics)
        if "contributions" in tables:
            found["contributions"] = drawn.contributions(tables["contributions"], chosen_test(options))
        sliced = metrics[(metrics["metric"] == "p_value") & metrics["group"].str.contains("=", regex=False)]
        if sliced["value"].notna().any():
            found["p_value_by_slice"] = metric_bars(metrics, "p_value", reference=options["level"], meaning="the level")
        return found


PROBE = Shift()
