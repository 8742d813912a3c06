"""What differs between a frozen table of metrics and the one that was made again."""

import numpy as np
import pandas as pd
import pytest

from workbench.audit._differ import distance, metrics_side_by_side
from workbench.audit._replay_text import _bound
from workbench.frames import Metric, metrics_frame


@pytest.mark.parametrize(
    ("frozen", "now", "verdict"),
    [
        ((0.5, 0.4, 0.6, 10), (0.50005, 0.4, 0.6, 10), "reproduced"),
        ((0.5, 0.4, 0.6, 10), (0.55, 0.4, 0.6, 10), "differs, within its interval"),
        ((0.5, 0.4, 0.6, 10), (0.7, 0.6, 0.8, 10), "differs"),
        ((0.5, 0.4, 0.6, 10), (0.5, 0.4, 0.6, 11), "differs"),
        ((0.5, np.nan, np.nan, 10), (0.5, np.nan, np.nan, 10), "reproduced"),
        ((0.5, np.nan, np.nan, 10), (0.6, np.nan, np.nan, 10), "differs"),
        ((np.nan, np.nan, np.nan, 0), (0.5, 0.1, 0.9, 0), "differs"),
        ((3000.0, 1.0, 4000.0, 10), (3000.2, 1.0, 4000.0, 10), "reproduced"),  # relative to numbers above 1
    ],
)
def test_the_verdict_of_a_metric(
    frozen: tuple[float, float, float, int], now: tuple[float, float, float, int], verdict: str
) -> None:
    """Within the tolerance, within the old interval, or neither."""
    one, two = (metrics_frame([Metric("m", "all", *numbers, "by hand")]) for numbers in (frozen, now))

    table = metrics_side_by_side(one, two, 1e-4)
    assert [verdict] == table["verdict"].tolist()
    if now == (0.7, 0.6, 0.8, 10):
        assert "" == _bound(table.iloc[0].to_dict())  # the value itself moved as far as any bound


def test_a_bound_that_moved_further_than_its_value_is_named() -> None:
    """A null band may move where the value stays: the line shows which number it was."""
    one, two = (metrics_frame([Metric("m", "all", 0.5, 0.0, high, 9, "by hand")]) for high in (0.6, 0.61))

    assert ", its high 0.6 -> 0.61" == _bound(metrics_side_by_side(one, two, 1e-4).iloc[0].to_dict())


@pytest.mark.parametrize(
    ("now", "method", "verdict"),
    [
        ((0.5, 0.0, 0.62), "null band: 95 % lie below high", "reproduced, a drawn bound moved"),
        ((0.5, 0.0, 0.64), "null band: 95 % lie below high", "differs, within its interval"),
        ((0.501, 0.0, 0.62), "null band: 95 % lie below high", "differs, within its interval"),
        ((0.5, 0.0, 0.62), "Wilson, 95%", "differs, within its interval"),
    ],
)
def test_a_bound_of_draws_may_move_by_a_draw(now: tuple[float, float, float], method: str, verdict: str) -> None:
    """By a twentieth of the distance of the bounds, where the value stays; a bound by a formula may not."""
    one, two = (metrics_frame([Metric("ece", "all", *numbers, 9, method)]) for numbers in ((0.5, 0.0, 0.6), now))

    assert [verdict] == metrics_side_by_side(one, two, 1e-4)["verdict"].tolist()


def test_metrics_that_are_gone_or_new_are_said() -> None:
    """Each side's own lines are kept."""
    one, two = (metrics_frame([Metric(name, "all", 1.0, 0.0, 2.0, 3, "by hand")]) for name in "ab")

    assert {"a": "gone", "b": "new"} == dict(
        metrics_side_by_side(one, two, 1e-4)[["metric", "verdict"]].values.tolist()
    )
    assert distance(1.0, float("inf")) == float("inf")


def test_metrics_with_further_columns_are_paired_by_them() -> None:
    """Missing values of an index column pair with each other, whatever pandas calls them."""
    one = metrics_frame([Metric("m", "all", value, 0.0, 2.0, 3, "by hand") for value in (1.0, 2.0, 3.0)])
    one["severity"] = pd.Series([1, 2, None], dtype="Int64")
    two = one.iloc[::-1].reset_index(drop=True)

    assert ["reproduced"] * 3 == metrics_side_by_side(one, two, 1e-9)["verdict"].tolist()
