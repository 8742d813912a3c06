"""How many pairs a difference needs: published values, exact sums and simulated studies."""

import numpy as np
import pytest
from scipy.stats import binom, ttest_1samp

from workbench.errors import UsageError
from workbench.stats.intervals import design_effect
from workbench.stats.sample_size import paired_means, paired_means_power, paired_shares, paired_shares_power


@pytest.mark.parametrize(("size", "n"), [(0.2, 199), (0.5, 34), (0.8, 15)])
def test_means_need_what_gpower_says(size: float, n: int) -> None:
    """Matched pairs, two-sided 0.05, power 0.8 (Faul et al. 2007, G*Power 3): small, medium and large effects of Cohen."""
    assert paired_means(size, 1.0) == n
    assert paired_means(-3 * size, 3.0) == n
    assert paired_means_power(size, 1.0, n) >= 0.8 > paired_means_power(size, 1.0, n - 1)


@pytest.mark.parametrize(("difference", "discordant"), [(0.1, 0.3), (0.05, 0.2), (-0.2, 0.4), (0.02, 0.1)])
def test_shares_have_the_power_that_was_asked_by_an_exact_sum(difference: float, discordant: float) -> None:
    """Summed over all numbers of pairs that differ, McNemar's test (z², no continuity correction) rejects in 80 %."""
    n = paired_shares(difference, discordant)
    up, power = (discordant + difference) / 2 / discordant, 0.0
    for apart in range(1, n + 1):
        weight = binom.pmf(apart, n, discordant)
        if weight > 1e-12:
            more = np.arange(apart + 1)
            rejected = (2 * more - apart) ** 2 / apart > 1.959964**2
            power += weight * binom.pmf(more, apart, up)[rejected].sum()

    assert power == pytest.approx(0.8, abs=0.03)
    assert paired_shares_power(difference, discordant, n) == pytest.approx(0.8, abs=0.005)


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
