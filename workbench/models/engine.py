"""Scores many requests with a causal language model: the numbers of `model(input_ids).logits`, for less work.

`requests` makes token ids, `_plan` rows and batches, `_forward` and `head` run them, `cache` remembers. The engine plans what is
not known yet, runs it longest first, writes each batch's answers before the next begins, and puts everything into the caller's
order. It stops between batches when the monitor asks, or at once on an interrupt, and returns what is done.
"""

import json
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from workbench.errors import OutOfMemory
from workbench.models._forward import Forward, is_out_of_memory, widened
from workbench.models._plan import Row, batches, plan
from workbench.models.cache import Cache, key
from workbench.models.requests import Encoded, Piece, encode
from workbench.models.verbs import Counters, Monitor, Request, Scores, Silent

__all__ = ["Engine"]

Answer = NDArray[np.float32]  # (5, tokens): log p, top log p, mean and variance of log p, rank
BUDGET = {"cpu": 512}  # tokens per forward: a CPU gains nothing from more
BUDGET_ELSEWHERE = 8192
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
        token_budget: tokens in one forward, with padding; halved when memory runs out
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
        self.token_budget = token_budget or BUDGET.get(self.device.type, BUDGET_ELSEWHERE)
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
    def notes(self) -> tuple[str, ...]:
        """What a reader of the numbers should know, in sentences."""
        return (*self._forward.notes, *self._notes, *(self.cache.notes if self.cache else ()))

    def score(self, requests: Sequence[Request], *, monitor: Monitor | None = None) -> Scores:
        """Return the statistics of each request's continuation, in the order given.

        Equal requests are run once. Requests that are not done, since the person stopped the run, have no tokens; the same call
        again runs only those. A continuation without text raises DataError before anything is run.
        """
        hears = Silent() if monitor is None else monitor
        run = _Run(len(requests), hears)
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

    def _answer(self, run: "_Run") -> None:
        """Take from the cache what is there, run the rest."""
        keys = {piece: self._key(piece) for piece in run.waiting} if self.cache else {}
        if self.cache:
            known = self.cache.get_many(keys.values())
            answers = {piece: _unpack(known[name], piece) for piece, name in keys.items() if name in known}
            run.take({piece: answer for piece, answer in answers.items() if answer is not None}, cached=True)
        again: list[Row] = []
        rows = plan(piece for piece in run.waiting if piece not in run.answers)
        self._run(rows, run, lambda answers: self._keep(answers, keys), again)
        if again and not run.monitor.stopped:
            self._repeat(again, run)

    def _keep(self, answers: dict[Piece, Answer], keys: dict[Piece, bytes]) -> None:
        if self.cache:
            self.cache.put_many({keys[piece]: _pack(answer) for piece, answer in answers.items()})

    def _run(
        self, rows: list[Row], run: "_Run", keep: Callable[[dict[Piece, Answer]], None] | None, again: list[Row] | None
    ) -> None:
        """Run rows, longest first; those whose numbers are NaN go to `again`, if there is one, and are not kept."""
        padding, start = self._forward.way.padding != "none", 0
        cut = batches(rows, self.token_budget, padding=padding)
        while not run.monitor.stopped and (batch := next(cut, None)):
            with self._lock:
                found, said = self._try(batch)
            if found is None:
                run.counters.oom_retries += 1
                self._shrink(batch, said)
                cut = batches(rows[start:], self.token_budget, padding=padding)
                continue
            start += len(batch)
            run.count(batch, self._forward.positions(batch))
            answers = _by_piece(batch, found)
            unusable = {piece for piece, answer in answers.items() if np.isnan(answer).any()}
            finished = {piece: answer for piece, answer in answers.items() if piece not in unusable}
            if again is not None:
                again += [row for row in batch if not unusable.isdisjoint(row.pieces)]
            else:
                finished = answers
            if keep is not None:
                keep(finished)  # first, so that what an interrupted call returns is also what the next one finds
            run.take(finished)

    def _try(self, batch: list[Row]) -> tuple[NDArray[np.float32] | None, str]:
        """Return the batch's numbers; None and what was said where memory ran out."""
        try:
            return self._forward.run(batch), ""
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            said = str(error)
        # Only here, after the except block, is the traceback with its tensors gone.
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        return None, said

    def _shrink(self, batch: list[Row], said: str) -> None:
        """Halve the token budget, or give up where one sequence alone was too much."""
        longest = len(batch[0].tokens)
        if len(batch) == 1:
            raise OutOfMemory(
                f"One sequence of {longest} tokens does not fit in the memory of {self.device} ({said}). "
                "Set a lower max_length, or load the model in a smaller dtype; what was done is kept in the cache."
            )
        self.token_budget = max(min(self.token_budget, longest * len(batch)) // 2, 1)
        self._notes["memory ran out: batches were made smaller"] = None

    def _repeat(self, rows: list[Row], run: "_Run") -> None:
        """Run rows with NaN again in float32; where that cannot be, or does not help, the numbers are NaN."""
        missing = plan(piece for row in rows for piece in row.pieces if piece not in run.answers)
        half = self._forward.dtype in (torch.float16, torch.bfloat16)
        name = str(self._forward.dtype).removeprefix("torch.")
        if half:
            try:
                with self._lock, widened(self.model):
                    self._run(missing, run, None, None)
                self._notes[f"some sequences overflowed in {name} and were run again in float32"] = None
            except Exception as error:
                if not (isinstance(error, OutOfMemory) or is_out_of_memory(error)):
                    raise
                half = False
        left = [piece for row in missing for piece in row.pieces if piece not in run.answers]
        if not half:
            run.take({piece: np.full((5, len(piece.ids) - piece.n_context), np.nan, np.float32) for piece in left})
        if any(np.isnan(run.answers[piece]).any() for row in missing for piece in row.pieces if piece in run.answers):
            self._notes["the model gave NaN for some sequences; their numbers are NaN"] = None

    def _key(self, piece: Piece) -> bytes:
        return key(self._header, struct.pack(f"<{len(piece.ids) + 1}q", piece.n_context, *piece.ids))


class _Run:
    """The state of one call."""

    def __init__(self, requests: int, monitor: Monitor) -> None:
        self.requests, self.monitor = requests, monitor
        self.counters = Counters(requests=requests)
        self.encoded: list[Encoded] = []
        self.answers: dict[Piece, Answer] = {}
        self.waiting: dict[Piece, list[int]] = {}
        self.missing: list[int] = []
        self.began = time.perf_counter()

    def expect(self, encoded: list[Encoded]) -> None:
        """Learn the pieces of each request."""
        self.encoded = encoded
        self.missing = [len(one.pieces) for one in encoded]
        waiting: defaultdict[Piece, list[int]] = defaultdict(list)
        for i, one in enumerate(encoded):
            for piece in one.pieces:
                waiting[piece].append(i)
        self.waiting = dict(waiting)
        self.counters.unique_requests = len({one.pieces for one in encoded})

    def count(self, batch: list[Row], positions: int) -> None:
        """Add a batch that was run."""
        tokens = sum(len(row.tokens) for row in batch)
        self.counters.batches += 1
        self.counters.tokens_run += tokens
        self.counters.tokens_padded += len(batch) * len(batch[0].tokens) - tokens
        self.counters.head_positions += positions

    def take(self, answers: dict[Piece, Answer], *, cached: bool = False) -> None:
        """Note answers, and tell the monitor how many requests that finishes."""
        self.answers.update(answers)
        done = 0
        for piece in answers:
            for i in self.waiting[piece]:
                self.missing[i] -= 1
                done += self.missing[i] == 0
        if cached:
            self.counters.cached += done
        facts: dict[str, Any] = {
            "cached": self.counters.cached,
            "tokens_per_second": self.counters.tokens_run / max(time.perf_counter() - self.began, 1e-9),
        }
        if torch.cuda.is_available():
            facts["device_memory"] = torch.cuda.memory_allocated()
        if done or not cached:
            self.monitor.advance(done, **facts)

    def scores(self) -> Scores:
        """Return everything in the caller's order."""
        done = np.zeros(self.requests, dtype=bool)
        parts: list[list[Answer]] = [[] for _ in range(self.requests)]
        tokens: list[int] = []
        for i, one in enumerate(self.encoded):
            done[i] = all(piece in self.answers for piece in one.pieces)
            if done[i]:
                parts[i] = [self.answers[piece] for piece in one.pieces]
                tokens += [token for piece in one.pieces for token in piece.ids[piece.n_context :]]
        sizes = [sum(part.shape[1] for part in some) for some in parts]
        flat = np.concatenate([np.empty((5, 0), np.float32), *(part for some in parts for part in some)], axis=1)
        logp, top, mean, var = flat[:4].astype(np.float64)
        flags = self.encoded or [Encoded((), False, 0)] * self.requests
        return Scores(
            offsets=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
            token=np.array(tokens, dtype=np.int64),
            logp=logp,
            top_logp=top,
            mean_logp=mean,
            var_logp=var,
            rank=np.where(np.isnan(flat[4]), -1, flat[4]).astype(np.int64),
            done=done,
            boundary_merge=np.array([one.boundary_merge for one in flags], dtype=bool),
            truncated=np.array([one.truncated for one in flags], dtype=np.int64),
            counters=self.counters,
        )


def _by_piece(batch: list[Row], found: NDArray[np.float32]) -> dict[Piece, Answer]:
    """Return each piece's part of a batch's numbers, in the order of its tokens."""
    wanted = [wanted for row in batch for wanted in row.wanted]
    answers = {
        piece: np.empty((5, len(piece.ids) - piece.n_context), np.float32) for row in batch for piece in row.pieces
    }
    for column, one in enumerate(wanted):
        answers[one.piece][:, one.offset] = found[:, column]
    return answers


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
