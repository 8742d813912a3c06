"""Severity curves."""

from typing import Any

import pandas as pd
import pytest
from charts import chart_checks as checks

from workbench.charts.sweep import MOST, severity_curves
from workbench.errors import DataError, UsageError


def table(*names: str, metric: str = "accuracy", method: str = "Wilson") -> pd.DataFrame:
    """Return one metric of the clean examples and of corruptions at severities 1 and 3."""
    line = {"metric": metric, "group": "all", "n": 50, "method": method}
    cells = [("clean", 0), *((name, severity) for name in names for severity in (1, 3))]
    return pd.DataFrame(
        {**line, "corruption": name, "severity": s, "value": 0.8 - 0.1 * s, "low": 0.7 - 0.1 * s, "high": 0.9 - 0.1 * s}
        for name, s in cells
    )


def test_the_spec_is_the_stored_one() -> None:
    """The spec equals the copy that was looked at."""
    checks.check_reference("severity_curves", severity_curves(table("keyboard", "swap"), "accuracy"))


@pytest.mark.parametrize("theme", ["light", "dark", "any"])
def test_every_theme_draws_without_a_warning(theme: str, capfd: Any) -> None:
    """One line, several, a null band in place of intervals: nothing to say against the specs."""
    checks.draw(severity_curves(table("keyboard"), "accuracy"), capfd, theme)
    drawn = checks.draw(severity_curves(table(*"abcdefgh"), "accuracy"), capfd, theme)
    null = severity_curves(table("swap", metric="ece", method="null band: 95%"), "ece")

    assert "stroke-dasharray" in drawn
    assert "dotted line" in null.to_dict()["description"]
    assert checks.draw(null, capfd, theme)


def test_every_line_starts_from_the_clean_examples() -> None:
    """Severity 0 stands in the data of each corruption; too many corruptions are left out, and said."""
    spec = severity_curves(table("keyboard", "swap"), "accuracy").to_dict()
    data = next(rows for rows in spec["datasets"].values() if "corruption" in rows[0])
    many = severity_curves(table(*(f"c{i}" for i in range(MOST + 2))), "accuracy").to_dict()

    assert [("keyboard", 0), ("swap", 0)] == [
        (row["corruption"], row["severity"]) for row in data if not row["severity"]
    ]
    assert f"the first {MOST} of {MOST + 2} corruptions" == many["title"]["subtitle"]


def test_names_cannot_run_and_missing_columns_are_named() -> None:
    """A corruption's name is data; a table of something else is refused."""
    spec = severity_curves(table(checks.ATTACK, "b"), "accuracy").to_dict()

    assert "<script" not in str(spec)
    with pytest.raises(DataError, match="severity"):
        severity_curves(table("a").drop(columns="severity"), "accuracy")
    with pytest.raises(UsageError, match="Unknown metric"):
        severity_curves(table("a"), "acuracy")
