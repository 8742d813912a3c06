"""Reliability diagram, histogram of confidences, risk-coverage curve."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from charts import chart_checks as checks

from workbench.charts import confidence_histogram, reliability, risk_coverage
from workbench.errors import DataError

CHARTS: list[tuple[Callable[..., Any], Callable[[], pd.DataFrame]]] = [
    (reliability, checks.small_bins),
    (confidence_histogram, checks.small_bins),
    (risk_coverage, checks.curve),
]
EACH = pytest.mark.parametrize(("chart", "table"), CHARTS, ids=[chart.__name__ for chart, _ in CHARTS])


@EACH
def test_the_spec_is_the_stored_one(chart: Callable[..., Any], table: Callable[[], pd.DataFrame]) -> None:
    """The spec of a small table equals the copy that was looked at."""
    checks.check_reference(chart.__name__, chart(table()))


@EACH
@pytest.mark.parametrize("theme", ["light", "dark", "any"])
def test_every_theme_draws_without_a_warning(chart: Callable[..., Any], table: Any, theme: str, capfd: Any) -> None:
    """Vega-Lite has nothing to say against the spec."""
    assert "<path" in checks.draw(chart(table()), capfd, theme)


@EACH
def test_one_line_and_none_are_drawn(chart: Callable[..., Any], table: Callable[[], pd.DataFrame], capfd: Any) -> None:
    """A single bin, and an empty table, give a picture."""
    checks.draw(chart(table().head(1)), capfd)
    checks.draw(chart(table().head(0)), capfd)


@EACH
def test_missing_numbers_are_left_out(chart: Callable[..., Any], table: Callable[[], pd.DataFrame], capfd: Any) -> None:
    """NaN bounds draw no whisker and no band; a table without bounds works too."""
    frame = table()
    bounds = [name for name in ("low", "high", "null_low", "null_high") if name in frame.columns]
    checks.draw(chart(frame.assign(**dict.fromkeys(bounds, np.nan))), capfd)
    checks.draw(chart(frame.drop(columns=bounds)), capfd)


def test_each_group_has_a_panel_with_its_n(capfd: Any) -> None:
    """Three groups are three panels, titled with name and n, on the same scales."""
    frame = pd.concat([checks.bins(name, n) for name, n in (("one", 200), ("two", 300), ("three", 600))])
    spec = reliability(frame).to_dict()

    assert [panel["title"]["text"] for panel in spec["concat"]] == ["one, n = 200", "two, n = 300", "three, n = 600"]
    scales = [panel["vconcat"][1]["encoding"]["y"]["scale"]["domain"] for panel in spec["concat"]]
    assert scales[0] == scales[1] == scales[2]
    checks.draw(reliability(frame), capfd)


def test_the_histogram_says_mean_confidence_and_hit_rate() -> None:
    """The subtitle has both, weighted by n: (10 .5 + 20 .4 + 40 .8)/70 and (10 .55 + 20 .65 + 40 .9)/70."""
    title = confidence_histogram(checks.small_bins()).to_dict()["title"]

    assert title["subtitle"] == "right 0.64 (solid), mean confidence 0.78 (dashed)"


def test_a_group_name_cannot_leave_its_script_element(capfd: Any) -> None:
    """A name with markup stands in no spec as such, and is drawn as text."""
    frame = pd.concat([checks.bins(checks.ATTACK), checks.bins("b")])
    spec = reliability(frame)

    assert "<" not in spec.to_json()
    assert "&lt;script&gt;window" in checks.draw(spec, capfd)


def test_the_scale_of_risk_is_not_that_of_the_first_answer() -> None:
    """The band of the first answers reaches to 1; the axis ends where the steady part does."""
    frame = pd.DataFrame(
        {"coverage": [0.01, 0.5, 1.0], "risk": [0.0, 0.1, 0.2], "low": [0, 0.05, 0.15], "high": [0.9, 0.2, 0.25]}
    )
    domains = [layer["encoding"]["y"]["scale"]["domain"] for layer in risk_coverage(frame).to_dict()["layer"][1:]]

    assert domains == [[0, pytest.approx(0.27)]] * 2


@EACH
def test_a_missing_column_is_named(chart: Callable[..., Any], table: Callable[[], pd.DataFrame]) -> None:
    """The error names the column and how to build the table."""
    frame = table()
    column = frame.columns[1]
    with pytest.raises(DataError, match=rf"needs the column\(s\) {column}.*workbench.stats"):
        chart(frame.drop(columns=column))
