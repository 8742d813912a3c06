"""A brush's rule names, in the explored half, the very rows that the brush selects."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench._rules import Rule
from workbench.views import _fields
from workbench.views._lens import lens_of
from workbench.views._messages import Brush
from workbench.views._rule import rule_of_brush


def predictions(scheme: str) -> wb.Report:
    """Return a report with words, few and many numbers, blanks, and answers that are not known."""
    rng = np.random.default_rng(4)
    n = 300
    table = pd.DataFrame(
        {
            "example": [f"e{i}" for i in range(n)],
            "confidence": rng.choice([0.2, 0.4, 0.55, 0.6, 0.8, 1.0], n) * rng.choice([1, 0.97], n),
            "correct": rng.integers(0, 2, n),
            "domain": rng.choice(["law", "art", "(a)"], n),
            "grade": rng.integers(1, 6, n),
            "age": rng.normal(40, 12, n).round(1),
        }
    )
    table["domain"] = table["domain"].where(rng.random(n) > 0.1, None)
    by = ["domain", "grade", "age"]
    return wb.from_predictions(table, by=by, holdout=0.4, scheme=scheme, bins=7, draws=20)


@pytest.mark.parametrize("scheme", ["width", "mass"])
def test_a_rule_selects_what_its_brush_selects(scheme: str) -> None:
    """For each field and many sets of codes, alone and together; the rule survives its text."""
    report = predictions(scheme)
    lens, rows = lens_of(report), report.explored
    rng = np.random.default_rng(1)
    names = [field.name for field in lens.fields]
    for at, field in enumerate(lens.fields):
        for trial in range(12):
            codes = np.sort(rng.choice(field.bins, rng.integers(1, field.bins + 1), replace=False))
            codes = np.arange(codes.min(), codes.max() + 1) if trial % 2 else codes
            ranges: list[Any] = [None] * len(names)
            ranges[at] = tuple(int(code) for code in codes)
            if trial % 3 == 0 and field.name != "grade":
                ranges[names.index("grade")] = (0, 2)
            rule = rule_of_brush(lens, rows, Brush(1, tuple(ranges), False, 1.0, "x"), by_mass=scheme == "mass")

            assert rule is not None or (field.name == "coverage" and ranges[0] is not None)
            assert rule is not None
            kept = _fields.keep(lens.fields, ranges)
            assert Rule.from_text(rule.text).holds(rows).tolist() == kept.tolist(), (field.name, codes, rule.words)


def test_the_end_of_an_axis_is_no_end_of_the_rule() -> None:
    """Rows that are held out may lie beyond what is shown."""
    report = predictions("width")
    lens = lens_of(report)
    field = next(one for one in lens.fields if one.name == "age")
    ranges = tuple((field.bins - 1,) if one is field else None for one in lens.fields)
    rule = rule_of_brush(lens, report.explored, Brush(1, ranges, False, 1.0, "x"), by_mass=False)

    assert rule is not None
    assert rule.holds(pd.DataFrame({"age": [1000.0, 0.0]})).tolist() == [True, False]


def test_what_columns_cannot_say_has_no_rule() -> None:
    """Ids and another temperature; the log then has no rule, and of a brush it has one."""
    report = predictions("width")
    lens, nothing = lens_of(report), (None,) * len(lens_of(report).fields)
    first = ((3,), *nothing[1:])

    for brush in (
        Brush(1, nothing, True, 1.0, "x"),
        Brush(1, first, False, 2.0, "x"),
        Brush(1, nothing, False, 1.0, "x"),
    ):
        assert rule_of_brush(lens, report.explored, brush, by_mass=False) is None
    explorer = wb.explore(report)
    with explorer._lock:
        explorer._take(Brush(1, first, False, 1.0, "x"), None)
    explorer.name("some")
    explorer.select(list(report.explored["example"][:1]))
    explorer.name("one")
    log = report.selections.set_index("name")

    assert log.loc["one", "rule"] == ""
    assert Rule.from_text(log.loc["some", "rule"]).columns == ("confidence",)
    assert report.confirm("some").findings["status"].iloc[0] in ("confirmed", "not confirmed")
