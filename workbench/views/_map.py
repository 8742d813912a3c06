"""The heat map of a probe's view: its terms down, means of its measures across; a click on a line selects the term's rows.

The page gets each measure once, as float32, and recounts the means with every brush (`static/map.js`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.stats.intervals import Design, design_effect
from workbench.views._fields import Field

if TYPE_CHECKING:
    import pandas as pd

    from workbench.probes.protocol import View

__all__ = ["Map", "Measure", "effect_within", "map_of"]

Floats = NDArray[np.float64]

MOST_FREEDOM = 100  # degrees of freedom; beyond, Student's quantile is taken as that of 100, which is the wider


@dataclass(frozen=True, eq=False)
class Measure:
    """One column of the map: the mean of `values` (n,), NaN where a row has none."""

    title: str
    values: Floats
    reference: float | None  # the mean of a model without bias
    effect: Design  # how far rows of one term and cluster resemble each other

    @property
    def share(self) -> bool:
        """Whether the values are shares, in [0, 1]."""
        known = self.values[np.isfinite(self.values)]
        return bool(((known >= 0) & (known <= 1)).all())

    @property
    def reference_words(self) -> str:
        """The reference as the cells print their means."""
        at = self.reference or 0.0
        return f"{100 * at:g} %" if self.share else f"{at:g}"

    def for_page(self) -> dict[str, Any]:
        """Return what the page needs of it besides its values."""
        return {"title": self.title, "share": self.share, "reference": self.reference, "effect": self.effect._asdict()}


@dataclass(frozen=True, eq=False)
class Map:
    """The lines of a map are the labels of the field at `at`, its cells means of the measures."""

    at: int
    name: str  # of the field
    measures: tuple[Measure, ...]

    def packed(self) -> bytes:
        """Return the measures as float32 (measures, n)."""
        return np.stack([measure.values for measure in self.measures]).astype(np.float32).tobytes()

    def for_page(self, unit: str) -> dict[str, Any]:
        """Return what the page needs: the field, the measures, quantiles and words."""
        from scipy.stats import t

        students = t.ppf(0.975, np.arange(1, MOST_FREEDOM + 1)).tolist()
        measures = [measure.for_page() for measure in self.measures]
        return {"field": self.at, "measures": measures, "students": students, "caption": self._caption(unit)}

    def _caption(self, unit: str) -> str:
        two_sided = [measure for measure in self.measures if measure.reference is not None]
        read = f"A line is one value of {self.name}, a cell the mean over its selected {unit}"
        read += "; the stronger its colour, the larger." if len(two_sided) < len(self.measures) else "."
        if two_sided:
            said = ", ".join(f"{one.title} from {one.reference_words}" for one in two_sided)
            read += (
                f" {said}: orange is above, blue below, bold where the 95 % interval of this cell alone leaves it out; of "
                "twenty lines without any bias about one is bold, too."
            )
        return f"{read} Point at a line for its intervals. Click to select it, click a heading to sort."


def map_of(rows: "pd.DataFrame", fields: Sequence[Field], view: "View") -> Map | None:
    """Return the map of rows, or None where the view has none or the rows hold nothing for it."""
    names = [field.name for field in fields]
    if not view.terms or view.terms not in names[:-1]:
        return None
    at = names.index(view.terms)
    clusters = rows["cluster"].to_numpy() if rows["cluster"].nunique() < len(rows) else None
    measures = []
    for column, title, reference in view.measures:
        values = rows[column].to_numpy(float) if column in rows else np.full(len(rows), np.nan)
        known = np.isfinite(values)
        if known.any():
            effect = effect_within(
                values[known], fields[at].codes[known], None if clusters is None else clusters[known]
            )
            measures.append(Measure(title, np.where(known, values, np.nan), reference, effect))
    return Map(at, view.terms, tuple(measures)) if measures else None


def effect_within(values: Floats, codes: NDArray[np.uint8], clusters: "NDArray[Any] | None") -> Design:
    """Return the design effect within a term: of the differences from its mean, in what a cluster has of it.

    A term that is a cluster by itself is not drawn with others: its rows are what was drawn. Student's quantile is that of the
    mean number of clusters of a term.
    """
    import pandas as pd
    from scipy.stats import t

    alone = design_effect(values)
    if clusters is None or not len(values):
        return alone
    parts = pd.MultiIndex.from_arrays([codes, clusters])
    terms = len(np.unique(codes))
    whole = parts.nunique()
    if whole in (terms, len(values)):
        return alone
    n = np.bincount(codes)
    means = np.bincount(codes, weights=values, minlength=len(n)) / np.maximum(n, 1)
    effect = design_effect(values - means[codes], clusters=pd.factorize(parts)[0]).effect
    return Design(effect, float(t.ppf(0.975, max(1.0, whole / terms - 1))))
