"""p-values of a share against one half, and their correction where several are looked at together.

A p-value that comes from random draws counts the observed statistic among them: (1 + #)/(1 + draws).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import DataError, UsageError
from workbench.stats._checks import check_clusters, check_pairs

__all__ = ["benjamini_hochberg", "bonferroni", "holm", "sign_test"]

CELLS = 4_000_000  # signs drawn at once


def sign_test(hit: ArrayLike, *, clusters: ArrayLike | None = None, draws: int = 9999, seed: int = 0) -> float:
    """Return the two-sided p-value that a share of hits (0 or 1) is one half; NaN without rows. Leave ties out before.

    Rows that are independent: the exact binomial test. With clusters: each cluster's sum of hit - 1/2 is turned round at random,
    which is exact where hits and misses are alike within each cluster; `draws` times, or through all ways where there are fewer.

    >>> round(sign_test([1, 1, 1, 1, 1, 0]), 4)
    0.2188
    >>> sign_test([1, 1, 1, 1, 1, 1], clusters=[0, 0, 1, 1, 2, 2])
    0.25
    """
    _, hits = check_pairs(np.zeros(np.shape(hit)), hit, empty=True)
    if draws < 20:
        raise UsageError(f"draws must be at least 20; it is {draws}. Use 9999.")
    if not len(hits):
        return float("nan")
    codes = check_clusters(clusters, len(hits))
    if codes is None:
        from scipy.stats import binomtest

        return float(binomtest(int(hits.sum()), len(hits), 0.5).pvalue)
    sums = np.sort(np.abs(np.bincount(codes, weights=hits - 0.5)))  # a fixed order: that of the rows changes nothing
    seen = abs(float(np.bincount(codes, weights=hits - 0.5).sum())) - 1e-9
    m = len(sums)
    if 2**m <= draws:
        signs = 1 - 2 * ((np.arange(2**m)[:, None] >> np.arange(m)) & 1)
        return float(np.mean(np.abs(signs @ sums) >= seen))
    rng = np.random.default_rng([seed, 11])
    size, found = max(1, CELLS // m), 0
    for start in range(0, draws, size):
        signs = 1 - 2 * rng.integers(0, 2, size=(min(size, draws - start), m))
        found += int(np.sum(np.abs(signs @ sums) >= seen))
    return (1 + found) / (1 + draws)


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Return p-values (k,) corrected for looking at k of them (Holm 1979): any below 0.05 holds at 0.05 for the whole family.

    NaN stays NaN and does not count in k.

    >>> holm([0.01, 0.04, 0.03, float("nan")]).round(3).tolist()
    [0.03, 0.06, 0.06, nan]
    """
    values, known = _known(p)
    order = known[np.argsort(values[known], kind="stable")]
    scaled = values[order] * np.arange(len(order), 0, -1)
    corrected = np.full(len(values), np.nan)
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1.0) if len(order) else scaled
    return corrected


def bonferroni(p: ArrayLike) -> NDArray[np.float64]:
    """Return p-values (k,) times their number, at most 1: any below 0.05 holds at 0.05 for the whole family. `holm` has more power.

    NaN stays NaN and does not count in k.

    >>> bonferroni([0.01, 0.04, 0.6, float("nan")]).round(3).tolist()
    [0.03, 0.12, 1.0, nan]
    """
    values, known = _known(p)
    return np.minimum(values * len(known), 1.0)


def benjamini_hochberg(p: ArrayLike) -> NDArray[np.float64]:
    """Return p-values (k,) corrected so that of those below 0.05 at most 5 % are false on average (Benjamini and Hochberg 1995).

    Holds for independent and positively dependent tests. NaN stays NaN and does not count in k.

    >>> benjamini_hochberg([0.01, 0.04, 0.03, float("nan")]).round(3).tolist()
    [0.03, 0.04, 0.04, nan]
    """
    values, known = _known(p)
    order = known[np.argsort(values[known], kind="stable")]
    scaled = values[order] * len(order) / np.arange(1, len(order) + 1)
    corrected = np.full(len(values), np.nan)
    corrected[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0) if len(order) else scaled
    return corrected


def _known(p: ArrayLike) -> "tuple[NDArray[np.float64], NDArray[np.intp]]":
    """Return the checked p-values and the places of those that are not NaN."""
    values = np.asarray(p, dtype=np.float64)
    if values.ndim != 1 or not np.all((values >= 0) & (values <= 1) | np.isnan(values)):
        raise DataError("p-values must be one list of numbers from 0 to 1. Leave out or mark with NaN what has none.")
    return values, np.flatnonzero(~np.isnan(values))
