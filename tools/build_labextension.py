"""Build the JupyterLab extension into extensions/labextension/prebuilt and note the hash of what it was built from.

Only for contributors: it takes Node.js and npm. `make labextension` calls it; the bundle is committed, a test compares the hash.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "extensions" / "labextension"
BUNDLE = FOLDER / "prebuilt"
BEFORE = "2026-10-10"  # some @jupyterlab packages of later days could not be had from the registry


def sources() -> list[Path]:
    """Return the files that the bundle is made of."""
    found = [*FOLDER.glob("src/*.ts"), FOLDER / "package.json", FOLDER / "tsconfig.json"]
    return sorted(path for path in found if path.is_file())


def hash_of_sources() -> str:
    """Return the SHA-256 over names and bytes of the sources."""
    digest = hashlib.sha256()
    for path in sources():
        digest.update(path.relative_to(FOLDER).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def main() -> None:
    """Install what is missing, compile, bundle, and write the hash."""
    npm, builder = shutil.which("npm"), Path(sys.executable).with_name("jupyter-builder")
    builder = builder if builder.exists() else Path(shutil.which("jupyter-builder") or builder)
    if npm is None:
        sys.exit("Building the JupyterLab extension takes Node.js and npm; installing Workbench does not.")
    if not (FOLDER / "node_modules").is_dir():
        subprocess.run(
            [npm, "install", f"--before={BEFORE}", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=FOLDER,
            check=True,
        )
    subprocess.run([FOLDER / "node_modules" / ".bin" / "tsc"], cwd=FOLDER, check=True)
    shutil.rmtree(BUNDLE, ignore_errors=True)
    subprocess.run([builder, "build", "."], cwd=FOLDER, check=True)
    (BUNDLE / "source.json").write_text(json.dumps({"sha256": hash_of_sources()}) + "\n")


if __name__ == "__main__":
    main()
