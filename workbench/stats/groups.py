"""Whether groups are treated alike: rates by group, and the largest difference and the smallest ratio between groups.

Rows have a group, a label and a prediction, each 0 or 1, and perhaps a score (the probability of the positive class). Groups may
be intersections: any names do. Definitions are fairlearn's (Weerts et al. 2023, arXiv 2303.16626) but for one: a rate that a
group does not define (a TPR without positive labels) is left out and named, where fairlearn has 0.

::

    by_group             Wilson intervals of every rate of every group
    between              difference and ratio of each, demographic parity, equalised odds, the worst group
    calibration_by_group mean score minus base rate, and ECE
    calibration_between  the largest differences of both

A difference between the largest and the smallest of several rates is above 0 for groups that are alike, too. So every difference
stands beside its *null*: what permuted groups show in 95 % of draws, with a p-value.
"""

import numpy as np
from numpy.typing import ArrayLike

from workbench.errors import unknown
from workbench.stats._checks import Floats
from workbench.stats._group_between import Spread, both
from workbench.stats._group_gaps import calibration_between, calibration_by_group
from workbench.stats._group_tables import OF, RATES, Table, drawn_cells, hits_and_rows, null_rates, rates_of, table_of
from workbench.stats._group_types import Comparison, Grouping, Settings, alone
from workbench.stats._intervals import Interval, proportion_of, undefined, wilson

__all__ = [
    "RATES",
    "Comparison",
    "Grouping",
    "Settings",
    "between",
    "by_group",
    "calibration_between",
    "calibration_by_group",
    "drawn_rates",
]


def by_group(
    groups: ArrayLike | Grouping,
    label: ArrayLike,
    prediction: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    rates: tuple[str, ...] = RATES,
    level: float = 0.95,
) -> dict[str, dict[str, Interval]]:
    """Return each rate of each group, sorted by name, with Wilson's interval; cluster-robust where clusters are given.

    A rate that a group does not define is NaN, and `method` says what there is none of.

    >>> found = by_group(["a", "a", "b", "b"], [1, 0, 0, 0], [1, 1, 0, 1])
    >>> found["a"]["fpr"].value, found["b"]["fpr"].value, found["b"]["tpr"].method
    (1.0, 0.5, 'no interval: no positive labels')
    """
    table = table_of(groups, label, prediction, clusters)
    found: dict[str, dict[str, Interval]] = {name: {} for name in table.names}
    for rate in _known(rates):
        hits, rows = hits_and_rows(table.cells, rate)
        low, high = wilson(hits, rows, level=level)
        for at, name in enumerate(table.names):
            n = int(rows[at])
            if not n:
                found[name][rate] = undefined(f"no {OF[rate][2]}")
            elif table.clusters is None:
                ends = (float(hits[at] / n), float(low[at]), float(high[at]))
                found[name][rate] = Interval(*ends, n, f"Wilson, {level:.0%}")
            else:
                found[name][rate] = _clustered(table, rate, at, level)
    return found


def _known(rates: tuple[str, ...]) -> tuple[str, ...]:
    for rate in rates:
        if rate not in OF:
            raise unknown("rate", rate, OF)
    return rates


def _clustered(table: Table, rate: str, group: int, level: float) -> Interval:
    hits, rows, _ = OF[rate]
    counted = (table.codes == group) & np.isin(table.cell, rows)
    hit = np.isin(table.cell[counted], hits).astype(np.float64)
    codes = np.unique(table.clusters[counted], return_inverse=True)[1] if table.clusters is not None else None
    if codes is not None and codes.max() + 1 == len(hit):
        codes = None  # in this group each row is its own cluster
    return proportion_of(hit, codes, level)


def drawn_rates(
    groups: ArrayLike | Grouping,
    label: ArrayLike,
    prediction: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    settings: Settings | None = None,
) -> dict[str, Floats]:
    """Return each rate by group in bootstrap draws of the count table, `(draws, g)`, groups sorted by name.

    A group that a draw misses has NaN there.

    >>> found = drawn_rates(["a", "b"] * 50, [1, 0] * 50, [1, 0] * 50, settings=Settings(draws=20))
    >>> found["selection_rate"].shape
    (20, 2)
    """
    how = settings or Settings()
    table = table_of(groups, label, prediction, clusters)
    cells = drawn_cells(table, how.draws, how.seed)
    return {rate: rates_of(cells, rate) for rate in RATES}


def between(
    groups: ArrayLike | Grouping,
    label: ArrayLike,
    prediction: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    rates: tuple[str, ...] = RATES,
    settings: Settings | None = None,
) -> dict[str, Comparison]:
    """Return the largest difference (max - min) and the smallest ratio (min / max) of each rate between groups.

    Those of the selection rate are called demographic_parity_difference and demographic_parity_ratio. With TPR and FPR among the
    rates there are equalised_odds_difference, the larger of their two differences, and equalised_odds_difference_mean, their
    mean; with accuracy, worst_group_accuracy.

    Args:
        groups: `(n,)` names, or a `Grouping` of codes, which is faster for texts.
        label: `(n,)` 0 or 1.
        prediction: `(n,)` 0 or 1.
        clusters: `(n,)` what was drawn independently.
        rates: some of `RATES`.
        settings: draws, seed, level and kind of interval.

    >>> sex = ["f"] * 100 + ["m"] * 100
    >>> found = between(sex, [0, 1] * 100, [0, 0, 0, 1] * 25 + [0, 1] * 50)
    >>> found["demographic_parity_difference"].interval.value, found["demographic_parity_difference"].highest
    (0.25, 'm')
    >>> found["equalised_odds_difference"].interval.value
    0.5
    """
    how = settings or Settings()
    table = table_of(groups, label, prediction, clusters)
    if not table.rows:
        return {}
    if len(table.names) < 2:
        return {name: alone(table.rows, "one group only", table.names) for name in _names(rates)}
    drawn = drawn_cells(table, how.draws, how.seed)
    null = null_rates(table, how.draws, how.seed)
    found: dict[str, Comparison] = {}
    spreads: dict[str, Spread] = {}
    for rate in _known(rates):
        spread = Spread.of(table, rate, (drawn, null[rate]), how)
        difference, ratio = _called(rate)
        if len(spread.names) < 2:
            reason = f"fewer than two groups have {OF[rate][2]}"
            found |= dict.fromkeys((difference, ratio), alone(table.rows, reason, spread.names))
            continue
        spreads[rate] = spread
        found |= {difference: spread.difference(), ratio: spread.ratio()}
    if {"tpr", "fpr"} <= set(rates):
        found |= both(spreads.get("tpr"), spreads.get("fpr"), table, how)
    if "accuracy" in spreads:
        found["worst_group_accuracy"] = spreads["accuracy"].least()
    return found


def _called(rate: str) -> tuple[str, str]:
    """Return the names of a rate's difference and ratio."""
    name = "demographic_parity" if rate == "selection_rate" else rate
    return f"{name}_difference", f"{name}_ratio"


def _names(rates: tuple[str, ...]) -> list[str]:
    """Return the names of all that `between` gives."""
    names = [name for rate in _known(rates) for name in _called(rate)]
    if {"tpr", "fpr"} <= set(rates):
        names += ["equalised_odds_difference", "equalised_odds_difference_mean"]
    return [*names, "worst_group_accuracy"] if "accuracy" in rates else names
