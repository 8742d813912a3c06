"""From a brush to its test on the half not seen, in the page; marks beside slices and saved selections follow."""

from collections.abc import Callable
from typing import Any

import pytest
from browser_fixture import XSS

pytestmark = pytest.mark.browser

DATA = f"""
import numpy as np, pandas as pd, workbench as wb
rng = np.random.default_rng(0)
n = 800
domain = rng.choice(["law", "art", "history", {XSS!r}], n)
confidence = rng.beta(4, 1.2, n).round(2)
correct = (rng.random(n) < np.clip(confidence - 0.35 * (domain == "law"), 0, 1)).astype(int)
frame = pd.DataFrame({{"confidence": confidence, "correct": correct, "domain": domain}})
report = wb.from_predictions(frame, by="domain", holdout=0.5, draws=20)
wb.explore(report)
"""


def test_a_brush_is_confirmed_in_the_page_and_by_later_cells(notebook: Callable[..., Any]) -> None:
    """The keyboard brushes and asks; effect, interval, corrected p and n stand there; a later cell's test moves the marks."""
    book = notebook(DATA, "found = report.confirm('domain: history')")
    book.run_cell(0)
    book.ready()
    page = book.page
    law = page.locator(".wb-slice", has_text="law")
    law.focus()
    page.keyboard.press("Space")
    page.wait_for_selector(".wb-confirm[aria-disabled=false]")
    page.fill(".wb-named", "hard")
    page.keyboard.press("Enter")
    page.focus(".wb-confirm")
    page.keyboard.press("Enter")
    page.wait_for_selector(".wb-confirmed:not([hidden]) .wb-mark-confirmed")
    said = page.inner_text(".wb-confirmed").replace("\xa0", " ")
    n, counted = book.ask("line = report.selections.iloc[-1]; print(line['n'], line['counted'])").split()

    assert said.startswith("✓")
    assert "confirmed" in said
    assert "Accuracy, slice minus rest: −0." in said
    assert f"corrected p < 0.001 (Holm over {counted} tests)" in said
    assert f"n = {n}" in said
    page.wait_for_selector(".wb-slice.wb-marked .wb-mark-confirmed")
    book.picture("confirm-result")
    assert law.locator(".wb-slice-mark").text_content() == "✓confirmed"
    assert law.get_attribute("aria-label").endswith(", confirmed")  # type: ignore[union-attr]
    assert (page.text_content(".wb-saved option >> nth=1") or "").endswith("✓ confirmed")

    page.locator(".wb-slice", has_text="script").click()
    page.wait_for_selector(".wb-confirmed", state="hidden")
    book.run_cell(1)
    page.wait_for_selector(".wb-slice-mark .wb-mark-not-confirmed")
    page.click(".wb-looked-summary")
    page.wait_for_selector(".wb-looked-summary:has-text('Looked at: 1 explored, 1 confirmed, 1 not confirmed')")
    assert XSS in (page.text_content(".wb-looked-lines") or "")
    book.picture("confirm-light-1600")
    book.resize(900, 1400)
    book.dress("Dark")
    page.locator(".wb-confirming").scroll_into_view_if_needed()
    book.picture("confirm-dark-900")
    book.panels()
