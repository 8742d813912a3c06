"""Every slice that a search may name: the conjunctions of column values that enough independent rows share.

Rows that are alike in all columns are one *cell*, so that what is done for each slice and each draw is done on cells. A *block*
holds the slices of one set of columns: they do not overlap, and a grouping of the cells counts all of them at once. That is a
few groupings for each set of columns where a matrix product or a lattice would touch every slice, and no slice is pruned, which
the correction for having looked at all of them needs.
"""

from itertools import combinations
from math import comb
from typing import NamedTuple

import numpy as np

from workbench.errors import UsageError
from workbench.stats._checks import Floats, Ints

__all__ = ["Block", "Cells", "blocks_of", "cells_of", "check_work"]

MOST = 5e10  # additions: a minute or two


class Cells(NamedTuple):
    """The distinct rows of the table of codes `(C, k)`, -1 for a blank, and the cell of each row `(n,)`."""

    kinds: Ints
    of: Ints

    @property
    def rows(self) -> Floats:
        """Rows of each cell `(C,)`."""
        return np.bincount(self.of, minlength=len(self.kinds)).astype(np.float64)


class Block(NamedTuple):
    """The slices of one set of columns: the slice of each cell `(C,)` or -1, rows in each `(s,)`, and a cell inside each."""

    columns: tuple[int, ...]
    place: Ints
    rows: Floats
    inside: Ints


def cells_of(codes: Ints) -> Cells:
    """Return the cells of codes `(n, k)`.

    >>> cells_of(np.array([[0, 1], [0, 1], [1, -1]])).rows.tolist()
    [2.0, 1.0]
    """
    kinds, place = np.unique(codes, axis=0, return_inverse=True)
    return Cells(kinds, np.ravel(place).astype(np.intp))


def check_work(columns: int, depth: int, cells: int, draws: int) -> None:
    """Raise `UsageError` where the search would take more than minutes.

    >>> check_work(10, 2, 1000, 1000)
    """
    sets = sum(comb(columns, size) for size in range(1, depth + 1))
    if float(sets) * cells * draws > MOST:
        raise UsageError(
            f"depth={depth} over {columns} columns means {sets:,} sets of columns, each with {draws:,} draws over {cells:,} "
            "kinds of rows. Name fewer columns, or use a smaller depth or fewer draws."
        )


def blocks_of(cells: Cells, clusters: Ints | None, *, depth: int, smallest: int) -> list[Block]:
    """Return the slices of up to `depth` columns that hold at least `smallest` clusters (rows where they are independent).

    Left out is a slice that holds the same rows as one with a column less, and one that holds all rows: they would be looked at
    twice, or have no rest to be compared with.

    >>> cells = cells_of(np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 3))
    >>> [len(block.rows) for block in blocks_of(cells, None, depth=2, smallest=2)]
    [2, 2, 4]
    """
    total, found = len(cells.of), []
    held: dict[tuple[int, ...], Floats] = {(): np.full(len(cells.kinds), float(total))}
    for size in range(1, depth + 1):
        for columns in combinations(range(cells.kinds.shape[1]), size):
            values = cells.kinds[:, columns]
            known = np.flatnonzero((values >= 0).all(axis=1))
            if not len(known):
                held[columns] = np.zeros(len(cells.kinds))
                continue
            _, first, group = np.unique(values[known], axis=0, return_index=True, return_inverse=True)
            place = np.full(len(cells.kinds), -1, dtype=np.intp)
            place[known] = np.ravel(group)
            rows = np.bincount(place[known], weights=cells.rows[known]).astype(np.float64)
            held[columns] = np.where(place >= 0, rows[place], 0.0)
            inside = known[first]
            kept = _units(place, cells.of, clusters, rows) >= smallest
            for parent in combinations(columns, size - 1):
                kept &= held[parent][inside] > rows
            if kept.any():
                renamed = np.where(kept, np.cumsum(kept) - 1, -1)
                place = np.where(place >= 0, renamed[place], -1).astype(np.intp)
                found.append(Block(columns, place, rows[kept], inside[kept].astype(np.intp)))
    return found


def _units(place: Ints, cell: Ints, clusters: Ints | None, rows: Floats) -> Floats:
    """Return how many clusters each slice has a row of; its rows where each is its own."""
    if clusters is None:
        return rows
    mine = place[cell]
    inside = mine >= 0
    count = int(clusters.max()) + 1
    pairs = np.unique(mine[inside].astype(np.int64) * count + clusters[inside])
    return np.bincount(pairs // count, minlength=len(rows)).astype(np.float64)
