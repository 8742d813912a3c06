"""JupyterLab in Chromium: one server and one browser for all tests here, one page per notebook.

Nothing outside this machine is asked: a page that asks another host fails its test.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pytest

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "artifacts"
TOKEN = "only-for-tests"
WAIT = 60_000  # ms that a page may take on a loaded machine
LOCAL = {"127.0.0.1", "localhost", ""}
SETTLED = "() => document.querySelector('.wb-metrics-panel .wb-state').textContent.startsWith('n =')"
BOXES = """() => [...document.querySelectorAll('.wb-panel')].map(e => {
  const r = e.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom, e.scrollWidth - e.clientWidth]; })"""
IDLE = "() => window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder."""
    for item in items:
        if Path(str(item.fspath)).parent == Path(__file__).parent:
            item.add_marker(pytest.mark.browser)


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

    def drag(self, chart: str, low: float, high: float) -> None:
        """Brush a chart with the mouse, between two shares of its axis."""
        self.page.locator(f".wb-{chart}").scroll_into_view_if_needed()
        box = self.page.query_selector(f".wb-{chart} canvas").bounding_box()
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


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start one JupyterLab, on the loopback address, with an empty home."""
    base = tmp_path_factory.mktemp("lab")
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
        "JUPYTER_PATH": str(Path(sys.prefix) / "share" / "jupyter"),
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


def _wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(240):
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/api?token={TOKEN}", timeout=5):
            return
        time.sleep(0.25)
    raise RuntimeError(f"JupyterLab did not start: {log.read_text()[-2000:]}")


@pytest.fixture
def blank(browser: Any) -> Iterator[Any]:
    """Open an empty page, for the JavaScript that needs no notebook."""
    page = browser.new_page()
    yield page
    page.close()


@pytest.fixture
def notebook(server: Server, browser: Any) -> Iterator[Callable[..., Notebook]]:
    """Make and open notebooks from lists of cells; at the end, check that no page asked another host or failed."""
    opened: list[Notebook] = []

    def make(*cells: str, width: int = 1600, height: int = 1400) -> Notebook:
        import nbformat

        name = f"test-{time.time_ns()}.ipynb"
        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(book, server.folder / name)
        page = browser.new_context(viewport={"width": width, "height": height}).new_page()
        one = Notebook(page, server, name)
        page.on("pageerror", lambda error: one.errors.append(str(error)))
        page.on("request", lambda request: _note_stranger(one, request.url))
        page.on("websocket", lambda socket_: socket_.on("framereceived", lambda frame: _note_traffic(one, frame)))
        opened.append(one)
        one.open()
        return one

    yield make
    for one in opened:
        with contextlib.suppress(Exception):  # a kernel that is gone already
            one.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
        one.page.context.close()
    assert [stranger for one in opened for stranger in one.strangers] == []
    assert [error for one in opened for error in one.errors] == []


def _note_stranger(one: Notebook, url: str) -> None:
    parts = urlparse(url)
    if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in LOCAL:
        one.strangers.append(url)


def _note_traffic(one: Notebook, frame: "str | bytes") -> None:
    one.received["bytes"] += len(frame)
    one.received["frames"] += 1
