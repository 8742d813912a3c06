"""The largest difference and the smallest ratio between groups: intervals that allow for having picked the extremes.

A difference of the largest and the smallest of several rates is biased upwards, and so is its bootstrap once more: percentiles
miss the truth where groups are alike. So each pair of groups gets an interval (MOVER: Zou and Donner 2008; for ratios Donner and
Zou 2012) at a critical value for all pairs at once, taken from the bootstrap's largest studentised pair, as Tukey's is from the
studentised range. If they all hold, the largest difference lies between the largest lower and the largest upper bound.
"""

from typing import NamedTuple

import numpy as np

from workbench.stats._checks import Floats
from workbench.stats._intervals import Bounds, z_quantile

__all__ = ["Rated", "critical", "difference_bounds", "least_bounds", "ratio_bounds", "spread_of"]


class Rated(NamedTuple):
    """A metric by group: values `(g,)` and their draws `(draws, g)`, NaN where not defined."""

    value: Floats
    drawn: Floats


def _deviations(rated: Rated) -> Floats:
    """Return draws minus values, 0 where a draw has none."""
    deviation = rated.drawn - rated.value
    return np.where(np.isfinite(deviation), deviation, 0.0)


def spread_of(rated: Rated) -> Floats:
    """Return the covariance of the draws `(g, g)`."""
    deviation = _deviations(rated)
    return np.asarray(deviation.T @ deviation / len(deviation))


def critical(families: list[Rated], level: float) -> float:
    """Return the quantile of the largest studentised difference of any two groups in any family; the normal one at least."""
    largest = np.zeros(len(families[0].drawn))
    for rated in families:
        deviation, covariance = _deviations(rated), spread_of(rated)
        variance = np.diag(covariance)
        for i in range(len(variance) - 1):
            squares = variance[i] + variance[i + 1 :] - 2 * covariance[i, i + 1 :]
            some = squares > 1e-15
            if some.any():
                gaps = np.abs(deviation[:, [i]] - deviation[:, i + 1 :][:, some]) / np.sqrt(squares[some])
                largest = np.maximum(largest, gaps.max(axis=1))
    return max(z_quantile(level), float(np.quantile(largest, level)))


def difference_bounds(value: Floats, bounds: Bounds, correlation: Floats | None = None) -> tuple[float, float]:
    """Return the bounds of the largest difference between groups from the bounds of each group.

    >>> low, high = difference_bounds(np.array([0.2, 0.5]), Bounds(np.array([0.1, 0.4]), np.array([0.3, 0.6])))
    >>> round(low, 3), round(high, 3)
    (0.159, 0.441)
    """
    below, above = value - bounds.low, bounds.high - value
    rho = np.zeros((len(value), len(value))) if correlation is None else correlation
    gap = value[:, None] - value[None, :]
    down = below[:, None] ** 2 + above[None, :] ** 2 - 2 * rho * below[:, None] * above[None, :]
    up = above[:, None] ** 2 + below[None, :] ** 2 - 2 * rho * above[:, None] * below[None, :]
    pairs = ~np.eye(len(value), dtype=bool)
    low = (gap - np.sqrt(np.maximum(down, 0)))[pairs].max()
    high = (gap + np.sqrt(np.maximum(up, 0)))[pairs].max()
    return max(0.0, float(low)), float(high)


def ratio_bounds(value: Floats, bounds: Bounds) -> tuple[float, float]:
    """Return the bounds of the smallest ratio between groups (smallest rate over largest), in [0, 1].

    >>> low, high = ratio_bounds(np.array([0.2, 0.5]), Bounds(np.array([0.1, 0.4]), np.array([0.3, 0.6])))
    >>> round(low, 3), round(high, 3)
    (0.196, 0.637)
    """
    pairs = ~np.eye(len(value), dtype=bool)
    product = value[:, None] * value[None, :]
    with np.errstate(invalid="ignore", divide="ignore"):  # rows: the numerator; columns: the denominator
        a = (bounds.high * (2 * value - bounds.high))[None, :]
        c = (bounds.low * (2 * value - bounds.low))[:, None]
        lower = c / (product + np.sqrt(np.maximum(product**2 - a * c, 0)))
        a = (bounds.low * (2 * value - bounds.low))[None, :]
        c = (bounds.high * (2 * value - bounds.high))[:, None]
        upper = (product + np.sqrt(np.maximum(product**2 - a * c, 0))) / a
    low = np.where(np.isfinite(lower), lower, 0.0)[pairs].min()
    high = np.where(np.isfinite(upper), upper, 1.0)[pairs].min()
    return float(np.clip(low, 0, 1)), float(np.clip(high, 0, 1))


def least_bounds(bounds: Bounds) -> tuple[float, float]:
    """Return the bounds of the smallest rate of any group."""
    return float(bounds.low.min()), float(bounds.high.min())
