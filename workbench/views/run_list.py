"""The list of runs on the page: how far each is, and Cancel. It is made by `wb.runs()` and follows the kernel's runs."""

import threading
import weakref
from typing import Any

import anywidget
import traitlets

from workbench._text import escape
from workbench.errors import UsageError
from workbench.views import _assets, runs
from workbench.views._live import answer_beside_cells
from workbench.views._page import STYLE
from workbench.views.progress import in_notebook

__all__ = ["RunList", "show"]


class RunList(anywidget.AnyWidget):
    """All runs of this kernel, the newest first; it follows them while a page or a variable keeps it."""

    _esm = _assets.module(*_assets.RUNS)
    _css = _assets.css("progress.css")

    runs = traitlets.List().tag(sync=True)

    def __init__(self) -> None:
        self._lock = threading.Lock()
        super().__init__(runs=_states())
        answer_beside_cells(self)
        self.on_msg(self._hear)
        mine = weakref.ref(self)

        def follow() -> None:
            shown = mine()
            if shown is None or shown.comm is None:
                runs.unlisten(follow)
            else:
                shown._follow()

        runs.listen(follow)

    def _follow(self) -> None:
        with self._lock:
            self.runs = _states()

    def _hear(self, _widget: Any, content: Any, _buffers: Any) -> None:
        if isinstance(content, dict) and content.get("kind") == "cancel":
            try:
                runs.numbered(content.get("number")).cancel()
            except UsageError:  # a run that is forgotten: the list is told anew
                self._follow()

    def __repr__(self) -> str:
        return repr(runs.runs())


def show(found: "runs.Runs") -> None:
    """Show a picture of the runs as they are, and in a notebook the list that follows them."""
    from IPython.display import display

    text = repr(found)
    if not in_notebook():
        print(text)
        return
    picture = f'<div class="workbench-static">{STYLE}<pre>{escape(text)}</pre></div>'
    display({"text/html": picture, "text/plain": text}, raw=True)
    display(RunList())


def _states() -> list[dict[str, Any]]:
    return [run.as_state() for run in reversed(runs.runs())]
