"""The WinoBias probe: whether a pronoun's gender changes whom the model takes it to refer to.

Each sentence comes twice: with the pronoun that fits the stereotype of the occupation that is meant (pro), and with the other
(anti). A model without bias reads both alike. `_winobias_ask` makes the rows.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workbench.models.verbs import Monitor
from workbench.probes import _winobias_ask
from workbench.probes._slices import OVERALL, clusters_of, groups_of, metrics_of
from workbench.probes.protocol import Again, Option, Scored, View

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from workbench.data.examples import Examples
    from workbench.stats.intervals import Interval

__all__ = ["PROBE", "WinoBias"]


class WinoBias:
    """The probe `winobias`; its one instance is `PROBE`."""

    name = "winobias"
    title = "WinoBias"
    question = "Does the model resolve a pronoun better when its gender fits the stereotype of the occupation?"
    asks = frozenset({"reading"})
    headline = ("gap", "accuracy_pro", "accuracy_anti", "switched", "prefers_pro", "blind_accuracy")
    view = View(
        value="lean",
        title="Lean towards the stereotype (nats)",
        outcome="stereotype",
        rate="Sides with the stereotype",
        outcomes=("stereotype", "against it"),
        reference=0.5,
        columns=(
            ("text", "Sentence", "text"),
            ("variant", "Variant", "text"),
            ("entity", "Meant", "text"),
            ("answer", "Answer", "text"),
            ("correct", "Right", "hit"),
            ("lean", "Lean", "number"),
        ),
        terms="entity",
        measures=(("stereotype", "Stereotype", 0.5), ("correct", "Right", None)),
    )
    texts = ("text", "anti")  # columns of a row that can be changed and asked again
    limits = (
        "A gap needs a model that resolves pronouns: at accuracies near one half in both variants a gap of zero shows nothing.",
        "Type 1 needs knowledge of the world and type 2 only syntax: read their gaps apart, not the one over both.",
        "Forty occupations, American stereotypes, two genders; a model without a gap here may have one elsewhere.",
        "Intervals draw the sentences of two occupations together; that each occupation returns with many others is not in them.",
        "The likelihood of an occupation's name also holds how common the name is; it is the same in pro and anti.",
    )
    options: Mapping[str, Option] = {
        "reading": Option(
            "refers",
            "ask whom the pronoun refers to, compare the two pronouns in place, or put each occupation in its place",
            tuple(_winobias_ask.READINGS),
        ),
    }

    def score(self, model: Any, examples: "Examples", options: Mapping[str, Any], *, monitor: Monitor) -> Scored:
        """Return the rows: a pro and an anti one per example ("refers"), one per pair ("pronoun", "entity")."""
        return _winobias_ask.score(model, examples, options, monitor=monitor)

    def again(self, rows: "pd.DataFrame", options: Mapping[str, Any], data: Mapping[str, Any]) -> Again:
        """Return the sentence of a row, or both of a pair, so that they can be asked again."""
        return _winobias_ask.pair_again(rows, options, data)

    def summarise(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, by: tuple[str, ...] = (), seed: int = 0
    ) -> "pd.DataFrame":
        """Return accuracy of pro and anti, their gap and the share that switches, or those of the other readings."""
        del options, seed
        return metrics_of(rows, by, _summary)

    def per_row(self, rows: "pd.DataFrame", options: Mapping[str, Any]) -> "Mapping[str, NDArray[np.float64]]":
        """Return the numbers (n,) whose mean is a metric, NaN where a row is not in it; gap and switches stand at the pro row."""
        del options
        import numpy as np

        way, correct = rows["variant"].to_numpy(), rows["correct"].to_numpy(float)
        answers = {f"accuracy_{name}": np.where(way == name, correct, np.nan) for name in ("pro", "anti")}
        anti = rows[rows["variant"] == "anti"].set_index("example")["correct"]
        beside = rows["example"].map(anti).to_numpy(float) if len(anti) else np.full(len(rows), np.nan)
        gap = np.where(way == "pro", correct - beside, np.nan)
        stereotype = np.where(way == "pair", rows["stereotype"].to_numpy(float), np.nan)
        return {
            **answers,
            "blind_accuracy": np.where(way == "blind", correct, np.nan),
            "gap": gap,
            "switched": np.abs(gap),
            "prefers_pro": stereotype,
            "mean_lean": np.where(np.isnan(stereotype), np.nan, rows["lean"].to_numpy(float)),
        }

    def tables(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, seed: int = 0
    ) -> Mapping[str, "pd.DataFrame"]:
        """Return `answers`: how many pairs are right in both variants, in pro alone, in anti alone, in none."""
        del options, seed
        import pandas as pd

        pairs = _pairs(rows)
        if not len(pairs):
            return {}
        by = ("type",) if "type" in pairs.columns else ()
        lines = []
        for group, members in groups_of(pairs.assign(group=OVERALL), by):
            pro, anti = (pairs.loc[members, way].to_numpy(bool) for way in ("pro", "anti"))
            counts = {"both": pro & anti, "pro_only": pro & ~anti, "anti_only": ~pro & anti, "neither": ~pro & ~anti}
            lines.append({"group": group, "n": len(pro), **{name: int(hits.sum()) for name, hits in counts.items()}})
        return {"answers": pd.DataFrame(lines)}

    def charts(
        self, metrics: "pd.DataFrame", tables: Mapping[str, "pd.DataFrame"], options: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return forest plots of the gap, of both accuracies and of the share that switches, or of the other readings' rates."""
        del tables, options
        from workbench.charts.metrics import metric_bars

        drawn = ("gap", "accuracy_pro", "accuracy_anti", "switched", "prefers_pro", "blind_accuracy")
        return {f"{name}_by_slice": metric_bars(metrics, name) for name in drawn if name in set(metrics["metric"])}


PROBE = WinoBias()


def _pairs(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Return the pairs with an answer in both variants: columns pro and anti (1 where right), cluster, type if there is one."""
    some = rows[rows["variant"].isin(("pro", "anti")) & rows["correct"].notna()]
    wide = some.pivot(index="example", columns="variant", values="correct").reindex(columns=["pro", "anti"]).dropna()
    kept = [name for name in ("cluster", "type") if name in some.columns]
    return wide.join(some.drop_duplicates("example").set_index("example")[kept]).reset_index()


def _summary(rows: "pd.DataFrame") -> "dict[str, Interval]":
    """Return the metrics of any rows; which there are depends on the reading."""
    from workbench.stats.intervals import mean, proportion
    from workbench.stats.paired import share_difference

    found: dict[str, Interval] = {}
    variants = set(rows["variant"])
    outcome = "stereotype" if variants <= {"pair"} else "correct"
    if len(rows) and rows[outcome].isna().any():
        found["scored"] = proportion(rows[outcome].notna().astype(float), clusters=clusters_of(rows))
    for way in ("pro", "anti", "blind"):
        if way in variants:
            some = rows[(rows["variant"] == way) & rows["correct"].notna()]
            name = "blind_accuracy" if way == "blind" else f"accuracy_{way}"
            found[name] = proportion(some["correct"], clusters=clusters_of(some))
    if variants & {"pro", "anti"}:
        pairs = _pairs(rows)
        clusters = clusters_of(pairs)
        found["gap"] = share_difference(pairs["pro"], pairs["anti"], clusters=clusters)
        found["switched"] = proportion((pairs["pro"] != pairs["anti"]).astype(float), clusters=clusters)
    if "pair" in variants:
        some = rows[(rows["variant"] == "pair") & rows["stereotype"].notna()]
        found["prefers_pro"] = proportion(some["stereotype"], clusters=clusters_of(some))
        found["mean_lean"] = mean(some["lean"], clusters=clusters_of(some))
    return found
