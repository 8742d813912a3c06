"""Temperature, vector scaling, isotonic, histogram and ENIR: values, properties, and what is refused."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from workbench.errors import DataError, NotApplicable, UsageError
from workbench.stats import calibration, recalibration
from workbench.stats.recalibration import Options, cross_fitted, fit, folds_of

SETS = (
    "netcal_cifar10_lenet5.npz",
    "netcal_cifar10_wrn16-4.npz",
    "netcal_cifar100_wideresnet-16-4.npz",
    "verified_calibration_cifar10_vgg16.npz",
)
OURS = ("temperature", "vector", "isotonic", "histogram", "enir")


def _softmax(logits: np.ndarray) -> np.ndarray:
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def _draw(seed: int, n: int = 300, classes: int = 4, truth: float = 1.7) -> tuple[np.ndarray, np.ndarray]:
    """Return logits and labels whose best temperature is `truth`, but for noise."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (n, classes))
    return logits, (logits / truth + rng.gumbel(size=logits.shape)).argmax(axis=1)


def _confidences(seed: int, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    confidence = rng.beta(4, 1.2, n).round(3)
    return confidence, (rng.random(n) < confidence**1.5).astype(int)


def _reference(folder: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((folder / "calibration_reference" / "refvals.json").read_text(encoding="utf-8"))
    return values


def _predictions(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    with np.load(folder / "calibration_reference" / name) as arrays:
        return arrays["predictions"], arrays["ground_truth"]


@pytest.mark.data
@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("inputs", ["probabilities", "float32 logits", "float64 logits"])
def test_temperature_of_real_models(benchmark_data: Path, name: str, inputs: str) -> None:
    """T and both NLL are the reference values, whatever type the scores come in."""
    expected = _reference(benchmark_data)["sets"][name]
    scores, labels = _predictions(benchmark_data, name)
    if inputs != "probabilities":
        scores = np.log(np.clip(scores.astype(np.float64), 1e-12, 1)).astype(inputs.split()[0])
    found = fit("temperature", scores, labels, inputs="logits" if "logits" in inputs else "probabilities")

    assert found.parameters["temperature"] == pytest.approx(expected["temperature"], rel=1e-7)
    assert found.nll_before == pytest.approx(expected["nll"], abs=1e-8)
    assert found.nll_after == pytest.approx(expected["nll_at_temperature"], abs=1e-8)
    after = found.apply(scores)[np.arange(len(labels)), labels]
    assert -np.log(after).mean() == pytest.approx(expected["nll_at_temperature"], abs=1e-8)


@pytest.mark.data
def test_every_reference_temperature_that_can_be_tested_is(benchmark_data: Path) -> None:
    """The files above are all those that hold full predictions and have a reference temperature."""
    values = _reference(benchmark_data)["sets"]
    full = {name for name, keys in values.items() if "temperature" not in keys.get("needs_all_columns", ())}

    assert full == set(SETS)


@pytest.mark.data
@pytest.mark.parametrize("name", SETS)
def test_temperature_fitted_on_one_half_mends_the_other(benchmark_data: Path, name: str) -> None:
    """T of the first half and the ECE of the second are the reference values."""
    expected = _reference(benchmark_data)["half_split"][name]
    scores, labels = _predictions(benchmark_data, name)
    logits = np.log(np.clip(scores.astype(np.float64), 1e-12, 1)).astype(np.float32)
    half = len(labels) // 2
    found = fit("temperature", logits[:half], labels[:half], inputs="logits")
    top = calibration.top_label(found.apply(logits[half:]), labels[half:])

    assert found.parameters["temperature"] == pytest.approx(expected["temperature_newton"], rel=1e-6)
    assert calibration.ece(top.confidence, top.correct, 15) == pytest.approx(expected["ece15_newton"], abs=1e-6)


@pytest.mark.parametrize(("classes", "gap", "right", "n"), [(2, 2.0, 3, 4), (5, 3.0, 7, 10), (10, 40.0, 99, 100)])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_temperature_in_closed_form(classes: int, gap: float, right: int, n: int, kind: type) -> None:
    """With one pattern of logits (gap, 0, ..., 0) the best T makes the top probability the share of right rows."""
    logits = np.zeros((n, classes), dtype=kind)
    logits[:, 0] = gap
    labels = np.where(np.arange(n) < right, 0, 1 + np.arange(n) % (classes - 1))
    found = fit("temperature", logits, labels, inputs="logits")

    assert found.parameters["temperature"] == pytest.approx(gap / np.log(right * (classes - 1) / (n - right)), rel=1e-9)
    assert found.apply(logits)[:, 0] == pytest.approx(right / n, rel=1e-9)


@pytest.mark.parametrize("scale", [1e-3, 0.05, 1.0, 30.0, 1e4])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_temperature_follows_the_scale_of_the_logits(scale: float, kind: type) -> None:
    """Logits times a constant give T times that constant, from far starts too."""
    logits, labels = _draw(3, n=9000, classes=6)
    base = fit("temperature", logits, labels, inputs="logits").parameters["temperature"]
    found = fit("temperature", (logits * scale).astype(kind), labels, inputs="logits").parameters["temperature"]

    assert found == pytest.approx(base * scale, rel=1e-6 if kind is np.float32 else 1e-11)


@given(st.integers(0, 10_000), st.integers(2, 6), st.floats(0.3, 5))
@settings(max_examples=30, deadline=None)
def test_temperature_is_the_minimum_that_scipy_finds(seed: int, classes: int, truth: float) -> None:
    """A bounded search of the NLL, written out, finds the same T and nothing lower."""
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    logits, labels = _draw(seed, 200, classes, truth)
    own = logits[np.arange(200), labels]

    def loss(log_beta: float) -> float:
        return float((logsumexp(np.exp(log_beta) * logits, axis=1) - np.exp(log_beta) * own).mean())

    try:
        found = fit("temperature", logits, labels, inputs="logits")
    except NotApplicable:
        assume(False)
        raise
    lowest = minimize_scalar(loss, bounds=(-8, 6), method="bounded", options={"xatol": 1e-10})

    assert found.nll_after <= lowest.fun + 1e-12
    assert found.parameters["temperature"] == pytest.approx(np.exp(-lowest.x), rel=1e-5)
    assert found.nll_before == pytest.approx(loss(0.0), abs=1e-12)


def test_temperature_of_probabilities_is_that_of_their_logits() -> None:
    """Adding a constant to a row of logits changes nothing, and softmax is such a constant."""
    logits, labels = _draw(1)
    shifted = logits + np.random.default_rng(0).normal(0, 5, (len(logits), 1))
    found = [
        fit("temperature", scores, labels, inputs=kind).parameters["temperature"]
        for scores, kind in ((logits, "logits"), (shifted, "logits"), (_softmax(logits), "probabilities"))
    ]

    assert found[1:] == pytest.approx([found[0]] * 2, rel=1e-11)


def test_temperature_of_a_confidence_is_the_binary_one() -> None:
    """A confidence is the second of two classes."""
    confidence, hit = _confidences(0)
    table = np.stack([1 - confidence, confidence], axis=1)
    one = fit("temperature", confidence, hit, inputs="confidence")
    two = fit("temperature", table, hit)

    assert one.parameters["temperature"] == pytest.approx(two.parameters["temperature"], rel=1e-9)
    assert one.apply(confidence) == pytest.approx(two.apply(table)[:, 1], abs=1e-12)
    assert one.nll_before == pytest.approx(two.nll_before, abs=1e-12)


def test_interval_of_the_temperature_covers() -> None:
    """In 2,000 data sets of 300 rows the 95 % interval holds the true T as often as it says."""
    draws = [fit("temperature", *_draw(seed), inputs="logits").parameters for seed in range(2000)]
    held = np.mean([one["temperature_low"] <= 1.7 <= one["temperature_high"] for one in draws])

    assert held == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / 2000))


@pytest.mark.parametrize("seed", range(4))
def test_vector_scaling_is_the_minimum_that_scipy_finds(seed: int) -> None:
    """A quasi-Newton search from the identity finds no lower NLL, and temperature is a special case of it."""
    from scipy.optimize import minimize
    from scipy.special import log_softmax

    logits, labels = _draw(seed, 400, 3)

    def loss(theta: np.ndarray) -> float:
        return float(-log_softmax(logits * theta[:3] + theta[3:], axis=1)[np.arange(400), labels].mean())

    found = fit("vector", logits, labels, inputs="logits")
    lowest = minimize(loss, np.repeat([1.0, 0.0], 3), method="BFGS", options={"gtol": 1e-7})

    assert found.nll_after == pytest.approx(lowest.fun, abs=1e-9)
    assert found.parameters["weights"] == pytest.approx(lowest.x[:3], abs=1e-4)
    assert found.parameters["biases"] == pytest.approx(lowest.x[3:] - lowest.x[3:].mean(), abs=1e-4)
    assert found.nll_after <= fit("temperature", logits, labels, inputs="logits").nll_after


def test_vector_scaling_with_a_penalty_is_the_minimum_of_the_sum() -> None:
    """The penalty is half of it times the squared distance from the identity."""
    from scipy.optimize import minimize
    from scipy.special import log_softmax

    logits, labels = _draw(5, 100, 3)
    labels[labels == 2] = 1  # a class without rows is no trouble under a penalty
    identity = np.repeat([1.0, 0.0], 3)

    def loss(theta: np.ndarray) -> float:
        nll = -log_softmax(logits * theta[:3] + theta[3:], axis=1)[np.arange(100), labels].mean()
        return float(nll + 0.05 * ((theta - identity) ** 2).sum())

    found = fit("vector", logits, labels, inputs="logits", options=Options(penalty=0.1))
    lowest = minimize(loss, identity, method="BFGS", options={"gtol": 1e-8})

    assert found.parameters["weights"] == pytest.approx(lowest.x[:3], abs=1e-5)
    assert found.parameters["biases"] == pytest.approx(lowest.x[3:], abs=1e-5)


def test_vector_scaling_of_a_confidence_is_platt_scaling() -> None:
    """Slope and intercept are those of scikit-learn's logistic regression on the log odds, without penalty."""
    from sklearn.linear_model import LogisticRegression

    confidence, hit = _confidences(2, 800)
    confidence = np.clip(confidence, 0.01, 0.99)
    logit = np.log(confidence / (1 - confidence))
    peer = LogisticRegression(C=1e12, tol=1e-10, max_iter=1000).fit(logit[:, None], hit)
    found = fit("vector", confidence, hit, inputs="confidence").parameters

    assert found["weights"] == pytest.approx(peer.coef_[0], rel=1e-4)
    assert found["biases"] == pytest.approx(peer.intercept_, rel=1e-3)


@given(st.integers(0, 10_000), st.sampled_from(OURS), st.sampled_from(["logits", "probabilities", "confidence"]))
@settings(max_examples=60, deadline=None)
def test_probabilities_sum_to_one_and_the_order_of_rows_is_nothing(seed: int, method: str, inputs: Any) -> None:
    """Rows sum to 1 within [0, 1]; a shuffle of the rows of the fit changes no probability by 1e-12."""
    logits, labels = _draw(seed, 120, 3)
    scores: np.ndarray = {"logits": logits, "probabilities": _softmax(logits)}.get(inputs, np.zeros(0))
    if inputs == "confidence":
        scores, labels = _confidences(seed, 120)
    order = np.random.default_rng(seed).permutation(120)
    try:
        one = fit(method, scores, labels, inputs=inputs).apply(scores)
        other = fit(method, scores[order], labels[order], inputs=inputs).apply(scores)
    except NotApplicable:
        assume(False)
        raise

    assert one.shape == scores.shape
    assert one.min() >= 0
    assert one.max() <= 1 + 1e-12
    assert inputs == "confidence" or np.abs(one.sum(axis=1) - 1).max() < 1e-12
    assert np.abs(one - other).max() < 1e-12


def test_the_order_of_float32_rows_is_nothing() -> None:
    """The rows of the warm start and the float32 passes leave no trace in T."""
    logits, labels = _draw(8, 20_000)
    logits = logits.astype(np.float32)
    order = np.random.default_rng(0).permutation(len(labels))
    one, other = (fit("temperature", logits[rows], labels[rows], inputs="logits") for rows in (slice(None), order))

    assert one.parameters["temperature"] == pytest.approx(other.parameters["temperature"], rel=1e-12)


@given(st.integers(0, 10_000), st.sampled_from(["temperature", "isotonic"]))
@settings(max_examples=20, deadline=None)
def test_temperature_and_isotonic_maps_of_a_confidence_never_fall(seed: int, method: str) -> None:
    """A higher confidence never becomes a lower one."""
    confidence, hit = _confidences(seed, 100)
    found = fit(method, confidence, hit, inputs="confidence").apply(np.linspace(0, 1, 501))

    assert np.diff(found).min() >= 0


@pytest.mark.parametrize("method", OURS)
def test_what_is_fitted_says_what_it_is(method: str) -> None:
    """Method, inputs, classes, rows and NLL stand in the calibrator, and survive a pickle."""
    logits, labels = _draw(9)
    found = fit(method, logits, labels, inputs="logits")
    again = pickle.loads(pickle.dumps(found))

    assert (method, "logits", 4, 300) == (found.method, found.inputs, found.classes, found.n)
    assert found.nll_before == pytest.approx(calibration.nll(_softmax(logits), labels), abs=1e-9)
    assert found.nll_after == pytest.approx(calibration.nll(found.apply(logits), labels), abs=1e-9)
    assert (again.apply(logits) == found.apply(logits)).all()
    assert found.apply(np.zeros((0, 4))).shape == (0, 4)


def test_folds_keep_clusters_whole_and_do_not_depend_on_order() -> None:
    """Every cluster lies in one fold, folds have equally many clusters, and the order of rows changes nothing."""
    names = np.array([f"question {i // 3}" for i in range(60)])
    fold = folds_of(names, folds=5, seed=1)
    order = np.random.default_rng(0).permutation(60)

    assert (folds_of(names[order], folds=5, seed=1) == fold[order]).all()
    assert np.bincount(fold).tolist() == [12] * 5
    assert all(len(set(fold[names == name])) == 1 for name in names)
    assert (folds_of(names, folds=5, seed=2) != fold).any()
    assert (folds_of(np.arange(60) // 3) == folds_of([str(i // 3) for i in range(60)])).all()


@pytest.mark.parametrize("method", OURS)
def test_no_row_is_recalibrated_by_a_fit_that_saw_it(method: str) -> None:
    """Out of fold is what a fit on the other folds gives; the labels of a fold do not move its own rows."""
    logits, labels = _draw(10)
    fold = folds_of(np.arange(300) // 2, folds=3)
    found = cross_fitted(method, logits, labels, fold=fold, inputs="logits")
    poisoned = np.where(fold == 1, (labels + 1) % 4, labels)
    other = cross_fitted(method, logits, poisoned, fold=fold, inputs="logits")
    alone = fit(method, logits[fold != 1], labels[fold != 1], inputs="logits")

    assert (found[fold == 1] == alone.apply(logits[fold == 1])).all()
    assert (found[fold == 1] == other[fold == 1]).all()
    assert (found[fold != 1] != other[fold != 1]).any()


TABLE = [[0.7, 0.3], [0.6, 0.4], [0.2, 0.8]]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("temprature", TABLE, [0, 1, 1]), UsageError, "Did you mean 'temperature'"),
        (("temperature", [[0.7, 0.3], [np.nan, 0.4]], [0, 1]), DataError, r"row 1"),
        (("temperature", [[0.7, 0.3], [3.0, -1.0]], [0, 1]), DataError, r"row 1\. Turn logits into probabilities"),
        (("temperature", [[0.7, 0.3], [0.7, 0.9]], [0, 1]), DataError, r"sum to 1 .* row 1"),
        (("isotonic", TABLE, [0, 2, 1]), DataError, r"from 0 to 1; they are not in row 1"),
        (("isotonic", TABLE, [0, np.nan, 1]), DataError, r"row 1"),
        (("isotonic", TABLE, ["a", "b", "c"]), DataError, r"found .*'a'.* Encode"),
        (("isotonic", TABLE, [0, 1]), DataError, r"3 rows and labels the shape \(2,\)"),
        (("isotonic", [0.2, 0.3], [0, 1]), DataError, r'inputs="confidence"'),
        (("temperature", TABLE, [0, 0, 1]), NotApplicable, "every row is right"),
        (("temperature", TABLE, [1, 1, 0]), NotApplicable, "no higher than chance"),
        (("temperature", [[0.5, 0.5]] * 3, [0, 1, 1]), NotApplicable, "every row is right|no higher than chance"),
        (("vector", TABLE, [0, 0, 0]), NotApplicable, "class 1 has no rows"),
        (("vector", TABLE, [0, 0, 1]), NotApplicable, "without error"),
    ],
)
def test_what_cannot_be_fitted_is_said(arguments: tuple[Any, ...], error: type, message: str) -> None:
    """The message names the rows or the reason, and what to do."""
    with pytest.raises(error, match=message):
        fit(*arguments)


def test_logits_and_confidences_are_checked() -> None:
    """Infinite logits, confidences out of range, outcomes that are not 0 or 1, and options out of range."""
    with pytest.raises(DataError, match=r"NaN or infinite in row 1"):
        fit("temperature", [[0.0, 1.0], [np.inf, 0.0]], [0, 1], inputs="logits")
    with pytest.raises(DataError, match=r"lie in \[0, 1\]; row 1"):
        fit("isotonic", [0.5, 1.5], [0, 1], inputs="confidence")
    with pytest.raises(DataError, match="correct must be 0 or 1"):
        fit("isotonic", [0.5, 0.5], [0, 2], inputs="confidence")
    with pytest.raises(UsageError, match="penalty"):
        fit("vector", TABLE, [0, 1, 1], options=Options(penalty=-1))
    with pytest.raises(DataError, match="fitted on 2 classes; the scores have 3"):
        fit("isotonic", TABLE, [0, 1, 1]).apply([[0.2, 0.3, 0.5]])


def test_separable_rows_have_no_vector_scaling_without_a_penalty() -> None:
    """Rows that a line tells apart are refused however noisy the rest of the scores, and fitted under a penalty."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 1, (200, 3))
    labels = (logits[:, 0] > 0.3).astype(int) * 2
    labels[:40] = 1
    logits[:40, 1] += 50
    with pytest.raises(NotApplicable, match="penalty above 0"):
        fit("vector", logits, labels, inputs="logits")

    assert fit("vector", logits, labels, inputs="logits", options=Options(penalty=0.01)).nll_after < 1


def test_folds_that_leave_nothing_to_fit_are_named() -> None:
    """The error of a fold says which; one fold, and too few clusters, are refused."""
    logits, labels = _draw(11, 40)
    labels[:20] = logits[:20].argmax(axis=1)
    with pytest.raises(NotApplicable, match="Without fold 1: The temperature has no finite optimum on these 20 rows"):
        cross_fitted("temperature", logits, labels, fold=np.repeat([0, 1], 20), inputs="logits")
    with pytest.raises(DataError, match="one value only"):
        cross_fitted("temperature", logits, labels, fold=np.zeros(40), inputs="logits")
    with pytest.raises(DataError, match=r"found 2\. Use fewer folds"):
        folds_of(["a", "b"], folds=3)
    with pytest.raises(DataError, match="fractions or NaN"):
        folds_of([0.5, np.nan, 1, 2], folds=2)
    assert recalibration.METHODS[0] == "temperature"
