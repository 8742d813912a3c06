"""Peers that cannot be installed beside Workbench: each in a virtual environment of its own, asked over a pipe."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
HOME = HERE / ".peers"  # ignored by git


def python(name: str, *requirements: str) -> Path:
    """Return the Python of a peer's environment, made and filled where it is not there yet."""
    folder = HOME / name
    inside = folder / "bin" / "python"
    done = folder / "installed"
    if not done.exists() or done.read_text() != "\n".join(requirements):
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run(
            [str(inside), "-m", "pip", "--disable-pip-version-check", "install", "-q", *requirements], check=True
        )
        done.write_text("\n".join(requirements))
    return inside


class Peer:
    """A script of a peer's environment: a line of JSON in, a line of JSON out."""

    def __init__(self, interpreter: Path, script: str, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [str(interpreter), str(HERE / script), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, question: Any) -> Any:
        """Return the answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()
