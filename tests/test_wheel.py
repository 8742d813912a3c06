"""What a person installs: the wheel, not the checkout."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROGRAM = """
import workbench as wb, pathlib
assert "site" in wb.__file__, wb.__file__
from workbench.probes.find import names
from workbench.data._sources import files_of
assert files_of("sst2")
print(len(wb.pack("mini")), names(), len(wb.pack("facts")) > 600)
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that holds what the wheel installs."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(folder),
        str(ROOT),
    ]
    subprocess.run(command, check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_holds_packs_page_and_magics(site: Path) -> None:
    """Data files, JavaScript, type marker and the second package are inside; tests are not."""
    held = {str(path.relative_to(site)) for path in site.rglob("*")}

    assert {"workbench/py.typed", "workbench/views/static/explorer.js", "workbench_ipython/magics.py"} <= held
    assert any(name.startswith("workbench/data/packs/facts") for name in held)
    assert not any(name.startswith(("tests", "benchmarks", "notebooks")) for name in held)


def test_the_wheel_works_on_its_own(site: Path, tmp_path: Path) -> None:
    """Packs are read and probes found from what was installed, in a folder that is not the checkout."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path,
        env={"PYTHONPATH": str(site), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.split()[:1] == ["12"], done.stderr
    assert "calibration" in done.stdout
