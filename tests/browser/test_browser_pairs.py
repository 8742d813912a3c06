"""The explorer of a probe with a view, in JupyterLab: click a bar of the forest plot and read the pairs behind it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browser_fixture import XSS

pytestmark = pytest.mark.browser

DATA = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r})
import workbench as wb
from pair_probe import pairs, read_pairs, report_of
frame = pairs({{n}})
{{change}}
report = {{how}}(frame)
"""
TERMS = """
import numpy as np, pandas as pd, workbench as wb
rng = np.random.default_rng(2)
names = ["nurse", "Ghana", "sister", "chess player", "Muslim", "chemist", "grandfather", "<b>bold</b>"]
target = np.repeat(names, 20)
frame = pd.DataFrame({"target": target, "domain": np.where(rng.random(160) < 0.4, "race", "profession"),
                      **{f"score_{name}": rng.random(160) for name in ("stereotype", "anti_stereotype", "unrelated")}})
for name in ("stereotype", "anti_stereotype", "unrelated"):
    frame[name] = [f"The {one} was {name.replace('_', ' ')} {i}." for i, one in enumerate(target)]
frame["context"] = [f"The {one} was BLANK." for one in target]
frame.loc[frame.target == "nurse", "score_stereotype"] += 1
report = wb.from_predictions(frame, probe="stereoset", by=["domain"])
"""
SHOW = "explorer = wb.explore(report)\nexplorer"


def cells(n: int = 400, change: str = "", how: str = "report_of") -> tuple[str, str]:
    """Return the cells that make a report, of a probe that reads differences or of `pairs` itself, and show it."""
    return DATA.format(n=n, change=change, how=how), SHOW


def test_a_click_on_a_bar_shows_the_pairs_behind_it(notebook: Callable[..., Any]) -> None:
    """A click on the dot of a slice leaves its pairs in the table, side by side, and the next cell reads them."""
    book = notebook(*cells(), "s = wb.selection\nprint('read', len(s), set(s.bias), s.stereotype.mean())")
    book.show()
    book.picture("pairs-light-1600")
    name = book.page.inner_text(".wb-slice >> nth=1 >> .wb-slice-name")
    dot = book.box(".wb-slice >> nth=1 >> .wb-track-dot")
    book.page.mouse.click(dot["x"] + dot["width"] / 2, dot["y"] + dot["height"] / 2)
    book.page.wait_for_selector(".wb-slice[aria-checked='true']")
    book.settle()
    book.page.mouse.move(5, 5)
    book.picture("pairs-clicked-1600")

    n, share = book.ask(f"s = report.rows[report.rows.bias == {name!r}]\nprint(len(s), s.stereotype.mean())").split()
    assert int(n) == int(book.tile("n")) < 400
    assert book.tile("rate") == f"{100 * float(share):.1f} %"
    assert set(book.shown(4)) == {name}
    assert all("had lost" in text for text in book.shown(0))
    assert all("had kept" in text for text in book.shown(1))
    assert f"bias: {name}" in book.page.inner_text(".wb-chips")
    assert "Pct stereotype" in book.page.inner_text(".wb-metrics tbody tr >> nth=0")
    book.run_cell(2)
    book.page.wait_for_function(f"() => document.querySelector('.jp-Notebook').innerText.includes('read {n}')")
    assert f"{{{name!r}}}" in book.page.inner_text(".jp-Cell >> nth=2 >> .jp-OutputArea")
    first = book.shown(0)[0]
    book.page.click(".wb-body .wb-row >> nth=0")
    book.page.wait_for_selector(".wb-detail:not([hidden])")
    detail = book.page.inner_text(".wb-detail")
    assert first in detail
    assert first.replace("lost", "kept") in detail


def test_a_click_on_a_cell_shows_the_sentences_of_its_term(notebook: Callable[..., Any]) -> None:
    """In StereoSet a click on a cell of the heat map leaves the sentences of its term, which `wb.selection` reads."""
    book = notebook(TERMS, SHOW)
    book.show()
    book.picture("terms-light-1600")
    assert book.panels() == 5
    line = book.page.locator(".wb-map-line", has_text="nurse")
    assert book.page.locator(".wb-map-line .wb-map-name").first.inner_text() == "nurse"
    line.locator(".wb-map-cell").nth(0).click()
    book.page.wait_for_selector(".wb-map-line[aria-checked='true']")
    book.settle()
    n, ss, lms = book.ask(
        "t = report.tables['terms'].set_index('target').loc['nurse']\nprint(t.n, t.ss, t.lms)"
    ).split()

    cells = line.locator(".wb-map-cell").all_inner_texts()
    assert cells == [f"{100 * float(one):.1f} %" for one in (ss, lms)]
    assert "SS 100.0 % (95 %: " in line.get_attribute("title")
    assert book.ask("print(len(wb.selection), set(wb.selection.target))") == f"{n} {{'nurse'}}"
    assert book.tile("n") == n
    assert all(text.startswith("The nurse") for text in book.shown(1))
    assert book.page.locator(".wb-map-line.wb-off").count() == book.page.locator(".wb-map-line").count() - 1


def test_the_value_brushes_and_the_reference_stands_where_it_says(notebook: Callable[..., Any]) -> None:
    """A drag across the histogram selects by the value; the line without bias stands at half the track; no calibration shows."""
    book = notebook(*cells())
    book.show()
    book.drag("distribution", 0.55, 0.9)
    book.settle()

    low, high = (float(one.input_value()) for one in book.page.locator(".wb-range .wb-number").all())
    inside = book.ask(
        f"d = report.rows.difference\nprint(((d >= {low}) & (d < {high})).sum(), len(wb.selection))"
    ).split()
    assert inside[0] == inside[1] == book.tile("n")
    assert 0 < int(inside[0]) < 400
    assert "Difference " in book.page.inner_text(".wb-chips")
    line, track = (
        book.page.locator(f".wb-slice >> nth=0 >> .{name}").bounding_box()
        for name in ("wb-track-reference", "wb-track")
    )
    assert line["x"] + line["width"] / 2 == pytest.approx(track["x"] + track["width"] / 2, abs=1)
    for absent in (".wb-reliability", ".wb-risk_coverage", ".wb-temperature-panel", ".wb-tile-ece", ".wb-track-tick"):
        assert book.page.locator(absent).count() == 0
    assert "design effect" in book.page.inner_text(".wb-slice-panel .wb-caption")
    book.ask("explorer.select(['p4', 'p9'])")
    book.page.wait_for_function("() => document.querySelector('.wb-tile-n .wb-value').textContent === '2'")
    assert book.tile("rate") == "–"
    assert "2 with neither outcome" in book.page.inner_text(".wb-tile-n .wb-note")


def test_texts_of_pairs_are_shown_as_text_and_the_keyboard_reaches_them(notebook: Callable[..., Any]) -> None:
    """In the probe `pairs`: script in sentences and slices is shown, never run; Space picks a slice, Enter reads a pair."""
    change = (
        f"bad = {XSS!r}\nframe = frame.assign(text=bad + frame.text, other=bad + frame.other, bias=bad + frame.bias)"
    )
    book = notebook(*cells(120, change, "read_pairs"))
    book.show()
    page = book.page
    page.focus(".wb-range .wb-number >> nth=0")
    page.keyboard.type("0")
    page.keyboard.press("Tab")
    book.settle()
    above = int(book.tile("n"))
    assert 0 < above < 120
    page.focus(".wb-slice >> nth=0")
    page.keyboard.press("Space")
    book.settle()
    assert 0 < int(book.tile("n")) < above
    page.focus(".wb-port")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector(".wb-detail:not([hidden])")
    assert XSS in page.inner_text(".wb-detail")
    assert XSS in book.shown(1)[0]
    assert XSS in page.text_content(".wb-chips")
    assert page.evaluate("() => window.__xss") is None


def test_every_theme_and_width_keeps_panels_whole(notebook: Callable[..., Any]) -> None:
    """The chart follows the theme; nothing is cut, empty or on top of another panel."""
    book = notebook(*cells(), width=1600, height=1500)
    book.run_all()
    book.ready()
    book.page.click(".wb-slice >> nth=0")
    book.settle()
    for theme, width in (("Dark", 1600), ("Dark", 900), ("Light", 900)):
        book.resize(width, 1500)
        book.dress(theme)
        book.page.locator(".workbench-explorer").scroll_into_view_if_needed()
        book.page.mouse.move(5, 5)
        book.picture(f"pairs-{theme.lower()}-{width}")
        assert book.panels() == 4
        assert book.page.evaluate("() => document.querySelector('.wb-distribution canvas').width") > 100
