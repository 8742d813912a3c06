"""Importing Workbench is light."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "transformers", "pandas", "altair", "ipywidgets", "netcal", "sklearn")


def heavy_after(code: str) -> set[str]:
    """Return which heavy packages a fresh interpreter holds after running the code."""
    check = f"{code}\nimport sys\nprint(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


LOAD_EXT = """
from IPython.core.interactiveshell import InteractiveShell
InteractiveShell.instance().run_line_magic("load_ext", "workbench")
"""


@pytest.mark.parametrize("code", ["import workbench", LOAD_EXT], ids=["import", "load_ext"])
def test_heavy_packages_are_not_imported(code: str) -> None:
    """Neither `import workbench` nor `%load_ext workbench` pulls in a heavy package."""
    assert set() == heavy_after(code)


def test_the_guard_can_fail() -> None:
    """A heavy package that is imported is found."""
    assert {"pandas"} == heavy_after("import pandas")


def test_modules_of_every_layer_import_without_their_heavy_packages() -> None:
    """Statistics, frames, data, probes, reports and charts can be imported without torch, altair or netcal."""
    code = (
        "import workbench.stats.calibration, workbench.stats.recalibration, workbench.stats.conformal, workbench.frames, "
        "workbench.data.examples, workbench.data.packs, workbench.models.verbs, workbench.charts, "
        "workbench.probes.calibration, workbench.reports, workbench._conduct"
    )

    assert set() == heavy_after(code)
