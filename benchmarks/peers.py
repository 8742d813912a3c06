"""Peers that cannot be installed beside Workbench: each in a virtual environment of its own, asked over a pipe."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
HOME = HERE / ".peers"  # ignored by git


def python(name: str, *requirements: str, beside: bool = False) -> Path:
    """Return the Python of a peer's environment, made and filled where it is not there yet.

    With `beside` it reads torch, numpy and the rest from this environment, after what is its own: both sides run on the same
    versions, and no second torch is installed.
    """
    folder = HOME / name
    inside = folder / "bin" / "python"
    done = folder / "installed"
    fresh = not done.exists() or done.read_text() != "\n".join(requirements)
    if fresh:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    if beside:  # before pip, which takes what it sees there as installed
        paths = [path for path in sys.path if path.endswith("site-packages")]
        for own in (folder / "lib").glob("python*/site-packages"):
            (own / "zz_beside.pth").write_text("\n".join(paths) + "\n")
    if fresh:
        subprocess.run(
            [str(inside), "-m", "pip", "--disable-pip-version-check", "install", "-q", *requirements], check=True
        )
        done.write_text("\n".join(requirements))
    return inside


class Peer:
    """A script of a peer's environment: a line of JSON in, a line of JSON out."""

    def __init__(self, interpreter: Path, script: str, *arguments: str, env: dict[str, str] | None = None) -> None:
        self.script = script
        self.process = subprocess.Popen(
            [str(interpreter), str(HERE / script), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **(env or {})},
        )

    def ask(self, question: Any) -> Any:
        """Return the answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.script} ended without an answer, with exit code {self.process.wait()}")
        return json.loads(line)

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()
