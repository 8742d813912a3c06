"""Finding the file of a set under its authors' name, packed or not."""

import gzip
import zlib
from pathlib import Path

from workbench.errors import DataError

__all__ = ["Missing", "bytes_of", "file_of"]


class Missing(DataError):
    """A file of a set that is not in the folder: it may be elsewhere."""


def file_of(folder: Path, *names: str) -> Path:
    """Return the first of these files that is in the folder, as it is or with .gz; raise `Missing` that names them all."""
    for name in names:
        for path in (folder / name, folder / f"{name}.gz"):
            if path.is_file():
                return path
    raise Missing(f"{folder} has no {' or '.join(names)} (or the same with .gz). Give the folder that holds it.")


def bytes_of(path: Path) -> bytes:
    """Return the content of a file, unpacked where its name ends in .gz; raise `DataError` where it is damaged."""
    raw = path.read_bytes()
    try:
        return gzip.decompress(raw) if path.suffix == ".gz" else raw
    except (OSError, EOFError, zlib.error) as problem:
        raise DataError(f"{path} cannot be unpacked ({problem}). Get it again.") from None
