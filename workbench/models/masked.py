"""Masked language models: the probability of a token where it is masked, for many tokens of many texts in one queue.

Every position that is asked is a copy of its sequence with that one token masked. All copies are sorted by length and run in
batches of similar length; the vocabulary is projected at the masked position alone where the architecture lets us, see
`_masked_forward`.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import DataError, ModelError, NotApplicable
from workbench.models._adapt import Identity, Store, absent, batches, heard, run_batches, settings_of
from workbench.models._heads import give_padding, max_length
from workbench.models._masked_forward import Copy, MaskedForward
from workbench.models.cache import Cache
from workbench.models.classifiers import BUDGET_ELSEWHERE
from workbench.models.embedders import Embedder
from workbench.models.verbs import Blanks, Counters, Embeddings, Fillings, ModelInfo, Monitor

if TYPE_CHECKING:
    from workbench.models._open import Opened

__all__ = ["MaskedModel"]

BUDGET = {"cpu": 1024}  # tokens of a batch, with padding
PROBE = "The quick brown fox jumps over the lazy dog."


class MaskedModel:
    """A masked language model of transformers: fills, and embeds by the mean over its last hidden states.

    Attributes: model, tokenizer (transformers' own), name, mask and mask_id, max_length.
    """

    def __init__(self, opened: "Opened") -> None:
        self.model, self.tokenizer, self._info = opened.model, opened.tokenizer, opened.info
        self.name, self._opened = opened.info.name, opened
        mask = getattr(self.tokenizer, "mask_token_id", None)
        self.mask_id = None if mask is None else int(mask)
        self.mask = str(getattr(self.tokenizer, "mask_token", None) or "")
        self.verbs = frozenset({"embed"} if self.mask_id is None else {"fill", "embed"})
        self.max_length = max_length(self.model, self.tokenizer, opened.options.max_length)
        self._identity = Identity(self.model, opened.fingerprint)
        self._cache = Cache.at(opened.options.cache)
        give_padding(self.model, self.tokenizer)

    def __repr__(self) -> str:
        return (
            f"MaskedModel({self.name!r}, {self.info.parameters:,} parameters, {self.info.dtype} on {self.info.device})"
        )

    def __getattr__(self, name: str) -> Any:
        raise absent(self, name)

    @property
    def info(self) -> ModelInfo:
        """What the run record keeps; how the model is run is among its notes once it was asked."""
        notes = ("its tokenizer has no mask token, so it cannot fill",) if self.mask_id is None else ()
        forward = self.__dict__.get("_forward")
        return replace(self._info, notes=(*self._info.notes, *notes, *(forward.notes if forward else ())))

    @cached_property
    def uncased(self) -> bool:
        """Whether the model reads lower case only: its tokenizer ignores case, or it is an ALBERT, whose training did."""
        upper, lower = self.encode(["The Quick BROWN", "the quick brown"])
        return upper == lower or self.model.config.model_type == "albert"

    def encode(self, texts: Sequence[str], *, special: bool = True) -> list[tuple[int, ...]]:
        """Return the token ids of each text, with the special tokens around it or without them; nothing is cut."""
        if not texts:
            return []
        made = self.tokenizer(list(texts), add_special_tokens=special, truncation=False, verbose=False)["input_ids"]
        return [tuple(ids) for ids in made]

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of token ids."""
        return str(self.tokenizer.decode(list(ids)))

    def embed(
        self,
        texts: Sequence[str],
        *,
        layer: int = -1,
        pooling: str = "auto",
        vectors: str = "hidden",
        monitor: Monitor | None = None,
    ) -> Embeddings:
        """Return the vectors of texts (n, d), as the encoder alone gives them."""
        return self._embedder.embed(texts, layer=layer, pooling=pooling, vectors=vectors, monitor=monitor)

    def fill(self, blanks: Sequence[Blanks], *, monitor: Monitor | None = None) -> Fillings:
        """Return log p (nats) of the true token at each position of each sequence, that position alone masked.

        The softmax is over the whole vocabulary, in float32. Equal copies are run once. Sequences that are not done, since the
        person stopped the run, have no numbers; the same call again runs only what is missing. A sequence longer than the
        model reads raises DataError before anything is run.
        """
        if self.mask_id is None:
            raise NotApplicable(f"The tokenizer of {self.name} has no mask token, so nothing can be masked and filled.")
        self._check(blanks)
        where: defaultdict[Copy, list[int]] = defaultdict(list)
        for i, (ids, positions) in enumerate(blanks):
            for position in positions:
                where[Copy(tuple(ids), position)].append(i)
        known: dict[Copy, float] = {}
        copies, hears = list(where), heard(monitor)
        counters = Counters(requests=len(blanks), unique_requests=len(copies))
        left = [len(positions) for _, positions in blanks]

        def so_far() -> Fillings:
            return _fillings(blanks, dict(known), counters)

        def take(answers: dict[Copy, float], **facts: Any) -> None:
            known.update(answers)
            owners = [i for copy in answers for i in where[copy]]
            for i in owners:
                left[i] -= 1
            hears.advance(len({i for i in owners if not left[i]}), answers=so_far, **facts)

        try:
            hears.start(len(blanks), "texts")
            hears.advance(sum(not positions for _, positions in blanks), answers=so_far)
            self._answer(copies, take, counters, hears)
        except KeyboardInterrupt:
            pass
        finally:
            hears.finish()
        return so_far()

    def _answer(self, copies: list[Copy], take: Any, counters: Counters, hears: Monitor) -> None:
        """Take from the cache what is there, run the rest."""
        self.model.eval()
        placed = f"{self.info.dtype} {self.model.device.type} {self.mask_id}"
        store = Store(self._cache, self._identity.now(), "fill", settings_of(self.model), placed)
        found = store.find([copy.key for copy in copies])
        if found:
            counters.cached = len(found)
            take({copies[i]: float(np.frombuffer(value, "<f8")[0]) for i, value in found.items()}, cached=len(found))
        waiting = [copy for i, copy in enumerate(copies) if i not in found]

        def run(batch: list[int]) -> None:
            some = [waiting[i] for i in batch]
            made = self._forward.run(some)
            if np.isnan(made).any():
                raise ModelError(f"{self.name} gave NaN in {self.info.dtype}. Load it with dtype='float32'.")
            counters.batches += 1
            counters.tokens_run += sum(len(copy.ids) for copy in some)
            counters.tokens_padded += sum(len(some[0].ids) - len(copy.ids) for copy in some)
            counters.head_positions += self._forward.head_positions(some)
            answers = dict(zip(some, made.tolist(), strict=True))
            store.keep({copy.key: np.array([value], "<f8").tobytes() for copy, value in answers.items()})
            take(answers)

        if waiting and not hears.stopped:
            budget = self._opened.options.token_budget or BUDGET.get(self.model.device.type, BUDGET_ELSEWHERE)
            cut = batches([len(copy.ids) for copy in waiting], budget, self._forward.most)
            if not self._forward.way.padding:
                cut = [part for batch in cut for part in _of_one_length(batch, waiting)]
            run_batches(cut, run, hears)

    @cached_property
    def _forward(self) -> MaskedForward:
        probe = self.encode([PROBE])[0]
        return MaskedForward(self.model, self.mask_id or 0, int(self.tokenizer.pad_token_id or 0), probe)

    @cached_property
    def _embedder(self) -> Embedder:
        return Embedder(replace(self._opened, model=self.model.base_model))

    def _check(self, blanks: Sequence[Blanks]) -> None:
        for i, (ids, positions) in enumerate(blanks):
            if self.max_length is not None and len(ids) > self.max_length:
                raise DataError(
                    f"Sequence {i} has {len(ids)} tokens; {self.name} reads at most {self.max_length}. Shorten or leave it out."
                )
            wrong = [position for position in positions if not 0 <= position < len(ids)]
            if wrong:
                raise DataError(f"Sequence {i} has {len(ids)} tokens, counted from 0; position {wrong[0]} is not one.")


def _of_one_length(batch: list[int], copies: Sequence[Copy]) -> list[list[int]]:
    """Return the parts of a batch in which all copies have one length."""
    parts: defaultdict[int, list[int]] = defaultdict(list)
    for i in batch:
        parts[len(copies[i].ids)].append(i)
    return list(parts.values())


def _fillings(blanks: Sequence[Blanks], known: dict[Copy, float], counters: Counters) -> Fillings:
    """Return everything in the caller's order."""
    done, sizes, logp = [], [], []
    for ids, positions in blanks:
        values = [known.get(Copy(tuple(ids), position)) for position in positions]
        finished = None not in values
        done.append(finished)
        sizes.append(len(values) if finished else 0)
        logp += values if finished else []
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return Fillings(offsets, np.array(logp, dtype=np.float64), np.array(done, dtype=bool), counters)
