"""Scores and vectors of texts from one pass are those of two, and cost one."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny

from workbench.models.language import LanguageModel
from workbench.models.load import load
from workbench.models.verbs import Request

TEXTS = [
    "The quick brown fox jumps over the lazy dog.",
    "The quick brown fox",
    "Twelve and seven make nineteen; the day after Monday is Tuesday.",
    "é 日本",
    "The quick brown fox",
]


def model_of(monkeypatch: pytest.MonkeyPatch, family: str = "llama", *, cache: Path | None = None) -> LanguageModel:
    """Return a tiny model, its answers kept in a folder or nowhere."""
    if cache is not None:
        monkeypatch.setenv("WORKBENCH_CACHE", str(cache))
    made = load(tiny.language_model(family), tokenizer=tiny.tokenizer(), cache=cache is not None, name="tiny")
    assert isinstance(made, LanguageModel)
    return made


@pytest.mark.parametrize("family", ["llama", "gemma3", "bloom"])
@pytest.mark.parametrize(("layer", "pooling"), [(-1, "auto"), (1, "mean"), (-1, "last"), (2, "first"), (0, "mean")])
def test_one_pass_gives_what_two_give(monkeypatch: pytest.MonkeyPatch, family: str, layer: int, pooling: str) -> None:
    """Scores equal `score`, vectors `embed`, of every layer and pooling, also for a model that reads chains."""
    model = model_of(monkeypatch, family)

    scores, vectors = model.read(TEXTS, layer=layer, pooling=pooling)

    expected = model.score([Request("", text) for text in TEXTS])
    np.testing.assert_allclose(scores.logp, expected.logp, atol=1e-4)
    np.testing.assert_allclose(scores.var_logp, expected.var_logp, atol=1e-4)
    assert scores.token.tolist() == expected.token.tolist()
    plain = model.embed(TEXTS, layer=layer, pooling=pooling)
    np.testing.assert_allclose(vectors.vectors, plain.vectors, atol=1e-4)
    assert vectors.done.all()
    assert (vectors.vectors[1] == vectors.vectors[4]).all()
    same = pooling == "first"  # the state of BOS, whatever comes after it
    assert (np.abs(plain.vectors[0] - plain.vectors[2]).max() < 1e-4) == same


def test_one_pass_costs_one_token_more_a_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is run is the tree of the whole texts: scoring alone never reads a text's last token, vectors do."""
    model = model_of(monkeypatch)

    alone = model.score([Request("", text) for text in TEXTS]).counters
    both = model.read(TEXTS).scores.counters

    assert alone.tokens_run < both.tokens_run <= alone.tokens_run + len(set(TEXTS))
    assert both.head_positions == alone.head_positions


def test_only_what_is_missing_is_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """After `score` only vectors are run, without the head; after both nothing is; `embed` finds what was read."""
    model = model_of(monkeypatch, cache=tmp_path)
    first = model.score([Request("", text) for text in TEXTS])

    second = model.read(TEXTS)
    third = model.read(TEXTS)
    calls: list[Any] = []
    inner = type(model.model.model).forward
    monkeypatch.setattr(type(model.model.model), "forward", lambda *a, **k: (calls.append(1), inner(*a, **k))[1])
    vectors = model.embed(TEXTS)

    assert (second.scores.counters.cached, second.scores.counters.head_positions) == (len(TEXTS), 0)
    assert second.scores.counters.tokens_run > 0
    assert third.scores.counters.tokens_run == 0
    assert not calls
    np.testing.assert_array_equal(second.scores.logp, first.logp)
    np.testing.assert_array_equal(third.embeddings.vectors, second.embeddings.vectors)
    np.testing.assert_array_equal(vectors.vectors, second.embeddings.vectors)


def test_what_was_not_reached_has_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop leaves NaN vectors and no tokens, marked as not done."""

    class Stopped:
        stopped = True

        def start(self, total: int, unit: str) -> None:
            """Ignore."""

        def advance(self, done: int, **facts: Any) -> None:
            """Ignore."""

        def finish(self) -> None:
            """Ignore."""

    scores, vectors = model_of(monkeypatch).read(TEXTS, monitor=Stopped())

    assert not scores.done.any()
    assert not vectors.done.any()
    assert np.isnan(vectors.vectors).all()


def test_a_text_beyond_the_models_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """The vector is that of its beginning, the scores are read in windows: each as it is alone."""
    model = model_of(monkeypatch)
    text = "The quick brown fox jumps over the lazy dog. " * 40

    scores, vectors = model.read([text, TEXTS[1]])

    np.testing.assert_allclose(scores.logp, model.score([Request("", text), Request("", TEXTS[1])]).logp, atol=1e-4)
    np.testing.assert_allclose(vectors.vectors, model.embed([text, TEXTS[1]]).vectors, atol=1e-4)
    assert vectors.truncated is not None
    assert vectors.truncated[0] > 0
