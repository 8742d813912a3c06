"""Readers of tables of people take the authors' own files, too."""

from pathlib import Path

import pandas as pd
import pytest

import workbench as wb
from workbench.errors import DataError, UsageError

COMPAS = {
    "id": [1, 2, 3],
    "name": ["a b", "c d", "e f"],
    "dob": ["1980-01-01"] * 3,
    "sex": ["Male", "Female", "Male"],
    "age": [30, 40, 50],
    "age_cat": ["25 - 45", "25 - 45", "Greater than 45"],
    "race": ["Other", "Asian", "Other"],
    "c_charge_degree": ["F", "M", "O"],
    "days_b_screening_arrest": [-1, 90, 0],
    "decile_score": [3, 7, 9],
    "score_text": ["Low", "Medium", "High"],
    "is_recid": [0, 1, 1],
    "two_year_recid": [0, 1, 1],
}


def test_compas_leaves_names_and_birth_dates_unread(tmp_path: Path) -> None:
    """From the authors' file come decisions, labels and groups; nothing that names a person."""
    pd.DataFrame(COMPAS).to_csv(tmp_path / "compas-scores-two-years.csv", index=False)
    found = wb.benchmark("compas", tmp_path)

    assert found.frame["predicted"].tolist() == ["0", "1", "1"]
    assert found.frame["label"].tolist() == ["0", "1", "1"]
    assert not {"name", "dob"} & set(found.frame.columns)
    assert found.licence
    assert "not crimes" in found.card
    assert wb.benchmark("compas", tmp_path, screened=True).frame["example"].tolist() == ["1"]


def test_a_file_without_the_columns_is_refused(tmp_path: Path) -> None:
    """The message names what is missing and the right file."""
    pd.DataFrame(COMPAS).drop(columns="race").to_csv(tmp_path / "compas-scores-two-years.csv", index=False)

    with pytest.raises(DataError, match=r"lacks the column\(s\) race"):
        wb.benchmark("compas", tmp_path)


def test_adult_reads_the_authors_files(tmp_path: Path) -> None:
    """No header, blanks after commas, a comment line and a dot after test labels."""
    row = "25, Private, 226802, 11th, 7, Never-married, Machine-op-inspct, Own-child, Black, Male, 0, 0, 40, ?, {}."
    lines = ["|1x3 Cross validator", *(row.format(label) for label in ("<=50K", ">50K", "<=50K"))]
    (tmp_path / "adult.test").write_text("\n".join(lines) + "\n")
    found = wb.benchmark("adult", tmp_path)

    assert found.frame["label"].tolist() == ["<=50K", ">50K", "<=50K"]
    assert found.frame["age_group"].tolist() == ["25 to 44"] * 3
    assert found.inputs[0]["native_country"] == "?"
    with pytest.raises(UsageError, match="Known: test, train"):
        wb.benchmark("adult", tmp_path, split="dev")
