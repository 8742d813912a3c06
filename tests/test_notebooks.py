"""The notebooks that a browser test does not run, cell by cell on the embedded model."""

from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.model
def test_the_bias_notebook_runs(embedded_model: Any, tmp_path: Path) -> None:
    """Every cell runs without an error, and each probe's report is shown; 120 of the occupations' sentences do here."""
    import nbformat
    from nbclient import NotebookClient

    assert "score" in embedded_model.verbs
    text = (ROOT / "notebooks" / "01_bias.ipynb").read_text()
    few = text.replace(
        "%probe occupations model occupations -o", "%probe occupations model occupations --max-examples 120 -o"
    )
    assert few != text
    notebook = nbformat.reads(few, as_version=4)
    client = NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    shown = [
        output["data"]["text/plain"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "data" in output
    ]

    swap = "Counterfactual swap"
    judged = f"{swap} of alt-profanity-check"
    for title in ("Pronouns of occupations", "Paired sentences", swap, judged, "Groups of predictions"):
        assert any(said.startswith(title) for said in shown), title
