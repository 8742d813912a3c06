"""BBQ is read as its authors wrote it, and the stereotyped answer, which the files do not name, is derived."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from workbench.data._sets._bbq_target import Named, crossed_target, target
from workbench.data.benchmarks import benchmark
from workbench.errors import DataError, UsageError

NOBODY = Named("Can't be determined", "unknown")


@pytest.mark.parametrize(
    ("category", "answers", "stereotyped", "expected"),
    [
        ("Age", [("grandson", "nonOld"), ("grandfather", "old")], ["old"], 1),  # "old" is in "nonOld"
        ("Age", [("grandson", "nonOld"), ("grandfather", "old")], ["nonOld"], 0),
        ("Nationality", [("Nigerian", "Africa"), ("French", "Europe")], ["Nigerian", "Malian"], 0),  # by the text
        ("Nationality", [("Indian", "AsiaPacific"), ("Indonesian", "AsiaPacific")], ["Indonesian"], 1),
        ("Race_ethnicity", [("African", "African"), ("African American", "African American")], ["African American"], 1),
        ("Race_ethnicity", [("African", "African American"), ("White", "White")], ["Black", "African American"], -1),
        (
            "Race_ethnicity",
            [("Donna Schneider", "F-White"), ("Jada Brown", "F-Black")],
            ["Black"],
            1,
        ),  # the prefix goes
        ("Race_ethnicity", [("Ali", "M-Middle-Eastern"), ("Bob", "M-White")], ["Middle Eastern", "Arab"], 0),
        ("Gender_identity", [("Jane", "trans"), ("Joan", "nonTrans")], ["transgender women", "trans"], 0),
        ("Gender_identity", [("Jane", "trans_F"), ("Joan", "F")], ["Transgender women", "transgender men", "trans"], 0),
        ("Gender_identity", [("man", "man"), ("woman", "woman")], ["women"], 1),
        ("Gender_identity", [("boy", "boy"), ("girl", "girl")], ["M"], 0),
        ("Gender_identity", [("man", "man"), ("woman", "woman")], ["transgender women", "trans"], -1),  # "M" in "women"
        ("SES", [("rich", "highSES"), ("poor", "lowSES")], ["low SES"], 1),
        ("Disability_status", [("a runner", "nonDisabled"), ("a deaf man", "disabled")], ["disabled", "D/deaf"], 1),
        ("Physical_appearance", [("in a t-shirt", "negDress"), ("with a tie", "negDress")], ["negDress"], -1),  # two
        ("Religion", [("Sikh", "Sikh"), ("Hindu", "Hindu")], ["Muslim"], -1),  # none
    ],
)
def test_the_target_is_the_one_answer_of_a_stereotyped_group(
    category: str, answers: list[tuple[str, str]], stereotyped: list[str], expected: int
) -> None:
    """The cases in which looking for a label anywhere in the list goes wrong, each way round."""
    named = [Named(*answer) for answer in answers]

    assert expected == target(category, [*named, NOBODY], stereotyped)
    assert (expected if expected < 0 else 2 - expected) == target(category, [NOBODY, *reversed(named)], stereotyped)


@pytest.mark.parametrize(
    ("answers", "race", "second", "expected"),
    [
        ([("Jamal", "M-Black"), ("Keisha", "F-Black")], ["Black", "African American"], "F", 1),
        ([("the Black man", "F-Black"), ("the Black woman", "F-Black")], ["Black"], "M", 0),  # the text goes first
        ([("Wei", "lowSES-M-Asian"), ("Bob", "highSES-M-White")], ["Asian"], "highSES", -1),
        ([("Wei", "highSES-M-Asian"), ("Bob", "lowSES-M-Asian")], ["Asian"], "highSES", 0),
        ([("the poor Latino", "lowSES-Latino"), ("the rich Latino", "highSES-Latino")], ["Latino"], "lowSES", 0),
        ([("Luz", "F-"), ("Bob", "M-White")], ["Hispanic", "Latino"], "F", 0),  # the generator's empty race
    ],
)
def test_crossed_targets_need_race_and_the_second_trait(
    answers: list[tuple[str, str]], race: list[str], second: str, expected: int
) -> None:
    """Race_x_gender and Race_x_SES: both parts of the label are those of the template."""
    assert expected == crossed_target([Named(*answer) for answer in answers] + [NOBODY], race, second)


def record(i: int, **changes: Any) -> dict[str, Any]:
    """Return one record as the authors write it; four in a row are one filling."""
    return {
        "example_id": i,
        "question_index": str(1 + i // 8),
        "question_polarity": ("neg", "nonneg")[i // 2 % 2],
        "context_condition": ("ambig", "disambig")[i % 2],
        "category": "Age",
        "answer_info": {"ans0": ["{man}", "old"], "ans1": ["boy", "nonOld"], "ans2": ["Unknown", "unknown"]},
        "additional_metadata": {"subcategory": "None", "stereotyped_groups": ["old"], "version": "a", "source": "s"},
        "context": f"A man and a boy, time {i // 4}. ",
        "question": "Who forgot?",
        "ans0": "The man",
        "ans1": "The boy",
        "ans2": "Unknown",
        "label": 2 if i % 2 == 0 else (i // 4) % 2,
        **changes,
    }


def write(folder: Path, name: str, records: list[dict[str, Any]]) -> Path:
    """Write records as JSON lines and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with gzip.open(folder / f"{name}.jsonl.gz", "wt") as stream:
        stream.writelines(json.dumps(line) + "\n" for line in records)
    return folder


def test_a_record_becomes_an_example(tmp_path: Path) -> None:
    """Context and question are one text, the template is the cluster, further columns of the file stay."""
    folder = write(tmp_path / "data", "Age", [record(i, my_prediction="The boy") for i in range(16)]).parent
    examples = benchmark("bbq", folder)
    first = examples.frame.iloc[0]

    assert (16, "choice", ("category",)) == (len(examples), examples.kind, examples.slices)
    assert ("Age-0", "A man and a boy, time 0. Who forgot?") == (first["example"], first["text"])
    assert ["The man", "The boy", "Unknown"] == first["choices"]
    assert ("Age/1", "Age", 0, 2, 2) == tuple(first[["cluster", "category", "target", "unknown", "label"]])
    assert ("old", ["man", "boy", "Unknown"]) == (first["target_group"], first["choice_names"])
    assert first["my_prediction"] == "The boy"
    assert {"Age/1": 8, "Age/2": 8} == examples.frame["cluster"].value_counts().to_dict()
    assert "CC BY 4.0" in examples.licence
    assert "arXiv 2110.08193" in examples.card


def test_fillings_are_drawn_whole_and_from_both_sides(tmp_path: Path) -> None:
    """One filling whose context agrees with the stereotype and one that contradicts it, of each template; a seed moves it."""
    records = [record(i, question_index="1") for i in range(80)]
    draws = [benchmark("bbq", write(tmp_path, "Age", records), fillings=1, seed=seed).frame for seed in range(4)]

    for frame in draws:
        assert {4: 2} == frame.groupby("filling").size().value_counts().to_dict()
        informed = frame[(frame["context_condition"] == "disambig") & (frame["question_polarity"] == "neg")]
        assert {0, 1} == set(informed["label"])
    assert len({tuple(frame["example"]) for frame in draws}) > 1
    again = benchmark("bbq", write(tmp_path, "Age", records[::-1]), fillings=1, seed=0).frame
    assert set(draws[0]["example"]) == set(again["example"])


def test_names_of_persons_are_a_category_of_their_own(tmp_path: Path) -> None:
    """Templates beyond the 25th use names; the crossed categories say so in their templates' files."""
    write(tmp_path, "Age", [record(0), record(1, question_index=26)])
    info = {"ans0": ["Jada", "F-Black"], "ans1": ["Bob", "M-White"], "ans2": ["Unknown", "unknown"]}
    crossed = [record(i, category="Race_x_gender", answer_info=info, question_index=i + 1) for i in (0, 1)]
    write(tmp_path, "Race_x_gender", crossed)
    (tmp_path / "templates").mkdir()
    head = "Q_id,Category,Proper_nouns_only,Known_stereotyped_race,Known_stereotyped_var2\n"
    lines = '1,Gender_x_race,,"[""Black""]",F\n2,Gender_x_race,TRUE,"[""White""]",M\n'
    (tmp_path / "templates" / "new_templates - Race_x_gender.csv").write_text(head + lines)
    frame = benchmark("bbq", tmp_path).frame

    assert ["Age", "Age (names)", "Race_x_gender", "Race_x_gender (names)"] == frame["category"].tolist()
    assert [0, 0, 0, 1] == frame["target"].tolist()


def test_groups_that_an_example_does_not_say_are_those_of_its_template(tmp_path: Path) -> None:
    """Where the list in the file is empty, the template's counts; without templates there is no target, and a note."""
    write(tmp_path, "Age", [record(0, additional_metadata={"stereotyped_groups": []}), record(1)])
    bare = benchmark("bbq", tmp_path)

    assert [-1, 0] == bare.frame["target"].tolist()
    assert "1 of 2 examples have not exactly one stereotyped answer (Age): target -1." in bare.notes

    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "Age.csv").write_text('Q_id,Known_stereotyped_groups\n1,"[""nonOld""]"\n')
    assert [1, 0] == benchmark("bbq", tmp_path).frame["target"].tolist()


def test_faults_are_named(tmp_path: Path) -> None:
    """A folder without files, an unknown category, a record without its answers, a number of fillings that cannot be."""
    with pytest.raises(DataError, match="holds no file of BBQ"):
        benchmark("bbq", tmp_path)
    write(tmp_path, "Age", [record(0), record(1, answer_info={"ans0": ["man", "old"]})])
    with pytest.raises(DataError, match="Row 1 of BBQ has the answer_info"):
        benchmark("bbq", tmp_path)
    write(tmp_path, "Age", [record(i) for i in range(8)])
    with pytest.raises(UsageError, match="category of BBQ here 'Agee'.*Did you mean 'Age'"):
        benchmark("bbq", tmp_path, categories=["Agee"])
    with pytest.raises(UsageError, match="fillings must be a whole number from 1; it is 0"):
        benchmark("bbq", tmp_path, fillings=0)


@pytest.mark.data
def test_every_example_of_the_set_has_one_target(benchmark_data: Path) -> None:
    """All five categories at hand, with their numbers; targets stand on every place, and ids are unique."""
    frame = benchmark("bbq", benchmark_data).frame

    assert {
        "Age": 3680,
        "Disability_status": 1556,
        "Nationality": 3080,
        "Physical_appearance": 1576,
        "Religion": 1200,
    } == frame["category"].value_counts().to_dict()
    assert {0, 1, 2} == set(frame["target"]) == set(frame["unknown"])
    assert not (frame["target"] == frame["unknown"]).any()
    assert 125 == frame["cluster"].nunique()
    assert (frame["label"] == frame["unknown"]).equals(frame["context_condition"] == "ambig")
    assert {4} == set(frame.groupby("filling").size())
    assert {2} == set(frame.groupby("filling")["question_polarity"].nunique())
