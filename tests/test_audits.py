"""The worked audits: each runs from question to frozen folder, finds what its text says, and the folder holds together."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from test_notebooks import run


def checked(folder: Path) -> int:
    """Return the number of files of a frozen audit, each compared with its checksum."""
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    for line in lines:
        digest, name = line.split("  ", 1)
        assert digest == hashlib.sha256((folder / name).read_bytes()).hexdigest(), name
    return len(lines)


@pytest.mark.data
def test_the_audit_of_a_comment_filter_runs(
    benchmark_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The three terms of its conclusion are confirmed on the held-out half, and flipped by the word alone."""
    monkeypatch.setenv("WORKBENCH_DATA", str(benchmark_data))

    shown, printed = run("audits/01_comment_filter.ipynb", tmp_path, {})

    assert ["queer", "homosexual", "gay"] == [
        line.split("identity: ")[1] for line in printed[-1].splitlines() if line.startswith("  confirmed: identity")
    ]
    assert any("‹straight → queer›" in text for text in shown)
    assert checked(tmp_path / "comment-filter") > 10


@pytest.mark.model
def test_the_audit_of_a_small_model_runs(embedded_model: Any, tmp_path: Path) -> None:
    """Every cell on a fifth of the questions: a threshold chosen on one half is asked about on the other, and kept."""
    assert "score" in embedded_model.verbs
    fewer = {"sample(300, seed=0)": "sample(60, seed=0)", "sample(80, seed=1)": "sample(16, seed=1)"}

    _, printed = run("audits/02_small_model.ipynb", tmp_path, fewer)

    assert any("confidence from" in text for text in printed)
    assert "of 30 answered" in printed[-1]
    assert checked(tmp_path / "small-model") > 10
