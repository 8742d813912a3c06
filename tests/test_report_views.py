"""Reports of probes that say what to show: headline, slices, view, and captions of their own charts."""

import re
from typing import Any

import altair as alt
import pandas as pd
import pytest
from pair_probe import PROBE, Nobody, PairProbe, pairs, read_pairs, report_of

import workbench as wb
from workbench._report_html import notebook_html, text, to_html


def cells(page: str, heading: str) -> list[list[str]]:
    """Return the lines of the table under a heading, as texts."""
    part = page.partition(f"<h2>{heading}</h2>")[2].partition("</table>")[0]
    lines = re.findall(r"<tr>(.*?)</tr>", part, re.DOTALL)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line, re.DOTALL) for line in lines]


def test_the_headline_comes_first_in_text_and_pages() -> None:
    """A probe's headline orders the metrics, and those of the slices."""
    report = report_of(pairs(80))
    lines = text(report).splitlines()

    assert [line.split("  ")[1] for line in lines[2:4]] == ["Pct stereotype", "Likelihood difference"]
    assert notebook_html(report).index("Pct stereotype") < notebook_html(report).index("Likelihood difference")
    assert cells(to_html(report), "Slices")[0][2:] == ["Pct stereotype", "Likelihood difference"]


def test_without_a_headline_the_first_metrics_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A probe need not say; one whose headline names nothing that is there shows the first too."""
    report = report_of(pairs(80))
    for headline in ((), ("unheard_of",)):
        monkeypatch.setattr(PairProbe, "headline", headline)
        assert "Likelihood difference" in text(report).splitlines()[2]


def test_the_examples_table_has_the_columns_of_the_view() -> None:
    """Pairs stand side by side under the view's titles, the largest values first, 1 and 0 in words, blanks blank."""
    frame = pairs(80)
    report = report_of(frame)
    head, *lines = cells(to_html(report, rows=80), "Examples")
    largest = frame.sort_values("difference", ascending=False).iloc[0]

    assert head == ["example", "Stereotype", "Anti-stereotype", "Difference", "Prefers", "bias"]
    assert lines[0][:3] == [largest["example"], largest["text"], largest["other"]]
    assert lines[0][4] == "stereotype"
    assert lines[-3][4] == "anti-stereotype"
    assert [line[3:5] for line in lines[-2:]] == [["", ""], ["", ""]]
    assert "80 of 80 rows, in descending order of Log-likelihood difference (nats)" in to_html(report)


def test_texts_of_a_view_stay_text() -> None:
    """Markup in any column of the view is escaped."""
    attack = "</td><script>window.__xss=1</script>"
    page = to_html(report_of(pairs(40).assign(other=attack, text=attack)))

    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_a_chart_may_explain_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chart's own description is its caption, escaped, where a name alone says nothing."""
    chart = alt.Chart(alt.InlineData(values=[{"a": 1}])).mark_point().encode(x="a:Q").properties(description="A < B.")
    monkeypatch.setattr(PairProbe, "charts", lambda *_: {"cloud": chart})
    report = report_of(pairs(40))

    assert "<figcaption>A &lt; B.</figcaption>" in to_html(report)
    assert "A &lt; B." in notebook_html(report)


def test_the_charts_of_pairs_are_explained() -> None:
    """No figure of a report of `pairs` lacks its sentence."""
    page = to_html(read_pairs(pairs(80)))

    assert page.count("<figure>") >= 4
    assert "<figcaption></figcaption>" not in page


def test_a_view_without_its_columns_is_none() -> None:
    """Rows that lack the value or the outcome are shown as any others."""
    report = report_of(pairs(40))
    bare = wb.Report(report.rows.drop(columns="stereotype"), report.record, _given=PROBE)

    assert report.view == PROBE.view
    assert bare.view is None
    assert wb.from_predictions(pd.DataFrame({"confidence": [0.9], "correct": [1]})).view is None


def test_a_probe_given_as_an_object_needs_no_name() -> None:
    """The report of an unregistered probe shows, slices and takes options as any other."""
    report = wb.run(PROBE, Nobody(), wb.Examples(pairs(80), name="mine", slices=("bias",)), shift=1.0)

    assert report.title == "Sentence pairs of nobody"
    assert set(report.where(bias="religion").rows["bias"]) == {"religion"}
    assert report.with_options(by=()).metrics["group"].tolist() == ["all", "all"]
    with pytest.raises(Exception, match="Unknown option"):
        report.with_options(shifts=2.0)


def test_calibration_says_its_own_headline() -> None:
    """What reports show first of a calibration is the probe's word."""
    report: Any = wb.from_predictions(pd.DataFrame({"confidence": [0.9, 0.4] * 20, "correct": [1, 0] * 20}))

    assert report.headline[:4] == ("accuracy", "accuracy_of_all", "mean_confidence", "confidence_gap")
    assert report.sliced == ("accuracy", "mean_confidence", "confidence_gap", "ece", "smooth_ece", "auroc")
