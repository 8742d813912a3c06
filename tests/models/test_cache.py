"""The cache keeps whole entries through kills, damage, crowding and folders that cannot be written."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from workbench.errors import UsageError
from workbench.models.cache import FILE, Cache, CacheSize, folder, key


def many(n: int, *, start: int = 0, size: int = 40) -> dict[bytes, bytes]:
    """Return n entries whose value tells their number."""
    return {key(str(i)): str(i).encode().ljust(size, b".") for i in range(start, start + n)}


def test_what_is_put_is_found_by_another_process_later(tmp_path: Path) -> None:
    """A second object on the same folder reads what the first wrote, more keys than one query takes."""
    entries = many(1234)
    Cache(tmp_path).put_many(entries)

    assert entries == Cache(tmp_path).get_many([*entries, key("absent")])
    assert len(entries) == Cache(tmp_path).size().entries


def test_a_second_put_replaces(tmp_path: Path) -> None:
    """One key has one value, the last."""
    cache = Cache(tmp_path)
    cache.put_many({key("a"): b"1"})
    cache.put_many({key("a"): b"2"})

    assert cache.get_many([key("a")]) == {key("a"): b"2"}
    assert cache.size().entries == 1


def test_keys_tell_their_parts_apart() -> None:
    """Neither the cut between parts nor their order is lost."""
    parts = [("ab", "c"), ("a", "bc"), ("abc",), ("c", "ab"), ("ab", "c", "")]

    assert len({key(*some) for some in parts}) == len(parts)
    assert key("é") == key("é".encode())


def test_the_folder_is_named_by_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """WORKBENCH_CACHE first, then the platform's cache folder; nothing is made by asking."""
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "named"))
    assert folder() == tmp_path / "named"
    assert Cache().path == tmp_path / "named" / "answers"
    monkeypatch.delenv("WORKBENCH_CACHE")
    if sys.platform == "linux":
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
        assert folder() == tmp_path / "xdg" / "workbench"
    assert list(tmp_path.iterdir()) == []


def test_clear_forgets_all_and_shrinks_the_file(tmp_path: Path) -> None:
    """Nothing is found, and the disk is given back."""
    cache = Cache(tmp_path)
    cache.put_many(many(5000))
    before = cache.size()

    cache.clear()

    assert cache.get_many(many(5)) == {}
    assert cache.size().entries == 0
    assert (tmp_path / FILE).stat().st_size < before.bytes / 10


def test_the_oldest_entries_go_first(tmp_path: Path) -> None:
    """Beyond the limit the newest stay, and the file stays near the limit."""
    cache = Cache(tmp_path, limit_bytes=2**18)
    for start in range(0, 20_000, 500):
        cache.put_many(many(500, start=start, size=100))
    found = cache.get_many(many(20_000, size=100))

    kept = sorted(int(value.strip(b".")) for value in found.values())
    assert 500 < len(kept) < 5000
    assert list(range(20_000 - len(kept), 20_000)) == kept
    assert cache.size().bytes <= 2**18
    cache.close()
    assert (tmp_path / FILE).stat().st_size <= 2**18 + 2**16


def test_a_limit_too_small_to_hold_anything_is_refused(tmp_path: Path) -> None:
    """The message has the smallest."""
    with pytest.raises(UsageError, match=r"limit_bytes is 100\. Give at least 65536"):
        Cache(tmp_path, limit_bytes=100)


def test_a_damaged_entry_is_absent(tmp_path: Path) -> None:
    """A flipped bit, a cut value, another key's value: none is returned; the others are."""
    cache = Cache(tmp_path)
    entries = many(5)
    cache.put_many(entries)
    names = list(entries)
    other = sqlite3.connect(tmp_path / FILE)
    values = dict(other.execute("SELECT key, value FROM entries"))
    flipped = bytes([values[names[0]][0], *values[names[0]][1:-1], values[names[0]][-1] ^ 1])
    for name, value in zip(
        names, [flipped, values[names[1]][:-3], values[names[3]], values[names[3]], "text"], strict=True
    ):
        other.execute("UPDATE entries SET value = ? WHERE key = ?", (value, name))
    other.commit()
    other.close()

    assert cache.get_many(names) == {names[3]: entries[names[3]]}
    cache.put_many(entries)
    assert entries == cache.get_many(names)


@pytest.mark.parametrize("where", ["header", "pages", "all"])
def test_a_damaged_database_is_set_aside(tmp_path: Path, where: str) -> None:
    """It is kept under another name with a warning, and a fresh one takes its place."""
    cache = Cache(tmp_path)
    cache.put_many(many(3000))
    cache.close()
    path = tmp_path / FILE
    data = bytearray(path.read_bytes())
    part = {"header": slice(0, 100), "pages": slice(4096, len(data)), "all": slice(0, len(data))}[where]
    data[part] = bytes(x ^ 0x5A for x in data[part])
    path.write_bytes(bytes(data))

    cache = Cache(tmp_path)
    with pytest.warns(RuntimeWarning, match="was damaged .* set aside as"):
        found = cache.get_many(many(3000))

    assert found == {}
    assert len(list(tmp_path.glob(f"{FILE}.damaged-*"))) == 1
    assert any("set aside" in note for note in cache.notes)
    cache.put_many(many(3))
    assert len(cache.get_many(many(3))) == 3


def test_a_database_damaged_under_way_is_set_aside_too(tmp_path: Path) -> None:
    """Damage that appears between two calls does not end the run, and the write is done in the fresh one."""
    cache = Cache(tmp_path)
    cache.put_many(many(3000))
    cache.close()
    cache.get_many(many(1))
    path = tmp_path / FILE
    with path.open("r+b") as file:
        file.write(b"\xff" * path.stat().st_size)

    def write_twice() -> None:
        cache.put_many(many(10))  # may still go into the damaged file
        cache.close()
        cache.put_many(many(10))

    with pytest.warns(RuntimeWarning, match="set aside"):
        write_twice()

    assert len(Cache(tmp_path).get_many(many(10))) == 10


def test_a_folder_that_cannot_be_made_means_no_cache(tmp_path: Path) -> None:
    """A file stands where the folder should be: everything works, nothing is kept, and the notes say so."""
    (tmp_path / "file").write_text("")
    cache = Cache(tmp_path / "file" / "answers")

    cache.put_many(many(2))

    assert cache.get_many(many(2)) == {}
    assert cache.size() == CacheSize(0, 0)
    assert any(note.startswith("answers are not kept: the cache in") for note in cache.notes)


READ_ONLY = """
import os, sys, warnings
from pathlib import Path
from workbench.models.cache import Cache, key
if os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
sys.dont_write_bytecode = True
warnings.simplefilter("error")
for name in ("empty", "full"):
    cache = Cache(Path(sys.argv[1]) / name)
    cache.put_many({key("b"): b"2"})
    print(name, sorted(cache.get_many([key("a"), key("b")]).values()), len(cache.notes))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="folders have other rights there")
def test_a_read_only_folder_means_no_cache() -> None:
    """With and without a database inside, as a user who may not write there."""
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        (base / "empty").mkdir()
        cache = Cache(base / "full")
        cache.put_many({key("a"): b"1"})
        cache.close()
        for path in (base, base / "empty", base / "full"):
            path.chmod(0o555)
        (base / "full" / FILE).chmod(0o444)
        done = subprocess.run([sys.executable, "-c", READ_ONLY, name], capture_output=True, text=True, timeout=60)
        for path in (base / "empty", base / "full", base):
            path.chmod(0o755)

    assert done.stderr == ""
    assert done.stdout.splitlines()[0] == "empty [] 1"
    assert done.stdout.splitlines()[1] in {"full [] 1", "full [b'1'] 1"}


WRITER = """
import sys
from pathlib import Path
from workbench.models.cache import Cache, key
cache = Cache(Path(sys.argv[1]))
start, stop, endless = int(sys.argv[2]), int(sys.argv[3]), len(sys.argv) > 4
print("ready", flush=True)
sys.stdin.readline()
i = start
while endless or i < stop:
    cache.put_many({key(str(j)): str(j).encode() * 50 for j in range(i, i + 10)})
    i += 10
print(cache.notes)
"""


def writer(path: Path, *arguments: object) -> subprocess.Popen[str]:
    """Start a process that writes entries in tens, and waits for a line before it begins."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-c", WRITER, str(path), *map(str, arguments)], **pipes)


def test_processes_write_at_once(tmp_path: Path) -> None:
    """Three writers that begin together on a folder that is not there yet lose nothing."""
    ranges = [(0, 1000), (500, 1500), (1000, 2000)]
    processes = [writer(tmp_path / "new", *some) for some in ranges]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=120)[0] for process in processes]

    assert said == ["()\n"] * 3
    found = Cache(tmp_path / "new").get_many(key(str(i)) for i in range(2000))
    assert {str(i).encode() * 50 for i in range(2000)} == set(found.values())


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_killed_writer_leaves_whole_entries(tmp_path: Path) -> None:
    """Kill -9 at several moments: the database stays sound, and batches are there wholly or not at all."""
    rows = 0
    for delay in (0.0, 0.02, 0.1, 0.3, 0.8):
        with writer(tmp_path, 0, 0, "endless") as process:
            assert process.stdout is not None
            assert process.stdin is not None
            process.stdout.readline()
            process.stdin.write("go\n")
            process.stdin.flush()
            time.sleep(delay)
            os.kill(process.pid, signal.SIGKILL)
        cache = Cache(tmp_path)
        found = cache.get_many(key(str(i)) for i in range(20_000))
        numbers = sorted(int(value[: len(value) // 50]) for value in found.values())
        assert numbers == list(range(len(numbers)))
        assert len(numbers) % 10 == 0
        assert cache.notes == ()
        check = sqlite3.connect(tmp_path / FILE)
        assert check.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        check.close()
        cache.close()
        rows = len(numbers)
    assert rows > 0


def test_threads_share_a_cache(tmp_path: Path) -> None:
    """A view's thread and a cell may use one object at once."""
    cache = Cache(tmp_path)
    threads = [threading.Thread(target=lambda s=s: cache.put_many(many(200, start=s))) for s in range(0, 1000, 200)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(cache.get_many(many(1000))) == 1000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_process_opens_its_own_connection(tmp_path: Path) -> None:
    """A child of fork writes through a connection of its own, and the parent's goes on."""
    code = """
import os, sys
from pathlib import Path
from workbench.models.cache import Cache, key
cache = Cache(Path(sys.argv[1]))
cache.put_many({key("parent"): b"1"})
child = os.fork()
cache.put_many({key("child" if child == 0 else "later"): b"2"})
if child == 0:
    os._exit(0)
os.waitpid(child, 0)
print(len(cache.get_many([key("parent"), key("child"), key("later")])), cache.notes)
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=60)

    assert (done.stdout, done.stderr) == ("3 ()\n", "")
