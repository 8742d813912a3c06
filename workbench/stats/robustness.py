"""Effective robustness: accuracy elsewhere beyond what accuracy here foretells, over several models.

Over many models accuracy on shifted data follows accuracy on the usual data closely, on a line between their logits. What counts
as robust is a model above that line: more accurate elsewhere than models of its accuracy are.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from workbench.errors import DataError, UsageError
from workbench.stats._checks import Floats, Ints, check_clusters
from workbench.stats._intervals import Interval, undefined, widening, z_quantile

__all__ = ["Foretold", "Robustness", "effective_robustness"]

FEWEST = 3
STEPS, BEYOND = 41, 0.4  # points of the line, and how far it goes on at both ends, in widths of the accuracies inside
CELLS = 20_000_000  # hits times draws at once


class Foretold(NamedTuple):
    """What the line foretells outside for one accuracy inside, with its interval."""

    inside: float
    outside: float
    low: float
    high: float


class Robustness(NamedTuple):
    """Effective robustness of each model, in accuracy; the line logit(outside) = intercept + slope logit(inside); its models.

    `line` follows it from below the lowest accuracy inside to above the highest, for a band in a chart.
    """

    models: tuple[Interval, ...]
    slope: Interval
    intercept: Interval
    fitted: int
    line: tuple[Foretold, ...] = ()


def effective_robustness(
    inside: ArrayLike,
    outside: ArrayLike,
    *,
    baseline: Sequence[bool] | None = None,
    clusters: tuple[ArrayLike | None, ArrayLike | None] = (None, None),
    draws: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Robustness:
    """Return accuracy outside less what the line foretells from accuracy inside, for each model (Taori et al. 2020, 2007.00644).

    The line is fitted by least squares between the logits of both accuracies over the models of `baseline`, all where it is None:
    a model that is in the fit draws the line towards itself, so name standard models there and leave out those in question. All
    models answer the same rows. Rows of both sets are drawn anew, for all models at once, so that the interval allows for the
    error in both accuracies, in the line, and for rows that are hard for every model; it is value ± z deviations of the draws.
    The models are taken as given: it does not say where a further model would lie. Accuracies are those of hits + 1/2 in
    rows + 1, in logits alone, so that 0 and 1 have one (Taori et al. do without).

    Args:
        inside: hits `(models, rows)`, 0 or 1, on the usual data.
        outside: hits `(models, other rows)` on the shifted data, models in the same order.
        baseline: which models the line is fitted to.
        clusters: what was drawn independently on either side, `(rows,)` and `(other rows,)`; each row where it is None. Clusters
            are drawn then, and deviations widened as for Student's t of the side that has fewer.
        draws: of the rows.
        seed: of the draws.
        level: nominal coverage.

    Raises `DataError` where fewer than three models, or models of one accuracy, are to fit a line.

    >>> rows = np.arange(1000)
    >>> inside = np.array([rows < 600, rows < 700, rows < 800, rows < 800])
    >>> outside = np.array([rows < 400, rows < 509, rows < 640, rows < 740])
    >>> found = effective_robustness(inside, outside, baseline=[True, True, True, False])
    >>> [round(one.value + 1e-9, 2) for one in found.models[2:]], found.fitted
    ([0.0, 0.1], 3)
    """
    if draws < 20:
        raise UsageError(f"draws must be at least 20; it is {draws}. Use 1000.")
    here, there = _hits(inside, "inside"), _hits(outside, "outside")
    codes = [check_clusters(ids, side.shape[1]) for ids, side in zip(clusters, (here, there), strict=True)]
    alone = any(one is not None and one.max() < 1 for one in codes)
    quantile = z_quantile(level) * (1.0 if alone else max(widening(one, level) for one in codes))
    if len(here) != len(there):
        raise DataError(
            f"inside has {len(here)} models and outside has {len(there)}. Pass the same models in one order."
        )
    fit = np.ones(len(here), dtype=bool) if baseline is None else np.asarray(baseline, dtype=bool)
    if fit.shape != (len(here),):
        raise DataError(f"baseline must be true or false for each of {len(here)} models; its shape is {fit.shape}.")
    if fit.sum() < FEWEST:
        raise DataError(
            f"A line needs at least {FEWEST} models to be fitted to; there are {int(fit.sum())}. Add models."
        )
    if np.ptp(here[fit].mean(axis=1)) == 0:
        raise DataError("All models have the same accuracy inside, which fits no line. Add models of other accuracies.")
    rng = np.random.default_rng([seed, 31])
    n, m = here.shape[1], there.shape[1]
    x = np.concatenate([here.mean(axis=1)[None], _drawn(here, codes[0], draws, rng)])
    y = np.concatenate([there.mean(axis=1)[None], _drawn(there, codes[1], draws, rng)])
    slope, intercept = _line(_logit(x, n)[:, fit], _logit(y, m)[:, fit])
    expected = 1 / (1 + np.exp(-(intercept[:, None] + slope[:, None] * _logit(x, n))))
    above = y - expected
    what = "rows" if all(one is None for one in codes) else "clusters"
    how = f"logit-linear fit over {int(fit.sum())} models, {draws:,} draws of {what}, {level:.0%}"

    def interval(values: Floats) -> Interval:
        if alone:
            return undefined("one cluster", value=float(values[0]), n=n + m)
        if not np.isfinite(values).all():
            return undefined("draws in which all models are alike", value=float(values[0]), n=n + m)
        half = quantile * float(values[1:].std(ddof=1))
        return Interval(float(values[0]), float(values[0]) - half, float(values[0]) + half, n + m, how)

    line = _along(_logit(x[0], n), slope, intercept, math.nan if alone else quantile)
    models = tuple(interval(one) for one in above.T)
    return Robustness(models, interval(slope), interval(intercept), int(fit.sum()), line)


def _along(inside: Floats, slope: Floats, intercept: Floats, quantile: float) -> tuple[Foretold, ...]:
    """Return the line over logits `inside`, with value ± z deviations of its draws, in logits, as accuracies."""
    wide = float(np.ptp(inside))
    places = np.linspace(inside.min() - BEYOND * wide, inside.max() + BEYOND * wide, STEPS)
    drawn = intercept[:, None] + slope[:, None] * places
    half = quantile * drawn[1:].std(axis=0, ddof=1)
    ends = [1 / (1 + np.exp(-one)) for one in (places, drawn[0], drawn[0] - half, drawn[0] + half)]
    return tuple(Foretold(*map(float, four)) for four in zip(*ends, strict=True))


def _hits(values: ArrayLike, name: str) -> Floats:
    """Return hits `(models, rows)`, or raise `DataError`."""
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or not table.size:
        raise DataError(
            f"{name} must be hits (models, rows); its shape is {table.shape}. Pass one list of 0 and 1 per model."
        )
    bad = ~np.isin(table, (0.0, 1.0)).all(axis=1)
    if bad.any():
        at = int(bad.argmax())
        raise DataError(
            f"{name} must be 0 or 1; model {at} has other values. Leave out, for all models, rows without an answer."
        )
    return table


def _drawn(hits: Floats, codes: Ints | None, draws: int, rng: np.random.Generator) -> Floats:
    """Return accuracies `(draws, models)` of rows, or clusters, drawn with replacement, the same ones for all models."""
    table = np.concatenate([hits, np.ones((1, hits.shape[1]))])
    if codes is not None:
        table = np.stack([np.bincount(codes, weights=one) for one in table])
    kinds, counts = np.unique(table, axis=1, return_counts=True)  # rows that all models answer alike are one kind
    n, size = int(counts.sum()), max(1, CELLS // len(counts))
    parts = [rng.multinomial(n, counts / n, size=min(size, draws - start)) @ kinds.T for start in range(0, draws, size)]
    sums = np.concatenate(parts)
    return np.asarray(sums[:, :-1] / sums[:, -1:], dtype=np.float64)


def _logit(share: Floats, n: int) -> Floats:
    held = (share * n + 0.5) / (n + 1)
    return np.asarray(np.log(held / (1 - held)), dtype=np.float64)


def _line(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return slope and intercept `(draws,)` by least squares over the last axis."""
    away = x - x.mean(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = (away * y).sum(axis=1) / (away * away).sum(axis=1)
    return slope, y.mean(axis=1) - slope * x.mean(axis=1)
