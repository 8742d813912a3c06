"""Examples: what they hold, how they are drawn and changed, and how they show themselves."""

import os
import re
import subprocess
import sys
from dataclasses import FrozenInstanceError

import numpy as np
import pandas as pd
import pytest

from workbench.data.examples import Examples
from workbench.errors import DataError, UsageError

# Stored by every run record: it must not move with a release, a Python or a pandas version (seen with pandas 2.2 and 3.1).
HASH_OF_THREE = "58cb0aaa4b5b9d10f9302e808b2a4de76e368912c6eb7d708c5e96401c9de51b"


def three(**more: object) -> Examples:
    """Return three questions with a slice."""
    frame = pd.DataFrame(
        {
            "id": ["a", "b", "c"],
            "text": ["1 + 1?", "1 + 2?", "1 + 3?"],
            "choices": [["2", "5"], ["4", "3"], ["4", "7"]],
            "label": [0, 1, 0],
            "kind": ["x", "y", "x"],
        }
    )
    return Examples.of(frame, name="three", **more)  # type: ignore[arg-type]


# -- what they hold ----------------------------------------------------------------------------------------------------


def test_the_table_has_our_columns_first_and_the_others_after() -> None:
    """Ids, text, choices and label come first under our names, then what else the source had."""
    assert list(three().frame.columns) == ["example", "text", "choices", "label", "kind"]
    assert three().frame["example"].tolist() == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        ({"text": "a?", "choices": ["x", "y"], "label": 1}, "choice"),
        ({"text": "a", "label": "spam"}, "class"),
        ({"text": "a", "label": 0}, "class"),
        ({"text": "a"}, "text"),
        ({"text": "a", "choices": ["x", "y"]}, "text"),
    ],
)
def test_kind_follows_from_choices_and_label(record: dict[str, object], kind: str) -> None:
    """Choices and a label make a question, a label alone a class, neither a text."""
    assert Examples.of([record]).kind == kind


def test_class_labels_are_names() -> None:
    """Labels without choices become texts, whole floats and numpy integers as integers; `classes` are sorted."""
    frame = pd.DataFrame({"text": list("abc"), "label": [1.0, 0.0, 1.0]})
    examples = Examples.of(frame)
    assert examples.frame["label"].tolist() == ["1", "0", "1"]
    assert examples.classes == ("0", "1")
    assert Examples.of([{"text": "a", "label": np.bool_(True)}]).classes == ("True",)
    assert three().classes == ()


def test_a_table_of_features_gives_one_dictionary_per_row() -> None:
    """Without text, the columns besides the label are features; a group is a copy, not taken away from them."""
    people = pd.DataFrame({"age": [20, 30], "sex": ["f", "m"], "income": ["<=50K", ">50K"]})
    examples = Examples.of(people, label="income", group="sex")
    assert examples.kind == "class"
    assert examples.features == ("age", "sex")
    assert examples.inputs == [{"age": 20, "sex": "f"}, {"age": 30, "sex": "m"}]
    assert examples.frame["group"].tolist() == ["f", "m"]
    assert "There is no text; features: age, sex." in examples.notes


def test_inputs_of_texts_are_the_texts() -> None:
    """A classifier of texts is given the texts."""
    assert three().inputs == ["1 + 1?", "1 + 2?", "1 + 3?"]


def test_examples_do_not_change() -> None:
    """Neither an attribute nor the table can be changed from outside."""
    examples = three()
    with pytest.raises(FrozenInstanceError):
        examples.name = "other"  # type: ignore[misc]
    before = examples.hash
    frame = examples.frame
    frame.loc[0, "text"] = "changed"
    frame["new"] = 1
    assert "new" not in examples.frame
    assert examples.frame["text"][0] == "1 + 1?"
    assert before == Examples.of(examples.frame).hash


def test_changing_the_source_afterwards_changes_nothing() -> None:
    """Examples keep what the table held when they were made."""
    frame = pd.DataFrame({"text": ["a", "b"]})
    examples = Examples.of(frame)
    frame.loc[0, "text"] = "changed"
    assert examples.frame["text"].tolist() == ["a", "b"]


# -- ids ---------------------------------------------------------------------------------------------------------------


def test_ids_without_a_column_are_hashes_of_the_content() -> None:
    """The same content has the same id in another order and with other columns; a repeat is counted."""
    first = Examples.of([{"text": "a"}, {"text": "b"}, {"text": "a"}]).frame
    second = Examples.of([{"text": "b", "more": 1}, {"text": "a", "more": 2}]).frame
    assert first["example"].is_unique
    assert first["example"][2] == first["example"][0] + "-2"
    assert set(second["example"]) == set(first["example"][:2])


def test_ids_keep_numbers_as_they_read() -> None:
    """An integer id, a float that pandas made of it and a text are the same id."""
    assert Examples.of(pd.DataFrame({"id": [7.0, 8.0], "text": ["a", "b"]})).frame["example"].tolist() == ["7", "8"]


def test_repeated_ids_are_an_error_that_names_them() -> None:
    """Two rows with one id in the column example are refused; rows and id are named."""
    with pytest.raises(DataError, match=r"Rows 0 and 2 have the same example, 'a'\. Ids must be unique"):
        Examples.of({"example": ["a", "b", "a"], "text": ["x", "y", "z"]})
    with pytest.raises(DataError, match="Rows 0 and 1 have the same key, '1'"):
        Examples.of({"key": [1, 1], "text": ["x", "y"]}, example="key")


def test_a_column_that_is_only_called_id_may_repeat() -> None:
    """The name id promises nothing: where it repeats, ids are hashes, the column stays, and it is said."""
    examples = Examples.of({"id": [1, 1], "text": ["x", "y"]})
    assert examples.frame["id"].tolist() == [1, 1]
    assert "The values of id are not unique: ids are hashes of the content." in examples.notes


# -- hash --------------------------------------------------------------------------------------------------------------


def test_the_hash_is_of_the_content_alone() -> None:
    """Order of rows and columns, name and number types do not matter; every value does."""
    examples = three()
    frame = examples.frame
    turned = Examples.of(frame.iloc[::-1][["kind", "label", "choices", "text", "example"]], name="other")
    assert turned.hash == examples.hash
    assert Examples.of(frame.assign(kind=["x", "y", "z"])).hash != examples.hash
    assert Examples.of(frame.assign(label=[1, 1, 0])).hash != examples.hash
    assert Examples.of(frame.assign(n=[1, 2, 3])).hash == Examples.of(frame.assign(n=[1.0, 2.0, 3.0])).hash
    assert Examples.of(frame.assign(n=["1", "2", "3"])).hash != Examples.of(frame.assign(n=[1, 2, 3])).hash


def test_the_hash_is_the_same_in_every_process() -> None:
    """The hash does not depend on the interpreter's hash seed, nor on pandas' type for text."""
    code = "from workbench.data.packs import pack; print(pack('mini').hash)"
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1
    assert len(runs.pop().strip()) == 64
    frame = three().frame
    assert Examples.of(frame.astype({"text": object, "kind": object})).hash == three().hash
    assert Examples.of(frame.astype({"text": "string", "kind": "category"})).hash == three().hash
    assert three().hash == HASH_OF_THREE


# -- parts -------------------------------------------------------------------------------------------------------------


def many() -> Examples:
    """Return 200 texts."""
    return Examples.of([{"text": f"text {i}", "id": f"e{i}"} for i in range(200)], name="many")


def test_a_sample_does_not_depend_on_the_order() -> None:
    """The same ids are drawn in the same order, whatever that of the rows, which it does not keep; another seed draws others."""
    examples = many()
    turned = Examples.of(examples.frame.iloc[::-1])
    drawn = examples.sample(50, seed=3).frame["example"].tolist()
    assert drawn == turned.sample(50, seed=3).frame["example"].tolist()
    assert drawn != [e for e in examples.frame["example"] if e in set(drawn)]
    assert set(drawn) != set(examples.sample(50, seed=4).frame["example"])


def test_a_part_says_how_it_was_taken() -> None:
    """Steps and notes tell of a sample, and reach the record."""
    part = many().sample(50, seed=3)

    assert (".sample(50, seed=3)",) == part.steps
    assert "A sample of 50 of 200 examples, drawn by id with seed 3." in part.about()["notes"]
    assert part.where(part.frame["example"].tolist()[:2]).steps[-1] == ".where([... 2 ids])"


def test_a_smaller_sample_is_the_beginning_of_a_larger_one() -> None:
    """Drawing fewer gives the first ones, so that a cache of the smaller run serves the larger."""
    assert many().sample(10).frame["example"].tolist() == many().sample(40).frame["example"].tolist()[:10]


@pytest.mark.parametrize("n", [0, -1, 201])
def test_a_sample_that_cannot_be_drawn_says_why(n: int) -> None:
    """More than there are, or none, is refused with both numbers."""
    with pytest.raises(UsageError, match=rf"A sample of {n} cannot be drawn from 200 examples\. Ask for 1 to 200\."):
        many().sample(n)


def test_where_takes_ids_tables_and_values() -> None:
    """Examples are chosen by id, by a table that has ids, and by column values; the rest stays as it was."""
    examples = three(licence="mine", source="here")
    assert examples.where(["c", "a"]).frame["example"].tolist() == ["a", "c"]
    assert examples.where(examples.frame.tail(1)).frame["example"].tolist() == ["c"]
    assert examples.where(kind="x").frame["example"].tolist() == ["a", "c"]
    assert examples.where(["a", "b"], kind=["y", "z"]).frame["example"].tolist() == ["b"]
    part = examples.where(["a"])
    assert (part.name, part.licence, part.source, part.kind) == ("three", "mine", "here", "choice")


def test_where_refuses_what_it_cannot_mean() -> None:
    """Unknown ids, a bare text, a mask, an unknown column and an empty choice each have their message."""
    examples = three()
    with pytest.raises(
        UsageError, match=r"1 of these ids are not in 'three', the first is 'd'\. Its ids look like 'a'"
    ):
        examples.where(["a", "d"])
    with pytest.raises(UsageError, match=r"Write where\(\['a'\]\)"):
        examples.where("a")
    with pytest.raises(UsageError, match=r"texts; found True\. By value: where\(column=value\)"):
        examples.where([True, False, True])  # type: ignore[list-item]
    with pytest.raises(UsageError, match=r"Unknown column 'kin'\. Did you mean 'kind'?"):
        examples.where(kin="x")
    with pytest.raises(DataError, match=r"None of the 3 examples of 'three' has kind='z'\. Values of kind: x, y\."):
        examples.where(kind="z")


def test_groups_come_from_a_column_or_a_mapping() -> None:
    """Groups are copied from a column or given by id; a missing one is counted."""
    examples = three()
    assert examples.with_groups("kind").frame["group"].tolist() == ["x", "y", "x"]
    assert examples.with_groups({"a": 1, "b": 2, "c": 1}).frame["group"].tolist() == ["1", "2", "1"]
    partly = examples.with_groups({"a": "m", "b": None, "c": float("nan")})
    assert partly.frame["group"].tolist() == ["m", "(missing)", "(missing)"]
    assert "2 of 3 rows have no group: (missing) stands for it." in partly.notes
    with pytest.raises(DataError, match="group: 2 of 3 examples have no value, the first is 'b'"):
        examples.with_groups({"a": "m"})
    with pytest.raises(UsageError, match=r"Unknown column 'kid'\. Did you mean 'kind'?"):
        examples.with_groups("kid")


def test_a_column_can_be_added() -> None:
    """A further column comes by row or by id, after ours, and slices if it is fit."""
    examples = many().with_column("half", [i % 2 for i in range(200)])
    assert () == examples.steps
    assert (".with_column('half', [... 200 values])",) == examples.with_column("half", [0] * 200).steps
    assert examples.slices == ("half",)
    assert three().with_column("n", {"c": 3, "b": 2, "a": 1}).frame["n"].tolist() == [1, 2, 3]
    assert list(three().with_groups("kind").frame.columns)[:5] == ["example", "text", "choices", "label", "group"]
    with pytest.raises(DataError, match=r"The column 'n' has 2 values for 3 examples"):
        three().with_column("n", [1, 2])
    with pytest.raises(UsageError, match="The ids of examples do not change"):
        three().with_column("example", ["x", "y", "z"])


# -- slices ------------------------------------------------------------------------------------------------------------


def test_slices_are_columns_with_few_values() -> None:
    """Texts, booleans and small whole numbers with at least two values and three rows each on average; no ids, no floats."""
    n = 60
    frame = pd.DataFrame(
        {
            "text": [f"t{i}" for i in range(n)],
            "few": ["a", "b", "c"] * 20,
            "flag": [True, False] * 30,
            "year": [2000 + i % 4 for i in range(n)],
            "one": ["same"] * n,
            "many": [f"v{i % 30}" for i in range(n)],
            "score": np.linspace(0, 1, n).round(1),
            "count": list(range(n)),
            "nested": [[1]] * n,
        }
    )
    assert Examples.of(frame).slices == ("few", "flag", "year")


def test_slices_can_be_named() -> None:
    """Named slices override the automatic ones, none included; an unknown one is refused."""
    assert three(slices=["kind"]).slices == ("kind",)
    assert many().slices == ()
    assert Examples.of(three().frame, slices=[]).slices == ()
    with pytest.raises(UsageError, match=r"Unknown column to slice by 'kin'\. Did you mean 'kind'?"):
        three(slices=["kin"])


# -- the constructor ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"example": ["a"], "question": ["x"]},
            r"Examples needs the column\(s\) text; this table has example, question",
        ),
        ({"example": ["a", "a"], "text": ["x", "y"]}, "Two rows have the id 'a'"),
        ({"example": ["a"], "text": [None]}, "Row 0 has no text: found None"),
        ({"example": ["a"], "text": ["x"], "choices": [("p", "q")], "label": [0]}, "not a list of at least 2 texts"),
        ({"example": ["a"], "text": ["x"], "choices": [["p", "p"]], "label": [0]}, "are not all different"),
        (
            {"example": ["a"], "text": ["x"], "choices": [["p", "q"]], "label": [2]},
            "label 2 is not the index of one of its 2",
        ),
        ({"example": ["a"], "text": ["x"], "label": [1]}, "is the name of a class, a text; found 1"),
        ({"example": [], "text": []}, "at least one row"),
    ],
)
def test_the_constructor_takes_our_names_only(columns: dict[str, list[object]], message: str) -> None:
    """A table that breaks the contract is refused with row or column; `Examples.of` is the way for other tables."""
    with pytest.raises(DataError, match=message):
        Examples(pd.DataFrame(columns))


# -- showing -----------------------------------------------------------------------------------------------------------


def test_the_text_form_says_what_is_there() -> None:
    """Name, number, choices, slices, licence and every note stand in the text form."""
    shown = repr(three(licence="CC0", slices=["kind"]))
    assert shown.splitlines()[0] == "Examples 'three'"
    for part in (
        "3 questions with 2 choices",
        "slices: kind (2)",
        "licence: CC0",
        "example: the column id, by its name.",
    ):
        assert part in shown


def test_the_html_form_escapes_everything() -> None:
    """No text, choice, name or column title of the data is markup on the page."""
    bad = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    record = {"text": bad, "choices": [bad, "b"], "label": 0, bad: bad}
    html = Examples.of([record], name=bad, licence=bad)._repr_html_()
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html


def test_the_html_form_shows_few_rows_and_cuts_long_texts() -> None:
    """Five rows are shown and the others counted; a long text is cut."""
    html = Examples.of([{"text": f"{i} " + "x" * 5000} for i in range(1200)])._repr_html_()
    assert html.count("<tr>") == 6
    assert "... and 1,195 more" in html
    assert len(html) < 5000


def test_about_is_what_a_record_keeps() -> None:
    """The facts for a run record name the data by hash."""
    about = three(source="here").about()
    assert (about["name"], about["n"], about["hash"], about["source"]) == ("three", 3, three().hash, "here")


@pytest.mark.parametrize(
    ("name", "call"), [("facts", "wb.pack('facts')"), ("fact", "wb.pack('facts')"), ("bbq", "wb.benchmark('bbq')")]
)
def test_a_pack_is_no_file_and_the_error_says_how_to_get_it(name: str, call: str) -> None:
    """The name of a pack or a published set, or nearly one, is met with the call that reads it."""
    with pytest.raises(DataError, match=re.escape(f"There is no file '{name}'. Did you mean {call}?")):
        Examples.of(name)
