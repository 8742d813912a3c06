"""How the explorer reads the rows of a probe with a view, and of one without."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pair_probe import PairProbe, pairs, report_of

import workbench as wb
from workbench.errors import UsageError
from workbench.probes.protocol import View
from workbench.stats import intervals
from workbench.views import _rows
from workbench.views._lens import lens_of
from workbench.views._page import about
from workbench.views.canvas import explore

TEXTS = (("text", "AAE", "text"), ("other", "SAE", "text"))


def test_a_view_gives_value_slices_and_outcome() -> None:
    """The value is binned, zero is an edge, rows without a value have a code of their own, and the outcome has its words."""
    frame = pairs(80)
    lens = lens_of(report_of(frame))
    value, bias, outcome = lens.fields
    difference = frame["difference"].to_numpy()

    assert [field.kind for field in lens.fields] == ["value", "slice", "slice"]
    assert 0.0 in value.edges
    assert value.codes[[4, 9]].tolist() == [value.bins] * 2
    known = np.isfinite(difference)
    assert (value.edges[value.codes[known]] <= difference[known] + 1e-12).all()
    assert (difference[known] <= value.edges[value.codes[known] + 1] + 1e-12).all()
    assert bias.name == "bias"
    assert outcome.labels == ("stereotype", "anti-stereotype", "neither")
    assert outcome.codes[[4, 15]].tolist() == [2, 2]
    assert value.describe([0, 1]).startswith("Difference -")


def test_the_table_has_the_columns_of_the_view() -> None:
    """Texts that hold sentences are wide, the outcome is said in the view's words and is no error."""
    lens = lens_of(report_of(pairs(40)))

    assert [column.title for column in lens.columns] == [
        "Stereotype",
        "Anti-stereotype",
        "Difference",
        "Prefers",
        "bias",
    ]
    assert [column.wide for column in lens.columns] == [True, True, False, False, False]
    assert lens.columns[3].words == ("stereotype", "anti-stereotype")
    assert not lens.columns[3].wrong


def test_a_view_without_columns_shows_text_value_and_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    """A probe may leave the columns to the explorer."""
    import dataclasses

    monkeypatch.setattr(PairProbe, "view", dataclasses.replace(PairProbe.view, columns=()))
    lens = lens_of(report_of(pairs(40), by=()))

    assert [column.name for column in lens.columns] == ["text", "difference", "stereotype"]


def test_rows_without_texts_show_their_ids() -> None:
    """Predictions without a text have no column of blanks: their ids stand there; the report's table leaves it out."""
    frame = pd.DataFrame(
        {"example": ["x7", "y8"] * 10, "sex": ["f", "m"] * 10, "hired": [1, 0] * 10, "fit": [1, 1, 0, 0] * 5}
    )
    frame["example"] += frame.index.astype(str)
    report = wb.from_predictions(frame, probe="groups", by=["sex"], predicted="hired", label="fit", draws=20)
    first = lens_of(report).columns[0]

    assert (first.name, first.title, first.wide) == ("example", "Example", True)
    assert report.html().count(">Example</th>") == 0


def test_phrases_side_by_side_are_both_wide() -> None:
    """Where no column holds sentences, texts of like length share the width; a short category beside them is narrow."""
    rows = report_of(pairs(20)).rows.assign(text="he be fooling", other="he's usually fooling", kind="calm")
    view = View("difference", "Gap", "stereotype", "Prefers", ("a", "b"), columns=(*(TEXTS), ("kind", "Kind", "text")))

    assert [column.wide for column in _rows.view_columns(rows, (), view)] == [True, True, False]


def test_other_outcomes_have_words_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A column of right and wrong beside the outcome is said so, in the table and in the report, not in the outcome's words."""
    import dataclasses

    columns = (
        ("text", "Text", "text"),
        ("stereotype", "Prefers", "hit"),
        ("correct", "Right", "hit"),
        ("odd", "Odd", "hit"),
    )
    monkeypatch.setattr(PairProbe, "view", dataclasses.replace(PairProbe.view, columns=columns))
    report = report_of(pairs(40))
    more = wb.Report(report.rows.assign(correct=0.0, odd=1.0), report.record, _given=report._given)
    found = {column.name: (column.words, column.wrong) for column in lens_of(more).columns}

    assert found["stereotype"] == (("stereotype", "anti-stereotype"), False)
    assert found["correct"] == (("right", "wrong"), True)
    assert found["odd"] == (("yes", "no"), False)
    assert ">wrong</td><td>yes</td>" in more.html()


def test_the_view_wins_over_a_confidence() -> None:
    """Rows that also have a confidence and an outcome are shown by the view."""
    report = report_of(pairs(40))
    both = wb.Report(report.rows.assign(confidence=0.5, correct=1.0), report.record, _given=report._given)

    assert lens_of(both).fields[0].kind == "value"
    assert lens_of(both).why_not


def test_the_design_effect_is_that_of_the_outcome() -> None:
    """Templates make rows near copies: Wilson at the effective rows is the metric's interval."""
    report = report_of(pairs(400))
    lens = lens_of(report)
    share = report.metrics.query("metric == 'pct_stereotype' and group == 'all'").iloc[0]
    n = share["n"] / lens.effect.effect

    assert lens.effect.effect > 2
    assert f"count {lens.effect.effect:.1f} rows as one" in about(report, lens)["captions"]["slices"]
    expected = intervals.wilson(share["value"] * n, n)
    assert share["low"] < float(expected.low) < share["value"]  # Student's quantile is the wider


def test_independent_rows_say_nothing_of_clusters() -> None:
    """Without clusters the design effect is 1 and no caption speaks of it, in a calibration as in a view."""
    frame = pd.DataFrame({"confidence": [0.9, 0.4] * 20, "correct": [1, 0] * 20})
    for report in (report_of(pairs(60).drop(columns="cluster")), wb.from_predictions(frame)):
        lens = lens_of(report)
        assert lens.effect == (1.0, intervals.z_quantile(0.95))
        assert "resemble" not in str(about(report, lens)["captions"])
    clustered = wb.from_predictions(frame.assign(cluster=np.arange(40) // 4), cluster="cluster")
    assert (
        "resemble" in about(clustered, lens_of(clustered))["captions"]["slices"]
        or lens_of(clustered).effect.effect < 1.05
    )


def test_without_any_value_there_is_no_histogram() -> None:
    """Outcomes alone (stored answers) leave the chart, its panel and the mean out, and keep the rates."""
    report = report_of(pairs(40))
    bare = wb.Report(report.rows.assign(difference=np.nan), report.record, _given=report._given)
    told = about(bare, lens_of(bare))

    assert (told["charts"], told["panels"]) == ([], [])
    assert [name for name, _ in told["tiles"]] == ["n", "rate"]


def test_the_headline_leads_the_metrics() -> None:
    """The page gets words for the metrics to show, the probe's headline first."""
    report = report_of(pairs(40))
    found = lens_of(report).metrics(report.metrics)

    assert [words for words, _ in found] == ["Pct stereotype", "Likelihood difference"]
    grouped = report.metrics[report.metrics["group"] != "all"]
    assert lens_of(report).metrics(grouped)[0][0].startswith("Pct stereotype, bias=")


@pytest.mark.parametrize(
    ("title", "mean", "heading"),
    [
        ("Difference (nats)", "Mean difference (nats)", "Difference"),
        ("PLL gap", "Mean PLL gap", "PLL gap"),
        ("log odds", "Mean log odds", "Log odds"),
        ("p", "Mean p", "P"),
    ],
)
def test_the_mean_is_named_after_the_value(
    title: str, mean: str, heading: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An acronym keeps its case; the heading leaves the unit to the axis."""
    import dataclasses

    monkeypatch.setattr(PairProbe, "view", dataclasses.replace(PairProbe.view, title=title, columns=()))
    lens = lens_of(report_of(pairs(40)))

    assert (lens.mean_words, lens.heading) == (mean, heading)


def test_selection_and_log_speak_of_the_value() -> None:
    """A brush on the value selects by it from the page and from Python, and is logged in words."""
    report = report_of(pairs(80))
    explorer: Any = explore(report)
    value = explorer._fields[0]
    above = [code for code in range(value.bins) if value.edges[code] >= 0]
    ranges = [above, None, None]
    message = {"kind": "brush", "serial": 1, "ranges": ranges, "mask": False, "temperature": 1.0, "origin": "page"}
    explorer._handle_custom_msg(message, [])
    explorer._metrics.join(20)

    assert (explorer.selection["difference"] >= 0).all()
    assert len(explorer.selection) == (report.rows["difference"] >= 0).sum()
    assert report.selections["description"].iloc[0].startswith("Difference 0 to ")
    explorer.select(["p4", "p9"])
    assert explorer.selection["difference"].isna().all()


def test_rows_of_neither_kind_are_refused() -> None:
    """Rows without view, confidence or outcome: the error names what is missing."""
    report = report_of(pairs(40))
    bare = wb.Report(report.rows.drop(columns="stereotype"), report.record, _given=report._given)

    with pytest.raises(UsageError, match="those of 'pair-fake' lack confidence, correct"):
        explore(bare)
