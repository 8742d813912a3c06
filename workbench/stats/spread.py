"""How far apart groups are, beside how far apart chance alone would put them."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import DataError, UsageError
from workbench.stats._checks import check_clusters, check_scores
from workbench.stats._intervals import Interval, mean_of, proportion_of, undefined
from workbench.stats.resample import bootstrap

__all__ = ["against_rest", "spread"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
SHARED = 0.1  # share of clusters with members and others from which the two are no longer taken as independent
CELLS = 4_000_000  # sums shuffled at once


def spread(
    values: ArrayLike,
    groups: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    draws: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Return the largest group mean minus the smallest, with the band in which it falls where groups do not differ.

    The largest minus the smallest of several noisy means is never below zero, so that it has no honest interval near zero: a
    bootstrap would be shifted upwards. `high` is its `level` quantile where group labels are shuffled, `low` is 0, and the method
    has the mean by chance and the p-value (1 + #) / (1 + draws). What is shuffled is the rows of one cluster and group as one
    piece; where at least half of the clusters hold several groups (one template filled with each group), labels are shuffled
    within clusters only.

    Args:
        values: `(n,)` finite numbers.
        groups: `(n,)` names.
        clusters: `(n,)` what was drawn independently; each row where it is None.
        draws: shuffles.
        seed: of the shuffles; the order of rows changes nothing.
        level: of the band.

    >>> found = spread([1.0, 1.1, 0.9, 1.0] * 5, ["a", "b"] * 10)
    >>> round(found.value, 3), found.method[:9]
    (0.1, 'null band')
    """
    numbers = check_scores(values, "values")
    names = np.asarray(groups).astype(str)
    if names.shape != numbers.shape:
        raise DataError(f"groups has the shape {names.shape}, values {numbers.shape}. Give one group per value.")
    if draws < 20:
        raise UsageError(f"draws must be at least 20; it is {draws}. Use 1000.")
    n = len(numbers)
    _, of_group = np.unique(names, return_inverse=True)
    count = int(of_group.max()) + 1 if n else 0
    if count < 2:
        return undefined("fewer than two groups", n=n)
    codes = check_clusters(clusters, n)
    pieces = _pieces(numbers, of_group.astype(np.intp), codes)
    value = float(np.ptp(_means(pieces.sums[None], pieces.sizes[None], pieces.group)))
    drawn = _shuffled(pieces, draws, seed)
    p = (1 + int((drawn >= value - 1e-12).sum())) / (1 + draws)
    how = "within clusters" if pieces.within else "over clusters" if codes is not None else "over rows"
    told = f"{count} groups shuffled {how}, {draws} draws, {level:.0%}; by chance {drawn.mean():.3g}; p = {p:.2g}"
    return Interval(value, 0.0, float(np.quantile(drawn, level)), n, f"null band: {told}")


def against_rest(
    values: ArrayLike,
    member: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    draws: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Return the mean of the members minus that of all others.

    Where hardly any cluster holds both (at most a tenth), the intervals of the two means (Wilson's of shares, where all are 0
    or 1) are combined as independent (Zou and Donner 2008, MOVER), so that a small group has its own degrees of freedom. Else
    clusters are resampled, which keeps what the two have in common.

    Args:
        values: `(n,)` finite numbers.
        member: `(n,)` true or false.
        clusters: `(n,)` what was drawn independently; each row where it is None.
        draws: bootstrap draws, where there are any.
        seed: of the draws.
        level: nominal coverage.

    >>> found = against_rest([1, 1, 1, 0, 0, 1, 0, 0], [True] * 4 + [False] * 4)
    >>> [round(x, 3) for x in found[:3]]
    [0.5, -0.135, 0.789]
    """
    numbers = check_scores(values, "values")
    own = np.asarray(member, dtype=bool)
    if own.shape != numbers.shape:
        raise DataError(f"member has the shape {own.shape}, values {numbers.shape}. Give one per value.")
    n = len(numbers)
    if not n or own.all() or not own.any():
        return undefined("members and others are needed", n=n)
    codes = check_clusters(clusters, n)
    if codes is not None and _shared(codes, own) > SHARED:
        table = np.stack([numbers * own, own, numbers * ~own, ~own], axis=1)
        return bootstrap(table, _difference, clusters=codes, draws=draws, seed=seed, level=level)
    shares = bool(np.isin(numbers, (0.0, 1.0)).all())
    one, two = (_of(numbers[part], None if codes is None else codes[part], level, shares) for part in (own, ~own))
    value = one.value - two.value
    if np.isnan(one.low) or np.isnan(two.low):
        reason = (one if np.isnan(one.low) else two).method.removeprefix("no interval: ")
        return undefined(f"{'the members' if np.isnan(one.low) else 'the others'}: {reason}", value=value, n=n)
    low = value - np.hypot(one.value - one.low, two.high - two.value)
    high = value + np.hypot(one.high - one.value, two.value - two.low)
    what = "Wilson" if shares else "t"
    by = "" if codes is None else f", {int(codes.max()) + 1} clusters"
    return Interval(value, float(low), float(high), n, f"MOVER of two {what} intervals, independent{by}, {level:.0%}")


def _shared(codes: Ints, own: NDArray[np.bool_]) -> float:
    """Return the share of clusters that hold members and others."""
    return float(
        (np.bincount(codes[own], minlength=codes.max() + 1) > 0)[np.unique(codes[~own])].sum() / (codes.max() + 1)
    )


def _of(numbers: Floats, codes: Ints | None, level: float, shares: bool) -> Interval:
    """Return the mean of one side; its clusters are numbered anew."""
    inner = None if codes is None else np.unique(codes, return_inverse=True)[1].astype(np.intp)
    if inner is not None and inner.max() + 1 == len(inner):
        inner = None  # every row is its own
    return proportion_of(numbers, inner, level) if shares else mean_of(numbers, inner, level)


def _difference(sums: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums[..., 0] / sums[..., 1] - sums[..., 2] / sums[..., 3])


class _Pieces:
    """Sums and sizes of what is shuffled as one, sorted by group; `within` the cluster of each where labels stay in clusters."""

    def __init__(self, sums: Floats, sizes: Floats, group: Ints, cluster: Ints, *, within: bool) -> None:
        self.sums, self.sizes, self.group, self.cluster, self.within = sums, sizes, group, cluster, within


def _pieces(numbers: Floats, group: Ints, codes: Ints | None) -> _Pieces:
    """Return the pieces in an order that depends on their content alone."""
    if codes is None:
        order = np.lexsort((numbers, group))
        flat = np.zeros(len(numbers), dtype=np.intp)
        return _Pieces(numbers[order], np.ones(len(numbers)), group[order], flat, within=False)
    of_groups = int(group.max()) + 1
    keys, inverse = np.unique(codes * of_groups + group, return_inverse=True)
    sums = np.bincount(inverse, weights=numbers).astype(np.float64)
    sizes = np.bincount(inverse).astype(np.float64)
    own, cluster = (keys % of_groups).astype(np.intp), (keys // of_groups).astype(np.intp)
    _, held = np.unique(cluster, return_counts=True)
    order = np.lexsort((sizes, sums, own))
    crossed = bool((held > 1).mean() >= 0.5)
    return _Pieces(sums[order], sizes[order], own[order], cluster[order], within=crossed)


def _means(sums: Floats, sizes: Floats, group: Ints) -> Floats:
    """Return the group means `(draws, groups)` of pieces `(draws, m)` whose group labels are sorted."""
    starts = np.flatnonzero(np.r_[True, np.diff(group) > 0])
    means: Floats = np.add.reduceat(sums, starts, axis=1) / np.add.reduceat(sizes, starts, axis=1)
    return means


def _shuffled(pieces: _Pieces, draws: int, seed: int) -> Floats:
    """Return the spread `(draws,)` of each shuffle."""
    rng = np.random.default_rng([seed, 13])
    m = len(pieces.sums)
    size = max(1, CELLS // m)
    home = np.argsort(pieces.cluster, kind="stable")  # places of the pieces, cluster by cluster
    found = []
    for start in range(0, draws, size):
        shape = (min(size, draws - start), m)
        if pieces.within:
            keys, shuffle = rng.random(shape), np.empty(shape, dtype=np.intp)
            shuffle[:, home] = np.argsort(pieces.cluster + keys, axis=1)
        else:
            shuffle = rng.permuted(np.tile(np.arange(m), (shape[0], 1)), axis=1)
        means = _means(pieces.sums[shuffle], pieces.sizes[shuffle], pieces.group)
        found.append(np.ptp(means, axis=1))
    return np.concatenate(found)
