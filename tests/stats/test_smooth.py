"""Smooth ECE: by its definition, and its interval."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.stats import smooth
from workbench.stats.calibration import ece

pairs = st.lists(st.tuples(st.floats(0.01, 0.99), st.booleans()), min_size=1, max_size=40)


def by_definition(confidence: np.ndarray, correct: np.ndarray) -> float:
    """Return the fixed point from the reflected kernel itself, without grids or transforms."""
    mesh = (np.arange(4000) + 0.5) / 4000

    def at(width: float) -> float:
        field = np.zeros(len(mesh))
        for image in range(-6, 7):
            for sign in (1, -1):
                distance = mesh[:, None] - (2 * image + sign * confidence)
                field += (np.exp(-((distance / width) ** 2) / 2) @ (confidence - correct)) / width
        return float(np.abs(field).mean() / math.sqrt(2 * math.pi) / len(confidence))

    low, high = 0.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if at(middle) > middle else (low, middle)
    return high


@pytest.mark.parametrize("n", [1, 5, 60])
def test_value_is_that_of_the_definition(n: int) -> None:
    """The discretised value is the fixed point to within the bisection's 2^-10 and the mesh."""
    rng = np.random.default_rng(n)
    confidence = rng.beta(2, 2, n)
    correct = (rng.random(n) < confidence**2).astype(float)

    assert by_definition(confidence, correct) == pytest.approx(smooth.smooth_ece(confidence, correct), abs=2.5e-3)


def test_constant_overconfidence_is_its_gap() -> None:
    """Where every confidence is too high by the same amount the smooth ECE is that gap."""
    confidence = np.tile(np.linspace(0.4, 0.9, 50), 20)
    found = smooth.smooth_ece(confidence, np.zeros(1000))

    assert float(confidence.mean()) == pytest.approx(found, abs=2e-3)


def test_a_small_shift_changes_it_little() -> None:
    """Confidences that cross a bin edge by 1e-6 change the ECE a lot and the smooth ECE hardly."""
    correct = np.tile([1.0, 0.0], 200)
    below, above = np.tile([0.5 - 1e-6, 0.5 + 1e-6], 200), np.full(400, 0.5 + 1e-6)

    assert abs(ece(below, correct, 10) - ece(above, correct, 10)) > 0.4
    assert smooth.smooth_ece(below, correct) == pytest.approx(smooth.smooth_ece(above, correct), abs=1e-3)


@settings(max_examples=25)
@given(pairs)
def test_value_is_bounded_and_in_its_interval(rows: list[tuple[float, bool]]) -> None:
    """0 <= low <= value <= high <= 1."""
    found = smooth.smooth_ece_interval([c for c, _ in rows], [a for _, a in rows], draws=50)

    if len(rows) > 1:
        assert 0 <= found.low <= found.value <= found.high <= 1


def test_order_does_not_matter() -> None:
    """Shuffled rows give the same value and interval."""
    rng = np.random.default_rng(0)
    confidence, correct = rng.random(300), rng.integers(0, 2, 300)
    order = rng.permutation(300)
    first, second = (smooth.smooth_ece_interval(confidence[o], correct[o]) for o in (np.arange(300), order))

    assert first[:3] == pytest.approx(second[:3], abs=1e-9)


def test_copied_rows_need_their_clusters() -> None:
    """With five copies of each row the interval by cluster is about as wide as without copies, the naive one is not."""
    rng = np.random.default_rng(0)
    confidence = rng.beta(4, 1.2, 300)
    correct = (rng.random(300) < confidence**1.3).astype(float)
    copies, ids = np.repeat(np.arange(300), 5), np.repeat(np.arange(300), 5)
    single = smooth.smooth_ece_interval(confidence, correct)
    naive = smooth.smooth_ece_interval(confidence[copies], correct[copies])
    clustered = smooth.smooth_ece_interval(confidence[copies], correct[copies], clusters=ids)

    assert clustered.high - clustered.value == pytest.approx(single.high - single.value, rel=0.1)
    assert naive.high - naive.value < 0.6 * (single.high - single.value)


def test_few_rows_have_no_interval() -> None:
    """One row, or one cluster."""
    assert "fewer than two rows" in smooth.smooth_ece_interval([0.5], [1]).method
    assert "one cluster" in smooth.smooth_ece_interval([0.5, 0.6], [1, 0], clusters=["a", "a"]).method
