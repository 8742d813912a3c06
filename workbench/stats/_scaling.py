"""Maps of logits with few parameters: temperature (one) and vector scaling (two per class), by Newton's method.

Both minimise the mean negative log-likelihood (NLL), which is convex in their parameters. Where it has no finite minimum the
answer is `NotApplicable`, never a number at the end of an iteration.

Temperature works on columns of rows, class by class, in float32 until it is close, and ends with a pass in float64: the
result does not depend on the type of the logits, nor on the order of the rows beyond rounding.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.errors import NotApplicable
from workbench.stats._checks import Floats, Ints
from workbench.stats._intervals import z_quantile

__all__ = ["Scaling", "Temperature", "Vector", "bounds_of_temperature", "fit_temperature", "fit_vector", "softmax"]

Table = NDArray[np.floating[Any]]

CELLS = 1 << 16  # numbers in a block: it stays in the processor's cache
WARM = 2048  # rows of the warm start, at least, where there are twice as many
CLOSE = 1e-4  # relative step at which float32 has done its part: one step in float64 squares the error
STEPS = 100
NO_FINITE = "{what} has no finite optimum on these {n} rows: {why}. {remedy}"
PENALTY = "Use temperature, or a penalty above 0."


class Temperature(NamedTuple):
    """1 / T with its standard error (sandwich, rows independent), and the mean NLL at T = 1 and at T."""

    beta: float
    error: float
    nll_before: float
    nll_after: float


class Vector(NamedTuple):
    """Weights `(K,)`, biases `(K,)` with mean 0, and the mean NLL at the identity and at the optimum (without penalty)."""

    weights: Floats
    biases: Floats
    nll_before: float
    nll_after: float


@dataclass(frozen=True)
class Scaling:
    """softmax(weights x logits + biases), one weight and bias per class."""

    weights: Floats
    biases: Floats

    def __call__(self, logits: Table) -> Floats:
        return softmax(logits * self.weights + self.biases)


class _Block(NamedTuple):
    """Logits less the row's largest, class by row, in float32; the rows that they stand for."""

    centred: NDArray[np.float32]
    rows: slice


class _Sums(NamedTuple):
    """Sums over rows of the NLL's slope and curvature in beta."""

    slope: float
    curvature: float


def softmax(logits: Table) -> Floats:
    """Return probabilities `(n, K)` in float64.

    >>> softmax(np.array([[0.0, 0.0]]))
    array([[0.5, 0.5]])
    """
    shifted: Floats = np.subtract(logits, logits.max(axis=1, keepdims=True), dtype=np.float64)
    np.exp(shifted, out=shifted)
    shifted /= shifted.sum(axis=1, keepdims=True)
    return shifted


def fit_temperature(logits: Table, labels: Ints) -> Temperature:
    """Return the temperature of least NLL (Guo et al. 2017, arXiv 1706.04599), logits `(n, K)` of either float type.

    >>> round(1 / fit_temperature(np.array([[2.0, 0.0]] * 4), np.array([0, 0, 0, 1])).beta, 4)
    1.8205
    """
    blocks, tops, own, before = _prepare(logits, labels)
    flat = float(sum(block.centred.sum(dtype=np.float64) for block in blocks)) / logits.shape[1]
    if not own.any():
        raise _no_temperature(len(own), "every row is right, so that the best is T = 0", "Fit it on rows with errors.")
    if flat >= own.sum():
        why = "the scores put the labels no higher than chance, so that the best is T = infinity"
        raise _no_temperature(len(own), why, "Ask a model that can tell them, or fit it on more rows.")
    beta = _descend(blocks, float(own.sum()), _warm(logits, labels))
    for _ in range(STEPS):
        previous = beta
        sums, error, after = _precise(logits, blocks, tops, own, beta)
        beta -= sums.slope / sums.curvature
        if abs(beta - previous) <= 1e-6 * beta:
            return Temperature(beta, error, before, after - (sums.slope**2) / (2 * sums.curvature * len(labels)))
    raise _no_temperature(
        len(own), f"Newton's method did not settle (1 / T = {beta:.3g})", "Look at the logits' range."
    )


def _no_temperature(n: int, why: str, remedy: str) -> NotApplicable:
    return NotApplicable(NO_FINITE.format(what="The temperature", n=n, why=why, remedy=remedy))


def _prepare(logits: Table, labels: Ints) -> tuple[list[_Block], Floats, Floats, float]:
    """Return the blocks, each row's largest logit, the label's logit less that, and the mean NLL at T = 1."""
    n, classes = logits.shape
    size = max(1, CELLS // classes)
    blocks, tops, own, before = [], np.empty(n), np.empty(n), 0.0
    for start in range(0, n, size):
        rows = slice(start, min(n, start + size))
        table = np.ascontiguousarray(logits[rows].T, dtype=np.float64)
        tops[rows] = top = table.max(axis=0)
        table -= top
        own[rows] = table[labels[rows], np.arange(len(top))]
        blocks.append(_Block(table.astype(np.float32), rows))
        np.exp(table, out=table)
        before += float(np.log(table.sum(axis=0)).sum())
    return blocks, tops, own, (before - float(own.sum())) / n


def _warm(logits: Table, labels: Ints) -> float:
    """Return a first 1 / T, from rows spread over the table; 1 where those few have no optimum."""
    step = len(labels) // WARM
    if step < 2:
        return 1.0
    some = np.ascontiguousarray(logits[::step])
    blocks, _, own, _ = _prepare(some, labels[::step])
    flat = float(sum(block.centred.sum(dtype=np.float64) for block in blocks)) / logits.shape[1]
    return _descend(blocks, float(own.sum()), 1.0) if own.any() and flat < own.sum() else 1.0


def _descend(blocks: list[_Block], own: float, beta: float) -> float:
    """Return 1 / T to about `CLOSE` squared or the precision of float32, by Newton steps within a bracket."""
    low, high = 0.0, np.inf
    for _ in range(STEPS):
        sums = _rough(blocks, own, beta)
        if sums.slope > 0:
            high = beta
        else:
            low = beta
        step = beta - sums.slope / sums.curvature if sums.curvature > 0 else np.inf
        if not low < step < high or step > 8 * beta:
            step = (low + high) / 2 if np.isfinite(high) else 8 * beta
        close = abs(step - beta) <= CLOSE * beta
        beta = step
        if close:
            break
    return beta


def _rough(blocks: list[_Block], own: float, beta: float) -> _Sums:
    """Return slope and curvature: float32 within a row, float64 over rows."""
    slope, curvature = -own, 0.0
    scale = np.float32(beta)
    for block in blocks:
        weight = block.centred * scale
        np.exp(weight, out=weight)
        total = weight.sum(axis=0)
        weight *= block.centred
        mean = weight.sum(axis=0) / total
        weight *= block.centred
        square = weight.sum(axis=0) / total
        slope += float(mean.sum(dtype=np.float64))
        curvature += float((square - mean * mean).sum(dtype=np.float64))
    return _Sums(slope, curvature)


def _precise(logits: Table, blocks: list[_Block], tops: Floats, own: Floats, beta: float) -> tuple[_Sums, float, float]:
    """Return slope and curvature in float64, the standard error of beta, and the mean NLL."""
    slope, curvature, squares, loss = 0.0, 0.0, 0.0, -beta * float(own.sum())
    for block in blocks:
        centred = np.ascontiguousarray(logits[block.rows].T, dtype=np.float64)
        centred -= tops[block.rows]
        weight = centred * beta
        np.exp(weight, out=weight)
        total = weight.sum(axis=0)
        weight *= centred
        mean = weight.sum(axis=0) / total
        weight *= centred
        square = weight.sum(axis=0) / total
        each = mean - own[block.rows]
        slope += float(each.sum())
        squares += float(each @ each)
        curvature += float((square - mean * mean).sum())
        loss += float(np.log(total).sum())
    if not curvature > 0:
        raise _no_temperature(len(own), "at the best T found every row is certain", "Fit it on rows with more errors.")
    return _Sums(slope, curvature), float(np.sqrt(squares) / curvature), loss / len(own)


def bounds_of_temperature(fit: Temperature, level: float = 0.95) -> tuple[float, float]:
    """Return the bounds of T: those of 1 / T (normal, sandwich error), inverted; infinite where 1 / T may be 0.

    >>> bounds_of_temperature(Temperature(0.5, 0.0, 1.0, 0.9))
    (2.0, 2.0)
    """
    half = z_quantile(level) * fit.error
    return 1 / (fit.beta + half), (1 / (fit.beta - half) if fit.beta > half else float("inf"))


def fit_vector(logits: Table, labels: Ints, penalty: float, free: Ints | None = None) -> Vector:
    """Return the weights and biases of least NLL + penalty / 2 x (|weights - 1|^2 + |biases|^2), mean NLL over rows.

    Guo et al. (2017) call it vector scaling; they state no penalty, which is 0 here. With a penalty of 0 the biases are
    centred, since only their differences count; and of weights that the data do not tell apart, those nearest to 1 are taken.
    `free`: the classes whose weight and bias move (all of them by default).

    >>> fit_vector(np.array([[2.0, 0.0], [2.0, 0.0], [0.0, 2.0]]), np.array([0, 1, 1]), 1.0).weights.round(3)
    array([0.688, 1.052])
    """
    classes = logits.shape[1]
    absent = np.setdiff1d(np.arange(classes), labels)
    if len(absent) and penalty == 0:
        why = f"class {', '.join(map(str, absent[:5]))} has no rows, so that its bias runs off"
        raise NotApplicable(NO_FINITE.format(what="Vector scaling", n=len(labels), why=why, remedy=PENALTY))
    move = np.arange(classes) if free is None else free
    identity = np.concatenate([np.ones(classes), np.zeros(classes)])
    index = np.concatenate([move, classes + move])
    theta, decrement, slow = identity.copy(), np.inf, 0
    value = before = _vector_nll(logits, labels, identity)
    for _ in range(STEPS):
        gradient, hessian = _vector_slopes(logits, labels, theta)
        gradient += penalty * (theta - identity)
        hessian[np.diag_indices(len(hessian))] += penalty
        step = np.zeros_like(theta)
        step[index] = np.linalg.lstsq(hessian[np.ix_(index, index)], -gradient[index], rcond=1e-12)[0]
        previous, decrement = decrement, float(-gradient @ step)
        slow += 1e-14 < decrement < 1e-5 and decrement > previous / 20
        if (
            slow >= 3 and penalty == 0
        ):  # near an optimum Newton's steps square the error; towards infinity each gains a factor e
            why = "a class can be told from the others without error, so that its weights run off"
            raise NotApplicable(NO_FINITE.format(what="Vector scaling", n=len(labels), why=why, remedy=PENALTY))
        theta, value, moved = _search(logits, labels, (theta, step, identity), value, decrement, penalty)
        if decrement <= 1e-14 or not moved:
            break
    weights, biases = theta[:classes], theta[classes:]
    if free is None:
        biases = biases - biases.mean()
    return Vector(weights, biases, before, _vector_nll(logits, labels, theta))


def _search(
    logits: Table, labels: Ints, line: tuple[Floats, Floats, Floats], value: float, decrement: float, penalty: float
) -> tuple[Floats, float, bool]:
    """Return the point on the line that is low enough (Armijo), its value, and whether there was one."""
    theta, step, identity = line
    if decrement <= 1e-12:  # below what rounding of the value can tell: the full step is the best
        return theta + step, value, True
    share = 1.0
    for _ in range(40):
        found = theta + share * step
        shift = found - identity
        loss = _vector_nll(logits, labels, found) + penalty / 2 * float(shift @ shift)
        if loss <= value - 1e-4 * share * decrement:
            return found, loss, True
        share /= 2
    return theta, value, False


def _vector_nll(logits: Table, labels: Ints, theta: Floats) -> float:
    """Return the mean NLL of softmax(weights x logits + biases)."""
    classes = logits.shape[1]
    total = 0.0
    for start in range(0, len(labels), max(1, CELLS // classes)):
        rows = slice(start, start + max(1, CELLS // classes))
        scaled = logits[rows] * theta[:classes] + theta[classes:]
        scaled -= scaled.max(axis=1, keepdims=True)
        own = scaled[np.arange(len(scaled)), labels[rows]]
        total += float((np.log(np.exp(scaled).sum(axis=1)) - own).sum())
    return total / len(labels)


def _vector_slopes(logits: Table, labels: Ints, theta: Floats) -> tuple[Floats, Floats]:
    """Return the gradient `(2K,)` and the Hessian `(2K, 2K)` of the mean NLL in weights and biases."""
    classes, n = logits.shape[1], len(labels)
    gradient, hessian = np.zeros(2 * classes), np.zeros((2 * classes, 2 * classes))
    for start in range(0, n, max(1, CELLS // classes)):
        rows = slice(start, start + max(1, CELLS // classes))
        table = logits[rows].astype(np.float64)
        p = softmax(table * theta[:classes] + theta[classes:])
        both = np.concatenate([p * table, p], axis=1)  # p times the derivative of its own logit
        hessian -= both.T @ both
        sums = both.sum(axis=0)
        squares, cross = (p * table * table).sum(axis=0), sums[:classes]
        for offset, diagonal in ((0, np.concatenate([squares, sums[classes:]])), (classes, cross)):
            at = np.arange(len(diagonal))
            hessian[at, at + offset] += diagonal
            if offset:
                hessian[at + offset, at] += diagonal
        gradient += sums
        own = labels[rows]
        gradient[:classes] -= np.bincount(own, weights=table[np.arange(len(table)), own], minlength=classes)
        gradient[classes:] -= np.bincount(own, minlength=classes)
    return gradient / n, hessian / n
