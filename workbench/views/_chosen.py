"""What is selected in one report: its brushes, the rows of `select(ids)`, where its line stands, and the rows that pass.

No page and no link here: the explorer tells it what was brushed, and what the other reports allow.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workbench.views import _fields, _temperature
from workbench.views._cut import Job
from workbench.views._lens import Lens
from workbench.views._link import Part
from workbench.views._messages import Brush
from workbench.views._rule import words_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PYTHON", "Chosen"]

PYTHON = "kernel"  # the origin of a selection that was made in Python
Mask = NDArray[np.bool_]


class Chosen:
    """The brushes of a report and the rows (n,) that pass them; whoever uses it holds the explorer's lock."""

    def __init__(
        self, rows: "pd.DataFrame", lens: Lens, *, line: float | None = None, temperature: float = 1.0
    ) -> None:
        self._fields = lens.fields
        self.heat = _temperature.Heat(rows, lens.fields, lens.value)
        self.mask: Mask | None = None
        # rows that pass the own brushes; and those that the other reports allow as well
        self.own = self.rows = np.ones(len(rows), dtype=bool)
        heated = not lens.why_not and _temperature.LOWEST <= temperature <= _temperature.HIGHEST
        self.brush = self.nothing(0)._replace(cut=line, temperature=temperature if heated else 1.0)

    def nothing(self, serial: int) -> Brush:
        """Return the state in which nothing is brushed."""
        return Brush.none(serial, len(self._fields), PYTHON)

    @property
    def part(self) -> Part:
        """The brushes, and the rows of `select(ids)`."""
        return Part(self.brush, self.mask)

    def only(self, mask: Mask | None) -> Part:
        """Return the part without a brush, with a mask or without."""
        return Part(self.nothing(0)._replace(mask=mask is not None), mask)

    def lined(self, at: float | None) -> Part:
        """Return the part with its line elsewhere."""
        return Part(self.brush._replace(cut=at), self.mask)

    @property
    def passing(self) -> Mask | None:
        """The rows that pass the own brushes, None where nothing is brushed."""
        return self.own if self.brush.mask or any(codes is not None for codes in self.brush.ranges) else None

    def same_rows(self, given: Brush) -> bool:
        """Whether brushes select the rows that are selected now."""
        return (given.ranges, given.mask) == (self.brush.ranges, self.brush.mask)

    def take(self, given: Brush, mask: Mask | None) -> None:
        """Make these the brushes, and these the rows of `select(ids)`."""
        self.brush, self.mask = given, mask
        self.own = _fields.keep(self.heat.fields(given.temperature), given.ranges)
        if mask is not None:
            self.own &= mask

    def follow(self, allowed: Mask | None) -> None:
        """Take what the other reports allow, None for no limit."""
        self.rows = self.own if allowed is None else self.own & allowed

    def line(self, serial: int) -> Job:
        """Return what there is to compute of the line."""
        return Job(serial, self.rows, self.heat.values(self.brush.temperature), self.brush.cut)

    @property
    def words(self) -> str:
        """The brushes in words, "" where there are none."""
        return words_of(self._fields, self.brush)
