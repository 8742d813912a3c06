"""Whether a difference is small enough not to matter: equivalence and non-inferiority, from any interval.

"No difference was found" says little where few rows were asked. A margin, the largest difference that would not matter, makes a
question of it that data can answer: two one-sided tests (TOST, Schuirmann 1987) find equivalence when the interval of 1 - 2 level
lies within the margin. Each one-sided p-value is the level at which an end of the interval reaches the margin, so that p and the
interval agree.

Shares of rows in clusters ask for more: models that agree in the clusters seen may differ altogether in others. With
`clusters=` p is no smaller than `unseen`: where one model fails in a tenth of the clusters, 15 clusters show none of these in a
fifth of the studies, however many rows they have.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

from workbench.errors import UsageError
from workbench.stats._intervals import Interval

__all__ = ["Verdict", "equivalence", "needed_clusters", "noninferiority", "unseen"]

IntervalAt = Callable[[float], Interval]  # level in (0, 1) -> interval
STEPS = 30  # halvings of the level: p is known to 1e-9


class Verdict(NamedTuple):
    """What an interval says of a margin: a word, the p-value, and the interval (low, high) that decides."""

    word: str
    p: float
    low: float
    high: float


def unseen(margin: float, clusters: float, *, ahead: float = 0.0) -> float:
    """Return the chance that no cluster seen is one of those that differ altogether, so many of all that the margin is reached.

    Of two models that agree in all others that is a share of `margin`; where one is `ahead` elsewhere it takes more.

    >>> round(unseen(0.1, 15), 3), round(unseen(0.1, 29), 3)
    (0.206, 0.047)
    """
    return float(((1 - margin) / (1 + ahead)) ** clusters) if margin < 1 else 0.0


def needed_clusters(margin: float, level: float, *, ahead: float = 0.0) -> int:
    """Return from how many clusters on `unseen` is no more than the level.

    >>> needed_clusters(0.1, 0.05), needed_clusters(0.02, 0.05)
    (29, 149)
    """
    return math.ceil(math.log(level) / math.log((1 - margin) / (1 + ahead))) if margin < 1 else 1


def equivalence(interval: IntervalAt, margin: float, *, level: float = 0.05, clusters: float | None = None) -> Verdict:
    """Return whether a difference lies between -margin and margin.

    "equivalent": both one-sided tests reject at `level`. "different, within the margin": so, and the interval of 1 - level leaves 0
    out. "different": that interval leaves 0 out. "different by more than the margin": it lies beyond. Else "cannot say".

    Args:
        interval: level to interval of a difference.
        margin: the largest difference that would not matter, above 0.
        level: of each of the two tests.
        clusters: of shares of rows in clusters, the effective number of these; p is at least `unseen`.

    >>> from workbench.stats.intervals import mean
    >>> equivalence(lambda level: mean([0.1, -0.1] * 50, level=level), 0.05).word
    'equivalent'
    """
    _check(margin, level)
    inner, outer = interval(1 - 2 * level), interval(1 - level)
    if inner.low != inner.low:
        return Verdict("cannot say", float("nan"), inner.low, inner.high)
    p = max(_above(interval, -margin), 1 - _above(interval, margin))
    if clusters is not None:
        p = max(p, unseen(margin, clusters))
    apart = outer.low > 0 or outer.high < 0
    if p <= level:
        word = "different, within the margin" if apart else "equivalent"
    elif outer.low > margin or outer.high < -margin:
        word = "different by more than the margin"
    else:
        word = "different" if apart else "cannot say"
    return Verdict(word, p, inner.low, inner.high)


def noninferiority(
    interval: IntervalAt, margin: float, *, better: str = "higher", level: float = 0.025, clusters: float | None = None
) -> Verdict:
    """Return whether a is not worse than b by more than the margin, given intervals of a minus b.

    One-sided at `level`, as trials have it: the interval of 1 - 2 level decides. "better": it lies beyond 0 on the better side.
    "not worse": within the margin on the worse side; "worse, within the margin": so, and beyond 0. "worse" and "worse by more than
    the margin" likewise; else "cannot say".

    Args:
        interval: level to interval of a minus b.
        margin: how much worse would not matter, above 0.
        better: "higher" or "lower": which values are better.
        level: of the one-sided test.
        clusters: as for `equivalence`.

    >>> from workbench.stats.intervals import mean
    >>> noninferiority(lambda level: mean([0.1, -0.1] * 50, level=level), 0.05).word
    'not worse'
    """
    _check(margin, level)
    if better not in ("higher", "lower"):
        raise UsageError(f"better must be 'higher' or 'lower'; it is {better!r}.")
    given = interval(1 - 2 * level)
    if given.low != given.low:
        return Verdict("cannot say", float("nan"), given.low, given.high)
    low, high = (given.low, given.high) if better == "higher" else (-given.high, -given.low)
    p = _above(interval, -margin) if better == "higher" else 1 - _above(interval, margin)
    ahead = max(0.0, given.value if better == "higher" else -given.value)
    least = 0.0 if clusters is None else unseen(margin, clusters, ahead=ahead)
    p = max(p, least)
    if low > 0:
        word = "better"
    elif low > -margin and least <= level:
        word = "worse, within the margin" if high < 0 else "not worse"
    elif high < 0:
        word = "worse by more than the margin" if high < -margin else "worse"
    else:
        word = "cannot say"
    return Verdict(word, p, given.low, given.high)


def _above(interval: IntervalAt, limit: float) -> float:
    """Return the one-sided p-value against a difference of at most `limit`: half of what is left of the level that reaches it."""
    value = interval(0.5).value
    side = value > limit
    narrow, wide = 0.0, 1.0  # levels: the interval of `narrow` is on one side of the limit
    for _ in range(STEPS):
        middle = (narrow + wide) / 2
        found = interval(min(max(middle, 1e-12), 1 - 1e-12))
        if (found.low > limit) if side else (found.high < limit):
            narrow = middle
        else:
            wide = middle
    p = (1 - narrow) / 2
    return p if side else 1 - p


def _check(margin: float, level: float) -> None:
    if not (isinstance(margin, (int, float)) and 0 < margin < float("inf")):
        raise UsageError(
            f"margin must be a number above 0, the largest difference that would not matter; it is {margin!r}."
        )
    if not 0 < level < 0.5:
        raise UsageError(f"level must lie between 0 and 0.5; it is {level!r}. Use 0.05.")
