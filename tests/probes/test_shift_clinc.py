"""The probe `shift` on MiniLM's embeddings of CLINC150, BANKING77 and TweetEval: the notes' values, 5.3 (slow: 4,100 texts)."""

from pathlib import Path
from typing import Any

import minilm
import numpy as np
import pandas as pd
import pytest

import workbench as wb

pytestmark = [pytest.mark.model, pytest.mark.data, pytest.mark.slow]
WIDTH = 1.2
CASES = {  # MMD²_u, p by permutation (999), p by sign flips (2,048), as the notes have them
    "same": (0.000219, 0.158, 0.157),
    "banking": (0.0469, 0.001, None),
    "out of scope": (0.0118, 0.001, None),
    "2 %": (0.000200, 0.178, 0.173),
    "5 %": (0.000311, 0.086, 0.084),
    "10 %": (0.000406, 0.045, 0.047),
    "20 %": (0.000935, 0.003, 0.001),
}
TASKS = {
    "sentiment": 0.757,
    "offensive": 0.476,
    "hate": 0.707,
}  # p of a task's first 250 test tweets against its next 250


def examples(texts: list[str], name: str) -> wb.Examples:
    """Return texts as examples; some occur twice, so that ids are places."""
    table = pd.DataFrame({"text": texts, "example": [f"{name}-{i}" for i in range(len(texts))]})
    return wb.Examples.of(table, text="text", example="example", name=name, slices=())


@pytest.fixture(scope="module")
def sets() -> dict[str, list[str]]:
    """Return the source and the seven new sets, drawn as the notes say."""
    clinc = minilm.clinc()
    test, odd = clinc["test"].texts, clinc["oos_test"].texts
    rng = np.random.default_rng(0)
    order = rng.permutation(4500)
    bank = rng.permutation(3080)[:500]
    rest = [test[i] for i in order[500:1000]]
    made = {
        "source": [test[i] for i in order[:500]],
        "same": rest,
        "banking": [minilm.banking().texts[i] for i in bank],
        "out of scope": odd[:500],
    }
    return made | {f"{q // 5} %": rest[: 500 - q] + odd[:q] for q in (10, 25, 50, 100)}


def value(report: wb.Report, metric: str) -> float:
    """Return one number of all rows."""
    return float(report.metrics.query("metric == @metric and group == 'all'")["value"].iloc[0])


@pytest.mark.parametrize("case", list(CASES))
def test_the_detection_cases_of_the_notes(case: str, sets: dict[str, list[str]]) -> None:
    """MMD²_u to its last digit; p within four standard errors of two draws of 999 (of 2,047 for sign flips)."""
    statistic, by_permutation, by_signs = CASES[case]

    def run(**options: Any) -> wb.Report:
        new, old = examples(sets[case], case), examples(sets["source"], "source")
        return wb.run("shift", minilm.encoder(), new, reference=old, width=WIDTH, **options)

    report = run(method="permutation")
    error = np.sqrt(2 * by_permutation * (1 - by_permutation) / 999)

    assert value(report, "mmd2") == pytest.approx(statistic, abs=0.6 * 10.0 ** (-6 if statistic < 0.01 else -4))
    assert value(report, "p_value") == pytest.approx(by_permutation, abs=4 * error)
    flips = value(run(method="sign flips", draws=2047), "p_value")
    wanted = 0.001 if by_signs is None else by_signs
    assert flips == pytest.approx(wanted, abs=4 * np.sqrt(2 * wanted * (1 - wanted) / 2047))


@pytest.fixture(scope="module")
def tweets(benchmark_data: Path) -> dict[str, tuple[wb.Examples, wb.Examples]]:
    """Return two halves of the first 500 test tweets of three tasks."""
    made = {}
    for task in TASKS:
        texts = wb.benchmark("tweeteval", task=task, split="test").frame["text"].tolist()[:500]
        made[task] = examples(texts[:250], f"{task}-old"), examples(texts[250:], f"{task}-new")
    return made


@pytest.mark.parametrize("old", list(TASKS))
@pytest.mark.parametrize("new", list(TASKS))
def test_the_tasks_of_tweeteval(old: str, new: str, tweets: dict[str, tuple[wb.Examples, wb.Examples]]) -> None:
    """Halves of one task: the notes' p to its Monte-Carlo error. Two tasks: the least p that 999 draws can have."""
    report = wb.run(
        "shift", minilm.encoder(), tweets[new][1], reference=tweets[old][0], width=WIDTH, method="permutation"
    )
    p = value(report, "p_value")
    wanted = TASKS[old] if old == new else 0.001

    assert p == pytest.approx(wanted, abs=4 * np.sqrt(2 * wanted * (1 - wanted) / 999) if old == new else 1e-9), report


def test_other_tests_find_the_same_shift(sets: dict[str, list[str]]) -> None:
    """Energy distance, classifier and columns agree on out-of-scope utterances, and on none where none is."""
    for test in ("energy", "c2st", "ks"):
        p = {}
        for case in ("out of scope", "same"):
            new, old = examples(sets[case], case), examples(sets["source"], "source")
            p[case] = value(wb.run("shift", minilm.encoder(), new, reference=old, test=test), "p_value")
        assert p["out of scope"] < 0.01 < 0.05 < p["same"]
