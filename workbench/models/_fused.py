"""The head on a GPU: blocks of logits in the model's own type, each read once by a kernel that torch.compile makes of `measured`.

A product of a block is written by the matrix product and read again for its sums, its largest and the counts for the ranks. Run one
by one these are ten passes through memory, which in half precision take longer than the product; compiled they are one or two.
Compiling takes seconds, so it waits until `AFTER` positions were asked for, is compared with the plain function on a sample, and
leaves the plain one in place, with a note, where it fails. Shapes are dynamic, and never 1, so that there is one graph per head.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from workbench.models._memory import is_out_of_memory
from workbench.models.head import BLOCK_ELSEWHERE, FAR, Head, Statistics

__all__ = ["Fused", "Measured", "measured"]

AFTER = 16_384  # positions after which compiling is paid for; an estimate, not measured on a GPU
MOST_TARGETS = 16  # of one position: each is one more comparison with every logit


class Measured(NamedTuple):
    """Of a block of logits, per position: the largest, sums of e^x, x e^x, x^2 e^x (x above the reference), counts above limits."""

    top: Tensor  # (n,)
    sums: Tensor  # (3, n)
    above: Tensor  # (n, k)


Measure = Callable[[Tensor, Tensor | None, Tensor, Tensor], Measured]


def measured(
    product: Tensor, bias: Tensor | None, reference: Tensor, limit: Tensor, *, scale: float, softcap: float | None
) -> Measured:
    """Return what is kept of a block.

    Args:
        product: states times weights (n, block), in the model's type
        bias: of the block's tokens (block,)
        reference: what logits are taken relative to, (n,) float32
        limit: logits above which to count, (n, k) float32
        scale: of the head
        softcap: of the head

    >>> found = measured(torch.tensor([[0.0, 1.0]]), None, torch.zeros(1), torch.tensor([[0.5]]), scale=1.0, softcap=None)
    >>> found.top.item(), found.above.item(), round(found.sums[0].item(), 3)
    (1.0, 1, 3.718)
    """
    logits = product.float()
    if bias is not None:
        logits = logits + bias
    if scale != 1.0:
        logits = logits * scale
    if softcap is not None:
        logits = softcap * torch.tanh(logits / softcap)
    x = logits - reference[:, None]
    e = x.exp()
    moment = e * x
    sums = torch.stack([e.sum(1), moment.sum(1), (moment * x).sum(1)])
    return Measured(logits.amax(1), sums, (logits[:, :, None] > limit[:, None, :]).sum(1))


class Fused:
    """Statistics of one head from hidden states; `note` says why the kernel is not a compiled one, where it cannot be."""

    def __init__(self, head: Head, *, after: int = AFTER, backend: Any = "inductor") -> None:
        self.head, self.after, self.backend, self.asked, self.note = head, after, backend, 0, ""
        self.plain: Measure = partial(measured, scale=head.scale, softcap=head.softcap)
        self.measure: Measure = self.plain
        self.tried = False

    def statistics(
        self, hidden: Tensor, position: Tensor, target: Tensor, *, block: int = BLOCK_ELSEWHERE
    ) -> Statistics | None:
        """Return the statistics of each target, as `head.statistics`; None where that has to walk.

        It has to where logits lie too far above the reference for float32, are not finite, or a position has many targets.
        """
        self.asked += len(hidden)
        if self.asked > self.after and not self.tried:
            self.tried = True
            self._compile(hidden)
        head = self.head
        place = _within(position)
        width = max(int(place.max()) + 1, 2)
        if width > MOST_TARGETS:
            return None
        threshold = head.at(hidden[position], target)
        if len(hidden) == 1:
            hidden = hidden.expand(2, -1)
        limit = threshold.new_full((len(hidden), width), math.inf)
        limit[position, place] = threshold
        first = head.logits(hidden, 0, block).amax(1)
        reference = first.scatter_reduce(0, position, threshold, "amax")
        top = torch.full_like(reference, -math.inf)
        sums = reference.new_zeros(3, len(hidden))
        rank, own = torch.zeros_like(target), torch.zeros_like(threshold)
        for v in range(0, len(head.weight), block):
            product = hidden @ head.weight[v : v + block].T
            part = None if head.bias is None else head.bias[v : v + block]
            found = self.measure(product, part, reference, limit)
            column = target - v
            inside = (column >= 0) & (column < product.shape[1])
            at = column.clamp(0, product.shape[1] - 1)
            here = head.shaped(product[position, at], None if part is None else part[at])
            own = torch.where(inside, here, own)
            rank += found.above[position, place] - (inside & (here > threshold)).long()
            top = torch.maximum(top, found.top)
            sums += found.sums
        if not bool((top - reference < FAR).all() and sums.isfinite().all()):
            return None
        log, mean = sums[0].log(), sums[1] / sums[0]
        lse = reference + log
        return Statistics(
            own - lse[position],
            (top - lse)[position],
            (mean - log)[position],
            (sums[2].double() / sums[0] - mean.double() ** 2).clamp(min=0.0).float()[position],
            torch.where(own >= top[position], 0, rank.clamp(min=1)).float(),
        )

    def _compile(self, hidden: Tensor) -> None:
        """Take the compiled function where it agrees with the plain one on a block."""
        compiled = torch.compile(self.plain, dynamic=True, backend=self.backend)
        sample, part = hidden[:64], slice(0, 384)
        sample = sample.expand(2, -1) if len(sample) == 1 else sample
        product = sample @ self.head.weight[part].T
        bias = None if self.head.bias is None else self.head.bias[part]
        logits = self.head.shaped(product, bias)
        given = (product, bias, logits.amax(1), logits[:, :2].clone())
        try:
            for ours, theirs in zip(compiled(*given), self.plain(*given), strict=True):
                torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
        except Exception as error:
            if is_out_of_memory(error):
                raise
            self.note = f"the head runs uncompiled ({type(error).__name__}: torch.compile does not work here)"
        else:
            self.measure = compiled


def _within(position: Tensor) -> Tensor:
    """Return the number of each target among those of its position, in order.

    >>> _within(torch.tensor([0, 0, 1, 3, 3, 3])).tolist()
    [0, 1, 0, 0, 1, 2]
    """
    order = torch.argsort(position, stable=True)
    ordered = position[order]
    first = torch.searchsorted(ordered, ordered)
    place = torch.empty_like(position)
    place[order] = torch.arange(len(position), device=position.device) - first
    return place
