"""From hidden states to statistics over the vocabulary, without a `[positions, vocabulary]` tensor.

The vocabulary is walked in blocks, with a running maximum and running sums (an online log-sum-exp with first and second
moments), in float32 whatever the model computes in. The softmax is over all rows of the head, also those that pad the
vocabulary, as in transformers. `statistics` starts from hidden states, `statistics_of_logits` from logits.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

__all__ = ["Head", "Statistics", "statistics", "statistics_of_logits"]

BLOCK = {"cpu": 1024}  # rows of the head at a time: with 256 positions their logits take 1 MiB and stay in the cache
BLOCK_ELSEWHERE = 8192
FAR = 30.0  # nats above the reference of `_fixed` from which the variance would lose digits


class Statistics(NamedTuple):
    """Per target, float32: log p, and the four others of its position; nats, except `rank`, a count."""

    logp: Tensor
    top_logp: Tensor
    mean_logp: Tensor
    var_logp: Tensor
    rank: Tensor


@dataclass(frozen=True)
class Head:
    """The last layer: logits = softcap(scale * (hidden @ weight.T + bias))."""

    weight: Tensor  # (vocabulary, d)
    bias: Tensor | None = None
    scale: float = 1.0
    softcap: float | None = None

    @staticmethod
    def of(model: Any) -> "Head | None":
        """Return the head of a transformers model; None where it is not a plain linear layer."""
        layer = model.get_output_embeddings() if hasattr(model, "get_output_embeddings") else None
        weight = getattr(layer, "weight", None)
        if type(layer) is not torch.nn.Linear or weight is None or weight.is_meta or not weight.is_floating_point():
            return None
        if layer._forward_hooks or layer._forward_pre_hooks:  # somebody watches or changes what the layer does
            return None
        config = model.config.get_text_config()
        divisor = getattr(config, "logits_scaling", None)  # Granite divides, Cohere multiplies
        scale = float(getattr(config, "logit_scale", None) or 1.0) / float(divisor or 1.0)
        return Head(weight, layer.bias, scale, getattr(config, "final_logit_softcapping", None))

    @property
    def plain(self) -> bool:
        """Whether logits are a product of float32 matrices and nothing more."""
        return self.weight.dtype == torch.float32 and self.bias is None and self.scale == 1.0 and self.softcap is None

    def logits(self, hidden: Tensor, start: int = 0, stop: int | None = None) -> Tensor:
        """Return the logits (n, stop - start) of hidden states (n, d), float32 (float64 stays).

        >>> Head(torch.eye(3), softcap=2.0).logits(torch.tensor([[0.0, 2.0, 200.0]]))
        tensor([[0.0000, 1.5232, 2.0000]])
        """
        part = slice(start, stop)
        return self.shaped(hidden @ self.weight[part].T, None if self.bias is None else self.bias[part])

    def at(self, hidden: Tensor, token: Tensor) -> Tensor:
        """Return one logit per row: that of `token` (n,) for hidden states (n, d), rounded as `logits` rounds."""
        product = (hidden.float() * self.weight[token].float()).sum(-1).to(hidden.dtype)
        return self.shaped(product, None if self.bias is None else self.bias[token])

    def shaped(self, product: Tensor, bias: Tensor | None) -> Tensor:
        """Return the logits of products: float32 (float64 stays), with bias, scale and soft cap."""
        logits = product if product.dtype == torch.float64 else product.float()
        if bias is not None:
            logits = logits + bias
        if self.scale != 1.0:
            logits = logits * self.scale
        return logits if self.softcap is None else self.softcap * torch.tanh(logits / self.softcap)


def statistics(hidden: Tensor, head: Head, position: Tensor, target: Tensor, *, block: int | None = None) -> Statistics:
    """Return the statistics of each target token, (m,).

    Args:
        hidden: states (n, d) that predict
        head: the last layer
        position: which of the n states predicts each target, (m,)
        target: token ids, (m,)
        block: rows of the vocabulary at a time; None for what suits the device

    >>> found = statistics(torch.zeros(1, 2), Head(torch.ones(4, 2)), torch.tensor([0]), torch.tensor([3]))
    >>> [round(float(value), 4) for value in found]
    [-1.3863, -1.3863, -1.3863, 0.0, 0.0]
    """
    size = block or BLOCK.get(hidden.device.type, BLOCK_ELSEWHERE)
    threshold = head.at(hidden[position], target)
    plain = head.plain and hidden.dtype == torch.float32
    if plain and (found := _fixed(hidden, head, threshold, position, target, size)):
        return found
    blocks = ((v, head.logits(hidden, v, v + size)) for v in range(0, len(head.weight), size))
    return _walk(blocks, threshold, position, target)


def statistics_of_logits(logits: Tensor, position: Tensor, target: Tensor, *, block: int | None = None) -> Statistics:
    """Return the same from logits (n, vocabulary), for models whose head cannot be called apart.

    >>> found = statistics_of_logits(torch.tensor([[0.0, 1.0]]), torch.tensor([0]), torch.tensor([0]))
    >>> [round(float(value), 4) for value in found]
    [-1.3133, -0.3133, -0.5822, 0.1966, 1.0]
    """
    size = block or BLOCK.get(logits.device.type, BLOCK_ELSEWHERE)

    def blocks() -> Iterator[tuple[int, Tensor]]:
        for v in range(0, logits.shape[1], size):
            part = logits[:, v : v + size]
            yield v, part.clone() if part.dtype == torch.float64 else part.to(torch.float32, copy=True)

    own = logits[position, target]
    return _walk(blocks(), own if own.dtype == torch.float64 else own.float(), position, target)


def _fixed(
    hidden: Tensor, head: Head, threshold: Tensor, position: Tensor, target: Tensor, block: int
) -> Statistics | None:
    """Return the statistics of plain logits; None where some are too far above the reference for float32.

    The reference of each position is a logit that is known before the walk: the largest of the first block and of its targets. The
    product subtracts it, so that a block is written once and read by few passes; `_walk` does without a reference. A block has a
    line per token of the vocabulary: the product of the weights as they lie with the states on their side is the faster one.
    """
    states = hidden.T.contiguous()
    first = (head.weight[:block] @ states).amax(0)
    reference = first.scatter_reduce(0, position, threshold, "amax")
    limit = threshold - reference[position]
    each = len(position) == len(hidden) and torch.equal(position, torch.arange(len(position), device=position.device))
    top = torch.full_like(reference, -torch.inf)
    s0, s1, s2 = torch.zeros(
        3, len(hidden), device=hidden.device
    )  # sums of e^x, x e^x, x^2 e^x with x = logit - reference
    rank, own = torch.zeros_like(target), torch.zeros_like(threshold)
    for v in range(0, len(head.weight), block):
        x = torch.addmm(-reference, head.weight[v : v + block], states)
        column = target - v
        inside = (column >= 0) & (column < len(x))
        here = x[column.clamp(0, len(x) - 1), position]
        own = torch.where(inside, here, own)
        rank += torch.count_nonzero((x if each else x[:, position]) > limit, dim=0)
        rank -= (inside & (here > limit)).long()  # a target does not count itself
        top = torch.maximum(top, x.amax(0))
        e = x.exp()
        s0 += e.sum(0)
        s1 += e.mul_(x).sum(0)
        s2 += e.mul_(x).sum(0)
    if not bool((top < FAR).all()):
        return None
    lse, mean = s0.log(), s1 / s0
    return Statistics(
        (own - lse[position]).clamp(max=0.0),  # a certain token's sum of e^x rounds
        (top - lse)[position].clamp(max=0.0),
        (mean - lse)[position].clamp(max=0.0),
        (s2.double() / s0 - mean.double() ** 2).clamp(min=0.0).float()[position],
        torch.where(own >= top[position], 0, rank.clamp(min=1)).float(),
    )


def _walk(blocks: Iterable[tuple[int, Tensor]], threshold: Tensor, position: Tensor, target: Tensor) -> Statistics:
    """Walk blocks of logits, which are overwritten; `threshold` is each target's logit, for the rank."""
    rank = torch.zeros_like(target)
    own = torch.zeros_like(threshold)
    each = len(position) and torch.equal(position, torch.arange(len(position), device=position.device))
    peak = s0 = s1 = s2 = torch.empty(0)
    for v, logits in blocks:
        if v == 0:
            peak = logits.new_full((len(logits),), torch.finfo(logits.dtype).min)
            s0, s1, s2 = logits.new_zeros(3, len(logits))  # sums of e^x, x e^x, x^2 e^x with x = logit - peak
        column = target - v
        inside = (column >= 0) & (column < logits.shape[1])
        here = logits[position, column.clamp(0, logits.shape[1] - 1)]
        own = torch.where(inside, here, own)
        # The matrix product and the single product round differently: a target must not count itself.
        rows = logits if each and len(position) == len(logits) else logits[position]
        rank += (rows > threshold[:, None]).sum(-1) - (inside & (here > threshold)).long()
        new = torch.maximum(peak, logits.amax(-1))
        step = (peak - new).clamp(min=-200.0)  # finite on the first block, where the sums are 0
        decay = step.exp()
        x = logits.sub_(new[:, None]).clamp_(min=-200.0)  # a logit of -inf adds 0, not NaN
        e = x.exp()
        moment = e * x
        s2 = decay * (s2 + 2 * step * s1 + step**2 * s0) + torch.linalg.vecdot(moment, x)
        s1 = decay * (s1 + step * s0) + moment.sum(-1)
        s0 = decay * s0 + e.sum(-1)
        peak = new
    mean = s1 / s0
    lse = s0.log()
    found = (
        (own - peak[position] - lse[position]).clamp(max=0.0),
        -lse[position],
        (mean - lse)[position].clamp(max=0.0),
        (s2 / s0 - mean**2).clamp(min=0.0)[position],
        torch.where(own >= peak[position], 0, rank.clamp(min=1)),  # 0 exactly for the first choice
    )
    return Statistics(*(part.float() for part in found))
