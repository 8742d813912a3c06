"""The Binder files, as far as they can be checked without Docker."""

import os
import re
import subprocess
from pathlib import Path

BINDER = Path(__file__).parents[1] / "binder"


def test_post_build_is_an_executable_script_without_syntax_errors() -> None:
    """`bash -n` reads it, and repo2docker may run it."""
    subprocess.run(["bash", "-n", str(BINDER / "postBuild")], check=True)

    assert os.access(BINDER / "postBuild", os.X_OK)


def test_the_model_is_converted_when_the_image_is_built() -> None:
    """Reading the GGUF at run time would not fit into Binder's 2 GB."""
    assert "wb.load('smollm2-135m-instruct')" in (BINDER / "postBuild").read_text()


def test_runtime_and_pins_agree_with_the_project() -> None:
    """The Python is one that we support, and torch is the pinned one."""
    pinned = (BINDER.parent / "constraints.txt").read_text()
    torch = re.search(r"^torch==(\S+)$", (BINDER / "requirements.txt").read_text(), re.MULTILINE)

    assert re.fullmatch(r"python-3\.1[123]\n", (BINDER / "runtime.txt").read_text())
    assert torch is not None
    assert f"torch=={torch.group(1)}\n" in pinned
