"""Interleaved timing: ours and the peer's in turn, CPU time of the process, so that a load from outside hits both."""

import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple


class Ratio(NamedTuple):
    """Peer time over ours: smallest and median of the repeats, and the two best times in milliseconds."""

    least: float
    median: float
    ours_ms: float
    peer_ms: float


def cpu(work: Callable[[], Any], loops: int = 1) -> float:
    """Return the CPU seconds of one call, as the mean of `loops` calls in a row."""
    start = time.process_time()
    for _ in range(loops):
        work()
    return (time.process_time() - start) / loops


def interleaved(ours: Callable[[], Any], peer: Callable[[], Any], *, repeats: int = 5, scale: float = 1.0) -> Ratio:
    """Return the ratio peer / ours; `scale` multiplies the peer's time where it ran a part only (said in the table)."""
    ours(), peer()  # warm
    loops = max(1, int(0.02 / max(cpu(ours), 1e-6)))
    pairs = [(cpu(ours, loops), cpu(peer) * scale) for _ in range(repeats)]
    ratios = [theirs / mine for mine, theirs in pairs]
    return Ratio(
        min(ratios),
        statistics.median(ratios),
        1e3 * min(mine for mine, _ in pairs),
        1e3 * min(theirs for _, theirs in pairs),
    )
