"""A model whose answers so far can be read while it works: what partial results of a run are made of.

An adapter tells its monitor, beside how far it is, `answers`: a function that gives what the verb would return if it ended now.
`Watched` keeps what earlier calls returned and the latest such function; `so_far` gives a model that answers the same calls, in
the same order, from these alone. A probe that scores it gives the rows that are done, and the model itself is not asked.
"""

import threading
from collections.abc import Callable
from typing import Any

from workbench.models.verbs import Monitor, Silent

__all__ = ["NothingYet", "Replay", "Watched", "turned", "unanswered"]

VERBS = frozenset({"choose", "score", "generate", "fill", "classify", "embed", "read"})


class NothingYet(Exception):
    """The run has not come to a call of which something could be said."""


class Watched:
    """A model that remembers its answers of one run; all else is the model's own.

    >>> from workbench.models.load import load
    >>> model = Watched(load(lambda texts: [[0.2, 0.8] for _ in texts], labels=["no", "yes"]))
    >>> model.classify(["a", "b"]).done.tolist(), model.so_far().classify(["a", "b"]).probabilities[0].tolist()
    ([True, True], [0.2, 0.8])
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._lock = threading.Lock()
        self._returned: list[Any] = []
        self._answers: Callable[[], Any] | None = None

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._model, name)
        return self._asked(value) if name in VERBS else value

    def __repr__(self) -> str:
        return repr(self._model)

    def so_far(self) -> "Replay":
        """Return a model that gives what is known now."""
        with self._lock:
            return Replay(self._model, list(self._returned), self._answers)

    def _hear(self, answers: Callable[[], Any] | None) -> None:
        with self._lock:
            self._answers = answers

    def _asked(self, verb: Callable[..., Any]) -> Callable[..., Any]:
        def ask(*args: Any, monitor: Monitor | None = None, **options: Any) -> Any:
            self._hear(None)
            found = verb(*args, monitor=_Hearing(monitor or Silent(), self._hear), **options)
            with self._lock:
                self._returned.append(found)
                self._answers = None
            return found

        return ask


class Replay:
    """A model that answers as another did: call by call, the last one with what is done of it."""

    def __init__(self, model: Any, returned: list[Any], answers: Callable[[], Any] | None) -> None:
        self._model, self._returned, self._answers = model, returned, answers

    def __getattr__(self, name: str) -> Any:
        if name not in VERBS:
            return getattr(self._model, name)
        getattr(self._model, name)  # a verb that it has not raises here, as it did for the run
        return self._next

    def _next(self, *args: Any, **options: Any) -> Any:
        del args, options
        if self._returned:
            return self._returned.pop(0)
        if self._answers is None:
            raise NothingYet
        answers, self._answers = self._answers, None
        return answers()


class _Hearing:
    """Passes everything on, and keeps the answers for itself."""

    def __init__(self, monitor: Monitor, hear: Callable[[Callable[[], Any] | None], None]) -> None:
        self._monitor, self._hear = monitor, hear

    @property
    def stopped(self) -> bool:
        """Whether the person asked to stop."""
        return self._monitor.stopped

    def start(self, total: int, unit: str) -> None:
        """Pass it on."""
        self._monitor.start(total, unit)

    def advance(self, done: int, *, answers: Callable[[], Any] | None = None, **facts: Any) -> None:
        """Keep the answers, pass the rest on."""
        if answers is not None:
            self._hear(answers)
        self._monitor.advance(done, **facts)

    def finish(self) -> None:
        """Pass it on."""
        self._monitor.finish()


class _Unanswered(_Hearing):
    """Passes on how far the verb below is, not its answers."""

    def advance(self, done: int, *, answers: Callable[[], Any] | None = None, **facts: Any) -> None:
        """Drop the answers, pass the rest on."""
        del answers
        self._monitor.advance(done, **facts)


def unanswered(monitor: Monitor) -> Monitor:
    """Return a monitor for a verb whose answers alone are not yet an answer of the verb above."""
    return _Unanswered(monitor, lambda _: None)


class _Turned(_Hearing):
    """Hears the answers of the verb below, and says them as those of the verb above."""

    def __init__(self, monitor: Monitor, turn: Callable[[Any], Any]) -> None:
        super().__init__(monitor, lambda _: None)
        self._turn = turn

    def advance(self, done: int, *, answers: Callable[[], Any] | None = None, **facts: Any) -> None:
        """Pass everything on, the answers as this verb gives them."""
        if answers is not None:
            below = answers
            facts["answers"] = lambda: self._turn(below())
        self._monitor.advance(done, **facts)


def turned(monitor: Monitor | None, turn: Callable[[Any], Any]) -> Monitor | None:
    """Return a monitor for the verb that this one is made of; `turn` makes its answers this verb's.

    >>> turned(None, len) is None
    True
    """
    return None if monitor is None else _Turned(monitor, turn)
