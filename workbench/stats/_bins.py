"""Bins of checked numbers: what `workbench.stats.binning` and its siblings share."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.stats._checks import Floats, Ints

__all__ = [
    "BLOCK",
    "FEW",
    "NEAR",
    "Cells",
    "Scheme",
    "assign",
    "blocks",
    "cells_of",
    "edges",
    "gap_sums",
    "grouped_cells",
    "limits_of",
    "mass_edges",
    "place_in",
]

Scheme = Literal["width", "mass"]
NEAR = 1e-9  # bins this close to an edge (in bin widths) are compared with the edge itself
FEW = 64
BLOCK = 1 << 14


@dataclass(frozen=True)
class Cells:
    """Sums per non-empty bin, `(k,)` or `(2, k)` where missed rows come first and hit rows second."""

    bin: Ints
    lower: Floats
    upper: Floats
    counts: Floats  # (2, k) rows
    sums: Floats  # (2, k) sum of confidence
    squares: Floats  # (2, k) sum of squared confidence

    @property
    def n(self) -> Floats:
        """Rows per bin `(k,)`."""
        return np.asarray(self.counts.sum(axis=0))

    @property
    def hits(self) -> Floats:
        """Correct rows per bin `(k,)`."""
        return np.asarray(self.counts[1])

    @property
    def confidence(self) -> Floats:
        """Sum of confidence per bin `(k,)`."""
        return np.asarray(self.sums.sum(axis=0))

    @property
    def gap(self) -> Floats:
        """Hit rate minus mean confidence per bin `(k,)`."""
        return (self.hits - self.confidence) / self.n

    @property
    def rows(self) -> int:
        """All rows."""
        return int(self.counts.sum())


def edges(bins: int) -> Floats:
    """Return the edges `(bins + 1,)` of bins of equal width.

    >>> edges(10)[3] == 0.3, np.linspace(0, 1, 11)[3] == 0.3
    (np.True_, np.False_)
    """
    return np.arange(bins + 1) / bins


def mass_edges(confidence: ArrayLike, bins: int) -> Floats:
    """Return the edges of bins with nearly equal numbers of rows (Kumar et al. 2019, arXiv 1909.10155); equal ones merged.

    >>> mass_edges([0.1, 0.1, 0.1, 0.1, 0.7], 2)
    array([0. , 0.1, 1. ])
    """
    stated = np.asarray(confidence, dtype=np.float64)
    n = len(stated)
    sizes = np.full(bins, n // bins)
    sizes[: n % bins] += 1
    cuts = np.cumsum(sizes)[:-1]
    cuts = np.unique(cuts[(cuts > 0) & (cuts < n)])
    if not len(cuts):
        return np.array([0.0, 1.0])
    ranked = np.partition(stated, np.unique(np.concatenate([cuts - 1, cuts])))
    low, high = ranked[cuts - 1], ranked[cuts]
    middle = np.where(low == high, low, np.minimum((low + high) / 2, np.nextafter(high, -1)))
    return np.unique(np.concatenate([[min(0.0, middle[0])], middle, [1.0]]))


def assign(confidence: Floats, bins: int, scheme: str = "width") -> tuple[Ints, Floats]:
    """Return the bin of each row `(n,)` and the edges; confidences must have been checked.

    >>> assign(np.array([0.3, 0.29, 1.0]), 10)[0]
    array([3, 2, 9])
    """
    limits = limits_of(confidence, bins, scheme)
    place = np.empty(len(confidence), dtype=np.intp)
    for block in blocks(len(confidence)):
        place[block] = place_in(confidence[block], limits, scheme)
    return place, limits


def limits_of(confidence: Floats, bins: int, scheme: str) -> Floats:
    """Return the edges of either scheme."""
    return edges(bins) if scheme == "width" else mass_edges(confidence, bins)


def blocks(n: int) -> Iterator[slice]:
    """Yield slices of rows so short that what is computed on the way stays in the processor's cache."""
    for start in range(0, n, BLOCK):
        yield slice(start, min(n, start + BLOCK))


def place_in(confidence: Floats, limits: Floats, scheme: str) -> NDArray[np.int32]:
    """Return the bin of each row of a block."""
    bins = len(limits) - 1
    if scheme == "mass":
        inner = limits[1:-1]
        if bins > FEW:
            return np.searchsorted(inner, confidence, side="left").astype(np.int32)
        place = np.zeros(len(confidence), dtype=np.int32)
        for edge in inner:  # counting the edges below beats a search
            place += confidence > edge
        return place
    scaled = confidence * bins
    if _product_is_exact(bins):
        return np.minimum(scaled.astype(np.int32), bins - 1)
    scaled += NEAR
    place = scaled.astype(np.int32)  # ten times as fast as to int64 where the processor lacks AVX-512
    scaled -= place
    doubtful = np.flatnonzero(scaled < 2 * NEAR)
    if len(doubtful):
        at = np.minimum(place[doubtful], bins)
        place[doubtful] = np.minimum(at - (confidence[doubtful] < limits[at]), bins - 1)
    return place


@lru_cache(maxsize=64)
def _product_is_exact(bins: int) -> bool:
    """Return whether int(confidence x bins) is the bin for every float: rounding is monotone, so the edges decide."""
    whole, limits = np.arange(1, bins + 1), edges(bins)[1:]
    return bool((limits * bins >= whole).all() and (np.nextafter(limits, 0) * bins < whole).all())


def gap_sums(confidence: Floats, correct: Floats, limits: Floats, scheme: str) -> tuple[Floats, Floats]:
    """Return hits minus sum of confidence, and rows, per bin `(bins,)`, empty ones included."""
    size = len(limits) - 1
    gaps, n = np.zeros(size), np.zeros(size)
    for block in blocks(len(confidence)):
        place = place_in(confidence[block], limits, scheme)
        gaps += np.bincount(place, weights=correct[block] - confidence[block], minlength=size)
        n += np.bincount(place, minlength=size)
    return gaps, n


def cells_of(confidence: Floats, correct: Floats, limits: Floats, scheme: str) -> Cells:
    """Return the sums per non-empty bin of checked pairs."""
    return grouped_cells(None, 1, (confidence, correct), limits, scheme)[0]


def grouped_cells(
    codes: Ints | None, groups: int, pairs: tuple[Floats, Floats], limits: Floats, scheme: str
) -> list[Cells]:
    """Return the cells of many groups by one pass over the rows; codes: the group of each row."""
    confidence, correct = pairs
    size = len(limits) - 1
    total = 2 * groups * size
    counts, sums, squares = np.zeros(total), np.zeros(total), np.zeros(total)
    for block in blocks(len(confidence)):
        stated = confidence[block]
        key = 2 * place_in(stated, limits, scheme) + (correct[block] > 0)
        if codes is not None:
            key = key + 2 * size * codes[block]
        counts += np.bincount(key, minlength=total)
        sums += np.bincount(key, weights=stated, minlength=total)
        squares += np.bincount(key, weights=stated * stated, minlength=total)
    tables = [array.reshape(groups, size, 2) for array in (counts, sums, squares)]
    found = []
    for group in range(groups):
        full = np.flatnonzero(tables[0][group].any(axis=1))
        parts = (np.ascontiguousarray(table[group, full].T) for table in tables)
        found.append(Cells(full, limits[:-1][full], limits[1:][full], *parts))
    return found
