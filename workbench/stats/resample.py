"""Intervals of any number that is a function of sums: the cluster bootstrap as one matrix product.

Most metrics of bias are functions of a few counts (hits and items by condition) or of means over terms. Rows of one template or
term are near copies, so that clusters are drawn, not rows: a draw is a vector of multinomial weights, and the sums of all draws
are the weights times the sums per cluster. Clusters with the same sums are one column with a count, which makes 1,000 draws of
20,000 rows a matter of milliseconds.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import DataError, UsageError
from workbench.stats._checks import check_clusters
from workbench.stats._intervals import Interval, t_quantile, undefined

__all__ = ["Statistic", "bootstrap", "drawn_sums"]

Floats = NDArray[np.float64]
Statistic = Callable[[Floats], Floats]  # sums (..., k) -> values (...); NaN where the sums do not define it

CELLS = 4_000_000  # weights drawn at once
MOST_UNDEFINED = 0.05  # share of draws without a value above which there is no interval


def bootstrap(
    table: ArrayLike,
    statistic: Statistic,
    *,
    clusters: ArrayLike | None = None,
    draws: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Return a statistic of column sums with a cluster-bootstrap interval; n counts the rows.

    The interval is the expanded percentile interval (Hesterberg 2015, arXiv 1411.5279): the percentiles are moved outwards so
    that with m clusters it is as wide as Student's t on m - 1 degrees of freedom would have it, where the plain one is too narrow.
    Draws in which the statistic is undefined (a group that was not drawn) are left out and counted in `method`; above 5 % of
    them, with fewer than two clusters, or where no draw differs from another there is no interval, and `method` says why.

    Args:
        table: `(n, k)` numbers of each row, finite: what is to be summed.
        statistic: sums `(..., k)` to values `(...)`; it sees the sums of all draws at once.
        clusters: `(n,)` what was drawn independently; each row where it is None.
        draws: bootstrap draws.
        seed: of the draws; the order of the rows changes nothing.
        level: nominal coverage.

    Raises `DataError` for a table that is not finite numbers, `UsageError` for draws below 20.

    >>> hits = np.array([[1.0, 1.0], [0.0, 1.0], [1.0, 1.0], [1.0, 1.0]])  # hit, and 1 to count
    >>> found = bootstrap(hits, lambda sums: sums[..., 0] / sums[..., 1])
    >>> round(found.value, 3), found.n, found.low < 0.5 < found.high
    (0.75, 4, True)
    """
    rows = _checked(table, draws)
    if not len(rows):
        return undefined("no rows")
    value = float(statistic(rows.sum(axis=0)))
    codes = check_clusters(clusters, len(rows))
    sums = rows if codes is None else _sums(rows, codes)
    m = len(sums)
    if not np.isfinite(value):
        return undefined("not defined for these rows", n=len(rows))
    if m < 2:
        return undefined("one cluster only", value=value, n=len(rows))
    found = statistic(drawn_sums(sums, draws=draws, seed=seed))
    known = found[np.isfinite(found)]
    lost = draws - len(known)
    if lost > MOST_UNDEFINED * draws:
        return undefined(f"{lost} of {draws} draws do not define it", value=value, n=len(rows))
    if np.ptp(known) <= 1e-12 * max(1.0, abs(value)):
        return undefined("all clusters agree, so that resampling shows no spread", value=value, n=len(rows))
    from scipy.special import ndtr

    tail = float(ndtr(-np.sqrt(m / (m - 1)) * t_quantile(level, m - 1)))
    low, high = np.quantile(known, [tail, 1 - tail])
    what = "clusters" if codes is not None else "rows"
    left = f", {lost} draws undefined" if lost else ""
    return Interval(
        value, float(low), float(high), len(rows), f"bootstrap of {m} {what}, {draws} draws, expanded percentile{left}"
    )


def drawn_sums(sums: Floats, *, draws: int, seed: int) -> Floats:
    """Return the column sums `(draws, k)` of resampled clusters, given the sums of each `(m, k)`.

    >>> drawn_sums(np.ones((5, 1)), draws=2, seed=0).tolist()
    [[5.0], [5.0]]
    """
    kinds, counts = np.unique(sums, axis=0, return_counts=True)  # sorted: the order of clusters changes nothing
    m = int(counts.sum())
    rng = np.random.default_rng([seed, 7])
    size = max(1, CELLS // len(counts))
    parts = [rng.multinomial(m, counts / m, min(size, draws - start)) @ kinds for start in range(0, draws, size)]
    return np.concatenate(parts)


def _sums(rows: Floats, codes: NDArray[np.intp]) -> Floats:
    """Return the sums of each cluster `(m, k)`."""
    return np.stack([np.bincount(codes, weights=column) for column in rows.T], axis=1)


def _checked(table: ArrayLike, draws: int) -> Floats:
    rows = np.asarray(table, dtype=np.float64)
    if rows.ndim != 2:
        raise DataError(f"table must be (rows, columns); its shape is {rows.shape}. Stack one column per sum.")
    if not np.isfinite(rows).all():
        bad = int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0])
        raise DataError(f"table has a value that is NaN or infinite in row {bad}. Leave such rows out and count them.")
    if draws < 20:
        raise UsageError(f"draws must be at least 20; it is {draws}. Use 1000.")
    return rows
