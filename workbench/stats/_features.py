"""Checks of features, logits and labels: the message names the rows, and what to do about them."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import DataError
from workbench.stats._checks import Ints, rows_of

__all__ = ["Reals", "check_features", "check_labels"]

Reals = NDArray[np.floating[Any]]  # float32 or float64


def check_features(values: ArrayLike, *, name: str = "features", width: int | None = None) -> Reals:
    """Return finite numbers (n, d): float32 stays as it is, all else becomes float64; else `DataError` names the rows.

    >>> check_features([[1, 2]]).dtype
    dtype('float64')
    """
    table = np.asarray(values)
    if table.dtype != np.float32:
        try:
            table = table.astype(np.float64)
        except (TypeError, ValueError):
            raise DataError(f"{name} must be numbers; found {table.dtype}. Convert them first.") from None
    if table.ndim != 2 or not table.size:
        raise DataError(f"{name} must be (rows, columns), at least one of each; the shape is {table.shape}.")
    if width is not None and table.shape[1] != width:
        raise DataError(
            f"{name} have {table.shape[1]} columns; what was fitted has {width}. Use vectors of the same model and layer."
        )
    if not np.isfinite(table.sum(dtype=np.float64)):
        bad = ~np.isfinite(table).all(axis=1)
        if bad.any():
            raise DataError(
                f"{name} are NaN or infinite in {rows_of(bad)}. Leave these rows out, and say how many they were."
            )
    return table


def check_labels(labels: ArrayLike, n: int) -> tuple[tuple[Any, ...], Ints]:
    """Return the sorted classes and the class index of each row (n,)."""
    given = np.asarray(labels)
    if given.shape != (n,) or not n:
        raise DataError(f"labels must be one class per row ({n}); the shape is {given.shape}. Pass one for each.")
    if given.dtype == object:
        blank = np.array([value is None or value != value for value in given])
        if blank.any():
            raise DataError(f"labels are blank in {rows_of(blank)}. Leave these rows out, or name their class.")
        given = given.astype(str)
    classes, index = np.unique(given, return_inverse=True)
    return tuple(classes.tolist()), index.astype(np.intp)
