"""How many tokens one forward may have: on a CPU few, on a GPU what its free memory holds, by the use that two forwards show."""

from collections.abc import Callable, Sequence

import torch

from workbench.models._forward import TARGETS_ELSEWHERE, Forward
from workbench.models._memory import is_out_of_memory
from workbench.models._plan import Row, Wanted
from workbench.models.head import BLOCK_ELSEWHERE
from workbench.models.requests import Piece

__all__ = ["fitting", "row_tokens", "token_budget"]

BUDGET = {"cpu": 256, "cuda": 65_536}  # tokens per forward at most: a CPU gains nothing from more
BUDGET_ELSEWHERE = 8_192
ROW = {"cpu": 256}  # tokens of a tree: attention inside it is quadratic in them
ROW_ELSEWHERE = 1_024
SHARE = 0.5  # of the free memory: the rest is for kept keys and values, and for what others take meanwhile
HEAD_BYTES = 4 * 4 * TARGETS_ELSEWHERE * BLOCK_ELSEWHERE  # of a block of logits and what is made of it


def row_tokens(device: torch.device) -> int:
    """Return how many tokens a tree's row has, about."""
    return ROW.get(device.type, ROW_ELSEWHERE)


def token_budget(forward: Forward, *, longest: int | None = None) -> int:
    """Return how many tokens, with padding, one forward may have; `longest` is what the model reads at once."""
    kind = forward.device.type
    most = BUDGET.get(kind, BUDGET_ELSEWHERE)
    if kind != "cuda":
        return most
    row = min(row_tokens(forward.device), longest or row_tokens(forward.device))
    free = torch.cuda.mem_get_info(forward.device)[0]
    free += torch.cuda.memory_reserved(forward.device) - torch.cuda.memory_allocated(forward.device)
    try:
        return fitting(lambda tokens: _used(forward, tokens, row), SHARE * free - HEAD_BYTES, (row, 2 * row), most)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        torch.cuda.empty_cache()
        return row


def fitting(used: Callable[[int], int], free: float, sizes: Sequence[int], most: int) -> int:
    """Return how many tokens fit into `free` bytes, as a straight line through the use at two sizes says.

    Not fewer than the smaller of the sizes, which did fit, nor more than `most`.

    >>> fitting(lambda tokens: 1_000 + 10 * tokens, 51_000, (100, 200), 10_000)
    5000
    """
    small, large = sizes
    low, high = used(small), used(large)
    each = max((high - low) / (large - small), low / small * 0.1, 1.0)  # a line that is too flat is noise
    return max(min(int((free - low) / each) + small, most), small)


@torch.inference_mode()
def _used(forward: Forward, tokens: int, row: int) -> int:
    """Return the most bytes that a forward over rows of a tree takes beyond what was taken before."""
    chain = Row(tuple(forward.probe[i % len(forward.probe)] for i in range(row)))
    if forward.trees != "none":  # with a mask, as trees have it
        chain.depth, chain.end = tuple(range(row)), (row,) * row
    last = Wanted(
        Piece((*chain.tokens, chain.tokens[0]), row), 0, row - 1, chain.tokens[0]
    )  # so that not all logits are made
    rows = [Row(chain.tokens, [last], chain.depth, chain.end) for _ in range(tokens // row)]
    torch.cuda.synchronize(forward.device)
    torch.cuda.reset_peak_memory_stats(forward.device)
    before = torch.cuda.memory_allocated(forward.device)
    forward.states(rows, {})
    return int(torch.cuda.max_memory_allocated(forward.device) - before)
