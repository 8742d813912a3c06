"""Files of published sets, downloaded once into the cache and checked by their sha256 whenever they are used.

A file is written beside its place under a name of its own and moved there when it is whole and its checksum agrees, so that a
process which is killed, a connection that breaks or a second process leaves whole files or none. Nothing that is downloaded is
executed or unpacked. https alone, but for a mirror on this machine.
"""

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from workbench.data._sources import File
from workbench.errors import DataError

if TYPE_CHECKING:
    from http.client import HTTPResponse

__all__ = ["MIRROR", "OFFLINE", "Heard", "allowed", "fetch", "whole"]

OFFLINE = "WORKBENCH_OFFLINE"  # set to anything but 0: nothing is downloaded
MIRROR = "WORKBENCH_MIRROR"  # an address that holds the files as MIRROR/host/path
SECONDS = 30.0  # that a server may be silent
PATIENCE = 900.0  # seconds to wait for another process that downloads the same set
LIMIT = 64 * 2**20  # bytes of a file whose length is not known
PIECE = 2**16
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class Heard(Protocol):
    """What hears of progress: `workbench.models.verbs.Monitor`, a layer above, is one."""

    def start(self, total: int, unit: str) -> None:
        """Hear that so much begins."""

    def advance(self, done: int, **facts: Any) -> None:
        """Hear that so much more is done."""

    def finish(self) -> None:
        """Hear that it is over."""

    @property
    def stopped(self) -> bool:
        """True once the person asked to stop."""


monitor_of_views: Callable[[], Heard] | None = None  # `workbench` hands it down, as it does for runs


def allowed() -> bool:
    """Return whether the network may be used: not where the environment variable WORKBENCH_OFFLINE says otherwise."""
    return os.environ.get(OFFLINE, "0") in ("", "0")


def whole(path: Path, file: File) -> bool:
    """Return whether the file is there with the right content."""
    try:
        digest = hashlib.sha256()
        with path.open("rb") as handle:
            while piece := handle.read(PIECE):
                digest.update(piece)
    except OSError:
        return False
    return digest.hexdigest() == file.sha256


def fetch(files: Sequence[File], into: Path) -> None:
    """Download the files that the folder lacks, one process at a time; raise `DataError` where that cannot be done."""
    from filelock import FileLock, Timeout

    try:
        into.mkdir(parents=True, exist_ok=True)
        with FileLock(into / ".lock", timeout=PATIENCE):
            lacking = [file for file in files if not whole(into / file.name, file)]
            with _told(lacking) as heard:
                for file in lacking:
                    _clear(into / file.name)
                    _download(file, into / file.name, heard)
    except Timeout:
        raise DataError(
            f"Another process has been downloading to {into} for {PATIENCE / 60:.0f} minutes. End it, or delete .lock there."
        ) from None
    except OSError as problem:  # those of the network are DataErrors by now
        raise DataError(
            f"Nothing can be kept in {into}: {problem.strerror or problem}. "
            f"{'Free some space there, or set' if problem.errno == errno.ENOSPC else 'Set'} WORKBENCH_CACHE to another folder."
        ) from None


@contextmanager
def _told(files: Sequence[File]) -> Iterator[Heard | None]:
    """Give a monitor that has heard how much begins (kB), and let it hear the end; none where nobody listens."""
    heard = monitor_of_views() if monitor_of_views is not None and files else None
    if heard is None:
        yield None
        return
    heard.start(sum(_kilobytes(file) for file in files), "kB")
    try:
        yield heard
    finally:
        heard.finish()


def _clear(place: Path) -> None:
    """Drop what a process that was killed left beside the place: the lock is ours."""
    for stale in place.parent.glob(f".{place.name}.*.part"):
        stale.unlink(missing_ok=True)


def _kilobytes(file: File) -> int:
    return -(-(file.bytes or 0) // 1000)


def _download(file: File, place: Path, heard: Heard | None) -> None:
    """Write one file to its place, whole and checked."""
    place.parent.mkdir(parents=True, exist_ok=True)
    room = shutil.disk_usage(place.parent).free
    if room < (file.bytes or 0):
        raise OSError(errno.ENOSPC, f"{file.name} takes {file.bytes:,} bytes, {room:,} are free")
    handle, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as out:
            got, digest = _copy(file, out.write, heard)
        if digest != file.sha256:
            raise DataError(
                f"{address(file)} is not the file that was expected: its sha256 is {digest} ({got:,} bytes), it should be "
                f"{file.sha256}. It was not kept. The file has changed at its source, or something on the way alters it."
            )
        os.replace(name, place)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)


def _copy(file: File, write: Callable[[bytes], Any], heard: Heard | None) -> tuple[int, str]:
    """Hand the content to `write` and return its length and sha256; raise `DataError` where it breaks off or is too long."""
    limit, digest, got, said = file.bytes if file.bytes is not None else LIMIT, hashlib.sha256(), 0, 0
    with _opened(file) as response:
        while piece := _piece(response, file):
            got += len(piece)
            if got > limit:
                raise DataError(f"{address(file)} is longer than the {limit:,} bytes expected. It was not kept.")
            if heard is not None and heard.stopped:
                raise KeyboardInterrupt
            digest.update(piece)
            write(piece)
            if heard is not None and file.bytes is not None and got // 1000 > said:
                heard.advance(got // 1000 - said)
                said = got // 1000
        length = response.headers.get("Content-Length")
        if length is not None and got < int(length):
            raise DataError(
                f"The download of {address(file)} broke off after {got:,} of {int(length):,} bytes. Try again."
            )
    if heard is not None:
        heard.advance(max(0, _kilobytes(file) - said))
    return got, digest.hexdigest()


def _piece(response: "HTTPResponse", file: File) -> bytes:
    from http.client import HTTPException

    try:
        return response.read(PIECE)
    except (OSError, HTTPException) as problem:
        raise DataError(f"The download of {address(file)} broke off ({_reason(problem)}). Try again.") from None


def address(file: File) -> str:
    """Return where a file is asked for: its own address, or the mirror's."""
    mirror = os.environ.get(MIRROR)
    return f"{mirror.rstrip('/')}/{file.url.removeprefix('https://')}" if mirror else file.url


def _opened(file: File) -> "HTTPResponse":
    """Return the answer of the server, or raise `DataError` that says what to do instead."""
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import HTTPRedirectHandler, Request, build_opener

    class Guarded(HTTPRedirectHandler):
        """Follows a redirection to a safe address only."""

        def redirect_request(self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
            _safe(newurl)
            return super().redirect_request(req, fp, code, msg, headers, newurl)

    where = address(file)
    _safe(where)
    try:
        request = Request(where, headers={"User-Agent": "fm-workbench"})  # noqa: S310 - checked by _safe
        response: HTTPResponse = build_opener(Guarded).open(request, timeout=SECONDS)
    except HTTPError as problem:
        problem.close()
        raise DataError(f"{where} cannot be had: the server answers {problem.code} {problem.reason}.") from None
    except (OSError, HTTPException) as problem:
        raise DataError(f"{where} cannot be reached ({_reason(problem)}). Is this machine offline?") from None
    return response


def _safe(url: str) -> None:
    """Refuse an address that is neither https nor on this machine."""
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    local = parts.scheme == "http" and (parts.hostname or "") in (name.strip("[]") for name in LOOPBACK)
    if parts.scheme != "https" and not local:
        raise DataError(f"{url} is not an https address; nothing is downloaded from it.")


def _reason(problem: BaseException) -> str:
    """Return why in a few words."""
    inner = getattr(problem, "reason", problem)
    return str(inner) or type(inner).__name__
