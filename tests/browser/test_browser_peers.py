"""How soon a brush is seen, beside Altair's JupyterChart and VegaFusion: three linked views of the same rows, in turn in one run.

`benchmarks/run.py brush` runs this and writes its table. In each notebook the first view is brushed in ten steps; what counts is
the time from the last move to the last repaint of any view: for the peers the last change of their drawings, for Workbench the
moment when all its charts are settled. The brushed share is the same, and each side's selection is counted against pandas.
"""

import importlib.util
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
KEPT = BENCHMARKS / "results" / "brush.json"
VEGAFUSION = "vegafusion==2.0.3"
ROWS = tuple(int(n) for n in os.environ.get("WORKBENCH_LATENCY_ROWS", "10000,100000,1000000").split(","))
INLINE = 100_000  # rows beyond which JupyterChart alone would send tens of megabytes of text
DRAGS = 6
LOW = 0.3  # share of the axis where drags begin
SETTLE = 2_500  # ms that a drag's last repaint may take

DATA = """
import numpy as np, pandas as pd
rng = np.random.default_rng(1)
n = {rows}
frame = pd.DataFrame({{"confidence": rng.beta(4, 2, n)}})
frame["length"], frame["age"] = rng.normal(50, 12, n).clip(0, 100), rng.uniform(0, 90, n)
frame["correct"] = (rng.random(n) < frame.confidence ** 1.3).astype(float)
"""
OURS = """
import workbench as wb
report = wb.from_predictions(frame.assign(example=np.arange(n).astype(str)), confidence="confidence")
explorer = wb.explore(report)
explorer
"""
PEER = """
import altair as alt
{enable}
alt.data_transformers.disable_max_rows()
alt.JupyterChart.enable_offline()
brush = alt.selection_interval(name="brush", encodings=["x"])
bars = alt.Chart(frame).properties(width=300, height=130).mark_bar()
first = bars.encode(alt.X("confidence:Q", bin=alt.Bin(extent=[0, 1], step=0.025)), y="count()").add_params(brush)
other = [
    bars.encode(alt.X(name + ":Q", bin=alt.Bin(maxbins=40)), y="count()").transform_filter(brush)
    for name in ("length", "age")
]
chart = alt.JupyterChart(alt.hconcat(first, *other))
chart
"""
WATCH = """root => {
  window.__moved = 0; window.__painted = 0;
  window.addEventListener('mousemove', () => { window.__moved = performance.now(); }, true);
  window.addEventListener('pointermove', () => { window.__moved = performance.now(); }, true);
  const seen = new MutationObserver(() => { window.__painted = performance.now(); });
  const found = document.querySelector(root);
  if (root === '.workbench-explorer') seen.observe(found, { attributes: true, attributeFilter: ['data-painted'] });
  else for (const one of found.querySelectorAll('.mark-rect.role-mark')) if (one !== found.querySelector('.mark-rect.role-mark'))
    seen.observe(one.parentElement.parentElement, { subtree: true, childList: true, attributes: true });
}"""


class Side:
    """One way to link views, in a notebook of its own."""

    def __init__(self, name: str, book: Any, chart: str, root: str) -> None:
        self.name, self.book, self.chart, self.root = name, book, chart, root
        self.times: list[float] = []
        self.traffic = 0

    def ready(self) -> None:
        """Run the notebook, wait for its charts, and begin to watch them."""
        page = self.book.page
        page.bring_to_front()
        self.book.run_all()
        page.wait_for_selector(self.chart, timeout=180_000)
        if self.name == "Workbench":
            self.book.ready()
            self.book.settle()
        else:
            page.wait_for_function(
                "() => document.querySelectorAll('.mark-rect.role-mark path').length > 60", timeout=180_000
            )
        page.wait_for_timeout(1_500)
        self.traffic = self.book.received["bytes"]
        page.evaluate(WATCH, self.root)

    def ends(self) -> tuple[float, float, float]:
        """Return the pixels at which the brushed axis begins and ends, and a height inside it."""
        box = self.book.box(self.chart)
        if self.name == "Workbench":
            return box["x"] + 62, box["x"] + box["width"] - 15, box["y"] + box["height"] / 2
        return box["x"], box["x"] + box["width"], box["y"] + box["height"] / 2

    def drag(self, low: float, high: float) -> None:
        """Brush in ten steps, and keep the time from the last of them to the last repaint."""
        page = self.book.page
        page.bring_to_front()
        left, right, y = self.ends()
        page.mouse.move(left + low * (right - left), y)
        page.mouse.down()
        page.mouse.move(left + (high - 0.1) * (right - left), y, steps=9)
        page.mouse.move(left + high * (right - left), y)
        page.wait_for_timeout(SETTLE)
        self.times.append(float(page.evaluate("() => window.__painted - window.__moved")))
        page.mouse.up()

    def clear(self) -> None:
        """Lift the brush."""
        if self.name == "Workbench":
            self.book.page.click(".wb-clear")
        else:
            left, _, y = self.ends()
            self.book.page.mouse.dblclick(left + 0.5 * (self.ends()[1] - left), y)
        self.book.page.wait_for_timeout(600)

    def selected(self) -> tuple[int, int]:
        """Return how many rows the side says are brushed, and how many the frame has between those bounds."""
        said = "len(explorer.selection)"
        bounds = "explorer.selection.confidence.min(), explorer.selection.confidence.max()"
        if self.name != "Workbench":
            said = "int(frame.confidence.between(low, high).sum())"
            bounds = "chart.selections.brush.value['confidence']"
        counted = self.book.ask(f"low, high = {bounds}; print({said}, int(frame.confidence.between(low, high).sum()))")
        mine, theirs = map(int, counted.split())
        return mine, theirs


def peer_kernel(home: Path) -> None:
    """Write a kernel whose environment has VegaFusion beside all that is here."""
    spec = importlib.util.spec_from_file_location("peers", BENCHMARKS / "peers.py")
    assert spec is not None
    assert spec.loader is not None
    peers = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(peers)
    interpreter = peers.python("vegafusion", VEGAFUSION, beside=True)
    folder = home / ".local" / "share" / "jupyter" / "kernels" / "vegafusion"
    folder.mkdir(parents=True, exist_ok=True)
    argv = [str(interpreter), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (folder / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "vegafusion", "language": "python"}))


@pytest.mark.parametrize("rows", ROWS)
def test_each_side_brushes_the_rows_that_it_says(notebook: Callable[..., Any], server: Any, rows: int) -> None:
    """Three linked views a side in one run: each repaints after each drag, and selects what pandas does; times go to the table."""
    peer_kernel(server.folder.parent / "home")
    data = DATA.format(rows=rows)
    fused = PEER.format(enable='alt.data_transformers.enable("vegafusion")')
    sides = [Side("Workbench", notebook(data, OURS, alone=True), ".wb-histogram canvas", ".workbench-explorer")]
    first = ".vega-embed svg .mark-group.role-scope >> nth=0 >> path.background >> nth=0"
    for name, kernel, code in (
        ("VegaFusion", "vegafusion", fused),
        ("JupyterChart", "python3", PEER.format(enable="")),
    ):
        if name == "VegaFusion" or rows <= INLINE:
            sides.append(Side(name, notebook(data, code, alone=True, kernel=kernel), first, ".vega-embed"))
    for side in sides:
        side.ready()
    for turn in range(DRAGS):
        for side in sides[:: 1 if turn % 2 == 0 else -1]:
            side.drag(LOW + 0.02 * turn, 0.7 + 0.03 * turn)
            if turn == DRAGS - 1:
                said, counted = side.selected()
                assert said == counted > 0
            side.clear()
    found = {side.name: {"ms": side.times, "init_bytes": side.traffic, "load": os.getloadavg()[0]} for side in sides}
    KEPT.parent.mkdir(exist_ok=True)
    before = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    KEPT.write_text(json.dumps({**before, str(rows): found}, indent=1))
    for name, one in found.items():
        least, middle, most = (f(one["ms"]) for f in (np.min, np.median, np.max))
        print(f"{rows:,} {name}: {least:.0f} / {middle:.0f} / {most:.0f} ms, {one['init_bytes'] / 1e6:.2f} MB")

    assert all(min(one["ms"]) > 0 for one in found.values())
