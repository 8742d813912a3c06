"""Finding the file of a set under its authors' name, packed or not."""

from pathlib import Path

from workbench.errors import DataError

__all__ = ["file_of"]


def file_of(folder: Path, *names: str) -> Path:
    """Return the first of these files that is in the folder, as it is or with .gz; raise `DataError` that names them all."""
    for name in names:
        for path in (folder / name, folder / f"{name}.gz"):
            if path.is_file():
                return path
    raise DataError(f"{folder} has no {' or '.join(names)} (or the same with .gz). Give the folder that holds it.")
