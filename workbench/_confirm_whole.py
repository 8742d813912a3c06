"""The difference of a metric that is no mean over rows (AUROC, smooth ECE, ICAT) between a slice and the rest."""

from math import erfc, hypot, sqrt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.probes._slices import OVERALL
from workbench.stats.intervals import Interval, undefined, z_quantile

if TYPE_CHECKING:
    import pandas as pd

    from workbench.reports import Report

__all__ = ["Difference", "metric_difference"]

Mask = NDArray[np.bool_]


class Difference(NamedTuple):
    """A metric of the slice minus that of the rest, and the two-sided p-value that it is zero."""

    interval: Interval
    p: float


def metric_difference(report: "Report", metric: str, rows: "pd.DataFrame", inside: Mask, rest: Mask) -> Difference:
    """Return the difference with MOVER of the metric's own two intervals (Zou and Donner 2008), and the p-value by the same way.

    The parts must be independent: where a cluster has rows in both there is no interval.
    """
    n = int(inside.sum())
    if not n or not rest.any():
        return Difference(
            undefined("no rows in the slice" if not n else "no rows outside the slice", n=n), float("nan")
        )
    one, two = (_of(report, metric, rows[side]) for side in (inside, rest))
    value = one.value - two.value
    if not np.isfinite(value):
        return Difference(undefined(f"{metric} is not defined in both parts", n=n), float("nan"))
    if set(rows["cluster"][inside]) & set(rows["cluster"][rest]):
        why = f"clusters lie on both sides, and {metric} is no mean over rows"
        return Difference(undefined(why, value=value, n=n), float("nan"))
    down, up = hypot(one.value - one.low, two.high - two.value), hypot(one.high - one.value, two.value - two.low)
    if not (np.isfinite(down) and np.isfinite(up)) or min(down, up) <= 0:
        return Difference(undefined(f"{metric} has no interval in both parts", value=value, n=n), float("nan"))
    z = abs(value) / (down if value > 0 else up) * z_quantile(0.95)
    found = Interval(value, value - down, value + up, n, "MOVER of the metric's two intervals, 95%")
    return Difference(found, erfc(z / sqrt(2)))


def _of(report: "Report", metric: str, rows: "pd.DataFrame") -> Interval:
    """Return the metric of some rows."""
    found = report._probe.summarise(rows.reset_index(drop=True), report.options, by=(), seed=report.record.seed)
    mine = found[(found["metric"] == metric) & (found["group"] == OVERALL)]
    columns = ["value", "low", "high", "n", "method"]
    return Interval(*mine[columns].iloc[0]) if len(mine) else undefined(f"{metric} is not defined")
