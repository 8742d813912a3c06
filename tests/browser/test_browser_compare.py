"""Two runs compared in JupyterLab: the table of two by two, a click on it, what differs, both themes."""

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.browser

DATA = """
import numpy as np, pandas as pd, workbench as wb
rng = np.random.default_rng(4)
n = 800
hard = rng.random(n)
frame = pd.DataFrame({
    "example": [f"e{i}" for i in range(n)],
    "text": [f"Which of these rivers is the {i}th longest, and where does it rise?" for i in range(n)],
    "label": rng.choice(["A", "B", "C", "D"], n), "domain": rng.choice(["rivers", "mountains", "lakes"], n, p=[.5, .3, .2])})
def made(skill, name):
    correct = (rng.random(n) < np.clip(skill + .5 - hard, .05, .95)).astype(float)
    confidence = np.clip(.9 - .4 * hard + rng.normal(0, .1, n), .25, 1)
    predicted = np.where(correct > 0, frame.label, "A")
    return wb.from_predictions(frame.assign(correct=correct, confidence=confidence, predicted=predicted), by=["domain"], name=name)
a, b = made(.6, "the small model"), made(.45, "the one before it, with a longer name")
comparison = wb.compare(a, b, draws=20)
"""
SHOW = "canvas = wb.explore(comparison)\ncanvas"
TOLD = """
x, y = a.explored.set_index("example").correct, b.explored.set_index("example").correct
print(*[int(((x == i) & (y == j)).sum()) for i in (1, 0) for j in (1, 0)])
"""
RESAMPLED = "() => /^n = [0-9,]+$/.test(document.querySelector('.wb-differences-panel .wb-state').textContent)"


def test_a_click_on_the_disagreement_selects_it_in_both(notebook: Callable[..., Any]) -> None:
    """The four cells are pandas' counts; a click filters both reports and what differs; the table shows both answers."""
    book = notebook(DATA, SHOW, width=1600, height=1900)
    book.run_all()
    book.page.wait_for_selector(".workbench-canvas[data-ready='true']")
    book.page.wait_for_function(RESAMPLED)
    told = [int(one) for one in book.ask(TOLD).split()]
    cells = [int(text) for text in book.page.locator(".wb-cross-n").all_inner_texts()]
    assert cells == told
    first = book.page.locator(".wb-differences-panel tbody tr").first.inner_text().split("\t")
    wanted = book.ask(
        "print(*comparison.metrics.set_index(['metric', 'group']).loc[('accuracy', 'all'), ['difference', 'low', 'high']].round(2))"
    )
    low, _, high = first[4].replace("\u2212", "-").split()
    assert [float(first[3].replace("\u2212", "-")), float(low), float(high)] == pytest.approx(
        [float(one) for one in wanted.split()], abs=0.011
    )

    def pictures(name: str) -> None:
        for theme, width in (("Light", 1600), ("Dark", 1600), ("Dark", 900), ("Light", 900)):
            book.resize(width, 1900 if width > 1000 else 3200)
            book.dress(theme)
            book.page.locator(".workbench-canvas").scroll_into_view_if_needed()
            book.page.mouse.move(5, 5)
            book.picture(f"{name}-{theme.lower()}-{width}")

    book.page.locator(".wb-cross-cell >> nth=1").click()
    book.page.wait_for_function(
        "n => [...document.querySelectorAll('.wb-tile-n .wb-value')].every(e => e.textContent === String(n))",
        arg=told[1],
    )
    book.page.wait_for_timeout(800)
    book.page.wait_for_function(RESAMPLED)
    assert book.ask("s = wb.selection; print(len(s), s.correct.min(), s.correct_b.max())") == f"{told[1]} 1.0 0.0"
    assert book.page.get_attribute(".wb-cross-cell >> nth=1", "aria-checked") == "true"
    assert [int(text) for text in book.page.locator(".wb-cross-n").all_inner_texts()] == told
    heads = book.page.locator(".wb-tables .wb-examples:visible .wb-sort").all_inner_texts()
    assert heads[:5] == ["Example", "Label", "a: Predicted", "a: Confidence", "a: Correct"]
    assert heads[5:8] == ["b: Predicted", "b: Confidence", "b: Correct"]
    book.page.keyboard.press("Control+z")
    book.page.wait_for_function("() => document.querySelector('.wb-tile-n .wb-value').textContent === '800'")
    book.drag("histogram", 0.3, 0.6)
    book.page.wait_for_timeout(1500)
    book.page.wait_for_function(RESAMPLED)
    n = int(book.page.inner_text(".wb-tile-n .wb-value"))
    assert 0 < n < 800
    assert sum(int(text) for text in book.page.locator(".wb-cross-n").all_inner_texts()) == n
    assert book.page.inner_text(".wb-differences-panel .wb-state") == f"n = {n}"
    pictures("compare")


MODELS = """
import numpy as np, pandas as pd, workbench as wb
def report(name, right, n):
    correct = (np.arange(n) * 7 % n < right * n) * 1.0
    table = pd.DataFrame({"example": range(n), "confidence": np.linspace(.5, .99, n), "correct": correct})
    return wb.from_predictions(table, name=name)
shares = {"one": (.6, .5), "two": (.7, .6), "three": (.8, .7), "<b>new</b>": (.75, .4)}
here, there = ({name: report(name, pair[k], n) for name, pair in shares.items()} for k, n in ((0, 300), (1, 200)))
view = wb.explore(wb.robustness(here, there, baseline=list(shares)[:3]))
view
"""


def test_a_click_on_a_model_opens_the_rows_behind_it(notebook: Callable[..., Any]) -> None:
    """A line of the lower part of the chart is clicked, then the other side and another model are chosen."""
    book = notebook(MODELS, height=1900)
    book.run_all()
    book.page.wait_for_selector(".workbench-models[data-drawn]")
    box = book.box(".wb-models-chart canvas")
    x, low = (
        box["x"] + 0.6 * box["width"],
        box["y"] + box["height"] - 50,
    )  # above the lower axis: the last of four lines
    steps = range(0, 40, 4)
    for step in steps:
        book.page.mouse.move(x, low - step)
        if book.page.locator(".wb-on-model").count():
            break
    book.page.mouse.click(x, low - step)
    book.ready()
    assert book.ask("print(view.explorer.selection.correct.mean(), len(wb.selection))") == "0.4 200"
    book.page.click(".wb-side-button:has-text('inside, n = 300')")
    book.page.wait_for_function("() => document.querySelector('.wb-tile-n .wb-value')?.textContent === '300'")
    book.page.get_by_label("Model whose rows stand below").select_option("two")
    book.page.wait_for_selector("h2:has-text('two')")
    assert book.ask("print(round(wb.selection.correct.mean(), 2), view.models.picked)") == (
        "0.7 {'model': 1, 'side': 0, 'said': ''}"
    )
