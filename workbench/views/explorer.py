"""The explorer: a report's charts and examples, linked by brushing.

The page gets one byte per row and field, a float32 value (a confidence, a difference) and an outcome, once; a brush recounts and
repaints there at once. What is counted and shown, and in which words, is the `Lens` of the report (`_lens`).
The kernel hears only the latest brush, keeps the selection as a mask over the explored rows, and answers with a window of the
table and, when the hand rests, with metrics and their intervals. Text of examples reaches the page as text alone.

Messages from the page: brush, rows, sort, detail, logits, fit. Answers: view, rows, detail, metrics, logits, fit, problem. All
handlers are checked (`_messages`), take one lock, and are quick: what is slow runs on a `Latest`.
"""

import dataclasses
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import anywidget
import ipywidgets
import numpy as np
import traitlets
from numpy.typing import NDArray

from workbench.errors import UsageError, unknown
from workbench.views import _assets, _fields, _messages, _rows, _temperature, selection
from workbench.views._bundle import VegaBundle, vega
from workbench.views._lens import lens_of
from workbench.views._live import Latest, answer_beside_cells
from workbench.views._page import about, static_html

if TYPE_CHECKING:
    import pandas as pd

    from workbench.reports import Report

__all__ = ["Explorer", "explore"]

REST = 0.3  # seconds that a brush must stand before intervals are computed and the selection is logged
WINDOW = 60  # rows that come with each new selection
PYTHON = "kernel"  # the origin of a selection that was made in Python


def explore(report: "Report") -> "Explorer":
    """Return the explorer of a report: show it as the last line of a cell, brush, and read `wb.selection` in the next.

    >>> from workbench import from_predictions
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"example": ["a", "b"], "confidence": [0.9, 0.4], "correct": [1, 0]})
    >>> explorer = explore(from_predictions(frame))
    >>> explorer.select(["b"])
    >>> explorer.selection["confidence"].tolist()
    [0.4]
    """
    if not hasattr(report, "explored"):
        raise UsageError(
            f"explore() takes a report; found {type(report).__name__}. Make one with wb.run or wb.from_predictions."
        )
    return Explorer(report)


class Explorer(anywidget.AnyWidget):
    """Linked charts and examples of one report; `selection` is what is brushed."""

    _esm = _assets.module(*_assets.EXPLORER)
    _css = _assets.css("explorer.css")

    bundle = traitlets.Instance(VegaBundle).tag(sync=True, **ipywidgets.widget_serialization)
    about = traitlets.Dict().tag(sync=True)  # fields, columns, captions, specs, themes, title
    codes = traitlets.Bytes().tag(sync=True)  # (fields, n) uint8
    value = traitlets.Bytes().tag(sync=True)  # (n,) float32: a confidence, or the value of the probe's view
    outcome = traitlets.Bytes().tag(sync=True)  # (n,) uint8: 0, 1, 255 for none
    measures = traitlets.Bytes().tag(sync=True)  # (measures, n) float32 of the heat map, NaN for none
    mask = traitlets.Bytes().tag(sync=True)  # (n,) bits, packed, the first row in the lowest bit
    state = traitlets.Dict().tag(sync=True)  # serial, origin, ranges, mask, temperature

    def __init__(self, report: "Report") -> None:
        self._lens = lens = lens_of(report)
        rows = report.explored
        self._report, self._rows = report, rows
        self._lock = threading.RLock()
        self._fields, self._columns, self._why_not = lens.fields, lens.columns, lens.why_not
        self._order: NDArray[np.intp] = np.arange(len(rows))
        self._masked = np.ones(len(rows), dtype=bool)
        self._selected = self._masked
        self._shown = self._order
        self._logits: _temperature.Logits | None = None
        self._place_of: dict[str, list[int]] | None = None
        self._logged = ""
        self._metrics = Latest(self._send_metrics, failed=self._failed, pause=REST)
        self._slow = Latest(self._answer_slowly, failed=self._failed)
        super().__init__(
            bundle=vega(),
            about=about(report, lens),
            codes=np.stack([field.codes for field in self._fields]).tobytes(),
            value=np.where(np.isfinite(lens.value), lens.value, 0).astype(np.float32).tobytes(),
            outcome=np.where(np.isnan(lens.outcome), 255, lens.outcome > 0).astype(np.uint8).tobytes(),
            measures=b"" if lens.map is None else lens.map.packed(),
            state=self._state_of(self._nothing(0)),
        )
        self._brush = self._nothing(0)
        answer_beside_cells(self)
        self.on_msg(self._hear)
        selection.remember(self)

    # -- Python's side ---------------------------------------------------------------------------------------------------

    @property
    def selection(self) -> "pd.DataFrame":
        """The selected rows, all explored rows where nothing is brushed; a copy."""
        with self._lock:
            chosen = self._selected
        return self._rows[chosen].reset_index(drop=True)

    @property
    def ids(self) -> list[str]:
        """The ids of the selected examples, in the order of the rows, each once."""
        return list(dict.fromkeys(self.selection["example"]))

    def select(self, ids: "Iterable[str] | pd.DataFrame") -> None:
        """Select examples by id, or those of a table with a column `example`; brushes are cleared."""
        if isinstance(ids, str):
            raise UsageError(
                f"select() takes a list of ids or a table; found the text {ids!r}. Write select([{ids!r}])."
            )
        table: Any = ids
        wanted = dict.fromkeys(table["example"] if hasattr(table, "columns") else table)
        places = self._places()
        for name in wanted:
            if name not in places:
                raise unknown("explored example", name, list(places)[:20])
        mask = np.zeros(len(self._rows), dtype=bool)
        mask[[at for name in wanted for at in places[name]]] = True
        self._set(mask)

    def clear(self) -> None:
        """Clear every brush, and the selection of `select(ids)`; the temperature returns to 1."""
        self._set(None)

    def _set(self, mask: NDArray[np.bool_] | None) -> None:
        with self._lock:
            given = self._nothing(self._brush.serial + 1)._replace(mask=mask is not None)
            self._masked = np.ones(len(self._rows), dtype=bool) if mask is None else mask
            selection.remember(self)
            self._take(given)
            with self.hold_sync():
                self.mask = b"" if mask is None else np.packbits(mask, bitorder="little").tobytes()
                self.state = self._state_of(given)

    def _places(self) -> dict[str, list[int]]:
        with self._lock:
            if self._place_of is None:
                self._place_of = {}
                for at, name in enumerate(self._rows["example"]):
                    self._place_of.setdefault(name, []).append(at)
            return self._place_of

    # -- what the page says ----------------------------------------------------------------------------------------------

    def _hear(self, _widget: Any, content: Any, _buffers: Any) -> None:
        """Answer one message of the page; what does not fit is dropped."""
        if not isinstance(content, dict):
            return
        kind = content.get("kind")
        try:
            if kind == "brush":
                self._hear_brush(content)
            elif kind == "rows":
                self._hear_rows(content)
            elif kind == "sort":
                self._hear_sort(content)
            elif kind == "detail":
                self._hear_detail(content)
            elif kind in ("logits", "fit") and not self._why_not:
                self._slow.put(kind)
        except Exception as error:  # shown in the page: nobody reads a subshell's log
            self._failed(kind, error)

    def _hear_brush(self, content: dict[str, Any]) -> None:
        given = _messages.brush(content, self._fields)
        if given is None or (given.temperature != 1.0 and self._why_not):
            return
        with self._lock:
            if not given.mask:
                self._masked = np.ones(len(self._rows), dtype=bool)
            if (given.ranges, given.mask) != (self._brush.ranges, self._brush.mask):
                selection.remember(self)
            self._take(given)
            self.state = self._state_of(given)

    def _hear_rows(self, content: dict[str, Any]) -> None:
        start = _messages.integer(content.get("start"), 0, len(self._rows))
        end = _messages.integer(content.get("end"), 0, len(self._rows) + _rows.MOST_ROWS)
        if start is None or end is None or end < start:
            return
        with self._lock:
            part = _rows.window(self._rows, self._columns, self._shown, start, end)
            self.send({"kind": "rows", "serial": self._brush.serial, **part._asdict()})

    def _hear_sort(self, content: dict[str, Any]) -> None:
        column, descending = content.get("column"), content.get("descending")
        if column is None:
            order: NDArray[np.intp] = np.arange(len(self._rows))
        elif column in {known.name for known in self._columns} and type(descending) is bool:
            order = _rows.ranked(self._rows, column, descending=descending)
        else:
            return
        with self._lock:
            self._order = order
            self._shown = order[self._selected[order]]
            self._send_view()

    def _hear_detail(self, content: dict[str, Any]) -> None:
        row = _messages.integer(content.get("row"), 0, len(self._rows) - 1)
        if row is not None:
            self.send({"kind": "detail", "row": row, "pairs": _rows.detail(self._rows, row, self._columns)})

    # -- what follows from a brush ---------------------------------------------------------------------------------------

    def _take(self, given: _messages.Brush) -> None:
        """Make these brushes the selection and answer with the table; the lock is held."""
        fields = self._fields
        if given.temperature != 1.0:
            fields = self._at(given.temperature)
        self._brush = given
        self._selected = _fields.keep(fields, given.ranges) & self._masked
        self._shown = self._order[self._selected[self._order]]
        self._send_view()
        self._metrics.put((given, self._selected))

    def _at(self, temperature: float) -> tuple[_fields.Field, ...]:
        """Return the fields with the confidences of a temperature; the coverage's parts keep their thresholds' ranks."""
        confidence = self._load_logits().confidence(temperature)
        return (*_fields.tempered(self._fields[:2], confidence), *self._fields[2:])

    def _load_logits(self) -> _temperature.Logits:
        with self._lock:
            if self._logits is None:
                self._logits = _temperature.logits_of(self._rows)
            return self._logits

    def _send_view(self) -> None:
        part = _rows.window(self._rows, self._columns, self._shown, 0, WINDOW)
        self.send({"kind": "view", "serial": self._brush.serial, "n": len(self._shown), **part._asdict()})

    def _send_metrics(self, job: tuple[_messages.Brush, NDArray[np.bool_]]) -> None:
        """Send the metrics of a selection with their intervals, and log it: exploring is a search."""
        given, chosen = job
        n = int(chosen.sum())
        words = self._describe(given)
        if words and words != self._logged and hasattr(self._report, "log_selection"):
            self._logged = words
            self._report.log_selection("explorer", words, n)
        found = []
        if n:
            found = [_line(words, line) for words, line in self._lens.metrics(self._part(chosen).metrics)]
        self.send({"kind": "metrics", "serial": given.serial, "n": n, "metrics": found})

    def _part(self, chosen: NDArray[np.bool_]) -> "Report":
        """Return the report of the selected rows, without its slices.

        It equals `report.where(ids)` where an example has one row, spares the second's set of ids at 1e5 rows, and takes the
        very rows that are selected where an example has several (tokens of a text).
        """
        brief = dict(self._lens.view.brief) if self._lens.view is not None else {}
        overall: Any = self._report.with_options(by=(), **brief)
        rows = self._rows[chosen].reset_index(drop=True)
        return dataclasses.replace(overall, rows=rows, stored={})

    def _answer_slowly(self, kind: str) -> None:
        logits = self._load_logits()
        if kind == "logits":
            self.send(
                {"kind": "logits", "classes": logits.values.shape[1]},
                [logits.values.tobytes(), logits.labels.tobytes()],
            )
            return
        with self._lock:
            chosen = self._selected
        self.send({"kind": "fit", **logits.where(chosen).fit()._asdict()})

    # -- small parts -----------------------------------------------------------------------------------------------------

    def _failed(self, job: Any, error: Exception) -> None:
        del job
        self.send({"kind": "problem", "text": f"{type(error).__name__}: {error}"})

    def _nothing(self, serial: int) -> _messages.Brush:
        return _messages.Brush(serial, (None,) * len(self._fields), False, 1.0, PYTHON)

    def _state_of(self, given: _messages.Brush) -> dict[str, Any]:
        ranges = [None if codes is None else list(codes) for codes in given.ranges]
        return {**given._asdict(), "ranges": ranges}

    def _describe(self, given: _messages.Brush) -> str:
        """Return a selection in words, "" for everything."""
        pairs = zip(self._fields, given.ranges, strict=True)
        said = [field.describe(codes) for field, codes in pairs if codes is not None]
        said += ["ids"] if given.mask else []
        said += [f"at T = {given.temperature:.3g}"] if said and given.temperature != 1.0 else []
        return "; ".join(said)

    # -- showing ---------------------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        with self._lock:
            n = int(self._selected.sum())
        return f"Explorer of {self._report.title}: {n:,} of {len(self._rows):,} rows selected"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, meta = _pair(super()._repr_mimebundle_(**kwargs))
        return {**data, "text/plain": repr(self), "text/html": static_html(self._report)}, meta

    def _ipython_display_(self) -> None:
        """Show a static picture, then the view: the picture is hidden while the view lives, and stays in the notebook.

        JupyterLab shows no other form of an output whose widget is gone, only an error; so the picture is an output of its own.
        """
        from IPython.display import display

        data, meta = _pair(super()._repr_mimebundle_())
        picture = {"text/html": static_html(self._report), "text/plain": repr(self)}
        display(picture, raw=True)
        display({**data, "text/plain": repr(self)}, metadata=meta, raw=True)


def _pair(bundle: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    if bundle is None:
        return {}, {}
    return bundle if isinstance(bundle, tuple) else (bundle, {})


def _line(words: str, row: dict[Any, Any]) -> dict[str, Any]:
    """Return one metric as JSON: NaN is null; without words it is not shown."""
    numbers = {key: None if not np.isfinite(row[key]) else float(row[key]) for key in ("value", "low", "high")}
    return {"metric": str(row["metric"]), "words": words, "n": int(row["n"]), "method": str(row["method"]), **numbers}
