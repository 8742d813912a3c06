"""Readers of published sets: each turns the files of its authors into `Examples`. No set ships with Workbench.

A reader is a function `read(folder, **options)` of a module in `workbench.data._sets`, given the folder that holds the set's files.
"""

import os
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

from workbench.data.examples import Examples
from workbench.errors import DataError, unknown

__all__ = ["benchmark", "benchmarks"]

FOLDER = "WORKBENCH_DATA"  # names the folder that holds one folder a set
READERS: dict[str, str] = {  # name -> module in workbench.data._sets, which is also the name of the set's folder
    "bold": "bold",
    "xstest": "xstest",
    "dialect-prejudice": "dialect_prejudice",
    "winobias": "winobias",
    "madlibs": "madlibs",
    "crows-pairs": "crows_pairs",
    "stereoset": "stereoset",
    "bbq": "bbq",
    "adult": "adult",
    "compas": "compas",
    "seat": "seat",
}


def benchmarks() -> list[str]:
    """Return the names of the published sets that can be read, sorted."""
    return sorted(READERS)


def benchmark(name: str, folder: str | os.PathLike[str] | None = None, **options: Any) -> Examples:
    """Return the examples of a published set, read from its authors' files.

    `folder` holds the set's files, or one folder for each set; by default it is the environment variable WORKBENCH_DATA. Further
    options are those of the set's reader. Licences are the sets' own: `.licence` and `.card` say them.

    Raises `UsageError` for an unknown name or option, `DataError` where the files are not there.
    """
    if name not in READERS:
        raise unknown("benchmark", name, READERS)
    reader = import_module(f"workbench.data._sets.{READERS[name]}")
    known = dict(list(signature(reader.read).parameters.items())[1:])
    free = any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values())
    for option in options:
        if option not in known and not free:
            raise unknown(f"option of the set {name!r}", option, known)
    examples: Examples = reader.read(_folder_of(name, folder), **options)
    return examples


def _folder_of(name: str, folder: str | os.PathLike[str] | None) -> Path:
    """Return the folder of a set."""
    given = folder if folder is not None else os.environ.get(FOLDER)
    if not given:
        raise DataError(
            f"The set {name!r} does not ship with Workbench. Give the folder of its files, or set {FOLDER} to it."
        )
    inside = Path(given) / READERS[name]
    found = inside if inside.is_dir() else Path(given)
    if not found.is_dir():
        raise DataError(f"There is no folder {os.fspath(given)!r}. Give the folder of the files of {name!r}.")
    return found
