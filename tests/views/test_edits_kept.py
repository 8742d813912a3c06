"""Edits and lines are saved with a report: opened again, they stand where they stood; older and damaged files open, too."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from views.test_cut import decided
from views.test_explorer import brush, made_up
from views.test_what_if import Reader, run

import workbench as wb
from workbench._edited import edited_of
from workbench._report_html import to_html
from workbench.views.canvas import explore

EVIL = "Is <img src=x onerror=alert(1)> tall?"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a saved report of which two edits were asked."""
    model = Reader()
    report = run(model)
    explorer = explore(report, model=model)
    explorer.what_if("q0", text=EVIL)
    explorer.what_if("q1", text="Is she quite old?")
    explorer.abstain(0.6)
    return report.save(tmp_path_factory.mktemp("edits") / "asked")


def test_edits_come_back_as_a_table_of_old_and_new_answers(saved: Path) -> None:
    """In Python, in the page and in the saved page, where texts are escaped; more can be asked, and is kept after them."""
    report = wb.open(saved)
    edits = report.edits
    assert edits["example"].tolist() == ["q0", "q1"]
    assert edits["text"].tolist() == [EVIL, "Is she quite old?"]
    assert (edits["confidence_new"] != edits["confidence_old"]).all()

    explorer = explore(report)
    assert explorer.asked["n"] == 2
    assert [head["words"] for head in explorer.asked["heads"]] == ["Answer", "Right", "Confidence"]
    newest, oldest = explorer.asked["lines"]
    assert (newest["row"], newest["parts"]) == (1, ["Is she ", "", "quite ", "old?"])
    assert oldest["answers"][2] == [edits["confidence_old"][0], edits["confidence_new"][0]]

    page = to_html(report, pictures=False)
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "<h2>What if</h2>" in page

    model = Reader()
    more = explore(report, model=model)
    again = more.what_if(edits.iloc[1], text=edits["text"][1]).set_index("measure")
    assert again.loc["confidence", "new"] == pytest.approx(edits["confidence_new"][1], abs=1e-12)
    assert (len(report.edits), more.asked["n"]) == (3, 3)
    part = report.where(["q0"])
    assert part.edits["example"].tolist() == ["q0"]
    assert [line["row"] for line in explore(part).asked["lines"]] == [0]
    explore(part).abstain(0.9)
    assert explore(report).state["cut"] == 0.6


def test_a_line_stands_where_it_stood(saved: Path, tmp_path: Path) -> None:
    """With its rates; it is not logged as looked at once more, and can be moved, taken back and taken away."""
    report = wb.open(saved)
    explorer = explore(report)
    assert (explorer.state["cut"], explorer.words) == (0.6, "abstaining below 0.6")
    assert len(explorer.rates)
    assert not explorer.undo()
    explorer.abstain(0.8)
    assert explorer.undo()
    assert explorer.state["cut"] == 0.6
    explorer.clear()
    assert explore(wb.open(report.save(tmp_path / "cleared"))).state["cut"] is None

    groups = decided(60)
    explore(groups).decide(0.4)
    assert explore(wb.open(groups.save(tmp_path / "groups"))).state["cut"] == 0.4
    canvas = explore(groups, wb.open(tmp_path / "groups.workbench"))
    assert [one.state["cut"] for one in canvas.explorers] == [0.4, 0.4]


def test_a_temperature_is_as_it_was_left(tmp_path: Path) -> None:
    """With the line at it, and the same rates; `clear()` takes it away; what is no temperature is left out."""
    report = made_up(30, logits=True, draws=20)
    left = explore(report)
    left._hear(None, brush(left, temperature=2.0, cut=0.5), [])
    left._metrics.join(20)
    again = explore(wb.open(report.save(tmp_path / "heated")))
    assert (again.state["temperature"], again.state["cut"]) == (2.0, 0.5)
    pd.testing.assert_frame_equal(again.rates, left.rates)
    cold = explore(made_up(30, logits=True, draws=20))
    cold.abstain(0.5)
    assert not cold.rates["value"].equals(again.rates["value"])
    assert not again.undo()
    assert again._findings.looked(again.words, again._chosen.brush, again.chosen)
    assert again._report.selections["description"].tolist() == [
        "abstaining below 0.5; at T = 2"
    ]  # once, before it was saved
    again.clear()
    assert explore(again._report).state["temperature"] == 1.0

    for heat in ("2", True, -1, 0, float("inf"), None):
        assert edited_of({"temperature": heat}, None).temperature == 1.0
    odd = changed(tmp_path / "heated.workbench", tmp_path / "odd.workbench", {"temperature": 40.0})
    assert explore(wb.open(odd)).state["temperature"] == 1.0


def changed(source: Path, target: Path, about: dict[str, Any], drop: str = "") -> Path:
    """Copy a saved report with other words of itself, without the files of a name."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "report.json":
                content = json.dumps({**json.loads(content), **about}).encode()
            if name != drop:
                new.writestr(name, content)
    return target


def test_older_and_damaged_files_open(saved: Path, tmp_path: Path) -> None:
    """Without edits there are none; a line that is no number from 0 to 1, or that the rows do not know, is left out."""
    older = wb.open(changed(saved, tmp_path / "older.workbench", {"line": None}, drop="edits.parquet"))
    assert list(older.edits)[:4] == ["time", "example", "variant", "text"]
    assert explore(older).asked == {"n": 0, "heads": [], "lines": []}
    for line in ("0.5", 7, True, float("nan"), [1]):
        assert edited_of({"line": line}, None).line is None
    plain = made_up(20)
    explore(plain)
    with zipfile.ZipFile(plain.save(tmp_path / "plain")) as archive:
        assert "edits.parquet" not in archive.namelist()
        assert "line" not in json.loads(archive.read("report.json"))
    strange = pd.DataFrame({"example": ["q0"], "text": [None], "predicted_old": [["a"]], "predicted_new": [None]})
    kept = io.BytesIO(strange.to_parquet(index=False))
    older._edited.edits.extend(edited_of({}, pd.read_parquet(kept)).edits)
    assert explore(older).asked["lines"][0]["answers"] == [["['a']", None]]
    assert not edited_of({}, strange.drop(columns="example")).edits
    assert "<h2>What if</h2>" in to_html(older, rows=0, pictures=False)
