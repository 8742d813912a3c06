"""What keeps a view alive while a cell runs: messages in a thread of their own, and slow answers in another.

JupyterLab (>= 4.4) sends comm messages to a *subshell*, a thread beside the one that runs cells, where the kernel has them
(ipykernel >= 7); its setting is "Kernel Comms over subshells", `perCommTarget` unless someone changed it. All widgets share
that one thread, so a handler must be quick: what takes long goes to a `Latest`.
"""

import contextlib
import threading
from collections.abc import Callable
from typing import Any

__all__ = ["Latest", "answer_beside_cells"]


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


class Latest:
    """Runs `work(job)` on one background thread, for the latest job only: one that waits is replaced by a newer one.

    `pause` (seconds) is how long a job must stand unreplaced before it is begun. The thread ends when nothing waits, so none is
    left over, and the process never waits for it. What `work` raises goes to `failed(job, error)`.

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

    def put(self, job: Any) -> None:
        """Ask for a job; one that has not begun is dropped."""
        with self._changed:
            self._job, self._waiting = job, True
            self._changed.notify_all()
            if not self._running:
                self._running = True
                threading.Thread(target=self._loop, name="workbench-view", daemon=True).start()

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
