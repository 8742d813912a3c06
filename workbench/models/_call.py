"""The state of one call of the engine: what it was asked, what is answered, and what waits for the head."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.models._plan import Row, Wanted
from workbench.models.requests import Encoded, Piece
from workbench.models.verbs import Counters, Monitor, Scores

__all__ = ["Answer", "Pending", "Pool", "Run"]

Answer = NDArray[np.float32]  # (5, tokens): log p, top log p, mean and variance of log p, rank


class Pending:
    """States that wait for the head."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.states: list[Tensor] = []
        self.since = 0.0

    @property
    def positions(self) -> int:
        """How many positions wait."""
        return sum(len(states) for states in self.states)

    @property
    def waited(self) -> float:
        """How long the first of them has waited, in seconds."""
        return time.perf_counter() - self.since

    def add(self, rows: list[Row], states: Tensor) -> None:
        """Add a batch."""
        if not self.rows:
            self.since = time.perf_counter()
        self.rows += rows
        self.states.append(states)


@dataclass
class Pool:
    """Vectors that are read in the same pass: the mean of the states of `layer` (None: the last) at each piece's positions."""

    pieces: list[Piece]
    layer: int | None
    keep: Callable[[dict[Piece, NDArray[np.float64]]], None] = lambda _: None
    found: dict[Piece, NDArray[np.float64]] = field(default_factory=dict)
    partial: dict[Piece, tuple[NDArray[np.float64], int]] = field(default_factory=dict)  # sums, and how many states

    def add(self, wanted: Iterable[Wanted], states: Tensor) -> None:
        """Add the states of a batch; a piece is found when all of its states are there."""
        done: dict[Piece, NDArray[np.float64]] = {}
        mine = [one.piece for one in wanted if not one.piece.scored]
        if not mine:
            return
        values = states.double().cpu().numpy()
        for piece, rows in _places(mine).items():
            total, count = self.partial.pop(piece, (np.zeros(values.shape[1]), 0))
            total, count = total + values[rows].sum(axis=0), count + len(rows)
            if count == len(piece.ids) - piece.n_context:
                done[piece] = total / count
            else:
                self.partial[piece] = total, count
        if done:
            self.keep(done)
            self.found |= done

    def left(self) -> list[Piece]:
        """Return the pieces without a vector."""
        return [piece for piece in dict.fromkeys(self.pieces) if piece not in self.found]


def _places(pieces: Iterable[Piece]) -> dict[Piece, list[int]]:
    found: dict[Piece, list[int]] = {}
    for i, piece in enumerate(pieces):
        found.setdefault(piece, []).append(i)
    return found


class Run:
    """The state of one call."""

    def __init__(self, requests: int, monitor: Monitor, pool: Pool | None = None) -> None:
        self.requests, self.monitor, self.pool = requests, monitor, pool or Pool([], None)
        self.counters = Counters(requests=requests)
        self.encoded: list[Encoded] = []
        self.answers: dict[Piece, Answer] = {}
        self.partial: dict[Piece, tuple[Answer, int]] = {}  # what is there, how many tokens are missing
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

    def left(self) -> list[Piece]:
        """Return the pieces without an answer."""
        return [piece for piece in self.waiting if piece not in self.answers]

    def gather(self, wanted: Iterable[Wanted], found: NDArray[np.float32]) -> dict[Piece, Answer]:
        """Return the pieces that are finished with these columns of numbers; keep the others until their rest comes."""
        finished = {}
        for column, one in enumerate(wanted):
            size = len(one.piece.ids) - one.piece.n_context
            answer, missing = self.partial.get(one.piece) or (np.empty((5, size), np.float32), size)
            answer[:, one.offset] = found[:, column]
            self.partial[one.piece] = answer, missing - 1
            if missing == 1:
                finished[one.piece] = self.partial.pop(one.piece)[0]
        return finished

    def count(self, batch: list[Row], positions: int) -> None:
        """Add a batch that was run."""
        tokens = sum(len(row.tokens) for row in batch)
        self.counters.batches += 1
        self.counters.tokens_run += tokens
        self.counters.tokens_padded += len(batch) * max(len(row.tokens) for row in batch) - tokens
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
            "answers": self.scores,
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
