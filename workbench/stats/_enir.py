"""ENIR, an ensemble of near isotonic regressions (Naeini and Cooper 2016, arXiv 1511.05191), written here.

netcal's own cannot be used: where three neighbouring groups meet at one penalty its 1.4.0 merges the first two and deletes the
third with its rows, and then maps every confidence in the hole to 0 (`tests/stats/test_netcal_adapter.py` shows one).

Near isotonic regression (Tibshirani, Hoefling and Tibshirani 2011) minimises half the squared error plus a penalty times the
sum of all drops of the map. As the penalty grows from 0 groups of rows meet and merge, until no drop is left: the isotonic
regression. ENIR averages the models on that path with the weights exp(-BIC / 2).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.errors import NotApplicable
from workbench.stats._checks import Floats, Ints

__all__ = ["ROWS", "Ensemble", "fit_enir", "near_isotonic_path"]

ROWS = 100_000  # the path can take time with the square of the distinct confidences
SAME = 1e-12  # groups that meet at one penalty, up to rounding
NEGLIGIBLE = 1e-6  # models of less weight are left out


class Model(NamedTuple):
    """One model of the path: the first point of each group, and the group's value."""

    starts: Ints
    values: Floats


@dataclass(frozen=True)
class Ensemble:
    """The weighted average of step maps, itself a step map: its value is `values[i]` up to and with `upper[i]`."""

    upper: Floats
    values: Floats
    weights: Floats  # of the models, for the record

    def __call__(self, confidence: Floats) -> Floats:
        return np.asarray(self.values[np.searchsorted(self.upper[:-1], confidence, side="left")])


def fit_enir(confidence: Floats, correct: Floats) -> Ensemble:
    """Return the ensemble for one confidence `(n,)` and its outcome, 0 or 1; ties are one point.

    The path starts at the hit rate of each distinct confidence; models are weighted by BIC, one degree of freedom per group.
    Steps change half-way between two points.

    >>> fit_enir(np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.0, 1.0, 0.0, 1.0]))(np.array([0.2, 0.9])).round(3)
    array([0.5, 1. ])
    """
    if len(confidence) > ROWS:
        raise NotApplicable(
            f"ENIR can take time with the square of the rows; it is kept to {ROWS:,} and these are {len(confidence):,}. "
            "Use isotonic or bbq."
        )
    x, place, counts = np.unique(confidence, return_inverse=True, return_counts=True)
    n = counts.astype(np.float64)
    hits = np.bincount(place, weights=correct).astype(np.float64)
    found = list(near_isotonic_path(hits / n, n))
    scores = np.array([_bic(model, n, hits) for model in found])
    weights = np.exp((scores.min() - scores) / 2)
    weights /= weights.sum()
    kept = np.flatnonzero(weights > NEGLIGIBLE)
    weights = weights[kept] / weights[kept].sum()
    values = np.zeros(len(x))
    for weight, model in zip(weights, (found[at] for at in kept), strict=True):
        values += weight * np.repeat(model.values, np.diff(model.starts, append=len(x)))
    last = np.append(values[1:] != values[:-1], True)
    upper = np.append((x[:-1] + x[1:]) / 2, 1.0)
    return Ensemble(upper[last], np.clip(values[last], 0, 1), weights)


def near_isotonic_path(values: Floats, weights: Floats) -> Iterator[Model]:
    """Yield the models at every penalty where groups meet, the last being the isotonic regression.

    >>> [model.values.tolist() for model in near_isotonic_path(np.array([0.0, 1.0, 0.0, 1.0]), np.ones(4))]
    [[0.0, 0.5, 1.0]]
    """
    starts, values, weights = _merge(np.arange(len(values)), values, weights, values[1:] == values[:-1])
    penalty = 0.0
    if not (values[1:] < values[:-1]).any():
        yield Model(starts, values)
    while (drops := values[1:] < values[:-1]).any():
        edge = np.concatenate([[0.0], drops, [0.0]])
        slopes = (edge[:-1] - edge[1:]) / weights
        closing = slopes[:-1] - slopes[1:]
        with np.errstate(divide="ignore", invalid="ignore"):
            meet = np.where(closing != 0, (values[1:] - values[:-1]) / closing, np.inf)
        step = max(0.0, float(meet.min()))
        values = values + slopes * step
        penalty += step
        starts, values, weights = _merge(starts, values, weights, meet <= step + SAME * max(penalty, 1.0))
        yield Model(starts, values)


def _merge(starts: Ints, values: Floats, weights: Floats, joined: NDArray[np.bool_]) -> tuple[Ints, Floats, Floats]:
    """Return the groups with every run of joined neighbours made one."""
    first = np.flatnonzero(np.append(True, ~joined))
    total = np.add.reduceat(weights, first)
    return starts[first], np.add.reduceat(values * weights, first) / total, total


def _bic(model: Model, n: Floats, hits: Floats) -> float:
    total, right = np.add.reduceat(n, model.starts), np.add.reduceat(hits, model.starts)
    value = np.clip(model.values, 1e-12, 1 - 1e-12)
    loss = -float((right * np.log(value) + (total - right) * np.log1p(-value)).sum())
    return 2 * loss + len(value) * float(np.log(n.sum()))
