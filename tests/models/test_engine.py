"""The engine's numbers are those of the plain model, whatever the batch, the order and the padding."""

import numpy as np
import pytest
import tiny
import torch

from workbench.errors import DataError, ModelError
from workbench.models.engine import Engine
from workbench.models.requests import Piece
from workbench.models.verbs import Request


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_numbers_equal_a_plain_forward_with_a_float64_softmax(family: str) -> None:
    """Log p, top log p, mean and variance agree to 1e-4 for every family, also beyond a sliding window; rank exactly."""
    model, tokens = tiny.language_model(family), tiny.tokenizer()
    engine = Engine(model, tokens, device="cpu")

    scores = engine.score(tiny.REQUESTS)

    assert scores.done.all()
    for i, request in enumerate(tiny.REQUESTS):
        ids, n_context = tiny.pair(tokens, request)
        expected = tiny.plain(model, ids, n_context)
        assert ids[n_context:] == scores.token[scores.offsets[i] : scores.offsets[i + 1]].tolist()
        np.testing.assert_allclose(tiny.answers(scores, i), expected, atol=1e-4)
    assert engine.path == "head"
    chains = family in {"bloom", "mamba"}  # ALiBi counts along the row, and a recurrent model reads all of it
    assert engine.trees == ("none" if chains else "kept")
    assert len(engine.notes) == chains


def test_a_window_that_is_ignored_would_be_seen() -> None:
    """The prompts above are longer than the window, and without it the numbers differ: the comparison can fail."""
    ids, n_context = tiny.pair(tiny.tokenizer(), tiny.REQUESTS[0])
    for family in ("gemma3", "mistral"):
        windowed, wide = tiny.language_model(family), tiny.language_model(family, sliding_window=200)

        assert np.abs(tiny.plain(windowed, ids, n_context) - tiny.plain(wide, ids, n_context))[0].max() > 1e-2


@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma3", "opt"])
def test_batch_size_does_not_change_the_numbers(family: str) -> None:
    """A token a row, three rows and one agree to 1e-4."""
    model, tokens = tiny.language_model(family), tiny.tokenizer()
    alone, four, all_ = (Engine(model, tokens, device="cpu", token_budget=n) for n in (1, 40, 10_000))

    one = alone.score(tiny.REQUESTS)
    some = four.score(tiny.REQUESTS)
    every = all_.score(tiny.REQUESTS)

    assert one.counters.tokens_padded == 0
    assert one.counters.batches > some.counters.batches > every.counters.batches == 1
    for other in (some, every):
        np.testing.assert_allclose(other.logp, one.logp, atol=1e-4)
        np.testing.assert_allclose(other.var_logp, one.var_logp, atol=1e-4)


def test_order_of_requests_does_not_matter() -> None:
    """A shuffled call gives each request the same numbers in the shuffled order."""
    engine = Engine(tiny.language_model(), tiny.tokenizer(), device="cpu", token_budget=64)
    order = np.random.default_rng(3).permutation(len(tiny.REQUESTS))

    scores = engine.score(tiny.REQUESTS)
    shuffled = engine.score([tiny.REQUESTS[i] for i in order])

    np.testing.assert_allclose(shuffled.total(), scores.total()[order], atol=1e-4)
    for place, i in enumerate(order):
        np.testing.assert_allclose(tiny.answers(shuffled, place), tiny.answers(scores, i), atol=1e-4)


@pytest.mark.parametrize(("side", "pad"), [("left", True), ("right", True), ("right", False)])
def test_the_tokenizers_padding_does_not_matter(side: str, pad: bool) -> None:
    """Left, right and no pad token give the numbers of single rows."""
    model = tiny.language_model("bloom")  # one that reads chains, which are padded
    tokens = tiny.tokenizer(side=side, pad=pad)
    assert (tokens.pad_token is None) == (not pad)

    scores = Engine(model, tokens, device="cpu").score(tiny.REQUESTS)
    alone = Engine(model, tiny.tokenizer(), device="cpu", token_budget=1).score(tiny.REQUESTS)

    assert scores.counters.tokens_padded > 0
    np.testing.assert_allclose(scores.logp, alone.logp, atol=1e-4)


def test_answer_letters_share_one_forward() -> None:
    """Single-token continuations of one context run its tokens once and ask the head once."""
    tokens = tiny.tokenizer()
    engine = Engine(tiny.language_model(), tokens, device="cpu")
    context = "Question: What is gold? A, B, C or D?\nAnswer:"
    letters = [Request(context, f" {letter}") for letter in "ABCD"]
    size = len(tokens(context)["input_ids"])
    assert [len(tokens(f" {letter}")["input_ids"]) for letter in "ABCD"] == [2, 2, 2, 2]

    scores = engine.score([Request(context, letter) for letter in ("A", "B", "C", "D", "A")])
    pairs = engine.score(letters)

    assert size == scores.counters.tokens_run
    assert scores.counters.head_positions == 1
    assert (scores.counters.requests, scores.counters.unique_requests) == (5, 4)
    assert size + 1 == pairs.counters.tokens_run
    assert pairs.counters.head_positions == 2
    assert scores.logp[0] == scores.logp[4]


def test_a_sequence_that_begins_another_shares_its_row() -> None:
    """A short continuation is read from the row of the longer one, and its numbers stay."""
    tokens, model = tiny.tokenizer(), tiny.language_model()
    engine = Engine(model, tokens, device="cpu")
    short, long = Request("The quick", " brown"), Request("The quick", " brown fox jumps")

    both = engine.score([short, long])

    assert engine.score([long]).counters.tokens_run == both.counters.tokens_run
    for i, request in enumerate((short, long)):
        np.testing.assert_allclose(tiny.answers(both, i), tiny.plain(model, *tiny.pair(tokens, request)), atol=1e-4)


def test_total_is_the_sum_of_log_p() -> None:
    """The log-likelihood of a continuation adds its tokens."""
    scores = Engine(tiny.language_model(), tiny.tokenizer(), device="cpu").score(tiny.REQUESTS)

    sums = [scores.logp[a:b].sum() for a, b in zip(scores.offsets, scores.offsets[1:], strict=False)]

    np.testing.assert_allclose(scores.total(), sums)


def test_no_requests_give_an_empty_result() -> None:
    """Nothing to do is not an error."""
    scores = Engine(tiny.language_model(), tiny.tokenizer(), device="cpu").score([])

    assert (len(scores.done), len(scores.logp), scores.offsets.tolist()) == (0, 0, [0])


@pytest.mark.parametrize("shift", [-1, 0, 1])
def test_truncation_begins_one_token_past_the_models_length(shift: int) -> None:
    """Inputs of max_length - 1 and max_length tokens are untouched; one more drops the first context token after BOS."""
    tokens = tiny.tokenizer(adds_bos=True)
    model = tiny.language_model()
    request = tiny.REQUESTS[0]
    ids, n_context = tiny.pair(tokens, request)
    engine = Engine(model, tokens, device="cpu")
    engine.max_length = len(ids) - 1 - shift

    scores = engine.score([request])

    dropped = max(shift, 0)
    expected = tiny.plain(model, [*ids[:1], *ids[1 + dropped :]], n_context - dropped)
    assert scores.truncated.tolist() == [dropped]
    np.testing.assert_allclose(tiny.answers(scores, 0), expected, atol=1e-4)
    assert (np.abs(expected - tiny.plain(model, ids, n_context)).max() > 1e-3) == (shift > 0)


def test_a_long_continuation_is_read_in_windows() -> None:
    """Each token is scored once, with at least half a window before it, and a note says so."""
    tokens, model = tiny.tokenizer(adds_bos=True), tiny.language_model()
    request = Request("", "The quick brown fox jumps over the lazy dog, and the dog does not mind at all. " * 3)
    ids, _ = tiny.pair(tokens, request)
    engine = Engine(model, tokens, device="cpu")
    engine.max_length = 21

    scores = engine.score([request])

    assert ids[1:] == scores.token.tolist()
    first = tiny.plain(model, ids[:22], 1)
    np.testing.assert_allclose(tiny.answers(scores, 0)[:, :21], first, atol=1e-4)
    last = tiny.plain(model, [1, *ids[-21:]], 21)
    np.testing.assert_allclose(tiny.answers(scores, 0)[:, -1:], last, atol=1e-4)
    assert any("windows" in note for note in engine.notes)


def test_the_models_length_comes_from_its_config() -> None:
    """GPT-2 and Llama name it differently; a model that names none has no limit."""
    families = {"llama": {}, "gpt2": {}, "mamba": {"max_position_embeddings": None}}
    lengths = [
        Engine(tiny.language_model(family, **changes), tiny.tokenizer(), device="cpu").max_length
        for family, changes in families.items()
    ]

    assert lengths == [256, 256, None]


def test_an_empty_continuation_is_refused_by_its_number() -> None:
    """The error names the request, and nothing was run."""
    engine = Engine(tiny.language_model(), tiny.tokenizer(), device="cpu")

    with pytest.raises(DataError, match=r"Request 1 has an empty continuation.*'The quick'"):
        engine.score([tiny.REQUESTS[0], Request("The quick", "")])


def test_boundary_merges_are_flagged() -> None:
    """A continuation that merges with the context's last token is scored, and said to be merged."""
    tokens = tiny.tokenizer()
    whole = tokens(" Paris")["input_ids"]
    assert len(whole) == 1

    scores = Engine(tiny.language_model(), tokens, device="cpu").score(
        [Request("is Pa", "ris"), Request("is", " Paris")]
    )

    assert scores.boundary_merge.tolist() == [True, False]
    assert scores.token[0] == whole[0]


def test_a_model_that_looks_ahead_is_refused() -> None:
    """Log-likelihoods cannot be read from a bidirectional model."""
    model = tiny.language_model("llama")
    for layer in model.model.layers:
        layer.self_attn.is_causal = False
    inner = model.model.forward
    model.model.forward = lambda input_ids, **options: inner(
        input_ids,
        **options | {"attention_mask": torch.zeros(len(input_ids), 1, input_ids.shape[1], input_ids.shape[1])},
    )

    with pytest.raises(ModelError, match="not causal"):
        Engine(model, tiny.tokenizer(), device="cpu")


def test_a_training_model_is_set_to_evaluation() -> None:
    """Dropout would make the numbers random, also where somebody turns training on later."""
    model = tiny.language_model("gpt2", resid_pdrop=0.5).train()
    engine = Engine(model, tiny.tokenizer(), device="cpu")
    expected = engine.score(tiny.REQUESTS).logp
    model.train()

    np.testing.assert_allclose(engine.score(tiny.REQUESTS).logp, expected, atol=1e-5)


def test_one_token_sequences_get_the_prefix() -> None:
    """A single token without context is predicted from BOS alone."""
    tokens, model = tiny.tokenizer(), tiny.language_model()

    scores = Engine(model, tokens, device="cpu").score([Request("", "A")])

    assert scores.counters.tokens_run == 1
    np.testing.assert_allclose(tiny.answers(scores, 0), tiny.plain(model, [1, *tokens("A")["input_ids"]], 1), atol=1e-4)


def test_a_piece_is_a_plain_value() -> None:
    """Pieces of equal ids and context are one piece, whatever made them."""
    assert Piece((1, 2, 3), 1) == Piece((1, 2, 3), 1) != Piece((1, 2, 3), 2)
