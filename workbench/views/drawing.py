"""Draw the curve that you expect, then see the measured one: what one expected cannot be known any more once one has looked.

The page gets the axes and the points; the measured curve stays in the kernel until the drawing is whole and Reveal is pressed, or
`reveal()` called. From then on the drawing is fixed: a prediction that changes after the result is none.
"""

import base64
import contextlib
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import anywidget
import numpy as np
import traitlets

from workbench._text import escape
from workbench.charts.drawn import drawn
from workbench.errors import DataError, UsageError
from workbench.views import _assets, _messages
from workbench.views._expect import CURVES, Expected, of_report, of_table
from workbench.views._live import answer_beside_cells
from workbench.views._page import STYLE, paired

if TYPE_CHECKING:
    import pandas as pd

    from workbench.reports import Report

__all__ = ["Drawing", "draw"]

SLACK = 1e-9  # a point may touch the end of the axis


def draw(
    what: "Report | pd.DataFrame",
    curve: str = "reliability",
    *,
    x: str = "",
    y: str = "",
    title: str = "",
    ends: tuple[float, float] | None = None,
) -> "Drawing":
    """Return axes to draw the curve that you expect: with the mouse, the keyboard, numbers, or `drawing.points = [...]`.

    Of a report with confidences the curve is "reliability" or "risk_coverage"; of a table that of its columns `x` and `y`, its
    lines evenly spaced, with the interval `low`, `high` and `n` where it has these columns; `ends` are those of the vertical axis.
    Once every point is drawn, Reveal (or `reveal()`) shows the measured curve and the distance to it.

    Raises `UsageError` for a report without such a curve, `DataError` for a table that holds none.

    >>> import pandas as pd
    >>> table = pd.DataFrame({"typos": [0, 5, 20], "accuracy": [0.9, 0.8, 0.5], "low": [0.8, 0.7, 0.4], "high": [1, 0.9, 0.6]})
    >>> drawing = draw(table, x="typos", y="accuracy")
    >>> drawing.points = [0.9, 0.6, 0.5]
    >>> print(drawing.reveal().words)
    Your curve is 0.067 from the measured one, on average over 3 points. 2 of 3 lie within its 95 % intervals.
    """
    given: Any = what
    if hasattr(what, "explored"):
        if x or y or ends is not None:
            raise UsageError(f"x, y and ends are for tables. Of a report, name the curve: {', '.join(CURVES)}.")
        return Drawing(of_report(given, curve))
    if not hasattr(what, "columns"):
        raise UsageError(f"draw() takes a report or a table; found {type(what).__name__}.")
    if not x or not y:
        raise UsageError("Of a table, name two columns: wb.draw(table, x=..., y=...).")
    return Drawing(of_table(given, x, y, title, ends))


class Drawing(anywidget.AnyWidget):
    """A chart to draw in before the measured curve is shown; `points`, `reveal()`, `distance`, `answer` do it in Python."""

    _esm = _assets.module(*_assets.DRAWING)
    _css = _assets.css("drawing.css")

    about = traitlets.Dict().tag(sync=True)  # the axes
    state = traitlets.Dict().tag(sync=True)  # points, by: who put them there
    measured = traitlets.Dict().tag(sync=True)  # {} until revealed; then value, low, high, n, words

    def __init__(self, expected: Expected) -> None:
        self._expected = expected
        self._lock = threading.RLock()
        self._handle: Any = None
        axes = expected.axes
        super().__init__(
            about={
                "title": axes.title,
                "x": axes.x_title,
                "y": axes.y_title,
                "at": list(axes.at),
                "labels": list(axes.labels),
                "ticks": [list(tick) for tick in axes.ticks],
                "ends": list(axes.ends),
                "diagonal": axes.diagonal,
            },
            state={"points": [None] * len(axes.at), "by": "kernel"},
            measured={},
        )
        answer_beside_cells(self)
        self.on_msg(self._hear)

    # -- the drawing -----------------------------------------------------------------------------------------------------

    @property
    def points(self) -> list[float | None]:
        """What is drawn, from left to right; None where nothing is drawn yet. Assign a list to draw in Python."""
        return list(self.state["points"])

    @points.setter
    def points(self, values: Iterable[float | None]) -> None:
        given = list(values)
        axes = self._expected.axes
        if len(given) != len(axes.at):
            raise DataError(
                f"This curve has {len(axes.at)} points ({axes.x_title}: {axes.labels[0]} to {axes.labels[-1]}); {len(given)} "
                "were given."
            )
        for label, value in zip(axes.labels, given, strict=True):
            if value is not None and _messages.number(_plain(value), *self._bounds()) is None:
                low, high = axes.ends
                raise DataError(
                    f"The point at {axes.x_title} {label} must be between {low:g} and {high:g}; it is {value!r}."
                )
        self._take([None if value is None else float(value) for value in given], "kernel")

    @property
    def revealed(self) -> bool:
        """True once the measured curve has been shown."""
        return bool(self.measured)

    def reveal(self) -> "Drawing":
        """Show the measured curve beside the drawing, which is fixed from now on, and return the drawing itself.

        Raises `UsageError` where a point is not drawn yet: who has not predicted must not look.
        """
        axes = self._expected.axes
        with self._lock:
            missing = [label for label, value in zip(axes.labels, self.points, strict=True) if value is None]
            if missing:
                raise UsageError(
                    f"{len(missing)} of {len(axes.at)} points are not drawn yet, the first at {axes.x_title} {missing[0]}. Draw "
                    "them with the mouse, or by drawing.points = [...], then reveal."
                )
            if not self.revealed:
                told = self._expected.measured
                lists = {name: [_json(v) for v in getattr(told, name)] for name in ("value", "low", "high", "n")}
                self.measured = {**lists, "words": self._compared()}
        self._repaint()
        return self

    # -- how near it is --------------------------------------------------------------------------------------------------

    @property
    def distance(self) -> float:
        """Mean distance of the drawn from the measured points, in units of the vertical axis; reliability weights by examples."""
        self._must_be_revealed()
        gaps = np.abs(np.array(self.points, float) - np.array(self._expected.measured.value))
        return float(np.dot(gaps, self._expected.weights))

    @property
    def answer(self) -> "pd.DataFrame":
        """One line per point: its place, what was expected, what was measured with interval and n, and whether it lies within."""
        import pandas as pd

        self._must_be_revealed()
        told, points = self._expected.measured, np.array(self.points, float)
        low, high = np.array(told.low), np.array(told.high)
        within = (points >= low - SLACK) & (points <= high + SLACK)
        table = pd.DataFrame(
            {self._expected.axes.x_title: self._expected.axes.labels, "expected": points, "measured": told.value}
        )
        if np.isfinite(low).any():
            table = table.assign(low=low, high=high, within=within)
        return table.assign(n=told.n) if any(told.n) else table

    @property
    def words(self) -> str:
        """How much is drawn; once the curve is shown, the distance, and how many points lie within its intervals."""
        points = self.points
        known = sum(value is not None for value in points)
        if self.revealed:
            return str(self.measured["words"])
        if known < len(points):
            return f"{known} of {len(points)} points are drawn."
        return "All points are drawn. Reveal shows the measured curve."

    def _compared(self) -> str:
        told, points, weights = self._expected.measured, np.array(self.points, float), self._expected.weights
        low, high = np.array(told.low), np.array(told.high)
        far = float(np.dot(np.abs(points - np.array(told.value)), weights))
        by = ", weighted by their examples" if len(set(weights)) > 1 else ""
        said = f"Your curve is {far:.2g} from the measured one, on average over {len(points)} points{by}."
        bounded = np.isfinite(low) & np.isfinite(high)
        within = int(((points >= low - SLACK) & (points <= high + SLACK))[bounded].sum())
        return f"{said} {within} of {int(bounded.sum())} lie within its 95 % intervals." if bounded.any() else said

    # -- between the page and the kernel -----------------------------------------------------------------------------------

    def _hear(self, _widget: Any, content: Any, _buffers: Any) -> None:
        """Take points from the page, or show the curve; what does not fit is dropped."""
        if not isinstance(content, dict):
            return
        given = content.get("points")
        if content.get("kind") not in ("points", "reveal") or not isinstance(given, list):
            return
        if len(given) != len(self._expected.axes.at) or self.revealed:
            return
        read = [None if value is None else _messages.number(value, *self._bounds()) for value in given]
        if any(value is None and said is not None for value, said in zip(read, given, strict=True)):
            return
        self._take(read, "page")
        if content["kind"] == "reveal" and None not in read:
            self.reveal()

    def _take(self, points: list[float | None], by: str) -> None:
        with self._lock:
            if self.revealed:
                raise UsageError(
                    "The measured curve has been shown, and the drawing is fixed. Make a new one with wb.draw(...)."
                )
            self.state = {"points": points, "by": by}

    def _must_be_revealed(self) -> None:
        if not self.revealed:
            raise UsageError(f"The curve is not shown yet. {self.words} Call drawing.reveal() when all are drawn.")

    def _bounds(self) -> tuple[float, float]:
        low, high = self._expected.axes.ends
        return low - SLACK, high + SLACK

    # -- showing ---------------------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        return f"{self.about['title']}. {self.words}"

    def _picture(self) -> dict[str, str]:
        """Return the drawing as an image, which needs no kernel: no markup of the page can be reached from it."""
        told = self._expected.measured if self.revealed else None
        data = base64.b64encode(drawn(self._expected.axes, self.points, told).encode()).decode()
        html = (
            f'<div class="workbench-static">{STYLE}<p><b>{escape(self.about["title"])}</b></p>'
            f'<img alt="{escape(repr(self), quote=True)}" src="data:image/svg+xml;base64,{data}"><p>{escape(self.words)}</p></div>'
        )
        return {"text/html": html, "text/plain": repr(self)}

    def _repaint(self) -> None:
        """Replace the still picture in the notebook, where one is shown, by one that has both curves."""
        if self._handle is not None:
            with contextlib.suppress(Exception):  # no front end is there any more: nothing to repaint
                self._handle.update(self._picture(), raw=True)

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, meta = paired(super()._repr_mimebundle_(**kwargs))
        return {**data, **self._picture()}, meta

    def _ipython_display_(self) -> None:
        from IPython.display import display

        data, meta = paired(super()._repr_mimebundle_())
        self._handle = display(self._picture(), raw=True, display_id=True)
        display({**data, "text/plain": repr(self)}, metadata=meta, raw=True)


def _plain(value: Any) -> Any:
    """Return numpy's numbers as Python's."""
    return value.item() if hasattr(value, "item") else value


def _json(value: float) -> float | None:
    """Return a number as JSON has it: none where it is not finite."""
    return value if np.isfinite(value) else None
