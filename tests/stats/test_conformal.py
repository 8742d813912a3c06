"""Split-conformal sets: by hand, by a naive loop, and their coverage on data sets drawn anew."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from workbench.errors import DataError, UsageError
from workbench.stats import conformal
from workbench.stats.conformal import SetOptions, fit, uniforms

FIXED = SetOptions(randomised=False, penalty=0.1, k_reg=1)
TABLE = [[0.6, 0.3, 0.1], [0.5, 0.1, 0.4], [0.2, 0.7, 0.1], [0.1, 0.2, 0.7]]
LABELS = [0, 2, 0, 2]
NEW = [[0.62, 0.28, 0.1], [0.4, 0.35, 0.25], [0.05, 0.9, 0.05]]


def _draw(seed: int, n: int, classes: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return over-confident probabilities, labels and seeds."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, (n, classes))
    labels = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    odds = np.exp(2 * logits)
    return odds / odds.sum(axis=1, keepdims=True), labels, rng.integers(0, 2**63, n)


@pytest.mark.parametrize(
    ("score", "threshold", "held"),
    [
        # scores of the labels 0.4, 0.6, 0.8, 0.3; rank ceil(5 x 0.6) = 3
        ("lac", 0.6, [[1, 0, 0], [1, 0, 0], [0, 1, 0]]),
        # 0.6, 0.5 + 0.4, 0.7 + 0.2, 0.7; the third is 0.9
        ("aps", 0.9, [[1, 1, 0], [1, 1, 0], [0, 1, 0]]),
        # and 0.1 for each rank beyond the first: 0.6, 1.0, 1.0, 0.7; new rows 0.62, 1.0, 1.2 and 0.4, 0.85, 1.2 and 0.9, ...
        ("raps", 1.0, [[1, 1, 0], [1, 1, 0], [0, 1, 0]]),
    ],
)
def test_sets_by_hand(score: Any, threshold: float, held: list[list[int]]) -> None:
    """Four calibration rows, alpha 0.4: the third smallest score."""
    found = fit(score, TABLE, LABELS, alpha=0.4, options=FIXED)

    assert found.threshold == pytest.approx(threshold, abs=1e-12)
    assert found.sets(NEW).astype(int).tolist() == held


def test_a_larger_penalty_shortens_the_long_sets() -> None:
    """RAPS by hand with a penalty of 0.5: labels score 0.6, 1.4, 1.4, 0.7; rank 2 of 5 x 0.4 is 0.7."""
    found = fit("raps", TABLE, LABELS, alpha=0.6, options=SetOptions(randomised=False, penalty=0.5, k_reg=1))

    assert found.threshold == pytest.approx(0.7, abs=1e-12)
    assert found.sets(NEW).astype(int).tolist() == [[1, 0, 0], [1, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize("randomised", [True, False])
@pytest.mark.parametrize(("score", "penalty", "k_reg"), [("aps", 0.0, 0), ("raps", 0.05, 2)])
def test_aps_and_raps_are_those_of_a_naive_loop(score: Any, penalty: float, k_reg: int, randomised: bool) -> None:
    """Class by class: the mass above, a share u of its own, and the penalty of its rank."""
    table, labels, seeds = _draw(0, 200, 6)
    draws = uniforms(seeds) if randomised else np.ones(200)

    def naive(row: int, label: int) -> float:
        p = table[row]
        above = sum(p[k] for k in range(6) if p[k] > p[label])
        rank = 1 + sum(p[k] > p[label] for k in range(6))
        return float(above + draws[row] * p[label] + penalty * max(0, rank - k_reg))

    options = SetOptions(randomised=randomised, penalty=penalty, k_reg=k_reg)
    found = fit(score, table[:100], labels[:100], alpha=0.15, seeds=seeds[:100], options=options)
    threshold = sorted(naive(row, labels[row]) for row in range(100))[86 - 1]  # ceil(101 x 0.85) = 86
    held = [[naive(row, k) <= threshold + 1e-12 for k in range(6)] for row in range(100, 200)]

    assert found.threshold == pytest.approx(threshold, abs=1e-12)
    assert found.sets(table[100:], seeds=seeds[100:]).tolist() == held


@pytest.mark.parametrize("score", conformal.SCORES)
def test_marginal_coverage_is_exact(score: Any) -> None:
    """Over 800 data sets of 39 + 60 rows the covered rows follow the Beta-binomial: mean, spread, and the stated range."""
    n, new, alpha, rank = 39, 60, 0.2, 32
    law = stats.betabinom(new, rank, n + 1 - rank)
    covered, inside = [], []
    for seed in range(800):
        table, labels, seeds = _draw(seed, n + new)
        found = fit(score, table[:n], labels[:n], alpha=alpha, seeds=seeds[:n])
        line = found.evaluate(table[n:], labels[n:], seeds=seeds[n:])[0]
        covered.append(line.coverage.value * new)
        inside.append(line.expected_low <= line.coverage.value <= line.expected_high)

    assert law.mean() / new == pytest.approx(rank / (n + 1))
    assert np.mean(covered) == pytest.approx(law.mean(), abs=4 * law.std() / np.sqrt(800))
    assert np.std(covered) == pytest.approx(law.std(), rel=4 / np.sqrt(2 * 800) * 1.3)  # heavier tail than normal
    low, high = law.ppf(0.025), law.ppf(0.975)
    promised = law.cdf(high) - law.cdf(low - 1)
    assert np.mean(inside) == pytest.approx(promised, abs=4 * np.sqrt(promised * (1 - promised) / 800))


def test_without_randomisation_coverage_is_no_lower() -> None:
    """Non-randomised APS covers the promise, too, on average over 500 data sets."""
    covered = []
    for seed in range(500):
        table, labels, _ = _draw(seed, 99)
        found = fit("aps", table[:39], labels[:39], alpha=0.2, options=FIXED)
        covered.append(found.evaluate(table[39:], labels[39:])[0].coverage.value)

    assert np.mean(covered) >= 0.8 - 4 * np.std(covered) / np.sqrt(500)


def test_expected_coverage_is_a_beta() -> None:
    """99 rows at alpha 0.1: Beta(90, 10)."""
    table, labels, seeds = _draw(0, 99)
    expected = fit("aps", table, labels, alpha=0.1, seeds=seeds).expected

    assert tuple(expected[:3]) == pytest.approx((0.9, *stats.beta(90, 10).ppf([0.025, 0.975])), abs=1e-9)
    assert expected.n == 99
    assert "Beta(90, 10)" in expected.method


def test_the_range_of_many_new_rows_meets_the_exact_one() -> None:
    """Where the Beta-binomial is no longer summed, the Beta of the same moments takes over without a jump."""
    table, labels, _ = _draw(0, 199)
    found = fit("lac", table, labels, alpha=0.1)
    exact = stats.betabinom(conformal.EXACT + 1, 180, 20).ppf([0.025, 0.975]) / (conformal.EXACT + 1)

    assert found._range(conformal.EXACT + 1) == pytest.approx(exact, abs=2e-4)
    assert found._range(conformal.EXACT) == pytest.approx(exact, abs=1e-4)


def test_too_few_rows_give_full_sets() -> None:
    """8 rows cannot promise 90 %: the threshold is infinite, every class is held, and the expectation says so."""
    table, labels, _ = _draw(0, 8)
    found = fit("lac", table, labels, alpha=0.1)

    assert found.threshold == np.inf
    assert found.sets(table).all()
    assert found.expected.value == 1
    assert "too few" in found.expected.method
    assert fit("lac", *_draw(0, 9)[:2], alpha=0.1).threshold < np.inf  # ceil(10 x 0.9) = 9, whatever 10 x 0.9 rounds to


def test_order_and_batches_change_no_set() -> None:
    """Rows shuffled or taken one by one have the same sets."""
    table, labels, seeds = _draw(1, 300)
    order = np.random.default_rng(0).permutation(150)
    found = fit("raps", table[:150], labels[:150], seeds=seeds[:150])
    shuffled = fit("raps", table[:150][order], labels[:150][order], seeds=seeds[:150][order])
    held = found.sets(table[150:], seeds=seeds[150:])

    assert shuffled.threshold == found.threshold
    assert (shuffled.sets(table[150:][order], seeds=seeds[150:][order]) == held[order]).all()
    assert (
        np.concatenate([found.sets(table[i : i + 1], seeds=seeds[i : i + 1]) for i in range(150, 300)]) == held
    ).all()


def test_uniforms_are_splitmix64() -> None:
    """The published first output for the state 0 is 0xE220A8397B1DCDAF; the draws are uniform and uncorrelated."""
    many = uniforms(np.arange(100_000))

    assert uniforms([0])[0] == (0xE220A8397B1DCDAF >> 11) / 2**53
    assert stats.kstest(many, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(many[:-1], many[1:])[0, 1]) < 4 / np.sqrt(100_000)


def test_evaluation_by_group() -> None:
    """All rows first, then the groups by name, each with its own coverage, size and share of empty sets."""
    found = fit("lac", TABLE, LABELS, alpha=0.4)  # threshold 0.6: classes of at least 0.4
    new = [[0.5, 0.5, 0.0], [0.9, 0.1, 0.0], [0.35, 0.35, 0.3], [0.1, 0.2, 0.7]]
    every, odd, plain = found.evaluate(new, [1, 1, 0, 2], groups=["plain", "odd", "odd", "plain"])

    assert (every.group, odd.group, plain.group) == ("all", "odd", "plain")
    assert (every.coverage.value, odd.coverage.value, plain.coverage.value) == (0.5, 0.0, 1.0)
    assert (every.size.value, odd.size.value, plain.size.value) == (1.0, 0.5, 1.5)
    assert (every.empty.value, odd.empty.value, plain.empty.value) == (0.25, 0.5, 0.0)
    assert (every.coverage.n, odd.coverage.n, plain.coverage.n) == (4, 2, 2)
    assert "Wilson" in every.coverage.method
    assert every.expected_low <= every.expected_high
    assert np.isnan([odd.expected_low, plain.expected_high]).all()


def test_copies_of_rows_do_not_narrow_the_interval() -> None:
    """With the cluster named, the interval of rows written four times is no narrower than that of the rows."""
    table, labels, _ = _draw(2, 260)
    found = fit("lac", table[:200], labels[:200], alpha=0.2)
    once = found.evaluate(table[200:], labels[200:])[0].coverage
    repeated = np.repeat(np.arange(200, 260), 4)
    naive = found.evaluate(table[repeated], labels[repeated])[0].coverage
    honest = found.evaluate(table[repeated], labels[repeated], clusters=repeated)[0].coverage

    assert honest.high - honest.low >= 0.98 * (once.high - once.low)
    assert naive.high - naive.low < 0.6 * (once.high - once.low)


def test_empty_sets_can_be_filled() -> None:
    """Without empty sets, a set that would be empty holds the top class, and no range is promised."""
    options = SetOptions(allow_empty=False)
    found = fit("lac", TABLE, LABELS, alpha=0.6, options=options)

    assert found.sets([[0.3, 0.3, 0.4]]).astype(int).tolist() == [[0, 0, 1]]
    assert np.isnan(found.evaluate(TABLE, LABELS)[0].expected_low)


@pytest.mark.data
@pytest.mark.parametrize("score", conformal.SCORES)
def test_coverage_of_a_real_model(benchmark_data: Path, score: Any) -> None:
    """CIFAR-100, half against half: coverage in the range for 99.9 % of splits; adaptive sets are larger than LAC's."""
    with np.load(benchmark_data / "calibration_reference" / "netcal_cifar100_wideresnet-16-4.npz") as arrays:
        table, labels = arrays["predictions"], arrays["ground_truth"]
    seeds = np.arange(10_000)
    half = np.random.default_rng(0).permutation(10_000) < 5000
    found = fit(score, table[half], labels[half], alpha=0.1, seeds=seeds[half])
    line = found.evaluate(table[~half], labels[~half], seeds=seeds[~half])[0]
    low, high = stats.betabinom(5000, 4501, 500).ppf([0.0005, 0.9995]) / 5000

    assert low <= line.coverage.value <= high
    lac = fit("lac", table[half], labels[half], alpha=0.1).evaluate(table[~half], labels[~half])[0]
    assert line.size.value >= lac.size.value
    assert 1 < line.size.value < 10


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        (("lca", TABLE, LABELS), {}, UsageError, "Did you mean 'lac'"),
        (("lac", TABLE, LABELS), {"alpha": 1.0}, UsageError, "between 0 and 1"),
        (("aps", TABLE, LABELS), {}, UsageError, r"pass seeds .*randomised=False"),
        (("aps", TABLE, LABELS), {"seeds": [1, 2]}, DataError, r"per row \(4\); there are 2"),
        (("aps", TABLE, LABELS), {"seeds": [0.5] * 4}, DataError, "float64"),
        (("raps", TABLE, LABELS), {"options": SetOptions(penalty=-1)}, UsageError, "penalty"),
        (("lac", [[0.5, 0.5], [np.nan, 1.0]], [0, 1]), {}, DataError, "row 1"),
        (("lac", [[0.5, 0.5], [3.0, -2.0]], [0, 1]), {}, DataError, "Turn logits into probabilities"),
        (("lac", [[0.5, 0.5], [0.4, 0.6]], [0, 2]), {}, DataError, "from 0 to 1; they are not in row 1"),
    ],
)
def test_wrong_input_is_said(arguments: Any, options: dict[str, Any], error: type, message: str) -> None:
    """The message names the rows or the option."""
    with pytest.raises(error, match=message):
        fit(*arguments, **options)


def test_other_classes_are_refused() -> None:
    """Sets fitted on three classes are not for two."""
    with pytest.raises(DataError, match="3 classes; the probabilities have 2"):
        fit("lac", TABLE, LABELS, alpha=0.4).sets([[0.5, 0.5]])
