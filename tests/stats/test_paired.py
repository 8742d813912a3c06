"""The difference of two paired shares: Newcombe's closed form, its ends, and its coverage where rows come in clusters."""

from statistics import NormalDist

import numpy as np
import pytest
from scipy.stats import binomtest

from workbench.errors import DataError
from workbench.stats.paired import mcnemar, share_difference


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
