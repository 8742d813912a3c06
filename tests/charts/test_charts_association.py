"""Charts of associations: effect sizes by test, and a tick for each target word."""

from typing import Any

import pandas as pd
import pytest
from charts import chart_checks as checks

from workbench.charts.association import effect_sizes, target_dots


def words(*tests: str, categories: tuple[str, str] = ("flowers", "insects")) -> pd.DataFrame:
    """Return two words a set for each test."""
    lines = [
        {"test": test, "set": name, "category": category, "word": f"secret{i}", "association": 0.1 * i - 0.05}
        for test in tests
        for name, category in zip(("targ1", "targ2"), categories, strict=True)
        for i in range(2)
    ]
    return pd.DataFrame(lines)


def effects(*tests: str) -> pd.DataFrame:
    """Return falling effect sizes of tests."""
    return pd.DataFrame({"test": tests, "effect_size": [1.5 - 0.1 * i for i in range(len(tests))]})


def test_the_spec_is_the_stored_one() -> None:
    """The ticks of two tests equal the copy that was looked at."""
    checks.check_reference("associations", target_dots(words("a", "b"), effects("a", "b")))


@pytest.mark.parametrize("theme", ["light", "dark", "any"])
def test_every_theme_draws_without_a_warning(theme: str, capfd: Any) -> None:
    """Vega-Lite has nothing to say; categories stand beside the rows, of one test without its name; no word is drawn."""
    drawn = checks.draw(target_dots(words("a", "b"), effects("a", "b")), capfd, theme)
    single = checks.draw(target_dots(words("a"), effects("a")), capfd, theme)

    assert all(f">{text}<" in drawn for text in ("a: flowers", "b: insects"))
    assert ">flowers<" in single
    assert "secret" not in drawn


def test_the_largest_effects_are_drawn_and_the_rest_is_said() -> None:
    """Of many tests twelve, in the order of their effects; a test without an effect size comes last."""
    names = [f"t{i:02d}" for i in range(15)]
    table = effects(*names)
    table.loc[0, "effect_size"] = float("nan")
    spec = target_dots(words(*names), table).to_dict()
    labels = {row["label"] for rows in spec["datasets"].values() for row in rows}

    assert "the 12 largest effects of 15 tests" == spec["title"]["subtitle"]
    assert 24 == len(labels)
    assert "t01: flowers" in labels
    assert "t00: flowers" not in labels


def test_effect_sizes_stand_about_the_line_of_no_association(capfd: Any) -> None:
    """A forest plot with a line at 0 and its own sentence; a single test is drawn too."""
    table = checks.metrics("test=a", "test=b", metric="effect_size").query("group != 'all'")
    chart = effect_sizes(table)

    assert "no association (0)" in str(chart.to_dict()["title"]["subtitle"])
    assert "does not show that there is no association" in chart.description
    checks.draw(chart, capfd)
    checks.draw(effect_sizes(checks.metrics(metric="effect_size")), capfd)


def test_names_cannot_close_a_script(capfd: Any) -> None:
    """Categories and tests come from users."""
    table = words(checks.ATTACK, categories=(checks.ATTACK, "b"))
    chart = target_dots(table, effects(checks.ATTACK))

    assert "</script" not in chart.to_json()
    checks.draw(chart, capfd)
