"""Tests of slices in rows that had no part in finding them: each slice against the rest, many slices at once.

Independent rows of 0 and 1: Fisher's exact test. All else: values are dealt out anew over the rows (with clusters: whole clusters
exchange theirs, and rows inside one theirs, as `workbench.stats.slices.search` does), which makes no claim about their law. The
p-value of a statistic that fewer than ten draws reach is read from a gamma law with the draws' mean, variance and skewness (Winkler
et al. 2016, NeuroImage 141:502): a family of 200 slices needs p-values far below 1/draws.

Dealing out asks whether slice and rest are alike in all, not whether their means are: where a small part spreads wider than a large
one it rejects equal means in up to four of ten studies (deviations 3 to 1, shares 1 to 19). So Welch's t of the same two means,
cluster-robust, is asked beside it, and the larger p-value counts: the level is kept where either is right.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import DataError, UsageError
from workbench.stats._checks import Floats, Ints, check_clusters, check_scores
from workbench.stats._slice_draws import deal, standardised
from workbench.stats._slice_family import Block, cells_of
from workbench.stats._slice_parts import is_binary
from workbench.stats._slice_welch import welch

__all__ = ["SliceTests", "slice_tests"]

CHUNK = 32  # slices whose cells are counted together
FEW = 10  # draws at least as extreme from which their share is the p-value
SLACK = 1e-5  # deviations that count as a tie


class SliceTests(NamedTuple):
    """p-values of slices `(k,)`, NaN for one without rows or without a rest, and the test in words."""

    p: Floats
    how: str


def slice_tests(
    members: ArrayLike,
    values: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    direction: ArrayLike | None = None,
    draws: int = 1999,
    seed: int = 0,
) -> SliceTests:
    """Return for each slice the p-value that its mean is that of the rest.

    Args:
        members: `(n, k)` which rows are in each slice.
        values: `(n,)` finite numbers.
        clusters: `(n,)` what was drawn independently.
        direction: `(k,)` 1 or -1 where it was foretold whether the slice lies above or below, 0 (the default) for two-sided.
        draws: ways of dealing the values out anew.
        seed: of the draws; the order of the rows changes nothing.

    >>> inside = np.array([[True], [True], [True], [True], [False], [False], [False], [False]])
    >>> slice_tests(inside, [1, 1, 1, 0, 0, 0, 0, 1]).p.round(4).tolist()
    [0.4857]
    """
    inside, numbers = np.asarray(members, dtype=bool), check_scores(values, "values")
    if inside.ndim != 2 or len(inside) != len(numbers):
        raise DataError(f"members must be (rows, slices) of {len(numbers)} rows; the shape is {inside.shape}.")
    if draws < 99:
        raise UsageError(f"draws must be at least 99; it is {draws}. Use 1999.")
    k = inside.shape[1]
    sides = np.zeros(k, dtype=int) if direction is None else np.sign(np.asarray(direction)).astype(int)
    if sides.shape != (k,):
        raise DataError(f"direction must have one number for each of {k} slices; the shape is {sides.shape}.")
    owners = check_clusters(clusters, len(numbers))
    if owners is None and is_binary(numbers):
        found = [_fisher(inside[:, at], numbers, int(sides[at])) for at in range(k)]
        return SliceTests(np.array(found, dtype=np.float64), "Fisher's exact test")
    by_t = [welch(inside[:, at], numbers, owners, int(sides[at])) for at in range(k)]
    numbers = np.ldexp(numbers, -int(np.frexp(numbers.std())[1]))  # in units of its spread, exactly: ties stay ties
    p, how = np.full(k, np.nan), "rows exchanged"
    for start in range(0, k, CHUNK):
        some = np.arange(start, min(start + CHUNK, k))
        p[some], how = _dealt(inside[:, some], (numbers, owners), sides[some], (draws, seed))
    p = np.where(np.isnan(p), p, np.fmax(p, by_t))
    return SliceTests(p, f"permutation, {how}, {draws:,} draws, gamma tail; Welch's t where its p is larger")


def _fisher(mine: NDArray[np.bool_], values: Floats, side: int) -> float:
    """Return the p-value of Fisher's exact test; two-sided: of all tables no likelier than the one seen."""
    from scipy.special import gammaln

    total, n, hits, seen = len(mine), int(mine.sum()), int(values.sum()), int(values[mine].sum())
    if not 0 < n < total:
        return float("nan")
    ways = np.arange(max(0, n + hits - total), min(n, hits) + 1)

    def choose(a: int, b: "Ints | int") -> Floats:
        return np.asarray(gammaln(a + 1) - gammaln(np.asarray(b) + 1) - gammaln(a - np.asarray(b) + 1))

    chance = np.exp(choose(hits, ways) + choose(total - hits, n - ways) - choose(total, n))
    if side:
        return float(min(1.0, chance[ways >= seen if side > 0 else ways <= seen].sum()))
    return float(min(1.0, chance[chance <= chance[ways == seen] * (1 + 1e-7)].sum()))


def _dealt(
    inside: NDArray[np.bool_], rows: tuple[Floats, Ints | None], sides: Ints, how: tuple[int, int]
) -> tuple[Floats, str]:
    """Return the p-value of each slice by dealing the values out anew, and how they were dealt."""
    (values, owners), (draws, seed) = rows, how
    found = np.full(inside.shape[1], np.nan)
    cells = cells_of(inside.astype(np.intp))
    dealt = deal(values, cells, owners, draws=draws, seed=seed)
    for at in np.flatnonzero(inside.any(axis=0) & ~inside.all(axis=0)):
        place = (cells.kinds[:, at] - 1).astype(np.intp)
        block = Block((int(at),), place, np.array([float(inside[:, at].sum())]), np.zeros(1, dtype=np.intp))
        found[at] = _tail(standardised(block, dealt, len(values))[0], int(sides[at]))
    return found, dealt.how


def _tail(found: Floats, side: int) -> float:
    """Return the p-value of the first of some deviations, the others being those of the draws."""
    from scipy.stats import pearson3

    seen, drawn = (found if side == 0 else side * found)[0], (found if side == 0 else side * found)[1:]
    reached = np.abs(drawn) >= abs(seen) - SLACK if side == 0 else drawn >= seen - SLACK
    count = int(reached.sum())
    spread = float(drawn.std())
    if count >= FEW or spread <= 0:
        return (1 + count) / (1 + len(drawn))
    middle = float(drawn.mean())
    skew = float(((drawn - middle) ** 3).mean()) / spread**3
    law = pearson3(skew, loc=middle, scale=spread)
    beyond = law.sf(seen) if side else law.sf(abs(seen)) + law.cdf(-abs(seen))
    return float(np.clip(beyond, 1e-15, 1.0))
