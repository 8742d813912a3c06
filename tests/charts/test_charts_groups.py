"""Charts of groups: rates side by side, and differences beside their null."""

from typing import Any

import pandas as pd
import pytest
from charts import chart_checks as checks

from workbench.charts import differences_between_groups, how_to_read, rates_side_by_side
from workbench.errors import DataError


def rates(*groups: str) -> pd.DataFrame:
    """Return PPV and FPR of all and of some groups."""
    return pd.concat([checks.metrics(*groups, metric=name) for name in ("ppv", "fpr")], ignore_index=True)


def differences(*attributes: str) -> pd.DataFrame:
    """Return two differences of each attribute; the second has a null band for its bounds."""
    line = {"value": 0.2, "low": 0.1, "high": 0.3, "null": 0.05, "p": 0.001, "lowest": "f", "highest": "m", "n": 900}
    names = {"fpr_difference": "MOVER", "ece_mass_difference": "null band: groups permuted"}
    return pd.DataFrame(
        [{**line, "attribute": one, "metric": name, "method": how} for one in attributes for name, how in names.items()]
    )


def test_the_specs_are_the_stored_ones() -> None:
    """Specs equal the copies that were looked at."""
    checks.check_reference("rates_side_by_side", rates_side_by_side(rates("sex=f", "sex=m"), ["ppv", "fpr"]))
    checks.check_reference("differences_between_groups", differences_between_groups(differences("sex", "race")))


@pytest.mark.parametrize("theme", ["light", "dark", "any"])
def test_every_theme_draws_without_a_warning(theme: str, capfd: Any) -> None:
    """Vega-Lite has nothing to say against either; every group, metric and attribute is written."""
    one = checks.draw(rates_side_by_side(rates("sex=f", "sex=m"), ["ppv", "fpr"]), capfd, theme)
    two = checks.draw(differences_between_groups(differences("sex", "race")), capfd, theme)

    assert all(f">{text}<" in one for text in ("f", "m", "PPV", "FPR"))
    assert all(f">{text}<" in two for text in ("sex", "race", "FPR", "ECE mass"))


def test_a_null_band_has_no_whisker(capfd: Any) -> None:
    """Metrics whose bounds are a null are marked, and the filter of the whiskers leaves them out."""
    spec = differences_between_groups(differences("sex")).to_dict()

    assert [row["banded"] for row in next(iter(spec["datasets"].values()))] == [False, True]
    assert "!datum.banded" in str(spec["layer"][1]["transform"])


def test_names_of_groups_stay_text(capfd: Any) -> None:
    """A group called like a script is drawn, and no spec holds it as it is."""
    chart = rates_side_by_side(rates(f"sex={checks.ATTACK}", "sex=m"), ["ppv", "fpr"])
    hostile = differences("sex").assign(lowest=checks.ATTACK, attribute=checks.ATTACK)
    other = differences_between_groups(hostile)

    assert "</script>" not in chart.to_json() + other.to_json()
    checks.draw(chart, capfd)
    checks.draw(other, capfd)


def test_many_groups_are_cut_and_said() -> None:
    """Of more than twenty groups the largest are drawn."""
    spec = rates_side_by_side(rates(*(f"g={i:02d}" for i in range(25))), ["ppv", "fpr"]).to_dict()

    assert spec["title"]["subtitle"] == "the 20 largest of 25 groups"


def test_nothing_to_draw_is_an_error() -> None:
    """No groups, or no difference with a value: the message says what to do or why."""
    with pytest.raises(DataError, match="Name columns in by="):
        rates_side_by_side(rates(), ["ppv", "fpr"])
    with pytest.raises(DataError, match="fewer than two groups"):
        differences_between_groups(differences("sex").assign(value=float("nan")))


def test_each_chart_says_how_to_read_it() -> None:
    """The sentence is the docstring's."""
    assert "Read along a row" in how_to_read("rates_side_by_side")
    assert "permuted groups" in how_to_read("differences_between_groups")
