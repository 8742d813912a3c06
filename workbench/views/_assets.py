"""The browser's part: plain files of one scope, joined into the one ES module that anywidget wants.

The files hold declarations only, so that their order matters for nothing but constants; the last one exports.
There is no build step and no Node.
"""

from functools import cache
from importlib.resources import files

__all__ = [
    "CANVAS",
    "DRAWING",
    "EXPLORER",
    "LAUNCHER",
    "MODELS",
    "PROGRESS",
    "RUNS",
    "THRESHOLD",
    "VIEWS",
    "css",
    "module",
]

VIEWS = (  # one module for explorers and canvases, which the carrier of `_bundle` sends once
    "carrier.js",
    "count.js",
    "measures.js",
    "temper.js",
    "cubes.js",
    "taken.js",
    "link.js",
    "store.js",
    "vega.js",
    "dom.js",
    "charts.js",
    "slices.js",
    "map.js",
    "tokens.js",
    "whatif.js",
    "edits.js",
    "grid.js",
    "confirm.js",
    "panels.js",
    "cut.js",
    "tools.js",
    "pane.js",
    "explorer.js",
    "compare.js",
    "canvas.js",
    "models.js",
    "views.js",
)
EXPLORER = ("carrier.js", "explorer_widget.js")
CANVAS = ("carrier.js", "canvas_widget.js")
MODELS = ("carrier.js", "models_widget.js")
LAUNCHER = ("dom.js", "launcher.js")
PROGRESS = ("dom.js", "said.js", "progress.js")
RUNS = ("dom.js", "said.js", "runs.js")
THRESHOLD = ("dom.js", "threshold.js")
DRAWING = ("dom.js", "drawing.js")


@cache
def module(*names: str) -> str:
    """Return the text of one ES module made of the named files.

    >>> "function count" in module("count.js")
    True
    """
    return "\n".join(_read(name) for name in names)


@cache
def css(*names: str) -> str:
    """Return the joined style sheets.

    >>> ".workbench-progress" in css("progress.css")
    True
    """
    return "\n".join(_read(name) for name in names)


def _read(name: str) -> str:
    return files("workbench.views").joinpath("static", name).read_text(encoding="utf-8")
