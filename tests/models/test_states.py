"""Vectors from a language model or an encoder equal those of a plain forward with all its hidden states."""

from typing import Any

import numpy as np
import pytest
import tiny
import torch
from transformers import AutoConfig, AutoModel, AutoModelForMaskedLM

from workbench.errors import DataError, UsageError
from workbench.models.load import load

TEXTS = ["Gold", "The quick brown fox jumps over the lazy dog.", "Paris is a capital", "é 日本", "Gold is an element"]


def encoder() -> Any:
    """Return a tiny random BERT."""
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4}
    config = AutoConfig.for_model("bert", vocab_size=416, initializer_range=0.3, max_position_embeddings=64, **sizes)
    return AutoModel.from_config(config).eval()


@torch.no_grad()
def plain(model: Any, tokens: Any, text: str, layer: int, pooling: str, *, cut: int | None = None) -> np.ndarray:
    """Return the vector of one text: all hidden states of the whole model, BOS before the text, pooled by hand."""
    ids = tokens(text, add_special_tokens=False)["input_ids"]
    ids = [1, *ids][:cut]
    states = model(torch.tensor([ids]), output_hidden_states=True).hidden_states[layer][0].numpy()
    if pooling == "mean":
        return np.asarray(states[1:].mean(axis=0))
    return np.asarray(states[-1 if pooling == "last" else 0])


@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma3", "mistral", "gpt_neox", "opt", "bloom", "mamba", "qwen3"])
def test_every_layer_of_a_causal_model_is_that_of_a_plain_forward(family: str) -> None:
    """Whatever the batch, each layer's mean of a text's own tokens equals that of the text alone, to 1e-5."""
    model, tokens = tiny.language_model(family), tiny.tokenizer()
    for layer in (0, 1, -2, -1):
        expected = np.stack([plain(model, tokens, text, layer, "mean") for text in TEXTS])
        for budget in (1, 200):
            made = load(model, tokenizer=tokens, cache=False, token_budget=budget).embed(TEXTS, layer=layer)
            np.testing.assert_allclose(made.vectors, expected, atol=1e-5 * max(1, np.abs(expected).max()))
            assert (np.float32, True) == (made.vectors.dtype, bool(made.done.all()))


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("adds_bos", [True, False])
@pytest.mark.parametrize("pooling", ["mean", "last", "first"])
def test_neither_padding_side_nor_bos_changes_a_vector(side: str, adds_bos: bool, pooling: str) -> None:
    """BOS is read once, whether the tokenizer adds it or not, and is no part of the mean; "auto" is the mean."""
    model, tokens = tiny.language_model("llama"), tiny.tokenizer(side=side, adds_bos=adds_bos)
    expected = np.stack([plain(model, tokens, text, 2, pooling) for text in TEXTS])
    asked = load(model, tokenizer=tokens, cache=False)

    np.testing.assert_allclose(asked.embed(TEXTS, layer=2, pooling=pooling).vectors, expected, atol=1e-5, rtol=1e-5)
    np.testing.assert_array_equal(asked.embed(TEXTS).vectors, asked.embed(TEXTS, layer=3, pooling="mean").vectors)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(
    ("pooling", "chosen"), [("mean", slice(1, None)), ("last", -1), ("first", 0), ("auto", slice(None))]
)
def test_layers_of_an_encoder_are_those_of_a_plain_forward(side: str, pooling: str, chosen: Any) -> None:
    """The mean leaves out special tokens, "auto" is the encoder's own, over all tokens; the mask keeps padding out."""
    model, tokens = encoder(), tiny.tokenizer(adds_bos=True, side=side)
    for layer in (0, 2, -1):
        expected = []
        for text in TEXTS:
            with torch.no_grad():
                states = model(**tokens(text, return_tensors="pt"), output_hidden_states=True).hidden_states[layer][0]
            picked = states[chosen].numpy()
            expected.append(picked.mean(axis=0) if picked.ndim == 2 else picked)
        for budget in (1, 200):
            made = load(model, tokenizer=tokens, cache=False, token_budget=budget)
            vectors = made.embed(TEXTS, layer=layer, pooling=pooling).vectors
            np.testing.assert_allclose(vectors, np.stack(expected), atol=1e-5, rtol=1e-5)


def test_a_masked_model_embeds_with_the_states_of_its_encoder() -> None:
    """Any layer, and the input embeddings, as they are under the head that fills."""
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    model = AutoModelForMaskedLM.from_config(
        AutoConfig.for_model("bert", vocab_size=416, initializer_range=0.3, **sizes)
    )
    tokens = tiny.tokenizer(adds_bos=True)
    asked = load(model.eval(), tokenizer=tokens, cache=False)
    for layer in (1, -1):
        with torch.no_grad():
            states = [
                model(**tokens(text, return_tensors="pt"), output_hidden_states=True).hidden_states[layer][0]
                for text in TEXTS
            ]
        expected = np.stack([part[1:].mean(dim=0).numpy() for part in states])
        np.testing.assert_allclose(
            asked.embed(TEXTS, layer=layer, pooling="mean").vectors, expected, atol=1e-5, rtol=1e-5
        )
    row = model.get_input_embeddings().weight[tokens(" dog", add_special_tokens=False)["input_ids"]].mean(dim=0)
    np.testing.assert_allclose(asked.embed(["dog"], vectors="static").vectors[0], row.detach().numpy(), atol=1e-6)


def test_static_vectors_are_rows_of_the_embedding_matrix() -> None:
    """The mean over a word's tokens as it stands after a space, without BOS; nothing for a text without tokens."""
    model, tokens = tiny.language_model("llama"), tiny.tokenizer(adds_bos=True)
    matrix = model.get_input_embeddings().weight.detach().numpy()
    made = load(model, tokenizer=tokens, cache=False).embed(["dog", "Gold is", ""], vectors="static", layer=1)
    dog = tokens(" dog", add_special_tokens=False)["input_ids"]
    gold = [tokens(text, add_special_tokens=False)["input_ids"] for text in (" Gold is", "Gold is")]

    np.testing.assert_allclose(made.vectors[0], matrix[dog].mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(made.vectors[1], matrix[min(gold, key=len)].mean(axis=0), atol=1e-6)
    assert np.isnan(made.vectors[2]).all()
    assert made.done.all()


def test_static_vectors_have_the_size_of_their_matrix() -> None:
    """OPT's embeddings are smaller than its states."""
    made = load(tiny.language_model("opt"), tokenizer=tiny.tokenizer(), cache=False)

    assert (2, 16) == made.embed(["dog", "fox"], vectors="static").vectors.shape
    assert (2, 32) == made.embed(["dog", "fox"], layer=1).vectors.shape
    assert (0, 32) == made.embed([]).vectors.shape


def test_long_texts_are_cut_at_their_end_and_counted() -> None:
    """The vector is that of the beginning; an encoder keeps its special tokens."""
    long = "gold is an element " * 40
    model, tokens = tiny.language_model("llama"), tiny.tokenizer()
    made = load(model, tokenizer=tokens, cache=False, max_length=20).embed([long, "Gold"])
    whole = len(tokens(long, add_special_tokens=False)["input_ids"]) + 1

    np.testing.assert_allclose(made.vectors[0], plain(model, tokens, long, -1, "mean", cut=20), atol=1e-5, rtol=1e-5)
    assert [whole - 20, 0] == made.truncated.tolist()
    bert = load(encoder(), tokenizer=tiny.tokenizer(adds_bos=True), cache=False)
    assert [whole - 64, 0] == bert.embed([long, "Gold"]).truncated.tolist()


def test_a_text_of_special_tokens_alone_has_their_vector() -> None:
    """An empty text is its BOS, since a mean of nothing is none."""
    model, tokens = tiny.language_model("llama"), tiny.tokenizer()
    made = load(model, tokenizer=tokens, cache=False).embed([""])

    np.testing.assert_allclose(made.vectors[0], plain(model, tokens, "", -1, "first"), atol=1e-5, rtol=1e-5)


def test_layers_have_vectors_of_their_own_in_the_cache(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read is kept by layer, pooling and kind; the same call again runs nothing."""
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    model, tokens = tiny.language_model("llama"), tiny.tokenizer()
    asked = load(model, tokenizer=tokens)
    kinds = [{}, {"layer": 1}, {"layer": 1, "pooling": "last"}, {"vectors": "static"}]
    first = [asked.embed(TEXTS, **kind).vectors for kind in kinds]
    again = load(model, tokenizer=tokens)
    monkeypatch.setattr(type(model.base_model), "forward", lambda *_, **__: pytest.fail("computed"))
    second = [again.embed(TEXTS, **kind).vectors for kind in kinds]

    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
    assert len({vectors.tobytes() for vectors in first}) == 4


def test_wrong_options_say_what_there_is() -> None:
    """A layer beyond the last, an unknown pooling, and a bare text."""
    model = load(tiny.language_model("llama"), tokenizer=tiny.tokenizer(), cache=False)

    with pytest.raises(UsageError, match=r"layers 0 \(embeddings\) to 3, or -1 \(last\) to -4; layer is 4"):
        model.embed(TEXTS, layer=4)
    with pytest.raises(UsageError, match="Did you mean 'mean'"):
        model.embed(TEXTS, pooling="meen")
    with pytest.raises(UsageError, match="Known: hidden, static"):
        model.embed(TEXTS, vectors="glove")
    with pytest.raises(DataError, match="Put it in a list"):
        model.embed("Gold")


@pytest.mark.model
def test_the_embedded_models_vectors_are_those_of_a_plain_forward(embedded_model: Any) -> None:
    """SmolLM2, a middle layer and the last, BOS before the text."""
    texts = ["Amy is a person.", "executive"]
    tokens, model = embedded_model.tokenizer, embedded_model.model
    for layer in (15, -1):
        made = embedded_model.embed(texts, layer=layer).vectors
        for text, vector in zip(texts, made, strict=True):
            np.testing.assert_allclose(vector, plain(model, tokens, text, layer, "mean"), rtol=1e-3, atol=2e-3)
