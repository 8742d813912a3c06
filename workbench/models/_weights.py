"""What identifies weights: one sha256 over the files, or over the tensors of a loaded object."""

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from workbench.models.cache import folder as cache_folder

PICKLED = frozenset(
    {".bin", ".pt", ".pth", ".pkl", ".pickle", ".joblib", ".ckpt"}
)  # loading one runs code that is in it
SETTINGS = ("config.json", "adapter_config.json", "modules.json", "1_Pooling/config.json")


def file_hash(path: Path) -> str:
    """Return the sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def known_hash(path: Path, *, cache: bool = True) -> str:
    """Return the sha256 of a file, remembered by path, size and both times of change.

    The time of the last write can be set back (`cp -p`, `touch -r`), that of the last change of any kind cannot. A file that is
    changed within the clock's tick and keeps its size would be missed; a new download never does that.
    """
    stat = path.stat()
    key = f"{path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}|{stat.st_ctime_ns}"
    store = cache_folder() / "hashes.json"
    known = _read(store) if cache else {}
    if key in known:
        return known[key]
    value = file_hash(path)
    if cache:
        _write(store, {**_read(store), key: value})
    return value


def folder_hash(folder: Path, *, cache: bool = True) -> str:
    """Return one sha256 over the weight files of a folder, by name and content."""
    digest = hashlib.sha256()
    for path in weight_files(folder):
        digest.update(f"{path.name}\0{known_hash(path, cache=cache)}\n".encode())
    return digest.hexdigest()


def weight_files(folder: Path) -> list[Path]:
    """Return the files of a folder that transformers would load: safetensors where there are any, else pickled ones."""
    for whole in ("model.safetensors", "pytorch_model.bin"):
        index = folder / f"{whole}.index.json"
        if (folder / whole).is_file():
            return [folder / whole]
        if index.is_file():
            names = sorted(set(json.loads(index.read_text())["weight_map"].values()))
            return [folder / name for name in names]
        others = sorted(path for path in folder.glob(f"*{Path(whole).suffix}") if path.name != "training_args.bin")
        if others:
            return others
    return sorted(path for path in folder.iterdir() if path.suffix in PICKLED)


def state_hash(model: Any) -> str:
    """Return one sha256 over the state of a torch module: names, dtypes, shapes and bytes."""
    import torch

    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        if not isinstance(tensor, torch.Tensor):
            digest.update(f"{name}|{tensor!r}\n".encode())
            continue
        digest.update(f"{name}|{tensor.dtype}|{tuple(tensor.shape)}\n".encode())
        digest.update(tensor_bytes(tensor))
    return digest.hexdigest()


def tensor_bytes(tensor: Any) -> memoryview:
    """Return the bytes of a tensor, on the CPU."""
    import torch

    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy().data if flat.numel() else memoryview(b"")


def signature(model: Any) -> tuple[tuple[int, int], ...]:
    """Return what changes when a person trains or loads into a module in place: each tensor's address and version count.

    Takes about a millisecond; in-place changes through `.data` are not seen.
    """
    import torch

    return tuple(
        (tensor.data_ptr(), -1 if tensor.is_inference() else tensor._version)
        for tensor in [*model.parameters(), *model.buffers()]
        if isinstance(tensor, torch.Tensor) and tensor.device.type != "meta"
    )


def settings_text(folder: Path) -> str:
    """Return the settings that change the numbers beside the weights."""
    return "\n".join((folder / name).read_text() for name in SETTINGS if (folder / name).is_file())


def tokenizer_hash(tokenizer: Any) -> str:
    """Return a sha256 of what a transformers tokenizer does with text, "" where that is not known."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    try:
        if backend is not None:
            # padding and truncation are set by the last call, and change no id of ours
            state = {k: v for k, v in json.loads(backend.to_str()).items() if k not in {"padding", "truncation"}}
            special = sorted((str(k), str(v)) for k, v in tokenizer.special_tokens_map.items())
            return hashlib.sha256(json.dumps([state, special], sort_keys=True).encode()).hexdigest()
        return hashlib.sha256(json.dumps(tokenizer.get_vocab(), sort_keys=True).encode()).hexdigest()
    except (AttributeError, TypeError, ValueError):
        return ""


def _read(path: Path) -> dict[str, str]:
    try:
        values = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def _write(path: Path, values: dict[str, str]) -> None:
    """Write whole or not at all; a cache that cannot be written costs time only."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".hashes-")
        with os.fdopen(handle, "w") as file:
            json.dump(values, file)
        Path(name).replace(path)
    except OSError:
        return
