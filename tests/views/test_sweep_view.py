"""The explorer of a sweep: points of the curve, texts as parts, metrics of a brush; no browser."""

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.views import _fields, _rows
from workbench.views._lens import lens_of
from workbench.views._page import about, part_of

FEW = {"draws": 20}


@pytest.fixture(scope="module")
def report() -> wb.Report:
    """Return a sweep of a classifier that looks for a word."""
    lines = [
        {"text": f"seven words stand here {i}", "label": "yes", "kind": f"k{i % 2}", "id": f"e{i:02d}"}
        for i in range(30)
    ]
    model = wb.load(lambda texts: [[0.3, 0.7] if "words" in t else [0.6, 0.4] for t in texts], labels=["no", "yes"])
    data = wb.Examples.of(lines, example="id", slices=("kind",))
    return wb.run("sweep", model, data, corruptions="swap,delete", severities=(2, 5), inner_options=FEW)


def test_a_point_of_the_curve_is_a_code(report: wb.Report) -> None:
    """Five points: the clean start, whose line has no name, and two severities of two corruptions."""
    lens = lens_of(report)
    curve = lens.fields[1]

    assert ("severity", "curve", 5) == (curve.name, curve.kind, curve.bins)
    assert ("", "swap", "swap", "delete", "delete") == curve.labels
    assert [0, 2, 5, 2, 5] == curve.edges.tolist()
    assert [30] * 5 == np.bincount(curve.codes).tolist()
    assert "severity 2, 5" == curve.describe([1, 4])
    assert ["confidence_change", "severity", "corruption", "kind", "outcome"] == [field.name for field in lens.fields]
    assert 1.0 == lens.points.effect  # within a point each example stands once: copies elsewhere take nothing from it


def test_the_page_is_told_of_the_curve_before_other_charts(report: wb.Report) -> None:
    """Curve, then histogram; the brush beside it counts whole severities; no text of an example is in the page's facts."""
    told = about(report, lens_of(report))

    assert ["curve", "distribution"] == [chart["name"] for chart in told["charts"]]
    assert {"label": "Severity", "low": 0.0, "high": 5.0, "step": 1} == told["panels"][0]["brush"]
    assert "Accuracy by severity" == told["panels"][0]["title"]
    assert "seven" not in str(told)


def test_cells_hold_the_edits_as_parts(report: wb.Report) -> None:
    """Kept, old and new in turn give the text before and after; an unchanged text is a text."""
    explorer = wb.explore(report)
    rows = report.explored
    column = next(at for at, one in enumerate(explorer._columns) if one.kind == "change")
    part = _rows.window(rows, explorer._columns, np.arange(len(rows)), 0, len(rows))
    parts = [line[column] for line in part.cells]

    for cell, before, after in zip(parts, rows["before"], rows["text"], strict=True):
        if isinstance(cell, str):
            assert before == after == cell
        else:
            assert before == "".join(piece for i, piece in enumerate(cell) if i % 3 != 2)
            assert after == "".join(piece for i, piece in enumerate(cell) if i % 3 != 1)
    assert sum(isinstance(cell, list) for cell in parts) > 40
    long = pd.DataFrame(
        {
            "before": ["a" * 900],
            "change": ["x"],
            "edits": ['[["text", 1, 2, 1, 2, "a", "b", "k"], ["text", 800, 801, 800, 801, "a", "b", "k"]]'],
        }
    )
    cut = _rows._cells(long, _rows.Column("change", "", "change"), 400)[0]
    assert ["a", "a", "b"] == cut[:3]
    assert 4 == len(cut)
    assert 410 > len("".join(cut))


def test_a_brush_on_severities_selects_their_rows(report: wb.Report) -> None:
    """The points of severity 5 are two codes; the metrics of the brush are over its rows, without single copies."""
    explorer = wb.explore(report)
    state = {"serial": 1, "mask": False, "temperature": 1.0, "origin": "test", "kind": "brush"}
    explorer._hear(None, {**state, "ranges": [None, [2, 4], None, None, None]}, [])
    chosen = explorer.selection
    found = part_of(report, explorer.lens, explorer.selection).metrics
    explorer._metrics.join(10)

    assert {5} == set(chosen["severity"])
    assert 60 == len(chosen)
    assert {"all"} == set(found["corruption"])
    assert chosen["flipped"].mean() == found.set_index("metric").loc["flip_rate", "value"]
    assert "severity 5" in report.selections["description"].iloc[-1]


def test_parts_of_a_sweep_have_the_curve_that_they_can_have(report: wb.Report) -> None:
    """Without clean rows no line has a start; with one point there is no curve; vectors have the mean of their cosine."""
    corrupted = lens_of(report.where(severity=[2, 5]))
    words = wb.load({f"w{i}": [1.0, float(i)] for i in range(6)} | {"w": [3.0, 1.0]})
    texts = wb.Examples.of([{"text": f"w{i} w{i}"} for i in range(6)])
    vectors = lens_of(wb.run("sweep", words, texts, corruptions="split", severities=(3, 5)))

    assert ("swap", "swap", "delete", "delete") == corrupted.fields[1].labels
    assert _fields.SLICE == lens_of(report.where(variant="swap:2")).fields[1].kind
    assert vectors.view is not None
    assert vectors.view.mean
    assert "similarity" == vectors.fields[0].name
    assert vectors.points is not None
