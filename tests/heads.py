"""States and weights drawn for tests of the head, and its statistics from all logits in float64."""

import torch
from torch import Tensor

from workbench.models.head import Statistics

NAMES = Statistics._fields


def oracle(logits: Tensor, position: Tensor, target: Tensor) -> Statistics:
    """Return the same from all logits, float64, with a full sort for the rank."""
    logp = logits.double().log_softmax(-1)[position]
    own = logp.gather(-1, target[:, None])[:, 0]
    p = logp.exp()
    mean = (p * logp).sum(-1)
    var = (p * (logp - mean[:, None]) ** 2).sum(-1)
    order = logp.sort(dim=-1, descending=True, stable=True).indices
    rank = (order == target[:, None]).nonzero()[:, 1]
    return Statistics(own, logp.amax(-1), mean, var, rank)


def same(found: Statistics, expected: Statistics, atol: float = 2e-5) -> None:
    """Compare all five."""
    for name in NAMES:
        torch.testing.assert_close(
            getattr(found, name).double(), getattr(expected, name).double(), rtol=1e-6, atol=atol
        )


def draw(seed: int, *, n: int = 7, d: int = 16, vocabulary: int = 1000, spread: float = 1.0) -> tuple[Tensor, ...]:
    """Return hidden states, head weights, positions and targets: several targets at some positions, none at others."""
    generator = torch.Generator().manual_seed(seed)
    hidden = torch.randn(n, d, generator=generator) * spread
    weight = torch.randn(vocabulary, d, generator=generator)
    position = torch.randint(0, n - 1, (2 * n,), generator=generator).sort().values
    target = torch.randint(0, vocabulary, (2 * n,), generator=generator)
    return hidden, weight, position, target
