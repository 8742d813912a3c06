"""What each notebook takes of a machine such as Binder's: a JupyterLab server and one kernel, on an empty cache of answers."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from workbench.data._places import cache_folder

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 2048  # MB that Binder gives
NOTE = (
    "Every notebook from a clean kernel with the embedded model converted and no answer cached, as `binder/postBuild` leaves it.\n"
    "Memory is the peak of the kernel and, beside it, that of a JupyterLab server at rest, in MB (VmHWM); Binder gives 2,048 to\n"
    "both. The course and the audits with the solutions in place.\n\n"
)
USED = """
import re, time
print(time.process_time(), int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024)"""


def rows() -> list[dict[str, str]]:
    """Return the table. Reads /proc, so Linux only."""
    import workbench as wb

    wb.load("smollm2-135m-instruct")  # converts where that was not done
    server = _server()
    made = []
    for path in sorted((ROOT / "notebooks").rglob("*.ipynb")):
        if ".ipynb_checkpoints" in path.parts:
            continue
        wall, cpu, kernel = _run(path)
        made.append(
            {
                "notebook": str(path.relative_to(ROOT / "notebooks")),
                "wall, s": f"{wall:.0f}",
                "CPU, s": f"{cpu:.0f}",
                "kernel, MB": f"{kernel:,.0f}",
                "with the server, MB": f"{kernel + server:,.0f}",
                "fits Binder": "yes" if kernel + server < LIMIT else "**no**",
            }
        )
    return made


def _run(path: Path) -> tuple[float, float, float]:
    """Return wall seconds, CPU seconds and the peak in MB of a notebook's kernel."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = shutil.copytree(path.parent, Path(scratch) / "notebooks")
        cache = Path(scratch) / "cache"
        cache.mkdir()
        for kept in ("models", "benchmarks"):
            if (cache_folder() / kept).exists():
                (cache / kept).symlink_to(cache_folder() / kept)
        book = nbformat.read(path, as_version=4)
        client = NotebookClient(book, timeout=900, kernel_name="python3", resources={"metadata": {"path": str(folder)}})
        started = time.perf_counter()
        with client.setup_kernel(env={**os.environ, "WORKBENCH_CACHE": str(cache)}):
            for place, cell in enumerate(book.cells):
                if cell.cell_type == "code":
                    client.execute_cell(cell, place)
            wall = time.perf_counter() - started
            last = nbformat.v4.new_code_cell(USED)
            book.cells.append(last)
            client.execute_cell(last, len(book.cells) - 1)
    cpu, peak = map(float, last.outputs[0]["text"].split())
    return wall, cpu, peak


def _server() -> float:
    """Return the peak in MB of a JupyterLab server that stands for ten seconds."""
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--port=0"]
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            time.sleep(10)
            status = Path(f"/proc/{process.pid}/status").read_text()
        finally:
            process.terminate()
            process.wait(20)
    found = re.search(r"VmHWM:\s+(\d+)", status)
    if found is None:
        raise RuntimeError("JupyterLab did not start.")
    return int(found[1]) / 1024


if __name__ == "__main__":
    import run

    print(NOTE + run.table(rows()))
