"""Ugly tables of predictions: one error that names row and column, and says how to mend it."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.errors import DataError, UsageError

SURE = {"confidence": [0.9, 0.8, 0.6], "correct": [1, 1, 0]}
P = [[0.2, 0.8], [0.5, 0.5], [0.7, 0.3]]
BY_CLASS = {"probabilities": P, "label": [1, 0, 0]}


def changed(table: dict[str, list[Any]], **columns: Any) -> pd.DataFrame:
    """Return a table with other columns."""
    return pd.DataFrame({**table, **columns})


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (changed(BY_CLASS, probabilities=[[0.2, 0.8], [0.5, 0.7], P[2]]), "Row 1 .* sums to 1.2.*1 row .*divided by their sum"),
        (changed(BY_CLASS, probabilities=[{"a": 0.2, "b": 0.8}, {"a": 0.5}, P[2]]), "Row 1 .* not name the classes of row 0: a, b"),
        (changed(BY_CLASS, probabilities=[{"a": "half", "b": 1}] * 3), "Row 0 of column .probabilities. must hold numbers: .*half"),
        (changed(BY_CLASS, probabilities=[P[0], [0.5, "half"], P[2]]), "Row 1 of column 'probabilities' must hold numbers: .*half"),
        (changed(BY_CLASS, probabilities=[[20.0, 80.0], [50.0, 50.0], [70.0, 30.0]]), "holds 20, 80, outside.*Divide percentages"),
        (changed(BY_CLASS, probabilities=[[-2.0, 3.0], P[1], P[2]]), r"Row 0 .*holds -2, 3, outside .*pass them as logits="),
        (changed({"label": [1, 0, 0]}, logits=P), "Every row of column 'logits' .*sums to 1.*probabilities="),
        (changed(BY_CLASS, probabilities=[[1.0]] * 3), r"Row 0 .*holds \[1.0\].*two or more: one for each class"),
        (changed(BY_CLASS, label=["yes", "no", "no"]), r"Row 0 has the label 'yes'; the classes are 0, 1. .*classes=\[...\]"),
        (changed(BY_CLASS, label=[1, 2, 1]), "Row 1 has the label 2; .*Count them from 0"),
        (changed(BY_CLASS, label=[1, None, 1]), "Row 1 has the label nan.*Drop rows without a label"),
        (changed(BY_CLASS, label=[[0, 1], [0], [1]]), r"Row 0 has the label \[0, 1\].*a report for each class"),
        (changed(SURE, correct=["True", "no", "True"]), "Row 1 has 'no' in column 'correct'; .*1 for right and 0 for wrong"),
        (changed(SURE, correct=[1, 0.5, 0]), "Row 1 has 0.5 in column 'correct'; it must be 0 or 1. Cut a graded score"),
        (changed(SURE, example=["a", None, "b"]), "Row 1 has no id in column 'example'"),
        (pd.concat([changed(SURE), changed(SURE)], axis=1), "two columns 'confidence'. Rename or drop"),
    ],
)  # fmt: skip
def test_a_table_that_does_not_fit_is_one_clear_error(frame: pd.DataFrame, said: str) -> None:
    """Row, column and the mend stand in the message, which is no error of pandas."""
    with pytest.raises(DataError, match=said):
        wb.from_predictions(frame)


@pytest.mark.parametrize(
    ("thing", "said"), [("preds.csv", "pd.read_csv"), (Path("x.jsonl"), "wb.read_predictions"), (3, "a int is none")]
)
def test_what_is_no_table_is_said(thing: Any, said: str) -> None:
    """A path is to be read first."""
    with pytest.raises(UsageError, match=said):
        wb.from_predictions(thing)
    if not isinstance(thing, (str, Path)):
        with pytest.raises(UsageError, match="takes the path of a log; found a int"):
            wb.read_predictions(thing)


def test_tables_of_any_index_and_kind_are_read() -> None:
    """Another index, numbers as names, bool and nullable columns, one-hot logits and labels as floats are no faults."""
    plain = wb.from_predictions(changed(SURE)).metrics.query("group == 'all'")["value"]
    frame = changed(SURE, correct=[True, True, False]).set_index(np.array([7, 7, 3]))
    other = wb.from_predictions(frame).metrics.query("group == 'all'")["value"]
    texts = wb.from_predictions(changed(SURE, correct=["True", " true", "FALSE"])).metrics.query("group == 'all'")[
        "value"
    ]
    nameless = wb.from_predictions(pd.DataFrame([*zip(*SURE.values(), strict=True)]), confidence=0, correct=1)
    missing = wb.from_predictions(changed(SURE, correct=pd.array([1, None, 0], dtype="Int64")))

    assert other.tolist() == pytest.approx(plain.tolist(), nan_ok=True)
    assert texts.tolist() == pytest.approx(plain.tolist(), nan_ok=True)  # booleans that went through a CSV file
    assert nameless.rows["correct"].tolist() == SURE["correct"]  # columns that have no name, but a number
    assert missing.notes[0] == "1 row has no outcome; counted as unscored."
    hot = wb.from_predictions(pd.DataFrame({"logits": [[0, 1], [1, 0]], "label": [1.0, 0.0]}))
    assert hot.rows["correct"].tolist() == [1, 1]


def test_classes_are_named_by_columns_or_keys_where_the_labels_say_so() -> None:
    """Columns and mappings name their classes; labels that are no such name count them from 0."""
    table = pd.DataFrame({"cat": [0.2, 0.9], "dog": [0.8, 0.1], "label": ["dog", "dog"], "place": [1, 1]})
    keyed = table[["label"]].assign(probabilities=[{"cat": 0.2, "dog": 0.8}, {"dog": 0.1, "cat": 0.9}])
    turned = pd.DataFrame({"1": [0.2, 0.9], "0": [0.8, 0.1], "label": [0, 0]})
    named = wb.from_predictions(table, probabilities=["cat", "dog"])
    counted = wb.from_predictions(table, probabilities=["cat", "dog"], label="place")
    others = [wb.from_predictions(keyed), wb.from_predictions(turned, probabilities=["1", "0"]), counted]

    assert named.rows["predicted"].tolist() == ["dog", "cat"]
    assert counted.rows["predicted"].tolist() == ["1", "0"]
    assert [[1, 0]] * 4 == [one.rows["correct"].tolist() for one in (named, *others)]


def test_a_column_with_nearly_a_slice_per_row_is_noted() -> None:
    """A date is no group; a column of three values is."""
    table = pd.DataFrame(
        {"correct": [1, 0] * 75, "day": pd.date_range("2025-01-01", periods=150), "part": [*"abc"] * 50}
    )
    said = [note for note in wb.from_predictions(table, by=["day", "part"]).notes if "slices" in note]

    assert 1 == len(said)
    assert said[0].startswith("The column day cuts 150 rows into 150 slices")
