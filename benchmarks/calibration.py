"""Calibration statistics against netcal, torchmetrics and relplot, the numbers checked for equality first."""

import statistics
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import peers
from timing import Ratio, cpu, interleaved

from workbench.stats import calibration, recalibration, smooth

PEERS = ("torchmetrics==1.9.0", "relplot==1.0.3")
GROUPS = 200
PEER_TOLERANCE = 1e-12


def line(what: str, ratio: Ratio, note: str) -> dict[str, str]:
    """Return one line of the table."""
    return {
        "what": what,
        "ratio, least": f"{ratio.least:.1f}x",
        "ratio, median": f"{ratio.median:.1f}x",
        "ours, ms": f"{ratio.ours_ms:.2f}",
        "peer, ms": f"{ratio.peer_ms:.1f}",
        "checked": note,
    }


def rows() -> list[dict[str, str]]:
    """Return the table: single ECE, ECE with its bins and interval, slices, temperature."""
    from netcal.metrics import ECE

    rng = np.random.default_rng(0)
    n = 100_000
    confidence = rng.beta(4, 1.2, n)
    correct = (rng.random(n) < confidence**1.3).astype(np.int64)
    peer = ECE(15)
    equal = abs(calibration.ece(confidence, correct) - peer.measure(confidence, correct))
    assert equal < 1e-12, equal
    table = [
        line(
            "one ECE, n = 1e5, netcal",
            interleaved(lambda: calibration.ece(confidence, correct), lambda: peer.measure(confidence, correct)),
            f"difference {equal:.0e}",
        )
    ]

    def bootstrap() -> None:
        draws = np.random.default_rng(1)
        for _ in range(10):
            pick = draws.integers(0, n, n)
            peer.measure(confidence[pick], correct[pick])

    def ours() -> None:
        calibration.ece(confidence, correct)
        calibration.bin_table(confidence, correct)
        calibration.null_band(confidence, correct)

    table.append(
        line(
            "ECE, bins and null band of 1,000 draws, n = 1e5, a netcal bootstrap loop (10 draws timed, scaled to 1,000)",
            interleaved(ours, bootstrap, repeats=3, scale=100),
            "same ECE",
        )
    )
    groups = rng.integers(0, GROUPS, n)

    def loop() -> dict[str, Any]:
        return {name: peer.measure(confidence[groups == name], correct[groups == name]) for name in np.unique(groups)}

    mine, theirs = calibration.ece_by(groups, confidence, correct), loop()
    worst = max(abs(mine[str(name)] - theirs[name]) for name in theirs)
    assert worst < 1e-12, worst
    table.append(
        line(
            f"ECE of {GROUPS} slices, n = 1e5, a netcal loop",
            interleaved(lambda: calibration.ece_by(groups, confidence, correct), loop),
            f"largest difference {worst:.0e}",
        )
    )
    table += temperature(rng)
    return table + elsewhere(confidence, correct)


def temperature(rng: np.random.Generator) -> list[dict[str, str]]:
    """Return the temperature fit against netcal's on float64, and what netcal makes of float32."""
    from netcal.scaling import TemperatureScaling

    logits = rng.normal(size=(10_000, 10)) * 3
    p = np.exp(logits / 1.5)
    labels = (p / p.sum(1, keepdims=True)).cumsum(1).__gt__(rng.random((10_000, 1))).argmax(1)
    q = np.exp(logits)
    q /= q.sum(1, keepdims=True)

    def theirs(dtype: type = np.float64) -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return float(1 / TemperatureScaling().fit(q.astype(dtype), labels)._sites["weights"]["values"][0])

    def ours() -> float:
        return float(recalibration.fit("temperature", logits, labels, inputs="logits").parameters["temperature"])

    gap = abs(ours() - theirs()) / ours()
    assert gap < 1e-3, (ours(), theirs())
    note = f"T {ours():.4f}, netcal {theirs():.4f}; netcal on float32 gives {theirs(np.float32):.4f}"
    return [line("temperature fit, n = 1e4, K = 10, netcal on float64", interleaved(ours, theirs), note)]


def elsewhere(confidence: np.ndarray, correct: np.ndarray) -> list[dict[str, str]]:
    """Return ECE against torchmetrics and smooth ECE against relplot, which run in an environment of their own."""
    interpreter = peers.python("calibration-peers", *PEERS, beside=True)
    few = slice(0, 10_000)
    ours = {
        "ece": lambda: calibration.ece(confidence, correct),
        "smooth": lambda: smooth.smooth_ece(confidence[few], correct[few]),
    }
    titles = {"ece": "one ECE, n = 1e5, torchmetrics", "smooth": "smooth ECE, n = 1e4, relplot"}
    table = []
    with tempfile.TemporaryDirectory() as folder:
        peer = peers.Peer(interpreter, "peer_calibration.py")
        for name, mine in ours.items():
            files = [str(Path(folder) / f"{name}{i}.npy") for i in range(2)]
            for path, values in zip(files, (confidence, correct), strict=True):
                np.save(path, values if name == "ece" else values[few])
            gap = abs(mine() - peer.ask([name, *files, 1])["value"])  # warm, too
            assert gap < PEER_TOLERANCE, (name, gap)
            pairs = [(cpu(mine, 20), peer.ask([name, *files, 5])["seconds"]) for _ in range(5)]
            ratios = [theirs / own for own, theirs in pairs]
            best = [1e3 * min(column) for column in zip(*pairs, strict=True)]
            table.append(
                line(titles[name], Ratio(min(ratios), statistics.median(ratios), *best), f"difference {gap:.0e}")
            )
        peer.close()
    return table
