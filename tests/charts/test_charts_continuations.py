"""The chart of scores by group beside the scorer's own bias."""

from typing import Any

import pandas as pd
import pytest
from charts import chart_checks as checks

from workbench.charts.continuations import scores_by_group
from workbench.errors import DataError


def table(*groups: str, part: str = "all") -> pd.DataFrame:
    """Return lines of three sources for each group."""
    lines = []
    for i, group in enumerate(groups):
        line = {"scorer": "sentiment", "part": part, "group": group, "method": "made"}
        value = 0.1 * (i + 1)
        lines += [
            {**line, "source": "continuations", "value": value, "low": value - 0.15, "high": value + 0.1, "n": 40 - i},
            {**line, "source": "prompts alone", "value": 0.05, "low": 0.0, "high": 0.1, "n": 40},
            {**line, "source": "name in templates", "value": 0.0, "low": None, "high": None, "n": 8},
        ]
    return pd.DataFrame(lines).astype({"low": float, "high": float})


def test_the_spec_is_the_stored_one() -> None:
    """Specs of one part and of two equal the copies that were looked at."""
    checks.check_reference("scores_by_group", scores_by_group(table("actors", "actresses")))
    two = pd.concat([table("actors", "actresses", part="domain=gender"), table("a", "b", part="domain=race")])
    checks.check_reference("scores_by_group_two", scores_by_group(two))


@pytest.mark.parametrize("theme", ["light", "dark", "any"])
def test_every_theme_draws_without_a_warning(theme: str, capfd: Any) -> None:
    """Vega-Lite has nothing to say against the spec; groups, n and the key to the marks are there."""
    drawn = checks.draw(scores_by_group(table("actors", "actresses")), capfd, theme)

    assert all(f">{text}<" in drawn for text in ("actors", "actresses", "40", "39", "n", "Mean score"))
    assert "diamond: prompts alone" in drawn


def test_groups_without_scores_and_without_intervals_are_drawn_as_far_as_they_go(capfd: Any) -> None:
    """No line where there is no interval, no row where there is no value."""
    some = table("a", "b")
    some.loc[some["group"] == "a", ["low", "high"]] = float("nan")
    some.loc[some["group"] == "b", "value"] = float("nan")
    drawn = checks.draw(scores_by_group(some), capfd)

    assert ">a<" in drawn
    assert ">b<" not in drawn


def test_of_many_groups_the_largest_are_drawn() -> None:
    """Thirty of forty, and the title says so."""
    spec = scores_by_group(table(*(f"group {i}" for i in range(40)))).to_dict()

    assert "the 30 largest of 40 groups" in spec["title"]["subtitle"]


def test_a_name_cannot_open_a_tag() -> None:
    """No `<` of a group's name stands in the spec."""
    import json

    assert "<" not in json.dumps(scores_by_group(table(checks.ATTACK, "b")).to_dict())


def test_a_table_without_the_columns_says_what_to_do() -> None:
    """The remedy names the table of the report."""
    with pytest.raises(DataError, match=r"report.tables\['scorer_bias'\]"):
        scores_by_group(table("a").drop(columns="source"))
