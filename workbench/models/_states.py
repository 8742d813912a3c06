"""Vectors of texts, for every adapter of a transformers model: pooled hidden states of any layer, or its input embeddings.

Layers are counted as transformers counts `output_hidden_states`: 0 is what enters the first block, -1 what leaves the model (in
most models after a last normalisation). Rows are padded on the right whatever `tokenizer.padding_side` says.

A causal model reads its BOS token (EOS where it has none) before every text, also where its tokenizer adds none by itself: the
state of the first position is large and hardly depends on the text (attention sinks, Xiao et al. 2023, arXiv 2309.17453), so that
without it the vector of a single word would say next to nothing about the word.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from workbench.errors import ModelError, UsageError, unknown
from workbench.models._adapt import Store, batches, run_batches, settings_of
from workbench.models._call import Pool
from workbench.models._features import texts_of
from workbench.models._weights import tokenizer_hash
from workbench.models.cache import Cache
from workbench.models.engine import Engine
from workbench.models.requests import Piece, front_tokens, pooled, prefix_token
from workbench.models.verbs import Embeddings, Monitor, Readings, Request, Scores
from workbench.models.watched import turned, unanswered

__all__ = ["Reading", "States"]

POOLINGS = ("auto", "mean", "last", "first")
VECTORS = ("hidden", "static")
BUDGET = {"cpu": 1024}  # tokens of one batch, with padding; a CPU gains nothing from more
BUDGET_ELSEWHERE = 16_384


class Reading(NamedTuple):
    """What is read of a model.

    layer: which hidden states; 0 is the embeddings, -1 the last
    pooling: "mean" over the text's own tokens, without special ones; "last" of them; "first" position, special or not; "auto" is
        an encoder's own pooling, "mean" for a language model
    vectors: "hidden" states, or "static": rows of the input-embedding matrix, averaged over the text's tokens, whatever layer and
        pooling say
    """

    layer: int = -1
    pooling: str = "auto"
    vectors: str = "hidden"


class Tokens(NamedTuple):
    """A text as token ids, which of them are its own (not special), and how many were dropped at its end."""

    ids: tuple[int, ...]
    own: tuple[bool, ...]
    truncated: int = 0


@dataclass(frozen=True)
class States:
    """Reads vectors from a transformers model.

    `causal` says how texts are put into tokens, `padding` what is done where rows differ in length ("mask", "plain": no mask,
    "none": one text at a time), `own_pooling` and `normalised` what "auto" does at the last layer.
    """

    model: Any
    tokenizer: Any
    name: str
    causal: bool
    max_length: int | None
    padding: str = "mask"
    token_budget: int | None = None
    own_pooling: str = "mean"
    normalised: bool = False

    def embed(
        self, texts: Sequence[str], reading: Reading, *, cache: Cache | None, fingerprint: str, monitor: Monitor
    ) -> Embeddings:
        """Return one vector per text, `(n, d)` float32, in the order given; equal texts are read once.

        Rows of texts that were not reached, since the person stopped, are NaN and not done; a text without any token has a static
        vector of NaN. Texts longer than the model reads are cut at their end, and counted in `truncated`.

        Raises `UsageError` for a layer, pooling or kind of vectors that there is not, `ModelError` where the states are not finite.
        """
        layer, pooling, static = self._settle(reading)
        wanted, _ = texts_of(texts)
        unique = list(dict.fromkeys(wanted))
        place = {text: i for i, text in enumerate(unique)}
        self.model.eval()
        store = self._store(reading, cache, fingerprint)
        found: list[NDArray[np.float32] | None] = [None] * len(unique)
        tokens: list[Tokens] = []

        def so_far() -> Embeddings:
            return self._gathered([place[text] for text in wanted], list(found), tokens, static=static)

        def run(batch: list[int]) -> None:
            rows = [tokens[i] for i in batch]
            made = self._static(rows) if static else self._hidden(rows, layer, pooling)
            if not static and not np.isfinite(made).all():
                raise self._not_finite()
            if self._normalises(reading):
                made = made / np.linalg.norm(made, axis=1, keepdims=True).clip(1e-12)
            for i, vector in zip(batch, made, strict=True):
                found[i] = vector.astype(np.float32)
            store.keep({unique[i]: found[i].tobytes() for i in batch})  # type: ignore[union-attr]  # set just above
            monitor.advance(len(batch), answers=so_far)

        try:
            monitor.start(len(unique), "texts")
            tokens = self._static_tokens(unique) if static else self._tokens(unique)
            for i, value in store.find(unique).items():
                found[i] = np.frombuffer(value, np.float32)
            left = [i for i, vector in enumerate(found) if vector is None]
            if len(left) < len(unique):
                monitor.advance(len(unique) - len(left), cached=len(unique) - len(left), answers=so_far)
            budget = self.token_budget or BUDGET.get(self.model.device.type, BUDGET_ELSEWHERE)
            most = 1 if self.padding == "none" and not static else 256
            cut = batches([len(tokens[i].ids) for i in left], budget, most)
            run_batches([[left[i] for i in batch] for batch in cut], run, monitor)
        except KeyboardInterrupt:
            pass
        finally:
            monitor.finish()
        return so_far()

    def read(
        self,
        engine: Engine,
        texts: Sequence[str],
        reading: Reading,
        *,
        cache: Cache | None,
        fingerprint: str,
        monitor: Monitor,
    ) -> tuple[Scores, Embeddings]:
        """Return the scores of texts after BOS, and their vectors as `embed` gives them, from one pass of a causal model."""
        layer, pooling, static = self._settle(reading)
        if static or engine.path != "head" or reading.vectors != "hidden":
            vectors = self.embed(texts, reading, cache=cache, fingerprint=fingerprint, monitor=unanswered(monitor))
            both = turned(monitor, lambda made: Readings(made, vectors))
            return engine.score([Request("", text) for text in texts], monitor=both), vectors
        unique = list(dict.fromkeys(texts))
        tokens = self._tokens(unique)
        own = len(front_tokens(self.tokenizer) or (prefix_token(self.tokenizer),))
        pieces = [pooled(each.ids, pooling, own) for each in tokens]
        names: dict[Piece, list[str]] = {}
        for text, piece in zip(unique, pieces, strict=True):
            names.setdefault(piece, []).append(text)
        store = self._store(reading, cache, fingerprint)
        last = layer == int(self.model.config.get_text_config().num_hidden_layers)

        def keep(made: dict[Piece, NDArray[np.float64]]) -> None:
            """Write vectors as soon as they are there."""
            if not all(np.isfinite(vector).all() for vector in made.values()):
                raise self._not_finite()
            written = {piece: vector.astype(np.float32).tobytes() for piece, vector in made.items()}
            store.keep({text: written[piece] for piece in made for text in names[piece]})

        pool = Pool(pieces, None if last else layer, keep)
        for i, value in store.find(unique).items():
            pool.found[pieces[i]] = np.frombuffer(value, np.float32).astype(np.float64)
        place = {text: i for i, text in enumerate(unique)}

        def so_far() -> Embeddings:
            known = dict(pool.found)
            found = [known[piece].astype(np.float32) if piece in known else None for piece in pieces]
            return self._gathered([place[text] for text in texts], found, tokens, static=False)

        both = turned(monitor, lambda made: Readings(made, so_far()))
        scores = engine.score([Request("", text) for text in texts], monitor=both, pool=pool)
        return scores, so_far()

    def _not_finite(self) -> ModelError:
        dtype = next(self.model.parameters()).dtype
        return ModelError(f"{self.name} gave NaN in {dtype}. Load it with dtype='float32'.")

    def _store(self, reading: Reading, cache: Cache | None, fingerprint: str) -> Store:
        """Return where vectors of such a reading are kept."""
        layer, pooling, static = self._settle(reading)
        dtype = str(next(self.model.parameters()).dtype)
        said = f"{settings_of(self.model)} {dtype} {self.model.device.type} {self.max_length}"
        what = "static" if static else f"{layer} {pooling} {self.causal} {self._normalises(reading)}"
        return Store(cache, fingerprint, "vectors", said, what, tokenizer_hash(self.tokenizer))

    def _gathered(
        self, places: list[int], found: list[NDArray[np.float32] | None], tokens: list[Tokens], *, static: bool
    ) -> Embeddings:
        """Return the vectors in the caller's order."""
        sizes = (len(vector) for vector in found if vector is not None)
        size = next(sizes, self._matrix().shape[1] if static else int(self.model.config.get_text_config().hidden_size))
        blank = np.full(size, np.nan, np.float32)
        table = np.stack([*(blank if vector is None else vector for vector in found), blank])
        done = np.array([vector is not None for vector in found], dtype=bool)
        dropped = np.array([each.truncated for each in tokens] or [0] * len(found), dtype=np.int64)
        return Embeddings(table[places], done[places], dropped[places])

    def _settle(self, reading: Reading) -> tuple[int, str, bool]:
        """Return the layer counted from 0, the pooling, and whether static vectors are wanted."""
        layer, pooling, vectors = reading
        for what, value, known in (("pooling", pooling, POOLINGS), ("vectors", vectors, VECTORS)):
            if value not in known:
                raise unknown(f"value of {what}", value, known)
        layers = int(self.model.config.get_text_config().num_hidden_layers)
        if isinstance(layer, bool) or not isinstance(layer, int) or not -layers - 1 <= layer <= layers:
            raise UsageError(
                f"{self.name} has the layers 0 (embeddings) to {layers}, or -1 (last) to {-layers - 1}; layer is {layer!r}."
            )
        return layer % (layers + 1), self.own_pooling if pooling == "auto" else pooling, vectors == "static"

    def _normalises(self, reading: Reading) -> bool:
        layer, _, static = self._settle(reading)
        last = layer == int(self.model.config.get_text_config().num_hidden_layers)
        return self.normalised and reading.pooling == "auto" and last and not static

    # -- tokens --------------------------------------------------------------------------------------------------------

    def _tokens(self, texts: list[str]) -> list[Tokens]:
        """Return the tokens of each text as the model reads it."""
        if not texts:
            return []
        if not self.causal:
            return self._marked_tokens(texts)
        front = front_tokens(self.tokenizer) or (prefix_token(self.tokenizer),)
        made = []
        for ids in map(tuple, self.tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]):
            whole = ids if ids[: len(front)] == front else (*front, *ids)
            kept = whole[: self.max_length]
            made.append(Tokens(kept, tuple(i >= len(front) for i in range(len(kept))), len(whole) - len(kept)))
        return made

    def _marked_tokens(self, texts: list[str]) -> list[Tokens]:
        """Return the tokens with those that an encoder's tokenizer puts around them; a cut leaves them where they are."""
        plain = self.tokenizer(texts, return_special_tokens_mask=True, verbose=False)
        made = []
        for text, ids, special in zip(texts, plain["input_ids"], plain["special_tokens_mask"], strict=True):
            whole = len(ids)
            if self.max_length is not None and whole > self.max_length:
                cut = self.tokenizer(text, return_special_tokens_mask=True, truncation=True, max_length=self.max_length)
                ids, special = cut["input_ids"], cut["special_tokens_mask"]
            made.append(Tokens(tuple(ids), tuple(not mark for mark in special), whole - len(ids)))
        return made

    def _static_tokens(self, texts: list[str]) -> list[Tokens]:
        """Return the tokens of each text as it stands inside a sentence: after a space, where that takes no token of its own.

        Byte-level vocabularies have a word twice, at the beginning of a text and after a space; the second is the common one.
        """
        made = []
        for text in texts:
            alone, inside = (
                tuple(self.tokenizer(each, add_special_tokens=False, verbose=False)["input_ids"])
                for each in (text, f" {text}")
            )
            ids = inside if text and len(inside) <= len(alone) else alone
            made.append(Tokens(ids, (True,) * len(ids)))
        return made

    # -- vectors -------------------------------------------------------------------------------------------------------

    def _matrix(self) -> torch.Tensor:
        weight: torch.Tensor = self.model.get_input_embeddings().weight
        return weight

    @torch.inference_mode()
    def _static(self, rows: list[Tokens]) -> NDArray[np.float64]:
        """Return the mean row of the input-embedding matrix over each text's tokens, NaN where it has none."""
        matrix = self._matrix()
        blank = np.full(matrix.shape[1], np.nan)
        means = [matrix[list(row.ids)].double().mean(dim=0).cpu().numpy() if row.ids else blank for row in rows]
        return np.stack(means)

    @torch.inference_mode()
    def _hidden(self, rows: list[Tokens], layer: int, pooling: str) -> NDArray[np.float64]:
        """Return the pooled states of a layer, `(n, d)`."""
        longest = max(len(row.ids) for row in rows)
        pad = self.tokenizer.pad_token_id or 0
        device = self.model.device
        ids = torch.tensor([[*row.ids, *[pad] * (longest - len(row.ids))] for row in rows], device=device)
        inputs: dict[str, Any] = {"input_ids": ids}
        if self.padding == "mask":
            mask = [[1] * len(row.ids) + [0] * (longest - len(row.ids)) for row in rows]
            inputs["attention_mask"] = torch.tensor(mask, device=device)
        if self.causal:
            inputs["use_cache"] = False
        trunk = self.model.base_model  # without the head, whose logits nobody asked for
        last = layer == int(self.model.config.get_text_config().num_hidden_layers)
        out = trunk(**inputs) if last else trunk(**inputs, output_hidden_states=True)
        states = out.last_hidden_state if last else out.hidden_states[layer]
        weight = torch.tensor([_weights(row, pooling, longest) for row in rows], device=states.device)
        wanted = states.float().masked_fill(weight[:, :, None] == 0, 0.0)  # a state of padding may be NaN
        pooled: NDArray[np.float64] = torch.einsum("btd,bt->bd", wanted, weight).cpu().numpy()
        return pooled


def _weights(row: Tokens, pooling: str, longest: int) -> list[float]:
    """Return the weight of each position, summing to one; where no token is a text's own, all count as if they were."""
    n = len(row.ids)
    own = row.own if any(row.own) and pooling != "all" else (True,) * n
    if pooling == "first":
        chosen = [i == 0 for i in range(n)]
    elif pooling == "last":
        chosen = [i == max(k for k in range(n) if own[k]) for i in range(n)]
    else:
        chosen = list(own)
    return [each / sum(chosen) for each in chosen] + [0.0] * (longest - n)
