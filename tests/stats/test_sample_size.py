"""How many pairs a difference needs: published values, exact sums and simulated studies."""

import numpy as np
import pytest
from scipy.stats import binom, ttest_1samp

from workbench.errors import UsageError
from workbench.stats.intervals import design_effect
from workbench.stats.paired import mcnemar
from workbench.stats.sample_size import paired_means, paired_means_power, paired_shares, paired_shares_power


@pytest.mark.parametrize(("size", "n"), [(0.2, 199), (0.5, 34), (0.8, 15)])
def test_means_need_what_gpower_says(size: float, n: int) -> None:
    """Matched pairs, two-sided 0.05, power 0.8 (Faul et al. 2007, G*Power 3): small, medium and large effects of Cohen."""
    assert paired_means(size, 1.0) == n
    assert paired_means(-3 * size, 3.0) == n
    assert paired_means_power(size, 1.0, n) >= 0.8 > paired_means_power(size, 1.0, n - 1)


@pytest.mark.parametrize(("difference", "discordant"), [(0.1, 0.3), (0.05, 0.2), (-0.2, 0.4), (0.3, 0.3), (0.02, 0.1)])
def test_shares_have_the_power_that_was_asked_by_an_exact_sum(difference: float, discordant: float) -> None:
    """Summed over all numbers of pairs that differ, the exact test rejects in 80 %; a twentieth of the pairs less is too few."""
    n = paired_shares(difference, discordant)
    up, power = (discordant + difference) / 2 / discordant, 0.0
    for apart in range(1, n + 1):
        weight = binom.pmf(apart, n, discordant)
        if weight > 1e-12:
            more = np.arange(apart + 1)
            rejected = 2 * binom.cdf(np.minimum(more, apart - more), apart, 0.5) <= 0.05
            power += weight * binom.pmf(more, apart, up)[rejected].sum()

    assert 0.8 <= power < 0.81
    assert paired_shares_power(difference, discordant, n) == pytest.approx(power, abs=1e-9)
    assert paired_shares_power(difference, discordant, 0.95 * n) < 0.8


def test_studies_of_the_size_that_is_said_see_the_difference_in_four_of_five() -> None:
    """Simulated pairs and the test that a comparison makes; an approximation beyond 1,000 pairs that differ is as good."""
    n, rng = paired_shares(0.15, 0.3), np.random.default_rng(9)
    seen = []
    for _ in range(600):
        kind = rng.choice(3, n, p=[0.225, 0.075, 0.7])
        seen.append(mcnemar((kind == 0).astype(int), (kind == 1).astype(int)) <= 0.05)

    assert 0.77 <= np.mean(seen) <= 0.86
    many = paired_shares(0.01, 0.2)
    assert many * 0.2 > 1000
    more = rng.binomial(apart := rng.binomial(many, 0.2, 40_000), 0.105 / 0.2)
    rejected = 2 * binom.cdf(np.minimum(more, apart - more), apart, 0.5) <= 0.05
    assert rejected.mean() == pytest.approx(0.8, abs=0.01)


def test_the_design_effect_makes_the_number_hold_for_clusters() -> None:
    """Clusters of 5 differences that agree: with the pairs times the design effect the mean is seen in about 80 % of studies."""
    rng, size = np.random.default_rng(4), 0.3

    def made(rows: int) -> np.ndarray:
        return size + np.repeat(rng.normal(0, 0.7, rows // 5), 5) + rng.normal(0, 0.7, rows)

    pilot = made(5000)
    effect = design_effect(pilot, clusters=np.arange(5000) // 5).effect
    n = int(np.ceil(paired_means(size, pilot.std()) * effect / 5)) * 5
    seen = [ttest_1samp(made(n).reshape(-1, 5).mean(axis=1), 0).pvalue <= 0.05 for _ in range(400)]

    assert effect == pytest.approx(1 + 4 * 0.5, abs=0.3)
    assert 0.72 <= np.mean(seen) <= 0.88


def test_what_cannot_be_needed_is_said() -> None:
    """No number of examples shows a difference of 0, and shares cannot differ by more than the pairs do."""
    with pytest.raises(UsageError, match="other than 0"):
        paired_shares(0.0, 0.3)
    with pytest.raises(UsageError, match="cannot differ by more"):
        paired_shares(0.4, 0.3)
    with pytest.raises(UsageError, match="power must lie"):
        paired_means(0.4, 0.3, power=80)
    with pytest.raises(UsageError, match="deviation must be above 0"):
        paired_means(0.4, 0.0)
