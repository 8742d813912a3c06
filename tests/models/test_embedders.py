"""An encoder gives the pooled states of a plain forward, in any batch."""

import json
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from transformers import AutoConfig, AutoModel

from workbench.errors import NotApplicable
from workbench.models.load import load

TEXTS = ["Gold", "The quick brown fox jumps over the lazy dog.", "Paris is a capital", "", "é 日本"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a tiny BERT encoder."""
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = AutoConfig.for_model("bert", vocab_size=416, initializer_range=0.3, max_position_embeddings=64, **sizes)
    AutoModel.from_config(config).save_pretrained(tmp_path / "encoder")
    tiny.tokenizer(adds_bos=True).save_pretrained(tmp_path / "encoder")
    return tmp_path / "encoder"


def plain(folder: Path) -> list[np.ndarray]:
    """Return the states of each text alone."""
    model, tokens = AutoModel.from_pretrained(folder).eval(), tiny.tokenizer(adds_bos=True)
    with torch.no_grad():
        return [model(**tokens(text, return_tensors="pt")).last_hidden_state[0].numpy() for text in TEXTS]


def test_the_mean_leaves_out_padding(folder: Path) -> None:
    """In batches of one and of all, the vectors are the means of each text's own tokens."""
    expected = np.stack([states.mean(0) for states in plain(folder)])

    for budget in (1, 500):
        made = load(folder, cache=False, token_budget=budget).embed(TEXTS)
        np.testing.assert_allclose(made.vectors, expected, atol=1e-5)
        assert (np.float32, True) == (made.vectors.dtype, bool(made.done.all()))


def test_a_sentence_encoders_folder_says_how_to_pool(folder: Path) -> None:
    """The first token, with length one, where modules.json and 1_Pooling say so; what we cannot do is refused."""
    modules = [{"type": f"sentence_transformers.models.{name}"} for name in ("Transformer", "Pooling", "Normalize")]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling").mkdir()
    pooling = folder / "1_Pooling" / "config.json"
    pooling.write_text(json.dumps({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}))
    firsts = np.stack([states[0] for states in plain(folder)])

    model = load(folder, cache=False)
    assert ("cls", frozenset({"embed"})) == (model.pooling, model.verbs)
    np.testing.assert_allclose(
        model.embed(TEXTS).vectors, firsts / np.linalg.norm(firsts, axis=1, keepdims=True), atol=1e-5
    )
    pooling.write_text(json.dumps({"pooling_mode_lasttoken": True}))
    with pytest.raises(NotApplicable, match="pools by pooling_mode_lasttoken"):
        load(folder)


def test_vectors_are_kept_on_disk(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same texts again run nothing; equal texts share a vector."""
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    first = load(folder).embed([*TEXTS, TEXTS[0]])
    again = load(folder)
    again.model.forward = lambda **inputs: pytest.fail("computed")

    np.testing.assert_array_equal(first.vectors[:5], again.embed(TEXTS).vectors)
    np.testing.assert_allclose(first.vectors[0], first.vectors[5], atol=1e-5)
