"""Errors dealt out anew, as they would lie if no column had to do with them.

Independent rows exchange their errors. Rows in clusters do in two ways at once: whole clusters of one size exchange their lists of
errors, and each list is shuffled; so a column that is the same throughout a cluster and one that varies inside it are both
tested with the dependence that the data have. Clusters whose size few others share exchange with those next in size,
cut or repeated to fit, which is approximate.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.stats._checks import Floats, Ints
from workbench.stats._slice_family import Block, Cells

__all__ = ["Deal", "deal", "standardised"]

FEWEST = 20  # clusters that exchange their errors


class Deal(NamedTuple):
    """Sums of errors `(C, draws + 1)` by cell, the observed ones first; means of each draw; and how they were dealt."""

    sums: NDArray[np.float32]
    means: Floats
    spread: float  # variance of a row's error
    independent: bool
    how: str


def deal(error: Floats, cells: Cells, clusters: Ints | None, *, draws: int, seed: int) -> Deal:
    """Return the observed errors and `draws` ways of dealing them out anew; the order of the rows changes nothing.

    >>> cells = Cells(np.array([[0], [1]]), np.array([0, 0, 1, 1]))
    >>> deal(np.array([1.0, 1.0, 0.0, 0.0]), cells, None, draws=3, seed=0).sums[:, 0].tolist()
    [2.0, 0.0]
    """
    rng = np.random.default_rng([seed, 23])
    keys = (error, cells.of) if clusters is None else (error, cells.of, clusters)
    order = np.lexsort(keys)  # rows that are alike are the same row: their order cannot matter
    given, cell = error[order], cells.of[order]
    exchange = None if clusters is None else _exchange(clusters[order])
    how = "rows exchanged" if exchange is None else exchange.how
    sources: Iterator[Ints] = (rng.permutation(len(given)) for _ in range(draws))
    sources = sources if exchange is None else _clustered(exchange, rng, draws)
    sums = np.empty((len(cells.kinds), draws + 1), dtype=np.float32)
    means = np.empty(draws + 1)
    sums[:, 0], means[0] = np.bincount(cell, weights=given, minlength=len(sums)), given.mean()
    for at, source in enumerate(sources, start=1):
        drawn = given[source]
        sums[:, at], means[at] = np.bincount(cell, weights=drawn, minlength=len(sums)), drawn.mean()
    return Deal(sums, means, float(given.var()), clusters is None, how)


class _Exchange(NamedTuple):
    """Rows sorted by cluster: cluster and place inside it of each row; start and size of each cluster; who exchanges."""

    cluster: Ints
    inside: Ints
    start: Ints
    size: Ints
    strata: list[Ints]
    how: str


def _exchange(clusters: Ints) -> _Exchange:
    size = np.bincount(clusters)
    start = np.cumsum(size) - size
    strata: list[Ints] = []
    waiting: list[Ints] = []
    for one in np.unique(size):
        waiting.append(np.flatnonzero(size == one))
        if sum(map(len, waiting)) >= FEWEST:
            strata.append(np.concatenate(waiting))
            waiting = []
    if waiting:
        strata = [*strata[:-1], np.concatenate([*strata[-1:], *waiting])]
    alike = all(np.ptp(size[stratum]) == 0 for stratum in strata)
    how = "clusters of one size exchanged and shuffled inside"
    how = how if alike else "clusters of like size exchanged (approximate) and shuffled inside"
    return _Exchange(clusters, np.arange(len(clusters)) - start[clusters], start, size, strata, how)


def _clustered(given: _Exchange, rng: np.random.Generator, draws: int) -> Iterator[Ints]:
    """Yield which row's error each row takes."""
    for _ in range(draws):
        shuffled = np.argsort(given.cluster + rng.random(len(given.cluster)))  # inside clusters alone
        donor = np.arange(len(given.size))
        for stratum in given.strata:
            donor[stratum] = rng.permutation(stratum)
        mine = donor[given.cluster]
        yield shuffled[given.start[mine] + given.inside % given.size[mine]]


def standardised(block: Block, dealt: Deal, total: int) -> Floats:
    """Return how far the errors of each slice lie above those of all `(s, draws + 1)`, in deviations of the draws."""
    from scipy.sparse import csr_array

    inside = np.flatnonzero(block.place >= 0)
    ones = np.ones(len(inside), dtype=np.float32)
    shape = (len(block.rows), len(block.place))
    sums = csr_array((ones, (block.place[inside], inside)), shape=shape) @ dealt.sums
    above = sums.astype(np.float64) - block.rows[:, None] * dealt.means
    if dealt.independent:
        middle = np.zeros(len(above))
        deviation = np.sqrt(block.rows * (total - block.rows) / max(1, total - 1) * dealt.spread)
    else:  # the observed errors are one of the draws, so that the test stays exact
        middle, deviation = above.mean(axis=1), above.std(axis=1)
    still = deviation <= 1e-6 * block.rows
    found = (above - middle[:, None]) / np.where(still, 1.0, deviation)[:, None]
    found[still] = 0.0
    return np.asarray(found, dtype=np.float64)
