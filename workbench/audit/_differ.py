"""What differs between a frozen table and the one that was made again: numbers within a tolerance, all else exactly."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workbench.data._build import plain
from workbench.frames import METRIC_COLUMNS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SAME", "SIDE", "Column", "columns_that_differ", "distance", "metrics_side_by_side"]

SIDE = ("value", "low", "high")  # the numbers of a metric
NUMBERED = ("value", "low", "high", "n", "method")
REPRODUCED, WITHIN, DIFFERS, GONE, NEW = "reproduced", "differs, within its interval", "differs", "gone", "new"
REDRAWN = "reproduced, a drawn bound moved"
SAME = (REPRODUCED, REDRAWN)
DRAWN = ("null band", "bootstrap", "permut")  # words of a method whose bounds are quantiles of draws
STEP = 0.05  # of the distance between such bounds: what a draw that falls the other way can move


class Column(NamedTuple):
    """A column of a table that is not as it was: how many rows of it, the largest difference, and a row to look at."""

    column: str
    rows: int
    largest: float  # infinite where a value is no number
    where: str
    frozen: str
    now: str


def distance(frozen: Any, now: Any) -> float:
    """Return how far two numbers are apart, in units of the larger of 1 and the frozen one; 0 for two that are NaN or equal.

    >>> distance(200.0, 200.02), distance(0.5, 0.25), distance(float("nan"), 1.0)
    (0.0001, 0.25, inf)
    """
    if frozen == now or (frozen != frozen and now != now):
        return 0.0
    gap = abs(float(now) - float(frozen))
    return round(gap / max(1.0, abs(float(frozen))), 15) if math.isfinite(gap) else math.inf


def metrics_side_by_side(frozen: "pd.DataFrame", now: "pd.DataFrame", tolerance: float) -> "pd.DataFrame":
    """Return the metrics of both, a line each, with the largest difference of value, low and high, and a verdict.

    Verdicts: "reproduced", within the tolerance; "reproduced, a drawn bound moved", the value is, and a bound that is a quantile of
    draws is within a twentieth of their distance (a draw may fall the other way where a number was rounded otherwise);
    "differs, within its interval", the new value lies between the old bounds; "differs", it does not, or n is another; "gone"
    and "new" for metrics that one of the two has not.
    """
    index = [name for name in frozen.columns if name not in NUMBERED]
    old, new = (_numbered(table, index) for table in (frozen, now))
    keys = [*index, "_again"]
    both = old.merge(new, on=keys, how="outer", suffixes=("", "_now"), sort=False)
    order = {key: at for at, key in enumerate(old[keys].itertuples(index=False, name=None))}
    place = [order.get(key, len(order)) for key in both[keys].itertuples(index=False, name=None)]
    both = both.assign(_place=place).sort_values("_place", kind="stable").reset_index(drop=True)
    there, again = both["method"].notna(), both["method_now"].notna()
    gaps, verdicts = [], []
    for at, line in enumerate(both.to_dict("records")):
        if not (there[at] and again[at]):
            gaps.append(math.inf)
            verdicts.append(GONE if there[at] else NEW)
            continue
        gap = max(distance(line[name], line[f"{name}_now"]) for name in SIDE)
        gaps.append(gap)
        verdicts.append(_verdict(line, gap, tolerance))
    told = both.assign(difference=gaps, tolerance=tolerance, verdict=verdicts)
    numbers = [f"{name}{end}" for name in (*SIDE, "n") for end in ("", "_now")]
    return told[[*index, *numbers, "difference", "tolerance", "verdict"]]


def _numbered(table: "pd.DataFrame", index: Sequence[str]) -> "pd.DataFrame":
    """Return a table of metrics with a count where an index repeats, so that each line has one partner."""
    held = table.reindex(columns=[*index, *METRIC_COLUMNS[2:]]).astype(dict.fromkeys(index, object))
    held[list(index)] = held[list(index)].map(lambda value: str(plain(value)))
    return held.assign(_again=held.groupby(list(index), dropna=False).cumcount())


def _verdict(line: Mapping[Any, Any], gap: float, tolerance: float) -> str:
    if gap <= tolerance and line["n"] == line["n_now"]:
        return REPRODUCED
    if line["n"] == line["n_now"] and distance(line["value"], line["value_now"]) <= tolerance and _redrawn(line):
        return REDRAWN
    inside = line["low"] <= line["value_now"] <= line["high"]  # False where there is no interval
    return WITHIN if inside and line["n"] == line["n_now"] else DIFFERS


def _redrawn(line: Mapping[Any, Any]) -> bool:
    """Return whether the bounds are of draws, by the same method, and no further apart than one of these can move them."""
    one, two = (str(line[name]).partition(";")[0] for name in ("method", "method_now"))  # a p-value may follow
    if one != two or not any(word in one for word in DRAWN):
        return False
    most = STEP * (line["high"] - line["low"])
    return all(abs(line[f"{name}_now"] - line[name]) <= most for name in ("low", "high"))


def columns_that_differ(
    frozen: "pd.DataFrame", now: "pd.DataFrame", tolerance: float, keys: Sequence[str] = ()
) -> list[Column]:
    """Return the columns of two tables that differ, the rows paired by keys, by their order where none are given."""
    names = list(keys)
    if names:
        old, new = frozen.set_index(names, drop=False), now.set_index(names, drop=False)
        gone, come = old.index.difference(new.index), new.index.difference(old.index)
        found = [_lost(part, what) for part, what in ((gone, "gone"), (come, "new")) if len(part)]
        shared = old.index.intersection(new.index)
        old, new = old.loc[shared], new.loc[shared]
    else:
        old, new, found = frozen, now, []
        if len(old) != len(new):
            return [Column("(rows)", abs(len(old) - len(new)), math.inf, "", f"{len(old)} rows", f"{len(new)} rows")]
    said = [_said(key) for key in (old.index if names else range(len(old)))]
    for name in frozen.columns:
        if name in names:
            continue
        if name not in now.columns:
            found.append(Column(str(name), len(old), math.inf, "", "a column", "gone"))
        elif len(old):
            one = _column(str(name), old[name], new[name], tolerance, said)
            found += [one] if one is not None else []
    return found


def _lost(part: Any, what: str) -> Column:
    old, new = ("a row", "gone") if what == "gone" else ("", "a new row")
    return Column("(rows)", len(part), math.inf, _said(part[0]), old, new)


def _said(key: Any) -> str:
    """Return the key of a row in a few words; what is "" or "all" says nothing."""
    parts = key if isinstance(key, tuple) else (key,)
    return " / ".join(str(part) for part in parts if part not in ("", "all"))


def _column(
    name: str, frozen: "pd.Series[Any]", now: "pd.Series[Any]", tolerance: float, said: Sequence[str]
) -> Column | None:
    """Return how a column differs, None where it does not."""
    if all(column.dtype.kind in "biuf" for column in (frozen, now)):
        old, new = frozen.to_numpy(float), now.to_numpy(float)
        with np.errstate(invalid="ignore"):
            gaps = np.abs(new - old) / np.maximum(1.0, np.abs(old))
        gaps = np.where((old == new) | (np.isnan(old) & np.isnan(new)), 0.0, np.where(np.isfinite(gaps), gaps, np.inf))
    else:
        pairs = zip(frozen.tolist(), now.tolist(), strict=True)
        gaps = np.array([_apart(plain(one), plain(two)) for one, two in pairs])
    wrong = gaps > tolerance
    if not wrong.any():
        return None
    at = int(gaps.argmax())
    return Column(name, int(wrong.sum()), float(gaps[at]), said[at], _short(frozen.iloc[at]), _short(now.iloc[at]))


def _apart(frozen: Any, now: Any) -> float:
    """Return the distance of two plain values: the largest of their numbers', infinite where anything else differs."""
    if isinstance(frozen, list) and isinstance(now, list):
        if len(frozen) != len(now):
            return math.inf
        return max((_apart(one, two) for one, two in zip(frozen, now, strict=True)), default=0.0)
    if isinstance(frozen, dict) and isinstance(now, dict):
        if set(frozen) != set(now):
            return math.inf
        return max((_apart(frozen[name], now[name]) for name in frozen), default=0.0)
    if all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in (frozen, now)):
        return distance(frozen, now)
    return 0.0 if frozen == now else math.inf


def _short(value: Any) -> str:
    said = str(plain(value))
    return said if len(said) <= 80 else f"{said[:79]}…"
