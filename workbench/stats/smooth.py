"""Smooth ECE (Błasiok and Nakkiran 2023, arXiv 2309.12236), and an interval that holds at least its level.

The residuals (confidence minus hit) are smoothed with a Gaussian of width s that is reflected at 0 and 1; the smooth ECE is
the area under the absolute value, at the width that equals it. There are no bins, so that a small change of the confidences
is a small change of the value.

The discretisation is that of the authors' package relplot 1.0.3, so that the numbers agree: linear weights on a grid of
`max(2000, 20 / s) // 2 + 1` points, a kernel cut at half a unit either side, ten bisections of [0, 1], a mesh of 200 points,
the sum divided by that of the smoothed density. Grid points at exactly 0 and 1 are not doubled by the reflection there: a row
with confidence 1.0 has half the weight of one just below. With many such rows the value can exceed the ECE.
"""

from numpy.typing import ArrayLike

from workbench.stats._checks import check_clusters, check_pairs
from workbench.stats._intervals import Interval
from workbench.stats._smooth import fit, interval_of

__all__ = ["smooth_ece", "smooth_ece_interval"]


def smooth_ece(confidence: ArrayLike, correct: ArrayLike) -> float:
    """Return the smooth ECE, in [0, 1]; its width is chosen by the definition, not by you.

    >>> round(smooth_ece([0.9, 0.8, 0.7, 0.6], [1, 1, 0, 1]), 3)
    0.096
    """
    return fit(*check_pairs(confidence, correct)).value


def smooth_ece_interval(
    confidence: ArrayLike,
    correct: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    draws: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Return the smooth ECE with a conservative interval: value plus or minus q, cut at 0.

    q is the `level` quantile of the area under the absolute value of the smoothed difference between resampled and observed
    residuals, at the fitted width. By the triangle inequality the smooth ECE at that width moves by no more, and as it falls
    with the width, neither does the fixed point. So the interval covers at least its level (in simulations 98 to 100 %), and
    is wider than it need be. Resampled fields are normal with the bootstrap's covariance, in cosine modes (which the
    reflected kernel only damps). Clusters are resampled whole.

    >>> low, high = smooth_ece_interval([0.9, 0.8, 0.7, 0.6] * 50, [1, 1, 0, 1] * 50)[1:3]
    >>> 0 <= low < high < 0.3
    True
    """
    pairs = check_pairs(confidence, correct, empty=True)
    codes = check_clusters(clusters, len(pairs.correct))
    return interval_of(*pairs, codes, (draws, seed, level))
