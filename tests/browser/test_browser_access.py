"""The views for everyone: axe on each in both themes, the keyboard alone on a canvas, what five explorers cost a notebook."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from accessible import accessible

pytestmark = pytest.mark.browser

DATA = """
import numpy as np, pandas as pd, workbench as wb
from workbench.models.verbs import Classes, ModelInfo
rng = np.random.default_rng(2)
n = 300
frame = pd.DataFrame({"example": [f"e{i}" for i in range(n)], "text": [f"Who held the {i}th of these offices?" for i in range(n)],
                      "label": rng.choice(["A", "B"], n), "domain": rng.choice(["history", "geography"], n)})
def made(name, a):
    confidence = rng.beta(a, 2, n)
    return wb.from_predictions(frame.assign(confidence=confidence, correct=(rng.random(n) < confidence).astype(float)),
                               by=["domain"], name=name)
first, second, third = made("one", 4), made("two", 3), made("three", 2)
people = frame.assign(predicted=np.where(rng.random(n) < .8, frame.label, "A"), sex=rng.choice(["women", "men"], n))
class Model:
    name, verbs, info = "made", frozenset({"classify"}), ModelInfo("made", "classifier")
    def classify(self, inputs, *, monitor=None):
        z = np.stack([np.array([float(text.split()[0]) for text in inputs]), np.zeros(len(inputs))], axis=1)
        return Classes(("a", "b"), np.exp(z) / np.exp(z).sum(axis=1, keepdims=True), z, np.ones(len(z), dtype=bool))
scored = {"text": [f"{x:.4f} of it" for x in rng.gamma(2, 0.5, 200)], "outside": [0, 0, 1, 0] * 50}
outside = wb.run("ood", Model(), scored, scores=("msp",))
groups = wb.from_predictions(people, probe="groups", by=["sex"], draws=20, name="one")
"""
EACH = (
    "explorer = wb.explore(first)\nexplorer",
    "canvas = wb.explore(second, groups)\ncanvas",
    "compared = wb.explore(wb.compare(first, second, draws=20))\ncompared",
    "wb.threshold(outside)",
)
LIBRARIES, SAVED = 1_500_000, 1_000_000  # bytes: of code in the page's traffic, and of each explorer in the file
STATE = """
import json
from ipywidgets import Widget
kept = Widget.get_manager_state()
parts = ("source", "views", "_esm", "_css")
print(sum(len(str(one["state"].get(part, ""))) for one in kept["state"].values() for part in parts), len(json.dumps(kept)))
"""


def test_axe_finds_nothing_serious_in_any_view(notebook: Callable[..., Any]) -> None:
    """Explorer, an example that is open, canvas, comparison and threshold, each in both themes."""
    book = notebook(DATA, *EACH, height=1900)
    book.run_all()
    for place in (".workbench-canvas", ".wb-differences-panel"):
        book.page.wait_for_selector(place)
    book.page.wait_for_function("() => document.querySelectorAll('[data-ready=true]').length >= 6")
    book.page.wait_for_selector(".workbench-threshold .wb-tpr")
    book.page.wait_for_function("() => document.querySelectorAll('.wb-body .wb-row').length > 40")
    book.page.locator(".wb-body .wb-row").first.click()
    book.page.wait_for_selector(".wb-detail dl")
    for theme in ("Light", "Dark"):
        book.dress(theme)
        book.page.wait_for_timeout(800)
        for view in (
            ".workbench-explorer",
            ".workbench-canvas",
            ".workbench-canvas:has(.wb-compare)",
            ".workbench-threshold",
        ):
            accessible(book.page, view)


def test_a_canvas_is_worked_by_the_keyboard_alone(notebook: Callable[..., Any]) -> None:
    """Brush by numbers, undo, name, choose a slice and a table, walk to a row, open and close it; what changed is said."""
    book = notebook(DATA, "canvas = wb.explore(first, second)\ncanvas", height=1900)
    book.run_all()
    page, keys = book.page, book.page.keyboard
    page.wait_for_selector(".workbench-canvas[data-ready='true']")
    page.wait_for_selector(".wb-body .wb-row")

    def until(wanted: str) -> None:
        page.wait_for_function("n => document.querySelector('.wb-tile-linked .wb-value').textContent === n", arg=wanted)

    def reach(selector: str, most: int = 80) -> None:
        for _ in range(most):
            keys.press("Tab")
            if page.evaluate("s => document.activeElement.matches(s)", selector):
                return
        raise AssertionError(f"Tab does not reach {selector}")

    page.focus(".workbench-canvas button:not(:disabled)")
    reach("input[aria-label='Confidence from']")
    keys.type("0.6")
    keys.press("Tab")
    page.wait_for_timeout(500)  # longer than what counts as one change
    keys.type("0.9")
    keys.press("Enter")
    page.wait_for_function("() => document.querySelector('.wb-tile-linked .wb-value').textContent !== '300'")
    page.wait_for_timeout(900)
    some = page.inner_text(".wb-tile-linked .wb-value")
    assert 0 < int(some) < 300
    assert some == book.ask("print(len(canvas.ids))")
    said = page.locator(".workbench-canvas > .wb-bar [role=status]").inner_text()
    assert said == f"{some} of 300 examples selected in 2 reports, brushed in 1."
    for key, wanted in (("Control+z", "300"), ("Control+Shift+z", some)):
        keys.press(key)
        page.wait_for_timeout(500)
        keys.press(key)
        until(wanted)
    keys.press("Shift+Tab")
    reach(".wb-slice")
    keys.press("Space")
    page.wait_for_function("n => document.querySelector('.wb-tile-linked .wb-value').textContent !== n", arg=some)
    keys.press("Control+z")
    until(some)
    page.focus(".wb-undo")
    reach(".wb-named", 3)
    keys.type("sure of it")
    keys.press("Enter")
    page.wait_for_selector(".wb-saved:not([hidden])")
    assert book.ask("print(len(first.selected('sure of it')))") == some

    reach(".wb-tab[aria-selected=true]")
    keys.press("ArrowRight")
    reach(".wb-port")
    keys.press("ArrowDown")
    keys.press("ArrowDown")
    table = page.locator(".wb-tables .wb-examples:visible")
    row = table.locator(".wb-row[aria-selected=true]")
    wanted = row.locator(".wb-cell").first.inner_text()
    assert page.evaluate(
        "() => document.getElementById(document.activeElement.getAttribute('aria-activedescendant')) !== null"
    )
    keys.press("Enter")
    table.locator(".wb-detail dl").wait_for()
    assert wanted in table.locator(".wb-detail").inner_text()
    reach(".wb-close", 20)
    keys.press("Enter")
    table.locator(".wb-detail").wait_for(state="hidden")
    assert page.evaluate("() => document.activeElement.matches('.wb-port')")  # back where it was opened
    keys.press("Enter")
    table.locator(".wb-detail dl").wait_for()
    reach(".wb-detail dl", 20)
    keys.press("Escape")
    table.locator(".wb-detail").wait_for(state="hidden")
    assert page.evaluate("() => document.activeElement.matches('.wb-port')")


@pytest.mark.slow  # half a minute
def test_five_explorers_cost_the_libraries_once(notebook: Callable[..., Any]) -> None:
    """Five explorers: what the page receives and what the file keeps stay within the limits, Vega's bundle comes once."""
    book = notebook(DATA, *["wb.explore(first)"] * 5, height=1900, alone=True)
    before = book.received["bytes"]
    book.run_all()
    book.page.wait_for_function("() => document.querySelectorAll('.workbench-explorer[data-ready=true]').length === 5")
    book.page.wait_for_timeout(1_500)
    traffic = book.received["bytes"] - before
    book.command("docmanager:save")
    code, state = map(int, book.ask(STATE).split())
    file = book.server.folder / book.name
    saved = len(file.read_bytes())
    outputs = [cell["outputs"] for cell in json.loads(file.read_text())["cells"][1:]]
    sizes = {"traffic": traffic, "code": code, "saved": saved, "state": state}
    print("five explorers, MB:", {name: round(size / 1e6, 2) for name, size in sizes.items()})

    assert all(len(one) == 2 for one in outputs)  # it was saved after the run
    assert 900_000 < code < LIBRARIES
    assert code < traffic < code + SAVED
    assert saved / 5 < SAVED
    assert state / 5 < SAVED
