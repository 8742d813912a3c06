"""How many examples it takes to see a difference of some size between two models that are asked the same examples.

Pairs are what counts: two models that agree on most examples need far fewer than two that do not. Where rows belong together, the
number of rows is that of independent ones times the design effect of the differences (`workbench.stats.intervals.design_effect`).
"""

import math

import numpy as np

from workbench.errors import UsageError
from workbench.stats._intervals import z_quantile

__all__ = ["paired_means", "paired_means_power", "paired_shares", "paired_shares_power"]

MOST = 10**12
MOST_SUMMED = 1_000  # pairs that differ, over which the exact test's power is summed


def paired_shares(difference: float, discordant: float, *, power: float = 0.8, level: float = 0.05) -> int:
    """Return the pairs that McNemar's exact test (two-sided) needs to see a difference of two shares: that of `workbench.compare`.

    Where more than 1,000 pairs differ, by Connor's formula (1987, Biometrics 43:207) with a correction of one pair:
    |difference| sqrt(n) - 1/sqrt(n) = z(1 - level/2) sqrt(d) + z(power) sqrt(d - difference²), d the share of pairs that differ.
    Without it the formula is of a test that rejects more often, and falls short by 4 % to 10 % of the pairs.

    Args:
        difference: share of a minus that of b, not 0.
        discordant: share of pairs in which only one of the two is a hit, at least |difference|.
        power: how often it is to be seen.
        level: of the test.

    >>> paired_shares(0.1, 0.3)
    249
    """
    _check(difference, power, level)
    _check_discordant(difference, discordant)
    reach, more = z_quantile(1 - level), _z(power)
    root = max(0.0, reach * math.sqrt(discordant) + more * math.sqrt(max(0.0, discordant - difference**2)))
    size = abs(difference)
    high = math.ceil(((root + math.sqrt(root**2 + 4 * size)) / (2 * size)) ** 2)
    if high * discordant > MOST_SUMMED:
        return min(MOST, high)
    low = 0
    while paired_shares_power(difference, discordant, high, level=level) < power:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        enough = paired_shares_power(difference, discordant, middle, level=level) >= power
        low, high = (low, middle) if enough else (middle, high)
    return high


def paired_shares_power(difference: float, discordant: float, n: float, *, level: float = 0.05) -> float:
    """Return how often McNemar's exact test (two-sided) sees a difference of two shares in n pairs.

    Summed over how many pairs may differ, up to 1,000 of them; beyond, by the normal law with a correction of one pair.

    >>> round(paired_shares_power(0.1, 0.3, 249), 2)
    0.8
    """
    from scipy.special import ndtr
    from scipy.stats import binom

    _check(difference, 0.5, level)
    _check_discordant(difference, discordant)
    size = abs(difference)
    if n * discordant > MOST_SUMMED:
        spread = math.sqrt(max(1e-12, discordant - size**2))
        return float(
            ndtr((size * math.sqrt(n) - 1 / math.sqrt(n) - z_quantile(1 - level) * math.sqrt(discordant)) / spread)
        )
    middle, reach = n * discordant, 8 * math.sqrt(n * discordant) + 8
    apart = np.arange(max(0, math.floor(middle - reach)), min(math.floor(n), math.ceil(middle + reach)) + 1)
    few = binom.ppf(level / 2, apart, 0.5)
    few -= binom.cdf(few, apart, 0.5) > level / 2  # so many on the rarer side still reject, -1 for none
    up = (discordant + size) / 2 / discordant
    seen = binom.cdf(few, apart, 1 - up) + binom.cdf(few, apart, up)
    return float((binom.pmf(apart, math.floor(n), discordant) * np.where(few < 0, 0.0, seen)).sum())


def _check_discordant(difference: float, discordant: float) -> None:
    if not abs(difference) <= discordant <= 1:
        raise UsageError(
            f"discordant must lie from |difference| = {abs(difference):g} to 1; it is {discordant!r}: two "
            "shares cannot differ by more than the pairs do."
        )


def paired_means(difference: float, deviation: float, *, power: float = 0.8, level: float = 0.05) -> int:
    """Return the pairs that the paired t test (two-sided) needs: by the noncentral t distribution, at least 2.

    Args:
        difference: mean of a minus mean of b, not 0.
        deviation: standard deviation of the row-wise differences, above 0.
        power: how often it is to be seen.
        level: of the test.

    >>> paired_means(0.5, 1.0), paired_means(0.2, 1.0)
    (34, 199)
    """
    _check(difference, power, level)
    if not 0 < deviation < math.inf:
        raise UsageError(f"deviation must be above 0; it is {deviation!r}.")
    size = abs(difference) / deviation
    rough = ((z_quantile(1 - level) + _z(power)) / size) ** 2
    if rough > 5000:
        return min(MOST, math.ceil(rough))
    n = max(2, math.floor(rough))
    while paired_means_power(difference, deviation, n, level=level) < power:
        n += 1
    return n


def paired_means_power(difference: float, deviation: float, n: int, *, level: float = 0.05) -> float:
    """Return how often the paired t test sees a difference of means in n pairs.

    >>> round(paired_means_power(0.5, 1.0, 34), 3)
    0.808
    """
    from scipy.special import stdtrit
    from scipy.stats import nct

    limit, shift = float(stdtrit(n - 1, 1 - level / 2)), abs(difference) / deviation * math.sqrt(n)
    return float(nct.sf(limit, n - 1, shift) + nct.cdf(-limit, n - 1, shift))


def _z(power: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(power))


def _check(difference: float, power: float, level: float) -> None:
    if not (isinstance(difference, (int, float)) and math.isfinite(difference) and difference != 0):
        raise UsageError(
            f"difference must be a number other than 0; it is {difference!r}: no number of examples shows none."
        )
    for name, value in (("power", power), ("level", level)):
        if not 0 < value < 1:
            raise UsageError(f"{name} must lie between 0 and 1; it is {value!r}.")
