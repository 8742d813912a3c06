"""The quickstart notebook on the real model, as a person would run it in JupyterLab."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.browser, pytest.mark.model]


def test_the_quickstart_runs_and_its_explorer_can_be_brushed(notebook: Callable[..., Any], embedded_model: Any) -> None:
    """Run all cells on the embedded model, brush the diagram with the mouse, read `wb.selection` in a cell."""
    assert "choose" in embedded_model.verbs
    source = json.loads((ROOT / "notebooks" / "00_quickstart.ipynb").read_text())
    cells = ["".join(cell["source"]) for cell in source["cells"] if cell["cell_type"] == "code"]
    few = [cell.replace('wb.pack("facts")', 'wb.pack("facts").sample(60, seed=0)') for cell in cells]
    assert few != cells  # 60 questions: each is asked twice
    book = notebook(*few, height=1800, alone=True)

    book.run_all()
    book.page.wait_for_selector(".workbench-explorer[data-ready='true']", timeout=300_000)
    book.page.wait_for_function(
        "() => [...document.querySelectorAll('.jp-Notebook .jp-OutputArea')].at(-1).innerText.includes('wb.run(')",
        timeout=300_000,
    )
    errors = book.page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.stderr']").all_inner_texts()
    assert [text for text in errors if "Error" in text or "Traceback" in text] == []

    assert book.tile("n") == "60"
    book.drag("reliability", 0.55, 0.95)
    book.page.wait_for_function("() => document.querySelector('.wb-tile-n .wb-value').textContent !== '60'")
    book.page.wait_for_timeout(500)
    selected = int(book.tile("n"))
    book.picture("quickstart-brushed")

    assert 0 < selected < 60
    assert book.ask("print(len(wb.selection), sorted(wb.selection.columns)[:1])").startswith(f"{selected} ")
