"""Intervals of checked numbers: what `workbench.stats.intervals` and its siblings share."""

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import UsageError
from workbench.stats._checks import Floats, Ints

__all__ = [
    "TINY",
    "Bounds",
    "Design",
    "Interval",
    "cluster_freedom",
    "cluster_sums",
    "design_of",
    "effective_rows",
    "gap_of",
    "held_back",
    "mean_chance",
    "mean_of",
    "mean_variance",
    "proportion_of",
    "scaled_sums",
    "score_bounds",
    "t_quantile",
    "two_class_freedom",
    "two_class_variance",
    "undefined",
    "widening",
    "wilson",
    "z_quantile",
]

TINY = 1e-12
FURTHEST = 3.0  # quantiles that the end at a long tail reaches: more is hardly ever needed


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


class Design(NamedTuple):
    """What dependence does to the interval of a mean: one independent row per `effect` rows, and the `quantile` to use."""

    effect: float
    quantile: float


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


def scaled_sums(residuals: Floats, clusters: Ints | None) -> Floats:
    """Return the sums per cluster whose squares add up to the variance of the total (the jackknife over clusters, CV3)."""
    sums = cluster_sums(residuals, clusters)
    count, n = len(sums), len(residuals)
    if clusters is None:
        return sums * math.sqrt(count / (count - 1))
    return sums / (1 - np.bincount(clusters) / n) * math.sqrt((count - 1) / count)


def mean_variance(residuals: Floats, clusters: Ints | None) -> float:
    """Return the variance of a mean from its centred terms, robust to dependence within clusters."""
    scaled = scaled_sums(residuals, clusters)
    return float(scaled @ scaled) / len(residuals) ** 2


def cluster_freedom(clusters: Ints | None, n: int) -> float:
    """Return the degrees of freedom: one less than the effective number of clusters (Carter et al. 2017, fully dependent).

    Clusters of one size count one each; where sizes differ, the large ones make up most of the variance.
    """
    if clusters is None:
        return n - 1.0
    squares = np.bincount(clusters).astype(np.float64) ** 2
    return max(1.0, float(squares.sum() ** 2 / (squares @ squares)) - 1)


def two_class_freedom(terms: Floats, correct: Floats, clusters: Ints | None = None) -> float:
    """Return Welch and Satterthwaite's degrees of freedom of a sum over hits and errors, each estimated on its own.

    It is what keeps intervals honest where there are only a few errors, however many rows, or few clusters that hold them.
    """
    parts = []
    for mine in (correct > 0, correct <= 0):
        part = terms[mine] if clusters is None else _sums_of(terms, mine, clusters)[1]
        parts.append((float(part @ part), max(len(part) - 1, 0.5)))
    total = sum(square for square, _ in parts)
    if total <= 0:
        return len(terms) - 1.0
    return max(1.0, total**2 / sum(square**2 / freedom for square, freedom in parts))


def two_class_variance(terms: Floats, hit: NDArray[np.bool_], clusters: Ints) -> float:
    """Return the variance of a mean from terms centred on 0 among hits and among errors, each class jackknifed over its clusters.

    NaN where a class is in one cluster alone. Left out of all rows alike, a cluster would count as one of many where it is one
    of the few that hold its class.
    """
    total = np.zeros(int(clusters.max()) + 1)
    for mine in (hit, ~hit):
        ids, sums = _sums_of(terms, mine, clusters, scaled=True)
        if len(ids) < 2:
            return math.nan
        total[ids] += sums
    return float(total @ total) / len(terms) ** 2


def _sums_of(terms: Floats, mine: NDArray[np.bool_], clusters: Ints, *, scaled: bool = False) -> tuple[Ints, Floats]:
    """Return the clusters that hold some rows, and the sums of these rows' terms in each, scaled for a variance if so asked."""
    ids, inside = np.unique(clusters[mine], return_inverse=True)
    if len(ids) < 2 or not scaled:
        return ids, cluster_sums(terms[mine], inside.astype(np.intp))
    return ids, scaled_sums(terms[mine], inside.astype(np.intp))


def widening(clusters: Ints | None, level: float) -> float:
    """Return by how much to widen deviations of a cluster bootstrap, which are too small for few clusters."""
    if clusters is None:
        return 1.0
    count = int(clusters.max()) + 1
    return math.sqrt(count / (count - 1)) * t_quantile(level, cluster_freedom(clusters, 0)) / z_quantile(level)


class _Studied(NamedTuple):
    """A mean with what its interval is made of; scale: signed skewness / sqrt(count), enlarged."""

    value: float
    error: float
    scale: float
    freedom: float
    units: int

    def reach(self, quantile: float, *, above: bool) -> float:
        """Return how far the interval reaches above or below the mean."""
        return self.error * (_reach(quantile, abs(self.scale)) if (self.scale > 0) == above else quantile)


def mean_of(numbers: Floats, codes: Ints | None, level: float, freedom: float = math.inf) -> Interval:
    """Return `mean` of checked numbers; freedom: a bound on the degrees of freedom."""
    n, value = len(numbers), float(numbers.mean()) if len(numbers) else math.nan
    found = _studied(numbers, codes, freedom)
    if isinstance(found, str):
        return undefined(found, value=value, n=n)
    quantile = t_quantile(level, found.freedom)
    low, high = value - found.reach(quantile, above=False), value + found.reach(quantile, above=True)
    by = f", {found.units} clusters" if codes is not None else ""
    what = f"{'cluster-robust t' if by else 't interval'}, widened for skewness{by}"
    return Interval(value, low, high, n, f"{what}, {level:.0%}")


def mean_chance(numbers: Floats, codes: Ints | None) -> float:
    """Return the two-sided p-value of a mean of 0: 1 less the level from which on `mean_of`'s interval holds 0; NaN without one."""
    found = _studied(numbers, codes, math.inf)
    if isinstance(found, str):
        return math.nan
    from scipy.special import stdtr

    low, high = 0.0, abs(found.value) / found.error
    for _ in range(50):
        middle = (low + high) / 2
        inside = found.reach(middle, above=found.value < 0) >= abs(found.value)
        low, high = (low, middle) if inside else (middle, high)
    return float(2 * stdtr(found.freedom, -low))


def _studied(numbers: Floats, codes: Ints | None, freedom: float) -> _Studied | str:
    """Return what the interval of a mean is made of, or why there is none."""
    n = len(numbers)
    if n < 2:
        return "fewer than two rows"
    if codes is not None and codes.max() < 1:
        return "one cluster"
    value = float(numbers.mean())
    sums = scaled_sums(numbers - value, codes)
    total = float(sums @ sums)
    if np.ptp(numbers) == 0 or total <= TINY**2 * n * max(1.0, value * value):
        return "all values are equal, so that their spread is not known"
    skew, independent = float((sums * sums * sums).sum()) / total**1.5, cluster_freedom(codes, n)
    scale = skew * (1 + (independent + 1) / len(sums) ** 1.5)
    return _Studied(value, math.sqrt(total) / n, scale, min(independent, freedom), len(sums))


def _reach(quantile: float, scale: float) -> float:
    """Return how far the longer tail reaches, in standard errors: the inverse of Hall's cubic, of one to `FURTHEST` quantiles.

    scale: absolute skewness / sqrt(count). The inverse is longest, four quantiles, at 9/8 of 1 / quantile.
    """
    scale = min(scale, 1.125 / quantile) if quantile > 0 else 0.0
    if scale < 1e-6:
        return quantile
    longest = 3 / scale * (1 + float(np.cbrt(scale * (quantile + scale / 6) - 1)))
    return min(max(quantile, longest), FURTHEST * quantile)


def proportion_of(hits: Floats, codes: Ints | None, level: float) -> Interval:
    """Return `proportion` of checked hits."""
    n = len(hits)
    if not n:
        return undefined("no rows")
    value = float(hits.mean())
    if codes is None:
        low, high = wilson(hits.sum(), n, level=level)
        return Interval(value, float(low), float(high), n, f"Wilson, {level:.0%}")
    count = int(codes.max()) + 1
    if count < 2:
        return undefined("one cluster", value=value, n=n)
    effective = _effective_rows(hits, codes)
    quantile = t_quantile(level, cluster_freedom(codes, n))
    low, high = score_bounds(np.array(value * effective), np.array(effective), quantile)
    return Interval(
        value, float(low), float(high), n, f"Wilson at {effective:.0f} effective rows, {count} clusters, {level:.0%}"
    )


def _effective_rows(numbers: Floats, codes: Ints) -> float:
    """Return how many independent rows know the mean as well as these rows in their two or more clusters do."""
    residuals = numbers - numbers.mean()
    variance = mean_variance(residuals, codes)
    spread = float(residuals @ residuals) / len(numbers)
    return min(float(len(numbers)), spread / variance) if variance > TINY else float(codes.max() + 1)


def held_back(rho: float, one: float, two: float, n: float) -> float:
    """Return a correlation of two shares of n rows, drawn towards 0 where it is positive, by Newcombe's continuity correction.

    Newcombe 1998 (Statistics in Medicine 17:2635), method 10: without it shares that agree in all rows differ by 0 for sure.
    """
    spread = math.sqrt(one * (1 - one) * two * (1 - two))
    if rho <= 0:
        return rho
    return max(0.0, rho - 1 / (2 * n * spread)) if spread > TINY else 0.0


def effective_rows(hits: Floats, codes: Ints | None) -> float:
    """Return how many independent rows know a share as well; all where codes is None, 1 in a single cluster."""
    if codes is None:
        return float(len(hits))
    return _effective_rows(hits, codes) if codes.max() > 0 else 1.0


def design_of(numbers: Floats, codes: Ints | None, level: float) -> Design:
    """Return `design_effect` of checked numbers."""
    n, spread = len(numbers), float(numbers.std()) if len(numbers) else 0.0
    if codes is None or n < 2:
        return Design(1.0, z_quantile(level))
    if codes.max() < 1:
        return Design(float(n), t_quantile(level, 1.0))
    scaled = (numbers - numbers.mean()) / spread if spread > 0 else np.zeros(n)
    return Design(n / _effective_rows(scaled, codes), t_quantile(level, cluster_freedom(codes, n)))


def gap_of(confidence: Floats, correct: Floats, codes: Ints | None, level: float) -> Interval:
    """Return `confidence_gap` of checked pairs."""
    n = len(correct)
    if n < 2:
        return undefined("fewer than two rows", value=float(confidence[0] - correct[0]) if n else float("nan"), n=n)
    stated, right = mean_of(confidence, codes, level), proportion_of(correct, codes, level)
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
