"""While a cell runs: brushing answers, and Cancel stops the run with what is done kept."""

import re
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.browser

SHOW = """
import time, numpy as np, pandas as pd, workbench as wb
rng = np.random.default_rng(1)
frame = pd.DataFrame({"confidence": rng.random(800), "domain": rng.choice(["law", "history"], 800)})
frame["correct"] = (rng.random(800) < frame.confidence).astype(float)
wb.explore(wb.from_predictions(frame, by=["domain"]))
"""
LOOP = """
from workbench.views.progress import monitor
watch, seen, begun = monitor(), set(), time.monotonic()
watch.start(3000, "questions")
for i in range(3000):
    if watch.stopped:
        break
    time.sleep(0.02)
    seen.add(len(wb.selection))
    watch.advance(1, device_memory=2**30)
watch.finish()
print("ended after", i, "saw", sorted(seen))
"""
MODEL = """
from workbench.models.verbs import Choices, ModelInfo

class Slow:
    name, verbs, info = "slow", frozenset({"choose"}), ModelInfo("slow", "language model")
    def choose(self, questions, *, monitor):
        monitor.start(len(questions), "questions")
        logp, done = [None] * len(questions), np.zeros(len(questions), bool)
        for i, question in enumerate(questions):
            if monitor.stopped:
                break
            time.sleep(0.05)
            logp[i], done[i] = np.log(np.full(len(question.choices), 1 / len(question.choices))), True
            monitor.advance(1)
        monitor.finish()
        return Choices(tuple(logp), tuple(None if one is None else np.ones(len(one), int) for one in logp), done)

questions = [{"text": f"{i} + 1?", "choices": [str(i + 1), str(i)], "label": 0} for i in range(2000)]
"""
RUN = """
from workbench.views.progress import monitor
report = wb.run("calibration", Slow(), questions, monitor=monitor())
print("outcome", report.outcome, len(report.rows))
"""


def text_of(book: Any, cell: int) -> str:
    """Return the text under one cell."""
    return str(book.page.inner_text(f".jp-Notebook .jp-Cell >> nth={cell} >> .jp-OutputArea"))


def count_of(book: Any) -> int:
    """Return how many pieces the progress widget says are done."""
    said = book.page.inner_text(".workbench-progress .wb-count")
    return int(re.search(r"([\d,]+) of", said).group(1).replace(",", ""))  # type: ignore[union-attr]


def test_brushing_and_cancel_work_while_a_cell_runs(notebook: Callable[..., Any]) -> None:
    """During a loop of a minute the kernel answers a brush with intervals, and Cancel ends the loop at once."""
    book = notebook(SHOW, LOOP, height=1900)
    book.run_all()
    book.ready()
    book.page.wait_for_selector(".workbench-progress[data-status='running']")
    book.page.wait_for_function("() => document.querySelector('.wb-state').textContent.startsWith('n =')")
    before = book.page.inner_text(".wb-state")

    book.drag("reliability", 0.5, 0.9)
    book.page.wait_for_function(
        "t => { const now = document.querySelector('.wb-state').textContent; return now.startsWith('n =') && now !== t; }",
        arg=before,
        timeout=20_000,
    )
    selected = int(book.tile("n").replace(",", ""))
    assert book.page.inner_text(".wb-state") == f"n = {selected}"
    assert book.page.get_attribute(".workbench-progress", "data-status") == "running"
    book.page.wait_for_timeout(500)
    book.picture("explorer-while-running")
    reached = count_of(book)
    assert 0 < reached < 3000

    book.page.click(".wb-cancel")
    book.page.wait_for_selector(".workbench-progress[data-status='cancelled']", timeout=10_000)
    book.page.wait_for_function("() => document.querySelector('.jp-Notebook').innerText.includes('ended after')")
    book.idle()
    ended = text_of(book, 1)
    assert int(re.search(r"ended after (\d+)", ended).group(1)) < 3000 - 100  # type: ignore[union-attr]
    assert selected in map(int, re.findall(r"\d+", ended.split("saw")[1]))
    assert "Cancelled" in ended
    book.page.locator(".workbench-progress").scroll_into_view_if_needed()
    book.picture("progress-cancelled")


def test_a_cancelled_run_keeps_what_is_done(notebook: Callable[..., Any]) -> None:
    """`wb.run` with a slow model, cancelled from the page, gives a report of the examples that were reached."""
    book = notebook(SHOW, MODEL, RUN, height=1900)
    book.run_all()
    book.page.wait_for_function(
        "() => { const e = document.querySelector('.workbench-progress .wb-count'); return e && parseInt(e.textContent) > 5; }"
    )
    book.page.click(".wb-cancel")
    book.page.wait_for_function(
        "() => document.querySelector('.jp-Notebook').innerText.includes('outcome interrupted')", timeout=20_000
    )
    done = int(re.search(r"outcome interrupted (\d+)", text_of(book, 2)).group(1))  # type: ignore[union-attr]
    assert 5 < done < 2000
    assert book.page.get_attribute(".workbench-progress", "data-status") == "cancelled"
