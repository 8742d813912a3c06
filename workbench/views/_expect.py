"""What a person is asked to draw before it is shown: the axes, which may be seen, and the measured curve, which may not.

From a report come its reliability diagram and its risk-coverage curve; from a table any curve, its lines evenly spaced.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workbench.charts.drawn import Axes, Measured
from workbench.errors import DataError, UsageError, unknown

if TYPE_CHECKING:
    import pandas as pd

    from workbench.reports import Report

__all__ = ["CURVES", "Expected", "of_report", "of_table"]

CURVES = ("reliability", "risk_coverage")
COVERAGES = tuple(round(0.1 * k, 1) for k in range(1, 11))
TENTHS = tuple((k / 5, f"{k / 5:.1f}") for k in range(6))
FEWEST, MOST = 2, 40  # points that a hand can draw


class Expected(NamedTuple):
    """The axes of a curve, the curve, and the weight of each point in the distance (they sum to 1)."""

    axes: Axes
    measured: Measured
    weights: tuple[float, ...]


def of_report(report: "Report", curve: str) -> Expected:
    """Return the named curve of a report's explored rows.

    The reliability diagram is asked for at the mean confidence of each bin that holds examples, weighted by their number: the
    distance of the diagonal is the ECE. The risk is asked for at ten coverages.
    """
    if curve not in CURVES:
        raise unknown("curve", curve, CURVES)
    if not len(report.explored):
        raise UsageError(f"This report has no rows to draw; its outcome is {report.outcome!r}.")
    table = report.tables.get({"reliability": "bins", "risk_coverage": "risk_coverage"}[curve])
    if table is None or not {"coverage", "accuracy"} & set(table.columns):
        raise UsageError(
            f"A {curve.replace('_', '-')} curve needs confidences and correct answers, as the probe 'calibration' gives; this "
            f"report is of {report.probe!r}. Draw a table's curve with wb.draw(table, x=..., y=...)."
        )
    whole = table[table["group"] == "all"] if "group" in table.columns else table
    return (
        _reliability(whole, report.title)
        if curve == "reliability"
        else _risk(whole, report.title, len(report.explored))
    )


def _reliability(bins: "pd.DataFrame", title: str) -> Expected:
    bins = bins[bins["n"] > 0]
    at = tuple(bins["confidence"].astype(float))
    labels = tuple(f"{x:.2f} (n = {n:,})" for x, n in zip(at, bins["n"], strict=True))
    axes = Axes(f"Reliability: {title}", "Confidence", "Hit rate", at, labels, TENTHS, diagonal=True)
    shares = bins["n"].to_numpy(float) / bins["n"].sum()
    return Expected(axes, _measured(bins, "accuracy"), tuple(shares))


def _risk(curve: "pd.DataFrame", title: str, n: int) -> Expected:
    places = np.minimum(np.searchsorted(curve["coverage"].to_numpy(float), np.array(COVERAGES) - 1e-9), len(curve) - 1)
    some = curve.iloc[places]
    some = some.assign(n=np.round(some["coverage"] * n).astype(int))
    labels = tuple(f"{x:.0%}" for x in COVERAGES)
    axes = Axes(
        f"Risk and coverage: {title}",
        "Coverage: share of examples answered, the surest first",
        "Risk: share of them wrong",
        COVERAGES,
        labels,
        TENTHS,
    )
    return Expected(axes, _measured(some, "risk"), _alike(len(COVERAGES)))


def of_table(table: "pd.DataFrame", x: str, y: str, title: str, ends: tuple[float, float] | None) -> Expected:
    """Return the curve of two columns of a table, in its order; `low`, `high` and `n` are its intervals and counts."""
    for name in (x, y):
        if name not in table.columns:
            raise unknown("column", name, map(str, table.columns))
    if not FEWEST <= len(table) <= MOST:
        raise DataError(f"A curve to draw has {FEWEST} to {MOST} points; this table has {len(table)} rows.")
    try:
        measured = _measured(table, y)
    except (TypeError, ValueError):
        raise DataError(f"Column {y!r} must hold numbers; it holds {table[y].iloc[0]!r}.") from None
    missing = np.flatnonzero(~np.isfinite(measured.value))
    if len(missing):
        raise DataError(f"Row {missing[0]} has no {y}. Every point of a curve needs a number.")
    between = ends if ends is not None else _ends(measured)
    if len(between) != 2 or not np.isfinite(between).all() or not between[0] < between[1]:
        raise UsageError(f"ends must be two numbers, the lower first; it is {ends!r}.")
    low, high = float(between[0]), float(between[1])
    outside = [v for v in measured.value if not low <= v <= high]
    if outside:
        raise UsageError(f"The curve has {outside[0]:.4g}, which lies outside ends=({low:g}, {high:g}).")
    k = len(table)
    at = tuple((i + 0.5) / k for i in range(k))
    labels = tuple(f"{value:g}" if isinstance(value, float) else str(value) for value in table[x])
    axes = Axes(title or f"{y} by {x}", x, y, at, labels, tuple(zip(at, labels, strict=True)), (low, high))
    return Expected(axes, measured, _alike(k))


def _ends(measured: Measured) -> tuple[float, float]:
    """Return ends that do not give the curve away: 0 to 1 where it is a share, else 0 or twice the range around it."""
    low, high = min(measured.value), max(measured.value)
    if low >= 0 and high <= 1:
        return 0.0, 1.0
    room = (high - low) or abs(high) or 1.0
    return (0.0 if low >= 0 else float(low - room)), float(high + room)


def _measured(table: "pd.DataFrame", y: str) -> Measured:
    columns: dict[str, Any] = {
        name: tuple(float(v) for v in table[name]) if name in table.columns else (float("nan"),) * len(table)
        for name in ("low", "high")
    }
    n = tuple(int(v) for v in table["n"]) if "n" in table.columns else (0,) * len(table)
    return Measured(tuple(float(v) for v in table[y]), columns["low"], columns["high"], n)


def _alike(k: int) -> tuple[float, ...]:
    return (1 / k,) * k
