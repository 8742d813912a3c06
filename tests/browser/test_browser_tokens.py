"""The tokens of an example in JupyterLab: colours, numbers, keys, hostile tokens, both themes."""

from collections.abc import Callable
from typing import Any

import pytest
from browser_fixture import XSS

pytestmark = pytest.mark.browser

DATA = f"""
import numpy as np, pandas as pd, workbench as wb
from workbench.models.verbs import ModelInfo, Scores
WORDS = {XSS!r}.split() + "the quick brown fox jumps over the lazy dog and then it sleeps for the rest of the afternoon".split()
class Tokenizer:
    def decode(self, ids):
        return " ".join(WORDS[i] for i in ids)
class Spoken:
    name, verbs, model, tokenizer, info = "spoken", frozenset({{"score"}}), None, Tokenizer(), ModelInfo("spoken", "language model")
    def score(self, requests, *, monitor=None):
        n, k = len(requests), len(WORDS)
        logp, zeros = -np.linspace(0.1, 9, k), np.zeros(n)
        mean = np.tile(-np.linspace(0, 6, k), n)
        return Scores(np.arange(n + 1) * k, np.tile(np.arange(k), n), np.tile(logp, n), np.tile(logp, n), mean, np.ones(n * k),
                      np.tile(np.arange(k) ** 3, n), zeros == 0, zeros > 0, zeros.astype(int))
frame = pd.DataFrame({{"text": [" ".join(WORDS)] * 30, "confidence": np.linspace(.3, .9, 30), "correct": [1, 0] * 15}})
report = wb.from_predictions(frame, name="spoken")
"""


def test_a_click_on_an_example_shows_its_tokens(notebook: Callable[..., Any]) -> None:
    """The heat follows the number chosen, pointing and arrow keys read a token, and markup in a token is text."""
    book = notebook(DATA, "wb.explore(report, model=Spoken())", width=1600, height=1900)
    book.show()
    page = book.page
    page.click(".wb-body .wb-row >> nth=0")
    page.wait_for_selector(".wb-token-line")
    words = page.locator(".wb-token")
    n = int(book.ask("print(len(WORDS))"))
    assert words.count() == n
    assert page.evaluate("() => window.__xss") is None
    assert f"{n} tokens: log p" in page.inner_text(".wb-token-text")
    heats = page.evaluate(
        "() => [...document.querySelectorAll('.wb-token')].map(e => parseInt(e.style.getPropertyValue('--wb-heat')))"
    )
    assert heats == sorted(heats)
    assert (heats[0], heats[-1]) == (1, 100)
    words.nth(3).hover()
    assert page.inner_text(".wb-token-said").startswith("Token 4 “")
    assert "rank 27" in page.inner_text(".wb-token-said")
    page.click(".wb-heat >> text=entropy")
    assert page.get_attribute(".wb-heat >> nth=1", "aria-pressed") == "true"
    page.focus(".wb-token >> nth=0")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("() => document.activeElement.getAttribute('aria-label')").startswith("Token 3 “")
    assert page.get_attribute(".wb-token >> nth=2", "aria-selected") == "true"
    page.click(".wb-heat >> text=log p")
    for theme, width in (("Light", 1600), ("Dark", 1600), ("Dark", 900), ("Light", 900)):
        book.resize(width, 1900)
        book.dress(theme)
        page.locator(".wb-tokens").scroll_into_view_if_needed()
        page.mouse.move(5, 5)
        book.picture(f"tokens-{theme.lower()}-{width}")
        assert page.evaluate(
            "() => { const e = document.querySelector('.wb-token-line'); return e.scrollWidth <= e.clientWidth + 1; }"
        )
