"""A run's progress, and a way to stop it: a widget in notebooks, lines on stderr elsewhere.

Both answer the `Monitor` protocol of `workbench.models.verbs`. Cancel sets a flag that the engine reads between batches, so
nothing that is done is lost. The button works while the cell runs: see `workbench.views._live`.
"""

import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TextIO

import anywidget
import traitlets

from workbench.models.verbs import Monitor
from workbench.views import _assets
from workbench.views._live import answer_beside_cells

__all__ = ["Progress", "Tally", "TextProgress", "monitor"]

PAINT_EVERY = 0.15  # seconds between two updates of the page
LINE_EVERY = 1.0  # seconds between two lines of text
LONG = 30.0  # seconds after which a run says something even where nobody watches
LOOK_BACK = 10.0  # seconds that the rate is taken over

Clock = Callable[[], float]


def monitor() -> Monitor:
    """Return the monitor that suits this place: a widget in a notebook's kernel, text elsewhere.

    >>> type(monitor()).__name__
    'TextProgress'
    """
    return Progress() if _in_notebook() else TextProgress()


def _in_notebook() -> bool:
    """Return whether a kernel with a page, not a terminal, runs this process."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and type(shell).__name__ == "ZMQInteractiveShell"


@dataclass
class Tally:
    """How far a run is, and how fast: the arithmetic of both monitors. Seconds are the clock's."""

    clock: Clock = time.monotonic
    total: int = 0
    done: int = 0
    unit: str = ""
    cached: int = 0
    memory: int = 0
    began: float = 0.0
    said: float | None = None  # pieces per second, where the engine says it
    _marks: deque[tuple[float, int]] = field(default_factory=deque)

    def start(self, total: int, unit: str) -> None:
        """Begin a call: counts start again, the clock too."""
        self.total, self.unit, self.done, self.cached, self.said = int(total), unit, 0, 0, None
        self.began = self.clock()
        self._marks = deque([(self.began, 0)])

    def advance(self, done: int, facts: dict[str, Any]) -> None:
        """Count `done` more pieces. What came from the cache does not count towards the rate."""
        self.done = min(self.total, self.done + int(done)) if self.total else self.done + int(done)
        self.cached = int(facts.get("cached", self.cached))
        self.memory = int(facts.get("device_memory") or self.memory)
        self.said = facts.get("rate", self.said)
        now = self.clock()
        self._marks.append((now, self.done - self.cached))
        while len(self._marks) > 2 and self._marks[1][0] < now - LOOK_BACK:
            self._marks.popleft()

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return self.clock() - self.began

    @property
    def rate(self) -> float:
        """Pieces per second over the last ten seconds, 0 where it is not known.

        >>> now = iter([0.0, 2.0])
        >>> tally = Tally(clock=lambda: next(now))
        >>> tally.start(10, "questions"); tally.advance(4, {}); tally.rate, tally.left
        (2.0, 3.0)
        """
        if self.said:
            return float(self.said)
        if len(self._marks) < 2:
            return 0.0
        (t0, n0), (t1, n1) = self._marks[0], self._marks[-1]
        return max(0.0, (n1 - n0) / (t1 - t0)) if t1 > t0 else 0.0

    @property
    def left(self) -> float | None:
        """Seconds still to go, None where it is not known."""
        return (self.total - self.done) / self.rate if self.rate > 0 and self.total else None

    def as_state(self, status: str, *, stopped: bool) -> dict[str, Any]:
        """Return what the page shows."""
        numbers = {
            "total": self.total,
            "done": self.done,
            "unit": self.unit,
            "cached": self.cached,
            "memory": self.memory,
        }
        return {
            **numbers,
            "rate": self.rate,
            "left": self.left,
            "seconds": self.seconds,
            "status": status,
            "stopped": stopped,
        }


class Progress(anywidget.AnyWidget):
    """A bar with rate, time left, device memory and Cancel; it shows itself when the first call starts.

    Statuses: "running", "done", "cancelled" (by the button), "unfinished" (the call ended early for another reason).
    """

    _esm = _assets.module(*_assets.PROGRESS)
    _css = _assets.css("progress.css")

    state = traitlets.Dict().tag(sync=True)

    def __init__(self, *, clock: Clock = time.monotonic) -> None:
        self._tally = Tally(clock=clock)
        self._clock = clock
        self._stop = threading.Event()
        self._lock = threading.RLock()
        self._painted = -PAINT_EVERY
        self._shown = False
        self._status = "running"
        super().__init__(state=self._tally.as_state("running", stopped=False))
        answer_beside_cells(self)
        self.on_msg(self._hear)

    @property
    def stopped(self) -> bool:
        """True once Cancel was pressed."""
        return self._stop.is_set()

    def start(self, total: int, unit: str) -> None:
        """Show the widget, at the first call, and begin at 0."""
        with self._lock:
            self._tally.start(total, unit)
            self._status = "running"
            self._paint()
        if not self._shown:
            self._shown = True
            from IPython.display import display

            display(self)

    def advance(self, done: int, **facts: Any) -> None:
        """Count; the page is told a few times a second."""
        with self._lock:
            self._tally.advance(done, facts)
            if self._clock() - self._painted >= PAINT_EVERY:
                self._paint()

    def finish(self) -> None:
        """Say how it ended."""
        with self._lock:
            tally = self._tally
            complete = tally.done >= tally.total
            self._status = "done" if complete else "cancelled" if self.stopped else "unfinished"
            self._paint()

    def cancel(self) -> None:
        """Ask the run to stop after the batch it is in."""
        self._stop.set()
        with self._lock:
            self._paint()

    def _hear(self, _widget: Any, content: Any, _buffers: Any) -> None:
        if isinstance(content, dict) and content.get("kind") == "cancel":
            self.cancel()

    def _paint(self) -> None:
        self._painted = self._clock()
        self.state = self._tally.as_state(self._status, stopped=self.stopped)

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
