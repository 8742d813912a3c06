"""The one widget model of a kernel that carries JavaScript that views share: Vega's and their own; they hold a reference to it."""

import threading
from typing import Any

import ipywidgets
import traitlets

from workbench.views import _assets

__all__ = ["VegaBundle", "vega"]


class VegaBundle(ipywidgets.Widget):
    """Vega's JavaScript (about 0.9 MB) and that of explorers and canvases (0.1 MB), sent once however many a notebook has."""

    _model_name = traitlets.Unicode("WidgetModel").tag(sync=True)
    _model_module = traitlets.Unicode("@jupyter-widgets/base").tag(sync=True)
    _model_module_version = traitlets.Unicode("2.0.0").tag(sync=True)
    source = traitlets.Unicode().tag(sync=True)
    views = traitlets.Unicode().tag(sync=True)

    def __repr__(self) -> str:
        return f"VegaBundle({len(self.source):,} characters)"


_lock = threading.Lock()
_carrier: VegaBundle | None = None


def vega() -> Any:
    """Return the carrier, made at first use and again after `Widget.close_all()`, which leaves a dead one."""
    global _carrier
    with _lock:
        if _carrier is None or _carrier.comm is None:
            from workbench.charts.bundle import vega_bundle

            _carrier = VegaBundle(source=vega_bundle(), views=_assets.module(*_assets.VIEWS))
        return _carrier
