"""Two decisions about the same rows: what parity and accuracy were before, and are after."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from workbench.stats._checks import Floats, check_clusters
from workbench.stats._group_between import percentiles, span
from workbench.stats._group_tables import binary, code_of, rates_of
from workbench.stats._group_types import Grouping, Settings
from workbench.stats._intervals import Interval
from workbench.stats.resample import drawn_sums

__all__ = ["Paired", "paired"]


class Paired(NamedTuple):
    """A metric before and after, and their difference (after minus before) with its interval."""

    before: float
    after: float
    difference: Interval


def paired(
    groups: ArrayLike | Grouping,
    label: ArrayLike,
    before: ArrayLike,
    after: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    settings: Settings | None = None,
) -> dict[str, Paired]:
    """Return accuracy, demographic_parity_difference and equalised_odds_difference of two decisions about the same rows.

    The interval is the percentile bootstrap of the table of group, label and both decisions, so that it is paired.

    >>> found = paired(["a", "b"] * 50, [0, 1] * 50, [1, 1] * 50, [0, 1] * 50)
    >>> found["accuracy"][:2], found["demographic_parity_difference"][:2]
    ((0.5, 1.0), (0.0, 1.0))
    """
    how = settings or Settings()
    truth, first, second = binary(label, "label"), binary(before, "before"), binary(after, "after")
    names, codes = code_of(groups, len(truth))
    cell, size = 4 * truth + 2 * first + second, len(names)
    table = np.bincount(codes * 8 + cell, minlength=8 * size).astype(np.float64)
    together = check_clusters(clusters, len(truth))
    if together is None:
        rng = np.random.default_rng([how.seed, 17])
        drawn = rng.multinomial(len(truth), table / table.sum(), how.draws).astype(np.float64)
    else:
        count = int(together.max()) + 1
        key = (together * size + codes) * 8 + cell
        sums = np.bincount(key, minlength=count * size * 8).reshape(count, size * 8).astype(np.float64)
        drawn = drawn_sums(sums, draws=how.draws, seed=how.seed)
    both = [_statistics(np.concatenate([table[None], drawn]).reshape(-1, size, 2, 2, 2), axis) for axis in (4, 3)]
    found = {}
    for name, one in both[0].items():
        two = both[1][name]
        change = two - one
        interval = percentiles(float(change[0]), change[1:], len(truth), how.level)
        found[name] = Paired(float(one[0]), float(two[0]), interval._replace(method=f"paired, {interval.method}"))
    return found


def _statistics(tables: Floats, other: int) -> dict[str, Floats]:
    """Return the statistics of tables `(draws, g, label, before, after)` `(draws,)`, summed over the other decision's axis."""
    cells = tables.sum(axis=other).reshape(*tables.shape[:2], 4)
    odds = np.stack([span(rates_of(cells, rate)) for rate in ("tpr", "fpr")]).max(axis=0)
    return {
        "accuracy": rates_of(cells.sum(axis=1), "accuracy"),
        "demographic_parity_difference": span(rates_of(cells, "selection_rate")),
        "equalised_odds_difference": odds,
    }
