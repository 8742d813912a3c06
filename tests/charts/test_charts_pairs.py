"""Charts of pairs: the histogram of differences and the scatter."""

from typing import Any

import pandas as pd
import pytest
from charts import chart_checks as checks

from workbench.charts import pairs
from workbench.errors import DataError

BINS = pd.DataFrame({"lower": [-2.0, -1.0, 0.0, 1.0], "upper": [-1.0, 0.0, 1.0, 2.0], "n": [3, 5, 8, 2]})
GRID = pd.DataFrame({"x": [-4.25, -3.75], "y": [-4.25, -3.25], "width": [0.5, 0.5], "n": [7, 2]})


def test_the_specs_are_the_stored_ones() -> None:
    """Both specs equal the copies that were looked at."""
    checks.check_reference("pairs_differences", pairs.difference_histogram(BINS))
    checks.check_reference("pairs_scatter", pairs.pair_scatter(GRID))


@pytest.mark.parametrize("theme", ["light", "dark", "any"])
def test_every_theme_draws_without_a_warning(theme: str, capfd: Any) -> None:
    """Vega-Lite has nothing to say against the specs; n stands in the titles."""
    assert "n = 18" in checks.draw(pairs.difference_histogram(BINS), capfd, theme)
    assert "n = 9" in checks.draw(pairs.pair_scatter(GRID), capfd, theme)


def test_either_side_of_zero_has_its_colour() -> None:
    """Bins below zero are drawn apart from those above, so that the side is seen and not only read."""
    layers = pairs.difference_histogram(BINS).to_dict()["layer"]

    assert ["wb-count", "wb-wrong"] == [layer["mark"]["style"] for layer in layers[:2]]


def test_missing_columns_are_named() -> None:
    """A table of something else is refused with the column."""
    with pytest.raises(DataError, match=r"column\(s\) n"):
        pairs.difference_histogram(BINS.drop(columns="n"))
    with pytest.raises(DataError, match="A scatter of pairs"):
        pairs.pair_scatter(BINS)
