"""Values of real models and published vectors, from the benchmark data."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.stats import _cumulative, binning, calibration, ranking, smooth
from workbench.stats._binned import error_of

pytestmark = pytest.mark.data

SETS = (
    "netcal_cifar10_lenet5.npz",
    "netcal_cifar10_wrn16-4.npz",
    "netcal_cifar100_wideresnet-16-4.npz",
    "netcal_cifar100_lenet-5_rows.npz",
    "verified_calibration_cifar10_vgg16.npz",
)


def _read(folder: Path, name: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    values = json.loads((folder / "calibration_reference" / "refvals.json").read_text(encoding="utf-8"))
    with np.load(folder / "calibration_reference" / name) as arrays:
        return dict(arrays), values["sets"].get(name) or values["small_sets"][name]


def _pairs(arrays: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    if "predictions" in arrays:
        found = calibration.top_label(arrays["predictions"], arrays["ground_truth"])
        return found.confidence, found.correct
    hit = arrays["predicted"] == arrays["ground_truth"]
    return arrays["confidence"].astype(np.float64), hit.astype(np.float64)


@pytest.mark.parametrize("name", SETS)
def test_top_label_values(benchmark_data: Path, name: str) -> None:
    """Every stored value of the top-label rows, to 1e-12 where one definition is meant."""
    arrays, expected = _read(benchmark_data, name)
    rows = _pairs(arrays)
    confidence, correct = rows
    found = {
        "accuracy": correct.mean(),
        "mean_confidence": confidence.mean(),
        "fraction_confidence_exactly_1": (confidence == 1).mean(),
        "ece10_netcal": calibration.ece(*rows, 10),
        "ece10_left_closed": calibration.ece(*rows, 10),
        "ece15_netcal": calibration.ece(*rows),
        "ece15_left_closed": calibration.ece(*rows),
        "ece15_verified_calibration": calibration.ece(*rows),
        "ece10_unweighted": calibration.ece_unweighted(*rows, 10),
        "ece15_unweighted": calibration.ece_unweighted(*rows),
        "mce10": calibration.mce(*rows, 10),
        "mce15": calibration.mce(*rows),
        "ece15_equal_mass_midpoint": calibration.ece(*rows, scheme="mass"),
        "l2_debiased_top": calibration.debiased_l2(*rows, scheme="mass"),
        "smece_relplot": smooth.smooth_ece(*rows),
        "smece_gridded": smooth.smooth_ece(*rows),
        "aurc_ties_averaged": ranking.aurc(*rows).value,
        "auroc": ranking.auroc(*rows).value,
        "e_aurc": ranking.e_aurc(*rows).value
        + expected["aurc"]
        - expected["aurc_ties_averaged"],  # stored in file order
    }
    assert {key: expected[key] for key in found} == pytest.approx(found, abs=1e-12)
    for key in (
        "ece10_right_closed_float32",
        "ece15_right_closed_float32",
    ):  # summed in float32, bins closed on the right
        assert expected[key] == pytest.approx(found[key[:5] + "_left_closed"], abs=1.5e-7)


@pytest.mark.parametrize("name", SETS)
def test_probability_values(benchmark_data: Path, name: str) -> None:
    """NLL, Brier and the marginal error; of the file without columns what its rows allow."""
    arrays, expected = _read(benchmark_data, name)
    if "predictions" in arrays:
        table, labels = arrays["predictions"], arrays["ground_truth"]
        assert expected["nll"] == pytest.approx(calibration.nll(table, labels), abs=1e-12)
        assert expected["brier_sum"] == pytest.approx(calibration.brier(table, labels), abs=1e-12)
        assert expected["l2_debiased_marginal"] == pytest.approx(calibration.classwise_l2(table, labels), abs=1e-12)
    else:
        chosen = arrays["p_true"].astype(np.float64)
        assert expected["nll"] == pytest.approx(-np.log(np.maximum(chosen, 1e-12)).mean(), abs=1e-12)
        assert expected["brier_sum"] == pytest.approx((arrays["sum_squares"] - 2 * chosen + 1).mean(), abs=1e-9)


def test_small_sets(benchmark_data: Path) -> None:
    """Digits, breast cancer (top label and event) and relplot's figure."""
    arrays, expected = _read(benchmark_data, "sklearn_digits_gaussiannb.npz")
    rows = _pairs(arrays)
    assert expected["ece15"] == pytest.approx(calibration.ece(*rows), abs=1e-12)
    assert expected["ece10"] == pytest.approx(calibration.ece(*rows, 10), abs=1e-12)

    arrays, expected = _read(benchmark_data, "sklearn_breastcancer_gaussiannb.npz")
    assert expected["ece15_top"] == pytest.approx(calibration.ece(*_pairs(arrays)), abs=1e-12)
    event = calibration.ece(arrays["predictions"][:, 1], arrays["ground_truth"])
    assert expected["ece15_event"] == pytest.approx(event, abs=1e-12)

    arrays, expected = _read(benchmark_data, "relplot_figure1_f_y.npz")
    found = smooth.smooth_ece(arrays["f"], arrays["y"])
    assert expected["smece"] == pytest.approx(found, abs=1e-12)
    assert expected["smece_printed_in_source_notebook"] == pytest.approx(found, abs=expected["tolerance_to_printed"])


def test_published_docstrings(benchmark_data: Path) -> None:
    """scikit-learn's docstrings of calibration_curve and brier_score_loss."""
    path = benchmark_data / "calibration_reference" / "refvals.json"
    published = json.loads(path.read_text(encoding="utf-8"))["published"]
    curve = published["scikit-learn calibration_curve docstring"]
    table = calibration.bin_table(curve["probs"], curve["labels"], bins=curve["bins"])
    score = published["scikit-learn brier_score_loss docstring"]

    assert curve["fraction_of_positives"] == pytest.approx(table.accuracy.tolist(), abs=1e-12)
    assert curve["mean_predicted"] == pytest.approx(table.confidence.tolist(), abs=1e-12)
    assert score["brier"] == pytest.approx(calibration.brier_event(score["probs"], score["labels"]), abs=1e-12)


def _discrete(probs: np.ndarray, labels: np.ndarray, order: float) -> float:
    """Return the plug-in error with one bin per distinct value, through our equal-mass bins of one tied group each."""
    sums = binning.cells(probs, labels, 1000, scheme="mass")
    return float((sums.n / sums.rows @ np.abs(sums.gap) ** order) ** (1 / order))


def _published(metric: str, inputs: dict[str, Any]) -> Any:
    """Return our value of a published vector."""
    probs, labels = np.array(inputs["probs"]), np.array(inputs["labels"])
    bins = inputs.get("bins", 15)
    if metric in ("ece_toplabel", "ce_toplabel_l1", "ce_toplabel_l2", "ce_toplabel_max"):
        norm = {"l2": 2, "max": "max"}.get(metric.split("_")[-1], 1)
        confidence, correct, _ = calibration.top_label(probs, labels)
        return calibration.ece(confidence, correct, bins, norm=norm)  # type: ignore[arg-type]
    if metric == "ece_toplabel_binary_conf":
        return calibration.ece(np.maximum(probs, 1 - probs), (probs > 0.5) == labels, bins)
    if metric in ("ece_event", "ce_event_l1", "ce_event_l2", "ce_event_max"):
        norm = {"l2": 2, "max": "max"}.get(metric.split("_")[-1], 1)
        return calibration.ece(probs, labels, bins, norm=norm)  # type: ignore[arg-type]
    if metric == "ece_equal_mass":
        return calibration.ece(probs, labels, bins, scheme="mass")
    if metric == "ce_discrete_event_plugin":
        return _discrete(probs, labels, inputs["order"])
    if metric == "selective_area_and_acc10":  # one less the area, and the curve, of risk against coverage
        curve = ranking.risk_coverage(probs, labels)
        return [1 - ranking.aurc(probs, labels).value, 1 - curve.risk[int(0.1 * len(probs))]]
    if metric == "ks_stat":
        return calibration.ks(probs, labels).statistic
    if metric == "spiegelhalter_z":
        return calibration.spiegelhalter(probs, labels).statistic
    if metric == "spiegelhalter_p":  # the source's is one-sided
        return 0.5 * math.erfc(calibration.spiegelhalter(probs, labels).statistic / math.sqrt(2))
    if metric == "aurc_torch_uncertainty":  # trapezoids over k/n, divided by 1 - 1/n
        confidence, correct, _ = calibration.top_label(probs, labels)
        curve, n = ranking.risk_coverage(confidence, correct), len(labels)
        return np.trapezoid(curve.risk, curve.coverage) / (1 - 1 / n)
    raise AssertionError(f"no test for {metric}")


def test_published_vectors(benchmark_data: Path) -> None:
    """All 34 vectors; for the two that rest on another definition, the value under ours that the note states."""
    path = benchmark_data / "calibration_reference" / "vectors.json"
    vectors = json.loads(path.read_text(encoding="utf-8"))["vectors"]
    assert len(vectors) == 34
    for vector in vectors:
        name, inputs = vector["name"], vector["inputs"]
        if name == "mapie_kuiper":  # the source leaves the start of the walk out
            found = calibration.kuiper(inputs["probs"], inputs["labels"]).statistic
            assert found == pytest.approx(0.9780354970271317, abs=1e-12)
        elif name == "mapie_ks_p":  # the source breaks a tie at random; its p-value is that of the statistic it reached
            found = calibration.ks(inputs["probs"], inputs["labels"])
            assert (found.statistic, found.p_value) == pytest.approx(
                (0.3698001308168194, 0.9998462020450201), abs=1e-12
            )
            assert _cumulative.ks_p(0.8320502943378436) == pytest.approx(vector["expected"], abs=vector["tolerance"])
        else:
            found = _published(vector["metric"], inputs)
            assert vector["expected"] == pytest.approx(found, abs=vector["tolerance"]), name


def test_ties_at_one_do_not_break_equal_mass(benchmark_data: Path) -> None:
    """A quarter of these confidences is exactly 1.0: netcal raises, here they are one bin."""
    arrays, _ = _read(benchmark_data, "netcal_cifar10_wrn16-4.npz")
    sums = binning.cells(*_pairs(arrays), 15, scheme="mass")

    assert sums.n[-1] >= 2469
    assert error_of(sums.gap * sums.n, sums.n) == pytest.approx(0.053716295421123494, abs=1e-12)
