"""Log-likelihood scoring against lm-evaluation-harness and plain transformers: same weights, float32, same threads.

Each side runs in a process of its own, A B B A A B ..., tokenisation counted on both; CPU time, wall time and peak memory are
those of the side's own process. Numbers are checked per request against the peer, and a sample against the same model in
float64. A case is kept in results/scoring.json run by run, so that a run that is broken off goes on where it was.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import peers
import scoring_bound as bound
import scoring_tasks as tasks

HERE = Path(__file__).parent
KEPT = HERE / "results" / "scoring.json"  # ignored by git
LM_EVAL = "lm-eval==0.4.13"
LLAMA = "llama-cpp-python==0.3.36"  # no wheel: pip compiles it, for more than fifteen minutes on two cores
PEERS = ("lm-eval", "transformers", "llama.cpp")
BATCH = 8  # the best of 1, 2 and 8 for the peer (notes/engine.md, 6.1)
PEER_TOLERANCE = 2e-3  # nats per request; the peer's softmax is float32 over the whole vocabulary
EXACT_TOLERANCE = 1e-4  # nats per request, against float64
MODELS = {"smollm2-135m-instruct": "SmolLM2-135M-Instruct", "gemma-3-270m": "Gemma 3 270M"}
GEMMA_GOALS = {  # ratio of CPU time, median
    "arc-text": 4.5,
    "arc-letters": 3.0,
    "arc-text-5": 20.0,
    "arc-letters-5": 12.0,
    "crows-pairs": 1.8,
}
NOTE = (
    f"Peers: lm-evaluation-harness {LM_EVAL.split('==')[1]} (`HFLM`, batch size {BATCH}) and a plain padded loop of "
    f"transformers (batch size {BATCH}), each in\na process of its own beside ours, on the same safetensors, float32, one "
    "thread. The bound counts operations of these same requests\n(`scoring_bound.py`: P, U, N); a peer that also pays for "
    "memory can make a ratio exceed it. Memory is the most held at any time beyond\nwhat was held before, weights included. "
    "Requests are the first of each set; a fifth as many questions with 5 shots.\n"
    "llama.cpp's binding has no wheel, and pip compiles it for more than fifteen minutes: it is timed only by "
    "`benchmarks/scoring.py --peers llama.cpp`\n(float32 weights and cache, the keys and values of shared beginnings used "
    "again), and stands in no table here.\n\n"
)
LOOP_TASKS = ("crows-pairs", "arc-text")  # what the other peers are timed on: more would take hours


@dataclass(frozen=True)
class Settings:
    """What is run: sizes are questions or pairs zero-shot, a fifth of them with 5 shots."""

    questions: int = 100
    rounds: int = 5
    exact: int = 12  # requests that are checked against float64
    models: tuple[str, ...] = tuple(MODELS)
    tasks: tuple[str, ...] = tasks.TASKS
    peers: tuple[str, ...] = ("lm-eval", "transformers")
    fresh: bool = False
    kept: bool = False  # only what was run before


@dataclass(frozen=True)
class Case:
    """A task of so many questions, a model, a peer ("" for none) and a number of threads."""

    model: str
    task: tasks.Task
    name: str
    peer: str = "lm-eval"
    threads: int = 1
    rounds: int = 5
    exact: int = 0

    @property
    def key(self) -> str:
        """Return what it is kept under."""
        return f"{self.model}/{self.name}/{len(self.task.sizes)}/{self.peer}/{self.threads}"


def data_folder() -> Path:
    """Return the folder of the benchmark data."""
    folder = Path(os.environ.get("WORKBENCH_DATA", HERE.parent.parent / "shared" / "data"))
    if not folder.is_dir():
        raise SystemExit(f"No benchmark data at {folder}. Set WORKBENCH_DATA.")
    return folder


@cache
def weights(model: str) -> Path:
    """Return the folder of the safetensors copy that Workbench loads, which the peers load as well."""
    from workbench.models import _packaged, embedded

    gguf = _packaged.gguf_of(_packaged.PACKAGED[model])
    if gguf is None:
        raise SystemExit(f"{model} is not installed: {_packaged.PACKAGED[model].pip_line}")
    return embedded.convert(gguf)


@cache
def tokenizer(model: str) -> Any:
    """Return the model's tokenizer, for counting."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(weights(model), local_files_only=True)


def lm_eval() -> Path:
    """Return the Python of lm-evaluation-harness; torch and transformers are those of this environment."""
    return peers.python("lm-eval", LM_EVAL, beside=True)


def llama(model: str, threads: str, env: dict[str, str]) -> peers.Peer:
    """Return llama.cpp, only when asked for: its binding is compiled when it is installed."""
    from float32_gguf import widened

    from workbench.models._packaged import PACKAGED, gguf_of

    source = gguf_of(PACKAGED[model])
    assert source is not None
    made = widened(source, peers.HOME / "gguf" / f"{model}.gguf")
    bos = "bos" if tokenizer(model)("a")["input_ids"][0] == tokenizer(model).bos_token_id else ""
    interpreter = peers.python("llama-cpp", LLAMA, beside=True)
    return peers.Peer(interpreter, "peer_llama.py", str(made), threads, bos, env=env)


def opened(side: str, model: str, threads: int) -> peers.Peer:
    """Return a side, loaded and warm."""
    few, folder = str(threads), str(weights(model))
    env = {"OMP_NUM_THREADS": few, "MKL_NUM_THREADS": few, "OMP_WAIT_POLICY": "PASSIVE"}
    here = Path(sys.executable)
    if side == "workbench":
        made = peers.Peer(here, "served_workbench.py", model, few, env=env)
    elif side == "lm-eval":
        made = peers.Peer(lm_eval(), "peer_lm_eval.py", folder, few, str(BATCH), env=env)
    elif side == "transformers":
        made = peers.Peer(here, "peer_transformers.py", folder, few, str(BATCH), "float32", env=env)
    elif side == "llama.cpp":
        made = llama(model, few, env)
    else:
        made = peers.Peer(here, "peer_transformers.py", folder, few, "1", "float64", env=env)
    made.ask([["The sky is", " blue"], ["", "Warm"]])
    return made


@contextmanager
def sides() -> Iterator[Any]:
    """Give a function from (side, model, threads) to a process, which is kept while the next case wants it."""
    running: dict[tuple[str, str, int], peers.Peer] = {}

    def get(side: str, model: str, threads: int) -> peers.Peer:
        for other in [key for key in running if key[1:] != (model, threads)]:
            running.pop(other).close()
        if (side, model, threads) not in running:
            running[side, model, threads] = opened(side, model, threads)
        return running[side, model, threads]

    try:
        yield get
    finally:
        for each in running.values():
            each.close()


@cache
def commit() -> str:
    """Return what is checked out, with a mark where the engine's files were changed."""
    here = {"cwd": HERE, "capture_output": True, "text": True, "check": True}
    name = subprocess.run(["git", "rev-parse", "--short", "HEAD"], **here).stdout.strip()
    dirty = subprocess.run(["git", "status", "--porcelain", "--", "../workbench"], **here).stdout.strip()
    return name + ("+changes" if dirty else "")


def kept() -> dict[str, Any]:
    """Return all cases that were run."""
    return json.loads(KEPT.read_text()) if KEPT.exists() else {}


def keep(cases: dict[str, Any]) -> None:
    """Write all cases, or leave the file as it is."""
    KEPT.parent.mkdir(exist_ok=True)
    part = KEPT.with_suffix(".part")
    part.write_text(json.dumps(cases, indent=1))
    part.replace(KEPT)


def run(case: Case, get: Any) -> dict[str, Any]:
    """Return the case, its missing rounds and checks run now; each is kept as soon as it is done."""
    found: dict[str, Any] = kept().get(case.key) or {"runs": []}
    if not found["runs"]:
        requests = bound.encode(tokenizer(case.model), case.task.requests)
        counts = bound.count(requests, BATCH)
        found |= {"counts": list(counts), "bound": counts.bound(bound.shape(weights(case.model)))}
    while len(found["runs"]) < case.rounds:
        order = ["workbench", *([case.peer] if case.peer else [])][:: 1 if len(found["runs"]) % 2 == 0 else -1]
        legs = {side: get(side, case.model, case.threads).ask(case.task.requests) for side in order}
        if not found["runs"]:
            found |= {name: legs["workbench"][name] for name in ("counters", "logp")}
            if case.peer:
                found |= compared(case.task, found["logp"], legs[case.peer]["logp"])
        numbers = {side: {name: leg[name] for name in NUMBERS} for side, leg in legs.items()}
        found["runs"].append({**numbers, "commit": commit()})
        keep({**kept(), case.key: found})
        said = {side: f"{leg['cpu']:.1f} s, {leg['peak']:.0f} MiB" for side, leg in legs.items()}
        print(case.key, f"round {len(found['runs'])}", said, file=sys.stderr, flush=True)
    if case.exact and "exact" not in found:
        picked = [at * len(case.task.requests) // case.exact for at in range(case.exact)]
        truth = get("float64", case.model, case.threads).ask([case.task.requests[at] for at in picked])["logp"]
        found["exact"] = max(abs(found["logp"][at] - one) for at, one in zip(picked, truth, strict=True))
        found["exact_requests"] = len(picked)
        keep({**kept(), case.key: found})
    return found


NUMBERS = ("cpu", "wall", "peak", "beyond")


def compared(task: tasks.Task, ours: Sequence[float], peer: Sequence[float]) -> dict[str, Any]:
    """Return how far two sides are apart, and whether they choose alike where the choice is not a tie within the tolerance."""
    gap = max(abs(mine - theirs) for mine, theirs in zip(ours, peer, strict=True))
    ties = task.close(peer, 2 * PEER_TOLERANCE)
    other = [a != b and not tie for a, b, tie in zip(task.chosen(ours), task.chosen(peer), ties, strict=True)]
    return {"gap": gap, "accuracy": [task.accuracy(ours), task.accuracy(peer)], "other_choices": sum(other)}


def cases(settings: Settings) -> list[Case]:
    """Return the cases, the cheap ones first: zero-shot, then with shots; lm-eval, then the plain loop."""
    folder, made = data_folder(), []
    for peer in settings.peers:
        for shots in (False, True):
            for model in settings.models:
                for name in settings.tasks:
                    if name.endswith("-5") != shots or (peer != "lm-eval" and name not in LOOP_TASKS):
                        continue
                    most = max(settings.questions // 5, 1) if shots else settings.questions
                    task = tasks.task(name, folder, most)
                    exact = settings.exact // 3 if shots else settings.exact
                    made.append(
                        Case(model, task, name, peer, rounds=settings.rounds, exact=exact * (peer == "lm-eval"))
                    )
    return made


def results(settings: Settings) -> list[tuple[Case, dict[str, Any]]]:
    """Return every case with what was found, from what is kept where it is whole."""
    wanted = cases(settings)
    if settings.kept:
        found = kept()
        return [(case, found[case.key]) for case in wanted if case.key in found]
    if settings.fresh:
        again = {case.key for case in wanted}
        keep({key: case for key, case in kept().items() if key not in again})
    with sides() as get:
        return [(case, run(case, get)) for case in wanted]


def median(found: dict[str, Any], side: str, name: str) -> float:
    """Return the median of a number of a side over the rounds."""
    return statistics.median(one[side][name] for one in found["runs"])


def ratios(found: dict[str, Any], peer: str, name: str = "cpu") -> list[float]:
    """Return peer over ours, round by round."""
    return [one[peer][name] / one["workbench"][name] for one in found["runs"]]


def goal(case: Case, found: dict[str, Any]) -> float:
    """Return the ratio that is asked for: Gemma's by task, else 80 % of the bound where that exceeds 2, else not slower."""
    share = 0.8 * found["bound"] if found["bound"] > 2 else 1.0
    return max(GEMMA_GOALS.get(case.name, 0.0), share) if case.model.startswith("gemma") else share


def what(case: Case) -> str:
    """Return the first column."""
    size = len(case.task.sizes)
    unit = "pairs" if case.name == "crows-pairs" else "questions"
    return f"{MODELS[case.model]}: {case.task.title}, {size} {unit}, {case.peer}"


def speed_rows(settings: Settings | None = None) -> list[dict[str, str]]:
    """Return the table of ratios, beside what counting operations allows."""
    table = []
    for case, found in results(settings or Settings()):
        cpu, wall = ratios(found, case.peer), ratios(found, case.peer, "wall")
        middle, wanted = statistics.median(cpu), goal(case, found)
        judged = case.peer == "lm-eval"  # the bound and the goals are of its way to batch
        table.append(
            {
                "what": what(case),
                "CPU ratio, least": f"{min(cpu):.2f}x",
                "CPU ratio, median": f"{middle:.2f}x",
                "wall ratio, median": f"{statistics.median(wall):.2f}x",
                "bound": f"{found['bound']:.2f}x" if judged else "",
                "share of it": f"{middle / found['bound']:.0%}" if judged else "",
                "goal": f">= {wanted:.2f}x: {'met' if middle >= wanted else '**missed**'}" if judged else "",
                "ours, CPU s": f"{min(one['workbench']['cpu'] for one in found['runs']):.1f}",
                "peer, CPU s": f"{min(one[case.peer]['cpu'] for one in found['runs']):.1f}",
                "rounds": str(len(cpu)),
                "commit": ", ".join(dict.fromkeys(one["commit"] for one in found["runs"])),
            }
        )
    return table


def check_rows(settings: Settings | None = None) -> list[dict[str, str]]:
    """Return the table of checks and memory of the same runs."""
    table = []
    for case, found in results(settings or Settings()):
        sizes = {side: max(one[side]["peak"] for one in found["runs"]) for side in ("workbench", case.peer)}
        mine, theirs = found["accuracy"]
        counts, counters = bound.Counts(*found["counts"]), found["counters"]
        exact = f"{found['exact']:.1e}, {found['exact_requests']} requests" if "exact" in found else ""
        table.append(
            {
                "what": what(case),
                "memory, ours": f"{sizes['workbench']:.0f} MiB",
                "memory, peer": f"{sizes[case.peer]:.0f} MiB",
                "largest difference, nats": f"{found['gap']:.1e}",
                "from float64, nats": exact,
                "accuracy, ours and peer": f"{mine:.3f}, {theirs:.3f}",
                "P": f"{counts.peer:,}",
                "U; tokens run": f"{counts.unique:,}; {counters['tokens_run']:,}",
                "N; positions projected": f"{counts.scored:,}; {counters['head_positions']:,}",
                "checked": "; ".join(faults(found)) or "passed",
            }
        )
    return table


def faults(found: dict[str, Any]) -> list[str]:
    """Return what is wrong with the numbers of a case."""
    mine, theirs = found["accuracy"]
    said = {
        f"**differs from the peer by more than {PEER_TOLERANCE}**": found["gap"] >= PEER_TOLERANCE,
        f"**differs from float64 by more than {EXACT_TOLERANCE}**": found.get("exact", 0.0) >= EXACT_TOLERANCE,
        f"**{found['other_choices']} other choices**": found["other_choices"] > 0,
        "accuracy differs by ties": mine != theirs and not found["other_choices"],
    }
    return [text for text, true in said.items() if true]


def parsed(arguments: Sequence[str] | None = None) -> Settings:
    """Return the settings that a command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = Settings()
    parser.add_argument("--questions", type=int, default=default.questions, help="zero-shot; a fifth with 5 shots")
    parser.add_argument("--rounds", type=int, default=default.rounds)
    parser.add_argument("--exact", type=int, default=default.exact, help="requests checked against float64")
    for name, choices in (("models", tuple(MODELS)), ("tasks", tasks.TASKS), ("peers", PEERS)):
        parser.add_argument(f"--{name}", nargs="*", default=getattr(default, name), choices=choices)
    parser.add_argument("--fresh", action="store_true", help="forget the runs that are kept")
    given = vars(parser.parse_args(arguments))
    return Settings(**{name: tuple(value) if isinstance(value, list) else value for name, value in given.items()})


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from run import table

    chosen = parsed()
    print(table(speed_rows(chosen)))
    print(table(check_rows(replace(chosen, fresh=False))))
