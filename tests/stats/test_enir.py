"""ENIR and the path of near isotonic models: by hand, against isotonic regression, and its limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import NotApplicable
from workbench.stats._enir import fit_enir, near_isotonic_path
from workbench.stats._maps import fit_isotonic


def _confidences(seed: int, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    confidence = rng.beta(4, 1.2, n).round(3)
    return confidence, (rng.random(n) < confidence**1.5).astype(int)


def test_near_isotonic_path_by_hand() -> None:
    """3, 0, 1 with weights 1, 1, 2: at penalty 1 the first is 2 and the second 1, the third; then all are 1.25, the mean."""
    first, second = near_isotonic_path(np.array([3.0, 0.0, 1.0]), np.array([1.0, 1.0, 2.0]))

    assert first.values.tolist() == [2.0, 1.0]
    assert first.starts.tolist() == [0, 1]
    assert second.values.tolist() == pytest.approx([1.25])


def test_three_neighbours_that_meet_at_once_are_one_group() -> None:
    """1, 0, 0.5 with weights 1, 1, 2 all are 0.5 at one penalty: the case in which netcal 1.4 loses the third."""
    (only,) = near_isotonic_path(np.array([1.0, 0.0, 0.5]), np.array([1.0, 1.0, 2.0]))

    assert only.values.tolist() == [0.5]


@given(st.integers(0, 10_000), st.integers(2, 200), st.integers(1, 4))
@settings(max_examples=50, deadline=None)
def test_the_near_isotonic_path_ends_at_isotonic_regression(seed: int, n: int, digits: int) -> None:
    """The last model is the isotonic regression, by another algorithm; no model loses a row."""
    rng = np.random.default_rng(seed)
    x, hit = rng.random(n).round(digits), rng.integers(0, 2, n).astype(float)
    points, place, counts = np.unique(x, return_inverse=True, return_counts=True)
    rates = np.bincount(place, weights=hit) / counts
    path = list(near_isotonic_path(rates, counts.astype(float)))
    last = np.repeat(path[-1].values, np.diff(path[-1].starts, append=len(points)))

    assert last == pytest.approx(fit_isotonic(x, hit)(points), abs=1e-9)
    for model in path:
        sums = np.add.reduceat(counts, model.starts)
        assert (model.values * sums).sum() == pytest.approx(hit.sum(), abs=1e-8)  # a drop moves as much down as up


def test_enir_averages_by_bic() -> None:
    """Rates 3/3, 0/3 and 2/6: the models are (2/3, 1/3, 1/3) and (5/12, 5/12, 5/12), weighed by exp(-BIC / 2)."""
    confidence = np.repeat([0.1, 0.2, 0.4], [3, 3, 6])
    hit = np.array([1, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0], dtype=float)
    two = np.exp(10 * np.log(2 / 3) + 2 * np.log(1 / 3) - np.log(12))
    one = np.exp(5 * np.log(5 / 12) + 7 * np.log(7 / 12) - np.log(12) / 2)
    found = fit_enir(confidence, hit)

    assert found.weights == pytest.approx(np.array([two, one]) / (one + two))
    expected = [(two * 2 / 3 + one * 5 / 12) / (one + two), (two / 3 + one * 5 / 12) / (one + two)]
    assert found(np.array([0.0, 0.15])) == pytest.approx(expected[0])
    assert found(np.array([0.16, 0.3, 1.0])) == pytest.approx(expected[1])


def test_enir_lowers_the_nll_of_its_rows() -> None:
    """On 400 over-confident rows."""
    confidence, hit = _confidences(4, 400)
    found = fit_enir(confidence, hit.astype(float))
    own = np.where(hit == 1, found(confidence), 1 - found(confidence))

    assert -np.log(own).mean() < -np.log(np.where(hit == 1, confidence, 1 - confidence)).mean()


def test_enir_is_kept_to_so_many_rows() -> None:
    """More rows than its cap are an outcome with its reason."""
    with pytest.raises(NotApplicable, match=r"kept to 100,000 and these are 100,001\. Use isotonic or bbq"):
        fit_enir(np.full(100_001, 0.5), np.zeros(100_001))
