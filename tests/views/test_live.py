"""What keeps a view alive: the latest job only, messages on the page's thread, the selection brushed last."""

import subprocess
import sys
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest

from workbench.errors import UsageError
from workbench.views import selection
from workbench.views._live import Latest, answer_beside_cells


def test_a_waiting_job_is_replaced_by_a_newer_one() -> None:
    """While one job runs, only the last of the others is kept."""
    gate, seen = threading.Event(), []

    def work(job: int) -> None:
        gate.wait(5)
        seen.append(job)

    latest = Latest(work, failed=lambda job, error: None)
    latest.put(0)
    while latest._waiting:
        time.sleep(0.001)
    for job in (1, 2, 3):
        latest.put(job)
    gate.set()
    latest.join(5)
    assert seen == [0, 3]


def test_a_job_waits_until_nothing_newer_comes() -> None:
    """With a pause, jobs that follow each other quickly are one."""
    seen: list[int] = []
    latest = Latest(seen.append, failed=lambda job, error: None, pause=0.1)
    for job in range(5):
        latest.put(job)
        time.sleep(0.01)
    latest.join(5)
    assert seen == [4]


def test_no_thread_is_left_and_failures_are_told() -> None:
    """After its last job the thread ends; what a job raised is handed on, and the next job runs."""
    failures: list[tuple[Any, str]] = []

    def work(job: int) -> None:
        if job == 1:
            raise ValueError("no")

    latest = Latest(work, failed=lambda job, error: failures.append((job, str(error))))
    latest.put(1)
    latest.join(5)
    latest.put(2)
    latest.join(5)
    assert failures == [(1, "no")]
    assert not [thread for thread in threading.enumerate() if thread.name == "workbench-view" and latest._running]


def test_a_process_that_ends_lets_a_job_finish_and_begins_no_other() -> None:
    """Python would stop the thread within a library's C++, which aborts the process; a run is told to stop."""
    script = """
import threading
from workbench.views._live import Latest, begin
begun, told = threading.Event(), threading.Event()
def work(job):
    begun.set()
    threading.Event().wait(0.3)
    print(job, flush=True)
latest = Latest(work, failed=print)
latest.put("first")
begun.wait()
latest.put("second")
begin(lambda: print("told", told.wait(9), flush=True), name="run", stop=told.set)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert sorted(done.stdout.split("\n")) == ["", "first", "told True"]


def test_a_comm_that_pins_its_messages_to_the_sender_is_let_loose() -> None:
    """Ipykernel's routing by last sender is switched off for our widgets, and other comms are left alone."""
    pinned = SimpleNamespace(_reply_subshell_for=lambda data, default: None)
    answer_beside_cells(SimpleNamespace(comm=pinned))
    assert pinned._reply_subshell_for is None
    plain = SimpleNamespace()
    answer_beside_cells(SimpleNamespace(comm=plain))
    assert vars(plain) == {}
    answer_beside_cells(SimpleNamespace(comm=None))


def test_without_an_explorer_the_selection_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """`wb.selection` before any explorer names `wb.explore`."""
    monkeypatch.setattr(selection, "_last", None)
    with pytest.raises(UsageError, match=r"Show one with wb\.explore\(report\)"):
        selection.current()
