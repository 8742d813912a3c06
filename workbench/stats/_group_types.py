"""What comparisons of groups are made of: `workbench.stats.groups` and its parts share it."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from workbench.errors import UsageError, unknown
from workbench.stats._checks import Floats, Ints
from workbench.stats._intervals import Interval, undefined

__all__ = ["Comparison", "Grouping", "Settings", "alone", "compared"]

Kind = Literal["simultaneous", "percentile"]
SLACK = 1e-12  # a permuted value this close to the observed one counts as equal
FEWEST = 0.5  # share of draws that must have two groups for there to be percentiles


class Grouping(NamedTuple):
    """Groups that are coded already: names `(g,)`, all different, and the place of each row's group among them `(n,)`."""

    names: tuple[str, ...]
    codes: Ints


@dataclass(frozen=True)
class Settings:
    """How groups are compared.

    interval: "simultaneous" allows for having picked the two extremes among all pairs; "percentile" is the plain bootstrap, as
    fairlearn has it, which is biased upwards where groups are alike. bins: of equal mass, for the ECE.
    """

    draws: int = 1000
    seed: int = 0
    level: float = 0.95
    interval: Kind = "simultaneous"
    bins: int = 15

    def __post_init__(self) -> None:
        if self.interval not in ("simultaneous", "percentile"):
            raise unknown("interval", self.interval, ("simultaneous", "percentile"))
        if self.draws < 20:
            raise UsageError(f"draws must be at least 20; it is {self.draws}. Use 1000.")


class Comparison(NamedTuple):
    """A difference or ratio between groups.

    null: what permuted groups stay below in 95 % of draws (a ratio: above); p: their share at least as far apart, (1 + #) /
    (1 + draws); lowest, highest: the groups that make it; groups: how many were compared.
    """

    interval: Interval
    null: float
    p: float
    lowest: str
    highest: str
    groups: int


def alone(n: int, reason: str, names: tuple[str, ...] = ()) -> Comparison:
    """Return the comparison that cannot be made."""
    one = names[0] if names else ""
    return Comparison(undefined(reason, n=n), float("nan"), float("nan"), one, one, len(names))


def compared(
    interval: Interval, null: Floats, ends: tuple[str, str, int], *, level: float, low: bool = False
) -> Comparison:
    """Return the comparison with its null from draws of the permuted statistic; low: small values are far apart (ratios)."""
    known = null[np.isfinite(null)]
    if not len(known) or not np.isfinite(interval.value):
        return Comparison(interval, float("nan"), float("nan"), *ends)
    bound = float(np.quantile(known, 1 - level if low else level))
    sign = -1.0 if low else 1.0
    p = (1 + int((sign * known >= sign * interval.value - SLACK).sum())) / (1 + len(known))
    word = "down to" if low else "up to"
    told = f"{interval.method}; groups permuted: {word} {bound:.3f} by chance, p = {p:.2g}"
    return Comparison(interval._replace(method=told), bound, p, *ends)
