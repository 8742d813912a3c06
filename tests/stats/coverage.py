"""How often intervals hold the truth, on synthetic rows whose truth is known.

`truths` integrates the population on a fine grid of quantiles; `coverages` draws data sets, and counts.
`python tests/stats/coverage.py` prints the table (`coverage_table`).
"""

import os
import sys
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from workbench.stats import smooth
from workbench.stats.calibration import bin_table
from workbench.stats.ranking import risk_coverage
from workbench.stats.summary import Extras, Settings, summary

GRID = 100_000  # every truth is that of ten times as many quantiles to 1e-6
NULL = ("ece", "ece_mass", "ece_unweighted", "mce", "ks", "kuiper", "spiegelhalter", "classwise_ece")
CONSERVATIVE = ("smooth_ece", "l2_debiased", "brier_reliability", "brier_resolution")


@dataclass(frozen=True)
class World:
    """Confidences from beta(a, b); a row is right with probability confidence ** power; clusters share confidence and luck."""

    name: str
    a: float = 4.0
    b: float = 1.2
    power: float = 1.0
    cluster: int = 1  # rows per cluster, on average
    copied: float = 0.5  # share of rows of a cluster that repeat its first row, where there are clusters

    def draw(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Return confidence, hit and cluster ids (None where rows are independent)."""
        stated = rng.beta(self.a, self.b, n)
        hit = (rng.random(n) < stated**self.power).astype(float)
        if self.cluster == 1:
            return stated, hit, None
        ids = np.sort(rng.integers(0, n // self.cluster, n))
        first = np.searchsorted(ids, ids)
        same = rng.random(n) < self.copied
        return np.where(same, stated[first], stated), np.where(same, hit[first], hit), ids


WORLDS = (
    World("calibrated"),
    World("over-confident, hit rate c^1.3", power=1.3),
    World("over-confident, clusters of 5", power=1.3, cluster=5),
    World("calibrated, 5 % errors", a=20.0, b=1.0),
)


@lru_cache
def truths(world: World, bins: int = 15) -> dict[str, float]:
    """Return the value of every metric in the population."""
    from scipy.special import betaincinv

    quantiles = (np.arange(GRID) + 0.5) / GRID
    c = betaincinv(world.a, world.b, quantiles)
    p = c**world.power
    place = np.minimum((c * bins).astype(int), bins - 1)
    n = np.bincount(place, minlength=bins)
    full = n > 0
    stated, right = (np.bincount(place, weights=w, minlength=bins)[full] / n[full] for w in (c, p))
    share, base = n[full] / GRID, float(p.mean())
    risk = 1 - base
    brier = float((p * (1 - c) ** 2 + (1 - p) * c**2).mean())
    reliability, resolution = float(share @ (right - stated) ** 2), float(share @ (right - base) ** 2)
    above = (np.cumsum(p[::-1])[::-1] - p / 2) / GRID  # hits that score higher
    area = float(((1 - p) * -np.log(1 - quantiles)).mean())
    return {
        "accuracy": base,
        "mean_confidence": float(c.mean()),
        "confidence_gap": float(c.mean()) - base,
        "l2_debiased": float(np.sqrt(reliability)),
        "smooth_ece": smooth.fit(c, p).value if world.power != 1 else 0.0,
        "brier_event": brier,
        "brier_reliability": reliability,
        "brier_resolution": resolution,
        "brier_uncertainty": base * risk,
        "brier_within": brier - reliability + resolution - base * risk,
        "auroc": float(((1 - p) * above).mean() / (base * risk)),
        "aurc": area,
        "e_aurc": area - (risk + (1 - risk) * np.log(1 - risk)),
        "brier": 2 * brier,
        "nll": float(-(p * np.log(c) + (1 - p) * np.log1p(-c)).mean()),
    }


def _curves(world: World, c: np.ndarray, hit: np.ndarray, ids: np.ndarray | None) -> dict[str, float]:
    """Return the share of bins, and of points of the risk-coverage curve, whose interval holds the truth."""
    from scipy.special import betainc, betaln

    table = bin_table(c, hit, draws=100)
    curve = risk_coverage(c, hit, clusters=ids, points=10)

    def hits_below(x: np.ndarray) -> np.ndarray:
        scale = np.exp(betaln(world.a + world.power, world.b) - betaln(world.a, world.b))
        return scale * betainc(world.a + world.power, world.b, x)

    mass = betainc(world.a, world.b, table.upper) - betainc(world.a, world.b, table.lower)
    rate = (hits_below(table.upper) - hits_below(table.lower)) / mass
    risk = 1 - (hits_below(np.ones(1)) - hits_below(curve.threshold)) / (1 - betainc(world.a, world.b, curve.threshold))
    inside = (table.low <= rate) & (rate <= table.high)
    under = (curve.low <= risk) & (risk <= curve.high)
    return {"bins (Wilson)": float(inside.mean()), "risk_coverage": float(under.mean())}


def coverages(world: World, n: int, sets: int, *, draws: int = 500, seed: int = 0) -> dict[str, float]:
    """Return per metric the share of data sets whose interval holds the truth (null bands, if calibrated: the value)."""
    truth = truths(world)
    found: dict[str, list[float]] = {}
    for number in range(sets):
        c, hit, ids = world.draw(n, np.random.default_rng([seed, zlib.crc32(world.name.encode()), n, number]))
        clipped = np.clip(np.where(hit > 0, c, 1 - c), 1e-300, 1)
        table = np.column_stack([c, 1 - c])
        extras = Extras(-np.log(clipped), 2 * (c - hit) ** 2, table, 1 - hit, ids)
        results = summary(c, hit, extras=extras, settings=Settings(draws=draws, seed=number))
        for name, interval in results.items():
            if name in truth and np.isfinite(interval.low):
                found.setdefault(name, []).append(interval.low <= truth[name] <= interval.high)
            elif name in NULL and world.power == 1 and np.isfinite(interval.high):
                found.setdefault(f"{name} (null band)", []).append(interval.low <= interval.value <= interval.high)
        curves = _curves(world, c, hit, ids)
        if ids is not None:
            del curves["bins (Wilson)"]  # the bars of a bin table take rows as independent
        for name, share in curves.items():
            found.setdefault(name, []).append(share)
    return {name: float(np.mean(values)) for name, values in found.items()}


def coverage_table(sets: int = 1000, sizes: tuple[int, ...] = (100, 1000, 10_000)) -> "Any":
    """Return coverages of nominal 95 % intervals as a data frame: one line per metric, one column per world and n."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    import pandas as pd

    cells = [(world, n) for world in WORLDS for n in sizes if world.b > 1 or n <= 1000]
    cells.sort(key=lambda cell: -cell[1])  # the longest first
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        found = dict(zip(cells, pool.map(_cell, [(*cell, sets) for cell in cells]), strict=True))
    columns = {(w.name, n): found[w, n] for w in WORLDS for n in sizes if (w, n) in found}
    return pd.DataFrame(columns)


def _cell(task: tuple[World, int, int]) -> dict[str, float]:
    world, n, sets = task
    return coverages(world, n, sets)


def kept() -> Path:
    """Return where the slow test leaves its table for `benchmarks/acceptance.py`."""
    return Path(__file__).parents[2] / "artifacts" / "coverage.csv"


if __name__ == "__main__":
    sets = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print(coverage_table(sets).round(3).to_string())
