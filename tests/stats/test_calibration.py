"""Metrics of calibration: by hand, by property, and against netcal and scikit-learn."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import DataError, UsageError
from workbench.stats import calibration

pairs = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60).map(
    lambda rows: (np.array([c for c, _ in rows]), np.array([float(a) for _, a in rows]))
)


def simulated(n: int, *, power: float = 1.3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return confidences from beta(4, 1.2) and hits at the rate confidence ** power."""
    rng = np.random.default_rng(seed)
    confidence = rng.beta(4, 1.2, n)
    return confidence, (rng.random(n) < confidence**power).astype(float)


def test_ece_by_hand() -> None:
    """Two bins: gaps 0.4 (two rows) and 0.1 (two rows)."""
    confidence, correct = [0.9, 0.9, 0.6, 0.6], [1, 0, 1, 0]

    assert calibration.ece(confidence, correct, 10) == pytest.approx(0.25)
    assert calibration.ece(confidence, correct, 10, norm=2) == pytest.approx(math.sqrt(0.5 * 0.16 + 0.5 * 0.01))
    assert calibration.mce(confidence, correct, 10) == pytest.approx(0.4)
    assert calibration.ece_unweighted(confidence, correct, 10) == pytest.approx(0.25)


def test_debiased_square_by_hand() -> None:
    """One bin of four: gap 0.25, hit rate 0.75, so 0.0625 - 0.1875 / 3."""
    expected = 0.25**2 - 0.75 * 0.25 / 3

    assert calibration.debiased_l2_squared([0.5] * 4, [1, 1, 1, 0], 1) == pytest.approx(expected, abs=1e-15)


def test_debiased_square_leaves_out_bins_of_one_row() -> None:
    """A bin with one row says nothing of its noise."""
    assert calibration.debiased_l2_squared([0.05, 0.95, 0.95], [1, 1, 0], 10) == pytest.approx((0.45**2 - 0.25) * 2 / 3)


def test_tied_rows_share_a_bin_of_equal_mass() -> None:
    """Four equal confidences of five stay together, and the effective number of bins falls."""
    table = calibration.bin_table([0.1, 0.1, 0.1, 0.1, 0.7], [0, 1, 0, 0, 1], bins=5, scheme="mass")

    assert table.n.tolist() == [4, 1]
    assert calibration.ece([0.1, 0.1, 0.1, 0.1, 0.7], [0, 1, 0, 0, 1], 2, scheme="mass") == pytest.approx(0.18)


@pytest.mark.parametrize("bins", [1, 2, 10, 15, 23])
@pytest.mark.parametrize("n", [3, 50, 4000, 40_000])
def test_ece_equals_netcal(n: int, bins: int) -> None:
    """Off the edges, ECE, MCE and the unweighted error are netcal's to 1e-12."""
    from netcal.metrics import ACE, ECE, MCE

    confidence, correct = simulated(n, seed=n + bins)
    hit = correct.astype(int)

    assert calibration.ece(confidence, correct, bins) == pytest.approx(ECE(bins).measure(confidence, hit), abs=1e-12)
    assert calibration.mce(confidence, correct, bins) == pytest.approx(MCE(bins).measure(confidence, hit), abs=1e-12)
    unweighted = calibration.ece_unweighted(confidence, correct, bins)
    assert unweighted == pytest.approx(ACE(bins).measure(confidence, hit), abs=1e-12)


def test_bin_table_equals_calibration_curve() -> None:
    """Bin means are those of scikit-learn."""
    from sklearn.calibration import calibration_curve

    confidence, correct = simulated(5000)
    rates, means = calibration_curve(correct, confidence, n_bins=15)
    table = calibration.bin_table(confidence, correct)

    np.testing.assert_allclose(table.accuracy, rates, atol=1e-12)
    np.testing.assert_allclose(table.confidence, means, atol=1e-12)


def test_brier_and_nll_equal_scikit_learn() -> None:
    """The event Brier score and the log loss are scikit-learn's."""
    from sklearn.metrics import brier_score_loss, log_loss

    confidence, correct = simulated(3000)
    table = np.column_stack([1 - confidence, confidence])

    assert calibration.brier_event(confidence, correct) == pytest.approx(brier_score_loss(correct, confidence))
    assert calibration.brier(table, correct) == pytest.approx(2 * brier_score_loss(correct, confidence))
    assert calibration.nll(table, correct) == pytest.approx(log_loss(correct, confidence))


@given(pairs, st.sampled_from(["width", "mass"]), st.integers(1, 20))
def test_brier_parts_add_up(rows: tuple[np.ndarray, np.ndarray], scheme: str, bins: int) -> None:
    """Reliability - resolution + uncertainty and the terms within bins are the Brier score, exactly."""
    parts = calibration.brier_parts(*rows, bins, scheme=scheme)  # type: ignore[arg-type]
    total = parts.reliability - parts.resolution + parts.uncertainty + parts.within_variance - parts.within_covariance

    assert parts.brier == pytest.approx(calibration.brier_event(*rows), abs=1e-12)
    assert parts.brier == pytest.approx(total, abs=1e-12)


@given(pairs, st.sampled_from(["width", "mass"]), st.randoms())
def test_order_of_rows_changes_nothing(rows: tuple[np.ndarray, np.ndarray], scheme: str, random: object) -> None:
    """All metrics, tests and draws are the same for shuffled rows, to rounding."""
    confidence, correct = rows
    order = np.random.default_rng(random.randint(0, 9999)).permutation(len(confidence))  # type: ignore[attr-defined]

    for metric in (calibration.ece, calibration.mce, calibration.ece_unweighted, calibration.debiased_l2_squared):
        first, second = (metric(c, a, 15, scheme=scheme) for c, a in (rows, (confidence[order], correct[order])))
        assert first == pytest.approx(second, abs=1e-12)
    for test in (calibration.ks, calibration.kuiper):
        assert test(*rows).p_value == pytest.approx(test(confidence[order], correct[order]).p_value, abs=1e-9)
    one, two = (calibration.null_band(c, draws=50) for c in (confidence, confidence[order]))
    assert one.ece == pytest.approx(two.ece, abs=1e-12)


@given(pairs, st.integers(1, 30))
def test_bounds_of_the_binned_errors(rows: tuple[np.ndarray, np.ndarray], bins: int) -> None:
    """|mean gap| <= ECE <= root mean square <= MCE <= 1 for any bins."""
    gap = abs(float((rows[0] - rows[1]).mean()))
    errors = [calibration.ece(*rows, bins, norm=norm) for norm in (1, 2, "max")]  # type: ignore[arg-type]

    assert all(low <= high + 1e-12 for low, high in zip([gap, *errors], [*errors, 1.0], strict=True))


def test_single_precision_sums_are_double() -> None:
    """A million float32 confidences give the same ECE as float64: no drift, where torchmetrics is off by 2e-4."""
    confidence, correct = simulated(1_000_000)
    single = confidence.astype(np.float32)

    assert calibration.ece(single, correct) == calibration.ece(single.astype(np.float64), correct)


def test_ece_by_equals_a_loop() -> None:
    """One pass over all groups gives what each group alone gives, whatever names the groups."""
    confidence, correct = simulated(3000)
    codes = np.random.default_rng(1).integers(0, 37, 3000)
    found = calibration.ece_by(codes, confidence, correct)

    assert sorted(map(str, set(codes.tolist()))) == list(found)
    for code in set(codes.tolist()):
        expected = calibration.ece(confidence[codes == code], correct[codes == code])
        assert expected == pytest.approx(found[str(code)], abs=1e-12)
    assert found == pytest.approx(calibration.ece_by(codes.astype(str), confidence, correct))


def test_classwise_ece_averages_over_classes() -> None:
    """It is the mean of the ECE of each class against label = class."""
    rng = np.random.default_rng(0)
    table = rng.dirichlet([1.0, 2.0, 0.5], 500)
    labels = rng.integers(0, 3, 500)
    expected = np.mean([calibration.ece(table[:, k], labels == k) for k in range(3)])

    assert calibration.classwise_ece(table, labels) == pytest.approx(expected, abs=1e-12)


def test_null_band_is_what_calibrated_labels_show() -> None:
    """The 95 % quantile agrees with labels drawn one by one, at every size of the data."""
    for n in (150, 1000, 30_000):
        confidence, _ = simulated(n)
        rng = np.random.default_rng(5)
        drawn = [
            calibration.ece(confidence, (rng.random(n) < confidence).astype(float))
            for _ in range(1500 if n < 5000 else 500)
        ]
        band = calibration.null_band(confidence, draws=2000)

        assert np.quantile(drawn, 0.95) == pytest.approx(band.ece, rel=0.05)


def test_null_band_follows_confidences_of_one() -> None:
    """Thousands of rows with confidence 1.0 or 0.999 add nothing, or a few errors: no normal approximation."""
    confidence = np.repeat([1.0, 0.999], 2000)
    band = calibration.null_band(confidence, np.ones(4000), bins=10)

    assert 0.0004 < band.ece <= 0.00155
    assert 0 < band.ece_p <= 1


def test_p_value_counts_the_observed_value() -> None:
    """The smallest p is 1 / (1 + draws)."""
    assert calibration.null_band([0.9] * 100, [0] * 100, draws=99).ece_p == pytest.approx(0.01)


def test_null_band_without_hits_has_no_p_value() -> None:
    """Confidences alone give a band."""
    assert math.isnan(calibration.null_band([0.5, 0.6]).ece_p)


@pytest.mark.parametrize(
    ("confidence", "correct", "message"),
    [
        ([0.1, np.nan, 0.2, np.nan], [0, 1, 1, 0], r"NaN in rows 1, 3"),
        ([0.1, 2.5, -1.0], [0, 1, 1], r"rows 1, 2 have values from -1 to 2.5.*logits"),
        ([0.1, 0.2], [0.5, 1.0], r"correct must be 0 or 1; it is not in row 0"),
        ([0.1, 0.2], [1], r"2 rows and correct has 1"),
        ([[0.1, 0.2]], [1, 0], r"shape is \(1, 2\)"),
        ([], [], "no rows"),
        (["a", "b"], [1, 0], "must be numbers"),
    ],
)
def test_what_cannot_be_measured_is_named(confidence: list[float], correct: list[float], message: str) -> None:
    """Errors name the rows and the remedy."""
    with pytest.raises(DataError, match=message):
        calibration.ece(confidence, correct)


def test_long_lists_of_rows_are_cut() -> None:
    """Five rows are named, the others counted."""
    with pytest.raises(DataError, match="rows 0, 1, 2, 3, 4 and 15 more"):
        calibration.ece([np.nan] * 20, [1] * 20)


def test_logits_are_no_probabilities() -> None:
    """A table of logits or of the wrong shape is named."""
    with pytest.raises(DataError, match=r"row 1.*logits"):
        calibration.brier([[0.5, 0.5], [3.0, -1.0]], [0, 1])
    with pytest.raises(DataError, match=r"sum to 1.*row 0"):
        calibration.nll([[0.1, 0.2], [0.5, 0.5]], [0, 1])
    with pytest.raises(DataError, match=r"class indices from 0 to 1.*row 1"):
        calibration.nll([[0.5, 0.5], [0.5, 0.5]], [0, 2])


def test_unknown_options_are_named() -> None:
    """Bins, scheme and norm are checked."""
    with pytest.raises(UsageError, match="whole number"):
        calibration.ece([0.5], [1], 0)
    with pytest.raises(UsageError, match="Known: mass, width"):
        calibration.ece([0.5], [1], scheme="equal")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="norm"):
        calibration.ece([0.5], [1], norm=3)  # type: ignore[arg-type]


def test_p_values_of_the_walk_match_simulation() -> None:
    """KS and Kuiper reject a calibrated model at about their level."""
    rng = np.random.default_rng(0)
    rejected = np.zeros(2)
    for _ in range(1000):
        confidence = rng.beta(2, 2, 400)
        correct = (rng.random(400) < confidence).astype(float)
        rejected += [test(confidence, correct).p_value < 0.1 for test in (calibration.ks, calibration.kuiper)]

    assert np.all((rejected / 1000 > 0.06) & (rejected / 1000 < 0.125))


def test_spiegelhalter_is_two_sided() -> None:
    """Its p-value is small for over- and for under-confidence."""
    low, high = np.full(400, 0.7), np.tile([1.0, 0.0], 200)

    assert calibration.spiegelhalter(low, high).p_value < 1e-6
    assert calibration.spiegelhalter(low, np.ones(400)).p_value < 1e-6


def test_certain_confidences_have_no_spread() -> None:
    """Confidences of 0 and 1 that are right give p = 1; one that is wrong gives p = 0."""
    assert calibration.ks([0.0, 1.0], [0, 1]).p_value == 1.0
    assert calibration.ks([0.0, 1.0], [0, 0]).p_value == 0.0
