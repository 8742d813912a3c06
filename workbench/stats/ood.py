"""Scores of how usual an input is: every one is higher the more the input looks like what the model was fitted on.

From class logits (n, K): `msp`, `negative_entropy`, `max_logit`, `energy`. From features (n, d) and the features of a training set:
`Gaussians` (Mahalanobis, relative, marginal), `Neighbours` (k-th neighbour, cosine), `Directions` (cosine to class means) and,
from both, `Residual` (ViM). `workbench.stats.ood_metrics` says how well a score tells two sets apart.

A score has no scale of its own: compare its ranks, or place a threshold by a set that is known to be in-distribution.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from workbench.errors import DataError, UsageError
from workbench.stats._checks import Floats
from workbench.stats._features import Reals, check_features, check_labels

__all__ = [
    "Directions",
    "Gaussians",
    "Neighbours",
    "Residual",
    "energy",
    "fit_directions",
    "fit_gaussians",
    "fit_neighbours",
    "fit_residual",
    "max_logit",
    "msp",
    "negative_entropy",
]

CHUNK = 4096  # rows of one matrix product
SINGULAR = 1e-6  # singular values below this share of the largest are rounding
FLOOR = 1e-12  # added to p in the entropy, as in the reference values


def msp(logits: ArrayLike) -> Floats:
    """Return the largest softmax probability (n,) of logits (n, K), in [1/K, 1] (Hendrycks and Gimpel 2017, 1610.02136).

    >>> msp([[0.0, 0.0], [0.0, 50.0]]).round(3).tolist()
    [0.5, 1.0]
    """
    return np.asarray(_softmax(logits).max(axis=1))


def negative_entropy(logits: ArrayLike) -> Floats:
    """Return the sum of p log(p + 1e-12), nats, (n,): 0 for a sure prediction, -log K for a uniform one.

    >>> negative_entropy([[0.0, 0.0], [0.0, 50.0]]).round(3).tolist()
    [-0.693, 0.0]
    """
    p = _softmax(logits)
    return np.asarray((p * np.log(p + FLOOR)).sum(axis=1))


def max_logit(logits: ArrayLike) -> Floats:
    """Return the largest logit (n,) (Hendrycks et al. 2022, 1911.11132), of the model's own logits, not log-probabilities.

    >>> max_logit([[1.0, -2.0]]).tolist()
    [1.0]
    """
    return np.asarray(_logits(logits).max(axis=1))


def energy(logits: ArrayLike, *, temperature: float = 1.0) -> Floats:
    """Return T log sum exp(logits / T), minus the free energy, (n,) (Liu et al. 2020, 2010.03759).

    >>> energy([[0.0, 0.0]]).round(3).tolist()
    [0.693]
    """
    if not temperature > 0:
        raise UsageError(f"temperature must be above 0; it is {temperature!r}. Use 1.")
    z = _logits(logits) / temperature
    top = z.max(axis=1)
    return np.asarray(temperature * (top + np.log(np.exp(z - top[:, None]).sum(axis=1))))


@dataclass(frozen=True, eq=False)
class Gaussians:
    """Normal distributions fitted to features: one mean per class with a common covariance, and one of all rows.

    `white` (d, d) turns a row, less `centre` (d,), into one whose covariance within classes is the identity; `means` (K, d) are the
    class means in that space; `marginal_white` (d, d) does the same for the covariance of all rows.
    """

    centre: Floats
    white: Floats
    means: Floats
    marginal_white: Floats

    def mahalanobis(self, features: ArrayLike) -> Floats:
        """Return minus the squared distance to the nearest class mean (n,) (Lee et al. 2018, 1807.03888)."""
        return -self._distance(features, self.white, self.means)

    def marginal(self, features: ArrayLike) -> Floats:
        """Return minus the squared distance to the normal distribution of all rows (n,)."""
        return -self._distance(features, self.marginal_white, np.zeros((1, len(self.centre))))

    def relative(self, features: ArrayLike) -> Floats:
        """Return the marginal distance less the distance to the nearest class (n,) (Ren et al. 2021, 2106.09022)."""
        return self.mahalanobis(features) - self.marginal(features)

    def _distance(self, features: ArrayLike, white: Floats, means: Floats) -> Floats:
        """Return the least squared distance to one of the means (n,), in the space that `white` leads to."""
        rows = check_features(features, width=len(self.centre))
        found = np.empty(len(rows))
        squares = (means**2).sum(axis=1)
        for start in range(0, len(rows), CHUNK):
            part = slice(start, start + CHUNK)
            z = (rows[part] - self.centre) @ white
            table = z @ means.T
            table *= -2
            table += squares
            found[part] = np.maximum(np.einsum("ij,ij->i", z, z) + table.min(axis=1), 0)
        return found


def fit_gaussians(features: ArrayLike, labels: ArrayLike | None = None, *, ridge: float = 1e-6) -> Gaussians:
    """Return the normal distributions of features (n, d) with labels (n,); without labels all rows are one class.

    Covariances are sums over rows / n, plus `ridge` on the diagonal; they are factored in float64. The common centre is taken off
    before whitening, so that the square of a distance does not cancel.

    >>> fitted = fit_gaussians([[0.0], [2.0], [10.0], [12.0]], [0, 0, 1, 1], ridge=0.0)
    >>> fitted.mahalanobis([[1.0], [3.0]]).round(6).tolist()  # within-class variance 1
    [-0.0, -4.0]
    """
    if not ridge >= 0:
        raise UsageError(f"ridge must be at least 0; it is {ridge!r}. Use 1e-6.")
    rows = check_features(features).astype(np.float64)
    index = np.zeros(len(rows), np.intp) if labels is None else check_labels(labels, len(rows))[1]
    sizes = np.bincount(index)
    centre = rows.mean(axis=0)
    centred = rows - centre
    means = np.stack([centred[index == k].mean(axis=0) for k in range(len(sizes))])
    return Gaussians(
        centre,
        white := _whitener(centred - means[index], ridge),
        means @ white,
        _whitener(centred, ridge) if len(sizes) > 1 else white,
    )


def _whitener(residuals: Floats, ridge: float) -> Floats:
    """Return W (d, d) such that residuals @ W has the identity as its covariance."""
    covariance = residuals.T @ residuals / len(residuals)
    covariance[np.diag_indices_from(covariance)] += ridge
    try:
        factor = np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        raise DataError(
            f"The covariance of {len(residuals)} rows in {len(covariance)} dimensions is singular. Use ridge=1e-6, or more rows."
        ) from None
    from scipy.linalg import solve_triangular

    return np.asarray(solve_triangular(factor, np.eye(len(factor)), lower=True).T, dtype=np.float64, order="C")


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The training rows (n, d), each of length one."""

    rows: Reals

    def distance(self, features: ArrayLike, *, k: int = 5) -> Floats:
        """Return minus the distance to the k-th nearest training row (n,), all of length one (Sun et al. 2022, 2204.06507).

        In [-2, 0]; it falls as the cosine does.
        """
        if not 1 <= k <= len(self.rows):
            raise UsageError(f"k must be from 1 to {len(self.rows)}, the number of training rows; it is {k!r}.")
        given = _unit(check_features(features, width=self.rows.shape[1]))
        cosine = np.empty(len(given))
        step = max(1, 2**23 // len(self.rows))
        for start in range(0, len(given), step):
            table = given[start : start + step] @ self.rows.T
            table.partition(table.shape[1] - k, axis=1)
            cosine[start : start + step] = table[:, -k]
        return -np.sqrt(np.maximum(2 - 2 * cosine, 0))


def fit_neighbours(features: ArrayLike) -> Neighbours:
    """Return the training rows made ready: features (n, d), divided by their length.

    >>> fit_neighbours([[2.0, 0.0], [0.0, 1.0]]).distance([[3.0, 0.0], [-1.0, 0.0]], k=1).round(3).tolist()
    [-0.0, -1.414]
    """
    return Neighbours(_unit(check_features(features)))


@dataclass(frozen=True, eq=False)
class Directions:
    """The directions of the class means (K, d), each of length one."""

    means: Reals

    def cosine(self, features: ArrayLike) -> Floats:
        """Return the largest cosine between a row and a class mean (n,), in [-1, 1]."""
        given = _unit(check_features(features, width=self.means.shape[1]))
        return np.asarray((given @ self.means.T).max(axis=1), dtype=np.float64)


def fit_directions(features: ArrayLike, labels: ArrayLike) -> Directions:
    """Return the directions of the class means of features (n, d) with labels (n,).

    >>> fit_directions([[2.0, 0.0], [0.0, 1.0]], ["a", "b"]).cosine([[3.0, 3.0]]).round(3).tolist()
    [0.707]
    """
    rows = check_features(features)
    _, index = check_labels(labels, len(rows))
    return Directions(_unit(np.stack([rows[index == k].mean(axis=0) for k in range(index.max() + 1)])))


@dataclass(frozen=True, eq=False)
class Residual:
    """The part of features that the head hardly sees (Wang et al. 2022, ViM, 2203.10807).

    `origin` (d,) is where the head gives all classes one logit, `basis` (d, d - D) spans what the D principal directions leave, and
    `scale` makes residuals as large as logits on the training rows.
    """

    origin: Floats
    basis: Floats
    scale: float

    def residual(self, features: ArrayLike) -> Floats:
        """Return minus the length of the residual (n,). By itself it is fragile: rounding to float16 moves it."""
        rows = check_features(features, width=len(self.origin))
        return -np.asarray(np.linalg.norm((rows - self.origin) @ self.basis, axis=1))

    def vim(self, features: ArrayLike, logits: ArrayLike) -> Floats:
        """Return log sum exp(logits) less `scale` times the length of the residual (n,)."""
        return energy(logits) + self.scale * self.residual(features)


def fit_residual(features: ArrayLike, weight: ArrayLike, bias: ArrayLike, *, principal: int = 128) -> Residual:
    """Return the residual space of training features (n, d) under a linear head: weight (d, K), bias (K,).

    `principal` directions are those of the largest variance of the features, less the origin. The paper's origin is
    -pinv(weight') bias. A head of softmax loss has one direction that it does not know, a logit that all classes share; there the
    pseudo-inverse would divide rounding by rounding, so weight and bias are centred over the classes first.

    >>> found = fit_residual([[0.0, 1.0], [1.0, 0.0], [2.0, 0.0]], [[1.0, -1.0], [0.0, 0.0]], [0.0, 0.0], principal=1)
    >>> found.basis.shape, found.scale > 0
    ((2, 1), True)
    """
    rows = check_features(features).astype(np.float64)
    table, shift = np.asarray(weight, np.float64), np.asarray(bias, np.float64)
    d = rows.shape[1]
    if table.ndim != 2 or len(table) != d or shift.shape != table.shape[1:]:
        raise DataError(
            f"weight must be ({d}, classes) and bias (classes,); the shapes are {table.shape}, {shift.shape}."
        )
    if not 1 <= principal < d:
        raise UsageError(
            f"principal must be from 1 to {d - 1}, below the {d} columns of the features; it is {principal}."
        )
    centred = table - table.mean(axis=1, keepdims=True)
    origin = -np.linalg.pinv(centred.T, rcond=SINGULAR) @ (shift - shift.mean())
    _, vectors = np.linalg.eigh(np.cov(rows - origin, rowvar=False, ddof=0))  # smallest first
    basis = np.ascontiguousarray(vectors[:, : d - principal])
    lengths = float(np.linalg.norm((rows - origin) @ basis, axis=1).mean())
    top = float((rows @ table + shift).max(axis=1).mean())
    return Residual(origin, basis, top / lengths if lengths > 0 else 0.0)


def _logits(values: ArrayLike) -> Floats:
    return np.asarray(check_features(values, name="logits"), dtype=np.float64)


def _softmax(values: ArrayLike) -> Floats:
    z = _logits(values)
    p = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(p / p.sum(axis=1, keepdims=True))


def _unit(rows: Any) -> Reals:
    """Return rows of length one; a row of zeros stays one."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1))
