"""Split-conformal prediction sets: sets of classes that hold the right one in a share 1 - alpha of new rows.

::

    lac    score 1 - p(label)                                       least ambiguous sets (Sadinle et al. 2019)
    aps    mass of the classes above the label + u x p(label)       adaptive sets (Romano et al. 2020, arXiv 2006.02544)
    raps   aps + penalty x max(0, rank of the label - k_reg)        regularised (Angelopoulos et al. 2021, arXiv 2009.14193)

A set holds every class whose score is at most the threshold, the ceil((n + 1)(1 - alpha))-th smallest of the n scores of the
calibration rows. u is uniform in [0, 1), from a seed per row, so that neither order nor batch changes a set; without
randomisation u is 1, sets are larger, and every score of a row is at least its top probability.

What this cannot show: the promise is for rows like those of the calibration, on average over them. It says nothing of one
group or one kind of example: see the coverage by group.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import DataError, UsageError, unknown
from workbench.stats._checks import Floats, check_clusters, check_probabilities
from workbench.stats._intervals import Interval, mean_of, proportion_of

__all__ = ["SCORES", "ConformalSets", "Score", "SetCoverage", "SetOptions", "fit", "uniforms"]

SCORES = ("lac", "aps", "raps")
LEVEL = 0.95
BLOCK = 1 << 18  # numbers in a block of rows
EXACT = 20_000  # new rows up to which the Beta-binomial is summed
SLACK = 1e-12  # sums of probabilities that differ by rounding are one score

Score = Literal["lac", "aps", "raps"]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class SetOptions:
    """randomised: draw u (aps, raps); penalty and k_reg: of raps; allow_empty: else an empty set holds the top class."""

    randomised: bool = True
    penalty: float = 0.01
    k_reg: int = 1
    allow_empty: bool = True


DEFAULT = SetOptions()


class SetCoverage(NamedTuple):
    """How often the sets of a group hold the label, and their size (classes).

    expected_low and expected_high: where the coverage of that many new rows lies in 95 % of repetitions (calibration rows and
    new rows drawn anew; Beta-binomial; rows independent, scores without ties). NaN for a group: nothing is promised there.
    """

    group: str
    coverage: Interval
    size: Interval
    empty: Interval
    expected_low: float
    expected_high: float


@dataclass(frozen=True)
class ConformalSets:
    """A fitted threshold; `n` calibration rows of `classes` classes. An infinite threshold gives full sets."""

    score: str
    alpha: float
    n: int
    classes: int
    threshold: float
    options: SetOptions

    @property
    def expected(self) -> Interval:
        """Coverage of new rows given these calibration rows: Beta(l, n + 1 - l), l = ceil((n + 1)(1 - alpha)).

        It is at least that where scores tie, and 1 where n is too small for the threshold to be finite.
        """
        rank = _rank(self.n, self.alpha)
        if rank > self.n:
            return Interval(1.0, 1.0, 1.0, self.n, "full sets: too few calibration rows for this alpha")
        from scipy.special import betaincinv

        low, high = (float(betaincinv(rank, self.n + 1 - rank, q)) for q in ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
        method = f"Beta({rank}, {self.n + 1 - rank}) of the coverage, given the calibration rows, {LEVEL:.0%}"
        return Interval(rank / (self.n + 1), low, high, self.n, method)

    def sets(self, probabilities: ArrayLike, *, seeds: ArrayLike | None = None) -> Bools:
        """Return which classes each set holds, bool `(n, K)`.

        >>> fitted = fit("lac", [[0.9, 0.1]] * 4 + [[0.6, 0.4]], [0] * 5, alpha=0.2)
        >>> fitted.sets([[0.7, 0.3], [0.55, 0.45]])
        array([[ True, False],
               [False, False]])
        """
        table = _table(probabilities)
        if table.shape[1] != self.classes:
            raise DataError(
                f"These sets were fitted on {self.classes} classes; the probabilities have {table.shape[1]}. Fit them anew."
            )
        draws = _draws(self.score, self.options, seeds, len(table))
        held = np.empty(table.shape, dtype=np.bool_)
        for rows in _blocks(table):
            held[rows] = _scores(self.score, table[rows], draws[rows], self.options) <= self.threshold + SLACK
        if not self.options.allow_empty:
            bare = np.flatnonzero(~held.any(axis=1))
            held[bare, table[bare].argmax(axis=1)] = True
        return held

    def evaluate(
        self,
        probabilities: ArrayLike,
        labels: ArrayLike,
        *,
        groups: ArrayLike | None = None,
        clusters: ArrayLike | None = None,
        seeds: ArrayLike | None = None,
    ) -> tuple[SetCoverage, ...]:
        """Return coverage, mean size and share of empty sets with intervals: of all rows first, then of each group by name.

        Rows must not be those of the fit. clusters: what was drawn independently; the intervals of the observed values then
        allow for it, the expected range does not.

        >>> fitted = fit("lac", [[0.9, 0.1]] * 4 + [[0.6, 0.4]], [0] * 5, alpha=0.2)
        >>> fitted.evaluate([[0.7, 0.3], [0.2, 0.8]], [0, 0])[0].coverage.value
        0.5
        """
        table, chosen = check_probabilities(probabilities, labels)
        held = self.sets(table, seeds=seeds)
        hit = held[np.arange(len(table)), chosen].astype(np.float64)
        size = held.sum(axis=1).astype(np.float64)
        codes = check_clusters(clusters, len(table))
        low, high = self._range(len(table))
        lines = [_line("all", hit, size, codes, (low, high))]
        if groups is None:
            return tuple(lines)
        names = np.asarray(groups).astype(str)
        if names.shape != hit.shape:
            raise DataError(
                f"groups must be one name per row ({len(hit)}); the shape is {names.shape}. Pass one per row."
            )
        for name in np.unique(names):
            some = names == name
            few = check_clusters(codes[some], int(some.sum())) if codes is not None else None
            lines.append(_line(str(name), hit[some], size[some], few, (math.nan, math.nan)))
        return tuple(lines)

    def _range(self, rows: int) -> tuple[float, float]:
        """Return the bounds of the coverage of that many new rows."""
        rank = _rank(self.n, self.alpha)
        if rank > self.n:
            return 1.0, 1.0
        if not self.options.allow_empty:
            return math.nan, math.nan  # sets hold more than the promise
        ahead, behind = rank, self.n + 1 - rank
        tails = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
        if rows <= EXACT:
            from scipy.stats import betabinom

            low, high = (float(betabinom.ppf(tail, rows, ahead, behind)) / rows for tail in tails)
            return low, high
        from scipy.special import betaincinv

        size = rows / (1 + (rows - 1) / (self.n + 2)) - 1  # the Beta of the same mean and variance: equal to 1e-4 here
        low, high = (
            float(betaincinv(size * ahead / (self.n + 1), size * behind / (self.n + 1), tail)) for tail in tails
        )
        return low, high


def fit(
    score: Score,
    probabilities: ArrayLike,
    labels: ArrayLike,
    *,
    alpha: float = 0.1,
    seeds: ArrayLike | None = None,
    options: SetOptions = DEFAULT,
) -> ConformalSets:
    """Return the sets whose threshold is the score of rank ceil((n + 1)(1 - alpha)) of the calibration rows.

    probabilities `(n, K)`, labels `(n,)` class indices; seeds `(n,)` whole numbers, one per row, where u is drawn (aps, raps).
    The rows must be independent of those that trained the model, and of those that the sets are for.

    >>> round(fit("lac", [[0.9, 0.1]] * 4 + [[0.6, 0.4]], [0] * 5, alpha=0.2).threshold, 3)
    0.4
    >>> fit("lac", [[0.9, 0.1]] * 4, [0] * 4, alpha=0.1).threshold
    inf
    """
    if score not in SCORES:
        raise unknown("conformal score", score, SCORES)
    if not 0 < alpha < 1:
        raise UsageError(
            f"alpha must lie between 0 and 1; it is {alpha!r}. Use 0.1 for sets that hold the label in 90 %."
        )
    if not (np.isfinite(options.penalty) and options.penalty >= 0 and options.k_reg >= 0):
        raise UsageError(
            f"penalty and k_reg must be at least 0; they are {options.penalty!r} and {options.k_reg!r}. Use 0.01 and 1."
        )
    table, chosen = check_probabilities(probabilities, labels)
    n, classes = table.shape
    draws = _draws(score, options, seeds, n)
    own = np.empty(n)
    for rows in _blocks(table):
        found = _scores(score, table[rows], draws[rows], options)
        own[rows] = found[np.arange(len(found)), chosen[rows]]
    rank = _rank(n, alpha)
    threshold = float(np.partition(own, rank - 1)[rank - 1]) if rank <= n else math.inf
    return ConformalSets(score, float(alpha), n, classes, threshold, options)


def uniforms(seeds: ArrayLike) -> Floats:
    """Return one number in [0, 1) per seed, by splitmix64: a function of the seed alone.

    >>> uniforms([0, 1]).round(4), bool((uniforms([1, 0])[::-1] == uniforms([0, 1])).all())
    (array([0.8833, 0.5666]), True)
    """
    given = np.asarray(seeds)
    if given.ndim != 1 or given.dtype.kind not in "iu":
        raise DataError(
            f"seeds must be one whole number per row; found {given.dtype} of shape {given.shape}. Use a hash of the example's id."
        )
    state = given.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray((state ^ (state >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) / 2.0**53


def _rank(n: int, alpha: float) -> int:
    """Return ceil((n + 1)(1 - alpha)), not thrown off by rounding: 0.9 x 10 is 9."""
    return max(1, math.ceil((n + 1) * (1 - alpha) - 1e-9))


def _table(probabilities: ArrayLike) -> Floats:
    table = np.asarray(probabilities, dtype=np.float64)
    return check_probabilities(table, np.zeros(len(table), dtype=np.intp))[0]


def _draws(score: str, options: SetOptions, seeds: ArrayLike | None, n: int) -> Floats:
    if score == "lac" or not options.randomised:
        return np.ones(n)
    if seeds is None:
        raise UsageError(
            f"{score} draws one number per row: pass seeds (one whole number per row), or SetOptions(randomised=False)."
        )
    drawn = uniforms(seeds)
    if len(drawn) != n:
        raise DataError(f"seeds must be one whole number per row ({n}); there are {len(drawn)}. Pass one per row.")
    return drawn


def _blocks(table: Floats) -> Iterator[slice]:
    size = max(1, BLOCK // table.shape[1])
    for start in range(0, len(table), size):
        yield slice(start, min(len(table), start + size))


def _scores(score: str, table: Floats, draws: Floats, options: SetOptions) -> Floats:
    """Return the score of every class `(n, K)`; of classes with equal probability the first ranks higher."""
    if score == "lac":
        return 1 - table
    order = np.argsort(-table, axis=1, kind="stable")
    ranked = np.take_along_axis(table, order, axis=1)
    found = np.cumsum(ranked, axis=1) - ranked * (1 - draws)[:, None]
    if score == "raps":
        found += options.penalty * np.maximum(0, np.arange(1, table.shape[1] + 1) - options.k_reg)
    result = np.empty_like(found)
    np.put_along_axis(result, order, found, axis=1)
    return result


def _line(
    group: str, hit: Floats, size: Floats, codes: "NDArray[np.intp] | None", expected: tuple[float, float]
) -> SetCoverage:
    return SetCoverage(
        group,
        proportion_of(hit, codes, LEVEL),
        mean_of(size, codes, LEVEL),
        proportion_of((size == 0).astype(np.float64), codes, LEVEL),
        *expected,
    )
