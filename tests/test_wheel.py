"""What a person installs: the wheel, not the checkout."""

import importlib.util
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
_spec = importlib.util.spec_from_file_location("build_labextension", ROOT / "tools" / "build_labextension.py")
assert _spec is not None
assert _spec.loader is not None
build_labextension = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(build_labextension)
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


def test_the_wheel_holds_the_jupyterlab_extension(site: Path) -> None:
    """The prebuilt bundle lies where JupyterLab looks for it: nothing is built at installation."""
    (root,) = site.glob("*.data/data/share/jupyter/labextensions/workbench-lab")

    assert {"install.json", "package.json", "source.json"} <= {path.name for path in root.iterdir()}
    about = json.loads((root / "package.json").read_text())
    assert (root / about["jupyterlab"]["_build"]["load"]).is_file()


def test_the_bundle_is_fresh() -> None:
    """The committed bundle was built from the sources as they are: `make labextension` builds it anew."""
    noted = json.loads((build_labextension.BUNDLE / "source.json").read_text())["sha256"]

    assert build_labextension.hash_of_sources() == noted


def test_a_change_of_the_sources_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hash is over the bytes: one more line in one file gives another."""
    copied = tmp_path / "labextension"
    for path in build_labextension.sources():
        target = copied / path.relative_to(build_labextension.FOLDER)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    before = build_labextension.hash_of_sources()
    monkeypatch.setattr(build_labextension, "FOLDER", copied)
    assert build_labextension.hash_of_sources() == before
    changed = copied / "src" / "index.ts"
    changed.write_text(changed.read_text() + "// one more line\n")
    assert build_labextension.hash_of_sources() != before


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
