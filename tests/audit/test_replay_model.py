"""The real embedded model: frozen, and made again on no stored answers."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import workbench as wb

ROOT = Path(__file__).parents[2]


@pytest.mark.model
def test_the_embedded_model_is_asked_again(embedded_model: Any, tmp_path: Path) -> None:
    """Loaded by its name, with the same weights, tokenizer and numbers; its tensors are marked."""
    report = wb.run("calibration", embedded_model, wb.pack("mini").sample(6), by=[], holdout=0.3, draws=50)
    audit = wb.freeze(report, to=tmp_path / "audit", pictures=False)
    made = wb.replay(audit)

    assert 0 == made.code, repr(made)
    assert not len(made.changes)
    assert "run again on" in made.told[0]
    assert {"reproduced"} == set(made.metrics["verdict"])
    assert list(audit.glob("reports/*/weights.json"))
    assert not list(audit.glob("data/*.jsonl"))


@pytest.mark.slow
@pytest.mark.model
def test_a_fresh_clone_reproduces_every_number(embedded_model: Any, tmp_path: Path) -> None:
    """Another checkout, home and cache, in a process of its own: exit code 0."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    report = wb.run("calibration", embedded_model, wb.pack("facts").sample(60), by="domain", holdout=0.3)
    audit = wb.freeze(report, to=tmp_path / "audit", pictures=False)
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    path = os.pathsep.join([str(clone), str(clone / "extensions")])
    fresh = {"PYTHONPATH": path, "HOME": str(tmp_path), "WORKBENCH_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-m", "workbench", "replay", str(audit)],
        cwd=clone,
        env={**os.environ, **fresh},
        capture_output=True,
        text=True,
    )

    assert 0 == done.returncode, done.stdout + done.stderr
    assert "Every number was reproduced." in done.stdout
