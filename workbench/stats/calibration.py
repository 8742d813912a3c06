"""How far stated confidences are from hit rates: metrics, their null band, and the table behind a reliability diagram.

Rows are pairs of a confidence in [0, 1] and a hit (0 or 1): the largest class probability and whether that class was right
(`top_label`), or the probability of an event and whether it came. Which of the two is the caller's choice, never a guess.

A binned ECE is above 0 for a perfectly calibrated model, too (0.10 at n = 100 with 15 bins), and no bootstrap of it covers
its truth. So it stands beside a *null band* (`null_band`: what calibrated models of the same confidences would show), a
debiased value (`debiased_l2`) whose interval holds, and `workbench.stats.smooth`.
"""

import numpy as np
from numpy.typing import ArrayLike

from workbench.errors import UsageError
from workbench.stats._binned import (
    BinTable,
    Norm,
    NullBand,
    band_of,
    error_of,
    group_codes,
    l2_of,
    signed_square,
    table_of,
)
from workbench.stats._bins import Cells, Scheme, blocks, cells_of, edges, gap_sums, limits_of, place_in
from workbench.stats._brier import BrierParts, TopLabel, brier, brier_event, brier_parts, nll, top_label
from workbench.stats._checks import Floats, check_bins, check_pairs, check_probabilities
from workbench.stats._cumulative import NullTest, ks, kuiper, spiegelhalter
from workbench.stats._draws import Draws, Rows, bootstrap, null_gaps
from workbench.stats._intervals import Interval
from workbench.stats.binning import cells

__all__ = [
    "BinTable",
    "BrierParts",
    "NullBand",
    "NullTest",
    "TopLabel",
    "bin_table",
    "brier",
    "brier_event",
    "brier_parts",
    "classwise_ece",
    "classwise_l2",
    "debiased_l2",
    "debiased_l2_interval",
    "debiased_l2_squared",
    "ece",
    "ece_by",
    "ece_unweighted",
    "ks",
    "kuiper",
    "mce",
    "nll",
    "null_band",
    "spiegelhalter",
    "top_label",
]


def ece(
    confidence: ArrayLike, correct: ArrayLike, bins: int = 15, *, scheme: Scheme = "width", norm: Norm = 1
) -> float:
    """Return the expected calibration error (sum of n_b/N |gap_b|^p)^(1/p), or the largest gap for norm "max".

    >>> round(ece([0.9, 0.9, 0.6, 0.6], [1, 0, 1, 0], 10), 3)
    0.25
    """
    bins = check_bins(bins, scheme)
    if norm not in (1, 2, "max"):
        raise UsageError(f"Unknown norm {norm!r}. Known: 1, 2, 'max'.")
    pairs = check_pairs(confidence, correct)
    return error_of(*gap_sums(*pairs, limits_of(pairs.confidence, bins, scheme), scheme), norm)


def ece_by(groups: ArrayLike, confidence: ArrayLike, correct: ArrayLike, bins: int = 15) -> dict[str, float]:
    """Return the ECE of each group (bins of equal width), all by one pass; sorted by name.

    >>> ece_by(["a", "b", "a"], [0.5, 1.0, 0.5], [1, 1, 0])
    {'a': 0.0, 'b': 0.0}
    """
    bins = check_bins(bins, "width")
    pairs = check_pairs(confidence, correct)
    names, codes = group_codes(groups, len(pairs.correct))
    limits, total = edges(bins), len(names) * bins
    gaps = np.zeros(total)
    for block in blocks(len(codes)):
        stated = pairs.confidence[block]
        key = codes[block] * bins
        key += place_in(stated, limits, "width")
        gaps += np.bincount(key, weights=pairs.correct[block] - stated, minlength=total)
    n = np.bincount(codes, minlength=len(names))
    values = np.abs(gaps.reshape(-1, bins)).sum(axis=1) / np.maximum(n, 1)
    order = sorted(np.flatnonzero(n).tolist(), key=names.__getitem__)
    return {names[code]: float(values[code]) for code in order}


def ece_unweighted(confidence: ArrayLike, correct: ArrayLike, bins: int = 15, *, scheme: Scheme = "width") -> float:
    """Return the mean |gap| over non-empty bins, without weights: what netcal calls ACE (not that of Nixon et al.).

    >>> round(ece_unweighted([0.9, 0.9, 0.6], [1, 0, 1], 10), 3)
    0.4
    """
    return float(np.abs(cells(confidence, correct, bins, scheme=scheme).gap).mean())


def mce(confidence: ArrayLike, correct: ArrayLike, bins: int = 15, *, scheme: Scheme = "width") -> float:
    """Return the largest |gap| over non-empty bins; a bin of one row can make it.

    >>> round(mce([0.9, 0.9, 0.6], [1, 0, 1], 10), 3)
    0.4
    """
    return ece(confidence, correct, bins, scheme=scheme, norm="max")


def debiased_l2_squared(
    confidence: ArrayLike, correct: ArrayLike, bins: int = 15, *, scheme: Scheme = "width"
) -> float:
    """Return the debiased squared L2 error, signed: 0 on average when calibrated (Bröcker 2012; Kumar et al. 2019).

    Sum of n_b/N (gap_b^2 - a_b (1 - a_b) / (n_b - 1)) over bins with more than one row; a_b the hit rate.

    >>> round(debiased_l2_squared([0.5] * 4, [1, 0, 1, 0], 10), 4)
    -0.0833
    """
    sums = cells(confidence, correct, bins, scheme=scheme)
    return float(signed_square(Draws(sums.n[None], sums.hits[None], sums.confidence[None]))[0])


def debiased_l2(confidence: ArrayLike, correct: ArrayLike, bins: int = 15, *, scheme: Scheme = "width") -> float:
    """Return the root of `debiased_l2_squared`, cut at 0.

    >>> round(debiased_l2([0.9] * 10, [1, 0] * 5, 10), 3)
    0.364
    """
    return float(np.sqrt(max(0.0, debiased_l2_squared(confidence, correct, bins, scheme=scheme))))


def debiased_l2_interval(
    confidence: ArrayLike,
    correct: ArrayLike,
    bins: int = 15,
    *,
    scheme: Scheme = "width",
    draws: int = 1000,
    seed: int = 0,
) -> Interval:
    """Return `debiased_l2` with its 95 % interval: a recentred bootstrap of the signed square, its root cut at 0.

    The bootstrap of a debiased estimate adds the same bias back; moving the draws back onto the estimate undoes that. The
    truth is the binned error of the population. Conservative where the error is near 0.

    >>> debiased_l2_interval([0.9] * 100, [1, 0] * 50).low > 0.2
    True
    """
    bins = check_bins(bins, scheme)
    pairs = check_pairs(confidence, correct)
    limits = limits_of(pairs.confidence, bins, scheme)
    sums = cells_of(*pairs, limits, scheme)
    rows = Rows(*pairs, limits, scheme)
    return l2_of(sums, bootstrap(sums, rows, draws, seed), level=0.95)


def classwise_ece(probabilities: ArrayLike, labels: ArrayLike, bins: int = 15, *, scheme: Scheme = "width") -> float:
    """Return the mean over classes of the ECE of p(class) against label = class (Kull et al. 2019, arXiv 1910.12656).

    >>> round(classwise_ece([[0.8, 0.2], [0.4, 0.6]], [0, 0], 10), 3)
    0.4
    """
    table, index = check_probabilities(probabilities, labels)
    bins = check_bins(bins, scheme)
    errors = []
    for k in range(table.shape[1]):
        stated = np.ascontiguousarray(table[:, k])
        gaps, _ = gap_sums(stated, (index == k).astype(np.float64), limits_of(stated, bins, scheme), scheme)
        errors.append(np.abs(gaps).sum() / len(table))
    return float(np.mean(errors))


def classwise_l2(probabilities: ArrayLike, labels: ArrayLike, bins: int = 15, *, scheme: Scheme = "mass") -> float:
    """Return the marginal calibration error of Kumar et al. (2019): the root of the mean over classes of the debiased square.

    >>> round(classwise_l2([[0.9, 0.1]] * 10, [0, 1] * 5, 1), 3)
    0.364
    """
    table, index = check_probabilities(probabilities, labels)
    squares = [debiased_l2(table[:, k], index == k, bins, scheme=scheme) ** 2 for k in range(table.shape[1])]
    return float(np.sqrt(np.mean(squares)))


def null_band(
    confidence: ArrayLike,
    correct: ArrayLike | None = None,
    *,
    bins: int = 15,
    scheme: Scheme = "width",
    draws: int = 1000,
    seed: int = 0,
) -> NullBand:
    """Return what calibrated models with these confidences show: labels redrawn from the confidences, rows independent.

    A value inside the band is not proof of calibration: at n = 100 a hit rate of confidence^1.3 is found in 15 % of data sets.

    >>> band = null_band([0.7] * 100, [1] * 70 + [0] * 30)
    >>> 0.05 < band.ece < 0.12, band.ece_p
    (True, 1.0)
    """
    bins = check_bins(bins, scheme)
    stated = np.asarray(confidence, dtype=np.float64)
    pairs = check_pairs(stated, np.zeros(stated.shape) if correct is None else correct)
    sums, gaps = _null(pairs.confidence, pairs.correct, (bins, scheme, draws, seed))
    return band_of(sums, gaps, known=correct is not None)


def _null(confidence: Floats, correct: Floats, how: tuple[int, Scheme, int, int]) -> tuple[Cells, Floats]:
    bins, scheme, draws, seed = how
    limits = limits_of(confidence, bins, scheme)
    sums = cells_of(confidence, correct, limits, scheme)
    return sums, null_gaps(sums, Rows(confidence, correct, limits, scheme), draws, seed)


def bin_table(
    confidence: ArrayLike,
    correct: ArrayLike,
    *,
    bins: int = 15,
    scheme: Scheme = "width",
    draws: int = 1000,
    seed: int = 0,
) -> BinTable:
    """Return the table behind a reliability diagram: non-empty bins only, Wilson's 95 % interval and the null band per bin.

    >>> bin_table([0.1, 0.9, 0.9], [0, 1, 0], bins=2).accuracy
    array([0. , 0.5])
    """
    bins = check_bins(bins, scheme)
    pairs = check_pairs(confidence, correct)
    sums, gaps = _null(pairs.confidence, pairs.correct, (bins, scheme, draws, seed))
    return table_of(sums, band_of(sums, gaps))
