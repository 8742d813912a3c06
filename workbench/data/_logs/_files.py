"""Reading files that nobody vouches for: JSON, JSON lines and zip members, each with a limit, a fault named by file and line."""

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.errors import DataError

__all__ = ["Archive", "head_of", "json_of", "lines_of", "parsed"]

HEAD = 1 << 18  # bytes that a file is recognised by
MOST = 2 << 30  # bytes of a file
MOST_LINE = 64 << 20  # characters of a line
MOST_MEMBER = 512 << 20  # bytes of a zip member, unpacked
MOST_MEMBERS = 1_000_000
ZSTANDARD = 93  # the method by which Inspect packs; Python's zipfile knows it from 3.14 on
NAME = re.compile(r'"([\w@.,\- /]{1,80})"\s*:')


def head_of(path: Path) -> tuple[bytes, frozenset[str]]:
    """Return the first bytes of a file and the names of fields in its beginning."""
    with path.open("rb") as file:
        start = file.read(HEAD)
    return start, frozenset(NAME.findall(start.decode("utf-8", errors="replace")))


def _whole(path: Path) -> bytes:
    size = path.stat().st_size
    if size > MOST:
        raise DataError(
            f"{path.name} has {size / 2**30:.1f} GiB; logs are read up to {MOST / 2**30:.0f} GiB. Split it."
        )
    return path.read_bytes()


def parsed(text: str | bytes, where: str) -> Any:
    """Return the value of a JSON text; a fault names file, line and column.

    >>> parsed('{"a" 1}', "run.json")
    Traceback (most recent call last):
    ...
    workbench.errors.DataError: run.json, line 1: not JSON (Expecting ':' delimiter at column 6). Copy the log again: it may be cut.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as problem:
        raise DataError(
            f"{where}, line {problem.lineno}: not JSON ({problem.msg} at column {problem.colno}). Copy the log again: it may be "
            "cut."
        ) from None
    except UnicodeDecodeError:
        raise DataError(f"{where}: not UTF-8 text.") from None
    except RecursionError:
        raise DataError(f"{where}: nested too deeply to be a log.") from None
    except ValueError as problem:  # a number of more digits than Python reads
        raise DataError(f"{where}: not usable JSON ({problem}).") from None


def json_of(path: Path) -> Any:
    """Return the value that a JSON file holds."""
    return parsed(_whole(path), path.name)


def lines_of(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the objects of a file of JSON lines with their line numbers; a file that is one JSON list gives its entries."""
    content = _whole(path)
    if content.lstrip()[:1] == b"[":
        for number, row in enumerate(parsed(content, path.name), start=1):
            yield number, _object(row, f"{path.name}, entry {number}")
        return
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line.strip():
            continue
        if len(line) > MOST_LINE:
            raise DataError(f"{path.name}, line {number}: longer than {MOST_LINE >> 20} MiB.")
        try:
            value = json.loads(line)
        except json.JSONDecodeError as problem:
            raise DataError(
                f"{path.name}, line {number}: not JSON ({problem.msg} at column {problem.colno}). Copy the log again, or take that "
                "line out."
            ) from None
        except (UnicodeDecodeError, RecursionError, ValueError) as problem:
            raise DataError(f"{path.name}, line {number}: not usable JSON ({problem}).") from None
        yield number, _object(value, f"{path.name}, line {number}")


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DataError(f"{where}: {str(value)[:60]!r} is not an object with named fields.")
    return value


class Archive:
    """A zip of JSON files, read member by member; only stored, deflated and Zstandard members are read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with zipfile.ZipFile(path) as archive:
                self.members = {one.filename: one for one in archive.infolist()}
        except (zipfile.BadZipFile, OSError, ValueError) as problem:
            raise DataError(
                f"{path.name} is not a whole zip file ({problem}). Copy the log again: it is cut, or its run goes on."
            ) from None
        if len(self.members) > MOST_MEMBERS:
            raise DataError(f"{path.name} has {len(self.members):,} members; logs have up to {MOST_MEMBERS:,}.")

    def json(self, name: str) -> Any:
        """Return the value of one member."""
        where = f"{self.path.name}, {name}"
        return parsed(self._bytes(self.members[name], where), where)

    def _bytes(self, member: zipfile.ZipInfo, where: str) -> bytes:
        """Return a member unpacked; what it says of its size is not believed."""
        try:
            if member.compress_type == ZSTANDARD:
                content = _unpacked(self.path, member)
            else:
                with zipfile.ZipFile(self.path) as archive, archive.open(member) as file:
                    content = file.read(MOST_MEMBER + 1)
        except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, ValueError) as problem:
            raise DataError(f"{where}: cannot be unpacked ({problem}).") from None
        if len(content) > MOST_MEMBER:
            raise DataError(f"{where}: more than {MOST_MEMBER >> 20} MiB unpacked, too large for a log's sample.")
        return content


def _unpacked(path: Path, member: zipfile.ZipInfo) -> bytes:
    """Return a member that Zstandard packed, of at most `MOST_MEMBER` + 1 bytes."""
    import pyarrow

    with path.open("rb") as file:
        file.seek(member.header_offset)
        header = file.read(30)  # the local header: two lengths at its end say where the data begin
        if header[:4] != b"PK\x03\x04":
            raise zipfile.BadZipFile("no member begins where the directory says")
        skip = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        file.seek(member.header_offset + 30 + skip)
        packed = file.read(min(member.compress_size, MOST_MEMBER))
    with pyarrow.CompressedInputStream(pyarrow.BufferReader(packed), "zstd") as stream:
        content: bytes = stream.read(MOST_MEMBER + 1)
    return content
