"""The launcher: choose a model, examples and a probe by clicks, see what it will cost, run, and get the cell that does the same.

What a click runs *is* the cell that is shown (`_cell`), on a background thread with a stop flag, so that brushing and cancelling go
on; its names land in the notebook. The form is a widget of its own (`Form`), the run a `Progress`, its report an output, its
explorer another widget, one below the other: all of them live in the kernel, so a page that is opened again shows them again.

Messages from the page: choice, run, time, explore, look. Answers: the traits `known`, `choice` and `answer`.
"""

import threading
import weakref
from collections.abc import Mapping
from typing import Any

import anywidget
import ipywidgets
import traitlets

from workbench._text import escape
from workbench.errors import UsageError, WorkbenchError
from workbench.views import _assets, _choices, _cost
from workbench.views._cell import Cell, Choice, cell_of, free_name
from workbench.views._live import Latest, answer_beside_cells, begin
from workbench.views._page import STYLE, static_html
from workbench.views.progress import Progress, given

__all__ = ["Form", "Launcher", "launch"]

MODEL, DATA, PROBE = "smollm2-135m-instruct", "facts", "calibration"  # what stands there first

_one_at_a_time = threading.Lock()  # runs of launchers: two would share the processor, and each would look slow


def launch(*, model: str = "", data: str = "", probe: str = PROBE, **options: Any) -> "Launcher":
    """Return the launcher: choose model, examples, probe and options, see the cost, run, cancel; it writes the same as a cell.

    What is given stands there first: `wb.launch(data="facts", scoring="letters")`. The report lands in a variable of the notebook,
    which the launcher names.

    >>> print(launch(data="mini").source)
    import workbench as wb
    <BLANKLINE>
    model = wb.load('smollm2-135m-instruct')
    report = wb.run('calibration', model, wb.pack('mini'))
    report
    """
    return Launcher(Choice(model=model, data=data, probe=probe, options=options))


class Form(anywidget.AnyWidget):
    """What is chosen, and what the kernel says of it."""

    _esm = _assets.module(*_assets.LAUNCHER)
    _css = _assets.css("launcher.css")

    known = traitlets.Dict().tag(sync=True)  # models, data, probes
    choice = traitlets.Dict().tag(sync=True)  # see `Choice`
    answer = traitlets.Dict().tag(sync=True)  # cell, problem, notice, estimate, running ("" or what goes on), ended


class Launcher(ipywidgets.VBox):
    """The form, and below it the run, its report and its explorer."""

    children: Any

    def __init__(self, first: Choice | None = None, *, space: dict[str, Any] | None = None) -> None:
        self._space = _namespace() if space is None else space
        self._lock = threading.RLock()
        self._run: Progress | None = None
        self._thread: threading.Thread | None = None
        self._doing = ""  # what the run's thread does, in a word or two
        self._ended: dict[str, Any] = {}
        self._loaded: dict[str, weakref.ref[Any]] = {}  # what this launcher loaded, by the line that did
        self._timed: dict[tuple[str, ...], str] = {}
        self._estimates = Latest(self._estimate, failed=self._not_estimated, pause=0.2)
        self._slow = Latest(self._do_slowly, failed=self._slow_failed)
        self._displayed = False
        self._display_id = f"workbench-launcher-{id(self)}"
        self.form = Form(known=self._known(), choice=self._start(first or Choice())._asdict())
        super().__init__([self.form])
        answer_beside_cells(self)
        answer_beside_cells(self.form)
        self.form.on_msg(self._hear)
        self._answer(self.choice)

    # -- what is chosen ------------------------------------------------------------------------------------------------

    @property
    def choice(self) -> Choice:
        """What is chosen now."""
        return Choice.of(self.form.choice)

    @property
    def source(self) -> str:
        """The cell that gives the same report, "" where the choice is no run yet."""
        return str(self.form.answer.get("cell", ""))

    def choose(self, **changes: Any) -> None:
        """Change what is chosen, as the page does."""
        self._take({**self.choice._asdict(), **changes})

    def _start(self, first: Choice) -> Choice:
        known = self.form_models
        model = first.model or next((one["value"] for one in known if one["group"] == "In this notebook"), MODEL)
        space = self._space
        data = first.data or next(
            (name for name, value in space.items() if _shown(name) and _choices.is_data(value)), DATA
        )
        return first._replace(model=model, data=data, out=free_name("report", space))

    @property
    def form_models(self) -> list[dict[str, str]]:
        """The models that are offered."""
        return _choices.models(self._space)

    def _known(self) -> dict[str, Any]:
        return {"models": self.form_models, "data": _choices.data(self._space), "probes": _choices.probes()}

    # -- what the page says --------------------------------------------------------------------------------------------

    def _hear(self, _widget: Any, content: Any, _buffers: Any) -> None:
        if not isinstance(content, dict):
            return
        kind = content.get("kind")
        if kind == "choice" and isinstance(content.get("choice"), dict):
            self._take(content["choice"])
        elif kind == "run":
            self.run()
        elif kind in ("time", "explore"):
            self._slow.put(kind)
        elif kind == "look":
            self.form.known = {**self.form.known, **self._known()}

    def _take(self, told: Mapping[str, Any]) -> None:
        choice = Choice.of(told)
        with self._lock:
            self.form.choice = choice._asdict()
        self._answer(choice)

    def _answer(self, choice: Choice) -> None:
        """Say the cell of a choice, or what is wrong with it, at once; the estimate follows."""
        try:
            cell, problem = cell_of(choice, self._space), ""
        except WorkbenchError as wrong:
            cell, problem = None, str(wrong)
        notice = ""
        if cell is not None and cell.out in self._space:
            notice = f"The variable {cell.out} is in use: the report will take its place."
        self._say(cell="" if cell is None else cell.source, problem=problem, notice=notice, estimate=[], columns=[])
        if cell is not None:
            self._estimates.put((choice, cell))

    def _say(self, **changes: Any) -> None:
        with self._lock:
            told = {"running": self._doing, "ended": self._ended, **changes}
            self.form.answer = {**self.form.answer, **told}

    def _do(self, doing: str) -> None:
        """Say what the run's thread does now, "" for nothing more."""
        if doing != self._doing:
            self._doing = doing
            self._say()

    # -- what it will cost ---------------------------------------------------------------------------------------------

    def _estimate(self, job: tuple[Choice, Cell]) -> None:
        """Say what is known of the cost of a choice."""
        choice, cell = job
        found = _cost.cost(choice, cell, self._space, timed=self._timed.get(_key(choice), ""))
        self._told(choice, found.said, found.columns)

    def _told(self, choice: Choice, said: list[str], columns: list[str]) -> None:
        if choice == self.choice:
            self._say(estimate=said, columns=columns)

    def _not_estimated(self, job: tuple[Choice, Cell], error: Exception) -> None:
        self._told(job[0], [_sentence(error)], [])

    # -- what takes long -----------------------------------------------------------------------------------------------

    def _do_slowly(self, kind: str) -> None:
        if kind == "time":
            self._time()
        else:
            self._explore()

    def _slow_failed(self, _kind: Any, error: Exception) -> None:
        self._say(busy="", problem=_sentence(error))

    def _time(self) -> None:
        """Measure the pace on a few of the examples; their answers are kept, so that the run need not ask again."""
        choice = self.choice
        cell = cell_of(choice, self._space)
        self._say(busy=f"Timing {_cost.TIMED} examples")
        with _one_at_a_time:
            self._load(cell)
            self._timed[_key(choice)] = _cost.timed(choice, cell, self._space)
        self._say(busy="")
        self._answer(self.choice)

    def _explore(self) -> None:
        from workbench.views.canvas import explore

        report = self._space.get(self._ended.get("out", ""))
        if report is None:
            raise UsageError("There is no report to explore yet.")
        self._say(busy="Opening the explorer")
        self.children = (*self.children[:3], explore(report))
        self._say(busy="")

    # -- the run -------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Run the cell that is shown, on a thread of its own; a run that goes on is not begun twice."""
        choice = self.choice
        try:
            cell = cell_of(choice, self._space)
        except WorkbenchError as wrong:
            self._say(problem=str(wrong))
            return
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return
            self._run = Progress(shown=True)
            self._run.observe(self._watch, "state")
            self._run.expect(f"{choice.probe} of {cell.name or 'no model'} on {choice.data or cell.model}", cell.out)
            self._ended, self._doing = {}, "Running"
            self.children = (self.form, self._run)
            self._thread = begin(self._work, cell, self._run, name="workbench-run", stop=self._run.cancel)
        self._say()

    def join(self, seconds: float | None = None) -> None:
        """Wait until the run is over."""
        if self._thread is not None:
            self._thread.join(seconds)

    def cancel(self) -> None:
        """Ask the run to stop after the batch it is in."""
        if self._run is not None:
            self._run.cancel()

    def _watch(self, change: Any) -> None:
        """Hear that the run was cancelled, wherever: what it is in has to end first."""
        if change["owner"] is self._run and change["new"]["stopped"] and self._doing == "Running":
            self._do("Cancelling")

    def _work(self, cell: Cell, progress: Progress) -> None:
        """Run a cell, and show what came of it."""
        try:
            with _one_at_a_time, given(progress):
                if progress.stopped:
                    raise KeyboardInterrupt
                self._load(cell)
                self._execute(cell.run)
            report = self._space[cell.out]
            self._do("Drawing the report")
            self._show(report)
            self._ended = {"out": cell.out, "model": cell.model if cell.load else "", "cell": cell.source}
            self._ended["rows"] = len(report.explored)
        except KeyboardInterrupt:
            progress.fail(KeyboardInterrupt("It was cancelled before the model was asked."))
        except WorkbenchError as wrong:
            progress.fail(wrong)
        except Exception as error:  # shown in the page: nobody reads a thread's log
            progress.fail(RuntimeError(_sentence(error)))
        self._thread, self._doing = None, ""
        self.form.known = self._known()
        if self.choice.out == cell.out:
            self.form.choice = {**self.form.choice, "out": free_name(_base(cell.out), self._space)}
        self._answer(self.choice)

    def _load(self, cell: Cell) -> None:
        """Load the cell's model, unless this launcher has, and the variable still holds it."""
        held = self._loaded.get(cell.load)
        if not cell.load or (held is not None and held() is not None and held() is self._space.get(cell.model)):
            return
        self._execute(cell.load)
        self._loaded[cell.load] = weakref.ref(self._space[cell.model])

    def _execute(self, line: str) -> None:
        import workbench as wb

        exec(compile(line, "<launcher>", "exec"), {"wb": wb}, self._space)  # noqa: S102 — written by `_cell`

    def _show(self, report: Any) -> None:
        """Show the report's static picture, here and in what the notebook keeps."""
        data = {"text/html": report._repr_html_(), "text/plain": repr(report)}
        output = ({"output_type": "display_data", "data": data, "metadata": {}},)
        self.children = (*self.children[:2], ipywidgets.Output(outputs=output))
        self._picture(static_html(report), repr(report), update=True)

    # -- showing -------------------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        ended = f"; its report is in {self._ended['out']}" if self._ended else ""
        return f"Launcher of {self.choice.probe or 'a probe'}{ended}"

    def _picture(self, html: str, text: str, *, update: bool = False) -> None:
        from IPython.display import display, update_display

        data = {"text/html": html, "text/plain": text}
        if not update:
            self._displayed = True
            display(data, display_id=self._display_id, raw=True)
        elif self._displayed:
            update_display(data, display_id=self._display_id, raw=True)

    def _ipython_display_(self) -> None:
        """Show a static picture (now the cell, later the report), then the form; the picture is what the notebook keeps."""
        from IPython.display import display

        self._picture(f'<div class="workbench-static">{STYLE}<pre>{escape(self.source)}</pre></div>', repr(self))
        data = self._repr_mimebundle_()
        bundle, meta = data if isinstance(data, tuple) else (data or {}, {})
        display({**bundle, "text/plain": repr(self)}, metadata=meta, raw=True)


def _namespace() -> dict[str, Any]:
    """Return the notebook's variables; where there is none, a space of its own."""
    import sys

    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell.user_ns if shell is not None else {}


def _shown(name: str) -> bool:
    return not name.startswith("_")


def _key(choice: Choice) -> tuple[str, ...]:
    """Return what a timing is good for: all but the name that the report gets."""
    return tuple(str(value) for name, value in choice._asdict().items() if name != "out")


def _sentence(error: BaseException) -> str:
    return str(error) if isinstance(error, WorkbenchError) else f"{type(error).__name__}: {error}"


def _base(name: str) -> str:
    """Return a variable's name without the number behind it: "report" of "report_2"."""
    head, _, tail = name.rpartition("_")
    return head if head and tail.isdigit() else name
