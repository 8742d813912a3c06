"""Encoders: one vector per text, by mean pooling over its tokens, or as the folder of a sentence encoder says."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from workbench.errors import ModelError, NotApplicable
from workbench.models._adapt import Identity, Store, absent, batches, heard, run_batches, settings_of
from workbench.models._features import texts_of
from workbench.models._heads import give_padding, max_length
from workbench.models._weights import tokenizer_hash
from workbench.models.cache import Cache
from workbench.models.classifiers import BUDGET, BUDGET_ELSEWHERE
from workbench.models.verbs import Embeddings, Monitor

if TYPE_CHECKING:
    from workbench.models._open import Opened

__all__ = ["Embedder"]


class Embedder:
    """An encoder of transformers.

    `pooling` is "mean" (over the tokens that are not padding, in float32) or "cls" (the first token), as the folder's
    1_Pooling/config.json says, "mean" without one; `normalised` is True where modules.json has a Normalize module.
    """

    verbs = frozenset({"embed"})

    def __init__(self, opened: "Opened") -> None:
        self.model, self.tokenizer, self.info = opened.model, opened.tokenizer, opened.info
        self.name, self._options = opened.info.name, opened.options
        self.pooling, self.normalised, limit = _layout(opened.folder)
        asked = [each for each in (opened.options.max_length, limit) if each is not None]
        self.max_length = max_length(self.model, self.tokenizer, min(asked, default=None))
        self._identity = Identity(self.model, opened.fingerprint)
        self._cache = Cache() if opened.options.cache else None
        give_padding(self.model, self.tokenizer)

    def __repr__(self) -> str:
        return f"Embedder({self.name!r}, {self.pooling} pooling, {self.info.dtype} on {self.info.device})"

    def __getattr__(self, name: str) -> Any:
        raise absent(self, name)

    def embed(self, texts: Sequence[str], *, monitor: Monitor | None = None) -> Embeddings:
        """Return the vectors (n, d), float32; NaN where the person stopped. Texts longer than the model reads are cut."""
        firsts, _ = texts_of(texts)
        hears, n = heard(monitor), len(firsts)
        vectors = np.full((n, int(self.model.config.hidden_size)), np.nan, np.float32)
        done = np.zeros(n, dtype=bool)
        self.model.eval()
        placed = f"{self.info.dtype} {self.model.device.type} {self.max_length} {self.pooling} {self.normalised}"
        settings = f"{settings_of(self.model)} {placed}"
        store = Store(self._cache, self._identity.now(), "embed", settings, tokenizer_hash(self.tokenizer))

        def run(batch: list[int]) -> None:
            made = self._forward([firsts[i] for i in batch])
            if not np.isfinite(made).all():
                raise ModelError(f"{self.name} gave NaN in {self.info.dtype}. Load it with dtype='float32'.")
            vectors[batch], done[batch] = made, True
            store.keep({firsts[i]: vectors[i].tobytes() for i in batch})
            hears.advance(len(batch))

        try:
            hears.start(n, "texts")
            known = store.find(firsts)
            for i, value in known.items():
                vectors[i], done[i] = np.frombuffer(value, np.float32), True
            if known:
                hears.advance(len(known), cached=len(known))
            left = [i for i in range(n) if not done[i]]
            ids = self.tokenizer([firsts[i] for i in left], verbose=False)["input_ids"] if left else []
            budget = self._options.token_budget or BUDGET.get(self.model.device.type, BUDGET_ELSEWHERE)
            cut = batches([min(len(each), self.max_length or len(each)) for each in ids], budget)
            run_batches([[left[i] for i in batch] for batch in cut], run, hears)
        except KeyboardInterrupt:
            pass
        finally:
            hears.finish()
        return Embeddings(vectors, done)

    @torch.inference_mode()
    def _forward(self, texts: list[str]) -> Any:
        given = self.tokenizer(
            texts, padding=True, truncation=self.max_length is not None, max_length=self.max_length, return_tensors="pt"
        ).to(self.model.device)
        states = self.model(**given).last_hidden_state.float()
        mask = given["attention_mask"].float()[:, :, None]
        if self.pooling == "mean":
            pooled = (states * mask).sum(1) / mask.sum(1).clamp(min=1)
        else:
            first = given["attention_mask"].argmax(1)  # padding may stand on the left
            pooled = states[torch.arange(len(texts), device=states.device), first]
        return (torch.nn.functional.normalize(pooled, dim=1) if self.normalised else pooled).cpu().numpy()


def _layout(folder: Path | None) -> tuple[str, bool, int | None]:
    """Return pooling, whether vectors get length one, and the limit of tokens, as a sentence encoder's folder says."""
    if folder is None or not (folder / "modules.json").is_file():
        return "mean", False, None
    kinds = [
        str(module.get("type", "")).rsplit(".", 1)[-1] for module in json.loads((folder / "modules.json").read_text())
    ]
    strange = [kind for kind in kinds if kind not in {"Transformer", "Pooling", "Normalize"}]
    if strange:
        raise NotApplicable(
            f"{folder.name} has the module {strange[0]} after its encoder, which is not supported. Wrap it in a callable."
        )
    pooling, limit = "mean", None
    settings = folder / "1_Pooling" / "config.json"
    if settings.is_file():
        said = json.loads(settings.read_text())
        modes = [name for name in said if name.startswith("pooling_mode_") and said[name] is True]
        known = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}
        if len(modes) != 1 or modes[0] not in known:
            raise NotApplicable(
                f"{folder.name} pools by {', '.join(modes) or 'nothing known'}; mean and cls are supported."
            )
        pooling = known[modes[0]]
    lengths = folder / "sentence_bert_config.json"
    if lengths.is_file():
        limit = json.loads(lengths.read_text()).get("max_seq_length")
    return pooling, "Normalize" in kinds, limit
