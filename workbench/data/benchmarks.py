"""Readers of published sets: each turns the files of its authors into `Examples`. No set ships with Workbench.

A reader is a module in `workbench.data._sets` with a function `read(folder, **options)`, given the folder that holds the set's
files, and, where its options decide which files it reads, `files(**options)`, which names them. Files are looked for in the
folder given, or that of WORKBENCH_DATA, then in the cache; what is not there is downloaded from the authors at a pinned commit
and checked (`_sources`, `_fetch`).
"""

import os
from dataclasses import replace
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

from workbench.data._fetch import OFFLINE, allowed, fetch, whole
from workbench.data._places import cache_folder
from workbench.data._sets._files import Missing
from workbench.data._sources import BY_HAND, File, files_of, version_of
from workbench.data.examples import Examples
from workbench.errors import DataError, unknown

__all__ = ["at_hand", "benchmark", "benchmarks", "options_of"]

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
    "tweeteval": "tweeteval",
    "clinc-oos": "clinc_oos",
    "banking77": "banking77",
    "ag-news": "ag_news",
    "sst2": "sst2",
    "textfooler": "textfooler_1k",
    "cad-imdb": "cad_imdb",
    "checklist": "checklist",
    "arc": "arc",
    "mmlu": "mmlu",
}


def benchmarks() -> list[str]:
    """Return the names of the published sets that can be read, sorted."""
    return sorted(READERS)


def at_hand() -> list[str]:
    """Return the names of the published sets whose files are on this machine: in WORKBENCH_DATA's folder, or in the cache."""
    given = os.environ.get(FOLDER)
    places = {name: cache_folder() / "benchmarks" / name for name in READERS}
    return [
        name
        for name, module in sorted(READERS.items())
        if (given and (Path(given) / module).is_dir()) or places[name].is_dir()
    ]


def options_of(name: str) -> tuple[str, ...]:
    """Return the options of a set's reader, () where no set has that name.

    >>> options_of("sst2"), options_of("mine")
    (('split',), ())
    """
    if name not in READERS:
        return ()
    return tuple(list(signature(import_module(f"workbench.data._sets.{READERS[name]}").read).parameters)[1:])


def benchmark(
    name: str, folder: str | os.PathLike[str] | None = None, *, download: bool = True, **options: Any
) -> Examples:
    """Return the examples of a published set, read from its authors' files.

    `folder` holds the set's files, or one folder for each set. Without it they are looked for in the folder that the environment
    variable WORKBENCH_DATA names, then in Workbench's cache; what is not there is downloaded once from the authors at a pinned
    commit, its sha256 checked (docs/benchmarks.md lists sources and checksums). `download=False`, or the environment variable
    WORKBENCH_OFFLINE, keeps off the network. Further options are those of the set's reader. Licences are the sets' own: `.licence`
    and `.card` say them.

    Raises `UsageError` for an unknown name or option, `DataError` where the files are not there and cannot be had.
    """
    if name not in READERS:
        raise unknown("benchmark", name, READERS)
    reader = import_module(f"workbench.data._sets.{READERS[name]}")
    known = dict(list(signature(reader.read).parameters.items())[1:])
    free = any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values())
    for option in options:
        if option not in known and not free:
            raise unknown(f"option of the set {name!r}", option, [*known, "download"])
    origin = {"benchmark": name, "options": dict(options)}
    place, missing = _given(name, folder), ""
    if place is not None:
        try:
            examples: Examples = reader.read(place, **options)
        except Missing as problem:
            if folder is not None:
                raise
            missing = f"{problem} "
        else:
            return replace(examples, origin=origin)
    return replace(_downloaded(name, reader, options, download=download, missing=missing), origin=origin)


def _given(name: str, folder: str | os.PathLike[str] | None) -> Path | None:
    """Return the folder of a set where one was given or is named by WORKBENCH_DATA."""
    given = folder if folder is not None else os.environ.get(FOLDER)
    if not given:
        return None
    inside = Path(given) / READERS[name]
    found = inside if inside.is_dir() else Path(given)
    if not found.is_dir():
        raise DataError(f"There is no folder {os.fspath(given)!r}. Give the folder of the files of {name!r}.")
    return found


def _downloaded(name: str, reader: Any, options: dict[str, Any], *, download: bool, missing: str) -> Examples:
    """Return the examples read from the cache, which is filled first."""
    files = files_of(name)
    if not files:
        where = f" {BY_HAND[name]}" if name in BY_HAND else ""
        raise DataError(
            f"{missing}The set {name!r} does not ship with Workbench. Give the folder of its files, or set {FOLDER} to the folder "
            f"that holds {READERS[name]}.{where}"
        )
    place = cache_folder() / "benchmarks" / name / version_of(files)
    if hasattr(reader, "files"):
        deciding = signature(reader.files).parameters  # other options of `read` choose among rows, not among files
        wanted = reader.files(**{option: value for option, value in options.items() if option in deciding})
        files = tuple(file for file in files if file.name in wanted)
    lacking = [file for file in files if not whole(place / file.name, file)]
    if lacking and not (download and allowed()):
        why = "download=False" if not download else f"{OFFLINE} is set"
        raise DataError(
            f"{missing}The set {name!r} is not in the cache, and nothing is downloaded ({why}). {_by_hand(name, lacking)}"
        )
    if lacking:
        try:
            fetch(lacking, place)
        except DataError as problem:
            raise DataError(f"{problem} {_by_hand(name, lacking)}") from None
    examples: Examples = reader.read(place, **options)
    origin = " and ".join(dict.fromkeys(f"{f.repository}@{f.commit[:12]}".rstrip("@") for f in files))
    note = f"Files of {origin}, the sha256 of each checked."
    return replace(examples, source=f"{examples.source} ({origin})", notes=(*examples.notes, note))


def _by_hand(name: str, lacking: list[File]) -> str:
    """Return how to place the files by hand."""
    some = ", ".join(f"{file.url} as {file.name}" for file in lacking[:3])
    more = f" (and {len(lacking) - 3} more: docs/benchmarks.md)" if len(lacking) > 3 else ""
    return f"By hand: put {some}{more} into a folder {READERS[name]}, and set {FOLDER} to the folder that holds it."
