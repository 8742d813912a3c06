"""The blocked head gives what float64 over all logits gives."""

import pytest
import torch
from heads import draw, oracle, same
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workbench.models.head import Head, statistics, statistics_of_logits


@pytest.mark.parametrize("block", [1, 7, 128, 1000, 8192])
@pytest.mark.parametrize(
    ("scale", "softcap", "bias"), [(1.0, None, False), (0.25, None, True), (1.0, 4.0, False), (2.0, 3.0, True)]
)
def test_statistics_equal_float64(block: int, scale: float, softcap: float | None, *, bias: bool) -> None:
    """Whatever the block, with bias, scale and soft cap, which the oracle applies in float64."""
    hidden, weight, position, target = draw(block, spread=0.3)  # a soft cap makes ties of larger logits, in float32
    head = Head(weight, torch.linspace(-1, 1, 1000) if bias else None, scale, softcap)
    logits = hidden.double() @ weight.double().T
    logits = (logits + head.bias if head.bias is not None else logits) * scale
    logits = softcap * torch.tanh(logits / softcap) if softcap else logits

    same(statistics(hidden, head, position, target, block=block), oracle(logits, position, target))
    same(statistics_of_logits(logits, position, target, block=block), oracle(logits, position, target))
    torch.testing.assert_close(head.logits(hidden), logits.float(), rtol=1e-5, atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), spread=st.floats(0.01, 30.0), block=st.integers(20, 400))
@example(seed=493, spread=8.0, block=147)  # log p of a certain token was above 0 by rounding
def test_statistics_hold_for_flat_and_peaked_models(seed: int, spread: float, block: int) -> None:
    """Log p of -500 and a uniform distribution are both exact to float32."""
    hidden, weight, position, target = draw(seed, vocabulary=300, spread=spread)
    logits = hidden.double() @ weight.double().T

    found = statistics(hidden, Head(weight), position, target, block=block)

    expected = oracle(logits, position, target)
    for name in ("logp", "top_logp", "mean_logp"):
        torch.testing.assert_close(
            getattr(found, name).double(), getattr(expected, name), rtol=2e-6, atol=3e-5 * max(spread, 1)
        )
    assert (found.logp <= 0).all()
    assert (found.var_logp >= 0).all()


def test_the_first_choice_has_rank_zero_although_products_round_differently() -> None:
    """A target is never counted against itself: at 2,000 positions each token's rank is that of a full sort of its row."""
    generator = torch.Generator().manual_seed(5)
    hidden, weight = torch.randn(2000, 96, generator=generator), torch.randn(500, 96, generator=generator)
    head = Head(weight)
    position = torch.arange(2000)
    best = head.logits(hidden).argmax(-1)
    alone = (hidden * weight[best]).sum(-1)
    assert (head.logits(hidden).amax(-1) > alone).float().mean() > 0.1  # the trap is there

    found = statistics(hidden, head, position, best, block=128)

    assert (found.rank == 0).all()
    torch.testing.assert_close(found.logp, found.top_logp)


def test_equal_logits_share_a_rank() -> None:
    """Rank counts larger logits only."""
    logits = torch.tensor([[1.0, 3.0, 3.0, 2.0]])

    found = statistics_of_logits(logits, torch.zeros(4, dtype=torch.long), torch.arange(4))

    assert found.rank.tolist() == [3, 0, 0, 2]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_accumulates_in_float32(dtype: torch.dtype) -> None:
    """From the model's own rounded logits on, nothing more is lost: 100,000 terms of 1e-5 still add to one."""
    generator = torch.Generator().manual_seed(1)
    weight = torch.randn(100_000, 8, generator=generator).to(dtype) / 8
    hidden = torch.randn(3, 8, generator=generator).to(dtype)
    position, target = torch.arange(3), torch.tensor([5, 50_000, 99_999])
    rounded = torch.cat([hidden @ weight[v : v + 8192].T for v in range(0, 100_000, 8192)], dim=1)
    expected = oracle(rounded, position, target)

    found = statistics(hidden, Head(weight), position, target)

    for name in ("logp", "top_logp", "mean_logp", "var_logp"):
        torch.testing.assert_close(getattr(found, name).double(), getattr(expected, name).double(), rtol=0, atol=1e-4)
    own = rounded[position, target].double()[:, None]
    step = own.abs() * torch.finfo(dtype).eps  # one unit in the last place
    fewest, most = (rounded.double() > own + step).sum(-1), (rounded.double() >= own - step).sum(-1)
    assert ((fewest <= found.rank) & (found.rank <= most)).all()


def test_masked_vocabulary_is_no_nan() -> None:
    """A logit of -inf takes no probability; a target there has log p = -inf."""
    logits = torch.tensor([[-torch.inf, 0.0, -torch.inf, 0.0, -torch.inf]])

    found = statistics_of_logits(logits, torch.tensor([0, 0]), torch.tensor([1, 2]), block=1)

    torch.testing.assert_close(found.logp, torch.tensor([-torch.log(torch.tensor(2.0)), -torch.inf]))
    torch.testing.assert_close(found.mean_logp, -torch.log(torch.tensor([2.0, 2.0])))


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
@pytest.mark.parametrize("column", [0, 5, 9])
def test_nan_and_inf_give_nan(bad: float, column: int) -> None:
    """One unusable logit anywhere makes the position's numbers NaN, never 0, and no other position's."""
    logits = torch.zeros(2, 10)
    logits[0, column] = bad

    found = statistics_of_logits(logits, torch.tensor([0, 1]), torch.tensor([3, 3]), block=3)

    assert found.logp.isnan().tolist() == [True, False]
    assert found.mean_logp.isnan().tolist() == [True, False]


def test_logits_given_are_not_changed() -> None:
    """The walk works on copies."""
    logits = torch.arange(6.0).reshape(2, 3)

    statistics_of_logits(logits, torch.tensor([0]), torch.tensor([0]))

    assert logits.equal(torch.arange(6.0).reshape(2, 3))


@pytest.mark.parametrize(("height", "walked"), [(10.0, False), (60.0, True), (300.0, True)])
def test_a_logit_far_above_the_first_block_costs_no_digit(
    monkeypatch: pytest.MonkeyPatch, height: float, *, walked: bool
) -> None:
    """Where a later block passes the reference by more than float32 bears, the walk with a running peak takes over."""
    from workbench.models import head as module

    calls: list[int] = []
    inner = module._walk
    monkeypatch.setattr(module, "_walk", lambda *given: (calls.append(1), inner(*given))[1])
    hidden, weight, position, target = draw(5, spread=0.3)
    target = target.clamp(max=800)
    hidden[:, 0], weight[:, 0], weight[900, 0] = 1.0, 0.0, height

    found = statistics(hidden, Head(weight), position, target, block=100)

    same(found, oracle(hidden.double() @ weight.double().T, position, target), atol=1e-4)
    assert bool(calls) == walked
