"""Scores of single rows and their parts: top-label confidence, Brier score, log loss. Public in `workbench.stats.calibration`."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from workbench.stats._bins import Cells, Scheme
from workbench.stats._checks import Floats, Ints, check_pairs, check_probabilities
from workbench.stats.binning import cells

__all__ = ["BrierParts", "TopLabel", "brier", "brier_event", "brier_parts", "nll", "parts_of", "top_label"]

SMALLEST = 1e-12  # probabilities are clipped here before the logarithm


class TopLabel(NamedTuple):
    """Per row `(n,)`: the largest probability, whether its class was right, and which class it was."""

    confidence: Floats
    correct: Floats
    predicted: Ints


class BrierParts(NamedTuple):
    """brier = reliability - resolution + uncertainty + within_variance - within_covariance, exactly."""

    brier: float
    reliability: float
    resolution: float
    uncertainty: float
    within_variance: float
    within_covariance: float


def top_label(probabilities: ArrayLike, labels: ArrayLike) -> TopLabel:
    """Return confidence, hit and class of the most probable class of each row; ties go to the first class.

    >>> top_label([[0.7, 0.3], [0.4, 0.6]], [0, 0]).correct
    array([1., 0.])
    """
    table, index = check_probabilities(probabilities, labels)
    chosen = table.argmax(axis=1)
    confidence = table[np.arange(len(table)), chosen]
    return TopLabel(confidence, (chosen == index).astype(np.float64), chosen.astype(np.intp))


def brier(probabilities: ArrayLike, labels: ArrayLike) -> float:
    """Return the mean over rows of the squared error summed over classes, in [0, 2].

    >>> round(brier([[0.8, 0.2], [0.4, 0.6]], [0, 0]), 3)
    0.4
    """
    table, index = check_probabilities(probabilities, labels)
    hit = table[np.arange(len(table)), index]
    return float((np.einsum("ij,ij->i", table, table) - 2 * hit + 1).mean())


def brier_event(confidence: ArrayLike, correct: ArrayLike) -> float:
    """Return the mean squared difference of confidence and hit, in [0, 1]; half of `brier` for two classes.

    >>> round(brier_event([0.1, 0.9, 0.8, 0.3], [0, 1, 1, 0]), 4)
    0.0375
    """
    pairs = check_pairs(confidence, correct)
    residual = pairs.confidence - pairs.correct
    return float(residual @ residual / len(residual))


def brier_parts(confidence: ArrayLike, correct: ArrayLike, bins: int = 15, *, scheme: Scheme = "width") -> BrierParts:
    """Return the parts of `brier_event`: reliability, resolution, uncertainty (Murphy 1973) and those within bins.

    The within-bin variance and covariance (Stephenson et al. 2008) make the identity exact; without them it is not.

    >>> parts = brier_parts([0.1, 0.9, 0.8, 0.3], [0, 1, 1, 0], 2)
    >>> round(parts.reliability - parts.resolution + parts.uncertainty + parts.within_variance - parts.within_covariance, 4)
    0.0375
    """
    return parts_of(cells(confidence, correct, bins, scheme=scheme))


def parts_of(sums: Cells) -> BrierParts:
    """Return the parts of the Brier score from sums per bin."""
    n, hits, stated, total = sums.n, sums.hits, sums.confidence, sums.rows
    base, squares = hits.sum() / total, sums.squares.sum(axis=0)
    reliability = float(((hits - stated) ** 2 / n).sum() / total)
    resolution = float((n * (hits / n - base) ** 2).sum() / total)
    variance = float(np.maximum(squares - stated**2 / n, 0).sum() / total)
    covariance = float(2 * (sums.sums[1] - hits * stated / n).sum() / total)
    score = float((squares - 2 * sums.sums[1] + hits).sum() / total)
    return BrierParts(score, reliability, resolution, float(base * (1 - base)), variance, covariance)


def nll(probabilities: ArrayLike, labels: ArrayLike) -> float:
    """Return the mean of -log p(label), natural logarithm, p clipped at 1e-12.

    >>> round(nll([[0.5, 0.5], [0.5, 0.5]], [0, 1]), 4)
    0.6931
    """
    table, index = check_probabilities(probabilities, labels)
    return float(-np.log(np.maximum(table[np.arange(len(table)), index], SMALLEST)).mean())
