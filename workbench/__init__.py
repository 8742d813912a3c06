"""Workbench: load a model, probe it, explore the results in linked charts.

::

    import workbench as wb

    model = wb.load("smollm2-135m-instruct")
    report = wb.run("calibration", model, wb.pack("facts"))
    wb.explore(report)          # linked charts; wb.selection is what is brushed

The public names are loaded when they are first used, so that importing this package stays quick and pulls in neither torch nor
pandas. `%load_ext workbench` gives the same as magics.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench._conduct import from_predictions, run
    from workbench.audit.compare import compare
    from workbench.audit.fragility import fragility
    from workbench.audit.freeze import freeze
    from workbench.audit.model_card import model_card
    from workbench.audit.replay import replay
    from workbench.audit.robustness import robustness
    from workbench.data.benchmarks import benchmark, benchmarks
    from workbench.data.examples import Examples
    from workbench.data.logs import read_predictions
    from workbench.data.packs import pack, packs
    from workbench.models.load import load
    from workbench.reports import Report
    from workbench.reports import open_report as open  # noqa: A004 — `wb.open` reads as it is meant; never star-imported
    from workbench.views.canvas import explore
    from workbench.views.drawing import draw
    from workbench.views.launcher import launch
    from workbench.views.runs import runs
    from workbench.views.threshold import threshold

__version__ = "0.1.0"

__all__ = [
    "Examples",
    "Report",
    "benchmark",
    "benchmarks",
    "compare",
    "draw",
    "explore",
    "fragility",
    "freeze",
    "from_predictions",
    "launch",
    "load",
    "model_card",
    "open",
    "pack",
    "packs",
    "read_predictions",
    "replay",
    "robustness",
    "run",
    "runs",
    "selection",
    "threshold",
]

# Public name -> module and attribute. No name may equal a submodule's: importing the submodule would overwrite it (PEP 562).
_NAMES = {
    "Examples": ("workbench.data.examples", "Examples"),
    "benchmark": ("workbench.data.benchmarks", "benchmark"),
    "benchmarks": ("workbench.data.benchmarks", "benchmarks"),
    "Report": ("workbench.reports", "Report"),
    "compare": ("workbench.audit.compare", "compare"),
    "draw": ("workbench.views.drawing", "draw"),
    "explore": ("workbench.views.canvas", "explore"),
    "fragility": ("workbench.audit.fragility", "fragility"),
    "freeze": ("workbench.audit.freeze", "freeze"),
    "from_predictions": ("workbench._conduct", "from_predictions"),
    "launch": ("workbench.views.launcher", "launch"),
    "load": ("workbench.models.load", "load"),
    "model_card": ("workbench.audit.model_card", "model_card"),
    "open": ("workbench.reports", "open_report"),
    "pack": ("workbench.data.packs", "pack"),
    "packs": ("workbench.data.packs", "packs"),
    "read_predictions": ("workbench.data.logs", "read_predictions"),
    "replay": ("workbench.audit.replay", "replay"),
    "robustness": ("workbench.audit.robustness", "robustness"),
    "run": ("workbench._conduct", "run"),
    "runs": ("workbench.views.runs", "runs"),
    "threshold": ("workbench.views.threshold", "threshold"),
}

_RUNNING = ("workbench._conduct", "workbench.data._fetch")
_MONITORED = {"run": _RUNNING, "replay": _RUNNING, "benchmark": ("workbench.data._fetch",)}
_SHOWN = ("launch", "load", "run", "runs")  # what JupyterLab's side panel lists


def __getattr__(name: str) -> Any:
    if name == "selection":  # computed at each use: the selection of the explorer that was brushed last
        return import_module("workbench.views.selection").current()
    if name not in _NAMES:
        raise AttributeError(f"module 'workbench' has no attribute {name!r}. It has: {', '.join(__all__)}.")
    module, attribute = _NAMES[name]
    value = getattr(import_module(module), attribute)
    _hand_down(name)
    globals()[name] = value
    return value


def _hand_down(name: str) -> None:
    """Give lower layers what only this module, which alone looks upward, can: a monitor, and the side panel's channel."""
    for below in _MONITORED.get(name, ()):
        part: Any = import_module(below)
        part.monitor_of_views = lambda: import_module("workbench.views.progress").monitor()
    if name in _SHOWN and "IPython" in sys.modules:
        import_module("workbench.views.channel").open_channel()


def __dir__() -> list[str]:
    parts = (name for name in globals() if f"workbench.{name}" in sys.modules and not name.startswith("_"))
    return sorted({*__all__, *parts, *(name for name in globals() if name.startswith("__"))})


def load_ipython_extension(shell: Any) -> None:
    """Register the magics: `%load_ext workbench`."""
    import_module("workbench_ipython").load_ipython_extension(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Remove the magics: `%unload_ext workbench`."""
    import_module("workbench_ipython").unload_ipython_extension(shell)
