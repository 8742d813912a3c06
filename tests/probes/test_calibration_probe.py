"""The calibration probe: rows from each kind of answer, and metrics of any rows."""

import numpy as np
import pandas as pd
import pytest
from fakes import Chooser, Classifier, Speller

import workbench as wb
from workbench.errors import DataError, UsageError


def questions(n: int) -> wb.Examples:
    """Return n four-option questions; the first choice is right; two domains."""
    return wb.Examples.of(
        [
            {
                "id": f"q{i:03d}",
                "text": f"Question {i}?",
                "choices": ["a", "b", "c", "d"],
                "label": 0,
                "domain": "xy"[i % 2],
            }
            for i in range(n)
        ],
        name="made",
        label_as="index",
    )


def value(report: wb.Report, metric: str, group: str = "all") -> float:
    """Return one value of the metrics."""
    found = report.metrics.query("metric == @metric and group == @group")
    assert len(found) == 1
    return float(found["value"].iloc[0])


def test_choice_gives_the_known_confidence_and_accuracy() -> None:
    """A model that puts 0.7 on the right answer in three of four questions has accuracy 0.75 and gap -0.05."""
    report = wb.run("calibration", Chooser(0.7, right=[True, True, True, False]), questions(40))

    assert report.outcome == "complete"
    assert np.allclose(0.7, report.rows["confidence"])
    assert value(report, "accuracy") == pytest.approx(0.75)
    assert value(report, "confidence_gap") == pytest.approx(-0.05)
    assert value(report, "ece") == pytest.approx(0.05)
    assert value(report, "nll") == pytest.approx(-0.75 * np.log(0.7) - 0.25 * np.log(0.1))
    assert value(report, "brier") == pytest.approx(0.75 * (0.09 + 0.03) + 0.25 * (0.49 + 0.81 + 0.02))


def test_slices_have_their_own_metrics() -> None:
    """Every second question is wrong: domain x is all right, domain y all wrong."""
    report = wb.run("calibration", Chooser(right=[True, False]), questions(40), by="domain")

    assert value(report, "accuracy", "domain=x") == 1.0
    assert value(report, "accuracy", "domain=y") == 0.0


def test_metrics_of_a_part_equal_those_of_a_report_of_that_part() -> None:
    """`where` and a slice are the same pure function of rows."""
    report = wb.run("calibration", Chooser(right=[True, False, True]), questions(60), by="domain")
    part = report.where(domain="x")

    assert value(part, "ece") == pytest.approx(value(report, "ece", "domain=x"))
    assert value(part, "accuracy") == pytest.approx(value(report, "accuracy", "domain=x"))


def test_an_interrupted_run_keeps_what_is_done() -> None:
    """Only the examples that were reached have rows, and the report says so."""
    report = wb.run("calibration", Chooser(stop_after=7), questions(20))

    assert report.outcome == "interrupted"
    assert len(report.rows) == 7
    assert (report.record.done, report.record.total) == (7, 20)
    assert "7 of 20" in report.notes[0]


def test_classifier_rows_hold_the_largest_probability() -> None:
    """Confidence is max p, whether or not it is the label's."""
    examples = wb.Examples.of([{"text": "0.9", "label": "yes"}, {"text": "0.2", "label": "yes"}], name="two")
    report = wb.run("calibration", Classifier(), examples)

    assert report.rows["confidence"].tolist() == pytest.approx([0.9, 0.8])
    assert report.rows["correct"].tolist() == [1.0, 0.0]
    assert "classwise_ece" in set(report.metrics["metric"])


def test_an_unknown_label_is_named() -> None:
    """A label that the classifier does not have is refused with the example and the model's labels."""
    examples = wb.Examples.of(
        [{"id": "e1", "text": "0.9", "label": "maybe"}, {"id": "e2", "text": "0.1", "label": "no"}]
    )

    with pytest.raises(DataError, match=r"'e1' has the label 'maybe'.*no, yes"):
        wb.run("calibration", Classifier(), examples)


def test_tokens_of_one_text_are_one_cluster() -> None:
    """Next-token rows are two per text here, and intervals resample texts."""
    report = wb.run("calibration", Speller(), wb.Examples.of([{"text": f"text {i}"} for i in range(5)], name="texts"))

    assert len(report.rows) == 10
    assert report.rows["cluster"].nunique() == 5
    assert value(report, "accuracy") == 0.5
    assert value(report, "mean_confidence") == pytest.approx(0.55)


@pytest.mark.parametrize(("says", "confidence"), [("85", 0.85), ("I am 40 % sure", 0.4)])
def test_stated_confidence_is_what_was_written(says: str, confidence: float) -> None:
    """The number in the reply is the confidence; the answer is still the model's choice."""
    model = Chooser(right=[True, False])
    model.says = says
    report = wb.run("calibration", model, questions(10), answer="stated")

    assert np.allclose(confidence, report.rows["confidence"])
    assert value(report, "accuracy") == 0.5


def test_a_reply_without_a_number_is_counted() -> None:
    """Unparsed replies are no rows of the metrics, but counted in `scored`."""
    model = Chooser()
    model.says = "very sure"
    report = wb.run("calibration", model, questions(10), answer="stated")

    assert value(report, "scored") == 0.0
    assert report.metrics.query("metric == 'scored' and group == 'all'")["n"].item() == 10
    assert np.isnan(value(report, "accuracy"))


def test_a_model_without_the_verb_is_not_applicable() -> None:
    """It is an outcome with its reason, not an exception."""
    report = wb.run("calibration", Classifier(), questions(4))

    assert report.outcome == "not applicable"
    assert "choose" in report.notes[0]
    assert len(report.rows) == 0


def test_holding_out_hides_half_of_the_examples() -> None:
    """Metrics show the explored half only; the mark does not depend on order."""
    report = wb.run("calibration", Chooser(right=[True, False, False]), questions(40), holdout=0.5)

    assert len(report.explored) == 20
    assert report.metrics.query("metric == 'accuracy' and group == 'all'")["n"].item() == 20


def test_unknown_options_name_the_nearest() -> None:
    """A misspelt option or value is refused before anything runs."""
    with pytest.raises(UsageError, match="Did you mean 'scoring'"):
        wb.run("calibration", Chooser(), questions(4), scorin="raw")
    with pytest.raises(UsageError, match="letters"):
        wb.run("calibration", Chooser(), questions(4), scoring="letter")


def test_other_bins_need_no_model() -> None:
    """`with_options` computes again from rows; options that change what is asked are refused."""
    report = wb.run("calibration", Chooser(right=[True, False]), questions(40))

    assert report.with_options(bins=5).options["bins"] == 5
    with pytest.raises(UsageError, match="Run the probe again"):
        report.with_options(scoring="letters")


def test_predictions_from_elsewhere_give_the_same_numbers() -> None:
    """The rows of a report, read back as predictions, give its metrics."""
    report = wb.run("calibration", Chooser(0.6, right=[True, False, True]), questions(60))
    again = wb.from_predictions(report.rows[["example", "confidence", "correct", "domain"]], by="domain")

    for metric in ("accuracy", "ece", "smooth_ece", "auroc"):
        assert value(again, metric) == pytest.approx(value(report, metric), nan_ok=True)


@pytest.mark.parametrize(
    ("frame", "columns", "message"),
    [
        ({"p": [0.5, 0.6]}, {}, "needs confidence and correct"),
        ({"confidence": [0.5, 1.5], "correct": [0, 1]}, {}, r"Row 1 of column 'confidence' holds 1\.5"),
        ({"confidence": [0.5, 0.6], "correct": [0, 2]}, {}, r"Row 1 has 2 in column 'correct'"),
        (
            {"probabilities": [[0.5, 0.5], [0.9, 0.3]], "label": [0, 1]},
            {},
            "Row 1 of column 'probabilities' sums to 1.2",
        ),
        ({"probabilities": [[0.5, 0.5], [0.9, 0.1]], "label": [0, 5]}, {}, "Row 1 has the label 5"),
        ({"logits": [[0.5, np.nan], [0.9, 0.1]], "label": [0, 1]}, {}, "Row 0 of column 'logits' holds NaN"),
        ({"confidence": [0.5], "correct": [1]}, {"confidense": "confidence"}, "Did you mean 'confidence'"),
    ],
)
def test_bad_predictions_name_the_row(frame: dict, columns: dict, message: str) -> None:
    """Each fault is one error that says where it stands."""
    with pytest.raises((DataError, UsageError), match=message):
        wb.from_predictions(pd.DataFrame(frame), **columns)


def test_probabilities_and_logits_agree() -> None:
    """The same predictions as probabilities, as logits, and as columns give the same rows."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(50, 3))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = rng.integers(0, 3, 50)
    one = wb.from_predictions(pd.DataFrame({"probabilities": list(p), "label": labels}))
    two = wb.from_predictions(pd.DataFrame({"logits": list(logits), "label": labels}))
    three = wb.from_predictions(
        pd.DataFrame({"a": p[:, 0], "b": p[:, 1], "c": p[:, 2], "label": labels}), probabilities=["a", "b", "c"]
    )

    assert value(one, "brier") == pytest.approx(value(two, "brier"))
    assert value(one, "ece") == pytest.approx(value(three, "ece"))
    assert () == one.notes


def test_a_confidence_beside_probabilities_is_said() -> None:
    """Which was used is a note; two that disagree are an error, unless the call names one of them."""
    frame = pd.DataFrame({"probabilities": [[0.2, 0.8], [0.9, 0.1], [0.667, 0.333]], "label": [1, 0, 1]})
    same = wb.from_predictions(frame.assign(confidence=[0.8, np.nan, 0.67], correct=[1, 1, 0]))
    other = frame.assign(confidence=[0.8, 0.7, 0.6], correct=[1, 1, 1], logits=frame["probabilities"].map(np.log))
    spoken = wb.from_predictions(other, confidence="confidence")
    classes = wb.from_predictions(other, probabilities="probabilities")

    assert (
        "Confidences are the largest probabilities by column 'probabilities'; column 'confidence' is not used: it says the same.",
    ) == same.notes
    assert [0.8, 0.7, 0.6] == spoken.rows["confidence"].tolist()
    assert "Confidences come from column 'confidence'; column 'logits' is not used." == spoken.notes[0]
    assert [0.8, 0.9, 0.667] == classes.rows["confidence"].tolist()
    assert classes.notes[1].endswith("column 'confidence' is not used: it differs in 2 rows of 3.")
    assert classes.notes[2].endswith("column 'correct' is not used: it differs in 1 row of 3, first in row 2.")
    with pytest.raises(
        DataError, match=r"Row 1 has 0\.7 in column 'confidence', but .* is 0\.9; it differs in 2 rows of 3"
    ):
        wb.from_predictions(other)


def test_too_many_tokens_leave_whole_texts_whatever_their_order() -> None:
    """`max_rows` keeps whole texts, drawn by id, and says so."""
    texts = [{"id": f"t{i}", "text": f"text {i}"} for i in range(20)]
    one = wb.run("calibration", Speller(), wb.Examples.of(texts, name="texts"), max_rows=11)
    two = wb.run("calibration", Speller(), wb.Examples.of(texts[::-1], name="texts"), max_rows=11)

    assert len(one.rows) == 10
    assert set(one.rows["example"]) == set(two.rows["example"])
    assert any("5 of 20 texts" in note for note in one.notes)


@pytest.mark.parametrize("name", ["variant", "half", "confidence", "nll", "logits"])
def test_a_slice_may_not_be_called_like_a_column_of_the_rows(name: str) -> None:
    """The name is refused before the model is asked."""
    frame = questions(6).frame.assign(**{name: list("ababab")})
    with pytest.raises(DataError, match=f"'{name}' cannot be a slice"):
        wb.run("calibration", Chooser(), wb.Examples(frame, name="clash", slices=(name,)))


def test_predictions_can_be_sliced_by_their_label() -> None:
    """The per-class audit: `by='label'`."""
    frame = pd.DataFrame({"probabilities": [[0.7, 0.3], [0.4, 0.6]] * 5, "label": [0, 0] * 5})

    assert value(wb.from_predictions(frame, by="label"), "accuracy", "label=0") == 0.5


def test_labels_of_a_column_are_read_in_one_way() -> None:
    """With class names 1, 2, 3 a label 0 is refused, not taken as an index."""
    frame = pd.DataFrame({"probabilities": [[0.8, 0.1, 0.1]] * 3, "label": [0, 1, 2]})
    with pytest.raises(DataError, match="Row 0 has the label 0"):
        wb.from_predictions(frame, classes=[1, 2, 3])


@pytest.mark.parametrize(
    "options", [{"bins": "x"}, {"bins": 0}, {"draws": 2.5}, {"alpha": 2}, {"conformal": True}, {"cross_check": "no"}]
)
def test_values_are_checked_before_the_model_is_asked(options: dict) -> None:
    """A wrong value is refused by `run` and by `with_options` alike."""
    with pytest.raises(UsageError):
        wb.run("calibration", Chooser(), questions(4), **options)
    with pytest.raises(UsageError):
        wb.run("calibration", Chooser(), questions(4)).with_options(**options)


def test_a_part_and_a_hold_out_are_said() -> None:
    """A filtered report does not pass as the whole, and held-out rows are mentioned."""
    report = wb.run("calibration", Chooser(), questions(40), holdout=0.5)

    assert "20 of 40 rows are held out" in report.notes[0]
    assert "A part: 20 of 40 rows (domain='x')" in report.where(domain="x").notes[0]
