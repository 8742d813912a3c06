"""The explorers of the probes of shift in JupyterLab: a click or a drag leads to the examples behind, whose texts stay texts.

One notebook holds all of them, so that the page and the kernel are opened once.
"""

from collections.abc import Callable
from typing import Any

MAKE = """
import numpy as np, workbench as wb
from workbench.models.verbs import Classes, ModelInfo
EVIL = "<img src=x onerror='window.__xss=1'>"
class Model:
    name, verbs, info = "made", frozenset({"classify"}), ModelInfo("made", "classifier")
    def classify(self, inputs, *, monitor=None):
        sure = np.array([float(text.split()[0]) for text in inputs])
        p = np.stack([1 - sure, sure], axis=1)
        return Classes(("no", "yes"), p, np.log(p), np.ones(len(p), dtype=bool))
class Seer:
    name, verbs, info = "seer", frozenset({"classify"}), ModelInfo("seer", "classifier")
    def classify(self, inputs, *, monitor=None):
        sure = np.array([image.mean() / 255 for image in inputs]).clip(0.01, 0.99)
        return Classes(("no", "yes"), np.stack([1 - sure, sure], axis=1), None, np.ones(len(sure), dtype=bool))
def texts(low, high, seed, kind, n=90):
    sure = np.random.default_rng(seed).uniform(low, high, n)
    label = ["yes" if x > 0.4 + 0.3 * (i % 3 == 0) else "no" for i, x in enumerate(sure)]
    thirds = [f"p{i % 3}" for i in range(n)]
    return wb.Examples.of({"text": [f"{x:.5f} {kind} {EVIL}" for x in sure], "label": label, "third": thirds,
                           "id": [f"{kind}{i}" for i in range(n)]}, name=kind, slices=("third",))
old, new, model, few = texts(0.1, 0.9, 0, "old"), texts(0.3, 0.99, 1, "new"), Model(), {"draws": 20}
asked = new.frame.drop(columns="label")
case = {"type": "MFT", "test": ["sure", "very sure"] * 45, "capability": "c", "case": asked["example"], "role": "original",
        "expectation": "is", "expected": "yes"}
images = [np.full((16, 16, 3), 8 * i, np.uint8) for i in range(30)]
pictures = wb.Examples.of({"image": images, "label": ["no"] * 15 + ["yes"] * 15}, label="label")
shown = {}
"""
RUNS = {  # how each report is made, a text of each row of its table, and the chart to drag across, "" for none
    "shift": ('wb.run("shift", model, new, reference=old, on="softmax", **few)', "distribution"),
    "ood": (
        'wb.run("ood", model, asked.assign(outside=[i % 2 for i in range(90)]), scores=("msp", "energy"))',
        "distribution",
    ),
    "unlabelled": ('wb.run("unlabelled", model, new, reference=old, **few)', "distribution"),
    "slices": ('wb.run("slices", wb.run("calibration", model, new), by=("third",), smallest=5, split=0.0, **few)', ""),
    "checklist": ('wb.run("checklist", model, asked.assign(**case))', "distribution"),
    "images": ('wb.run("sweep", Seer(), pictures, severities=(3, 5), inner_options=few)', "curve"),
}
SELECTED = "import numpy as np\nprint(len(wb.selection), wb.selection['example'].iloc[0])"


def test_every_explorer_of_shift_leads_to_the_examples_behind(notebook: Callable[..., Any]) -> None:
    """In each: a drag and a click on a slice give the rows that `wb.selection` has; a row opens, and its text is no HTML."""
    cells = [f"shown[{name!r}] = wb.explore({made})\nshown[{name!r}]" for name, (made, _) in RUNS.items()]
    book = notebook(MAKE, *cells, height=1500)
    page = book.page
    book.run_all()
    page.wait_for_function(
        f"() => document.querySelectorAll('.workbench-explorer[data-ready=true] .wb-body .wb-row').length >= {len(RUNS)} &&"
        f" document.querySelectorAll('.workbench-explorer[data-ready=true]').length === {len(RUNS)}"
    )
    for name, (_, chart) in RUNS.items():
        view = page.locator(".workbench-explorer").nth(list(RUNS).index(name))
        view.scroll_into_view_if_needed()
        all_rows = number(view)
        if chart:
            drag(page, view.locator(f".wb-{chart} canvas"))
            page.wait_for_timeout(300)
            assert 0 < number(view) < all_rows, name
            assert view.locator(".wb-chip").count() == 1, name
        before = number(view)
        bars = view.locator(".wb-slice")
        full = [bar for bar in bars.all() if bar.locator(".wb-slice-n").text_content() != "0"]
        full[-1].click()
        view.locator(".wb-metrics-panel .wb-state", has_text=f"n = {number(view)}").wait_for()
        assert 0 < number(view) <= before, name
        n, first = book.ask(SELECTED).split()
        assert int(n) == number(view), name
        assert int(book.ask(f"print(len(shown[{name!r}].selection))")) == number(view), name

        row = view.locator(".wb-body .wb-row").first
        row.click()
        detail = view.locator(".wb-detail")
        detail.wait_for()
        assert first == detail.locator("dd").first.text_content(), name
        if name == "images":
            assert row.locator("img.wb-picture").count() == 2
            assert detail.locator("img").first.evaluate("image => image.complete && image.naturalWidth") == 16
        else:
            assert "onerror='window.__xss=1'>" in detail.text_content(), name
            assert view.locator("img").count() == 0, name
        for theme in ("Dark", "Light"):
            if name == "images":
                book.command("apputils:change-theme", theme=f"JupyterLab {theme}")
                page.wait_for_timeout(600)
                view.scroll_into_view_if_needed()
                book.picture(f"{name}-{theme.lower()}")
    assert not page.evaluate("() => window.__xss")


def number(view: Any) -> int:
    """Return the number of rows selected, as the page says it; JupyterLab may not have laid out what has just come into view."""
    return int(view.locator(".wb-tile-n .wb-value").text_content().replace(",", ""))


def drag(page: Any, canvas: Any) -> None:
    """Brush the right half of a chart with the mouse."""
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    left, right, y = box["x"] + 62, box["x"] + box["width"] - 15, box["y"] + box["height"] / 2
    page.mouse.move(left + 0.45 * (right - left), y)
    page.mouse.down()
    page.mouse.move(left + 0.99 * (right - left), y, steps=8)
    page.mouse.up()
