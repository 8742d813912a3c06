"""The linked canvas: explorers of several reports on the same examples, one selection over all of them.

`explore` is the door to it: one report gives an `Explorer`, several give a `Canvas`. In the page a canvas lays out the stores of
its explorers beside each other, with one table (`static/canvas.js`); it sends no message of its own, each explorer speaks for
itself. What passes from one report to another stands in `_link`.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import anywidget
import ipywidgets
import numpy as np
import traitlets
from numpy.typing import NDArray

from workbench.errors import UsageError
from workbench.views import _assets
from workbench.views._beside import beside, differences
from workbench.views._bundle import VegaBundle, vega
from workbench.views._link import Link
from workbench.views._live import Latest, answer_beside_cells
from workbench.views._measured import REST
from workbench.views._page import paired, show_with_picture, static_html
from workbench.views.explorer import Explorer

if TYPE_CHECKING:
    import pandas as pd

    from workbench.audit.compare import Comparison
    from workbench.audit.robustness import Robust
    from workbench.reports import Report
    from workbench.views.robust import RobustExplorer

__all__ = ["Canvas", "explore", "told_apart"]

MOST = 6  # reports that are drawn together
MUCH_REST = 1.0  # seconds that a brush must stand before what differs is resampled
DRAWS = 100


def explore(*reports: "Report | Comparison | Robust", model: Any = None) -> "Explorer | Canvas | RobustExplorer":
    """Return the explorer of a report, or the canvas of several on the same examples: show it as the last line of a cell.

    A comparison (`wb.compare`) gives the canvas of its two reports with what differs and who is right where. What `wb.robustness`
    gives is shown as its chart: a click on a model opens the explorer of the rows behind it.

    Brush a chart, and every other view follows; `wb.selection` in the next cell is what is selected. Reports are joined by example,
    whatever their probes: an example passes the brushes of a report when one of its rows does, and is then shown in the others.

    With a loaded `model` (or the name of one in memory) the text of an example that is opened is scored, and its tokens shown; it
    can be changed and asked again (`Explorer.what_if`). Rows of next tokens have their tokens.

    >>> from workbench import from_predictions
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"example": ["a", "b"], "confidence": [0.9, 0.4], "correct": [1, 0]})
    >>> explorer = explore(from_predictions(frame))
    >>> explorer.select(["b"])
    >>> explorer.selection["confidence"].tolist()
    [0.4]
    >>> other = from_predictions(frame.assign(confidence=[0.6, 0.7]), name="another model")
    >>> canvas = explore(from_predictions(frame), other)
    >>> canvas.explorers[0].select(["b"])
    >>> canvas.explorers[1].selection["confidence"].tolist()
    [0.7]
    """
    from workbench.audit.compare import Comparison
    from workbench.audit.robustness import Robust

    if len(reports) == 1 and isinstance(reports[0], Robust):
        from workbench.views.robust import RobustExplorer

        return RobustExplorer(reports[0], model=model)
    if len(reports) == 1 and isinstance(reports[0], Comparison):
        return Canvas(reports[0].a, reports[0].b, comparison=reports[0], model=model)
    chosen: list[Any] = list(reports)
    for report in chosen:
        if not hasattr(report, "explored"):
            raise UsageError(
                f"explore() takes a report, or several, or a comparison alone, or what wb.robustness gives; found "
                f"{type(report).__name__}. Make one with wb.run or wb.from_predictions."
            )
    if not chosen:
        raise UsageError("explore() takes a report, or several on the same examples.")
    return Explorer(chosen[0], model=model) if len(chosen) == 1 else Canvas(*chosen, model=model)


def told_apart(reports: "Sequence[Report]") -> list[str]:
    """Return what sets reports of one title apart: options in which they differ, else their places; "" for the others."""
    from workbench.audit.compare import differing

    found = [""] * len(reports)
    for title in {report.title for report in reports}:
        places = [k for k, report in enumerate(reports) if report.title == title]
        words = differing([reports[k].options for k in places])
        if len(set(words)) < len(words):
            words = [f"report {k + 1}" for k in places]
        for k, said in zip(places, words, strict=True):
            found[k] = said if len(places) > 1 else ""
    return found


class Canvas(anywidget.AnyWidget):
    """Explorers of several reports, linked by example; `selection` is what is selected in the one that was brushed last."""

    _esm = _assets.module(*_assets.CANVAS)
    _css = _assets.css("explorer.css", "canvas.css")

    bundle = traitlets.Instance(VegaBundle).tag(sync=True, **ipywidgets.widget_serialization)
    explorers = traitlets.Tuple().tag(sync=True, **ipywidgets.widget_serialization)
    about = traitlets.Dict().tag(sync=True)

    def __init__(self, *reports: "Report", comparison: "Comparison | None" = None, model: Any = None) -> None:
        if len(reports) > MOST:
            raise UsageError(f"A canvas shows at most {MOST} reports; found {len(reports)}.")
        empty = next((report for report in reports if not len(report.explored)), None)
        if empty is not None:
            raise UsageError(f"{empty.title!r} has no explored rows to show; its outcome is {empty.outcome!r}.")
        self._reports = reports
        self._link = link = Link(reports)
        sides = [None] * len(reports) if comparison is None else beside(comparison)
        made = tuple(
            Explorer(report, link=link, beside=side, model=model, apart=apart)
            for report, side, apart in zip(reports, sides, told_apart(reports), strict=True)
        )
        about = {"title": "" if comparison is None else comparison.title, "compare": comparison is not None}
        self._comparison = comparison
        self._pictured: tuple[Any, ...] = reports if comparison is None else (comparison,)
        self._quick = Latest(self._differ, failed=self._failed, pause=REST)
        self._thorough = Latest(self._differ, failed=self._failed, pause=MUCH_REST)
        super().__init__(bundle=vega(), explorers=made, about=about)
        if comparison is not None:
            answer_beside_cells(self)
            self.on_msg(self._hear)
            link.listeners.append(self._changed)

    # -- what differs ----------------------------------------------------------------------------------------------------

    def _hear(self, _widget: Any, content: Any, _buffers: Any) -> None:
        if isinstance(content, dict) and content.get("kind") == "differences":
            with self._link.lock:
                self._changed()

    def _changed(self) -> None:
        """Compute what differs in the selection: at once where rows are paired, then by resampling; the lock is held."""
        chosen = tuple(one.chosen for one in self.explorers)
        for latest, draws in ((self._quick, 0), (self._thorough, DRAWS)):
            latest.put((self._link.serial, chosen, draws))

    def _differ(self, job: "tuple[int, tuple[NDArray[np.bool_], ...], int]") -> None:
        serial, chosen, draws = job
        a, b = (one.rows_of(mask) for one, mask in zip(self.explorers, chosen, strict=True))
        assert self._comparison is not None  # noqa: S101 — only a comparison puts jobs
        lines = differences(self._comparison, self.explorers[0].lens, a, b, draws)
        self.send({"kind": "differences", "serial": serial, "n": len(a), "draws": draws, "lines": lines})

    def _failed(self, job: Any, error: Exception) -> None:
        del job
        self.send({"kind": "problem", "text": f"{type(error).__name__}: {error}"})

    # -- Python's side ---------------------------------------------------------------------------------------------------

    @property
    def selection(self) -> "pd.DataFrame":
        """The selected rows of the report that was brushed last; a copy. `explorers[k].selection` are those of another."""
        return self._link.last.selection

    @property
    def ids(self) -> list[str]:
        """The ids of the examples that pass the brushes of all reports, each once."""
        with self._link.lock:
            return self._link.chosen

    def select(self, ids: "Iterable[str] | pd.DataFrame | str") -> None:
        """Select examples by id, those of a table, or a selection by its name, in all reports; every brush is cleared.

        One report must hold all of them.
        """
        self._link.recall(ids)

    def clear(self) -> None:
        """Clear the brushes of all reports."""
        self._link.clear()

    def undo(self) -> bool:
        """Take the last change of the selection back; False where there is none."""
        return self._link.undo()

    def redo(self) -> bool:
        """Make the change again that was taken back; False where there is none."""
        return self._link.redo()

    def name(self, name: str) -> None:
        """Name the present selection and keep it with each report."""
        self._link.name(name)

    def __repr__(self) -> str:
        with self._link.lock:
            n = len(self._link.chosen)
        titles = "; ".join(report.title for report in self._reports)
        return (
            f"Canvas of {len(self._reports)} reports ({titles}): {n:,} of {len(self._link.names):,} examples selected"
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, meta = paired(super()._repr_mimebundle_(**kwargs))
        return {**data, "text/plain": repr(self), "text/html": static_html(*self._pictured)}, meta

    def _ipython_display_(self) -> None:
        rows = sum(len(report.explored) for report in self._reports)
        show_with_picture(self, super()._repr_mimebundle_(), *self._pictured, rows=rows)
