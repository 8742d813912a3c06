"""The tidy tables and their checks."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import DataError
from workbench.frames import check_metrics, check_rows, example_ids, halves, metrics_frame


def rows(**changes: list) -> pd.DataFrame:
    """Return two good rows, with changes."""
    good = {"example": ["a", "b"], "variant": ["", ""], "group": ["all", "all"], "cluster": ["a", "b"]}
    return pd.DataFrame({**good, "half": ["explore", "explore"], **changes})


def test_good_rows_pass() -> None:
    """Rows that keep the contract come back."""
    assert len(check_rows(rows())) == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"example": ["a", None]}, "Row 1 has no example"),
        ({"example": ["a", "a"]}, "Two rows have example 'a'"),
        ({"half": ["explore", "test"]}, "half must be"),
    ],
)
def test_bad_rows_are_named(changes: dict, message: str) -> None:
    """Each fault names its row."""
    with pytest.raises(DataError, match=message):
        check_rows(rows(**changes))


def test_a_missing_column_is_named() -> None:
    """The columns that are there are listed too."""
    with pytest.raises(DataError, match=r"needs the column\(s\) half; this table has example"):
        check_rows(rows().drop(columns="half"))


def test_a_metric_without_method_is_refused() -> None:
    """No number without its method."""
    with pytest.raises(DataError, match="accuracy"):
        check_metrics(metrics_frame([("accuracy", "all", 0.5, 0.4, 0.6, 10, "")]))  # type: ignore[list-item]


@given(st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=30), st.integers(0, 9), st.randoms())
def test_halves_depend_on_the_cluster_alone(names: list[str], seed: int, random: object) -> None:
    """The same cluster falls on the same side in any order, and half of the clusters are held out."""
    side = dict(zip(names, halves(names, 0.5, seed), strict=True))
    shuffled = list(names)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert [side[name] for name in shuffled] == halves(shuffled, 0.5, seed)
    assert sum(value == "confirm" for value in side.values()) == round(0.5 * len(side))


def test_a_holdout_out_of_range_is_refused() -> None:
    """All rows cannot be held out."""
    with pytest.raises(DataError, match="holdout must be"):
        halves(["a"], 1.0, 0)


def test_ids_depend_on_content_and_count_repeats() -> None:
    """Equal records get a count, others a hash."""
    first, second, third = example_ids([{"a": 1}, {"a": 2}, {"a": 1}])

    assert first != second
    assert third == f"{first}-2"
