"""Sign flips by cluster: by hand, against all ways, against SciPy, and how often chance alone is called an effect."""

import numpy as np
import pytest
from scipy.stats import permutation_test

from workbench.errors import DataError, UsageError
from workbench.stats.sign_flip import sign_flips


def test_three_clusters_by_hand() -> None:
    """All one way: 2 of 8 ways are as far out. One against one: every way is."""
    assert [0.25, 1.0, 1.0] == sign_flips([[1, 1, 0], [2, -1, 0], [3, 0, 0]]).tolist()


def test_the_p_value_equals_scipy() -> None:
    """SciPy's permutation test of paired samples, exact."""
    rng = np.random.default_rng(0)
    sums = rng.normal(0.5, 1, (9, 3))
    oracle = [
        permutation_test((column,), np.sum, permutation_type="samples", n_resamples=np.inf).pvalue for column in sums.T
    ]

    assert oracle == pytest.approx(sign_flips(sums).tolist())


def test_drawn_p_values_are_near_the_exact_ones_and_never_zero() -> None:
    """With fewer draws than ways the observed sums count among the draws."""
    rng = np.random.default_rng(1)
    sums = np.column_stack([rng.normal(0.6, 1, 12), np.full(12, 5.0)])
    drawn = sign_flips(sums, draws=3000)

    assert sign_flips(sums)[0] == pytest.approx(drawn[0], abs=0.03)
    assert 1 / 3001 <= drawn[1] < 0.005


def test_chance_alone_is_called_an_effect_as_often_as_it_says() -> None:
    """Of 2,000 columns without effect, skewed sizes of clusters and all, 5 % are below 0.05."""
    rng = np.random.default_rng(2)
    sums = rng.normal(0, 1, (40, 2000)) * rng.exponential(1, (40, 1))

    assert 0.035 < np.mean(sign_flips(sums, draws=2000) <= 0.05) < 0.065


def test_the_seed_decides_and_bad_tables_are_named() -> None:
    """Same seed, same numbers; NaN and too few draws are refused."""
    sums = np.random.default_rng(3).normal(size=(30, 2))

    assert sign_flips(sums, draws=50, seed=1).tolist() == sign_flips(sums, draws=50, seed=1).tolist()
    with pytest.raises(DataError, match="sums must be finite numbers"):
        sign_flips([[np.nan]])
    with pytest.raises(UsageError, match="draws must be at least 20; it is 3"):
        sign_flips([[1.0]], draws=3)
