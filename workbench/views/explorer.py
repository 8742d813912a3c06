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
from workbench.views import _assets, _messages, _rows, selection
from workbench.views._bundle import VegaBundle, vega
from workbench.views._chosen import PYTHON, Chosen
from workbench.views._cut import Cut, checked_cut
from workbench.views._findings import Findings
from workbench.views._lens import Lens, lens_of
from workbench.views._link import Link, Part, ids_of
from workbench.views._live import Latest, answer_beside_cells
from workbench.views._measured import REST, Measured, Resting
from workbench.views._page import about, paired, saved, show_with_picture, static_html
from workbench.views._table import Table
from workbench.views._tokens import Tokens, checked_model
from workbench.views._what_if import WhatIf

if TYPE_CHECKING:
    import pandas as pd

    from workbench.reports import Report
    from workbench.views._beside import Beside

__all__ = ["Explorer"]


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
    asked = traitlets.Dict().tag(sync=True)  # the what-ifs of the report: n, heads, lines
    state = traitlets.Dict().tag(sync=True)  # serial, origin, ranges, mask, temperature, cut

    def __init__(
        self,
        report: "Report",
        *,
        link: Link | None = None,
        beside: "Beside | None" = None,
        model: Any = None,
        apart: str = "",  # what the page adds to the title, where another report has the same
    ) -> None:
        self._link = link = Link([report]) if link is None else link
        self._lens = lens = lens_of(report) if beside is None else beside.into(lens_of(report))
        rows = report.explored if beside is None else report.explored.join(beside.answers)
        self._report, self._rows = report, rows
        self._lock = link.lock
        self._fields, self._columns, self._why_not = lens.fields, lens.columns, lens.why_not
        self._table = Table(rows, lens.columns)
        of = str(report.record.model.get("name", ""))
        self._tokens = Tokens(rows, lens.columns, checked_model(model), of, lambda told: self.send(told))
        self._what_if = WhatIf(report, rows, lens.columns, checked_model(model), self._tell)
        self._findings = Findings(report, lens, rows, lambda told: self.send(told), self._show_findings)
        self._cut = Cut(rows, lens, lambda told: self.send(told), self._failed, REST)
        kept = report._edited
        self._chosen = Chosen(rows, lens, line=kept.line if self._cut.rule else None, temperature=kept.temperature)
        self._findings.last = self._chosen.words  # a line that stood when the report was saved is not looked at anew
        self._metrics = Measured(report, lens, self._findings, self.rows_of, lambda told: self.send(told), self._failed)
        self._slow = Latest(self._answer_slowly, failed=self._failed)
        super().__init__(
            bundle=vega(),
            about={
                **about(report, lens),
                "link": link.told(),
                "apart": apart,
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
            asked=self._what_if.listed,
            truth=self._cut.packed(),
            state=self._chosen.brush.told,
        )
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
            return self._chosen.rows

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
        self._put(self._chosen.only(self._link.rows(self, wanted)))

    def clear(self) -> None:
        """Clear every brush, and the selection of `select(ids)`; the temperature returns to 1."""
        self._put(self._chosen.only(None))

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
        found = self._what_if.what_if(example, texts)
        self.asked = self._what_if.listed
        return found

    @property
    def edits(self) -> "pd.DataFrame":
        """Every what-if that was asked of the report, here and in the page, a line each: it is saved with the report."""
        return self._what_if.edits

    def abstain(self, below: float | None) -> None:
        """Let the model abstain below a confidence, None for never; `rates` says what that does. `undo` takes it back."""
        self._put(self._chosen.lined(checked_cut(below, self._cut.rule, "abstain", self.title)))

    def decide(self, at: float | None) -> None:
        """Decide for the positive class from a score on, None for as the report has it; `rates` says what that does."""
        self._put(self._chosen.lined(checked_cut(at, self._cut.rule, "decide", self.title)))

    @property
    def rates(self) -> "pd.DataFrame":
        """What the line of `abstain` or `decide` does to the selection: rates overall, by group of the slice on show, and gaps."""
        with self._lock:
            line = self._chosen.line(self._link.serial)
        return self._cut.rates(line)

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
        return self._chosen.part

    def only(self, mask: NDArray[np.bool_] | None) -> Part:
        """Return the part without a brush, with a mask or without."""
        return self._chosen.only(mask)

    @property
    def passing(self) -> NDArray[np.bool_] | None:
        """The rows that pass the own brushes, None where nothing is brushed."""
        return self._chosen.passing

    def follow(self, allowed: NDArray[np.bool_] | None) -> None:
        """Show the rows that pass the own brushes and are allowed by the other reports."""
        chosen = self._chosen
        chosen.follow(allowed)
        self._table.follow(chosen.rows)
        self._send_view()
        self._metrics.put(Resting(self._link.serial, chosen.rows, self._said(), chosen.brush))
        if chosen.brush.cut is not None:
            self._cut.put(chosen.line(self._link.serial))

    def kept(self, name: str) -> list[str]:
        """Return the examples of a named selection that are explored here."""
        ids = self._report.selected(name)
        lacking = set(self._link.lacking(self, ids))
        return [one for one in ids if one not in lacking]

    def keep(self, name: str) -> None:
        """Keep the selected examples with the report, under a name."""
        self._findings.keep(self._said(), self._chosen.brush, self._chosen.rows, name)
        self.saved = saved(self._report)

    def _show_findings(self, told: dict[str, Any]) -> None:
        self.saved, self.findings = saved(self._report), told

    def restore(self, part: Part, serial: int) -> None:
        """Set brushes and mask here and in the page; the lock is held, and the link lets all follow."""
        given = part.brush._replace(serial=serial, origin=PYTHON)
        self._take(given, part.mask)
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
            elif kind == "below" and self._chosen.brush.cut is not None:
                self._show_below()
            elif kind == "confirm":
                self._findings.ask(self._link.serial, self._said(), self._chosen.brush)
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
            if (
                given.serial < self.state["serial"]
            ):  # sent again for want of an answer, and overtaken by an undo or by select
                self._send_view()
                return
            mask = self._chosen.mask if given.mask else None
            given = given._replace(mask=mask is not None)
            if not self._chosen.same_rows(given):
                self._remember()
            by = _messages.integer(content.get("by"), 0, len(self._fields) - 1)
            self._cut.by = self._cut.by if by is None else by
            self._take(given, mask)
            self.state = given.told
            self._link.changed(given.serial, _messages.step(content))

    def _show_below(self) -> None:
        """Select the rows below the line, of those that are selected: what a model abstains from, or decides against."""
        with self._lock:
            chosen = self._chosen
            part, now = chosen.only(chosen.rows & self._cut.below(chosen.line(self._link.serial))), chosen.brush
            self._put(part._replace(brush=part.brush._replace(temperature=now.temperature, cut=now.cut)))

    def _hear_rows(self, content: dict[str, Any]) -> None:
        with self._lock:
            part = self._table.asked(content)
            if part is not None:
                self.send({"kind": "rows", "serial": self._link.serial, **part})

    def _hear_sort(self, content: dict[str, Any]) -> None:
        with self._lock:
            if self._table.sort(content):
                self._table.follow(self._chosen.rows)
                self._send_view()

    def _hear_detail(self, content: dict[str, Any]) -> None:
        row = _messages.integer(content.get("row"), 0, len(self._rows) - 1)
        if row is not None:
            pairs = _rows.detail(self._rows, row, self._columns)
            self.send({"kind": "detail", "row": row, "pairs": pairs, "texts": self._what_if.texts_of(row)})
            self._tokens.ask(row)

    # -- what follows from a brush ---------------------------------------------------------------------------------------

    def _take(self, given: _messages.Brush, mask: NDArray[np.bool_] | None) -> None:
        """Make these the brushes of this report, and keep with it where its line stands, and T; the lock is held."""
        self._chosen.take(given, mask)
        self._report._edited.line, self._report._edited.temperature = given.cut, given.temperature

    def _send_view(self) -> None:
        told = {"kind": "view", "serial": self._link.serial, "n": len(self._table.shown), **self._link.history.ways}
        self.send({**told, **self._table.window()})

    def _answer_slowly(self, kind: str) -> None:
        with self._lock:
            chosen = self._chosen.rows
        self.send(*self._chosen.heat.answer(kind, chosen))

    def _remember(self) -> None:
        self._link.last = self
        selection.remember(self)

    # -- small parts -----------------------------------------------------------------------------------------------------

    def _tell(self, told: dict[str, Any]) -> None:
        """Send what the what-if says; an answer is an edit more."""
        self.send(told)
        if told["kind"] == "asked":
            self.asked = self._what_if.listed

    def _failed(self, job: Any, error: Exception) -> None:
        del job
        self.send({"kind": "problem", "text": f"{type(error).__name__}: {error}"})

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
        return self._chosen.words

    # -- showing ---------------------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        with self._lock:
            n = int(self._chosen.rows.sum())
        return f"Explorer of {self._report.title}: {n:,} of {len(self._rows):,} rows selected"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, meta = paired(super()._repr_mimebundle_(**kwargs))
        return {**data, "text/plain": repr(self), "text/html": static_html(self._report)}, meta

    def _ipython_display_(self) -> None:
        show_with_picture(self, super()._repr_mimebundle_(), self._report, rows=len(self._rows))
