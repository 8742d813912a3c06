"""The real MiniLM gives the vectors that its authors define."""

import minilm
import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

pytestmark = [pytest.mark.model, pytest.mark.data]


def test_vectors_are_what_sentence_transformers_defines() -> None:
    """Mean over the attention mask, length one, at most 256 tokens: a plain forward of each text alone gives the same."""
    folder = minilm.model_folder()
    texts = [*minilm.clinc()["test"].texts[::150], *minilm.banking().texts[::200], "word " * 600, "é 日本", "?"]
    tokens, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    expected = []
    for text in texts:
        with torch.no_grad():
            inputs = tokens(text, truncation=True, max_length=256, return_tensors="pt")
            states, mask = model(**inputs).last_hidden_state[0], inputs["attention_mask"][0][:, None]
        mean = (states * mask).sum(0) / mask.sum()
        expected.append((mean / mean.norm()).numpy())

    made = minilm.encoder().embed(texts)
    assert made.truncated is not None
    assert [len(texts) - 3] == np.flatnonzero(made.truncated).tolist()
    np.testing.assert_allclose(made.vectors, np.stack(expected), atol=2e-6)


def test_the_sets_are_whole() -> None:
    """The full CLINC150 has 150 intents and 25,700 utterances in scope and out of it; BANKING77's test set 3,080."""
    sizes = {split: len(given.texts) for split, given in minilm.clinc().items()}
    assert {"train": 15000, "val": 3000, "test": 4500, "oos_train": 100, "oos_val": 100, "oos_test": 1000} == sizes
    assert (150, 3080, 77) == (
        len(set(minilm.clinc()["train"].intents)),
        len(minilm.banking().texts),
        len(set(minilm.banking().intents)),
    )
