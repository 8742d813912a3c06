"""What the search for slices and the worst group share: means of some rows, and values as texts."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.stats._checks import Floats, Ints, check_clusters
from workbench.stats._intervals import Interval, mean_of, proportion_of

__all__ = ["is_binary", "part_of", "texts_of", "units_of"]


def part_of(numbers: Floats, side: NDArray[np.bool_], owners: Ints | None, level: float, *, binary: bool) -> Interval:
    """Return the mean of some rows with its interval."""
    codes = None if owners is None else check_clusters(owners[side], int(side.sum()))
    return proportion_of(numbers[side], codes, level) if binary else mean_of(numbers[side], codes, level)


def is_binary(numbers: Floats) -> bool:
    """Return whether all numbers are 0 or 1."""
    return bool(np.isin(numbers, (0.0, 1.0)).all())


def units_of(mine: NDArray[np.bool_], owners: Ints | None) -> int:
    """Return how many clusters some rows are from; their number where each is its own."""
    return int(mine.sum()) if owners is None else len(np.unique(owners[mine]))


def texts_of(values: ArrayLike) -> NDArray[np.str_]:
    """Return values as texts, "" for None and NaN."""
    given: list[Any] = np.asarray(values, dtype=object).tolist()
    return np.array(["" if one is None or one != one else str(one) for one in given], dtype=str)
