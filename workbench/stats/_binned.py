"""Binned errors and null bands of checked sums: what `workbench.stats.calibration` and `summary` share."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from workbench.errors import UsageError
from workbench.stats._bins import Cells
from workbench.stats._checks import Floats, Ints
from workbench.stats._draws import Draws, Rows, cluster_sums
from workbench.stats._intervals import Bounds, Interval, undefined, wilson

__all__ = [
    "SLACK",
    "BinTable",
    "Norm",
    "NullBand",
    "band_of",
    "error_of",
    "gap_noise",
    "group_codes",
    "inflation",
    "l2_of",
    "own_noise",
    "signed_square",
    "table_of",
]

Norm = Literal[1, 2, "max"]
SLACK = 1e-12  # a redrawn value this close to the observed one counts as equal


class NullBand(NamedTuple):
    """What perfectly calibrated models with these confidences show.

    ece, mce: 95 % quantiles; ece_p, mce_p: p-values (1 + #) / (1 + draws), NaN without hits; low, high: the 2.5 and 97.5 %
    quantiles of the hit rate of each non-empty bin.
    """

    ece: float
    mce: float
    ece_p: float
    mce_p: float
    low: Floats
    high: Floats
    draws: int


@dataclass(frozen=True)
class BinTable:
    """One entry per non-empty bin, all arrays of one length; gap = accuracy - confidence; low, high: Wilson."""

    bin: Ints
    lower: Floats
    upper: Floats
    n: Ints
    confidence: Floats
    accuracy: Floats
    gap: Floats
    low: Floats
    high: Floats
    null_low: Floats
    null_high: Floats

    def columns(self) -> dict[str, np.ndarray[tuple[int], np.dtype[np.generic]]]:
        """Return the arrays by name, ready for a data frame."""
        return dict(vars(self))


def error_of(gaps: Floats, n: Floats, norm: Norm = 1) -> float:
    """Return the error from sums of gaps and rows per bin."""
    full = n > 0
    means = np.abs(gaps[full] / n[full])
    if norm == "max":
        return float(means.max())
    share = n[full] / n[full].sum()
    return float((share * means).sum() if norm == 1 else np.sqrt((share * means * means).sum()))


def group_codes(groups: ArrayLike, n: int) -> tuple[list[str], Ints]:
    """Return the names of the groups and the code of each row, in no particular order; small integers are their own codes."""
    given = np.asarray(groups)
    if given.shape != (n,):
        raise UsageError(f"groups must be one name per row ({n}); the shape is {given.shape}. Pass one name per row.")
    if given.dtype.kind in "iu" and n and given.min() >= 0 and given.max() < n + 1000:
        return [str(code) for code in range(int(given.max()) + 1)], given.astype(np.intp, copy=False)
    known: dict[str, int] = {}  # several times as fast as a sort of strings
    codes = [known.setdefault(str(name), len(known)) for name in given.tolist()]
    return list(known), np.array(codes, dtype=np.intp)


def signed_square(draws: Draws) -> Floats:
    """Return the debiased squared L2 error of each draw."""
    n, hits, stated = draws
    with np.errstate(invalid="ignore", divide="ignore"):
        terms = ((hits - stated) ** 2 - hits * (n - hits) / (n - 1)) / n
    return np.asarray(np.where(n > 1.5, terms, 0.0).sum(axis=1) / n.sum(axis=1))


def inflation(sums: Cells) -> float:
    """Return by how much to widen deviations where luck left few errors: up to the spread that the confidences state."""
    stated = float(sums.sums.sum() - sums.squares.sum())
    observed = float(sums.squares.sum() - 2 * sums.sums[1].sum() + sums.hits.sum())
    return float(np.sqrt(max(1.0, stated / observed))) if observed > 0 else 1.0


def l2_of(sums: Cells, draws: Draws, *, level: float, excess: float = 0.0, widen: float = 1.0) -> Interval:
    """Return the interval of the debiased L2 from bootstrap draws; excess: what clusters add to the bias to be taken off."""
    n = sums.rows
    signed = float(signed_square(Draws(sums.n[None], sums.hits[None], sums.confidence[None]))[0]) - excess
    value = float(np.sqrt(max(0.0, signed)))
    if n < 2 or sums.n.max() < 2:
        return undefined("no bin has two rows", value=float("nan"), n=n)
    if sums.hits.sum() in (0, n):
        return undefined("hits and errors are needed to know the spread", value=value, n=n)
    drawn = signed_square(draws)
    tail = (1 - level) / 2
    low, high = widen * inflation(sums) * (np.quantile(drawn, [tail, 1 - tail]) - drawn.mean()) + signed
    low, high = (float(np.sqrt(max(0.0, bound))) for bound in (low, high))
    what = (
        f"recentred bootstrap of the signed square ({signed:.3g}), {len(drawn)} draws, {level:.0%}; conservative near 0"
    )
    return Interval(value, low, high, n, what)


def gap_noise(sums: Cells, rows: Rows) -> float:
    """Return the part of the plug-in squared error that is noise: the sum over bins of n_b/N times the variance of the gap."""
    if rows.clusters is None:
        return 0.0
    parts = [cluster_sums(sums, rows, weights) for weights in (rows.correct - rows.confidence, None)]
    centred = parts[0] - parts[1] * sums.gap
    present = (parts[1] > 0).sum(axis=0)
    factor = present / np.maximum(present - 1, 1)
    return float(((centred * centred).sum(axis=0) * factor / sums.n)[present > 1].sum() / sums.rows)


def own_noise(sums: Cells) -> float:
    """Return the same of rows that are independent: what the debiased L2 takes off."""
    terms = sums.hits * (sums.n - sums.hits) / (np.maximum(sums.n - 1, 1) * sums.n)
    return float(terms[sums.n > 1].sum() / sums.rows)


def band_of(sums: Cells, gaps: Floats, *, known: bool = True, level: float = 0.95) -> NullBand:
    """Return the null band from redrawn gap sums `(draws, k)`."""
    errors = np.abs(gaps).sum(axis=1) / sums.rows
    largest = np.abs(gaps / sums.n).max(axis=1)
    seen = np.abs(sums.gap)
    above = ((errors >= (sums.n * seen).sum() / sums.rows - SLACK).sum(), (largest >= seen.max() - SLACK).sum())
    share = [(1 + int(count)) / (1 + len(gaps)) if known else float("nan") for count in above]
    tail = (1 - level) / 2
    low, high = np.clip((sums.confidence + np.quantile(gaps, [tail, 1 - tail], axis=0)) / sums.n, 0, 1)
    quantiles = (float(np.quantile(errors, level)), float(np.quantile(largest, level)))
    return NullBand(*quantiles, share[0], share[1], low, high, len(gaps))


def table_of(sums: Cells, band: NullBand, *, level: float = 0.95, bounds: Bounds | None = None) -> BinTable:
    """Return the table of cells with a null band; bounds of the hit rates are Wilson's unless given."""
    low, high = wilson(sums.hits, sums.n, level=level) if bounds is None else bounds
    rates = (sums.confidence / sums.n, sums.hits / sums.n, sums.gap)
    return BinTable(sums.bin, sums.lower, sums.upper, sums.n.astype(np.intp), *rates, low, high, band.low, band.high)
