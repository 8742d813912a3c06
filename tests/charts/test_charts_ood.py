"""Charts of out-of-distribution scores: the histogram and the ROC curves."""

from typing import Any

import pandas as pd
import pytest
from charts import chart_checks as checks

from workbench.charts import ood
from workbench.errors import DataError

BINS = pd.DataFrame(
    {"score": "energy", "lower": [0.0, 1.0] * 2, "upper": [1.0, 2.0] * 2, "kind": ["inside"] * 2 + ["outside"] * 2}
).assign(n=[2, 8, 6, 4], share=[0.2, 0.8, 0.6, 0.4])
CURVES = pd.DataFrame(
    {"score": ["msp"] * 3 + ["knn"] * 3, "kept": [0.0, 0.9, 1.0] * 2, "through": [0.0, 0.2, 1.0, 0.0, 0.4, 1.0]}
)


def test_the_specs_are_the_stored_ones() -> None:
    """Both specs equal the copies that were looked at."""
    checks.check_reference("ood_histogram", ood.score_histogram(BINS, threshold=0.5))
    checks.check_reference("ood_roc", ood.roc_curves(CURVES))


@pytest.mark.parametrize("theme", ["light", "any"])
def test_every_theme_draws_without_a_warning(theme: str, capfd: Any) -> None:
    """Vega-Lite has nothing to say against the specs; n stands in the histogram's subtitle."""
    assert "inside n = 10, outside n = 10" in checks.draw(ood.score_histogram(BINS, threshold=0.5), capfd, theme)
    assert "MSP" in checks.draw(ood.roc_curves(CURVES), capfd, theme)


def test_a_line_beyond_the_bins_is_not_drawn() -> None:
    """Nor is one where no threshold is known."""
    assert 3 == len(ood.score_histogram(BINS, threshold=0.5).to_dict()["layer"])
    assert 2 == len(ood.score_histogram(BINS, threshold=7).to_dict()["layer"])
    assert 2 == len(ood.score_histogram(BINS).to_dict()["layer"])


def test_missing_columns_are_named() -> None:
    """A table of something else is refused with the column."""
    with pytest.raises(DataError, match=r"column\(s\) share"):
        ood.score_histogram(BINS.drop(columns="share"))
    with pytest.raises(DataError, match="A chart of ROC curves"):
        ood.roc_curves(BINS)
