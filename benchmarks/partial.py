"""What it costs a run to be watched: the same run with a monitor that draws partial results, and without one."""

import statistics
from typing import Any

import timing

import workbench as wb
from workbench.views.progress import Progress

MODEL, QUESTIONS, ROUNDS = "smollm2-135m-instruct", 60, 7
NOTE = (
    f"The same run with and without a monitor that draws partial results (metrics with intervals of the examples done, every\n"
    f"1.5 seconds at most): calibration of SmolLM2, {QUESTIONS} questions of the pack `facts`, answers not cached, in turn, the\n"
    "order changing from round to round. CPU seconds of the process, the drawing thread's among them; nobody's page is asked.\n\n"
)


class Counted(Progress):
    """A monitor that counts its drawings."""

    drawn = 0

    def _draw(self, job: Any) -> None:
        super()._draw(job)
        self.drawn += 1


def rows() -> list[dict[str, str]]:
    """Return the table."""
    examples = wb.pack("facts").sample(QUESTIONS, seed=0)
    alone: list[float] = []
    watched: list[float] = []
    drawn: list[int] = []
    found = {}

    def run(monitor: Any) -> None:
        model = wb.load(MODEL, cache=False, device="cpu", dtype="float32")
        found[monitor is None] = []
        took = timing.cpu(
            lambda: found[monitor is None].append(wb.run("calibration", model, examples, monitor=monitor))
        )
        (alone if monitor is None else watched).append(took)

    run(None)
    alone.clear()  # the first one reads the weights and imports
    for turn in range(ROUNDS):
        monitor = Counted(shown=True)
        for one in (None, monitor) if turn % 2 else (monitor, None):
            run(one)
        drawn.append(monitor.drawn)
    same = found[True][0].metrics.equals(found[False][0].metrics)
    ratios = [one / other for one, other in zip(watched, alone, strict=True)]
    return [
        {
            "what": f"calibration of SmolLM2, {QUESTIONS} questions",
            "watched over alone, least": f"{min(ratios):.3f}",
            "median": f"{statistics.median(ratios):.3f}",
            "most": f"{max(ratios):.3f}",
            "alone, CPU s": f"{statistics.median(alone):.2f}",
            "watched, CPU s": f"{statistics.median(watched):.2f}",
            "drawings a run": f"{statistics.median(drawn):g}",
            "checked": "same metrics" if same else "**other metrics**",
        }
    ]


if __name__ == "__main__":
    import run

    print(NOTE + run.table(rows()))
