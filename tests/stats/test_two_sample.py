"""Two-sample tests by column, by category and by classifier: oracles, level, ties, what is refused."""

from math import comb
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, false_discovery_control, fisher_exact, ks_2samp, kstwo
from sklearn.metrics import roc_auc_score

from workbench.errors import DataError, UsageError
from workbench.stats.significance import benjamini_hochberg, bonferroni
from workbench.stats.two_sample import ClassifierSettings, c2st, chi_squared, ks_columns


def checked_against_scipy(x: np.ndarray, y: np.ndarray) -> None:
    """Assert that distance, p-value and the place of the gap are SciPy's and the definition's."""
    found = ks_columns(x, y)
    for j in range(x.shape[1]):
        a, b = (part[~np.isnan(part)] for part in (x[:, j], y[:, j]))
        oracle = ks_2samp(a, b, method="exact" if len(a) * len(b) <= 10_000 else "asymp")
        assert found.distance[j] == pytest.approx(oracle.statistic, abs=1e-15)
        assert found.p[j] == pytest.approx(oracle.pvalue, rel=3e-3)
        at = found.at[j]
        assert np.mean(a.astype(float) <= at) - np.mean(b.astype(float) <= at) == pytest.approx(found.gap[j], abs=1e-12)


@pytest.mark.parametrize(("n", "m"), [(40, 40), (37, 91), (300, 250)])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_distances_are_scipys(n: int, m: int, kind: Any) -> None:
    """Continuous columns, columns with ties, of one value, of huge values and of the two zeros; NaN is left out."""
    rng = np.random.default_rng(n)
    x, y = rng.normal(size=(n, 21)), rng.normal(0.3, 1, size=(m, 21))
    for part in (x, y):
        part[:, 3:8] = part[:, 3:8].round(1)
        part[:, 8] = 7.0
        part[:, 9] *= 1e30
        part[:, 10] = np.where(rng.random(len(part)) < 0.5, np.where(rng.random(len(part)) < 0.5, 0.0, -0.0), 1.0)
        part[rng.random(len(part)) < 0.2, 11] = np.nan
    found = ks_columns(x.astype(kind), y.astype(kind))

    checked_against_scipy(x.astype(kind), y.astype(kind))
    assert found.n[11] == (~np.isnan(x[:, 11])).sum() < n
    assert found.distance[8] == 0


@pytest.mark.parametrize(("n", "m", "wide"), [(4100, 4100, 21), (4000, 4101, 9), (23_171, 23_172, 2)])
def test_distances_of_many_rows_are_scipys(n: int, m: int, wide: int) -> None:
    """Several blocks, the last not full; values that fit 32 bits and that do not; float32 that ties in the last bits."""
    rng = np.random.default_rng(n)

    checked_against_scipy(*(rng.normal(at, 1, (size, wide)).astype(np.float32) for at, size in ((0, n), (0.02, m))))


def test_values_that_differ_in_the_last_bit_are_told_apart() -> None:
    """Neighbouring floats are no ties: the sets lie wholly apart."""
    low = np.full((50, 2), 1.0, np.float32)
    high = np.nextafter(low, np.float32(2))

    assert [1.0, 1.0] == ks_columns(low, high).distance.tolist()
    assert [1.0] == ks_columns(
        [[1.0000001]], [[-2.0], [-2.0], [1.0]]
    ).distance.tolist()  # the new value is the lower one
    assert [1.0, 1.0] == ks_columns(high[:1], low).distance.tolist()
    assert [1.0, 1.0] == ks_columns(low.astype(float), low.astype(float) * (1 + 1e-15)).distance.tolist()


@pytest.mark.parametrize(("n", "m"), [(1, 2), (3, 3), (8, 8), (5, 40), (100, 100), (30, 333)])
def test_p_values_of_few_rows_are_exact(n: int, m: int) -> None:
    """Against SciPy's exact distribution; sets that lie wholly apart have no p of 0, and the null band ends where p does."""
    from workbench.stats._ks import ks_limit, ks_p

    rng = np.random.default_rng(n)
    x, y = rng.normal(size=(n, 12)), rng.normal(size=(m, 12)) + np.arange(12) / 6
    apart = ks_columns(np.arange(n)[:, None], np.arange(m)[:, None] + n).p[0]
    limit = ks_limit(0.05, n, m)

    for j, found in enumerate(ks_columns(x, y).p):
        assert found == pytest.approx(ks_2samp(x[:, j], y[:, j], method="exact").pvalue, rel=1e-6)
    assert apart == pytest.approx(2 / comb(n + m, n), rel=1e-9)
    above = np.array([limit, min(1, limit + 1 / (n * m))])
    p = ks_p(above, np.full(2, n), np.full(2, m))
    assert p[0] > 0.05
    assert p[1] <= 0.05 or limit == 1


@pytest.mark.parametrize(("n", "m"), [(3, 3), (8, 8), (12, 9)])
def test_a_few_rows_alike_are_not_called_different(n: int, m: int) -> None:
    """4,000 columns without a shift, three to twelve rows: at most 5 % have p <= 0.05 (8.6 % at 8 and 8 by the limit)."""
    rng = np.random.default_rng(4)

    assert (ks_columns(rng.random((n, 4000)), rng.random((m, 4000))).p <= 0.05).mean() <= 0.06


@settings(max_examples=100)
@given(st.data())
def test_any_small_table_is_its_definition(data: st.DataObject) -> None:
    """Few values, many ties, any sizes."""
    values = st.sampled_from([-2.0, -0.0, 0.0, 1e-45, 1.0, 1.0000001, 3e38, -1e300])
    x, y = (np.array(data.draw(st.lists(values, min_size=1, max_size=12)))[:, None] for _ in range(2))

    gaps = [abs(np.mean(x <= value) - np.mean(y <= value)) for value in np.concatenate([x, y])]

    assert ks_columns(x, y).distance[0] == pytest.approx(max(gaps), abs=1e-15)


@pytest.mark.parametrize("size", [4, 60, 100, 130, 700, 2000])
def test_p_values_are_those_of_the_limit_distribution(size: int) -> None:
    """SciPy's kstwo to 0.3 % down to 1e-7, and never smaller beyond."""
    from workbench.stats._ks import _limit_p

    distance = np.arange(1, size) / size
    distance = distance[distance * np.sqrt(size) < 5][:: max(1, size // 60)]
    whole = np.full(len(distance), 2 * size)
    p, oracle = _limit_p(distance, whole, whole), kstwo.sf(distance, size)

    assert p[oracle > 1e-7] == pytest.approx(oracle[oracle > 1e-7], rel=3e-3)
    assert (p >= oracle * 0.997).all()


def test_chi_squared_is_scipys_where_counts_are_large() -> None:
    """Without Yates' correction; categories that nobody has are left out."""
    counts = np.array([[30, 20, 0, 50], [45, 15, 0, 60]])
    oracle = chi2_contingency(counts[:, counts.sum(axis=0) > 0], correction=False)
    found = chi_squared(*counts)

    assert (found.value, found.p) == pytest.approx((oracle.statistic, oracle.pvalue))
    assert (found.exact, found.how) == (False, "limit distribution")


def test_chi_squared_of_few_rows_is_fishers() -> None:
    """Tables of the same margins are drawn: near Fisher's exact p where the two orders of tables agree, and never 0."""
    found = chi_squared([8, 1], [2, 7], draws=20_000)

    assert found.exact
    assert found.p == pytest.approx(fisher_exact([[8, 1], [2, 7]]).pvalue, abs=0.005)
    assert chi_squared([9, 0, 0, 0], [0, 3, 3, 3], draws=99).p == pytest.approx(0.01, abs=0.011)
    assert chi_squared([5], [3]).p == 1


def test_the_classifier_test_is_the_auroc_of_held_out_rows() -> None:
    """scikit-learn's AUROC of the given probabilities; a shift is found, with p at its floor of folds / (1 + draws)."""
    rng = np.random.default_rng(0)
    found = c2st(rng.normal(0, 1, (80, 3)), rng.normal(1, 1, (60, 3)))
    label = np.r_[np.zeros(80), np.ones(60)]

    assert found.test.value == pytest.approx(roc_auc_score(label, np.r_[found.reference, found.new]))
    assert found.accuracy == pytest.approx(((found.reference < 0.5).mean() + (found.new > 0.5).mean()) / 2)
    assert found.test.p == pytest.approx(2 / 1000)
    assert 0.7 < found.accuracy < 1


def test_retrained_draws_agree() -> None:
    """Fitting anew in each draw finds the same shift; without one p is not small."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(0, 1, (30, 2)), rng.normal(1.2, 1, (30, 2))
    chosen = ClassifierSettings(folds=2, draws=24, retrain=True)

    assert c2st(x, y, settings=chosen).test.p == 1 / 25
    assert c2st(x, x[::-1] + 0.0, settings=chosen).test.p > 0.1


def test_a_cross_fitted_classifier_test_keeps_its_level() -> None:
    """100 pairs of sets without a shift: about 5 % are called different (2,000 in the slow test)."""
    rng = np.random.default_rng(2)
    chosen = ClassifierSettings(draws=99)
    found = [c2st(rng.normal(size=(20, 2)), rng.normal(size=(25, 2)), settings=chosen).test.p for _ in range(100)]

    assert np.mean(np.array(found) <= 0.05) < 0.12


@pytest.mark.slow
def test_bonferroni_over_columns_keeps_its_level() -> None:
    """2,000 tables of 12 columns without a shift, correlated: at most 6.3 %; and of chi-squared and C2ST alike."""
    rng = np.random.default_rng(3)
    mix = rng.normal(size=(12, 12))
    hits = np.zeros((2000, 4))
    for trial in range(2000):
        x, y = rng.normal(size=(60, 12)) @ mix, rng.normal(size=(45, 12)) @ mix
        p = ks_columns(x, y).p
        hits[trial, :2] = [bonferroni(p).min(), benjamini_hochberg(p).min()]
        counts = [np.bincount(rng.integers(0, 5, many), minlength=5) for many in (40, 30)]
        hits[trial, 2] = chi_squared(*counts, draws=199).p
        hits[trial, 3] = c2st(x[:, :3], y[:, :3], settings=ClassifierSettings(draws=99)).test.p

    assert ((hits <= 0.05).mean(axis=0) <= 0.063).all()


def test_corrections_are_their_definitions() -> None:
    """Bonferroni by hand, Benjamini-Hochberg against SciPy, with NaN left where it is."""
    p = np.array([0.001, 0.2, 0.03, np.nan, 0.04, 0.9])
    known = ~np.isnan(p)

    assert bonferroni(p).tolist()[:3] == pytest.approx([0.005, 1.0, 0.15])
    assert benjamini_hochberg(p)[known] == pytest.approx(false_discovery_control(p[known]))
    assert np.isnan(benjamini_hochberg(p)[3])
    assert np.isnan(bonferroni(p)[3])
    with pytest.raises(DataError, match="numbers from 0 to 1"):
        bonferroni([2.0])


def test_bad_input_is_named() -> None:
    """Other columns, texts, counts that are none, too few rows for the folds."""
    with pytest.raises(DataError, match="reference has 2 columns and new has 1"):
        ks_columns(np.zeros((3, 2)), np.zeros((3, 1)))
    with pytest.raises(DataError, match="new must be numbers"):
        ks_columns([[1.0]], [["a"]])
    with pytest.raises(DataError, match="reference must be whole numbers"):
        chi_squared([0.5], [1])
    with pytest.raises(DataError, match="Each set needs at least one row"):
        chi_squared([0, 0], [1, 2])
    with pytest.raises(DataError, match="2 folds need at least 4 rows in each set; the smaller has 3"):
        c2st(np.zeros((9, 1)), np.zeros((3, 1)))
    with pytest.raises(UsageError, match="folds must be at least 2"):
        ClassifierSettings(folds=1)
