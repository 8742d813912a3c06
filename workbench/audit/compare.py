"""Two models, or two runs, on the same examples: what differs, and whether by more than chance.

`compare` joins the rows of two reports of one probe by example, and gives the difference of every metric an interval and a p-value
that know of the pairing: two models that are asked the same questions agree on the easy ones, so that the difference is known far
better than either number. How it is computed stands in `_paired`, what matches what in `_match`, how it is shown in `_show`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.audit._margins import needed, verdicts
from workbench.audit._match import joined, matched, settled
from workbench.audit._paired import Asked, Pair, compared
from workbench.errors import UsageError, unknown
from workbench.frames import METRIC_COLUMNS
from workbench.reports import Report

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Comparison", "compare", "differing"]

WORDS = 40  # most characters of the options that stand with a name
LIMITS = (
    "A difference says which report's number is larger, not that it is better: a smaller preference for stereotypes may be a worse "
    "model of English.",
    "p is that of one line; p_holm is corrected for the slices of one metric and one column, not for all metrics. What was picked "
    "because it stood out needs rows that were held out.",
    "Interval and p-value come by different ways for shares, and may disagree close to 0.05.",
    "No difference found is not no difference: read the interval, or ask equivalence(margin).",
    "How many examples the observed difference would need is as uncertain as the difference: ask for the one that would matter, "
    "sample_size(difference=...).",
)


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """What tells report `a` from report `b`.

    `metrics` has one line per metric and group: metric, group, value_a, value_b, difference (a minus b), low, high, n, p, p_holm,
    method. `rows` holds the rows of both, side by side: columns that agree once, the others as `name_a` and `name_b`.
    """

    a: Report
    b: Report
    metrics: "pd.DataFrame"
    rows: "pd.DataFrame"
    by: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    limits: tuple[str, ...] = LIMITS
    pairs: Mapping[tuple[str, str], Pair] = field(default_factory=dict)  # of metrics that are means over rows

    @property
    def names(self) -> tuple[str, str]:
        """Names of the two models; where they are the same, with the options that differ, or else with "a" and "b"."""
        one, two = (str(report.record.model.get("name") or "?") for report in (self.a, self.b))
        if one != two:
            return one, two
        apart = self.apart
        return (f"{one}, {apart[0]}", f"{two}, {apart[1]}") if all(apart) else (f"{one} (a)", f"{two} (b)")

    @property
    def apart(self) -> tuple[str, str]:
        """The options in which two runs of one model differ, as words ("scoring=raw"); empty where they are none, or many."""
        same = self.a.record.model.get("name") == self.b.record.model.get("name")
        one, two = differing([self.a.options, self.b.options])
        return (one, two) if same else ("", "")

    @property
    def title(self) -> str:
        """What is compared, in one line."""
        return f"{self.a._probe.title}: {self.names[0]} (a) against {self.names[1]} (b)"

    @property
    def headline(self) -> tuple[str, ...]:
        """Names of the metrics to show first: the probe's, as far as they were compared."""
        known = dict.fromkeys(self.metrics["metric"])
        return tuple(name for name in self.a.headline if name in known) or tuple(known)[:10]

    def equivalence(self, margin: float, *, metric: str | None = None, level: float = 0.05) -> "pd.DataFrame":
        """Return whether each difference lies between -margin and margin: two one-sided tests (TOST) at `level`.

        Columns: metric, group, difference, low and high (the interval of 1 - 2 level, which decides), margin, n, p, verdict
        ("equivalent", "different, within the margin", "different", "different by more than the margin", "cannot say"), method
        (which says where shares come from too few clusters for the margin).
        `metric` names one; by default those of the headline. The margin is in the metric's unit: the largest difference that would
        not matter, chosen before looking. p is of each line by itself.
        """
        return verdicts(self, margin, metric=metric, better=None, level=level)

    def noninferiority(
        self, margin: float, *, metric: str | None = None, better: str = "higher", level: float = 0.025
    ) -> "pd.DataFrame":
        """Return whether a is not worse than b by more than the margin: one-sided at `level`; columns as in `equivalence`.

        `better` says which values are ("higher" for an accuracy, "lower" for a loss). Verdicts: "better", "not worse",
        "worse, within the margin", "worse", "worse by more than the margin", "cannot say".
        """
        if metric is None and self.headline:
            metric = self.headline[0]  # the headline mixes metrics of which more is better and of which less is
        return verdicts(self, margin, metric=metric, better=better, level=level)

    def sample_size(
        self, *, metric: str | None = None, difference: float | None = None, power: float = 0.8, level: float = 0.05
    ) -> "pd.DataFrame":
        """Return how many rows it takes to see a difference with this power; `difference` None: one of the observed size.

        Shares: McNemar's exact test with the share of rows in which these two models differ; other means: the paired t
        test with the spread of these differences; both times the design effect of the clusters. All else: from the bootstrap's
        standard error. Columns: metric, group, difference, n, n_needed, design_effect, power, method.
        """
        return needed(self, metric=metric, difference=difference, power=power, level=level)

    def chart(self, metric: str | None = None) -> Any:
        """Return a forest plot of one metric's differences, a minus b, by group; the first of the headline where none is named."""
        from workbench.charts.metrics import metric_bars, metric_title
        from workbench.charts.offline import offline

        known = dict.fromkeys(self.metrics["metric"])
        if metric is not None and metric not in known:
            raise unknown("metric", metric, known)
        if not known:
            raise UsageError("The two reports have no metric in common, so that there is nothing to draw.")
        name = metric or self.headline[0]
        title = f"difference_in_{name}"  # a name with "difference" in it has a line at zero
        lines = self.metrics[self.metrics["metric"] == name].assign(
            metric=title, value=lambda table: table["difference"]
        )
        drawn = metric_bars(lines[list(METRIC_COLUMNS)], title, reference=0.0, meaning="no difference")
        said = f"{metric_title(name)} of {self.names[0]} minus that of {self.names[1]}. {drawn.description}"
        return offline(drawn.properties(description=said))

    def __repr__(self) -> str:
        from workbench.audit._show import text

        return text(self)

    def _repr_html_(self) -> str:
        from workbench.audit._show import notebook_html

        return notebook_html(self)


def differing(several: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return for each of several options those in which they differ, as words; all "" where they do not, or would be long.

    Tables, examples and models among them have no words, and are left out.

    >>> differing([{"bins": 10, "scheme": "width"}, {"bins": 15, "scheme": "width"}])
    ['bins=10', 'bins=15']
    """
    shared = [name for name in several[0] if all(name in one and _has_words(one[name]) for one in several)]
    other = [name for name in shared if any(one[name] != several[0][name] for one in several)]
    words = [", ".join(f"{name}={_option(one[name])}" for name in other) for one in several]
    return words if max(map(len, words)) <= WORDS else [""] * len(several)


def _has_words(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(map(_has_words, value.values()))
    return (
        value is None
        or isinstance(value, (str, int, float))
        or (isinstance(value, (list, tuple)) and all(map(_has_words, value)))
    )


def _option(value: Any) -> str:
    listed = isinstance(value, Sequence) and not isinstance(value, str)
    return "+".join(map(str, value)) or "none" if listed else str(value)


def compare(
    a: Report,
    b: Report,
    *,
    by: Sequence[str] | str | None = None,
    draws: int = 200,
    exchanges: int = 0,
    seed: int = 0,
) -> Comparison:
    """Return the difference of every metric of two reports of one probe on the same examples, a minus b, with 95 % intervals.

    Shares of the same rows: Tango's score interval, p by McNemar's exact test. Other means of the same rows: t interval of the
    differences, p by sign flips, or that t's where it is larger. All else: a paired bootstrap that asks the probe's `summarise`
    again in each of `draws` resamples, its standard error with Student's t. Each resamples or exchanges what was drawn
    independently, the reports' `cluster`. Values with a null band (ECE, MCE) have no interval, and their difference has none.
    `exchanges` above 0 gives what is bootstrapped the p-value of a permutation that often: the two models change places in
    whole clusters.

    `comparison.equivalence(margin)` and `noninferiority(margin)` say whether a difference is too small to matter, `sample_size()`
    how many examples would show it.

    `by` names the columns to slice by, default: those of both reports. Rows that are held out in either stay out.

    Raises `DataError` where the examples, their texts or their clusters are not the same, `UsageError` for reports of two probes.

    >>> import pandas as pd, workbench as wb
    >>> pairs = pd.DataFrame({"text": list("abcdef"), "other": list("uvwxyz"), "logp": [-1.0, -2, -3, -1, -2, -3]})
    >>> pairs["example"] = pairs["text"]
    >>> a, b = (wb.from_predictions(pairs.assign(logp_other=x), probe="pairs") for x in ([-4.0] * 6, [-2.5] * 6))
    >>> compare(a, b).metrics.query("metric == 'prefers_more'")[["value_a", "value_b", "difference", "p"]].round(2).values.tolist()
    [[1.0, 0.67, 0.33, 0.5]]
    """
    if not isinstance(draws, int) or isinstance(draws, bool) or (draws and draws < 20) or draws < 0:
        raise UsageError(f"draws must be 0 (leave out what needs them) or at least 20; it is {draws!r}.")
    if not isinstance(exchanges, int) or isinstance(exchanges, bool) or (exchanges and exchanges < 20):
        raise UsageError(f"exchanges must be 0 or at least 20; it is {exchanges!r}.")
    slices = settled(a, b, by)
    rows = matched(a, b)
    found = compared(rows.a, rows.b, Asked(a._probe, a.options, slices, draws, seed, exchanges))
    return Comparison(a, b, found.table, joined(rows), by=slices, notes=(*rows.notes, *found.notes), pairs=found.pairs)
