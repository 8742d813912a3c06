"""How two numbers of the same units go together: Pearson's and Spearman's correlation, and the slope of one on the other.

A unit is what was drawn independently (an occupation, with its mean over sentences), one per row.
"""

import numpy as np
from numpy.typing import ArrayLike

from workbench.errors import DataError
from workbench.stats._checks import Floats
from workbench.stats.intervals import Interval, t_quantile, undefined
from workbench.stats.resample import bootstrap

__all__ = ["FEWEST", "pearson", "slope", "spearman"]

FEWEST = 4  # units below which two numbers say nothing about each other
TINY = 1e-12
SURE = 1 - 1e-12  # a correlation beyond it has no finite place on Fisher's scale


def pearson(x: ArrayLike, y: ArrayLike, *, level: float = 0.95) -> Interval:
    """Return Pearson's correlation of n units, in [-1, 1].

    Interval: on Fisher's scale, atanh r, with the jackknife's variance over units and Student's t with n - 2 degrees of freedom;
    it needs no normal distribution, and covers where a percentile bootstrap is too narrow (92 % for 95 % at 60 units).

    >>> found = pearson([1, 2, 3, 4, 5, 6], [2, 1, 4, 3, 6, 5])
    >>> round(found.value, 3), found.low < found.value < found.high
    (0.829, True)
    """
    one, two = _pair(x, y)
    n = len(one)
    if n < FEWEST:
        return undefined(f"fewer than {FEWEST} units", n=n)
    table = _moments(one, two)
    sums = table.sum(axis=0)
    value = float(_correlation(sums))
    if np.isnan(value):
        return undefined("x or y does not vary", n=n)
    without = np.arctanh(np.clip(_correlation(sums - table), -SURE, SURE))
    error = float(np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum()))
    if abs(value) > SURE or not error > TINY:
        return undefined("all units lie on one line, or one of them carries it all", value=value, n=n)
    half = t_quantile(level, n - 2) * error
    low, high = (float(np.tanh(np.arctanh(value) + side * half)) for side in (-1, 1))
    return Interval(value, low, high, n, f"jackknife t on Fisher's scale, {level:.0%}")


def slope(x: ArrayLike, y: ArrayLike, *, level: float = 0.95) -> Interval:
    """Return the least-squares slope of y on x over n units: 1 where y follows x one to one.

    Interval: Student's t with n - 2 degrees of freedom and the jackknife's variance, each unit left out in turn (HC3 in all but
    name), which holds where the spread of y changes with x; a percentile bootstrap of the slope is too narrow at 60 units.

    >>> round(slope([1, 2, 3, 4], [2.1, 3.9, 6.2, 7.8]).value, 2)
    1.94
    """
    one, two = _pair(x, y)
    n = len(one)
    if n < FEWEST:
        return undefined(f"fewer than {FEWEST} units", n=n)
    offset = one - one.mean()
    square = float(offset @ offset)
    if square <= TINY * max(1.0, float(one.mean()) ** 2):
        return undefined("x does not vary", n=n)
    value = float(offset @ two) / square
    lever = 1 / n + offset**2 / square
    moved = (
        offset * (two - two.mean() - value * offset) / (square * np.maximum(1 - lever, TINY))
    )  # the slope without unit i
    error = float(np.sqrt((n - 1) / n * ((moved - moved.mean()) ** 2).sum()))
    if error <= TINY * max(1.0, abs(value)):
        return undefined("all units lie on one line", value=value, n=n)
    half = t_quantile(level, n - 2) * error
    return Interval(value, value - half, value + half, n, f"jackknife t, {level:.0%}")


def spearman(x: ArrayLike, y: ArrayLike, *, draws: int = 1000, seed: int = 0, level: float = 0.95) -> Interval:
    """Return Spearman's rank correlation of n units, in [-1, 1]; ties share their mean rank.

    Each draw is ranked anew. The interval is the bootstrap's; with few distinct values it is a little too narrow.

    >>> round(spearman([1, 2, 3, 4, 5], [1, 2, 3, 5, 40]).value, 3)
    1.0
    """
    one, two = _pair(x, y)
    if len(one) < FEWEST:
        return undefined(f"fewer than {FEWEST} units", n=len(one))
    groups = [np.unique(values, return_inverse=True)[1] for values in (one, two)]

    def statistic(weights: Floats) -> Floats:
        first, second = (_ranks(weights, group) for group in groups)
        total = weights.sum(axis=-1, keepdims=True)
        first = first - (weights * first).sum(axis=-1, keepdims=True) / total
        second = second - (weights * second).sum(axis=-1, keepdims=True) / total
        squares = (weights * first**2).sum(axis=-1) * (weights * second**2).sum(axis=-1)
        return _ratio((weights * first * second).sum(axis=-1), squares)

    return bootstrap(np.eye(len(one)), statistic, draws=draws, seed=seed, level=level)


def _pair(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    """Return both as arrays (n,), sorted, so that draws do not depend on the order of the units."""
    one, two = (np.asarray(values, dtype=np.float64) for values in (x, y))
    if one.ndim != 1 or one.shape != two.shape:
        raise DataError(f"x and y must be two lists of one length; their shapes are {one.shape} and {two.shape}.")
    if not (np.isfinite(one).all() and np.isfinite(two).all()):
        raise DataError("x or y has a value that is NaN or infinite. Leave such units out and count them.")
    order = np.lexsort((two, one))
    return one[order], two[order]


def _moments(x: Floats, y: Floats) -> Floats:
    """Return per unit what the sums are made of, centred and scaled so that large means cost no digits: (n, 6)."""
    x, y = ((values - values.mean()) / (values.std() or 1.0) for values in (x, y))
    return np.stack([np.ones(len(x)), x, y, x * x, y * y, x * y], axis=1)


def _correlation(sums: Floats) -> Floats:
    n, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    return _ratio(xy - x * y / n, (xx - x * x / n) * (yy - y * y / n))


def _ratio(product: Floats, squares: Floats) -> Floats:
    """Return the product over the root of the squares, cut to [-1, 1]; NaN where one of the two does not vary."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(squares > TINY, np.clip(product / np.sqrt(squares), -1, 1), np.nan)


def _ranks(weights: Floats, group: "np.ndarray[tuple[int], np.dtype[np.intp]]") -> Floats:
    """Return the mean rank of each unit (..., n) where unit i stands weights[..., i] times in the sample."""
    size = int(group.max()) + 1
    held = weights @ (group[:, None] == np.arange(size)).astype(np.float64)
    return np.asarray((np.cumsum(held, axis=-1) - held + (held + 1) / 2)[..., group])
