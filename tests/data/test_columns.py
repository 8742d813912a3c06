"""Columns and labels: what is recognised is said, what cannot be told is asked, what is wrong is named by row."""

import pandas as pd
import pytest

from workbench.data.examples import Examples
from workbench.errors import DataError, UsageError, WorkbenchError

TWO = {"question": ["a?", "b?"], "choices": [["x", "y"], ["p", "q"]]}


@pytest.mark.parametrize(
    "name", ["question", "prompt", "sentence", "Text", "Question", "query", "input", "question_stem"]
)
def test_common_names_of_the_text_are_recognised_and_said(name: str) -> None:
    """The column that is taken as the text stands in the notes."""
    examples = Examples.of({name: ["a", "b"]})
    assert examples.frame["text"].tolist() == ["a", "b"]
    assert f"text: the column {name}, by its name." in examples.notes


@pytest.mark.parametrize("name", ["answer", "answerKey", "Answer Key", "target", "answer_idx", "gold"])
def test_common_names_of_the_label_are_recognised_and_said(name: str) -> None:
    """The column that is taken as the label stands in the notes."""
    examples = Examples.of({**TWO, name: [1, 0]})
    assert examples.frame["label"].tolist() == [1, 0]
    assert f"label: the column {name}, by its name." in examples.notes


def test_where_two_names_would_do_the_other_is_said() -> None:
    """The first by custom is taken; the note names the one that was not."""
    examples = Examples.of({"prompt": ["a"], "question": ["b"]})
    assert examples.frame["text"].tolist() == ["b"]
    assert "text: the column question (not prompt), by its name." in examples.notes
    assert examples.frame["prompt"].tolist() == ["a"]


def test_our_own_names_need_no_note() -> None:
    """A table with our names says nothing about names."""
    assert Examples.of({"text": ["a"]}).notes == ()


def test_named_columns_win_over_recognised_ones() -> None:
    """A named column is taken; one that has our name but another part keeps its values under source_..."""
    examples = Examples.of({"text": ["long"], "summary": ["short"]}, text="summary")
    assert examples.frame["text"].tolist() == ["short"]
    assert examples.frame["source_text"].tolist() == ["long"]
    assert "The column text that is not used as text was renamed source_text." in examples.notes


def test_a_passage_stands_before_its_question() -> None:
    """A passage is part of what is asked, unless the text is named or the context switched off; it is said."""
    source = {"passage": ["It rains."], "question": ["does it rain"], "answer": ["True"]}
    examples = Examples.of(source)
    assert examples.frame["text"].tolist() == ["It rains.\n\ndoes it rain"]
    assert "The text of an example is its passage, an empty line, and its question." in examples.notes
    assert Examples.of(source, context=None).frame["text"].tolist() == ["does it rain"]
    assert Examples.of(source, text="question").frame["text"].tolist() == ["does it rain"]
    assert Examples.of(source, text="question", context="passage").frame["text"][0].startswith("It rains.")


# -- choices -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "choices",
    [
        ["no", "yes"],
        ("no", "yes"),
        '["no", "yes"]',
        "['no', 'yes']",
        "A. no\nB. yes",
        "(A) no\n(B) yes",
        {"text": ["no", "yes"], "label": ["A", "B"]},
        [{"text": "no", "label": "A"}, {"text": "yes", "label": "B"}],
        '{"text": ["no", "yes"], "label": ["A", "B"]}',
    ],
)
def test_choices_of_every_shape_are_lists(choices: object) -> None:
    """Lists, JSON, Python lists, lettered lines and ARC's records give the same two choices."""
    examples = Examples.of([{"text": "a?", "choices": choices, "label": "B"}])
    assert examples.frame["choices"].tolist() == [["no", "yes"]]
    assert examples.frame["label"].tolist() == [1]


def test_choices_may_stand_in_columns_or_be_common() -> None:
    """One column per choice, named or recognised, or the same answers for every row."""
    wide = {"question": ["a?"], "option1": ["x"], "option2": ["y"], "answer": ["2"]}
    examples = Examples.of(wide)
    assert examples.frame["choices"].tolist() == [["x", "y"]]
    assert examples.frame["label"].tolist() == [1], "the keys are 1 and 2, so that 2 is the second"
    assert "choices: the columns option1, option2, by their names." in examples.notes
    letters = {"question": ["a?"], "A": ["x"], "B": ["y"], "C": ["z"], "D": ["w"], "answer": ["C"]}
    assert Examples.of(letters).frame["label"].tolist() == [2]
    bbq = {"question": ["a?"], "ans0": ["x"], "ans1": ["y"], "ans2": ["z"], "label": [0]}
    assert Examples.of(bbq).frame["label"].tolist() == [0]
    named = Examples.of({"text": ["a?"], "good": ["x"], "bad": ["y"], "label": ["x"]}, choices=["bad", "good"])
    assert named.frame["label"].tolist() == [1]
    common = Examples.of({"text": ["a", "b"], "answer": ["True", "False"]}, choices=["False", "True"])
    assert (common.kind, common.frame["label"].tolist()) == ("choice", [1, 0])


def test_two_columns_called_a_and_b_are_not_choices() -> None:
    """A and B alone may be anything."""
    assert "choices" not in Examples.of({"text": ["a"], "A": ["x"], "B": ["y"]}).frame


def test_repeated_choices_are_merged_and_said() -> None:
    """A choice that stands twice in a row is one choice; the label follows."""
    examples = Examples.of(
        [{"text": "a?", "choices": ["x", "x", "y"], "label": 2}, {"text": "b?", "choices": ["p", "q"], "label": 0}]
    )
    assert examples.frame["choices"].tolist() == [["x", "y"], ["p", "q"]]
    assert examples.frame["label"].tolist() == [1, 0]
    assert "1 row repeats a choice; the repeats were merged (row 0)." in examples.notes


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ("x or y", r"Row 1: the choices are 'x or y', not a list of answers"),
        (7, "Row 1: the choices are 7, not a list of answers"),
        (None, "Row 1: the choices are None, not a list of answers"),
        (["x"], r"Row 1: \['x'\] has 1 choice; a question needs at least 2"),
        ([], r"Row 1: \[\] has 0 choices"),
        (["x", "x"], "Row 1: all its choices are 'x'"),
        (["x", None], r"Row 1: one of the choices \['x', None\] is empty"),
        (["x", ["y"]], r"Row 1: the choice \['y'\] is not a text"),
        ('["x", "y"', "Row 1: the choices .* are neither a JSON list nor a Python list"),
    ],
)
def test_choices_that_are_none_are_named_by_row(choices: object, message: str) -> None:
    """What stands there instead, and in which row, is in the message."""
    with pytest.raises(DataError, match=message):
        Examples.of([{"text": "a?", "choices": ["x", "y"], "label": 0}, {"text": "b?", "choices": choices, "label": 0}])


# -- labels ------------------------------------------------------------------------------------------------------------

FOUR = [["0", "4", "2", "6"], ["8", "2", "24", "120"]]


@pytest.mark.parametrize(
    ("labels", "note"),
    [
        ([1, 2], "label: the index of the right choice, counted from 0."),
        ([1.0, 2.0], "label: the index of the right choice, counted from 0."),
        (["B", "C"], "label: the letter of the right choice."),
        (["b", "c"], "label: the letter of the right choice."),
        (["(B)", "C."], "label: the letter of the right choice."),
        (["4", "24"], "label: the text of the right choice."),
        (["B. 4", "C. 24"], "label: letter and text of the right choice."),
    ],
)
def test_labels_of_every_form_are_indices(labels: list[object], note: str) -> None:
    """Index, letter and text give the same label; the note says how they were read."""
    examples = Examples.of({"text": ["a?", "b?"], "choices": FOUR, "label": labels})
    assert examples.frame["label"].tolist() == [1, 2]
    assert note in examples.notes


def test_numbers_up_to_the_number_of_choices_count_from_one() -> None:
    """Where a label equals the number of choices and none is 0, labels count from 1; it is said."""
    examples = Examples.of({"text": ["a?", "b?"], "choices": FOUR, "label": [4, 1]})
    assert examples.frame["label"].tolist() == [3, 0]
    assert "label: the number of the right choice, counted from 1." in examples.notes


def test_the_keys_of_the_source_decide() -> None:
    """ARC has questions whose keys are 1 to 4: there "1" is the first choice, not the second."""
    records = [
        {"question": "a?", "choices": {"text": ["w", "x", "y", "z"], "label": ["1", "2", "3", "4"]}, "answerKey": "1"},
        {"question": "b?", "choices": {"text": ["w", "x", "y"], "label": ["A", "B", "C"]}, "answerKey": "C"},
    ]
    assert Examples.of(records).frame["label"].tolist() == [0, 2]


def test_labels_that_can_be_read_in_two_ways_are_asked_about() -> None:
    """Digits that fit as index and as text, differently, need `label_as`."""
    source = {"text": ["a?", "b?"], "choices": [["1", "0"], ["1", "0"]], "label": ["1", "0"]}
    with pytest.raises(UsageError, match=r"read as index or as text: row 0 has '1' .* label_as='index' or 'text'"):
        Examples.of(source)
    assert Examples.of(source, label_as="index").frame["label"].tolist() == [1, 0]
    assert Examples.of(source, label_as="text").frame["label"].tolist() == [0, 1]
    assert Examples.of({**source, "label": [1, 0]}).frame["label"].tolist() == [1, 0], "numbers are indices"
    with pytest.raises(UsageError, match=r"Unknown way to read labels .* Did you mean 'index'?"):
        Examples.of(source, label_as="inde")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["B", "E"], r"Row 1: the label 'E' is not among the choices \['8', '2', '24', '120'\]"),
        ([0, 4], "Row 1: the label 4 is not among the choices"),
        ([1, -1], "Row 1: the label -1 is not among the choices"),
        (["4", "five"], "Row 1: the label 'five' is not among the choices"),
        (["none", "of these"], "Row 0: the label 'none' is not among the choices"),
        (["B", None], "Row 1 has no label"),
        ([1.0, float("nan")], "Row 1 has no label"),
        ([1.5, 0.5], "Row 0: the label 1.5 is not among the choices"),
    ],
)
def test_a_label_that_is_no_choice_is_named_by_row(labels: list[object], message: str) -> None:
    """Row, label and choices stand in the message."""
    with pytest.raises(DataError, match=message):
        Examples.of({"text": ["a?", "b?"], "choices": FOUR, "label": labels})


def test_an_empty_label_column_is_no_label() -> None:
    """A recognised column with nothing in it is left, and said; a named one is an error."""
    source = {**TWO, "answer": [None, float("nan")]}
    examples = Examples.of(source)
    assert examples.kind == "text"
    assert "The column answer is empty: these examples have no label." in examples.notes
    with pytest.raises(DataError, match="Row 0 has no label"):
        Examples.of(source, label="answer")


def test_free_answers_are_said_to_look_like_it() -> None:
    """Labels that nearly all differ are noted; the examples stay usable."""
    examples = Examples.of({"question": [f"q{i}" for i in range(80)], "answer": [f"answer {i}" for i in range(80)]})
    assert any("look like free answers, not classes" in note for note in examples.notes)


# -- errors ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, float("nan"), pd.NA, "", "  "])
def test_a_row_without_text_is_named(value: object) -> None:
    """Missing and blank texts are refused with their row."""
    with pytest.raises(DataError, match="Row 1 has no text: its prompt is"):
        Examples.of([{"prompt": "a"}, {"prompt": value}])


def test_a_row_that_lacks_the_field_has_no_text() -> None:
    """A record without the field is a row without text."""
    with pytest.raises(DataError, match="Row 1 has no text: its text is None"):
        Examples.of([{"text": "a"}, {"label": "b"}])


def test_a_text_that_is_a_list_is_refused() -> None:
    """Chat messages and the like are not texts."""
    with pytest.raises(DataError, match="Row 0: its prompt is a list, not a text"):
        Examples.of([{"prompt": [{"role": "user", "content": "hi"}]}])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {},
            r"Examples need the column\(s\) text; this table has body, tag\. Name it with Examples\.of\(\.\.\., text='\.\.\.'\)",
        ),
        ({"text": "bodi"}, "text='bodi': Unknown column 'bodi'. Did you mean 'body'?"),
        ({"txt": "body"}, "Unknown option of Examples.of 'txt'. Did you mean 'text'?"),
        ({"text": 3}, "text= takes the name of a column; found int"),
        ({"text": "body", "group": "tg"}, "group='tg': Unknown column 'tg'. Did you mean 'tag'?"),
        ({"text": "body", "choices": ["yes"]}, "give at least two different answers"),
        ({"text": "body", "label": "tag", "label_as": "index"}, "label_as='index' needs choices; this table has none"),
    ],
)
def test_columns_that_are_not_there_are_named(columns: dict[str, object], message: str) -> None:
    """Missing columns and misspelt names are met with those that are there and the nearest."""
    with pytest.raises(WorkbenchError, match=message):
        Examples.of({"body": ["a"], "tag": ["x"]}, **columns)  # type: ignore[arg-type]


def test_clusters_and_groups_that_are_empty_are_counted() -> None:
    """A missing group is named (missing), a missing cluster is the example itself; both are said."""
    source = {"example": ["a", "b"], "text": ["x", "y"], "group": ["g", None], "cluster": [1, None]}
    examples = Examples.of(source)
    assert examples.frame["group"].tolist() == ["g", "(missing)"]
    assert examples.frame["cluster"].tolist() == ["1", "b"]
    assert "1 of 2 rows have no group: (missing) stands for it." in examples.notes
    assert "1 of 2 rows have no cluster: the example itself stands for it." in examples.notes
