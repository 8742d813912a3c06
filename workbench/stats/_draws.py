"""Random draws of bin sums: labels redrawn from the stated confidences (null), and rows or clusters resampled (bootstrap).

Exact where it is cheap: up to `EXACT_ROWS` rows, labels and rows are drawn one by one. Above, per bin:

- null: hits are a sum of unequal coins; drawn as the binomial with the same mean and variance, as a normal where the variance
  is above `NORMAL_VARIANCE`.
- bootstrap: multinomial numbers of rows, binomial numbers of hits, and a normal for the sum of confidence given both.
- clusters: signs flipped per cluster for the null (Rademacher), clusters drawn with replacement for the bootstrap; both as a
  multivariate normal of the same covariance above `EXACT_CLUSTERS`.

Rows are sorted first, so that their order does not change a number.
"""

from typing import NamedTuple

import numpy as np

from workbench.stats._bins import Cells, place_in
from workbench.stats._checks import Floats, Ints

__all__ = ["Draws", "Rows", "bootstrap", "cluster_sums", "null_gaps"]

EXACT_ROWS = 200
EXACT_CLUSTERS = 2000
EXACT_SHARED = 10_000  # rows up to which clustered labels are redrawn one by one
NORMAL_VARIANCE = 50.0


class Draws(NamedTuple):
    """Sums per draw and bin `(draws, k)`: rows, hits and confidence."""

    n: Floats
    hits: Floats
    confidence: Floats


class Rows(NamedTuple):
    """Checked pairs of one group, with the edges of its bins and the codes of its clusters."""

    confidence: Floats
    correct: Floats
    limits: Floats
    scheme: str
    clusters: Ints | None = None

    def places(self, bins: Ints) -> Ints:
        """Return the place of each row among the non-empty bins."""
        where = np.zeros(len(self.limits), dtype=np.intp)
        where[bins] = np.arange(len(bins))
        return np.asarray(where[place_in(self.confidence, self.limits, self.scheme)])


def one_hot(place: Ints, size: int) -> Floats:
    """Return a `(n, size)` table with a 1 in the column of each row's bin."""
    table = np.zeros((len(place), size))
    table[np.arange(len(place)), place] = 1.0
    return table


def null_gaps(sums: Cells, rows: Rows, draws: int, seed: int) -> Floats:
    """Return hits minus sum of confidence per draw and bin `(draws, k)`, labels redrawn from the confidences."""
    rng = np.random.default_rng([seed, 1])
    if rows.clusters is not None:
        return cluster_null(sums, rows, draws, rng)
    if len(rows.confidence) <= EXACT_ROWS:
        order = np.argsort(rows.confidence, kind="stable")
        coins = rng.random((draws, len(order))) < rows.confidence[order]
        return np.asarray(coins @ one_hot(rows.places(sums.bin)[order], len(sums.bin)) - sums.confidence)
    total, square = sums.confidence, sums.squares.sum(axis=0)
    variance = total - square
    out = np.sqrt(np.maximum(variance, 0)) * rng.standard_normal((draws, len(total)))
    small = np.flatnonzero(variance < NORMAL_VARIANCE)
    for column in small:
        if total[column] <= 0 or variance[column] <= 0:
            out[:, column] = 0.0
            continue
        trials = int(np.ceil(total[column] ** 2 / square[column] - 1e-9))
        share = min(1.0, total[column] / trials)
        out[:, column] = rng.binomial(trials, share, draws) - total[column]
    return np.asarray(out)


def _binomial(rng: np.random.Generator, n: Floats, share: Floats) -> Floats:
    """Draw binomials column by column, `(draws, k)` trials and `(k,)` shares; as rounded normals where n p (1 - p) is large."""
    out = np.empty_like(n)
    variance = n * (share * (1 - share))
    large = variance.min(axis=0) > NORMAL_VARIANCE * 2
    if large.any():
        normal = rng.standard_normal((len(n), int(large.sum())))
        drawn = np.rint(n[:, large] * share[large] + np.sqrt(variance[:, large]) * normal)
        out[:, large] = np.clip(drawn, 0, n[:, large])
    if not large.all():
        out[:, ~large] = rng.binomial(n[:, ~large].astype(np.int64), share[~large])
    return out


def _bin_counts(rng: np.random.Generator, n: Floats, draws: int) -> Floats:
    """Draw numbers of rows per bin `(draws, k)`: multinomial, the large bins among themselves as a normal."""
    total = n.sum()
    large = n > NORMAL_VARIANCE * 4
    if large.sum() < 3:
        return rng.multinomial(int(total), n / total, draws).astype(np.float64)
    out = np.empty((draws, len(n)))
    kept = n[large].sum()
    if large.all():
        remaining = np.full((draws, 1), total)
    else:
        drawn = rng.multinomial(int(total), np.append(n[~large], kept) / total, draws).astype(np.float64)
        out[:, ~large], remaining = drawn[:, :-1], drawn[:, -1:]
    share = n[large] / kept
    noise = rng.standard_normal((draws, int(large.sum()))) * np.sqrt(share)
    noise -= noise.sum(axis=1, keepdims=True) * share
    out[:, large] = np.maximum(np.rint(remaining * share + np.sqrt(remaining) * noise), 0)
    return out


def bootstrap(sums: Cells, rows: Rows, draws: int, seed: int) -> Draws:
    """Return the bin sums of resampled rows, or clusters where there are any."""
    rng = np.random.default_rng([seed, 2])
    if rows.clusters is not None:
        return cluster_bootstrap(sums, rows, draws, rng)
    total = len(rows.confidence)
    if total <= EXACT_ROWS:
        order = np.lexsort((rows.correct, rows.confidence))
        table = _features(sums, rows)[order]
        drawn = (_resampled(rng, total, draws) @ table).reshape(draws, 3, len(sums.bin))
        return Draws(drawn[:, 0], drawn[:, 1], drawn[:, 2])
    n = _bin_counts(rng, sums.n, draws)
    hits = _binomial(rng, n, sums.hits / sums.n)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(sums.counts > 0, sums.sums / sums.counts, 0.0)
        spread = np.where(sums.counts > 0, sums.squares / sums.counts - means**2, 0.0)
    spread = np.maximum(spread, 0)
    missed = n - hits
    noise = np.sqrt(hits * spread[1] + missed * spread[0]) * rng.standard_normal(n.shape)
    return Draws(n, hits, hits * means[1] + missed * means[0] + noise)


def _features(sums: Cells, rows: Rows) -> Floats:
    """Return one line per row: its count, hit and confidence in the column of its bin, `(n, 3 size)`."""
    table = one_hot(rows.places(sums.bin), len(sums.bin))
    return np.hstack([table, table * rows.correct[:, None], table * rows.confidence[:, None]])


def _resampled(rng: np.random.Generator, items: int, draws: int) -> Floats:
    """Return how often each of the items is drawn with replacement `(draws, items)`; faster than multinomials."""
    drawn = rng.integers(0, items, (draws, items), dtype=np.int32)
    drawn += np.arange(draws, dtype=np.int32)[:, None] * np.int32(items)
    return np.bincount(drawn.ravel(), minlength=draws * items).reshape(draws, items).astype(np.float64)


def cluster_sums(sums: Cells, rows: Rows, weights: Floats | None) -> Floats:
    """Return sums per cluster and bin `(clusters, k)`."""
    if rows.clusters is None:
        raise TypeError("rows without clusters have no sums per cluster")
    size, count = len(sums.bin), int(rows.clusters.max()) + 1
    key = rows.clusters * size + rows.places(sums.bin)
    return np.bincount(key, weights=weights, minlength=count * size).reshape(count, size).astype(np.float64)


def shared_luck(rows: Rows) -> float:
    """Return how alike the residuals of one cluster are: their intra-cluster correlation, cut to [0, 1].

    It is 1 where rows are copies of each other, and also, so as not to promise too much, where hits or errors are missing or no
    cluster has two rows that could tell.
    """
    if rows.clusters is None or rows.correct.min() == rows.correct.max():
        return 1.0
    residual = rows.correct - rows.confidence
    residual = residual - residual.mean()
    sizes = np.bincount(rows.clusters).astype(np.float64)
    sums = np.bincount(rows.clusters, weights=residual)
    pairs, square = float((sizes * (sizes - 1)).sum()), float(residual @ residual)
    if pairs <= 0 or square <= 0:
        return 1.0
    return float(np.clip((float(sums @ sums) - square) / pairs / (square / len(residual)), 0.0, 1.0))


def cluster_null(sums: Cells, rows: Rows, draws: int, rng: np.random.Generator) -> Floats:
    """Return gap sums per draw and bin `(draws, k)`: labels redrawn from the confidences, with luck shared inside clusters.

    Each row takes its cluster's uniform number with probability w, its own otherwise: rows of one confidence are then
    correlated by w squared, which is set to the `shared_luck` of the data.
    """
    if rows.clusters is None:
        raise TypeError("rows without clusters share no luck")
    share, n, size = shared_luck(rows), len(rows.confidence), len(sums.bin)
    if n > EXACT_SHARED:
        spread = np.sqrt(np.maximum(rows.confidence * (1 - rows.confidence), 0))
        table = cluster_sums(sums, rows, spread)
        alone = np.bincount(rows.places(sums.bin), weights=spread * spread, minlength=size)
        return _normal(rng, share * (table.T @ table) + (1 - share) * np.diag(alone), draws)
    order = np.argsort(rows.places(sums.bin), kind="stable")
    confidence, codes = rows.confidence[order], rows.clusters[order]
    starts = np.searchsorted(rows.places(sums.bin)[order], np.arange(size))
    out, step = np.empty((draws, size)), max(1, 2_000_000 // n)
    for first in range(0, draws, step):
        count = min(step, draws - first)
        luck = rng.random((count, int(codes.max()) + 1))[:, codes]
        if share < 1:
            luck = np.where(rng.random((count, n)) < np.sqrt(share), luck, rng.random((count, n)))
        out[first : first + count] = np.add.reduceat((luck < confidence).astype(np.float64), starts, axis=1)
    return np.asarray(out - sums.confidence)


def cluster_bootstrap(sums: Cells, rows: Rows, draws: int, rng: np.random.Generator) -> Draws:
    """Return the bin sums of clusters drawn with replacement."""
    table = np.hstack([cluster_sums(sums, rows, weights) for weights in (None, rows.correct, rows.confidence)])
    count, size = len(table), len(sums.bin)
    if count > EXACT_CLUSTERS:
        centred = table - table.mean(axis=0)
        drawn = table.sum(axis=0) + _normal(rng, centred.T @ centred, draws)
        drawn[:, :size] = np.maximum(drawn[:, :size], 0.0)
    else:
        drawn = _resampled(rng, count, draws) @ table
    drawn = drawn.reshape(draws, 3, size)
    return Draws(drawn[:, 0], drawn[:, 1], drawn[:, 2])


def _normal(rng: np.random.Generator, covariance: Floats, draws: int) -> Floats:
    """Draw from the normal with mean 0 and a covariance that may be singular."""
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0))
    return np.asarray(rng.standard_normal((draws, len(values))) @ root.T)
