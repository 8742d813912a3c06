"""An example with another text, asked again in JupyterLab: edits, swaps, typos, the answer beside the old one, both themes."""

from collections.abc import Callable
from typing import Any

import pytest
from browser_fixture import XSS

pytestmark = pytest.mark.browser

DATA = f"""
import zlib, numpy as np, workbench as wb
from workbench.models.verbs import Choices, ModelInfo, Scores
class Weigher:  # an answer's likelihood is a number of the prompt and the answer, a text's tokens are its words
    name, verbs, model, info = "weigher", frozenset({{"choose", "score"}}), None, ModelInfo("weigher", "language model")
    class tokenizer:
        words = ["{XSS}"]
        @classmethod
        def decode(cls, ids):
            return " ".join(cls.words[i] for i in ids)
    def choose(self, questions, *, monitor=None):
        weigh = lambda text: -(zlib.crc32(text.encode()) % 4000) / 1000
        logp = tuple(np.array([weigh(q.prompt + c) for c in q.choices]) for q in questions)
        return Choices(logp, tuple(np.ones(len(one), int) for one in logp), np.ones(len(logp), bool))
    def score(self, requests, *, monitor=None):
        words = [one.continuation.split() for one in requests]
        n, tokens = [len(one) for one in words], [w for one in words for w in one]
        self.tokenizer.words += tokens
        ids, k = np.arange(len(tokens)) + len(self.tokenizer.words) - len(tokens), len(tokens)
        logp, flags = -np.array([len(w) / 2 for w in tokens]), np.zeros(len(n))
        return Scores(np.cumsum([0, *n]), ids, logp, logp, -np.ones(k), np.ones(k), np.arange(k), flags == 0, flags > 0,
                      flags.astype(int))
texts = [f"Which bird did she see from her window on day {{i}}?" for i in range(30)]
texts[0] = {XSS!r} + " Which bird did she see from her window?"
choices = ["a robin", "the great tit", "no bird at all", {XSS!r}]
frame = [dict(text=text, choices=choices, label=0, place=["wood", "field"][i % 2]) for i, text in enumerate(texts)]
model = Weigher()
report = wb.run("calibration", model, wb.Examples.of(frame, slices=["place"]))
explorer = wb.explore(report, model=model)
"""


def test_an_edited_example_is_asked_again(notebook: Callable[..., Any]) -> None:
    """Swap a term, add typos, ask by the keyboard: old and new stand side by side, markup stays text, Python has the edits."""
    book = notebook(DATA, "explorer", width=1600, height=2000)
    book.show()
    page = book.page
    page.click(".wb-body .wb-row >> nth=0")
    page.wait_for_selector(".wb-area")
    page.wait_for_function("() => document.querySelectorAll('.wb-edit select option').length > 15")
    assert page.input_value(".wb-area") == book.ask("print(report.rows.text[0])")

    page.click(".wb-ask")
    page.wait_for_selector(".wb-found:not([hidden]) .wb-token-line")
    assert page.inner_text(".wb-edit [role=status]").startswith("The answer stays")
    page.select_option("[aria-label='Swap a term']", label="gender: female → male")
    assert "did he see from his window" in page.input_value(".wb-area")
    page.select_option("[aria-label='Severity of the typos, 1 to 5']", "5")
    swapped = page.input_value(".wb-area")
    page.click("text=Add typos")
    page.wait_for_function("text => document.querySelector('.wb-area').value !== text", arg=swapped)
    page.click(".wb-edit-tools >> text=Reset")
    assert page.input_value(".wb-area") == book.ask("print(report.rows.text[0])")
    page.fill(".wb-area", f"{XSS} Which large bird did he see?")
    page.keyboard.press("Control+Enter")
    page.wait_for_function("() => document.querySelectorAll('.wb-found ins').length > 1")
    page.wait_for_selector(".wb-found .wb-token-line >> nth=1")
    assert page.evaluate("() => window.__xss") is None
    shown = page.evaluate("""() => Object.fromEntries([...document.querySelectorAll('.wb-found tbody tr')].map(row =>
      [row.children[0].innerText, [...row.children].slice(1).map(cell => cell.innerText)]))""")
    line = book.ask("line = explorer.edits.iloc[-1]; print(f'{line.confidence_old:.3f} {line.confidence_new:.3f}')")
    assert shown["Confidence"][:2] == line.split()
    assert shown["Tokens of the text"] == [
        book.ask("print(len(report.rows.text[0].split()))"),
        book.ask("print(len(line.text.split()))"),
        "−2",
    ]
    assert {"a robin", "the great tit", XSS} <= set(shown)
    assert book.ask("print(len(explorer.edits), line.text)") == f"2 {XSS} Which large bird did he see?"
    page.click(".wb-edits summary")
    listed = page.locator(".wb-edits tbody tr")
    assert listed.count() == 2
    assert listed.nth(0).locator("ins").all_inner_texts()[:1] == ["large "]
    assert " → " in listed.nth(0).inner_text()
    for theme, width in (("Light", 1600), ("Dark", 1600), ("Dark", 900), ("Light", 900)):
        book.resize(width, 2000)
        book.dress(theme)
        page.locator(".wb-edit").scroll_into_view_if_needed()
        page.mouse.move(5, 5)
        book.picture(f"what-if-{theme.lower()}-{width}")
        assert page.evaluate(
            "() => { const e = document.querySelector('.wb-detail'); return e.scrollWidth <= e.clientWidth + 1; }"
        )
    book.ask("explorer.abstain(0.4); kept = wb.open(report.save('kept')); again = wb.explore(kept)")
    assert book.ask("print(again.asked['n'], again.state['cut'])") == "2 0.4"
