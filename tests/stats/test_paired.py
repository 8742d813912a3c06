"""The difference of two paired shares: Newcombe's closed form, its ends, and its coverage where rows come in clusters."""

from statistics import NormalDist

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import binomtest, multinomial

from workbench.errors import DataError
from workbench.stats.intervals import mean
from workbench.stats.paired import mcnemar, score_difference, share_difference


def closed_form(a: int, b: int, c: int, d: int) -> tuple[float, float, float]:
    """Return the interval from the four counts (both, first only, second only, none), written out anew from Newcombe 1998."""
    n, z = a + b + c + d, NormalDist().inv_cdf(0.975)

    def wilson(hits: int) -> tuple[float, float]:
        root = z * (z * z + 4 * hits * (1 - hits / n)) ** 0.5
        return (2 * hits + z * z - root) / (2 * (n + z * z)), (2 * hits + z * z + root) / (2 * (n + z * z))

    p1, p2 = (a + b) / n, (a + c) / n
    (l1, u1), (l2, u2) = wilson(a + b), wilson(a + c)
    product = (a + b) * (c + d) * (a + c) * (b + d)
    cross = a * d - b * c
    cross = max(0.0, cross - n / 2) if cross > 0 else cross  # method 10
    phi = cross / product**0.5 if product else 0.0
    low = ((p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2) ** 0.5
    high = ((p2 - l2) ** 2 - 2 * phi * (p2 - l2) * (u1 - p1) + (u1 - p1) ** 2) ** 0.5
    return p1 - p2, p1 - p2 - low, p1 - p2 + high


@pytest.mark.parametrize("counts", [(36, 12, 2, 0), (20, 12, 2, 16), (0, 30, 0, 20), (54, 0, 0, 0), (1, 1, 1, 1)])
def test_it_equals_newcombes_closed_form(counts: tuple[int, int, int, int]) -> None:
    """Value and bounds from the rows are those from the four counts."""
    one = np.repeat([1, 1, 0, 0], counts)
    two = np.repeat([1, 0, 1, 0], counts)

    assert closed_form(*counts) == pytest.approx(share_difference(one, two)[:3], abs=1e-12)


@pytest.mark.parametrize("counts", [(36, 12, 2, 0), (20, 12, 2, 16), (10, 0, 9, 21), (54, 0, 0, 0), (1, 1, 1, 1)])
def test_the_score_interval_is_where_the_score_test_rejects(counts: tuple[int, int, int, int]) -> None:
    """Bounds are the roots of the score, with shares that a numerical search finds likeliest under each difference."""
    one, two = np.repeat([1, 1, 0, 0], counts), np.repeat([1, 0, 1, 0], counts)
    b, c, n = counts[1], counts[2], sum(counts)
    z = NormalDist().inv_cdf(0.975)

    def score(d: float) -> float:
        def against(q: float) -> float:  # q: the share of the second alone; less its log-likelihood
            alike = max(1 - d - 2 * q, 1e-300)
            return -(b * np.log(max(q + d, 1e-300)) + c * np.log(max(q, 1e-300)) + (n - b - c) * np.log(alike))

        q = minimize_scalar(against, bounds=(max(0.0, -d), (1 - d) / 2), method="bounded", options={"xatol": 1e-10}).x
        return float((b - c - n * d) / np.sqrt(n * (2 * q + d * (1 - d))))

    value = (b - c) / n
    expected = (brentq(lambda d: score(d) - z, -0.999, value), brentq(lambda d: score(d) + z, value, 0.999))

    assert expected == pytest.approx(score_difference(one, two)[1:3], abs=2e-5)


def test_where_one_outcome_holds_the_other_the_bound_is_wilsons() -> None:
    """No row is a hit in the first alone: the lower bound is that of the others' share, by scipy; and it mirrors."""
    for alone in (0, 3, 20):
        one, two = np.repeat([0, 1, 0], [alone, 30, 50 - alone]), np.repeat([1, 1, 0], [alone, 30, 50 - alone])
        expected = binomtest(alone, 80).proportion_ci(0.9, "wilson").high
        assert score_difference(one, two, level=0.9).low == pytest.approx(-expected)
        assert score_difference(two, one, level=0.9).high == pytest.approx(expected)


def exact_level(interval: object, n: int, margin: float, apart: float, level: float) -> float:
    """Return how often a one-sided test says that one is less than `margin` worse, where it is just that, over all tables."""
    tables = np.array([(one, two, n - one - two) for one in range(n + 1) for two in range(n + 1 - one)])
    weight = multinomial.pmf(tables, n, [(apart - margin) / 2, (apart + margin) / 2, 1 - apart])
    total = 0.0
    for (one, two, _), share in zip(tables, weight, strict=True):
        if share > 1e-5:
            hits = (n - one - two) // 2
            rows = [hits, one, two, n - hits - one - two]
            first, second = np.repeat([1, 1, 0, 0], rows), np.repeat([1, 0, 1, 0], rows)
            total += float(share) * (interval(first, second, level=1 - 2 * level).low > -margin)  # type: ignore[operator]
    return total


def test_the_score_interval_holds_the_level_of_a_margin() -> None:
    """Exactly, over all tables of 100 rows: 6 % at most at 5 % nominal, 2.5 % at 2.5 %, where MOVER errs in up to 12 and 6."""
    for margin, apart in ((0.05, 0.05), (0.1, 0.1), (0.1, 0.15), (0.05, 0.15)):
        assert exact_level(score_difference, 100, margin, apart, 0.05) <= 0.06
        assert exact_level(score_difference, 100, margin, apart, 0.025) <= 0.0255
    assert exact_level(share_difference, 100, 0.05, 0.05, 0.05) > 0.11
    assert exact_level(share_difference, 100, 0.1, 0.1, 0.025) > 0.05


def test_the_score_interval_with_clusters_is_the_widest_of_three() -> None:
    """Not narrower than MOVER or the t of the differences; rows four times over, as clusters, leave it nearly where it was."""
    rng = np.random.default_rng(2)
    one, two = (rng.random(60) < 0.8).astype(float), (rng.random(60) < 0.5).astype(float)
    ids = np.repeat(np.arange(60), 4)
    single, found = score_difference(one, two), score_difference(np.repeat(one, 4), np.repeat(two, 4), clusters=ids)
    others = (
        share_difference(np.repeat(one, 4), np.repeat(two, 4), clusters=ids),
        mean(np.repeat(one - two, 4), clusters=ids),
    )

    assert (found.low, found.high) <= (min(o.low for o in others), 1.0)
    assert found.high >= max(o.high for o in others)
    assert found.high - found.low == pytest.approx(single.high - single.low, rel=0.08)
    assert score_difference(one[:4], two[:4], clusters=list("aaaa")).method == "no interval: one cluster"
    assert score_difference([], []).method == "no interval: no rows"


def test_rows_that_all_agree_still_have_an_interval() -> None:
    """All right in one and all wrong in the other is a gap of 1 with a lower bound below it."""
    found = share_difference(np.ones(30), np.zeros(30))

    assert (found.value, found.high) == (1.0, 1.0)
    assert 0.8 < found.low < 1


def test_copies_of_a_row_add_nothing() -> None:
    """Each row four times over, as one cluster, gives about the interval of the rows; taken as rows it would be half as wide."""
    rng = np.random.default_rng(0)
    one, two = (rng.random(60) < 0.8).astype(float), (rng.random(60) < 0.5).astype(float)
    single = share_difference(one, two)
    copied = share_difference(np.repeat(one, 4), np.repeat(two, 4), clusters=np.repeat(np.arange(60), 4))

    assert copied.value == pytest.approx(single.value)
    assert copied.high - copied.low == pytest.approx(single.high - single.low, rel=0.06)


@pytest.mark.parametrize("shares", [(0.7, 0.5), (0.95, 0.9)])
def test_the_interval_covers_as_often_as_it_says(shares: tuple[float, float]) -> None:
    """40 clusters of three rows that share their luck: 95 % intervals hold the truth in 92 to 98 % of draws."""
    rng = np.random.default_rng(1)
    clusters = np.repeat(np.arange(40), 3)
    held = 0
    for _ in range(800):
        shared = rng.normal(size=(40, 1)) * 0.7 + rng.normal(size=(40, 3)) * 0.714
        luck = np.array([NormalDist().cdf(x) for x in shared.ravel()])
        other = np.where(rng.random(120) < 0.5, luck, rng.random(120))
        found = share_difference(luck < shares[0], other < shares[1], clusters=clusters)
        held += found.low <= shares[0] - shares[1] <= found.high

    assert 0.92 <= held / 800 <= 0.98


def test_what_cannot_be_compared_is_said() -> None:
    """Different lengths are an error; no rows and one cluster have no interval."""
    with pytest.raises(DataError, match="2 and 1 rows"):
        share_difference([1, 0], [1])
    assert share_difference([], []).method == "no interval: no rows"
    assert share_difference([1, 0], [0, 0], clusters=["a", "a"]).method == "no interval: one cluster"


@pytest.mark.parametrize("clusters", [None, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]])
def test_outcomes_that_agree_in_all_rows_do_not_differ_by_zero_for_sure(clusters: list[int] | None) -> None:
    """Ten rows that agree: a difference of a tenth is well possible; without the correction of phi the width was 0."""
    hit = [1, 1, 1, 1, 1, 1, 0, 0, 0, 0]
    found = share_difference(hit, hit, clusters=clusters)

    assert found.value == 0
    assert found.low < -0.1
    assert found.high > 0.1


@pytest.mark.parametrize(
    ("counts", "bounds"), [((36, 12, 2, 0), (0.0569, 0.3404)), ((20, 12, 2, 16), (0.0562, 0.3292))]
)
def test_paired_shares_have_newcombes_method_10(counts: tuple[int, ...], bounds: tuple[float, float]) -> None:
    """Newcombe 1998 (2635), his examples: phi is drawn back by its continuity correction where it is positive."""
    one, two = np.repeat([1, 1, 0, 0], counts), np.repeat([1, 0, 1, 0], counts)
    assert (0.2, *bounds) == pytest.approx(share_difference(one, two)[:3], abs=6e-5)


@pytest.mark.parametrize("seed", range(5))
def test_mcnemar_is_the_binomial_test_of_what_differs(seed: int) -> None:
    """Independent rows: scipy's binomial test on the discordant pairs; the outcomes may change places."""
    rng = np.random.default_rng(seed)
    one, two = (rng.random(80) < 0.7).astype(int), (rng.random(80) < 0.5).astype(int)
    only = int(((one == 1) & (two == 0)).sum())
    expected = binomtest(only, int((one != two).sum())).pvalue

    assert mcnemar(one, two) == pytest.approx(expected)
    assert mcnemar(two, one) == pytest.approx(expected)
    assert mcnemar(one, two, clusters=np.arange(80)) == pytest.approx(expected)


def test_mcnemar_of_clusters_exchanges_them_whole() -> None:
    """Six copies of each of four rows are four draws: 2 of 2^4 ways are as far apart. No difference: 1; no rows: NaN."""
    one, two = np.ones(24), np.zeros(24)

    assert mcnemar(one, two, clusters=np.repeat(np.arange(4), 6)) == pytest.approx(2 / 2**4)
    assert mcnemar(one, one) == 1.0
    assert np.isnan(mcnemar([], []))
    with pytest.raises(DataError, match="2 and 1 rows"):
        mcnemar([1, 0], [1])
