"""Tests of slices against the rest: exact where that is known, permutations elsewhere, and at their level."""

import numpy as np
import pytest
from scipy.stats import fisher_exact, permutation_test, ttest_ind

from workbench.errors import DataError, UsageError
from workbench.stats.held_out import slice_tests
from workbench.stats.slices import slice_p_values


@pytest.mark.parametrize("side", [0, 1, -1])
def test_shares_have_fishers_exact_p(side: int) -> None:
    """Two-sided and one-sided p-values are scipy's, for common and rare hits alike."""
    rng = np.random.default_rng(5)
    for share in (0.5, 0.02, 1.0):
        hits = (rng.random(300) < share).astype(float)
        members = rng.random((300, 4)) < [0.05, 0.2, 0.5, 0.9]
        found = slice_tests(members, hits, direction=[side] * 4).p
        for mine, p in zip(members.T, found, strict=True):
            table = [[hits[mine].sum(), (1 - hits[mine]).sum()], [hits[~mine].sum(), (1 - hits[~mine]).sum()]]
            way = {0: "two-sided", 1: "greater", -1: "less"}[side]
            assert p == pytest.approx(fisher_exact(table, alternative=way)[1], rel=1e-9)


def test_means_agree_with_permutation_and_beyond_it_with_t() -> None:
    """Inside the draws' reach the p-value is that of scipy's permutations; far beyond it is Welch's, within a factor of 10."""
    rng = np.random.default_rng(6)
    inside = rng.random(400) < 0.3
    values = rng.normal(size=400) + 0.25 * inside

    def difference(x: np.ndarray, y: np.ndarray, axis: int = -1) -> np.ndarray:
        return np.asarray(x.mean(axis=axis) - y.mean(axis=axis))

    drawn = permutation_test((values[inside], values[~inside]), difference, n_resamples=4999, vectorized=True, rng=rng)
    assert slice_tests(inside[:, None], values).p[0] == pytest.approx(drawn.pvalue, abs=0.015)

    far = values + 0.4 * inside
    welch = ttest_ind(far[inside], far[~inside], equal_var=False).pvalue
    assert welch < 1e-7
    assert abs(np.log10(slice_tests(inside[:, None], far).p[0] / welch)) < 1.0


@pytest.mark.parametrize("side", [0, 1, -1])
def test_where_spreads_differ_the_p_is_welchs(side: int) -> None:
    """A small slice that spreads wide: p is scipy's Welch test, copies of rows in clusters change nothing, units neither."""
    rng = np.random.default_rng(11)
    inside = np.arange(200) < 12
    values = rng.normal(size=200) * np.where(inside, 4.0, 1.0) + (0.9 if side >= 0 else -0.9) * inside
    way = {0: "two-sided", 1: "greater", -1: "less"}[side]
    welch = ttest_ind(values[inside], values[~inside], equal_var=False, alternative=way).pvalue
    twice, copies = np.repeat(inside, 2)[:, None], {"clusters": np.repeat(np.arange(200), 2)}

    assert slice_tests(inside[:, None], 1e-7 * values, direction=[side]).p[0] == pytest.approx(welch, rel=1e-6)
    assert slice_tests(twice, np.repeat(values, 2), direction=[side], **copies).p[0] == pytest.approx(welch, rel=1e-6)  # type: ignore[arg-type]


def test_equal_means_of_unequal_spread_are_seldom_told_apart() -> None:
    """Twenty rows that spread three times wider than 380: about 5 % of 300 studies; dealing out alone, four of ten."""
    inside, found = np.arange(400) < 20, []
    for study in range(300):
        values = np.random.default_rng([study, 13]).normal(size=400) * np.where(inside, 3.0, 1.0)
        found.append(slice_tests(inside[:, None], values, draws=99, seed=study).p[0] <= 0.05)

    assert 0.02 <= np.mean(found) <= 0.09


def test_one_sided_clustered_p_is_that_of_the_search() -> None:
    """With clusters and a direction the p-value is `slice_p_values`'s, within the noise of the draws."""
    rng = np.random.default_rng(7)
    clusters = np.repeat(np.arange(80), 5)
    hard = np.repeat(rng.normal(size=80), 5)
    loss = (hard + rng.normal(size=400) > 0.5).astype(float)
    members = np.stack([np.repeat(rng.random(80) < 0.4, 5), rng.random(400) < 0.3], axis=1)
    one = slice_tests(members, loss, clusters=clusters, direction=[1, 1]).p
    other = slice_p_values(members, loss, clusters=clusters, draws=1999)

    assert one == pytest.approx(other, abs=0.03)


@pytest.mark.parametrize("kind", ["rows", "clusters", "rare"])
def test_the_level_is_kept(kind: str) -> None:
    """Where nothing differs, about 5 % of slices have p below 0.05, of clusters that agree and of rare errors, too."""
    low = []
    for study in range(60):
        rng = np.random.default_rng([study, 3])
        owners = np.repeat(np.arange(40), 5)
        members = np.repeat(rng.random((40, 12)) < 0.35, 5, axis=0)
        values = np.repeat(rng.normal(size=40), 5) + 0.5 * rng.normal(size=200)
        values = values if kind == "clusters" else rng.normal(size=200) if kind == "rows" else (values > 1.9) * 1.0
        clusters = None if kind == "rows" else owners
        low.append(slice_tests(members, values, clusters=clusters, draws=199, seed=study).p <= 0.05)

    assert 0.01 < np.mean(low) < 0.08 if kind != "rare" else np.mean(low) < 0.08


def test_rows_in_clusters_that_agree_are_not_counted_one_by_one() -> None:
    """Five copies of each row know no more than one."""
    rng = np.random.default_rng(8)
    inside, values = rng.random(60) < 0.5, (rng.random(60) < 0.5).astype(float)
    alone = slice_tests(inside[:, None], values).p[0]
    copied = slice_tests(np.repeat(inside, 5)[:, None], np.repeat(values, 5), clusters=np.repeat(np.arange(60), 5)).p[0]

    assert copied == pytest.approx(alone, abs=0.15)
    assert slice_tests(np.repeat(inside, 5)[:, None], np.repeat(values, 5)).p[0] < copied


def test_a_slice_without_rows_or_rest_has_no_p() -> None:
    """NaN, not 1: nothing was tested."""
    members = np.array([[False, True, True]] * 5 + [[False, True, False]] * 5)
    found = slice_tests(members, [1.0, 0.0] * 5).p

    assert np.isnan(found).tolist() == [True, True, False]


def test_what_does_not_fit_is_said() -> None:
    """Each message says what was expected."""
    with pytest.raises(DataError, match=r"\(rows, slices\) of 2 rows"):
        slice_tests(np.ones(2, bool), [1.0, 0.0])
    with pytest.raises(DataError, match="one number for each of 1 slices"):
        slice_tests(np.ones((2, 1), bool), [1.0, 0.0], direction=[1, 1])
    with pytest.raises(UsageError, match="draws must be at least 99"):
        slice_tests(np.ones((2, 1), bool), [1.0, 0.5], draws=5)
