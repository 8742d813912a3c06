"""The table behind a reliability diagram where rows belong together: tokens of a text, answers to one passage.

Rows of a cluster share their luck, so that a bin of 100 rows from 10 texts says less than one of 100 rows by themselves.
"""

import numpy as np
from numpy.typing import ArrayLike

from workbench.stats._binned import BinTable, band_of, table_of
from workbench.stats._bins import cells_of, limits_of
from workbench.stats._checks import check_bins, check_clusters, check_pairs
from workbench.stats._draws import Rows, null_gaps
from workbench.stats._intervals import Bounds, proportion_of
from workbench.stats.summary import Settings

__all__ = ["bin_table"]


def bin_table(
    confidence: ArrayLike, correct: ArrayLike, clusters: ArrayLike, *, settings: Settings | None = None
) -> BinTable:
    """Return `calibration.bin_table` of clustered rows: `(n,)` confidences in [0, 1], hits, and an id of each row's cluster.

    Whiskers are Wilson's at the effective number of rows (NaN where a bin holds one cluster only), the null band redraws
    labels with luck shared inside clusters. Raises `DataError` as `calibration.bin_table` does.

    >>> bin_table([0.9] * 4, [1, 1, 0, 0], ["a", "a", "b", "b"]).high.round(2)
    array([1.])
    """
    settings = settings or Settings()
    check_bins(settings.bins, settings.scheme)
    pairs = check_pairs(confidence, correct)
    codes = check_clusters(clusters, len(pairs.correct))
    limits = limits_of(pairs.confidence, settings.bins, settings.scheme)
    sums = cells_of(pairs.confidence, pairs.correct, limits, settings.scheme)
    rows = Rows(pairs.confidence, pairs.correct, limits, settings.scheme, codes)
    gaps = null_gaps(sums, rows, settings.draws, settings.seed)
    places = rows.places(sums.bin)
    ends = []
    for place in range(len(sums.bin)):
        inside = places == place
        own = None if codes is None else np.unique(codes[inside], return_inverse=True)[1]
        ends.append(proportion_of(pairs.correct[inside], own, settings.level)[1:3])
    low, high = np.array(ends, dtype=np.float64).T
    return table_of(sums, band_of(sums, gaps, level=settings.level), bounds=Bounds(low, high))
