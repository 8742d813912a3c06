"""BBSE: by hand, planted shifts, coverage of its intervals, tables that cannot be inverted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import DataError, UsageError
from workbench.stats.label_shift import bbse

CONFUSED = np.array([[0.8, 0.1, 0.1], [0.15, 0.7, 0.1], [0.05, 0.2, 0.8]])  # predicted given true, by column


def drawn(shares: np.ndarray, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return predicted and true classes of n rows."""
    true = rng.choice(3, n, p=shares)
    return (rng.random((n, 1)) > np.cumsum(CONFUSED, axis=0).T[true]).sum(axis=1), true


def test_two_classes_by_hand() -> None:
    """C = [[.4, .1], [.1, .4]], predictions 7 : 3 in the new rows: w = (5/3, 1/3)."""
    predicted, true = ["a"] * 40 + ["b"] * 10 + ["a"] * 10 + ["b"] * 40, ["a"] * 50 + ["b"] * 50
    found = bbse(predicted, true, ["a"] * 70 + ["b"] * 30)

    assert found.weights == pytest.approx([5 / 3, 1 / 3])
    assert found.share == pytest.approx([5 / 6, 1 / 6])
    assert found.condition == pytest.approx(5 / 3)
    assert (found.classes, found.n, found.m, found.warning) == (("a", "b"), 100, 100, "")


def test_a_planted_shift_is_recovered() -> None:
    """The shares of 20,000 new rows to 0.02, within their bounds; importance weights are not negative."""
    rng = np.random.default_rng(0)
    predicted, true = drawn(np.array([0.4, 0.4, 0.2]), 20_000, rng)
    found = bbse(predicted, true, drawn(np.array([0.1, 0.2, 0.7]), 20_000, rng)[0])

    assert found.share == pytest.approx([0.1, 0.2, 0.7], abs=0.02)
    assert ((found.share_low <= [0.1, 0.2, 0.7]) & (found.share_high >= [0.1, 0.2, 0.7])).all()
    assert found.importance == pytest.approx(np.array([0.1, 0.2, 0.7]) / [0.4, 0.4, 0.2], abs=0.1)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Of 200 data sets some 95 % of the bounds of weights hold the truth."""
    rng = np.random.default_rng(1)
    before, after = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5])
    inside = []
    for seed in range(200):
        found = bbse(*drawn(before, 500, rng), drawn(after, 400, rng)[0], draws=200, seed=seed)
        inside.append((found.low <= after / before) & (after / before <= found.high))

    assert 0.92 < np.mean(inside) < 0.98


def test_bounds_of_a_rare_class_hold_the_truth() -> None:
    """A class of 2 % of 50 new rows, a classifier that is nearly always right: no certainty from a count of 0 (once 72 %)."""
    rng = np.random.default_rng(6)
    before, after = np.array([0.9, 0.1]), np.array([0.98, 0.02])
    inside, width = [], []
    for seed in range(150):
        rows = [rng.choice(2, many, p=shares) for many, shares in ((200, before), (50, after))]
        old, new = (np.where(rng.random(len(true)) < 0.99, true, 1 - true) for true in rows)
        found = bbse(old, rows[0], new, draws=200, seed=seed)
        inside.append((found.low <= after / before) & (after / before <= found.high))
        width.append(found.high - found.low)

    assert np.mean(inside, axis=0).min() > 0.9
    assert np.min(width) > 0.01


def test_a_table_that_confuses_classes_warns() -> None:
    """A model that answers at random cannot tell shares, and one that never predicts a class has an infinite condition."""
    rng = np.random.default_rng(2)
    true, guessed = rng.integers(0, 2, 200), rng.integers(0, 2, 200)
    random, never = bbse(guessed, true, guessed), bbse(np.zeros(200, int), true, np.zeros(50, int))

    assert "condition number of" in random.warning
    assert "above 14.1 (the square root of 200 reference rows)" in random.warning
    assert "infinite" in never.warning
    assert random.high[0] - random.low[0] > 1


@settings(max_examples=25)
@given(st.integers(2, 6), st.integers(0, 99))
def test_without_a_shift_weights_are_one(k: int, seed: int) -> None:
    """The same rows on both sides: w = 1 for every class, whatever the model confuses, and shares sum to 1."""
    rng = np.random.default_rng(seed)
    true = np.r_[np.arange(k), rng.integers(0, k, 200)]
    predicted = np.where(rng.random(len(true)) < 0.7, true, rng.integers(0, k, len(true)))
    found = bbse(predicted, true, predicted, draws=20)

    assert found.weights == pytest.approx(np.ones(k), abs=1e-6)
    assert found.share.sum() == pytest.approx(1)


def test_bad_input_is_named() -> None:
    """A class without labelled rows, lists of other lengths, nothing at all."""
    with pytest.raises(DataError, match=r"The class\(es\) c are predicted but no reference row has them"):
        bbse(["a", "b"], ["a", "b"], ["c"])
    with pytest.raises(DataError, match="predicted has 1 rows and true has 2"):
        bbse(["a"], ["a", "b"], ["a"])
    with pytest.raises(DataError, match="one of them has none"):
        bbse(["a"], ["a"], [])
    with pytest.raises(UsageError, match="draws must be at least 20"):
        bbse(["a"], ["a"], ["a"], draws=1)
