"""The smooth ECE of checked numbers: what `workbench.stats.smooth` and `summary` share."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from workbench.stats._checks import Floats, Ints
from workbench.stats._draws import EXACT_CLUSTERS
from workbench.stats._intervals import Interval, proportion_of, undefined, widening

__all__ = ["BISECTIONS", "CELLS", "FINEST_MODE", "LEAST_WIDTH", "MESH", "MOST_MODES", "Fit", "fit", "interval_of"]

LEAST_WIDTH = 0.001
BISECTIONS = 10
MESH = 200
FINEST_MODE = 1e-6  # cosine modes that the kernel damps below this are left out of the interval
MOST_MODES = 600
CELLS = 1000  # rows this close share a cosine in the interval, not in the value


@dataclass(frozen=True)
class Fit:
    """The smooth ECE and the width at which it was found."""

    value: float
    width: float


class _Grid:
    """Residuals and rows spread over grids, one per resolution, and their smoothed mean."""

    def __init__(self, confidence: Floats, correct: Floats) -> None:
        self.confidence = confidence
        self.residual = confidence - correct
        self.spectra: dict[int, tuple[Floats, int]] = {}

    def spectrum(self, points: int) -> "tuple[np.ndarray[tuple[int], np.dtype[np.complex128]], int]":
        """Return the Fourier transform of the reflected residuals (real part) and rows (imaginary part)."""
        if points not in self.spectra:
            scaled = self.confidence * (points - 1)
            at = np.minimum(scaled.astype(np.int32), points - 2)
            scaled -= at  # the share of the point to the right
            values = np.zeros(points, dtype=np.complex128)
            for part, weight in ((1.0, self.residual), (1j, None)):
                right = np.bincount(at, weights=scaled if weight is None else scaled * weight, minlength=points - 1)
                both = np.bincount(at, weights=weight, minlength=points - 1)
                values[:-1] += part * (both - right)
                values[1:] += part * right
            reflected = np.concatenate([values[:0:-1], values, values[-2::-1]])
            size = _fast_size(len(reflected))
            self.spectra[points] = (np.fft.fft(reflected, size), size)  # type: ignore[assignment]
        return self.spectra[points]  # type: ignore[return-value]

    def at(self, width: float) -> float:
        """Return the smooth ECE at a fixed width."""
        points = max(2000, round(20 / width)) // 2 + 1
        spectrum, size = self.spectrum(points)
        smoothed = np.fft.ifft(spectrum * _kernel(points, size, width))
        first = points - 1 + points // 2  # where the kernel lies wholly inside and is centred on the first grid point
        smoothed = smoothed[first : first + points]
        mesh = np.linspace(0, 1, max(round(10 / width), MESH)) * (points - 1)
        left = np.minimum(mesh.astype(np.intp), points - 2)
        share = mesh - left
        field = smoothed[left] * (1 - share) + smoothed[left + 1] * share
        return float(np.abs(field.real).sum() / (field.imag + 1e-4).sum())


@lru_cache(maxsize=32)  # a search by halves meets the same widths in every sample; at most 512 KB each
def _kernel(points: int, size: int, width: float) -> "np.ndarray[tuple[int], np.dtype[np.complex128]]":
    """Return the Fourier transform (size,) of the Gaussian kernel on a grid of so many points."""
    step = np.linspace(0, 1, points) - 0.5
    kernel = np.exp(-step * step / (2 * width * width)) / (np.sqrt(2 * np.pi) * width)
    return np.fft.fft(kernel, size)


def _fast_size(least: int) -> int:
    """Return a length of at least `least` with the factors 2 and 3 only."""
    power = 1 << (least - 1).bit_length()
    return min(size for size in (power, 3 * power // 4, 9 * power // 16) if size >= least)


def fit(confidence: Floats, correct: Floats) -> Fit:
    """Return the smooth ECE of checked pairs, and its width."""
    grid = _Grid(confidence, correct)
    high, low = 1.0, 0.0
    value = grid.at(high)
    if value > high:
        return Fit(value, high)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if middle < LEAST_WIDTH:
            low = middle
            continue
        found = grid.at(middle)
        if middle < found:
            low = middle
        else:
            high, value = middle, found
    return Fit(value, high)


def interval_of(confidence: Floats, correct: Floats, codes: Ints | None, how: tuple[int, int, float]) -> Interval:
    """Return `smooth_ece_interval` of checked pairs; how = (draws, seed, level)."""
    draws, seed, level = how
    n = len(correct)
    if n < 2:
        return undefined("fewer than two rows", value=fit(confidence, correct).value if n else float("nan"), n=n)
    found = fit(confidence, correct)
    if codes is not None and codes.max() < 1:
        return undefined("one cluster", value=found.value, n=n)
    modes = min(MOST_MODES, int(np.sqrt(-2 * np.log(FINEST_MODE)) / (np.pi * found.width)) + 2)
    covariance, mass = _covariance(confidence, correct, codes, modes)
    waves = np.pi * np.arange(modes)
    damping = np.exp(-((waves * found.width) ** 2) / 2) * np.where(waves > 0, 2.0, 1.0) / mass
    scale = np.append(damping, found.value / mass)
    values, vectors = np.linalg.eigh(covariance * scale[:, None] * scale)
    rng = np.random.default_rng([seed, 3])
    drawn = rng.standard_normal((draws, modes + 1)) @ (vectors * np.sqrt(np.maximum(values, 0))).T
    mesh = (np.arange(max(64, 2 * modes)) + 0.5) / max(64, 2 * modes)
    area = np.abs(drawn[:, :-1] @ np.cos(waves[:, None] * mesh)).mean(axis=1) + np.abs(drawn[:, -1])
    reach = float(np.quantile(area, level)) * widening(codes, level)
    what = f"conservative: bootstrap of the smoothed residuals, width {found.width:.3g}, {draws} draws, {level:.0%}"
    if (
        correct.min() == correct.max()
    ):  # the residuals cannot show how often the other outcome comes: the accuracy's interval does
        right = proportion_of(correct, codes, level)
        reach = max(reach, right.high - right.low)
        what += ", not narrower than the accuracy's interval"
    what += "" if codes is None else f", {int(codes.max()) + 1} clusters"
    return Interval(found.value, max(0.0, found.value - reach), min(1.0, found.value + reach), n, what)


def _covariance(confidence: Floats, correct: Floats, codes: Ints | None, modes: int) -> tuple[Floats, float]:
    """Return the covariance `(modes + 1, modes + 1)` of the means of the modes and of the weight, and the mean weight."""
    weight = np.where((confidence <= 0) | (confidence >= 1), 0.5, 1.0)
    residual = weight * (confidence - correct)
    # where few rows are wrong the observed residuals are too small: at least the variance that the confidences state
    stated = float((weight * weight * confidence * (1 - confidence)).sum())
    inflate = max(1.0, stated / max(float(residual @ residual), 1e-300)) if stated > 0 else 1.0
    n, mass = len(residual), float(weight.mean())
    waves = np.pi * np.arange(modes)
    cell = np.rint(confidence * CELLS).astype(np.int32)
    basis = np.cos(np.arange(CELLS + 1)[:, None] / CELLS * waves)
    if codes is None:
        plain, squares = (np.bincount(cell, weights=w, minlength=CELLS + 1) for w in (residual, residual * residual))
        mixed, heavy = (np.bincount(cell, weights=w, minlength=CELLS + 1) for w in (residual * weight, weight * weight))
        total = np.append(basis.T @ plain, weight.sum())
        gram = np.empty((modes + 1, modes + 1))
        gram[:-1, :-1] = basis.T @ (basis * squares[:, None])
        gram[-1, :-1] = gram[:-1, -1] = basis.T @ mixed
        gram[-1, -1] = heavy.sum()
        return inflate * (gram - np.outer(total, total) / n) / n / (n - 1), mass
    count = int(codes.max()) + 1
    order = np.argsort(codes, kind="stable")
    starts = np.append(np.searchsorted(codes[order], np.arange(count)), n)
    centre = np.append(basis.T @ np.bincount(cell, weights=residual, minlength=CELLS + 1) / n, mass)
    gram = np.zeros((modes + 1, modes + 1))
    for block in range(0, count, EXACT_CLUSTERS):
        limits = starts[block : block + EXACT_CLUSTERS + 1]
        rows = order[limits[0] : limits[-1]]
        table = np.column_stack([basis[cell[rows]] * residual[rows, None], weight[rows]]) - centre
        sums = np.add.reduceat(table, limits[:-1] - limits[0], axis=0)
        gram += sums.T @ sums
    return inflate * gram / n**2, mass
