"""The specification curve."""

from typing import Any

import pandas as pd
import pytest
from charts import chart_checks as checks

from workbench.charts.specification import specification_curve
from workbench.errors import DataError

TABLE = pd.DataFrame(
    {
        "bins": [5, 15, 5, 15],
        "scheme": ["width", "width", "mass", "mass"],
        "value": [0.04, 0.06, -0.01, float("nan")],
        "low": [0.01, 0.03, -0.04, float("nan")],
        "high": [0.07, 0.09, 0.02, float("nan")],
        "n": 100,
        "verdict": ["above", "above", "cannot say", "undefined"],
        "base": [False, True, False, False],
    }
)


def test_the_spec_is_the_stored_one() -> None:
    """The spec equals the copy that was looked at."""
    checks.check_reference("specification_curve", specification_curve(TABLE, ["bins", "scheme"], title="ECE"))


@pytest.mark.parametrize("theme", ["light", "dark", "any"])
def test_every_theme_draws_without_a_warning(theme: str, capfd: Any) -> None:
    """Vega-Lite has nothing to say against the spec; every setting has its row."""
    drawn = checks.draw(specification_curve(TABLE, ["bins", "scheme"]), capfd, theme)

    assert all(f">{word}<" in drawn for word in ("5", "15", "width", "mass"))


def test_a_setting_cannot_close_a_script() -> None:
    """A name comes from a person or a file: no `<` of it stands in the spec; many settings are cut and said."""
    evil = TABLE.assign(scheme=checks.ATTACK)
    many = pd.concat([TABLE.assign(bins=at) for at in range(20)])

    assert "<" not in specification_curve(evil, ["scheme"], title=checks.ATTACK).to_json()
    assert "the first 12 of 20" in specification_curve(many, ["bins"]).to_json()
    with pytest.raises(DataError, match=r"column\(s\) low"):
        specification_curve(TABLE.drop(columns="low"), ["bins"])
