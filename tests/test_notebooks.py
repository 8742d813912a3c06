"""The notebooks that a browser test does not run, cell by cell on the embedded model."""

from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


def run(name: str, folder: Path, fewer: dict[str, str]) -> tuple[list[str], list[str]]:
    """Execute a notebook with less in it; return what its cells show as plain text, and what they print."""
    import nbformat
    from nbclient import NotebookClient

    text = (ROOT / "notebooks" / name).read_text()
    for more, less in fewer.items():
        assert more in text
        text = text.replace(more, less)
    notebook = nbformat.reads(text, as_version=4)
    NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    shown = [output["data"]["text/plain"] for output in outputs if "data" in output]
    return shown, [output["text"] for output in outputs if output.get("name") == "stdout"]


@pytest.mark.model
def test_the_bias_notebook_runs(embedded_model: Any, tmp_path: Path) -> None:
    """Every cell runs without an error, and each probe's report is shown; 120 of the occupations' sentences do here."""
    assert "score" in embedded_model.verbs
    fewer = {"%probe occupations model occupations -o": "%probe occupations model occupations --max-examples 120 -o"}

    shown, _ = run("01_bias.ipynb", tmp_path, fewer)

    swap = "Counterfactual swap"
    judged = f"{swap} of alt-profanity-check"
    for title in ("Pronouns of occupations", "Paired sentences", swap, judged, "Groups of predictions"):
        assert any(said.startswith(title) for said in shown), title


@pytest.mark.model
def test_the_shift_notebook_runs_on_a_machine_with_nothing_but_the_embedded_model(
    embedded_model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every cell runs, each probe's report is shown, and what needs a published set says that it is left out, and why."""
    assert "embed" in embedded_model.verbs
    monkeypatch.delenv("WORKBENCH_DATA", raising=False)
    monkeypatch.setenv("WORKBENCH_OFFLINE", "1")
    fewer = {
        ".sample(100)": ".sample(16)",
        "corruptions=keyboard -o": "corruptions=keyboard severities=3 -o",
        "severities = range(6)": "severities = (0, 3)",
    }

    shown, printed = run("02_shift.ipynb", tmp_path, fewer)

    for title in ("Corruption sweep", "Calibration", "Shift", "Out of distribution", "Accuracy without labels"):
        assert any(said.startswith(title) for said in shown), title
    assert [text.startswith("Left out: The set") for text in printed[-3:]] == [True] * 3
