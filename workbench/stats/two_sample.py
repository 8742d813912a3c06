"""Whether two sets of rows differ: by column (Kolmogorov-Smirnov), by category (chi-squared), by a classifier (C2ST).

Columns are many tests: correct their p-values together (`workbench.stats.significance`: Bonferroni, Benjamini-Hochberg).
For vectors as a whole see `workbench.stats.mmd`.

The classifier two-sample test (Lopez-Paz and Oquab, arXiv 1610.06545) asks how well a logistic regression tells the sets apart on
rows that it was not fitted on. A binomial p-value of *cross-fitted* accuracy is wrong: rows are test in one fold and training in
another, and with nothing to find 7 to 10 % of data sets were below 0.05 in our runs (n = 100 to 250 a set, five folds). Here each
fold's held-out labels are dealt anew for the classifier that never saw them, which is exact, and the least p-value counts times
the number of folds (Bonferroni; two folds). With `retrain` the labels of all rows are dealt anew and every classifier is fitted
again: exact as well, slower, and with more power.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import DataError, UsageError
from workbench.stats._checks import Floats, Ints
from workbench.stats._intervals import wilson
from workbench.stats._ks import ks_p
from workbench.stats._ks_sort import full_gap, sorted_gaps
from workbench.stats._two_samples import TwoSample, checked_sets

__all__ = ["Classified", "ClassifierSettings", "Columns", "TwoSample", "c2st", "chi_squared", "ks_columns"]

FEWEST_EXPECTED = 5.0  # rows expected in a cell of a table, below which its distribution is drawn
ITERATIONS = 300


class Columns(NamedTuple):
    """The Kolmogorov-Smirnov test of each column: distance, p-value, rows that have a value, and where the gap is.

    At values up to `at` the reference has a larger share by `gap` (negative: the new set); |gap| is the distance.
    """

    distance: Floats
    p: Floats
    n: Ints
    m: Ints
    at: Floats
    gap: Floats


@dataclass(frozen=True)
class ClassifierSettings:
    """How the classifier test is done: folds (at least 2), draws of labels, whether each draw fits anew, level, seed."""

    folds: int = 2
    draws: int = 999
    retrain: bool = False
    level: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        if self.folds < 2:
            raise UsageError(f"folds must be at least 2; it is {self.folds}. Use 2, or 5 with retrain=True.")
        if self.draws < 20:
            raise UsageError(f"draws must be at least 20; it is {self.draws}. Use 999.")


class Classified(NamedTuple):
    """The test by AUROC, the balanced accuracy, and each row's held-out probability of being new."""

    test: TwoSample
    accuracy: float
    reference: Floats
    new: Floats


def ks_columns(reference: ArrayLike, new: ArrayLike) -> Columns:
    """Return the two-sample Kolmogorov-Smirnov test of each column of (n, d) and (m, d); NaN is left out and counted.

    The distances are SciPy's. p-values are exact up to 10,000 pairs of rows (n m), too large where values tie; above that they
    are those of SciPy's `method="asymp"` to 0.3 %, or larger where they are below 1e-7. Columns are sorted as integers of the same
    order, with the set in the lowest bit; where the largest gap may lie among values that this cannot tell apart, the column is
    done in full.

    >>> found = ks_columns([[0.0], [1.0], [2.0], [3.0]], [[2.0], [3.0], [4.0], [float("nan")]])
    >>> found.distance.round(3).tolist(), found.m.tolist()
    ([0.5], [3])
    """
    x, y = _numbers(reference, "reference"), _numbers(new, "new")
    if x.shape[1] != y.shape[1]:
        raise DataError(f"reference has {x.shape[1]} columns and new has {y.shape[1]}. Both must have the same ones.")
    whole = np.isfinite(x.sum(axis=0)) & np.isfinite(y.sum(axis=0))
    wide = x.shape[1]
    gap, at = np.full(wide, np.nan), np.full(wide, np.nan)
    n, m = (
        (np.full(wide, len(x)), np.full(wide, len(y))) if whole.all() else ((~np.isnan(z)).sum(axis=0) for z in (x, y))
    )
    unclear = np.flatnonzero(~whole & (n > 0) & (m > 0)).tolist()
    a, b, columns = (x, y, np.arange(wide)) if whole.all() else (x[:, whole], y[:, whole], np.flatnonzero(whole))
    if len(columns):
        gap[columns], at[columns], clear = sorted_gaps(a, b)
        unclear += columns[~clear].tolist()
    for column in unclear:
        gap[column], at[column] = full_gap(x[:, column], y[:, column])
    return Columns(np.abs(gap), ks_p(np.abs(gap), n, m), n, m, at, gap)


def chi_squared(
    reference: ArrayLike, new: ArrayLike, *, draws: int = 9999, level: float = 0.05, seed: int = 0
) -> TwoSample:
    """Return Pearson's chi-squared test of the counts of each category (K,) in the two sets.

    Where each cell has 5 expected rows: the limit distribution. Else tables with the same margins are drawn, which is exact.

    >>> chi_squared([30, 10], [12, 28]).differs
    True
    """
    table = np.array([_counts(reference, "reference"), _counts(new, "new")])
    table = table[:, table.sum(axis=0) > 0]
    n, m = (int(side) for side in table.sum(axis=1))
    found: dict[str, Any] = {"test": "chi-squared", "statistic": "χ²", "level": level, "n": n, "m": m}
    if not n or not m:
        raise DataError("Each set needs at least one row with a category; one has none.")
    both = table.sum(axis=0)
    expected = np.outer([n, m], both) / (n + m)
    value = float(((table - expected) ** 2 / expected).sum())
    if table.shape[1] < 2:
        return TwoSample(value=0.0, p=1.0, draws=0, exact=True, how="one category", **found)
    if expected.min() >= FEWEST_EXPECTED:
        from scipy.stats import chi2

        p = float(chi2.sf(value, table.shape[1] - 1))
        return TwoSample(value=value, p=p, draws=0, exact=False, how="limit distribution", **found)
    drawn = np.random.default_rng([seed, 19]).multivariate_hypergeometric(both.astype(np.int64), n, size=draws)
    null = ((drawn - expected[0]) ** 2 / expected[0] + (drawn - expected[0]) ** 2 / expected[1]).sum(axis=1)
    return _counted(null, value, "permutation", found)


def c2st(reference: ArrayLike, new: ArrayLike, *, settings: ClassifierSettings | None = None) -> Classified:
    """Return the classifier two-sample test of vectors (n, d) and (m, d): scikit-learn's logistic regression, cross-fitted.

    The sets weigh the same in the fit, columns are taken as they are (standardise those of different units before). Statistic:
    the AUROC of the held-out probabilities. How p is found stands at the head of this module.

    >>> rng = np.random.default_rng(0)
    >>> c2st(rng.normal(0, 1, (60, 2)), rng.normal(2, 1, (60, 2))).test.differs
    True
    """
    x, y = checked_sets(reference, new)
    chosen = settings or ClassifierSettings()
    fewest = min(len(x), len(y))
    if fewest < 2 * chosen.folds:
        raise DataError(
            f"{chosen.folds} folds need at least {2 * chosen.folds} rows in each set; the smaller has {fewest}. Use fewer folds."
        )
    rows = np.concatenate([x, y])
    label = np.concatenate([np.zeros(len(x)), np.ones(len(y))])
    rng = np.random.default_rng([chosen.seed, 23])
    fold = _folds(label, chosen.folds, rng)
    score = _held_out(rows, label, fold)
    area = _auroc(score, label[None])[0]
    known: dict[str, Any] = {"test": "C2ST", "statistic": "AUROC", "level": chosen.level, "n": len(x), "m": len(y)}
    if chosen.retrain:
        null = np.empty(chosen.draws)
        for draw in range(chosen.draws):
            dealt = np.asarray(rng.permutation(label))
            again = _folds(dealt, chosen.folds, rng)
            null[draw] = _auroc(_held_out(rows, dealt, again), dealt[None])[0]
        test = _counted(null, area, f"permutations, {chosen.folds} folds fitted anew in each", known)
    else:
        test = _by_fold(score, label, fold, chosen, rng, {**known, "value": area})
    right = [float(np.mean((part > 0.5) == side)) for part, side in ((score[label == 0], 0), (score[label == 1], 1))]
    return Classified(test, sum(right) / 2, score[label == 0], score[label == 1])


def _numbers(given: ArrayLike, name: str) -> "NDArray[np.floating]":
    try:
        table = np.asarray(given)
        table = table if table.dtype == np.float32 else table.astype(np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{name} must be numbers (rows, columns). Count categories with chi_squared.") from None
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2 or not table.size:
        raise DataError(f"{name} must be a table with rows and columns; its shape is {table.shape}.")
    return table


def _counts(given: ArrayLike, name: str) -> Floats:
    counts = np.asarray(given, dtype=np.float64)
    if counts.ndim != 1 or not np.isfinite(counts).all() or (counts < 0).any() or (counts != np.rint(counts)).any():
        raise DataError(f"{name} must be whole numbers of rows, one per category. Count them first.")
    return counts


def _counted(null: Floats, value: float, how: str, known: "dict[str, Any]") -> TwoSample:
    """Return the test whose p-value counts draws at least as large as the value."""
    found = int((null >= value - 1e-9 * max(1.0, abs(value))).sum())
    bounds = wilson(found, len(null))
    about: dict[str, Any] = {
        "p_low": float(bounds.low),
        "p_high": float(bounds.high),
        "null": null,
        "draws": len(null),
        "how": how,
    }
    return TwoSample(value=value, p=(1 + found) / (1 + len(null)), exact=True, **about, **known)


def _folds(label: Floats, folds: int, rng: np.random.Generator) -> Ints:
    """Return the fold of each row: both sets are spread evenly at random."""
    fold = np.empty(len(label), dtype=np.intp)
    for side in (0, 1):
        rows = np.flatnonzero(label == side)
        fold[rng.permutation(rows)] = np.arange(len(rows)) % folds
    return fold


def _held_out(rows: Floats, label: Floats, fold: Ints) -> Floats:
    """Return the probability of being new of each row, from a classifier that was fitted on the other folds."""
    from sklearn.linear_model import LogisticRegression

    score = np.empty(len(label))
    for one in range(int(fold.max()) + 1):
        held = fold == one
        fitted = LogisticRegression(class_weight="balanced", max_iter=ITERATIONS).fit(rows[~held], label[~held])
        score[held] = fitted.predict_proba(rows[held])[:, 1]
    return score


def _auroc(score: Floats, labels: Floats) -> Floats:
    """Return the AUROC of scores (N,) for each row of labels (draws, N) of 0 and 1."""
    from scipy.stats import rankdata

    ones = labels.sum(axis=1)
    sums = labels @ rankdata(score)
    return np.asarray((sums - ones * (ones + 1) / 2) / (ones * (labels.shape[1] - ones)))


def _by_fold(
    score: Floats,
    label: Floats,
    fold: Ints,
    settings: ClassifierSettings,
    rng: np.random.Generator,
    known: "dict[str, Any]",
) -> TwoSample:
    """Return the test from the least p-value of the folds, times their number."""
    found = []
    for one in range(settings.folds):
        held = fold == one
        dealt = rng.permuted(np.broadcast_to(label[held], (settings.draws, int(held.sum()))), axis=1)
        areas = _auroc(score[held], np.concatenate([label[held][None], dealt]))
        found.append(int((areas[1:] >= areas[0] - 1e-9).sum()))
    least = min(found)
    bounds = wilson(least, settings.draws)
    p, low, high = (
        min(1.0, settings.folds * one)
        for one in ((1 + least) / (1 + settings.draws), float(bounds.low), float(bounds.high))
    )
    how = f"permutations of held-out labels, least of {settings.folds} folds times {settings.folds}"
    return TwoSample(p=p, draws=settings.draws, exact=True, how=how, p_low=low, p_high=high, **known)
