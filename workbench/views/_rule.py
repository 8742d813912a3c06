"""The rule of a selection: what its brushes say of columns, so that `Report.confirm` can carry it to rows that are held out.

A brush on a number means the range between its bins' edges; one that reaches the end of an axis has no end there, since rows that
are not shown may lie beyond. Brushes on ids, at another temperature, or on what no column of the rows holds have no rule.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workbench._rules import Condition, Range, Rule, plain
from workbench.views import _fields
from workbench.views._lens import Lens
from workbench.views._messages import Brush

if TYPE_CHECKING:
    import pandas as pd

    from workbench.reports import Report

__all__ = ["rule_of_brush", "rule_of_words", "words_of"]

RIGHT, LEFT = "right", "left"


def words_of(fields: Sequence[_fields.Field], given: Brush) -> str:
    """Return brushes in words, "" where there are none."""
    pairs = zip(fields, given.ranges, strict=True)
    said = [field.describe(codes) for field, codes in pairs if codes is not None]
    said += ["ids"] if given.mask else []
    line = "abstaining below" if fields[0].kind == _fields.CONFIDENCE else "deciding from"
    said += [f"{line} {given.cut:.3g}"] if given.cut is not None else []
    said += [f"at T = {given.temperature:.3g}"] if said and given.temperature != 1.0 else []
    return "; ".join(said)


def rule_of_words(report: "Report", lens: Lens, rows: "pd.DataFrame", brush: Brush, words: str) -> Rule | None:
    """Return what carries a selection in words to rows that are held out, None where other reports' brushes are in it, too."""
    if words != words_of(lens.fields, brush):
        return None
    return rule_of_brush(lens, rows, brush, by_mass=report.options.get("scheme") == "mass")


def rule_of_brush(lens: Lens, rows: "pd.DataFrame", brush: Brush, *, by_mass: bool) -> Rule | None:
    """Return the rule of the brushes on explored rows (n,), None where there is none; `by_mass`: bins are closed on the right."""
    if brush.mask or brush.temperature != 1.0:
        return None
    found: list[Condition] = []
    for field, codes in zip(lens.fields, brush.ranges, strict=True):
        if codes is not None:
            conditions = _conditions(lens, field, rows, codes, by_mass=by_mass)
            if conditions is None:
                return None
            found += conditions
    columns = [one.column for one in found]
    return Rule(tuple(sorted(found))) if found and len(set(columns)) == len(columns) else None


def _conditions(
    lens: Lens, field: _fields.Field, rows: "pd.DataFrame", codes: Sequence[int], *, by_mass: bool
) -> list[Condition] | None:
    """Return the conditions that a set of codes of a field means, None where columns cannot say it."""
    if field is lens.fields[-1]:
        return [_outcome("correct" if lens.view is None else lens.view.outcome, codes)]
    if field.kind == _fields.COVERAGE:
        return [_covered(rows["confidence"].to_numpy(float), field, codes)]
    if field.name not in rows.columns:
        return None
    if field.kind == _fields.CURVE:
        return _points(lens, field, codes)
    if field.kind != _fields.SLICE:
        return [_ranged(field, codes, closed=RIGHT if by_mass and field.kind == _fields.CONFIDENCE else LEFT)]
    return _sliced(lens, field, rows, codes)


def _outcome(column: str, codes: Sequence[int]) -> Condition:
    """Return the condition on an outcome: above 0, not above 0, or not known."""
    ranges = {0: Range(0.0, None, RIGHT), 1: Range(None, 0.0)}
    known = tuple(ranges[code] for code in codes if code in ranges)
    return Condition(column, ("",) if 2 in codes else (), known)


def _runs(codes: Sequence[int]) -> list[tuple[int, int]]:
    """Return the first and last of each run of codes that follow one another.

    >>> _runs([1, 2, 5])
    [(1, 2), (5, 5)]
    """
    runs: list[tuple[int, int]] = []
    for code in sorted(codes):
        runs = [*runs[:-1], (runs[-1][0], code)] if runs and runs[-1][1] == code - 1 else [*runs, (code, code)]
    return runs


def _ranged(field: _fields.Field, codes: Sequence[int], *, closed: str) -> Condition:
    """Return the condition on a binned number."""
    edges, last = field.edges, field.bins - 1
    ranges = [
        Range(None if first == 0 else float(edges[first]), None if end == last else float(edges[end + 1]), closed)
        for first, end in _runs(codes)
    ]
    return Condition(field.name, (), tuple(ranges))


def _covered(confidence: NDArray[np.float64], field: _fields.Field, codes: Sequence[int]) -> Condition:
    """Return the confidences of the parts of the coverage: the first part is the most confident."""
    least = [float(confidence[field.codes == code].min()) for code in range(field.bins)]
    ranges = [
        Range(None if end == field.bins - 1 else least[end], None if first == 0 else least[first - 1], LEFT)
        for first, end in reversed(_runs(codes))
    ]
    return Condition("confidence", (), tuple(ranges))


def _points(lens: Lens, field: _fields.Field, codes: Sequence[int]) -> list[Condition] | None:
    """Return the places of points along a curve, None where not all lines of a place are chosen."""
    del lens
    places = {float(field.edges[code]) for code in codes}
    whole = {code for code in range(field.bins) if float(field.edges[code]) in places}
    if whole != set(codes):
        return None
    return [Condition(field.name, tuple(sorted(plain(place) for place in places)))]


def _sliced(lens: Lens, field: _fields.Field, rows: "pd.DataFrame", codes: Sequence[int]) -> list[Condition] | None:
    """Return the values of a slice; a number that was cut into fifths gives ranges."""
    import pandas as pd

    column = rows[field.name]
    numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    labels = [field.labels[code] for code in codes]
    blanks = {_fields.BLANK} | ({lens.view.blank} if lens.view is not None else set())
    blank = bool(column.isna().any() or column.eq("").any())
    if _fields.OTHER in labels and len(field.labels) == _fields.MAX_BINS:
        return None
    if not numeric or column.nunique() <= _fields.MANY:
        given = ["" if blank and label in blanks else label for label in labels]
        return [Condition(field.name, tuple(sorted(plain(float(one)) if numeric and one else one for one in given)))]
    numbers, parts = column.to_numpy(np.float64, na_value=np.nan), field.bins - blank
    most = [float(np.nanmax(numbers[field.codes == code])) for code in range(parts)]
    ranges = [
        Range(None if first == 0 else most[first - 1], None if end == parts - 1 else most[end], RIGHT)
        for first, end in _runs([code for code in codes if code < parts])
    ]
    return [Condition(field.name, ("",) if blank and parts in codes else (), tuple(ranges))]
