"""The probe `slices`: where a model loses most, among all slices that a few columns of any report can name.

Rows are those of another report (or of a calibration of the model that is given), with a column for each slice that was found.
By default the search sees half of the clusters and the numbers are of the other half: what is chosen for being bad looks worse
than it is in the rows that it was chosen in.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import counted
from workbench.frames import Metric, metrics_frame
from workbench.models.verbs import Monitor
from workbench.probes import _slice_rows as ways
from workbench.probes._slices import clusters_of, groups_of
from workbench.probes.protocol import Option, Scored, View
from workbench.stats.slices import METHODS

if TYPE_CHECKING:
    import pandas as pd

    from workbench.data.examples import Examples
    from workbench.stats.intervals import Interval

__all__ = ["PROBE", "Slices"]

SAID = 3  # slices in the text of a report


class Slices:
    """The probe `slices`; its one instance is `PROBE`."""

    name = "slices"
    title = "Slices"
    question = "Where does the model lose most, and is it more than a search would find by chance?"
    why_not_again = "its rows are those of another report: explore that one."
    asks = frozenset({
        *("loss", "depth", "smallest", "top", "split", "method", "overlap", "bins", "draws", "topics", "embedder"),
    })  # fmt: skip
    searches = True  # it holds out rows of its own: the search would see those of another hold-out
    headline = (
        *("accuracy", "mean_loss", "accuracy_difference", "loss_difference"),
        *("worst_group_accuracy", "worst_group_loss"),
    )
    sliced = ("accuracy", "accuracy_difference", "mean_loss", "loss_difference")
    view = View(
        value="loss",
        title="Loss (1: wrong)",
        outcome="wrong",
        rate="Error rate",
        outcomes=("wrong", "right"),
        slices=ways.SLICES[:5],
        blank="(all others)",
        columns=(
            ("text", "Example", "text"),
            ("label", "Label", "text"),
            ("predicted", "Predicted", "text"),
            ("loss", "Loss", "number"),
            ("part", "Used to", "text"),
            *((name, f"Slice {at}", "text") for at, name in enumerate(ways.SLICES[:5], 1)),
        ),
    )
    limits = (
        "A slice is named for being bad. With split=0 its numbers are of the rows that it was found in, and look worse than they "
        "are; with a split they are of other rows, and honest for these slices, not for the worst there may be.",
        "The search knows the columns that it is given. A cause that no column names may show as a slice that is not its cause.",
        "Slices overlap: a bad one shows in those that hold it and in those that it holds. Half the rows in common, and only the "
        "first is named.",
        "p_family counts the slices of this search. Searching again with other columns, bins or depth is a further search.",
        "A slice that is not named need not be good: small ones are left out, and half the rows may be too few to see it.",
        "p_family is exact where no column has to do with the loss, and approximate for a slice that has not while others have.",
    )
    options: Mapping[str, Option] = {
        "loss": Option("", "column that is high where a row is bad; none: 1 - correct, else error, else value"),
        "depth": Option(2, "conditions that a slice may have", limits=(1, 4)),
        "smallest": Option(20, "clusters (rows where they are independent) that it must hold", limits=(2, 1_000_000)),
        "top": Option(5, "slices to name", limits=(1, ways.MOST)),
        "split": Option(
            0.5, "share of the clusters that the search does not see; 0: all are searched", limits=(0.0, 0.9)
        ),
        "method": Option("exhaustive", "what ranks the slices: deviations from chance, or SliceLine's score", METHODS),
        "overlap": Option(
            0.5, "a slice that shares more of its rows than this with one named before is not named", limits=(0.0, 1.0)
        ),
        "bins": Option(4, "bins of lengths and of numbers with many values", limits=(2, 100)),
        "draws": Option(999, "ways of dealing out the losses anew, behind p-values", limits=(20, 100_000)),
        "topics": Option(0, "groups of like texts (k-means) as a further column; 0: none", limits=(0, 1000)),
        "embedder": Option(None, "the model whose vectors make topics", variable=True),
    }

    def default_by(self, rows: "pd.DataFrame", by: Sequence[str]) -> tuple[str, ...]:
        """Return the columns to search in another report's rows where nobody names some."""
        return ways.searched(rows, by)

    def score(self, model: Any, examples: "Examples", options: Mapping[str, Any], *, monitor: Monitor) -> Scored:
        """Return the rows of a calibration of the model, with the slices found in them."""
        from workbench.probes.find import find, settle

        inner = find("calibration")
        given = inner.score(model, examples, settle(inner, {}), monitor=monitor)
        if not len(given.rows):
            return given
        by = [name for name in examples.slices if name in given.rows.columns]
        made = ways.rows_of(given.rows, {}, ways.searched(given.rows, by), options, monitor=monitor)
        return Scored(made.rows, made.tables, (*given.notes, *made.notes), missing=given.missing)

    def from_predictions(
        self, frame: Any, *, columns: Mapping[str, Any], by: Sequence[str], options: Mapping[str, Any]
    ) -> Scored:
        """Return the rows of another report, or of predictions made elsewhere, with the slices found in them."""
        return ways.rows_of(frame, columns, by, options)

    def summarise(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, by: tuple[str, ...] = (), seed: int = 0
    ) -> "pd.DataFrame":
        """Return the metrics of all rows, of each value of `by`, of the slices found ("slice=..."), and the worst by column."""
        del seed
        known = rows[rows["loss"].notna()]
        if not len(known):
            return metrics_frame([])
        name, difference, worst = _words(rows)
        found = [
            Metric(name, group, *_mean(known[members])) for group, members in groups_of(known, by) if members.any()
        ]
        kept = _estimated(known)
        for label, mine in _found(kept):
            found.append(Metric(name, f"slice={label}", *_mean(kept[mine])))
            found.append(Metric(difference, f"slice={label}", *_difference(kept, mine)))
        found += [Metric(worst, column, *one) for column, one in _worst(known, by, options)]
        return metrics_frame(found)

    def says(self, metrics: "pd.DataFrame") -> list[str]:
        """Return what was found of the first slices: their mean, and their difference to the rest with its interval."""
        said = []
        for kind, difference in (("accuracy", "accuracy_difference"), ("mean_loss", "loss_difference")):
            values = dict(metrics.loc[metrics["metric"] == kind, ["group", "value"]].to_numpy().tolist())
            for gap in metrics[metrics["metric"] == difference].to_dict("records"):
                name = str(gap["group"]).partition("=")[2]
                ends = "" if np.isnan(gap["low"]) else f" [{gap['low']:+.2f}, {gap['high']:+.2f}]"
                mean = f"{kind.replace('_', ' ')} {values[gap['group']]:.2f}"
                said.append(f"{name}: {mean}, {gap['value']:+.2f}{ends} against the rest, n = {gap['n']:,}.")
        return said[:SAID]

    def tables(
        self, rows: "pd.DataFrame", options: Mapping[str, Any], *, seed: int = 0
    ) -> Mapping[str, "pd.DataFrame"]:
        """Return `found`: each slice with its mean, the rest's, their difference, p and Holm's correction of it."""
        import pandas as pd

        from workbench.stats.significance import holm
        from workbench.stats.slices import slice_p_values

        kept = _estimated(rows[rows["loss"].notna()])
        slices = _found(kept)
        if not slices:
            return {}
        fresh = bool(len(kept)) and bool((kept["part"] == ways.KEPT).all())
        p = np.full(len(slices), np.nan)
        if fresh:
            members = np.stack([mine for _, mine in slices], axis=1)
            loss = kept["loss"].to_numpy(float)
            p = slice_p_values(members, loss, clusters=clusters_of(kept), draws=options["draws"], seed=seed)
        lines = []
        for label, mine in slices:
            one, rest, gap = _mean(kept[mine]), _mean(kept[~mine]), _difference(kept, mine)
            ends = (one.n, one.value, one.low, one.high, rest.value, gap.value, gap.low, gap.high)
            lines.append((label, *ends))
        names = ("slice", "n", "value", "low", "high", "rest", "difference", "difference_low", "difference_high")
        rows_are = "not seen by the search" if fresh else "the search's own: optimistic p is in the table search"
        return {"found": pd.DataFrame(lines, columns=list(names)).assign(p=p, p_holm=holm(p), rows=rows_are)}

    def charts(
        self, metrics: "pd.DataFrame", tables: Mapping[str, "pd.DataFrame"], options: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return the slices' differences to the rest, their means beside those of single columns, and the worst by column."""
        from workbench.charts.metrics import metric_bars

        del options, tables
        known = metrics[metrics["value"].notna()]
        charts = {}
        for metric in ("accuracy_difference", "loss_difference", "accuracy", "mean_loss"):
            mine = known[known["metric"] == metric]
            if (mine["group"] != "all").any():
                charts[f"{metric}_by_slice"] = metric_bars(mine, metric)
        for metric in ("worst_group_accuracy", "worst_group_loss"):
            mine = known[known["metric"] == metric]
            if len(mine):
                which = mine["method"].str.replace(r" is (lowest|highest): .*$", "", regex=True)
                charts[f"{metric}_by_column"] = metric_bars(
                    mine.assign(group="column=" + mine["group"] + ": " + which), metric
                )
        return charts


PROBE = Slices()


def _words(rows: "pd.DataFrame") -> tuple[str, str, str]:
    """Return what the mean, the difference and the worst are called: of right answers where losses are 0 and 1."""
    if rows["wrong"].notna().any():
        return "accuracy", "accuracy_difference", "worst_group_accuracy"
    return "mean_loss", "loss_difference", "worst_group_loss"


def _values(rows: "pd.DataFrame") -> Any:
    """Return what the means are of (n,): 1 where an answer is right, else the loss."""
    loss = rows["loss"].to_numpy(float)
    return 1 - loss if rows["wrong"].notna().any() else loss


def _mean(rows: "pd.DataFrame") -> "Interval":
    from workbench.stats.intervals import mean, proportion

    if not len(rows):
        return proportion([])
    measured = proportion if rows["wrong"].notna().any() else mean
    return measured(_values(rows), clusters=clusters_of(rows))


def _difference(rows: "pd.DataFrame", mine: Any) -> "Interval":
    from workbench.stats.slices import slice_difference

    return slice_difference(mine, _values(rows), clusters=clusters_of(rows))


def _estimated(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Return the rows that say something of the slices: those that the search did not see, all where it saw all."""
    return rows[rows["part"] != ways.SEARCHED]


def _found(rows: "pd.DataFrame") -> list[tuple[str, Any]]:
    """Return the name and the members (n,) of each slice that these rows are in."""
    slices = []
    for column in ways.SLICES:
        if column in rows:
            mine = (rows[column] != "").to_numpy(bool)
            if mine.any():
                slices.append((str(rows[column].to_numpy()[mine.argmax()]), mine))
    return slices


def _worst(rows: "pd.DataFrame", by: tuple[str, ...], options: Mapping[str, Any]) -> "list[tuple[str, Interval]]":
    """Return the worst group of each column with several, with the interval of the worst; `method` says which it is."""
    from workbench.stats.worst_group import worst_group

    binary = bool(rows["wrong"].notna().any())
    found = []
    for column in by:
        worst = worst_group(
            rows[column].to_numpy(dtype=object),
            _values(rows),
            clusters=clusters_of(rows),
            highest=not binary,
            smallest=options["smallest"],
        )
        if worst.groups > 1:
            said = f"{worst.group} is {'lowest' if binary else 'highest'}: {worst.interval.method}"
            said += f"; {counted(worst.small, 'smaller group')} left out" if worst.small else ""
            found.append((column, worst.interval._replace(method=said)))
    return found
