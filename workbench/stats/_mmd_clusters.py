"""MMD and energy distance of rows that belong together: whole clusters change places, rows of one cluster are never compared.

A cluster that lies in one set moves as a whole: as many clusters as before are dealt to each set. One that lies in both (the same
authors before and after) changes its two parts' places or not. Both are exact where clusters are exchangeable in this way, whatever
the rows of a cluster have in common. The statistic is the mean kernel over pairs of rows of different clusters, so that what the
rows of a cluster have in common does not count as likeness of their set; it is unbiased.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from workbench.errors import DataError
from workbench.stats._checks import Floats, Ints
from workbench.stats._kernels import Kernel, Reals, Strips, strips_of

__all__ = ["FEWEST_CLUSTERS", "blocks_of", "by_clusters", "checked_clusters", "dealt_clusters"]

FEWEST_CLUSTERS = 2
AT_ONCE = 512  # draws in one product
ROOM = 2.0  # times `largest` that a block of whole clusters may hold


class Pieces(NamedTuple):
    """Parts of clusters in one set: of each its cluster (P,), whether it lies in the reference; and the piece of each row."""

    cluster: Ints
    first: "np.ndarray[tuple[int], np.dtype[np.bool_]]"
    of_row: Ints


def checked_clusters(first: object, second: object, n: int, m: int) -> tuple[Ints, Ints]:
    """Return the clusters of both sets as codes that are one for one name, or raise `DataError`.

    >>> [one.tolist() for one in checked_clusters(["a", "a", "b"], ["c", "d", "b"], 3, 3)]
    [[0, 0, 1], [2, 3, 1]]
    """
    sides = [np.asarray([str(one) for one in side]) for side in (first, second)]  # type: ignore[attr-defined]
    for name, side, rows in (("reference", sides[0], n), ("new", sides[1], m)):
        if len(side) != rows:
            raise DataError(f"clusters of {name} has {len(side)} entries for {rows} rows. Give one for each row.")
        if len(set(side)) < FEWEST_CLUSTERS:
            raise DataError(f"All rows of {name} are one cluster. A test by cluster needs two in each set, better ten.")
    _, codes = np.unique(np.concatenate(sides), return_inverse=True)
    return codes[:n], codes[n:]


def pieces_of(codes: Ints, n: int) -> Pieces:
    """Return the pieces of rows, n of them of the reference."""
    keys, of_row = np.unique(2 * codes + (np.arange(len(codes)) >= n), return_inverse=True)
    return Pieces(keys // 2, keys % 2 == 0, of_row)


def dealt_clusters(pieces: Pieces, draws: int, rng: np.random.Generator) -> Floats:
    """Return which pieces are in the reference (draws, P), 0 or 1, clusters dealt anew.

    >>> dealt_clusters(Pieces(np.arange(4), np.arange(4) < 2, np.arange(4)), 3, np.random.default_rng(0)).sum(axis=1).tolist()
    [2.0, 2.0, 2.0]
    """
    _, held, counts = np.unique(pieces.cluster, return_inverse=True, return_counts=True)
    alone = counts[held] == 1
    found = np.broadcast_to(pieces.first, (draws, len(alone))).astype(np.float64)
    found[:, alone] = rng.permuted(found[:, alone], axis=1)
    both = np.flatnonzero(~alone)  # sorted by cluster: its two pieces follow one another
    swap = np.repeat(rng.random((draws, len(both) // 2)) < 0.5, 2, axis=1)
    found[:, both] = np.where(swap, 1 - found[:, both], found[:, both])
    return found


def by_clusters(
    x: Reals, y: Reals, codes: tuple[Ints, Ints], kernel: Kernel, draws: int, rng: np.random.Generator
) -> Floats:
    """Return the statistic over rows of different clusters, observed first, of whole clusters dealt anew."""
    n = len(x)
    rows, pieces = np.concatenate([x, y]), pieces_of(np.concatenate(codes), n)
    strips, known = strips_of(rows, kernel), _within(rows, pieces, kernel)
    found = np.empty(1 + draws)
    for start in range(0, draws, AT_ONCE):
        many = min(AT_ONCE, draws - start)
        dealt = np.concatenate([pieces.first[None], dealt_clusters(pieces, many, rng)])
        made = _statistics(strips, pieces, known, dealt)  # the observed value by the same product, so that ties count
        found[start + (start > 0) : 1 + start + many] = made[int(start > 0) :]
    return found


class _Within(NamedTuple):
    """Kernel over the pairs of rows of each piece (P,), its rows; kernel and pairs between the parts of clusters in both sets."""

    sums: Floats
    sizes: Floats
    crossing: float
    crossing_pairs: float


def _within(rows: Reals, pieces: Pieces, kernel: Kernel) -> _Within:
    """Return what rows of one cluster add, which is taken out."""
    order = np.argsort(pieces.of_row, kind="stable")
    sizes = np.bincount(pieces.of_row, minlength=len(pieces.cluster))
    parts = np.split(order, np.cumsum(sizes)[:-1])
    sums, crossing, pairs = np.zeros(len(parts)), 0.0, 0.0
    for at, part in enumerate(parts):
        if len(part) > 1:
            own = kernel.between(rows[part], rows[part]).astype(np.float64)
            np.fill_diagonal(own, 0)
            sums[at] = own.sum()
        if at and pieces.cluster[at] == pieces.cluster[at - 1]:
            crossing += float(kernel.between(rows[parts[at - 1]], rows[part]).sum(dtype=np.float64))
            pairs += float(len(parts[at - 1]) * len(part))
    return _Within(sums, sizes.astype(np.float64), crossing, pairs)


def _statistics(strips: Strips, pieces: Pieces, known: _Within, dealt: Floats) -> Floats:
    """Return the statistic for each row of pieces dealt to the reference (draws, P)."""
    labels = dealt[:, pieces.of_row].astype(np.float32)
    n, own = dealt @ known.sizes, dealt @ known.sums
    m, other = known.sizes.sum() - n, known.sums.sum() - own
    square = dealt @ known.sizes**2
    xx, with_all = strips.forms(labels), labels @ strips.sums
    xy = with_all - xx
    yy = strips.sums.sum() - 2 * with_all + xx
    pairs_x, pairs_y = n**2 - square, m**2 - ((known.sizes**2).sum() - square)
    between = (xy - known.crossing) / (n * m - known.crossing_pairs)
    return np.asarray((xx - own) / pairs_x + (yy - other) / pairs_y - 2 * between)


def blocks_of(codes: tuple[Ints, Ints], largest: int, rng: np.random.Generator) -> Iterator[tuple[Ints, Ints]]:
    """Yield the rows of both sets in parts of whole clusters, about `largest` rows in each.

    Raises `DataError` where the clusters are too large for that.
    """
    n, total = len(codes[0]), len(codes[0]) + len(codes[1])
    both = np.concatenate(codes)
    names = np.unique(both)
    kind = np.isin(names, codes[0]) + 2 * np.isin(names, codes[1])  # 1: reference, 2: new, 3: both
    fewest = min(int((kind != 1).sum()), int((kind != 2).sum()))
    many = max(1, min(math.ceil(total / largest), fewest // FEWEST_CLUSTERS))
    part = np.empty(len(names), dtype=np.intp)
    for one in (1, 2, 3):
        mine = rng.permutation(np.flatnonzero(kind == one))
        part[mine] = np.arange(len(mine)) % many
    of_row = part[np.searchsorted(names, both)]
    sizes = np.bincount(of_row, minlength=many)
    if sizes.max() > max(ROOM * largest, largest + 100):
        raise DataError(
            f"{total:,} rows in few large clusters make one table of {int(sizes.max()):,} rows. Take some rows of each cluster."
        )
    for at in range(many):
        mine = np.flatnonzero(of_row == at)
        yield mine[mine < n], mine[mine >= n] - n
