"""One batch through the model: the decoder without its head, then statistics at the wanted positions.

What transformers promises of its models does not hold for all, so `Forward` compares itself with `model(input_ids).logits` on
a short prompt when it is made, and takes the first way that agrees:

1. the decoder alone, then `head` at wanted positions;
2. the whole model with `logits_to_keep`, so that logits exist at wanted positions only;
3. the whole model with all its logits.

Then it sees whether the model reads trees (`_tree`, `_masks`) and kept keys and values, on a small tree, under a window of a few
tokens where it has sliding layers. A model that ignores masks or position ids (recurrent ones, ALiBi) is given chains.

Chains are padded on the right, where a causal model does not look, whatever `tokenizer.padding_side` says. No attention mask is
passed for them unless the check asks for it: a mask costs SDPA its fast kernels, and gives rows without an allowed key under a
window.
"""

import inspect
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.errors import ModelError, OutOfMemory
from workbench.models._fused import Fused
from workbench.models._masks import Kept, Masks, moved, narrowed, past_name
from workbench.models._memory import is_out_of_memory, rejected, widened
from workbench.models._plan import Row, Wanted, lineage
from workbench.models._tree_check import check
from workbench.models.head import Head, Statistics, statistics, statistics_of_logits

__all__ = ["Forward"]

PATHS = ("head", "logits_to_keep", "full logits")
PADDING = ("plain", "mask", "none")
TARGETS = {"cpu": 256}  # at a time: with a block of the head their logits take 1 MiB, elsewhere 64 MiB
TARGETS_ELSEWHERE = 2048
PAST = "past"  # of the inputs: keys and values that were kept
NARROW = 3  # tokens of a window under which a short probe shows what a long prompt would
TOLERANCE = {torch.float16: 2e-2, torch.bfloat16: 1e-1}  # of the spread of the logits; 1e-3 in float32


class Way(NamedTuple):
    """How a batch is run: which path, and what is done where its rows differ in length."""

    path: str
    padding: str


class Found(NamedTuple):
    """States of rows: at scored positions, each once in order (n, ...), and at those to be pooled, in order (m, d)."""

    scored: Tensor
    pooled: Tensor


class Forward:
    """Runs rows through a model; `way` and `notes` say how."""

    def __init__(self, model: Any, device: torch.device, probe: Sequence[int]) -> None:
        self.model, self.device = model, device
        self.notes: list[str] = []
        self.decoder = model.get_decoder() if hasattr(model, "get_decoder") else None
        self.head = Head.of(model)
        self.fused = Fused(self.head) if self.head and self.head.weight.device.type == "cuda" else None
        self.masks: Masks | None = None
        self.trees = "none"
        self.probe = tuple(probe)
        self.beyond = True  # whether trees may be longer than the window of sliding layers
        self.way = self._check(list(probe))
        self._check_trees()

    @property
    def dtype(self) -> torch.dtype:
        """What the model computes in."""
        return next((p.dtype for p in self.model.parameters() if p.is_floating_point()), torch.float32)

    @torch.inference_mode()
    def states(self, rows: Sequence[Row], kept: dict[Row, Kept], layer: int | None = None) -> Found:
        """Return the states of these rows at the wanted positions.

        `kept` has the keys and values that the rows read; those of a row that is to be kept are put in, and those that no row
        below the present one's parents reads are dropped. `layer` is that of the states to be pooled, None for the last.
        """
        if self.model.training:
            self.model.eval()
        scored = [(i, position) for i, row in enumerate(rows) for position in _positions(row.scored)]
        pooled = [(i, one.position) for i, row in enumerate(rows) for one in row.wanted if not one.piece.scored]
        return Found(*self._states(rows, scored, pooled, kept, layer))

    @torch.inference_mode()
    def statistics(self, states: Tensor, wanted: Sequence[Sequence[Wanted]]) -> NDArray[np.float32]:
        """Return (5, m) for the m targets that are scored in rows, in order, from the states of those rows."""
        place: list[int] = []
        for row in wanted:
            first = place[-1] + 1 if place else 0
            index = {position: first + k for k, position in enumerate(_positions(row))}
            place += [index[one.position] for one in row]
        target = [one.target for row in wanted for one in row]
        found = [np.empty((5, 0), np.float32)]
        size = TARGETS.get(states.device.type, TARGETS_ELSEWHERE)
        for start in range(0, len(place), size):
            places = place[start : start + size]
            first, last = min(places), max(places) + 1
            position = moved(torch.tensor([k - first for k in places]), states.device)
            targets = moved(torch.tensor(target[start : start + size]), states.device)
            part = self._statistics(states[first:last], position, targets)
            found.append(torch.stack(list(part)).cpu().numpy())
        whole = np.concatenate(found, axis=1)
        whole[:, np.isnan(whole[0])] = np.nan  # ranks too
        return whole

    def _statistics(self, states: Tensor, position: Tensor, target: Tensor) -> Statistics:
        if self.way.path != "head" or self.head is None:
            return statistics_of_logits(states, position, target)
        if self.fused is not None and (found := self.fused.statistics(states, position, target)):
            return found
        return statistics(states, self.head, position, target)

    def _states(
        self,
        rows: Sequence[Row],
        places: list[tuple[int, int]],
        pooled: list[tuple[int, int]],
        kept: dict[Row, Kept],
        layer: int | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return hidden states, or logits, at the (row, position) places, and states of a layer at others, (n, ...) each."""
        inputs = self._inputs(rows, kept)
        vectors = torch.empty(0)
        if self.way.path == "logits_to_keep" and places:
            read = sorted({position for _, position in places})
            index = {position: k for k, position in enumerate(read)}
            places = [(row, index[position]) for row, position in places]
            out = self._run(self.model, inputs, logits_to_keep=torch.tensor(read, device=self.device)).logits
        elif self.way.path == "head" and self.decoder is not None and self.head is not None:
            more = {"output_hidden_states": True} if pooled and layer is not None else {}
            made = self._run(self.decoder, inputs, **more)
            out = made.last_hidden_state.to(self.head.weight.device)
            if pooled:
                vectors = _at(out if layer is None else made.hidden_states[layer], pooled)
        else:
            out = self._run(self.model, inputs).logits
        if rows[0].kept:
            kept[rows[0]].close(rows[0].stop)
        return _at(out, places), vectors

    def _run(self, module: Any, inputs: Mapping[str, Any], **more: Any) -> Any:
        """Call the model or its decoder, which may have a name of its own for what was kept."""
        if PAST not in inputs:
            return module(**inputs, **more)
        rest = {name: value for name, value in inputs.items() if name != PAST}
        return module(**rest, **{past_name(module): inputs[PAST]}, **more)

    def _inputs(self, rows: Sequence[Row], kept: dict[Row, Kept]) -> dict[str, Any]:
        """Return the arguments of a forward over rows padded on the right with token 0."""
        longest = max(len(row.tokens) for row in rows)
        padded = [[*row.tokens, *[0] * (longest - len(row.tokens))] for row in rows]
        inputs: dict[str, Any] = {"input_ids": moved(torch.tensor(padded), self.device), "use_cache": False}
        first = rows[0]
        if self.masks is not None and (first.parent or first.kept or any(row.depth for row in rows)):
            inputs |= self.masks.arguments(rows, self.device)
            line = set(lineage(first.parent))
            for done in [row for row in kept if row not in line]:
                del kept[done]
            if first.parent:
                inputs[PAST] = kept[first.parent]
            if first.kept:
                kept[first] = inputs[PAST] = Kept(inputs.get(PAST))
        elif self.way.padding == "mask":
            mask = [[1] * len(row.tokens) + [0] * (longest - len(row.tokens)) for row in rows]
            inputs["attention_mask"] = moved(torch.tensor(mask), self.device)
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
            with rejected():
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
        """Return all logits of each sequence, float32, by the present way."""
        places = [(i, position) for i, row in enumerate(tokens) for position in range(len(row))]
        states, _ = self._states([Row(tuple(row)) for row in tokens], places, [], {})
        logits = self.head.logits(states) if self.way.path == "head" and self.head is not None else states
        return list(torch.split(logits.float(), [len(row) for row in tokens]))

    def reads_trees(self, length: int) -> str:
        """Return what of trees the model reads, "kept", "rows" or "none", in sequences of up to `length` tokens."""
        window = self.masks.window if self.masks else None
        return "none" if window is not None and length > window and not self.beyond else self.trees

    @torch.inference_mode()
    def logits(self, rows: Sequence[Row], kept: dict[Row, Kept]) -> Tensor:
        """Return the logits, float32, at the wanted positions of these rows, each once in order."""
        states = self.states(rows, kept).scored
        return (self.head.logits(states) if self.way.path == "head" and self.head is not None else states).float()

    def _check_trees(self) -> None:
        """Compare trees with chains: under a window that the probe is longer than, where layers slide, else as the model is."""
        if self.way.padding == "plain" and (masks := Masks.of(self.model, self.dtype)):
            if masks.window is not None:
                with narrowed(self.model, min(NARROW, masks.window)):
                    self._compare(masks._replace(window=min(NARROW, masks.window)))
            self.beyond = self.trees != "none" or masks.window is None
            if self.trees == "none":
                self._compare(masks)
            self.masks = self.masks and self.masks._replace(window=masks.window)
        if self.trees == "none":
            self.notes.append("self-check: beginnings that sequences share are run for each (the model reads no trees)")
        elif not self.beyond:
            self.notes.append("self-check: beyond the window of its sliding layers the model reads no trees")

    def _compare(self, masks: Masks) -> None:
        tolerance = TOLERANCE.get(self.dtype, 1e-3)
        try:
            self.masks, self.trees = check(self, masks, self.probe, tolerance)
        except FloatingPointError:
            with widened(self.model):
                self.masks, self.trees = check(self, masks, self.probe, tolerance)


def _at(values: Tensor, places: Sequence[tuple[int, int]]) -> Tensor:
    """Return values (rows, t, ...) at (row, position) places, (n, ...)."""
    where = moved(torch.tensor(places, dtype=torch.long).reshape(-1, 2), values.device)
    return values[where[:, 0], where[:, 1]]


def _positions(wanted: Sequence[Wanted]) -> list[int]:
    """Return the distinct positions at which something is wanted, in order."""
    return list(dict.fromkeys(one.position for one in wanted))
