"""A folder that appears whole or not at all, with the checksum of every file in it; and what the environment was."""

import hashlib
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from workbench.errors import DataError, UsageError

__all__ = [
    "INDEX",
    "SUMS",
    "Files",
    "check_target",
    "checked",
    "environment",
    "fingerprint",
    "packages",
    "read_index",
    "source_hash",
    "write_folder",
]

SUMS, INDEX = "SHA256SUMS", "audit.json"


class Files(NamedTuple):
    """How the files of a folder stand to their checksums: those that are as they were, and those that are not."""

    whole: tuple[str, ...]
    changed: tuple[str, ...]
    missing: tuple[str, ...]
    added: tuple[str, ...]

    @property
    def intact(self) -> bool:
        """Whether nothing was changed, taken away or added."""
        return not (self.changed or self.missing or self.added)


def write_folder(target: Path, files: Mapping[str, bytes], *, overwrite: bool) -> None:
    """Write the files and their checksums into a new folder; nothing is there until all of it is.

    Raises `UsageError` where something stands there already: `overwrite` replaces a frozen audit, and nothing else.
    """
    check_target(target, overwrite=overwrite)
    target.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        for name, content in files.items():
            path = made / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items()))
        (made / SUMS).write_text(sums, encoding="utf-8")
        umask = os.umask(0)
        os.umask(umask)
        made.chmod(0o777 & ~umask)
        if target.exists():
            aside = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.")) / "old"
            target.replace(aside)
            made.replace(target)
            shutil.rmtree(aside.parent)
        else:
            made.replace(target)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise


def check_target(target: Path, *, overwrite: bool) -> None:
    """Raise `UsageError` where the folder may not be written."""
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    if not (target.is_dir() and (target / INDEX).is_file()):
        raise UsageError(f"{target} is there already, and is no frozen audit. Name another folder in to=.")
    if not overwrite:
        raise UsageError(f"{target} holds a frozen audit. Name another folder in to=, or replace it: overwrite=True.")


def checked(folder: Path) -> Files:
    """Return how the files of a frozen audit stand to its checksums; raise `DataError` where there are none to hold them to."""
    sums = folder / SUMS
    if not folder.is_dir() or not sums.is_file():
        raise DataError(f"{folder} is no frozen audit: it has no {SUMS}. Give the folder that wb.freeze wrote.")
    known: dict[str, str] = {}
    for number, line in enumerate(sums.read_text(encoding="utf-8").split("\n"), start=1):
        digest, _, name = line.partition("  ")
        if not line:
            continue
        parts = Path(name).parts
        if len(digest) != 64 or not name or Path(name).is_absolute() or ".." in parts:
            raise DataError(f"Line {number} of {SUMS} is not a checksum and a file: {line[:100]!r}.")
        known[name] = digest
    whole, changed, missing = [], [], []
    for name, digest in known.items():
        path = folder / name
        if not path.is_file():
            missing.append(name)
        elif hashlib.sha256(path.read_bytes()).hexdigest() == digest:
            whole.append(name)
        else:
            changed.append(name)
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return Files(tuple(whole), tuple(changed), tuple(missing), tuple(sorted(there - set(known) - {SUMS})))


def fingerprint(folder: Path) -> str:
    """Return the sha256 of the checksums: one line that stands for the whole audit."""
    return hashlib.sha256((folder / SUMS).read_bytes()).hexdigest()


def source_hash() -> str:
    """Return one sha256 over the code of this package: a checkout may change while its version stays."""
    home, digest = Path(__file__).parents[1], hashlib.sha256()
    for path in sorted(home.rglob("*.py")):
        digest.update(f"{path.relative_to(home).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def environment() -> dict[str, Any]:
    """Return Python, platform and every installed package with its version.

    >>> "numpy" in environment()["packages"]
    True
    """
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "byteorder": sys.byteorder,
        "source": source_hash(),
        "packages": packages(),
    }


def packages() -> dict[str, str]:
    """Return every installed package with its version, by name.

    >>> "numpy" in packages()
    True
    """
    places = [Path(place) for place in sys.path]
    return dict(_packages(tuple((str(one), one.stat().st_mtime_ns if one.is_dir() else 0) for one in places)))


@cache
def _packages(places: tuple[tuple[str, int], ...]) -> dict[str, str]:
    """Return the packages of some folders, read again where an installation has changed one of them."""
    found = {}
    for one in metadata.distributions(path=[place for place, _ in places]):
        name = str(one.metadata["Name"] or "")
        if name:
            found[name.lower().replace("_", "-")] = one.version
    return dict(sorted(found.items()))


def read_index(folder: Path) -> dict[str, Any]:
    """Return what a frozen audit says of itself; raise `DataError` where it cannot be read."""
    try:
        about = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise DataError(
            f"{folder / INDEX} cannot be read ({problem}). Is this a folder that wb.freeze wrote?"
        ) from None
    if not isinstance(about, dict) or not isinstance(about.get("reports"), list):
        raise DataError(f"{folder / INDEX} does not describe an audit.")
    return about
