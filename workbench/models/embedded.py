"""The embedded default model, and GGUF files in general: converted once, then loaded in seconds.

transformers reads a GGUF file in 20 seconds and more, since it takes every tensor out of its quantised form. `convert` does that
once, writes a plain safetensors copy with its tokenizer into the cache, and records the checksum of every file. A copy is made
in a temporary folder and moved into place whole, under a lock, so that two processes can ask at once and a killed one leaves
nothing half done. A copy that no longer has its checksums is made again.
"""

import copy
import json
import shutil
import tempfile
from importlib import metadata, util
from pathlib import Path
from typing import Any

from workbench.errors import ModelError, OutOfMemory
from workbench.models._gguf_once import read_once
from workbench.models._packaged import EMBEDDED, gguf_of
from workbench.models._weights import file_hash, known_hash
from workbench.models.cache import folder as cache_folder
from workbench.models.fit import free_memory, place, text_of_bytes

__all__ = ["NAME", "PIP_LINE", "convert", "find", "intact"]

NAME, PIP_LINE = EMBEDDED.name, EMBEDDED.pip_line
SCHEMA = 1
RECORD = "checksums.json"
QUICK_BYTES = 2**30  # up to here the first use in a process checks every byte: 0.4 s for the embedded model
GROWTH = 10  # bytes in memory per byte of a 4-bit GGUF file while it is converted; measured 8.2 (SmolLM2, above the libraries)
PATIENCE = 1800.0  # seconds to wait for another process that converts the same file

_checked: set[Path] = set()  # copies whose every byte was checked by this process


def find() -> Path | None:
    """Return the GGUF file of the embedded model, None where its package is not installed.

    >>> path = find()
    >>> path is None or path.suffix == ".gguf"
    True
    """
    return gguf_of(EMBEDDED)


def convert(gguf: Path, *, cache: Path | None = None, dtype: str = "float32", verify: bool = False) -> Path:
    """Return the folder of the plain copy of a GGUF file, made now if it is not there or not whole.

    The folder is keyed by the file's sha256, the transformers version and the dtype. A copy of up to 1 GiB is checked byte by byte
    at its first use in a process, and later, or if larger, by the sizes of its files; `verify` checks every byte.

    Args:
        gguf: the file
        cache: the folder that holds the copies, by default `models` in Workbench's cache
        dtype: of the weights in the copy: "float32", "bfloat16" or "float16"
        verify: check every byte of the copy, however large
    """
    from filelock import FileLock, Timeout

    parent = cache_folder() / "models" if cache is None else cache
    digest = known_hash(gguf)
    target = parent / f"{gguf.stem}-{digest[:16]}-transformers-{metadata.version('transformers')}-{dtype}"
    if _usable(target, verify):
        return target
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with FileLock(parent / f"{target.name}.lock", timeout=PATIENCE):
            if _usable(target, verify):  # another process made it while this one waited
                return target
            _make(gguf, digest, target, dtype)
    except Timeout as error:
        raise ModelError(
            f"Another process has been converting {gguf.name} for {PATIENCE / 60:.0f} minutes. "
            f"End it, or delete {target.name}.lock in {parent}."
        ) from error
    except OSError as error:
        raise ModelError(
            f"{gguf.name} cannot be converted: {error}. Its copy goes to {parent}; set WORKBENCH_CACHE to another folder."
        ) from error
    _checked.add(target)
    return target


def intact(folder: Path, *, full: bool = True) -> bool:
    """Return whether a copy has all its files with the recorded sizes and, if `full`, sha256.

    >>> intact(Path("no such folder"))
    False
    """
    try:
        record = json.loads((folder / RECORD).read_text())
        if record["schema"] != SCHEMA:
            return False
        return all(
            (folder / name).stat().st_size == entry["bytes"]
            and (not full or file_hash(folder / name) == entry["sha256"])
            for name, entry in record["files"].items()
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _usable(target: Path, verify: bool) -> bool:
    """Return whether the copy can be used, having checked as much of it as is due."""
    if not intact(target, full=False):
        return False
    small = sum(path.stat().st_size for path in target.iterdir()) <= QUICK_BYTES
    if verify or (small and target not in _checked):
        if not intact(target, full=True):
            return False
        _checked.add(target)
    return True


def _make(gguf: Path, digest: str, target: Path, dtype: str) -> None:
    """Write the copy; the caller holds the lock."""
    room, need = shutil.disk_usage(target.parent).free, gguf.stat().st_size * GROWTH
    if room < need:
        raise ModelError(
            f"Converting {gguf.name} takes about {text_of_bytes(need)} of disk in {target.parent}; {text_of_bytes(room)} are "
            "free. Set WORKBENCH_CACHE to a folder on a larger disk."
        )
    have = free_memory(place("cpu").device)
    if have < need:
        raise OutOfMemory(
            f"Converting {gguf.name} takes about {text_of_bytes(need)} of memory, once; {text_of_bytes(have)} are free. "
            "Free memory, or convert it on a larger machine and copy WORKBENCH_CACHE."
        )
    for stale in target.parent.glob(f".making-{target.name}-*"):
        shutil.rmtree(stale, ignore_errors=True)  # left by a process that was killed: the lock is ours
    work = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".making-{target.name}-"))
    try:
        _write_plain(gguf, work, dtype)
        files = {
            path.name: {"bytes": path.stat().st_size, "sha256": file_hash(path)}
            for path in sorted(work.iterdir())
            if path.is_file()
        }
        record = {"schema": SCHEMA, "source": gguf.name, "source_sha256": digest, "dtype": dtype, "files": files}
        (work / RECORD).write_text(json.dumps(record, indent=1))
        if target.exists():
            shutil.rmtree(target)
        work.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _write_plain(gguf: Path, folder: Path, dtype: str) -> None:
    """Write a plain safetensors copy of a GGUF model and its tokenizer into the folder."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    for package in ("gguf", "accelerate"):
        if util.find_spec(package) is None:
            raise ModelError(
                f"Reading a GGUF file needs the package {package!r}. Install it with: pip install {package}"
            )
    where = {"gguf_file": gguf.name, "local_files_only": True}
    try:
        with read_once():
            tokenizer: Any = AutoTokenizer.from_pretrained(gguf.parent, **where)
            loaded: Any = AutoModelForCausalLM.from_pretrained(gguf.parent, dtype=torch.float32, **where)
    except (ValueError, KeyError, OSError, RuntimeError, NotImplementedError, ImportError) as error:
        raise ModelError(
            f"transformers cannot read {gguf}: {error}. Check that the file is whole and that its architecture is supported."
        ) from error
    config = copy.deepcopy(loaded.config)
    if hasattr(config, "quantization_config"):
        del config.quantization_config  # it makes save_pretrained refuse, though the weights are plain by now
    config._name_or_path = ""
    config.dtype = dtype
    with torch.device("meta"):
        plain = type(loaded)(config)  # its buffers stay on the meta device: good for saving only
    plain.load_state_dict(loaded.state_dict(), assign=True)
    plain.tie_weights()
    plain.to(place("cpu", dtype).dtype).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
