"""The launcher and the run monitor: clicks alone, the cell that does the same, and a page that is opened again."""

import re
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.browser

LAUNCH = "import workbench as wb\nwb.launch()"
SLOW = """
import time, numpy as np, pandas as pd, workbench as wb
rng = np.random.default_rng(1)
frame = pd.DataFrame({"confidence": rng.random(800), "domain": rng.choice(["law", "history"], 800)})
frame["correct"] = (rng.random(800) < frame.confidence).astype(float)
texts = pd.DataFrame({"text": [f"{i} apples" for i in range(1500)], "label": [("no", "yes")[i % 3 == 0] for i in range(1500)]})
def guess(text):
    time.sleep(0.03)
    return {"no": 0.7, "yes": 0.3} if int(text.split()[0]) % 2 else {"no": 0.4, "yes": 0.6}
model = wb.load(guess, labels=["no", "yes"], per_item=True)
del frame["domain"]
wb.explore(wb.from_predictions(frame))
"""
SAME = """
import workbench as wb
source = {source!r}
space = {{}}
exec(source, space)
ran, again = {name}, space[{name!r}]
print(ran.rows.equals(again.rows), ran.metrics.equals(again.metrics), ran.record.command == again.record.command)
"""


def choose(book: Any, label: str, value: str) -> None:
    """Choose from one of the form's lists, by its label."""
    book.page.locator(".workbench-launcher").get_by_label(label, exact=True).select_option(value)


def said(book: Any, selector: str) -> str:
    """Return the text of one part of the form."""
    return str(book.page.inner_text(f".workbench-launcher {selector}"))


def cell(book: Any) -> str:
    """Return the cell that the form writes."""
    return str(book.page.locator(".wb-source").text_content())


@pytest.mark.model
def test_the_quickstart_by_clicks_alone(notebook: Callable[..., Any], embedded_model: Any) -> None:
    """Choose, run, explore and brush on the embedded model; then ask for letters; the cells written give the same reports."""
    assert "choose" in embedded_model.verbs
    book = notebook(LAUNCH, height=1500)
    page = book.page
    book.run_all()
    page.wait_for_selector(".workbench-launcher")
    choose(book, "Model", "smollm2-135m-instruct")
    choose(book, "Examples", "facts")
    choose(book, "Probe", "calibration")
    page.get_by_label("At most so many examples").fill("60")
    page.keyboard.press("Tab")
    page.wait_for_function("() => document.querySelector('.wb-cost').innerText.includes('60 examples')")
    assert "answers to score" in said(book, ".wb-cost")
    book.picture("launcher-light")

    page.click(".wb-run")
    page.wait_for_selector(".workbench-progress")
    page.wait_for_selector(".wb-ended:not([hidden])", timeout=300_000)
    assert "The report is in report, the model in model." in said(book, ".wb-ended")
    assert page.locator(".jp-OutputArea img[alt='Reliability']").count() >= 1
    page.click(".wb-explore")
    book.ready()
    book.settle()
    book.drag("reliability", 0.55, 0.95)
    page.wait_for_function("() => document.querySelector('.wb-tile-n .wb-value').textContent !== '60'")
    page.wait_for_timeout(500)
    selected = int(book.tile("n"))
    assert 0 < selected < 60
    assert book.ask("print(len(wb.selection))") == str(selected)

    choose(book, "Model", "model")
    page.click(".wb-side summary:has-text('Options')")
    choose(book, "scoring", "letters")
    page.wait_for_function("() => document.querySelector('.wb-source').textContent.includes('letters')")
    second = cell(book)
    assert second == (
        "import workbench as wb\n\n"
        "report_2 = wb.run('calibration', model, wb.pack('facts').sample(60, seed=0), scoring='letters')\nreport_2"
    )
    page.click(".wb-run")
    page.wait_for_function("() => document.querySelector('.wb-ended').innerText.includes('report_2')", timeout=300_000)
    assert book.ask("print(report.record.options['scoring'], report_2.record.options['scoring'])") == "raw letters"
    first = (
        "import workbench as wb\n\nmodel = wb.load('smollm2-135m-instruct')\n"
        "report = wb.run('calibration', model, wb.pack('facts').sample(60, seed=0))\nreport"
    )
    assert book.ask(SAME.format(source=first, name="report")) == "True True True"
    second = second.replace(
        "wb\n\n", "wb\nmodel = wb.load('smollm2-135m-instruct')\n"
    )  # a notebook that has no model yet
    assert book.ask(SAME.format(source=second, name="report_2")) == "True True True"
    for theme in ("Dark", "Light"):
        book.command("apputils:change-theme", theme=f"JupyterLab {theme}")
        for width in (900, 1600):
            book.resize(width, 2400)
            book.picture(f"launcher-{theme.lower()}-{width}")


@pytest.mark.slow
def test_a_run_goes_on_while_the_page_is_opened_again(notebook: Callable[..., Any]) -> None:
    """Partial numbers are drawn, a brush answers, a page that is loaded anew shows the run, and Cancel keeps what is done."""
    book = notebook(SLOW, LAUNCH, "wb.runs()", height=1900, alone=True)
    page = book.page
    book.run_all()
    page.wait_for_selector(".workbench-launcher")
    book.ready()
    choose(book, "Model", "model")
    choose(book, "Examples", "texts")
    page.wait_for_function("() => document.querySelector('.wb-cost').innerText.includes('1,500 inputs to classify')")
    page.click(".wb-time")
    page.wait_for_function("() => document.querySelector('.wb-cost').innerText.includes('that were timed')")
    cost = said(book, ".wb-cost")
    page.click(".wb-run")
    page.wait_for_selector(".wb-partial-table")
    page.wait_for_timeout(3500)
    partial = page.inner_text(".wb-partial")
    assert re.search(r"Partial\s+[\d,]+ of 1,500 examples", partial)
    assert "Accuracy" in partial
    book.drag("reliability", 0.5, 0.9)
    book.settle()
    assert int(book.tile("n").replace(",", "")) < 800
    assert (
        page.get_attribute(".workbench-launcher ~ .workbench-progress, .workbench-progress", "data-status") == "running"
    )
    page.locator(".workbench-launcher").scroll_into_view_if_needed()
    for theme in ("Dark", "Light"):
        book.command("apputils:change-theme", theme=f"JupyterLab {theme}")
        for width in (900, 1600):
            book.resize(width, 2400)
            book.picture(f"monitor-{theme.lower()}-{width}")

    book.command("docmanager:save")
    before = progress(book)
    page.reload(wait_until="domcontentloaded")
    page.wait_for_selector(".workbench-progress[data-status='running'] .wb-partial-table")
    assert progress(book) >= before
    page.wait_for_selector(".wb-runs li[data-status='running']")
    book.picture("monitor-opened-again")
    page.click(".workbench-progress[data-status='running'] .wb-cancel >> nth=0")
    page.wait_for_selector(".wb-runs li[data-status='cancelled']", timeout=20_000)
    page.wait_for_selector(".wb-ended:not([hidden])")
    done = int(book.ask("print(len(report.rows))"))
    assert before <= done < 1500
    assert book.ask("print(report.outcome, wb.runs()[-1].status)") == "interrupted cancelled"
    print(f"estimate: {cost!r}; done when cancelled: {done}")


def progress(book: Any) -> int:
    """Return how many pieces the monitor says are done."""
    text = book.page.inner_text(".workbench-progress .wb-count >> nth=0")
    return int(re.search(r"([\d,]+) of", text).group(1).replace(",", ""))  # type: ignore[union-attr]
