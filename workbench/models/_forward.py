"""One batch through the model: the decoder without its head, then statistics at the wanted positions.

What transformers promises of its models does not hold for all, so `Forward` compares itself with `model(input_ids).logits` on
a short prompt when it is made, and takes the first way that agrees:

1. the decoder alone, then `head` at wanted positions;
2. the whole model with `logits_to_keep`, so that logits exist at wanted positions only;
3. the whole model with all its logits.

Rows are padded on the right, where a causal model does not look, whatever `tokenizer.padding_side` says. No attention mask is
passed unless the check asks for it: a mask costs SDPA its fast kernels, and gives rows without an allowed key under a window.
"""

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.errors import ModelError, OutOfMemory
from workbench.models._plan import Row
from workbench.models.head import Head, Statistics, statistics, statistics_of_logits

__all__ = ["Forward", "is_out_of_memory", "widened"]

PATHS = ("head", "logits_to_keep", "full logits")
PADDING = ("plain", "mask", "none")
TARGETS = 128  # at a time: their block of logits takes 4 MiB
TOLERANCE = {torch.float16: 2e-2, torch.bfloat16: 1e-1}  # of the spread of the logits; 1e-3 in float32


class Way(NamedTuple):
    """How a batch is run: which path, and what is done where its rows differ in length."""

    path: str
    padding: str


class Forward:
    """Runs rows through a model; `way` and `notes` say how."""

    def __init__(self, model: Any, device: torch.device, probe: Sequence[int]) -> None:
        self.model, self.device = model, device
        self.notes: list[str] = []
        self.decoder = model.get_decoder() if hasattr(model, "get_decoder") else None
        self.head = Head.of(model)
        self.way = self._check(list(probe))

    @property
    def dtype(self) -> torch.dtype:
        """What the model computes in."""
        return next((p.dtype for p in self.model.parameters() if p.is_floating_point()), torch.float32)

    @torch.inference_mode()
    def run(self, rows: Sequence[Row]) -> NDArray[np.float32]:
        """Return (5, m) for the m wanted targets of these rows in order: log p, top, mean, variance of log p, rank."""
        if self.model.training:
            self.model.eval()
        where = [(i, wanted.position) for i, row in enumerate(rows) for wanted in row.wanted]
        unique = {place: k for k, place in enumerate(dict.fromkeys(where))}
        states = self._states([row.tokens for row in rows], list(unique))
        target = [wanted.target for row in rows for wanted in row.wanted]
        found = []
        for start in range(0, len(where), TARGETS):
            places = [unique[place] for place in where[start : start + TARGETS]]
            first, last = min(places), max(places) + 1
            position = torch.tensor([k - first for k in places], device=states.device)
            wanted = torch.tensor(target[start : start + TARGETS], device=states.device)
            found.append(self._statistics(states[first:last], position, wanted))
        return np.concatenate([torch.stack(list(part)).cpu().numpy() for part in found], axis=1)

    def positions(self, rows: Sequence[Row]) -> int:
        """Return at how many distinct positions of these rows something is wanted."""
        return sum(len({wanted.position for wanted in row.wanted}) for row in rows)

    def _statistics(self, states: Tensor, position: Tensor, target: Tensor) -> Statistics:
        if self.way.path == "head" and self.head is not None:
            return statistics(states, self.head, position, target)
        return statistics_of_logits(states, position, target)

    def _states(self, tokens: Sequence[Sequence[int]], places: list[tuple[int, int]]) -> Tensor:
        """Return hidden states, or logits, at the (row, position) places, (n, ...)."""
        inputs = self._inputs(tokens)
        row = torch.tensor([place[0] for place in places], device=self.device)
        if self.way.path == "logits_to_keep":
            kept = sorted({position for _, position in places})
            index = {position: k for k, position in enumerate(kept)}
            column = torch.tensor([index[place[1]] for place in places], device=self.device)
            out = self.model(**inputs, logits_to_keep=torch.tensor(kept, device=self.device)).logits
        else:
            column = torch.tensor([place[1] for place in places], device=self.device)
            if self.way.path == "head" and self.decoder is not None and self.head is not None:
                out = self.decoder(**inputs).last_hidden_state.to(self.head.weight.device)
            else:
                out = self.model(**inputs).logits
        return out[row.to(out.device), column.to(out.device)]

    def _inputs(self, tokens: Sequence[Sequence[int]]) -> dict[str, Any]:
        """Return the arguments of a forward over rows padded on the right with token 0."""
        longest = max(len(row) for row in tokens)
        padded = [[*row, *[0] * (longest - len(row))] for row in tokens]
        inputs: dict[str, Any] = {"input_ids": torch.tensor(padded, device=self.device), "use_cache": False}
        if self.way.padding == "mask":
            mask = [[1] * len(row) + [0] * (longest - len(row)) for row in tokens]
            inputs["attention_mask"] = torch.tensor(mask, device=self.device)
        return inputs

    @torch.inference_mode()
    def _check(self, probe: list[int]) -> Way:
        """Return the first way whose logits on a padded batch equal those of the model alone."""
        self.way = Way("full logits", "none")
        short = probe[: max(len(probe) * 5 // 8, 1)]
        try:
            wanted = [self._probe([probe])[0], self._probe([short])[0]]
        except Exception as error:
            if is_out_of_memory(error):
                raise OutOfMemory(f"A prompt of {len(probe)} tokens does not fit on {self.device}: {error}") from error
            raise ModelError(f"The model cannot read token ids ({type(error).__name__}: {error}).") from error
        if not all(bool(logits.isfinite().all()) for logits in wanted):
            if self.dtype in TOLERANCE:  # float16 overflows in some models: what is checked is the way, not the type
                with widened(self.model):
                    return self._check(probe)
            self.notes.append("self-check: logits are not finite, so they are read whole, one length at a time")
            return self.way
        tolerance = TOLERANCE.get(self.dtype, 1e-3) * float(wanted[0].max() - wanted[0].min())
        if float((wanted[0][: len(short)] - wanted[1]).abs().max()) > tolerance:
            raise ModelError(
                "This model reads the tokens after a position (it is not causal), so the log-likelihood of a continuation "
                "cannot be taken from it. Load a causal language model."
            )
        first = Way("head", "plain")
        for way in (Way(path, padding) for padding, path in product(PADDING, PATHS)):
            if not self._possible(way):
                continue
            self.way = way
            groups = [[probe], [short]] if way.padding == "none" else [[probe, short]]
            with _rejects():
                found = [logits for group in groups for logits in self._probe(group)]
                if all(float((a - b).abs().max()) <= tolerance for a, b in zip(found, wanted, strict=True)):
                    if way != first:
                        self.notes.append(
                            f"self-check: reads {way.path}, padding {way.padding} (the faster ways do not agree)"
                        )
                    return way
        return Way("full logits", "none")

    def _possible(self, way: Way) -> bool:
        if way.path == "head":
            return self.head is not None and self.decoder is not None and self.decoder is not self.model
        return way.path == "full logits" or "logits_to_keep" in inspect.signature(self.model.forward).parameters

    def _probe(self, tokens: Sequence[Sequence[int]]) -> list[Tensor]:
        """Return all logits of each row, float32, by the present way."""
        places = [(i, position) for i, row in enumerate(tokens) for position in range(len(row))]
        states = self._states(tokens, places)
        logits = self.head.logits(states) if self.way.path == "head" and self.head is not None else states
        return list(torch.split(logits.float(), [len(row) for row in tokens]))


@contextmanager
def _rejects() -> Iterator[None]:
    """Let a way that raises count as one that does not agree."""
    try:
        yield
    except Exception as error:
        if is_out_of_memory(error):
            raise


@contextmanager
def widened(model: Any) -> Iterator[None]:
    """Hold the model's half-precision weights in float32 for a while; they come back as they were, bit for bit."""
    tensors = [*model.parameters(), *model.buffers()]
    kept = [(tensor, tensor.data) for tensor in tensors if tensor.dtype in (torch.float16, torch.bfloat16)]
    try:
        for tensor, data in kept:
            tensor.data = data.float()
        yield
    finally:
        for tensor, data in kept:
            tensor.data = data


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error means that memory ran out: torch says so in several ways."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error).lower()
    signs = ("out of memory", "not enough memory", "can't allocate memory", "alloc_failed")
    return isinstance(error, RuntimeError) and any(sign in text for sign in signs)
