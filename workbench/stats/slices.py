"""Where errors lie: a search for slices whose errors stand out, corrected for its size.

`search` looks at every conjunction of column values and says how likely chance alone would have shown as bad a slice among
all of them. `slice_p_values` and `slice_difference` are for other rows than those of the search: what is selected for being bad
looks
worse than it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import DataError, UsageError, unknown
from workbench.stats._checks import Floats, Ints, check_clusters, check_scores
from workbench.stats._intervals import TINY, Interval, cluster_sums, undefined
from workbench.stats._slice_draws import deal, standardised
from workbench.stats._slice_family import Block, Cells, blocks_of, cells_of, check_work
from workbench.stats._slice_parts import is_binary, part_of, texts_of
from workbench.stats._slice_welch import welch

__all__ = ["METHODS", "Search", "Settings", "Slice", "binned", "search", "slice_difference", "slice_p_values"]

METHODS = ("exhaustive", "sliceline")
SLACK = 1e-5  # deviations that count as a tie: sums are kept as 32-bit numbers


@dataclass(frozen=True)
class Settings:
    """How to search.

    Args:
        depth: conditions at most, 1 to 4.
        smallest: clusters (rows where they are independent) that a slice must hold.
        top: slices to name.
        overlap: a slice that shares more than this share of its rows (of both slices' together) with one named before is
            not named.
        method: exhaustive names the slices furthest above the rest, in deviations; sliceline those of SliceLine's score.
        draws: ways of dealing out the errors anew.
        seed: of the draws.
    """

    depth: int = 2
    smallest: int = 20
    top: int = 5
    overlap: float = 0.5
    method: str = "exhaustive"
    draws: int = 999
    seed: int = 0


class Slice(NamedTuple):
    """A slice that was found: its conditions, rows, mean error inside and of the rest, and how far above chance it lies."""

    where: tuple[tuple[str, str], ...]
    n: int
    error: float
    rest: float
    deviations: float
    p: float  # had this been the only slice looked at
    p_family: float  # for having looked at all of them

    @property
    def name(self) -> str:
        """Its conditions in one line: "domain=law & length=1 to 7"."""
        return " & ".join(f"{column}={value}" for column, value in self.where)


class Search(NamedTuple):
    """The slices found, which rows are in each `(n, k)`, how many slices were looked at, and how chance was found."""

    slices: tuple[Slice, ...]
    members: NDArray[np.bool_]
    tried: int
    method: str


def search(
    columns: Mapping[str, ArrayLike],
    error: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    settings: Settings | None = None,
) -> Search:
    """Return the slices whose mean error lies furthest above the others', with p-values that count every slice looked at.

    A slice is a conjunction of column values. For each draw the errors are dealt out anew over the rows (with clusters: whole
    clusters exchange their errors, and rows inside one theirs) and the largest statistic of *any* slice is kept; `p_family` is
    (1 + #)/(1 + draws) of those at least as large as the slice's own (Westfall and Young 1993, single step). It holds where no
    column has to do with errors, and approximately for each slice that has not while others have. The statistic is the excess
    of errors in deviations of the draws.

    Args:
        columns: name to values `(n,)`; None, NaN and "" are no value. Numbers go through `binned` first.
        error: `(n,)` 0 or 1, or a loss: the higher the worse.
        clusters: `(n,)` what was drawn independently.
        settings: depth, sizes, draws.

    Raises `DataError` for columns that do not fit, `UsageError` for settings that cannot be, `MissingExtra` where SliceLine
    is asked for and not installed.

    >>> topic, long = ["law", "law", "art", "art"] * 50, ["y", "n"] * 100
    >>> found = search({"topic": topic, "long": long}, [1.0, 0.0, 0.0, 0.0] * 50)
    >>> found.slices[0].name, found.slices[0].p_family, found.tried
    ('topic=law & long=y', 0.001, 8)
    """
    how = _checked(settings or Settings())
    names, values, codes = _coded(columns)
    losses = check_scores(error, "error")
    if len(losses) != len(codes):
        raise DataError(f"error has {len(losses)} rows and the columns have {len(codes)}. Pass one of each per row.")
    owners = check_clusters(clusters, len(losses))
    cells, depth = cells_of(codes), min(how.depth, len(names))
    check_work(len(names), depth, len(cells.kinds), how.draws)
    blocks = blocks_of(cells, owners, depth=depth, smallest=how.smallest)
    dealt = deal(losses, cells, owners, draws=how.draws, seed=how.seed)
    largest = np.full(how.draws + 1, -np.inf)
    seen, alone = [], []
    for block in blocks:
        found = standardised(block, dealt, len(losses))
        largest = np.maximum(largest, found.max(axis=0))
        seen.append(found[:, 0])
        alone.append(np.mean(found >= found[:, :1] - SLACK, axis=1))
    family = _Family(blocks, np.concatenate([[], *seen]), np.concatenate([[], *alone]))
    tried = len(family.deviations)
    said = f"{tried:,} slices of up to {depth} of {len(names)} columns tried; largest of all in {how.draws:,} draws, {dealt.how}"
    order = _order(family, cells, losses, how)
    slices: list[Slice] = []
    members = np.zeros((len(losses), 0), dtype=bool)
    for at in order:
        if len(slices) == how.top or family.deviations[at] <= SLACK:
            break
        block, place = family.of(at)
        mine = block.place[cells.of] == place
        if members.size and (_overlap(members, mine) > how.overlap).any():
            continue
        kinds = cells.kinds[block.inside[place]]
        where = tuple((names[column], values[column][kinds[column]]) for column in block.columns)
        deviations = float(family.deviations[at])
        chance = float(np.mean(largest >= deviations - SLACK))
        inside, rest = float(losses[mine].mean()), float(losses[~mine].mean())
        slices.append(Slice(where, int(mine.sum()), inside, rest, deviations, float(family.alone[at]), chance))
        members = np.column_stack([members, mine])
    return Search(tuple(slices), members, tried, said)


def slice_p_values(
    members: ArrayLike, error: ArrayLike, *, clusters: ArrayLike | None = None, draws: int = 999, seed: int = 0
) -> Floats:
    """Return for each slice `(k,)` the one-sided p-value that its mean error is no higher than that of the rest.

    By dealing out the errors anew, as `search` does, each slice by itself: for rows that the search has not seen, with
    `workbench.stats.significance.holm` over the slices. NaN for a slice without rows or without a rest. Of losses, and of rows
    in clusters, the larger of this p and Welch's: dealing out alone takes a wider spread for a higher mean
    (`workbench.stats.held_out`).

    >>> slice_p_values(np.array([[True], [True], [True], [False], [False], [False]] * 5), [1, 1, 1, 0, 0, 0] * 5).tolist()
    [0.001]
    """
    inside, losses = np.asarray(members, dtype=bool), check_scores(error, "error")
    if inside.ndim != 2 or len(inside) != len(losses):
        raise DataError(f"members must be (rows, slices) of {len(losses)} rows; the shape is {inside.shape}.")
    found = np.full(inside.shape[1], np.nan)
    if not len(losses) or not inside.shape[1]:
        return found
    owners = check_clusters(clusters, len(losses))
    simple = owners is None and is_binary(losses)  # 0 and 1 of one mean have one spread
    cells = cells_of(inside.astype(np.intp))
    dealt = deal(losses, cells, owners, draws=draws, seed=seed)
    for at in np.flatnonzero(inside.any(axis=0) & ~inside.all(axis=0)):
        place = (cells.kinds[:, at] - 1).astype(np.intp)
        block = Block((int(at),), place, np.array([float(inside[:, at].sum())]), np.zeros(1, dtype=np.intp))
        above = standardised(block, dealt, len(losses))[0]
        dealt_out = float(np.mean(above >= above[0] - SLACK))
        found[at] = dealt_out if simple else np.fmax(dealt_out, welch(inside[:, at], losses, owners, 1))
    return found


def slice_difference(
    inside: ArrayLike, values: ArrayLike, *, clusters: ArrayLike | None = None, level: float = 0.95
) -> Interval:
    """Return the mean of the rows inside a slice less that of the rest, with its interval; n counts the rows inside.

    MOVER of both means' intervals (Newcombe 1998; Zou and Donner 2008): Wilson's for 0 and 1, else that of
    `workbench.stats.intervals.mean`; with clusters both are robust, and rows of one cluster on both sides are
    allowed for. For a slice that was not found in these rows.

    >>> slice_difference([1] * 20 + [0] * 20, [1] * 15 + [0] * 5 + [1] * 5 + [0] * 15).value
    0.5
    """
    numbers, mine = check_scores(values, "values"), np.asarray(inside, dtype=bool)
    if mine.shape != numbers.shape:
        raise DataError(f"inside must be true or false for each of {len(numbers)} rows; the shape is {mine.shape}.")
    owners = check_clusters(clusters, len(numbers))
    n = int(mine.sum())
    if not 0 < n < len(numbers):
        return undefined("no rows in the slice" if not n else "no rows outside the slice", n=n)
    kind = is_binary(numbers)
    one, two = (part_of(numbers, side, owners, level, binary=kind) for side in (mine, ~mine))
    value = one.value - two.value
    for part, name in ((one, "slice"), (two, "rest")):
        if np.isnan(part.low):
            return undefined(f"{part.method.removeprefix('no interval: ')} in the {name}", value=value, n=n)
    rho = 0.0
    if owners is not None:
        first = cluster_sums(np.where(mine, numbers - one.value, 0.0) / n, owners)
        second = cluster_sums(np.where(mine, 0.0, numbers - two.value) / (len(numbers) - n), owners)
        spread = float(np.sqrt((first @ first) * (second @ second)))
        rho = float(first @ second) / spread if spread > TINY else 0.0
    down, up = one.value - one.low, one.high - one.value
    below, above = two.value - two.low, two.high - two.value
    low = value - np.sqrt(max(0.0, down**2 + above**2 - 2 * rho * down * above))
    high = value + np.sqrt(max(0.0, up**2 + below**2 - 2 * rho * up * below))
    what = "MOVER of Wilson intervals" if kind else "MOVER of t intervals, widened for skewness"
    what += "" if owners is None else f", {int(owners.max()) + 1} clusters"
    return Interval(value, float(low), float(high), n, f"{what}, {level:.0%}")


def binned(values: ArrayLike, *, bins: int = 4) -> NDArray[np.object_]:
    """Return the name of each number's bin `(n,)`: equal shares of the rows, ties kept together, "" for NaN.

    >>> binned([1, 2, 3, 40, float("nan")], bins=2).tolist()
    ['1 to 2', '1 to 2', '3 to 40', '3 to 40', '']
    """
    numbers = np.asarray(values, dtype=np.float64)
    if bins < 1:
        raise UsageError(f"bins must be at least 1; it is {bins}. Use 4.")
    found = np.full(len(numbers), "", dtype=object)
    known = np.isfinite(numbers)
    if not known.any():
        return found
    limits = np.unique(np.quantile(numbers[known], np.arange(1, bins) / bins, method="inverted_cdf"))
    place = np.searchsorted(limits, numbers)  # a limit belongs to the bin below it
    for at in np.unique(place[known]):
        mine = known & (place == at)
        low, high = numbers[mine].min(), numbers[mine].max()
        found[mine] = f"{low:.6g}" if low == high else f"{low:.6g} to {high:.6g}"
    return found


class _Family(NamedTuple):
    """Every slice looked at, block after block: observed deviations and the p-value of each by itself."""

    blocks: Sequence[Block]
    deviations: Floats
    alone: Floats

    def of(self, at: int) -> tuple[Block, int]:
        """Return a slice's block and its place in it."""
        ends = np.cumsum([len(block.rows) for block in self.blocks])
        which = int(np.searchsorted(ends, at, side="right"))
        return self.blocks[which], at - int(ends[which] - len(self.blocks[which].rows))


def _order(family: _Family, cells: Cells, losses: Floats, how: Settings) -> list[int]:
    """Return places in the family, the first to be named first."""
    if how.method == "exhaustive":
        return [int(at) for at in np.argsort(-np.round(family.deviations, 9), kind="stable")]
    from workbench.stats._sliceline import top_slices

    if losses.min() < 0:
        raise DataError("SliceLine needs errors of at least 0; some are below. Use method='exhaustive', or shift them.")
    kinds = cells.kinds
    wanted = top_slices(kinds[cells.of], losses, top=10 * how.top, depth=how.depth, smallest=how.smallest)
    known: dict[tuple[tuple[int, int], ...], int] = {}
    for block in family.blocks:
        for cell in block.inside:
            known[tuple((column, int(kinds[cell, column])) for column in block.columns)] = len(known)
    return [known[where] for where in wanted if where in known]


def _overlap(members: NDArray[np.bool_], mine: NDArray[np.bool_]) -> Floats:
    """Return the shared rows of a slice and each of others, as a share of the rows of both."""
    both = (members & mine[:, None]).sum(axis=0)
    return np.asarray(both / (members | mine[:, None]).sum(axis=0), dtype=np.float64)


def _coded(columns: Mapping[str, ArrayLike]) -> tuple[list[str], list[NDArray[np.str_]], Ints]:
    """Return the names of the columns, the values of each, and the codes of the rows `(n, k)`, -1 for a blank."""
    if not columns:
        raise DataError("A search for slices needs at least one column. Name some, such as a topic or a binned length.")
    names, values, codes = list(columns), [], []
    for name in names:
        texts = texts_of(columns[name])
        kinds, place = np.unique(texts, return_inverse=True)
        blank = int(len(kinds) > 0 and kinds[0] == "")
        values.append(kinds[blank:])
        codes.append(place.astype(np.intp) - blank)
        if len(texts) != len(codes[0]):
            raise DataError(f"Column {name!r} has {len(texts)} rows and {names[0]!r} has {len(codes[0])}.")
    if not len(codes[0]):
        raise DataError("The columns have no rows. Pass at least one row.")
    return names, values, np.stack(codes, axis=1)


def _checked(how: Settings) -> Settings:
    """Return the settings, or raise `UsageError` that names the one that cannot be."""
    for name, value, low, high in (
        ("depth", how.depth, 1, 4),
        ("smallest", how.smallest, 2, 10**9),
        ("top", how.top, 1, 1000),
        ("draws", how.draws, 20, 100_000),
        ("overlap", how.overlap, 0, 1),
    ):
        if not low <= value <= high:
            raise UsageError(f"{name} must be from {low:,} to {high:,}; it is {value!r}.")
    if how.method not in METHODS:
        raise unknown("method", how.method, METHODS)
    return how
