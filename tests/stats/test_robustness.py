"""Effective robustness: by hand, against another way to fit, and how often its intervals hold."""

from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import DataError, UsageError
from workbench.stats.robustness import effective_robustness


def hits(shares: Any, n: int) -> Any:
    """Return hits of models whose accuracies are these."""
    return (np.arange(n) < np.round(np.asarray(shares) * n)[:, None]) * 1.0


def logit(share: Any, n: int) -> Any:
    """Return the logit of hits + 1/2 in n + 1."""
    held = (np.asarray(share) * n + 0.5) / (n + 1)
    return np.log(held / (1 - held))


def test_four_models_by_hand() -> None:
    """The line through three models at logits -1, 0, 1 against -2, -1, 0 has slope 1; the fourth lies 0.2 above it."""
    n = 20_000
    inside = hits(1 / (1 + np.exp(-np.array([-1.0, 0.0, 1.0, 0.0]))), n)
    line = 1 / (1 + np.exp(-np.array([-2.0, -1.0, 0.0])))
    outside = hits([*line, line[1] + 0.2], n)
    found = effective_robustness(inside, outside, baseline=[True, True, True, False], draws=50)

    assert (1.0, -1.0) == (pytest.approx(found.slope.value, abs=5e-4), pytest.approx(found.intercept.value, abs=5e-4))
    assert [0.0, 0.0, 0.0, 0.2] == pytest.approx([one.value for one in found.models], abs=5e-4)
    assert "over 3 models, 50 draws" in found.models[0].method
    middle = found.line[len(found.line) // 2]  # at logit 0 foretold -1
    assert (0.5, line[1]) == (pytest.approx(middle.inside, abs=5e-4), pytest.approx(middle.outside, abs=5e-4))
    assert (3, 2 * n) == (found.fitted, found.models[0].n)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 6))
def test_the_line_is_numpys_and_the_order_of_rows_does_not_matter(seed: int, models: int) -> None:
    """`numpy.polyfit` gives the same line; shuffled rows give the same intervals."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(0.2, 0.9, models), rng.uniform(0.2, 0.9, models)
    inside, outside = ((rng.random((models, 80)) < share[:, None]) * 1.0 for share in (x, y))
    inside[0] = 1.0
    found = effective_robustness(inside, outside, draws=30)
    slope, intercept = np.polyfit(logit(inside.mean(axis=1), 80), logit(outside.mean(axis=1), 80), 1)

    assert (slope, intercept) == pytest.approx((found.slope.value, found.intercept.value))
    assert found == effective_robustness(inside[:, rng.permutation(80)], outside[:, rng.permutation(80)], draws=30)


def test_intervals_hold_the_truth() -> None:
    """Of 120 samples of 5 models with luck in common the intervals of each, and the band of the line, hold in 90 of 100 or more."""
    x = np.array([0.5, 0.6, 0.7, 0.8, 0.7])
    y = 1 / (1 + np.exp(-(0.9 * np.log(x / (1 - x)) - 0.8))) + np.array([0, 0, 0, 0, 0.08])
    baseline, held, on_line = [True, True, True, True, False], np.zeros(5), np.zeros(3)
    limits = [np.array([NormalDist().inv_cdf(share) for share in shares]) for shares in (x, y)]
    for seed in range(120):
        rng = np.random.default_rng(seed)
        ability = [rng.normal(size=(1, 400)) * 0.7 + rng.normal(size=(5, 400)) * 0.714 for _ in range(2)]
        share = [(noise < limit[:, None]) * 1.0 for noise, limit in zip(ability, limits, strict=True)]
        found = effective_robustness(*share, baseline=baseline, draws=200, seed=seed)
        along = np.array(found.line)
        bounds = [np.interp([0.55, 0.7, 0.8], along[:, 0], along[:, at]) for at in (2, 3)]
        truth_there = 1 / (1 + np.exp(-(0.9 * np.log([0.55 / 0.45, 0.7 / 0.3, 0.8 / 0.2]) - 0.8)))
        on_line += (bounds[0] <= truth_there) & (truth_there <= bounds[1])
        held += [one.low <= truth <= one.high for one, truth in zip(found.models, [0, 0, 0, 0, 0.08], strict=True)]
    assert 0.92 <= held.mean() / 120 <= 0.98
    assert 0.9 <= on_line.mean() / 120 <= 0.985


@pytest.mark.parametrize("drawn", [True, False])
def test_intervals_of_rows_in_clusters_hold_the_truth(drawn: bool) -> None:
    """Thirty clusters of six rows on both sides: 92 to 99 of 100 hold if clusters are drawn, and fewer than 85 if rows are."""
    x = np.array([0.5, 0.6, 0.7, 0.8, 0.7])
    y = 1 / (1 + np.exp(-(0.9 * np.log(x / (1 - x)) - 0.8))) + np.array([0, 0, 0, 0, 0.08])
    owners, held = np.repeat(np.arange(30), 6), 0
    limits = [np.array([NormalDist().inv_cdf(share) for share in shares]) for shares in (x, y)]
    for seed in range(100):
        rng = np.random.default_rng(seed)
        luck = [rng.normal(size=(5, 30))[:, owners] * 0.8 + rng.normal(size=(5, 180)) * 0.6 for _ in range(2)]
        share = [(noise < limit[:, None]) * 1.0 for noise, limit in zip(luck, limits, strict=True)]
        given = (owners, owners) if drawn else (None, None)
        found = effective_robustness(*share, baseline=[True] * 4 + [False], clusters=given, draws=100, seed=seed)
        held += sum(one.low <= truth <= one.high for one, truth in zip(found.models, [0, 0, 0, 0, 0.08], strict=True))
    assert 0.92 <= held / 500 <= 0.99 if drawn else held / 500 < 0.85


def test_one_cluster_says_nothing_of_others() -> None:
    """No bounds on either side, and the reason."""
    three = hits([0.5, 0.6, 0.7], 20)
    found = effective_robustness(three, three, clusters=(None, np.zeros(20)), draws=20)

    assert found.models[0].method == found.slope.method == "no interval: one cluster"
    assert np.isnan(found.line[0].low)


def test_models_that_fit_no_line_are_refused() -> None:
    """Fewer than three models, models alike, other models on the other side, blanks."""
    three = hits([0.5, 0.6, 0.7], 20)

    with pytest.raises(DataError, match="at least 3 models to be fitted to; there are 2"):
        effective_robustness(three[:2], three[:2])
    with pytest.raises(DataError, match="there are 2. Add models"):
        effective_robustness(three, three, baseline=[True, True, False])
    with pytest.raises(DataError, match="same accuracy inside"):
        effective_robustness(three[[0, 0, 0]], three)
    with pytest.raises(DataError, match="inside has 3 models and outside has 2"):
        effective_robustness(three, three[:2])
    with pytest.raises(DataError, match="outside must be 0 or 1; model 1 has other"):
        effective_robustness(three, np.where(np.arange(3)[:, None] == 1, np.nan, three))
    with pytest.raises(DataError, match=r"inside must be hits \(models, rows\)"):
        effective_robustness([0.5, 0.6, 0.7], three)
    with pytest.raises(UsageError, match="draws must be at least 20"):
        effective_robustness(three, three, draws=2)
