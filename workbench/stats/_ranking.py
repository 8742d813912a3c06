"""Ranking of checked numbers: what `workbench.stats.ranking` and `summary` share."""

import math
from typing import NamedTuple

import numpy as np

from workbench.stats._checks import Floats, Ints
from workbench.stats._intervals import (
    Interval,
    cluster_freedom,
    mean_of,
    mean_variance,
    t_quantile,
    two_class_freedom,
    two_class_variance,
    undefined,
    z_quantile,
)

__all__ = ["TINY", "UNBOUNDED", "Influence", "Ranked", "aurc_influence", "aurc_of", "auroc_of", "e_aurc_of", "rank"]

TINY = 1e-15
FEW = 30  # rows of a class, below which DeLong's interval alone holds the area in 90 to 95 of 100 samples
UNBOUNDED = 1e6  # a quantile so large that the interval is all of [0, 1]


class Ranked(NamedTuple):
    """Rows from the most confident on: their order, errors, and the first and last rank (from 0) of each tied group."""

    order: Ints
    wrong: Floats
    first: Ints
    last: Ints


class Influence(NamedTuple):
    """A value and what each row adds to it, centred on 0, `(n,)`."""

    value: float
    terms: Floats


def auroc_of(score: Floats, positive: Floats, codes: Ints | None, level: float) -> Interval:
    """Return `auroc` of checked rows."""
    n, above = len(positive), int(positive.sum())
    below = n - above
    if not above or not below:
        what = "no rows" if not n else ("every row is positive" if above else "no row is positive")
        return undefined(f"{what}; two classes are needed", n=n)
    hit = positive > 0
    high, low = score[hit], score[~hit]
    ranked_high, ranked_low = np.sort(high), np.sort(low)
    wins = np.empty(n)  # the share of the other class that each row beats, or is beaten by
    wins[hit] = (np.searchsorted(ranked_low, high, "left") + np.searchsorted(ranked_low, high, "right")) / (2 * below)
    wins[~hit] = 1 - (np.searchsorted(ranked_high, low, "left") + np.searchsorted(ranked_high, low, "right")) / (
        2 * above
    )
    value = float(wins[hit].mean())
    if codes is not None and codes.max() < 1:
        return undefined("one cluster", value=value, n=n)
    sizes, quantile, named = (above, below), z_quantile(level), ""
    if codes is not None:  # clusters that hold the class stand for its rows
        sizes = (len(np.unique(codes[hit])), len(np.unique(codes[~hit])))
        quantile, named = t_quantile(level, cluster_freedom(codes, n)), f" by cluster, {int(codes.max()) + 1} clusters"
    spare = _newcombe(value, sizes, (n, quantile), f"{named}, {level:.0%}")
    if min(above, below) < 2:
        return spare
    terms = np.where(hit, (wins - value) / above, (wins - value) / below) * n
    freedom = two_class_freedom(terms, positive, codes)
    if codes is None:
        variance = float(terms[hit] @ terms[hit]) * above / (above - 1) + float(terms[~hit] @ terms[~hit]) * below / (
            below - 1
        )
        variance /= n * n
        quantile, what = t_quantile(level, freedom), f"DeLong, logit, {level:.0%}"
    else:
        count = int(codes.max()) + 1
        variance = two_class_variance(terms, hit, codes)
        quantile, what = (
            t_quantile(level, min(freedom, cluster_freedom(codes, n))),
            f"DeLong by cluster, logit, {count} clusters, {level:.0%}",
        )
    if not variance > TINY or not 0 < value < 1:
        return spare
    centre = math.log(value / (1 - value))
    half = quantile * math.sqrt(variance) / (value * (1 - value))
    found = Interval(value, _logistic(centre - half), _logistic(centre + half), n, what)
    if codes is not None or min(above, below) >= FEW:
        return found
    what = f"DeLong, logit, or Newcombe's method 5 where it is wider, {level:.0%}"
    return found._replace(low=min(found.low, spare.low), high=max(found.high, spare.high), method=what)


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0


def _newcombe(value: float, sizes: tuple[int, int], about: tuple[int, float], named: str) -> Interval:
    """Return the score-type interval that stays open where DeLong's variance is 0; about: rows and the quantile."""
    (n, quantile), half = about, sum(sizes) / 2 - 1

    def reach(area: float) -> float:
        ratio = (1 - area) / (2 - area) + area / (1 + area)
        return quantile * math.sqrt(area * (1 - area) * (1 + half * ratio) / (sizes[0] * sizes[1]))

    def solve(side: int) -> float:
        inside, outside = value, 0.0 if side < 0 else 1.0
        for _ in range(60):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if abs(middle - value) <= reach(middle) else (inside, middle)
        return inside

    return Interval(
        value, solve(-1), solve(1), n, f"Newcombe's method 5 (one row or cluster of a class, or no overlap){named}"
    )


def rank(confidence: Floats, correct: Floats) -> Ranked:
    """Return rows from the most confident on, with their tied groups."""
    order = np.argsort(-confidence, kind="stable")
    ranked = confidence[order]
    first = np.append(0, np.flatnonzero(ranked[1:] != ranked[:-1]) + 1)
    last = np.append(first[1:] - 1, len(ranked) - 1)
    return Ranked(order, 1 - correct[order], first, last)


def aurc_influence(ranked: Ranked) -> Influence:
    """Return the AURC and its influence: a row adds its own error, and its place shifts the rows below it."""
    n = len(ranked.order)
    sizes = ranked.last - ranked.first + 1
    rates = np.repeat(np.add.reduceat(ranked.wrong, ranked.first) / sizes, sizes)
    inverse = 1 / np.arange(1, n + 1)
    weight = np.cumsum(inverse[::-1])[::-1]
    shift = np.cumsum((rates * inverse)[::-1])[::-1]
    weight = np.repeat(np.add.reduceat(weight, ranked.first) / sizes, sizes)
    shift = np.repeat(np.add.reduceat(shift, ranked.first) / sizes, sizes)
    terms = ranked.wrong * weight - shift
    value = float((ranked.wrong * weight).mean())
    unsorted = np.empty(n)
    unsorted[ranked.order] = terms - terms.mean()
    return Influence(value, unsorted)


def aurc_of(confidence: Floats, correct: Floats, codes: Ints | None, level: float) -> Interval:
    """Return `aurc` of checked pairs."""
    n = len(correct)
    if n < 2:
        return undefined("fewer than two rows", value=float(1 - correct[0]) if n else float("nan"), n=n)
    value, terms = aurc_influence(rank(confidence, correct))
    errors = n - int(correct.sum())
    count = n if codes is None else int(codes.max()) + 1
    if errors in (0, n):
        bound = 1 - ((1 - level) / 2) ** (1 / count)  # Clopper-Pearson where none (all) of the clusters err
        if not errors:
            return Interval(
                0.0,
                0.0,
                bound - bound * math.log(bound),
                n,
                f"no errors: worst ranking at the exact bound, {level:.0%}",
            )
        least = 1 - bound
        return Interval(
            1.0, least + bound * math.log(bound), 1.0, n, f"no hits: best ranking at the exact bound, {level:.0%}"
        )
    found = mean_of(terms + value, codes, level, two_class_freedom(terms, correct, codes))
    if np.isnan(found.low):
        return found._replace(value=value)
    return Interval(value, max(0.0, found.low), min(1.0, found.high), n, f"influence function, {found.method}")


def e_aurc_of(confidence: Floats, correct: Floats, codes: Ints | None, level: float) -> Interval:
    """Return `e_aurc` of checked pairs."""
    n = len(correct)
    if n < 2 or correct.min() == correct.max():
        return undefined("both hits and errors are needed", value=0.0 if n else float("nan"), n=n)
    area, terms = aurc_influence(rank(confidence, correct))
    risk = float(1 - correct.mean())
    value = area - (risk + (1 - risk) * math.log(1 - risk))
    hit = correct > 0
    if confidence[hit].min() > confidence[~hit].max():
        return undefined("every error ranks below every hit, so that the spread is not known", value=value, n=n)
    terms = terms + math.log(1 - risk) * ((1 - correct) - risk)
    found = mean_of(terms + value, codes, level, two_class_freedom(terms, correct, codes))
    if np.isnan(found.low):
        return found._replace(value=value)
    return Interval(value, max(0.0, found.low), found.high, n, f"influence function, {found.method}")


def _effective(ranked: Ranked, ends: Ints, codes: Ints, level: float) -> tuple[Floats, Floats]:
    """Return the effective number of rows, and the quantile of Student's t, at each point."""
    by_rank = codes[ranked.order]
    effective, quantiles = np.empty(len(ends)), np.empty(len(ends))
    for place, end in enumerate(ends):
        _, inside = np.unique(by_rank[: end + 1], return_inverse=True)
        wrong = ranked.wrong[: end + 1]
        count, risk = int(inside.max()) + 1, float(wrong.mean())
        variance = mean_variance(wrong - risk, inside) if count > 1 else 0.0
        spread = risk * (1 - risk)
        effective[place] = min(end + 1.0, spread / variance) if variance > TINY and spread > 0 else float(count)
        quantiles[place] = t_quantile(level, cluster_freedom(inside, 0)) if count > 1 else UNBOUNDED
    return effective, quantiles
