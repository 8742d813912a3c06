"""Accuracy without labels: by hand, where each assumption holds and where it fails, and how often intervals hold the truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from workbench.errors import DataError, UsageError
from workbench.stats.unlabelled import ESTIMATORS, Answers, Draws, domain_weights, estimates

FEW = Draws(20)
PAIRS = st.lists(st.tuples(st.sampled_from([0.2, 0.5, 0.55, 0.7, 0.9, 1.0]), st.booleans()), min_size=3, max_size=30)


@given(PAIRS, PAIRS)
def test_values_equal_their_definitions(one: list[tuple[float, bool]], two: list[tuple[float, bool]]) -> None:
    """Numpy's quantile for ATC, of rows at it the share that makes the source right; scikit-learn's isotonic map for CBPE."""
    c, hit, new = (
        np.array([row[0] for row in one]),
        np.array([row[1] for row in one], float),
        np.array([r[0] for r in two]),
    )
    weights = 1 + np.arange(len(c)) % 3
    found = estimates(Answers(c, hit), Answers(new), weights=weights, draws=FEW)
    limit = np.quantile(c, 1 - hit.mean())
    level = np.mean(c == limit)
    share = np.clip((hit.mean() - np.mean(c > limit)) / level, 0, 1) if level else 0
    isotonic = IsotonicRegression(out_of_bounds="clip").fit(c, hit)
    expected = {
        "atc": np.mean(new > limit) + share * np.mean(new == limit),
        "doc": hit.mean() - (c.mean() - new.mean()),
        "average_confidence": new.mean(),
        "cbpe": isotonic.predict(new).mean(),
        "importance_weighted": np.average(hit, weights=weights),
    }

    for name in ESTIMATORS:
        assert expected[name] == pytest.approx(found[name].accuracy.value, abs=1e-9), name
        assert np.isnan(found[name].error.value)


def test_atc_of_saturated_confidences_is_right_where_nothing_moved() -> None:
    """90 of 100 answers have confidence 1 and 80 are right: the threshold is 1, above which there is nothing."""
    same = Answers([1.0] * 90 + [0.6] * 10, [1] * 80 + [0] * 20)
    found = estimates(same, same)["atc"]

    assert found.accuracy.value == pytest.approx(0.8)
    assert found.accuracy.low < 0.8 < found.accuracy.high


def draw(rng: np.random.Generator, n: int, a: float, power: float) -> tuple[np.ndarray, np.ndarray]:
    """Return confidences from beta(a, 1.3), and hits with probability confidence ** power."""
    c = rng.beta(a, 1.3, n)
    return c, (rng.random(n) < c**power).astype(float)


def test_calibration_that_carries_over_makes_cbpe_right_and_confidence_wrong() -> None:
    """The target is less confident under the same over-confidence: CBPE finds its accuracy, mean confidence does not."""
    rng = np.random.default_rng(0)
    source, target = draw(rng, 4000, 4.0, 2.0), draw(rng, 4000, 2.0, 2.0)
    found = estimates(Answers(*source), Answers(*target), draws=Draws(100))

    assert found["cbpe"].error.low < 0 < found["cbpe"].error.high
    assert found["average_confidence"].error.low > 0.1
    assert found["doc"].accuracy.n == 4000


def test_weights_undo_a_covariate_shift() -> None:
    """Accuracy depends on one feature whose distribution moves: weighted source accuracy is that of the target."""
    rng = np.random.default_rng(1)
    x, z = rng.normal(0, 1, 3000), rng.normal(0.8, 1, 3000)
    hit, new = (rng.random(3000) < 1 / (1 + np.exp(2 * x))) * 1.0, (rng.random(3000) < 1 / (1 + np.exp(2 * z))) * 1.0
    flat = np.full(3000, 0.5)
    weights = domain_weights(x[:, None], z[:, None])
    found = estimates(Answers(flat, hit), Answers(flat, new), weights=weights, draws=Draws(200))["importance_weighted"]

    np.testing.assert_allclose(np.corrcoef(np.log(weights), 0.8 * x)[0, 1], 1, atol=0.01)
    assert abs(hit.mean() - new.mean()) > 0.15
    assert found.error.low < 0 < found.error.high
    assert abs(found.error.value) < 0.04


def test_intervals_hold_the_population_value() -> None:
    """200 source and 150 target rows, 100 times: 95 % intervals hold the truth in 88 % or more, and are as wide as the spread."""
    rng = np.random.default_rng(2)
    large = [draw(rng, 60_000, 4.0, 1.3), draw(rng, 60_000, 2.5, 1.5)]
    truth = estimates(Answers(*large[0]), Answers(*large[1]), draws=FEW)
    runs = []
    for number in range(100):
        sets = [Answers(*draw(rng, 200, 4.0, 1.3)), Answers(*draw(rng, 150, 2.5, 1.5))]
        runs.append(estimates(*sets, draws=Draws(60, seed=number)))

    for name in ESTIMATORS[:4]:
        for part in (0, 1):  # the accuracy, and its error
            value, low, high = np.array([run[name][part][:3] for run in runs]).T
            assert np.mean((low <= truth[name][part].value) & (truth[name][part].value <= high)) >= 0.88, (name, part)
            assert np.mean(high - low) / (2 * 1.96 * value.std()) == pytest.approx(1, abs=0.25), (name, part)


@pytest.mark.parametrize(
    ("here", "there"), [((4.0, 1.3), (2.5, 1.5)), ((2.0, 1.0), (6.0, 1.0))], ids=["less sure", "surer"]
)
def test_the_interval_of_cbpe_allows_for_its_bias(here: tuple[float, float], there: tuple[float, float]) -> None:
    """300 source and 200 target rows, 150 times: 95 % intervals hold the truth in 90 % or more; without the allowance 87 %."""
    rng = np.random.default_rng(5)
    truth = estimates(*(Answers(*draw(rng, 100_000, *one)) for one in (here, there)), draws=FEW)["cbpe"].accuracy.value
    found = [
        estimates(Answers(*draw(rng, 300, *here)), Answers(*draw(rng, 200, *there)), draws=Draws(80, seed=seed))
        for seed in range(150)
    ]
    low, high = np.array([one["cbpe"].accuracy[1:3] for one in found]).T

    assert np.mean((low <= truth) & (truth <= high)) >= 0.90


def test_clusters_widen_the_intervals() -> None:
    """Ten copies of each row, drawn together, tell no more than the row."""
    rng = np.random.default_rng(3)
    sets = [draw(rng, 80, 4.0, 1.3), draw(rng, 80, 3.0, 1.5)]
    once = estimates(*(Answers(*one) for one in sets))
    names = np.repeat(np.arange(80), 10)
    copies = estimates(*(Answers(*(np.repeat(part, 10) for part in one), clusters=names) for one in sets))

    for name, one in once.items():
        width, other = (x.accuracy.high - x.accuracy.low for x in (one, copies[name]))
        assert width == pytest.approx(other, rel=0.35)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: estimates(Answers([0.5]), Answers([0.5])), "The source needs to say which answers are right"),
        (lambda: estimates(Answers([1.5], [1]), Answers([0.5])), r"source: confidence must lie in \[0, 1\]"),
        (lambda: estimates(Answers([0.5], [1]), Answers([0.5], [2])), "target: correct must be 0 or 1"),
        (
            lambda: estimates(Answers([0.5], [1]), Answers([0.5]), weights=[1, 2]),
            r"one number from 0 per source row \(1\)",
        ),
        (lambda: Draws(5), "draws must be at least 20"),
        (lambda: domain_weights([[1.0]], [[1.0]]), "folds must be from 2"),
    ],
)
def test_what_does_not_fit_is_named(call: object, message: str) -> None:
    """Each fault is one error that says what and where."""
    with pytest.raises((DataError, UsageError), match=message):
        call()  # type: ignore[operator]
