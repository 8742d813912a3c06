"""The probe `slices`: a planted slice found in any report's rows, honest numbers of it, and what is refused."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fakes import Chooser, Classifier

import workbench as wb
from workbench.errors import DataError, MissingExtra, UsageError
from workbench.models.verbs import Embeddings, ModelInfo
from workbench.probes.find import find


def answers(n: int = 1200, *, seed: int = 0, planted: float = 0.6) -> pd.DataFrame:
    """Return answers whose errors are 20 %, and more where the domain is law and the region eu."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "id": [f"e{at}" for at in range(n)],
            "text": [" ".join(["word"] * k) for k in rng.integers(1, 40, n)],
            "domain": rng.choice(["law", "art", "bio", "tax"], n),
            "region": rng.choice(["eu", "us", "as"], n),
            "confidence": rng.random(n),
        }
    )
    bad = (frame["domain"] == "law") & (frame["region"] == "eu")
    return frame.assign(correct=(rng.random(n) >= np.where(bad, planted, 0.2)).astype(int))


PLANTED = "domain=law & region=eu"


@pytest.fixture(scope="module")
def base() -> wb.Report:
    """Return a calibration report of the answers."""
    return wb.from_predictions(answers(), example="id", by=["domain", "region"])


@pytest.fixture(scope="module")
def report(base: wb.Report) -> wb.Report:
    """Return the slices of that report."""
    return wb.run("slices", base)


def line(report: wb.Report, metric: str, group: str = "all") -> pd.Series:
    """Return one line of the metrics."""
    return report.metrics.query("metric == @metric and group == @group").iloc[0]


def test_the_planted_slice_of_another_report_is_found(report: wb.Report) -> None:
    """It is named first, with its numbers in the half that the search did not see, p corrected, and the search's size."""
    kept = report.rows.query("part == 'estimate'")
    mine = (kept["domain"] == "law") & (kept["region"] == "eu")
    found = report.tables["found"].iloc[0]
    seen = report.tables["search"].iloc[0]

    assert (PLANTED, int(mine.sum())) == (found["slice"], found["n"])
    assert 1 - kept["loss"][mine].mean() == pytest.approx(found["value"])
    assert kept["loss"][~mine].mean() - kept["loss"][mine].mean() == pytest.approx(found["difference"])
    assert found["difference_high"] < 0
    assert found["p_holm"] == pytest.approx(0.001 * len(report.tables["found"]))
    assert seen["p_family"] == pytest.approx(0.001)
    assert seen["tried"] == 11 + 12 + 16 + 12  # single values, and pairs with at least 20 rows
    assert any(note.startswith("51 slices of up to 2 of 3 columns tried") for note in report.notes)
    assert set(kept["example"]).isdisjoint(report.rows.query("part == 'search'")["example"])


def test_metrics_say_slices_columns_and_the_worst(report: wb.Report) -> None:
    """Accuracy of each value and slice, and the worst of each column with an interval that allows for the choice."""
    worst, single = line(report, "worst_group_accuracy", "domain"), line(report, "accuracy", "domain=law")

    assert report.by == ("domain", "region", "length")
    assert worst["value"] == single["value"]
    assert worst["low"] == pytest.approx(single["low"])
    assert worst["high"] > single["high"]
    assert worst["method"].startswith("law is lowest: Wilson, allowing for the choice among 4 groups")
    assert line(report, "accuracy", f"slice={PLANTED}")["value"] == report.tables["found"]["value"].iloc[0]
    assert [
        "accuracy_difference_by_slice",
        "accuracy_by_slice",
        "worst_group_accuracy_by_column",
    ] == list(report.charts())
    gap = line(report, "accuracy_difference", f"slice={PLANTED}")
    assert "Worst group accuracy, domain" in repr(report)
    assert f"{PLANTED}: accuracy " in report.findings[0]
    assert f"{gap['value']:+.2f} [{gap['low']:+.2f}, {gap['high']:+.2f}] against the rest" in report.findings[0]


def test_found_slices_are_columns_to_brush_and_to_take_parts_by(report: wb.Report) -> None:
    """`slice_1` holds the slice's name inside it; the explorer offers it; a part has the numbers of its rows."""
    inside = report.rows["slice_1"] == PLANTED
    part = report.where(slice_1=PLANTED)

    assert (inside == ((report.rows["domain"] == "law") & (report.rows["region"] == "eu"))).all()
    assert {"law"} == set(part.rows["domain"])
    assert part.metrics["value"].notna().any()
    assert report.view is not None
    assert "slice_1" in report.view.slices
    assert len(wb.explore(report).selection) == len(report.rows)


def test_a_saved_report_says_the_same(report: wb.Report, tmp_path: Path) -> None:
    """Metrics, both tables and charts come back."""
    again = wb.open(report.save(tmp_path / "slices"))

    pd.testing.assert_frame_equal(report.metrics, again.metrics)
    pd.testing.assert_frame_equal(report.tables["found"], again.tables["found"])
    pd.testing.assert_frame_equal(report.tables["search"], again.tables["search"])
    assert list(report.charts()) == list(again.charts())


def test_the_order_of_the_rows_changes_no_number(report: wb.Report, base: wb.Report) -> None:
    """Rows turned round give the same slices, halves and metrics."""
    again = wb.from_predictions(base.rows[::-1], probe="slices", by=["domain", "region", "length"])

    pd.testing.assert_frame_equal(report.metrics, again.metrics)
    pd.testing.assert_frame_equal(report.tables["found"], again.tables["found"])


def test_without_a_split_the_numbers_are_said_to_be_optimistic(base: wb.Report) -> None:
    """All rows are searched: no fresh p-value, and the note says so."""
    whole = wb.run("slices", base, by="domain", split=0.0, depth=1)

    assert {"both"} == set(whole.rows["part"])
    assert whole.tables["found"]["p"].isna().all()
    assert any("they look worse than they are" in note for note in whole.notes)
    assert "domain=law" == whole.tables["search"]["slice"].iloc[0]
    assert whole.tables["search"]["n"].iloc[0] == line(whole, "accuracy", "domain=law")["n"]


def test_nothing_is_found_in_little() -> None:
    """Rows fewer than a slice must hold: a report without slices, and its note."""
    few = wb.from_predictions(answers(30), probe="slices", example="id", by="domain")

    assert "slice_1" not in few.rows
    assert "found" not in few.tables
    assert "No slice with enough rows has a higher loss than the rest." in few.notes
    assert len(wb.explore(few).selection) == 30


def test_the_rows_of_a_sweep_are_searched_by_corruption_and_severity() -> None:
    """A classifier that fails on swapped letters: the slice is a severity; an example's copies stay on one side."""
    examples = wb.Examples.of(
        [{"text": f"seven words {i}", "label": "yes", "kind": f"k{i % 2}"} for i in range(90)], slices=["kind"]
    )
    model = wb.load(
        lambda texts: [[0.3, 0.7] if "words" in text else [0.6, 0.4] for text in texts], labels=["no", "yes"]
    )
    swept = wb.run("sweep", model, examples, corruptions="swap", severities=(1, 5), inner_options={"draws": 20})
    found = wb.run("slices", swept, draws=199)

    assert found.by[:3] == ("kind", "corruption", "severity")
    assert "severity=5" in found.tables["found"]["slice"].iloc[0]
    assert found.tables["search"]["p_family"].iloc[0] == pytest.approx(1 / 200)
    assert "clusters of one size exchanged and shuffled inside" in found.tables["search"]["method"].iloc[0]
    assert (found.rows.groupby("example")["part"].nunique() == 1).all()


def test_a_loss_is_any_column_that_is_high_where_a_row_is_bad(base: wb.Report) -> None:
    """With loss="brier" means and differences take the place of accuracies, and the worst is the highest."""
    rows = base.rows.assign(brier=lambda one: 1.0 - one["correct"] + 0.1 * one["confidence"])
    found = wb.from_predictions(rows, probe="slices", by=["domain", "region"], loss="brier")
    first = found.tables["found"].iloc[0]

    assert (PLANTED, True) == (first["slice"], first["difference_low"] > 0)
    assert "t intervals" in line(found, "loss_difference", f"slice={PLANTED}")["method"]
    assert line(found, "worst_group_loss", "domain")["method"].startswith(
        "law is highest: t, widened for skewness, allowing"
    )
    assert "accuracy" not in set(found.metrics["metric"])


def test_a_model_and_examples_are_calibrated_first() -> None:
    """Without a report the rows are a calibration's."""
    found = wb.run("slices", Chooser(0.7, right=[True, False]), wb.pack("facts"), depth=1)

    assert line(found, "accuracy")["n"] == len(found.rows)
    assert {"domain", "difficulty", "length", "slice_1"} <= set(found.rows.columns)


def test_sliceline_names_slices_by_its_own_score(report: wb.Report, base: wb.Report, monkeypatch: Any) -> None:
    """The planted slice is first for both; the size of the search is the same; without the package the pip line is said."""
    theirs = wb.run("slices", base, method="sliceline")

    assert PLANTED == theirs.tables["found"]["slice"].iloc[0]
    assert report.tables["search"]["tried"].iloc[0] == theirs.tables["search"]["tried"].iloc[0]
    monkeypatch.setitem(__import__("sys").modules, "sliceline", None)
    with pytest.raises(MissingExtra, match=r"fm-workbench\[slices\]"):
        wb.run("slices", base, method="sliceline")


class Lettered:
    """Embeds a text by its first letter."""

    name = "lettered"
    verbs = frozenset({"embed"})
    info = ModelInfo("lettered", "encoder")

    def embed(self, texts: Sequence[str], **_: Any) -> Embeddings:
        """Give the letter's number, twice."""
        vectors = np.array([[ord(text[0]), ord(text[0])] for text in texts], dtype=np.float32)
        return Embeddings(vectors, np.ones(len(texts), dtype=bool))


def test_topics_are_named_by_their_words() -> None:
    """Two kinds of texts: the one about weather is wrong more often."""
    texts = [f"{'weather in town' if i % 2 else 'account is empty'} {i}" for i in range(400)]
    correct = [int(i % 2 == 0 or i % 4 == 1) for i in range(400)]
    frame = pd.DataFrame({"text": texts, "correct": correct})
    found = wb.from_predictions(frame, probe="slices", topics=2, embedder=Lettered(), depth=1)

    assert "topic=town/weather" == found.tables["found"]["slice"].iloc[0]
    assert {"town/weather", "account/empty"} == set(found.rows["topic"])
    with pytest.raises(UsageError, match="topics needs a model that embeds"):
        wb.from_predictions(frame, probe="slices", topics=2)
    with pytest.raises(UsageError, match="needs as many different texts; there are 400"):
        wb.from_predictions(frame, probe="slices", topics=401, embedder=Lettered())


def test_a_held_out_half_stays_out() -> None:
    """A report with a hold-out: only its explored rows are searched; a hold-out of the probe's own is refused."""
    kept = wb.from_predictions(answers(600), example="id", by=["domain"], holdout=0.5)
    found = wb.run("slices", kept)

    assert set(found.rows["example"]) == set(kept.explored["example"])
    assert "Its 300 held-out rows stay out." in found.notes
    with pytest.raises(UsageError, match="Use split="):
        wb.run("slices", kept, holdout=0.5)


def test_a_report_alone_serves_other_probes_of_predictions(base: wb.Report) -> None:
    """`groups` takes a report too; a probe that asks a model says what it lacks."""
    found = wb.run("groups", base, by="region")

    assert line(found, "accuracy", "region=eu")["n"] == int((base.rows["region"] == "eu").sum())
    assert found.record.command == "wb.run('groups', report, by='region')"
    with pytest.raises(UsageError, match="'sweep' cannot read predictions"):
        wb.run("sweep", base)
    with pytest.raises(UsageError, match="without examples"):
        wb.run("slices", base, wb.pack("facts"))
    with pytest.raises(UsageError, match=r"wb\.run needs examples"):
        wb.run("calibration", Classifier())


@pytest.mark.parametrize(
    ("frame", "more", "message"),
    [
        ({"a": ["x", "y"]}, {"by": "a"}, "none of correct, error, value"),
        ({"correct": [0, 2], "a": ["x", "y"]}, {"by": "a"}, "'correct' must hold 0 or 1"),
        ({"error": [0, "bad"], "a": ["x", "y"]}, {"by": "a"}, "Row 1 has 'bad' in column 'error'"),
        ({"error": [0, 1], "a": ["x", "y"]}, {"by": "b"}, "Unknown column of the rows 'b'"),
        ({"error": [0, 1], "a": ["x", "y"]}, {"by": "length"}, r"A length needs the column\(s\) text"),
        ({"error": [0, 1]}, {}, "There is nothing to search"),
        ({"error": [0, 1], "loss": [1, 1]}, {"by": "loss"}, "'loss' cannot be searched"),
        ({"error": [None, None], "a": ["x", "y"]}, {"by": "a"}, "No row has a loss"),
        ({"error": [0, 1], "a": ["x", "y"]}, {"by": "a", "los": "a"}, "Did you mean 'loss'"),
        ({"error": [0, 1], "a": ["x", "y"]}, {"by": "a", "loss": "erro"}, "Did you mean 'error'"),
        ({"error": [0, 1], "a": ["x", "y"]}, {"by": "a", "depth": 9}, "depth must be a whole number from 1 to 4"),
    ],
)
def test_what_does_not_fit_is_named(frame: dict[str, Any], more: dict[str, Any], message: str) -> None:
    """Each fault is one error that says what was found and what to do."""
    with pytest.raises((DataError, UsageError), match=message):
        wb.from_predictions(pd.DataFrame(frame), probe="slices", **more)


def test_rows_without_a_loss_are_counted() -> None:
    """They stay in the rows and are in no number."""
    frame = answers(200).assign(correct=lambda one: one["correct"].where(one.index >= 7))
    found = wb.from_predictions(frame, probe="slices", example="id", by="domain")

    assert (200, 193) == (len(found.rows), line(found, "accuracy")["n"])
    assert "7 rows have no loss: they are in no number." in found.notes


def test_any_rows_have_metrics_tables_and_charts(report: wb.Report) -> None:
    """None, one, a few: nothing breaks, and a value has its n."""
    probe, rows = find("slices"), report.rows
    rng = np.random.default_rng(0)
    for part in [rows.iloc[:0], rows.iloc[:1], rows.iloc[:2], rows[rng.random(len(rows)) < 0.05]]:
        metrics = probe.summarise(part, report.options, by=report.by)
        tables = probe.tables(part, report.options)
        assert all(chart.to_dict() for chart in probe.charts(metrics, tables, report.options).values())
        assert (metrics.loc[metrics["value"].notna(), "n"] > 0).all()
