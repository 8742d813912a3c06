"""A probe from a package of somebody else: installed, found by name, run, and what `docs/adding-a-probe.md` says of it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent / "other_package"
RUN = """
import json
import numpy as np
import workbench as wb
from workbench.models.verbs import Choices, ModelInfo

class LovesLength:
    name, verbs, info = "loves length", frozenset({"choose"}), ModelInfo("loves length", "language model")

    def choose(self, questions, *, monitor=None):
        logp = tuple(np.array([float(len(choice)) for choice in one.choices]) for one in questions)
        return Choices(logp, tuple(np.ones(len(x), int) for x in logp), np.ones(len(logp), bool))

frame = [
    {"text": "Which?", "choices": ["a", "bbb"], "label": 1, "kind": "x"},
    {"text": "What?", "choices": ["aa", "b", "c", "d"], "label": 2, "kind": "x"},
    {"text": "Who?", "choices": ["aa", "bb"], "label": 0, "kind": "y"},
]
examples = wb.Examples.of(frame, slices=["kind"], name="three")
report = wb.run("longest", LovesLength(), examples)
refused = wb.run("longest", wb.load(lambda texts: [[0.5, 0.5]] * len(texts), labels=["a", "b"], name="classes"), examples)
metrics = report.metrics
print(json.dumps({
    "distribution": wb.__name__,
    "all": metrics[metrics.group == "all"].set_index("metric").value.to_dict(),
    "n": int(metrics[(metrics.group == "all") & (metrics.metric == "takes_longest")].n.iloc[0]),
    "low": float(metrics[(metrics.group == "all") & (metrics.metric == "takes_longest")].low.iloc[0]),
    "charts": list(report.charts()),
    "refused": refused.outcome,
    "explored": len(wb.explore(report).selection),
}))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Return what a process says that has the package installed beside Workbench."""
    target = tmp_path_factory.mktemp("site")
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--target", target]
    subprocess.run([*install, SOURCE], check=True, capture_output=True, text=True)
    paths = os.pathsep.join([str(target), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        check=True,
        capture_output=True,
        text=True,
        cwd=target,
        env={**os.environ, "PYTHONPATH": paths},
    )
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_a_probe_of_another_package_is_found_by_name_and_counts_right(told: dict[str, object]) -> None:
    """A model that always takes the longest does so in both questions that have one; chance is 1/2 and 1/4."""
    assert told["all"] == {"above_chance": 0.625, "takes_longest": 1.0, "right_is_longest": 0.5}
    assert told["n"] == 2
    assert 0.3 < float(str(told["low"])) < 0.4  # Wilson's lower bound of 2 of 2 is 0.342


def test_reports_charts_and_the_explorer_come_with_it(told: dict[str, object]) -> None:
    """Its report is drawn and explored; a model that cannot choose is an outcome, not an exception."""
    assert told["charts"] == ["above_chance"]
    assert told["explored"] == 3
    assert told["refused"] == "not applicable"
