"""Isotonic and histogram maps, and how K classes are mapped with them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.stats._maps import Curve, OneVsRest, fit_histogram, fit_isotonic
from workbench.stats.recalibration import Options, fit


def _softmax(logits: np.ndarray) -> np.ndarray:
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def _draw(seed: int, n: int = 300, classes: int = 4, truth: float = 1.7) -> tuple[np.ndarray, np.ndarray]:
    """Return logits and labels whose best temperature is `truth`, but for noise."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (n, classes))
    return logits, (logits / truth + rng.gumbel(size=logits.shape)).argmax(axis=1)


@given(st.integers(0, 10_000), st.integers(1, 80), st.integers(1, 3))
@settings(max_examples=50, deadline=None)
def test_isotonic_is_scikit_learns(seed: int, n: int, digits: int) -> None:
    """Ties, ends and values in between are mapped as scikit-learn maps them."""
    from sklearn.isotonic import IsotonicRegression

    rng = np.random.default_rng(seed)
    x, hit = rng.random(n).round(digits), rng.integers(0, 2, n).astype(float)
    new = np.concatenate([x, rng.random(40), [0.0, 1.0]])
    peer = IsotonicRegression(out_of_bounds="clip").fit(x, hit)

    assert fit_isotonic(x, hit)(new) == pytest.approx(peer.predict(new), abs=1e-12)


def test_histogram_by_hand() -> None:
    """Hit rates of four bins: two rows, none (its middle stays), one row on the edge, one row at 1."""
    found = fit_histogram(np.array([0.1, 0.2, 0.5, 1.0]), np.array([1.0, 0.0, 0.0, 1.0]), 4, "width")

    assert found.values.tolist() == [0.5, 0.375, 0.0, 1.0]
    assert found(np.array([0.0, 0.3, 0.5, 0.75, 1.0])).tolist() == [0.5, 0.375, 0.0, 1.0, 1.0]


def test_one_against_the_rest_is_a_map_per_class_and_their_share() -> None:
    """Isotonic maps of the columns, fitted one by one, divided by their sum."""
    logits, labels = _draw(6)
    table = _softmax(logits)
    columns = np.stack([fit_isotonic(table[:, k], (labels == k) * 1.0)(table[:, k]) for k in range(4)], axis=1)

    assert fit("isotonic", table, labels).apply(table) == pytest.approx(columns / columns.sum(axis=1, keepdims=True))


def test_top_label_maps_the_largest_and_keeps_the_proportions_of_the_rest() -> None:
    """The largest probability is mapped by its hit rate; the others share what is left as before."""
    logits, labels = _draw(7)
    table = _softmax(logits)
    found = fit("isotonic", table, labels, options=Options(mode="top"))
    after, top = found.apply(table), table.argmax(axis=1)
    rows = np.arange(len(table))
    expected = fit_isotonic(table[rows, top], (top == labels) * 1.0)(table[rows, top])

    assert after[rows, top] == pytest.approx(expected, abs=1e-12)
    others = np.arange(4) != top[:, None]
    shares = np.where(others, table, 0) / (1 - table[rows, top])[:, None]
    assert after[others] == pytest.approx((shares * (1 - expected)[:, None])[others], abs=1e-12)


def test_a_row_whose_classes_all_map_to_zero_is_shared_out() -> None:
    """Maps are divided by their sum; where all say 0 every class has 1/K; a certain top class leaves equal shares."""
    nothing = OneVsRest((Curve(np.array([0.0, 1.0]), np.zeros(2)),) * 3)
    assert nothing(np.array([[0.5, 0.3, 0.2]])).tolist() == [[1 / 3] * 3]

    found = fit("histogram", [[0.4, 0.35, 0.25], [0.9, 0.05, 0.05]], [1, 1], options=Options(bins=3))
    assert found.apply([[0.95, 0.03, 0.02], [0.34, 0.2, 0.46]]).tolist() == [[0.0, 1.0, 0.0], [0.0, 2 / 3, 1 / 3]]
    top = fit("histogram", [[1.0, 0.0, 0.0]] * 4, [0, 0, 0, 1], options=Options(mode="top"))
    assert top.apply([[1.0, 0.0, 0.0]]).tolist() == [[0.75, 0.125, 0.125]]
