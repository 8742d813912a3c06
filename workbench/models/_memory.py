"""Running out of memory, and out of the range of half precision."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

__all__ = ["is_out_of_memory", "rejected", "widened"]


@contextmanager
def rejected() -> Iterator[None]:
    """Let a way of running a model that raises count as one that does not agree; memory that runs out is no such thing."""
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
