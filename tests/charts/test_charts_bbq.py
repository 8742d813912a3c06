"""Bias and accuracy of BBQ, side by side."""

from typing import Any

import pandas as pd
import pytest
from charts import chart_checks as checks

from workbench.charts import how_to_read
from workbench.charts.bbq import bias_and_accuracy
from workbench.errors import DataError, UsageError

NAMES = ("bias_ambiguous", "bias_disambiguated", "accuracy_ambiguous", "accuracy_disambiguated")


def table(*groups: str) -> pd.DataFrame:
    """Return the four metrics of all and of the groups named."""
    parts = [checks.metrics(*groups, metric=name).assign(n=90 - at) for at, name in enumerate(NAMES)]
    return pd.concat(parts, ignore_index=True)


def labels(chart: Any) -> list[str]:
    """Return the rows of the first panel, from top to bottom."""
    rows = {
        row["order"]: row["label"] for data in chart.to_dict()["datasets"].values() for row in data if "order" in row
    }
    return [rows[at] for at in sorted(rows)]


def test_the_spec_is_the_stored_one() -> None:
    """It equals the copy that was looked at."""
    checks.check_reference("bias_and_accuracy", bias_and_accuracy(table("category=Age", "category=Religion")))


@pytest.mark.parametrize("theme", ["light", "dark", "any"])
def test_every_theme_draws_without_a_warning(theme: str, capfd: Any) -> None:
    """Vega-Lite has nothing to say against the spec; each dot has its n."""
    drawn = checks.draw(bias_and_accuracy(table("category=Age", "category=Religion")), capfd, theme)

    assert all(
        f">{text}<" in drawn for text in ("Age", "Religion", "all", "90", "89", "88", "87", "Bias score", "Accuracy")
    )


def test_rows_are_sorted_by_the_bias_in_ambiguous_contexts() -> None:
    """The most biased slice comes first, all of them last."""
    found = table("category=a", "category=b")
    found.loc[found["metric"] == "bias_ambiguous", "value"] = [0.2, 0.1, 0.3]

    assert ["b", "a", "all"] == labels(bias_and_accuracy(found))


def test_slices_of_several_columns_keep_their_column() -> None:
    """A name of one column may be that of another, too."""
    assert {"category=Age", "target_group=old", "all"} == set(
        labels(bias_and_accuracy(table("category=Age", "target_group=old")))
    )


def test_one_condition_alone_is_drawn(capfd: Any) -> None:
    """A report of ambiguous questions has no diamonds; of many slices the largest are drawn and the title says so."""
    found = table(*(f"category={i}" for i in range(30)))
    chart = bias_and_accuracy(found[found["metric"].str.endswith("_ambiguous")])

    assert "the 20 largest of 30 slices" in checks.draw(chart, capfd)
    assert 21 == len(labels(chart))


def test_a_name_that_looks_like_markup_is_no_markup(capfd: Any) -> None:
    """No `<` of a name stands in the spec, and the picture shows it."""
    chart = bias_and_accuracy(table(f"category={checks.ATTACK}"))

    assert "<" not in str(chart.to_dict())
    checks.draw(chart, capfd)


def test_other_tables_are_refused() -> None:
    """Missing columns and metrics are named; the chart's reading is known."""
    with pytest.raises(DataError, match=r"column\(s\) method"):
        bias_and_accuracy(table().drop(columns="method"))
    with pytest.raises(UsageError, match="bias_ambiguous"):
        bias_and_accuracy(checks.metrics(metric="accuracy"))
    assert "95 % intervals" in how_to_read("bias_and_accuracy")
