"""What was scored once is not run again: after an interrupt, a kill, in another process; and never for another question."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
import torch

from workbench.models.cache import FILE, Cache
from workbench.models.engine import Engine
from workbench.models.verbs import Request, Scores

REQUESTS = [*tiny.REQUESTS, *(Request(f"Twelve and {n} make", f" {n + 12}") for n in range(30))]
FIELDS = (
    "offsets",
    "token",
    "logp",
    "top_logp",
    "mean_logp",
    "var_logp",
    "rank",
    "done",
    "boundary_merge",
    "truncated",
)


@pytest.fixture(autouse=True)
def _each_batch_is_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask the head after every batch, as it is with real models, whose batches take longer."""
    monkeypatch.setattr("workbench.models.engine.HEAD", 1)


def engine(path: Path | None, *, fingerprint: str = "tiny llama 0", model: Any = None, budget: int = 64) -> Engine:
    """Return an engine that keeps its answers in `path`."""
    cache = None if path is None else Cache(path)
    return Engine(
        model or tiny.language_model(),
        tiny.tokenizer(),
        device="cpu",
        cache=cache,
        fingerprint=fingerprint,
        token_budget=budget,
    )


def same_bits(one: Scores, other: Scores) -> None:
    """Compare everything but the counters, bit for bit."""
    for field in FIELDS:
        np.testing.assert_array_equal(getattr(one, field), getattr(other, field), err_msg=field)


class StopsAfter:
    """A monitor that asks to stop once so many requests are finished."""

    def __init__(self, requests: int) -> None:
        self.left = requests
        self.cached = 0

    def start(self, total: int, unit: str) -> None:
        """Ignore."""

    def advance(self, done: int, **facts: Any) -> None:
        """Count."""
        self.left -= done
        self.cached = facts["cached"]

    def finish(self) -> None:
        """Ignore."""

    @property
    def stopped(self) -> bool:
        """Ask to stop."""
        return self.left <= 0


def test_a_second_call_runs_nothing(tmp_path: Path) -> None:
    """Another engine on the same folder answers everything from disk, bit for bit, NaN-free, flags included."""
    first = engine(tmp_path).score(REQUESTS)
    monitor = StopsAfter(10**9)

    second = engine(tmp_path).score(REQUESTS, monitor=monitor)

    same_bits(first, second)
    assert (first.counters.cached, first.counters.batches > 0) == (0, True)
    assert second.counters.cached == len(REQUESTS) == monitor.cached
    assert (second.counters.tokens_run, second.counters.batches, second.counters.head_positions) == (0, 0, 0)


def test_after_a_stop_the_same_call_runs_only_the_rest(tmp_path: Path) -> None:
    """What the stopped call returned is taken from disk as it was; tokens run add up to those of one whole call."""
    whole = engine(None).score(REQUESTS)
    stopped = engine(tmp_path).score(REQUESTS, monitor=StopsAfter(12))
    done = stopped.done

    rest = engine(tmp_path).score(REQUESTS)

    assert 12 <= done.sum() < len(REQUESTS)
    assert rest.counters.cached == done.sum()
    assert stopped.counters.tokens_run + rest.counters.tokens_run == whole.counters.tokens_run
    assert rest.done.all()
    np.testing.assert_allclose(rest.logp, whole.logp, atol=1e-4)
    np.testing.assert_array_equal(rest.logp[np.repeat(done, np.diff(rest.offsets))], stopped.logp)


def test_new_requests_run_alone(tmp_path: Path) -> None:
    """A larger call runs only what the smaller one did not have."""
    engine(tmp_path).score(REQUESTS[:20])

    scores = engine(tmp_path).score(REQUESTS)

    assert scores.counters.cached == 20
    assert scores.done.all()


@pytest.mark.parametrize("what", ["fingerprint", "dtype", "config", "context"])
def test_whatever_changes_the_number_changes_the_key(tmp_path: Path, what: str) -> None:
    """Other weights, another dtype, another window, another cut between context and continuation: nothing is reused."""
    request = Request("The quick brown fox", " jumps over the lazy dog, and the dog does not mind")
    engine(tmp_path, model=tiny.language_model("mistral")).score([request])
    others = {
        "fingerprint": {"fingerprint": "another", "model": tiny.language_model("mistral")},
        "dtype": {"model": tiny.language_model("mistral").to(torch.bfloat16)},
        "config": {"model": tiny.language_model("mistral", sliding_window=3)},
        "context": {"model": tiny.language_model("mistral")},
    }
    if what == "context":
        request = Request("The quick", " brown fox jumps over the lazy dog, and the dog does not mind")

    scores = engine(tmp_path, **others[what]).score([request])

    assert scores.counters.cached == 0
    assert scores.counters.batches == 1


def test_a_model_without_a_fingerprint_is_not_kept(tmp_path: Path) -> None:
    """Nothing tells its weights from another's, so nothing is written, and no folder made."""
    engine(tmp_path / "cache", fingerprint="").score(REQUESTS)

    assert not (tmp_path / "cache").exists()


def test_nan_is_not_kept(tmp_path: Path) -> None:
    """A number that could not be computed is tried again."""
    model = tiny.language_model()
    hook = model.get_decoder().register_forward_hook(
        lambda module, args, output: setattr(output, "last_hidden_state", output.last_hidden_state * torch.nan)
    )
    made = engine(tmp_path, model=model)
    assert np.isnan(made.score(REQUESTS[:2]).logp).all()
    hook.remove()

    scores = made.score(REQUESTS[:2])

    assert scores.counters.cached == 0
    assert np.isfinite(scores.logp).all()


def test_damaged_entries_are_run_again(tmp_path: Path) -> None:
    """Every second entry spoiled on disk costs those requests, and changes no number."""
    first = engine(tmp_path).score(REQUESTS)
    other = sqlite3.connect(tmp_path / FILE)
    other.execute("UPDATE entries SET value = substr(value, 1, length(value) - 1) || x'07' WHERE id % 2 = 0")
    other.commit()
    other.close()

    second = engine(tmp_path).score(REQUESTS)

    assert second.counters.cached == len(REQUESTS) // 2
    np.testing.assert_allclose(second.logp, first.logp, atol=1e-4)
    assert engine(tmp_path).score(REQUESTS).counters.cached == len(REQUESTS)


def test_a_damaged_database_costs_a_warning_and_a_new_run(tmp_path: Path) -> None:
    """The run goes on with a fresh database."""
    first = engine(tmp_path).score(REQUESTS)
    for path in tmp_path.iterdir():
        path.write_bytes(b"no database at all" * 1000)

    made = engine(tmp_path)
    with pytest.warns(RuntimeWarning, match="set aside"):
        second = made.score(REQUESTS)

    same_bits(first, second)
    assert any("set aside" in note for note in made.notes)
    assert engine(tmp_path).score(REQUESTS).counters.cached == len(REQUESTS)


def test_a_folder_that_cannot_be_written_costs_a_note(tmp_path: Path) -> None:
    """Scoring works as without a cache, and the engine says that nothing is kept."""
    (tmp_path / "file").write_text("")
    made = engine(tmp_path / "file" / "cache")

    scores = made.score(REQUESTS)

    assert scores.done.all()
    assert any("answers are not kept" in note for note in made.notes)


SCORER = """
import sys, time
import numpy as np
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from test_engine_cache import REQUESTS, engine
import workbench.models.engine
workbench.models.engine.HEAD = 1
made = engine(Path(sys.argv[1]))
slow = float(sys.argv[3])
made.model.get_decoder().register_forward_pre_hook(lambda module, args: time.sleep(slow))
print("ready", flush=True)
sys.stdin.readline()
scores = made.score(REQUESTS)
print(int(scores.done.sum()), float(scores.total().sum()), made.notes, flush=True)
"""


def scorer(path: Path, slow: float) -> subprocess.Popen[str]:
    """Start a process that scores all requests, `slow` seconds per batch, once it is told to."""
    code = [sys.executable, "-c", SCORER, str(path), str(Path(__file__).parent), str(slow)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1]), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(code, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)


def begin(process: subprocess.Popen[str]) -> None:
    """Wait until it is ready, and let it go."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.stdin.write("go\n")
    process.stdin.flush()


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_after_kill_9_the_finished_part_is_not_run_again(tmp_path: Path) -> None:
    """A process killed in the middle leaves what it finished; the next call reads it bit for bit and runs the rest."""
    with scorer(tmp_path, 0.3) as process:
        begin(process)
        until = time.monotonic() + 30
        while Cache(tmp_path).size().entries < 10 and time.monotonic() < until:
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    left = engine(tmp_path).score(REQUESTS, monitor=StopsAfter(1))  # from disk alone
    whole = engine(None).score(REQUESTS)

    scores = engine(tmp_path).score(REQUESTS)

    assert left.counters.batches == 0
    assert 10 <= left.done.sum() < len(REQUESTS)
    assert scores.counters.cached == left.done.sum()
    assert 0 < scores.counters.tokens_run < whole.counters.tokens_run
    np.testing.assert_array_equal(scores.logp[np.repeat(left.done, np.diff(scores.offsets))], left.logp)
    for field in ("logp", "top_logp", "mean_logp", "var_logp"):
        np.testing.assert_allclose(getattr(scores, field), getattr(whole, field), atol=1e-4)
    assert (scores.token == whole.token).all()


@pytest.mark.slow
def test_two_processes_score_at_once(tmp_path: Path) -> None:
    """Both finish with the same numbers, and what they leave is whole."""
    processes = [scorer(tmp_path, 0.01) for _ in range(2)]
    for process in processes:
        begin(process)
    said = [process.communicate(timeout=120)[0] for process in processes]

    whole = engine(None).score(REQUESTS)
    for text in said:
        done, total, notes = text.split(maxsplit=2)
        assert (int(done), notes) == (len(REQUESTS), "()\n")
        assert float(total) == pytest.approx(whole.total().sum(), abs=1e-3)
    assert engine(tmp_path).score(REQUESTS).counters.cached == len(REQUESTS)
