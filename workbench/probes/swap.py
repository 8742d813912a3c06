"""The probe `swap`: whether a score changes where one identity term takes the place of another, all else being the same.

Rows hold an example as it is and each of its variants (`workbench.data.swaps`) with the scores of both, so that all metrics, tables
and charts are functions of any of the rows. Where examples have labels and the score is a class probability, the originals also
give subgroup, BPSN and BNSP AUC for each term that they hold.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workbench.data.swaps import AXES
from workbench.models.verbs import Monitor
from workbench.probes import _swap_metrics, _swap_rows
from workbench.probes._prompts import SCORINGS
from workbench.probes._slices import OVERALL
from workbench.probes._swap_again import swap_again
from workbench.probes._swap_ask import ASKS
from workbench.probes.protocol import Again, Option, Scored, View

if TYPE_CHECKING:
    import pandas as pd

    from workbench.data.examples import Examples

__all__ = ["PROBE", "Swap"]


class Swap:
    """The probe `swap`; its one instance is `PROBE`."""

    name = "swap"
    title = "Counterfactual swap"
    question = "If one identity term takes the place of another, does the model's answer change?"
    asks = frozenset({"axes", "terms", "ask", "positive", "answers", "prompt", "scoring", "most"})
    texts = ("text",)  # columns of a row that can be changed and asked again
    headline = ("ctf_gap", "signed_gap", "flip_rate", "has_term")
    sliced = ("signed_gap", "ctf_gap", "flip_rate", "subgroup_auc", "bpsn_auc", "bnsp_auc")
    limits = (
        "Only the terms of the lists are swapped, by rules of words: some variants are not quite the same sentence, and what "
        "else a sentence says of a group stays (a hijab, a church). Read some under `change`.",
        "Some differences are right: a sentence about a church is not about a mosque, and a fact may hold for one group only.",
        "A likelihood differs with how common a term is, in any model: a gap of likelihoods is no verdict on the group.",
        "A small gap shows that these terms do not matter in these sentences, not that the model treats people alike.",
        "A gap of a term is against whatever term stood there: compare terms in sentences that were made from templates.",
        "Terms are a search: read `p_holm` in the table `terms`, or hold out a half (holdout=0.5) for what you want to claim.",
    )
    options: Mapping[str, Option] = {
        "axes": Option(
            (), "built-in term lists to swap; none: all of them, or only yours where `terms` is given", AXES
        ),
        "terms": Option({}, "your own lists: a mapping from a name to terms, or to lists of forms"),
        "ask": Option("auto", "what the score is; auto looks at the model and the examples", ASKS),
        "positive": Option("", "the class, or the answer, whose probability is the score"),
        "answers": Option((), "answers to choose among after each text, the first of them the score's"),
        "prompt": Option("{text}", "how a text is put where `answers` are given"),
        "scoring": Option(
            "raw", "likelihood of an answer's text (sum, per token, per character) or its letter", SCORINGS
        ),
        "most": Option(
            20, "at most so many variants of an example on an axis, drawn by id; 0 swaps nothing", limits=(0, 1000)
        ),
        "draws": Option(2000, "random draws behind the p-values of terms", limits=(20, 100_000)),
    }
    view = View(
        value="value",
        title="Score of the variant minus that of the original",
        outcome="flipped",
        rate="Prediction flips",
        outcomes=("flipped", "same"),
        reference=0.0,
        columns=(
            ("change", "Change", "text"),
            ("original_score", "Original", "number"),
            ("score", "Variant", "number"),
            ("value", "Difference", "number"),
            ("flipped", "Flips", "hit"),
        ),
        terms="term",
        measures=(("value", "Difference", 0.0), ("flipped", "Flips", None)),
    )

    def score(self, model: Any, examples: "Examples", options: Mapping[str, Any], *, monitor: Monitor) -> Scored:
        """Return the rows: each example as it is (variant "") and one row for each exchange; the table `edits`."""
        return _swap_rows.score(model, examples, options, monitor=monitor)

    def again(self, rows: "pd.DataFrame", options: Mapping[str, Any], data: Mapping[str, Any]) -> Again:
        """Return the text of a row, and of a variant its original beside it; nothing is swapped anew."""
        return swap_again(rows, options, data)

    def from_predictions(
        self, frame: Any, *, columns: Mapping[str, Any], by: Sequence[str], options: Mapping[str, Any]
    ) -> Scored:
        """Return the rows of scores that were made elsewhere, for the areas under the curve of each term."""
        return _swap_rows.rows_of(frame, columns=columns, by=by, options=options)

    def summarise(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, by: tuple[str, ...] = (), seed: int = 0
    ) -> "pd.DataFrame":
        """Return gaps and flips overall, by slice, by axis and by term, and the AUCs of each term that the originals hold."""
        del options, seed
        return _swap_metrics.summarise(rows, by)

    def tables(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, seed: int = 0
    ) -> Mapping[str, "pd.DataFrame"]:
        """Return `terms`, ranked with Holm's correction, and `exchanges`, the mean difference of each pair of terms."""
        return {
            "terms": _swap_metrics.terms(rows, draws=int(options["draws"]), seed=seed),
            "exchanges": _swap_metrics.exchanges(rows),
        }

    def charts(
        self, metrics: "pd.DataFrame", tables: Mapping[str, "pd.DataFrame"], options: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return forest plots by term, axis and slice, and the heat map of exchanges of each axis of several terms."""
        del options
        from workbench.charts import how_to_read
        from workbench.charts.exchanges import exchange_map
        from workbench.charts.metrics import metric_bars

        term, axis = (metrics["group"].str.startswith(f"{name}=") for name in ("term", "axis"))
        overall = metrics["group"].eq(OVERALL)
        parts = {
            "signed_gap_by_term": ("signed_gap", term),
            "ctf_gap_by_axis": ("ctf_gap", axis | overall),
            "flip_rate_by_term": ("flip_rate", term),
            **{f"{name}_by_term": (name, term) for name in _swap_metrics.AREAS.values()},
        }
        if (~(term | axis | overall)).any():
            parts["ctf_gap_by_slice"] = ("ctf_gap", ~(term | axis))
        charts = {}
        for name, (metric, kept) in parts.items():
            lines = metrics[kept & metrics["metric"].eq(metric)]
            if lines["value"].notna().any():
                drawn = metric_bars(lines, metric, reference=0.0 if metric == "signed_gap" else None)
                charts[name] = drawn.properties(description=how_to_read("metric_bars"))
        for one, mine in tables["exchanges"].groupby("axis") if "exchanges" in tables else ():
            if mine["source"].nunique() > 1 and mine["term"].nunique() > 2:  # else it is the forest plot again
                charts[f"exchanges_{one}"] = exchange_map(mine)
        return charts


PROBE = Swap()
