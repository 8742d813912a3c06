"""Charts of the shift probe: two histograms in one, distances beside chance, weights about no change."""

from typing import Any

import pandas as pd
import pytest
from charts import chart_checks as checks

from workbench.charts.shift import contributions, distances, weights


def bars() -> pd.DataFrame:
    """Return three bins of two sets."""
    lines = [
        {"set": name, "low": low / 10, "high": (low + 1) / 10, "share": share, "n": int(10 * share)}
        for name, shares in (("reference", (0.6, 0.3, 0.1)), ("new", (0.1, 0.3, 0.6)))
        for low, share in enumerate(shares)
    ]
    return pd.DataFrame(lines)


def test_the_spec_is_the_stored_one() -> None:
    """The histograms equal the copy that was looked at."""
    checks.check_reference("contributions", contributions(bars(), "mmd"))


@pytest.mark.parametrize("theme", ["light", "dark", "any"])
def test_every_theme_draws_without_a_warning(theme: str, capfd: Any) -> None:
    """Vega-Lite has nothing to say; the axis names the test; names of columns and classes are drawn as text."""
    band = checks.metrics(f"column={checks.ATTACK}", metric="ks_distance", method="null band: chance").iloc[1:]
    drawn = checks.draw(contributions(bars(), "c2st"), capfd, theme)
    forest = checks.draw(distances(band), capfd, theme)
    lines = checks.draw(weights(checks.metrics("class=spam", "class=ham", metric="label_weight")), capfd, theme)

    assert "Held-out probability of being new" in drawn
    assert "<script>" not in forest
    assert all(f">{name}<" in lines for name in ("spam", "ham"))


def test_of_many_columns_the_largest_are_drawn() -> None:
    """Thirty of forty distances, the smallest left out."""
    names = [f"column=c{i:02d}" for i in range(40)]
    table = checks.metrics(*names, metric="ks_distance", method="null band: chance")
    spec = distances(table[table["group"] != "all"].assign(value=[i / 40 for i in range(40)])).to_dict()
    drawn = str(spec["datasets"])

    assert "c39" in drawn
    assert "c09" not in drawn
