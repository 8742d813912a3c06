"""From the last move of a brush to the last repaint of three linked views, beside Altair's JupyterChart and VegaFusion.

The measuring is `tests/browser/test_browser_peers.py`: JupyterLab in headless Chromium, one notebook a side, brushed in turn.
"""

import json
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
KEPT = HERE / "results" / "brush.json"  # ignored by git
TEST = "tests/browser/test_browser_peers.py"
MOST = 1_000_000  # rows that the goals are set for
NOTE = (
    "JupyterLab in headless Chromium, each side in a notebook of its own, brushed in turn: six drags of ten steps each, from\n"
    "the last move to the last repaint of any view. Workbench draws four linked views (reliability, histogram, risk-coverage,\n"
    "slices) with intervals, the peers three histograms with `transform_filter(brush)`. Each side's selection is counted against\n"
    "pandas. First traffic: what the page receives until the views stand, Vega included. JupyterChart is not run with 1e6 rows.\n\n"
)


def rows(*, kept: bool = False) -> list[dict[str, str]]:
    """Return the table, measured now or, with `kept`, last time."""
    if not kept:
        subprocess.run([sys.executable, "-m", "pytest", "-q", "-m", "slow", TEST], cwd=HERE.parent, check=True)
    found = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    table = []
    for size, sides in sorted(found.items(), key=lambda one: int(one[0])):
        ours = sides["Workbench"]["ms"]
        for name, one in sides.items():
            least, middle, most = min(one["ms"]), statistics.median(one["ms"]), max(one["ms"])
            ratio = statistics.median(theirs / mine for theirs, mine in zip(one["ms"], ours, strict=True))
            large, mine, fused = int(size) >= MOST, name == "Workbench", name == "VegaFusion"
            table.append(
                {
                    "what": f"{int(size):,} rows, {name}",
                    "ms, least": f"{least:.0f}",
                    "ms, median": f"{middle:.0f}{_goal('< 100', middle < 100) if large and mine else ''}",
                    "ms, most": f"{most:.0f}",
                    "of Workbench's, median": ""
                    if mine
                    else f"{ratio:.1f}x{_goal('>= 5x', ratio >= 5) if large and fused else ''}",
                    "first traffic": f"{one['init_bytes'] / 1e6:.2f} MB",
                    "machine's load": f"{one['load']:.1f}",
                }
            )
    return table


def _goal(said: str, met: bool) -> str:
    """Return a goal with its verdict."""
    return f" (goal {said}: {'met' if met else '**missed**'})"


if __name__ == "__main__":
    import run

    print(NOTE + run.table(rows()))
