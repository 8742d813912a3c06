"""Lines of an authors' text file, plain or compressed."""

from pathlib import Path

from workbench.data._sets._files import Missing, bytes_of

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
                text = bytes_of(path).decode("utf-8")
                return [line.rstrip("\r") for line in text.split("\n") if line.strip()]
    raise Missing(f"There is no {' or '.join(names)} in {str(folder)!r}. Put the authors' file there.")
