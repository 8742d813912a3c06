"""How well confidence ranks: AUROC of confidence for hit, risk against coverage, and the area under that curve.

Tied confidences have no order: in AUROC a tie counts one half, in AURC every row of a tied group has the error rate of its
group, and the curve has points at the ends of tied groups only. So the order of the rows never changes a number.

Variances come from influence functions (for AUROC: DeLong et al. 1988), one per row, summed over clusters where there are any.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from workbench.errors import DataError
from workbench.stats._checks import Floats, check_clusters, check_pairs, check_scores
from workbench.stats._intervals import (
    Interval,
    score_bounds,
    wilson,
)
from workbench.stats._ranking import _effective, aurc_of, auroc_of, e_aurc_of, rank

__all__ = ["RiskCoverage", "aurc", "auroc", "e_aurc", "risk_coverage"]


@dataclass(frozen=True)
class RiskCoverage:
    """The error rate (risk) of the most confident rows against their share (coverage); arrays of one length.

    low, high: 95 % interval of the error rate of rows at or above the threshold.
    """

    coverage: Floats
    risk: Floats
    low: Floats
    high: Floats
    threshold: Floats

    def columns(self) -> dict[str, Floats]:
        """Return the arrays by name, ready for a data frame."""
        return dict(vars(self))


def auroc(score: ArrayLike, positive: ArrayLike, *, clusters: ArrayLike | None = None, level: float = 0.95) -> Interval:
    """Return the probability that a positive row scores above a negative one, ties one half.

    Interval: DeLong's variance on the logit scale, Student's t with Welch's degrees of freedom; Newcombe's (2006) method 5
    where the groups are fully separated or one has a single row, and where it is wider with fewer than 30 rows in one of them
    (with 3 to 20, DeLong's alone held 90 to 99 in 100 samples, the two together 94 and more). With clusters the influence of the
    rows is summed per cluster (Obuchowski 1997), and each group's variance and degrees of freedom are of the clusters that hold
    it: ten documents of which three are positive know the area as three and seven do.

    >>> [round(x, 3) for x in auroc([0.9, 0.8, 0.7, 0.6, 0.55], [1, 1, 0, 1, 0])[:3]]
    [0.833, 0.019, 0.999]
    """
    numbers, (_, hits) = check_scores(score, "score"), check_pairs(np.zeros(np.shape(positive)), positive, empty=True)
    if len(numbers) != len(hits):
        raise DataError(f"score has {len(numbers)} rows and positive has {len(hits)}. Pass one of each per row.")
    return auroc_of(numbers, hits, check_clusters(clusters, len(hits)), level)


def aurc(
    confidence: ArrayLike, correct: ArrayLike, *, clusters: ArrayLike | None = None, level: float = 0.95
) -> Interval:
    """Return the mean over k of the error rate of the k most confident rows, ties averaged (Geifman and El-Yaniv 2017).

    Interval: that of a mean of pseudo-values (value plus influence), corrected for skewness; without any error, or any hit,
    the largest (smallest) area that Clopper and Pearson's bound of the error rate allows.

    >>> [round(x, 3) for x in aurc([0.9, 0.8, 0.7, 0.6] * 10, [1, 1, 1, 0] * 10)[:3]]
    [0.037, 0.0, 0.089]
    """
    pairs = check_pairs(confidence, correct, empty=True)
    return aurc_of(*pairs, check_clusters(clusters, len(pairs.correct)), level)


def e_aurc(
    confidence: ArrayLike, correct: ArrayLike, *, clusters: ArrayLike | None = None, level: float = 0.95
) -> Interval:
    """Return the AURC less that of a perfect ranking with the same error rate r, r + (1 - r) ln(1 - r) (Geifman et al. 2019).

    >>> round(e_aurc([0.9, 0.8, 0.7, 0.6] * 10, [1, 1, 0, 1] * 10).value, 3)
    0.088
    """
    pairs = check_pairs(confidence, correct, empty=True)
    return e_aurc_of(*pairs, check_clusters(clusters, len(pairs.correct)), level)


def risk_coverage(
    confidence: ArrayLike,
    correct: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    points: int = 200,
) -> RiskCoverage:
    """Return the risk-coverage curve at no more than `points` ends of tied groups, Wilson's interval at each.

    With clusters Wilson's interval is taken at the effective number of rows of each point.

    >>> risk_coverage([0.9, 0.8, 0.8, 0.6], [1, 1, 0, 0]).coverage
    array([0.25, 0.75, 1.  ])
    """
    pairs = check_pairs(confidence, correct)
    codes = check_clusters(clusters, len(pairs.correct))
    ranked = rank(*pairs)
    ends, n = ranked.last, len(pairs.correct)
    if len(ends) > points:
        wanted = np.unique(np.searchsorted(ends, np.linspace(0, n - 1, points)))
        ends = ends[np.minimum(wanted, len(ends) - 1)]
    accepted = ends + 1.0
    errors = np.cumsum(ranked.wrong)[ends]
    if codes is None:
        low, high = wilson(errors, accepted, level=level)
    else:
        effective, quantiles = _effective(ranked, ends, codes, level)
        low, high = score_bounds(errors / accepted * effective, effective, quantiles)
    threshold = pairs.confidence[ranked.order][ends]
    return RiskCoverage(accepted / n, errors / accepted, low, high, threshold)
