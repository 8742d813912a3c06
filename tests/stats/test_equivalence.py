"""Equivalence and non-inferiority: p-values of t tests, words that follow from the interval, and their level."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from workbench.errors import UsageError
from workbench.stats._intervals import Interval, t_quantile
from workbench.stats.equivalence import equivalence, noninferiority
from workbench.stats.paired import share_difference


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


def test_at_the_margin_two_shares_are_called_equivalent_as_seldom_as_the_level_says() -> None:
    """Two outcomes of 200 rows whose shares differ by just the margin: at most about 5 % of 120 studies."""
    rng = np.random.default_rng(3)
    called = {"both": 0, "one": 0}
    for _ in range(120):
        kind = rng.choice(4, 200, p=[0.6, 0.2, 0.1, 0.1])  # both, a alone, b alone, neither: a is 0.1 above b
        a, b = np.isin(kind, (0, 1)).astype(float), np.isin(kind, (0, 2)).astype(float)
        called["both"] += equivalence(lambda level, a=a, b=b: share_difference(a, b, level=level), 0.1).p <= 0.05  # type: ignore[misc]
        found = noninferiority(lambda level, a=a, b=b: share_difference(b, a, level=level), 0.1, level=0.05)  # type: ignore[misc]
        called["one"] += found.word != "cannot say" and not found.word.startswith("worse")

    assert called["both"] <= 12
    assert 1 <= called["one"] <= 12


def test_what_cannot_be_asked_is_said() -> None:
    """A margin of 0 asks for what no data can show."""
    at = plain(np.arange(5.0))
    with pytest.raises(UsageError, match="margin must be a number above 0"):
        equivalence(at, 0.0)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="level must lie"):
        equivalence(at, 1.0, level=0.7)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="'higher' or 'lower'"):
        noninferiority(at, 1.0, better="up")  # type: ignore[arg-type]
