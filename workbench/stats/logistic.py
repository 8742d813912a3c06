"""Multinomial logistic regression on features: the head that turns an encoder's vectors into class logits.

The loss is mean cross-entropy (nats) + penalty / 2 times the sum of squared weights, biases free, from zeros by L-BFGS; it has one
minimum, so nothing is random.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import DataError, UsageError
from workbench.stats._checks import Floats
from workbench.stats._features import Reals, check_features, check_labels

__all__ = ["Logistic", "fit_logistic"]


@dataclass(frozen=True, eq=False)
class Logistic:
    """A linear head: `weight` (d, K), `bias` (K,) and the names of its K `classes`; `steps` of L-BFGS, `loss` in nats."""

    weight: Floats
    bias: Floats
    classes: tuple[Any, ...]
    steps: int
    loss: float

    def logits(self, features: ArrayLike) -> Floats:
        """Return the logits (n, K) of features (n, d), float64."""
        rows = check_features(features, width=len(self.weight))
        return np.asarray(rows @ self.weight.astype(rows.dtype) + self.bias.astype(rows.dtype), dtype=np.float64)


def fit_logistic(
    features: ArrayLike, labels: ArrayLike, *, penalty: float = 1e-5, steps: int = 150, tolerance: float = 1e-6
) -> Logistic:
    """Return the head that fits features (n, d) to labels (n,): names or numbers of at least two classes.

    Computed in the features' own type (float32 stays float32), summed in float64.

    Args:
        features: `(n, d)` finite numbers.
        labels: `(n,)` the class of each row.
        penalty: of the squared weights, per row of data (scikit-learn's `C` is 1 / (n * penalty)).
        steps: of L-BFGS at most, 10 vectors of history.
        tolerance: the largest entry of the gradient at which it ends.

    >>> head = fit_logistic([[0.0], [1.0], [2.0], [3.0]], ["no", "no", "yes", "yes"])
    >>> [head.classes[i] for i in head.logits([[0.2], [2.9]]).argmax(axis=1)]
    ['no', 'yes']
    """
    from scipy.optimize import minimize

    if not penalty >= 0 or steps < 1:
        raise UsageError(f"penalty must be at least 0 and steps at least 1; they are {penalty!r} and {steps!r}.")
    rows = check_features(features)
    classes, index = check_labels(labels, len(rows))
    if len(classes) < 2:
        raise DataError(f"A head needs at least two classes; all {len(rows)} labels are {classes[0]!r}.")
    shape = (rows.shape[1] + 1, len(classes))
    loss = _Loss(rows, index, shape, penalty)
    options = {"maxiter": steps, "maxfun": 10 * steps, "maxcor": 10, "gtol": tolerance, "ftol": 0.0}
    found = minimize(loss, np.zeros(shape[0] * shape[1]), jac=True, method="L-BFGS-B", options=options)
    fitted = found.x.reshape(shape)
    return Logistic(fitted[:-1], fitted[-1], classes, int(found.nit), float(found.fun))


@dataclass(frozen=True, eq=False)
class _Loss:
    rows: Reals  # (n, d)
    index: NDArray[np.intp]  # (n,)
    shape: tuple[int, int]  # (d + 1, K): weights, then the biases
    penalty: float

    def __call__(self, flat: Floats) -> tuple[float, Floats]:
        """Return the loss in nats and its gradient."""
        table = flat.reshape(self.shape)
        weight, n = table[:-1], len(self.rows)
        z = self.rows @ weight.astype(self.rows.dtype)
        z += table[-1].astype(z.dtype)
        z -= z.max(axis=1, keepdims=True)
        own = z[np.arange(n), self.index].astype(np.float64)
        np.exp(z, out=z)
        total = z.sum(axis=1)
        value = float((np.log(total.astype(np.float64)) - own).mean()) + 0.5 * self.penalty * float((weight**2).sum())
        z /= total[:, None]
        z[np.arange(n), self.index] -= 1
        z /= n
        gradient = np.empty(self.shape)
        gradient[:-1] = self.rows.T @ z
        gradient[:-1] += self.penalty * weight
        gradient[-1] = z.sum(axis=0, dtype=np.float64)
        return value, gradient.ravel()
