"""How long imports take, each in a fresh interpreter, beside an empty one."""

import statistics
import subprocess
import sys
import time

LOAD_EXT = (
    "from IPython.core.interactiveshell import InteractiveShell; "
    "s = InteractiveShell.instance(); import time; t = time.perf_counter(); s.run_line_magic('load_ext', 'workbench'); "
    "print(time.perf_counter() - t)"
)


def seconds(code: str) -> float:
    """Return the wall seconds of a fresh interpreter that runs the code, or what the code prints."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return float(done.stdout) if done.stdout.strip() else time.perf_counter() - start


def rows(repeats: int = 5) -> list[dict[str, str]]:
    """Return one line per import, interleaved: best and median seconds beyond an empty interpreter."""
    codes = {
        "`import workbench`": "import workbench",
        "`%load_ext workbench`": LOAD_EXT,
        "`import netcal`": "import netcal",
        "`import altair`": "import altair",
        "`import torch`": "import torch",
    }
    empty, times = [], {name: [] for name in codes}
    for _ in range(repeats):
        empty.append(seconds("pass"))
        for name, code in codes.items():
            times[name].append(seconds(code) - (0.0 if name.startswith("`%") else empty[-1]))
    return [
        {"what": name, "seconds, least": f"{min(found):.3f}", "seconds, median": f"{statistics.median(found):.3f}"}
        for name, found in times.items()
    ]
