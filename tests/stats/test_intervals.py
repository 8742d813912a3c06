"""Intervals of proportions, means and gaps."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import DataError, UsageError
from workbench.stats import intervals
from workbench.stats._intervals import mean_chance, mean_of

hits = st.lists(st.booleans(), min_size=1, max_size=80)


def test_wilson_by_hand() -> None:
    """8 of 10 at 95 %: (0.8 + 1.92/10 -+ 1.96 sqrt(0.016 + 3.84/400)) / 1.384."""
    low, high = intervals.wilson(8, 10)

    assert pytest.approx((float(low), float(high)), abs=1e-5) == (0.49016, 0.94331)


def test_wilson_equals_scipy() -> None:
    """Bounds are those of scipy for every count."""
    from scipy.stats import binomtest

    for n in (1, 7, 40):
        low, high = intervals.wilson(np.arange(n + 1), n, level=0.9)
        expected = [binomtest(k, n).proportion_ci(0.9, "wilson") for k in range(n + 1)]
        np.testing.assert_allclose(low, [e.low for e in expected], atol=1e-12)
        np.testing.assert_allclose(high, [e.high for e in expected], atol=1e-12)


@given(hits)
def test_proportion_lies_in_its_interval(rows: list[bool]) -> None:
    """0 <= low <= value <= high <= 1, and the interval shrinks with the level."""
    wide, narrow = intervals.proportion(rows, level=0.99), intervals.proportion(rows, level=0.8)

    assert 0 <= wide.low <= narrow.low <= wide.value <= narrow.high <= wide.high <= 1


def test_copies_do_not_narrow_a_clustered_interval() -> None:
    """Ten copies of each row, given as clusters, leave the interval where it was (nearly); without clusters it shrinks."""
    rows = np.random.default_rng(0).random(200) < 0.7
    copied, ids = np.repeat(rows, 10), np.repeat(np.arange(200), 10)
    single, naive = intervals.proportion(rows), intervals.proportion(copied)
    clustered = intervals.proportion(copied, clusters=ids)

    assert clustered.high - clustered.low == pytest.approx(single.high - single.low, rel=0.03)
    assert naive.high - naive.low < 0.4 * (single.high - single.low)


def test_one_row_per_cluster_is_no_cluster() -> None:
    """Clusters of one row change nothing."""
    values = np.random.default_rng(0).random(50)

    assert intervals.mean(values) == intervals.mean(values, clusters=[f"id {i}" for i in range(50)])


def test_the_design_effect_by_hand() -> None:
    """Four pairs of equal rows: 2 rows a pair, and 4/3 for the jackknife over 4 clusters; Student's t with 3 degrees."""
    found = intervals.design_effect([1, 1, 0, 0, 1, 1, 0, 0], clusters=list("aabbccdd"))

    assert found == pytest.approx((8 / 3, 3.182446), abs=1e-6)
    assert intervals.design_effect([1, 0, 1]) == (1.0, intervals.z_quantile(0.95))
    assert intervals.design_effect([1, 0], clusters=["a", "a"])[0] == 2
    assert intervals.design_effect([]).effect == 1


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=80))
def test_wilson_at_the_effective_rows_is_the_clustered_proportion(rows: list[tuple[bool, int]]) -> None:
    """At n / effect rows the quantile gives the interval of `proportion`, and the effect is that of any scale."""
    from workbench.stats._intervals import score_bounds

    hit, clusters = np.array([h for h, _ in rows], float), [c for _, c in rows]
    expected = intervals.proportion(hit, clusters=clusters)
    effect, quantile = intervals.design_effect(hit, clusters=clusters)
    n = len(hit) / effect

    assert effect >= 1 - 1e-9
    assert intervals.design_effect(7 - 3 * hit, clusters=clusters).effect == pytest.approx(effect)
    if not math.isnan(expected.low):
        low, high = score_bounds(np.array(hit.mean() * n), np.array(n), np.array(quantile))
        assert (float(low), float(high)) == pytest.approx(expected[1:3], abs=1e-9)


def test_mean_without_skew_is_student_t() -> None:
    """Symmetric values have the plain t interval of scipy."""
    from scipy.stats import t

    values = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    expected = t.interval(0.95, 4, 3.0, values.std(ddof=1) / math.sqrt(5))

    assert expected == pytest.approx(intervals.mean(values)[1:3])


def test_skewness_moves_the_interval_up() -> None:
    """For values with a long right tail the upper side is the longer one."""
    found = intervals.mean(np.random.default_rng(0).exponential(size=60))

    assert found.high - found.value > 1.1 * (found.value - found.low)


def test_the_long_tails_end_is_halls_and_the_others_is_students() -> None:
    """Hall's cubic of the studentised mean, with scipy's skewness, is Student's quantile at that end; it mirrors."""
    from scipy.stats import skew, t

    values = np.random.default_rng(0).exponential(size=60)
    found, mirrored = intervals.mean(values), intervals.mean(-values)
    error, quantile = values.std(ddof=1) / math.sqrt(60), t.ppf(0.975, 59)
    scale = skew(values) / math.sqrt(60) * (1 + 1 / math.sqrt(60))
    at = (found.value - found.high) / error  # the studentised mean where the truth lies at the upper end

    assert -quantile == pytest.approx(at + scale * at**2 / 3 + scale**2 * at**3 / 27 + scale / 6)
    assert found.low == pytest.approx(found.value - quantile * error)
    assert (-found.high, -found.low) == pytest.approx(mirrored[1:3])


def test_no_interval_of_a_mean_is_boundless() -> None:
    """A single far value, of three to 300: the longer side is three times Student's at most, and grows with the level."""
    for n in (3, 10, 30, 300):
        values = np.r_[np.zeros(n - 1), 1.0] + np.arange(n) * 1e-6
        quantile = intervals.t_quantile(0.95, n - 1)
        at = [intervals.mean(values, level=level) for level in (0.01, 0.5, 0.9, 0.95, 0.99)]
        half = [quantile * values.std(ddof=1) / math.sqrt(n)] * 2
        assert at[3].value - at[3].low == pytest.approx(half[0])
        assert half[1] <= at[3].high - at[3].value <= 3.001 * half[1]
        assert sorted(one.high for one in at) == [one.high for one in at]
        assert sorted((one.low for one in at), reverse=True) == [one.low for one in at]
        assert all(one.low <= one.value <= one.high for one in at)


def test_the_chance_of_a_mean_of_0_is_where_the_interval_leaves_it_out() -> None:
    """Symmetric values: scipy's t test. Skewed ones, either way, and in clusters: the interval of 1 - p ends at 0."""
    from scipy.stats import ttest_1samp

    even = np.r_[np.arange(-9.0, 10), 0.0] + 1.5
    even = np.r_[even, 2 * even.mean() - even]
    assert ttest_1samp(even, 0).pvalue == pytest.approx(mean_chance(even, None), rel=1e-9)
    rng = np.random.default_rng(4)
    for values in (rng.exponential(size=40) - 0.7, 0.7 - rng.exponential(size=40), rng.lognormal(size=25) - 1):
        for codes in (None, np.arange(len(values)) // 3):
            p = mean_chance(values, codes)
            found = mean_of(values, codes, 1 - p)
            assert min(abs(found.low), abs(found.high)) == pytest.approx(0, abs=1e-9)
    assert math.isnan(mean_chance(np.ones(4), None))


def test_skewed_differences_of_mean_0_are_seldom_called_an_effect() -> None:
    """Log-normal differences of 30 clusters, 600 studies: sign flips alone call 9 % an effect, the larger of both p 5 % or so."""
    from workbench.stats.sign_flip import sign_flips

    values = np.random.default_rng(7).lognormal(size=(30, 600)) - math.exp(0.5)
    flips = sign_flips(values, draws=400)
    both = np.fmax(flips, [mean_chance(column, None) for column in values.T])

    assert np.mean(flips <= 0.05) > 0.075
    assert np.mean(both <= 0.05) <= 0.05 + 0.027


def cross_entropy(rng: np.random.Generator, size: int) -> np.ndarray:
    """Return losses of a calibrated model of confidence beta(4, 1.2), whose mean is 0.4576."""
    stated = rng.beta(4, 1.2, size)
    return -np.log(np.clip(np.where(rng.random(size) < stated, stated, 1 - stated), 1e-12, 1))


SHAPES = {
    "exponential": (lambda rng, n: rng.exponential(size=n), 1.0),
    "log-normal": (lambda rng, n: rng.lognormal(size=n), math.exp(0.5)),
    "gamma, shape 1/2": (lambda rng, n: rng.gamma(0.5, size=n), 0.5),
    "Laplace": (lambda rng, n: rng.laplace(size=n), 0.0),
    "normal": (lambda rng, n: rng.normal(size=n), 0.0),
    "cross-entropy": (cross_entropy, 0.457584),  # by quadrature
}


def held(shape: str, n: int, sets: int, clusters: np.ndarray | None = None) -> tuple[float, float]:
    """Return the share of samples whose interval holds the mean, and its width over plain t's (median); clusters share half."""
    draw, truth = SHAPES[shape]
    found, width = [], []
    for seed in range(sets):
        rng = np.random.default_rng([seed, n])
        values = draw(rng, n)
        if clusters is not None:
            values = 0.5 * values + 0.5 * draw(rng, n)[clusters]
        one = intervals.mean(values, clusters=clusters)
        found.append(one.low <= truth <= one.high)
        width.append((one.high - one.low) / (2 * min(one.value - one.low, one.high - one.value)))
    return float(np.mean(found)), float(np.median(width))


@pytest.mark.parametrize("shape", SHAPES)
def test_means_of_twenty_skewed_losses_keep_their_coverage(shape: str) -> None:
    """At least 93 of 100 hold the mean, less three standard errors of 600 samples; at 1.1 (normal) to twice t's width."""
    share, width = held(shape, 20, 600)

    assert share >= 0.93 - 0.03
    assert width <= {"normal": 1.1, "Laplace": 1.1, "exponential": 1.3}.get(shape, 2.001)


@pytest.mark.slow  # 8,000 samples of each shape and size
@pytest.mark.parametrize("shape", SHAPES)
def test_means_of_skewed_losses_keep_their_coverage_at_every_size(shape: str) -> None:
    """At least 93 of 100 hold the mean, 98.5 at most, at 20 to 300 rows; 92 with 20 and 40 clusters."""
    for n in (20, 30, 50, 100, 300):
        assert 0.93 <= held(shape, n, 8000)[0] <= 0.985, n
    for n in (20, 40):
        owners = np.repeat(np.arange(n), 1 + np.arange(n) % 5)
        assert 0.92 <= held(shape, len(owners), 2000, owners)[0] <= 0.985, n


def test_equal_values_have_no_known_spread() -> None:
    """Fewer than two rows, one cluster or equal values: no bounds, and the reason."""
    for found, reason in (
        (intervals.mean([0.3]), "fewer than two rows"),
        (intervals.mean([]), "fewer than two rows"),
        (intervals.mean([0.3] * 9), "all values are equal"),
        (intervals.mean([0.3, 0.4], clusters=["a", "a"]), "one cluster"),
        (intervals.proportion([1, 0], clusters=["a", "a"]), "one cluster"),
        (intervals.proportion([]), "no rows"),
    ):
        assert math.isnan(found.low)
        assert math.isnan(found.high)
        assert reason in found.method


def test_gap_is_open_where_every_row_is_right() -> None:
    """A hundred hits of a hundred at 0.97 do not prove under-confidence: Wilson's lower bound stays in."""
    found = intervals.confidence_gap(np.full(100, 0.97) + np.linspace(-0.01, 0.01, 100), np.ones(100))

    assert found.low < 0 <= found.high


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2, max_size=40))
def test_gap_is_mean_confidence_less_accuracy(rows: list[tuple[float, bool]]) -> None:
    """The value is the difference of both means and lies in its interval."""
    confidence, correct = [c for c, _ in rows], [a for _, a in rows]
    found = intervals.confidence_gap(confidence, correct)

    assert found.value == pytest.approx(float(np.mean(confidence)) - float(np.mean(correct)), abs=1e-12)
    assert found.low - 1e-12 <= found.value <= found.high + 1e-12


def test_wrong_input_is_named() -> None:
    """NaN, levels and clusters of another length."""
    with pytest.raises(DataError, match="values is NaN or infinite in row 1"):
        intervals.mean([1.0, np.nan])
    with pytest.raises(DataError, match=r"one id per row \(2\)"):
        intervals.mean([1.0, 2.0], clusters=["a"])
    with pytest.raises(UsageError, match="between 0 and 1; it is 95"):
        intervals.wilson(1, 2, level=95)
