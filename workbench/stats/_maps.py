"""Maps of one probability to another (isotonic, histogram), and how K classes are mapped with them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.stats._bins import Scheme, assign, place_in
from workbench.stats._checks import Floats, Ints

__all__ = ["Curve", "Map", "Mode", "OneVsRest", "Steps", "TopLabel", "fit_classes", "fit_histogram", "fit_isotonic"]

Mode = Literal["one-vs-rest", "top"]
Map = Callable[[Floats], Floats]
Fitter = Callable[[Floats, Floats], Map]


@dataclass(frozen=True)
class Curve:
    """A piecewise linear map, constant beyond its ends; `x` rises, and so does `y` or stays."""

    x: Floats
    y: Floats

    def __call__(self, confidence: Floats) -> Floats:
        return np.interp(confidence, self.x, self.y)


@dataclass(frozen=True)
class Steps:
    """One value per bin."""

    edges: Floats
    values: Floats
    scheme: Scheme

    def __call__(self, confidence: Floats) -> Floats:
        return np.asarray(self.values[place_in(confidence.copy(), self.edges, self.scheme)])


@dataclass(frozen=True)
class OneVsRest:
    """One map per class, then divided by their sum; a row whose maps all say 0 keeps 1/K each."""

    maps: tuple[Map, ...]

    def __call__(self, table: Floats) -> Floats:
        mapped = np.stack([each(table[:, k].copy()) for k, each in enumerate(self.maps)], axis=1)
        total = mapped.sum(axis=1, keepdims=True)
        return np.where(total > 0, mapped / np.where(total > 0, total, 1), 1 / table.shape[1])


@dataclass(frozen=True)
class TopLabel:
    """One map of the largest probability; the others keep their proportions (equal shares where they were all 0)."""

    map: Map

    def __call__(self, table: Floats) -> Floats:
        rows, top = np.arange(len(table)), table.argmax(axis=1)
        stated = table[rows, top]
        rest = table.copy()
        rest[rows, top] = 0
        total = rest.sum(axis=1, keepdims=True)
        even = np.full_like(rest, 1 / (table.shape[1] - 1))
        even[rows, top] = 0
        shares = np.where(total > 0, rest / np.where(total > 0, total, 1), even)
        mapped = self.map(stated / (stated + total[:, 0]))
        result = shares * (1 - mapped)[:, None]
        result[rows, top] = mapped
        return np.asarray(result)


def fit_isotonic(confidence: Floats, correct: Floats) -> Curve:
    """Return the non-decreasing map of least squares (and of least NLL), linear between its steps; ties are one point.

    The same as scikit-learn's IsotonicRegression(out_of_bounds="clip"). Zadrozny and Elkan (2002).

    >>> fit_isotonic(np.array([0.2, 0.4, 0.6]), np.array([0.0, 1.0, 0.0])).y
    array([0. , 0.5, 0.5])
    """
    from scipy.optimize import isotonic_regression

    x, place, weights = np.unique(confidence, return_inverse=True, return_counts=True)
    hits = np.bincount(place, weights=correct)
    found = isotonic_regression(hits / weights, weights=weights)
    starts = found.blocks[:-1]
    sums = np.add.reduceat(hits, starts) / np.add.reduceat(weights, starts)  # whole numbers: exact in any order
    y = np.repeat(sums, np.diff(found.blocks))
    keep = np.ones(len(x), dtype=bool)
    keep[1:-1] = (y[1:-1] != y[:-2]) | (y[1:-1] != y[2:])
    return Curve(x[keep], y[keep])


def fit_histogram(confidence: Floats, correct: Floats, bins: int, scheme: Scheme) -> Steps:
    """Return the hit rate of each bin (Zadrozny and Elkan 2001); an empty bin keeps its middle.

    >>> fit_histogram(np.array([0.2, 0.4, 0.9]), np.array([0.0, 1.0, 1.0]), 2, "width").values
    array([0.5, 1. ])
    """
    place, limits = assign(confidence, bins, scheme)
    size = len(limits) - 1
    n, hits = np.bincount(place, minlength=size), np.bincount(place, weights=correct, minlength=size)
    middle = (limits[:-1] + limits[1:]) / 2
    return Steps(limits, np.where(n > 0, hits / np.maximum(n, 1), middle), scheme)


def fit_classes(fitter: Fitter, table: Floats, labels: Ints, mode: Mode) -> OneVsRest | TopLabel:
    """Return the map of probabilities `(n, K)`: a fit per class against the rest, or one of the largest probability."""
    if mode == "top":
        top = table.argmax(axis=1)
        stated = table[np.arange(len(table)), top] / table.sum(axis=1)
        return TopLabel(fitter(stated, (top == labels).astype(np.float64)))
    columns = [np.ascontiguousarray(table[:, k]) for k in range(table.shape[1])]
    return OneVsRest(tuple(fitter(one, (labels == k).astype(np.float64)) for k, one in enumerate(columns)))
