"""Everything at once, for one group and for many."""

import math

import numpy as np
import pytest

from workbench.errors import DataError
from workbench.stats import calibration, intervals, ranking, smooth
from workbench.stats._values import values_of
from workbench.stats.summary import Extras, Settings, bin_table_by, summary, summary_by

NOT_DRAWN = {  # means over rows, and what has a null band: `compare` draws neither
    "accuracy",
    "mean_confidence",
    "confidence_gap",
    "ece",
    "ece_mass",
    "ece_unweighted",
    "mce",
}
ALWAYS = NOT_DRAWN | {
    "l2_debiased",
    "smooth_ece",
    "ks",
    "kuiper",
    "spiegelhalter",
    "brier_event",
    "brier_reliability",
    "brier_resolution",
    "brier_uncertainty",
    "brier_within",
    "auroc",
    "aurc",
    "e_aurc",
}


def rows(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, Extras]:
    """Return over-confident rows of a two-class model and all extras but clusters."""
    rng = np.random.default_rng(seed)
    confidence = rng.beta(4, 1.2, n)
    correct = (rng.random(n) < confidence**1.3).astype(float)
    table = np.column_stack([confidence, 1 - confidence])
    chosen = np.where(correct > 0, confidence, 1 - confidence)
    labels = 1 - correct.astype(int)
    return confidence, correct, Extras(-np.log(chosen), 2 * (confidence - correct) ** 2, table, labels)


def test_summary_agrees_with_each_metric() -> None:
    """Values are those of the functions that compute one metric each."""
    confidence, correct, extras = rows(700)
    found = summary(confidence, correct, extras=extras)
    alone = {
        "accuracy": intervals.proportion(correct),
        "confidence_gap": intervals.confidence_gap(confidence, correct),
        "l2_debiased": calibration.debiased_l2_interval(confidence, correct),
        "smooth_ece": smooth.smooth_ece_interval(confidence, correct),
        "auroc": ranking.auroc(confidence, correct),
        "aurc": ranking.aurc(confidence, correct),
        "e_aurc": ranking.e_aurc(confidence, correct),
    }
    parts = calibration.brier_parts(confidence, correct)
    values = {
        "ece": calibration.ece(confidence, correct),
        "ece_mass": calibration.ece(confidence, correct, scheme="mass"),
        "mce": calibration.mce(confidence, correct),
        "ece_unweighted": calibration.ece_unweighted(confidence, correct),
        "brier_event": parts.brier,
        "brier_reliability": parts.reliability,
        "brier_resolution": parts.resolution,
        "brier_uncertainty": parts.uncertainty,
        "brier_within": parts.within_variance - parts.within_covariance,
        "brier": calibration.brier(extras.probabilities, extras.labels),  # type: ignore[arg-type]
        "nll": calibration.nll(extras.probabilities, extras.labels),  # type: ignore[arg-type]
        "classwise_ece": calibration.classwise_ece(extras.probabilities, extras.labels),  # type: ignore[arg-type]
    }

    assert ALWAYS | {"brier", "nll", "classwise_ece"} == set(found)
    assert alone == {name: found[name] for name in alone}
    assert values == pytest.approx({name: found[name].value for name in values}, abs=1e-12)


@pytest.mark.parametrize("scheme", ["width", "mass"])
@pytest.mark.parametrize("each", [1, 3, 40])
def test_values_alone_are_those_of_the_summary(each: int, scheme: str) -> None:
    """What a bootstrap asks for has the value that `summary` gives, NaN where it is NaN; each: rows of a cluster."""
    settings = Settings(bins=10, scheme=scheme, draws=20)  # type: ignore[arg-type]
    confidence, correct, _ = rows(40)
    tied = np.round(confidence, 1)
    clusters = np.arange(40) // each
    cases = [
        (confidence, correct),
        (tied, correct),
        (confidence, correct * 0),
        (tied, correct * 0 + 1),
        (tied * 0 + 1, correct),
    ]
    for stated, hit in [*cases, (confidence[:1], correct[:1]), (confidence[:2], correct[:2])]:
        own = clusters[: len(hit)]
        found = summary(stated, hit, extras=Extras(clusters=own), settings=settings)
        values = values_of(stated, hit, own, settings)

        assert ALWAYS - set(values) == NOT_DRAWN
        expected = {name: found[name].value for name in values}
        assert values == pytest.approx(expected, abs=1e-12, nan_ok=True)
    assert values_of(confidence[:0], correct[:0], None, settings) == {}


def test_binned_errors_carry_the_null_band() -> None:
    """Low is 0, high the 95 % quantile when calibrated, and the method tells so with the p-value."""
    confidence, correct, extras = rows(700)
    band = calibration.null_band(confidence, correct)
    found = summary(confidence, correct, extras=extras)

    assert (0.0, band.ece) == (found["ece"].low, pytest.approx(found["ece"].high))
    assert f"null band: 95% of perfectly calibrated models lie below high; p = {band.ece_p:.3g}" in found["ece"].method
    for name in ("ece_mass", "ece_unweighted", "mce", "classwise_ece", "ks", "kuiper", "spiegelhalter"):
        assert "null band" in found[name].method


@pytest.mark.parametrize("scheme", ["width", "mass"])
def test_groups_get_what_they_get_alone(scheme: str) -> None:
    """summary_by and bin_table_by equal summary and bin_table of the group's rows."""
    confidence, correct, extras = rows(900)
    groups = np.random.default_rng(1).choice(["a", "b", "ü"], 900, p=[0.6, 0.39, 0.01])
    settings = Settings(draws=200, scheme=scheme, bins=10)  # type: ignore[arg-type]
    found = summary_by(groups, confidence, correct, extras=extras, settings=settings)
    tables = bin_table_by(groups, confidence, correct, settings=settings)

    assert ["a", "b", "ü"] == list(found) == list(tables)
    for name in found:
        inside = np.flatnonzero(groups == name)
        alone = summary(confidence[inside], correct[inside], extras=extras.where(inside), settings=settings)
        assert list(alone) == list(found[name])
        for metric, interval in alone.items():
            np.testing.assert_allclose(interval[:3], found[name][metric][:3], atol=1e-9)
        table = calibration.bin_table(confidence[inside], correct[inside], bins=10, scheme=scheme, draws=200)  # type: ignore[arg-type]
        for column, values in table.columns().items():
            np.testing.assert_allclose(values, tables[name].columns()[column], atol=1e-9)


@pytest.mark.parametrize("n", [0, 1, 2, 3])
@pytest.mark.parametrize("hit", [0.0, 1.0])
def test_tiny_and_one_sided_groups_never_raise(n: int, hit: float) -> None:
    """What is not known is NaN, and the method says why."""
    confidence = np.linspace(0.2, 1, n)
    for clusters in (None, np.zeros(n)):
        found = summary(confidence, np.full(n, hit), extras=Extras(clusters=clusters))
        assert set(found) == ALWAYS
        for interval in found.values():
            assert interval.n == n
            assert interval.method.startswith("no interval: ") == math.isnan(interval.low)
        assert "two classes are needed" in found["auroc"].method or n == 0


def test_equal_confidences_are_no_trouble() -> None:
    """A model that always says 1.0, or 0.5, has a summary."""
    for stated in (0.0, 0.5, 1.0):
        found = summary(np.full(40, stated), np.tile([1.0, 0.0], 20))
        assert found["ece"].value == pytest.approx(abs(stated - 0.5))
        assert found["auroc"].value == pytest.approx(0.5)


def test_intervals_stay_in_range() -> None:
    """Bounds never leave what the metric can be."""
    found = summary([0.99, 0.98, 0.97], [1, 1, 0], extras=Extras(nll=[0.01, 0.02, 3.5], brier=[0.0, 0.0, 1.9]))

    for name in ALWAYS - {"confidence_gap", "spiegelhalter", "brier_within"}:
        assert not found[name].low < 0
    assert found["brier"].high <= 2
    assert found["nll"].low >= 0


def test_clusters_widen_every_interval() -> None:
    """Four copies of each row widen the intervals of all metrics when their clusters are known."""
    confidence, correct, _ = rows(200)
    copies = np.repeat(np.arange(200), 4)
    naive = summary(confidence[copies], correct[copies])
    clustered = summary(confidence[copies], correct[copies], extras=Extras(clusters=copies))

    for name in ALWAYS - {"ks", "kuiper", "spiegelhalter", "brier_uncertainty"}:
        one, two = naive[name], clustered[name]
        assert two.high - two.low > 1.2 * (one.high - one.low), name
        assert "200 clusters" in two.method, name
    assert "independent rows only" in clustered["ks"].method


def test_debiased_error_sees_through_copies() -> None:
    """Copies of calibrated rows look miscalibrated to the naive estimate; with clusters the bias goes."""
    naive, clustered = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        confidence = rng.beta(4, 1.2, 100)
        correct = (rng.random(100) < confidence).astype(float)
        copies = np.repeat(np.arange(100), 4)
        for extras, values in ((Extras(), naive), (Extras(clusters=copies), clustered)):
            found = summary(confidence[copies], correct[copies], extras=extras, settings=Settings(draws=20))
            values.append(float(found["l2_debiased"].method.split("(")[1].split(")")[0]))

    assert float(np.mean(naive)) > 0.008
    assert abs(float(np.mean(clustered))) < 0.004


def test_classwise_null_band_holds_its_level() -> None:
    """Calibrated probabilities of three classes pass the band in about 95 % of data sets, at small and larger n."""
    for n in (100, 1500):
        inside = 0
        for seed in range(150):
            rng = np.random.default_rng(seed)
            table = rng.dirichlet([2.0, 1.0, 0.5], n)
            labels = (rng.random(n)[:, None] > table.cumsum(axis=1)[:, :-1]).sum(axis=1)
            correct = table.argmax(axis=1) == labels
            extras = Extras(probabilities=table, labels=labels)
            found = summary(table.max(axis=1), correct, extras=extras, settings=Settings(draws=200))["classwise_ece"]
            inside += found.value <= found.high
        assert 0.90 <= inside / 150 <= 0.99


def test_extras_that_do_not_fit_are_named() -> None:
    """Lengths and missing partners."""
    with pytest.raises(DataError, match="nll has 1 rows and confidence has 2"):
        summary([0.5, 0.6], [1, 0], extras=Extras(nll=[0.1]))
    with pytest.raises(DataError, match="belong together"):
        summary([0.5, 0.6], [1, 0], extras=Extras(probabilities=[[0.5, 0.5]] * 2))
    with pytest.raises(DataError, match="NaN in row 1"):
        summary([0.5, np.nan], [1, 0])


@pytest.mark.parametrize(
    ("mean", "clusters", "copies"), [pytest.param(0.98, 100, 2, marks=pytest.mark.slow), (0.95, 60, 2), (0.8, 4, 20)]
)
def test_the_null_band_of_copied_rows_holds_its_level(mean: float, clusters: int, copies: int) -> None:
    """Rows that repeat inside clusters raise no more false alarms than unique rows: at most 9 % at a nominal 5 %."""
    rng = np.random.default_rng(1)
    alarms = dict.fromkeys(("ece", "ece_mass", "mce"), 0)
    for seed in range(150):
        stated = np.clip(rng.normal(mean, 0.005, clusters), 0.01, 0.999)
        hit = (rng.random(clusters) < stated).astype(float)
        ids = np.repeat(np.arange(clusters), copies)
        extras = Extras(clusters=ids)
        found = summary(stated[ids], hit[ids], extras=extras, settings=Settings(draws=200, seed=seed))
        for name in alarms:
            alarms[name] += found[name].value > found[name].high + 1e-12

    assert max(alarms.values()) <= 0.09 * 150


def test_losses_of_rows_that_are_nearly_all_right_keep_their_coverage() -> None:
    """With 20 rows of confidence 0.97 to 0.99 the few errors cannot show the spread; the interval still holds the truth."""
    rng = np.random.default_rng(2)
    grid = np.linspace(0.97, 0.99, 1001)
    truth = {
        "brier_event": (grid * (1 - grid)).mean(),
        "nll": -(grid * np.log(grid) + (1 - grid) * np.log(1 - grid)).mean(),
    }
    held = dict.fromkeys(truth, 0)
    for seed in range(200):
        stated = rng.uniform(0.97, 0.99, 20)
        hit = rng.random(20) < stated
        extras = Extras(nll=-np.log(np.where(hit, stated, 1 - stated)))
        found = summary(stated, hit.astype(float), extras=extras, settings=Settings(draws=20, seed=seed))
        for name, value in truth.items():
            held[name] += found[name].low <= value <= found[name].high

    assert min(held.values()) >= 0.93 * 200


def test_copied_rows_leave_a_separated_auroc_as_uncertain_as_it_was() -> None:
    """Twelve rows, and the same five times over in clusters: the interval is no narrower."""
    stated, hit = np.array([0.9] * 6 + [0.4] * 6) + np.arange(12) / 1000, np.array([1.0] * 6 + [0.0] * 6)
    once = summary(stated, hit)["auroc"]
    ids = np.repeat(np.arange(12), 5)
    copied = summary(stated[ids], hit[ids], extras=Extras(clusters=ids))["auroc"]

    assert once.value == copied.value == 1.0
    assert copied.low <= once.low + 0.02


def test_certain_rows_that_are_all_right_leave_smooth_ece_open() -> None:
    """Twenty rows stated as certain, all right, do not show that none would be wrong."""
    found = summary([1.0] * 20, [1.0] * 20)["smooth_ece"]

    assert found.high > 0.1
