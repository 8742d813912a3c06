"""Lines of an authors' text file, plain or compressed."""

import gzip
from pathlib import Path

from workbench.errors import DataError

__all__ = ["lines_of"]


def lines_of(folder: Path, *names: str) -> list[str]:
    r"""Return the lines of the first of these files that the folder has, as `name` or `name.gz`; blank lines are left out.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "list.txt").write_text("one\ntwo\n")
    >>> lines_of(folder, "list.txt")
    ['one', 'two']
    """
    for name in names:
        for path in (folder / name, folder / f"{name}.gz"):
            if path.is_file():
                data = path.read_bytes()
                text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
                return [line.rstrip("\r") for line in text.split("\n") if line.strip()]
    raise DataError(f"There is no {' or '.join(names)} in {str(folder)!r}. Put the authors' file there.")
