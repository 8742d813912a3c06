"""The tests of the probe `shift`, from its rows alone: which test fits, what it finds, and what each row adds to it."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workbench.errors import DataError, UsageError

if TYPE_CHECKING:
    import pandas as pd

    from workbench.stats.label_shift import LabelShift
    from workbench.stats.two_sample import Classified, Columns, TwoSample

__all__ = [
    "FEWEST",
    "FITS",
    "TESTS",
    "Data",
    "categories",
    "chosen_test",
    "columns",
    "contributions",
    "data_of",
    "labels",
    "whole",
]

TESTS = ("auto", "mmd", "energy", "ks", "chi2", "c2st", "bbse")
FITS = {  # the first is what "auto" means
    "embedding": ("mmd", "energy", "c2st", "ks"),
    "hidden": ("mmd", "energy", "c2st", "ks"),
    "softmax": ("mmd", "energy", "c2st", "ks", "chi2", "bbse"),
    "tokens": ("ks", "mmd", "energy", "c2st"),
    "columns": ("ks", "chi2", "mmd", "energy", "c2st"),
}
KEPT = 32  # results that are remembered
FEWEST = 2  # rows of each set without which there is nothing to test
_known: "OrderedDict[bytes, Any]" = OrderedDict()


class Data(NamedTuple):
    """The rows in an order that depends on their ids alone: vectors (N, d), categories (N, q), who is new (N,)."""

    vectors: np.ndarray
    names: tuple[str, ...]
    levels: np.ndarray
    level_names: tuple[str, ...]
    new: np.ndarray
    label: np.ndarray
    cluster: np.ndarray
    place: np.ndarray  # of each row in the table that it comes from

    @property
    def enough(self) -> bool:
        """Whether both sets have rows to test."""
        return min(int(self.new.sum()), int((~self.new).sum())) >= FEWEST

    @property
    def clustered(self) -> bool:
        """Whether several rows of a set are of one cluster."""
        return any(len(set(self.cluster[side])) < int(side.sum()) for side in (self.new, ~self.new))

    @property
    def fewest_clusters(self) -> int:
        """How many clusters the set with fewer has."""
        return min(len(set(self.cluster[side])) for side in (self.new, ~self.new))


def chosen_test(options: Mapping[str, Any]) -> str:
    """Return the test, or raise `UsageError` where it does not fit what is compared.

    >>> chosen_test({"test": "auto", "on": "columns"}), chosen_test({"test": "energy", "on": "embedding"})
    ('ks', 'energy')
    """
    fits = FITS[options["on"]]
    wanted = fits[0] if options["test"] == "auto" else options["test"]
    if wanted not in fits:
        able = [way for way, tests in FITS.items() if wanted in tests]
        raise UsageError(
            f"test={wanted!r} needs on={' or '.join(map(repr, able))}; it is {options['on']!r}, which takes {', '.join(fits)}."
        )
    return wanted


def data_of(rows: "pd.DataFrame") -> Data:
    """Return what the tests read of any rows of the probe."""
    ordered = rows.assign(_place=np.arange(len(rows))).sort_values(["set", "example"], kind="stable")
    first = ordered.iloc[0] if len(ordered) else None
    names, level_names = (() if first is None else tuple(first[name]) for name in ("names", "level_names"))
    vectors = np.array(ordered["vector"].tolist(), dtype=np.float64).reshape(len(ordered), -1)
    levels = np.array([list(one) for one in ordered["levels"]], dtype=object).reshape(len(ordered), len(level_names))
    return Data(
        vectors,
        tuple(map(str, names)) or tuple(f"dimension {i}" for i in range(vectors.shape[1])),
        levels,
        tuple(map(str, level_names)),
        (ordered["new"] == 1).to_numpy(bool),
        ordered["label"].to_numpy(object),
        ordered["cluster"].astype(str).to_numpy(object),
        ordered["_place"].to_numpy(),
    )


def contributions(rows: "pd.DataFrame", test: str, options: Mapping[str, Any]) -> np.ndarray:
    """Return how typical each row is of the new set (N,), in the words of the test; NaN where it cannot be said.

    mmd, energy: the witness; its mean over new rows minus that over reference rows is the statistic (over pairs: without what
    the pairs add). c2st: the held-out probability of being new. ks: the rank (0 to 1) in the column with the largest distance,
    turned so that 1 is the new set's side. chi2: the log of how much more frequent the row's category is among new rows. bbse:
    the weight of the predicted class.
    """
    data = data_of(rows)
    found = np.full(len(rows), np.nan)
    if not data.enough:
        return found
    if test in ("mmd", "energy", "c2st"):
        known, space = _space(data, options)
        old, fresh = space[~data.new[known]], space[data.new[known]]
        if min(len(old), len(fresh)) < FEWEST:
            return found
        at = data.place[known]
        at = np.concatenate([at[~data.new[known]], at[data.new[known]]])
        if test == "c2st":
            made: Any = whole(data, test, options, 0)
        else:
            from workbench.stats.mmd import witness

            made = witness(old, fresh, width=options["width"], energy=test == "energy")
        found[at] = np.concatenate([made.reference, made.new])
    elif test == "ks":
        found[data.place] = _ranks(data)
    elif test == "chi2":
        found[data.place] = _log_ratios(data)
    elif data.level_names:
        weights = dict(zip(*(labels(data, options, 0)[:2]), strict=True))
        found[data.place] = [weights.get(one, np.nan) for one in data.levels[:, 0]]
    return found


def whole(data: Data, test: str, options: Mapping[str, Any], seed: int) -> "TwoSample | Classified":
    """Return the test of whole vectors: MMD, energy distance, or the classifier's."""
    known, space = _space(data, options)
    old, fresh = (np.ascontiguousarray(space[side]) for side in (~data.new[known], data.new[known]))
    own = {name: options[name] for name in ("draws", "width", "level", "method", "retrain")}

    def made() -> Any:
        if test == "c2st":
            from workbench.stats.two_sample import ClassifierSettings, c2st

            chosen = ClassifierSettings(
                folds=options["folds"], draws=own["draws"], retrain=own["retrain"], level=own["level"], seed=seed
            )
            return c2st(old, fresh, settings=chosen)
        from workbench.stats import mmd

        method = "permutation" if clusters else own["method"]
        settings = mmd.Settings(draws=own["draws"], method=method, width=own["width"], level=own["level"], seed=seed)
        return (mmd.energy if test == "energy" else mmd.mmd)(old, fresh, settings=settings, clusters=clusters)

    names = data.cluster[known]
    clusters = (names[~data.new[known]].tolist(), names[data.new[known]].tolist()) if data.clustered else None
    told = (test, options["folds"], sorted(own.items()), seed, clusters)
    found: TwoSample | Classified = _remembered([old, fresh], told, made)
    return found


def columns(data: Data) -> "Columns":
    """Return the Kolmogorov-Smirnov test of each numeric column."""
    from workbench.stats.two_sample import ks_columns

    old, fresh = data.vectors[~data.new], data.vectors[data.new]
    found: Columns = _remembered([old, fresh], ("ks",), lambda: ks_columns(old, fresh))
    return found


def categories(data: Data, options: Mapping[str, Any], seed: int) -> "dict[str, TwoSample]":
    """Return the chi-squared test of each column of categories; rows without one are left out."""
    from workbench.stats.two_sample import chi_squared

    found = {}
    for j, name in enumerate(data.level_names):
        kinds, codes = np.unique(data.levels[:, j].astype(str), return_inverse=True)
        known = kinds != ""
        counts = [np.bincount(codes[side], minlength=len(kinds))[known] for side in (~data.new, data.new)]
        if known.sum() > 1 and min(one.sum() for one in counts) > 0:
            found[name] = chi_squared(*counts, draws=options["draws"], level=options["level"], seed=seed)
    return found


def labels(data: Data, options: Mapping[str, Any], seed: int) -> "LabelShift":
    """Return the label shift from predicted classes; the reference must have labels."""
    from workbench.stats.label_shift import bbse

    old = ~data.new
    if not (data.label[old] != "").all():
        raise DataError(
            "test='bbse' needs reference examples with labels (the names of classes). Name them with label=."
        )
    predicted = data.levels[:, 0]
    return bbse(
        predicted[old].tolist(),
        data.label[old].tolist(),
        predicted[data.new].tolist(),
        draws=options["draws"],
        seed=seed,
    )


def _space(data: Data, options: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return which rows have all values (N,), and their vectors: columns in standard deviations, categories as 0 and 1."""
    known = np.isfinite(data.vectors).all(axis=1)
    if options["on"] not in ("tokens", "columns"):
        return known, data.vectors[known]
    known &= (data.levels != "").all(axis=1)
    numbers = data.vectors[known]
    spread = numbers.std(axis=0) if len(numbers) else np.ones(numbers.shape[1])
    parts = [(numbers - numbers.mean(axis=0)) / np.where(spread > 0, spread, 1)] if numbers.size else []
    for j in range(len(data.level_names)):
        kinds, codes = np.unique(data.levels[known, j].astype(str), return_inverse=True)
        parts.append(np.eye(len(kinds))[codes] / np.sqrt(2))
    if not parts:
        raise DataError("No row has a value in every column. Name columns with values in columns=[...].")
    return known, np.hstack(parts)


def _ranks(data: Data) -> np.ndarray:
    """Return the rank of each row, from 0 to 1, in the numeric column that differs most, 1 on the new set's side."""
    from scipy.stats import rankdata

    if not data.names or not data.vectors.shape[1]:
        return np.full(len(data.new), np.nan)
    found = columns(data)
    if np.isnan(found.distance).all():
        return np.full(len(data.new), np.nan)
    most = int(np.nanargmax(found.distance))
    values = data.vectors[:, most]
    known = np.isfinite(values)
    ranks = np.full(len(values), np.nan)
    ranks[known] = (rankdata(values[known]) - 0.5) / known.sum()
    return ranks if found.gap[most] >= 0 else 1 - ranks


def _log_ratios(data: Data) -> np.ndarray:
    """Return log(share among new / share in reference) of each row's category, a half added to the counts, mean over columns."""
    found = []
    for j in range(len(data.level_names)):
        kinds, codes = np.unique(data.levels[:, j].astype(str), return_inverse=True)
        counts = np.array([np.bincount(codes[side], minlength=len(kinds)) + 0.5 for side in (data.new, ~data.new)])
        shares = counts / counts.sum(axis=1, keepdims=True)
        found.append(np.where(kinds == "", np.nan, np.log(shares[0] / shares[1]))[codes])
    return np.mean(found, axis=0) if found else np.full(len(data.new), np.nan)


def _remembered(arrays: list[np.ndarray], told: Any, made: Callable[[], Any]) -> Any:
    """Return a result, computed once for the same arrays and settings: metrics, tables and charts ask for the same."""
    digest = hashlib.sha256(repr(told).encode())
    for one in arrays:
        digest.update(repr(one.shape).encode() + np.ascontiguousarray(one).tobytes())
    key = digest.digest()
    if key not in _known:
        _known[key] = made()
        while len(_known) > KEPT:
            _known.popitem(last=False)
    return _known[key]
