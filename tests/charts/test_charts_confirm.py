"""The chart of findings in both halves."""

from typing import Any

import pandas as pd
import pytest
from charts import chart_checks as checks

from workbench.charts.confirm import explored_and_confirmed
from workbench.errors import DataError

FINDINGS = pd.DataFrame(
    {
        "slice": ["domain: law", "domain: art", "ids"],
        "status": ["confirmed", "not confirmed", "cannot be tested"],
        "explored": [-0.2, 0.1, float("nan")],
        "explored_low": [-0.3, 0.0, float("nan")],
        "explored_high": [-0.1, 0.2, float("nan")],
        "difference": [-0.15, 0.02, float("nan")],
        "low": [-0.25, -0.08, float("nan")],
        "high": [-0.05, 0.12, float("nan")],
        "n": [120, 80, 0],
    }
)


def test_the_spec_is_the_stored_one() -> None:
    """The spec equals the copy that was looked at."""
    checks.check_reference("explored_and_confirmed", explored_and_confirmed(FINDINGS, "accuracy"))


@pytest.mark.parametrize("theme", ["light", "dark", "any"])
def test_every_theme_draws_without_a_warning(theme: str, capfd: Any) -> None:
    """Vega-Lite has nothing to say against the spec; what has no difference is not drawn."""
    drawn = checks.draw(explored_and_confirmed(FINDINGS, "accuracy"), capfd, theme)

    assert "domain: law" in drawn
    assert ">ids<" not in drawn


def test_a_slice_cannot_close_a_script() -> None:
    """A value of a column comes from a file: no `<` of it stands in the spec."""
    spec = explored_and_confirmed(FINDINGS.assign(slice=[checks.ATTACK, "x", "y"]), "accuracy").to_json()

    assert "<" not in spec
    with pytest.raises(DataError, match=r"column\(s\) low"):
        explored_and_confirmed(FINDINGS.drop(columns="low"), "accuracy")


def test_many_findings_are_cut_and_said() -> None:
    """Beyond 25 the chart names the first."""
    many = pd.concat([FINDINGS.head(1).assign(slice=f"s{at}") for at in range(30)])

    assert explored_and_confirmed(many, "accuracy").to_dict()["title"]["subtitle"][1] == "the first 25 of 30 findings"
