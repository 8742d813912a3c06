"""netcal behind its door: right where it goes wrong alone, silent, and refused where it gives no map."""

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.errors import DataError, ModelError, NotApplicable
from workbench.stats import _netcal
from workbench.stats._enir import fit_enir
from workbench.stats.calibration import ece
from workbench.stats.recalibration import Options, cross_check, fit

PACKAGE = Path(__file__).parents[2] / "workbench"


def _confidences(seed: int, n: int = 1000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    confidence = rng.beta(4, 1.2, n)
    return confidence, (rng.random(n) < confidence**1.5).astype(float)


def _table(seed: int, n: int = 600, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (n, classes))
    odds = np.exp(logits)
    return odds / odds.sum(axis=1, keepdims=True), (logits / 2 + rng.gumbel(size=logits.shape)).argmax(axis=1)


def test_netcal_is_imported_in_one_module_and_late() -> None:
    """Only `_netcal.py` names netcal, and only inside functions."""

    def imports(node: ast.AST) -> list[str]:
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        return [*names, getattr(node, "module", None) or ""]

    found = {}
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        at = [node for node in ast.walk(tree) if any(name.split(".")[0] == "netcal" for name in imports(node))]
        if at:
            found[path.name] = not any(node in tree.body for node in at)

    assert found == {"_netcal.py": True}


@pytest.mark.data
def test_netcal_returns_float32_unchanged_and_we_do_not(benchmark_data: Path) -> None:
    """On a real model's float32 output netcal's T is 1.0 (its start), ours the reference value."""
    with np.load(benchmark_data / "calibration_reference" / "netcal_cifar10_wrn16-4.npz") as arrays:
        table, labels = arrays["predictions"], arrays["ground_truth"]
    with _netcal._silence():
        from netcal.scaling import TemperatureScaling

        theirs = TemperatureScaling().fit(table, labels)._sites["weights"]["values"][0]
    ours = fit("temperature", table, labels)
    logits = fit("temperature", np.log(np.clip(table, 1e-12, 1)), labels, inputs="logits")

    assert np.float32 == table.dtype
    assert float(theirs) == 1.0
    assert ours.parameters["temperature"] == pytest.approx(2.051702531513492, rel=1e-6)
    assert logits.parameters["temperature"] == pytest.approx(2.051702531513492, rel=1e-5)


@pytest.mark.data
@pytest.mark.parametrize("method", ["beta", "bbq", "enir"])
def test_maps_of_a_real_model_with_certain_rows(benchmark_data: Path, method: str) -> None:
    """CIFAR-10 with a quarter of its confidences at 1.0: fitted on one half, the ECE of the other falls from 0.05 to 0.02."""
    with np.load(benchmark_data / "calibration_reference" / "netcal_cifar10_wrn16-4.npz") as arrays:
        table, labels = arrays["predictions"], arrays["ground_truth"]
    confidence, hit = table.max(axis=1).astype(np.float64), table.argmax(axis=1) == labels
    found = fit(method, confidence[:5000], hit[:5000], inputs="confidence").apply(confidence[5000:])

    assert ece(confidence[5000:], hit[5000:]) > 0.05
    assert ece(found, hit[5000:]) < 0.02


def test_temperature_is_netcals_in_float64() -> None:
    """Where netcal works, it finds the same T to its own tolerance."""
    table, labels = _table(0, 2000)
    with _netcal._silence():
        from netcal.scaling import TemperatureScaling

        theirs = 1 / TemperatureScaling().fit(table, labels)._sites["weights"]["values"][0]

    assert fit("temperature", table, labels).parameters["temperature"] == pytest.approx(theirs, rel=1e-4)


def test_beta_works_on_float32_where_netcal_alone_does_nothing() -> None:
    """The adapter casts: float32 confidences give the map of float64; netcal by itself returns its input."""
    confidence, hit = _confidences(0)
    small = confidence.astype(np.float32)
    with _netcal._silence():
        from netcal.scaling import BetaCalibration

        alone = BetaCalibration(method="mle").fit(small, hit.astype(int)).transform(small)
    ours = fit("beta", small, hit, inputs="confidence").apply(small)
    double = fit("beta", small.astype(np.float64), hit, inputs="confidence").apply(small)
    direct = _netcal.fit_binary("beta", small, hit)

    assert np.abs(alone - small).max() < 1e-6
    assert np.abs(ours - small).max() > 0.05
    assert (ours == double).all()
    assert direct(small.astype(np.float64)) == pytest.approx(ours, abs=1e-12)


@pytest.mark.parametrize("method", ["beta", "bbq"])
def test_certain_confidences_are_clipped(method: Any) -> None:
    """Confidences of exactly 0 and 1, right and wrong, give finite maps."""
    confidence, hit = _confidences(6)
    confidence[:40] = np.repeat([0.0, 1.0], 20)
    hit[:40] = np.tile([0.0, 1.0], 20)
    found = fit(method, confidence, hit, inputs="confidence")

    assert np.isfinite(found.apply([0.0, 0.5, 1.0])).all()
    assert found.nll_after < found.nll_before


def test_beta_is_netcals_map_and_the_least_nll() -> None:
    """Our formula with netcal's weights is netcal's output, and no search finds a lower NLL."""
    from scipy.optimize import minimize

    confidence, hit = _confidences(1)
    found = fit("beta", confidence, hit, inputs="confidence")
    with _netcal._silence():
        from netcal.scaling import BetaCalibration

        theirs = BetaCalibration(method="mle").fit(confidence, hit.astype(int)).transform(confidence)

    def loss(w: np.ndarray) -> float:
        logit = w[0] * np.log(confidence) - w[1] * np.log1p(-confidence) + w[2]
        return float((np.logaddexp(0, logit) - hit * logit).mean())

    assert found.apply(confidence) == pytest.approx(theirs, abs=1e-9)
    assert found.nll_after == pytest.approx(minimize(loss, [1.0, 1.0, 0.0]).fun, abs=1e-7)
    assert {"a", "b", "d"} == set(found.parameters)


def test_bbq_is_netcals_map() -> None:
    """The output is netcal's, and its weights sum to 1."""
    confidence, hit = _confidences(2)
    found = fit("bbq", confidence, hit, inputs="confidence")
    with _netcal._silence():
        from netcal.binning import BBQ

        theirs = BBQ().fit(confidence, hit.astype(int)).transform(confidence)

    assert found.apply(confidence) == pytest.approx(theirs, abs=1e-12)
    assert found.parameters["weights"].sum() == pytest.approx(1)
    assert found.nll_after < found.nll_before


def test_histogram_is_netcals() -> None:
    """Ours and netcal's histogram binning agree in bins of equal width, all of them filled."""
    rng = np.random.default_rng(3)
    confidence = rng.random(3000)
    hit = (rng.random(3000) < confidence**1.5).astype(float)
    with _netcal._silence():
        from netcal.binning import HistogramBinning

        theirs = HistogramBinning(bins=15).fit(confidence, hit.astype(int)).transform(confidence)

    ours = fit("histogram", confidence, hit, inputs="confidence", options=Options(bins=15))
    assert ours.apply(confidence) == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("method", ["beta", "bbq"])
@pytest.mark.parametrize("mode", ["one-vs-rest", "top"])
def test_many_classes_go_one_at_a_time(method: str, mode: Any) -> None:
    """Rows sum to 1 and the NLL falls, also on a slice whose labels are two of three classes, where netcal guesses."""
    table, labels = _table(4)
    found = fit(method, table.astype(np.float32), labels, options=Options(mode=mode))

    assert found.apply(table).sum(axis=1) == pytest.approx(1)
    assert found.nll_after < found.nll_before
    some = labels < 2
    if mode == "top":
        assert fit(method, table[some], labels[some], options=Options(mode=mode)).n == some.sum()
    else:
        with pytest.raises(NotApplicable, match=r"all \d+ have the outcome 0.*mode='top'"):
            fit(method, table[some], labels[some], options=Options(mode=mode))


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    """No progress bars, no prints; and warnings are errors in these tests."""
    confidence, hit = _confidences(5, 300)
    for method in ("beta", "bbq", "enir"):
        fit(method, confidence, hit, inputs="confidence").apply(confidence)
    cross_check(confidence, hit)

    assert tuple(capfd.readouterr()) == ("", "")


def test_netcals_enir_drops_rows_and_ours_does_not() -> None:
    """In its own fit netcal 1.4 maps right rows to 0 (a hole between groups); ours lowers the NLL on the same rows."""
    confidence, hit = _confidences(0, 500)
    with _netcal._silence():
        from netcal.binning import ENIR

        theirs = ENIR().fit(confidence, hit.astype(int)).transform(confidence)
    ours = fit_enir(confidence, hit)(confidence)

    assert ((theirs == 0) & (hit == 1)).any()
    assert not ((ours == 0) & (hit == 1)).any()


def test_separable_rows_and_one_outcome_are_refused() -> None:
    """No finite optimum, or nothing to tell apart: an outcome with its reason, not a number."""
    with pytest.raises(NotApplicable, match=r"higher confidence than every wrong one \(4 rows, separable\)"):
        fit("beta", [0.2, 0.3, 0.7, 0.8], [0, 0, 1, 1], inputs="confidence")
    for method in ("beta", "bbq"):
        with pytest.raises(NotApplicable, match="all 3 have the outcome 1"):
            fit(method, [0.2, 0.3, 0.7], [1, 1, 1], inputs="confidence")
    assert fit("enir", [0.2, 0.3, 0.7], [0, 0, 1], inputs="confidence").nll_after == 0


def test_a_fit_that_returns_its_input_is_an_error() -> None:
    """Confidences that equal their hit rates leave beta at its start, which cannot be told from netcal's silent identity."""
    confidence = np.repeat([0.25, 0.5, 0.75], 4)
    hit = np.array([1, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 0])

    with pytest.raises(ModelError, match=r"returned its input .* nothing was fitted, or the confidences match"):
        fit("beta", confidence, hit, inputs="confidence")


def test_a_fit_that_raises_the_nll_is_an_error() -> None:
    """BBQ's few bins lose what 60 calibrated rows of extreme confidence know."""
    rng = np.random.default_rng(7)
    confidence = rng.beta(0.3, 0.3, 60)
    hit = (rng.random(60) < confidence).astype(int)
    with pytest.raises(ModelError, match="bbq raised the NLL of the 60 rows"):
        fit("bbq", confidence, hit, inputs="confidence")


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("bins", [5, 15, np.int64(10)])
def test_cross_check_agrees_off_the_edges(seed: int, bins: int) -> None:
    """ECE, ACE and MCE are netcal's to 1e-12, numpy's integers for bins included."""
    found = cross_check(*_confidences(seed), bins)

    assert set(found) == {"ece", "ace", "mce"}
    assert max(one.difference for one in found.values()) < 1e-12
    assert {one.reason for one in found.values()} == {""}


def test_cross_check_says_that_edges_differ() -> None:
    """Stated confidences of 0.3 and 0.6 fall one bin lower in netcal; the reason counts them."""
    found = cross_check([0.3, 0.25, 0.6, 0.62, 0.9], [1, 0, 0, 1, 1], 10)

    assert found["ece"].difference > 1e-3
    assert "lie on an edge" in found["ece"].reason
    assert found["ece"].reason.startswith("3 ")


@pytest.mark.parametrize("hit", [1, 0])
def test_cross_check_takes_slices_with_one_outcome(hit: int) -> None:
    """Where every row is right, or wrong, both values stand; ones and zeros included."""
    found = cross_check([0.0, 0.4, 1.0], [hit] * 3, 15)

    assert found["ece"].difference < 1e-12 or found["ece"].reason != ""
    assert np.isfinite(found["ece"].workbench)


def test_cross_check_reports_what_netcal_raises() -> None:
    """A failure inside netcal is NaN with its message; here, a number of bins that netcal refuses."""
    found = _netcal.measure(np.array([0.2, 0.8]), np.array([0.0, 1.0]), -1)

    assert np.isnan([found.ece, found.ace, found.mce]).all()
    assert found.reason.startswith("netcal raised ")
    with pytest.raises(DataError, match="NaN in row 1"):
        cross_check([0.5, np.nan], [1, 0])
