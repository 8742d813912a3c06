"""Intervals hold the truth as often as they say: see `coverage.py` beside this file for the worlds and their truths."""

import pytest
from stats import coverage

ABOUT_95 = (0.93, 0.99)
AT_LEAST = (0.93, 1.0)  # called conservative, or of a discrete statistic
FEW = (0.90, 1.0)  # called approximate, or fewer than 30 clusters, or about five errors in all


def bounds(world: str, n: int, metric: str) -> tuple[float, float]:
    """Return the least and the largest coverage that a metric may have."""
    if metric == "brier_within" or (n == 100 and ("clusters" in world or "5 %" in world)):
        return 0.89 if metric == "brier_within" else FEW[0], 1.0
    if metric in coverage.CONSERVATIVE or metric.startswith("mce"):
        return AT_LEAST
    return ABOUT_95


def outside(world: str, n: int, found: dict[str, float], slack: float) -> dict[str, float]:
    """Return the metrics whose coverage is out of bounds by more than the slack."""
    limits = {metric: bounds(world, n, metric) for metric in found}
    return {m: v for m, v in found.items() if not limits[m][0] - slack <= v <= limits[m][1] + slack}


QUICK = [world for world in coverage.WORLDS if not world.name.startswith("calibrated")]  # the slow test has all


@pytest.mark.parametrize("world", QUICK, ids=lambda world: world.name)
def test_coverage_of_200_data_sets(world: object) -> None:
    """A quick look: nothing is off by more than 4 points, three standard errors, beyond the bounds. The rest is acceptance's."""
    for n, sets in ((100, 200), (1000, 120)) if "clusters" in world.name else ((100, 200),):  # type: ignore[attr-defined]
        found = coverage.coverages(world, n, sets, draws=300, seed=1)
        assert len(found) >= 15
        assert outside(world.name, n, found, 0.04) == {}  # type: ignore[attr-defined]


def test_a_percentile_bootstrap_would_fail() -> None:
    """The check can fail: a percentile bootstrap of the binned ECE misses the truth (0) of a calibrated model every time."""
    import numpy as np

    from workbench.stats.calibration import ece

    rng = np.random.default_rng(0)
    confidence, correct, _ = coverage.WORLDS[0].draw(300, rng)
    drawn = [ece(confidence[rows], correct[rows]) for rows in rng.integers(0, 300, (200, 300))]

    assert np.quantile(drawn, 0.025) > 0.03
    assert outside("calibrated", 300, {"ece_percentile": 0.0}, 0.04) == {"ece_percentile": 0.0}


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_coverage_of_1000_data_sets() -> None:
    """At n = 100, 1,000 and 10,000 every interval covers 93 to 99 %, at least 93 % where called conservative."""
    table = coverage.coverage_table(1000)
    coverage.kept().parent.mkdir(exist_ok=True)
    table.round(4).to_csv(coverage.kept(), index_label="metric")
    failures = {}
    for world, n in table.columns:
        wrong = outside(world, n, table[world, n].dropna().to_dict(), 0.008)  # one standard error of 1,000 data sets
        if wrong:
            failures[world, n] = wrong

    assert failures == {}
