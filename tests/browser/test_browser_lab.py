"""JupyterLab at home: the side panel, the tile, the status item, and a saved report as a document."""

from collections.abc import Callable
from typing import Any

import pytest
from accessible import accessible

pytestmark = pytest.mark.browser

TOKEN = "only-for-tests"
WAIT = 60_000
PREPARE = """
import time, numpy as np, pandas as pd, workbench as wb
evil = "<img src=x onerror='window.__xss=1'><script>window.__xss=1</script>"
frame = pd.DataFrame({"text": [evil] + [f"{i}?" for i in range(59)], "confidence": np.linspace(0.3, 0.99, 60)})
frame["correct"] = (np.arange(60) % 3 > 0).astype(float)
wb.from_predictions(frame, name="<b>evil</b>").save("findings")
texts = pd.DataFrame({"text": [f"{i} apples" for i in range(5000)], "label": [("no", "yes")[i % 3 == 0] for i in range(5000)]})
def guess(text):
    time.sleep(0.03)
    return {"no": 0.7, "yes": 0.3} if int(text.split()[0]) % 2 else {"no": 0.4, "yes": 0.6}
model = wb.load(guess, labels=["no", "yes"], per_item=True)
launcher = wb.launch(data="texts")
launcher.run()
launcher
"""


def test_the_panel_shows_a_run_cancels_it_and_a_report_opens(notebook: Callable[..., Any]) -> None:
    """In /lab: a model and a run are listed, Cancel works, unload frees, a saved report opens without script, the tile starts."""
    book = notebook(PREPARE, alone=True)
    page = book.page
    page.goto(f"{book.server.url}/lab/workspaces/panel/tree/{book.name}?token={TOKEN}", wait_until="domcontentloaded")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=WAIT)
    book.idle()
    page.evaluate("() => window.jupyterapp.commands.execute('workbench:show-panel')")
    page.wait_for_selector(".workbench-lab-panel")
    book.run_all()
    panel = page.locator(".workbench-lab-panel")
    panel.locator("li[data-status='running'] .workbench-lab-fill").wait_for(timeout=WAIT)
    assert "calibration of guess" in panel.inner_text()
    panel.get_by_text("callable · cpu · in model").wait_for(timeout=WAIT)
    page.wait_for_function(
        "() => /Workbench: 1 run \\d+ %/.test(document.querySelector('.workbench-lab-status').textContent)"
    )
    page.wait_for_selector(".wb-partial-table", timeout=WAIT)
    accessible(page, ".workbench-lab-panel")
    accessible(page, ".workbench-launcher")
    for theme in ("Dark", "Light"):
        book.command("apputils:change-theme", theme=f"JupyterLab {theme}")
        for width in (900, 1600):
            book.resize(width, 1100)
            book.picture(f"lab-{theme.lower()}-{width}")
        if theme == "Dark":
            accessible(page, ".workbench-lab-panel")
            accessible(page, ".workbench-launcher")

    page.reload(wait_until="domcontentloaded")  # the page is opened again: the panel finds the kernel's comm
    panel.locator("li[data-status='running']").wait_for(timeout=WAIT)
    panel.get_by_role("button", name="Cancel run 1").focus()
    page.keyboard.press("Enter")
    panel.locator("li[data-status='cancelled']").wait_for(timeout=20_000)
    assert book.ask("launcher.join(30); print(report.outcome)") == "interrupted"
    panel.get_by_role("button", name="Unload guess").click()
    panel.get_by_text("None is loaded.").wait_for(timeout=20_000)
    assert book.ask("print('model' in globals())") == "False"

    panel.get_by_role("button", name="findings.workbench").click()
    page.wait_for_selector(".workbench-lab-report iframe")
    report = page.frame_locator(".workbench-lab-report iframe")
    report.get_by_role("heading", name="Numbers").wait_for()
    assert "<b>evil</b>" in report.locator("h1").inner_text()
    assert "onerror" in report.locator("body").inner_text()
    assert page.get_attribute(".workbench-lab-report iframe", "sandbox") == ""
    assert page.evaluate("() => window.__xss") is None
    grounds = []
    for theme in ("Dark", "Light"):
        book.command("apputils:change-theme", theme=f"JupyterLab {theme}")
        page.wait_for_timeout(600)
        grounds.append(report.locator("body").evaluate("e => getComputedStyle(e).backgroundColor"))
        book.picture(f"lab-report-{theme.lower()}")
    assert [int(ground.split("(")[1].split(",")[0]) > 127 for ground in grounds] == [
        False,
        True,
    ]  # it follows the theme
    page.get_by_role("button", name="Explore it in a notebook").click()
    page.wait_for_selector(".workbench-explorer[data-ready='true']")

    book.command("launcher:create")
    page.locator(".jp-LauncherCard[title*='launcher']").first.click()
    page.wait_for_selector(".jp-NotebookPanel:not(.lm-mod-hidden) .workbench-launcher")
    page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .wb-insert").first.click()
    page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell .cm-content:has-text('wb.run(')").wait_for()
