"""Checks of what comes in: the message names the rows, and what to do about them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import DataError, UsageError

__all__ = ["Floats", "Ints", "check_bins", "check_clusters", "check_pairs", "check_probabilities", "check_scores"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

SHOWN = 5
SUM_TOLERANCE = 0.2  # rows of published test vectors sum to 0.90 and 1.05; logits are further away


class Pairs(NamedTuple):
    """Confidence `(n,)` in [0, 1] and hit `(n,)`, 0.0 or 1.0."""

    confidence: Floats
    correct: Floats


def rows_of(bad: NDArray[np.bool_]) -> str:
    """Return the numbers of the rows that are marked, the first few of them.

    >>> rows_of(np.array([False, True, True]))
    'rows 1, 2'
    """
    rows = np.flatnonzero(bad)
    names = ", ".join(str(row) for row in rows[:SHOWN])
    more = f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
    return f"row {names}" if len(rows) == 1 else f"rows {names}{more}"


def _vector(values: ArrayLike, name: str) -> Floats:
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{name} must be numbers; found {np.asarray(values).dtype}. Convert it first.") from None
    if array.ndim != 1:
        raise DataError(f"{name} must be one number per row; its shape is {array.shape}. Pass a one-dimensional array.")
    return array


def check_pairs(confidence: ArrayLike, correct: ArrayLike, *, empty: bool = False) -> Pairs:
    """Return both as float64 of one length, or raise `DataError` that names the rows."""
    stated, hit = _vector(confidence, "confidence"), _vector(correct, "correct")
    if len(stated) != len(hit):
        raise DataError(f"confidence has {len(stated)} rows and correct has {len(hit)}. Pass one of each per row.")
    if not len(stated):
        if empty:
            return Pairs(stated, hit)
        raise DataError("confidence has no rows. Pass at least one row.")
    if not (stated.min() >= 0 and stated.max() <= 1):  # false for NaN, too
        missing = np.isnan(stated)
        if missing.any():
            raise DataError(
                f"confidence is NaN in {rows_of(missing)}. Leave these rows out, and say how many they were."
            )
        bad = (stated < 0) | (stated > 1)
        raise DataError(
            f"confidence must lie in [0, 1]; {rows_of(bad)} have values from {stated[bad].min():.6g} to {stated[bad].max():.6g}. "
            "Turn logits into probabilities first."
        )
    if np.asarray(correct).dtype != bool and not (
        hit.min() >= 0 and hit.max() <= 1 and np.count_nonzero(hit) == hit.sum()
    ):
        bad = ~((hit == 0) | (hit == 1))
        raise DataError(
            f"correct must be 0 or 1; it is not in {rows_of(bad)} (first: {hit[bad][0]:.6g}). Pass 0, 1 or a bool."
        )
    return Pairs(stated, hit)


def check_scores(values: ArrayLike, name: str) -> Floats:
    """Return the finite numbers `(n,)` as float64, or raise `DataError` that names the rows."""
    array = _vector(values, name)
    bad = ~np.isfinite(array)
    if bad.any():
        raise DataError(
            f"{name} is NaN or infinite in {rows_of(bad)}. Leave these rows out, and say how many they were."
        )
    return array


def check_probabilities(probabilities: ArrayLike, labels: ArrayLike) -> tuple[Floats, Ints]:
    """Return probabilities `(n, K)` as float64 and labels `(n,)` as integers, or raise `DataError` that names the rows.

    Rows need not sum to 1 exactly (0.8 to 1.2 is let through: rounded tables); logits do not pass.
    """
    table, chosen = np.asarray(probabilities, dtype=np.float64), np.asarray(labels)
    if table.ndim != 2 or chosen.shape != table.shape[:1]:
        raise DataError(
            f"probabilities must be (rows, classes) and labels (rows,); their shapes are {table.shape} and {chosen.shape}. "
            "Pass the class index of every row."
        )
    if not table.size:
        raise DataError(
            f"probabilities have the shape {table.shape}: no rows or no classes. Pass at least one of each."
        )
    if not (table.min() >= 0 and table.max() <= 1):
        bad = np.asarray(~((table >= 0) & (table <= 1)).all(axis=1))
        raise DataError(
            f"probabilities must lie in [0, 1]; they do not in {rows_of(bad)}. Turn logits into probabilities first."
        )
    off = np.abs(table.sum(axis=1) - 1) > SUM_TOLERANCE
    if off.any():
        raise DataError(
            f"probabilities must sum to 1 over the classes; they do not in {rows_of(off)}. Normalise them first."
        )
    index = chosen.astype(np.intp)
    bad = np.asarray((index != chosen) | (index < 0) | (index >= table.shape[1]))
    if bad.any():
        raise DataError(
            f"labels must be class indices from 0 to {table.shape[1] - 1}; they are not in {rows_of(bad)}. Encode them."
        )
    return table, index


def check_clusters(clusters: ArrayLike | None, n: int) -> Ints | None:
    """Return cluster codes 0, 1, ... `(n,)`, or None where every row is a cluster of its own or none were given."""
    if clusters is None:
        return None
    names = np.asarray(clusters)
    if names.shape != (n,):
        raise DataError(f"clusters must be one id per row ({n}); the shape is {names.shape}. Pass one id per row.")
    kinds, codes = np.unique(names.astype(str) if names.dtype == object else names, return_inverse=True)
    return None if len(kinds) == n else codes.astype(np.intp)


def check_bins(bins: int, scheme: str) -> int:
    """Return the number of bins, or raise `UsageError`."""
    if int(bins) != bins or bins < 1:
        raise UsageError(f"bins must be a whole number of at least 1; it is {bins!r}. Use 15, for example.")
    if scheme not in ("width", "mass"):
        raise UsageError(f"Unknown scheme {scheme!r}. Known: mass, width.")
    return int(bins)
