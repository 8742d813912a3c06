"""JupyterLab in Chromium: a server that lives in a folder, and a notebook in a page with what a person would do there."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "artifacts"
TOKEN = "only-for-tests"
WAIT = 120_000  # ms that a page may take: on a loaded machine, and where the kernel writes its byte code first
LOCAL = {"127.0.0.1", "localhost", ""}
SETTLED = "() => document.querySelector('.wb-metrics-panel .wb-state').textContent.startsWith('n =')"
BOXES = """() => [...document.querySelectorAll('.wb-panel')].map(e => {
  const r = e.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom, e.scrollWidth - e.clientWidth]; })"""
FORGET = """
import ipywidgets, sys
ipywidgets.Widget.close_all()
if "workbench.views.selection" in sys.modules:
    sys.modules["workbench.views.selection"]._last = None
get_ipython().run_line_magic("reset", "-f")
"""
REFILL = """sources => {
  const shared = window.jupyterapp.shell.currentWidget.content.model.sharedModel, old = shared.cells.length;
  shared.transact(() => {
    shared.insertCells(0, sources.map(source => ({ cell_type: "code", source, metadata: {} })));
    shared.deleteCellRange(sources.length, sources.length + old);
  });
}"""
CLEAN = "() => window.__xss === undefined && !document.querySelector('.workbench-explorer, .workbench-threshold, .jp-Dialog')"
IDLE = "() => window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"


@dataclass(frozen=True)
class Server:
    """A running JupyterLab and the folder it serves."""

    url: str
    folder: Path


@dataclass
class Notebook:
    """A notebook open in a page, and what went wrong in that page."""

    page: Any
    server: Server
    name: str
    errors: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    received: dict[str, int] = field(default_factory=lambda: {"bytes": 0, "frames": 0})

    def open(self) -> None:
        """Load the notebook and wait until its kernel is idle."""
        self.page.goto(f"{self.server.url}/doc/tree/{self.name}?token={TOKEN}&reset", wait_until="domcontentloaded")
        self.page.wait_for_function(
            "window.jupyterapp && document.querySelector('.jp-Notebook .jp-Cell')", timeout=WAIT
        )
        self.page.wait_for_function(IDLE, timeout=WAIT)

    def refill(self, cells: Sequence[str]) -> None:
        """Forget what the kernel and the page know of the last test, and put other cells in their places."""
        assert self.ask(FORGET) == ""
        self.page.evaluate(REFILL, list(cells))
        self.page.wait_for_function(
            "n => document.querySelectorAll('.jp-Notebook .jp-Cell').length === n", arg=len(cells), timeout=WAIT
        )
        self.page.wait_for_function(CLEAN, timeout=WAIT)
        self.idle()
        self.received.update(bytes=0, frames=0)

    def check(self) -> None:
        """Fail if the page asked another host, or an error came of it."""
        strangers, errors = self.strangers.copy(), self.errors.copy()
        self.strangers.clear()
        self.errors.clear()
        assert strangers == []
        assert errors == []

    def close(self) -> None:
        """End the kernel and close the page."""
        with contextlib.suppress(Exception):  # a kernel that is gone already
            self.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
        self.page.close()

    def command(self, name: str, **arguments: Any) -> None:
        """Run a command of JupyterLab and wait for it."""
        self.page.evaluate(f"a => window.jupyterapp.commands.execute({name!r}, a)", arguments)

    def run_all(self) -> None:
        """Run all cells, without waiting for them."""
        self.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")

    def ask(self, code: str) -> str:
        """Return what code prints in the notebook's kernel, run beside the notebook."""
        script = """async code => {
          const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
          const future = kernel.requestExecute({ code, store_history: false });
          let text = "";
          future.onIOPub = m => {
            if (m.header.msg_type === "stream") text += m.content.text;
            if (m.header.msg_type === "error") text += m.content.traceback.join("\\n");
          };
          await future.done;
          return text;
        }"""
        return str(self.page.evaluate(script, code)).strip()

    def idle(self) -> None:
        """Wait until the kernel is idle."""
        self.page.wait_for_function(IDLE, timeout=WAIT)

    def ready(self) -> None:
        """Wait until an explorer has drawn its charts and the table has rows."""
        self.page.wait_for_selector(".workbench-explorer[data-ready='true']", timeout=WAIT)
        self.page.wait_for_selector(".wb-chart canvas", timeout=WAIT)
        self.page.wait_for_selector(".wb-body .wb-row", timeout=WAIT)

    def settle(self) -> None:
        """Wait until the kernel has answered for the brushes on show."""
        self.page.wait_for_function(SETTLED)
        self.page.wait_for_timeout(400)
        self.page.wait_for_function(SETTLED)

    def show(self) -> None:
        """Run all cells, and wait until an explorer stands with the kernel's numbers."""
        self.run_all()
        self.ready()
        self.settle()

    def run_cell(self, place: int) -> None:
        """Run one cell, without waiting for it."""
        self.page.evaluate(f"() => {{ window.jupyterapp.shell.currentWidget.content.activeCellIndex = {place}; }}")
        self.command("notebook:run-cell")

    def dress(self, theme: str) -> None:
        """Change JupyterLab's theme ("Light", "Dark") and wait until the explorer follows."""
        self.command("apputils:change-theme", theme=f"JupyterLab {theme}")
        self.page.wait_for_selector(f".workbench-explorer[data-theme='{theme.lower()}']")

    def resize(self, width: int, height: int) -> None:
        """Give the page a size in pixels, and the charts a moment to follow."""
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.wait_for_timeout(600)

    def panels(self) -> int:
        """Return the number of panels, after a check that none is cut or lies on another."""
        boxes = self.page.evaluate(BOXES)
        assert all(overflow <= 1 for *_, overflow in boxes)
        for i, a in enumerate(boxes):
            for b in boxes[:i]:
                assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
        return len(boxes)

    def shown(self, column: int) -> list[str]:
        """Return the texts of a column of the table's rows on the page."""
        rows = self.page.locator(".wb-body .wb-row").all()
        return [row.locator(".wb-cell").nth(column).inner_text() for row in rows[:12]]

    def tile(self, name: str) -> str:
        """Return the number on one of the tiles: n, rate, mean, ece."""
        return str(self.page.inner_text(f".wb-tile-{name} .wb-value"))

    def box(self, selector: str) -> dict[str, float]:
        """Return the place of an element for the mouse, in view: JupyterLab scrolls to the last cell when all are run."""
        one = self.page.locator(selector).first
        one.scroll_into_view_if_needed()
        return dict(one.bounding_box())

    def drag(self, chart: str, low: float, high: float) -> None:
        """Brush a chart with the mouse, between two shares of its axis."""
        box = self.box(f".wb-{chart} canvas")
        left, right = box["x"] + 62, box["x"] + box["width"] - 15  # ends of the axis
        y = box["y"] + box["height"] / 2
        self.page.mouse.move(left + low * (right - left), y)
        self.page.mouse.down()
        self.page.mouse.move(left + high * (right - left), y, steps=10)
        self.page.mouse.up()

    def picture(self, name: str) -> None:
        """Save a picture of the page to artifacts/."""
        PICTURES.mkdir(exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}.png")


@contextlib.contextmanager
def lab(base: Path) -> Iterator[Server]:
    """Start a JupyterLab that lives in a folder, on the loopback address, with an empty home; stop it at the end."""
    folder, settings, home = base / "work", base / "settings", base / "home"
    for one in (folder, settings, home):
        one.mkdir()
    quiet = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false"}}
    (settings / "overrides.json").write_text(json.dumps(quiet))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    cache = os.environ.get("WORKBENCH_CACHE", str(Path.home() / ".cache" / "workbench"))
    environment = {
        **os.environ,
        "HOME": str(home),
        "WORKBENCH_CACHE": cache,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "extensions"), os.environ.get("PYTHONPATH", "")]),
        "JUPYTER_PATH": os.pathsep.join([str(_share(base)), str(Path(sys.prefix) / "share" / "jupyter")]),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"),
        *(f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={folder}", "--expose-app-in-browser"),
        f"--LabApp.app_settings_dir={settings}",
        "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
    ]
    log = (base / "server.log").open("wb")
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(url, process, base / "server.log")
        yield Server(url, folder)
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        log.close()


def _share(base: Path) -> Path:
    """Return a folder of Jupyter's data that holds this checkout's extension, as an installation does."""
    share = base / "share" / "jupyter"
    (share / "labextensions").mkdir(parents=True)
    (share / "labextensions" / "workbench-lab").symlink_to(ROOT / "extensions" / "labextension" / "prebuilt")
    return share


def _wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(240):
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/api?token={TOKEN}", timeout=5):
            return
        time.sleep(0.25)
    raise RuntimeError(f"JupyterLab did not start: {log.read_text()[-2000:]}")


def new_notebook(
    server: Server, context: Any, cells: Sequence[str], size: dict[str, int], kernel: str, name: str = ""
) -> Notebook:
    """Write a notebook of these cells into the server's folder, and make a page of that size for it."""
    import nbformat

    name = name or f"test-{time.time_ns()}.ipynb"
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    book.metadata["kernelspec"] = {"name": kernel, "display_name": kernel}
    nbformat.write(book, server.folder / name)
    page = context.new_page()
    page.set_viewport_size(size)
    one = Notebook(page, server, name)
    page.on("pageerror", lambda error: one.errors.append(str(error)))
    page.on("request", lambda request: _note_stranger(one, request.url))
    page.on("websocket", lambda socket_: socket_.on("framereceived", lambda frame: _note_traffic(one, frame)))
    return one


def _note_stranger(one: Notebook, url: str) -> None:
    parts = urlparse(url)
    if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in LOCAL:
        one.strangers.append(url)


def _note_traffic(one: Notebook, frame: "str | bytes") -> None:
    one.received["bytes"] += len(frame)
    one.received["frames"] += 1
