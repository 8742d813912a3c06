"""Predictions made elsewhere: each sort of table gives its report, and a row that does not fit is named."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp
from sklearn.metrics import accuracy_score

import workbench as wb
from workbench.errors import DataError, UsageError

QUESTIONS = pd.DataFrame(
    {
        "example": ["a", "b", "c"],
        "text": ["2 + 2?", "Is fire cold?", "Capital of France?"],
        "choices": [["3", "4"], ["yes", "no", "both"], ["Paris", "Rome", "Bonn", "Oslo"]],
        "logits": [[0.0, 1.0], [2.0, 0.0, 0.0], [3.0, 1.0, 0.0, 0.0]],
        "label": ["4", 1, "Paris"],
        "topic": ["sums", "facts", "facts"],
    }
)


def value(report: wb.Report, metric: str, group: str = "all") -> float:
    """Return one value of the metrics."""
    found = report.metrics.query("metric == @metric and group == @group")["value"]
    assert len(found) == 1
    return float(found.iloc[0])


def test_questions_have_choices_of_their_own() -> None:
    """Each row's choices and logits count for themselves: label by name or number, confidence by softmax."""
    report = wb.from_predictions(QUESTIONS, by=["topic"])

    assert value(report, "accuracy") == pytest.approx(2 / 3)
    assert value(report, "accuracy", "topic=facts") == pytest.approx(0.5)
    assert report.rows["predicted"].tolist() == ["4", "yes", "Paris"]
    top = [np.exp(max(row)) / np.exp(row).sum() for row in QUESTIONS["logits"]]
    assert report.rows["confidence"].tolist() == pytest.approx(top)


def test_probabilities_of_questions_give_the_same_report() -> None:
    """Probabilities are the softmax of the logits."""
    p = [(np.exp(row) / np.exp(row).sum()).tolist() for row in QUESTIONS["logits"]]
    report = wb.from_predictions(QUESTIONS.drop(columns="logits").assign(probabilities=p))

    assert value(report, "nll") == pytest.approx(value(wb.from_predictions(QUESTIONS), "nll"))


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        ("logits", [[0.0], [2.0, 0.0, 0.0], [3.0, 1.0, 0.0, 0.0]], "Row 0 of column 'logits'.*2 finite numbers"),
        ("logits", [[0.0, "x"], [2.0, 0.0, 0.0], [3.0, 1.0, 0.0, 0.0]], "Row 0 of column 'logits'.*list of numbers"),
        ("label", ["4", 3, "Paris"], "Row 1 has the label 3; it must be a number from 0 to 2"),
        ("choices", [["3", "4"], "yes", ["Paris", "Rome"]], "Row 1 has 'yes' as choices"),
    ],
)
def test_a_question_that_does_not_fit_is_named(column: str, values: list[object], said: str) -> None:
    """The row and the column stand in the message."""
    with pytest.raises(DataError, match=said):
        wb.from_predictions(QUESTIONS.assign(**{column: pd.Series(values, dtype=object)}))


def test_correct_alone_gives_accuracy_by_slice() -> None:
    """Without a confidence the report is of accuracy, and equals scikit-learn's; it can be drawn, explored and saved."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"correct": rng.integers(0, 2, 60), "lang": rng.choice(["de", "en"], 60)})
    report = wb.from_predictions(frame, by=["lang"])

    assert set(report.metrics["metric"]) == {"accuracy"}
    assert value(report, "accuracy") == accuracy_score(np.ones(60), frame["correct"])
    german = frame[frame["lang"] == "de"]["correct"]
    assert value(report, "accuracy", "lang=de") == accuracy_score(np.ones(len(german)), german)
    assert list(report.charts()) == ["accuracy_by_slice"]
    assert report.view is not None
    assert report.view.outcome == "correct"
    assert "There is no confidence: what is reported is accuracy." in report.notes
    part = report.where(report.rows["example"].iloc[:10])
    assert value(part, "accuracy") == frame["correct"].iloc[:10].mean()


def test_accuracy_counts_rows_without_a_confidence_apart() -> None:
    """Where some rows have a confidence and some have none, the accuracy of all stands beside that of the former."""
    frame = pd.DataFrame({"confidence": [0.9, 0.8, None, None], "correct": [1, 0, 0, 0]})
    report = wb.from_predictions(frame)

    assert value(report, "accuracy") == 0.5
    assert value(report, "accuracy_of_all") == 0.25


def test_variants_of_an_example_stay_together() -> None:
    """Rows of one example are told apart by `variant`, and are one cluster: the interval is not that of independent rows."""
    frame = pd.DataFrame(
        {"example": ["a", "b", "c", "d"] * 5, "variant": np.repeat([f"epoch {k}" for k in range(5)], 4)}
    )
    frame["correct"] = (frame["example"].isin(["a", "b"])).astype(int)
    report = wb.from_predictions(frame)
    line = report.metrics.iloc[0]

    assert line["value"] == 0.5
    alone = wb.from_predictions(frame.drop(columns=["example", "variant"]).assign(example=[str(i) for i in range(20)]))
    assert line["high"] - line["low"] > 1.5 * (alone.metrics.iloc[0]["high"] - alone.metrics.iloc[0]["low"])
    with pytest.raises(DataError, match="told apart by `variant`"):
        wb.from_predictions(frame.drop(columns="variant"))


def test_two_tables_without_confidence_are_compared() -> None:
    """The paired difference in accuracy needs no confidence."""
    frame = pd.DataFrame({"example": list("abcdefgh"), "correct": [1, 1, 1, 1, 1, 1, 0, 0]})
    other = frame.assign(correct=[1, 0, 0, 0, 0, 0, 0, 0])
    found = wb.compare(wb.from_predictions(frame), wb.from_predictions(other)).metrics

    assert found["metric"].tolist() == ["accuracy"]
    assert found["difference"].tolist() == pytest.approx([5 / 8])
    assert found["p"].tolist() == pytest.approx([2 * 0.5**5])  # McNemar: five discordant, all one way


def test_two_tables_without_confidence_are_grouped() -> None:
    """The groups probe takes the same table."""
    frame = pd.DataFrame({"correct": [1, 1, 0, 0, 1, 0], "lang": list("aaabbb")})
    report = wb.from_predictions(frame, probe="groups", by=["lang"], draws=20)

    assert value(report, "accuracy", "lang=a") == pytest.approx(2 / 3)


def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return two tables of class probabilities, the second surer of its first class."""
    made = []
    for seed, more in enumerate((0, 3)):
        rng = np.random.default_rng(seed)
        p = rng.dirichlet([2 + more, 2, 2], 80)
        ids = [f"{seed}-{i}" for i in range(80)]
        made.append(pd.DataFrame({"example": ids, "probabilities": p.tolist(), "confidence": p.max(axis=1)}))
    return made[0], made[1]


def test_shift_between_two_tables_needs_no_model() -> None:
    """Columns of two tables are compared as scipy does, their probabilities by MMD; an alike table is not called shifted."""
    old, new = tables()
    report = wb.from_predictions(new, probe="shift", reference=old, on="columns")
    oracle = ks_2samp(old["confidence"], new["confidence"])
    assert value(report, "ks_distance", "column=confidence") == pytest.approx(oracle.statistic)

    moved = wb.from_predictions(new, probe="shift", reference=old, on="softmax", draws=99)
    same = wb.from_predictions(old.iloc[:40], probe="shift", reference=old.iloc[40:], on="softmax", draws=99)
    assert value(moved, "p_value") < 0.05 < value(same, "p_value")


def test_one_table_is_parted_by_a_column() -> None:
    """`split` and the value of the reference part one table into the two sets."""
    old, new = tables()
    both = pd.concat([old.assign(day="mon"), new.assign(day="tue")])
    one = wb.from_predictions(both, probe="shift", split="day", reference="mon", on="softmax", draws=99)
    two = wb.from_predictions(new, probe="shift", reference=old, on="softmax", draws=99)

    assert value(one, "mmd2_over_pairs") == pytest.approx(value(two, "mmd2_over_pairs"))


def test_shift_says_what_predictions_do_not_hold() -> None:
    """Vectors of a model, a reference, or probabilities that are not there, are named."""
    old, new = tables()
    with pytest.raises(UsageError, match="hold no vectors for on='embedding'.*on='tokens'"):
        wb.from_predictions(new, probe="shift", reference=old)
    with pytest.raises(UsageError, match="Give the other table with reference="):
        wb.from_predictions(new, probe="shift", on="softmax")
    with pytest.raises(DataError, match="needs probabilities or logits; this table has example, confidence"):
        wb.from_predictions(new.drop(columns="probabilities"), probe="shift", reference=old, on="softmax")
