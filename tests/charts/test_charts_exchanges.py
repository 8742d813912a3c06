"""The heat map of exchanges."""

from typing import Any

import pandas as pd
import pytest
from charts import chart_checks as checks

from workbench.charts.exchanges import exchange_map
from workbench.errors import DataError


def exchanges(*terms: str) -> pd.DataFrame:
    """Return the exchange of each term with each other one; the difference is the distance in the list."""
    lines = [
        {"axis": "faith", "source": one, "term": other, "value": 0.1 * (j - i), "n": 4}
        for i, one in enumerate(terms)
        for j, other in enumerate(terms)
        if one != other
    ]
    return pd.DataFrame(lines)


def test_the_spec_is_the_stored_one() -> None:
    """The spec of three terms equals the copy that was looked at; zero is the middle of the colours."""
    chart = exchange_map(exchanges("Jewish", "Muslim", "Sikh"))
    checks.check_reference("exchange_map", chart)

    assert {"scheme": "blueorange", "domain": [-0.2, 0.2], "domainMid": 0} == chart.to_dict()["encoding"]["color"][
        "scale"
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_theme_draws_without_a_warning(theme: str, capfd: Any) -> None:
    """Each term stands on both sides."""
    drawn = checks.draw(exchange_map(exchanges("Jewish", "Muslim", "Sikh")), capfd, theme)

    assert all(2 == drawn.count(f">{term}<") for term in ("Jewish", "Muslim", "Sikh"))


def test_a_term_cannot_close_the_script(capfd: Any) -> None:
    """A person's own term is drawn as text, and no spec holds its brackets."""
    chart = exchange_map(exchanges(checks.ATTACK, "Muslim", "Sikh"))

    assert "<" not in chart.to_json()
    assert "&lt;/script&gt;" in checks.draw(chart, capfd, "light")


def test_many_terms_are_cut_and_a_wrong_table_is_named() -> None:
    """Thirty on a side, those with the largest differences, and the title says how many cells are missing."""
    chart = exchange_map(exchanges(*(f"t{i:02d}" for i in range(34)))).to_dict()

    assert "exchanges with small differences left out" in chart["title"]["subtitle"]
    with pytest.raises(DataError, match=r"A map of exchanges needs the column\(s\) n"):
        exchange_map(exchanges("a", "b").drop(columns="n"))
