"""The token budget of a GPU comes from two measured forwards and its free memory; here the device is a stand-in."""

from typing import Any

import pytest
import tiny
import torch
from hypothesis import given
from hypothesis import strategies as st

from workbench.models import _budget
from workbench.models.engine import Engine

MIB = 2**20


@given(
    fixed=st.integers(0, 10**9), each=st.integers(100, 10**6), free=st.floats(0, 1e11), row=st.sampled_from([256, 1024])
)
def test_the_budget_fits_into_the_memory(fixed: int, each: int, free: float, row: int) -> None:
    """What a forward of that many tokens takes is no more than is free, unless one row alone is; one row more would not fit."""
    tokens = _budget.fitting(lambda n: fixed + each * n, free, (row, 2 * row), 10**9)

    assert tokens >= row
    assert tokens == row or fixed + each * tokens <= free + each
    if each >= 0.1 * (fixed + each * row) / row:  # a flatter line is taken as noise, on the safe side
        assert fixed + each * (tokens + 2) > free


def test_a_use_that_does_not_grow_is_not_believed() -> None:
    """Where the second forward takes no more than the first, a tenth of the first's use per token is assumed, not nothing."""
    assert _budget.fitting(lambda n: 100 * MIB, 1100 * MIB, (1000, 2000), 10**9) in range(100_990, 101_001)


class Device:
    """Stands in for torch.cuda: bytes that are free, and what a forward of so many tokens takes."""

    def __init__(self, free: int, each: int) -> None:
        self.free, self.each, self.peak = free, each, 0

    def mem_get_info(self, device: Any) -> tuple[int, int]:
        """Return free and all."""
        return self.free, 80 * 2**30

    def memory_reserved(self, device: Any) -> int:
        """Return what the allocator holds."""
        return 2 * MIB

    def memory_allocated(self, device: Any) -> int:
        """Return what is in use."""
        return MIB

    def max_memory_allocated(self, device: Any) -> int:
        """Return the most that was in use."""
        return MIB + self.peak

    def synchronize(self, device: Any) -> None:
        """Wait."""

    def reset_peak_memory_stats(self, device: Any) -> None:
        """Begin again."""
        self.peak = 0

    def empty_cache(self) -> None:
        """Give back."""


@pytest.mark.parametrize(
    ("free", "expected"), [(80 * 2**30, 65_536), (2 * 2**30, 12_300), (2**30, 4_108), (300 * MIB, 64)]
)
def test_on_a_gpu_real_forwards_are_measured(monkeypatch: pytest.MonkeyPatch, free: int, expected: int) -> None:
    """At 64 KiB a token half of 2 GiB, without the head's block, holds 12,300 tokens; at least a row, at most the cap."""
    device = Device(free, 64 * 1024)
    for name in [name for name in vars(Device) if not name.startswith("_")]:
        monkeypatch.setattr(torch.cuda, name, getattr(device, name))
    forward = Engine(tiny.language_model(max_position_embeddings=64), tiny.tokenizer(), device="cpu")._forward
    ran: list[tuple[int, int]] = []
    inner = forward.states

    def states(rows: list[Any], kept: dict[Any, Any]) -> Any:
        ran.append((len(rows), len(rows[0].tokens)))
        assert all(
            len(row.scored) == 1 for row in rows
        )  # without, a model that keeps wanted logits would make them all
        device.peak = 64 * 1024 * sum(len(row.tokens) for row in rows)
        return inner(rows, kept)

    monkeypatch.setattr(forward, "states", states)
    monkeypatch.setattr(forward, "device", type("Cuda", (), {"type": "cuda"})())
    monkeypatch.setattr(
        forward, "_inputs", lambda rows, kept: {"input_ids": torch.ones(len(rows), 64, dtype=torch.long)}
    )

    assert abs(_budget.token_budget(forward, longest=64) - expected) <= 100
    assert ran == [(1, 64), (2, 64)]


def test_memory_that_runs_out_while_measuring_leaves_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where not even two rows fit, a forward has one."""
    device = Device(2**30, 1)
    for name in [name for name in vars(Device) if not name.startswith("_")]:
        monkeypatch.setattr(torch.cuda, name, getattr(device, name))
    forward = Engine(tiny.language_model(), tiny.tokenizer(), device="cpu")._forward

    def states(rows: list[Any], kept: dict[Any, Any]) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(forward, "states", states)
    monkeypatch.setattr(forward, "device", type("Cuda", (), {"type": "cuda"})())

    assert _budget.token_budget(forward) == 1024
