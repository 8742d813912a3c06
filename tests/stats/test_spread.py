"""The spread of group means and its null band."""

import numpy as np
import pytest

from workbench.errors import DataError, UsageError
from workbench.stats.spread import against_rest, spread


def p_of(method: str) -> float:
    """Return the p-value that a method states."""
    return float(method.rpartition("p = ")[2])


def test_the_spread_is_the_largest_mean_minus_the_smallest() -> None:
    """Means 1, 2 and 6."""
    assert spread([0, 2, 2, 6], ["a", "a", "b", "c"]).value == 5.0


def test_the_null_band_is_that_of_all_shuffles() -> None:
    """Six values in two groups of three: all 20 splits by hand give the same quantile and p."""
    from itertools import combinations

    values = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 9.0])
    splits = [
        abs(values[list(part)].mean() - np.delete(values, list(part)).mean()) for part in combinations(range(6), 3)
    ]
    found = spread(values, list("aaabbb"), draws=20_000)

    assert np.mean(np.array(splits) >= found.value - 1e-9) == pytest.approx(p_of(found.method), abs=0.015)
    assert np.quantile(splits, 0.95) <= found.high <= max(splits) + 1e-9
    assert np.mean(splits) == pytest.approx(float(found.method.partition("by chance ")[2].partition(";")[0]), abs=0.05)


@pytest.mark.parametrize("crossed", [True, False])
def test_groups_that_do_not_differ_are_found_in_one_of_twenty(crossed: bool) -> None:
    """400 data sets without a difference: p <= 0.05 in 2 to 8 % of them, clusters nested in groups or crossed with them."""
    rng = np.random.default_rng(0)
    found = []
    for seed in range(400):
        clusters = np.repeat(np.arange(40), 3)
        groups = np.tile([0, 1, 2], 40) if crossed else np.repeat(rng.integers(0, 3, 40), 3)
        values = np.repeat(rng.normal(0, 2, 40), 3) + rng.normal(size=120)
        found.append(p_of(spread(values, groups, clusters=clusters, draws=99, seed=seed).method))
    assert 0.02 <= np.mean(np.array(found) <= 0.05) <= 0.08


@pytest.mark.parametrize("alike", [0.0, 1.0])
@pytest.mark.parametrize(("small", "large"), [((20, 1), (20, 10)), ((6, 20), (40, 4))])
def test_groups_of_clusters_of_other_sizes_are_found_no_more_often(
    small: tuple[int, int], large: tuple[int, int], alike: float
) -> None:
    """Clusters of 1 row in one group and of 10 in the other, their rows alike or not: p <= 0.05 in at most 8 % of 300 sets."""
    sizes = np.repeat([small[1], large[1]], [small[0], large[0]])
    clusters = np.repeat(np.arange(len(sizes)), sizes)
    groups, found = clusters < small[0], []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        values = alike * rng.normal(size=len(sizes))[clusters] + (1 - alike) * rng.normal(size=len(clusters))
        found.append(p_of(spread(values, groups, clusters=clusters, draws=99, seed=seed).method))
    assert 0.005 <= np.mean(np.array(found) <= 0.05) <= 0.08


@pytest.mark.parametrize("template", [0.0, 3.0])
def test_templates_with_one_row_of_a_group_and_nine_of_another_have_the_right_level(template: float) -> None:
    """300 sets without a difference, templates alike or not: p <= 0.05 in 2 to 8 % of them."""
    clusters, groups, found = np.repeat(np.arange(20), 10), np.tile([1] + [0] * 9, 20), []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        values = template * rng.normal(size=20)[clusters] + rng.normal(size=200)
        found.append(p_of(spread(values, groups, clusters=clusters, draws=99, seed=seed).method))
    assert 0.02 <= np.mean(np.array(found) <= 0.05) <= 0.08


def test_rows_for_clusters_would_find_too_much() -> None:
    """The guard above can fail: shuffling near copies one by one calls chance a finding."""
    rng = np.random.default_rng(0)
    found = []
    for seed in range(100):
        groups = np.repeat(rng.integers(0, 3, 40), 3)
        values = np.repeat(rng.normal(0, 2, 40), 3)
        found.append(p_of(spread(values, groups, draws=99, seed=seed).method))
    assert np.mean(np.array(found) <= 0.05) > 0.2


def test_labels_stay_in_their_template_where_each_template_has_all_groups() -> None:
    """Templates differ by far more than groups do; the small difference is still found."""
    rng = np.random.default_rng(2)
    clusters, groups = np.repeat(np.arange(30), 2), np.tile(["f", "m"], 30)
    values = np.repeat(rng.normal(0, 10, 30), 2) + np.tile([0.0, 1.0], 30) + rng.normal(0, 0.5, 60)
    found = spread(values, groups, clusters=clusters)

    assert "within clusters" in found.method
    assert p_of(found.method) < 0.01


def test_the_order_of_rows_changes_nothing() -> None:
    """Rows shuffled, the same line."""
    rng = np.random.default_rng(3)
    values, groups, clusters = rng.normal(size=90), rng.choice(list("abc"), 90), rng.integers(0, 20, 90)
    order = rng.permutation(90)

    assert spread(values, groups, clusters=clusters)[1:] == pytest.approx(
        spread(values[order], groups[order], clusters=clusters[order])[1:]
    )
    assert spread(values, groups)[3:] == spread(values[order], groups[order])[3:]


def test_one_group_has_no_spread() -> None:
    """The method says why there is no value."""
    assert spread([1, 2], ["a", "a"]).method == "no interval: fewer than two groups"
    assert spread([], []).n == 0


def test_errors_say_what_to_do() -> None:
    """Groups of another length; too few draws; NaN."""
    with pytest.raises(DataError, match="Give one group per value"):
        spread([1, 2], ["a"])
    with pytest.raises(UsageError, match="at least 20"):
        spread([1, 2], ["a", "b"], draws=5)
    with pytest.raises(DataError):
        spread([1, np.nan], ["a", "b"])


def test_a_group_against_the_rest_is_newcombes_interval_for_shares() -> None:
    """Newcombe 1998 (Statistics in Medicine 17:873), table II, method 10: 56/70 - 48/80 is 0.0524 to 0.3339."""
    values = [1] * 56 + [0] * 14 + [1] * 48 + [0] * 32
    found = against_rest(values, [True] * 70 + [False] * 80)

    assert (0.2, 0.0524, 0.3339) == pytest.approx(found[:3], abs=5e-5)


@pytest.mark.parametrize("crossed", [True, False])
def test_a_group_against_the_rest_covers(crossed: bool) -> None:
    """Nominal 95 % covers 92 to 98 % over 400 data sets with clusters, a true difference of 0.5, a small group of 8 clusters."""
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(400):
        clusters = np.repeat(np.arange(40), 4)
        own = np.tile([True, False, False, False], 40) if crossed else clusters < 8
        values = np.repeat(rng.normal(0, 1, 40), 4) + rng.normal(size=160) + 0.5 * own
        found = against_rest(values, own, clusters=clusters)
        held += found.low <= 0.5 <= found.high
    assert 0.92 <= held / 400 <= 0.98


def test_a_group_against_the_rest_covers_rare_hits_in_shared_templates() -> None:
    """20 templates with 8 groups, 5 % hits in each: a group without a hit has its own uncertainty, which a bootstrap has not."""
    clusters, own, held = np.repeat(np.arange(20), 8), np.tile([True] + [False] * 7, 20), 0
    for seed in range(300):
        hits = (np.random.default_rng(seed).random(160) < 0.05).astype(float)
        found = against_rest(hits, own, clusters=clusters)
        held += found.low <= 0 <= found.high
    assert held / 300 >= 0.92


def test_shares_in_shared_templates_keep_what_they_have_in_common() -> None:
    """Groups that agree in nearly every template: the interval is far narrower than that of independent shares."""
    luck = np.random.default_rng(7).random(60) < 0.5
    hits, clusters, own = np.repeat(luck, 2).astype(float), np.repeat(np.arange(60), 2), np.tile([True, False], 60)
    hits[0] = 1 - hits[0]
    together, apart = against_rest(hits, own, clusters=clusters), against_rest(hits, own)

    assert "correlated" in together.method
    assert together.high - together.low < 0.5 * (apart.high - apart.low)


def test_a_template_with_all_groups_keeps_what_they_share() -> None:
    """Crossed clusters are left out in turn: the interval is far narrower than that of independent means."""
    rng = np.random.default_rng(6)
    clusters, own = np.repeat(np.arange(40), 2), np.tile([True, False], 40)
    values = np.repeat(rng.normal(0, 5, 40), 2) + rng.normal(0, 0.2, 80)
    together, apart = against_rest(values, own, clusters=clusters), against_rest(values, own)

    assert "jackknife" in together.method
    assert together.high - together.low < 0.2 * (apart.high - apart.low)


def test_skewed_scores_in_few_shared_templates_keep_their_coverage() -> None:
    """Exponential scores of 12 templates, a group of a tenth of the rows: 93 of 100 hold 0, less two errors of 300 samples."""
    held, known = 0, 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        clusters, own = np.repeat(np.arange(12), 10), rng.random(120) < 0.1
        found = against_rest(rng.exponential(size=12)[clusters] * rng.exponential(size=120), own, clusters=clusters)
        known += not np.isnan(found.low)
        held += found.low <= 0 <= found.high
    assert known > 295
    assert held / known >= 0.90  # a bootstrap: 0.88


def test_the_jackknife_of_a_difference_is_that_of_a_loop() -> None:
    """Its error is the jackknife's, each template left out by hand; symmetric values have no longer side to speak of."""
    from scipy.stats import t

    rng = np.random.default_rng(3)
    clusters, own = np.repeat(np.arange(30), 6), np.tile([True, False, False], 60)
    values = rng.normal(size=30)[clusters] + rng.normal(size=180)
    left = [clusters != at for at in range(30)]
    without = np.array([values[own & kept].mean() - values[~own & kept].mean() for kept in left])
    error = np.sqrt(29 / 30 * ((without - without.mean()) ** 2).sum())
    found = against_rest(values, own, clusters=clusters)
    short = min(found.value - found.low, found.high - found.value)

    assert found.value == pytest.approx(values[own].mean() - values[~own].mean())
    assert short == pytest.approx(t.ppf(0.975, 29) * error)
    assert against_rest([0.1, 0.2, 0.7, 0.4], [True, False, False, True], clusters=list("aabb")).method.startswith(
        "jackknife"
    )
    assert (
        "one cluster holds all members"
        in against_rest([0.1, 0.2, 0.7], [True, False, False], clusters=list("aab")).method
    )


def test_a_group_without_spread_says_so() -> None:
    """Equal values that are no shares; members only; another length."""
    assert against_rest([0.5, 0.5, 0.1, 0.2], [True, True, False, False]).method.startswith(
        "no interval: the members: all"
    )
    assert against_rest([0.5], [True]).method == "no interval: members and others are needed"
    with pytest.raises(DataError, match="Give one per value"):
        against_rest([0.5], [True, False])
