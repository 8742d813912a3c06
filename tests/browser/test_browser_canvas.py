"""The linked canvas in JupyterLab: a brush in one report, counts in the others, undo, names, both themes."""

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.browser

DATA = """
import numpy as np, pandas as pd, workbench as wb
rng = np.random.default_rng(2)
n = 900
frame = pd.DataFrame({
    "example": [f"e{i}" for i in range(n)],
    "text": [f"Who held the {i}th of these offices, and in which year was it given up?" for i in range(n)],
    "confidence": rng.beta(4, 2, n), "domain": rng.choice(["history", "geography", "chemistry"], n, p=[.5, .3, .2])})
frame["correct"] = (rng.random(n) < frame.confidence).astype(float)
calibration = wb.from_predictions(frame, by=["domain"], name="small")
people = frame.sample(500, random_state=1).assign(sex=rng.choice(["women", "men"], 500), label=rng.integers(0, 2, 500))
people["predicted"] = np.where(rng.random(500) < .8, people.label, 1 - people.label)
groups = wb.from_predictions(people.drop(columns=["confidence", "correct"]), probe="groups", by=["sex"], draws=20, name="small")
tokens = pd.concat([frame.assign(example=frame.example + f"/{k}", confidence=rng.beta(3, 2, n), place=["start", "middle", "end"][k],
                                 correct=rng.integers(0, 2, n).astype(float)) for k in range(3)])
tokens = wb.from_predictions(tokens.sample(frac=1, random_state=0), by=["place"], name="small, next tokens")
rows = tokens.rows.assign(example=tokens.rows.example.str.split("/").str[0], variant=tokens.rows.example.str.split("/").str[1])
tokens = wb.Report(rows, tokens.record)  # three rows of each example
"""
SHOW = "canvas = wb.explore(calibration, groups, tokens)\ncanvas"
READY = ".workbench-canvas[data-ready='true']"
TOLD = """
import numpy as np
low, high = (float(x) for x in canvas.explorers[0].selection.confidence.agg(["min", "max"]))
edges = np.linspace(0, 1, 16)
first, last = edges[np.searchsorted(edges, low, side="right") - 1], edges[np.searchsorted(edges, high, side="left")]
wanted = frame[(frame.confidence >= first) & (frame.confidence < last)]
ids = set(wanted.example)
some = groups.explored[groups.explored.example.isin(ids)]
many = tokens.explored[tokens.explored.example.isin(ids)]
print(len(wanted), len(some), len(many), *[int((many.place == p).sum()) for p in sorted(set(many.place))],
      *[len(one.selection) for one in canvas.explorers], len(canvas.ids))
"""


def counts(book: Any) -> list[int]:
    """Return the number of rows selected in each report."""
    return [int(text.replace(",", "")) for text in book.page.locator(".wb-tile-n .wb-value").all_inner_texts()]


def agreed(book: Any) -> list[int]:
    """Return what the kernel tells of its selection, once the page shows the same; fail where it never does."""
    for _ in range(40):
        book.page.wait_for_timeout(500)
        told = [int(one) for one in book.ask(TOLD).split()]
        if counts(book) == told[:3] == told[6:9]:
            break
    assert counts(book) == told[:3] == told[6:9]
    return told


def until(book: Any, wanted: list[int]) -> None:
    """Wait until the reports show these numbers of rows."""
    texts = [f"{n:,}" for n in wanted]
    book.page.wait_for_function(
        """wanted => [...document.querySelectorAll('.wb-tile-n .wb-value')].map(e => e.textContent).join() === wanted.join()""",
        arg=texts,
    )


def test_a_brush_in_one_report_counts_in_all(notebook: Callable[..., Any]) -> None:
    """Drag in the calibration, click in the next tokens: pandas agrees in all three; undo, names and themes hold."""
    book = notebook(DATA, SHOW, width=1600, height=1900)
    book.run_all()
    book.page.wait_for_selector(READY)
    book.page.wait_for_selector(".wb-body .wb-row")
    until(book, [900, 500, 2700])
    book.drag("reliability", 0.62, 0.88)
    book.page.wait_for_function("() => document.querySelector('.wb-tile-n .wb-value').textContent !== '900'")
    told = agreed(book)
    assert 0 < told[1] < told[0] == told[9] < 900
    places = book.page.locator(".workbench-explorer .wb-panes > .workbench-explorer >> nth=2 >> .wb-slice")
    shown = {
        row.locator(".wb-slice-name").inner_text(): int(row.locator(".wb-slice-n").inner_text().replace(",", ""))
        for row in places.all()
    }
    assert [shown[name] for name in sorted(shown)] == told[3:6]
    book.page.wait_for_function(
        "n => [...document.querySelectorAll('.wb-metrics-panel .wb-state')].map(e => e.textContent).join() === n.join()",
        arg=[f"n = {n:,}" for n in told[:3]],
    )

    book.page.fill(".wb-named", "sure of it")  # named, and taken back
    book.page.keyboard.press("Enter")
    book.page.wait_for_selector(".wb-saved:not([hidden])")
    assert book.ask("print(len(calibration.selected('sure of it')), len(groups.where('sure of it').rows))") == (
        f"{told[0]} {told[1]}"
    )
    book.page.locator(".wb-panes .wb-slice-panel >> nth=1 >> .wb-slice >> nth=0").click()
    book.page.wait_for_timeout(600)
    both = counts(book)
    assert both[0] < told[0]
    assert [int(n) for n in book.ask("print(*[len(one.selection) for one in canvas.explorers])").split()] == both
    book.page.keyboard.press("Control+z")
    until(book, told[:3])
    book.page.click(".wb-undo")
    until(book, [900, 500, 2700])
    book.page.wait_for_selector(".wb-undo:disabled")  # the kernel tells it after the numbers
    book.page.click(".wb-redo")
    until(book, told[:3])
    book.page.click(".wb-clear")
    until(book, [900, 500, 2700])
    book.page.select_option(".wb-saved", "sure of it")
    until(book, told[:3])
    book.ask("canvas.undo()")
    until(book, [900, 500, 2700])
    book.ask("canvas.redo()")
    until(book, told[:3])

    book.ask("canvas.explorers[0].abstain(0.7); canvas.explorers[1].decide(0.5)")
    book.page.wait_for_function(
        "() => document.querySelectorAll('.wb-cut-panel table.wb-metrics:not([hidden]) tbody tr').length > 3"
    )
    book.page.focus(".wb-tab >> nth=0")
    book.page.keyboard.press("ArrowRight")
    assert book.page.locator(".wb-tables .wb-examples:visible").count() == 1
    for theme, width in (("Light", 1600), ("Dark", 1600), ("Dark", 900), ("Light", 900)):
        book.resize(width, 1900 if width > 1000 else 3600)
        book.dress(theme)
        book.page.locator(".workbench-canvas").scroll_into_view_if_needed()
        book.page.mouse.move(5, 5)
        book.picture(f"canvas-{theme.lower()}-{width}")
        visible = book.page.evaluate("() => [...document.querySelectorAll('.wb-chart canvas')].map(c => c.clientWidth)")
        assert len(visible) >= 6
        assert min(visible) > 100
