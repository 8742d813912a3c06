"""Several reports on one canvas, kernel side: joining by example, one selection, history, names."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.errors import UsageError
from workbench.views.canvas import Canvas, explore, told_apart
from workbench.views.explorer import Explorer

N = 120


def frame(n: int = N, seed: int = 0) -> pd.DataFrame:
    """Return predictions with a slice column."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "example": [f"e{i}" for i in range(n)],
            "confidence": rng.uniform(0.3, 1, n),
            "correct": rng.integers(0, 2, n).astype(float),
            "domain": rng.choice(["law", "music"], n),
        }
    )


def whole(**options: Any) -> Any:
    """Return a report with one row of each example."""
    return wb.from_predictions(frame(), by=["domain"], name="one", **options)


def several() -> Any:
    """Return a report with three rows of each example but the first ten, in another order."""
    table = pd.concat([frame(seed=k + 1).assign(variant=str(k)) for k in range(3)]).query("example not in @FIRST")
    table = table.sample(frac=1, random_state=3)
    made = wb.from_predictions(table.assign(example=table["example"] + table["variant"]), by=["domain"], name="two")
    return wb.Report(
        made.rows.assign(example=table["example"].to_numpy(), variant=table["variant"].to_numpy()), made.record
    )


FIRST = [f"e{i}" for i in range(10)]


@pytest.fixture
def canvas() -> Callable[..., Canvas]:
    """Return a maker of canvases that keep what their explorers send."""

    def make(*reports: Any) -> Canvas:
        made = explore(*reports)
        assert isinstance(made, Canvas)
        for one in made.explorers:
            one.sent = []
            one.send = lambda content, buffers=None, one=one: one.sent.append(content)
        return made

    return make


def brush(explorer: Explorer, serial: int, step: int = 0, **ranges: list[int]) -> None:
    """Let the page brush fields of one explorer."""
    names = [field.name for field in explorer._fields]
    codes = [ranges.get(name) for name in names]
    message = {"kind": "brush", "serial": serial, "ranges": codes, "mask": False, "temperature": 1.0}
    explorer._handle_custom_msg({**message, "origin": "page", "step": step or serial}, [])


def test_a_brush_in_one_report_selects_the_rows_of_its_examples_in_the_other(canvas: Any) -> None:
    """A row of the other report is selected when its example is; the metrics are those of these rows, in each."""
    one, two = whole(), several()
    made = canvas(one, two)
    first, second = made.explorers
    brush(first, 1, confidence=[10, 11, 12])
    wanted = one.explored.query("10 / 15 <= confidence < 13 / 15")["example"]

    assert first.selection["example"].tolist() == wanted.tolist()
    expected = two.explored[two.explored["example"].isin(wanted)]
    assert second.selection["variant"].tolist() == expected["variant"].tolist()
    assert made.ids == wanted.tolist()
    assert len(wb.selection) == len(wanted)
    for explorer, report in ((first, one), (second, two)):
        explorer._metrics.join(20)
        told = [message for message in explorer.sent if message["kind"] == "metrics"][-1]
        part = report.where(wanted[wanted.isin(report.rows["example"])])
        accuracy = part.with_options(by=()).metrics.set_index("metric").loc["accuracy"]
        assert (told["serial"], told["n"]) == (1, len(part.rows))
        shown = next(line for line in told["metrics"] if line["metric"] == "accuracy")
        assert (shown["value"], shown["low"], shown["high"]) == pytest.approx(
            (accuracy.value, accuracy.low, accuracy.high)
        )
    assert second._report.selections["description"].tolist() == ["confidence 0.667 to 0.867 (Calibration of one)"]


def test_an_example_passes_a_report_when_one_of_its_rows_does(canvas: Any) -> None:
    """Brushed in the report with three rows of each: one row in the brush is enough, and its own rows are those in it."""
    one, two = whole(), several()
    first, second = canvas(one, two).explorers
    brush(second, 1, domain=[0])
    label = second._fields[2].labels[0]
    rows = two.explored[two.explored["domain"] == label]

    assert second.selection["example"].tolist() == rows["example"].tolist()
    assert set(first.selection["example"]) == set(rows["example"])
    assert not set(FIRST) & set(first.selection["example"])  # a brushed report lets nothing pass that it lacks
    brush(first, 2, outcome=[1])
    wrong = one.explored.query("correct == 0")["example"]
    assert set(first.selection["example"]) == set(wrong) & set(rows["example"])
    assert second.selection["example"].tolist() == rows["example"][rows["example"].isin(wrong)].tolist()


def test_reports_row_for_row_send_no_places(canvas: Any) -> None:
    """Where the rows are the examples the page needs no index; else four bytes a row."""
    same = canvas(whole(), wb.from_predictions(frame(seed=5), name="three"))
    apart = canvas(whole(), several())

    assert [one.places for one in same.explorers] == [b"", b""]
    assert [one.about["link"]["aligned"] for one in same.explorers] == [True, True]
    places = [np.frombuffer(one.places, np.int32) for one in apart.explorers]
    assert [len(one) for one in places] == [N, 3 * (N - 10)]
    assert (apart._link.names[places[1]] == apart._reports[1].explored["example"]).all()


def test_the_history_goes_back_and_forth_over_all_reports(canvas: Any) -> None:
    """A drag is one step; undo and redo set brushes and masks of every report, from Python and from the page."""
    made = canvas(whole(), several())
    first, second = made.explorers
    brush(first, 1, step=1, confidence=[10, 11, 12])
    brush(first, 2, step=1, confidence=[10, 11, 12, 13])
    brush(second, 3, step=1, domain=[1])
    states = [len(one.selection) for one in made.explorers]
    made.select(["e20", "e30"])

    assert made.undo()
    assert [len(one.selection) for one in made.explorers] == states
    assert first.state["ranges"][0] == [10, 11, 12, 13]
    assert first.state["origin"] == "kernel"
    second._handle_custom_msg({"kind": "undo"}, [])
    if first.state["ranges"][0] is not None:
        second._handle_custom_msg({"kind": "undo"}, [])
    assert [len(one.selection) for one in made.explorers] == [N, 3 * (N - 10)]
    assert not made.undo()
    assert first.sent[-1]["undo"] is False
    assert first.sent[-1]["redo"] is True
    while made.redo():
        pass
    assert made.ids == ["e20", "e30"]
    assert len(second.selection) == 6


def test_a_named_selection_is_kept_with_each_report_and_its_file(canvas: Any, tmp_path: Any) -> None:
    """The name is in `selections`, survives save and open, and selects again; the page hears of it."""
    one, two = whole(), several()
    made = canvas(one, two)
    with pytest.raises(UsageError, match="Nothing is selected"):
        made.name("none")
    brush(made.explorers[0], 1, confidence=[10, 11, 12])
    ids = made.ids
    made.explorers[0]._handle_custom_msg({"kind": "name", "name": "  hard questions "}, [])

    assert one.selections["name"].tolist()[-1] == "hard questions"
    assert list(one.selected("hard questions")) == ids
    assert made.explorers[1].saved == [["hard questions", len(set(ids) - set(FIRST))]]
    again = wb.open(one.save(tmp_path / "kept"))
    assert list(again.selected("hard questions")) == ids
    assert again.where("hard questions").rows["example"].tolist() == ids
    other = canvas(again, two)
    other.select("hard questions")
    assert other.ids == ids
    with pytest.raises(UsageError, match="no selection named 'easy'. Known: 'hard questions'"):
        other.select("easy")
    other.explorers[0]._handle_custom_msg({"kind": "recall", "name": "easy"}, [])
    assert "no selection named" in other.explorers[0].sent[-1]["text"]
    for bad in ("", "x" * 81, "two\nlines"):
        with pytest.raises(UsageError, match="a line of 1 to 80"):
            other.name(bad)


def test_an_explorer_alone_has_a_history_and_names() -> None:
    """One report: undo, redo and name without a canvas."""
    report = whole()
    explorer: Any = explore(report)
    explorer.select(["e3"])
    explorer.name("three")
    explorer.clear()

    assert explorer.undo()
    assert explorer.ids == ["e3"]
    assert explorer.redo()
    assert len(explorer.selection) == N
    explorer.select("three")
    assert explorer.ids == ["e3"]


def test_reports_of_one_title_are_told_apart() -> None:
    """By the options in which they differ, else by their places; a title that is alone needs nothing."""
    one, other = whole(), whole().with_options(bins=10)

    assert ["bins=15", "bins=10", ""] == told_apart([one, other, several()])
    assert ["report 1", "report 2"] == told_apart([one, whole()])
    shifts: Any = [SimpleNamespace(title="Shift", options={"reference": frame(), "folds": k}) for k in (2, 5, 5)]
    assert ["folds=2", "folds=5"] == told_apart(shifts[:2])  # a table has no words
    assert ["report 1", "report 2"] == told_apart(shifts[1:])


def test_reports_that_share_no_example_are_named(canvas: Any) -> None:
    """One error names both reports and shows their ids; too many, none, and other things are refused, too."""
    stranger = wb.from_predictions(frame().assign(example=lambda t: "x" + t["example"]), name="stranger")
    with pytest.raises(
        UsageError, match=r"'Calibration of one' \(ids like 'e0'\) and 'Calibration of stranger' .* share no example"
    ):
        explore(whole(), stranger)
    with pytest.raises(UsageError, match="no explored rows"):
        explore(whole(), whole().where([]))
    with pytest.raises(UsageError, match="at most 6"):
        explore(*[whole()] * 7)
    with pytest.raises(UsageError, match="or a comparison alone, or what wb.robustness gives; found str"):
        explore(whole(), "report")  # type: ignore[arg-type]
    made = canvas(whole(), several())
    with pytest.raises(UsageError, match="No report holds all of these examples; 'zzz'"):
        made.select(["e3", "zzz"])


def test_only_explored_rows_are_linked(canvas: Any) -> None:
    """An example that is held out in one report is not shown there, whatever the other selects."""
    one, two = whole(holdout=0.5), several()
    first, second = canvas(one, two).explorers
    held = one.rows[one.rows["half"] == "confirm"]["example"]
    second.select([name for name in held if name not in FIRST][:5])

    assert len(first.selection) == 0
    assert len(second.selection) == 15


def test_a_saved_canvas_shows_every_report(canvas: Any) -> None:
    """Without a kernel the pictures of all reports stand in the notebook."""
    made = canvas(whole(), several())
    data, _ = made._repr_mimebundle_()

    assert data["text/html"].count("<svg") + data["text/html"].count("data:image/svg+xml") >= 2
    assert "Calibration of one; Calibration of two" in data["text/plain"]
    assert "120 of 120 examples selected" in repr(made)
