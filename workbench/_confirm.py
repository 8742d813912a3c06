"""Findings of the explored half, tested on the half that was held out: what `Report.confirm` does.

The slices are rules (`_rules`), the family is everything that was tried (`_selections`, `_looks`), and each test sets the rows of a
slice against all other held-out rows. A metric that is a mean over rows is tested by `workbench.stats.held_out`; every other one by
its own intervals of both parts (`_confirm_whole`). What was asked and how, and what came of it, is logged with the report.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench._confirm_show import CONFIRMED, LIMITS, NOT, UNTESTED, Confirmation, result_of
from workbench._confirm_slices import Slice, asked_slices, beyond, tried_slices
from workbench._confirm_whole import metric_difference
from workbench._record import now
from workbench._rules import Rule
from workbench._selections import CONFIRM, Selection
from workbench.charts.metrics import NULL_BAND
from workbench.errors import DataError, UsageError, counted, unknown
from workbench.probes._slices import OVERALL, clusters_of
from workbench.stats.held_out import slice_tests
from workbench.stats.intervals import Interval, undefined, z_quantile
from workbench.stats.significance import benjamini_hochberg, holm
from workbench.stats.slices import slice_difference

if TYPE_CHECKING:
    import pandas as pd

    from workbench.reports import Report

__all__ = ["Asked", "confirm"]

Floats = NDArray[np.float64]
CORRECTIONS = {"holm": holm, "bh": benjamini_hochberg}
FAMILIES, DIRECTIONS = ("tried", "asked"), ("either", "explored")
POWER = 0.8
TINY = 1e-15  # levels below it are 0 beside 1
SAME = 1 - 1e-9  # a correlation from which two columns are one
EXACT = 1e-9  # how far the mean of `per_row` may lie from the metric before it is not believed


class Asked(NamedTuple):
    """How to test: the metric (None: the first that is a mean over rows), correction, family, direction, level."""

    metric: str | None
    correction: str
    family: str
    direction: str
    level: float


class _Halves(NamedTuple):
    """Rows of both halves with the metric's numbers (n,), None where it is no mean over rows."""

    metric: str
    explored: "pd.DataFrame"
    held: "pd.DataFrame"
    seen: Floats | None
    unseen: Floats | None


class _Test(NamedTuple):
    """Difference in both halves, slice minus rest, and the p-value of the held-out one; why there is none."""

    explored: Interval
    held: Interval
    p: float
    test: str
    why: str = ""


def confirm(report: "Report", slices: Any, asked: Asked) -> Confirmation:
    """Return the test of slices on the held-out half, and log it."""
    import pandas as pd

    _check(report, asked)
    tried = tried_slices(report)
    wanted = tried if slices is None else asked_slices(report, slices)
    if not wanted:
        raise UsageError(
            "Nothing was tried yet. Brush in wb.explore(report), or name a slice: report.confirm({'domain': 'law'})."
        )
    metric = _metric(report, asked.metric)
    lines = [line for line in report._log if line.source == CONFIRM and line.rule]
    before = {(line.rule, line.metric) for line in lines}
    now_asked = {(one.rule.text, metric) for one in wanted if one.rule is not None}
    metrics = dict.fromkeys([metric, *(name for _, name in before)])
    rules = {one.rule.text: one.rule for one in tried if one.rule is not None}
    chances: dict[tuple[str, str], float] = {}
    halves = {name: _halves(report, name) for name in metrics}
    for name, part in halves.items():
        of_name = {text for text, other in before | now_asked if other == name}
        if asked.family == "tried":
            chances |= dict.fromkeys(((text, name) for text in rules), 1.0)
            of_name |= set() if part.unseen is None else set(rules)
        chances |= {
            (text, name): p
            for text, p in _chances(report, part, {t: Rule.from_text(t) for t in of_name}, asked.direction).items()
        }
    extra = 0 if asked.family == "asked" else len(metrics) * beyond(tried)
    keys = list(chances)
    raw = np.array([chances[key] for key in keys] + [1.0] * extra)
    adjusted = dict(zip(keys, CORRECTIONS[asked.correction](np.where(np.isnan(raw), 1.0, raw)), strict=False))
    found = []
    for one in wanted:
        if one.rule is None:
            found.append(_untested(one, metric))
            continue
        test = _test(report, halves[metric], one.rule)._replace(p=chances[one.rule.text, metric])
        found.append(_line(one, metric, test, float(adjusted[one.rule.text, metric]), asked, len(raw)))
    findings = pd.DataFrame(found)
    for line in findings.to_dict("records"):
        report._log.append(_logged(line, asked, len(raw)))
    times = sum((line.rule, line.metric) in now_asked for line in lines)
    repeated = counted(times, "test of these slices was made before", "tests of these slices were made before")
    notes = (f"{repeated}; each is counted once.",) if times else ()
    held = halves[metric].held
    return Confirmation(
        report, findings, metric, asked.correction, asked.level, len(raw), held, (*notes, *_notes(asked)), LIMITS
    )


def _check(report: "Report", asked: Asked) -> None:
    if asked.correction not in CORRECTIONS:
        raise unknown("correction", asked.correction, CORRECTIONS)
    if asked.family not in FAMILIES:
        raise unknown("family", asked.family, FAMILIES)
    if asked.direction not in DIRECTIONS:
        raise unknown("direction", asked.direction, DIRECTIONS)
    if not isinstance(asked.level, (int, float)) or not 0 < asked.level < 1:
        raise UsageError(f"level must lie between 0 and 1; it is {asked.level!r}. Use 0.05.")
    if not (report.rows["half"] == "confirm").any():
        raise UsageError(
            "This report holds nothing out, so that there are no rows to confirm on. Run it with holdout=0.5: the half that is "
            "held out must not have been looked at."
        )


def _notes(asked: Asked) -> tuple[str, ...]:
    notes = []
    if asked.direction == "explored":
        notes.append("One-sided: the explored half said which way.")
    if asked.family == "asked":
        notes.append("Counted is what was asked of the held-out half, not all that was tried on the explored one.")
    return tuple(notes)


# -- the metric --------------------------------------------------------------------------------------------------------


def _metric(report: "Report", wanted: str | None) -> str:
    """Return the metric to test: the one that is named, or the first of the headline that is a mean over rows."""
    numbers, rows = _per_row(report, report.explored), report.explored
    known = dict.fromkeys(report.metrics["metric"])
    if wanted is not None:
        numeric = [str(name) for name in rows.columns if rows[name].dtype.kind in "fiub"]
        if wanted not in known and wanted not in numbers and wanted not in numeric:
            raise unknown("metric or numeric column", wanted, [*known, *numeric])
        return wanted
    for name in dict.fromkeys([*report.sliced, *report.headline]):
        if name in numbers:
            return name
    view = report.view
    for column in ("" if view is None else view.outcome, "correct"):
        if column in rows.columns:
            return column
    return next((name for name in (*report.headline, *known) if name in known), "")


def _per_row(report: "Report", rows: "pd.DataFrame") -> Mapping[str, Any]:
    given = getattr(report._probe, "per_row", None)
    return {} if given is None else given(rows, report.options)


def _halves(report: "Report", metric: str) -> _Halves:
    """Return both halves, with the numbers of the metric where it is a mean over rows that is believed."""
    explored = report.explored
    held = report.rows[report.rows["half"] == "confirm"].reset_index(drop=True)
    numbers = [_per_row(report, rows).get(metric) for rows in (explored, held)]
    if numbers[0] is not None and len(explored):
        whole = report.metrics.query(
            "metric == @metric and group == @OVERALL", local_dict={"metric": metric, "OVERALL": OVERALL}
        )
        own = np.asarray(numbers[0], dtype=np.float64)
        if len(whole) and np.isfinite(own).any():
            value = float(whole["value"].iloc[0])
            if abs(float(np.nanmean(own)) - value) > EXACT * max(1.0, abs(value)):
                numbers = [None, None]
    elif metric in explored.columns and metric not in set(report.metrics["metric"]):
        numbers = [rows[metric].to_numpy(np.float64, na_value=np.nan) for rows in (explored, held)]
    if numbers[0] is None:
        method = report.metrics.loc[report.metrics["metric"] == metric, "method"].astype(str)
        if method.str.startswith(NULL_BAND).any():
            raise UsageError(
                f"{metric} has a null band in place of an interval, so that no difference of it can be tested. Use a metric that "
                "has one, such as smooth_ece or confidence_gap."
            )
        return _Halves(metric, explored, held, None, None)
    return _Halves(metric, explored, held, *(np.asarray(one, dtype=np.float64) for one in numbers))


# -- the tests ---------------------------------------------------------------------------------------------------------


def _members(report: "Report", rule: Rule, rows: "pd.DataFrame") -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which rows (n,) are in the slice, and which it is set against; a score is set against rows of that score."""
    universe = rule.only(report.parts)
    inside = rule.holds(rows)
    if universe.conditions and len(universe.conditions) < len(rule.conditions):
        return inside, universe.holds(rows) & ~inside
    return inside, ~inside


def _chances(report: "Report", part: _Halves, rules: Mapping[str, Rule], direction: str) -> dict[str, float]:
    """Return the p-value of each rule; those that are set against the same rows are tested in the same draws."""
    if part.unseen is None or part.seen is None:
        return {text: _test(report, part, rule, side=_side(direction)).p for text, rule in rules.items()}
    found = dict.fromkeys(rules, float("nan"))
    lots: dict[bytes, list[tuple[str, NDArray[np.bool_]]]] = {}
    for text, rule in rules.items():
        if not _circular(part.unseen, part.held, rule):
            inside, rest = _members(report, rule, part.held)
            lots.setdefault((inside | rest).tobytes(), []).append((text, inside))
    for key, lot in lots.items():
        kept = np.frombuffer(key, dtype=bool) & ~np.isnan(part.unseen)
        members = np.stack([inside for _, inside in lot], axis=1)[kept]
        sides = [0] * len(lot) if direction == "either" else [_pointed(report, part, rules[text]) for text, _ in lot]
        clusters = clusters_of(part.held[kept])
        tests = slice_tests(members, part.unseen[kept], clusters=clusters, direction=sides, seed=report.record.seed)
        found |= {text: float(p) for (text, _), p in zip(lot, tests.p, strict=True)}
    return found


def _side(direction: str) -> int:
    return int(direction == "explored")


def _pointed(report: "Report", part: _Halves, rule: Rule) -> int:
    """Return 1 or -1: whether the explored half has the slice above the rest or below; 0 where it says nothing."""
    value = _difference(report, part, rule, seen=True).value
    return 0 if value != value else int(np.sign(value))


def _difference(report: "Report", part: _Halves, rule: Rule, *, seen: bool) -> Interval:
    """Return the mean of the slice minus that of the rest, with its interval, in one half."""
    rows, values = (part.explored, part.seen) if seen else (part.held, part.unseen)
    inside, rest = _members(report, rule, rows)
    if values is None:
        raise DataError(f"{part.metric} is no mean over rows.")  # `_test` asks only for those that are
    kept = (inside | rest) & ~np.isnan(values)
    return slice_difference(inside[kept], values[kept], clusters=clusters_of(rows[kept]))


def _test(report: "Report", part: _Halves, rule: Rule, *, side: int = 0) -> _Test:
    """Return the difference in both halves; the p-value too where the metric is no mean over rows."""
    if part.unseen is not None:
        held = _difference(report, part, rule, seen=False)
        circular = _circular(part.unseen, part.held, rule)
        why = f"{part.metric} follows from {circular}, which the slice is made of" if circular else ""
        if not why and held.value != held.value:
            why = held.method.removeprefix("no interval: ") + " in the held-out half"
        exact = clusters_of(part.held) is None and bool(np.isin(part.unseen[~np.isnan(part.unseen)], (0.0, 1.0)).all())
        test = "Fisher's exact test" if exact else "values dealt out anew, or Welch's t"
        return _Test(_difference(report, part, rule, seen=True), held, float("nan"), test, why)
    explored = metric_difference(report, part.metric, part.explored, *_members(report, rule, part.explored))
    found = metric_difference(report, part.metric, part.held, *_members(report, rule, part.held))
    p = found.p
    if side and p == p:  # one-sided, the way that the explored half points
        p = p / 2 if np.sign(found.interval.value) == np.sign(explored.interval.value) else 1 - p / 2
    why = "" if p == p else found.interval.method.removeprefix("no interval: ")
    return _Test(explored.interval, found.interval, p, "the same two intervals", why)


def _circular(values: Floats, rows: "pd.DataFrame", rule: Rule) -> str:
    """Return the column of a rule that the metric's numbers are a straight function of, "" where there is none."""
    for name in rule.columns:
        if name not in rows.columns or rows[name].dtype.kind not in "fiub":
            continue
        column = rows[name].to_numpy(np.float64, na_value=np.nan)
        both = np.isfinite(column) & np.isfinite(values)
        if both.sum() < 3 or not np.ptp(column[both]) or not np.ptp(values[both]):
            continue
        if abs(float(np.corrcoef(column[both], values[both])[0, 1])) > SAME:
            return name
    return ""


# -- lines -------------------------------------------------------------------------------------------------------------


def _line(one: Slice, metric: str, test: _Test, adjusted: float, asked: Asked, m: int) -> dict[str, Any]:
    """Return a finding as a line of the table."""
    explored, held = test.explored, test.held
    known, alike = test.p == test.p, np.sign(explored.value) == np.sign(held.value)
    low = known and adjusted <= asked.level
    status = UNTESTED if not known else CONFIRMED if low and alike else NOT
    note = test.why if not known else "" if status == CONFIRMED else _why_not(test, asked.level / m, low=low)
    return {
        "slice": one.words, "metric": metric, "status": status,
        "explored": explored.value, "explored_low": explored.low, "explored_high": explored.high, "explored_n": explored.n,
        "difference": held.value, "low": held.low, "high": held.high, "n": held.n,
        "p": test.p, "p_adjusted": adjusted if known else float("nan"), "note": note,
        "method": f"{held.method}; p: {test.test}", "rule": "" if one.rule is None else one.rule.text,
    }  # fmt: skip


def _why_not(test: _Test, level: float, *, low: bool) -> str:
    """Return why a finding is not confirmed: it points the other way, or the rows were too few to see what was explored."""
    explored, held = test.explored, test.held
    if low:
        return (
            "it differs, but the other way round" if explored.value == explored.value else "the explored half has none"
        )
    if not np.isfinite(held.low) or not np.isfinite(explored.value) or explored.value == 0:
        return ""
    error = (held.high - held.low) / 2 / z_quantile(0.95)
    seen = (z_quantile(1 - max(level, TINY)) + z_quantile(2 * POWER - 1)) * error
    if seen <= abs(explored.value):
        return ""
    needed = held.n * (seen / abs(explored.value)) ** 2
    return (
        f"too few to say: with n = {held.n:,} a difference of {seen:.2g} is seen in four of five studies; one of "
        f"{abs(explored.value):.2g}, as explored, needs about {round(needed, 1 - int(np.log10(needed))):,.0f}"
    )


def _untested(one: Slice, metric: str) -> dict[str, Any]:
    nothing = undefined("no rule")
    line = _line(
        one, metric, _Test(nothing, nothing, float("nan"), "none"), float("nan"), Asked(None, "", "", "", 0.05), 1
    )
    many = f"{one.tried:,} slices, " if one.tried > 1 else ""
    return {**line, "note": f"{many}no rule that other rows could be chosen by; counted as found nothing"}


def _logged(line: Mapping[Any, Any], asked: Asked, m: int) -> Selection:
    return Selection(
        now(), CONFIRM, line["slice"], int(line["n"]), rule=line["rule"], tried=0, metric=line["metric"],
        status=line["status"], result=result_of(line, asked.correction, m), correction=asked.correction,
        family=asked.family, direction=asked.direction, level=float(asked.level), counted=m,
    )  # fmt: skip
