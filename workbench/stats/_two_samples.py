"""What every test of two sets gives back, and the check of what goes in."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from workbench.errors import DataError
from workbench.stats._checks import Floats, rows_of

__all__ = ["TwoSample", "checked_sets"]


@dataclass(frozen=True)
class TwoSample:
    """The outcome of a test of two sets of rows.

    `exact` says whether p is right at any size where rows may change places under "no difference"; else it comes from a limit.
    `p_low` and `p_high` bound the error of drawing (95 %), NaN where nothing was drawn; `null` (draws,) are the statistics under
    "no difference", empty where a distribution was looked up. `width` is that of the RBF kernel, NaN where there is none.
    """

    test: str
    statistic: str
    value: float
    p: float
    level: float
    draws: int
    exact: bool
    how: str
    n: int
    m: int
    width: float = float("nan")
    blocks: int = 1
    p_low: float = float("nan")
    p_high: float = float("nan")
    null: Floats = field(default_factory=lambda: np.zeros(0), repr=False, compare=False)

    @property
    def differs(self) -> bool:
        """Whether the sets are called different: p <= level."""
        return self.p <= self.level

    @property
    def band(self) -> tuple[float, float]:
        """Where 95 % of the statistics lie if nothing differs; NaN where none were drawn."""
        if not len(self.null):
            return float("nan"), float("nan")
        low, high = np.quantile(self.null, (0.025, 0.975))
        return float(low), float(high)

    @property
    def method(self) -> str:
        """How p was found, in a few words: statistic, draws, exact or approximate, kernel, blocks, level."""
        return f"{self.statistic}, {self._ways}, level {self.level:g}"

    @property
    def sentence(self) -> str:
        """The finding in one sentence: test, level, statistic, p, draws, exact or approximate, and the rows on each side.

        >>> TwoSample("KS", "D", 0.5, 0.02, 0.05, 0, False, "limit distribution", 40, 30).sentence
        'KS: the sets differ at level 0.05; D = 0.5, p = 0.02 (limit distribution, approximate; 40 reference rows, 30 new).'
        """
        said = "the sets differ" if self.differs else "no difference was found"
        numbers = f"{self.statistic} = {self.value:.3g}, p = {self.p:.2g}"
        rows = f"{self.n:,} reference rows, {self.m:,} new"
        return (
            f"{self.test[:1].upper()}{self.test[1:]}: {said} at level {self.level:g}; {numbers} ({self._ways}; {rows})."
        )

    @property
    def _ways(self) -> str:
        drawn = self.how
        if self.draws:
            drawn = f"{self.draws:,} {'permutations' if self.how == 'permutation' else self.how}"
        parts = [drawn, "exact" if self.exact else "approximate"]
        if self.width == self.width:
            parts.append(f"RBF kernel of width {self.width:.4g}")
        if self.blocks > 1:
            parts.append(f"mean over {self.blocks} random blocks")
        return ", ".join(parts)


def checked_sets(reference: ArrayLike, new: ArrayLike) -> tuple[Floats, Floats]:
    """Return both as tables (n, d) and (m, d) of finite float64, or raise `DataError` that names the rows."""
    found = []
    for name, given in (("reference", reference), ("new", new)):
        try:
            table = np.asarray(given, dtype=np.float64)
        except (TypeError, ValueError):
            raise DataError(f"{name} must be numbers (rows, columns). Convert texts and categories first.") from None
        table = table[:, None] if table.ndim == 1 else table
        if table.ndim != 2 or len(table) < 2 or not table.shape[1]:
            raise DataError(f"{name} must be a table of at least two rows; its shape is {np.shape(given)}.")
        bad = np.asarray(~np.isfinite(table).all(axis=1))
        if bad.any():
            raise DataError(
                f"{name} is NaN or infinite in {rows_of(bad)}. Leave these rows out, and say how many they were."
            )
        found.append(table)
    if found[0].shape[1] != found[1].shape[1]:
        raise DataError(
            f"reference has {found[0].shape[1]} columns and new has {found[1].shape[1]}. Both must have the same ones."
        )
    return found[0], found[1]
