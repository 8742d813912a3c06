"""AUROC, AURC and the curve of risk against coverage."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import DataError
from workbench.stats import ranking

ties = st.lists(st.tuples(st.sampled_from([0.1, 0.4, 0.4, 0.9]), st.booleans()), min_size=2, max_size=7)


def test_auroc_by_hand() -> None:
    """Pairs won, ties one half: (1 + 1 + 0.5 + 1) / 4."""
    assert ranking.auroc([0.9, 0.5, 0.5, 0.1], [1, 1, 0, 0]).value == pytest.approx(3.5 / 4)


def test_auroc_equals_scikit_learn() -> None:
    """The value is scikit-learn's, ties and all."""
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    for digits in (1, 2, 16):
        score, positive = rng.random(500).round(digits), rng.integers(0, 2, 500)
        assert ranking.auroc(score, positive).value == pytest.approx(roc_auc_score(positive, score), abs=1e-12)


def test_auroc_variance_is_delong() -> None:
    """The half width on the logit scale is t times the root of DeLong's variance, from all pairs."""
    rng = np.random.default_rng(0)
    high, low = rng.normal(1, 1, 40), rng.normal(0, 1, 60)
    wins = (high[:, None] > low).astype(float)
    variance = wins.mean(axis=1).var(ddof=1) / 40 + wins.mean(axis=0).var(ddof=1) / 60
    found = ranking.auroc(np.append(high, low), np.repeat([1, 0], [40, 60]))
    value = wins.mean()
    half = (math.log(found.high / (1 - found.high)) - math.log(found.low / (1 - found.low))) / 2
    quantile = half * value * (1 - value) / math.sqrt(variance)

    assert 1.97 < quantile < 2.0  # Student's t with some 80 degrees of freedom


def test_few_rows_of_a_class_have_the_wider_of_two_intervals() -> None:
    """Five positive rows of 100: both ends are DeLong's or Newcombe's, and 94 of 100 samples, less their error, hold the area."""
    from scipy.stats import norm

    held = 0
    positive = (np.arange(100) < 5).astype(float)
    for seed in range(300):
        rng = np.random.default_rng(seed)
        found = ranking.auroc(rng.normal(size=100) + 1.5 * positive, positive)
        held += found.low <= norm.cdf(1.5 / math.sqrt(2)) <= found.high
    assert "Newcombe's method 5 where it is wider" in found.method
    assert held / 300 >= 0.94  # DeLong's alone: 0.91


def test_a_class_in_few_clusters_is_known_as_they_know_it() -> None:
    """Three positive documents of ten: variance and freedom of a jackknife over each class's documents, and the truth is held."""
    from scipy.stats import norm, t
    from sklearn.metrics import roc_auc_score

    owners, positive = np.repeat(np.arange(10), 8), np.repeat([1, 0], [24, 56]).astype(float)

    def draw(seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        return (rng.normal(size=80) + rng.normal(size=10)[owners]) / math.sqrt(2) + 0.5 * positive

    score, without = draw(1), []
    for own in (range(3), range(3, 10)):
        left = np.array([roc_auc_score(positive[owners != g], draw(1)[owners != g]) for g in own])
        without.append((len(own) - 1) / len(own) * float(((left - roc_auc_score(positive, score)) ** 2).sum()))
    freedom = sum(without) ** 2 / (without[0] ** 2 / 2 + without[1] ** 2 / 6)
    found = ranking.auroc(score, positive, clusters=owners)
    half = (math.log(found.high / (1 - found.high)) - math.log(found.low / (1 - found.low))) / 2

    error = math.sqrt(sum(without)) / (found.value * (1 - found.value))
    assert half == pytest.approx(t.ppf(0.975, freedom) * error, rel=0.1)  # the freedom is of unscaled squares
    truth, held = norm.cdf(0.5 / math.sqrt(2)), 0
    for seed in range(300):
        one = ranking.auroc(draw(seed), positive, clusters=owners)
        held += one.low <= truth <= one.high
    assert held / 300 >= 0.92  # with the freedom of rows: 0.85


def test_separated_classes_keep_an_open_interval() -> None:
    """An AUROC of 1 on ten rows does not claim to be sure."""
    found = ranking.auroc(np.arange(10), np.arange(10) > 4)

    assert found.value == 1.0
    assert 0.5 < found.low < 0.9
    assert found.high == 1.0


def test_one_class_has_no_auroc() -> None:
    """The method says which class is missing."""
    for rows, reason in (([1, 1], "every row is positive"), ([0, 0], "no row is positive"), ([], "no rows")):
        found = ranking.auroc([0.5] * len(rows), rows)
        assert math.isnan(found.value)
        assert reason in found.method


@given(ties)
def test_aurc_is_the_mean_over_all_orders_of_ties(rows: list[tuple[float, bool]]) -> None:
    """Averaging over ties equals the mean of the plain definition over every order of the tied rows."""
    values = []
    for order in itertools.permutations(range(len(rows))):
        stated = [rows[i][0] for i in order]
        if stated == sorted(stated, reverse=True):
            wrong = np.array([not rows[i][1] for i in order], dtype=float)
            values.append(float((np.cumsum(wrong) / np.arange(1, len(wrong) + 1)).mean()))

    found = ranking.aurc([c for c, _ in rows], [a for _, a in rows])
    assert found.value == pytest.approx(float(np.mean(values)), abs=1e-12)


def test_aurc_variance_equals_the_jackknife() -> None:
    """The influence function's standard error is that of leaving out one row at a time."""
    rng = np.random.default_rng(0)
    confidence = rng.random(300)
    correct = (rng.random(300) < confidence).astype(float)
    keep = ~np.eye(300, dtype=bool)
    for metric in (ranking.aurc, ranking.e_aurc):
        left = np.array([metric(confidence[rows], correct[rows]).value for rows in keep])
        error = math.sqrt(299 / 300 * ((left - left.mean()) ** 2).sum())
        found = metric(confidence, correct)
        assert (found.high - found.low) / 2 / 1.96 == pytest.approx(error, rel=0.06)


def test_perfect_ranking_has_no_excess() -> None:
    """With all errors last, E-AURC falls to 0 as rows grow."""
    confidence = np.linspace(1, 0, 5000)

    assert ranking.e_aurc(confidence, np.arange(5000) < 4000).value == pytest.approx(0, abs=2e-4)


def test_no_errors_leave_room_for_some() -> None:
    """Without errors the AURC is 0 and its upper bound is that of the exact bound of the error rate."""
    found = ranking.aurc(np.linspace(0, 1, 100), np.ones(100))
    rate = 1 - 0.025 ** (1 / 100)

    assert found[:2] == (0.0, 0.0)
    assert rate - rate * math.log(rate) == pytest.approx(found.high)


def test_curve_by_hand() -> None:
    """Points at the ends of tied groups: one row, three rows, four."""
    curve = ranking.risk_coverage([0.9, 0.8, 0.8, 0.6], [1, 1, 0, 0])

    assert curve.coverage.tolist() == [0.25, 0.75, 1.0]
    assert pytest.approx(curve.risk.tolist()) == [0.0, 1 / 3, 0.5]
    assert curve.threshold.tolist() == [0.9, 0.8, 0.6]


def test_curve_has_no_more_points_than_asked_for() -> None:
    """A long curve is thinned; it still ends at coverage 1."""
    rng = np.random.default_rng(0)
    curve = ranking.risk_coverage(rng.random(5000), rng.integers(0, 2, 5000))

    assert len(curve.coverage) <= 200
    assert curve.coverage[-1] == 1.0
    assert set(curve.columns()) == {"coverage", "risk", "low", "high", "threshold"}


def test_curve_by_cluster_is_wider() -> None:
    """Copied rows widen the band when their clusters are known."""
    rng = np.random.default_rng(0)
    confidence, correct, ids = (np.repeat(a, 6) for a in (rng.random(100), rng.integers(0, 2, 100), np.arange(100)))
    naive, clustered = (
        ranking.risk_coverage(confidence, correct),
        ranking.risk_coverage(confidence, correct, clusters=ids),
    )

    assert clustered.high[-1] - clustered.low[-1] > 2 * (naive.high[-1] - naive.low[-1])
    assert np.isfinite(clustered.low).all()


def test_rows_that_do_not_match_are_named() -> None:
    """Lengths must agree."""
    with pytest.raises(DataError, match="score has 2 rows and positive has 1"):
        ranking.auroc([0.1, 0.2], [1])
