"""The tokens of an example: from rows of next tokens, from a model on demand, or the reason why there are none."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from fakes import Chooser, Speller
from pair_probe import pairs, report_of

import workbench as wb
from workbench.errors import UsageError
from workbench.views._tokens import line_of_rows, pieces
from workbench.views.canvas import explore

TEXTS = pd.DataFrame({"text": ["one two", "three four", "five six"], "example": ["x", "y", "z"]})


def opened(report: Any, row: int = 0, **options: Any) -> list[dict[str, Any]]:
    """Return what is sent when the page opens a row."""
    explorer, sent = explore(report, **options), list[dict[str, Any]]()
    explorer.send = lambda content, buffers=None: sent.append(content)
    explorer._handle_custom_msg({"kind": "detail", "row": row}, [])
    explorer._tokens.join(10)
    assert [message["kind"] for message in sent] == ["detail", "tokens"]
    return sent


def predictions() -> Any:
    """Return a report of predictions with texts."""
    return wb.from_predictions(TEXTS.assign(confidence=[0.9, 0.4, 0.7], correct=[1, 0, 1]), name="elsewhere")


def test_rows_of_next_tokens_need_no_model() -> None:
    """All tokens of the example that a row belongs to, in order, with the engine's numbers."""
    report = wb.run("calibration", Speller(), wb.Examples.of(TEXTS))
    told = opened(report, row=3)[-1]
    line = told["lines"][0]

    assert (told["row"], told["by"], line["total"]) == (3, "", 2)
    assert line["logp"] == pytest.approx(np.log([0.5, 0.2]).tolist())
    assert (line["entropy"], line["rank"]) == ([1.0, 1.0], [0, 1])
    assert line["sum_logp"] == pytest.approx(np.log(0.1))
    older = report.rows.drop(columns=["entropy", "rank"]).sample(frac=1, random_state=1)
    kept = line_of_rows(older, "y")
    assert kept.logp == pytest.approx(line["logp"])
    assert kept.rank == [None, None]


def test_a_model_scores_the_text_that_is_opened() -> None:
    """Of other reports the text is scored on demand, and the page is told by which model."""
    told = opened(predictions(), row=1, model=Speller())[-1]

    assert told["lines"][0]["title"] == "Example"
    assert told["lines"][0]["tokens"] == ["7", "8"]
    assert told["by"] == "Scored now by speller, each text alone; the report is of elsewhere."
    both = opened(report_of(pairs(20)), model=Speller())[-1]
    assert [line["title"] for line in both["lines"]] == ["Stereotype", "Anti-stereotype"]


def test_where_there_are_no_tokens_the_reason_is_said() -> None:
    """No model, a model that gives none, a failure: one sentence each; a name is refused."""
    assert "no model was given to score the text: wb.explore(report, model=model)" in opened(predictions())[-1]["why"]
    assert (
        "chooser gives no log-likelihoods of tokens (it can choose, generate)"
        in (opened(predictions(), model=Chooser())[-1]["why"])
    )

    class Broken(Speller):
        def score(self, requests: Any, *, monitor: Any = None) -> Any:
            raise RuntimeError("out of memory")

    assert opened(predictions(), model=Broken())[-1]["why"] == "No tokens: RuntimeError: out of memory"
    with pytest.raises(UsageError, match="takes a loaded model; found str"):
        explore(predictions(), model="smollm2")


def test_a_character_of_several_tokens_stands_at_its_last() -> None:
    """Bytes that are no character yet have no text; all pieces together are the text."""

    class Bytes:
        def decode(self, ids: list[int]) -> str:
            return bytes(ids).decode(errors="replace")

    ids = list("a é".encode())
    assert pieces(Bytes(), ids) == ["a", " ", "", "é"]


@pytest.mark.model
def test_the_numbers_are_those_of_the_model(embedded_model: Any) -> None:
    """With the real model the pieces make the text, and the sum is its log-likelihood."""
    from workbench.models.verbs import Request

    text = "The capital of France is Paris."
    report = wb.from_predictions(pd.DataFrame({"text": [text, "b"], "confidence": [0.9, 0.4], "correct": [1, 0]}))
    line = opened(report, model=embedded_model)[-1]["lines"][0]

    assert "".join(line["tokens"]) == text
    assert line["sum_logp"] == pytest.approx(embedded_model.score([Request("", text)]).total()[0], abs=1e-6)
    assert min(line["rank"]) == 0
    assert all(0 <= one < 11 for one in line["entropy"])
