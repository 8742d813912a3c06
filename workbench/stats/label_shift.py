"""Label shift: how often each class occurs in unlabelled rows, from the classes that are predicted for them (BBSE).

Black box shift estimation (Lipton, Wang and Smola 2018, arXiv 1802.03916) supposes that only the shares of the classes moved, and
each class still looks as it did: then the shares of predicted classes in the new rows are C w, with C the joint table of predicted
and true class in labelled reference rows, and w how much more frequent each class has become. Where inputs of a class changed as
well, the weights mean nothing: compare with a test on the inputs themselves (`workbench.stats.mmd`).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError, UsageError
from workbench.stats._checks import Floats, Ints

__all__ = ["LabelShift", "bbse"]

CELLS = 4_000_000  # entries of drawn tables at once
RIDGE = 1e-9  # of the mean diagonal: a table that is singular gives large weights, not an error


class LabelShift(NamedTuple):
    """Weights and estimated shares of each class (K,), with bounds; `condition` is the condition number of C (2-norm).

    `weights` are w = share in the new rows / share in the reference, as they come out: an estimate may be negative. `warning` says
    why they cannot be trusted, "" where nothing speaks against it.
    """

    classes: tuple[str, ...]
    weights: Floats
    low: Floats
    high: Floats
    share: Floats
    share_low: Floats
    share_high: Floats
    condition: float
    n: int
    m: int
    method: str
    warning: str = ""

    @property
    def importance(self) -> Floats:
        """The weights (K,) cut at 0: what a labelled row of each class counts in the new population."""
        return np.maximum(self.weights, 0.0)


def bbse(
    predicted: Sequence[Any], true: Sequence[Any], new: Sequence[Any], *, draws: int = 1000, seed: int = 0
) -> LabelShift:
    """Return the label shift between labelled reference rows and unlabelled new rows, with 95 % bounds.

    Bounds are quantiles of weights under tables that could lie behind the rows: Dirichlet draws of both, with 1 / K of a row added
    to each cell. (A bootstrap of the rows has no bounds for a class that nothing was predicted for: in a trial with 200 and 50
    rows and a class of 2 % it held the weight in 72 % of data sets, these in 97 %.)

    Ill-conditioned is a table C whose condition number is above the square root of the number of reference rows: then chance alone
    moves weights by as much as they are.

    Args:
        predicted: the class predicted for each reference row, by the classifier as it was fitted elsewhere.
        true: the label of each reference row.
        new: the class predicted for each new row.
        draws: of both tables.
        seed: of the draws.

    >>> found = bbse(["a"] * 50 + ["b"] * 50, ["a"] * 50 + ["b"] * 50, ["a"] * 80 + ["b"] * 20)
    >>> found.weights.round(3).tolist(), found.condition
    ([1.6, 0.4], 1.0)
    """
    if draws < 20:
        raise UsageError(f"draws must be at least 20; it is {draws}. Use 1000.")
    classes, codes = _codes(predicted, true, new)
    k, n, m = len(classes), len(codes[0]), len(codes[2])
    joint = np.bincount(codes[0] * k + codes[1], minlength=k * k) / n
    seen = np.bincount(codes[2], minlength=k) / m
    table = joint.reshape(k, k)
    empty = [classes[i] for i in np.flatnonzero(table.sum(axis=0) == 0)]
    if empty:
        named = ", ".join(empty[:5])
        raise DataError(
            f"The class(es) {named} are predicted but no reference row has them as its label. Give labelled rows of every class."
        )
    weights, share = _solved(table[None], seen[None])
    of_weights, of_shares = _bounds(joint, seen, (n, m, draws), np.random.default_rng([seed, 29]))
    condition = float(np.linalg.cond(table))
    limit = float(np.sqrt(n))
    warning = ""
    if not condition <= limit:
        number = f"{condition:.3g}" if np.isfinite(condition) and condition < 1e12 else "infinite"
        warning = (
            f"The weights cannot be trusted: the table of predicted and true classes has a condition number of {number}, above "
            f"{limit:.3g} (the square root of {n:,} reference rows). Classes that the model confuses cannot be told apart."
        )
    method = f"BBSE, condition number {condition:.3g}, quantiles of {draws:,} Dirichlet draws of both sets"
    low, high, share_low, share_high = (
        end(bound, value)
        for bounds, value in ((of_weights, weights[0]), (of_shares, share[0]))
        for bound, end in zip(bounds, (np.minimum, np.maximum), strict=True)
    )
    ends = (low, high, share[0], share_low, share_high)
    return LabelShift(classes, weights[0], *ends, condition, n, m, method, warning)


def _codes(predicted: Sequence[Any], true: Sequence[Any], new: Sequence[Any]) -> tuple[tuple[str, ...], list[Ints]]:
    """Return the classes, sorted, and each list as numbers of them."""
    lists = [[str(one) for one in given] for given in (predicted, true, new)]
    if len(lists[0]) != len(lists[1]):
        raise DataError(f"predicted has {len(lists[0])} rows and true has {len(lists[1])}. Pass one of each per row.")
    if not lists[0] or not lists[2]:
        raise DataError("BBSE needs reference rows with labels and new rows; one of them has none.")
    classes = tuple(sorted({one for given in lists for one in given}))
    place = {name: i for i, name in enumerate(classes)}
    return classes, [np.array([place[one] for one in given], dtype=np.intp) for given in lists]


def _solved(tables: Floats, seen: Floats) -> tuple[Floats, Floats]:
    """Return weights and shares (draws, K) of tables (draws, K, K) and shares of predictions (draws, K)."""
    k = tables.shape[1]
    ridge = RIDGE * np.trace(tables, axis1=1, axis2=2)[:, None, None] / k
    weights = np.linalg.solve(tables + ridge * np.eye(k) + 1e-15 * np.eye(k), seen[..., None])[..., 0]
    return weights, weights * tables.sum(axis=1)


def _bounds(
    joint: Floats, seen: Floats, sizes: tuple[int, int, int], rng: np.random.Generator
) -> list["NDArray[np.float64]"]:
    """Return low and high of the weights and of the shares, each (2, K)."""
    n, m, draws = sizes
    k = len(seen)
    found: list[tuple[Floats, Floats]] = []
    step = max(1, CELLS // len(joint))
    for start in range(0, draws, step):
        many = min(step, draws - start)
        tables, shares = (
            rng.standard_gamma(some * rows + 1 / k, (many, len(some))) for some, rows in ((joint, n), (seen, m))
        )
        tables /= tables.sum(axis=1, keepdims=True)
        shares /= shares.sum(axis=1, keepdims=True)
        found.append(_solved(tables.reshape(many, k, k), shares))
    return [np.quantile(np.concatenate(part), (0.025, 0.975), axis=0) for part in zip(*found, strict=True)]
