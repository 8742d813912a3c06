"""Accuracy on rows without labels, estimated from labelled ones: five estimates that rest on five assumptions.

``atc``                  share of target rows more confident than a threshold which as many source rows exceed as are right
                         (Garg et al. 2022, 2201.04234); of rows at the threshold, where confidences tie, the share that is
                         needed in the source (the paper has all or none of them)
``doc``                  source accuracy less the fall in mean confidence (Guillory et al. 2021, 2107.03315)
``average_confidence``   mean confidence of the target: right only where the model stays calibrated
``cbpe``                 mean confidence after it was calibrated on the source (isotonic): right only where calibration carries over
``importance_weighted``  source accuracy under weights that make the source look like the target: right under covariate shift alone

Every interval is a bootstrap of both sets: it says how the estimate varies from sample to sample, not whether its assumption
holds. Where the target has labels, `error` is the estimate minus the accuracy, of the same draws: there the assumption shows.

CBPE's interval allows for the bias that the draws show. With 200 to 1,000 rows it held the population's value in .89 to .95 of data
sets; where most of the target has confidences that few source rows have, its bias is larger than the draws show: .80 to .89.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import DataError, UsageError
from workbench.stats._checks import Floats, Ints, check_clusters, check_pairs, check_scores
from workbench.stats._features import check_features
from workbench.stats._intervals import Interval, t_quantile, undefined

__all__ = ["ESTIMATORS", "Answers", "Draws", "Estimate", "domain_weights", "estimates"]

ESTIMATORS = ("atc", "doc", "average_confidence", "cbpe", "importance_weighted")
CELLS = 2_000_000  # weights drawn at once


class Estimate(NamedTuple):
    """An estimated accuracy, and its error where the truth is known (else NaN, and `method` says why)."""

    accuracy: Interval
    error: Interval


@dataclass(frozen=True)
class Draws:
    """How intervals are made: `draws` bootstrap draws, their `seed`, and the nominal coverage `level`."""

    draws: int = 500
    seed: int = 0
    level: float = 0.95

    def __post_init__(self) -> None:
        if self.draws < 20:
            raise UsageError(f"draws must be at least 20; it is {self.draws}. Use 500.")
        if not 0 < self.level < 1:
            raise UsageError(f"level must lie between 0 and 1; it is {self.level!r}. Use 0.95.")


@dataclass(frozen=True, eq=False)
class Answers:
    """Confidence (n,) in [0, 1] of answers, whether each is right (n,), None where that is not known, and clusters (n,)."""

    confidence: ArrayLike
    correct: ArrayLike | None = None
    clusters: ArrayLike | None = None


def estimates(
    source: Answers, target: Answers, *, weights: ArrayLike | None = None, draws: Draws | None = None
) -> dict[str, Estimate]:
    """Return the estimated accuracy of the target by each of `ESTIMATORS`; the source needs to say which answers are right.

    Args:
        source: labelled answers; they must not be those that the model was fitted on.
        target: answers whose accuracy is wanted; where they say which are right, errors are given.
        weights: `(n,)` of the source rows, target density over source density up to a factor (`domain_weights`); without them
            there is no importance-weighted estimate. Its interval takes them as given.
        draws: how intervals are made.

    >>> source = Answers([0.9, 0.8, 0.7, 0.6] * 10, [1, 1, 1, 0] * 10)
    >>> found = estimates(source, Answers([0.9, 0.7, 0.6, 0.5] * 10))
    >>> {name: round(one.accuracy.value, 3) for name, one in found.items()}
    {'atc': 0.5, 'doc': 0.675, 'average_confidence': 0.675, 'cbpe': 0.5}
    """
    settings = draws or Draws()
    given, asked = _checked(source, "source"), _checked(target, "target")
    if source.correct is None:
        raise DataError("The source needs to say which answers are right. Give correct= for each.")
    known = None if weights is None else _weights(weights, len(given.confidence))
    names = [name for name in ESTIMATORS if name != "importance_weighted" or known is not None]
    whole = {name: _one(name, given, asked, known) for name in names}
    truth = float(asked.correct.mean())
    few = min(given.drawn, asked.drawn)
    n = len(asked.confidence)
    if few < 2:
        return {name: Estimate(*_none("one cluster only", whole[name], truth, n)) for name in names}
    drawn, right = _drawn(names, given, asked, known, settings)
    found = {}
    for name in names:
        off = float(np.nanmean(drawn[name])) - whole[name] if name == "cbpe" else 0.0
        low, high = _ends(drawn[name], few, settings.level, off)
        said = f"{_WORDS[name]}; bootstrap of both sets, {settings.draws} draws, {settings.level:.0%}"
        estimate = Interval(whole[name], low, high, n, said)
        if target.correct is None:
            found[name] = Estimate(estimate, undefined("the target has no labels", n=n))
            continue
        low, high = _ends(drawn[name] - right, few, settings.level, off)
        found[name] = Estimate(estimate, Interval(whole[name] - truth, low, high, n, f"estimate less accuracy: {said}"))
    return found


def domain_weights(source: ArrayLike, target: ArrayLike, *, folds: int = 5, seed: int = 0) -> Floats:
    """Return weights (n,) of source rows: the odds that a classifier gives to "target", cross-fitted, their mean 1.

    The classifier is scikit-learn's logistic regression (C = 1) on features (n, d) and (m, d). Few effective rows,
    (sum w)^2 / sum w^2, mean that hardly any source row looks like the target.

    >>> weights = domain_weights(np.linspace(0, 1, 40)[:, None], np.linspace(0.5, 1.5, 40)[:, None])
    >>> bool(weights[-1] > weights[0]), round(float(weights.mean()), 6)
    (True, 1.0)
    """
    from sklearn.linear_model import LogisticRegression

    one = check_features(source, name="source features")
    two = check_features(target, name="target features", width=one.shape[1])
    if not 2 <= folds <= min(len(one), len(two)):
        raise UsageError(
            f"folds must be from 2 to the rows of the smaller set ({min(len(one), len(two))}); it is {folds}."
        )
    rng = np.random.default_rng([seed, 41])
    parts = [rng.permutation(len(rows)) % folds for rows in (one, two)]
    odds = np.empty(len(one))
    for fold in range(folds):
        kept = [rows[part != fold] for rows, part in zip((one, two), parts, strict=True)]
        labels = np.repeat([0, 1], [len(rows) for rows in kept])
        fitted = LogisticRegression(C=1.0, max_iter=300).fit(np.concatenate(kept), labels)
        logit = fitted.decision_function(one[parts[0] == fold])
        odds[parts[0] == fold] = np.exp(np.clip(logit, -30, 30)) * len(kept[0]) / len(kept[1])
    return np.asarray(odds / odds.mean())


_WORDS = {
    "atc": "threshold on confidence",
    "doc": "difference of confidences",
    "average_confidence": "mean confidence",
    "cbpe": "mean of isotonic confidence",
    "importance_weighted": "source accuracy, weighted",
}


class _Side(NamedTuple):
    """Rows of one set by rising confidence, `correct` NaN where it is not known; `codes` say what is drawn, `drawn` of them."""

    confidence: Floats
    correct: Floats
    order: Ints
    codes: Ints
    drawn: int


class _Weighted(NamedTuple):
    """How often each row counts, (n,), for both sets."""

    source: Floats
    target: Floats


def _checked(answers: Answers, name: str) -> _Side:
    try:
        hits = np.zeros(np.shape(answers.confidence)) if answers.correct is None else answers.correct
        pairs = check_pairs(answers.confidence, hits)
    except DataError as problem:
        raise DataError(f"{name}: {problem}") from None
    codes = check_clusters(answers.clusters, len(pairs.confidence))
    order = np.argsort(pairs.confidence, kind="stable")
    drawn = np.arange(len(order)) if codes is None else codes[order]
    correct = np.full(len(order), np.nan) if answers.correct is None else pairs.correct[order]
    return _Side(pairs.confidence[order], correct, order, drawn, int(drawn.max()) + 1)


def _weights(weights: ArrayLike, n: int) -> Floats:
    known = check_scores(weights, "weights")
    if len(known) != n or (known < 0).any() or not known.sum() > 0:
        raise DataError(f"weights must be one number from 0 per source row ({n}), not all 0; there are {len(known)}.")
    return known


def _one(name: str, source: _Side, target: _Side, weights: Floats | None) -> float:
    ones = _Weighted(np.ones(len(source.confidence)), np.ones(len(target.confidence)))
    return _BY[name](source, target, ones, None if weights is None else weights[source.order])


def _drawn(
    names: list[str], source: _Side, target: _Side, weights: Floats | None, settings: Draws
) -> tuple[dict[str, Floats], Floats]:
    """Return each estimate in each draw, and the target's accuracy in it (NaN without labels)."""
    rng = np.random.default_rng([settings.seed, 43])
    found: dict[str, list[float]] = {name: [] for name in names}
    right = []
    ordered = None if weights is None else weights[source.order]
    size = max(1, CELLS // (len(source.confidence) + len(target.confidence)))
    for start in range(0, settings.draws, size):
        some = min(size, settings.draws - start)
        counts = [
            rng.multinomial(side.drawn, np.full(side.drawn, 1 / side.drawn), some)[:, side.codes].astype(np.float64)
            for side in (source, target)
        ]
        for one, two in zip(*counts, strict=True):
            both = _Weighted(one, two)
            for name in names:
                found[name].append(_BY[name](source, target, both, ordered))
            right.append(float(two @ target.correct / two.sum()))
    return {name: np.array(values) for name, values in found.items()}, np.array(right)


def _accuracy(source: _Side, counts: Floats) -> float:
    return float(counts @ source.correct / counts.sum())


def _atc(source: _Side, target: _Side, counts: _Weighted, weights: Floats | None) -> float:
    """Return the share of target rows above the quantile of source confidence at the source's error rate.

    Of those at it, the share that it takes in the source for as many rows to be above as are right.
    """
    del weights
    right, ranks = _accuracy(source, counts.source), np.cumsum(counts.source)
    place = (1 - right) * (ranks[-1] - 1)
    low, high = (
        source.confidence[min(np.searchsorted(ranks, step, "right"), len(ranks) - 1)]
        for step in (math.floor(place), math.ceil(place))
    )
    threshold = low + (high - low) * (place - math.floor(place))
    above, at = _beyond(source, counts.source, threshold)
    part = min(1.0, max(0.0, (right - above) / at)) if at else 0.0
    above, at = _beyond(target, counts.target, threshold)
    return above + part * at


def _beyond(side: _Side, counts: Floats, threshold: float) -> tuple[float, float]:
    """Return the shares of rows with a confidence above the threshold, and at it."""
    first, after = (int(np.searchsorted(side.confidence, threshold, where)) for where in ("left", "right"))
    total = counts.sum()
    return float(counts[after:].sum() / total), float(counts[first:after].sum() / total)


def _doc(source: _Side, target: _Side, counts: _Weighted, weights: Floats | None) -> float:
    fall = counts.source @ source.confidence / counts.source.sum() - _average(source, target, counts, weights)
    return _accuracy(source, counts.source) - float(fall)


def _average(source: _Side, target: _Side, counts: _Weighted, weights: Floats | None) -> float:
    del source, weights
    return float(counts.target @ target.confidence / counts.target.sum())


def _cbpe(source: _Side, target: _Side, counts: _Weighted, weights: Floats | None) -> float:
    """Return the target's mean after an isotonic map of the source's confidences, linear between its points."""
    from scipy.optimize import isotonic_regression

    del weights
    some = counts.source > 0
    x, firsts = np.unique(source.confidence[some], return_index=True)  # rising already: ties are made one
    total = np.add.reduceat(counts.source[some], firsts)
    hits = np.add.reduceat((counts.source * source.correct)[some], firsts)
    y = isotonic_regression(hits / total, weights=total).x
    return float(counts.target @ np.interp(target.confidence, x, y) / counts.target.sum())


def _importance(source: _Side, target: _Side, counts: _Weighted, weights: Floats | None) -> float:
    del target
    weighted = counts.source if weights is None else counts.source * weights
    return _accuracy(source, weighted) if weighted.sum() > 0 else math.nan


_BY: dict[str, Callable[[_Side, _Side, _Weighted, Floats | None], float]] = {
    "atc": _atc,
    "doc": _doc,
    "average_confidence": _average,
    "cbpe": _cbpe,
    "importance_weighted": _importance,
}


def _ends(values: NDArray[np.float64], few: int, level: float, off: float = 0.0) -> tuple[float, float]:
    """Return the expanded percentile interval (Hesterberg 2015) of draws from sets of which the smaller has so many clusters.

    `off` is by how much draws are off on average: the interval reaches from there to where it would lie with that taken off twice,
    once for the draws and once for the estimate, as an isotonic map is too low (high) beyond what it has seen.
    """
    from scipy.special import ndtr

    known = values[np.isfinite(values)]
    if not len(known):
        return math.nan, math.nan
    tail = float(ndtr(-math.sqrt(few / (few - 1)) * t_quantile(level, few - 1)))
    low, high = np.quantile(known, [tail, 1 - tail])
    return float(low - max(0.0, 2 * off)), float(high - min(0.0, 2 * off))


def _none(reason: str, value: float, truth: float, n: int) -> tuple[Interval, Interval]:
    return undefined(reason, value=value, n=n), undefined(reason, value=value - truth, n=n)
