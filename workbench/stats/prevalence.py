"""How common a thing is, when the detector that counts it errs: Rogan and Gladen's correction with the error's own uncertainty."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import DataError, UsageError, counted
from workbench.stats._checks import check_clusters, check_pairs
from workbench.stats._intervals import TINY, Interval, mean_variance, undefined

__all__ = ["DetectorError", "rogan_gladen"]

MISFIT = 0.9  # share of clipped draws from which the error does not fit the share


class DetectorError(NamedTuple):
    """What a detector said of texts whose truth is known, as four counts.

    >>> DetectorError(90, 10, 95, 5).sensitivity, DetectorError(90, 10, 95, 5).specificity
    (0.9, 0.95)
    """

    hit: int  # there, and found
    missed: int  # there, not found
    passed: int  # not there, and not found
    false: int  # not there, but found

    @property
    def sensitivity(self) -> float:
        """Share of what is there that is found, in [0, 1]."""
        return self.hit / (self.hit + self.missed)

    @property
    def specificity(self) -> float:
        """Share of what is not there that is passed, in [0, 1]."""
        return self.passed / (self.passed + self.false)


def rogan_gladen(
    flagged: ArrayLike,
    errors: Sequence[DetectorError],
    *,
    clusters: ArrayLike | None = None,
    draws: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Return the true share behind a detector's share: (p + Sp - 1) / (Se + Sp - 1), clipped to [0, 1]; n counts the rows.

    Rogan and Gladen 1978. Se and Sp are the plain means over the sources in `errors` (say, several models whose texts people
    have read), since the texts at hand come from yet another source. Each draw of the interval takes the error of one source at
    random and Jeffreys' beta draws of its Se, its Sp and of p at its effective number of rows. So the interval holds how far
    sources differ, as well as how many texts were read; with two or three sources it is rough.

    Args:
        flagged: `(n,)` 0 or 1, what the detector said.
        errors: counts on texts whose truth is known, one entry per source.
        clusters: `(n,)` what was drawn independently; each row where it is None.
        draws: random draws behind the interval.
        seed: of the draws.
        level: nominal coverage.

    No interval where the detector finds no more of what is there than of what is not in over 5 % of the draws, or where over 90 %
    of them are clipped on one side: then the share cannot be had with this error, which must be another on these texts.

    >>> found = rogan_gladen([1] * 30 + [0] * 70, [DetectorError(90, 10, 95, 5)])
    >>> round(found.value, 4), found.low < 0.294 < found.high
    (0.2941, True)
    """
    if not errors:
        raise UsageError("errors is empty; give at least one DetectorError, the counts on texts whose truth is known.")
    if any(min(error) < 0 or not error.hit + error.missed or not error.passed + error.false for error in errors):
        raise DataError("Each DetectorError needs texts of both kinds, and no count below 0.")
    if draws < 20:
        raise UsageError(f"draws must be at least 20; it is {draws}. Use 1000.")
    _, hits = check_pairs(np.zeros(np.shape(flagged)), flagged, empty=True)
    n = len(hits)
    if not n:
        return undefined("no rows")
    share = float(hits.mean())
    mean_of = np.array([(error.sensitivity, error.specificity) for error in errors]).mean(axis=0)
    value = float(_corrected(np.array([share]), mean_of[None, 0], mean_of[None, 1])[0])
    codes = check_clusters(clusters, n)
    if codes is not None and codes.max() < 1:
        return undefined("one cluster", value=value, n=n)
    effective = _effective(hits, share, codes)
    rng = np.random.default_rng([seed, 11])
    counts = np.array(errors, dtype=np.float64)[rng.integers(len(errors), size=draws)] + 0.5
    drawn = _corrected(
        rng.beta(share * effective + 0.5, (1 - share) * effective + 0.5, draws),
        rng.beta(counts[:, 0], counts[:, 1]),
        rng.beta(counts[:, 2], counts[:, 3]),
    )
    known = drawn[np.isfinite(drawn)]
    if not np.isfinite(value) or len(known) < 0.95 * draws:
        return undefined("the detector tells too little", value=value, n=n)
    edge = (np.abs(known - round(value)) < TINY).mean() if value in (0.0, 1.0) else 0.0
    if edge > MISFIT:
        side = "fewer are flagged than its false alarms" if value == 0 else "more are flagged than its hits"
        return undefined(f"{side} alone would give, so that its error on these texts is another", value=value, n=n)
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    what = f"Se {mean_of[0]:.3f}, Sp {mean_of[1]:.3f} of {counted(len(errors), 'source')}"
    return Interval(value, float(low), float(high), n, f"Rogan-Gladen, {what}, {draws} draws, {level:.0%}")


def _corrected(share: NDArray[np.float64], se: NDArray[np.float64], sp: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the corrected shares, NaN where the detector is no better than a coin."""
    worth = se + sp - 1
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(worth > TINY, np.clip((share + sp - 1) / worth, 0, 1), np.nan)


def _effective(hits: NDArray[np.float64], share: float, codes: NDArray[np.intp] | None) -> float:
    """Return how many independent rows the share is worth."""
    if codes is None:
        return float(len(hits))
    variance = mean_variance(hits - share, codes)
    return min(float(len(hits)), share * (1 - share) / variance) if variance > TINY else float(codes.max() + 1)
