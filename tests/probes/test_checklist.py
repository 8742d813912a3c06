"""The checklist probe: failures that were planted are counted, by test and type, and every rule is the authors'."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as wb
from workbench.errors import DataError, UsageError
from workbench.models.verbs import Classes, ModelInfo, Monitor
from workbench.probes._checklist_rows import EXPECTATIONS, Classified, banded, verdict
from workbench.probes.checklist import PROBE

CLASSES = ("negative", "neutral", "positive")


class Told:
    """Answers with the probabilities that stand in a table, (0, 1, 0) for other texts; those in `lost` are not reached."""

    name = "told"
    verbs = frozenset({"classify"})
    model = None
    tokenizer = None
    info = ModelInfo("told", "classifier")

    def __init__(
        self, table: dict[str, tuple[float, ...]], labels: tuple[str, ...] = CLASSES, lost: Sequence[str] = ()
    ) -> None:
        self.table, self.labels, self.lost = table, labels, lost

    def classify(self, inputs: Sequence[str], *, monitor: Monitor | None = None) -> Classes:
        """Look up each text."""
        done = np.array([text not in self.lost for text in inputs])
        rows = np.array([self.table.get(text, (0.0, 1.0, 0.0)[: len(self.labels)]) for text in inputs], float)
        return Classes(self.labels, np.where(done[:, None], rows, np.nan), None, done)


def cases(*lines: tuple[str, str, str, str, str, str]) -> wb.Examples:
    """Return examples of (type, test, case, text, expectation, expected); the first text of an INV or DIR case is its original."""
    records: list[dict[str, Any]] = []
    seen: set[str] = set()
    for kind, test, case, text, expectation, expected in lines:
        role = "original" if kind == "MFT" or case not in seen else "perturbed"
        seen.add(case)
        about = {"type": kind, "test": test, "capability": test[0].upper(), "case": case, "cluster": case, "role": role}
        records.append({"text": text, **about, "expectation": expectation, "expected": expected})
    return wb.Examples.of(records, name="made", text="text", cluster="cluster", slices=("type",))


SUITE = cases(
    ("MFT", "words", "w1", "good", "is", "positive"),
    ("MFT", "words", "w2", "bad", "is", "negative"),
    ("MFT", "words", "w3", "not bad", "is", "not negative"),
    ("MFT", "words", "w4", "not good", "is", "not positive"),
    ("INV", "typos", "t1", "fine day", "same", ""),
    ("INV", "typos", "t1", "fien day", "same", ""),
    ("INV", "typos", "t1", "fine dya", "same", ""),
    ("INV", "typos", "t2", "dull day", "same", ""),
    ("INV", "typos", "t2", "dlul day", "same", ""),
    ("DIR", "more", "m1", "nice", "surer", ""),
    ("DIR", "more", "m1", "very nice", "surer", ""),
    ("DIR", "more", "m2", "a chair", "surer", ""),
    ("DIR", "more", "m2", "a real chair", "surer", ""),
    ("DIR", "plus", "p1", "so", "more positive", ""),
    ("DIR", "plus", "p1", "so. I love it", "more positive", ""),
)
ANSWERS = {
    "good": (0.1, 0.1, 0.8),
    "bad": (0.3, 0.4, 0.3),  # fails: neutral
    "not bad": (0.2, 0.5, 0.3),
    "not good": (0.1, 0.2, 0.7),  # fails: positive
    "fine day": (0.0, 0.4, 0.6),
    "fien day": (0.0, 0.45, 0.55),
    "fine dya": (0.0, 0.7, 0.3),  # fails: neutral, and p moved by 0.3
    "dull day": (0.5, 0.45, 0.05),
    "dlul day": (0.45, 0.5, 0.05),  # another class, but p moved by 0.05 only
    "nice": (0.0, 0.2, 0.8),
    "very nice": (0.0, 0.35, 0.65),  # fails: 0.15 less sure
    "so": (0.2, 0.6, 0.2),
    "so. I love it": (0.25, 0.6, 0.15),  # 0.1 less positive: within the tolerance
}


def line(report: wb.Report, metric: str, group: str = "all") -> pd.Series:
    """Return a metric's line."""
    found = report.metrics
    return found[(found["metric"] == metric) & (found["group"] == group)].iloc[0]


def test_planted_failures_are_counted_by_hand() -> None:
    """Rates, cases and texts of each type; a case fails with one of its texts; neutral originals are left out of `surer`."""
    report = wb.run("checklist", Told(ANSWERS), SUITE)

    assert (0.5, 4) == tuple(line(report, "mft_failure_rate")[["value", "n"]])
    assert (0.5, 2) == tuple(line(report, "inv_failure_rate")[["value", "n"]])
    assert (0.5, 2) == tuple(line(report, "dir_failure_rate")[["value", "n"]])
    assert (2 / 3, 3) == tuple(line(report, "dir_applies")[["value", "n"]])
    assert (0.4, 5) == tuple(line(report, "text_failure_rate")[["value", "n"]])
    failed = report.rows[report.rows["failed"] == 1]
    assert ["bad", "not good", "fine dya", "very nice"] == failed["text"].tolist()
    assert ["", "", "fine day", "nice"] == failed["original"].tolist()
    assert failed["change"].round(3).tolist()[2:] == [-0.3, -0.15]
    moved = report.rows.set_index("text")
    assert moved.loc["so. I love it", "change"] == pytest.approx(-0.1)
    assert np.isnan(moved.loc["a real chair", "failed"])
    tests = report.tables["tests"]
    assert ["words", "typos", "more", "plus"] == tests["test"].tolist()
    assert [(4, 2, 0), (2, 1, 0), (1, 1, 1), (1, 0, 0)] == [*map(tuple, tests[["n", "failed", "left_out"]].to_numpy())]
    assert line(report, "mft_failure_rate", "test=words")["method"].startswith("Wilson")


def test_the_tolerance_is_an_option() -> None:
    """With none, any other class fails; a change of exactly the tolerance passes."""
    strict = wb.run("checklist", Told(ANSWERS), SUITE, tolerance=0.0)
    wide = wb.run("checklist", Told(ANSWERS), SUITE, tolerance=0.3)

    assert line(strict, "inv_failure_rate")["value"] == 1.0
    assert (strict.rows.set_index("text").loc["so. I love it", "failed"], line(wide, "inv_failure_rate")["value"]) == (
        1,
        0,
    )


def test_any_rows_give_their_own_metrics() -> None:
    """A part of the rows is summarised alone: the explorer's brush."""
    report = wb.run("checklist", Told(ANSWERS), SUITE)
    part = report.where(report.rows.loc[report.rows["type"] == "INV", "example"].tolist())

    assert {"inv_failure_rate", "text_failure_rate"} == set(part.metrics["metric"])
    assert list(PROBE.charts(part.metrics, part.tables, {})) == ["inv_by_test", "inv_by_capability"]


def test_charts_hold_no_text_of_examples() -> None:
    """Three types, each by test and by capability; only names of tests are drawn."""
    report = wb.run("checklist", Told(ANSWERS), SUITE)
    charts = PROBE.charts(report.metrics, report.tables, {})

    assert [f"{kind}_by_{part}" for kind in ("mft", "inv", "dir") for part in ("test", "capability")] == list(charts)
    assert "fine dya" not in "".join(chart.to_json() for chart in charts.values())
    assert charts["mft_by_test"].to_dict()["title"]["text"] == "MFT failure rate by test"


def test_two_classes_get_a_neutral_band() -> None:
    """p(positive) between 1/3 and 2/3 is neutral, as in the paper; it can be turned off, and then says what is lacking."""
    told = Told({"good": (0.3, 0.7), "bad": (0.4, 0.6)}, ("NEG", "POS"))
    some = cases(("MFT", "w", "1", "good", "is", "positive"), ("MFT", "w", "2", "bad", "is", "neutral"))
    report = wb.run("checklist", told, some.where(expected="neutral"))
    assert report.rows["predicted"].tolist() == ["neutral"]
    with pytest.raises(UsageError, match=r"expect the class\(es\) neutral; told has NEG, POS\. Say which is which"):
        wb.run("checklist", told, some, neutral=0.0)
    both = cases(
        ("MFT", "w", "1", "good", "is", "positive"),
        ("MFT", "w", "2", "bad", "is", "neutral"),
        ("MFT", "w", "3", "x", "is", "negative"),
    )
    report = wb.run("checklist", told, both)
    assert report.rows["predicted"].tolist()[:2] == ["positive", "neutral"]
    assert "p(positive) within 0.333 to 0.667 counts as neutral" in report.notes[0]
    suite = both.with_column("classes", ["negative, neutral, positive"] * 3)
    assert "counts as neutral" in wb.run("checklist", told, suite.where(expected="positive")).notes[0]


def test_classes_are_named_by_option() -> None:
    """Labels of the model are mapped; unknown ones, and two of one name, are refused."""
    some = cases(("MFT", "w", "1", "good", "is", "positive"))
    told = Told({"good": (0.3, 0.7)}, ("LABEL_0", "LABEL_1"))
    assert line(wb.run("checklist", told, some, labels={"LABEL_1": "positive"}), "mft_failure_rate")["value"] == 0
    with pytest.raises(UsageError, match="class of told 'LABEL_2'"):
        wb.run("checklist", told, some, labels={"LABEL_2": "positive"})
    with pytest.raises(UsageError, match="Two classes of told get the same name"):
        wb.run("checklist", told, some, labels={"LABEL_0": "positive", "LABEL_1": "positive"})


def test_what_does_not_fit_is_said() -> None:
    """A model that cannot classify, missing columns, an unknown expectation, a case of two originals, cases not reached."""
    told = Told(ANSWERS)
    told.verbs = frozenset({"generate"})
    assert "class probabilities" in wb.run("checklist", told, SUITE).notes[0]
    with pytest.raises(DataError, match="needs the column"):
        wb.run("checklist", Told(ANSWERS), wb.Examples.of([{"text": "a"}]))
    with pytest.raises(UsageError, match="expectation 'sme'. Did you mean 'same'"):
        wb.run("checklist", Told(ANSWERS), cases(("INV", "t", "1", "a", "sme", ""), ("INV", "t", "1", "b", "sme", "")))
    twice = SUITE.with_column("role", ["original"] * len(SUITE))
    with pytest.raises(DataError, match="The case 'm1' has 2 texts with the role 'original'"):
        wb.run("checklist", Told(ANSWERS), twice)
    cut = wb.run("checklist", Told(ANSWERS, lost=["fine dya"]), SUITE)
    assert set(cut.rows["case"]) == {"w1", "w2", "w3", "w4", "t2", "m1", "m2", "p1"}
    open_ended = wb.run(
        "checklist", Told(ANSWERS), cases(("DIR", "t", "1", "a", "", ""), ("DIR", "t", "1", "b", "", ""))
    )
    assert "1 cases are not judged, their expectation is not known: t." in open_ended.notes


def test_cases_without_their_original_are_left_out() -> None:
    """A sample by text can lose an original: the rest of its case is not judged, and the report says so."""
    kept = SUITE.where(SUITE.frame.loc[SUITE.frame["text"] != "fine day", "example"].tolist())
    report = wb.run("checklist", Told(ANSWERS), kept)
    assert "1 cases are not judged: their original is not among the examples." in report.notes
    assert line(report, "inv_failure_rate")["n"] == 1
    with pytest.raises(DataError, match=r"No case has its original.*per_test="):
        wb.run("checklist", Told(ANSWERS), SUITE.where(role="perturbed"))


def test_predictions_made_elsewhere_give_the_same_report() -> None:
    """A table with a column of probabilities for each class; faults name the row, the column or the word."""
    frame = SUITE.frame.assign(
        **dict(zip(CLASSES, np.array([ANSWERS.get(t, (0, 1, 0)) for t in SUITE.frame["text"]]).T, strict=True))
    )
    report = wb.from_predictions(frame, probe="checklist", probabilities=list(CLASSES), by="capability")
    asked = wb.run("checklist", Told(ANSWERS), SUITE, by="capability")

    pd.testing.assert_frame_equal(asked.metrics, report.metrics)
    with pytest.raises(UsageError, match="Name the columns of class probabilities"):
        wb.from_predictions(frame, probe="checklist")
    with pytest.raises(DataError, match="Row 0 has the probabilities .* sum to 1"):
        wb.from_predictions(frame.assign(positive=0.9), probe="checklist", probabilities=list(CLASSES))
    with pytest.raises(UsageError, match="argument of from_predictions 'clases'. Did you mean 'classes'"):
        wb.from_predictions(frame, probe="checklist", probabilities=list(CLASSES), clases="type")


def test_the_explorer_shows_failures() -> None:
    """The rows have a view: confidence to brush, failures as the outcome, originals beside the perturbed texts."""
    explorer: Any = wb.explore(wb.run("checklist", Told(ANSWERS), SUITE))
    failed = explorer.selection[explorer.selection["failed"] == 1]
    explorer.select(failed["example"].tolist())

    assert ["bad", "not good", "fine dya", "very nice"] == explorer.selection["text"].tolist()


probabilities = st.lists(st.floats(0.01, 1), min_size=3, max_size=3).map(lambda p: np.array(p) / sum(p))


@given(probabilities, probabilities, st.sampled_from(EXPECTATIONS), st.floats(0, 0.5))
def test_verdicts_are_those_of_the_definitions(first: Any, this: Any, kind: str, tolerance: float) -> None:
    """A second, literal reading of the table of definitions gives the same verdict (tolerances met exactly apart)."""
    failed, _ = verdict(kind, "positive", Classified(np.stack([first, this]), CLASSES), tolerance)
    old, new = CLASSES[int(first.argmax())], CLASSES[int(this.argmax())]
    p, q = (dict(zip(CLASSES, row, strict=True)) for row in (first, this))
    moved = q[old] - p[old]
    up = (q["positive"] - q["negative"]) - (p["positive"] - p["negative"])
    if min(abs(abs(moved) - tolerance), abs(abs(up) - tolerance)) < 1e-9:
        return
    rules: dict[str, tuple[bool, bool]] = {  # applies, fails
        "is": (True, new != "positive"),
        "turns": (old != "positive", new != "positive"),
        "same": (True, old != new and abs(moved) > tolerance),
        "surer": (old != "neutral" and p[old] > tolerance, moved < -tolerance),
        "less sure": (old != "neutral" and p[old] < 1 - tolerance, moved > tolerance),
        "more positive": (True, up < -tolerance),
        "more negative": (True, up > tolerance),
    }
    applies, fails = rules[kind]
    assert (float(fails) if applies else np.nan) == pytest.approx(failed, nan_ok=True)


@given(st.floats(0, 1), st.floats(0.05, 0.95))
def test_the_band_keeps_probabilities_and_decides_as_the_paper(p: float, width: float) -> None:
    """Rows sum to one, and the class is neutral exactly inside the band."""
    three = banded(Classified(np.array([[1 - p, p]]), ("negative", "positive")), width).probabilities[0]

    assert three.sum() == pytest.approx(1)
    assert three.min() >= 0
    if abs(abs(p - 0.5) - width / 2) > 1e-9:
        assert (three.argmax() == 1) == (abs(p - 0.5) < width / 2)


@pytest.mark.data
def test_a_small_classifier_on_the_suite_of_sentiment(benchmark_data: Path) -> None:
    """TF-IDF and logistic regression, fitted on SST-2 itself: it knows no negation, and is not moved by links."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    train = wb.benchmark("sst2", benchmark_data, split="train").frame
    model = make_pipeline(TfidfVectorizer(), LogisticRegression(C=10)).fit(train["text"], train["label"])
    report = wb.run("checklist", wb.load(model), wb.benchmark("checklist", benchmark_data, per_test=40))
    tests = report.tables["tests"].set_index("test")

    assert {"MFT": 17, "INV": 13, "DIR": 5} == tests["type"].value_counts().to_dict()
    assert {40, 35, 34, 13} == set(tests["n"] + tests["left_out"])
    assert tests.loc["simple negations: not negative", "low"] > 0.3
    assert tests.loc["add random urls and handles", "high"] < 0.2
    assert line(report, "mft_failure_rate", "capability=Negation")["low"] > 0.4


@pytest.mark.data
def test_word_overlap_on_the_suite_of_questions(benchmark_data: Path) -> None:
    """A callable that compares words: blind to order by construction, and symmetric."""

    def overlap(texts: Sequence[str]) -> list[list[float]]:
        pairs = [[set(part.lower().split()) for part in text.split("\n")] for text in texts]
        same = [len(a & b) / len(a | b) for a, b in pairs]
        return [[1 - p, p] for p in same]

    data = wb.benchmark("checklist", benchmark_data, suite="qqp")
    report = wb.run("checklist", wb.load(overlap, labels=["different", "duplicate"]), data)
    rate = report.tables["tests"].set_index("test")["failure_rate"]

    assert rate["Symmetry: f(a, b) = f(b, a)"] == 0
    assert rate["Reflexivity: (q, q) should be duplicate"] == 0
    assert rate["Do you have to X your dog before Y it != Do you have to X your dog after Y it."] == 1
    assert any("60 cases are not judged" in note for note in report.notes)
