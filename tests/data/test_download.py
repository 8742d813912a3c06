"""Published sets are downloaded once, checked, and kept: real HTTP, from a server on this machine."""

import gzip
import hashlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import workbench as wb
from workbench.data import _fetch, _sources, benchmarks
from workbench.data._sources import File
from workbench.errors import DataError, UsageError

COMMIT = "c0ffee" + 34 * "0"
CONTENT = b"text,label\n" + b"one line of a set,0\n" * 20_000  # 400 kB: several pieces


class Server(ThreadingHTTPServer):
    """Serves `content` (path -> bytes) with faults by path, and notes what was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content: dict[str, bytes] = {}
        self.fault: dict[str, str] = {}
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    """Answers GET; faults: "short" closes early, "slow" trickles, "long" sends too much, "redirect" sends elsewhere."""

    server: Server

    def do_GET(self) -> None:
        """Answer, with the path's fault."""
        self.server.asked.append(self.path)
        body, fault = self.server.content.get(self.path), self.server.fault.get(self.path, "")
        if fault == "redirect":
            self.send_response(302)
            self.send_header("Location", "http://example.invalid/elsewhere")
            self.end_headers()
            return
        if body is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if fault == "short":
            self.wfile.write(body[: len(body) // 2])
        elif fault == "slow":
            self.wfile.write(body[:100_000])
            self.wfile.flush()
            time.sleep(30)
        else:
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
        """Say nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    """Run a server that stands for every host, with a fresh cache and no folder of data."""
    one = Server()
    thread = threading.Thread(target=partial(one.serve_forever, poll_interval=0.01), daemon=True)
    thread.start()
    monkeypatch.setenv("WORKBENCH_MIRROR", one.url)
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("WORKBENCH_OFFLINE", raising=False)
    monkeypatch.delenv("WORKBENCH_DATA", raising=False)
    yield one
    one.shutdown()
    one.server_close()
    thread.join()


@pytest.fixture
def file(server: Server) -> File:
    """Return a file that the server holds."""
    url = f"https://raw.githubusercontent.com/owner/name/{COMMIT}/data/train.csv"
    server.content[path_of(url)] = CONTENT
    return File("train.csv", url, len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), "copy")


@pytest.fixture
def made_up(file: File, monkeypatch: pytest.MonkeyPatch) -> str:
    """Register a set for a moment: a reader of that file."""
    module: Any = ModuleType("workbench.data._sets.made_up")

    def read(folder: Path, *, split: str = "train") -> wb.Examples:
        from workbench.data._sets._files import file_of

        lines = file_of(folder, f"{split}.csv").read_text().splitlines()[1:4]
        records = [{"text": f"{line} {number}"} for number, line in enumerate(lines)]
        return wb.Examples.of(records, name="made-up", source="Somebody 2020", licence="MIT", card="A set.")

    module.read = read
    module.files = lambda *, split="train": (f"{split}.csv",)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(benchmarks.READERS, "made-up", "made_up")
    monkeypatch.setitem(_sources._all(), "made-up", (file,))
    return "made-up"


def path_of(url: str) -> str:
    """Return the path that stands for an address on the server."""
    return "/" + url.removeprefix("https://")


def test_a_set_is_downloaded_once_and_says_where_from(made_up: str, server: Server, tmp_path: Path) -> None:
    """The second reading asks nothing of the network; source and notes name repository and commit, as does the run record."""
    first, again = wb.benchmark(made_up), wb.benchmark(made_up, download=False)

    assert len(server.asked) == 1
    assert (tmp_path / f"cache/benchmarks/made-up/{COMMIT}/train.csv").read_bytes() == CONTENT
    assert first.source == "Somebody 2020 (owner/name@c0ffee000000)"
    assert first.notes[-1] == "Files of owner/name@c0ffee000000, the sha256 of each checked."
    assert first.hash == again.hash
    about = first.about()
    assert (about["source"], about["licence"], first.card) == (first.source, "MIT", "A set.")


def test_folders_come_first(made_up: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder given, then WORKBENCH_DATA; a file that the latter lacks is downloaded, one that the former lacks is an error."""
    (tmp_path / "made_up").mkdir()
    with pytest.raises(DataError, match=r"has no train\.csv"):
        wb.benchmark(made_up, tmp_path)
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path))
    assert len(wb.benchmark(made_up)) == 3
    assert len(server.asked) == 1
    (tmp_path / "made_up/train.csv").write_text("text\nmine\n")
    assert wb.benchmark(made_up).frame["text"].tolist() == ["mine 0"]
    assert wb.benchmark(made_up, tmp_path).source == "Somebody 2020"


def test_the_network_can_be_forbidden(made_up: str, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """By option and by environment; the message says how to place the files by hand."""
    with pytest.raises(
        DataError, match=r"nothing is downloaded \(download=False\)\. By hand: put https://raw\..*train\.csv"
    ):
        wb.benchmark(made_up, download=False)
    monkeypatch.setenv("WORKBENCH_OFFLINE", "1")
    with pytest.raises(DataError, match="WORKBENCH_OFFLINE is set.*into a folder made_up, and set WORKBENCH_DATA"):
        wb.benchmark(made_up)
    assert server.asked == []


def test_another_content_is_refused(made_up: str, server: Server, file: File, tmp_path: Path) -> None:
    """Both checksums are shown and nothing is kept; a damaged file in the cache is downloaded again."""
    other = CONTENT.replace(b"one", b"two")
    server.content[path_of(file.url)] = other
    with pytest.raises(DataError, match=f"sha256 is {hashlib.sha256(other).hexdigest()}.*should be {file.sha256}"):
        wb.benchmark(made_up)
    assert kept(tmp_path) == []
    server.content[path_of(file.url)] = CONTENT
    wb.benchmark(made_up)
    place = tmp_path / f"cache/benchmarks/made-up/{COMMIT}/train.csv"
    place.write_bytes(other)
    wb.benchmark(made_up)
    assert place.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("short", r"broke off after .* of 400,011 bytes\. Try again"),
        ("redirect", r"http://example\.invalid/elsewhere is not an https address"),
    ],
)
def test_a_broken_download_is_an_error(
    made_up: str, server: Server, file: File, tmp_path: Path, fault: str, message: str
) -> None:
    """A connection that breaks and a redirection to an unsafe address: one sentence each, nothing kept; the next try works."""
    server.fault[path_of(file.url)] = fault
    with pytest.raises(DataError, match=message):
        wb.benchmark(made_up)
    assert kept(tmp_path) == []
    server.fault.clear()
    assert len(wb.benchmark(made_up)) == 3


def test_what_is_too_long_is_refused(
    server: Server, file: File, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file longer than it should be, or than any may be, is not read to its end."""
    with pytest.raises(DataError, match="longer than the 300,000 bytes expected"):
        _fetch.fetch([replace(file, bytes=300_000)], tmp_path)
    monkeypatch.setattr(_fetch, "LIMIT", 100_000)
    with pytest.raises(DataError, match="longer than the 100,000 bytes"):
        _fetch.fetch([replace(file, bytes=None)], tmp_path)
    assert kept(tmp_path) == []


def test_absent_unreachable_and_full(
    made_up: str, server: Server, file: File, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """404, no server, no place: each says what happened and what to do."""
    server.content.clear()
    with pytest.raises(DataError, match=r"the server answers 404 Not Found\. By hand: put https://raw\."):
        wb.benchmark(made_up)
    monkeypatch.setenv("WORKBENCH_MIRROR", "http://127.0.0.1:9")
    with pytest.raises(DataError, match=r"cannot be reached \(.*refused.*Is this machine offline\?"):
        wb.benchmark(made_up)
    monkeypatch.setenv("WORKBENCH_MIRROR", "http://example.org")
    with pytest.raises(DataError, match="is not an https address"):
        wb.benchmark(made_up)
    (tmp_path / "file").touch()
    with pytest.raises(
        DataError, match="Nothing can be kept in .*Not a directory.*Set WORKBENCH_CACHE to another folder"
    ):
        _fetch.fetch([file], tmp_path / "file" / "inside")
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 1000})())
    with pytest.raises(DataError, match=r"takes 400,011 bytes, 1,000 are free\. Free some space"):
        _fetch.fetch([file], tmp_path / "full")


class Counting:
    """A monitor that counts, and stops when told to."""

    def __init__(self, stop_at: int = 10**9) -> None:
        self.total, self.done, self.finished, self.stop_at = 0, 0, False, stop_at

    def start(self, total: int, unit: str) -> None:
        """Note how much begins."""
        self.total, self.unit = total, unit

    def advance(self, done: int, **facts: Any) -> None:
        """Count."""
        self.done += done

    def finish(self) -> None:
        """Note the end."""
        self.finished = True

    @property
    def stopped(self) -> bool:
        """Whether so much is done."""
        return self.done >= self.stop_at


def test_progress_is_told_and_cancel_is_heard(
    file: File, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    """All kilobytes are counted, once; cancelling is an interrupt that keeps nothing half."""
    heard = Counting()
    monkeypatch.setattr(_fetch, "monitor_of_views", lambda: heard)
    _fetch.fetch([file], tmp_path / "one")
    assert (heard.total, heard.done, heard.unit, heard.finished) == (401, 401, "kB", True)
    impatient = Counting(stop_at=100)
    monkeypatch.setattr(_fetch, "monitor_of_views", lambda: impatient)
    with pytest.raises(KeyboardInterrupt):
        _fetch.fetch([file], tmp_path / "two")
    assert impatient.finished
    assert kept(tmp_path / "two") == []


def test_a_download_has_the_monitor_of_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside a notebook it is the line of text; it comes with the name `wb.benchmark`, and with `wb.run`."""
    for name in ("benchmark", "run"):
        monkeypatch.setattr(_fetch, "monitor_of_views", None)
        wb.__getattr__(name)
        made: Any = _fetch.monitor_of_views
        assert type(made()).__name__ == "TextProgress"


FETCH = """
import sys
from pathlib import Path
from workbench.data._fetch import fetch
from workbench.data._sources import File
fetch([File("train.csv", sys.argv[1], int(sys.argv[2]), sys.argv[3], "copy")], Path(sys.argv[4]))
"""


def start(file: File, into: Path) -> "subprocess.Popen[bytes]":
    """Start a process that fetches the file."""
    given = [file.url, str(file.bytes), file.sha256, str(into)]
    return subprocess.Popen([sys.executable, "-c", FETCH, *given])


def test_processes_at_once_download_once(file: File, server: Server, tmp_path: Path) -> None:
    """Three processes that want the same file: one downloads, all have it."""
    running = [start(file, tmp_path) for _ in range(3)]

    assert [0, 0, 0] == [process.wait(60) for process in running]
    assert len(server.asked) == 1
    assert kept(tmp_path) == ["train.csv"]


def test_a_killed_process_leaves_nothing_half(file: File, server: Server, tmp_path: Path) -> None:
    """Killed in the middle of a file: the place stays empty, and the next process clears up and downloads."""
    server.fault[path_of(file.url)] = "slow"
    process = start(file, tmp_path)
    until = time.monotonic() + 60
    while not list(tmp_path.glob(".train.csv.*.part")) and time.monotonic() < until:
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert not (tmp_path / "train.csv").exists()
    server.fault.clear()
    _fetch.fetch([file], tmp_path)
    assert kept(tmp_path) == ["train.csv"]


def kept(folder: Path) -> list[str]:
    """Return the names of the files under a folder, but for locks."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and path.name not in (".lock", "file"))


def test_every_pin_is_well_formed() -> None:
    """https, a whole commit where it is GitHub's, a whole checksum, a known ground; each reader's files are pinned."""
    for name in benchmarks.benchmarks():
        files = _sources.files_of(name)
        assert files or name in _sources.BY_HAND
        for file in files:
            assert file.url.startswith("https://")
            assert len(file.commit) == 40 if "githubusercontent" in file.url else not file.commit
            assert len(file.sha256) == 64
            assert file.checked in ("two sources", "length and end", "copy")
            assert not Path(file.name).is_absolute()
            assert ".." not in Path(file.name).parts


def test_options_are_checked_before_the_network(server: Server) -> None:
    """A wrong split, domain, model, test or list is refused without a download."""
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("adult", {"split": "dev"}),
        ("bold", {"domains": "gendre"}),
        ("xstest", {"completions": "gpt-4"}),
        ("seat", {"tests": "weat99"}),
        ("winobias", {"split": "train"}),
        ("dialect-prejudice", {"attributes": "guilt"}),
    ]
    for name, options in wrong:
        with pytest.raises(UsageError):
            wb.benchmark(name, **options)
    assert server.asked == []


def test_a_set_without_pins_says_where_it_is(server: Server) -> None:
    """BBQ's bytes could not be verified: the message names repository and commit."""
    with pytest.raises(
        DataError, match=r"'bbq' does not ship with Workbench.*github\.com/nyu-mll/BBQ \(commit bea11bd9"
    ):
        wb.benchmark("bbq")


SHIFT = ("tweeteval", "clinc-oos", "banking77", "ag-news", "sst2", "textfooler", "cad-imdb")
LOCAL = {"habitual.txt": "habitual_be_pairs.txt", "katz.txt": "attributes_katz.txt"}


@pytest.mark.data
@pytest.mark.parametrize("name", [*("bold", "crows-pairs", "dialect-prejudice", "seat", "winobias", "xstest"), *SHIFT])
def test_a_download_reads_like_the_copy_at_hand(name: str, server: Server, benchmark_data: Path) -> None:
    """Served under the authors' addresses, the copies at hand have the pinned checksums and give the same examples."""
    folder = benchmark_data / benchmarks.READERS[name]
    for file in _sources.files_of(name):
        for local in (file.name, f"{file.name}.gz", f"{file.name}.txt.gz", LOCAL.get(Path(file.name).name, "")):
            if local and (folder / local).is_file():
                raw = (folder / local).read_bytes()
                server.content[path_of(file.url)] = gzip.decompress(raw) if local.endswith(".gz") else raw

    downloaded, at_hand = wb.benchmark(name), wb.benchmark(name, benchmark_data)

    assert downloaded.hash == at_hand.hash
    assert "sha256 of each checked" in downloaded.notes[-1]


def test_names_of_sets_cost_no_network_module() -> None:
    """Listing the sets imports neither urllib.request nor ssl."""
    code = "import workbench as wb, sys; wb.benchmarks(); print([n for n in ('urllib.request', 'ssl') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
