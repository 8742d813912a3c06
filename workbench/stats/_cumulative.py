"""Tests of calibration without bins: Kolmogorov-Smirnov, Kuiper (cumulative differences) and Spiegelhalter's z.

Cumulative differences are taken at the ends of tied groups only (elsewhere they depend on the order of the rows), and include
the start, 0. p-values are those of the limit for many rows (Brownian motion: Tygert 2021, arXiv 2202.00100; Feller 1951).
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from workbench.stats._checks import Floats, check_pairs

__all__ = ["NullTest", "ks", "kuiper", "spiegelhalter"]

TERMS = 50


class NullTest(NamedTuple):
    """A statistic in units of its standard deviation under calibration, and its p-value."""

    statistic: float
    p_value: float
    n: int
    method: str


class Walk(NamedTuple):
    """Cumulative differences at the ends of tied groups, 0 first, and the standard deviation of the last one."""

    steps: Floats
    scale: float


def walk_of(confidence: Floats, correct: Floats) -> Walk:
    """Return the cumulative sums of (hit - confidence) / n in order of confidence."""
    order = np.argsort(confidence, kind="stable")
    stated = confidence[order]
    steps = np.cumsum(correct[order] - stated) / len(stated)
    last = np.append(np.flatnonzero(stated[1:] != stated[:-1]), len(stated) - 1)
    return Walk(np.append(0.0, steps[last]), math.sqrt(float((stated * (1 - stated)).sum())) / len(stated))


def _scaled(distance: float, scale: float) -> float:
    if scale > 0:
        return distance / scale
    return 0.0 if distance < 1e-12 else math.inf


def ks(confidence: ArrayLike, correct: ArrayLike) -> NullTest:
    """Return the largest |cumulative difference| in standard deviations; p from the maximum of |Brownian motion|.

    >>> ks([0.1, 0.9, 0.21, 0.9, 0.5], [0, 1, 0, 1, 0]).statistic.__round__(3)
    0.978
    """
    pairs = check_pairs(confidence, correct)
    steps, scale = walk_of(*pairs)
    statistic = _scaled(float(np.abs(steps).max()), scale)
    return NullTest(
        statistic, ks_p(statistic), len(pairs.correct), "KS at the ends of tied groups, p of Brownian motion"
    )


def ks_p(x: float) -> float:
    """Return the probability that |Brownian motion| on [0, 1] passes x."""
    if x <= 0.1:
        return 1.0
    if x > 3:  # the series of the tail converges at once
        return min(1.0, sum(4.0 * (1, -1)[k % 2] * _upper((2 * k + 1) * x) for k in range(5)))
    odd = np.arange(TERMS) + 0.5
    series = ((-1.0) ** np.arange(TERMS)) / odd * np.exp(-((odd * math.pi / x) ** 2) / 2)
    return float(np.clip(1 - 2 / math.pi * series.sum(), 0, 1))


def kuiper(confidence: ArrayLike, correct: ArrayLike) -> NullTest:
    """Return the range of the cumulative differences, the start 0 included, in standard deviations.

    >>> kuiper([0.1, 0.9, 0.21, 0.9, 0.5], [0, 1, 0, 1, 0]).statistic.__round__(3)
    0.978
    """
    pairs = check_pairs(confidence, correct)
    steps, scale = walk_of(*pairs)
    statistic = _scaled(float(np.ptp(steps)), scale)
    return NullTest(
        statistic, kuiper_p(statistic), len(pairs.correct), "Kuiper at the ends of tied groups, p of Brownian motion"
    )


def kuiper_p(x: float) -> float:
    """Return the probability that the range of Brownian motion on [0, 1] passes x (Feller 1951)."""
    if x <= 0.4:
        return 1.0
    if x > 5:
        return min(1.0, sum(8.0 * (-1, 1)[k % 2] * k * _upper(k * x) for k in range(1, 6)))
    odd = np.arange(TERMS) + 0.5
    series = (8 / x**2 + 2 / (odd * math.pi) ** 2) * np.exp(-2 * (odd * math.pi / x) ** 2)
    return float(np.clip(1 - series.sum(), 0, 1))


def spiegelhalter(confidence: ArrayLike, correct: ArrayLike) -> NullTest:
    """Return Spiegelhalter's (1986) z, and the two-sided p-value.

    >>> spiegelhalter([0.1, 0.9, 0.21, 0.9, 0.5], [0, 1, 0, 1, 0]).statistic.__round__(3)
    -0.757
    """
    pairs = check_pairs(confidence, correct)
    stated, hit = pairs
    tilt = 1 - 2 * stated
    scale = math.sqrt(float((tilt * tilt * stated * (1 - stated)).sum()))
    score = float(((hit - stated) * tilt).sum())
    statistic = math.copysign(_scaled(abs(score), scale), score)
    return NullTest(statistic, min(1.0, 2 * _upper(abs(statistic))), len(hit), "Spiegelhalter's z, two-sided normal p")


def _upper(x: float) -> float:
    return 0.5 * math.erfc(x / math.sqrt(2))
