"""Encoders: one vector per text, by mean pooling over its tokens, or as the folder of a sentence encoder says."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import NotApplicable
from workbench.models._adapt import Identity, absent, heard
from workbench.models._heads import give_padding, max_length
from workbench.models._states import Reading, States
from workbench.models.cache import Cache
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
        self._cache = Cache.at(opened.options.cache)
        give_padding(self.model, self.tokenizer)

    def __repr__(self) -> str:
        return f"Embedder({self.name!r}, {self.pooling} pooling, {self.info.dtype} on {self.info.device})"

    def __getattr__(self, name: str) -> Any:
        raise absent(self, name)

    def embed(
        self,
        texts: Sequence[str],
        *,
        layer: int = -1,
        pooling: str = "auto",
        vectors: str = "hidden",
        monitor: Monitor | None = None,
    ) -> Embeddings:
        """Return the vectors (n, d), float32; NaN where the person stopped. Texts longer than the model reads are cut.

        As it is called without options, this is the encoder's own vector: `pooling` over all its tokens, of length one if
        `normalised`. Of other layers "auto" pools alike; "mean", "last" and "first" are those of `workbench.models.verbs.Embeds`.
        """
        states = States(
            self.model,
            self.tokenizer,
            self.name,
            causal=False,
            max_length=self.max_length,
            token_budget=self._options.token_budget,
            own_pooling="all" if self.pooling == "mean" else "first",
            normalised=self.normalised,
        )
        reading = Reading(layer, pooling, vectors)
        return states.embed(texts, reading, cache=self._cache, fingerprint=self._identity.now(), monitor=heard(monitor))


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
