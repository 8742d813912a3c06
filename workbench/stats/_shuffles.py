"""Group labels shuffled under "the group means nothing", with what belongs together kept together.

What is shuffled is the rows of one cluster and group, a *piece*. Each piece has a place: its cluster, its group and its number of
rows. A shuffle keeps the places and hands round the means. To hand round the pieces with their rows would give a group of small
clusters the large ones of another, whose means vary less (or more): p <= 0.05 in 27 % of data sets without a difference.
"""

from typing import NamedTuple

import numpy as np

from workbench.stats._checks import Floats, Ints

__all__ = ["Pieces", "Sums", "pieces_of", "shuffled_means", "shuffles", "sums_of"]

CELLS = 4_000_000  # places shuffled at once
CROSSED = 0.5  # share of clusters with several groups from which labels stay in their cluster


class Pieces(NamedTuple):
    """The pieces (m,), sorted by group and content, and the piece of each row (n,)."""

    group: Ints
    cluster: Ints
    of_row: Ints
    within: bool  # whether labels stay in their cluster


class Sums(NamedTuple):
    """Of each piece (m,): how many rows count, their sum and their sum of squares."""

    sizes: Floats
    sums: Floats
    squares: Floats


def pieces_of(numbers: Floats, group: Ints, codes: Ints | None) -> Pieces:
    """Return the pieces of rows in an order that depends on their content alone; each row is one where codes is None."""
    if codes is None:
        order = np.lexsort((numbers, group))
        of_row = np.empty(len(order), dtype=np.intp)
        of_row[order] = np.arange(len(order))
        return Pieces(group[order], np.zeros(len(order), dtype=np.intp), of_row, within=False)
    of_groups = int(group.max()) + 1
    keys, inverse = np.unique(codes * of_groups + group, return_inverse=True)
    sums, sizes = np.bincount(inverse, weights=numbers), np.bincount(inverse)
    own, cluster = (keys % of_groups).astype(np.intp), (keys // of_groups).astype(np.intp)
    _, held = np.unique(cluster, return_counts=True)
    order = np.lexsort((sizes, sums, own))
    place = np.empty(len(order), dtype=np.intp)
    place[order] = np.arange(len(order))
    return Pieces(own[order], cluster[order], place[inverse], within=bool((held > 1).mean() >= CROSSED))


def sums_of(
    pieces: Pieces, numbers: Floats, counted: "np.ndarray[tuple[int], np.dtype[np.bool_]] | None" = None
) -> Sums:
    """Return the sums of each piece over the rows that count, all of them where `counted` is None."""
    weight = np.ones(len(numbers)) if counted is None else counted.astype(np.float64)
    m = len(pieces.group)
    rows, total, squares = (
        np.asarray(np.bincount(pieces.of_row, weights=weight * part, minlength=m), dtype=np.float64)
        for part in (1.0, numbers, numbers**2)
    )
    return Sums(rows, total, squares)


def shuffles(block: Ints, draws: int, rng: np.random.Generator) -> "list[Ints]":
    """Return permutations of the places within each block, in parts `(d, m)` of at most `CELLS` places.

    >>> np.sort(shuffles(np.array([0, 1, 0]), 2, np.random.default_rng(0))[0], axis=1).tolist()
    [[0, 1, 2], [0, 1, 2]]
    """
    m = len(block)
    home = np.argsort(block, kind="stable")
    size = max(1, CELLS // m)
    found = []
    for start in range(0, draws, size):
        shape = (min(size, draws - start), m)
        if (block == block[0]).all():
            found.append(rng.permuted(np.broadcast_to(np.arange(m), shape), axis=1))
            continue
        made = np.empty(shape, dtype=np.intp)
        made[:, home] = np.argsort(block + rng.random(shape), axis=1)
        found.append(made)
    return found


def shuffled_means(
    pieces: Pieces, sums: "list[Sums]", size: int, *, draws: int, rng: np.random.Generator
) -> "list[Floats]":
    """Return the mean of each group `(draws, size)` for each of several sums, all under the same shuffles; NaN for no rows.

    Only pieces that count in the same of the sums are exchanged, so that every place has a mean.
    """
    pattern = sum((one.sizes > 0).astype(np.intp) << at for at, one in enumerate(sums))
    kinds = 1 << len(sums)
    block = (pieces.cluster if pieces.within else 0 * pieces.cluster) * kinds + pattern
    plans = [_plan(pieces, one) for one in sums]
    found: list[list[Floats]] = [[] for _ in sums]
    for shuffle in shuffles(block, draws, rng):
        for at, (one, plan) in enumerate(zip(sums, plans, strict=True)):
            made = (plan.middle + plan.scale * plan.score[shuffle]) * one.sizes
            found[at].append(_by_group(made, one.sizes, pieces.group, size))
    return [np.concatenate(parts) for parts in found]


class _Plan(NamedTuple):
    """A piece's mean is middle + scale * score: what stays with the place, and what is handed round."""

    middle: float
    scale: Floats
    score: Floats


def _plan(pieces: Pieces, sums: Sums) -> _Plan:
    """Return how means are made alike before they are handed round.

    Over clusters, means of many rows vary less where rows of a cluster are hardly alike, so that deviations are divided by
    sqrt(between + inside / rows), with variances by the method of moments within groups. Within clusters means stay as they are:
    then what the groups of a cluster have in common cancels.
    """
    some = sums.sizes > 0
    n = np.maximum(sums.sizes, 1)
    means = sums.sums / n
    same = _Plan(0.0, np.ones(len(n)), means)
    inside_rows = float((n[some] - 1).sum())
    if pieces.within or not inside_rows:
        return same
    inside = max(0.0, float((sums.squares - sums.sums * means)[some].sum()) / inside_rows)
    of_group = [np.bincount(pieces.group, weights=part * some) for part in (sums.sizes, sums.sums, sums.sizes**2, 1.0)]
    rows, total, squares, count = of_group
    held = rows > 0
    off = sums.sizes * (means - (total / np.maximum(rows, 1))[pieces.group]) ** 2
    worth = float((rows[held] - squares[held] / rows[held]).sum())
    between = max(0.0, (float(off.sum()) - (count.sum() - held.sum()) * inside) / worth) if worth > 0 else 0.0
    scale = np.sqrt(between + inside / n)
    if not (scale > 0).all():
        return same
    weight = some / scale**2
    middle = float((weight * means).sum() / weight.sum())
    return _Plan(middle, scale, (means - middle) / scale)


def _by_group(sums: Floats, sizes: Floats, group: Ints, size: int) -> Floats:
    """Return the means of groups `(draws, size)` of sums `(draws, m)` whose groups are sorted."""
    starts = np.flatnonzero(np.r_[True, np.diff(group) > 0])
    found = np.full((len(sums), size), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        found[:, group[starts]] = np.add.reduceat(sums, starts, axis=1) / np.add.reduceat(sizes, starts)
    return found
