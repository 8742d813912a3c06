"""The explorer in JupyterLab: brushing, reading the selection, select(ids), temperature, hostile text, themes, no kernel."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from browser_fixture import XSS

pytestmark = pytest.mark.browser

DATA = """
import numpy as np, pandas as pd, workbench as wb
rng = np.random.default_rng(1)
n, K = {n}, 4
logits = rng.normal(0, 1, (n, K)); label = rng.integers(0, K, n)
logits[np.arange(n), label] += 1.1
logits *= 2.2
frame = pd.DataFrame({{
    "example": [f"e{{i}}" for i in range(n)],
    "text": [f"In which year did the {{i}}th of these events happen, and where?" for i in range(n)],
    "label": label, "logits": list(logits),
    "domain": rng.choice(["history", "geography", "chemistry", "arithmetic", "law", "medicine and health"], n,
                         p=[.3, .25, .2, .1, .1, .05]),
    "difficulty": rng.choice(["easy", "medium", "hard"], n)}})
report = wb.from_predictions(frame, by=["domain", "difficulty"], name="a made-up model")
"""
SHOW = "explorer = wb.explore(report)\nexplorer"
KERNEL = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
UNSENT = f"() => {{ {KERNEL}.sendShellMessage = () => {{ throw new Error('no connection'); }}; }}"
LOST = f"() => {{ delete {KERNEL}.sendShellMessage; window.lost = 0; {KERNEL}._ws.send = () => {{ window.lost++; }}; }}"
BACK = f"() => {{ delete {KERNEL}._ws.send; }}"
TURNS = (
    "end\u202e\u2067\u05d0\u2069"  # would turn the words around that follow: right-to-left override, isolate, its end
)
TURNED = r"""() => [...document.querySelectorAll('.jp-OutputArea-output *')].flatMap(one =>
  [...[...one.childNodes].filter(node => node.nodeType === 3).map(node => node.data),
   ...['title', 'aria-label', 'placeholder', 'alt', 'label'].map(name => one.getAttribute(name) ?? '')])
  .filter(text => /[\u202a-\u202e\u2066\u2067]|\u2069/.test(text.replace(/\u2068[^\u2066-\u2069]*\u2069/g, '')))"""
SLOWLY = """() => { globalThis[Symbol.for('workbench.carried')] = new (class extends Map {
  set(key, code) { return super.set(key, new Promise(done => setTimeout(done, 3000)).then(() => code)); }
})(); }"""


def numbers(book: Any) -> tuple[int, float]:
    """Return the number selected and the ECE that the page shows."""
    return int(book.tile("n").replace(",", "")), float(
        book.page.get_attribute(".wb-tile-ece .wb-value", "data-ece") or "nan"
    )


def test_brushing_the_diagram_filters_the_rest_and_the_next_cell_reads_it(notebook: Callable[..., Any]) -> None:
    """A drag across the reliability diagram changes table, numbers and other views, but not the diagram's own bars."""
    book = notebook(DATA.format(n=1200), SHOW, "print('rows', len(wb.selection), wb.selection.confidence.min())")
    book.show()
    book.picture("explorer-light-1600")
    before = numbers(book)
    own = book.page.evaluate("() => document.querySelector('.wb-reliability canvas').getAttribute('width')")
    law = book.page.inner_text(".wb-slice >> nth=0 >> .wb-slice-n")

    book.drag("reliability", 0.62, 0.88)
    book.settle()

    selected, error = numbers(book)
    assert 0 < selected < before[0] == 1200
    assert book.page.evaluate("() => document.querySelector('.wb-reliability canvas').getAttribute('width')") == own
    assert book.page.inner_text(".wb-slice >> nth=0 >> .wb-slice-n") != law
    assert "confidence 0.6" in book.page.inner_text(".wb-chips")
    shown = [float(cell) for cell in book.page.locator(".wb-body .wb-cell.wb-number").all_inner_texts()]
    low, high = (float(one.input_value()) for one in book.page.locator(".wb-calibration .wb-number").all()[:2])
    assert shown
    assert low - 6e-4 <= min(shown) <= max(shown) <= high + 6e-4
    told = book.ask(
        "from workbench.stats.calibration import ece\ns = wb.selection\nprint(len(s), ece(s.confidence, s.correct))"
    )
    assert int(told.split()[0]) == selected
    assert float(told.split()[1]) == pytest.approx(error, abs=1e-6)
    book.run_cell(2)
    book.page.wait_for_function(f"() => document.querySelector('.jp-Notebook').innerText.includes('rows {selected}')")
    log = book.ask("print(report.selections.description.tolist(), report.selections.n.tolist())")
    assert log.endswith(
        (f"[{selected}]", f", {selected}]")
    )  # on a busy machine the hand may have rested on its way, too
    assert numbers(book)[0] == selected


def test_two_brushes_filter_each_other_but_not_themselves(notebook: Callable[..., Any]) -> None:
    """With a slice and a confidence brushed, the slice list is filtered by confidence only, and all agree with the kernel."""
    book = notebook(DATA.format(n=1200), SHOW)
    book.run_all()
    book.ready()
    book.page.click(".wb-slice >> nth=1")
    book.drag("histogram", 0.7, 0.95)
    book.settle()

    counts = [int(text) for text in book.page.locator(".wb-slice-n").all_inner_texts()]
    code = """
s = wb.selection
low, high = s.confidence.min(), s.confidence.max()
part = report.explored.query("@low <= confidence <= @high").domain.value_counts()
print(len(s), s.domain.nunique(), sorted(part.tolist(), reverse=True)[:2], part[s.domain.iloc[0]])
"""
    n, domains, *_rest, own = book.ask(code).replace("[", "").replace("]", "").replace(",", "").split()
    assert int(n) == numbers(book)[0] == counts[1]
    assert domains == "1"
    assert abs(int(own) - counts[1]) == 0
    assert sum(counts) > counts[1]
    book.page.select_option(".wb-select", label="difficulty")
    book.page.wait_for_function("() => document.querySelectorAll('.wb-slice').length === 3")
    assert sum(int(text) for text in book.page.locator(".wb-slice-n").all_inner_texts()) == int(n)
    book.drag("risk_coverage", 0.0, 0.5)
    book.settle()
    assert 0 < numbers(book)[0] < int(n)
    assert book.ask("print(len(wb.selection))") == str(numbers(book)[0])
    book.page.click(".wb-clear")
    book.settle()
    assert numbers(book)[0] == 1200
    assert book.ask("print(len(wb.selection))") == "1200"


def test_select_from_python_shows_in_the_page(notebook: Callable[..., Any]) -> None:
    """`explorer.select(ids)` filters table and numbers; `explorer.clear()` brings everything back."""
    book = notebook(DATA.format(n=400), SHOW)
    book.run_all()
    book.ready()
    book.ask("explorer.select(['e3', 'e77', 'e390'])")
    book.page.wait_for_function("() => document.querySelector('.wb-tile-n .wb-value').textContent === '3'")
    book.page.wait_for_function("() => document.querySelectorAll('.wb-body .wb-row').length === 3")
    assert "the 77th" in book.page.inner_text(".wb-body .wb-row >> nth=1")
    assert "chosen by id" in book.page.inner_text(".wb-chips")
    book.ask("explorer.clear()")
    book.page.wait_for_function("() => document.querySelector('.wb-tile-n .wb-value').textContent === '400'")
    assert book.page.query_selector(".wb-chip") is None


def test_the_temperature_moves_the_numbers_and_its_best_is_the_kernels(notebook: Callable[..., Any]) -> None:
    """The slider changes ECE and confidence but not accuracy; Fit gives the kernel's T; a brush at T means the same rows."""
    book = notebook(DATA.format(n=1200), SHOW)
    book.show()
    accuracy, (_, stated) = book.tile("rate"), numbers(book)
    book.page.get_by_role("slider", name="Temperature").fill("0.8")
    book.page.wait_for_function(f"() => document.querySelector('.wb-tile-ece .wb-value').dataset.ece < {stated} * 0.6")
    assert book.tile("rate") == accuracy
    book.page.click(".wb-temperature-panel >> text=Fit")
    book.page.wait_for_selector(".wb-fitted:not([hidden])")
    book.settle()
    best = float(re.search(r"T = ([\d.]+)", book.page.inner_text(".wb-fitted")).group(1))  # type: ignore[union-attr]
    told = book.ask("fit = explorer._chosen.heat.logits.fit()\nprint(fit.temperature, fit.nll_after)").split()
    assert float(told[0]) == pytest.approx(best, abs=1e-3)
    assert float(book.page.inner_text(".wb-temperature-panel tbody tr >> nth=1 >> td >> nth=1")) == pytest.approx(
        float(told[1]), abs=1e-3
    )
    book.drag("reliability", 0.4, 0.6)
    book.settle()
    book.picture("explorer-temperature-1600")
    assert book.ask("print(len(wb.selection))") == str(numbers(book)[0])
    book.page.click(".wb-temperature-panel >> text=Reset")
    book.page.click(".wb-clear")
    book.settle()
    assert numbers(book)[1] == pytest.approx(stated, abs=1e-12)


def test_without_logits_the_slider_says_why_it_is_off(notebook: Callable[..., Any]) -> None:
    """Rows without logits disable the slider and name the reason."""
    book = notebook(
        "import pandas as pd, workbench as wb\n"
        "frame = pd.DataFrame({'confidence': [.9, .6, .7, .8], 'correct': [1, 0, 1, 1]})\n"
        "wb.explore(wb.from_predictions(frame))"
    )
    book.run_all()
    book.ready()
    assert book.page.get_by_role("slider", name="Temperature").is_disabled()
    assert "keep no logits" in book.page.inner_text(".wb-why")


def test_text_of_examples_is_shown_as_text(notebook: Callable[..., Any]) -> None:
    """Script in texts, labels, choices, slices, column and model names is shown, never run; neither is the static picture's."""
    cells = [
        f"import pandas as pd, workbench as wb\nbad = {XSS + TURNS!r}\n"
        "frame = pd.DataFrame({'example': [f'e{i}' + bad for i in range(40)], 'text': [bad] * 40, 'confidence': [.9, .6] * 20,\n"
        "  'correct': [1, 0] * 20, 'label': [bad] * 40, 'predicted': [bad] * 40, 'domain' + bad: [bad, 'b'] * 20})\n"
        "report = wb.from_predictions(frame, by=['domain' + bad], name=bad)",
        "explorer = wb.explore(report)\nexplorer",
    ]
    book = notebook(*cells)
    book.show()
    assert XSS in book.page.inner_text(".wb-body .wb-row >> nth=0")
    book.page.click(".wb-body .wb-row >> nth=0")
    book.page.wait_for_selector(".wb-detail:not([hidden])")
    assert XSS in book.page.inner_text(".wb-detail")
    book.page.click(".wb-slice >> nth=0")
    book.settle()
    assert XSS in book.page.text_content(".wb-chips")
    assert XSS in book.page.inner_text(".wb-name")
    assert XSS in book.page.text_content(".wb-slice-name >> nth=0")
    assert book.page.evaluate("() => window.__xss") is None
    assert "end\\u202e\\u2067" in book.page.text_content(".wb-name")
    assert f"\u2068{XSS}end" in book.page.text_content(".wb-chip-words")  # kept apart from the words beside it
    assert book.page.evaluate(TURNED) == []
    book.page.evaluate("turn => document.querySelector('.wb-name').append(turn)", TURNS)
    assert len(book.page.evaluate(TURNED)) == 1, "the check sees one"


def test_the_check_for_script_can_fail(notebook: Callable[..., Any]) -> None:
    """The same text given to a page as HTML does run: the check above sees something."""
    book = notebook(f"from IPython.display import HTML\nHTML({XSS!r})", alone=True)
    book.run_all()
    book.page.wait_for_function("() => window.__xss === 1")
    book.errors.clear()


def test_a_page_that_is_slow_to_start_still_hears_the_kernel(notebook: Callable[..., Any]) -> None:
    """Views whose code takes three seconds to come have the kernel's numbers and rows: anywidget's two seconds do not count it."""
    book = notebook(DATA.format(n=400), SHOW)
    book.page.evaluate(SLOWLY)
    try:
        book.show()
        book.drag("reliability", 0.2, 0.6)
        book.settle()

        assert 0 < int(book.tile("n")) < 400
        assert book.ask("print(len(wb.selection))") == book.tile("n")
    finally:
        book.page.evaluate("() => { delete globalThis[Symbol.for('workbench.carried')]; }")


def test_the_saved_notebook_shows_a_picture_without_its_kernel(notebook: Callable[..., Any]) -> None:
    """With the kernel gone the explorer says so, and takes it back; in the saved notebook a static picture stands in its place."""
    book = notebook(DATA.format(n=600), SHOW, alone=True)
    book.show()
    assert not book.page.is_visible(".workbench-static")
    book.page.evaluate(UNSENT)
    book.drag("reliability", 0.0, 0.4)
    book.page.wait_for_selector(".wb-problem:has-text('The kernel that made this view is gone')")
    book.page.evaluate(LOST)
    book.drag("reliability", 0.5, 0.7)
    book.page.wait_for_function("() => window.lost > 0")
    book.page.evaluate(BACK)  # the connection is there again; what was lost is sent once more
    book.page.wait_for_selector(".wb-problem", state="hidden")
    book.settle()
    assert book.ask("print(len(wb.selection))") == book.tile("n")
    book.page.click(".wb-chip")
    book.command("docmanager:save")
    book.page.evaluate("async () => { await window.jupyterapp.shell.currentWidget.sessionContext.shutdown(); }")
    book.drag("reliability", 0.2, 0.6)  # counted in the page; what the kernel would say is said to be missing
    book.page.wait_for_selector(".wb-problem:has-text('The kernel that made this view is gone')")
    book.page.wait_for_function(
        "() => document.querySelector('.wb-metrics-panel .wb-state').textContent === 'no kernel'"
    )
    assert 0 < int(book.tile("n")) < 600
    saved = (book.server.folder / book.name).read_text()
    assert len(saved) < 1_000_000
    book.page.goto("about:blank")
    book.open()
    book.page.wait_for_selector(".workbench-static svg, .workbench-static img")
    book.page.wait_for_timeout(4000)
    assert book.page.is_visible(".workbench-static")
    assert "Error displaying widget" not in book.page.inner_text(".jp-Notebook")
    book.page.locator(".workbench-static").scroll_into_view_if_needed()
    book.picture("explorer-without-kernel")
    print(f"saved notebook: {len(saved):,} bytes")


def test_every_theme_and_width_keeps_panels_whole(notebook: Callable[..., Any]) -> None:
    """The chart's colours follow the theme; nothing is cut, empty or on top of another panel."""
    book = notebook(DATA.format(n=1200), SHOW, width=1600, height=1900)
    book.run_all()
    book.ready()
    book.drag("reliability", 0.62, 0.88)
    book.settle()
    canvas = "() => [...document.querySelectorAll('.wb-chart canvas')].map(c => c.width)"
    for theme, width in (("Dark", 1600), ("Dark", 900), ("Light", 900)):
        book.resize(width, 1900)
        book.dress(theme)
        book.page.locator(".workbench-explorer").scroll_into_view_if_needed()
        book.page.mouse.move(5, 5)
        book.picture(f"explorer-{theme.lower()}-{width}")
        book.panels()
        canvases = book.page.evaluate(canvas)
        assert len(canvases) == 3
        assert all(one > 100 for one in canvases)


def test_the_keyboard_reaches_brushes_slices_and_rows(notebook: Callable[..., Any]) -> None:
    """Number inputs brush, Space picks a slice, arrows and Enter read an example: no mouse is needed."""
    book = notebook(DATA.format(n=400), SHOW)
    book.run_all()
    book.ready()
    page = book.page
    page.focus(".wb-calibration .wb-number >> nth=0")
    page.keyboard.type("0.8")
    page.keyboard.press("Tab")
    book.settle()
    by_confidence = numbers(book)[0]
    assert 0 < by_confidence < 400
    page.focus(".wb-slice >> nth=0")
    page.keyboard.press("Space")
    book.settle()
    assert 0 < numbers(book)[0] < by_confidence
    assert page.get_attribute(".wb-slice >> nth=0", "aria-checked") == "true"
    page.focus(".wb-port")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector(".wb-detail:not([hidden])")
    text = page.inner_text(".wb-body .wb-row[aria-selected='true'] >> .wb-cell >> nth=0")
    assert text in page.inner_text(".wb-detail")
    page.wait_for_function("() => document.querySelector('.wb-said').textContent.includes('selected')")


def test_the_table_fetches_windows_and_sorts(notebook: Callable[..., Any]) -> None:
    """Only rows near the eye stand in the page; the last row is right after a jump; a heading sorts all rows."""
    book = notebook(DATA.format(n=5000), SHOW)
    book.run_all()
    book.ready()
    book.page.evaluate("() => { const p = document.querySelector('.wb-port'); p.scrollTop = p.scrollHeight; }")
    book.page.wait_for_function("() => document.querySelector('.wb-body').innerText.includes('the 4999th')")
    assert book.page.locator(".wb-body .wb-row").count() < 200
    book.page.click(".wb-sort >> text=Confidence")
    book.page.click(".wb-sort >> text=Confidence")
    book.page.wait_for_function("() => document.querySelectorAll('.wb-body .wb-number')[0].textContent >= '0.99'")
    first = float(book.page.inner_text(".wb-body .wb-number >> nth=0"))
    assert first == pytest.approx(float(book.ask("print(report.explored.confidence.max())")), abs=6e-4)
