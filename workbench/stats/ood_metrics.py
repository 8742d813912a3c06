"""How well a score tells in-distribution rows from others: AUROC, average precision both ways, and FPR95, with intervals.

A score is higher where a row looks more in-distribution (`workbench.stats.ood`); `outside` is 1 for the rows that are not.

``auroc``     the chance that an in-distribution row scores above an outside one, ties one half: no side is "the positive class"
``aupr_in``   average precision where in-distribution rows are what is looked for
``aupr_out``  average precision where outside rows are what is looked for: by minus the score
``fpr95``     share of outside rows that are let through at the threshold that keeps 95 % of the in-distribution ones

Average precision depends on how many rows of each kind there are; its interval takes both numbers as given. Values equal
scikit-learn's `roc_auc_score` and `average_precision_score`.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import DataError, UsageError
from workbench.stats._checks import Floats, Ints, check_clusters, check_pairs, check_scores
from workbench.stats._intervals import (
    Interval,
    cluster_freedom,
    design_of,
    score_bounds,
    t_quantile,
    two_class_freedom,
    two_class_variance,
    undefined,
    wilson,
)
from workbench.stats._ranking import auroc_of

__all__ = ["Detection", "Roc", "average_precision", "detection", "fpr_at_tpr", "keeping", "roc"]

TINY = 1e-15


class Detection(NamedTuple):
    """The four numbers of one score, each with its interval; n counts all rows."""

    auroc: Interval
    aupr_in: Interval
    aupr_out: Interval
    fpr95: Interval


class Roc(NamedTuple):
    """Thresholds from the highest on, and the shares of in-distribution rows (kept) and of others (through) at or above them."""

    threshold: Floats
    kept: Floats
    through: Floats


class _Rows(NamedTuple):
    score: Floats
    outside: NDArray[np.bool_]
    codes: Ints | None


def detection(
    score: ArrayLike, outside: ArrayLike, *, clusters: ArrayLike | None = None, level: float = 0.95
) -> Detection:
    """Return AUROC, average precision both ways and FPR95 of a score (n,), higher where a row looks in-distribution.

    >>> found = detection([0.9, 0.8, 0.7, 0.2, 0.75], [0, 0, 0, 1, 1])
    >>> [round(one.value, 3) for one in found]
    [0.833, 0.917, 0.833, 0.5]
    """
    rows = _checked(score, outside, clusters)
    inside = (~rows.outside).astype(float)
    return Detection(
        auroc_of(rows.score, inside, rows.codes, level),
        _precision(rows.score, ~rows.outside, rows.codes, level),
        _precision(-rows.score, rows.outside, rows.codes, level),
        _false_positives(rows, 0.95, level),
    )


def average_precision(
    score: ArrayLike, positive: ArrayLike, *, clusters: ArrayLike | None = None, level: float = 0.95
) -> Interval:
    """Return the average precision of a score (n,) that is higher for positive rows: scikit-learn's, ties at their last row.

    Interval: the variance of the influence of each row, positives and others drawn apart, on the logit scale, with Student's t
    on Welch's degrees of freedom; by cluster the influence is summed per cluster. The lower bound is no higher than with one more
    row of each kind at the median of the other: a few rows that happen to lie well apart say too little of how far they might
    spread (coverage .85 to .90 without, with 20 to 50 rows of one kind among hundreds of the other; .92 to .99 with). Without any
    overlap the bound is what Clopper and Pearson's bounds of the overlap allow.

    >>> [round(x, 3) for x in average_precision([0.9, 0.8, 0.7, 0.6, 0.5], [1, 1, 0, 1, 0])[:3]]
    [0.917, 0.124, 0.999]
    """
    rows = _checked(score, positive, clusters, name="positive")
    return _precision(rows.score, rows.outside, rows.codes, level)


def fpr_at_tpr(
    score: ArrayLike,
    outside: ArrayLike,
    *,
    tpr: float = 0.95,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
) -> Interval:
    """Return the share of outside rows at or above the threshold that keeps at least `tpr` of the in-distribution rows.

    The threshold is numpy's (1 - tpr) quantile of their scores by the method "lower". Interval: Wilson's at that threshold, and
    the shares at both ends of the threshold's own interval (order statistics), combined by MOVER (Zou and Donner 2008). Of fewer
    than 72 in-distribution rows the lowest may well lie above the true threshold at 0.95: then the upper bound is 1.

    >>> fpr_at_tpr(np.arange(100), np.repeat([1, 0], 50)).value
    0.0
    """
    if not 0 < tpr < 1:
        raise UsageError(f"tpr must lie between 0 and 1; it is {tpr!r}. Use 0.95.")
    return _false_positives(_checked(score, outside, clusters), tpr, level)


def keeping(score: ArrayLike, *, share: float = 0.95) -> float:
    """Return the threshold that keeps at least this share of in-distribution scores (n,), at or above it.

    >>> keeping(np.arange(100.0))
    4.0
    """
    if not 0 < share < 1:
        raise UsageError(f"share must lie between 0 and 1; it is {share!r}. Use 0.95.")
    values = check_scores(score, "score")
    if not len(values):
        raise DataError("A threshold needs at least one in-distribution score; there is none.")
    return float(np.quantile(values, 1 - share, method="lower"))


def roc(score: ArrayLike, outside: ArrayLike, *, points: int = 400) -> Roc:
    """Return the ROC curve at no more than about `points` thresholds, which are scores; it starts above all of them.

    >>> curve = roc([0.9, 0.8, 0.7, 0.2], [0, 1, 0, 1])
    >>> curve.kept.tolist(), curve.through.tolist()
    ([0.0, 0.5, 0.5, 1.0, 1.0], [0.0, 0.0, 0.5, 0.5, 1.0])
    """
    rows = _checked(score, outside, None)
    both = _both(rows.outside)
    if both:
        raise DataError(f"A ROC curve needs rows of both kinds; {both}.")
    found = np.unique(rows.score)[::-1]
    if len(found) > points:
        found = found[np.unique(np.linspace(0, len(found) - 1, points).astype(int))]
    inside, others = np.sort(rows.score[~rows.outside]), np.sort(rows.score[rows.outside])
    kept, through = (1 - np.searchsorted(part, found, "left") / len(part) for part in (inside, others))
    return Roc(np.append(np.inf, found), np.append(0.0, kept), np.append(0.0, through))


def _checked(score: ArrayLike, outside: ArrayLike, clusters: ArrayLike | None, *, name: str = "outside") -> _Rows:
    numbers = check_scores(score, "score")
    try:
        flags = check_pairs(np.zeros(np.shape(outside)), np.asarray(outside, dtype=np.float64), empty=True).correct
    except (DataError, ValueError, TypeError):
        raise DataError(f"{name} must be 0 or 1 in every row. Leave out rows of which it is not known.") from None
    if len(numbers) != len(flags):
        raise DataError(f"score has {len(numbers)} rows and {name} has {len(flags)}. Pass one of each per row.")
    return _Rows(numbers, flags > 0, check_clusters(clusters, len(flags)))


def _both(flags: NDArray[np.bool_]) -> str:
    """Return why there are not two kinds of rows, "" where there are."""
    if not len(flags):
        return "there are no rows"
    if flags.all() or not flags.any():
        return f"all {len(flags)} rows are of one kind"
    return ""


def _precision(score: Floats, positive: NDArray[np.bool_], codes: Ints | None, level: float) -> Interval:
    """Return `average_precision` of checked rows."""
    n, p = len(score), int(positive.sum())
    missing = _both(positive)
    if missing:
        return undefined(f"{missing}; two classes are needed", n=n)
    value, terms = _influence(score, positive)
    if codes is not None and codes.max() < 1:
        return undefined("one cluster", value=value, n=n)
    if np.ptp(score) == 0:
        return undefined("all scores are equal", value=value, n=n)
    if min(p, n - p) < 2:
        return undefined("a single row of one class", value=value, n=n)
    if value >= 1 - TINY:
        return _apart(positive, codes, level)
    if codes is not None and min(len(np.unique(codes[part])) for part in (positive, ~positive)) < 2:
        return undefined("one cluster holds all rows of a class", value=value, n=n)
    low, high = _around(value, terms, positive, codes, level)
    more = np.append(score, [np.median(score[~positive]), np.median(score[positive])])
    flags = np.append(positive, [True, False])
    known = None if codes is None else np.append(codes, codes.max() + np.array([1, 2]))
    under, _ = _around(*_influence(more, flags), flags, known, level)
    what = "" if codes is None else f" by cluster, {int(codes.max()) + 1} clusters"
    return Interval(value, min(low, under), high, n, f"influence{what}, logit, {level:.0%}")


def _around(
    value: float, terms: Floats, positive: NDArray[np.bool_], codes: Ints | None, level: float
) -> tuple[float, float]:
    """Return the bounds of an average precision between 0 and 1, by its logit and what each row adds to it."""
    n, p = len(terms), int(positive.sum())
    freedom = two_class_freedom(terms, positive.astype(float), codes)
    if codes is None:
        scale = np.where(positive, p / (p - 1), (n - p) / (n - p - 1))
        variance = float((terms * scale) @ terms) / n**2
    else:
        variance, freedom = two_class_variance(terms, positive, codes), min(freedom, cluster_freedom(codes, n))
    centre = math.log(value / (1 - value))
    half = t_quantile(level, freedom) * math.sqrt(variance) / (value * (1 - value))
    return _logistic(centre - half), _logistic(centre + half)


def _influence(score: Floats, positive: NDArray[np.bool_]) -> tuple[float, Floats]:
    """Return the average precision and n times what each row adds to it, centred on 0 within each class, (n,)."""
    n, p = len(score), int(positive.sum())
    high, low = np.sort(score[positive]), np.sort(score[~positive])
    above = p - np.searchsorted(high, high, "left")  # positives at or above each positive, from the lowest on
    others = len(low) - np.searchsorted(low, high, "left")
    total = (above + others).astype(np.float64)
    precision = above / total
    value = float(precision.mean())
    gain, loss = others / total**2, above / total**2  # of one more positive (other) row at or above, for each threshold
    up, down = np.append(0.0, np.cumsum(gain)), np.append(0.0, np.cumsum(loss))
    terms = np.empty(n)
    mine = score[positive]
    ranks = np.searchsorted(high, mine, "right")  # thresholds at or below the row
    of_row = precision[np.searchsorted(high, mine, "left")]
    terms[positive] = (of_row + up[ranks]) / p
    terms[~positive] = -down[np.searchsorted(high, score[~positive], "right")] / p
    for part in (positive, ~positive):
        terms[part] -= terms[part].mean()
    return value, terms * n


def _apart(positive: NDArray[np.bool_], codes: Ints | None, level: float) -> Interval:
    """Return the interval where every positive row is above all others: as much overlap as could have stayed unseen."""
    n, p = len(positive), int(positive.sum())
    sizes = (p, n - p) if codes is None else tuple(len(np.unique(codes[part])) for part in (positive, ~positive))
    under, over = (1 - ((1 - level) / 2) ** (1 / size) for size in sizes)
    first = np.arange(1, p + 1)
    low = (1 - under) * float((first / (first + over * (n - p))).mean()) + under * p / n
    return Interval(1.0, low, 1.0, n, f"no overlap: bounds of Clopper and Pearson, {level:.0%}")


def _false_positives(rows: _Rows, tpr: float, level: float) -> Interval:
    """Return `fpr_at_tpr` of checked rows."""
    n = len(rows.score)
    missing = _both(rows.outside)
    if missing:
        return undefined(f"{missing}; two classes are needed", n=n)
    inside, others = rows.score[~rows.outside], rows.score[rows.outside]
    threshold = float(np.quantile(inside, 1 - tpr, method="lower"))
    through = (others >= threshold).astype(float)
    value = float(through.mean())
    if rows.codes is None:
        low, high = (float(end) for end in wilson(through.sum(), len(others), level=level))
        effect, quantile, what = 1.0, t_quantile(level, math.inf), ""
    else:
        codes = [np.unique(rows.codes[part], return_inverse=True)[1] for part in (rows.outside, ~rows.outside)]
        if min(int(one.max()) for one in codes) < 1:
            return undefined("one cluster of a kind", value=value, n=n)
        of_others = design_of(through, codes[0], level)
        size = np.array(len(others) / of_others.effect)
        low, high = (float(end) for end in score_bounds(value * size, size, of_others.quantile))
        of_inside = design_of((inside < threshold).astype(float), codes[1], level)
        effect, quantile, what = of_inside.effect, of_inside.quantile, f", by cluster ({int(rows.codes.max()) + 1})"
    ends = _ends(np.sort(inside), 1 - tpr, quantile * math.sqrt(effect))
    if tpr ** (len(inside) / effect) > (1 - level) / 2:  # too few rows to bound the threshold from below
        ends, what = (-math.inf, ends[1]), f"{what}, too few inside rows for an upper bound"
    most, least = (float((others >= end).mean()) for end in ends)
    down = math.hypot(value - low, value - min(least, value))
    up = math.hypot(high - value, max(most, value) - value)
    return Interval(
        value,
        max(0.0, value - down),
        min(1.0, value + up),
        n,
        f"Wilson and order statistics by MOVER{what}, {level:.0%}",
    )


def _ends(ordered: Floats, share: float, quantile: float) -> tuple[float, float]:
    """Return the interval of a quantile: order statistics at Wilson's bounds of its share."""
    n = len(ordered)
    bounds = score_bounds(np.array(share * n), np.array(float(n)), quantile)
    low, high = (int(np.floor(float(bound) * (n - 1))) for bound in bounds)
    return float(ordered[low]), float(ordered[min(high + 1, n - 1)])


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0
