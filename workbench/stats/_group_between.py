"""One rate of all groups, and what is between them: `workbench.stats.groups` puts these together."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from workbench.stats._checks import Floats
from workbench.stats._group_spread import Rated, critical, difference_bounds, least_bounds, ratio_bounds, spread_of
from workbench.stats._group_tables import OF, Table, hits_and_rows, rates_of
from workbench.stats._group_types import FEWEST, Comparison, Settings, alone, compared
from workbench.stats._intervals import Bounds, Interval, score_bounds, t_quantile, undefined, z_quantile

__all__ = ["Spread", "both", "percentiles", "span"]


def span(rates: Floats) -> Floats:
    """Return the largest minus the smallest of each line `(draws, g)`, NaN where fewer than two are known.

    >>> span(np.array([[0.1, 0.4, np.nan], [np.nan, 0.2, np.nan]]))
    array([0.3, nan])
    """
    return _ends(rates)[1] - _ends(rates)[0]


def _ends(rates: Floats) -> tuple[Floats, Floats]:
    known = np.isfinite(rates)
    two = known.sum(axis=1) >= 2
    low, high = np.where(known, rates, np.inf).min(axis=1), np.where(known, rates, -np.inf).max(axis=1)
    return np.where(two, low, np.nan), np.where(two, high, np.nan)


def quotient(rates: Floats) -> Floats:
    """Return the smallest over the largest of each line, NaN where fewer than two are known or all are 0."""
    low, high = _ends(rates)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(low / high)


def percentiles(value: float, drawn: Floats, n: int, level: float, left: str = "") -> Interval:
    """Return the plain bootstrap interval; draws without a value are left out and counted."""
    known = drawn[np.isfinite(drawn)]
    if not np.isfinite(value):
        return undefined("not defined: all rates are 0", n=n)
    if len(known) < FEWEST * len(drawn):
        return undefined(
            f"{len(drawn) - len(known)} of {len(drawn)} draws have fewer than two groups", value=value, n=n
        )
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    lost = f", {len(drawn) - len(known)} draws undefined" if len(known) < len(drawn) else ""
    how = f"percentile bootstrap of the count table, {len(drawn):,} draws{lost}, {level:.0%}{left}"
    return Interval(value, float(low), float(high), n, how)


@dataclass(frozen=True)
class Spread:
    """A rate by group with its bootstrap draws and its null draws, `(draws, g)` each, of the groups that define it."""

    table: Table
    rate: str
    drawn: Floats
    null: Floats
    settings: Settings

    @classmethod
    def of(cls, table: Table, rate: str, draws: tuple[Floats, Floats], settings: Settings) -> "Spread":
        """Return the spread of a rate from drawn cells `(draws, g, 4)` and null rates `(draws, g)`."""
        kept = hits_and_rows(table.cells, rate)[1] > 0
        return cls(table, rate, rates_of(draws[0][:, kept], rate), draws[1][:, kept], settings)

    @cached_property
    def counts(self) -> tuple[Floats, Floats]:
        """Hits and rows of the groups that define the rate."""
        hits, rows = hits_and_rows(self.table.cells, self.rate)
        return hits[rows > 0], rows[rows > 0]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The groups that define the rate."""
        rows = hits_and_rows(self.table.cells, self.rate)[1]
        return tuple(name for name, n in zip(self.table.names, rows, strict=True) if n > 0)

    @property
    def value(self) -> Floats:
        """The rates."""
        hits, rows = self.counts
        return np.asarray(hits / rows)

    @property
    def rated(self) -> Rated:
        """The rates with their draws."""
        return Rated(self.value, self.drawn)

    @property
    def n(self) -> int:
        """All rows that count."""
        return int(self.counts[1].sum())

    @property
    def ends(self) -> tuple[str, str, int]:
        """The groups with the smallest and the largest rate, and how many there are."""
        return self.names[int(self.value.argmin())], self.names[int(self.value.argmax())], len(self.names)

    @property
    def left_out(self) -> str:
        """What a method says of the groups that do not define the rate."""
        out = [name for name in self.table.names if name not in self.names]
        shown = ", ".join(out[:3]) + (f" and {len(out) - 3} more" if len(out) > 3 else "")
        return f"; left out, without {OF[self.rate][2]}: {shown}" if out else ""

    @property
    def how(self) -> str:
        """How simultaneous intervals are made."""
        size, how = len(self.names), self.settings
        pairs = f"all {size * (size - 1) // 2} pairs of {size} groups at once" if size > 2 else "two groups"
        return f"MOVER, {pairs}, {how.draws:,} bootstrap draws of the count table, {how.level:.0%}{self.left_out}"

    @cached_property
    def critical(self) -> float:
        """The critical value for all pairs of groups."""
        return critical([self.rated], self.settings.level)

    def bounds(self, quantile: float) -> tuple[Bounds, Floats | None]:
        """Return Wilson's bounds by group at a critical value, and the correlation of the groups where clusters share them."""
        hits, rows = self.counts
        if self.table.clusters is None:
            return score_bounds(hits, rows, quantile), None
        covariance, value = spread_of(self.rated), self.value
        variance = np.diag(covariance)
        count = int(self.table.clusters.max()) + 1
        few = self._clusters_by_group()
        if count < 2:
            return Bounds(np.full_like(value, np.nan), np.full_like(value, np.nan)), None
        with np.errstate(invalid="ignore", divide="ignore"):
            effective = np.where(variance > 1e-12, value * (1 - value) / variance, few)
            correlation = covariance / np.sqrt(np.outer(variance, variance))
        effective = np.minimum(np.maximum(effective, 1e-9), rows)
        wider = math.sqrt(count / (count - 1)) * t_quantile(self.settings.level, count - 1)
        scaled = quantile * wider / z_quantile(self.settings.level)
        return (
            score_bounds(value * effective, effective, scaled),
            np.where(np.isfinite(correlation), np.clip(correlation, -1, 1), 0.0),
        )

    def _clusters_by_group(self) -> Floats:
        """Return how many clusters have rows that count, by group."""
        table = self.table
        if table.clusters is None:
            return self.counts[1]
        counted = np.isin(table.cell, OF[self.rate][1])
        pairs = np.unique(np.stack([table.codes[counted], table.clusters[counted]]), axis=1)
        found = np.bincount(pairs[0], minlength=len(table.names)).astype(np.float64)
        return np.asarray(found[hits_and_rows(table.cells, self.rate)[1] > 0])

    def range(self, quantile: float) -> tuple[float, float]:
        """Return the bounds of the largest difference at a critical value."""
        low, high = difference_bounds(self.value, *self.bounds(quantile))
        return low, min(1.0, high)

    def difference(self) -> Comparison:
        """Return the largest minus the smallest rate."""
        how, value = self.settings, float(np.ptp(self.value))
        if how.interval == "percentile":
            found = percentiles(value, span(self.drawn), self.n, how.level, self.left_out)
        else:
            found = Interval(value, *self.range(self.critical), self.n, self.how)
        return compared(found, span(self.null), self.ends, level=how.level)

    def ratio(self) -> Comparison:
        """Return the smallest over the largest rate; NaN where all are 0."""
        how, value = self.settings, float(quotient(self.value[None])[0])
        if how.interval == "percentile" or np.isnan(value):
            found = percentiles(value, quotient(self.drawn), self.n, how.level, self.left_out)
        else:
            found = Interval(value, *ratio_bounds(self.value, self.bounds(self.critical)[0]), self.n, self.how)
        return compared(found, quotient(self.null), self.ends, level=how.level, low=True)

    def least(self) -> Comparison:
        """Return the smallest rate of any group."""
        how, value = self.settings, float(self.value.min())
        if how.interval == "percentile":
            found = percentiles(value, _ends(self.drawn)[0], self.n, how.level, self.left_out)
        else:
            found = Interval(value, *least_bounds(self.bounds(self.critical)[0]), self.n, self.how)
        return compared(found, _ends(self.null)[0], self.ends, level=how.level, low=True)


def both(tpr: Spread | None, fpr: Spread | None, table: Table, settings: Settings) -> dict[str, Comparison]:
    """Return equalised odds: the larger of the differences of TPR and FPR, and their mean."""
    names = ("equalised_odds_difference", "equalised_odds_difference_mean")
    if tpr is None or fpr is None:
        reason = "fewer than two groups have both positive and negative labels"
        return dict.fromkeys(names, alone(table.rows, reason))
    gaps = (float(np.ptp(tpr.value)), float(np.ptp(fpr.value)))
    worse = tpr if gaps[0] >= gaps[1] else fpr
    n, level = tpr.n + fpr.n, settings.level
    drawn, null = (np.stack([span(getattr(part, what)) for part in (tpr, fpr)]) for what in ("drawn", "null"))
    statistics: dict[str, Callable[..., Any]] = {names[0]: np.max, names[1]: np.mean}
    ranges = _ranges((tpr, fpr))
    found = {}
    for name, value in zip(names, (max(gaps), sum(gaps) / 2), strict=True):
        if settings.interval == "percentile":
            interval = percentiles(value, statistics[name](drawn, axis=0), n, level, worse.left_out)
        else:
            low, high = (float(statistics[name](ends)) for ends in ranges)
            interval = Interval(value, low, high, n, f"{worse.how}; TPR and FPR at once")
        found[name] = compared(interval, statistics[name](null, axis=0), worse.ends, level=level)
    return found


def _ranges(parts: tuple[Spread, Spread]) -> list[tuple[float, float]]:
    """Return the lower and the upper bounds of both differences, which hold for all pairs of groups in both at once."""
    quantile = critical([part.rated for part in parts], parts[0].settings.level)
    low, high = zip(*(part.range(quantile) for part in parts), strict=True)
    return [low, high]
