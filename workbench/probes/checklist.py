"""The probe `checklist`: tests of what a classifier should be able to do, each with the share of its cases that fail.

Three types of test (Ribeiro et al. 2020): minimum functionality (MFT: simple texts and the class that they should get), invariance
(INV: a change of no weight, and the prediction should stay) and direction (DIR: a change that should move it one way).
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workbench.models.verbs import Monitor
from workbench.probes import _checklist_metrics, _checklist_rows
from workbench.probes._slices import OVERALL
from workbench.probes.protocol import Option, Scored, View

if TYPE_CHECKING:
    import pandas as pd

    from workbench.data.examples import Examples

__all__ = ["PROBE", "Checklist"]

MOST = 30  # tests in a chart


class Checklist:
    """The probe `checklist`; its one instance is `PROBE`."""

    name = "checklist"
    title = "CheckList"
    question = "Which simple tests of what a classifier should be able to do does the model fail?"
    why_not_again = (
        "a text is judged beside its whole case and by the classes of the whole suite, which a row does not keep."
    )
    asks = frozenset({"labels", "neutral", "tolerance"})
    headline = tuple(_checklist_metrics.RATES.values())
    sliced = headline
    limits = (
        "The cases of a test come from a few templates and are alike: its interval is about further cases of these templates, and "
        "says nothing of other texts.",
        "Rates of different tests are not to be averaged into a grade: tests differ in difficulty and in how many there are.",
        "A case of many perturbed texts fails if one of them does, so that tests with more texts a case fail more; "
        "`text_failure_rate` counts texts.",
        "Perturbations made by word lists or a model are now and then not harmless: read some failures before you count them.",
        "Passing says that these failures are absent, not that the model understands.",
    )
    options: Mapping[str, Option] = {
        "tolerance": Option(
            0.1,
            "change of probability that INV and DIR tests put up with, as the authors' suites do",
            limits=(0.0, 1.0),
        ),
        "labels": Option({}, "what the model's classes are called in the tests, as in {'LABEL_0': 'negative'}"),
        "neutral": Option(
            1 / 3,
            "where the tests have a class neutral and the model does not: width of the band of p(positive) around one half that "
            "counts as neutral; 0 for none",
            limits=(0.0, 1.0),
        ),
    }
    view = View(
        value="confidence",
        title="Probability of the predicted class",
        outcome="failed",
        rate="Fails",
        outcomes=("fails", "passes"),
        columns=(
            ("test", "Test", "text"),
            ("original", "Original", "text"),
            ("text", "Text", "text"),
            ("expectation", "Expectation", "text"),
            ("expected", "Class", "text"),
            ("predicted", "Predicted", "text"),
            ("confidence", "Probability", "number"),
            ("change", "Change", "number"),
            ("failed", "Result", "hit"),
        ),
    )

    def score(self, model: Any, examples: "Examples", options: Mapping[str, Any], *, monitor: Monitor) -> Scored:
        """Return a row for each text: the prediction, and whether it fails what is expected of it."""
        return _checklist_rows.score(model, examples, options, monitor=monitor)

    def from_predictions(
        self, frame: Any, *, columns: Mapping[str, Any], by: Sequence[str], options: Mapping[str, Any]
    ) -> Scored:
        """Return the rows of class probabilities that were made elsewhere."""
        return _checklist_rows.rows_of(frame, columns=columns, by=by, options=options)

    def summarise(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, by: tuple[str, ...] = (), seed: int = 0
    ) -> "pd.DataFrame":
        """Return the failure rates of MFT, INV and DIR cases overall, by slice, by capability and by test."""
        del options, seed
        return _checklist_metrics.summarise(rows, by)

    def tables(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, seed: int = 0
    ) -> Mapping[str, "pd.DataFrame"]:
        """Return `tests`: a line for each test, the worst of each type first."""
        del options, seed
        return {"tests": _checklist_metrics.tests(rows)}

    def charts(
        self, metrics: "pd.DataFrame", tables: Mapping[str, "pd.DataFrame"], options: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return forest plots of the failure rate by capability and by test, one for each type."""
        del tables, options
        from workbench.charts.metrics import metric_bars

        charts = {}
        for kind, metric in _checklist_metrics.RATES.items():
            mine = metrics[metrics["metric"].eq(metric) & metrics["value"].notna()]
            for part in ("test", "capability"):
                lines = mine[mine["group"].str.startswith(f"{part}=")]
                kept = lines.nlargest(MOST, "value")
                if len(kept):
                    drawn = metric_bars(mine[mine["group"].eq(OVERALL) | mine.index.isin(kept.index)], metric)
                    more = f" Of {len(lines)} tests the {MOST} that fail most." if len(kept) < len(lines) else ""
                    charts[f"{kind.lower()}_by_{part}"] = drawn.properties(description=f"{drawn.description}{more}")
        return charts


PROBE = Checklist()
