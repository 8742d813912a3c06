"""Where a model is put, in which numbers, and whether it fits: said before anything is loaded.

`place` chooses device and dtype and says why; `weight_bytes` reads the size from the headers of the safetensors files, so that
nothing is loaded to know it; `free_memory` asks the device, or the operating system and its memory limits (cgroup v1 and v2);
`check_fit` refuses, with the numbers, what cannot fit.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import torch

from workbench.errors import ModelError, OutOfMemory, UsageError, counted, unknown
from workbench.models._weights import weight_files

__all__ = ["Placement", "as_given", "check_fit", "free_memory", "place", "tensors_of", "text_of_bytes", "weight_bytes"]

DTYPES = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
    "float64": torch.float64,
}
ITEM_BYTES = {"F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "I16": 2, "U16": 2}
FLOATS = {"F64", "F32", "F16", "BF16"}
WORK_SHARE = 0.05  # beside the weights: activations of one batch, the engine's budget; larger batches are halved when it is short
WORK_BYTES = 128 * 2**20
UNLIMITED = 2**60  # cgroup v1 writes a number near 2**63 where there is no limit


@dataclass(frozen=True)
class Placement:
    """Where a model runs and in which numbers; `reason` is a sentence for people."""

    device: torch.device
    dtype: torch.dtype
    reason: str

    @property
    def dtype_name(self) -> str:
        """The dtype as it is written: "float32"."""
        return str(self.dtype).removeprefix("torch.")


def place(device: str | torch.device | None = None, dtype: str | torch.dtype | None = None) -> Placement:
    """Return where to put a model: what was asked, else CUDA in bfloat16, else Apple's MPS, else the CPU, both in float32.

    bfloat16 on a CPU without native support is several times slower than float32, so it is not chosen there.

    >>> place("cpu").dtype_name
    'float32'
    >>> place("cpu", "bfloat16").reason
    'cpu (asked), bfloat16 (asked)'
    """
    chosen, why_device = _device(device)
    if dtype is not None:
        return Placement(chosen, _dtype(dtype), f"{chosen} ({why_device}), {_name(_dtype(dtype))} (asked)")
    if chosen.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
        picked = torch.bfloat16 if native else torch.float32
        why = "native on this GPU" if native else "this GPU has no native bfloat16"
    else:
        picked, why = torch.float32, f"the rule on {chosen.type}"
    return Placement(chosen, picked, f"{chosen} ({why_device}), {_name(picked)} ({why})")


def as_given(device: torch.device, dtype: torch.dtype) -> Placement:
    """Return the placement of a loaded model that stays where it is.

    >>> as_given(torch.device("cpu"), torch.float32).reason
    'cpu, float32 (as the model was given)'
    """
    return Placement(device, dtype, f"{device}, {_name(dtype)} (as the model was given)")


def free_memory(device: torch.device) -> int:
    """Return how many bytes can be taken on the device now: on the CPU, what the system and its memory limits leave.

    >>> free_memory(torch.device("cpu")) > 0
    True
    """
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if device.type == "mps":
        return max(int(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()), 0)
    left = [_available(), *_limits_left()]
    return min((n for n in left if n is not None), default=UNLIMITED)


def tensors_of(path: Path) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return the dtype and shape of each tensor of a safetensors file, from its header alone.

    Raises `ModelError` where the file is not a whole safetensors file.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= size - 8:
                raise ValueError("its header does not fit the file")
            header: dict[str, Any] = json.loads(file.read(length))
        header.pop("__metadata__", None)
        end = max((entry["data_offsets"][1] for entry in header.values()), default=0)
        if 8 + length + end != size:
            raise ValueError(f"it should have {8 + length + end:,} bytes and has {size:,}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{path} is not a whole safetensors file: {error}. Download or save the model again."
        ) from error
    return {name: (entry["dtype"], tuple(entry["shape"])) for name, entry in header.items()}


def weight_bytes(folder: Path, dtype: torch.dtype) -> int:
    """Return how many bytes the weights of a folder take in that dtype; other files than safetensors count as they are."""
    total = 0
    for path in weight_files(folder):
        if path.suffix != ".safetensors":
            total += path.stat().st_size
            continue
        for kind, shape in tensors_of(path).values():
            total += prod(shape) * (dtype.itemsize if kind in FLOATS else ITEM_BYTES.get(kind, 1))
    return total


def check_fit(
    name: str,
    weights: int,
    placement: Placement,
    *,
    free: Callable[[torch.device], int] = free_memory,
) -> int:
    """Return the bytes that a model of that many bytes of weights needs; raise `OutOfMemory` with the numbers if they are not free.

    >>> check_fit("tiny", 100, place("cpu"), free=lambda device: 2**30)
    134217833
    """
    need = int(weights * (1 + WORK_SHARE)) + WORK_BYTES
    have = free(placement.device)
    if need <= have:
        return need
    halves = placement.dtype.itemsize == 4 and need - weights // 2 <= have
    where = [f"Load it with dtype='bfloat16' ({text_of_bytes(need - weights // 2)})"] if halves else []
    where += ["free memory (restart other notebooks' kernels)", "choose a smaller model"]
    if placement.device.type != "cpu":
        where.insert(0, "load it with device='cpu'")
    remedy = ", or ".join(where)
    raise OutOfMemory(
        f"{name} needs about {text_of_bytes(need)} on {placement.device} ({text_of_bytes(weights)} of weights in "
        f"{placement.dtype_name}, and room to work); {text_of_bytes(have)} are free. {remedy[0].upper()}{remedy[1:]}."
    )


def text_of_bytes(count: int) -> str:
    """Return a number of bytes as people read it.

    >>> text_of_bytes(538_090_408)
    '513 MiB'
    """
    return f"{count / 2**30:,.1f} GiB" if count >= 2**30 else f"{count / 2**20:,.0f} MiB"


def _device(device: str | torch.device | None) -> tuple[torch.device, str]:
    if device is None:
        if torch.cuda.is_available():
            return torch.device("cuda", torch.cuda.current_device()), "found"
        if torch.backends.mps.is_available():
            return torch.device("mps"), "found"
        return torch.device("cpu"), "no GPU found"
    try:
        asked = torch.device(device)
    except RuntimeError as error:
        raise unknown("device", device, ["cpu", "cuda", "cuda:0", "mps"]) from error
    if asked.type == "cuda":
        if not torch.cuda.is_available():
            raise UsageError(
                f"device is {str(device)!r}, but torch sees no CUDA GPU here. Leave device out, or use 'cpu'."
            )
        index = torch.cuda.current_device() if asked.index is None else asked.index
        if index >= torch.cuda.device_count():
            count = torch.cuda.device_count()
            raise UsageError(
                f"device is {str(device)!r}, but torch sees {counted(count, 'CUDA GPU')}, counted from 0. Use 'cuda:0'."
            )
        return torch.device("cuda", index), "asked"
    if asked.type == "mps" and not torch.backends.mps.is_available():
        raise UsageError("device is 'mps', but torch finds no Apple GPU here. Leave device out, or use 'cpu'.")
    if asked.type not in {"cpu", "mps"}:
        raise unknown("device", device, ["cpu", "cuda", "cuda:0", "mps"])
    return asked, "asked"


def _dtype(dtype: str | torch.dtype) -> torch.dtype:
    name = _name(dtype) if isinstance(dtype, torch.dtype) else dtype.removeprefix("torch.")
    if name not in DTYPES:
        raise unknown("dtype", dtype, DTYPES)
    return DTYPES[name]


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _available() -> int | None:
    """Return MemAvailable, on Linux; elsewhere what psutil says, if it is there."""
    try:
        found = re.search(r"^MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
        if found:
            return int(found[1]) * 1024
    except OSError:
        pass
    try:
        import psutil  # type: ignore[import-untyped]  # has no type information
    except ImportError:
        return None
    return int(psutil.virtual_memory().available)


def _limits_left(process: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")) -> list[int]:
    """Return what the memory limits of this process's control groups, and of those around them, leave in bytes.

    Pages of files that can be dropped (inactive_file) count as free, as `free` and the kernel do.
    """
    try:
        lines = process.read_text().splitlines()
    except OSError:
        return []
    left = []
    for line in lines:
        _, controllers, inside = line.split(":", 2)
        if controllers == "":
            names, bases = ("memory.max", "memory.current", "inactive_file"), [root, root / "unified"]
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            bases = [root / "memory"]
        else:
            continue
        for base in bases:
            folder = base / inside.lstrip("/")
            for group in [folder, *folder.parents]:
                if not group.is_relative_to(base):
                    break
                room = _room(group, *names)
                if room is not None:
                    left.append(room)
    return left


def _room(group: Path, limit_name: str, used_name: str, cache_name: str) -> int | None:
    """Return limit - used + droppable of one control group; None where there is no limit."""
    try:
        limit = (group / limit_name).read_text().strip()
        if limit == "max" or int(limit) >= UNLIMITED:
            return None
        used = int((group / used_name).read_text())
        stat = (group / "memory.stat").read_text() if (group / "memory.stat").exists() else ""
        cached = re.search(rf"^{cache_name} (\d+)", stat, re.MULTILINE)
    except (OSError, ValueError):
        return None
    return max(int(limit) - used + (int(cached[1]) if cached else 0), 0)
