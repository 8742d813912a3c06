"""Many questions at once to a server: bounded, each answer kept as it comes, an end whenever the person asks."""

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, NamedTuple

from workbench.models._adapt import Store
from workbench.models._endpoint_http import Asking, Halted
from workbench.models.cache import Cache
from workbench.models.verbs import Monitor

__all__ = ["Shelf", "Work", "gather"]

TICK = 0.1  # seconds between two looks at the monitor
GRACE = 5.0  # seconds that questions under way are waited for after the end was asked: they are paid for

Ask = Callable[[Asking, list[int]], list[Any]]
Answered = Future[tuple[list[Any], str]]  # answers, and the fingerprint that came with them


class Work(NamedTuple):
    """What is to be asked.

    `names` hold what determines each answer, beside the model; `ask` gives the answers of some positions, in a thread of its own;
    `so_far` is what the verb would return now; `size` is how many positions are asked together.
    """

    names: Sequence[str]
    ask: Ask
    so_far: Callable[[], Any]
    unit: str
    size: int = 1


class Shelf:
    """Answers that came, by question: in this object, and on disk where the model may be kept there.

    On disk they stand under the server, the model, what the person calls its revision, and the fingerprint that the server
    reports. Where that changes, what this object holds is forgotten: another model may answer now.
    """

    def __init__(self, cache: Cache | None, identity: str, fingerprint: str, *, remember: bool) -> None:
        self._cache, self._identity, self._remember = cache, identity, remember
        self._held: dict[str, Any] = {}
        self._own = threading.local()
        self._lock = threading.Lock()
        self.fingerprints = [fingerprint] if fingerprint else []

    def find(self, names: Sequence[str]) -> dict[int, Any]:
        """Return what is known, by position."""
        found = {i: self._held[name] for i, name in enumerate(names) if name in self._held}
        left = [i for i in range(len(names)) if i not in found]
        on_disk = self._store(self.fingerprints[-1] if self.fingerprints else "").find([names[i] for i in left])
        return found | {left[place]: json.loads(value) for place, value in on_disk.items()}

    def keep(self, name: str, answer: Any, fingerprint: str) -> None:
        """Keep an answer that came with a fingerprint."""
        if self._remember:
            self._held[name] = answer
            self._store(fingerprint).keep({name: json.dumps(answer).encode()})

    def see(self, fingerprint: Any) -> None:
        """Hear the fingerprint that came with an answer, in the thread that asked."""
        told = str(fingerprint or "")
        self._own.seen = told
        with self._lock:
            if told and told not in self.fingerprints:
                if self.fingerprints:
                    self._held.clear()
                self.fingerprints.append(told)

    def seen(self) -> str:
        """Return the fingerprint that this thread heard last."""
        return str(getattr(self._own, "seen", ""))

    def _store(self, fingerprint: str) -> Store:
        return Store(self._cache, self._identity, "endpoint", fingerprint)


def gather(
    work: Work, answers: dict[int, Any], *, asking: Asking, shelf: Shelf, monitor: Monitor, concurrency: int
) -> int:
    """Fill `answers` by position, each distinct name asked once; return how many came from the shelf.

    An error ends the call after what was under way; what came until then is on the shelf. Interrupting ends it without one.
    """
    names, so_far = work.names, work.so_far
    monitor.start(len(names), work.unit)
    pool = ThreadPoolExecutor(concurrency, thread_name_prefix="workbench-endpoint")
    running: dict[Answered, list[int]] = {}
    known = 0
    places: dict[str, list[int]] = {}

    def asked(some: list[int]) -> tuple[list[Any], str]:
        return work.ask(asking, some), shelf.seen()

    def take(future: Answered) -> None:
        some = running.pop(future)
        found, fingerprint = future.result()
        for i, answer in zip(some, found, strict=True):
            shelf.keep(names[i], answer, fingerprint)
            for place in places[names[i]]:
                answers[place] = answer
            monitor.advance(len(places[names[i]]), answers=so_far)

    try:
        answers.update(shelf.find(names))
        known = len(answers)
        for i, name in enumerate(names):
            if i not in answers:
                places.setdefault(name, []).append(i)
        if known:
            monitor.advance(known, cached=known, answers=so_far)
        first = [each[0] for each in places.values()]
        waiting = deque(first[start : start + work.size] for start in range(0, len(first), work.size))
        while (waiting or running) and not monitor.stopped:
            while waiting and len(running) < concurrency:
                some = waiting.popleft()
                running[pool.submit(asked, some)] = some
            for future in wait(running, timeout=TICK, return_when=FIRST_COMPLETED).done:
                take(future)
    except KeyboardInterrupt:
        pass
    finally:
        _end(running, take, asking)
        pool.shutdown(wait=False, cancel_futures=True)
        monitor.finish()
    return known


def _end(running: dict[Answered, list[int]], take: Callable[[Answered], None], asking: Asking) -> None:
    """Take what is under way, for a moment, and let nothing more begin."""
    asking.halt.set()  # those that wait before another try stop at once
    until = time.monotonic() + GRACE
    for future in list(running):
        if future.cancel():
            running.pop(future)
    while running and time.monotonic() < until:
        for future in wait(running, timeout=TICK, return_when=FIRST_COMPLETED).done:
            failed = future.exception()
            if failed is None:
                take(future)
            else:
                running.pop(future)
                if not isinstance(failed, Halted | Exception):
                    raise failed
