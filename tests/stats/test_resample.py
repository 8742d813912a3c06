"""The cluster bootstrap of functions of sums."""

import numpy as np
import pytest

from workbench.errors import DataError, UsageError
from workbench.stats import resample
from workbench.stats.intervals import mean

Floats = np.ndarray


def share(sums: Floats) -> Floats:
    """Return hits over rows."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums[..., 0] / sums[..., 1]


def gap(sums: Floats) -> Floats:
    """Return the difference of two shares: hits and rows of one condition, then of the other."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums[..., 0] / sums[..., 1] - sums[..., 2] / sums[..., 3]


def clustered_gap(n: int, rng: np.random.Generator) -> tuple[Floats, Floats, float]:
    """Return a table of two conditions, its templates, and the true gap: templates share luck, with a truth of 0.6 - 0.45."""
    templates = np.repeat(np.arange(n // 8), 8)
    shift = rng.normal(0, 0.2, n // 8)[templates]
    first = np.tile([True, False], n // 2)
    p = np.clip(np.where(first, 0.6, 0.45) + np.clip(shift, -0.4, 0.4), 0, 1)
    hit = rng.random(n) < p
    return np.column_stack([hit & first, first, hit & ~first, ~first]).astype(float), templates, 0.15


def test_the_mean_by_hand() -> None:
    """The value is that of the sums, n counts rows, the method names clusters and draws."""
    table = np.array([[1, 1], [0, 1], [1, 1], [0, 1], [1, 1], [1, 1]], float)
    found = resample.bootstrap(table, share, clusters=list("aabbcc"), draws=200)

    assert (4 / 6, 6) == (pytest.approx(found.value), found.n)
    assert found.method == "bootstrap of 3 clusters, 200 draws, expanded percentile"


def test_the_interval_of_a_mean_is_students() -> None:
    """With 2,000 rows and 20,000 draws the bounds are those of Student's t to 4 % of the half-width."""
    values = np.random.default_rng(1).normal(0.3, 1.0, 2000)
    table = np.column_stack([values, np.ones_like(values)])
    found, closed = resample.bootstrap(table, share, draws=20_000), mean(values)
    half = (closed.high - closed.low) / 2

    assert closed.value == pytest.approx(found.value)
    assert [closed.low, closed.high] == pytest.approx([found.low, found.high], abs=0.04 * half)


def test_the_interval_of_few_clusters_is_wider_than_the_percentiles() -> None:
    """With eight clusters the percentiles move outwards (Hesterberg 2015): the plain ones cover too little."""
    rng = np.random.default_rng(2)
    table = np.column_stack([rng.normal(size=8), np.ones(8)])
    found = resample.bootstrap(table, share, draws=20_000)
    drawn = share(resample.drawn_sums(table, draws=20_000, seed=0))
    low, high = np.quantile(drawn, [0.025, 0.975])

    assert found.high - found.low > 1.15 * (high - low)


def test_order_and_copies_of_rows_do_not_change_the_draws() -> None:
    """Shuffled rows give the same interval; so do clusters whose rows were split further."""
    table, templates, _ = clustered_gap(400, np.random.default_rng(3))
    order = np.random.default_rng(4).permutation(400)
    first = resample.bootstrap(table, gap, clusters=templates, draws=300)

    assert first == resample.bootstrap(table[order], gap, clusters=templates[order], draws=300)


def test_a_seed_makes_other_draws_of_the_same_value() -> None:
    """The seed moves the bounds a little and the value not at all."""
    table, templates, _ = clustered_gap(400, np.random.default_rng(3))
    one, two = (resample.bootstrap(table, gap, clusters=templates, draws=300, seed=seed) for seed in (0, 1))

    assert one.value == two.value
    assert (one.low, one.high) != (two.low, two.high)


def test_a_draw_that_misses_a_group_is_left_out_and_counted() -> None:
    """A group in 4 of 40 clusters is missed by some draws: they are named, and the interval is there (fairlearn#1441)."""
    table = np.zeros((40, 4))
    table[:4, 2:] = [[1, 1], [0, 1], [1, 1], [0, 1]]
    table[4:, :2] = [[1, 1], [0, 1]] * 18
    found = resample.bootstrap(table, gap, draws=2000)

    assert found.low < found.value < found.high
    assert "draws undefined" in found.method


@pytest.mark.parametrize(
    ("table", "clusters", "reason"),
    [
        (np.zeros((0, 2)), None, "no rows"),
        ([[1.0, 1.0], [0.0, 1.0]], ["a", "a"], "one cluster only"),
        ([[0.0, 0.0], [0.0, 0.0]], None, "not defined for these rows"),
        ([[1.0, 1.0]] * 30, None, "all clusters agree"),
        ([[1.0, 1.0]] + [[0.0, 0.0]] * 30, None, "draws do not define it"),
    ],
)
def test_no_interval_says_why(table: object, clusters: object, reason: str) -> None:
    """Where nothing honest can be said, the bounds are NaN and the method has the reason."""
    found = resample.bootstrap(table, share, clusters=clusters)

    assert np.isnan([found.low, found.high]).all()
    assert reason in found.method


@pytest.mark.parametrize(
    ("table", "options", "error", "message"),
    [
        ([1.0, 2.0], {}, DataError, "one column per sum"),
        ([[1.0], [np.nan]], {}, DataError, "row 1"),
        ([[1.0], [2.0]], {"draws": 5}, UsageError, "at least 20"),
    ],
)
def test_wrong_input_is_named(table: object, options: dict, error: type[Exception], message: str) -> None:
    """The message names the row or the option."""
    with pytest.raises(error, match=message):
        resample.bootstrap(table, share, **options)


def coverage(n: int, sets: int) -> float:
    """Return how often the interval of the gap holds the truth; clusters are templates of eight near copies."""
    inside = 0
    for number in range(sets):
        table, templates, truth = clustered_gap(n, np.random.default_rng([n, number]))
        found = resample.bootstrap(table, gap, clusters=templates, draws=400, seed=number)
        inside += found.low <= truth <= found.high
    return inside / sets


def test_the_interval_covers_with_templates() -> None:
    """Over 200 data sets of 40 templates the nominal 95 % cover 90 to 99 % (three standard errors about 92 to 98)."""
    assert 0.90 <= coverage(320, 200) <= 0.995


def test_rows_taken_as_independent_would_not_cover() -> None:
    """The check can fail: the same rows without their templates cover too little where a template's rows agree."""
    inside = 0
    for number in range(100):
        rng = np.random.default_rng(number)
        level = np.repeat(rng.random(40) < 0.5, 8).astype(float)  # rows of a template are copies
        found = resample.bootstrap(np.column_stack([level, np.ones(320)]), share, draws=200)
        inside += found.low <= 0.5 <= found.high

    assert inside < 70


@pytest.mark.slow
@pytest.mark.parametrize("n", [160, 800, 4000])
def test_coverage_of_1000_data_sets_with_templates(n: int) -> None:
    """Nominal 95 % cover 92 to 98 % with 20, 100 and 500 templates."""
    assert 0.92 <= coverage(n, 1000) <= 0.98
