"""Published sets are read as they lie there: names, answers and choices are recognised."""

from pathlib import Path

import pytest

from workbench.data.examples import Examples

pytestmark = pytest.mark.data

SETS = {  # file: (rows, kind, rows per label, a note that must stand)
    "arc/ARC-Challenge_test.jsonl.gz": (1165, "choice", {4}, "label: the letter of the right choice."),
    "arc/ARC-Challenge_val.jsonl.gz": (295, "choice", {4}, "label: the letter of the right choice."),
    "arc/ARC-Easy_test.jsonl.gz": (2365, "choice", {4}, "label: the letter of the right choice."),
    "arc/ARC-Easy_val.jsonl.gz": (567, "choice", {4}, "label: the letter of the right choice."),
    "mmlu/mmlu_test.jsonl.gz": (14042, "choice", {3, 4}, "9 rows repeat a choice"),
    "mmlu/mmlu_dev.jsonl.gz": (285, "choice", {3, 4}, "1 row repeats a choice"),
    "commonsense_qa/commonsense_qa_val.jsonl.gz": (1221, "choice", {4, 5}, "24 rows repeat a choice"),
    "openbookqa/openbookqa_test.jsonl": (500, "choice", {4}, "label: letter and text of the right choice."),
    "boolq/boolq_dev.jsonl.gz": (3270, "class", set(), "The text of an example is its passage, an empty line,"),
    "bbq/Age.jsonl.gz": (3680, "choice", {3}, "choices: the columns ans0, ans1, ans2, by their names."),
    "xstest/xstest_prompts.csv": (450, "class", set(), "text: the column prompt, by its name."),
}


@pytest.mark.parametrize("name", SETS)
def test_a_published_set_is_read_as_it_is(benchmark_data: Path, name: str) -> None:
    """Rows, kind and number of choices are those of the set; what was recognised is said; ids are unique."""
    examples = Examples.of(benchmark_data / name)
    n, kind, sizes, note = SETS[name]
    assert (len(examples), examples.kind) == (n, kind)
    if sizes:
        assert {len(choices) for choices in examples.frame["choices"]} == sizes
    assert any(line.startswith(note) for line in examples.notes)
    assert examples.frame["example"].is_unique


def test_answers_of_mmlu_are_those_of_the_file(benchmark_data: Path) -> None:
    """The letter of the file and the text at the label agree, where choices look like indices too."""
    frame = Examples.of(benchmark_data / "mmlu/mmlu_test.jsonl.gz").frame
    first = frame.iloc[0]
    assert (first["choices"], first["label"]) == (["0", "4", "2", "6"], 1)
    second = frame.iloc[1]
    assert second["choices"][second["label"]] == "24"


def test_mmlu_is_sliced_by_subject(benchmark_data: Path) -> None:
    """The 57 subjects are a slice, of the test rows and of the few dev rows."""
    for part in ("test", "dev"):
        examples = Examples.of(benchmark_data / f"mmlu/mmlu_{part}.jsonl.gz")
        assert examples.slices == ("subject",)
        assert examples.frame["subject"].nunique() == 57


def test_boolq_becomes_a_question_with_common_choices(benchmark_data: Path) -> None:
    """With the two answers named, a language model can choose; the label follows the text."""
    path = benchmark_data / "boolq/boolq_dev.jsonl.gz"
    examples = Examples.of(path, choices=["False", "True"])
    assert examples.kind == "choice"
    assert int(examples.frame["label"].sum()) == 2033


def test_a_table_of_people_is_a_table_of_features(benchmark_data: Path) -> None:
    """Adult has no text: with its label named, 14 features and a group."""
    examples = Examples.of(benchmark_data / "adult/adult_test.csv.gz", label="income", group="sex")
    assert (len(examples), examples.kind, len(examples.features)) == (16281, "class", 14)
    assert examples.inputs[0]["age"] == 25
    assert set(examples.frame["group"]) == {"Female", "Male"}
    assert {"race", "sex", "workclass"} <= set(examples.slices)
