"""The probe `ood`: how usual the model finds each example, by several scores, and how well each score tells what is from elsewhere.

Rows have one line per example and score. Scores are higher the more an example looks like the reference; whether an example is
outside is read from a column, or from labels that the reference does not have. All metrics, tables and charts are functions of
these rows. How the model is asked stands in `_ood_scores`, how rows are made in `_ood_rows`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.frames import Metric, metrics_frame
from workbench.models.verbs import Monitor
from workbench.probes import _ood_rows as ways
from workbench.probes._ood_scores import SCORES
from workbench.probes._slices import clusters_of
from workbench.probes.protocol import Option, Scored, View

if TYPE_CHECKING:
    import pandas as pd

    from workbench.data.examples import Examples
    from workbench.stats.intervals import Interval

__all__ = ["PROBE", "Ood"]

BINS = 50  # of a histogram


class Ood:
    """The probe `ood`; its one instance is `PROBE`."""

    name = "ood"
    title = "Out of distribution"
    question = "Which examples does the model find unlike what it was fitted on, and does a score tell them apart?"
    why_not_again = "a score is against the reference that it was fitted on, which the report does not keep."
    asks = frozenset({"reference", "outside", "scores", "k", "principal", "check", "layer", "pooling"})
    headline = ("auroc", "fpr95", "aupr_in", "aupr_out", "flagged", "accuracy")
    parts = ("score",)  # whatever is measured is measured of each score
    sliced = ("auroc", "fpr95", "aupr_out", "kept", "let_through", "flagged")
    limits = (
        "A score ranks; its value has no scale of its own. A threshold holds for examples like those that it was set by.",
        "AUROC on one kind of outside examples says nothing about another kind: near topics are harder than far ones.",
        "A low score is not a wrong answer, and a high one no right answer: unusual inputs may be answered well.",
        "Average precision depends on how many of the examples are outside; do not compare it between sets.",
        "Scores of vectors and of a head fitted here belong to these vectors, this layer and this pooling.",
        "Perplexity is low for what is common, also when it is common elsewhere: short, frequent phrases look usual.",
    )
    options: Mapping[str, Option] = {
        "reference": Option(
            None, "in-distribution examples, with labels where there are some; scores are fitted on them", variable=True
        ),
        "outside": Option(
            "", "column that says which examples are out-of-distribution; else labels that the reference lacks"
        ),
        "scores": Option(
            ("msp", "energy", "relative_mahalanobis", "knn", "perplexity"),
            "which scores; those that do not fit are left out",
            SCORES,
        ),
        "k": Option(5, "the neighbour whose distance is the score knn", limits=(1, 10_000)),
        "principal": Option(
            128,
            "principal directions that vim leaves out; a third of the dimensions if there are fewer",
            limits=(1, 100_000),
        ),
        "check": Option(
            0.2,
            "share of the reference kept from the fit, for ranks where no example is known to be inside",
            limits=(0.0, 0.5),
        ),
        "layer": Option(-1, "hidden states of this layer, where the model gives vectors", limits=(-1000, 1000)),
        "pooling": Option("auto", "how a text's states become one vector", ("auto", "mean", "last", "first")),
    }
    view = View(
        value="rank",
        title="Rank among in-distribution examples (0: the least usual)",
        outcome="outside",
        rate="Out of distribution",
        outcomes=("outside", "inside"),
        slices=("score",),
        columns=(
            ("text", "Example", "text"),
            ("score", "Score", "text"),
            ("value", "Value", "number"),
            ("rank", "Rank", "number"),
            ("predicted", "Predicted", "text"),
            ("outside", "Known to be", "hit"),
        ),
    )

    def score(self, model: Any, examples: "Examples", options: Mapping[str, Any], *, monitor: Monitor) -> Scored:
        """Return one row per example and score."""
        return ways.rows_of(model, examples, options, monitor=monitor)

    def summarise(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, by: tuple[str, ...] = (), seed: int = 0
    ) -> "pd.DataFrame":
        """Return the metrics of each score, "score=msp", and of its slices, "score=msp & domain=law"."""
        del options, seed
        found: list[Metric] = []
        for name, part in rows.groupby("score", sort=False):
            usable = part[part["value"].notna()]
            found += [Metric(metric, f"score={name}", *one) for metric, one in _summary(usable, part).items()]
            for column in by:
                if column in ways.COLUMNS:
                    continue
                values = usable[column].astype(str).where(usable[column].notna(), "")
                for value in sorted(set(values) - {""}):
                    lines = _rates(usable[values == value]) | _told_apart(usable[values == value], sliced=True)
                    found += [Metric(metric, f"score={name} & {column}={value}", *one) for metric, one in lines.items()]
        right = rows.drop_duplicates("example")
        right = right[right["correct"].notna()]
        if len(right):
            from workbench.stats.intervals import proportion

            share = proportion(right["correct"].to_numpy(float), clusters=clusters_of(right))
            found.append(Metric("accuracy", "all", *share))
        return metrics_frame(found)

    def tables(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, seed: int = 0
    ) -> Mapping[str, "pd.DataFrame"]:
        """Return `bins` (histograms of each score), `roc` (curves) and `thresholds` (that keep 95 %), by score."""
        import pandas as pd

        del options, seed
        bins, curves, thresholds = [], [], []
        for name, part in rows.groupby("score", sort=False):
            usable = part[part["value"].notna()]
            if not len(usable):
                continue
            bins.append(_bins(usable).assign(score=name))
            known = usable[usable["outside"].notna()]
            limit = _threshold(usable)
            if limit == limit:
                thresholds.append({"score": name, "threshold": limit})
            if known["outside"].nunique() == 2:
                from workbench.stats.ood_metrics import roc

                curve = roc(known["value"].to_numpy(float), known["outside"].to_numpy(float), points=200)
                curves.append(pd.DataFrame(curve._asdict()).assign(score=name))
        tables = {"bins": pd.concat(bins, ignore_index=True)} if bins else {}
        tables.update({"roc": pd.concat(curves, ignore_index=True)} if curves else {})
        return {**tables, "thresholds": pd.DataFrame(thresholds)} if thresholds else tables

    def charts(
        self, metrics: "pd.DataFrame", tables: Mapping[str, "pd.DataFrame"], options: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return AUROC and FPR95 by score, the ROC curves, and the histogram of each score."""
        from workbench.charts import ood
        from workbench.charts.metrics import metric_bars

        del options
        whole = metrics[~metrics["group"].str.contains(" & ", regex=False)]
        known = set(whole[whole["value"].notna()]["metric"])
        charts: dict[str, Any] = {}
        for metric, reference in (("auroc", 0.5), ("fpr95", None), ("flagged", None)):
            if metric in known:
                lines = whole[whole["metric"] == metric]
                charts[metric] = metric_bars(lines, metric, reference=reference, meaning="a score that tells nothing")
        if "roc" in tables:
            charts["roc"] = ood.roc_curves(tables["roc"])
        if "bins" in tables:
            limits = tables.get("thresholds")
            known_limits = {} if limits is None else dict(zip(limits["score"], limits["threshold"], strict=True))
            for name, part in tables["bins"].groupby("score", sort=False):
                charts[f"histogram_{name}"] = ood.score_histogram(part, threshold=known_limits.get(name))
        return charts


PROBE = Ood()


def _summary(usable: "pd.DataFrame", part: "pd.DataFrame") -> "dict[str, Interval]":
    from workbench.stats.intervals import proportion

    found = _told_apart(usable, sliced=False) | _rates(usable)
    if len(usable) < len(part):
        found["scored"] = proportion(part["value"].notna().to_numpy(float), clusters=clusters_of(part))
    return found


def _told_apart(usable: "pd.DataFrame", *, sliced: bool) -> "dict[str, Interval]":
    """Return AUROC, both average precisions and FPR95, of rows of which it is known whether they are outside."""
    from workbench.stats.ood_metrics import detection

    known = usable[usable["outside"].notna()]
    if not len(known) or (sliced and known["outside"].nunique() < 2):
        return {}
    found = detection(known["value"].to_numpy(float), known["outside"].to_numpy(float), clusters=clusters_of(known))
    return dict(found._asdict())


def _rates(usable: "pd.DataFrame") -> "dict[str, Interval]":
    """Return the shares at the threshold that was set when the rows were made: of inside, outside and unknown rows."""
    from workbench.stats.intervals import proportion

    found = {}
    placed = usable[usable["kept"].notna()]
    for name, part, value in (
        ("kept", placed[placed["outside"] == 0], 1.0),
        ("let_through", placed[placed["outside"] == 1], 1.0),
        ("flagged", placed[placed["outside"].isna()], 0.0),
    ):
        if len(part):
            found[name] = proportion((part["kept"] == value).to_numpy(float), clusters=clusters_of(part))
    return found


def _threshold(usable: "pd.DataFrame") -> float:
    """Return the smallest value that is kept at the threshold, NaN where none is known."""
    kept = usable[usable["kept"] == 1]["value"]
    return float(kept.min()) if len(kept) else float("nan")


def _bins(usable: "pd.DataFrame") -> "pd.DataFrame":
    """Return the histogram of inside, outside and unknown rows: lower, upper, kind, n, share of its kind."""
    import pandas as pd

    values = usable["value"].to_numpy(float)
    low, high = np.quantile(values, [0.005, 0.995])
    span = (low, high) if high > low else (low - 0.5, low + 0.5)
    edges = np.linspace(*span, BINS + 1)
    kinds = usable["outside"].map({0.0: "inside", 1.0: "outside"}).fillna("unknown").to_numpy()
    parts = []
    for kind in ("inside", "outside", "unknown"):
        mine = np.clip(values[kinds == kind], *span)
        if len(mine):
            n = np.histogram(mine, edges)[0]
            parts.append(
                pd.DataFrame({"lower": edges[:-1], "upper": edges[1:], "kind": kind, "n": n, "share": n / len(mine)})
            )
    return pd.concat(parts, ignore_index=True)
