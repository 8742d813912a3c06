"""The association probe: whether two sets of texts lie nearer to one set of attributes than to another (WEAT, SEAT).

Rows hold one text each; those of targets have the association s(w) and the cosines that it is made of, so that every metric,
table and chart is a function of any of these rows. How the vectors are made stands in `_association_rows`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workbench.models.verbs import Monitor
from workbench.probes._association_rows import rows_of
from workbench.probes._association_tables import summary_of, targets_of, tests_of
from workbench.probes._slices import metrics_of
from workbench.probes.protocol import Option, Scored, View

if TYPE_CHECKING:
    import pandas as pd

    from workbench.data.examples import Examples

__all__ = ["PROBE", "Association"]

PARTS = frozenset({"set", "category", "word", "cluster", "text"})  # a slice by these would hold one side of a test only


class Association:
    """The probe `association`; its one instance is `PROBE`."""

    name = "association"
    title = "Association"
    question = "Do the model's vectors put one set of words or sentences nearer to an attribute than another set?"
    why_not_again = "its answer is about sets of words against each other, and no word has one alone."
    asks = frozenset({"layer", "pooling", "vectors"})
    headline = ("effect_size", "p_value", "p_value_by_word", "mean_absolute_effect_size")
    sliced = ("effect_size", "p_value", "p_value_by_word")
    limits = (
        "A test that finds nothing does not show that there is nothing: it shows that these words, this layer and this pooling do "
        "not (May et al. 2019).",
        "An association of vectors is not what a model does with them, and hardly predicts it (Goldfarb-Tarrant et al. 2021).",
        "The effect size divides by the spread of the associations: it says how well two sets separate, not how far apart they "
        "are. Where all cosines are near 1 a large effect may rest on tiny differences: see mean_cosine in the tests.",
        "The published p-value of sentence tests takes the sentences of one word for independent, which they are not: read "
        "p_value_by_word.",
        "Names and word lists carry age, class, rarity and length beside what they stand for. Compare with other lists and "
        "layers; of many tests read p_holm.",
    )
    options: Mapping[str, Option] = {
        "layer": Option(-1, "hidden states of this layer: 0 is the embeddings, -1 the last", limits=(-1000, 1000)),
        "pooling": Option(
            "auto",
            "how a text's states become one vector; auto is a model's own way",
            ("auto", "mean", "last", "first"),
        ),
        "vectors": Option("hidden", "hidden states, or static input embeddings", ("hidden", "static")),
        "draws": Option(
            20_000, "splits drawn for a p-value where there are more; else all count", limits=(20, 1_000_000)
        ),
    }
    view = View(
        value="association",
        title="Association s(w): mean cosine with attr1 minus attr2",
        outcome="expected",
        rate="On the side of its set",
        outcomes=("as the test supposes", "the other way"),
        reference=0.5,
        columns=(
            ("text", "Text", "text"),
            ("category", "Set", "text"),
            ("association", "Association", "number"),
            ("expected", "Side", "hit"),
        ),
    )

    def score(self, model: Any, examples: "Examples", options: Mapping[str, Any], *, monitor: Monitor) -> Scored:
        """Return one row per text; texts of targets have their association."""
        return rows_of(model, examples, options, monitor)

    def not_yet(self, rows: "pd.DataFrame") -> str:
        """Return why nothing can be said of part of a run."""
        del rows
        return "an effect is of whole sets of words, and some are still to come."

    def summarise(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, by: tuple[str, ...] = (), seed: int = 0
    ) -> "pd.DataFrame":
        """Return effect size and p-values of each test; over several tests ("all") the mean size of the effects.

        Slices that would hold one side of a test only (set, category, word) are passed over.
        """
        several = ("test",) if rows["test"].nunique() > 1 else ()
        slices = tuple(
            name for name in dict.fromkeys((*several, *by)) if name not in PARTS and (several or name != "test")
        )
        return metrics_of(rows, slices, lambda some: summary_of(some, options, seed))

    def tables(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, seed: int = 0
    ) -> Mapping[str, "pd.DataFrame"]:
        """Return `tests` (one line per test, with Holm's correction) and `targets` (the association of each word)."""
        tests = tests_of(rows, options, seed)
        return {"tests": tests, "targets": targets_of(rows)} if len(tests) else {}

    def charts(
        self, metrics: "pd.DataFrame", tables: Mapping[str, "pd.DataFrame"], options: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return the effect sizes by test, and the association of each target word by set."""
        from workbench.charts import association

        del options
        if "tests" not in tables:
            return {}
        return {
            "effect_sizes": association.effect_sizes(metrics),
            "associations": association.target_dots(tables["targets"], tables["tests"]),
        }


PROBE = Association()
