"""Bins, and the sums per bin that every binned metric is made of.

*Width*: edges `arange(B + 1) / B`, each the float nearest to i/B, bins closed on the left, the last on both sides. `linspace`
is not the same: it puts a stated 0.3, 0.6 or 0.7 into another bin than 0.1 or 0.2.
*Mass*: edges midway between equal parts of the sorted confidences, equal edges merged, bins closed on the right. Tied
confidences are never split, so there may be fewer bins than asked for.

Empty bins are absent. Sums are float64 whatever came in. `Cells` holds sufficient statistics: cells of two batches add up.
"""

from numpy.typing import ArrayLike

from workbench.stats._bins import Cells, Scheme, assign, cells_of, edges, limits_of, mass_edges
from workbench.stats._checks import check_bins, check_pairs

__all__ = ["Cells", "Scheme", "assign", "cells", "edges", "mass_edges"]


def cells(confidence: ArrayLike, correct: ArrayLike, bins: int = 15, *, scheme: Scheme = "width") -> Cells:
    """Return the sums per non-empty bin.

    >>> cells([0.1, 0.9, 0.9], [0, 1, 0], 2).n
    array([1., 2.])
    """
    bins = check_bins(bins, scheme)
    pairs = check_pairs(confidence, correct)
    return cells_of(*pairs, limits_of(pairs.confidence, bins, scheme), scheme)
