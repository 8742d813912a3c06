"""The threshold of the probe `ood`, in JupyterLab: drag the line, read the shares, and find what is flagged in the next cell."""

from collections.abc import Callable
from typing import Any

MAKE = """
import numpy as np, workbench as wb
from workbench.models.verbs import Classes, ModelInfo
class Model:
    name, verbs, info = "made", frozenset({"classify"}), ModelInfo("made", "classifier")
    def classify(self, inputs, *, monitor=None):
        sure = np.array([float(text.split()[0]) for text in inputs])
        z = np.stack([sure, -sure], axis=1)
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        return Classes(("a", "b"), p, z, np.ones(len(z), dtype=bool))
rng = np.random.default_rng(0)
strange = np.arange(600) % 3 == 0
sure = np.where(strange, rng.gamma(2, 0.3, 600), rng.gamma(8, 0.3, 600))
frame = {"text": [f"{x:.6f} <img src=x onerror='window.__xss=1'>" for x in sure], "outside": strange.astype(int).tolist()}
report = wb.run("ood", Model(), frame, scores=("msp", "energy"))
"""
SHOW = "line = wb.threshold(report, 'energy')\nline"
COUNTS = """
k = report.rows.query("score == 'energy'"); kept = k.value.astype('float32') >= np.float32(line.threshold)
print(int(kept[k.outside == 0].sum()), int(kept[k.outside == 1].sum()), int((~kept).sum()), len(wb.selection))
"""


def kept_of(page: Any) -> tuple[str, str]:
    """Return the two counts on the page: inside kept, outside let through."""
    inside, outside = (page.inner_text(f".wb-{name}").split("(")[-1].split(" of ")[0] for name in ("tpr", "fpr"))
    return inside, outside


def test_dragging_the_line_moves_shares_and_selection(notebook: Callable[..., Any]) -> None:
    """The page's counts equal Python's at the threshold that was dragged, by mouse and by key; intervals follow."""
    book = notebook(MAKE, SHOW)
    book.run_all()
    book.page.wait_for_selector(".workbench-threshold .wb-tpr")
    book.idle()
    first = kept_of(book.page)
    assert 380 <= int(first[0]) < 388

    box = book.box(".wb-plot")
    middle = box["y"] + box["height"] / 2
    book.page.mouse.move(box["x"] + 0.2 * box["width"], middle)
    book.page.mouse.down()
    book.page.mouse.move(box["x"] + 0.6 * box["width"], middle, steps=12)
    during = kept_of(book.page)  # at once, without the kernel
    book.page.mouse.up()
    assert int(during[0]) < int(first[0])
    book.page.wait_for_function(
        "() => document.querySelector('.wb-intervals').textContent.includes('Outside, let through')"
    )
    kept, through, flagged, selected = book.ask(COUNTS).split()
    assert (kept, through) == kept_of(book.page) == during
    assert int(flagged) == int(selected) > 0
    book.picture("threshold-light-1600")

    book.page.focus(".wb-slider")
    for _ in range(20):
        book.page.keyboard.press("ArrowLeft")
    book.page.wait_for_function(
        "() => document.querySelector('.wb-intervals').textContent.includes('Outside, let through')"
    )
    assert tuple(book.ask(COUNTS).split()[:2]) == kept_of(book.page) != during

    book.page.select_option(".workbench-threshold select", label="MSP")
    book.page.wait_for_function(
        "() => document.querySelector('.wb-intervals').textContent.includes('Outside, let through')"
    )
    assert "msp" == book.ask("print(line.score)")
    assert not book.page.evaluate("() => window.__xss")
