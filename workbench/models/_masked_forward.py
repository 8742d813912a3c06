"""One batch of masked copies through a model, with the vocabulary projected at the masked positions alone.

The head of a masked model works position by position, so that it is enough to hand it the hidden state of the masked position: a
hook on the encoder picks it. What holds of most architectures need not hold of all, so `MaskedForward` compares each way with
`model(input_ids).logits` of single texts when it is made, and takes the first that agrees.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workbench.models._forward import TOLERANCE
from workbench.models._memory import is_out_of_memory

__all__ = ["Copy", "MaskedForward", "Way"]

LOGITS = 2**25  # logits in one forward: 128 MiB in float32
MOST = 256  # copies in one forward


class Copy(NamedTuple):
    """A sequence of true token ids, and the position that is masked in this copy of it."""

    ids: tuple[int, ...]
    position: int

    @property
    def key(self) -> str:
        """What the answer is kept under."""
        return f"{self.position} {' '.join(map(str, self.ids))}"


class Way(NamedTuple):
    """How a batch is run: whether the head sees the masked positions alone, and whether rows of several lengths are padded."""

    picked: bool
    padding: bool


class MaskedForward:
    """Runs masked copies through a model; `way` and `notes` say how."""

    def __init__(self, model: Any, mask_id: int, pad_id: int, probe: Sequence[int]) -> None:
        self.model, self.mask_id, self.pad_id = model, mask_id, pad_id
        self.notes: tuple[str, ...] = ()
        self._lock = threading.RLock()  # a hook stands on the model while a batch runs
        self.way = self._check(tuple(probe))
        if self.way != Way(True, True):
            said = "masked positions" if self.way.picked else "all logits"
            said += ", padded" if self.way.padding else ", one length at a time"
            self.notes = (f"self-check: reads {said} (the faster ways do not agree)",)

    @property
    def most(self) -> int:
        """How many copies fit in one forward, for the logits alone."""
        return max(1, min(MOST, LOGITS // int(self.model.config.vocab_size)))

    def head_positions(self, copies: Sequence[Copy]) -> int:
        """Return at how many positions the vocabulary is projected for these copies."""
        return len(copies) if self.way.picked else len(copies) * max(len(copy.ids) for copy in copies)

    @torch.inference_mode()
    def run(self, copies: Sequence[Copy]) -> NDArray[np.float64]:
        """Return log p of each copy's true token at its masked position (n,), nats."""
        with self._lock:
            logits = self._logits(copies, self.way)
        true = torch.tensor([copy.ids[copy.position] for copy in copies], device=logits.device)
        found = logits.gather(1, true[:, None])[:, 0] - logits.logsumexp(1)
        made: NDArray[np.float64] = found.double().cpu().numpy()
        return made

    def _logits(self, copies: Sequence[Copy], way: Way) -> Tensor:
        """Return the logits at the masked positions (n, vocabulary), float32 (float64 stays)."""
        device = self.model.device
        longest = max(len(copy.ids) for copy in copies)
        rows = [[*copy.ids, *[self.pad_id] * (longest - len(copy.ids))] for copy in copies]
        ids = torch.tensor(rows, device=device)
        at = torch.tensor([copy.position for copy in copies], device=device)
        row = torch.arange(len(copies), device=device)
        ids[row, at] = self.mask_id
        given: dict[str, Tensor] = {"input_ids": ids}
        if any(len(copy.ids) < longest for copy in copies):
            mask = [[1] * len(copy.ids) + [0] * (longest - len(copy.ids)) for copy in copies]
            given["attention_mask"] = torch.tensor(mask, device=device)
        if way.picked:
            with _picking(self.model.base_model, row, at):
                logits: Tensor = self.model(**given).logits[:, 0]
        else:
            logits = self.model(**given).logits[row.to(device), at]
        return logits if logits.dtype == torch.float64 else logits.float()

    @torch.inference_mode()
    def _check(self, probe: tuple[int, ...]) -> Way:
        """Return the first way whose logits equal those of each text alone with all its logits."""
        short = probe[: max(len(probe) * 5 // 8, 1)]
        copies = [Copy(probe, len(probe) // 2), Copy(short, len(short) - 1)]
        wanted = [self._logits([copy], Way(False, False))[0] for copy in copies]
        tolerance = TOLERANCE.get(self.model.dtype, 1e-3) * float(wanted[0].max() - wanted[0].min())
        for padding, picked in product((True, False), (True, False)):
            way = Way(picked, padding)
            try:
                groups = [copies] if padding else [[copy] for copy in copies]
                found = [logits for group in groups for logits in self._logits(group, way)]
                agrees = all(
                    a.shape == b.shape and float((a - b).abs().max()) <= tolerance
                    for a, b in zip(found, wanted, strict=True)
                )
            except Exception as error:  # a way that raises is one that does not agree
                if is_out_of_memory(error):
                    raise
                agrees = False
            if agrees:
                return way
        return Way(False, False)


@contextmanager
def _picking(encoder: Any, row: Tensor, at: Tensor) -> Iterator[None]:
    """Let what follows an encoder see the states of one position of each row only, (n, 1, d)."""

    def pick(_module: Any, _given: Any, output: Any) -> Any:
        states = output[0][row, at][:, None]
        if isinstance(output, tuple):
            return (states, *output[1:])
        output["last_hidden_state"] = states
        return output

    handle = encoder.register_forward_hook(pick)
    try:
        yield
    finally:
        handle.remove()
