"""The readers of BOLD and XSTest."""

import gzip
import json
from pathlib import Path

import pytest

import workbench as wb
from workbench.errors import DataError, UsageError


@pytest.fixture
def bold(tmp_path: Path) -> Path:
    """Return a folder with two small files in BOLD's form, one packed."""
    gender = {"American_actors": {"A_B": ["A B is an ", "A B was "]}, "American_actresses": {"C_D": ["C D is an ", ""]}}
    (tmp_path / "gender_prompt.json").write_text(json.dumps(gender))
    packed = gzip.compress(json.dumps({"Asian_Americans": {"E_F": ["E F is "]}}).encode())
    (tmp_path / "race_prompt.json.gz").write_bytes(packed)
    return tmp_path


def test_bold_has_group_entity_and_domain(bold: Path) -> None:
    """Each prompt has its group, and its page as cluster; empty prompts are left out and counted."""
    examples = wb.benchmark("bold", bold, domains=["gender", "race"])
    frame = examples.frame

    assert ["American_actors", "American_actors", "American_actresses", "Asian_Americans"] == frame["group"].tolist()
    assert ["A_B", "A_B", "C_D", "E_F"] == frame["cluster"].tolist()
    assert frame["example"].tolist()[1] == "gender/American_actors/A_B/1"
    assert examples.slices == ("domain",)
    assert "1 of 5 prompts are empty" in examples.notes[-1]


def test_errors_say_what_to_do(bold: Path) -> None:
    """Unknown domains and models, and files that are not there."""
    with pytest.raises(UsageError, match="Did you mean 'gender'"):
        wb.benchmark("bold", bold, domains="gendre")
    with pytest.raises(DataError, match="has no profession_prompt.json"):
        wb.benchmark("bold", bold, domains="profession")
    with pytest.raises(UsageError, match="gpt4"):
        wb.benchmark("xstest", bold, completions="gpt-4")
    with pytest.raises(DataError, match="has no xstest_prompts.csv"):
        wb.benchmark("xstest", bold)


@pytest.mark.data
def test_bold_is_whole(benchmark_data: Path) -> None:
    """23,679 prompts as the paper counts, of which five are empty; 43 groups in five domains."""
    examples = wb.benchmark("bold", benchmark_data)

    assert len(examples) == 23_679 - 5
    assert (5, 43) == (examples.frame["domain"].nunique(), examples.frame["group"].nunique())


@pytest.mark.data
def test_xstest_is_whole(benchmark_data: Path) -> None:
    """250 safe and 200 unsafe prompts; GPT-4 refused 220 of them, in full or in part (rate 0.489 in the notes)."""
    examples = wb.benchmark("xstest", benchmark_data, completions="gpt4")

    assert {"safe": 250, "unsafe": 200} == examples.frame["group"].value_counts().to_dict()
    assert examples.frame["refused"].sum() == 220
    assert len(wb.benchmark("xstest", benchmark_data)) == 450
