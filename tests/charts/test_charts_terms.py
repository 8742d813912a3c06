"""The map of target terms."""

from typing import Any

import pandas as pd
import pytest
from charts import chart_checks as checks

from workbench.charts.terms import term_map
from workbench.errors import DataError

TERMS = pd.DataFrame({"target": ["nurse", "boss"], "n": [26, 12], "lms": [0.9, 0.7], "ss": [0.6, 0.45]})


def test_the_spec_is_the_stored_one() -> None:
    """The spec equals the copy that was looked at."""
    checks.check_reference("term_map", term_map(TERMS, "intrasentence"))


@pytest.mark.parametrize("theme", ["light", "dark", "any"])
def test_every_theme_draws_without_a_warning(theme: str, capfd: Any) -> None:
    """Vega-Lite has nothing to say against the spec."""
    assert "2 target terms, intrasentence" in checks.draw(term_map(TERMS, "intrasentence"), capfd, theme)


def test_a_term_cannot_close_a_script() -> None:
    """A target term comes from a file: no `<` of it stands in the spec."""
    spec = term_map(TERMS.assign(target=[checks.ATTACK, "x"])).to_json()

    assert "<" not in spec
    with pytest.raises(DataError, match=r"column\(s\) lms"):
        term_map(TERMS.drop(columns="lms"))
