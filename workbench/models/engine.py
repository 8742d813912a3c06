"""Scores many requests with a causal language model: the numbers of `model(input_ids).logits`, for less work.

`requests` makes token ids, `_tree` (or `_plan`) rows and batches, `_forward` and `head` run them, `cache` remembers. The engine
plans what is not known yet, runs each token that sequences share once, collects states until they are worth a pass over the
vocabulary, writes answers as they are finished, and puts everything into the caller's order. It stops between batches when the
monitor asks, or at once on an interrupt, and returns what is done.
"""

import json
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from workbench.errors import OutOfMemory
from workbench.models import _budget
from workbench.models._call import Answer, Pending, Pool, Run
from workbench.models._forward import Forward, Found
from workbench.models._masks import Kept
from workbench.models._memory import is_out_of_memory, widened
from workbench.models._plan import Row, batches, plan
from workbench.models._tree import Tree
from workbench.models.cache import Cache, key
from workbench.models.requests import Piece, encode
from workbench.models.verbs import Monitor, Request, Scores, Silent

__all__ = ["Engine"]

HEAD = 256  # positions that are worth a pass over the vocabulary, for which its weights are read from memory
PATIENCE = 1.0  # seconds that finished states wait for more
WHOLE_LOGITS = 2**27  # logits in one forward where the model makes them all: 512 MiB in float32
PROBE = "The quick brown fox jumps over the lazy dog."


class Engine:
    """Scores requests with a transformers model and its tokenizer.

    Args:
        model: a causal language model, already on its device
        tokenizer: its tokenizer
        device: where inputs go
        cache: where answers are kept; None keeps none
        fingerprint: what tells these weights (and tokenizer) from all others; "" keeps no answers on disk
        token_budget: tokens in one forward, with padding, halved when memory runs out; None for 256 on a CPU, and on a GPU what
            half of its free memory holds by the use that two forwards show
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        *,
        device: str | torch.device,
        cache: Cache | None = None,
        fingerprint: str = "",
        token_budget: int | None = None,
    ) -> None:
        self.model, self.tokenizer, self.device = model.eval(), tokenizer, torch.device(device)
        self.cache = cache if fingerprint else None
        self.max_length = _max_length(model, tokenizer)
        self._lock = threading.RLock()  # one batch at a time: a view's thread may ask while a cell does
        self._notes: dict[str, None] = {}
        self._forward = Forward(model, self.device, _probe(model, tokenizer))
        self.token_budget = token_budget or _budget.token_budget(self._forward, longest=self.max_length)
        if self.path != "head":
            self.token_budget = min(
                self.token_budget, max(WHOLE_LOGITS // model.config.get_text_config().vocab_size, 1)
            )
        described = {
            k: v for k, v in model.config.to_dict().items() if k not in {"_name_or_path", "transformers_version"}
        }
        config = json.dumps(described, sort_keys=True, default=str)
        self._header = key("score", fingerprint, config, str(self._forward.dtype), self.device.type)

    @property
    def path(self) -> str:
        """How logits are read: "head", "logits_to_keep" or "full logits"."""
        return self._forward.way.path

    @property
    def padding(self) -> str:
        """What is done where rows differ in length: "plain" (no mask), "mask", or "none" (one length at a time)."""
        return self._forward.way.padding

    @property
    def trees(self) -> str:
        """What is run once for sequences that share it: "kept" and "rows" (every shared token), or "none" (equal ones)."""
        return self._forward.trees

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the numbers should know, in sentences."""
        fused = self._forward.fused
        made = (*self._forward.notes, *((fused.note,) if fused and fused.note else ()))
        return (*made, *self._notes, *(self.cache.notes if self.cache else ()))

    def score(self, requests: Sequence[Request], *, monitor: Monitor | None = None, pool: Pool | None = None) -> Scores:
        """Return the statistics of each request's continuation, in the order given.

        Equal requests are run once. Requests that are not done, since the person stopped the run, have no tokens; the same call
        again runs only those. A continuation without text raises DataError before anything is run. Vectors that `pool` asks for
        are read in the same pass (the path must be "head").
        """
        hears = Silent() if monitor is None else monitor
        run = Run(len(requests), hears, pool)
        try:
            hears.start(len(requests), "requests")
            run.expect(encode(self.tokenizer, requests, max_length=self.max_length))
            self._answer(run)
        except KeyboardInterrupt:
            pass
        finally:
            hears.finish()
        if any(len(encoded.pieces) > 1 for encoded in run.encoded):
            self._notes["continuations longer than the model reads at once were scored in overlapping windows"] = None
        return run.scores()

    def _answer(self, run: Run) -> None:
        """Take from the cache what is there, run the rest."""
        keys = {piece: self._key(piece) for piece in run.waiting} if self.cache else {}
        if self.cache:
            known = self.cache.get_many(keys.values())
            answers = {piece: _unpack(known[name], piece) for piece, name in keys.items() if name in known}
            run.take({piece: answer for piece, answer in answers.items() if answer is not None}, cached=True)
        again: list[Piece] = []
        self._run([*run.left(), *run.pool.left()], run, lambda answers: self._keep(answers, keys), again)
        if again and not run.monitor.stopped:
            self._repeat(again, run)

    def _keep(self, answers: dict[Piece, Answer], keys: dict[Piece, bytes]) -> None:
        if self.cache:
            self.cache.put_many({keys[piece]: _pack(answer) for piece, answer in answers.items()})

    def _batches(self, tree: Tree, *, chains: bool) -> Iterator[list[Row]]:
        """Plan what is to be run, as trees where the model reads them, and yield it in batches."""
        trees = self._forward.reads_trees(max(map(len, tree.inputs), default=0))
        if chains or trees == "none":
            return batches(plan(tree.pieces), self.token_budget, padding=self._forward.way.padding != "none")
        size = min(_budget.row_tokens(self.device), self.token_budget)
        return batches(tree.rows(size, prefixes=trees == "kept"), self.token_budget)

    def _run(
        self,
        pieces: list[Piece],
        run: Run,
        keep: Callable[[dict[Piece, Answer]], None] | None,
        again: list[Piece] | None,
    ) -> None:
        """Run pieces; those whose numbers are NaN go to `again` and are not kept. Without `again` no row holds branches."""
        pending = Pending()
        kept: dict[Row, Kept] = {}
        run.partial.clear()

        def settle() -> None:
            """Turn the states that wait into answers."""
            if not pending.rows:
                return
            wanted = [row.scored for row in pending.rows]
            states, pending.rows, pending.states = torch.cat(pending.states), [], []
            with self._lock:
                found = self._forward.statistics(states, wanted)
            answers = run.gather([one for row in wanted for one in row], found)
            if again is not None:
                unusable = [piece for piece, answer in answers.items() if np.isnan(answer).any()]
                again.extend(unusable)
                for piece in unusable:
                    del answers[piece]
            if keep is not None:
                keep(answers)  # first, so that what an interrupted call returns is also what the next one finds
            run.take(answers)

        tree, chains = Tree(pieces), again is None
        run.counters.unique_tokens += 0 if chains else tree.nodes
        cut = self._batches(tree, chains=chains)
        try:
            while not run.monitor.stopped and (batch := next(cut, None)):
                with self._lock:
                    states, said = self._try(batch, kept, run.pool.layer)
                if states is None:
                    settle()
                    run.counters.oom_retries += 1
                    self._shrink(batch, said)
                    run.partial.clear()
                    run.pool.partial.clear()
                    left = [piece for piece in pieces if piece not in run.answers and piece not in run.pool.found]
                    cut = self._batches(Tree(left), chains=chains)
                    continue
                run.count(batch, len(states.scored))
                run.pool.add([one for row in batch for one in row.wanted], states.pooled)
                pending.add(batch, states.scored)
                if pending.positions >= HEAD or pending.waited > PATIENCE:
                    settle()
        finally:
            settle()

    def _try(self, batch: list[Row], kept: dict[Row, Kept], layer: int | None) -> tuple[Found | None, str]:
        """Return the batch's states; None and what was said where memory ran out."""
        try:
            return self._forward.states(batch, kept, layer), ""
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            said = str(error)
        # Only here, after the except block, is the traceback with its tensors gone.
        kept.clear()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        return None, said

    def _shrink(self, batch: list[Row], said: str) -> None:
        """Halve the token budget, or give up where one sequence alone was too much, or as few tokens as can be."""
        longest = max(len(row.tokens) for row in batch)
        if len(batch) == 1 and (not batch[0].depth or self.token_budget == 1):
            tokens = max(batch[0].depth, default=batch[0].stop - 1) + 1
            raise OutOfMemory(
                f"One sequence of {tokens} tokens does not fit in the memory of {self.device} ({said}). "
                "Set a lower max_length, or load the model in a smaller dtype; what was done is kept in the cache."
            )
        self.token_budget = max(min(self.token_budget, longest * len(batch)) // 2, 1)
        self._notes["memory ran out: batches were made smaller"] = None

    def _repeat(self, pieces: list[Piece], run: Run) -> None:
        """Run pieces with NaN again, apart from each other and in float32; where that does not help, the numbers are NaN.

        In a packed row one sequence's NaN reaches them all: what a mask hides is multiplied by 0, and 0 times NaN is NaN.
        """
        dtype = self._forward.dtype
        half = dtype in (torch.float16, torch.bfloat16)
        try:
            with self._lock, widened(self.model):
                self._run(pieces, run, None, None)
            if half:
                name = str(dtype).removeprefix("torch.")
                self._notes[f"some sequences overflowed in {name} and were run again in float32"] = None
        except Exception as error:
            if not (isinstance(error, OutOfMemory) or is_out_of_memory(error)):
                raise
            left = [piece for piece in pieces if piece not in run.answers]
            run.take({piece: np.full((5, len(piece.ids) - piece.n_context), np.nan, np.float32) for piece in left})
        if any(np.isnan(run.answers[piece]).any() for piece in pieces if piece in run.answers):
            self._notes["the model gave NaN for some sequences; their numbers are NaN"] = None

    def _key(self, piece: Piece) -> bytes:
        return key(self._header, struct.pack(f"<{len(piece.ids) + 1}q", piece.n_context, *piece.ids))


def _pack(answer: Answer) -> bytes:
    return np.ascontiguousarray(answer, dtype="<f4").tobytes()


def _unpack(value: bytes, piece: Piece) -> Answer | None:
    """Return the answer in these bytes; None where they are not an answer to this piece."""
    tokens = len(piece.ids) - piece.n_context
    if len(value) != 20 * tokens:
        return None
    return np.frombuffer(value, dtype="<f4").reshape(5, tokens).astype(np.float32)


def _max_length(model: Any, tokenizer: Any) -> int | None:
    """Return how many tokens the model reads at once, None where nothing says."""
    config = model.config.get_text_config()
    named = (getattr(config, name, None) for name in ("max_position_embeddings", "n_positions", "n_ctx"))
    said = [int(length) for length in named if length]
    length = getattr(tokenizer, "model_max_length", None)
    if not said and length and length < 10**9:
        said = [int(length)]
    return said[0] if said else None


def _probe(model: Any, tokenizer: Any) -> list[int]:
    """Return a short prompt for the self-check."""
    ids = list(tokenizer(PROBE, add_special_tokens=False)["input_ids"])[:8]
    return ids if len(ids) > 1 else [i % model.config.get_text_config().vocab_size for i in range(8)]
