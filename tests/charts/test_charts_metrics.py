"""The forest plot of one metric by slice."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from charts import chart_checks as checks

from workbench.charts import metric_bars
from workbench.charts.metrics import metric_title
from workbench.errors import UsageError

NULL = "null band: 95% of perfectly calibrated models lie below high"


def labels(spec: dict[str, Any]) -> list[str]:
    """Return the labels of the first data set, in their order."""
    return [row["label"] for row in max(spec["datasets"].values(), key=len)]


def test_the_spec_is_the_stored_one() -> None:
    """Specs of an interval metric, of a null band and of two slice columns equal the copies that were looked at."""
    checks.check_reference("metric_bars", metric_bars(checks.metrics("domain=law", "domain=history"), "accuracy"))
    null = checks.metrics("domain=law", "domain=history", metric="ece", method=NULL)
    checks.check_reference("metric_bars_null", metric_bars(null, "ece"))
    checks.check_reference("metric_bars_two", metric_bars(checks.metrics("domain=law", "level=easy"), "accuracy"))
    table = checks.metrics("bias=age", "bias=religion", metric="pct_stereotype")
    checks.check_reference("metric_bars_line", metric_bars(table, "pct_stereotype", reference=0.5))


@pytest.mark.parametrize("theme", ["light", "dark", "any"])
@pytest.mark.parametrize("method", ["Wilson", NULL])
def test_every_theme_draws_without_a_warning(theme: str, method: str, capfd: Any) -> None:
    """Vega-Lite has nothing to say against the spec, and n stands beside each slice."""
    table = checks.metrics("domain=law", "domain=history", "level=easy", "plain", method=method)
    drawn = checks.draw(metric_bars(table, "accuracy"), capfd, theme)

    assert all(f">{text}<" in drawn for text in ("law", "history", "easy", "plain", "90", "80", "domain", "level"))


def test_slices_are_sorted_by_value_and_all_is_a_line() -> None:
    """The largest value comes first; "all" is the reference line, no slice."""
    table = checks.metrics("domain=a", "domain=b", "domain=c")
    table["value"] = [0.5, 0.2, 0.9, 0.4]
    spec = metric_bars(table, "accuracy").to_dict()

    assert labels(spec) == ["b", "c", "a"]
    assert [{"value": 0.5}] in spec["datasets"].values()


def test_a_null_band_is_no_interval() -> None:
    """The bar reaches from 0 to high, there is no whisker, and no line at the value of all: it depends on n."""
    spec = metric_bars(checks.metrics("domain=a", "domain=b", metric="ece", method=NULL), "ece").to_dict()
    styles = [layer["mark"].get("style") for layer in spec["layer"]]

    assert "wb-null" in styles
    assert "wb-whisker" not in styles
    assert "wb-reference" not in styles
    assert spec["layer"][0]["encoding"]["x"]["scale"]["domain"][0] == 0


def marks(spec: dict[str, Any]) -> list[float]:
    """Return where the solid lines of a chart stand."""
    lines = [layer["data"]["name"] for layer in spec["layer"] if layer["mark"].get("style") == "wb-zero"]
    return [spec["datasets"][name][0]["value"] for name in lines]


@pytest.mark.parametrize("reference", [0.5, 0.0, 1.5])
def test_a_reference_is_a_line_within_the_axis_and_said(reference: float, capfd: Any) -> None:
    """A reference stretches the axis, is drawn solid beside the dashed value of all, and the subtitle says what it means."""
    table = checks.metrics("domain=a", "domain=b")
    chart = metric_bars(table, "accuracy", reference=reference, meaning="a coin")
    spec = chart.to_dict()
    low, high = spec["layer"][0]["encoding"]["x"]["scale"]["domain"]

    assert spec["title"]["subtitle"] == f"solid line: a coin ({reference:g})"
    assert spec["description"].endswith(f"The solid line stands for a coin ({reference:g}).")
    assert marks(spec) == [reference]
    assert low < reference < high
    checks.draw(chart, capfd)


@pytest.mark.parametrize(
    ("metric", "shift", "expected"),
    [("effect", -0.75, [0.0]), ("effect", 0.0, []), ("bias_score", 0.0, [0.0]), ("effect", -2.0, [0.0])],
)
def test_a_metric_that_can_be_negative_has_a_line_at_zero(metric: str, shift: float, expected: list[float]) -> None:
    """A value or bound below zero, or a name of a difference, brings the line; all above zero and no such name, none."""
    table = checks.metrics("domain=a", "domain=b", metric=metric)
    table[["value", "low", "high"]] += shift

    assert expected == marks(metric_bars(table, metric).to_dict())


def test_names_of_metrics_are_written_as_people_do() -> None:
    """Acronyms of the field are upper case, other words are not."""
    said = [metric_title(name) for name in ("bpsn_auc", "icat", "lms", "ss", "ppv", "fnr_gap", "weat_effect")]

    assert said == ["BPSN AUC", "ICAT", "LMS", "SS", "PPV", "FNR gap", "WEAT effect"]
    assert metric_title("prefers_more_per_token") == "Prefers the stereotype, per token"


def test_slices_without_a_value_are_counted(capfd: Any) -> None:
    """A NaN value is left out and said; a NaN interval draws the dot alone."""
    table = checks.metrics("domain=a", "domain=b", "domain=c")
    table.loc[1, "value"] = np.nan
    table.loc[2, ["low", "high"]] = np.nan
    spec = metric_bars(table, "accuracy").to_dict()

    assert spec["title"]["subtitle"] == "1 without a value left out"
    assert labels(spec) == ["b", "c"]
    checks.draw(metric_bars(table, "accuracy"), capfd)


def test_of_many_slices_the_largest_are_drawn(capfd: Any) -> None:
    """The title says how many of how many."""
    table = checks.metrics(*(f"word={i:03d}" for i in range(213)))
    spec = metric_bars(table, "accuracy").to_dict()

    assert spec["title"]["subtitle"] == "the 30 largest of 213 slices"
    assert labels(spec)[0] == "000"


def test_only_all_is_drawn_too(capfd: Any) -> None:
    """Without slices the value of all is the one dot; a table of NaN gives an empty picture."""
    checks.draw(metric_bars(checks.metrics(), "accuracy"), capfd)
    checks.draw(metric_bars(checks.metrics().assign(value=np.nan, low=np.nan, high=np.nan), "accuracy"), capfd)


def test_a_slice_name_cannot_leave_its_script_element(capfd: Any) -> None:
    """Column and value with markup stand in no spec as such, and are drawn as text."""
    table = checks.metrics(f"{checks.ATTACK}={checks.ATTACK}", "b=c")
    spec = metric_bars(table, "accuracy")

    assert "<" not in spec.to_json()
    assert checks.draw(spec, capfd).count("&lt;/script&gt;") >= 2


def test_an_unknown_metric_names_those_that_are_there() -> None:
    """The error has the nearest name."""
    with pytest.raises(UsageError, match="Did you mean 'accuracy'"):
        metric_bars(checks.metrics(), "acuracy")


def test_the_order_of_the_table_does_not_matter() -> None:
    """A shuffled table gives the same lines."""
    table = checks.metrics("domain=a", "domain=b", "domain=c")
    again = pd.concat([table.iloc[2:], table.iloc[:2]])

    assert labels(metric_bars(table, "accuracy").to_dict()) == labels(metric_bars(again, "accuracy").to_dict())
