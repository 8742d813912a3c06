"""The head's kernel for GPUs gives the numbers of the plain head, compiled and not; here it runs on the CPU."""

import shutil
from typing import Any

import numpy as np
import pytest
import tiny
import torch
from heads import NAMES, draw, oracle, same
from torch import Tensor

from workbench.models import _fused
from workbench.models._fused import Fused
from workbench.models.engine import Engine
from workbench.models.head import Head, statistics
from workbench.models.verbs import Request

REQUESTS = [
    Request("The capital of France is", " Paris"),
    Request("The capital of France is", " gold"),
    Request("", "The quick brown fox jumps over the lazy dog."),
    Request("A fox", " and a dog"),
]
BF16 = {"logp": 2e-2, "top_logp": 2e-2, "mean_logp": 2e-2, "var_logp": 5e-2}  # of rounded logits of up to 8 nats


def logits_of(head: Head, hidden: Tensor) -> Tensor:
    """Return all logits in float64."""
    logits = hidden.double() @ head.weight.double().T
    logits = (logits + head.bias if head.bias is not None else logits) * head.scale
    return head.softcap * torch.tanh(logits / head.softcap) if head.softcap else logits


@pytest.mark.parametrize("block", [7, 128, 1000, 8192])
@pytest.mark.parametrize(
    ("scale", "softcap", "bias"), [(1.0, None, False), (0.25, None, True), (1.0, 4.0, False), (2.0, 3.0, True)]
)
def test_sums_of_blocks_equal_float64(block: int, scale: float, softcap: float | None, *, bias: bool) -> None:
    """Whatever the block, with bias, scale and soft cap; several targets at some positions, none at others."""
    hidden, weight, position, target = draw(block, spread=0.3)
    head = Head(weight, torch.linspace(-1, 1, 1000) if bias else None, scale, softcap)

    found = Fused(head).statistics(hidden, position, target, block=block)

    assert found is not None
    same(found, oracle(logits_of(head, hidden), position, target))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_one_state_with_one_target(dtype: torch.dtype) -> None:
    """A single position goes the same way."""
    hidden, weight, _, target = draw(3, spread=0.3)
    head = Head(weight.to(dtype))
    here, goal = torch.zeros(1, dtype=torch.long), target[:1]

    found = Fused(head).statistics(hidden[:1].to(dtype), here, goal)

    assert found is not None
    same(found, statistics(hidden[:1].to(dtype), head, here, goal), atol=1e-4)


def test_half_precision_equals_the_walk_over_the_same_logits() -> None:
    """In bfloat16 both see the model's own rounded logits, and add in float32."""
    hidden, weight, position, target = draw(11, n=40, spread=0.3)
    head, half = Head(weight.bfloat16()), hidden.bfloat16()

    found = Fused(head).statistics(half, position, target, block=128)

    assert found is not None
    expected = statistics(half, head, position, target, block=128)
    same(found, expected, atol=1e-4)
    exact = oracle(logits_of(head, half), position, target)
    for name, atol in BF16.items():
        torch.testing.assert_close(getattr(found, name).double(), getattr(exact, name), rtol=0, atol=atol)


@pytest.mark.parametrize("unfit", ["far", "nan", "many targets"])
def test_what_it_cannot_add_up_is_left_to_the_walk(unfit: str) -> None:
    """Logits far above the reference, logits that are no numbers, and positions with many targets give None, not digits lost."""
    hidden, weight, position, target = draw(5, spread=0.3)
    target = target.clamp(max=800)
    if unfit == "far":
        hidden[:, 0], weight[:, 0], weight[900, 0] = 1.0, 0.0, 60.0
    elif unfit == "nan":
        hidden[3, 0] = torch.nan
    else:
        position = torch.zeros_like(position).repeat(2)
        target = target.repeat(2)

    assert Fused(Head(weight)).statistics(hidden, position, target, block=100) is None


def compiled_as_plain(backend: Any) -> None:
    """Compare a compiled kernel with float64, in two calls of other sizes."""
    hidden, weight, position, target = draw(2, n=30, spread=0.3)
    head = Head(weight, None, 0.5, 4.0)
    fused = Fused(head, after=0, backend=backend)

    found = fused.statistics(hidden, position, target, block=128)
    compiled = fused.measure
    again = fused.statistics(hidden[:9], position[position < 9], target[position < 9], block=256)
    alone = fused.statistics(hidden[:1], position[position < 1], target[position < 1])

    assert fused.note == ""
    assert compiled is not fused.plain
    assert compiled is fused.measure
    assert found is not None
    same(found, oracle(logits_of(head, hidden), position, target))
    for part, size in ((again, 9), (alone, 1)):
        assert part is not None
        for name in NAMES:
            torch.testing.assert_close(getattr(part, name), getattr(found, name)[position < size], rtol=1e-5, atol=2e-5)


@pytest.mark.filterwarnings("ignore")  # of torch's compiler, about itself
def test_one_graph_serves_every_size() -> None:
    """Traced once by torch.compile, the kernel is not made anew for other numbers of positions, targets or tokens."""
    from torch._dynamo.testing import CompileCounterWithBackend  # twelve seconds, for all who collect tests

    counter = CompileCounterWithBackend("aot_eager")

    compiled_as_plain(counter)

    assert counter.frame_count == 1


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler on a CPU")
@pytest.mark.filterwarnings("ignore")
def test_the_compiled_kernel_gives_the_plain_numbers() -> None:
    """The same with a kernel that is really made: of C++ here, of Triton on a GPU."""
    compiled_as_plain("inductor")


def test_a_kernel_that_does_not_agree_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where compiling fails, or gives other numbers, the plain function stays, and a note says so."""
    hidden, weight, position, target = draw(2, spread=0.3)
    wrong = lambda plain, **_: lambda *given: plain(*given)._replace(top=plain(*given).top + 1)  # noqa: E731
    monkeypatch.setattr(torch, "compile", wrong)
    fused = Fused(Head(weight), after=0)

    found = fused.statistics(hidden, position, target)

    assert fused.measure is fused.plain
    assert "uncompiled (AssertionError" in fused.note
    assert found is not None
    same(found, oracle(logits_of(Head(weight), hidden), position, target))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_engine_gives_the_same_scores(dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine whose head goes this way, as on a GPU, scores as one that does not, and its notes are the kernel's too."""
    model, tokens = tiny.language_model("gemma3").to(dtype), tiny.tokenizer()
    plain, other = (Engine(model, tokens, device="cpu") for _ in range(2))
    assert plain._forward.head is not None
    used: list[Any] = []
    inner = Fused.statistics
    monkeypatch.setattr(_fused.Fused, "statistics", lambda self, *given: used.append(r := inner(self, *given)) or r)
    other._forward.fused = Fused(plain._forward.head)
    other._forward.fused.note = "the head runs uncompiled"

    expected, found = plain.score(REQUESTS), other.score(REQUESTS)

    assert used
    assert all(one is not None for one in used)
    for name in ("logp", "top_logp", "mean_logp", "var_logp"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=1e-4)
    assert "the head runs uncompiled" in other.notes


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_on_a_gpu_the_compiled_kernel_gives_the_plain_numbers(dtype: torch.dtype) -> None:
    """The same on CUDA: 2e-5 nats in float32, and 1e-4 of the same rounded logits in bfloat16."""
    hidden, weight, position, target = (each.cuda() for each in draw(2, n=500, d=640, vocabulary=50_000, spread=0.02))
    head, states = Head(weight.to(dtype)), hidden.to(dtype)
    fused = Fused(head, after=0)

    found = fused.statistics(states, position, target)

    assert fused.note == ""
    assert found is not None
    same(found, statistics(states, head, position, target), atol=2e-5 if dtype == torch.float32 else 1e-4)
