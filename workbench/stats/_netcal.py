"""netcal behind one door: its beta and BBQ maps of one confidence, and its calibration errors.

netcal (Küppers et al., 1.4) is imported inside functions: it loads torch, and `netcal.scaling` loads pyro. What the adapter
does for it: float64, because on float32 netcal's scaling methods return their input without a word (its issue 61: scipy's
finite differences vanish); values clipped away from 0 and 1; one binary problem at a time, because netcal guesses the problem
from the labels that occur; no warnings and no progress bars; and errors that say what was wrong with the data.

Its ENIR is not here: `workbench.stats._enir` says why.
"""

import contextlib
import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from workbench.errors import ModelError, NotApplicable
from workbench.stats._checks import Floats

__all__ = ["Averaged", "BetaMap", "Errors", "fit_binary", "measure"]

CLIP = 1e-8  # below 1 less float32's rounding; at 1e-12 netcal's beta stops at its start when a certain row is wrong
NONE = (float("nan"), float("nan"), float("nan"))
SAME = 1e-7  # a largest change below this is netcal's silent identity


class Errors(NamedTuple):
    """netcal's ECE, ACE (mean |gap| over non-empty bins) and MCE, with the reason where one is NaN."""

    ece: float
    ace: float
    mce: float
    reason: str


@dataclass(frozen=True)
class BetaMap:
    """sigmoid(a log c - b log(1 - c) + d): Kull et al. (2017)."""

    a: float
    b: float
    d: float

    def __call__(self, confidence: Floats) -> Floats:
        stated = np.clip(confidence, CLIP, 1 - CLIP)
        logit = self.a * np.log(stated) - self.b * np.log1p(-stated) + self.d
        return 1 / (1 + np.exp(-np.clip(logit, -700, 700)))


@dataclass(frozen=True)
class Averaged:
    """netcal's fitted average of binnings."""

    model: Any

    def __call__(self, confidence: Floats) -> Floats:
        if not len(confidence):
            return confidence
        with _silence():
            mapped = self.model.transform(np.clip(confidence, CLIP, 1 - CLIP))
        return np.asarray(mapped, dtype=np.float64).reshape(len(confidence))


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Hold back what netcal prints, its progress bars and its warnings, those of its imports too."""
    with (
        warnings.catch_warnings(),
        np.errstate(all="ignore"),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        yield


def fit_binary(method: Literal["beta", "bbq"], confidence: Floats, correct: Floats) -> BetaMap | Averaged:
    """Return netcal's map of one confidence, fitted on (confidence, 0 or 1); raise where it cannot be fitted or is no map.

    >>> fit_binary("beta", np.array([0.9, 0.8]), np.array([1.0, 1.0]))
    Traceback (most recent call last):
    ...
    workbench.errors.NotApplicable: beta needs rows that are right and rows that are wrong; all 2 have the outcome 1...
    """
    stated = np.clip(np.asarray(confidence, dtype=np.float64), CLIP, 1 - CLIP)
    _feasible(method, stated, correct)
    try:
        with _silence():
            mapped = _fit(method, stated, correct)
            after = mapped(stated)
    except Exception as error:  # netcal raises whatever comes from below
        raise ModelError(
            f"netcal's {method} failed on {len(stated)} rows: {type(error).__name__}: {error}. "
            "Use temperature or isotonic."
        ) from error
    if not np.isfinite(after).all():
        raise ModelError(f"netcal's {method} gave NaN for {np.count_nonzero(~np.isfinite(after))} rows. Use isotonic.")
    if float(np.abs(after - stated).max()) < SAME:
        raise ModelError(
            f"netcal's {method} returned its input (largest change below {SAME:g}): nothing was fitted, or the confidences "
            "match the hit rates already. Compare with temperature or isotonic."
        )
    return mapped


def _feasible(method: str, stated: Floats, correct: Floats) -> None:
    """Raise `NotApplicable` where the fit has no answer."""
    n, right = len(stated), correct > 0
    if right.all() or not right.any():
        raise NotApplicable(
            f"{method} needs rows that are right and rows that are wrong; all {n} have the outcome {int(correct[0])}. "
            "With several classes, each needs a row: or use mode='top'."
        )
    if method == "beta" and stated[~right].max() < stated[right].min():
        raise NotApplicable(
            f"{method} has no finite optimum: every right row has a higher confidence than every wrong one "
            f"({n} rows, separable). Use histogram or isotonic."
        )


def _fit(method: str, stated: Floats, correct: Floats) -> BetaMap | Averaged:
    hits = correct.astype(np.int64)
    if method == "beta":
        from netcal.scaling import BetaCalibration

        fitted = BetaCalibration(method="mle").fit(stated, hits)
        sites = fitted._sites  # its property `weights` raises KeyError: 'bias' in 1.4.0
        a, b = (float(weight) for weight in np.ravel(sites["weights"]["values"]))
        return BetaMap(a, b, float(np.ravel(sites["bias"]["values"])[0]))
    from netcal.binning import BBQ

    return Averaged(BBQ().fit(stated, hits))


def measure(confidence: Floats, correct: Floats, bins: int) -> Errors:
    """Return netcal's three errors of checked (confidence, correct); NaN and the reason where netcal cannot.

    >>> measure(np.array([0.9, 0.6]), np.array([1.0, 0.0]), 10).ece.__round__(3)
    0.35
    """
    from importlib.util import find_spec

    if find_spec("netcal") is None:
        return Errors(*NONE, "netcal is not installed")
    found, reason = {"ece": NONE[0], "ace": NONE[0], "mce": NONE[0]}, ""
    with _silence():
        from netcal.metrics import ACE, ECE, MCE

        for name, metric in (("ece", ECE), ("ace", ACE), ("mce", MCE)):
            try:
                found[name] = float(metric(bins=int(bins)).measure(confidence, correct.astype(np.int64)))
            except Exception as error:  # netcal asserts and raises from anywhere in its binning
                reason = f"netcal raised {type(error).__name__}: {error}"
    return Errors(found["ece"], found["ace"], found["mce"], reason)
