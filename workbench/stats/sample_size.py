"""How many examples it takes to see a difference of some size between two models that are asked the same examples.

Pairs are what counts: two models that agree on most examples need far fewer than two that do not. Where rows belong together, the
number of rows is that of independent ones times the design effect of the differences (`workbench.stats.intervals.design_effect`).
"""

import math

from workbench.errors import UsageError
from workbench.stats._intervals import z_quantile

__all__ = ["paired_means", "paired_means_power", "paired_shares", "paired_shares_power"]

MOST = 10**12


def paired_shares(difference: float, discordant: float, *, power: float = 0.8, level: float = 0.05) -> int:
    """Return the pairs that McNemar's test (two-sided) needs to see a difference of two shares (Connor 1987, Biometrics 43:207).

    n = (z(1 - level/2) sqrt(d) + z(power) sqrt(d - difference²))² / difference², with d the share of pairs that differ.

    Args:
        difference: share of a minus that of b, not 0.
        discordant: share of pairs in which only one of the two is a hit, at least |difference|.
        power: how often it is to be seen.
        level: of the test.

    >>> paired_shares(0.1, 0.3)
    234
    """
    _check(difference, power, level)
    if not abs(difference) <= discordant <= 1:
        raise UsageError(
            f"discordant must lie from |difference| = {abs(difference):g} to 1; it is {discordant!r}: two "
            "shares cannot differ by more than the pairs do."
        )
    reach, more = z_quantile(1 - level), _z(power)
    n = (reach * math.sqrt(discordant) + more * math.sqrt(max(0.0, discordant - difference**2))) ** 2 / difference**2
    return min(MOST, math.ceil(n - 1e-9))


def paired_shares_power(difference: float, discordant: float, n: float, *, level: float = 0.05) -> float:
    """Return how often McNemar's test sees a difference of two shares in n pairs: `paired_shares` solved for the power.

    >>> round(paired_shares_power(0.1, 0.3, 234), 2)
    0.8
    """
    from scipy.special import ndtr

    _check(difference, 0.5, level)
    spread = math.sqrt(max(1e-12, discordant - difference**2))
    return float(ndtr((abs(difference) * math.sqrt(n) - z_quantile(1 - level) * math.sqrt(discordant)) / spread))


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
