"""The chart of `wb.robustness` with the rows behind it: a click on a model opens the explorer of its report below.

The chart is a widget of its own (`Models`), the explorer another, one below the other. A report is opened when it is first asked
for, and keeps its brushes while others are looked at.

Messages from the page: pick (the places of a model and of a side). Answer: the trait `picked`.
"""

import threading
from typing import TYPE_CHECKING, Any

import anywidget
import ipywidgets
import traitlets

from workbench.audit.robustness import SIDES
from workbench.errors import UsageError, unknown
from workbench.views import _assets, _messages, selection
from workbench.views._bundle import VegaBundle, vega
from workbench.views._live import Latest, answer_beside_cells
from workbench.views._page import show_with_picture, static_html, themes_for_page
from workbench.views.explorer import Explorer

if TYPE_CHECKING:
    import pandas as pd

    from workbench.audit.robustness import Robust

__all__ = ["Models", "RobustExplorer"]


class Models(anywidget.AnyWidget):
    """Accuracy elsewhere over accuracy here; a model is chosen by a click on its dot or line, or from a list."""

    _esm = _assets.module(*_assets.MODELS)
    _css = _assets.css("explorer.css", "models.css")

    bundle = traitlets.Instance(VegaBundle).tag(sync=True, **ipywidgets.widget_serialization)
    about = traitlets.Dict().tag(
        sync=True
    )  # title, caption, spec, configs, palettes, names, drawn (names in the chart), sides
    picked = traitlets.Dict().tag(sync=True)  # model, side (places; -1 for none), said


class RobustExplorer(ipywidgets.VBox):
    """The models, and below them the explorer of the rows behind one of them."""

    children: Any

    def __init__(self, found: "Robust", *, model: Any = None) -> None:
        from workbench.charts.robustness import drawn_name, effective_robustness, marking

        chart = effective_robustness(found.metrics, found.line).to_dict()
        names = [str(name) for name in found.metrics["model"]]
        self._found, self._names, self._model = found, names, model
        self._opened: dict[tuple[int, int], Explorer] = {}
        self._lock = threading.Lock()
        self._slow = Latest(self._open, failed=self._failed)
        ns = found.metrics[["n_inside", "n_outside"]].iloc[0]
        about = {
            "title": found.title,
            "caption": f"{chart['description']} Click a model to open the rows behind it.",
            "spec": marking(chart),
            "names": names,
            "drawn": [drawn_name(name) for name in names],
            "sides": [[side, int(n)] for side, n in zip(SIDES, ns, strict=True)],
            **themes_for_page(),
        }
        self.models = Models(bundle=vega(), about=about, picked={"model": -1, "side": 1, "said": ""})
        super().__init__([self.models])
        answer_beside_cells(self)
        answer_beside_cells(self.models)
        self.models.on_msg(self._hear)

    @property
    def explorer(self) -> Explorer | None:
        """The explorer that stands below the chart, None before a model is picked."""
        return self.children[1] if len(self.children) > 1 else None

    @property
    def selection(self) -> "pd.DataFrame":
        """The selected rows of the model that was picked."""
        explorer = self.explorer
        if explorer is None:
            raise UsageError("No model is picked yet. Click one in the chart, or use pick('its name').")
        return explorer.selection

    def pick(self, model: str, side: str = "outside") -> None:
        """Open the rows behind a model's accuracy, "inside" or "outside"."""
        for what, name, known in (("model", model, self._names), ("side", side, SIDES)):
            if name not in known:
                raise unknown(what, name, list(known))
        self._open((self._names.index(model), SIDES.index(side)))

    def _hear(self, _widget: Any, content: Any, _buffers: Any) -> None:
        if not isinstance(content, dict) or content.get("kind") != "pick":
            return
        place = _messages.integer(content.get("model"), 0, len(self._names) - 1)
        side = _messages.integer(content.get("side"), 0, 1)
        if place is not None and side is not None:
            self.models.picked = {"model": place, "side": side, "said": "Opening …"}
            self._slow.put((place, side))

    def _open(self, job: tuple[int, int]) -> None:
        """Put the explorer of a model's report below the chart."""
        place, side = job
        with self._lock:
            if job not in self._opened:
                report = self._found.report(self._names[place], SIDES[side])
                self._opened[job] = Explorer(report, model=self._model)
            self.children = (self.models, self._opened[job])
        selection.remember(self._opened[job])
        self.models.picked = {"model": place, "side": side, "said": ""}

    def _failed(self, job: tuple[int, int], error: Exception) -> None:
        said = str(error) if isinstance(error, UsageError) else f"{type(error).__name__}: {error}"
        self.models.picked = {"model": job[0], "side": job[1], "said": said}

    def __repr__(self) -> str:
        explorer = self.explorer
        below = f"; below it {explorer!r}" if explorer is not None else "; click a model to see its rows"
        return f"{self._found.title}{below}"

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        data = super()._repr_mimebundle_(**kwargs) or {}
        return {**data, "text/plain": repr(self), "text/html": static_html(self._found)}

    def _ipython_display_(self) -> None:
        show_with_picture(self, super()._repr_mimebundle_(), self._found)
