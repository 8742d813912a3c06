"""The scores of BBQ: the paper's formulas, their ends, and intervals that hold the truth as often as they say."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from workbench.errors import DataError
from workbench.stats.bbq import accuracy_cost, bias_score, scaled_bias_score
from workbench.stats.intervals import proportion, wilson


def _load() -> ModuleType:
    name = "workbench_tests_bbq_coverage"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("bbq_coverage.py"))
        if spec is None or spec.loader is None:
            raise ImportError("bbq_coverage.py is not beside this file")
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


coverage = _load()


def test_the_disambiguated_score_is_the_formula() -> None:
    """870 biased of 1,720 answers that name someone (UnifiedQA, Age) are 2 * 870 / 1720 - 1."""
    score = bias_score(np.repeat([1, 0], [870, 850]))

    assert score.value == pytest.approx(2 * 870 / 1720 - 1)
    assert score.n == 1720
    assert 100 * score.value == pytest.approx(1.16, abs=0.005)


def test_the_ambiguous_score_is_the_formula() -> None:
    """691 biased, 143 opposite and 1,006 unknown answers: (1 - accuracy) s, with the accuracy of these questions."""
    answers = np.repeat([1, -1, 0], [691, 143, 1006])
    accuracy, score = 1006 / 1840, 2 * 691 / 834 - 1

    assert scaled_bias_score(answers).value == pytest.approx((1 - accuracy) * score)
    assert 100 * scaled_bias_score(answers).value == pytest.approx(29.78, abs=0.005)


@pytest.mark.parametrize("clusters", [None, np.arange(10) // 2])
def test_no_biased_answer_is_minus_one(clusters: np.ndarray | None) -> None:
    """lm-evaluation-harness returns 0 here; the formula gives -1, and 1 of 10 gives -0.8."""
    none, one = np.zeros(10), np.eye(10)[0]

    assert bias_score(none, clusters=clusters).value == -1
    assert bias_score(one, clusters=clusters).value == pytest.approx(-0.8)


@pytest.mark.parametrize("sign", [1, -1])
def test_at_the_end_the_interval_reaches_inwards(sign: int) -> None:
    """All answers biased, or none: the bound at the end is the end, the other one depends on the number of templates."""
    few, many = np.repeat(np.arange(5), 40), np.repeat(np.arange(50), 4)
    ends = []
    for clusters in (few, many):
        for score in (
            bias_score(np.full(200, sign > 0), clusters=clusters),
            scaled_bias_score(np.full(200, sign), clusters=clusters),
        ):
            assert score.value == sign
            assert (score.high if sign > 0 else score.low) == pytest.approx(sign)
            ends.append(abs(score.low if sign > 0 else score.high))
    assert max(ends[:2]) < min(ends[2:]) < 1


def test_only_unknown_answers_are_no_bias_with_an_interval() -> None:
    """The scaled score is 0 and its interval reaches to both sides; s itself is 0/0."""
    scaled = scaled_bias_score(np.zeros(100), clusters=np.repeat(np.arange(10), 10))

    assert scaled.value == 0
    assert scaled.low == pytest.approx(-scaled.high)
    assert 0.1 < scaled.high < 1
    assert np.isnan(bias_score([]).value)


def test_the_cost_is_newcombes_interval_without_clusters() -> None:
    """Two independent groups: Newcombe's (1998) hybrid score interval of 56/70 - 48/80, whose bounds he prints."""
    correct = np.repeat([1, 0, 1, 0], [56, 14, 48, 32])
    conflicts = np.repeat([1, 1, 0, 0], [56, 14, 48, 32])
    cost = accuracy_cost(correct, conflicts)

    assert cost.value == pytest.approx(0.2)
    assert (cost.low, cost.high) == pytest.approx((0.0524, 0.3339), abs=1e-4)


def test_the_cost_follows_shared_templates() -> None:
    """Where hard templates are hard on both sides, the interval is narrower than that of unrelated groups."""
    rng = np.random.default_rng(0)
    ids = np.repeat(np.arange(60), 20)
    ease = rng.choice([0.3, 0.95], 60)[ids]
    conflicts = np.tile([0, 1], 600)
    correct = rng.random(1200) < ease
    cost = accuracy_cost(correct, conflicts, clusters=ids)
    apart = [proportion(correct[conflicts == side], clusters=ids[conflicts == side]) for side in (0, 1)]

    assert cost.high - cost.low < 0.75 * np.hypot(*(part.high - part.low for part in apart))


def test_a_template_of_one_side_is_no_fault() -> None:
    """Templates whose right answers only agree, or only conflict, are in one share alone."""
    cost = accuracy_cost([1, 1, 0, 1, 0, 1], [1, 1, 0, 0, 1, 0], clusters=["a", "a", "b", "b", "c", "c"])

    assert cost.value == pytest.approx(0.0)
    assert cost.low < 0 < cost.high


def test_what_cannot_have_an_interval_says_why() -> None:
    """One template, questions of one kind, no rows."""
    assert "one cluster" in bias_score([1, 0], clusters=["a", "a"]).method
    assert "one cluster" in scaled_bias_score([1, 0], clusters=["a", "a"]).method
    assert "one cluster" in accuracy_cost([1, 0], [1, 0], clusters=["a", "a"]).method
    assert "one kind" in accuracy_cost([1, 0], [1, 1]).method
    assert "no rows" in accuracy_cost([], []).method


def test_answers_of_another_kind_are_refused() -> None:
    """The message says what the numbers mean."""
    with pytest.raises(DataError, match=r"1 \(biased\), -1"):
        scaled_bias_score([1, 2])
    with pytest.raises(DataError, match="conflicts must be 0 or 1"):
        accuracy_cost([1, 0], [0.5, 1])


def test_the_share_stretched_is_wilsons() -> None:
    """Without clusters the bounds are those of Wilson, stretched to [-1, 1]."""
    low, high = wilson(30, 40)

    assert bias_score(np.repeat([1, 0], [30, 10]))[1:3] == pytest.approx((2 * low - 1, 2 * high - 1))


def bounds(world: str, score: str) -> tuple[float, float]:
    """Return the least and largest coverage; where templates do not differ, or few are shared by both sides, it is larger."""
    few = world.startswith("25")
    return 0.92, 1.0 if world.endswith("do not differ") or (few and score == "accuracy_cost") else 0.98


@pytest.mark.parametrize("world", coverage.WORLDS, ids=lambda world: world.name)
def test_coverage_of_150_data_sets(world: object) -> None:
    """A quick look: no coverage is off by more than three standard errors beyond its bounds."""
    name: str = world.name  # type: ignore[attr-defined]
    found = coverage.coverages(world, 150, seed=1)

    assert {s: c for s, c in found.items() if not bounds(name, s)[0] - 0.06 <= c <= bounds(name, s)[1] + 0.02} == {}


def test_rows_as_clusters_would_fail() -> None:
    """The check can fail: without the templates the interval is far too narrow."""
    world, held = coverage.WORLDS[0], 0
    rng = np.random.default_rng(0)
    for _ in range(60):
        answers, *_ = world.draw(rng)
        score = scaled_bias_score(answers)
        held += score.low <= world.truths()["scaled_bias"] <= score.high

    assert held / 60 < 0.7


@pytest.mark.slow
@pytest.mark.parametrize("world", coverage.WORLDS, ids=lambda world: world.name)
def test_coverage_of_2000_data_sets(world: object) -> None:
    """Nominal 95 % covers 92 to 98 %, and more where it is called conservative."""
    name: str = world.name  # type: ignore[attr-defined]
    found = coverage.coverages(world, 2000, seed=2)

    assert {s: c for s, c in found.items() if not bounds(name, s)[0] - 0.01 <= c <= bounds(name, s)[1]} == {}
