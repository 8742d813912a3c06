"""Whether differences are zero on average, for many columns at once: signs turned round by cluster.

If nothing but chance tells a variant from its original, each cluster's sum of differences is as likely to be its own negative. So
the signs of all clusters are drawn at random, the same for every column, and a column's p-value is the share of draws whose sum is
at least as far from zero as the one observed, which counts among them: (1 + #)/(1 + draws).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import DataError, UsageError

__all__ = ["sign_flips"]

CELLS = 4_000_000  # signs drawn at once
SLACK = 1e-9  # sums that differ by rounding alone count as equal


def sign_flips(sums: ArrayLike, *, draws: int = 9999, seed: int = 0) -> NDArray[np.float64]:
    """Return the two-sided p-value of each column that its differences are zero on average, (k,).

    Exact, over all 2^m ways, where these are no more than `draws`. Two-sided; symmetric differences under no effect are assumed.

    Args:
        sums: `(m, k)` the sum of differences in each independent cluster, 0 where a column has none in it.
        draws: random sign vectors.
        seed: of the draws.

    Raises `DataError` for a table that is not finite numbers, `UsageError` for draws below 20.

    >>> sign_flips([[1.0, 1.0], [1.0, -1.0], [1.0, 0.0]]).tolist()
    [0.25, 1.0]
    """
    table = np.asarray(sums, dtype=np.float64)
    if table.ndim != 2 or not np.isfinite(table).all():
        raise DataError(f"sums must be finite numbers (clusters, columns); the shape is {table.shape}. Put 0 for none.")
    if draws < 20:
        raise UsageError(f"draws must be at least 20; it is {draws}. Use 9999.")
    m, k = table.shape
    seen = np.abs(table.sum(axis=0)) * (1 - SLACK) - SLACK * np.abs(table).sum(axis=0)
    if 2**m <= draws:
        signs = 1.0 - 2.0 * ((np.arange(2**m)[:, None] >> np.arange(m)) & 1)
        return np.asarray((np.abs(signs @ table) >= seen).mean(axis=0))
    rng = np.random.default_rng([seed, 13])
    size, found = max(1, CELLS // m), np.zeros(k)
    for start in range(0, draws, size):
        signs = 1.0 - 2.0 * rng.integers(0, 2, size=(min(size, draws - start), m), dtype=np.int8)
        found += (np.abs(signs @ table) >= seen).sum(axis=0)
    return np.asarray((1 + found) / (1 + draws))
