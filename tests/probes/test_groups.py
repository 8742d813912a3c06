"""The groups probe: planted differences, rows from anywhere, slices, mitigation, and what it refuses."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fakes import Chooser, Classifier, Speller

import workbench as wb
from workbench.errors import DataError, MissingExtra, UsageError
from workbench.stats import groups as stats


def people(n: int = 600, gap: float = 0.2, seed: int = 0) -> pd.DataFrame:
    """Return people of two sexes whose decisions differ by `gap`: the classifier reads the score from the text."""
    rng = np.random.default_rng(seed)
    sex = np.array(["f", "m"])[rng.integers(0, 2, n)]
    label = rng.random(n) < 0.5
    score = np.clip(0.25 + 0.5 * label + np.where(sex == "m", gap, 0) + rng.uniform(-0.25, 0.25, n), 0.01, 0.99)
    table = {"id": [f"p{i:04d}" for i in range(n)], "text": [f"{x:.6f}" for x in score]}
    return pd.DataFrame(
        table | {"label": np.where(label, "yes", "no"), "sex": sex, "age": rng.choice(["old", "young"], n)}
    )


def examples(frame: pd.DataFrame) -> wb.Examples:
    """Return the people as examples, sliced by sex and age."""
    return wb.Examples.of(frame, example="id", text="text", label="label", slices=["sex", "age"], name="people")


def line(report: wb.Report, metric: str, group: str = "all") -> pd.Series:
    """Return one line of the metrics."""
    found = report.metrics.query("metric == @metric and group == @group")
    assert len(found) == 1
    return found.iloc[0]


def between(report: wb.Report, metric: str, attribute: str = "sex") -> pd.Series:
    """Return one line of the table `between`."""
    table = report.tables["between"]
    found = table[(table["metric"] == metric) & (table["attribute"] == attribute)]
    assert len(found) == 1
    return found.iloc[0]


def test_a_planted_difference_lies_inside_its_interval() -> None:
    """Positive labels score 0.5 to 1 for women; men's scores are 0.2 higher: their FPR is 0.4, women's 0."""
    report = wb.run("groups", Classifier(), examples(people()))
    found = line(report, "fpr_difference", "sex")
    told = between(report, "fpr_difference")

    assert found["low"] < 0.4 < found["high"]
    assert told["null"] < found["low"]
    assert told["p"] < 0.01
    assert (told["lowest"], told["highest"]) == ("f", "m")
    assert between(report, "calibration_gap_difference")["low"] > 0.1


def test_a_fair_model_stays_inside_the_null() -> None:
    """Scores that do not know the sex give differences below their null, and intervals that begin at 0."""
    report = wb.run("groups", Classifier(), examples(people(gap=0.0)))

    for metric in ("demographic_parity_difference", "equalised_odds_difference", "calibration_gap_difference"):
        told = between(report, metric)
        assert told["value"] <= told["null"]
        assert told["low"] == 0


def test_rows_and_rates_by_hand() -> None:
    """Four people: the decisions are score >= 0.5, and each rate is counted."""
    frame = pd.DataFrame(
        {
            "id": list("abcd"),
            "text": ["0.9", "0.6", "0.2", "0.4"],
            "label": ["yes", "no", "no", "yes"],
            "sex": list("ffmm"),
        }
    )
    report = wb.run("groups", Classifier(), wb.Examples.of(frame, example="id", label="label", slices=["sex"]))

    assert report.rows["decision"].tolist() == [1, 1, 0, 0]
    assert report.rows["score"].tolist() == pytest.approx([0.9, 0.6, 0.2, 0.4])
    assert line(report, "accuracy")["value"] == 0.5
    assert line(report, "fpr", "sex=f")["value"] == 1.0
    assert line(report, "ppv", "sex=m")["method"] == "no interval: no positive predictions"
    assert line(report, "demographic_parity_difference", "sex")["value"] == 1.0
    assert any("The positive class is 'yes' (of 'no', 'yes')" in note for note in report.notes)


def test_answers_to_questions_are_compared_by_accuracy() -> None:
    """Multiple choice: accuracy and confidence gap by group, no rates of a class."""
    frame = pd.DataFrame(
        {
            "id": [f"q{i}" for i in range(40)],
            "text": "Which?",
            "choices": [["a", "b"]] * 40,
            "label": 0,
            "domain": ["x", "y"] * 20,
        }
    )
    made = wb.Examples.of(frame, example="id", text="text", label_as="index", slices=["domain"])
    report = wb.run("groups", Chooser(0.7, right=[True, False]), made)
    names = set(report.metrics["metric"])

    assert line(report, "accuracy", "domain=x")["value"] == 1.0
    assert line(report, "accuracy_difference", "domain")["value"] == 1.0
    assert line(report, "confidence_gap", "domain=y")["value"] == pytest.approx(0.7)
    assert not names & {"tpr", "selection_rate", "calibration_gap"}
    assert "accuracy_by_slice" in report.charts()


def test_questions_with_their_own_choices_are_no_classes() -> None:
    """The rows of a report on questions, two answers in all: compared is whether they are right."""
    rows = pd.DataFrame(
        {
            "label": ["a", "b"] * 20,
            "predicted": ["a", "a"] * 20,
            "choices": [["a", "b"], ["b", "a"]] * 20,
            "g": ["x", "y"] * 20,
        }
    )
    report = wb.from_predictions(rows, probe="groups", by="g")

    assert line(report, "accuracy_difference", "g")["value"] == 1.0
    assert "selection_rate" not in set(report.metrics["metric"])
    assert any("whether the answer is right" in note for note in report.notes)


def test_a_model_without_the_verb_is_not_applicable() -> None:
    """A language model that only scores text cannot classify, a classifier cannot choose."""
    report = wb.run("groups", Speller(), examples(people(40)))

    assert report.outcome == "not applicable"
    assert "classify" in report.notes[0]
    assert len(report.metrics) == 0


def test_the_rows_of_another_report_can_be_compared() -> None:
    """A calibration report's rows give the same rows as the model itself."""
    made = examples(people(200))
    own = wb.run("groups", Classifier(), made)
    other = wb.from_predictions(wb.run("calibration", Classifier(), made).rows, probe="groups", by=["sex", "age"])

    columns = ["example", "outcome", "decision", "score", "correct", "sex"]
    pd.testing.assert_frame_equal(own.rows[columns], other.rows[columns])
    pd.testing.assert_frame_equal(own.metrics, other.metrics)


def test_a_part_has_the_numbers_of_its_slice_and_a_saved_report_its_metrics(tmp_path: Path) -> None:
    """`where` and a slice are the same function of rows; a report that is opened again shows what it showed."""
    report = wb.run("groups", Classifier(), examples(people()), by=["sex"], holdout=0.3)
    part = report.where(sex="f")
    again = wb.open(report.save(tmp_path / "groups"))

    for metric in ("tpr", "ppv", "calibration_gap", "ece_mass"):
        assert line(part, metric)[["value", "low", "high", "n"]].tolist() == pytest.approx(
            line(report, metric, "sex=f")[["value", "low", "high", "n"]].tolist()
        )
    assert line(part, "tpr_difference", "sex")["method"] == "no interval: one group only"
    pd.testing.assert_frame_equal(again.metrics, report.metrics)
    pd.testing.assert_frame_equal(again.tables["between"], report.tables["between"])
    assert list(again.charts()) == list(report.charts())


def test_the_order_of_rows_changes_no_number() -> None:
    """Values, intervals, nulls: the same for rows in any order."""
    frame = people(300)
    one = wb.run("groups", Classifier(), examples(frame), mitigate="equalized_odds", draws=200)
    two = wb.run("groups", Classifier(), examples(frame[::-1]), mitigate="equalized_odds", draws=200)

    pd.testing.assert_frame_equal(one.metrics, two.metrics)
    pd.testing.assert_frame_equal(one.tables["between"], two.tables["between"])
    pd.testing.assert_frame_equal(one.tables["mitigation"], two.tables["mitigation"])


def test_intersections_are_groups_of_their_own() -> None:
    """With intersections=2 "sex & age" has four groups, and its own differences."""
    report = wb.run("groups", Classifier(), examples(people()), intersections=2)
    crossed = report.metrics[report.metrics["group"].str.startswith("sex & age=")]
    mine = report.rows.query("sex == 'f' and age == 'old'")

    assert crossed["group"].nunique() == 4
    assert line(report, "selection_rate", "sex & age=f & old")["value"] == pytest.approx(mine["decision"].mean())
    assert between(report, "tpr_difference", "sex & age")["groups"] == 4


def test_a_threshold_decides_by_the_score() -> None:
    """`threshold` needs no model; at 0.75 fewer are selected, and the rates are those of the score."""
    report = wb.run("groups", Classifier(), examples(people()))
    strict = report.with_options(threshold=0.75)

    assert line(strict, "selection_rate")["value"] == pytest.approx((report.rows["score"] >= 0.75).mean())
    with pytest.raises(UsageError, match="Run the probe again"):
        report.with_options(positive="no")
    with pytest.raises(DataError, match="threshold needs a score"):
        wb.from_predictions(
            {"predicted": [0, 1], "label": [0, 1], "g": ["a", "b"]}, probe="groups", by="g", threshold=0.5
        )


def test_percentile_intervals_are_an_option() -> None:
    """`interval="percentile"` gives the plain bootstrap and says so."""
    report = wb.run("groups", Classifier(), examples(people()), interval="percentile")

    assert "percentile bootstrap of the count table" in line(report, "fpr_difference", "sex")["method"]


def test_one_class_of_many_is_compared_with_the_rest() -> None:
    """Three classes have accuracy alone, until one is named positive."""
    frame = pd.DataFrame(
        {"label": ["a", "b", "c", "a"] * 25, "predicted": ["a", "b", "b", "c"] * 25, "g": ["x", "y"] * 50}
    )
    all_classes = wb.from_predictions(frame, probe="groups", by="g")
    one = wb.from_predictions(frame, probe="groups", by="g", positive="a")

    assert "selection_rate" not in set(all_classes.metrics["metric"])
    assert line(all_classes, "accuracy")["value"] == 0.5
    assert any("there are 3 classes" in note for note in all_classes.notes)
    assert line(one, "tpr")["value"] == 0.5
    assert line(one, "accuracy")["value"] == 0.75


def test_decisions_without_labels_have_selection_rates() -> None:
    """Demographic parity needs no truth; what needs one is absent, and the note says so."""
    frame = pd.DataFrame({"refused": [1, 0, 0, 0] * 20, "group": ["a", "b"] * 40})
    report = wb.from_predictions(frame, probe="groups", predicted="refused")

    assert line(report, "selection_rate", "group=a")["value"] == 0.5
    assert line(report, "demographic_parity_difference", "group")["value"] == 0.5
    assert "tpr" not in set(report.metrics["metric"])
    assert any("There are no labels" in note for note in report.notes)
    assert "differences_between_groups" in report.charts()


def test_rows_without_a_value_are_counted() -> None:
    """A missing prediction is left out of the rates and counted in `scored`; a missing group is said."""
    frame = pd.DataFrame(
        {"label": [1, 0, 1, 0] * 10, "predicted": [1, 0, None, 0] * 10, "sex": ["f", "m", "f", None] * 10}
    )
    report = wb.from_predictions(frame, probe="groups", by="sex")

    assert line(report, "scored")["value"] == 0.75
    assert line(report, "scored", "sex=f")["value"] == 0.5
    assert line(report, "accuracy")["n"] == 30
    assert "10 rows have no sex; they are in none of its groups." in report.notes


def test_clusters_widen_the_intervals() -> None:
    """Each person four times over: with clusters, intervals and nulls are those of a quarter of the rows."""
    frame = people(200).drop(columns="id").assign(score=lambda table: table["text"].astype(float))
    frame = frame.assign(predicted=np.where(frame["score"] > 0.5, "yes", "no"), who=np.arange(200))
    copied = pd.concat([frame] * 4, ignore_index=True)
    plain = wb.from_predictions(copied, probe="groups", by="sex")
    honest = wb.from_predictions(copied, probe="groups", by="sex", cluster="who")
    wide = [line(report, "fpr_difference", "sex") for report in (plain, honest)]

    assert (wide[1]["high"] - wide[1]["low"]) / (wide[0]["high"] - wide[0]["low"]) == pytest.approx(2, abs=0.35)
    for metric in ("fpr_difference", "calibration_gap_difference"):
        assert between(honest, metric)["null"] / between(plain, metric)["null"] == pytest.approx(2, abs=0.4)


@pytest.mark.parametrize(
    ("frame", "more", "message"),
    [
        ({"predicted": [0, 1], "label": [0, 1]}, {}, r"no groups to compare. Name the column\(s\) with by="),
        ({"label": [0, 1], "g": [0, 1]}, {"by": "g"}, "needs predicted"),
        ({"label": [0, 1], "g": [0, 1], "score": [0.2, 0.9]}, {"by": "g"}, r"frame\['score'\] >= 0.5"),
        (
            {"predicted": [0, 1], "label": [0, 1], "g": [0, 1]},
            {"by": "g", "score": "s"},
            r"column of the table \(score=\) 's'",
        ),
        (
            {"predicted": [0, 1], "score": [0, 1.5], "g": [0, 1]},
            {"by": "g"},
            r"Row 1 has .*1\.5.* a number from 0 to 1",
        ),
        ({"correct": [0, 2], "g": [0, 1]}, {"by": "g"}, "Row 1 has .*2.* 0 or 1"),
        ({"predicted": [0, 1], "label": [0, 1], "g": [0, 1]}, {"by": "g", "positive": 2}, "Known: 0, 1"),
        ({"predicted": [0, 1], "score": [0, 1]}, {"by": "score"}, "cannot be a slice"),
        ({"predicted": [0, 1], "g": [0, 1]}, {"by": "h"}, "needs the column"),
        ({"predicted": [0, 1], "g": [0, 1]}, {"by": "g", "prediction": "p"}, "Did you mean 'predicted'"),
    ],
)
def test_what_does_not_fit_is_named(frame: dict[str, Any], more: dict[str, Any], message: str) -> None:
    """Each fault is one error that says what was found and what to do."""
    with pytest.raises((DataError, UsageError), match=message):
        wb.from_predictions(pd.DataFrame(frame), probe="groups", **more)


def test_examples_without_groups_are_refused_before_the_model_is_asked() -> None:
    """There is nothing to compare, and the message says how to name groups."""
    bare = wb.Examples.of(people(20)[["id", "text", "label"]], example="id", label="label")

    with pytest.raises(DataError, match="with_groups"):
        wb.run("groups", Classifier(), bare)


def test_mitigation_narrows_the_gap_out_of_fold() -> None:
    """Thresholds by group that are fitted on other folds bring the planted selection gap down; before is what metrics say."""
    report = wb.run("groups", Classifier(), examples(people(1500)), by=["sex"], mitigate="demographic_parity")
    table = report.tables["mitigation"].query("attribute == 'sex'").set_index("metric")
    found = table.loc["demographic_parity_difference"]

    assert found["before"] == pytest.approx(line(report, "demographic_parity_difference", "sex")["value"])
    assert found["before"] > 0.15
    assert found["after"] < 0.08
    assert found["high"] < 0
    assert found["difference"] == pytest.approx(found["after"] - found["before"])
    assert "as if the thresholds were given" in found["interval"]


def test_no_row_is_decided_by_thresholds_that_saw_it() -> None:
    """Changing the labels of one fold changes no decision in that fold."""
    from workbench.stats._fairlearn import chances

    rng = np.random.default_rng(0)
    score, group, fold = rng.random(400), rng.integers(0, 2, 400), np.arange(400) % 4
    label = (rng.random(400) < score).astype(int)
    turned = np.where(fold == 2, 1 - label, label)
    one, two = (chances(score, y, group, "equalized_odds", fold=fold) for y in (label, turned))

    assert one[fold == 2].tolist() == two[fold == 2].tolist()
    assert one[fold != 2].tolist() != two[fold != 2].tolist()


def test_what_cannot_be_mitigated_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """No score: one line with the reason. No fairlearn: the pip line, before the model is asked, and in the table."""
    frame = pd.DataFrame({"label": [0, 1] * 20, "predicted": [0, 1] * 20, "g": ["a", "b"] * 20})
    table = wb.from_predictions(frame, probe="groups", by="g", mitigate="equalized_odds").tables["mitigation"]
    report = wb.run("groups", Classifier(), examples(people(100)))
    monkeypatch.setitem(__import__("sys").modules, "fairlearn.postprocessing", None)

    assert "thresholds need labels" in table["interval"].item()
    with pytest.raises(MissingExtra, match=r"fm-workbench\[fairness\]"):
        wb.run("groups", Classifier(), examples(people(100)), mitigate="equalized_odds")
    absent = report.with_options(mitigate="equalized_odds").tables["mitigation"]
    assert all("fm-workbench[fairness]" in said for said in absent["interval"])


def test_the_report_shows_what_is_between_groups_first() -> None:
    """Text and HTML name the attribute beside a difference."""
    report = wb.run("groups", Classifier(), examples(people(200)), by="sex")

    assert "Demographic parity difference, sex" in repr(report)
    assert "Equalised odds difference, sex" in report.html()
    assert list(report.charts())[:2] == ["rates_side_by_side", "differences_between_groups"]


def test_a_column_that_is_no_slice_of_the_examples_can_be_named() -> None:
    """`by` may name any column of the examples; a column with a row's own value is one, too."""
    frame = people(60).assign(weight=np.tile([1.5, 2.5, 3.5], 20))
    made = wb.Examples.of(frame, example="id", text="text", label="label", slices=["sex"])

    assert line(wb.run("groups", Classifier(), made, by="weight"), "accuracy", "weight=1.5")["n"] == 20


def test_the_first_numbers_leave_intersections_to_the_table() -> None:
    """Three columns and their pairs: the text shows the columns."""
    report = wb.run("groups", Classifier(), examples(people(200)), intersections=2)

    assert "Demographic parity difference, age" in repr(report)
    assert "sex & age" not in repr(report)
    assert "demographic_parity_difference" in set(report.metrics.query("group == 'sex & age'")["metric"])


@pytest.mark.data
def test_compas_gives_the_published_rates(benchmark_data: Path) -> None:
    """ProPublica's FPR and FNR to the digits printed, PPV beside them, for "not Low" over two years."""
    data = wb.benchmark("compas", benchmark_data)
    report = wb.from_predictions(data.frame, probe="groups", by=["race"])
    black, white = "race=African-American", "race=Caucasian"
    shown = {
        (group, rate): round(100 * line(report, rate, group)["value"], 2)
        for group in (black, white)
        for rate in ("fpr", "fnr")
    }
    cells = report.rows.query("race == 'African-American'").groupby(["outcome", "decision"]).size()

    assert len(data) == 7214
    assert shown == {(black, "fpr"): 44.85, (black, "fnr"): 27.99, (white, "fpr"): 23.45, (white, "fnr"): 47.72}
    assert round(line(report, "ppv", black)["value"], 3) == 0.630
    assert round(line(report, "ppv", white)["value"], 3) == 0.591
    assert cells.tolist() == [990, 805, 532, 1369]
    two = report.where(race=["African-American", "Caucasian"])
    assert between(two, "fpr_difference", "race")["p"] == pytest.approx(1 / 1001)
    assert between(two, "ppv_difference", "race")["low"] == 0.0


@pytest.mark.data
def test_compas_as_the_regressions_keep_it(benchmark_data: Path) -> None:
    """6,172 people are left where ProPublica's logistic regressions screen them."""
    assert len(wb.benchmark("compas", benchmark_data, screened=True)) == 6172


@pytest.mark.data
def test_adult_is_a_table_of_features(benchmark_data: Path) -> None:
    """16,281 test rows with 14 features; base rates by sex are those of the file."""
    data = wb.benchmark("adult", benchmark_data)
    frame = data.frame

    assert (len(data), len(data.features), data.classes) == (16281, 14, ("<=50K", ">50K"))
    assert stats.by_group(frame["sex"], frame["label"] == ">50K", frame["label"] == ">50K")["Female"][
        "base_rate"
    ].value == pytest.approx(590 / 5421)
    assert data.inputs[0]["age"] == 25


def test_predictions_that_are_no_labels_are_refused() -> None:
    """0 and 1 against yes and no would be an accuracy of zero; few rows that are all wrong stay what they are."""
    frame = pd.DataFrame({"hired": [0, 1] * 6, "fit": ["yes", "no"] * 6, "sex": ["f", "f", "m"] * 4})
    wrong = pd.DataFrame({"hired": ["no"] * 12, "fit": ["yes"] * 12, "sex": ["f", "m"] * 6})

    with pytest.raises(DataError, match="predicted holds 0, 1, label holds no, yes"):
        wb.from_predictions(frame, probe="groups", by="sex", predicted="hired", label="fit")
    report = wb.from_predictions(wrong, probe="groups", by="sex", predicted="hired", label="fit")
    assert 0 == line(report, "accuracy")["value"]
