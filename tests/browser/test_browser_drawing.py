"""Draw the curve you expect, in JupyterLab: by mouse, by keys, by numbers; then Reveal; the saved notebook keeps it."""

import json
from collections.abc import Callable
from typing import Any

MAKE = """
import numpy as np, pandas as pd, workbench as wb
rng = np.random.default_rng(0)
confidence = rng.uniform(0.3, 1, 500)
frame = pd.DataFrame({"confidence": confidence, "correct": (rng.random(500) < confidence**2).astype(int)})
drawing = wb.draw(wb.from_predictions(frame, bins=10, name="made <img src=x onerror='window.__xss=1'>"), "reliability")
drawing
"""
COUNT = "() => document.querySelectorAll('.workbench-drawing .wb-knob:not(.wb-blank)').length"


def test_a_drawn_curve_is_compared_with_the_measured_one(notebook: Callable[..., Any]) -> None:
    """Mouse, keys and numbers all draw; Reveal shows the curve with the distance that Python gives; the picture stays."""
    book = notebook(MAKE)
    book.run_all()
    page = book.page
    page.wait_for_selector(".workbench-drawing .wb-plot")
    book.idle()
    assert page.is_disabled(".wb-reveal")
    assert page.evaluate("() => !document.querySelector('.wb-measured').children.length")

    box = book.box(".workbench-drawing .wb-plot")
    across = lambda share: box["x"] + box["width"] * (58 + share * 566) / 640  # noqa: E731
    up = lambda share: box["y"] + box["height"] * (12 + (1 - share) * 280) / 340  # noqa: E731
    page.mouse.move(across(0.3), up(0.3))
    page.mouse.down()
    page.mouse.move(across(0.88), up(0.88), steps=3)  # few events: what lies between is drawn as well
    page.mouse.up()
    assert 6 == page.evaluate(COUNT)
    book.picture("drawing-half-light")

    page.focus(".workbench-drawing .wb-knob:last-of-type")
    for key in ("End", "PageDown", "ArrowDown", "ArrowUp"):
        page.keyboard.press(key)
    page.wait_for_function("() => !document.querySelector('.wb-reveal').disabled")
    page.click(".wb-numbers summary")
    page.fill(".wb-boxes input >> nth=0", "0.05")
    page.keyboard.press("Tab")
    page.wait_for_timeout(200)
    points = json.loads(book.ask("import json; print(json.dumps(drawing.points))"))
    assert (0.05, 0.9) == (points[0], points[-1])
    diagonal = json.loads(book.ask("print(json.dumps(drawing.about['at']))"))
    assert max(abs(drawn - at) for drawn, at in zip(points[1:-1], diagonal[1:-1], strict=True)) < 0.01

    page.click(".wb-reveal")
    page.wait_for_selector(".wb-measured circle")
    assert page.inner_text(".wb-status") == book.ask("print(drawing.words)")
    assert page.locator(".wb-measured circle").count() == len(points)
    before = page.evaluate("() => document.querySelector('.wb-expected-line').getAttribute('d')")
    page.mouse.click(across(0.5), up(0.1))
    page.focus(".workbench-drawing .wb-knob:last-of-type")
    page.keyboard.press("Home")
    assert before == page.evaluate("() => document.querySelector('.wb-expected-line').getAttribute('d')")
    book.picture("drawing-light-1600")
    book.resize(900, 900)
    book.command("apputils:change-theme", theme="JupyterLab Dark")
    page.wait_for_function("() => document.body.dataset.jpThemeLight === 'false'")
    page.wait_for_timeout(1500)  # the splash of the change fades
    book.picture("drawing-dark-900")
    book.command("apputils:change-theme", theme="JupyterLab Light")
    assert not page.evaluate("() => window.__xss")

    book.command("docmanager:save")
    page.wait_for_timeout(500)
    saved = (book.server.folder / book.name).read_text()
    still = next(output for output in json.loads(saved)["cells"][0]["outputs"] if "text/html" in output.get("data", {}))
    assert "from the measured one" in "".join(still["data"]["text/html"])
