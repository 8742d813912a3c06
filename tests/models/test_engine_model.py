"""The engine on the real embedded model, against the plain forward with a float64 softmax."""

import csv
import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny

from workbench.models.engine import Engine
from workbench.models.verbs import Request

pytestmark = pytest.mark.model
CONTEXT = "Question: What is the capital of France?\nAnswer:"
REQUESTS = [
    *(Request(CONTEXT, f" {city}") for city in ("Paris", "Lyon", "Reykjavik", "the city of Paris, on the Seine")),
    Request("The opposite of hot is ", "cold"),
    Request("", "The chemical symbol of gold is Au."),
    Request("  \n", "Tuesday comes after Monday."),
    Request("Twelve and seven make", " nineteen, and 日本 is Japan 🙂"),
    Request("Once upon a time there was a fox. " * 12, "It jumped over a lazy dog."),
]


@pytest.fixture(scope="module")
def engine(embedded_model: Any) -> Engine:
    """Return an engine of its own, which keeps nothing on disk."""
    return Engine(embedded_model.model, embedded_model.tokenizer, device="cpu")


def test_the_embedded_model_gives_the_plain_models_numbers(engine: Engine) -> None:
    """All statistics of every token agree to 1e-4, rank but for logits nearer than that; the fast path is taken."""
    scores = engine.score(REQUESTS)

    assert engine.path == "head"
    assert engine.notes == ()
    for i, request in enumerate(REQUESTS):
        ids, n_context = tiny.pair(engine.tokenizer, request)
        expected = tiny.plain(engine.model, ids, n_context)
        found = tiny.answers(scores, i)
        np.testing.assert_allclose(found[:4], expected[:4], atol=1e-4)
        least, greatest = tiny.rank_bounds(engine.model, ids, n_context)
        assert ((least <= found[4]) & (found[4] <= greatest)).all()
        assert (greatest - least).max() <= 20  # the bounds say something: of 49,152
        assert scores.total()[i] == pytest.approx(expected[0].sum(), abs=1e-4)


def test_the_embedded_models_batches_agree(engine: Engine) -> None:
    """One row at a time and about four at a time, in another order, differ by less than 1e-4."""
    whole = engine.score(REQUESTS)
    alone = Engine(engine.model, engine.tokenizer, device="cpu", token_budget=1)
    four = Engine(engine.model, engine.tokenizer, device="cpu", token_budget=60)

    apart = alone.score(REQUESTS)

    assert apart.counters.tokens_padded == 0
    np.testing.assert_allclose(apart.total(), whole.total(), atol=1e-4)
    np.testing.assert_allclose(four.score(REQUESTS[::-1]).total()[::-1], whole.total(), atol=1e-4)


def test_the_embedded_model_knows_the_capital(engine: Engine) -> None:
    """The numbers mean something: Paris is likelier than Lyon, Lyon than Reykjavik."""
    paris, lyon, reykjavik = engine.score(REQUESTS[:3]).total()

    assert paris > lyon > reykjavik


def test_the_embedded_tokenizer_adds_no_bos(engine: Engine) -> None:
    """A context stands as it is; an empty one becomes BOS (id 1), and the scored tokens are all of the text."""
    scores = engine.score([Request("", "Gold"), Request("<|im_start|>", "Gold")])
    gold = engine.tokenizer("Gold")["input_ids"]

    assert engine.tokenizer("")["input_ids"] == []
    assert engine.tokenizer.bos_token_id == 1
    assert [*gold, *gold] == scores.token.tolist()
    assert scores.total()[0] == scores.total()[1]
    assert scores.counters.unique_requests == 1


@pytest.mark.slow
@pytest.mark.data
def test_crows_pairs_are_as_published_in_our_notes(engine: Engine, benchmark_data: Path) -> None:
    """The first 200 pairs: the sentence that stereotypes more is likelier in 0.5700 of them, the mean difference 5.0843 nats."""
    with gzip.open(benchmark_data / "crows_pairs" / "crows_pairs_anonymized.csv.gz", "rt", encoding="utf-8") as stream:
        pairs = list(csv.DictReader(stream))[:200]

    scores = engine.score([Request("", pair[name]) for pair in pairs for name in ("sent_more", "sent_less")])

    more, less = scores.total().reshape(-1, 2).T
    assert (more > less).mean() == pytest.approx(0.57, abs=1e-9)
    assert np.abs(more - less).mean() == pytest.approx(5.0843, abs=2e-3)
    assert scores.counters.tokens_run <= 1.01 * scores.counters.unique_tokens
