"""How scoring grows with the number of requests, with shots and with threads: SmolLM2 against lm-evaluation-harness.

Runs are kept beside those of `scoring`, whose checks of numbers they pass as well; the picture goes to docs/scoring.svg.
"""

import os
import statistics
from pathlib import Path
from typing import Any

import scoring
import scoring_tasks as tasks

MODEL = "smollm2-135m-instruct"
REQUESTS = (100, 300, 1_000, 3_000, 10_000)
PEER_MOST = 1_000  # more would take the peer hours
SHOTS = (0, 1, 2, 5, 10)
QUESTIONS = 20  # for the curve over shots
THREADS = (1, 2)
THREADS_QUESTIONS = 100
ROUNDS = 3
PICTURE = Path(__file__).parent.parent / "docs" / "scoring.svg"
NOTE = (
    "Requests: answer texts of ARC-Challenge, CommonsenseQA and OpenBookQA in turn; shots: the first "
    f"{QUESTIONS} questions of ARC-Challenge;\nthreads: its first {THREADS_QUESTIONS}. Up to {ROUNDS} rounds with "
    "lm-evaluation-harness, one without it. With two threads wall time counts.\n"
    "Drawn in [docs/scoring.svg](../docs/scoring.svg).\n\n"
)


def cases() -> list[tuple[str, scoring.Case]]:
    """Return each point with the curve that it belongs to."""
    folder = scoring.data_folder()
    made = []
    for most in REQUESTS:
        peer = "lm-eval" if most <= PEER_MOST else ""
        task = tasks.pool(folder, most)
        made.append(("requests", scoring.Case(MODEL, task, "pool", peer, rounds=ROUNDS if peer else 1)))
    for shots in SHOTS:
        name = f"arc-text-{shots}" if shots else "arc-text"
        made.append(("shots", scoring.Case(MODEL, tasks.task(name, folder, QUESTIONS), name, rounds=ROUNDS)))
    for threads in THREADS:
        task = tasks.task("arc-text", folder, THREADS_QUESTIONS)
        made.append(("threads", scoring.Case(MODEL, task, "arc-text", threads=threads, rounds=ROUNDS)))
    return made


def points(*, kept: bool = False) -> list[tuple[str, scoring.Case, dict[str, Any]]]:
    """Return each point with what was found: the threads and the cheap ones first, what takes long last; `kept`: run nothing."""
    wanted = cases()
    if kept:
        before = scoring.kept()
        return [(curve, case, before[case.key]) for curve, case in wanted if case.key in before]
    order = sorted(
        wanted, key=lambda one: (one[1].threads, not one[1].peer, sum(map(len, map("".join, one[1].task.requests))))
    )
    with scoring.sides() as get:
        found = {case.key: scoring.run(case, get) for _, case in order}
    return [(curve, case, found[case.key]) for curve, case in wanted]


def at(curve: str, case: scoring.Case) -> int:
    """Return where on its curve a case stands."""
    if curve == "requests":
        return len(case.task.requests)
    if curve == "threads":
        return case.threads
    return int(case.name.removeprefix("arc-text").strip("-") or 0)


def rows(*, kept: bool = False) -> list[dict[str, str]]:
    """Return the table, and draw it; `kept`: of what was run before."""
    found = points(kept=kept)
    draw(found)
    table = []
    for curve, case, one in found:
        mine = scoring.median(one, "workbench", "cpu")
        line = {
            "curve": f"{curve}: {at(curve, case):,}",
            "requests": f"{len(case.task.requests):,}",
            "ours, CPU s": f"{mine:.1f}",
            "ours, ms a request": f"{1e3 * mine / len(case.task.requests):.1f}",
            "memory, ours": f"{max(run['workbench']['peak'] for run in one['runs']):.0f} MiB",
            **dict.fromkeys(("lm-eval, CPU s", "memory, lm-eval", "CPU ratio, median", "wall ratio, median"), ""),
            "bound": f"{one['bound']:.2f}x",
            "rounds": str(len(one["runs"])),
            "checked": "; ".join(scoring.faults(one)) or f"difference {one['gap']:.0e} nats" if case.peer else "",
        }
        if case.peer:
            line |= {
                "lm-eval, CPU s": f"{scoring.median(one, case.peer, 'cpu'):.1f}",
                "memory, lm-eval": f"{max(run[case.peer]['peak'] for run in one['runs']):.0f} MiB",
                "CPU ratio, median": f"{statistics.median(scoring.ratios(one, case.peer)):.2f}x",
                "wall ratio, median": f"{statistics.median(scoring.ratios(one, case.peer, 'wall')):.2f}x",
            }
        table.append(line)
    return table


def draw(found: list[tuple[str, scoring.Case, dict[str, Any]]]) -> None:
    """Write seconds over requests and over shots, ours and the peer's, as a picture."""
    import altair as alt

    from workbench.charts.static import svg

    values = [
        {
            "curve": curve,
            "at": at(curve, case),
            "seconds": scoring.median(one, side, "cpu"),
            "side": "Workbench" if side == "workbench" else side,
        }
        for curve, case, one in found
        for side in ("workbench", case.peer)
        if side and curve != "threads"
    ]
    panels = []
    for curve, kind in (("requests", "log"), ("shots", "symlog")):
        some = [value for value in values if value["curve"] == curve]
        panels.append(
            alt.Chart(alt.Data(values=some), title=f"CPU seconds by {curve}", width=260, height=200)
            .mark_line(point=True)
            .encode(
                x=alt.X(
                    "at:Q",
                    title=curve,
                    scale=alt.Scale(type=kind),
                    axis=alt.Axis(values=sorted({v["at"] for v in some})),
                ),
                y=alt.Y("seconds:Q", title="CPU seconds", scale=alt.Scale(type="log")),
                color=alt.Color("side:N", title=None),
            )
        )
    PICTURE.write_text(svg(alt.hconcat(*panels), theme="any"))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import run

    print(NOTE + run.table(rows()))
