"""The tables of the calibration probe that fit something."""

import numpy as np
import pandas as pd
import pytest

import workbench as wb


@pytest.fixture(scope="module")
def report() -> wb.Report:
    """Return predictions whose logits are twice too large."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(900, 4))
    p = np.exp(logits)
    p /= p.sum(axis=1, keepdims=True)
    label = (p.cumsum(axis=1) > rng.random((900, 1))).argmax(axis=1)
    return wb.from_predictions(pd.DataFrame({"logits": list(2 * logits), "label": label}))


def line(table: pd.DataFrame, method: str, metric: str) -> pd.Series:
    """Return one line of the table."""
    return table.query("method == @method and metric == @metric").iloc[0]


def test_temperature_mends_logits_that_are_too_large(report: wb.Report) -> None:
    """The NLL falls, with an interval below 0; ECE falls into reach of chance."""
    table = report.with_options(recalibrate="temperature").tables["recalibration"]
    loss = line(table, "temperature", "nll")

    assert loss["before"] == pytest.approx(report.rows["nll"].mean())
    assert loss["high"] < 0
    assert loss["difference"] == pytest.approx(loss["after"] - loss["before"])
    assert line(table, "temperature", "ece")["after"] < line(table, "temperature", "ece")["before"] / 2


def test_before_is_the_reports_own_number_under_each_scheme(report: wb.Report) -> None:
    """The table bins as the report does."""
    other = report.with_options(recalibrate="isotonic", scheme="mass")
    own = other.metrics.query("metric == 'ece' and group == 'all'")["value"].item()

    assert line(other.tables["recalibration"], "isotonic", "ece")["before"] == pytest.approx(own)


def test_no_interval_means_no_difference(report: wb.Report) -> None:
    """ECE and smooth ECE are shown before and after, without a bare difference."""
    table = report.with_options(recalibrate="histogram").tables["recalibration"]

    assert table[table["metric"].isin(["ece", "smooth_ece"])]["difference"].isna().all()
    assert "after" in line(table, "histogram", "smooth_ece")["interval"]


def test_a_method_that_cannot_be_used_says_why() -> None:
    """Predictions without logits have no temperature of the answers to fit: one line, with the reason."""
    frame = pd.DataFrame({"confidence": [0.9, 0.8, 0.7, 0.6] * 10, "correct": [1, 1, 0, 1] * 10})
    table = wb.from_predictions(frame).with_options(recalibrate="vector").tables["recalibration"]

    assert table["metric"].tolist() == ["not applicable"]
    assert "logits" in table["interval"].item()


def test_sets_reach_their_coverage(report: wb.Report) -> None:
    """Conformal sets fitted on one half hold the label of the other half as often as theory says."""
    table = report.with_options(conformal=["lac", "aps", "raps"], alpha=0.1).tables["conformal"]

    assert table["score"].tolist() == ["lac", "aps", "raps"]
    assert ((table["expected_low"] <= table["coverage"]) & (table["coverage"] <= table["expected_high"])).all()


def test_clustered_rows_are_promised_no_range() -> None:
    """Where rows belong together the range of theory does not hold, and none is shown."""
    frame = pd.DataFrame({"probabilities": [[0.7, 0.3], [0.4, 0.6]] * 30, "label": [0, 1] * 30})
    frame["cluster"] = [f"c{i // 4}" for i in range(60)]
    table = wb.from_predictions(frame).with_options(conformal="lac").tables["conformal"]

    assert table["expected_low"].isna().all()


def test_the_cross_check_shows_both_values(report: wb.Report) -> None:
    """Ours and netcal's ECE agree to rounding."""
    table = report.with_options(cross_check=True).tables["netcal"]

    assert table["difference"].abs().max() < 1e-9
