"""p-values of the two-sample Kolmogorov-Smirnov distance: exact for few rows, of the limit distribution for many."""

import numpy as np

from workbench.stats._checks import Floats, Ints

__all__ = ["EXACT", "ks_limit", "ks_p"]

EXACT = 10_000  # rows of one set times rows of the other up to which all orders of the rows are counted
SMALL, LARGE = 100, 1000  # sizes n m / (n + m) between which p-values of more rows are computed in three ways
TAIL, GOOD = 1.2, 0.08


def ks_p(distance: Floats, n: Ints, m: Ints) -> Floats:
    """Return the p-values of distances (k,) between sets of (k,) rows each; NaN where a distance is.

    Exact where n m <= `EXACT` (too large where values tie), of the limit distribution above. Small sizes n m / (n + m) have
    probability 0 at distance 1 there: p is never below 2 / C(n + m, n), the share of the two orders that keep the sets apart.

    >>> ks_p(np.array([1.0, 0.5]), np.array([2, 2]), np.array([2, 2])).round(3).tolist()
    [0.333, 1.0]
    """
    from scipy.special import betaln

    few = n * m <= EXACT
    p = np.full(len(distance), np.nan)
    if (~few).any():
        n_many, m_many = n[~few], m[~few]
        floor = 2 * (n_many + m_many + 1.0) * np.exp(betaln(n_many + 1, m_many + 1))
        p[~few] = np.fmax(_limit_p(distance[~few], n_many, m_many), floor)
        p[~few] = np.where(np.isnan(distance[~few]), np.nan, p[~few])
    known = few & ~np.isnan(distance) & (n > 0) & (m > 0)
    for one, other in {(int(a), int(b)) for a, b in zip(n[known], m[known], strict=True)}:
        mine = known & (n == one) & (m == other)
        steps, back = np.unique(np.rint(distance[mine] * one * other).astype(np.int64), return_inverse=True)
        p[mine] = _exact_p(steps, one, other)[back]
    return np.asarray(np.clip(p, 0, 1))


def ks_limit(level: float, n: int, m: int) -> float:
    """Return the largest distance whose p-value is above the level, for sets of n and m rows.

    >>> ks_limit(0.05, 3, 3), ks_limit(0.05, 4, 4)
    (1.0, 0.75)
    """
    if n * m > EXACT:
        from scipy.stats import kstwo

        return float(kstwo.isf(level, max(1, round(n * m / (n + m)))))
    most, low, high = n * m, 0, n * m + 1  # p falls with the steps: above the level at low, not at high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _exact_p(np.array([middle]), n, m)[0] > level else (low, middle)
    reached = np.add.outer(np.arange(n + 1) * m, -np.arange(m + 1) * n)  # steps that a distance can have
    return float(np.abs(reached)[np.abs(reached) <= low].max() / most)


def _exact_p(steps: Ints, n: int, m: int) -> Floats:
    """Return the share of orders of n and m rows whose distance is at least steps / (n m), (k,).

    An order is a path from (0, 0) to (n, m). The paths that have been so far from the diagonal are counted row by row: all that
    lead to a point so far away, and to a nearer one those of its two neighbours. Nothing is subtracted: small shares are exact.
    """
    n, m = min(n, m), max(n, m)
    at = np.arange(m + 1) * n
    every = np.ones(m + 1)  # paths to each point of the row
    far = np.zeros((len(steps), m + 1))
    for row in range(n + 1):
        every = every if row == 0 else np.cumsum(every)
        near = np.abs(row * m - at) < steps[:, None]
        first = near.argmax(axis=1)
        before = np.where(first > 0, every[first - 1], 0.0)
        found = np.cumsum(np.where(near, far, 0.0), axis=1) + before[:, None]
        far = np.where(near, found, every)
    return np.where(steps > 0, far[:, -1] / every[-1], 1.0)


def _limit_p(distance: Floats, n: Ints, m: Ints) -> Floats:
    """Return the p-values of distances: SciPy's kstwo where n m / (n + m) is small, faster forms of it above.

    Body: Kolmogorov's limit with the correction of Vrbik (2018, Pioneer J. Theoret. Appl. Stat. 15); tail: twice the one-sided
    probability, by its expansion in 1 / sqrt(n) (Lauwerier 1963) where that is good to 0.1 %.
    """
    from scipy.special import kolmogorov, smirnov
    from scipy.stats import kstwo

    sizes = np.maximum(np.round(n * m / np.maximum(n + m, 1)), 1).astype(np.float64)
    z, t = distance * np.sqrt(sizes), distance  # t = z / sqrt(sizes)
    p = np.asarray(kolmogorov(z + 1 / (6 * np.sqrt(sizes)) + (z - 1) / (4 * sizes)))
    square = z * z
    series = 1 - 2 * t / 3 + (2 * t * t / 3) * (1 - 2 * square / 3)
    series += 4 * t / (9 * sizes) * (0.2 - 19 * square / 15 + 2 * square * square / 3)
    fits = square * square <= GOOD * sizes
    p = np.where((z >= TAIL) & fits, 2 * np.exp(-2 * square) * series, p)
    for some, exact in ((sizes < SMALL, kstwo.sf), ((sizes >= SMALL) & (sizes < LARGE) & (z >= TAIL) & ~fits, smirnov)):
        if some.any():  # slow: each distance once
            pairs, back = np.unique(np.array([distance[some], sizes[some]]), axis=1, return_inverse=True)
            p[some] = exact(*pairs)[back] if exact is not smirnov else 2 * smirnov(pairs[1].astype(int), pairs[0])[back]
    return np.asarray(np.clip(p, 0, 1))
