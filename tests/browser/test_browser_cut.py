"""An abstention and a decision threshold in JupyterLab: one line through all charts, numbers at once, intervals from the kernel."""

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.browser

DATA = """
import numpy as np, pandas as pd, workbench as wb
rng = np.random.default_rng(2)
n = 3000
label, domain = rng.integers(0, 3, n), rng.choice(["law", "history", "chemistry"], n)
logits = rng.normal(0, 1.5, (n, 3)) + 2.2 * (domain != "law")[:, None] * np.eye(3)[label]
frame = pd.DataFrame({"logits": list(logits), "label": label, "domain": domain})
explorer = wb.explore(wb.from_predictions(frame, by=["domain"]))
yes, sex = rng.integers(0, 2, n), rng.choice(["f", "m"], n)
score = np.clip(0.25 + 0.4 * yes + 0.15 * (sex == "m") + rng.normal(0, 0.2, n), 0, 1)
people = pd.DataFrame({"score": score, "label": yes, "predicted": (score >= 0.5).astype(int), "sex": sex})
deciding = wb.explore(wb.from_predictions(people, probe="groups", by=["sex"], draws=100, name="scores"))
"""
TABLE = """() => Object.fromEntries([...document.querySelectorAll('.wb-cut-panel > table tbody tr')].map(row =>
  [row.children[0].innerText, [...row.children].slice(1).map(cell => cell.innerText)]))"""
THERE = """() => { const cells = [...document.querySelectorAll('.wb-cut-panel > table td')];
  return cells.length && !cells.some(cell => cell.innerText === '…'); }"""


def numbers(book: Any, name: str) -> dict[str, list[str]]:
    """Return the page's rates and intervals by their words, after a check that they are the kernel's."""
    book.page.wait_for_function(THERE)
    shown: dict[str, list[str]] = book.page.evaluate(TABLE)
    said = book.ask(
        f"r = {name}.rates; r = r[~r.group.str.contains('=')]\n"
        "print(*[f'{100 * v:.1f} %|{100 * a:.1f} % to {100 * b:.1f} %' for v, a, b in zip(r.value, r.low, r.high)], sep=';')"
    )
    assert ["|".join(cells) for cells in shown.values()] == said.split(";")
    return shown


def said(book: Any, words: str) -> None:
    """Wait until the line stands where these words say."""
    book.page.wait_for_function("text => document.querySelector('.wb-cut-panel output').innerText === text", arg=words)
    book.page.wait_for_timeout(300)


def pictures(book: Any, name: str) -> None:
    """Look at the view in both themes and widths."""
    for theme, width in (("Light", 1600), ("Dark", 1600), ("Dark", 900), ("Light", 900)):
        book.resize(width, 2100)
        book.dress(theme)
        book.page.locator(".wb-top").scroll_into_view_if_needed()
        book.page.wait_for_timeout(300)
        book.picture(f"{name}-{theme.lower()}-{width}")
        book.panels()


def test_one_line_moves_the_charts_the_rates_and_the_gaps(notebook: Callable[..., Any]) -> None:
    """By number, by keys, at a temperature, taken back: the page's rates are the kernel's, with its intervals."""
    book = notebook(DATA, "explorer", width=1600, height=2100)
    book.show()
    page = book.page
    page.focus(".wb-cut-panel .wb-number")
    page.keyboard.type("0.7")
    page.keyboard.press("Enter")
    said(book, "below 0.7")
    found = numbers(book, "explorer")
    rates = ["Coverage", "Accuracy, answered"]
    assert list(found) == [*rates, *(f"{one}: gap by domain" for one in rates)]
    assert book.ask("print(explorer.state['cut'])") == "0.7"
    assert page.locator(".wb-chip").first.inner_text().startswith("abstains below 0.7")
    page.focus(".wb-cut-panel .wb-slider")
    page.keyboard.press("ArrowRight")
    said(book, "below 0.705")
    assert numbers(book, "explorer")["Coverage"] != found["Coverage"]
    book.ask("explorer.undo()")
    said(book, "below 0.7")
    page.focus(".wb-temperature-panel .wb-slider")
    page.keyboard.press("End")
    page.wait_for_function("() => document.querySelector('.wb-cut-panel td').innerText.length < 6")  # under 10 %
    numbers(book, "explorer")
    page.click(".wb-temperature-panel >> text=Reset")
    page.wait_for_function(
        "text => document.querySelector('.wb-cut-panel td').innerText === text", arg=found["Coverage"][0]
    )
    pictures(book, "abstain")
    page.click(".wb-cut-panel >> text=Select the abstained")
    page.wait_for_function("() => document.querySelector('.wb-chips').innerText.includes('chosen by id')")
    chosen = "explorer.selection"
    assert book.ask(f"print(({chosen}.confidence < 0.7).all(), len({chosen}) > 100)") == "True True"


def test_a_decision_threshold_moves_the_rates_of_groups(notebook: Callable[..., Any]) -> None:
    """From Python and in the page, with the gaps between the groups."""
    book = notebook(DATA, "deciding", width=1600, height=2100)
    book.show()
    book.ask("deciding.decide(0.4)")
    said(book, "yes from 0.4")
    found = numbers(book, "deciding")
    assert list(found)[4:] == [f"{name}: gap by sex" for name in ("Selection rate", "TPR", "FPR", "Accuracy")]
    pictures(book, "decide")
    book.page.focus(".wb-cut-panel .wb-slider")
    book.page.keyboard.press("ArrowLeft")
    said(book, "yes from 0.395")
    assert numbers(book, "deciding")["Selection rate"] != found["Selection rate"]
