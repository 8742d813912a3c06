"""The side of a benchmark that runs in a process of its own: a line of JSON in, what it took and what came out as a line back.

Imports nothing beyond the standard library, so that any peer's environment can use it.
"""

import contextlib
import ctypes
import gc
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

STATUS = Path("/proc/self/status")


def mebibytes(name: str) -> float:
    """Return a size from the process's status: VmRSS is what it holds now, VmHWM the most since `forget_peak`."""
    found = next(line for line in STATUS.read_text().splitlines() if line.startswith(name))
    return int(found.split()[1]) / 1024


def forget_peak() -> None:
    """Give freed memory back, and let VmHWM begin again at what is held now."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")


def cpu_seconds() -> float:
    """Return the CPU seconds of this process and of children that have ended."""
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def touch(parameters: Any) -> None:
    """Read every page of the weights, which are mapped from their file, so that they are held before anything is measured."""
    for parameter in parameters:
        parameter.detach().sum().item()


def serve(
    work: Callable[[list[list[str]]], dict[str, Any]], about: dict[str, Any], weights: Sequence[Any] = ()
) -> None:
    """Answer each line, a list of (context, continuation), with what `work` returns of it and what that took.

    The pages of `weights` are read before each measurement: the system drops those of a mapped file when memory is short.

    `cpu` and `wall` are seconds; `peak` is the most memory held at any time during the work beyond what was held before it, and
    `beyond` beyond what was held once the weights were loaded, in MiB. An empty list is answered with `about`.
    """
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print goes to stderr: stdout is for answers
    touch(weights)
    forget_peak()
    loaded = mebibytes("VmRSS")
    for line in sys.stdin:
        requests = json.loads(line)
        answer = dict(about)
        if requests:
            touch(weights)
            forget_peak()
            held, cpu, wall = mebibytes("VmRSS"), cpu_seconds(), time.perf_counter()
            answer = work(requests)
            answer |= {"cpu": cpu_seconds() - cpu, "wall": time.perf_counter() - wall}
            answer |= {"peak": mebibytes("VmHWM") - held, "beyond": mebibytes("VmHWM") - loaded}
        out.write(json.dumps(answer) + "\n")
        out.flush()
