"""The counts that the scoring benchmarks are judged by: by hand, against lm-evaluation-harness's own batches, on real data."""

import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.models import embedded
from workbench.models._packaged import GEMMA, gguf_of

FOLDER = Path(__file__).parents[2] / "benchmarks"


def module(name: str) -> ModuleType:
    """Return a module of the benchmarks, which are not a package."""
    spec = importlib.util.spec_from_file_location(f"benchmarks_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = made  # dataclasses look their module up
    spec.loader.exec_module(made)
    return made


bound, tasks = module("scoring_bound"), module("scoring_tasks")

# task -> (P, U, N, bound) of the first 300 questions of ARC-Challenge, and of all pairs (shared/notes/engine.md, 5.4)
SMOLLM2 = {
    "arc-text": (40430, 13400, 5321, 3.46),
    "arc-text-5": (389097, 13719, 5321, 32.56),
    "arc-letters": (20720, 19062, 300, 1.37),
    "arc-letters-5": (156320, 19514, 300, 10.11),
    "crows-pairs": (47336, 33336, 33336, 1.42),
}
GEMMA_COUNTS = {
    "arc-text": (41096, 13278, 5250, 4.98),
    "arc-text-5": (380552, 13590, 5250, 45.47),
    "arc-letters": (20852, 18923, 300, 2.87),
    "arc-letters-5": (154352, 19368, 300, 20.77),
    "crows-pairs": (46539, 32962, 32962, 1.41),
}


@cache
def tokenizer(folder: Path) -> Any:
    """Return the tokenizer in a folder; Gemma's takes seconds to load."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder, local_files_only=True)


def counted(folder: Path, name: str, data: Path) -> tuple[int, int, int, float]:
    """Return the counts of a task and its bound for the model in a folder."""
    task = tasks.task(name, data, None if name == "crows-pairs" else 300)
    found = bound.count(bound.encode(tokenizer(folder), task.requests))
    return (*found, round(found.bound(bound.shape(folder)), 2))


def test_counts_by_hand() -> None:
    """Two answers after one context, a repeat of one, and a request that shares only its first token."""
    requests = [
        bound.Ids((1, 2, 3, 4), 2),  # inputs 1 2 3, targets 3 4
        bound.Ids((1, 2, 3, 4), 2),
        bound.Ids((1, 2, 5), 2),  # inputs 1 2, target 5
        bound.Ids((1, 6, 7), 1),  # inputs 1 6, targets 6 7
    ]
    # runs of lm-eval: (1 2 3), (1 2), (1 6), padded to 3 in one batch of 8; batches of 2 pad (1 2) alone
    assert bound.count(requests) == (9, 4, 4)
    assert bound.count(requests, batch=2).peer == 3 + 3 + 2
    assert bound.Counts(9, 4, 4).bound(bound.Shape(trunk=3, head=1)) == 9 * 4 / (4 * 3 + 4)


def test_of_requests_that_share_a_run_the_longest_continuation_is_kept() -> None:
    """lm-eval keeps the logits of the longest continuation of a group, which does not change the positions."""
    requests = [bound.Ids((1, 2, 3, 4), 3), bound.Ids((1, 2, 3, 5), 1)]

    assert bound.count(requests) == (3, 3, 3)


@given(
    st.lists(
        st.lists(st.integers(0, 2), min_size=2, max_size=6).flatmap(
            lambda ids: st.tuples(st.just(tuple(ids)), st.integers(1, len(ids) - 1))
        ),
        min_size=1,
        max_size=12,
    )
)
def test_nodes_are_the_distinct_prefixes(requests: list[tuple[tuple[int, ...], int]]) -> None:
    """U and N equal the sizes of sets of prefixes, in any order of the requests."""
    made = [bound.Ids(*each) for each in requests]

    found = bound.count(made)

    assert found.unique == len({ids[:stop] for ids, _ in requests for stop in range(1, len(ids))})
    assert found.scored == len({ids[:stop] for ids, start in requests for stop in range(start, len(ids))})
    assert found == bound.count(made[::-1])
    assert found.unique <= found.peer


@pytest.mark.model
@pytest.mark.data
@pytest.mark.parametrize("name", SMOLLM2)
def test_anchors_of_smollm2(name: str, benchmark_data: Path) -> None:
    """The counts of whole tasks are those of the notes, exactly."""
    gguf = embedded.find()
    if gguf is None:
        pytest.skip(f"the embedded model is not installed: {embedded.PIP_LINE}")

    assert counted(embedded.convert(gguf), name, benchmark_data) == SMOLLM2[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", GEMMA_COUNTS)
def test_anchors_of_gemma(name: str, benchmark_data: Path) -> None:
    """The counts of whole tasks are those of the notes, exactly, with a tokenizer that puts BOS first."""
    gguf = gguf_of(GEMMA)
    if gguf is None:
        pytest.skip(f"Gemma is not installed: {GEMMA.pip_line}")

    assert counted(embedded.convert(gguf), name, benchmark_data) == GEMMA_COUNTS[name]


@pytest.mark.data
def test_tasks_have_their_questions_in_the_forms_of_the_notes(benchmark_data: Path) -> None:
    """The first request of each form, letter for letter; right answers stand in the shots."""
    text = tasks.task("arc-text", benchmark_data, 2)
    letters = tasks.task("arc-letters-5", benchmark_data, 1)
    context, continuation = text.requests[2]

    assert context.startswith("Question: An astronomer observes that a planet rotates faster")
    assert context.endswith("increase in rotation?\nAnswer:")
    assert continuation == " Planetary days will become shorter."
    assert (text.sizes, text.answers) == ((4, 4), (2, 1))
    assert letters.requests[0][0].count("\nAnswer:") == 6
    assert "\nD. Record the details of the investigation.\nAnswer: D\n\nQuestion: " in letters.requests[0][0]
    assert [rest for _, rest in letters.requests] == [" A", " B", " C", " D"]


@pytest.mark.data
def test_openbookqa_is_taken_apart(benchmark_data: Path) -> None:
    """Each question has four options without their letters, and the right one is where its letter says."""
    asked = tasks.openbookqa(benchmark_data)

    assert len(asked) == 500
    assert {len(one.choices) for one in asked} == {4}
    assert asked[0].choices[asked[0].answer] == "quit eating lunch out"


def test_accuracy_counts_the_likeliest() -> None:
    """Two questions of two and three choices: one right; ties within the margin are told."""
    task = tasks.Task("t", (("a", "b"),) * 5, (2, 3), (0, 2))

    assert task.chosen([-1.0, -2.0, -3.0, -1.0, -1.001]) == [0, 1]
    assert task.accuracy([-1.0, -2.0, -3.0, -1.0, -1.001]) == 0.5
    assert task.close([-1.0, -2.0, -3.0, -1.0, -1.001], 0.004) == [False, True]
