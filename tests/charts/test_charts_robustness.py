"""Accuracy elsewhere over accuracy here."""

from typing import Any

import pandas as pd
import pytest
from charts import chart_checks as checks

from workbench.charts.robustness import effective_robustness
from workbench.errors import DataError

MODELS = pd.DataFrame(
    {
        "model": ["one", "two", "three", "new"],
        "inside": [0.6, 0.7, 0.8, 0.8],
        "outside": [0.4, 0.51, 0.64, 0.74],
        "expected": [0.4, 0.51, 0.64, 0.64],
        "value": [0.0, 0.0, 0.0, 0.1],
        "low": [-0.01, -0.02, -0.01, 0.05],
        "high": [0.01, 0.02, 0.01, 0.15],
        "baseline": [True, True, True, False],
    }
)
MODELS = MODELS.assign(
    **{
        f"{side}_{end}": MODELS[side] + by
        for side in ("inside", "outside")
        for end, by in (("low", -0.03), ("high", 0.03))
    }
)
LINE = pd.DataFrame(
    {"inside": [0.5, 0.7, 0.9], "outside": [0.3, 0.51, 0.78], "low": [0.25, 0.48, 0.7], "high": [0.35, 0.54, 0.84]}
)


def test_the_spec_is_the_stored_one() -> None:
    """The spec equals the copy that was looked at."""
    checks.check_reference("effective_robustness", effective_robustness(MODELS, LINE))


@pytest.mark.parametrize("theme", ["light", "dark", "any"])
def test_every_theme_draws_without_a_warning(theme: str, capfd: Any) -> None:
    """Vega-Lite has nothing to say against the spec; models are named, the axes hold accuracies."""
    drawn = checks.draw(effective_robustness(MODELS, LINE), capfd, theme)

    assert all(f">{word}<" in drawn for word in ("one", "new", "0.60", "0.70"))


def test_names_that_meet_stand_below_alone_and_close_no_script(capfd: Any) -> None:
    """Eight models on one spot have at most four names there; no `<` of a name stands in the spec; 0 and 1 are drawn."""
    many = pd.concat([MODELS.iloc[[3]].assign(model=f"{checks.ATTACK} {at}") for at in range(8)])
    ends = MODELS.assign(inside=[0.0, 0.5, 1.0, 1.0], inside_low=[0.0, 0.4, 0.9, 0.9], inside_high=[0.1, 0.6, 1.0, 1.0])
    spec = effective_robustness(many, LINE).to_json()

    assert "<" not in spec
    assert sum(spec.count(f'"align": "{side}"') for side in ("left", "right")) <= 4
    assert ">new<" in checks.draw(effective_robustness(ends, LINE), capfd, "light")
    with pytest.raises(DataError, match="inside_low"):
        effective_robustness(MODELS.drop(columns="inside_low"), LINE)
