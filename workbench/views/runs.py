"""The runs of this kernel: a list that lives as long as the kernel, whatever page shows it.

`begin` notes a run; whoever wants to hear of changes (the list's own view, JupyterLab's side panel) is told by `listen`. A run
holds no model and no rows: its report is kept by the notebook's variable, not here.
"""

import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from workbench._text import escape
from workbench.errors import UsageError
from workbench.views._tally import Pace, Tally

if TYPE_CHECKING:
    from workbench.reports import Report

__all__ = ["Run", "Runs", "begin", "keep_pace", "last_pace", "listen", "numbered", "runs", "unlisten"]

MOST = 100  # runs that are remembered
GOING = ("starting", "running")
WORDS = {
    "starting": "starting",
    "running": "running",
    "done": "done",
    "cancelled": "cancelled",
    "unfinished": "stopped",
}


class Run:
    """One run of a probe: what it is, how far it is, how it ended.

    `status` is "starting" (the model is loaded), "running", "done", "cancelled", "unfinished" (it ended early for another reason),
    "not applicable" or "failed"; `problem` then says why, in a sentence.
    """

    def __init__(self, number: int, title: str, *, cancel: Callable[[], None], tally: Tally) -> None:
        self.number, self.title, self.tally = number, title, tally
        self.status, self.problem, self.variable, self.model = "starting", "", "", ""
        self.began = time.time()
        self._cancel = cancel
        self._report: weakref.ref[Report] | None = None

    @property
    def going(self) -> bool:
        """Whether it has not ended."""
        return self.status in GOING

    @property
    def report(self) -> "Report | None":
        """Its report, as long as a variable of the notebook keeps it."""
        return self._report() if self._report is not None else None

    def cancel(self) -> None:
        """Ask it to stop after the batch it is in: what is done is kept."""
        if self.going:
            self._cancel()

    def change(self, **facts: Any) -> None:
        """Note what has changed, and tell whoever listens."""
        for name, value in facts.items():
            setattr(self, name, value)
        _tell()

    def ended(self, report: "Report") -> None:
        """Keep hold of the report, without keeping it alive."""
        self._report = weakref.ref(report)

    def as_state(self) -> dict[str, Any]:
        """Return what pages show, as JSON."""
        told = {"number": self.number, "title": self.title, "status": self.status, "problem": self.problem}
        return {
            **self.tally.as_state(self.status, stopped=False),
            **told,
            "variable": self.variable,
            "began": self.began,
        }

    def __repr__(self) -> str:
        far = f", {self.tally.done:,} of {self.tally.total:,} {self.tally.unit}" if self.tally.total else ""
        into = f", in `{self.variable}`" if self.variable else ""
        return f"Run {self.number}: {self.title}, {WORDS.get(self.status, self.status)}{far}{into}"


class Runs(Sequence[Run]):
    """The runs, newest last; in a notebook a list that follows them, with Cancel."""

    def __init__(self, found: Sequence[Run]) -> None:
        self._found = tuple(found)

    def __len__(self) -> int:
        return len(self._found)

    def __getitem__(self, at: Any) -> Any:
        return self._found[at]

    def __iter__(self) -> Iterator[Run]:
        return iter(self._found)

    def __repr__(self) -> str:
        return "\n".join(map(repr, self._found)) or "No run yet. Start one with wb.run(...) or wb.launch()."

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}</pre>"

    def _ipython_display_(self) -> None:
        """Show a picture of now, then the list that follows the runs; the picture stays in the notebook."""
        from workbench.views.run_list import show

        show(self)


_lock = threading.Lock()
_runs: list[Run] = []
_count = 0
_listeners: list[Callable[[], None]] = []
_paces: dict[tuple[str, str], tuple[int, Pace]] = {}


def runs() -> Runs:
    """Return the runs of this kernel, newest last: `wb.runs()[-1].cancel()` stops the latest.

    >>> runs()[:0]
    ()
    """
    with _lock:
        return Runs(_runs)


def begin(title: str, *, cancel: Callable[[], None], tally: Tally) -> Run:
    """Note a new run and return it."""
    global _count
    with _lock:
        _count += 1
        made = Run(_count, title, cancel=cancel, tally=tally)
        _runs.append(made)
        del _runs[:-MOST]
    _tell()
    return made


def numbered(number: Any) -> Run:
    """Return the run of that number."""
    for run in runs():
        if run.number == number:
            return run
    raise UsageError(f"There is no run {number!r}. wb.runs() lists them.")


def listen(hear: Callable[[], None]) -> None:
    """Call `hear` whenever a run begins, moves or ends, from whatever thread."""
    with _lock:
        if hear not in _listeners:
            _listeners.append(hear)


def unlisten(hear: Callable[[], None]) -> None:
    """Call it no more."""
    with _lock:
        if hear in _listeners:
            _listeners.remove(hear)


def keep_pace(run: Run, probe: str, model: str) -> None:
    """Remember how fast a run was, for the next estimate of that probe on that model."""
    pace = run.tally.pace()
    if pace is not None:
        _paces[probe, model] = (run.number, pace)


def last_pace(probe: str, model: str) -> tuple[int, Pace] | None:
    """Return number and pace of the latest run of that probe on that model.

    >>> last_pace("calibration", "a model that nobody has")
    """
    return _paces.get((probe, model))


def _tell() -> None:
    with _lock:
        hearing = list(_listeners)
    for hear in hearing:
        hear()
