"""A run's progress, and a way to stop it: a widget in notebooks, lines on stderr elsewhere.

Both answer the `Monitor` protocol of `workbench.models.verbs`. Cancel sets a flag that the engine reads between batches, so
nothing that is done is lost. The button works while the cell runs: see `workbench.views._live`. The widget follows whole runs too
(`workbench._conduct.Follows`): it notes them among `wb.runs()`, and draws the metrics of the examples that are done so far, on a
thread of its own which takes a twenty-fifth of the time at most.
"""

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TextIO

import anywidget
import traitlets

from workbench.errors import NotApplicable
from workbench.models.verbs import Monitor
from workbench.views import _assets, _sketch, runs
from workbench.views._live import Latest, answer_beside_cells
from workbench.views._tally import Clock, Tally

if TYPE_CHECKING:
    from workbench._record import RunRecord
    from workbench.reports import Report

__all__ = ["Progress", "Tally", "TextProgress", "given", "in_notebook", "monitor"]

PAINT_EVERY = 0.15  # seconds between two updates of the page
TELL_EVERY = 0.5  # seconds between two updates of other lists of runs
LINE_EVERY = 1.0  # seconds between two lines of text
LONG = 30.0  # seconds after which a run says something even where nobody watches
SKETCH_EVERY = 1.5  # seconds between two looks at what is done so far ...
SKETCH_SHARE = 25  # ... and so many times what the last look took
OUTCOMES = {"complete": "done", "not applicable": "not applicable"}  # of a report -> status

_given = threading.local()


def monitor() -> Monitor:
    """Return the monitor that suits this place: a widget in a notebook's kernel, text elsewhere.

    >>> type(monitor()).__name__
    'TextProgress'
    """
    chosen: Monitor | None = getattr(_given, "monitor", None)
    if chosen is not None:
        return chosen
    return Progress() if in_notebook() else TextProgress()


@contextlib.contextmanager
def given(chosen: Monitor) -> Iterator[None]:
    """Let `monitor()` give this one on this thread: for a run whose progress has a place already."""
    _given.monitor = chosen
    try:
        yield
    finally:
        _given.monitor = None


def in_notebook() -> bool:
    """Return whether a kernel with a page, not a terminal, runs this process."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and type(shell).__name__ == "ZMQInteractiveShell"


class Progress(anywidget.AnyWidget):
    """A bar with rate, time left, device memory, partial results and Cancel; it shows itself when the first call starts.

    Statuses: those of `runs.Run`. Partial results are the metrics of the rows that are done, where the model tells its answers.
    """

    _esm = _assets.module(*_assets.PROGRESS)
    _css = _assets.css("progress.css")

    state = traitlets.Dict().tag(sync=True)
    partial = traitlets.Dict().tag(sync=True)  # done, total, lines, trail; or why there is none

    def __init__(self, *, clock: Clock = time.monotonic, shown: bool = False) -> None:
        self._tally = Tally(clock=clock)
        self._clock = clock
        self._stop = threading.Event()
        self._lock = threading.RLock()
        self._painted = self._told = -PAINT_EVERY
        self._shown = shown
        self._status = "running"
        self.run: runs.Run | None = None
        self._so_far: Callable[[], Report | None] | None = None
        self._next_sketch = 0.0
        self._sketches = Latest(self._draw, failed=self._not_drawn)
        super().__init__(state=self._tally.as_state("running", stopped=False))
        answer_beside_cells(self)
        self.on_msg(self._hear)

    @property
    def stopped(self) -> bool:
        """True once Cancel was pressed."""
        return self._stop.is_set()

    @property
    def status(self) -> str:
        """How the run goes."""
        return self._status

    def expect(self, title: str, variable: str = "") -> runs.Run:
        """Note a run that has not begun: its model is loaded first."""
        with self._lock:
            self._status = "starting"
            self.run = runs.begin(title, cancel=self.cancel, tally=self._tally)
            self.run.change(variable=variable)
            self._tally.begin()
            self._paint()
        return self.run

    def start(self, total: int, unit: str) -> None:
        """Show the widget, at the first call, and begin at 0."""
        with self._lock:
            self._tally.start(total, unit)
            self._status = "running"
            self._paint()
        self._show()

    def advance(self, done: int, **facts: Any) -> None:
        """Count; the page is told a few times a second."""
        with self._lock:
            self._tally.advance(done, facts)
            now = self._clock()
            if now - self._painted >= PAINT_EVERY:
                self._paint()
            due = self._so_far is not None and now >= self._next_sketch
            if due:
                self._next_sketch = float("inf")  # until this one is drawn
        if due:
            self._sketches.put(None)

    def finish(self) -> None:
        """Say how a call ended; a run that is followed may make others."""
        with self._lock:
            if self._so_far is None:
                complete = self._tally.done >= self._tally.total
                self._status = "done" if complete else "cancelled" if self.stopped else "unfinished"
            self._paint()

    # -- whole runs --------------------------------------------------------------------------------------------------

    def follow(self, record: "RunRecord", so_far: "Callable[[], Report | None]") -> None:
        """Note a run, and draw what `so_far` gives from time to time."""
        named = record.model.get("name") or ""
        title = record.probe + (f" of {named}" if named else "") + f" on {record.data.get('name', 'examples')}"
        if self.run is None:
            self.run = runs.begin(title, cancel=self.cancel, tally=self._tally)
        with self._lock:
            self._so_far = so_far
            self._status = "running"
            self._next_sketch = self._clock() + SKETCH_EVERY / 2
        self.run.change(status="running", title=title, model=named)

    def end(self, report: "Report") -> None:
        """Say how the run ended."""
        status = OUTCOMES.get(report.outcome, "cancelled" if self.stopped else "unfinished")
        reason = report.notes[0] if report.outcome == "not applicable" and report.notes else ""
        if self.run is not None:
            self.run.ended(report)
            runs.keep_pace(self.run, report.probe, self.run.model)
        self._close(status, reason)

    def fail(self, problem: BaseException) -> None:
        """Say that the run ended in an error."""
        said = str(problem) or type(problem).__name__
        self._close("cancelled" if isinstance(problem, KeyboardInterrupt) else "failed", said)

    def _close(self, status: str, problem: str) -> None:
        with self._lock:
            self._so_far = None
            self._status = status
            self.partial = {}
            if self.run is not None:
                self.run.change(status=status, problem=problem)
            self._paint()

    def _draw(self, _job: Any) -> None:
        """Show the metrics of what is done so far."""
        so_far, began = self._so_far, self._clock()
        report = so_far() if so_far is not None else None
        found = _sketch.lines(report) if report is not None and len(report.explored) else []
        with self._lock:
            now = self._clock()
            self._next_sketch = now + max(SKETCH_EVERY, SKETCH_SHARE * (now - began))
            if self._so_far is None or report is None or not found:
                return
            done, total = report.record.done, report.record.total
            trail = _sketch.grown(self.partial.get("trail", []), done, found)
            self.partial = {"done": done, "total": total, "lines": found, "trail": trail}

    def _not_drawn(self, _job: Any, error: Exception) -> None:
        """Say once why there are no partial numbers, and leave it at that: the run goes on."""
        with self._lock:
            if self._so_far is not None and not self.partial:
                early = "yet" if isinstance(error, NotApplicable) else "before the end"
                self.partial = {"why": f"No numbers {early}: {error or type(error).__name__}"}

    # -- the page ----------------------------------------------------------------------------------------------------

    def cancel(self) -> None:
        """Ask the run to stop after the batch it is in."""
        self._stop.set()
        with self._lock:
            self._paint()

    def _hear(self, _widget: Any, content: Any, _buffers: Any) -> None:
        if isinstance(content, dict) and content.get("kind") == "cancel":
            self.cancel()

    def _show(self) -> None:
        if not self._shown:
            self._shown = True
            from IPython.display import display

            display(self)

    def _paint(self) -> None:
        self._painted = self._clock()
        problem = self.run.problem if self.run is not None else ""
        title = self.run.title if self.run is not None else ""
        told = {"problem": problem, "title": title}
        self.state = {**self._tally.as_state(self._status, stopped=self.stopped), **told}
        if self.run is not None and (self._painted - self._told >= TELL_EVERY or not self.run.going):
            self._told = self._painted
            self.run.change(status=self._status)

    def __repr__(self) -> str:
        return f"Progress: {self._tally.done:,} of {self._tally.total:,} {self._tally.unit}, {self._status}"


class TextProgress:
    """One line on stderr, at most every second: rewritten in a terminal; elsewhere only if a run takes over 30 seconds."""

    stopped = False  # a terminal cancels with Ctrl-C

    def __init__(self, stream: TextIO | None = None, *, clock: Clock = time.monotonic) -> None:
        self._stream = stream or sys.stderr
        self._tally = Tally(clock=clock)
        self._clock = clock
        self._wrote = 0.0
        self._open = False  # a line stands unfinished in the terminal

    def start(self, total: int, unit: str) -> None:
        """Begin at 0, silently."""
        self._tally.start(total, unit)
        self._wrote = self._clock()

    def advance(self, done: int, **facts: Any) -> None:
        """Count, and say so when it is time."""
        self._tally.advance(done, facts)
        pause = LINE_EVERY if self._watched else LONG
        if self._clock() - self._wrote >= pause:
            self._write(self._line())

    def finish(self) -> None:
        """Leave the last line, where there was one, or where somebody watches a run of over a second."""
        if self._open or (self._watched and self._tally.seconds >= LINE_EVERY):
            self._write(self._line(), last=True)

    @property
    def _watched(self) -> bool:
        return bool(self._stream.isatty())

    def _line(self) -> str:
        tally = self._tally
        parts = [f"{tally.done:,} of {tally.total:,} {tally.unit}"]
        if tally.rate > 0:
            parts.append(f"{tally.rate:,.1f}/s")
        if tally.left is not None and tally.done < tally.total:
            parts.append(f"about {tally.left:,.0f} s left")
        parts += [f"{tally.cached:,} cached"] if tally.cached else []
        parts += [f"{tally.memory / 2**30:.2f} GiB"] if tally.memory else []
        return ", ".join(parts)

    def _write(self, line: str, *, last: bool = False) -> None:
        self._wrote = self._clock()
        if self._watched:
            self._stream.write(f"\r\033[K{line}" + ("\n" if last else ""))
            self._open = not last
        else:
            self._stream.write(line + "\n")
        self._stream.flush()
