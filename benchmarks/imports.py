"""How long imports take, each in a fresh interpreter, beside an empty one."""

import statistics
import subprocess
import sys
import time

import calibration
import peers
import scoring

LOAD_EXT = (
    "from IPython.core.interactiveshell import InteractiveShell; "
    "s = InteractiveShell.instance(); import time; t = time.perf_counter(); s.run_line_magic('load_ext', 'workbench'); "
    "print(time.perf_counter() - t)"
)


def seconds(code: str, interpreter: str = sys.executable) -> float:
    """Return the wall seconds of a fresh interpreter that runs the code, or what the code prints."""
    start = time.perf_counter()
    done = subprocess.run([interpreter, "-c", code], check=True, capture_output=True, text=True)
    return float(done.stdout) if done.stdout.strip() else time.perf_counter() - start


def rows(repeats: int = 5) -> list[dict[str, str]]:
    """Return one line per import, interleaved: best and median seconds beyond an empty interpreter."""
    others = str(peers.python("calibration-peers", *calibration.PEERS, beside=True))
    places = {"`from lm_eval import simple_evaluate`": str(scoring.lm_eval())}
    places |= dict.fromkeys(("`import torchmetrics`", "`import relplot`"), others)
    codes = {
        "`import workbench`": "import workbench",
        "`%load_ext workbench`": LOAD_EXT,
        "`import netcal`": "import netcal",
        "`import altair`": "import altair",
        "`import torch`": "import torch",
        **{name: name.strip("`") for name in places},
    }
    times: dict[str, list[float]] = {name: [] for name in codes}
    for _ in range(repeats):
        empty = {place: seconds("pass", place) for place in {sys.executable, *places.values()}}
        for name, code in codes.items():
            place = places.get(name, sys.executable)
            times[name].append(seconds(code, place) - (0.0 if name.startswith("`%") else empty[place]))
    return [
        {"what": name, "seconds, least": f"{min(found):.3f}", "seconds, median": f"{statistics.median(found):.3f}"}
        for name, found in times.items()
    ]
