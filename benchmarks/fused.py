"""The head's compiled kernel against the plain functions, on a GPU where there is one: same states, numbers compared first.

Run alone: `python benchmarks/fused.py [--positions 2048] [--vocabulary 262144] [--width 640] [--dtype bfloat16]`.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch

from workbench.models._fused import Fused
from workbench.models.head import Head
from workbench.models.head import statistics as walked

ROUNDS = 7


def seconds(work: Callable[[], object], device: str) -> float:
    """Return the wall time of some work, finished."""
    if device == "cuda":
        torch.cuda.synchronize()
    begun = time.perf_counter()
    work()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - begun


@torch.inference_mode()
def main() -> None:
    """Compare and time the three ways, interleaved."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--positions", type=int, default=2048)
    parser.add_argument("--vocabulary", type=int, default=262_144)
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--dtype", choices=("float32", "bfloat16", "float16"), default="bfloat16")
    given = parser.parse_args()
    device, dtype = ("cuda" if torch.cuda.is_available() else "cpu"), getattr(torch, given.dtype)
    generator = torch.Generator().manual_seed(0)
    weight = (torch.randn(given.vocabulary, given.width, generator=generator) / 25).to(device, dtype)
    hidden = torch.randn(given.positions, given.width, generator=generator).to(device, dtype)
    target = torch.randint(0, given.vocabulary, (given.positions,), generator=generator).to(device)
    position, head = torch.arange(given.positions, device=device), Head(weight)
    plain, fused = Fused(head, after=10**12), Fused(head, after=0)
    begun = time.perf_counter()
    first = fused.statistics(hidden, position, target)
    print(
        f"compiled in {time.perf_counter() - begun:.1f} s on {device}; {fused.note or 'agrees with the plain function'}"
    )
    for name, ours, theirs in zip(first._fields, first, walked(hidden, head, position, target), strict=True):
        print(f"  {name}: largest difference to the walk {float((ours - theirs).abs().max()):.1e}")
    ways: dict[str, Callable[[], object]] = {
        "compiled": lambda: fused.statistics(hidden, position, target),
        "plain sums": lambda: plain.statistics(hidden, position, target),
        "walk": lambda: walked(hidden, head, position, target),
        "log_softmax of all logits": lambda: (hidden @ weight.T).float().log_softmax(-1)[position, target],
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(ROUNDS):
        for name in list(ways)[:: 1 if turn % 2 == 0 else -1]:
            times[name].append(seconds(ways[name], device))
    for name, taken in times.items():
        ratios = [one / mine for one, mine in zip(taken, times["compiled"], strict=True)]
        print(f"{name}: {statistics.median(taken) * 1e3:.2f} ms, {statistics.median(ratios):.2f}x of compiled")


if __name__ == "__main__":
    main()
