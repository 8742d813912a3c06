"""The models that `load` made and that something still holds: what takes memory in this process."""

import threading
import weakref
from collections.abc import Callable
from typing import Any

__all__ = ["held", "listen", "note"]

_lock = threading.Lock()
_held: "weakref.WeakValueDictionary[int, Any]" = weakref.WeakValueDictionary()
_listeners: list[Callable[[], None]] = []
_count = 0


def note(model: Any) -> None:
    """Remember a model, without keeping it alive."""
    global _count
    with _lock:
        if not any(one is model for one in _held.values()):
            _count += 1
            _held[_count] = model
        hearing = list(_listeners)
    for hear in hearing:
        hear()


def held() -> dict[int, Any]:
    """Return the models in memory by their number, oldest first.

    >>> from workbench.models.load import load
    >>> model = load(lambda texts: [[1.0] for _ in texts], labels=["one"])
    >>> model in held().values()
    True
    """
    with _lock:
        return dict(sorted(_held.items()))


def listen(hear: Callable[[], None]) -> None:
    """Call `hear` after each model that is loaded."""
    with _lock:
        if hear not in _listeners:
            _listeners.append(hear)
