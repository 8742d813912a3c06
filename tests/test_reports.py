"""Reports: parts, files, reprs."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fakes import Chooser

import workbench as wb
from workbench.errors import DataError, UsageError
from workbench.models.verbs import ModelInfo

ATTACK = "<script>window.__xss=1</script>\u202e"


class Vectors:
    """Can be asked for vectors only."""

    name = "vectors"
    verbs = frozenset({"embed"})
    info = ModelInfo("vectors", "embedder")


@pytest.fixture
def report() -> wb.Report:
    """Return a report of 200 predictions in two languages."""
    rng = np.random.default_rng(0)
    confidence = rng.beta(4, 1.2, 200)
    frame = pd.DataFrame(
        {
            "example": [f"e{i:03d}" for i in range(200)],
            "confidence": confidence,
            "correct": (rng.random(200) < confidence**1.3).astype(int),
            "language": np.where(np.arange(200) % 3 == 0, "de", "en"),
            "text": [f"{ATTACK} {i}" for i in range(200)],
        }
    )
    return wb.from_predictions(frame, by="language", name="trial")


def test_saving_and_opening_keeps_everything(report: wb.Report, tmp_path: Path) -> None:
    """Rows, metrics, tables, notes and record come back."""
    report.log_selection("brush", "confidence 0.8-1.0", 40)
    path = report.save(tmp_path / "trial")
    again = wb.open(tmp_path / "trial")

    assert path.name == "trial.workbench"
    pd.testing.assert_frame_equal(report.metrics, again.metrics)
    pd.testing.assert_frame_equal(report.rows, again.rows, check_dtype=False)
    assert report.record.as_dict() == again.record.as_dict()
    assert again.selections["description"].tolist() == ["confidence 0.8-1.0"]


def test_stored_metrics_equal_those_computed_from_rows(report: wb.Report, tmp_path: Path) -> None:
    """What a saved report shows is a function of its rows."""
    again = wb.open(report.save(tmp_path / "trial"))

    pd.testing.assert_frame_equal(again.metrics, again.where(again.rows["example"]).metrics)


def test_saved_lists_survive(tmp_path: Path) -> None:
    """Logits and choices come back as lists that the temperature slider can use."""
    frame = pd.DataFrame({"probabilities": [[0.7, 0.3], [0.4, 0.6]], "label": [0, 0]})
    again = wb.open(wb.from_predictions(frame).save(tmp_path / "lists"))

    assert [list(x) for x in again.rows["choices"]] == [["0", "1"]] * 2
    assert np.allclose(np.log([0.7, 0.3]), again.rows["logits"].iloc[0])


@pytest.mark.parametrize("pictures", [False, True])
def test_a_saved_file_holds_a_page_that_needs_no_kernel(report: wb.Report, tmp_path: Path, *, pictures: bool) -> None:
    """The page is the escaped HTML document; the charts are in it where they were asked for."""
    with zipfile.ZipFile(report.save(tmp_path / "r", pictures=pictures)) as archive:
        page = archive.read("report.html").decode()

    assert "default-src 'none'" in page
    assert "<script" not in page
    assert "<h2>Numbers</h2>" in page
    assert pictures == ("<svg" in page)


def test_a_file_that_is_no_report_is_refused(tmp_path: Path) -> None:
    """A wrong path, a wrong file and a newer schema have one error each."""
    (tmp_path / "x.workbench").write_text("no zip")
    with pytest.raises(DataError, match="not a saved report"):
        wb.open(tmp_path / "x")
    with pytest.raises(DataError, match="There is no report"):
        wb.open(tmp_path / "absent")


def test_the_command_says_which_part_was_run() -> None:
    """A pack is named in quotes, a part of it with the calls that took it, other examples by their name."""
    pack = wb.pack("mini")
    own = wb.Examples.of(pack.frame, name="mine", text="text", choices="choices", label="label")
    said = [wb.run("calibration", Chooser(), data).record.command for data in (pack, pack.sample(4, seed=1), own)]

    assert "wb.run('calibration', 'chooser', 'mini')" == said[0]
    assert "wb.run('calibration', 'chooser', wb.pack('mini').sample(4, seed=1))" == said[1]
    assert "wb.run('calibration', 'chooser', mine)" == said[2]


def test_a_newer_schema_is_refused(report: wb.Report, tmp_path: Path) -> None:
    """A report of a later version says that Workbench must be upgraded."""
    path = report.save(tmp_path / "trial")
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    about = json.loads(parts["report.json"])
    about["record"]["schema"] = 99
    parts["report.json"] = json.dumps(about).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)

    with pytest.raises(DataError, match="Upgrade"):
        wb.open(path)


def test_where_takes_ids_tables_and_columns(report: wb.Report) -> None:
    """Three ways to say the same part."""
    german = report.rows.query("language == 'de'")

    assert len(german) == len(report.where(language="de").rows)
    assert len(german) == len(report.where(german).rows)
    assert len(german) == len(report.where(german["example"].tolist()).rows)


def test_where_refuses_strangers(report: wb.Report) -> None:
    """An unknown id, an unknown column, and a bare string are errors that help."""
    with pytest.raises(UsageError, match="Unknown example 'zzz'"):
        report.where(["zzz"])
    with pytest.raises(UsageError, match="Did you mean 'language'"):
        report.where(langage="de")
    with pytest.raises(UsageError, match="An id stands in a list"):
        report.where("e001")


def test_an_unknown_chart_names_those_that_are_there(report: wb.Report) -> None:
    """The error lists the charts."""
    with pytest.raises(UsageError, match="reliability"):
        report.chart("reliabilty")


def test_untrusted_text_is_escaped_everywhere(report: wb.Report) -> None:
    """Neither the notebook's HTML nor the document holds the script that stands in the data."""
    assert ATTACK not in report._repr_html_()
    document = report.html(rows=50)

    assert "<script" not in document.lower()
    assert "&lt;script&gt;" in document
    assert "&lt;/script&gt;\\u202e 1" in document  # what would turn the words behind it around is written out
    assert "\u202e" not in document + report._repr_html_()


def test_the_document_is_written_whole(report: wb.Report, tmp_path: Path) -> None:
    """`to_html` returns the path of a file under 1 MB that loads nothing."""
    path = report.to_html(tmp_path / "deep" / "report.html")

    assert path.stat().st_size < 1_000_000
    assert "src=" not in path.read_text().replace('src="data:', "")


def test_repr_is_text(report: wb.Report) -> None:
    """The repr names the probe, n and the accuracy with its interval."""
    shown = repr(report)

    assert "Calibration" in shown
    assert "Accuracy" in shown
    assert "200" in shown


def test_charts_are_altair_and_show_without_a_network(report: wb.Report) -> None:
    """A chart is Altair's own, and its notebook display is a picture that names no other host."""
    import altair as alt

    chart = report.chart("reliability")

    assert isinstance(chart, alt.TopLevelMixin)
    assert chart._repr_mimebundle_()["text/html"].startswith('<img alt="Chart" src="data:image/svg+xml')


@pytest.mark.parametrize("probe", ["pairs", "calibration"])
def test_a_report_that_is_not_applicable_shows_its_reason(probe: str, tmp_path: Path) -> None:
    """Also where it should have been sliced: it has no rows, and no columns to slice by."""
    frame = pd.DataFrame({"text": ["a b"], "other": ["c d"], "kind": ["x"], "choices": [["a", "b"]], "label": [0]})
    report = wb.run(probe, Vectors(), wb.Examples.of(frame), by=["kind"])

    assert "not applicable" == report.outcome
    assert (0, {}, ["selections"]) == (len(report.metrics), report.charts(), list(report.tables))
    for said in (repr(report), report._repr_html_(), report.html(), repr(wb.open(report.save(tmp_path / "none")))):
        assert "Not applicable: " in said
