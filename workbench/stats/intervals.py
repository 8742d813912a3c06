"""Intervals of proportions, means and the confidence gap, for independent rows and for clusters.

`Interval` is what every metric of `workbench.stats` comes as. A metric that cannot have an honest interval has NaN bounds and
says why in `method` (`undefined`), so that a tiny group is a line in a table and not an exception.

With clusters (questions, templates, authors: whatever was drawn independently) variances are summed over clusters, and
quantiles are those of Student's t with one degree of freedom less than there are clusters.
"""

from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from workbench.errors import UsageError
from workbench.stats._checks import Floats, Ints, check_clusters, check_pairs, check_scores

__all__ = [
    "Bounds",
    "Interval",
    "confidence_gap",
    "mean",
    "proportion",
    "t_quantile",
    "undefined",
    "wilson",
    "z_quantile",
]

TINY = 1e-12


class Interval(NamedTuple):
    """A value with the bounds of its interval, the rows it rests on, and how the bounds were made."""

    value: float
    low: float
    high: float
    n: int
    method: str


class Bounds(NamedTuple):
    """Lower and upper bounds, arrays of one shape."""

    low: Floats
    high: Floats


def undefined(reason: str, *, value: float = float("nan"), n: int = 0) -> Interval:
    """Return an interval with NaN bounds whose method says why.

    >>> undefined("no rows").method
    'no interval: no rows'
    """
    return Interval(value, float("nan"), float("nan"), n, f"no interval: {reason}")


def z_quantile(level: float) -> float:
    """Return the two-sided normal quantile of a level in (0, 1).

    >>> round(z_quantile(0.95), 4)
    1.96
    """
    if not 0 < level < 1:
        raise UsageError(f"level must lie between 0 and 1; it is {level!r}. Use 0.95 for 95 % intervals.")
    return NormalDist().inv_cdf(0.5 + level / 2)


def t_quantile(level: float, freedom: float) -> float:
    """Return the two-sided quantile of Student's t.

    >>> round(t_quantile(0.95, 9), 3)
    2.262
    """
    if freedom > 5000:
        return z_quantile(level)
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.5 + level / 2))


def wilson(hits: ArrayLike, n: ArrayLike, *, level: float = 0.95) -> Bounds:
    """Return Wilson's (1927) score interval of hits among n; NaN where n is 0.

    >>> low, high = wilson([0, 8], [10, 10])
    >>> low.round(3), high.round(3)
    (array([0.  , 0.49]), array([0.278, 0.943]))
    """
    return score_bounds(np.asarray(hits, np.float64), np.asarray(n, np.float64), z_quantile(level))


def score_bounds(hits: Floats, n: Floats, quantile: "float | Floats") -> Bounds:
    """Return the score interval at a given quantile, a number or one per entry."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share, z2 = hits / n, quantile**2
        middle = (share + z2 / (2 * n)) / (1 + z2 / n)
        half = quantile / (1 + z2 / n) * np.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    low, high = np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)
    return Bounds(np.where(hits <= 0, 0 * low, low), np.where(hits >= n, 1 + 0 * high, high))


def cluster_sums(values: Floats, clusters: Ints | None) -> Floats:
    """Return the sums per cluster, the values themselves where every row is its own."""
    return values if clusters is None else np.asarray(np.bincount(clusters, weights=values), dtype=np.float64)


def mean_variance(residuals: Floats, clusters: Ints | None) -> float:
    """Return the variance of a mean from its centred terms, robust to dependence within clusters."""
    sums = cluster_sums(residuals, clusters)
    count = len(sums)
    return float(sums @ sums) * count / (count - 1) / len(residuals) ** 2


def proportion(hit: ArrayLike, *, clusters: ArrayLike | None = None, level: float = 0.95) -> Interval:
    """Return the share of hits (0 or 1) with Wilson's interval.

    With clusters: Wilson at the effective number of rows p(1 - p)/v, where v is the cluster-robust variance of the share,
    capped at n, with Student's t on one degree of freedom less than clusters; at a share of 0 or 1 the number of clusters.

    >>> [round(x, 3) for x in proportion([1, 1, 1, 0])[:3]]
    [0.75, 0.301, 0.954]
    """
    _, hits = check_pairs(np.zeros(np.shape(hit)), hit, empty=True)
    n = len(hits)
    if not n:
        return undefined("no rows")
    codes, value = check_clusters(clusters, n), float(hits.mean())
    if codes is None:
        low, high = wilson(hits.sum(), n, level=level)
        return Interval(value, float(low), float(high), n, f"Wilson, {level:.0%}")
    count = int(codes.max()) + 1
    if count < 2:
        return undefined("one cluster", value=value, n=n)
    variance = mean_variance(hits - value, codes)
    effective = min(float(n), value * (1 - value) / variance) if variance > TINY else float(count)
    low, high = score_bounds(np.array(value * effective), np.array(effective), t_quantile(level, count - 1))
    return Interval(
        value, float(low), float(high), n, f"Wilson at {effective:.0f} effective rows, {count} clusters, {level:.0%}"
    )


def mean(values: ArrayLike, *, clusters: ArrayLike | None = None, level: float = 0.95) -> Interval:
    """Return the mean with Student's t interval, corrected for skewness (Hall 1992, the cubic transformation).

    With clusters both the variance and the skewness are those of the sums per cluster.

    >>> [round(x, 3) for x in mean([0.1, 0.2, 0.4, 0.3])[:3]]
    [0.25, 0.045, 0.455]
    """
    numbers = check_scores(values, "values")
    return mean_of(numbers, check_clusters(clusters, len(numbers)), level)


def mean_of(numbers: Floats, codes: Ints | None, level: float) -> Interval:
    """Return `mean` of checked numbers."""
    n = len(numbers)
    if n < 2:
        return undefined("fewer than two rows", value=float(numbers[0]) if n else float("nan"), n=n)
    value = float(numbers.mean())
    sums = cluster_sums(numbers - value, codes)
    count = len(sums)
    if count < 2:
        return undefined("one cluster", value=value, n=n)
    square = float(sums @ sums) / count
    if square * count / n <= TINY**2 * max(1.0, value * value) or np.ptp(numbers) == 0:
        return undefined("all values are equal, so that their spread is not known", value=value, n=n)
    error = np.sqrt(square * count * count / (count - 1)) / n
    skew = float(np.mean(sums * sums * sums)) / square**1.5
    quantile = t_quantile(level, count - 1)
    low, high = (value - error * _hall(side * quantile, skew, count) for side in (1, -1))
    what = (
        "t interval, skewness-corrected" if codes is None else f"cluster-robust t, skewness-corrected, {count} clusters"
    )
    return Interval(value, float(low), float(high), n, f"{what}, {level:.0%}")


def _hall(quantile: float, skew: float, count: int) -> float:
    """Return the quantile of the studentised mean under skewness: the inverse of Hall's monotone cubic."""
    scale = skew / np.sqrt(count)
    if abs(scale) < 1e-6:
        return quantile
    return float(3 / scale * (np.cbrt(1 + scale * (quantile - scale / 6)) - 1))


def confidence_gap(
    confidence: ArrayLike, correct: ArrayLike, *, clusters: ArrayLike | None = None, level: float = 0.95
) -> Interval:
    """Return mean confidence minus accuracy (above 0: over-confident), paired by row.

    Interval: the bounds of both means are combined with their correlation (Zou and Donner 2008, MOVER), so that it stays
    honest where (nearly) all rows are correct and a t interval of the difference would be too narrow.

    >>> [round(x, 3) for x in confidence_gap([0.9, 0.8, 0.7, 0.6], [1, 1, 0, 1])[:3]]
    [0.0, -0.25, 0.443]
    """
    pairs = check_pairs(confidence, correct, empty=True)
    return gap_of(pairs.confidence, pairs.correct, check_clusters(clusters, len(pairs.correct)), level)


def gap_of(confidence: Floats, correct: Floats, codes: Ints | None, level: float) -> Interval:
    """Return `confidence_gap` of checked pairs."""
    n = len(correct)
    if n < 2:
        return undefined("fewer than two rows", value=float(confidence[0] - correct[0]) if n else float("nan"), n=n)
    stated, right = mean_of(confidence, codes, level), proportion(correct, clusters=codes, level=level)
    value = stated.value - right.value
    if np.isnan(right.low):
        return undefined("one cluster", value=value, n=n)
    one, two = cluster_sums(confidence - stated.value, codes), cluster_sums(correct - right.value, codes)
    spread = np.sqrt(float(one @ one) * float(two @ two))
    rho = float(one @ two) / spread if spread > TINY and np.isfinite(stated.low) else 0.0
    below, above = (stated.value - stated.low, stated.high - stated.value) if np.isfinite(stated.low) else (0.0, 0.0)
    down, up = right.value - right.low, right.high - right.value
    low = value - np.sqrt(max(0.0, below**2 - 2 * rho * below * up + up**2))
    high = value + np.sqrt(max(0.0, above**2 - 2 * rho * above * down + down**2))
    what = "MOVER of the t and Wilson intervals, paired" + (
        "" if codes is None else f", {int(codes.max()) + 1} clusters"
    )
    return Interval(value, float(max(-1.0, low)), float(min(1.0, high)), n, f"{what}, {level:.0%}")
