"""How well a score tells two sets apart: by hand, equal to scikit-learn, and how often the intervals hold the truth."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from workbench.errors import DataError
from workbench.stats import ood_metrics as m

ROWS = st.lists(st.tuples(st.sampled_from([0.1, 0.4, 0.4, 0.9, 2.0]), st.booleans()), min_size=2, max_size=20)


@given(ROWS)
def test_values_equal_scikit_learn(rows: list[tuple[float, bool]]) -> None:
    """AUROC and both average precisions, ties and all; outside rows are looked for by minus the score."""
    score, outside = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    found = m.detection(score, outside)
    if outside.all() or not outside.any():
        assert all(math.isnan(one.value) and "two classes" in one.method for one in found)
        return

    assert roc_auc_score(~outside, score) == pytest.approx(found.auroc.value, abs=1e-12)
    assert average_precision_score(~outside, score) == pytest.approx(found.aupr_in.value, abs=1e-12)
    assert average_precision_score(outside, -score) == pytest.approx(found.aupr_out.value, abs=1e-12)
    for one in found:
        assert not one.low > one.value + 1e-12
        assert not one.high < one.value - 1e-12


def test_fpr95_by_hand() -> None:
    """Of 40 in-distribution scores 0 to 39 the 5 % quantile is the second, 1; three of five others reach it."""
    score = [*range(40), 0.5, 1, 7, -3, 100]
    found = m.fpr_at_tpr(score, [0] * 40 + [1] * 5)

    assert (3 / 5, 45) == (found.value, found.n)
    assert 1.0 == m.keeping(range(40))
    assert (0.0, 1.0) == (m.fpr_at_tpr(range(40), [1] * 20 + [0] * 20).value, m.fpr_at_tpr([1] * 40, [0, 1] * 20).value)


@pytest.mark.parametrize(("inside", "outside"), [(5, 5), (20, 200), (60, 100)])
def test_fpr95_of_few_inside_rows_holds_the_truth(inside: int, outside: int) -> None:
    """The lowest of 20 rows lies above the true threshold in 36 % of samples: it cannot be the end of its interval."""
    rng, truth, hits = np.random.default_rng(inside), 1 - norm.cdf(norm.ppf(0.05) + 1.5), 0
    flags = np.repeat([0, 1], [inside, outside])
    for _ in range(200):
        score = rng.normal(size=len(flags)) - 1.5 * flags
        found = m.fpr_at_tpr(score, flags)
        hits += found.low <= truth <= found.high

    assert hits >= 184


def test_the_curve_is_scikit_learns() -> None:
    """All thresholds, none dropped; in few points it keeps the ends."""
    rng = np.random.default_rng(0)
    score, outside = rng.normal(size=300).round(1), rng.random(300) < 0.4
    through, kept, thresholds = roc_curve(~outside, score, drop_intermediate=False)
    found = m.roc(score, outside)

    np.testing.assert_allclose(found.kept, kept, atol=1e-12)
    np.testing.assert_allclose(found.through, through, atol=1e-12)
    np.testing.assert_allclose(found.threshold[1:], thresholds[1:])
    few = m.roc(score, outside, points=5)
    assert (0.0, 1.0, 1.0) == (few.kept[0], few.kept[-1], few.through[-1])
    assert len(few.kept) <= 6


def test_a_class_in_one_cluster_has_no_interval() -> None:
    """All positive rows are from one document: how far documents differ is not known."""
    score, positive = np.arange(40) % 7 + np.arange(40) / 100, np.arange(40) < 10
    found = m.average_precision(score, positive, clusters=np.arange(40) // 10)

    assert found.method == "no interval: one cluster holds all rows of a class"
    assert m.average_precision(score, positive, clusters=np.arange(40) // 5).low >= 0


def test_no_overlap_leaves_the_interval_open() -> None:
    """Ten rows that are told apart wholly do not claim to be sure; two hundred claim more."""
    small, large = (m.detection(np.arange(n), np.arange(n) < n // 2) for n in (10, 200))

    for few, many in zip(small, large, strict=True):
        assert few.high - few.low > many.high - many.low > 0.01


@pytest.mark.parametrize(
    ("shift", "inside", "outside", "spread"), [(1.5, 100, 60, 1.0), (2.0, 150, 400, 1.5)], ids=["even", "many outside"]
)
def test_intervals_hold_the_truth(shift: float, inside: int, outside: int, spread: float) -> None:
    """Normal scores: nominal 95 % intervals hold the population's value in 90 to 99.5 % of 300 data sets."""
    rng = np.random.default_rng(1)
    grid = norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    kept, through = norm.sf(grid), norm.sf(grid, -shift, spread)  # at thresholds that are in-distribution scores
    lower = grid * spread - shift  # ... and that are outside scores
    out_kept, out_through = norm.cdf(lower, -shift, spread), norm.cdf(lower)
    truth = [
        norm.cdf(shift / math.hypot(1, spread)),
        float(np.mean(inside * kept / (inside * kept + outside * through))),
        float(np.mean(outside * out_kept / (outside * out_kept + inside * out_through))),
        float(norm.sf(norm.ppf(0.05), -shift, spread)),
    ]
    flags, hits = np.repeat([0, 1], [inside, outside]), np.zeros(4)
    for _ in range(300):
        score = np.append(rng.normal(0, 1, inside), rng.normal(-shift, spread, outside))
        hits += [one.low <= value <= one.high for one, value in zip(m.detection(score, flags), truth, strict=True)]

    assert np.all((hits >= 0.90 * 300) & (hits <= 0.995 * 300)), hits / 300


@pytest.mark.parametrize(
    ("shift", "inside", "outside"), [(2.5, 500, 20), (3.0, 1000, 30), (2.0, 20, 500)], ids=["20", "30", "20 inside"]
)
def test_average_precision_of_a_few_rows_of_one_kind_holds_the_truth(shift: float, inside: int, outside: int) -> None:
    """Few rows that lie well apart by chance: 95 % intervals hold the population's value in 93 % or more of 300 data sets."""
    rng = np.random.default_rng(3)
    grid = norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    kept, through = norm.sf(grid), norm.sf(grid, -shift)
    out_kept, out_through = norm.cdf(grid), norm.cdf(grid - shift)
    truth = [
        float(np.mean(inside * kept / (inside * kept + outside * through))),
        float(np.mean(outside * out_kept / (outside * out_kept + inside * out_through))),
    ]
    flags, hits = np.repeat([0, 1], [inside, outside]), np.zeros(2)
    for _ in range(300):
        score = np.append(rng.normal(0, 1, inside), rng.normal(-shift, 1, outside))
        found = (m.average_precision(score, 1 - flags), m.average_precision(-score, flags))
        hits += [one.low <= value <= one.high for one, value in zip(found, truth, strict=True)]

    assert np.all(hits >= 0.93 * 300), hits / 300


def test_intervals_by_cluster_hold_the_truth() -> None:
    """Rows of a cluster share an effect; taken as independent they would cover far less than 90 %."""
    rng = np.random.default_rng(2)
    clusters, each, shared = 50, 6, 1.0
    spread = math.hypot(1, shared)
    truth = [norm.cdf(2 / spread / math.sqrt(2)), norm.sf(norm.ppf(0.05) * spread, -2, spread)]
    outside = np.repeat(np.arange(clusters) % 2, each)
    names, hits, naive = np.repeat(np.arange(clusters), each), np.zeros(2), np.zeros(2)
    for _ in range(200):
        score = rng.normal(-2.0 * outside, 1) + np.repeat(rng.normal(0, shared, clusters), each)
        for counted, found in (
            (hits, m.detection(score, outside, clusters=names)),
            (naive, m.detection(score, outside)),
        ):
            pairs = zip((found.auroc, found.fpr95), truth, strict=True)
            counted += [one.low <= value <= one.high for one, value in pairs]

    assert np.all(hits >= 0.88 * 200), hits / 200
    assert naive[0] < 0.85 * 200


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.1, math.nan], [0, 1]), "score is NaN or infinite in row 1"),
        (([0.1, 0.2], [0, 2]), "outside must be 0 or 1 in every row"),
        (([0.1, 0.2], [0, "x"]), "outside must be 0 or 1 in every row"),
        (([0.1], [0, 1]), "score has 1 rows and outside has 2"),
    ],
)
def test_arrays_that_do_not_fit_are_named(arguments: tuple, message: str) -> None:
    """Each fault is one error that says which array and row."""
    with pytest.raises(DataError, match=message):
        m.detection(*arguments)
    with pytest.raises(DataError):
        m.roc([0.1, 0.2], [1, 1])
