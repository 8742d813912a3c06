"""What keeps a view alive while a cell runs: messages in a thread of their own, and slow answers in another.

JupyterLab (>= 4.4) sends comm messages to a *subshell*, a thread beside the one that runs cells, where the kernel has them
(ipykernel >= 7); its setting is "Kernel Comms over subshells", `perCommTarget` unless someone changed it. All widgets share
that one thread, so a handler must be quick: what takes long goes to a `Latest`.
"""

import atexit
import contextlib
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

__all__ = ["Latest", "answer_beside_cells", "begin"]

PATIENCE = 5.0  # seconds that the end of the process waits for threads; Jupyter kills a kernel then
_begun: "weakref.WeakKeyDictionary[threading.Thread, Callable[[], None]]" = weakref.WeakKeyDictionary()
_ended = threading.Event()
_latest: "weakref.WeakSet[Latest]" = weakref.WeakSet()


def answer_beside_cells(widget: Any) -> None:
    """Let the page's messages to this widget stay on the thread that the page chose.

    ipykernel 7.4 routes the messages of a comm to the thread that last *sent* on it. A widget that a cell makes, or that a
    running cell updates, would hear the page only when the cell is over: Cancel would cancel nothing. Our handlers wait for
    no reply on the cell's thread, so the page's own choice is right.
    """
    comm = widget.comm
    if comm is not None and callable(getattr(comm, "_reply_subshell_for", None)):
        with contextlib.suppress(AttributeError):  # a comm of another kind that refuses attributes: nothing to repair
            comm._reply_subshell_for = None


def begin(
    work: Callable[..., None], *given: Any, name: str, stop: Callable[[], None] = lambda: None
) -> threading.Thread:
    """Start work on a thread that does not keep the process alive, but is told to stop and waited for a moment when that ends.

    Python stops such a thread wherever it is: in the C++ of scipy or torch that aborts the whole process.
    """
    thread = threading.Thread(target=work, args=given, name=name, daemon=True)
    _begun[thread] = stop
    thread.start()
    return thread


@atexit.register
def _finish() -> None:
    """Begin nothing more, drop what waits, and wait for what runs."""
    _ended.set()
    for one in list(_latest):
        one.drop()
    until = time.monotonic() + PATIENCE
    while (left := until - time.monotonic()) > 0 and (running := [one for one in list(_begun) if one.is_alive()]):
        _begun[running[0]]()
        running[0].join(left)


class Latest:
    """Runs `work(job)` on one background thread, for the latest job only: one that waits is replaced by a newer one.

    `pause` (seconds) is how long a job must stand unreplaced before it is begun. The thread ends when nothing waits, so none is
    left over, and the process waits a moment for the job that it is in (`begin`). What `work` raises goes to `failed(job, error)`.

    >>> seen = []
    >>> latest = Latest(seen.append, failed=print)
    >>> latest.put(1)
    >>> latest.join(5.0)
    >>> seen
    [1]
    """

    def __init__(
        self, work: Callable[[Any], None], *, failed: Callable[[Any, Exception], None], pause: float = 0.0
    ) -> None:
        self._work, self._failed, self._pause = work, failed, pause
        self._changed = threading.Condition()
        self._job: Any = None
        self._waiting = self._running = False
        _latest.add(self)

    def put(self, job: Any) -> None:
        """Ask for a job; one that has not begun is dropped, and so is one that comes when the process ends."""
        if _ended.is_set():
            return
        with self._changed:
            self._job, self._waiting = job, True
            self._changed.notify_all()
            if not self._running:
                self._running = True
                begin(self._loop, name="workbench-view")

    def drop(self) -> None:
        """Forget the job that has not begun."""
        with self._changed:
            self._waiting, self._job = False, None
            self._changed.notify_all()

    def join(self, seconds: float) -> None:
        """Wait until nothing runs or waits, at most so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: not self._running, seconds)

    def _differs_from(self, job: Any) -> Callable[[], bool]:
        return lambda: self._job is not job

    def _loop(self) -> None:
        while True:
            with self._changed:
                while self._waiting and self._pause:  # a newer job starts the pause again
                    job = self._job
                    if not self._changed.wait_for(self._differs_from(job), self._pause):
                        break
                if not self._waiting:
                    self._running = False
                    self._changed.notify_all()
                    return
                job, self._job, self._waiting = self._job, None, False
            try:
                self._work(job)
            except Exception as error:  # shown in the page, never lost in a thread
                self._failed(job, error)
