"""Whether two sets of vectors come from one distribution: maximum mean discrepancy (MMD) and energy distance.

Under "no difference" rows may change places between the sets, which gives a p-value that is right at any size: (1 + #)/(1 + draws),
never 0. Two ways of changing places:

- *permutation*: the rows are dealt anew. All draws together are one matrix product (labels times kernel). The statistic is the
  unbiased MMD^2_u (Gretton et al. 2012, eq. 3).
- *sign flips*, for sets of one size: rows are paired at random and each pair may swap. The Walsh functions are a subgroup of all
  swaps, so a test over them alone is exact (Koning and Hemerik, arXiv 2202.00967), and one Walsh-Hadamard transform has them all.
  The statistic leaves out the pairs themselves (Gretton et al. 2012, eq. 4): another number than MMD^2_u, of the same use.

Of more rows than `Settings.largest` the statistic is the mean over random blocks; the same p-value holds. The energy distance is
the same with minus the distance as kernel: 2 E|x - y| - E|x - x'| - E|y - y'|, unbiased.

Rows must be independent; where some belong together, name their clusters: whole clusters change places then, and rows of one
cluster are not compared (`clusters=`). Sets that are ordered or hold near copies give p-values that are too small.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import DataError, UsageError
from workbench.stats._checks import Floats
from workbench.stats._intervals import wilson
from workbench.stats._kernels import DOUBLE_ROWS, Kernel, Reals, Strips, median_distance, pair_matrix, strips_of
from workbench.stats._mmd_clusters import blocks_of, by_clusters, checked_clusters
from workbench.stats._two_samples import TwoSample, checked_sets

__all__ = ["Settings", "Witness", "energy", "mmd", "permuted", "sign_flipped", "witness"]

Clusters = tuple[Sequence[object] | ArrayLike, Sequence[object] | ArrayLike]
METHODS = ("auto", "permutation", "sign flips")
AT_ONCE = 512  # permutations in one product
FEWEST = 50  # rows of the smaller set in a block, where it has so many
ROUNDING = 1e-5  # of the null's deviation: statistics nearer than this are equal ...
FLOOR = {4: 3e-8, 8: 1e-13}  # ... and nearer than this times the kernel's size, by bytes of its numbers: sums round


@dataclass(frozen=True)
class Settings:
    """How the test is done.

    Args:
        draws: permutations or sign flips behind the p-value, at least 20.
        method: "permutation", "sign flips" (sets of one size only), or "auto": sign flips where the sizes are equal.
        width: of the RBF kernel; None takes the median distance between all rows, without a look at their set.
        level: at which the sets are called different.
        seed: of the shuffles and draws.
        largest: rows of both sets up to which there is one kernel; more are split into blocks.
    """

    draws: int = 999
    method: str = "auto"
    width: float | None = None
    level: float = 0.05
    seed: int = 0
    largest: int = 8000

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise UsageError(f"Unknown method {self.method!r}. Known: {', '.join(METHODS)}.")
        if self.draws < 20:
            raise UsageError(f"draws must be at least 20; it is {self.draws}. Use 999.")
        if not 0 < self.level < 1:
            raise UsageError(f"level must lie between 0 and 1; it is {self.level}. Use 0.05.")
        if self.width is not None and not self.width > 0:
            raise UsageError(f"width must be above 0; it is {self.width}. Leave it out for the median distance.")
        if self.largest < 100:
            raise UsageError(f"largest must be at least 100 rows; it is {self.largest}. Use 8000.")


class Witness(NamedTuple):
    """How typical each row is of the new set rather than the reference: (n,) of the reference, (m,) of the new."""

    reference: Floats
    new: Floats


def mmd(
    reference: ArrayLike, new: ArrayLike, *, settings: Settings | None = None, clusters: Clusters | None = None
) -> TwoSample:
    """Return the test of the squared maximum mean discrepancy between vectors (n, d) and (m, d), RBF kernel.

    `clusters` names what each row belongs to, (n,) and (m,): whole clusters are dealt anew, and one that lies in both sets
    exchanges its two parts; the statistic compares rows of different clusters alone. Clusters must be of like sizes in both sets.

    Raises `DataError` for rows that are not finite, or fewer than two, or two clusters, in a set.

    >>> rng = np.random.default_rng(0)
    >>> found = mmd(rng.normal(0, 1, (60, 3)), rng.normal(1, 1, (40, 3)))
    >>> found.p, found.how, found.exact
    (0.001, 'permutation', True)
    """
    return _test(reference, new, settings or Settings(), clusters, energy=False)


def energy(
    reference: ArrayLike, new: ArrayLike, *, settings: Settings | None = None, clusters: Clusters | None = None
) -> TwoSample:
    """Return the test of the energy distance between vectors (n, d) and (m, d) (Szekely and Rizzo 2004), unbiased.

    `clusters` as in `mmd`.

    >>> energy([[0.0], [1.0], [2.0]], [[0.0], [1.0], [2.0], [1.0]]).p > 0.5
    True
    """
    return _test(reference, new, settings or Settings(), clusters, energy=True)


def witness(reference: ArrayLike, new: ArrayLike, *, width: float | None = None, energy: bool = False) -> Witness:
    """Return the mean kernel of each row with the new rows minus that with the reference rows, itself left out.

    The mean over the new rows minus that over the reference rows is MMD^2_u (with `energy`, the energy distance): these are
    the rows behind the number. `width` as in `Settings`.

    >>> made = witness([[0.0], [0.1]], [[3.0], [3.1]], width=1.0)
    >>> bool(made.reference.max() < 0 < made.new.min())
    True
    """
    x, y = checked_sets(reference, new)
    pooled = _precise(np.concatenate([x, y]), energy=energy)
    kernel = _kernel(pooled, width, energy=energy)
    n, m = len(x), len(y)
    own = 0.0 if energy else 1.0
    found = np.empty(n + m)
    for low in range(0, n + m, 1000):
        block = kernel.between(pooled[low : low + 1000], pooled)
        at = np.arange(low, low + len(block))
        block[at - low, at] = own
        sums = np.column_stack([part.sum(axis=1, dtype=np.float64) for part in (block[:, :n], block[:, n:])])
        inside = at < n
        sums[inside, 0] -= own
        sums[~inside, 1] -= own
        found[at] = sums[:, 1] / (m - ~inside) - sums[:, 0] / (n - inside)
    return Witness(found[:n], found[n:])


def permuted(strips: Strips, n: int, labels: NDArray[np.float32] | Floats) -> Floats:
    """Return MMD^2_u for each row of labels (draws, N) of 0 and 1, n ones in each: who is in the reference.

    >>> rows = np.array([[0.0], [0.0], [1.0], [1.0]])
    >>> permuted(strips_of(rows, Kernel(None)), 2, np.array([[1.0, 1, 0, 0]])).tolist()
    [2.0]
    """
    m = len(strips.sums) - n
    xx, with_all = strips.forms(labels), labels @ strips.sums
    xy = with_all - xx
    yy = strips.sums.sum() - 2 * with_all + xx
    return np.asarray(xx / (n * (n - 1)) + yy / (m * (m - 1)) - 2 * xy / (n * m))


def sign_flipped(pairs: Reals, draws: int, rng: np.random.Generator, *, largest: int = 0) -> Floats:
    """Return e' H e for at least so many sign vectors e of a symmetric (n, n) table H with zero diagonal; the first is H's own sum.

    Each block of 2^k >= n draws is a subgroup of all sign vectors, or a random coset of one: pairs are put at random places of
    {0, 1}^k, and e_w(i) = (-1)^(w . place_i). The sums of H over all pairs of places with one difference d, by folding, are
    the Walsh-Hadamard transform of the statistics. `largest` is the n of the largest table whose draws are added to these: there
    are as many draws of each.

    >>> sorted(sign_flipped(np.array([[0.0, 1.0], [1.0, 0.0]]), 2, np.random.default_rng(0)).tolist())
    [-2.0, 2.0]
    """
    n = len(pairs)
    size = 1 << max(1, (max(n, largest) - 1).bit_length())
    found = []
    for block in range(math.ceil(draws / size)):
        node = rng.permutation(size)[:n]
        order = np.argsort(node)
        node, table = node[order], pairs if block == 0 else pairs[np.ix_(order, order)]
        if block:  # pairs come shuffled, so that the first block may keep their order
            sign = rng.choice(np.array([-1, 1], pairs.dtype), n)
            table = table * sign[:, None] * sign
        cells = np.zeros((1, size, size), pairs.dtype)
        cells[0][np.ix_(node, node)] = table
        found.append(_transformed(_folded(cells)))
    return np.concatenate(found)


def _folded(cells: Reals) -> Floats:
    """Return g[d] = sum over i of H[i, i xor d], (size,)."""
    while cells.shape[1] > 1:
        half = cells.shape[1] // 2
        made = np.empty((len(cells), 2, half, half), cells.dtype)
        np.add(cells[:, :half, :half], cells[:, half:, half:], out=made[:, 0])
        np.add(cells[:, :half, half:], cells[:, half:, :half], out=made[:, 1])
        cells = made.reshape(-1, half, half)
    return cells.reshape(-1).astype(np.float64)


def _transformed(g: Floats) -> Floats:
    """Return the Walsh-Hadamard transform in natural order."""
    size, step = len(g), 1
    while step < size:
        pairs = g.reshape(-1, 2, step)
        g = np.stack([pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]], axis=1).reshape(-1)
        step *= 2
    return g


def _precise(rows: Floats, *, energy: bool) -> Reals:
    """Return the rows around their mean, in float32 where they are many; distances themselves need float64."""
    centred = rows - rows.mean(axis=0)
    centred[:, np.ptp(rows, axis=0) == 0] = 0  # a mean of one value may round to another
    return np.asarray(centred, np.float64 if energy or len(rows) <= DOUBLE_ROWS else np.float32)


def _kernel(pooled: Reals, width: float | None, *, energy: bool) -> Kernel:
    """Return the kernel, its width the same for the test and the witness, whatever the seed."""
    return Kernel(None) if energy else Kernel(width or median_distance(pooled, np.random.default_rng([0, 17])))


def _test(
    reference: ArrayLike, new: ArrayLike, settings: Settings, clusters: Clusters | None, *, energy: bool
) -> TwoSample:
    x, y = checked_sets(reference, new)
    rng = np.random.default_rng([settings.seed, 17])
    paired = clusters is None and _paired(len(x), len(y), settings.method)
    pooled = _precise(np.concatenate([x, y]), energy=energy)
    kernel = _kernel(pooled, settings.width, energy=energy)
    if clusters is None:
        first, second = (part[rng.permutation(len(part))] for part in (pooled[: len(x)], pooled[len(x) :]))
        blocks = list(_blocks(first, second, settings.largest))
        most = len(blocks[0][0])  # the first block is a largest one
        parts = [
            _by_pairs(a, b, kernel, (settings.draws, most), rng)
            if paired
            else _by_labels(a, b, kernel, settings.draws, rng)
            for a, b in blocks
        ]
    else:
        if settings.method == "sign flips":
            raise UsageError("Sign flips need independent rows; clusters are dealt whole. Use method='permutation'.")
        codes = checked_clusters(*clusters, len(x), len(y))
        chosen = list(blocks_of(codes, settings.largest, rng))
        blocks = [(pooled[: len(x)][a], pooled[len(x) :][b]) for a, b in chosen]
        parts = [
            by_clusters(*block, (codes[0][a], codes[1][b]), kernel, settings.draws, rng)
            for block, (a, b) in zip(blocks, chosen, strict=True)
        ]
    used = [sum(map(len, side)) for side in zip(*blocks, strict=True)]
    drawn = np.average(parts, axis=0, weights=[len(a) + len(b) for a, b in blocks])
    null = drawn[1:]
    size = 1.0 if kernel.width else float(np.sqrt(2 * pooled.var(axis=0).sum()))  # of the kernel's values
    near = max(ROUNDING * float(null.std()), FLOOR[pooled.itemsize] * size)
    found = int((null >= drawn[0] - near).sum())
    bounds = wilson(found, len(null))
    name = ("energy distance" if energy else "MMD²") + (" over pairs" if paired else "" if energy else "_u")
    how = "sign flips" if paired else "permutation"
    if clusters is not None:
        name, how = f"{name} between clusters", "permutations of whole clusters"
    return TwoSample(
        test="energy distance" if energy else "MMD",
        statistic=name,
        value=float(drawn[0]),
        p=(1 + found) / (1 + len(null)),
        level=settings.level,
        draws=len(null),
        exact=True,
        how=how,
        n=used[0],
        m=used[1],
        width=float("nan") if kernel.width is None else kernel.width,
        blocks=len(blocks),
        p_low=float(bounds.low),
        p_high=float(bounds.high),
        null=null,
    )


def _paired(n: int, m: int, method: str) -> bool:
    if method == "sign flips" and n != m:
        raise DataError(
            f"Sign flips need sets of one size; these have {n} and {m} rows. Use method='permutation', or a sample of the larger."
        )
    return method == "sign flips" or (method == "auto" and n == m)


def _blocks(x: Reals, y: Reals, largest: int) -> Iterator[tuple[Reals, Reals]]:
    """Yield parts of both sets, each with no more than `largest` rows; of a far larger set rows are left out."""
    wanted = math.ceil((len(x) + len(y)) / largest)
    many = max(1, min(wanted, min(len(x), len(y)) // FEWEST))
    for a, b in zip(np.array_split(x, many), np.array_split(y, many), strict=True):
        room = largest - min(len(a), len(b))
        yield a[:room], b[:room]


def _by_labels(x: Reals, y: Reals, kernel: Kernel, draws: int, rng: np.random.Generator) -> Floats:
    """Return MMD^2_u, observed first, of x and y dealt anew."""
    n, total = len(x), len(x) + len(y)
    strips = strips_of(np.concatenate([x, y]), kernel)
    observed = (np.arange(total) < n).astype(np.float32)[None]
    found = np.empty(1 + draws)
    for start in range(0, draws, AT_ONCE):
        many = min(AT_ONCE, draws - start)
        labels = np.concatenate([observed, _labels(n, total, many, rng)])
        found[start + (start > 0) : 1 + start + many] = permuted(strips, n, labels)[int(start > 0) :]
    return (
        found  # the observed value by the same product as the draws: another rounds otherwise, and ties would not count
    )


def _labels(n: int, total: int, draws: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return labels (draws, total), n ones in each at random: the n smallest of random numbers."""
    labels = np.empty((draws, total), np.float32)
    left = np.arange(draws)
    while len(left):  # again where two numbers tie at the border
        random = rng.integers(0, 2**32, (len(left), total), dtype=np.uint32)
        labels[left] = random <= np.partition(random, n - 1, axis=1)[:, n - 1 : n]
        left = left[labels[left].sum(axis=1, dtype=np.float64) != n]
    return labels


def _by_pairs(x: Reals, y: Reals, kernel: Kernel, draws: tuple[int, int], rng: np.random.Generator) -> Floats:
    """Return the statistic over pairs, observed first, of x and y with some pairs swapped; draws: how many, the largest block."""
    n = len(x)
    return sign_flipped(pair_matrix(x, y, kernel), draws[0] + 1, rng, largest=draws[1]) / (n * (n - 1))
