"""Answers on disk, by content: what was computed once is not computed again, whoever asks.

One SQLite database in write-ahead mode: processes may read and write at once, and a process that is killed at any moment leaves
whole entries or none. Keys are SHA-256 digests of everything that determines the value (`key`); values are bytes with a checksum,
so that a damaged entry counts as absent. A cache never makes a run fail: where the folder cannot be written, or the database is
damaged, the run goes on without it, or with a fresh one, and `notes` says so.
"""

import contextlib
import hashlib
import os
import sqlite3
import threading
import time
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

from workbench.data._places import cache_folder
from workbench.errors import UsageError

__all__ = ["Cache", "CacheSize", "folder", "key"]

SCHEMA = 1  # a part of every key: raise it when values change their meaning
AT_ONCE = 500  # keys in one query; SQLite's limit of variables was 999 for long
WAIT = 30.0  # seconds to wait for another process's write
FILE = "answers.sqlite"
T = TypeVar("T")


class CacheSize(NamedTuple):
    """How many entries, and how many bytes they take on disk."""

    entries: int
    bytes: int


def folder() -> Path:
    """Return where Workbench keeps files between sessions: $WORKBENCH_CACHE, else the platform's cache folder.

    >>> folder().is_absolute()
    True
    """
    return cache_folder()


def key(*parts: bytes | str) -> bytes:
    """Return the key of a value that these parts determine, 32 bytes; ("ab", "c") and ("a", "bc") differ.

    >>> key("ab", "c") == key("a", "bc"), len(key())
    (False, 32)
    """
    digest = hashlib.sha256(f"workbench {SCHEMA}".encode())
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.digest()


class Cache:
    """A mapping from keys to bytes that outlives the process.

    Args:
        path: the folder that holds the database, made on first use; the default is `folder() / "answers"`
        limit_bytes: beyond this the oldest entries go

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as path:
    ...     cache = Cache(Path(path))
    ...     cache.put_many({key("question"): b"answer"})
    ...     found, size = cache.get_many([key("question"), key("other")]), cache.size()
    ...     cache.close()
    >>> list(found.values()), size.entries
    ([b'answer'], 1)
    """

    def __init__(self, path: Path | None = None, *, limit_bytes: int = 2**30) -> None:
        if limit_bytes < 2**16:
            raise UsageError(f"limit_bytes is {limit_bytes}. Give at least {2**16}, or cache=None for no cache.")
        self.path = Path(path) if path is not None else folder() / "answers"
        self.limit_bytes = limit_bytes
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._off = False
        self._notes: dict[str, None] = {}

    @classmethod
    def at(cls, where: bool | str | Path) -> "Cache | None":
        """Return the cache that the option `cache` of `load` names: none, the usual one, or that of a folder."""
        if not where:
            return None
        return cls() if where is True else cls(Path(where).expanduser())

    @property
    def notes(self) -> tuple[str, ...]:
        """What did not work, in sentences."""
        return tuple(self._notes)

    def get_many(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """Return the values of those keys that are there and whole."""
        wanted = list(dict.fromkeys(keys))

        def read(connection: sqlite3.Connection) -> dict[bytes, bytes]:
            found: dict[bytes, bytes] = {}
            for start in range(0, len(wanted), AT_ONCE):
                some = wanted[start : start + AT_ONCE]
                marks = ",".join("?" * len(some))
                query = f"SELECT key, value FROM entries WHERE key IN ({marks})"  # noqa: S608 - question marks alone
                for name, value in connection.execute(query, some):
                    if isinstance(value, bytes) and value[:4] == _checksum(name, value[4:]):
                        found[name] = value[4:]
            return found

        return (self._try(read) if wanted else None) or {}

    def put_many(self, values: Mapping[bytes, bytes]) -> None:
        """Keep values, all or none, and drop the oldest entries beyond the limit."""
        rows = [(name, _checksum(name, value) + value) for name, value in values.items()]

        def write(connection: sqlite3.Connection) -> None:
            with _transaction(connection):
                connection.executemany("INSERT OR REPLACE INTO entries (key, value) VALUES (?, ?)", rows)
            self._evict(connection)

        if rows:
            self._try(write)

    def size(self) -> CacheSize:
        """Return the number of entries and the bytes they take."""

        def measure(connection: sqlite3.Connection) -> CacheSize:
            return CacheSize(connection.execute("SELECT count(*) FROM entries").fetchone()[0], _used(connection))

        return self._try(measure) or CacheSize(0, 0)

    def clear(self) -> None:
        """Forget all entries."""

        def empty(connection: sqlite3.Connection) -> None:
            with _transaction(connection):
                connection.execute("DELETE FROM entries")
            connection.executescript("PRAGMA incremental_vacuum")  # execute() takes one step: one page
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

        self._try(empty)

    def close(self) -> None:
        """Close the database; the next use opens it again."""
        with self._lock:
            if self._connection is not None and self._process == os.getpid():
                self._connection.close()
            self._connection = None

    def _try(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        """Return what `work` gives; None where the database cannot be used, once more with a fresh one where it is damaged."""
        with self._lock:
            for attempt in range(2):
                if self._off:
                    return None
                try:
                    return work(self._open())
                except sqlite3.OperationalError as error:
                    if "locked" in str(error) or "busy" in str(error):
                        self._note(
                            f"another process held the cache in {self.path} for long: some answers were not kept"
                        )
                    else:
                        self._switch_off(error)
                    return None
                except sqlite3.DatabaseError as error:
                    if attempt or not self._set_aside(error):
                        self._switch_off(error)
                        return None
                except OSError as error:
                    self._switch_off(error)
            return None

    def _open(self) -> sqlite3.Connection:
        """Return this process's connection: one must not be carried over a fork."""
        if self._connection is None or self._process != os.getpid():
            self.path.mkdir(parents=True, exist_ok=True)
            until = time.monotonic() + WAIT
            while True:
                try:
                    self._connection, self._process = _connect(self.path / FILE), os.getpid()
                    break
                except sqlite3.OperationalError as error:  # the change to WAL mode does not wait by itself
                    if "locked" not in str(error) or time.monotonic() > until:
                        raise
                time.sleep(0.02)
        return self._connection

    def _evict(self, connection: sqlite3.Connection) -> None:
        """Drop the oldest entries until nine tenths of the limit are used."""
        while _used(connection) > self.limit_bytes:
            entries = connection.execute("SELECT count(*) FROM entries").fetchone()[0]
            if not entries:
                return
            share = 1 - 0.9 * self.limit_bytes / _used(connection)
            with _transaction(connection):
                connection.execute(
                    "DELETE FROM entries WHERE id IN (SELECT id FROM entries ORDER BY id LIMIT ?)",
                    (int(entries * share) + 1,),
                )
            connection.executescript("PRAGMA incremental_vacuum")  # execute() takes one step: one page

    def _set_aside(self, error: Exception) -> bool:
        """Move a damaged database out of the way, unless another process has done so; return whether to go on."""
        self.close()
        path = self.path / FILE
        if _whole(path):
            return True
        aside = path.with_name(f"{FILE}.damaged-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}")
        try:
            for tail in ("-wal", "-shm"):  # before the database: a new one must not find the old log
                with contextlib.suppress(FileNotFoundError):
                    Path(f"{path}{tail}").replace(f"{aside}{tail}")
            path.replace(aside)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        text = f"The cache of answers was damaged ({error}). It was set aside as {aside}, and a new one begun."
        self._note(text)
        warnings.warn(text, RuntimeWarning, stacklevel=5)
        return True

    def _switch_off(self, error: Exception) -> None:
        self._off = True
        self.close()
        self._note(f"answers are not kept: the cache in {self.path} cannot be used ({error})")

    def _note(self, text: str) -> None:
        self._notes[text] = None


def _connect(path: Path) -> sqlite3.Connection:
    """Return an open database with its table."""
    connection = sqlite3.connect(path, timeout=WAIT, isolation_level=None, check_same_thread=False)
    connection.text_factory = bytes  # a damaged value may call itself text that cannot be decoded
    try:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL").fetchall()
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS entries "
            "(id INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB NOT NULL UNIQUE, value BLOB NOT NULL)"
        )
    except BaseException:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit all that is executed inside, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _checksum(name: bytes, value: bytes) -> bytes:
    """Return four bytes that a damaged value, or another key's, does not have."""
    return zlib.crc32(value, zlib.crc32(name)).to_bytes(4, "little")


def _used(connection: sqlite3.Connection) -> int:
    """Return the bytes in pages that hold something."""
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def _whole(path: Path) -> bool:
    """Return whether SQLite finds nothing wrong with the file."""
    if not path.exists():
        return True
    connection = sqlite3.connect(path, timeout=WAIT)
    try:
        return bool(connection.execute("PRAGMA quick_check").fetchone()[0] == "ok")
    except sqlite3.DatabaseError:
        return False
    finally:
        connection.close()
