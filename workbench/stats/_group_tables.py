"""The count table of groups, label and prediction: rates of any such table, draws of it, and what chance alone would show.

All rates of all groups are quotients of sums of a table `(g, 4)` of true negatives, false positives, false negatives and true
positives. So a bootstrap needs no row: a draw is one multinomial vector of the table's cells (with clusters, resampled sums).
A draw may miss a group; its rates are NaN there, and the group is left out of that draw.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from workbench.errors import DataError
from workbench.stats._binned import group_codes
from workbench.stats._checks import Floats, Ints, check_clusters, rows_of
from workbench.stats._group_types import Grouping
from workbench.stats._shuffles import pieces_of, shuffled_means, shuffles, sums_of
from workbench.stats.resample import drawn_sums

__all__ = [
    "OF",
    "RATES",
    "Coded",
    "Table",
    "code_of",
    "drawn_cells",
    "fewer",
    "hits_and_rows",
    "null_rates",
    "permuted_cells",
    "permuted_tables",
    "rates_of",
    "table_of",
]

OF: dict[
    str, tuple[tuple[int, ...], tuple[int, ...], str]
] = {  # rate -> cells that are hits, cells that count, in words
    "base_rate": ((2, 3), (0, 1, 2, 3), "rows"),
    "selection_rate": ((1, 3), (0, 1, 2, 3), "rows"),
    "accuracy": ((0, 3), (0, 1, 2, 3), "rows"),
    "tpr": ((3,), (2, 3), "positive labels"),
    "fpr": ((1,), (0, 1), "negative labels"),
    "fnr": ((2,), (2, 3), "positive labels"),
    "ppv": ((3,), (1, 3), "positive predictions"),
    "npv": ((0,), (0, 2), "negative predictions"),
}
RATES = tuple(OF)
TOGETHER = (("base_rate", "selection_rate", "accuracy"), ("tpr", "fpr"), ("ppv",), ("npv",))  # permuted alike
MOST_SORTED = 4_000_000  # places shuffled, or rows sorted, in all draws
FEWEST_DRAWS = 200


@dataclass(frozen=True)
class Table:
    """Counts per group, and what draws need: the cell of each row and the codes of groups and clusters."""

    names: tuple[str, ...]  # sorted
    cells: Floats  # (g, 4)
    codes: Ints  # (n,) group of each row
    cell: Ints  # (n,) cell of each row
    clusters: Ints | None  # (n,) None where rows are independent

    @property
    def rows(self) -> int:
        """All rows."""
        return len(self.codes)


def code_of(groups: "ArrayLike | Grouping", n: int) -> tuple[tuple[str, ...], Ints]:
    """Return the names of the groups that occur, sorted, and the code of each row.

    >>> code_of(["b", "a", "b"], 3)
    (('a', 'b'), array([1, 0, 1]))
    """
    if isinstance(groups, Grouping):
        names, codes = groups
        if len(codes) != n:
            raise DataError(f"groups has {len(codes)} rows and the label has {n}. Pass one of each per row.")
    else:
        given, codes = group_codes(groups, n)
        names = tuple(given)
    seen = np.bincount(codes, minlength=len(names)) > 0
    order = [at for at in sorted(range(len(names)), key=names.__getitem__) if seen[at]]
    place = np.zeros(len(names), dtype=np.intp)
    place[order] = np.arange(len(order))
    return tuple(names[at] for at in order), place[codes]


def table_of(
    groups: "ArrayLike | Grouping", label: ArrayLike, prediction: ArrayLike, clusters: ArrayLike | None
) -> Table:
    """Return the table of checked rows, or raise `DataError` that names the rows."""
    truth, said = binary(label, "label"), binary(prediction, "prediction")
    if len(truth) != len(said):
        raise DataError(f"label has {len(truth)} rows and prediction has {len(said)}. Pass one of each per row.")
    names, codes = code_of(groups, len(truth))
    cell = 2 * truth + said
    cells = np.bincount(codes * 4 + cell, minlength=4 * len(names)).reshape(-1, 4).astype(np.float64)
    return Table(names, cells, codes, cell, check_clusters(clusters, len(truth)))


def binary(values: ArrayLike, name: str) -> Ints:
    """Return 0/1 values `(n,)` as integers, or raise `DataError` that names the rows."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise DataError(f"{name} must be one 0 or 1 per row; its shape is {array.shape}. Pass a one-dimensional array.")
    if array.dtype == bool:
        return array.astype(np.intp)
    if array.dtype.kind not in "iuf":
        raise DataError(f"{name} must be 0 or 1; found {array.dtype}. Compare it with the positive class first.")
    bad = ~((array == 0) | (array == 1))
    if bad.any():
        raise DataError(
            f"{name} must be 0 or 1; it is not in {rows_of(bad)} (first: {array[bad][0]:.6g}). Leave out what is missing."
        )
    return array.astype(np.intp)


def hits_and_rows(cells: Floats, rate: str) -> tuple[Floats, Floats]:
    """Return the hits and the rows of a rate, `(...)` of cells `(..., 4)`."""
    hits, rows, _ = OF[rate]
    return sum(cells[..., at] for at in hits), sum(cells[..., at] for at in rows)  # type: ignore[return-value]  # never 0


def rates_of(cells: Floats, rate: str) -> Floats:
    """Return a rate, NaN where there is nothing to rate."""
    hits, rows = hits_and_rows(cells, rate)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(hits / rows)


def drawn_cells(table: Table, draws: int, seed: int) -> Floats:
    """Return tables `(draws, g, 4)`: multinomial draws of the counts, or the sums of resampled clusters."""
    size = len(table.names)
    if table.clusters is None:
        total = table.cells.sum()
        rng = np.random.default_rng([seed, 11])
        drawn = rng.multinomial(int(total), (table.cells / total).ravel(), draws)
        return np.asarray(drawn.reshape(draws, size, 4), dtype=np.float64)
    key = (table.clusters * size + table.codes) * 4 + table.cell
    count = int(table.clusters.max()) + 1
    sums = np.bincount(key, minlength=count * size * 4).reshape(count, size * 4).astype(np.float64)
    return drawn_sums(sums, draws=draws, seed=seed).reshape(draws, size, 4)


def null_rates(table: Table, draws: int, seed: int) -> dict[str, Floats]:
    """Return each rate by group `(draws, g)` where the groups were permuted among the rows that the rate counts.

    So the numbers of rows, of positive labels (for TPR and FPR) or of positive predictions (for PPV) of each group stay what
    they are. With clusters the rates of whole clusters are permuted, or of the groups within each (`_shuffles`); fewer draws,
    200 at least, where all would be more than 4 million places to shuffle.
    """
    if table.clusters is not None:
        return _null_of_clusters(table, table.clusters, draws, seed)
    found = {}
    for number, rate in enumerate(OF):
        hits, rows = hits_and_rows(table.cells, rate)
        rng = np.random.default_rng([seed, 12, number])
        drawn = rng.multivariate_hypergeometric(rows.astype(np.int64), int(hits.sum()), draws, method="marginals")
        with np.errstate(invalid="ignore", divide="ignore"):
            found[rate] = np.asarray(drawn / rows)
    return {**found, "fnr": 1 - found["tpr"]}  # one test, not two


def _null_of_clusters(table: Table, clusters: Ints, draws: int, seed: int) -> dict[str, Floats]:
    """Return the null of clustered rows; TPR and FPR are shuffled together, as equalised odds needs both."""
    pieces = pieces_of(table.cell.astype(np.float64), table.codes, clusters)
    draws = fewer(draws, len(pieces.group))
    found: dict[str, Floats] = {}
    for number, rates in enumerate(TOGETHER):
        parts = [
            sums_of(pieces, np.isin(table.cell, OF[rate][0]).astype(np.float64), np.isin(table.cell, OF[rate][1]))
            for rate in rates
        ]
        rng = np.random.default_rng([seed, 13, number])
        found |= zip(rates, shuffled_means(pieces, parts, len(table.names), draws=draws, rng=rng), strict=True)
    return {**found, "fnr": 1 - found["tpr"]}


class Coded(NamedTuple):
    """Codes of the group and of the cluster of each row, and the number of groups."""

    codes: Ints
    clusters: Ints
    size: int


def permuted_cells(coded: Coded, cell: Ints, kinds: int, *, draws: int, seed: int) -> Floats:
    """Return tables `(draws, g, kinds)` under "the group means nothing", with what belongs together kept together.

    The rows of one cluster and group are handed round as one, over clusters, or within them where at least half of the clusters
    hold several groups. A place keeps its number of rows: of more rows some are drawn, fewer are taken again, since an ECE falls
    with the rows. Fewer draws, 200 at least, where all would be more than 4 million rows to sort.
    """
    codes, clusters, size = coded
    pieces = pieces_of(cell.astype(np.float64), codes, clusters)
    m, n = len(pieces.group), len(cell)
    rows = np.bincount(pieces.of_row, minlength=m)
    first = np.cumsum(rows) - rows
    place, rank = np.repeat(np.arange(m), rows), np.arange(n) - np.repeat(first, rows)
    kind = cell[np.lexsort((cell, pieces.of_row))]
    key = pieces.group[place] * kinds
    rng = np.random.default_rng([seed, 13])
    out = []
    for shuffle in shuffles(pieces.cluster if pieces.within else 0 * pieces.cluster, fewer(draws, n), rng):
        for given in shuffle:
            mixed = kind[np.argsort(place + rng.random(n))]
            taken = mixed[first[given[place]] + rank % rows[given[place]]]
            out.append(np.bincount(key + taken, minlength=size * kinds).reshape(size, kinds))
    return np.stack(out).astype(np.float64)


def fewer(draws: int, places: int) -> int:
    """Return how many draws there are where each shuffles or sorts so many."""
    return min(draws, max(FEWEST_DRAWS, MOST_SORTED // places))


def permuted_tables(sizes: Ints, totals: Ints, draws: int, seed: int) -> Floats:
    """Return tables `(draws, g, k)` with the margins `sizes` `(g,)` and `totals` `(k,)`: rows dealt out to groups at random.

    >>> permuted_tables(np.array([2, 1]), np.array([1, 2]), 1, 0).sum(axis=1).tolist()
    [[1.0, 2.0]]
    """
    rng = np.random.default_rng([seed, 14])
    left = np.tile(totals.astype(np.int64), (draws, 1))
    out = np.zeros((draws, len(sizes), len(totals)))
    for group, size in enumerate(sizes[:-1]):
        need, others = np.full(draws, int(size), dtype=np.int64), left.sum(axis=1)
        for k in range(len(totals)):
            others = others - left[:, k]
            got = rng.hypergeometric(left[:, k], others, need)
            out[:, group, k] = got
            left[:, k] -= got
            need = need - got
    out[:, -1] = left
    return out
