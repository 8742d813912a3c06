"""The null band of the classwise ECE: labels redrawn from the stated probabilities of all classes together."""

from typing import NamedTuple

import numpy as np

from workbench.stats._bins import Scheme, limits_of, place_in
from workbench.stats._checks import Floats, Ints

__all__ = ["ClasswiseNull", "classwise_null"]

EXACT_LABELS = 500_000  # labels that are redrawn one by one; above, gap sums are drawn from their joint normal
JOINT_CELLS = 600  # classes x bins whose covariance is built; above, classes are drawn as if independent
SLACK = 1e-12
BLOCK = 4096


class ClasswiseNull(NamedTuple):
    """The classwise ECE, its 95 % quantile when calibrated, the p-value, and how labels were redrawn."""

    value: float
    high: float
    p_value: float
    how: str


def classwise_null(table: Floats, labels: Ints, options: tuple[int, Scheme, int, int], level: float) -> ClasswiseNull:
    """Return the classwise ECE of checked probabilities and its null band; options = (bins, scheme, draws, seed).

    >>> found = classwise_null(np.full((50, 2), 0.5), np.arange(50) % 2, (10, "width", 200, 0), 0.95)
    >>> found.value, found.p_value
    (0.0, 1.0)
    """
    bins, scheme, draws, seed = options
    n, classes = table.shape
    key = np.empty((n, classes), dtype=np.intp)
    for k in range(classes):
        stated = np.ascontiguousarray(table[:, k])
        key[:, k] = place_in(stated, limits_of(stated, bins, scheme), scheme) + k * bins
    kinds, key = np.unique(key, return_inverse=True)
    key = key.reshape(n, classes)
    size = len(kinds)
    sums = np.asarray(np.bincount(key.ravel(), weights=table.ravel(), minlength=size), dtype=np.float64)
    hits = np.bincount(key[np.arange(n), labels], minlength=size)
    value = float(np.abs(hits - sums).sum() / (n * classes))
    if not draws:
        return ClasswiseNull(value, float("nan"), float("nan"), "")
    rng = np.random.default_rng([seed, 4])
    if n * draws <= EXACT_LABELS:
        errors, how = _exact(table, key, sums, (rng, draws)), "labels redrawn"
    else:
        errors, how = _normal(table, key, sums, (rng, draws)), "normal for redrawn labels"
    errors /= n * classes
    p = (1 + int((errors >= value - SLACK).sum())) / (1 + draws)
    return ClasswiseNull(value, float(np.quantile(errors, level)), p, f"{draws} draws, {how}")


def _exact(table: Floats, key: Ints, sums: Floats, random: tuple[np.random.Generator, int]) -> Floats:
    """Draw a label for each row, again and again."""
    rng, draws = random
    n = len(table)
    order = np.lexsort(table.T)  # the order of the rows must not matter
    key = key[order]
    ends = np.cumsum(table[order] / table[order].sum(axis=1, keepdims=True), axis=1)[:, :-1]
    labels = np.zeros((draws, n), dtype=np.intp)
    coins = rng.random((draws, n))
    for column in ends.T:  # the class is the number of bounds passed
        labels += coins > column
    cell = key[np.arange(n), labels] + np.arange(draws)[:, None] * len(sums)
    hits = np.bincount(cell.ravel(), minlength=draws * len(sums)).reshape(draws, len(sums))
    return np.asarray(np.abs(hits - sums).sum(axis=1))


def _normal(table: Floats, key: Ints, sums: Floats, random: tuple[np.random.Generator, int]) -> Floats:
    """Draw gap sums from a normal: of all classes and bins together, or of each alone where there are many classes."""
    rng, draws = random
    n, size = len(table), len(sums)
    if (
        size > JOINT_CELLS
    ):  # correlation of -1/(K - 1) between classes changes the spread of the sum by 1/(K - 1) at most
        spread = np.bincount(key.ravel(), weights=(table * (1 - table)).ravel(), minlength=size)
        return np.asarray(np.abs(rng.standard_normal((draws, size)) * np.sqrt(spread)).sum(axis=1))
    gram = np.zeros((size, size))
    for start in range(0, n, BLOCK):
        block = slice(start, start + BLOCK)
        wide = np.zeros((len(table[block]), size))
        np.put_along_axis(wide, key[block], table[block], axis=1)
        gram += wide.T @ wide
    values, vectors = np.linalg.eigh(np.diag(sums) - gram)
    root = vectors * np.sqrt(np.maximum(values, 0))
    return np.asarray(np.abs(rng.standard_normal((draws, size)) @ root.T).sum(axis=1))
