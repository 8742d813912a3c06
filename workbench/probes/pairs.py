"""The probe of paired sentences: which of two sentences, alike but for the group that they name, the model finds likelier.

Rows hold both log-likelihoods of a pair, their difference, and whether the more stereotyping sentence is preferred; how the model
is asked stands in `_pairs_score`. All metrics, tables and charts are functions of these rows.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.models.verbs import Monitor
from workbench.probes import _pairs_score as ways
from workbench.probes._pairs_tables import COMPARED, bins_of, grid_of, tests_of
from workbench.probes._slices import clusters_of, metrics_of
from workbench.probes.protocol import Again, Option, Scored, View

if TYPE_CHECKING:
    import pandas as pd

    from workbench.data.examples import Examples
    from workbench.stats.intervals import Interval

__all__ = ["PROBE", "Pairs"]


class Pairs:
    """The probe `pairs`; its one instance is `PROBE`."""

    name = "pairs"
    title = "Paired sentences"
    question = (
        "Of two sentences that differ in the group they name, does the model find the more stereotyping one likelier?"
    )
    asks = frozenset({"other"})
    texts = ("text", "other")  # columns of a row that can be changed and asked again
    headline = ("prefers_more", "prefers_more_per_token", "mean_difference")
    limits = (
        "A likelihood is not a belief: rarer names and longer terms cost likelihood whatever the sentence says about them. Read "
        "the total beside the per-token preference; where they disagree, length speaks.",
        "A share near one half does not show fairness: opposite preferences of different groups cancel. Look at the slices.",
        "CrowS-Pairs is noisy: Blodgett et al. (2021) found unclear stereotypes, several changes at once and wrong grammar in many "
        "pairs. Read the sentences behind a number.",
        "Scores of masked and of causal models are different quantities; so are those on the 1,508 pairs and on the revised set "
        "that lm-evaluation-harness uses. Never compare across them.",
        "Intervals take pairs as independent unless the examples name a cluster; pairs made from one template need one.",
    )
    options: Mapping[str, Option] = {
        "other": Option("other", "column of the second, less stereotyping sentence"),
        "compare": Option(COMPARED, "column whose values are each tested against one half, with Holm's correction"),
    }
    view = View(
        value="difference",
        title="Log-likelihood of the more stereotyping sentence minus the other's (nats)",
        outcome="prefers_more",
        rate="Prefers the stereotype",
        outcomes=("more stereotyping", "less stereotyping"),
        reference=0.5,
        columns=(
            ("text", "More stereotyping", "text"),
            ("other", "Less stereotyping", "text"),
            ("difference", "Difference (nats)", "number"),
            ("prefers_more", "Prefers", "hit"),
        ),
    )

    def score(self, model: Any, examples: "Examples", options: Mapping[str, Any], *, monitor: Monitor) -> Scored:
        """Return one row per pair; a model that scores text is asked by log-likelihood, a masked one by filling tokens."""
        return ways.rows_of(model, ways.with_compared(examples, options["compare"]), options["other"], monitor=monitor)

    def again(self, rows: "pd.DataFrame", options: Mapping[str, Any], data: Mapping[str, Any]) -> Again:
        """Return the pair that gave a row, so that it can be asked again."""
        return Again(ways.pair_again(rows, options, data))

    def from_predictions(
        self, frame: Any, *, columns: Mapping[str, Any], by: Sequence[str], options: Mapping[str, Any]
    ) -> Scored:
        """Return the rows of scores that were stored elsewhere: text, other, logp, logp_other (nats); tokens, tokens_other."""
        compared = [] if options["compare"] == COMPARED and COMPARED not in frame else [options["compare"]]
        return ways.stored_rows(frame, columns, tuple(dict.fromkeys([*by, *compared])), options["other"])

    def summarise(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, by: tuple[str, ...] = (), seed: int = 0
    ) -> "pd.DataFrame":
        """Return the shares and mean differences of any rows, overall and by slice; pairs without a score are left out."""
        del options, seed
        return metrics_of(rows, tuple(name for name in by if name not in ("text", "other")), _summary)

    def per_row(self, rows: "pd.DataFrame", options: Mapping[str, Any]) -> Mapping[str, NDArray[np.float64]]:
        """Return the numbers (n,) whose mean is a metric, NaN where a row is not in it."""
        del options
        return _per_row(rows)

    def tables(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, seed: int = 0
    ) -> Mapping[str, "pd.DataFrame"]:
        """Return `differences` (a histogram), `scatter` (a grid of pairs) and, where there are groups to compare, `tests`."""
        usable = rows[rows["difference"].notna()]
        if not len(usable):
            return {}
        tables = {"differences": bins_of(usable)}
        counted = usable[usable["difference_per_token"].notna()]
        if len(counted):
            tables["scatter"] = grid_of(counted)
        tests = tests_of(usable, options["compare"], seed=seed)
        return tables if tests is None else {**tables, "tests": tests}

    def charts(
        self, metrics: "pd.DataFrame", tables: Mapping[str, "pd.DataFrame"], options: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return the preference by slice, the histogram of differences and the scatter of pairs."""
        from workbench.charts import pairs
        from workbench.charts.metrics import metric_bars

        del options
        if "differences" not in tables:
            return {}
        charts = {"preference": metric_bars(metrics, "prefers_more", reference=0.5, meaning="no preference")}
        if "prefers_more_per_token" in set(metrics["metric"]):
            charts["preference_per_token"] = metric_bars(
                metrics, "prefers_more_per_token", reference=0.5, meaning="no preference"
            )
        charts["differences"] = pairs.difference_histogram(tables["differences"])
        if "scatter" in tables:
            charts["scatter"] = pairs.pair_scatter(tables["scatter"])
        return charts


PROBE = Pairs()


def _summary(rows: "pd.DataFrame") -> "dict[str, Interval]":
    from workbench.stats.intervals import mean, proportion

    usable = (rows["difference"].notna()).to_numpy(bool)
    kept = rows[usable]
    difference, clusters = kept["difference"].to_numpy(float), clusters_of(kept)
    found = {"prefers_more": proportion((difference > 0).astype(float), clusters=clusters)}
    per_token = kept["difference_per_token"].to_numpy(float)
    counted = np.isfinite(per_token)  # not where stored scores came without the number of their tokens
    each = clusters_of(kept[counted])
    if set(kept["asked"]) != {ways.MASKED} and counted.any():  # of a masked model both shares are one
        found["prefers_more_per_token"] = proportion((per_token[counted] > 0).astype(float), clusters=each)
    for direction in ("stereo", "antistereo"):
        some = kept[(kept["direction"] == direction) & (difference != 0)] if "direction" in kept else kept[:0]
        if len(some):
            share = proportion((some["difference"].to_numpy(float) > 0).astype(float), clusters=clusters_of(some))
            found[f"prefers_more_{direction}"] = share._replace(method=f"{share.method}, ties left out")
    found["mean_difference"] = mean(difference, clusters=clusters)
    if counted.any():
        found["mean_difference_per_token"] = mean(per_token[counted], clusters=each)
    found["mean_absolute_difference"] = mean(np.abs(difference), clusters=clusters)
    found["ties"] = proportion((difference == 0).astype(float), clusters=clusters)
    if not usable.all():
        found["scored"] = proportion(usable.astype(float), clusters=clusters_of(rows))
    return found


def _per_row(rows: "pd.DataFrame") -> dict[str, NDArray[np.float64]]:
    difference = rows["difference"].to_numpy(float)
    per_token = rows["difference_per_token"].to_numpy(float)
    known = ~np.isnan(difference)
    counted = known & np.isfinite(per_token)
    found = {
        "prefers_more": np.where(known, difference > 0, np.nan),
        "prefers_more_per_token": np.where(counted, per_token > 0, np.nan),
        "mean_difference": difference,
        "mean_difference_per_token": np.where(counted, per_token, np.nan),
        "mean_absolute_difference": np.abs(difference),
        "ties": np.where(known, difference == 0, np.nan),
        "scored": known.astype(float),
    }
    for direction in ("stereo", "antistereo") if "direction" in rows else ():
        clear = known & (difference != 0) & (rows["direction"] == direction).to_numpy(bool)
        found[f"prefers_more_{direction}"] = np.where(clear, difference > 0, np.nan)
    return found
