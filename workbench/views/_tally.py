"""How far a run is, and how fast: the arithmetic behind every progress display. Seconds are the clock's."""

import itertools
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

__all__ = ["Clock", "Pace", "Tally"]

LOOK_BACK = 10.0  # seconds that the rate is taken over
MOST_MARKS = 90  # of a whole run, behind its slowest and fastest part
LEAST_SECONDS = 0.3  # that a pace is told of

Clock = Callable[[], float]


class Pace(NamedTuple):
    """Pieces per second in the slowest and the fastest third of a run, without what came from the cache."""

    slow: float
    fast: float


@dataclass
class Tally:
    """Counts of one run: those of the call that it is in, and those of all its calls behind `pace`."""

    clock: Clock = time.monotonic
    total: int = 0
    done: int = 0
    unit: str = ""
    cached: int = 0
    memory: int = 0
    began: float = 0.0
    said: float | None = None  # pieces per second, where the engine says it
    asked: int = 0  # pieces that were computed, in all calls
    _marks: deque[tuple[float, int]] = field(default_factory=deque)
    _whole: list[tuple[float, int]] = field(default_factory=list)

    def start(self, total: int, unit: str) -> None:
        """Begin a call: counts start again, the clock too."""
        self.total, self.unit, self.done, self.cached, self.said = int(total), unit, 0, 0, None
        self.began = self.clock()
        self._marks = deque([(self.began, 0)])
        self._whole.append((self.began, self.asked))

    def begin(self) -> None:
        """Start the clock before the first call."""
        self.began = self.clock()

    def advance(self, done: int, facts: dict[str, Any]) -> None:
        """Count `done` more pieces. What came from the cache does not count towards the rate."""
        before = self.done - self.cached
        self.done = min(self.total, self.done + int(done)) if self.total else self.done + int(done)
        self.cached = int(facts.get("cached", self.cached))
        self.asked += max(0, self.done - self.cached - before)
        self.memory = int(facts.get("device_memory") or self.memory)
        self.said = facts.get("rate", self.said)
        now = self.clock()
        self._marks.append((now, self.done - self.cached))
        while len(self._marks) > 2 and self._marks[1][0] < now - LOOK_BACK:
            self._marks.popleft()
        self._whole.append((now, self.asked))
        if len(self._whole) > MOST_MARKS:
            self._whole[1:-1] = self._whole[2:-1:2]

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

    def pace(self) -> Pace | None:
        """Return how fast the pieces were computed, None where there were too few to say.

        >>> now = iter(range(100))
        >>> tally = Tally(clock=lambda: next(now))
        >>> tally.start(10, "questions")
        >>> for _ in range(5): tally.advance(2, {})
        >>> tally.pace()
        Pace(slow=2.0, fast=2.0)
        """
        marks = self._whole
        if len(marks) < 4 or marks[-1][0] - marks[0][0] < LEAST_SECONDS or not self.asked:
            return None
        ends = [round(part * (len(marks) - 1) / 3) for part in range(4)]
        parts = [(marks[a], marks[b]) for a, b in itertools.pairwise(ends)]
        rates = [(n1 - n0) / (t1 - t0) for (t0, n0), (t1, n1) in parts if t1 > t0 and n1 > n0]
        return Pace(min(rates), max(rates)) if rates else None

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
