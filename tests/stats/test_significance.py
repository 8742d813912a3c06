"""p-values against closed forms and stored values of R."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import DataError
from workbench.stats.significance import holm, sign_test


def test_holm_equals_rs_p_adjust() -> None:
    """p.adjust(c(0.01, 0.02, 0.03, 0.04, 0.05), "holm") of R 4.3, and an unsorted list."""
    np.testing.assert_allclose([0.05, 0.08, 0.09, 0.09, 0.09], holm([0.01, 0.02, 0.03, 0.04, 0.05]))
    np.testing.assert_allclose([0.8, 0.003, 0.04], holm([0.8, 0.001, 0.02]))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_keeps_order_and_never_lowers(p: list[float]) -> None:
    """Corrected values are at least as large, at most Bonferroni's, in the same order, and the smallest is Bonferroni's."""
    values = np.array(p)
    found = holm(values)

    assert np.all(found >= values)
    assert np.all(found <= np.minimum(values * len(p), 1) + 1e-12)
    assert np.all(np.diff(found[np.argsort(values, kind="stable")]) >= 0)
    assert found.min() == pytest.approx(min(1.0, values.min() * len(p)))


def test_holm_leaves_nan_out() -> None:
    """A p-value that is not known does not make the family larger; one outside [0, 1] is refused."""
    np.testing.assert_allclose([0.02, np.nan, 0.02], holm([0.01, np.nan, 0.02]))
    assert len(holm([])) == 0
    with pytest.raises(DataError, match="from 0 to 1"):
        holm([0.5, 1.2])


def test_the_sign_test_is_the_binomial_test() -> None:
    """2 * P(X <= 2 | 10, 1/2) = 2 * 56 / 1024."""
    assert sign_test([1] * 8 + [0] * 2) == pytest.approx(112 / 1024)
    assert sign_test([1, 0]) == 1.0
    assert np.isnan(sign_test([]))


def test_clusters_of_one_give_the_binomial_test() -> None:
    """With every row its own cluster, turning signs is the binomial test, within the error of the draws."""
    hits = [1] * 26 + [0] * 14
    drawn = sign_test(hits, clusters=list(range(40)), draws=20_000)

    assert drawn == pytest.approx(sign_test(hits), abs=0.01)


def test_copies_are_no_evidence() -> None:
    """Ten copies of six agreeing clusters give the p-value of six rows: 2 / 2^6."""
    assert sign_test([1] * 60, clusters=np.repeat(np.arange(6), 10)) == pytest.approx(2 / 64)


def test_drawn_p_values_count_the_observed_one_and_ignore_order() -> None:
    """No p-value is zero, and neither order nor the names of clusters change it."""
    hits, clusters = np.ones(60), np.arange(60) // 2
    assert sign_test(hits, clusters=clusters, draws=99) == 0.01
    mixed = np.random.default_rng(0).permutation(60)
    some = (np.arange(60) % 3 > 0).astype(float)
    assert sign_test(some, clusters=clusters) == sign_test(some[mixed], clusters=clusters[mixed] + 100)
