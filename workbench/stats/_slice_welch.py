"""Welch's t of a slice's mean and the rest's, cluster-robust: it asks for means alone, where values dealt out anew ask for all."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from workbench.stats._checks import Floats, Ints
from workbench.stats._intervals import TINY, scaled_sums

__all__ = ["welch"]


def welch(mine: NDArray[np.bool_], values: Floats, owners: Ints | None, side: int) -> float:
    """Return the p-value of Welch's t, cluster-robust; NaN where a side has no two clusters, or nothing spreads."""
    total = np.zeros(len(values) if owners is None else int(owners.max()) + 1)
    spreads, freedom, means = [], [], []
    for part, sign in ((mine, 1.0), (~mine, -1.0)):
        ids, codes = (np.flatnonzero(part), None) if owners is None else np.unique(owners[part], return_inverse=True)
        if len(ids) < 2:
            return float("nan")
        means.append(float(values[part].mean()))
        sums = scaled_sums(values[part] - means[-1], codes) / part.sum()
        total[ids] += sign * sums
        spreads.append(float(sums @ sums))
        freedom.append(len(ids) - 1)
    variance = float(total @ total)  # with clusters on both sides less than the sum of both
    if variance <= TINY * float(values.var()):
        return float("nan")
    df = sum(spreads) ** 2 / sum(one**2 / few for one, few in zip(spreads, freedom, strict=True))
    t = (means[0] - means[1]) / variance**0.5
    return float(stdtr(df, -side * t) if side else 2 * stdtr(df, -abs(t)))
