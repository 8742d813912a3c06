"""What lets a model read a tree: which tokens see which, at which positions, and the keys and values of what comes before.

transformers takes a mask of four dimensions as it is, and some models a mapping with one mask per kind of layer. No window is added
for us then, so that of sliding layers is put in here: by depth in the tree, never by the index within the packed row.
"""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor

from workbench.models._plan import Row

__all__ = ["Kept", "Masks", "moved", "narrowed", "past_name", "window_of"]

SLIDING, FULL = "sliding_attention", "full_attention"


def window_of(config: Any) -> int | None:
    """Return the window of the sliding layers, None where no layer slides."""
    window = getattr(config, "sliding_window", None)
    kinds = getattr(config, "layer_types", None)
    if not window or getattr(config, "use_sliding_window", True) is False:
        return None
    return int(window) if kinds is None or SLIDING in kinds else None


@contextmanager
def narrowed(model: Any, window: int) -> Iterator[None]:
    """Hold the window of a model's sliding layers at `window` tokens for a while.

    transformers reads it from the configuration whenever it makes masks, so that a short prompt shows what a long one would.
    """
    own = model.config.get_text_config()
    inner = getattr(model.get_decoder(), "config", own) if hasattr(model, "get_decoder") else own
    configs = {id(one): one for one in (own, inner)}.values()
    kept = [(config, config.sliding_window) for config in configs if getattr(config, "sliding_window", None)]
    try:
        for config, _ in kept:
            config.sliding_window = window
        yield
    finally:
        for config, before in kept:
            config.sliding_window = before


class Masks(NamedTuple):
    """How masks are made for a model.

    window: of sliding layers, in tokens; None where there are none
    by_kind: whether the model takes a mapping from kind of layer to mask
    added: the type of masks that are added to the scores (eager attention); None for boolean ones
    """

    window: int | None
    by_kind: bool
    added: torch.dtype | None

    @staticmethod
    def of(model: Any, dtype: torch.dtype) -> "Masks | None":
        """Return the manner of masks of a transformers model; None where it has layers or an attention that take none."""
        config = model.config.get_text_config()
        kinds = getattr(config, "layer_types", None)
        attention = getattr(config, "_attn_implementation", None)
        if attention not in ("sdpa", "eager") or not {*(kinds or ())} <= {SLIDING, FULL}:
            return None
        return Masks(window_of(config), kinds is not None, dtype if attention == "eager" else None)

    def arguments(self, rows: Sequence[Row], device: torch.device) -> dict[str, Any]:
        """Return attention_mask and position_ids of rows below one parent, padded on the right to the longest."""
        start, size = rows[0].start, max(len(row.tokens) for row in rows)
        depth = torch.tensor([_padded(row.depth or range(row.start, row.stop), size, start) for row in rows])
        end = torch.tensor([_padded(row.end or [len(row.tokens)] * len(row.tokens), size, 0) for row in rows])
        depth, end = moved(depth, device), moved(end, device)
        masks = {FULL: seen(end, depth, start)}
        if self.window is not None:
            masks[SLIDING] = seen(end, depth, start, self.window)
        ready = {kind: self._typed(mask) for kind, mask in masks.items()}
        alone = ready.get(SLIDING, ready[FULL])  # without kinds, a window is that of every layer
        mask: Tensor | Mapping[str, Tensor] = {SLIDING: alone} | ready if self.by_kind else alone
        return {"attention_mask": mask, "position_ids": depth}

    def _typed(self, mask: Tensor) -> Tensor:
        if self.added is None:
            return mask
        return torch.zeros(mask.shape, dtype=self.added, device=mask.device).masked_fill_(
            ~mask, torch.finfo(self.added).min
        )


def seen(end: Tensor, depth: Tensor, start: int = 0, window: int | None = None) -> Tensor:
    """Return which (query, key) pairs are allowed, (rows, 1, t, start + t), for end and depth (rows, t).

    Keys are the `start` tokens before the rows and the rows' own tokens; a token sees its ancestors and itself, and with a window
    only those less than `window` above it. Padding sees itself, so that no softmax is empty.

    >>> seen(torch.tensor([[3, 2, 3]]), torch.tensor([[0, 1, 1]]))[0, 0].int()
    tensor([[1, 0, 0],
            [1, 1, 0],
            [1, 0, 1]], dtype=torch.int32)
    """
    rows, size = end.shape
    place = torch.arange(size, device=end.device)
    own = (place <= place[:, None]) & (place[:, None] < end[:, None, :])
    allowed = torch.cat([own.new_ones(rows, size, start), own], 2)
    if window is not None:
        before = torch.arange(start, device=end.device).expand(rows, -1)
        allowed &= depth[:, :, None] - torch.cat([before, depth], 1)[:, None, :] < window
    allowed[:, place, start + place] = True
    return allowed[:, None]


class Kept:
    """Keys and values of a chain and of what stands before it: recorded by one forward, read by many, changed by none.

    It stands in for a `transformers.Cache`, whose own kinds would change with every forward and drop keys of sliding layers.
    """

    is_compileable = False
    is_sliding = ()

    def __init__(self, before: "Kept | None" = None) -> None:
        self.own: dict[int, tuple[Tensor, Tensor]] = {}  # by layer; those from before stay where they are
        self.before, self.length, self.recording = before, 0, True

    def update(self, keys: Tensor, values: Tensor, layer: int, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        """Return a layer's keys and values (rows, heads, t, d), those from before in front; keep them while recording."""
        source = self.before if self.recording else self
        if self.recording:
            self.own[layer] = keys, values
        keys_, values_ = [keys], [values]
        while source is not None:
            for parts, old in zip((keys_, values_), source.own[layer], strict=True):
                parts.insert(0, old.expand(len(keys), -1, -1, -1))
            source = source.before
        return (keys, values) if len(keys_) == 1 else (torch.cat(keys_, 2), torch.cat(values_, 2))

    def close(self, length: int) -> None:
        """Keep what is there, `length` tokens with those from before, in one piece of memory, and record no more."""
        self.length, self.recording = length, False
        parts = [part for pair in self.own.values() for part in pair]
        whole = torch.split(torch.cat([part.reshape(-1) for part in parts]), [part.numel() for part in parts])
        pairs = iter(piece.view(part.shape) for part, piece in zip(parts, whole, strict=True))
        self.own = {layer: (next(pairs), next(pairs)) for layer in self.own}

    def get_seq_length(self, *_: int) -> int:
        """Return how many tokens come before those of a forward."""
        if self.recording:
            return self.before.length if self.before else 0
        return self.length


def past_name(module: Any) -> str:
    """Return what a module's forward calls keys and values of tokens before: "cache", until transformers 5.23 "past_key_values"."""
    return "cache" if "cache" in inspect.signature(module.forward).parameters else "past_key_values"


def _padded(values: Sequence[int], size: int, fill: int) -> list[int]:
    return [*values, *[fill] * (size - len(values))]


def moved(values: Tensor, device: torch.device) -> Tensor:
    """Return a tensor on the device, copied while it computes where it is a GPU."""
    return values.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else values.to(device)
