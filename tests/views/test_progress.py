"""Progress: rate and time left, what the page hears, and Cancel."""

import io
from typing import Any

import pytest

from workbench.models.verbs import Monitor
from workbench.views.progress import Progress, Tally, TextProgress, monitor


class Clock:
    """A clock that is set by hand, in seconds."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Return True."""
        return True


@pytest.mark.parametrize("make", [Progress, TextProgress])
def test_both_answer_the_protocol(make: Any) -> None:
    """Either can be handed to a model's verb."""
    assert isinstance(make(), Monitor)


def test_outside_a_notebook_progress_is_text() -> None:
    """A test, a script or a terminal gets text."""
    assert isinstance(monitor(), TextProgress)


def test_the_rate_leaves_out_what_came_from_the_cache() -> None:
    """Cached pieces are done at once and say nothing of the speed."""
    clock = Clock()
    tally = Tally(clock=clock)
    tally.start(1000, "questions")
    tally.advance(900, {"cached": 900})
    clock.now += 5
    tally.advance(10, {})

    assert (tally.rate, tally.left) == (2.0, 45.0)


def test_the_rate_is_that_of_the_last_ten_seconds() -> None:
    """A slow start is forgotten."""
    clock = Clock()
    tally = Tally(clock=clock)
    tally.start(1000, "questions")
    clock.now += 100
    tally.advance(10, {})
    for _ in range(30):
        clock.now += 1
        tally.advance(20, {})

    assert tally.rate == pytest.approx(20, rel=0.01)


def test_the_page_is_told_a_few_times_a_second_and_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand batches in a second are a handful of messages; the last state is exact."""
    clock = Clock()
    progress = Progress(clock=clock)
    progress._shown = True
    states: list[dict[str, Any]] = []
    progress.observe(lambda change: states.append(change["new"]), names="state")
    progress.start(1000, "questions")
    for _ in range(1000):
        clock.now += 0.001
        progress.advance(1, device_memory=2**30)
    progress.finish()

    assert len(states) < 12
    assert (states[-1]["done"], states[-1]["status"], states[-1]["memory"]) == (1000, "done", 2**30)


def test_cancel_from_the_page_sets_the_flag() -> None:
    """The flag stays set, the state says so, and an early end is "cancelled"; other messages do nothing."""
    progress = Progress()
    progress._shown = True
    progress.start(10, "questions")
    for wrong in (None, "cancel", {}, {"kind": "stop"}):
        progress._handle_custom_msg(wrong, [])
    assert not progress.stopped
    progress._handle_custom_msg({"kind": "cancel"}, [])
    assert progress.stopped
    assert progress.state["stopped"] is True
    progress.advance(3)
    progress.finish()
    assert progress.state["status"] == "cancelled"


def test_an_end_before_the_total_without_cancel_is_unfinished() -> None:
    """An interrupt or an error is not called done."""
    progress = Progress()
    progress._shown = True
    progress.start(10, "questions")
    progress.advance(4)
    progress.finish()
    assert progress.state["status"] == "unfinished"


def test_text_says_nothing_of_a_short_run_that_nobody_watches() -> None:
    """Tests and CI stay quiet; a run of over 30 seconds says a line."""
    clock, stream = Clock(), io.StringIO()
    text = TextProgress(stream, clock=clock)
    text.start(100, "questions")
    text.advance(50)
    clock.now += 5
    text.advance(10)
    text.finish()
    assert stream.getvalue() == ""
    text.start(100, "questions")
    clock.now += 31
    text.advance(50)
    assert stream.getvalue() == "50 of 100 questions, 1.6/s, about 31 s left\n"


def test_text_in_a_terminal_is_at_most_a_line_a_second() -> None:
    """The line is rewritten in place and ends with the last numbers."""
    clock, stream = Clock(), Terminal()
    text = TextProgress(stream, clock=clock)
    text.start(100, "questions")
    for _ in range(100):
        clock.now += 0.05
        text.advance(1)
    text.finish()
    lines = stream.getvalue().split("\r\033[K")[1:]
    assert len(lines) <= 6
    assert lines[-1].startswith("100 of 100 questions")
    assert stream.getvalue().endswith("\n")
