"""The worst of several groups: by hand, and how often its interval holds the worst truth."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import DataError
from workbench.stats.intervals import proportion, wilson
from workbench.stats.worst_group import worst_group


def test_three_groups_by_hand() -> None:
    """`low` is the lowest plain Wilson bound, `high` the lowest upper bound at 1 - 0.05/3."""
    hits, sizes = np.array([40, 30, 18]), np.array([50, 50, 40])
    groups = np.repeat(["a", "b", "c"], sizes)
    values = np.concatenate([np.arange(n) < hit for hit, n in zip(hits, sizes, strict=True)]).astype(float)
    found = worst_group(groups, values)

    assert ("c", 0.45, 40, 3, 0) == (
        found.group,
        found.interval.value,
        found.interval.n,
        found.groups,
        found.small,
    )
    assert wilson(hits, sizes).low.min() == pytest.approx(found.interval.low)
    assert wilson(hits, sizes, level=1 - 0.05 / 3).high.min() == pytest.approx(found.interval.high)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_the_highest_loss_is_the_lowest_of_its_opposite(seed: int, numbers: bool) -> None:
    """Turning the values round turns the interval round."""
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 4, 200).astype(str)
    values = rng.random(200) if numbers else (rng.random(200) < 0.6) * 1.0
    low, high = worst_group(groups, values), worst_group(groups, 1 - values, highest=True)

    assert low.group == high.group
    assert (1 - high.interval.high, 1 - high.interval.low) == pytest.approx((low.interval.low, low.interval.high))


def coverage(chances: Any, sizes: int, trials: int, *, naive: bool = False) -> float:
    """Return how often the interval holds the lowest true chance; naive: the chosen group's own interval."""
    groups = np.repeat(np.arange(len(chances)), sizes)
    held = 0
    for seed in range(trials):
        values = (np.random.default_rng(seed).random(len(groups)) < np.repeat(chances, sizes)) * 1.0
        found = worst_group(groups.astype(str), values)
        one = proportion(values[groups == int(found.group)]) if naive else found.interval
        held += one.low <= min(chances) <= one.high
    return held / trials


@pytest.mark.parametrize("chances", [np.full(20, 0.8), np.linspace(0.6, 0.95, 8), np.array([0.5, 0.9, 0.9])])
def test_the_interval_holds_the_lowest_truth(chances: Any) -> None:
    """At least 95 of 100 less the Monte-Carlo error, for groups alike, near and far."""
    assert coverage(chances, 60, 120) >= 0.95 - 2.5 * np.sqrt(0.05 * 0.95 / 120)


def test_the_own_interval_of_the_chosen_group_does_not() -> None:
    """The check above can fail: of 20 groups alike the worst one's plain interval misses often."""
    assert coverage(np.full(20, 0.8), 60, 60, naive=True) < 0.75


def test_small_groups_and_blanks_are_left_out_and_counted() -> None:
    """A group of 5 is not the worst for its luck; two clusters of 40 rows are small as well; a blank is no group."""
    groups = np.array(["a"] * 40 + ["b"] * 40 + ["c"] * 5 + [""] * 5)
    values = np.array([1.0] * 50 + [0.0] * 40)
    found = worst_group(groups, values)
    owner = np.concatenate([np.arange(40), 40 + np.arange(40) // 20, 50 + np.arange(10)])
    few = worst_group(groups, values, clusters=owner)

    assert ("b", 2, 1) == (found.group, found.groups, found.small)
    assert ("a", 1, 2) == (few.group, few.groups, few.small)
    assert "no interval: no group with 20" in worst_group(["a"], [1.0]).interval.method
    with pytest.raises(DataError, match="groups has 1 rows and values has 2"):
        worst_group(["a"], [1.0, 0.0])
