"""Records of multiple-choice questions that were answered elsewhere: each row has its own choices, as many as it likes."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import DataError
from workbench.probes._calibration_rows import CLIP, MAX_LOGITS, outcome_of
from workbench.probes._prompts import softmax

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SUMS_TO_ONE", "blank", "records_of_questions"]

SUMS_TO_ONE = 1e-3
UNSCORED = dict.fromkeys(("confidence", "correct", "p_label", "nll", "brier"), np.nan)


def blank(value: Any) -> bool:
    """Return whether a cell holds nothing: None or NaN.

    >>> blank(None), blank(float("nan")), blank(0), blank([])
    (True, True, False, False)
    """
    return value is None or (isinstance(value, (float, np.floating)) and bool(np.isnan(value)))


def records_of_questions(table: "pd.DataFrame", named: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    """Return one record per row of `choices`, `kind` (probabilities or logits, one per choice) and a label.

    The label is a number from 0 or the text of a choice. A row without numbers has no confidence; it is right or wrong where a
    column `correct` says so. A row without a label has no outcome. Raises `DataError` that names the row that does not fit.
    """
    known = table[named["correct"]].tolist() if named["correct"] in table.columns else [None] * len(table)
    cells = zip(table[named["choices"]], table[named[kind]], table[named["label"]], known, strict=True)
    return [_record(row, named, kind, *each) for row, each in enumerate(cells)]


def _record(
    row: int, named: Mapping[str, Any], kind: str, choices: Any, scores: Any, label: Any, known: Any
) -> dict[str, Any]:
    if blank(choices) or isinstance(choices, str) or not hasattr(choices, "__len__") or len(choices) < 2:
        raise DataError(f"Row {row} has {choices!r} as {named['choices']}; it must be a list of at least two choices.")
    answers = [str(one) for one in choices]
    place = _place(row, answers, label)
    record = {"label": answers[place] if place >= 0 else "", "choices": answers}
    if blank(scores):
        hit = np.nan if blank(known) else float(known)
        return {**record, **UNSCORED, "correct": hit, "predicted": "", "logits": None, "label_index": place}
    p, logits = _numbers(row, named[kind], kind, len(answers), scores)
    found = outcome_of(p, place)
    best = found.pop("best")
    keep = len(answers) <= MAX_LOGITS
    return {**record, **found, "predicted": answers[best], "logits": logits.tolist() if keep else None}


def _numbers(row: int, name: Any, kind: str, k: int, given: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the probabilities and logits (K,) of a row."""
    try:
        values = np.asarray(list(given), dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"Row {row} of column {name!r} holds {given!r}; it must be a list of numbers.") from None
    if values.shape != (k,) or not np.isfinite(values).all():
        raise DataError(f"Row {row} of column {name!r} holds {given!r}; it must be {k} finite numbers, one per choice.")
    if kind == "logits":
        return softmax(values), values
    if (values < 0).any() or (values > 1).any() or abs(values.sum() - 1) > SUMS_TO_ONE:
        raise DataError(f"The probabilities of row {row} are {given!r}; they must lie in [0, 1] and sum to 1.")
    return values, np.log(np.clip(values, CLIP, 1.0))


def _place(row: int, choices: Sequence[str], label: Any) -> int:
    """Return the place of the right choice, -1 where the row has no label.

    >>> _place(0, ["yes", "no"], "no"), _place(0, ["yes", "no"], 0), _place(0, ["yes", "no"], None)
    (1, 0, -1)
    """
    if blank(label):
        return -1
    number = isinstance(label, (int, float, np.integer, np.floating)) and not isinstance(label, bool)
    if number and float(label).is_integer() and 0 <= label < len(choices):
        return int(label)
    if str(label) in choices:
        return choices.index(str(label))
    raise DataError(
        f"Row {row} has the label {label!r}; it must be a number from 0 to {len(choices) - 1} or one of the choices "
        f"{', '.join(map(repr, choices[:10]))}."
    )
