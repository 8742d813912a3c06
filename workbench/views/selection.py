"""The selection of the explorer that was brushed last: what `wb.selection` is."""

import threading
from typing import TYPE_CHECKING, Protocol

from workbench.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["current", "remember"]


class _Selects(Protocol):
    """Something that has a selection of rows."""

    @property
    def selection(self) -> "pd.DataFrame":
        """The rows that are selected."""


_lock = threading.Lock()
_last: _Selects | None = None


def remember(explorer: _Selects) -> None:
    """Make this explorer the one whose selection `current()` returns."""
    global _last
    with _lock:
        _last = explorer


def current() -> "pd.DataFrame":
    """Return the rows selected in the explorer that was brushed last: all that it shows where nothing is brushed.

    Raises `UsageError` where no explorer was made.

    >>> from types import SimpleNamespace
    >>> remember(SimpleNamespace(selection="the rows"))
    >>> current()
    'the rows'
    """
    with _lock:
        explorer = _last
    if explorer is None:
        raise UsageError("There is no explorer yet. Show one with wb.explore(report), then brush a chart.")
    return explorer.selection
