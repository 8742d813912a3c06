"""The explorer: a report's charts and examples, linked by brushing.

The page gets one byte per row and field, a float32 value (a confidence, a difference) and an outcome, once; a brush recounts and
repaints there at once. What is counted and shown, and in which words, is the `Lens` of the report (`_lens`).
The kernel hears only the latest brush, keeps the selection as a mask over the explored rows, and answers with a window of the
table and, when the hand rests, with metrics and their intervals. Text of examples reaches the page as text alone.

Messages from the page: brush, rows, sort, detail, logits, fit, undo, redo, name, recall, confirm, and those of `_what_if`. Answers:
view, rows, detail, metrics, logits, fit, confirmed, problem. All handlers are checked (`_messages`), take one lock, and are quick:
what is slow runs on a `Latest`.

Several reports make a `Canvas` (`canvas`) of explorers, which share a `Link`: what one selects limits the others.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import anywidget
import ipywidgets
import numpy as np
import traitlets
from numpy.typing import NDArray

from workbench.errors import WorkbenchError, unknown
from workbench.views import _assets, _fields, _messages, _rows, _temperature, selection
from workbench.views._bundle import VegaBundle, vega
from workbench.views._cut import Cut, Job, checked_cut
from workbench.views._findings import Findings
from workbench.views._lens import Lens, lens_of
from workbench.views._link import Link, Part, ids_of
from workbench.views._live import Latest, answer_beside_cells
from workbench.views._page import about, line_of, paired, part_of, saved, show_with_picture, static_html
from workbench.views._rule import words_of
from workbench.views._table import Table
from workbench.views._tokens import Tokens, checked_model
from workbench.views._what_if import WhatIf

if TYPE_CHECKING:
    import pandas as pd

    from workbench.reports import Report
    from workbench.views._beside import Beside

__all__ = ["Explorer"]

REST = 0.3  # seconds that a brush must stand before intervals are computed and the selection is logged
PYTHON = "kernel"  # the origin of a selection that was made in Python


class Explorer(anywidget.AnyWidget):
    """Linked charts and examples of one report; `selection` is what is brushed."""

    _esm = _assets.module(*_assets.EXPLORER)
    _css = _assets.css("explorer.css")

    bundle = traitlets.Instance(VegaBundle).tag(sync=True, **ipywidgets.widget_serialization)
    about = traitlets.Dict().tag(sync=True)  # fields, columns, captions, specs, themes, title
    codes = traitlets.Bytes().tag(sync=True)  # (fields, n) uint8
    value = traitlets.Bytes().tag(sync=True)  # (n,) float32: a confidence, or the value of the probe's view
    outcome = traitlets.Bytes().tag(sync=True)  # (n,) uint8: 0, 1, 255 for none
    truth = traitlets.Bytes().tag(sync=True)  # (n,) uint8: 0, 1, 255 for none; b"" where it is the outcome
    measures = traitlets.Bytes().tag(sync=True)  # (measures, n) float32 of the heat map, NaN for none
    mask = traitlets.Bytes().tag(sync=True)  # (n,) bits, packed, the first row in the lowest bit
    places = traitlets.Bytes().tag(sync=True)  # (n,) int32: each row's example, where linked reports differ in rows
    saved = traitlets.List().tag(sync=True)  # [name, number of examples] of each named selection
    findings = traitlets.Dict().tag(sync=True)  # what was looked at and what became of it: `_findings`
    state = traitlets.Dict().tag(sync=True)  # serial, origin, ranges, mask, temperature, cut

    def __init__(
        self, report: "Report", *, link: Link | None = None, beside: "Beside | None" = None, model: Any = None
    ) -> None:
        self._link = link = Link([report]) if link is None else link
        self._lens = lens = lens_of(report) if beside is None else beside.into(lens_of(report))
        rows = report.explored if beside is None else report.explored.join(beside.answers)
        self._report, self._rows = report, rows
        self._lock = link.lock
        self._fields, self._columns, self._why_not = lens.fields, lens.columns, lens.why_not
        self._table = Table(rows, lens.columns)
        self._masked: NDArray[np.bool_] | None = None
        self._own = self._selected = np.ones(len(rows), dtype=bool)
        self._heat = _temperature.Heat(rows, lens.fields, lens.value)
        self._metrics = Latest(self._send_metrics, failed=self._failed, pause=REST)
        of = str(report.record.model.get("name", ""))
        self._tokens = Tokens(rows, lens.columns, checked_model(model), of, lambda told: self.send(told))
        self._what_if = WhatIf(report, rows, lens.columns, checked_model(model), lambda told: self.send(told))
        self._findings = Findings(report, lens, rows, lambda told: self.send(told), self._show_findings)
        self._cut = Cut(rows, lens, lambda told: self.send(told), self._failed, REST)
        self._slow = Latest(self._answer_slowly, failed=self._failed)
        super().__init__(
            bundle=vega(),
            about={
                **about(report, lens),
                "link": link.told(),
                "beside": None if beside is None else beside.for_page(lens),
                "what_if": self._what_if.for_page(),
                "cut": self._cut.told(),
            },
            places=link.packed(),
            codes=np.stack([field.codes for field in self._fields]).tobytes(),
            value=np.where(np.isfinite(lens.value), lens.value, 0).astype(np.float32).tobytes(),
            outcome=np.where(np.isnan(lens.outcome), 255, lens.outcome > 0).astype(np.uint8).tobytes(),
            measures=b"" if lens.map is None else lens.map.packed(),
            saved=saved(report),
            findings=self._findings.told(),
            truth=self._cut.packed(),
            state=self._nothing(0).told,
        )
        self._brush = self._nothing(0)
        answer_beside_cells(self)
        self.on_msg(self._hear)
        self._remember()
        link.join(self)

    # -- Python's side ---------------------------------------------------------------------------------------------------

    @property
    def selection(self) -> "pd.DataFrame":
        """The selected rows, all explored rows where nothing is brushed; a copy."""
        return self.rows_of(self.chosen)

    @property
    def chosen(self) -> NDArray[np.bool_]:
        """Which of the explored rows (n,) are selected."""
        with self._lock:
            return self._selected

    @property
    def lens(self) -> Lens:
        """How the rows are read."""
        return self._lens

    def rows_of(self, chosen: NDArray[np.bool_]) -> "pd.DataFrame":
        """Return some of the explored rows; a copy."""
        return self._rows[chosen].reset_index(drop=True)

    @property
    def ids(self) -> list[str]:
        """The ids of the selected examples, in the order of the rows, each once."""
        return list(dict.fromkeys(self.selection["example"]))

    def select(self, ids: "Iterable[str] | pd.DataFrame | str") -> None:
        """Select examples by id, those of a table with a column `example`, or a selection by its name; brushes are cleared."""
        wanted = self.kept(ids) if isinstance(ids, str) else ids_of(ids)
        lacking = self._link.lacking(self, wanted)
        if lacking:
            raise unknown("explored example", lacking[0], list(dict.fromkeys(self._rows["example"][:40]))[:20])
        self._put(self.only(self._link.rows(self, wanted)))

    def clear(self) -> None:
        """Clear every brush, and the selection of `select(ids)`; the temperature returns to 1."""
        self._put(self.only(None))

    def undo(self) -> bool:
        """Take the last change of the selection back; False where there is none."""
        return self._link.undo()

    def redo(self) -> bool:
        """Make the change again that was taken back; False where there is none."""
        return self._link.redo()

    def name(self, name: str) -> None:
        """Name the present selection and keep it with the report: `report.where(name)`, `explorer.select(name)`."""
        self._link.name(name)

    def what_if(self, example: Any, **texts: str) -> "pd.DataFrame":
        """Ask the model about one example with another `text=`: its answer, confidence and token statistics, old and new.

        `example` is an id, or a row of `selection` or `edits` where an example has several.
        """
        return self._what_if.what_if(example, texts)

    @property
    def edits(self) -> "pd.DataFrame":
        """Every what-if that was asked, here and in the page, a line each."""
        return self._what_if.edits

    def abstain(self, below: float | None) -> None:
        """Let the model abstain below a confidence, None for never; `rates` says what that does. `undo` takes it back."""
        cut = checked_cut(below, self._cut.rule, "abstain", self.title)
        self._put(Part(self._brush._replace(cut=cut), self._masked))

    def decide(self, at: float | None) -> None:
        """Decide for the positive class from a score on, None for as the report has it; `rates` says what that does."""
        cut = checked_cut(at, self._cut.rule, "decide", self.title)
        self._put(Part(self._brush._replace(cut=cut), self._masked))

    @property
    def rates(self) -> "pd.DataFrame":
        """What the line of `abstain` or `decide` does to the selection: rates overall, by group of the slice on show, and gaps."""
        with self._lock:
            line = self._line
        return self._cut.rates(line)

    @property
    def _line(self) -> Job:
        return Job(self._link.serial, self._selected, self._heat.values(self._brush.temperature), self._brush.cut)

    def _put(self, part: Part) -> None:
        with self._lock:
            self._remember()
            serial = self._link.serial + 1
            self.restore(part, serial)
            self._link.changed(serial)

    # -- what the link asks ----------------------------------------------------------------------------------------------

    @property
    def part(self) -> Part:
        """The brushes, and the rows of `select(ids)`."""
        return Part(self._brush, self._masked)

    def only(self, mask: NDArray[np.bool_] | None) -> Part:
        """Return the part without a brush, with a mask or without."""
        return Part(self._nothing(0)._replace(mask=mask is not None), mask)

    @property
    def passing(self) -> NDArray[np.bool_] | None:
        """The rows that pass the own brushes, None where nothing is brushed."""
        return self._own if self._brush.mask or any(codes is not None for codes in self._brush.ranges) else None

    def follow(self, allowed: NDArray[np.bool_] | None) -> None:
        """Show the rows that pass the own brushes and are allowed by the other reports."""
        self._selected = self._own if allowed is None else self._own & allowed
        self._table.follow(self._selected)
        self._send_view()
        self._metrics.put((self._link.serial, self._selected, self._said(), self._brush))
        if self._brush.cut is not None:
            self._cut.put(self._line)

    def kept(self, name: str) -> list[str]:
        """Return the examples of a named selection that are explored here."""
        ids = self._report.selected(name)
        lacking = set(self._link.lacking(self, ids))
        return [one for one in ids if one not in lacking]

    def keep(self, name: str) -> None:
        """Keep the selected examples with the report, under a name."""
        self._findings.keep(self._said(), self._brush, self._selected, name)
        self.saved = saved(self._report)

    def _show_findings(self, told: dict[str, Any]) -> None:
        self.saved, self.findings = saved(self._report), told

    def restore(self, part: Part, serial: int) -> None:
        """Set brushes and mask here and in the page; the lock is held, and the link lets all follow."""
        given, self._masked = part.brush._replace(serial=serial, origin=PYTHON), part.mask
        self._take(given)
        with self.hold_sync():
            self.mask = b"" if part.mask is None else np.packbits(part.mask, bitorder="little").tobytes()
            self.state = given.told

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
            elif kind in ("what_if", "swaps", "typos"):
                self._what_if.hear(content)
            elif kind == "below" and self._brush.cut is not None:
                self._show_below()
            elif kind == "confirm":
                self._findings.ask(self._link.serial, self._said(), self._brush)
            elif kind in ("logits", "fit") and not self._why_not:
                self._slow.put(kind)
            elif kind in ("undo", "redo"):
                self._link.undo() if kind == "undo" else self._link.redo()
            elif kind in ("name", "recall") and isinstance(content.get("name"), str):
                self._link.name(content["name"]) if kind == "name" else self._link.recall(content["name"])
        except WorkbenchError as error:
            self.send({"kind": "problem", "text": str(error)})
        except Exception as error:  # shown in the page: nobody reads a subshell's log
            self._failed(kind, error)

    def _hear_brush(self, content: dict[str, Any]) -> None:
        given = _messages.brush(content, self._fields)
        if (
            given is None
            or (given.temperature != 1.0 and self._why_not)
            or (given.cut is not None and not self._cut.rule)
        ):
            return
        with self._lock:
            if not given.mask or self._masked is None:
                given, self._masked = given._replace(mask=False), None
            if (given.ranges, given.mask) != (self._brush.ranges, self._brush.mask):
                self._remember()
            by = _messages.integer(content.get("by"), 0, len(self._fields) - 1)
            self._cut.by = self._cut.by if by is None else by
            self._take(given)
            self.state = given.told
            self._link.changed(given.serial, _messages.step(content))

    def _show_below(self) -> None:
        """Select the rows below the line, of those that are selected: what a model abstains from, or decides against."""
        with self._lock:
            part = self.only(self._selected & self._cut.below(self._line))
            self._put(
                part._replace(brush=part.brush._replace(temperature=self._brush.temperature, cut=self._brush.cut))
            )

    def _hear_rows(self, content: dict[str, Any]) -> None:
        with self._lock:
            part = self._table.asked(content)
            if part is not None:
                self.send({"kind": "rows", "serial": self._link.serial, **part})

    def _hear_sort(self, content: dict[str, Any]) -> None:
        with self._lock:
            if self._table.sort(content):
                self._table.follow(self._selected)
                self._send_view()

    def _hear_detail(self, content: dict[str, Any]) -> None:
        row = _messages.integer(content.get("row"), 0, len(self._rows) - 1)
        if row is not None:
            pairs = _rows.detail(self._rows, row, self._columns)
            self.send({"kind": "detail", "row": row, "pairs": pairs, "texts": self._what_if.texts_of(row)})
            self._tokens.ask(row)

    # -- what follows from a brush ---------------------------------------------------------------------------------------

    def _take(self, given: _messages.Brush) -> None:
        """Make these the brushes of this report; the lock is held."""
        self._brush = given
        self._own = _fields.keep(self._heat.fields(given.temperature), given.ranges)
        if self._masked is not None:
            self._own &= self._masked

    def _send_view(self) -> None:
        told = {"kind": "view", "serial": self._link.serial, "n": len(self._table.shown), **self._link.history.ways}
        self.send({**told, **self._table.window()})

    def _send_metrics(self, job: tuple[int, NDArray[np.bool_], str, _messages.Brush]) -> None:
        """Send the metrics of a selection with their intervals, and log it: exploring is a search.

        Its words and brush came with it: one that moved on meanwhile has others.
        """
        serial, chosen, words, brush = job
        n = int(chosen.sum())
        why_not = self._findings.looked(words, brush, chosen)
        whole = n == len(chosen) and self._lens.view is None  # what the picture shows: computed once for both
        part = self._report if whole else part_of(self._report, self._lens, self.rows_of(chosen))
        found = [line_of(said, line) for said, line in self._lens.metrics(part.metrics)] if n else []
        self.send({"kind": "metrics", "serial": serial, "n": n, "metrics": found, "why_not": why_not})

    def _answer_slowly(self, kind: str) -> None:
        with self._lock:
            chosen = self._selected
        self.send(*self._heat.answer(kind, chosen))

    def _remember(self) -> None:
        self._link.last = self
        selection.remember(self)

    # -- small parts -----------------------------------------------------------------------------------------------------

    def _failed(self, job: Any, error: Exception) -> None:
        del job
        self.send({"kind": "problem", "text": f"{type(error).__name__}: {error}"})

    def _nothing(self, serial: int) -> _messages.Brush:
        return _messages.Brush.none(serial, len(self._fields), PYTHON)

    def _said(self) -> str:
        """Return the selection in words, those of the other reports' brushes with their titles; "" for everything."""
        told = [self.words]
        told += [f"{one.words} ({one.title})" for one in self._link.explorers if one is not self and one.words]
        return "; ".join(filter(None, told))

    @property
    def title(self) -> str:
        """The report's title."""
        return self._report.title

    @property
    def words(self) -> str:
        """The brushes of this report in words, "" where there are none."""
        return words_of(self._fields, self._brush)

    # -- showing ---------------------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        with self._lock:
            n = int(self._selected.sum())
        return f"Explorer of {self._report.title}: {n:,} of {len(self._rows):,} rows selected"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, meta = paired(super()._repr_mimebundle_(**kwargs))
        return {**data, "text/plain": repr(self), "text/html": static_html(self._report)}, meta

    def _ipython_display_(self) -> None:
        show_with_picture(self, super()._repr_mimebundle_(), self._report, rows=len(self._rows))
