"""The example table's order and what is left of it under a selection, as the page asks for it window by window."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.views import _messages, _rows

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["WINDOW", "Table"]

WINDOW = 60  # rows that come with each new selection


class Table:
    """The positions of the selected rows (n,) in the order of the table; whoever uses it holds the explorer's lock."""

    def __init__(self, rows: "pd.DataFrame", columns: Sequence[_rows.Column]) -> None:
        self._rows, self._columns = rows, columns
        self._order: NDArray[np.intp] = np.arange(len(rows))
        self.shown = self._order

    def follow(self, selected: NDArray[np.bool_]) -> None:
        """Show the selected rows (n,)."""
        self.shown = self._order[selected[self._order]]

    def sort(self, content: dict[str, Any]) -> bool:
        """Take the order that a message asks for; False where it fits none."""
        column, descending = content.get("column"), content.get("descending")
        if column is None:
            self._order = np.arange(len(self._rows))
        elif column in {known.name for known in self._columns} and type(descending) is bool:
            self._order = _rows.ranked(self._rows, column, descending=descending)
        else:
            return False
        return True

    def window(self, start: int = 0, end: int = WINDOW) -> dict[str, Any]:
        """Return some rows as the page gets them."""
        return _rows.window(self._rows, self._columns, self.shown, start, end)._asdict()

    def asked(self, content: dict[str, Any]) -> dict[str, Any] | None:
        """Return the rows that a message asks for, None where it does not fit."""
        start = _messages.integer(content.get("start"), 0, len(self._rows))
        end = _messages.integer(content.get("end"), 0, len(self._rows) + _rows.MOST_ROWS)
        return None if start is None or end is None or end < start else self.window(start, end)
