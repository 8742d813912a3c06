"""fairlearn behind one door: thresholds by group that meet a parity constraint (Hardt et al. 2016, arXiv 1610.02413).

fairlearn (extra `fairness`) is imported inside functions. What the adapter does for it: a score is all it needs, so that its
estimator hands the score through; groups that it cannot fit (one label only) are left out and not an exception; and rows are
never decided by thresholds that were fitted on them. Its decisions are random for part of the scores: `chances` gives
their probabilities, and the caller draws, so that a seed of the row decides and not its place.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from workbench.errors import DataError, MissingExtra, unknown
from workbench.stats._checks import Floats, check_pairs
from workbench.stats._group_tables import code_of
from workbench.stats._group_types import Grouping

__all__ = ["CONSTRAINTS", "chances", "need_fairlearn"]

CONSTRAINTS = (
    "demographic_parity",
    "equalized_odds",
    "true_positive_rate_parity",
    "false_positive_rate_parity",
)


def _handed() -> Any:
    """Return an estimator whose prediction is its input's first column."""
    from sklearn.base import BaseEstimator

    class Handed(BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
        def fit(self, *_: Any) -> "Handed":
            return self

        def __sklearn_is_fitted__(self) -> bool:
            return True

        def predict(self, table: Any) -> Any:
            return np.asarray(table)[:, 0]

    return Handed()


def need_fairlearn() -> None:
    """Raise `MissingExtra` where fairlearn is not installed."""
    try:
        import fairlearn.postprocessing  # noqa: F401  # seen, not used: the message is what matters
    except ImportError:
        raise MissingExtra("fairlearn", "fairness", "Fitting thresholds by group") from None


def chances(
    score: ArrayLike, label: ArrayLike, groups: ArrayLike | Grouping, constraint: str, *, fold: ArrayLike
) -> Floats:
    """Return the probability of a positive decision `(n,)`: each fold by thresholds that were fitted on the other folds.

    NaN for rows whose group has no two labels in the other folds. The objective is accuracy.

    Args:
        score: `(n,)` probability of the positive class.
        label: `(n,)` 0 or 1.
        groups: `(n,)` names.
        constraint: one of `CONSTRAINTS`, under fairlearn's names.
        fold: `(n,)` whole numbers, as `workbench.stats.recalibration.folds_of` gives them.

    >>> score, label = [0.1, 0.4, 0.6, 0.9] * 20, [0, 0, 1, 1] * 20
    >>> chances(score, label, ["a", "b"] * 40, "demographic_parity", fold=[0, 0, 1, 1] * 20)[:2].tolist()
    [nan, nan]
    """
    if constraint not in CONSTRAINTS:
        raise unknown("constraint", constraint, CONSTRAINTS)
    need_fairlearn()
    pairs = check_pairs(score, label)
    names, codes = code_of(groups, len(pairs.correct))
    folds = np.asarray(fold)
    if folds.shape != codes.shape:
        raise DataError(f"fold must be one number per row ({len(codes)}); the shape is {folds.shape}.")
    found = np.full(len(codes), np.nan)
    for one in np.unique(folds):
        fitted = folds != one
        fit = [g for g in range(len(names)) if _both(pairs.correct[fitted & (codes == g)])]
        inside = np.isin(codes, fit)
        train, test = fitted & inside, ~fitted & inside
        if len(fit) > 1 and test.any():
            found[test] = _fitted(pairs, codes, constraint, (train, test))
    return found


def _both(label: Floats) -> bool:
    return bool(len(label)) and label.min() < label.max()


def _fitted(pairs: Any, codes: Any, constraint: str, rows: tuple[Any, Any]) -> Floats:
    from fairlearn.postprocessing import ThresholdOptimizer

    train, test = rows
    model = ThresholdOptimizer(
        estimator=_handed(), constraints=constraint, objective="accuracy_score", prefit=True, predict_method="predict"
    )
    model.fit(pairs.confidence[train, None], pairs.correct[train].astype(int), sensitive_features=codes[train])
    drawn = model._pmf_predict(pairs.confidence[test, None], sensitive_features=codes[test])  # `predict` draws by place
    return np.asarray(drawn, dtype=np.float64)[:, 1]
