"""Two outcomes of the same rows (before and after, pro and anti, one model and another): the difference of shares, and its test."""

import numpy as np
from numpy.typing import ArrayLike

from workbench.errors import DataError
from workbench.stats._checks import check_clusters, check_pairs
from workbench.stats._intervals import TINY, Interval, cluster_sums, effective_rows, held_back, proportion_of, undefined
from workbench.stats.significance import sign_test

__all__ = ["mcnemar", "share_difference"]


def share_difference(
    one: ArrayLike, two: ArrayLike, *, clusters: ArrayLike | None = None, level: float = 0.95
) -> Interval:
    """Return the share of hits in `one` minus that in `two`, two outcomes (0 or 1) of the same n rows.

    Interval: the bounds of both shares (Wilson; by cluster where rows belong together) combined with the correlation of the two
    outcomes, over clusters where there are any (Newcombe 1998, Statistics in Medicine 17:2635, method 10: square-and-add with phi
    and its continuity correction; Zou and Donner 2008, MOVER). It is defined, and wider than 0, where all rows agree.

    >>> [round(x, 3) for x in share_difference([1, 1, 1, 0], [0, 1, 0, 0])[:3]]
    [0.5, -0.135, 0.789]
    """
    first, second = (check_pairs(np.zeros(np.shape(hit)), hit, empty=True)[1] for hit in (one, two))
    if len(first) != len(second):
        raise DataError(f"The two outcomes have {len(first)} and {len(second)} rows; they must be of the same rows.")
    codes, n = check_clusters(clusters, len(first)), len(first)
    left, right = (proportion_of(hits, codes, level) for hits in (first, second))
    value = left.value - right.value
    if np.isnan(left.low):
        return undefined("no rows" if not n else "one cluster", value=value, n=n)
    a, b = cluster_sums(first - left.value, codes), cluster_sums(second - right.value, codes)
    spread = float(np.sqrt((a @ a) * (b @ b)))
    rho = float(a @ b) / spread if spread > TINY else 0.0
    rho = held_back(rho, left.value, right.value, min(effective_rows(first, codes), effective_rows(second, codes)))
    down, up = (left.value - left.low, right.high - right.value), (left.high - left.value, right.value - right.low)
    low, high = (np.sqrt(max(0.0, x * x - 2 * rho * x * y + y * y)) for x, y in (down, up))
    what = "" if codes is None else f", {int(codes.max()) + 1} clusters"
    method = f"MOVER of two Wilson intervals, paired{what}, {level:.0%}"
    return Interval(value, float(max(-1.0, value - low)), float(min(1.0, value + high)), n, method)


def mcnemar(
    one: ArrayLike, two: ArrayLike, *, clusters: ArrayLike | None = None, draws: int = 9999, seed: int = 0
) -> float:
    """Return the two-sided p-value that two outcomes (0 or 1) of the same n rows are alike: McNemar's exact test.

    Only rows in which the outcomes differ count; 1 where there is none, NaN without rows. Independent rows: the exact binomial test
    (not the chi-squared approximation). With clusters the two outcomes change places in whole clusters, as `sign_test` has it.

    >>> mcnemar([1, 1, 1, 1, 1, 1, 0], [0, 0, 0, 0, 0, 1, 0])
    0.0625
    """
    first, second = (check_pairs(np.zeros(np.shape(hit)), hit, empty=True)[1] for hit in (one, two))
    if len(first) != len(second):
        raise DataError(f"The two outcomes have {len(first)} and {len(second)} rows; they must be of the same rows.")
    codes = check_clusters(clusters, len(first))
    apart = first != second
    if not apart.any():
        return 1.0 if len(first) else float("nan")
    return sign_test(first[apart], clusters=None if codes is None else codes[apart], draws=draws, seed=seed)
