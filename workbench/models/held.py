"""The models that `load` made and that something still holds: what takes memory in this process, and where each came from."""

import threading
import weakref
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

__all__ = ["Origin", "held", "listen", "note", "origin_of"]


class Origin(NamedTuple):
    """What `load` was given, and a look at the weights that it loaded."""

    target: str  # the name, "" for an object
    kind: str
    options: Mapping[str, Any]  # those that are not the defaults
    signature: tuple[tuple[int, int], ...] = ()  # of a torch module: what changes when it is trained in place


_lock = threading.Lock()
_held: "weakref.WeakValueDictionary[int, Any]" = weakref.WeakValueDictionary()
_origins: "weakref.WeakKeyDictionary[Any, Origin]" = weakref.WeakKeyDictionary()
_listeners: list[Callable[[], None]] = []
_count = 0


def note(model: Any, origin: Origin) -> None:
    """Remember a model and where it came from, without keeping it alive."""
    global _count
    with _lock:
        _origins[model] = origin
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


def origin_of(model: Any) -> Origin | None:
    """Return where a model came from, None where `load` did not make it.

    >>> from workbench.models.load import load
    >>> origin_of(load(lambda texts: [[1.0] for _ in texts], labels=["one"])).kind
    'callable'
    """
    try:
        with _lock:
            return _origins.get(model)
    except TypeError:  # neither hashable nor to be referred to weakly: not one of ours
        return None


def listen(hear: Callable[[], None]) -> None:
    """Call `hear` after each model that is loaded."""
    with _lock:
        if hear not in _listeners:
            _listeners.append(hear)
