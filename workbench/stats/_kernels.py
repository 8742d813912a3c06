"""Kernels between rows, in strips of the upper triangle: half the work of the whole, and what quadratic forms need.

A kernel is `exp(-d^2 / (2 s^2))` of the distance d (RBF, width s), or `-d` (energy). Small tables are computed in float64, large
ones in float32 with the kernel centred, so that what is left to add up is as small as the differences that are looked for.
"""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.stats._checks import Floats

__all__ = ["DOUBLE_ROWS", "Kernel", "Strips", "median_distance", "pair_matrix", "strips_of"]

DOUBLE_ROWS = 1500  # rows up to which all is float64
WIDTH_ROWS = 1000  # rows between which the median distance is taken
STRIPS = 8
Reals = NDArray[np.floating[Any]]


class Kernel(NamedTuple):
    """A kernel: RBF of a width, or minus the distance where the width is None."""

    width: float | None

    def between(self, a: Reals, b: Reals) -> Reals:
        """Return the kernel (n, m) between the rows of two tables, in their own precision."""
        made = (-2.0 * a) @ b.T if self.width is None else a @ b.T
        square_a, square_b = ((part * part).sum(axis=1) for part in (a, b))
        if self.width is None:
            made += square_a[:, None]
            made += square_b
            np.maximum(made, 0, out=made)
            np.sqrt(made, out=made)
            np.negative(made, out=made)
            return made
        scale = made.dtype.type(1 / self.width**2)
        made *= scale
        made -= (square_a * (scale / 2))[:, None]
        made -= square_b * (scale / 2)
        np.minimum(made, 0, out=made)
        np.exp(made, out=made)
        return made


class Strips(NamedTuple):
    """The upper triangle of a centred kernel (N, N) with zero diagonal: strip i has rows edges[i] to edges[i + 1].

    The kernel itself is strip + offsets[row] + offsets[column]; `sums` are those of its rows.
    """

    strips: list[Reals]
    edges: list[int]
    offsets: Floats
    sums: Floats

    def forms(self, labels: NDArray[np.float32] | Floats) -> Floats:
        """Return a' K a for each row a of labels (draws, N), K the kernel with zero diagonal."""
        found = np.zeros(len(labels))
        for strip, (low, high) in zip(self.strips, pairwise(self.edges), strict=True):
            given = labels.astype(strip.dtype, copy=False)
            product = given[:, low:high] @ strip
            product *= given[:, low:]
            found += 2 * product.sum(axis=1, dtype=np.float64)
            found -= product[:, : high - low].sum(axis=1, dtype=np.float64)
        return np.asarray(found + 2 * labels.sum(axis=1, dtype=np.float64) * (labels @ self.offsets))


def strips_of(rows: Reals, kernel: Kernel) -> Strips:
    """Return the kernel of all rows (N, d) with one another, centred."""
    total = len(rows)
    edges = np.unique(np.linspace(0, total, STRIPS + 1).astype(int)).tolist()
    strips, sums = [], np.zeros(total)
    for low, high in pairwise(edges):
        strip = kernel.between(rows[low:high], rows[low:])
        strip[np.arange(high - low), np.arange(high - low)] = 0
        sums[low:high] += strip.sum(axis=1, dtype=np.float64)
        sums[high:] += strip[:, high - low :].sum(axis=0, dtype=np.float64)
        strips.append(strip)
    means = sums / total
    offsets = (means - means.mean() / 2).astype(rows.dtype)
    for strip, (low, high) in zip(strips, pairwise(edges), strict=True):
        strip -= offsets[low:high, None]
        strip -= offsets[low:]
    return Strips(strips, edges, offsets.astype(np.float64), sums)


def pair_matrix(first: Reals, second: Reals, kernel: Kernel) -> Reals:
    """Return k(x_i, x_j) + k(y_i, y_j) - k(x_i, y_j) - k(x_j, y_i) of pairs (n, n), 0 on the diagonal."""
    n = len(first)
    found = np.empty((n, n), first.dtype)
    for low, high in pairwise(np.unique(np.linspace(0, n, STRIPS + 1).astype(int)).tolist()):
        wide = high - low
        rows = np.concatenate([first[low:high], second[low:high]])
        block = kernel.between(rows, np.concatenate([first[low:], second[low:]]))
        left, right = block[:, : n - low], block[:, n - low :]
        made = left[:wide] + right[wide:]
        made -= right[:wide]
        made -= left[wide:]
        found[low:high, low:] = made
        found[high:, low:high] = made[:, wide:].T
    np.fill_diagonal(found, 0)
    return found


def median_distance(rows: Reals, rng: np.random.Generator) -> float:
    """Return the median distance between rows, at most 1,000 of them drawn at random; 1 where all rows are alike."""
    some = rows if len(rows) <= WIDTH_ROWS else rows[rng.choice(len(rows), WIDTH_ROWS, replace=False)]
    some = np.asarray(some, dtype=np.float64)
    distances = -Kernel(None).between(some, some)[np.triu_indices(len(some), 1)]
    middle = float(np.median(distances)) if len(distances) else 0.0
    apart = distances[distances > 0]
    return middle or (float(apart.mean()) if len(apart) else 1.0)
