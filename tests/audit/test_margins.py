"""A comparison's words about a margin, and how many examples a difference needs."""

import numpy as np
import pytest
from audit.test_compare import Plain, Ratio, line, made_up, stored

from workbench.audit._margins import shared_clusters
from workbench.audit._paired import Pair, interval_of
from workbench.audit.compare import Comparison, compare
from workbench.errors import UsageError
from workbench.stats.equivalence import equivalence
from workbench.stats.intervals import mean
from workbench.stats.paired import score_difference, share_difference
from workbench.stats.sample_size import paired_means, paired_shares


def alike() -> Comparison:
    """Return the comparison of two models of one kind."""
    return compare(stored(0.02, 1), stored(0.0, 2))


def test_equivalence_is_read_from_the_paired_interval_of_90_percent() -> None:
    """A wide margin finds two alike models equivalent, a narrow one cannot say; shares and means have their own intervals."""
    found = alike()
    rows = found.rows
    share = score_difference(rows["prefers_more_a"], rows["prefers_more_b"], level=0.9)
    wide, narrow = (found.equivalence(margin, metric="prefers_more").iloc[0] for margin in (0.2, 0.001))
    gap = found.equivalence(1.0, metric="mean_difference").iloc[0]

    assert (wide["verdict"], narrow["verdict"]) == ("equivalent", "cannot say")
    assert (wide["low"], wide["high"]) == pytest.approx((share.low, share.high))
    assert wide["p"] < 0.05 < narrow["p"]
    assert (gap["low"], gap["high"]) == pytest.approx(mean(rows["difference_a"] - rows["difference_b"], level=0.9)[1:3])
    assert set(found.equivalence(0.2)["metric"]) == set(found.headline)


def test_noninferiority_has_a_side() -> None:
    """A model that prefers more by 0.6 nats is better where more is better, and worse where less is."""
    found = compare(stored(0.6, 1), stored(0.0, 2))

    assert found.noninferiority(0.1, metric="mean_difference")["verdict"].iloc[0] == "better"
    other = found.noninferiority(0.1, metric="mean_difference", better="lower").iloc[0]
    assert other["verdict"] == "worse by more than the margin"
    assert other["p"] > 0.99


def test_the_number_that_is_needed_is_that_of_these_pairs() -> None:
    """Shares by McNemar's formula, means by the t test's; of a difference that is named, or of the observed one."""
    found = alike()
    rows = found.rows
    apart = (rows["prefers_more_a"] != rows["prefers_more_b"]).mean()
    gaps = rows["difference_a"] - rows["difference_b"]
    share = found.sample_size(metric="prefers_more", difference=0.05).query("group == 'all'").iloc[0]
    gap = found.sample_size(metric="mean_difference").query("group == 'all'").iloc[0]

    assert share["n_needed"] == paired_shares(0.05, apart)
    assert gap["n_needed"] == paired_means(gap["difference"], gaps.std())
    assert "examples to be seen in four of five studies; here are 300." in repr(found)
    assert "four of five" in found._repr_html_()
    assert "four of five" not in repr(compare(stored(0.6, 1), stored(0.0, 2)))


def test_clusters_multiply_what_is_needed() -> None:
    """Differences that agree within templates need more rows by the design effect."""
    found = compare(made_up(Plain(), 0.4), made_up(Plain(), 0.0), draws=60)
    needed = found.sample_size(metric="likelihood_difference", difference=0.1).iloc[0]
    by_row = compare(stored(0.1, 1, each=4), stored(0.0, 2, each=4))
    line_ = by_row.sample_size(metric="mean_difference", difference=0.1).query("group == 'all'").iloc[0]
    gaps = by_row.rows["difference_a"] - by_row.rows["difference_b"]

    assert "bootstrap's standard error" in needed["method"]
    assert 100 < needed["n_needed"] < 5000
    assert line_["design_effect"] >= 1
    assert line_["n_needed"] == np.ceil(paired_means(0.1, gaps.std()) * line_["design_effect"])


def test_a_permutation_agrees_with_the_bootstrap_on_what_is_no_mean() -> None:
    """Exchanging the models gives a p-value near the bootstrap's where the difference is middling, and none below 1/(1 + B)."""
    reports = [made_up(Ratio(), shift) for shift in (0.2, 0.0)]
    drawn, exchanged = (line(compare(*reports, draws=60, exchanges=n), "mean_of_some") for n in (0, 99))
    same = line(compare(reports[0], reports[0], draws=20, exchanges=20), "mean_of_some")

    assert "models exchanged in whole clusters, 99 times" in exchanged["method"]
    assert exchanged["p"] == pytest.approx(drawn["p"], abs=0.1)
    assert exchanged["low"] == drawn["low"]
    assert same["p"] == 1.0


def test_bad_margins_and_metrics_are_said() -> None:
    """Each message names what may be asked."""
    found = alike()
    with pytest.raises(UsageError, match="margin must be a number above 0"):
        found.equivalence(-1)
    with pytest.raises(UsageError, match="Did you mean 'prefers_more'"):
        found.sample_size(metric="prefer_more")
    with pytest.raises(UsageError, match="other than 0"):
        found.sample_size(difference=0.0)
    with pytest.raises(UsageError, match="exchanges must be 0"):
        compare(found.a, found.b, exchanges=3)
    report = stored(0.0, 2)
    same = compare(report, report).sample_size(metric="prefers_more")
    assert same["n_needed"].isna().all()
    assert "no number of examples" in same["method"].iloc[0]


def test_too_few_clusters_for_a_margin_are_said() -> None:
    """75 templates of four pairs: a margin of 0.02 of a share needs 149, whatever the rows say; one of 0.2, and a mean, do not."""
    few = compare(stored(0.02, 1, each=4), stored(0.0, 2, each=4))
    narrow, wide = (few.equivalence(margin, metric="prefers_more").iloc[0] for margin in (0.02, 0.2))

    assert narrow["verdict"] == "cannot say"
    assert narrow["p"] >= 0.98**75
    assert "75 clusters (of equal size) are too few for this margin, 149 are needed" in narrow["method"]
    assert wide["verdict"] == "equivalent"
    assert "too few" not in wide["method"]
    assert "too few" not in few.equivalence(0.02, metric="mean_difference")["method"].iloc[0]


Rows = tuple[np.ndarray, np.ndarray]


def in_whole_clusters(rng: np.random.Generator, owners: np.ndarray, count: int) -> Rows:
    """Return outcomes of which one's hits are among the other's, 0.1 fewer; in 0.6 of the rows a cluster's luck decides."""
    luck = np.where(rng.random(len(owners)) < 0.4, rng.random(len(owners)), rng.random(count)[owners])
    return (luck < 0.5).astype(float), (luck < 0.6).astype(float)


def apart_at_random(rng: np.random.Generator, owners: np.ndarray, count: int) -> Rows:
    """Return outcomes that differ in 0.3 of the rows, whatever the cluster; the first has 0.1 fewer hits."""
    kind = rng.choice(4, len(owners), p=[0.5, 0.1, 0.2, 0.2])
    return np.isin(kind, (0, 1)).astype(float), np.isin(kind, (0, 2)).astype(float)


def normal(rng: np.random.Generator, owners: np.ndarray, count: int) -> Rows:
    """Return numbers that differ by -0.1 on average, normal in and between clusters."""
    return -0.1 + 0.2 * rng.normal(size=count)[owners] + 0.3 * rng.normal(size=len(owners)), np.zeros(len(owners))


def skewed(rng: np.random.Generator, owners: np.ndarray, count: int) -> Rows:
    """Return numbers that differ by -0.1 on average, their long tail, exponential, on the worse side."""
    tails = 0.2 * (rng.exponential(size=count) - 1)[owners] + 0.3 * (rng.exponential(size=len(owners)) - 1)
    return -0.1 - tails, np.zeros(len(owners))


def called(world: object, count: int, studies: int, *, unequal: bool) -> float:
    """Return how often models that differ by just the margin are called equivalent at 5 %; clusters of 10 rows on average."""
    found = 0
    for study in range(studies):
        rng = np.random.default_rng([study, count, unequal])
        sizes = (
            np.maximum(1, rng.lognormal(np.log(10) - 0.4, 0.9, count)).astype(int) if unequal else np.full(count, 10)
        )
        owners = np.repeat(np.arange(count), sizes)
        pair = Pair(*world(rng, owners, count), owners, owners)  # type: ignore[arg-type,operator]  # numbers for names
        at = interval_of(pair, 0.9)
        kept = at.low > -0.1 and at.high < 0.1  # equivalent by the interval, as equivalence() has it
        found += (
            kept
            and equivalence(lambda level, pair=pair: interval_of(pair, level), 0.1, clusters=shared_clusters(pair)).p
            <= 0.05
        )
    return found / studies


def test_models_that_differ_in_whole_clusters_are_seldom_called_equivalent_at_the_margin() -> None:
    """15 clusters of 10 called 10 % equivalent by the interval alone: p that allows for clusters not seen is not below 5 %."""
    assert called(in_whole_clusters, 15, 60, unequal=False) == 0
    assert called(in_whole_clusters, 40, 150, unequal=False) <= 0.05 + 3 * (0.05 * 0.95 / 150) ** 0.5


@pytest.mark.slow  # 2,000 studies of each kind
@pytest.mark.parametrize("world", [in_whole_clusters, apart_at_random, normal, skewed])
@pytest.mark.parametrize("count", [8, 15, 40])
@pytest.mark.parametrize("unequal", [False, True])
def test_the_level_of_a_margin_with_few_clusters(world: object, count: int, unequal: bool) -> None:
    """At most 6 % are called equivalent at 5 %, less three standard errors, with clusters equal and unequal in size."""
    rate = called(world, count, 2000, unequal=unequal)
    print(f"{world.__name__}, {count} clusters, {'unequal' if unequal else 'equal'}: {rate:.4f}")  # type: ignore[attr-defined]
    assert rate <= 0.06 + 0.015


def test_models_that_differ_in_whole_clusters_are_seldom_called_not_inferior_at_the_margin() -> None:
    """One model's hits are among the other's, 0.1 fewer, 40 clusters of 5: MOVER alone says so in 7 %, the level is 2.5 %."""
    owners, called, alone = np.repeat(np.arange(40), 5), [], []
    for study in range(300):
        rng = np.random.default_rng([study, 29])
        luck = np.where(rng.random(200) < 0.4, rng.random(200), np.repeat(rng.random(40), 5))
        pair = Pair((luck < 0.5).astype(float), (luck < 0.6).astype(float), owners, owners)  # type: ignore[arg-type]  # numbers for names
        called.append(interval_of(pair).low > -0.1)
        alone.append(share_difference(pair.a, pair.b, clusters=owners).low > -0.1)

    assert np.mean(called) <= 0.05
    assert np.mean(called) < np.mean(alone)
