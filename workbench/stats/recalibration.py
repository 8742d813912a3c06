"""Recalibration: maps from scores to better calibrated probabilities, all fitted and applied the same way.

::

    temperature   softmax(logits / T), by Newton's method (Guo et al. 2017)
    vector        softmax(w x logits + b), one w and b per class (Guo et al. 2017); Platt scaling of one confidence
    isotonic      non-decreasing map of each probability (Zadrozny and Elkan 2002)
    histogram     hit rate per bin (Zadrozny and Elkan 2001)
    beta          beta calibration (Kull et al. 2017), through netcal
    bbq           Bayesian binning into quantiles (Naeini et al. 2015), through netcal
    enir          ensemble of near isotonic regressions (Naeini and Cooper 2016)

`fit` gives a `Calibrator`; `cross_fitted` recalibrates every row by a fit that did not see it, which is what a comparison of
before and after needs; `cross_check` puts netcal's calibration errors beside ours.

With K classes the last five map one probability at a time: each class against the rest, then divided by their sum, or the
largest only (`Options.mode`). What none of them can show: that the map holds for other data than those it was fitted on.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, cast

import numpy as np
from numpy.typing import ArrayLike

from workbench.errors import DataError, ModelError, NotApplicable, UsageError, unknown
from workbench.stats._bins import Scheme
from workbench.stats._checks import Floats, Ints, check_bins, check_pairs
from workbench.stats._enir import Ensemble, fit_enir
from workbench.stats._inputs import CLIP, INPUTS, Inputs, Table, check_inputs, check_labelled, logits_of
from workbench.stats._maps import Curve, Map, Mode, OneVsRest, Steps, TopLabel, fit_classes, fit_histogram, fit_isotonic
from workbench.stats._scaling import Scaling, bounds_of_temperature, fit_temperature, fit_vector, softmax

__all__ = ["METHODS", "Calibrator", "CrossCheck", "Options", "cross_check", "cross_fitted", "fit", "folds_of"]

METHODS = ("temperature", "vector", "isotonic", "histogram", "beta", "bbq", "enir")
OF_NETCAL = ("beta", "bbq")
SLACK = 1e-9  # nats per row by which rounding may raise the NLL


@dataclass(frozen=True)
class Options:
    """What a method may be told: `mode` for maps of one probability, bins and scheme (histogram), penalty (vector)."""

    mode: Mode = "one-vs-rest"
    bins: int = 15
    scheme: Scheme = "width"
    penalty: float = 0.0


DEFAULT = Options()


@dataclass(frozen=True)
class Calibrator:
    """A fitted map. NLL is in nats per row (label probabilities clipped at 1e-12), over the very rows of the fit."""

    method: str
    inputs: str
    mode: str  # "joint", "one-vs-rest", "top", or "confidence" where there is one number per row
    classes: int  # 2 for confidence
    n: int
    parameters: Mapping[str, Any]
    nll_before: float
    nll_after: float
    map: Scaling | OneVsRest | TopLabel | Map = field(repr=False)

    def apply(self, scores: ArrayLike) -> Floats:
        """Return recalibrated probabilities, float64 in the shape of the scores; rows of a table sum to 1.

        >>> fit("isotonic", [0.2, 0.4, 0.6], [0, 1, 0], inputs="confidence").apply([0.3, 0.9])
        array([0.25, 0.5 ])
        """
        table = check_inputs(scores, self.inputs)
        if table.ndim == 2 and table.shape[1] != self.classes:
            raise DataError(
                f"This calibrator was fitted on {self.classes} classes; the scores have {table.shape[1]}. "
                "Fit one for these classes."
            )
        return _mapped(self.map, table, self.inputs)


class CrossCheck(NamedTuple):
    """Our value of a calibration error, netcal's, their absolute difference, and why where there is none."""

    workbench: float
    netcal: float
    difference: float
    reason: str


def fit(
    method: str, scores: ArrayLike, labels: ArrayLike, *, inputs: Inputs = "probabilities", options: Options = DEFAULT
) -> Calibrator:
    """Return the calibrator that a method fits on scores and labels.

    inputs="logits" or "probabilities": scores `(n, K)`, labels `(n,)` class indices. inputs="confidence": scores `(n,)` in
    [0, 1] (a confidence, or p(y = 1)), labels `(n,)` 1 where right; "vector" is then Platt scaling of its logit.
    Probabilities enter temperature and vector as log(max(p, 1e-12)). T does not change when a constant is added to a row of
    logits; vector scaling does, so that it gives another fit on logits than on their probabilities.

    `parameters` has, for temperature, T with its 95 % interval (sandwich error of 1 / T, rows taken as independent).
    Raises `NotApplicable` where there is no finite optimum (every row right, labels no better than chance, a class without
    rows, separable rows), and `ModelError` where netcal returned its input or the NLL rose.

    >>> calibrator = fit("temperature", [[2.0, 0.0]] * 4, [0, 0, 0, 1], inputs="logits")
    >>> round(calibrator.parameters["temperature"], 4), calibrator.apply([[2.0, 0.0]]).round(3)
    (1.8205, array([[0.75, 0.25]]))
    """
    _check_options(method, inputs, options)
    table, chosen = check_labelled(scores, labels, inputs)
    if method == "temperature":
        return _temperature(table, chosen, inputs)
    if method == "vector":
        return _vector(table, chosen, inputs, options.penalty)
    stated = softmax(table) if inputs == "logits" else np.asarray(table, dtype=np.float64)
    if inputs == "confidence":
        found: OneVsRest | TopLabel | Map = _binary(method, options)(stated, chosen.astype(np.float64))
        mode = "confidence"
    else:
        found, mode = fit_classes(_binary(method, options), stated, chosen, options.mode), options.mode
    before, after = _loss(stated, chosen), _loss(_mapped(found, table, inputs), chosen)
    if method in OF_NETCAL and after > before + SLACK:
        raise ModelError(
            f"{method} raised the NLL of the {len(chosen)} rows that it was fitted on, from {before:.6g} to {after:.6g}. "
            "They may be calibrated already; or use temperature or isotonic."
        )
    classes = 2 if stated.ndim == 1 else stated.shape[1]
    return Calibrator(method, inputs, mode, classes, len(chosen), _parameters(found), before, after, found)


def folds_of(clusters: ArrayLike, *, folds: int = 5, seed: int = 0) -> Ints:
    """Return the fold 0 ... folds - 1 of each row; rows of one cluster share it, whatever the order of the rows.

    Clusters are names, text or whole numbers; they are ranked by a hash of seed and name and dealt out in turn.

    >>> folds_of(["a", "b", "a", "c"], folds=2)
    array([1, 0, 1, 0])
    """
    names = np.asarray(clusters)
    if names.ndim != 1:
        raise DataError(f"clusters must be one name per row; the shape is {names.shape}. Pass a one-dimensional array.")
    if names.dtype.kind == "f" and not (np.isfinite(names).all() and (names == np.floor(names)).all()):
        raise DataError("clusters must be names or whole numbers; found fractions or NaN. Name every row's cluster.")
    kinds, place = np.unique(names.astype(str), return_inverse=True)
    if folds < 2 or len(kinds) < folds:
        raise DataError(
            f"{folds} folds need at least 2 folds and {folds} clusters; found {len(kinds)}. Use fewer folds."
        )
    hashes = [hashlib.sha256(f"{seed}\x1ffold\x1f{kind}".encode()).digest() for kind in kinds]
    rank = np.empty(len(kinds), dtype=np.intp)
    rank[sorted(range(len(kinds)), key=lambda at: hashes[at])] = np.arange(len(kinds)) % folds
    return np.asarray(rank[place])


def cross_fitted(
    method: str,
    scores: ArrayLike,
    labels: ArrayLike,
    *,
    fold: ArrayLike,
    inputs: Inputs = "probabilities",
    options: Options = DEFAULT,
) -> Floats:
    """Return the scores recalibrated out of fold: each row by a calibrator that was fitted on the rows of other folds.

    So nothing is fitted and scored on the same rows. `fold` comes from `folds_of`, by what was drawn independently. Rows of
    different folds went through different maps: compare values over all rows, and do not rank rows across folds finely.

    >>> logits, labels = [[2.0, 0.0]] * 8, [0, 1, 0, 0, 0, 1, 0, 0]
    >>> cross_fitted("temperature", logits, labels, fold=[0] * 4 + [1] * 4, inputs="logits")[0].round(3)
    array([0.75, 0.25])
    """
    _check_options(method, inputs, options)
    table, chosen = check_labelled(scores, labels, inputs)
    side = np.asarray(fold)
    if side.shape != (len(chosen),):
        raise DataError(f"fold must be one per row ({len(chosen)}); the shape is {side.shape}. Use `folds_of`.")
    names = np.unique(side)
    if len(names) < 2:
        raise DataError("fold has one value only: nothing is left to fit on. Use `folds_of` with at least 2 folds.")
    result = np.empty(table.shape, dtype=np.float64)
    for name in names:
        out = side == name
        try:
            calibrator = fit(method, table[~out], chosen[~out], inputs=inputs, options=options)
        except (NotApplicable, ModelError) as error:
            raise type(error)(f"Without fold {name}: {error}") from error
        result[out] = calibrator.apply(table[out])
    return result


def cross_check(confidence: ArrayLike, correct: ArrayLike, bins: int = 15) -> dict[str, CrossCheck]:
    """Return netcal's ECE, ACE and MCE beside ours, bins of equal width; NaN with the reason where netcal fails.

    netcal's ACE is the mean |gap| over non-empty bins, without weights (our `ece_unweighted`). Its edges are those of
    numpy.linspace: a confidence of exactly 0.3, 0.6 or 0.7 falls one bin lower with 10 bins, and `reason` says so.

    >>> round(cross_check([0.9, 0.62, 0.55], [1, 0, 1], 10)["ece"].netcal, 4)
    0.39
    """
    from workbench.stats import _netcal
    from workbench.stats.calibration import ece, ece_unweighted, mce

    bins = check_bins(bins, "width")
    pairs = check_pairs(confidence, correct)
    theirs = _netcal.measure(*pairs, bins)
    found = {}
    for name, ours, other in (
        ("ece", ece(*pairs, bins), theirs.ece),
        ("ace", ece_unweighted(*pairs, bins), theirs.ace),
        ("mce", mce(*pairs, bins), theirs.mce),
    ):
        difference = abs(ours - other)
        reason = theirs.reason if np.isnan(other) else _why_apart(pairs.confidence, bins, difference)
        found[name] = CrossCheck(ours, other, difference, reason)
    return found


def _why_apart(confidence: Floats, bins: int, difference: float) -> str:
    """Return why the two may differ, "" where they do not."""
    if difference <= 1e-9:
        return ""
    inner = np.arange(1, bins) / bins
    at_edge = np.count_nonzero(np.abs(confidence[:, None] - inner).min(axis=1) < 1e-9) if bins > 1 else 0
    return (
        f"{at_edge} confidences lie on an edge, which netcal rounds otherwise" if at_edge else "not explained by edges"
    )


def _check_options(method: str, inputs: str, options: Options) -> None:
    if method not in METHODS:
        raise unknown("recalibration method", method, METHODS)
    if inputs not in INPUTS:
        raise unknown("inputs", inputs, INPUTS)
    if options.mode not in ("one-vs-rest", "top"):
        raise unknown("mode", options.mode, ("one-vs-rest", "top"))
    check_bins(options.bins, options.scheme)
    if not (np.isfinite(options.penalty) and options.penalty >= 0):
        raise UsageError(f"penalty must be a number of at least 0; it is {options.penalty!r}. Use 0 for none.")


def _mapped(found: Scaling | OneVsRest | TopLabel | Map, table: Table, inputs: str) -> Floats:
    if isinstance(found, Scaling):
        result = found(logits_of(table, inputs)) if len(table) else np.zeros(table.shape)
        return result[:, 1].copy() if inputs == "confidence" and len(table) else result
    stated = softmax(table) if inputs == "logits" and len(table) else np.asarray(table, dtype=np.float64)
    return np.asarray(found(stated)) if len(stated) else stated


def _loss(probabilities: Floats, labels: Ints) -> float:
    """Return the mean NLL in nats, label probabilities clipped at 1e-12."""
    if probabilities.ndim == 1:
        own = np.where(labels == 1, probabilities, 1 - probabilities)
    else:
        own = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(own, CLIP)).mean())


def _temperature(table: Table, labels: Ints, inputs: str) -> Calibrator:
    logits = logits_of(table, inputs)
    found = fit_temperature(logits, labels)
    low, high = bounds_of_temperature(found)
    classes = logits.shape[1]
    before = found.nll_before if inputs == "logits" else _loss(np.asarray(table, dtype=np.float64), labels)
    return Calibrator(
        method="temperature",
        inputs=inputs,
        mode="confidence" if inputs == "confidence" else "joint",
        classes=classes,
        n=len(labels),
        parameters={"temperature": 1 / found.beta, "temperature_low": low, "temperature_high": high},
        nll_before=before,
        nll_after=found.nll_after,
        map=Scaling(np.full(classes, found.beta), np.zeros(classes)),
    )


def _vector(table: Table, labels: Ints, inputs: str, penalty: float) -> Calibrator:
    logits = logits_of(table, inputs)
    one = inputs == "confidence"
    found = fit_vector(logits, labels, penalty, np.array([1]) if one else None)
    last = slice(1, None) if one else slice(None)
    before = found.nll_before if inputs == "logits" else _loss(np.asarray(table, dtype=np.float64), labels)
    return Calibrator(
        method="vector",
        inputs=inputs,
        mode="confidence" if one else "joint",
        classes=logits.shape[1],
        n=len(labels),
        parameters={"weights": found.weights[last], "biases": found.biases[last], "penalty": penalty},
        nll_before=before,
        nll_after=found.nll_after,
        map=Scaling(found.weights, found.biases),
    )


def _binary(method: str, options: Options) -> Any:
    """Return the function that fits the method's map of one probability."""
    if method == "isotonic":
        return fit_isotonic
    if method == "enir":
        return fit_enir
    if method == "histogram":
        return lambda stated, hit: fit_histogram(stated, hit, options.bins, options.scheme)
    from workbench.stats._netcal import fit_binary

    return lambda stated, hit: fit_binary(cast("Literal['beta', 'bbq']", method), stated, hit)


def _parameters(found: OneVsRest | TopLabel | Map) -> dict[str, Any]:
    """Return the numbers of the maps: one dict for one map, `maps` for one per class."""
    if isinstance(found, OneVsRest):
        return {"maps": tuple(_parameters(each) for each in found.maps)}
    if isinstance(found, TopLabel):
        return _parameters(found.map)
    if isinstance(found, Curve | Steps | Ensemble):
        return dict(vars(found))
    from workbench.stats._netcal import BetaMap

    return (
        dict(vars(found))
        if isinstance(found, BetaMap)
        else {"weights": np.asarray(cast("Any", found).model._model_scores)}
    )
