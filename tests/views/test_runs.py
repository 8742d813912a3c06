"""The runs of a kernel, and what is shown of one while it goes on."""

import gc
import threading
import time
from typing import Any

import pytest

from workbench import run as conduct
from workbench.errors import ModelError, UsageError
from workbench.models.load import load
from workbench.views import progress as progresses
from workbench.views import runs
from workbench.views.progress import Progress
from workbench.views.run_list import RunList

TEXTS = [{"text": f"{i} apples", "label": ("no", "yes")[i % 2]} for i in range(40)]


def guesser(pause: float = 0.0, *, fails_at: int = -1) -> Any:
    """Return a model of two classes that takes its time, and may fail."""

    def guess(text: str) -> dict[str, float]:
        time.sleep(pause)
        if text.startswith(f"{fails_at} "):
            raise ValueError("no")
        return {"no": 0.3, "yes": 0.7}

    return load(guess, labels=["no", "yes"], per_item=True)


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw partial results without a pause."""
    monkeypatch.setattr(progresses, "SKETCH_EVERY", 0.01)
    monkeypatch.setattr(progresses, "SKETCH_SHARE", 1)


def test_a_run_is_noted_and_says_how_it_ended() -> None:
    """The list has its title and status; its report is held by whoever keeps it, not by the list."""
    watch = Progress(shown=True)
    report = conduct("calibration", guesser(), TEXTS, monitor=watch)
    run = runs.runs()[-1]

    assert run.title.startswith("calibration of guess on")
    assert (run.status, run.tally.done, run.report) == ("done", 40, report)
    del report
    gc.collect()
    assert run.report is None


def test_partial_numbers_are_those_of_the_rows_that_are_done(eager: None) -> None:
    """While the run goes on its metrics so far carry intervals and n, and equal those of the first rows in the end."""
    watch, seen = Progress(shown=True), []
    watch.observe(lambda change: seen.append(change["new"]), "partial")
    report = conduct("calibration", guesser(0.02), TEXTS, monitor=watch)

    drawn = [part for part in seen if part.get("lines")]
    assert drawn
    part = drawn[-1]
    accuracy = next(line for line in part["lines"] if line["words"] == "Accuracy")
    rows = report.rows.head(part["done"])
    assert (part["total"], accuracy["n"], accuracy["value"]) == (40, part["done"], pytest.approx(rows.correct.mean()))
    assert accuracy["low"] <= accuracy["value"] < accuracy["high"]
    assert [point["n"] for point in part["trail"]] == sorted({point["n"] for point in part["trail"]})
    assert watch.partial == {}  # the report takes their place


def test_a_run_is_cancelled_from_the_list() -> None:
    """Cancel in the list stops the run it belongs to, and what is done is kept."""
    watch, found = Progress(shown=True), []
    thread = threading.Thread(target=lambda: found.append(conduct("calibration", guesser(0.05), TEXTS, monitor=watch)))
    thread.start()
    while watch.run is None or watch._tally.done < 2:
        time.sleep(0.01)
    shown = RunList()
    shown._hear(shown, {"kind": "cancel", "number": watch.run.number}, [])
    thread.join(20)

    assert (found[0].outcome, watch.status, shown.runs[0]["status"]) == ("interrupted", "cancelled", "cancelled")
    assert 2 <= len(found[0].rows) < 40


def test_a_run_that_fails_says_why() -> None:
    """The error's sentence stands in the list, and the error itself goes on."""
    watch = Progress(shown=True)
    with pytest.raises(ModelError):
        conduct("calibration", guesser(fails_at=3), TEXTS, monitor=watch)

    run = runs.runs()[-1]
    assert (run.status, watch.state["status"]) == ("failed", "failed")
    assert "failed on input 3" in run.problem


def test_what_cannot_be_asked_is_an_outcome() -> None:
    """A probe that the model cannot answer ends as "not applicable", with its reason."""
    watch = Progress(shown=True)
    conduct("calibration", guesser(), "mini", monitor=watch)

    assert watch.status == "not applicable"
    assert watch.state["problem"].startswith("Not applicable: ")


def test_an_unknown_run_is_named() -> None:
    """A number that no run has gives one sentence."""
    with pytest.raises(UsageError, match="no run 99999"):
        runs.numbered(99999)


def test_the_pace_of_a_run_is_remembered() -> None:
    """The next estimate of the same probe on the same model starts from the slowest and fastest third of the last run."""
    watch = Progress(shown=True)
    conduct("calibration", guesser(0.02), TEXTS, monitor=watch)

    number, pace = runs.last_pace("calibration", "guess") or (0, None)

    assert number == watch.run.number  # type: ignore[union-attr] # it was followed
    assert pace is not None
    assert 5 < pace.slow <= pace.fast < 50.5
