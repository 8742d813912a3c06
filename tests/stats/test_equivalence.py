"""Equivalence and non-inferiority: p-values of t tests, words that follow from the interval, and their level."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from workbench.errors import UsageError
from workbench.stats._intervals import Interval, t_quantile
from workbench.stats.equivalence import equivalence, needed_clusters, noninferiority, unseen


def plain(values: np.ndarray) -> "object":
    """Return the t interval of a mean by level, without any correction."""

    def at(level: float) -> Interval:
        half = t_quantile(level, len(values) - 1) * values.std(ddof=1) / len(values) ** 0.5
        return Interval(values.mean(), values.mean() - half, values.mean() + half, len(values), "t")

    return at


@pytest.mark.parametrize("shift", [-0.3, 0.0, 0.05, 0.2])
def test_p_is_the_larger_of_two_one_sided_t_tests(shift: float) -> None:
    """With plain t intervals the p-values are scipy's, also where the difference lies beyond the margin."""
    values = np.random.default_rng(1).normal(shift, 1.0, 60)
    sides = (
        ttest_1samp(values, -0.25, alternative="greater").pvalue,
        ttest_1samp(values, 0.25, alternative="less").pvalue,
    )

    assert equivalence(plain(values), 0.25).p == pytest.approx(max(sides), rel=1e-6, abs=2e-9)  # type: ignore[arg-type]
    assert noninferiority(plain(values), 0.25).p == pytest.approx(sides[0], rel=1e-6, abs=2e-9)  # type: ignore[arg-type]
    assert noninferiority(plain(values), 0.25, better="lower").p == pytest.approx(sides[1], rel=1e-6, abs=2e-9)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("low", "high", "both", "higher", "lower"),
    [
        (-0.5, 0.5, "equivalent", "not worse", "not worse"),
        (0.1, 0.5, "different, within the margin", "better", "worse, within the margin"),
        (0.1, 1.5, "different", "better", "worse"),
        (1.1, 1.5, "different by more than the margin", "better", "worse by more than the margin"),
        (-1.5, 0.5, "cannot say", "cannot say", "not worse"),
        (float("nan"), float("nan"), "cannot say", "cannot say", "cannot say"),
    ],
)
def test_the_word_follows_from_the_interval(low: float, high: float, both: str, higher: str, lower: str) -> None:
    """With a margin of 1, and an interval that is the same at all levels of use."""

    def at(level: float) -> Interval:
        middle, half = (low + high) / 2, (high - low) / 2 * (level / 0.92 if level < 0.9 else 1)
        return Interval(middle, middle - half, middle + half, 10, "made up")

    assert equivalence(at, 1.0).word == both
    assert noninferiority(at, 1.0).word == higher
    assert noninferiority(at, 1.0, better="lower").word == lower


def test_clusters_that_were_not_seen_bound_p() -> None:
    """Of 15 clusters none is among a tenth with the binomial's probability; from 29 on that is below 5 %, and words follow."""
    from scipy.stats import binom

    def at(level: float) -> Interval:
        return Interval(0.0, -0.05 * level, 0.05 * level, 150, "made up")

    assert binom.pmf(0, 15, 0.1) == pytest.approx(unseen(0.1, 15))
    assert [needed_clusters(m, 0.05) for m in (0.1, 0.05)] == [29, 59]
    assert all(
        binom.pmf(0, needed_clusters(m, 0.05) - 1, m) > 0.05 >= binom.pmf(0, needed_clusters(m, 0.05), m)
        for m in (0.1, 0.02)
    )
    assert [equivalence(at, 0.1, clusters=k).word for k in (28, 29, None)] == ["cannot say", "equivalent", "equivalent"]
    assert equivalence(at, 0.1, clusters=15).p == pytest.approx(0.9**15)
    assert [noninferiority(at, 0.1, clusters=k).word for k in (35, 36)] == ["cannot say", "not worse"]


def test_a_model_that_is_ahead_may_fail_in_more_clusters() -> None:
    """0.2 ahead, a tenth behind is reached where s of all clusters fail with 0.2 (1 - s) - s = -0.1: a quarter."""

    def at(level: float) -> Interval:
        return Interval(0.2, 0.2 - 0.1 * level, 0.2 + 0.1 * level, 150, "made up")

    assert noninferiority(at, 0.1, clusters=15).p == pytest.approx(0.75**15)
    assert noninferiority(at, 0.1, clusters=15).word == noninferiority(at, 0.1, clusters=3).word == "better"
    assert noninferiority(at, 0.1, clusters=3).p == pytest.approx(0.75**3)
    assert noninferiority(at, 0.3, better="lower", clusters=15).p == pytest.approx(0.7**15)


def test_what_cannot_be_asked_is_said() -> None:
    """A margin of 0 asks for what no data can show."""
    at = plain(np.arange(5.0))
    with pytest.raises(UsageError, match="margin must be a number above 0"):
        equivalence(at, 0.0)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="level must lie"):
        equivalence(at, 1.0, level=0.7)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="'higher' or 'lower'"):
        noninferiority(at, 1.0, better="up")  # type: ignore[arg-type]
