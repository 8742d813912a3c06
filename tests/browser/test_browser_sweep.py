"""The explorer of a sweep in JupyterLab: drag over severities and read the examples with their edits."""

import re
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.browser

DATA = """
import workbench as wb
kinds = ("river", "mountain", "desert")
lines = [{"text": f"Which {kinds[i % 3]} of these is the <b>longest</b> one of all, number {i}?", "label": "yes",
          "kind": kinds[i % 3], "id": f"e{i:03d}"} for i in range(90)]
def judge(texts):
    no = [0.2 + 0.1 * (len(t) % 3) if "longest" in t and "Which" in t else 0.65 for t in texts]
    return [[one, 1 - one] for one in no]
data = wb.Examples.of(lines, example="id", slices=("kind",))
report = wb.run("sweep", wb.load(judge, labels=["no", "yes"]), data, corruptions="keyboard,swap", severities=(1, 3, 5),
                inner_options={"draws": 20})
"""
SHOW = "explorer = wb.explore(report)\nexplorer"


def test_a_drag_over_severities_shows_the_edits(notebook: Callable[..., Any]) -> None:
    """The last severities alone: their rows with what went and what came, answers before and after; the next cell reads them."""
    book = notebook(DATA, SHOW)
    book.run_all()
    book.ready()
    book.settle()
    page = book.page
    book.picture("sweep-light-1600")
    assert page.locator(".wb-panel .wb-curve canvas").count() == 1
    copies = book.ask("print((report.rows.severity > 0).sum())")  # metrics are of these alone, and say so
    assert page.inner_text(".wb-metrics-panel tr:has-text('Accuracy') >> nth=1 >> th").endswith(f" n = {copies}")
    book.drag("curve", 0.5, 0.99)
    book.settle()
    page.mouse.move(5, 5)
    book.picture("sweep-brushed-1600")

    assert "severity 3 to 5" in page.inner_text(".wb-chips")
    assert ["3", "5"] == [one.input_value() for one in page.locator(".wb-curve-panel .wb-number").all()]
    n, rate = book.ask(
        "s = wb.selection\nprint(len(s), f'{100 * s.correct.mean():.1f}', sorted(set(s.severity)))"
    ).split()[:2]
    assert int(n) == int(book.tile("n").replace(",", "")) == 360
    assert book.tile("rate") == f"{rate} %"
    assert page.locator(".wb-metrics-panel tr:has-text('Accuracy') .wb-line-n").count() == 0
    note = page.inner_text(".wb-tile-rate .wb-note").removeprefix("95 %:")
    line = page.inner_text(".wb-metrics tr:has-text('Accuracy') >> nth=0")
    tile, table = (re.findall(pattern, text) for pattern, text in ((r"[\d.]+(?= %)", note), (r"[\d.]+", line)))
    assert [float(one) / 100 for one in tile] == pytest.approx([float(one) for one in table[1:]], abs=6e-4)
    cell = page.locator(".wb-body .wb-row >> nth=0 >> .wb-change")
    whole = "".join(cell.locator("span, del").all_inner_texts())
    assert cell.locator("ins").count() > 0
    assert "<b>longest</b>" in " ".join(page.locator(".wb-change").all_text_contents())
    page.click(".wb-body .wb-row >> nth=0")
    page.wait_for_selector(".wb-detail:not([hidden])")
    assert page.locator(".wb-detail ins").count() == cell.locator("ins").count()
    assert len(whole) > 20
    page.click(".wb-slice >> nth=1")
    book.settle()
    assert 0 < int(book.tile("n").replace(",", "")) < 360
    book.command("apputils:change-theme", theme="JupyterLab Dark")
    page.wait_for_selector(".workbench-explorer[data-theme='dark']")
    book.settle()
    page.wait_for_timeout(1500)  # the charts are drawn again, then their brushes
    page.mouse.move(5, 5)
    book.picture("sweep-dark-1600")
    book.command("apputils:change-theme", theme="JupyterLab Light")
    page.fill(".wb-curve-panel .wb-number >> nth=0", "")
    page.fill(".wb-curve-panel .wb-number >> nth=1", "")
    page.keyboard.press("Tab")
    book.settle()
    assert "severity" not in page.inner_text(".wb-chips")
