"""What recalibration takes in: probabilities or logits of K classes, or one confidence per row."""

from typing import Any, Literal, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import DataError
from workbench.stats._checks import Ints, check_pairs, check_probabilities, rows_of

__all__ = ["CLIP", "INPUTS", "Inputs", "Table", "check_inputs", "check_labelled", "logits_of"]

INPUTS = ("probabilities", "logits", "confidence")
CLIP = 1e-12

Inputs = Literal["probabilities", "logits", "confidence"]
Table = NDArray[np.floating[Any]]


def check_inputs(scores: ArrayLike, inputs: str) -> Table:
    """Return checked scores: float32 stays as it is for logits, all else becomes float64."""
    if inputs == "confidence":
        return check_pairs(scores, np.zeros(np.shape(scores)), empty=True).confidence
    table = np.asarray(scores)
    if table.dtype != np.float32 or inputs == "probabilities":
        try:
            table = table.astype(np.float64)
        except (TypeError, ValueError):
            raise DataError(f"scores must be numbers; found {table.dtype}. Convert them first.") from None
    if table.ndim != 2 or table.shape[1] < 2:
        raise DataError(
            f"{inputs} must be (rows, classes) with at least 2 classes; the shape is {table.shape}. "
            'Pass one number per row with inputs="confidence".'
        )
    if inputs == "probabilities":
        return check_probabilities(table, np.zeros(len(table), dtype=np.intp))[0] if len(table) else table
    if not np.isfinite(table.sum(dtype=np.float64)):
        bad = ~np.isfinite(table).all(axis=1)
        if bad.any():
            raise DataError(
                f"logits are NaN or infinite in {rows_of(bad)}. Leave these rows out, and say how many they were."
            )
    return cast("Table", table)


def check_labelled(scores: ArrayLike, labels: ArrayLike, inputs: str) -> tuple[Table, Ints]:
    """Return checked scores and labels `(n,)`, or raise `DataError` that names the rows."""
    if inputs == "confidence":
        pairs = check_pairs(scores, labels)
        return pairs.confidence, pairs.correct.astype(np.intp)
    table, given = check_inputs(scores, inputs), np.asarray(labels)
    if given.shape != (len(table),) or not len(given):
        raise DataError(
            f"{inputs} have {len(table)} rows and labels the shape {given.shape}. "
            "Pass at least one row, and the class index of each."
        )
    try:
        numbers = given.astype(np.float64)  # None becomes NaN
    except (TypeError, ValueError):
        raise DataError(f"labels must be class indices; found {given[0]!r}. Encode the names as 0, 1, ...") from None
    chosen = np.where(np.isfinite(numbers), numbers, -1).astype(np.intp)
    bad = np.asarray((chosen != numbers) | (chosen < 0) | (chosen >= table.shape[1]))
    if bad.any():
        raise DataError(
            f"labels must be class indices from 0 to {table.shape[1] - 1}; they are not in {rows_of(bad)}. Encode them."
        )
    return table, chosen


def logits_of(table: Table, inputs: str) -> Table:
    """Return logits `(n, K)`; of a confidence, (0, log of its odds)."""
    if inputs == "logits":
        return table
    if inputs == "probabilities":
        return np.log(np.maximum(table, CLIP))
    stated = np.clip(table, CLIP, 1 - CLIP)
    return np.stack([np.zeros(len(stated)), np.log(stated) - np.log1p(-stated)], axis=1)
