"""Tables of the calibration probe that fit something: recalibration and prediction sets, never scored on their own rows."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from workbench.errors import NotApplicable, WorkbenchError
from workbench.frames import seed_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CALIBRATORS", "conformal_table", "logits_of", "recalibration_table"]

CALIBRATORS = ("temperature", "vector", "isotonic", "histogram", "beta", "bbq", "enir")
OF_LOGITS = ("temperature", "vector")  # the others map the confidence of the answer
FOLDS = 5
CLIP = 1e-12  # probabilities are clipped here before the logarithm
CAVEAT = "as if the calibrators were given: too narrow below about 1,000 rows"
COLUMNS = ("method", "metric", "before", "after", "difference", "low", "high", "n", "interval")
SETS = (
    *("score", "alpha", "group", "coverage", "low", "high", "expected_low", "expected_high"),
    *("mean_size", "size_low", "size_high", "empty", "n", "interval"),
)


def logits_of(rows: "pd.DataFrame") -> tuple[np.ndarray, np.ndarray]:
    """Return logits (n, K) and labels (n,); raise NotApplicable where rows lack them or differ in K."""
    if rows["logits"].isna().any() or (rows["label_index"] < 0).any():
        raise NotApplicable("the rows keep no logits (stated confidence, next tokens, or more than 64 classes).")
    sizes = {len(row) for row in rows["logits"]}
    if len(sizes) != 1:
        raise NotApplicable(f"the examples have different numbers of choices ({', '.join(map(str, sorted(sizes)))}).")
    return np.asarray([list(row) for row in rows["logits"]], dtype=np.float64), rows["label_index"].to_numpy(int)


def recalibration_table(
    rows: "pd.DataFrame", methods: Sequence[str], options: Mapping[str, Any], *, seed: int
) -> "pd.DataFrame":
    """Return, per method and metric, the value before and after and the paired difference (after minus before).

    Each fold of the clusters is scored by a calibrator that was fitted on the other folds. A method that cannot be used
    has one line, with the reason in `interval`.
    """
    import pandas as pd

    lines: list[tuple[Any, ...]] = []
    for method in methods:
        try:
            lines += _compare(rows, method, options, seed)
        except (WorkbenchError, np.linalg.LinAlgError) as reason:
            lines.append((method, "not applicable", *[np.nan] * 5, len(rows), str(reason)))
    return pd.DataFrame(lines, columns=list(COLUMNS))


def _compare(rows: "pd.DataFrame", method: str, options: Mapping[str, Any], seed: int) -> list[tuple[Any, ...]]:
    from workbench.probes._prompts import softmax
    from workbench.stats import recalibration
    from workbench.stats.intervals import mean

    clusters = rows["cluster"].to_numpy()
    correct = rows["correct"].to_numpy(float)
    fold = recalibration.folds_of(clusters, folds=FOLDS, seed=seed)
    if method in OF_LOGITS:
        logits, labels = logits_of(rows)
        before = softmax(logits)
        after = recalibration.cross_fitted(method, logits, labels, fold=fold, inputs="logits")
        picked = np.arange(len(labels))
        losses = [-np.log(np.clip(p[picked, labels], CLIP, 1)) for p in (before, after)]
        pairs = [(p.max(1), (p.argmax(1) == labels).astype(float)) for p in (before, after)]
    else:
        confidence = rows["confidence"].to_numpy(float)
        mended = recalibration.cross_fitted(method, confidence, correct, fold=fold, inputs="confidence")
        pairs = [(confidence, correct), (mended, correct)]
        losses = [-np.log(np.clip(np.where(correct == 1, c, 1 - c), CLIP, 1)) for c, _ in pairs]
    repeated = clusters if len(set(clusters)) < len(clusters) else None
    squares = [(c - a) ** 2 for c, a in pairs]
    loss = "nll" if method in OF_LOGITS else "nll_of_being_right"
    at_clip = int((losses[1] >= -np.log(CLIP) - 1e-9).sum())
    clipped = f"; {at_clip} rows were given probability 0 and count -log(1e-12)" if at_clip else ""
    lines: list[tuple[Any, ...]] = []
    for name, (first, second), more in ((loss, losses, clipped), ("brier_event", squares, "")):
        found = mean(second - first, clusters=repeated)
        told = f"paired, {found.method}; {CAVEAT}{more}"
        ends = (found.value, found.low, found.high, len(rows), told)
        lines.append((method, name, float(first.mean()), float(second.mean()), *ends))
    return lines + _errors(method, pairs, repeated, options, seed)


def _errors(
    method: str, pairs: Sequence[Any], repeated: Any, options: Mapping[str, Any], seed: int
) -> list[tuple[Any, ...]]:
    """Return ECE and smooth ECE before and after: no difference, for it has no honest interval, but what stands by `after`."""
    from workbench.stats.calibration import ece, null_band
    from workbench.stats.smooth import smooth_ece, smooth_ece_interval

    bins, scheme = options["bins"], options["scheme"]
    pairs = [(np.clip(c, 0, 1), a) for c, a in pairs]
    stated, hit = pairs[1]
    binned = [ece(c, a, bins, scheme=scheme) for c, a in pairs]
    beside = "none of the difference"
    if repeated is None:
        band = null_band(stated, hit, bins=bins, scheme=scheme, draws=options["draws"], seed=seed)
        beside += f"; by chance, after would be up to {band.ece:.3f}"
    smooth = smooth_ece_interval(stated, hit, clusters=repeated, draws=options["draws"], seed=seed)
    around = f"none of the difference; after: {smooth.low:.3f} to {smooth.high:.3f} ({smooth.method})"
    blank, n = [np.nan] * 3, len(hit)
    return [
        (method, "ece", *binned, *blank, n, beside),
        (method, "smooth_ece", smooth_ece(*pairs[0]), smooth.value, *blank, n, around),
    ]


def conformal_table(rows: "pd.DataFrame", scores: Sequence[str], alpha: float, *, seed: int) -> "pd.DataFrame":
    """Return the coverage and mean size of split-conformal sets, fitted on one half of the clusters and scored on the other."""
    import pandas as pd

    lines: list[tuple[Any, ...]] = []
    for score in scores:
        try:
            lines += _sets(rows, score, alpha, seed)
        except WorkbenchError as reason:
            lines.append((score, alpha, "all", *[np.nan] * 9, len(rows), str(reason)))
    return pd.DataFrame(lines, columns=list(SETS))


def _sets(rows: "pd.DataFrame", score: str, alpha: float, seed: int) -> list[tuple[Any, ...]]:
    from workbench.probes._prompts import softmax
    from workbench.stats import conformal

    logits, labels = logits_of(rows)
    p = softmax(logits)
    clusters = rows["cluster"].to_numpy()
    fitting = np.array([seed_of(seed, "conformal", name) % 2 == 0 for name in clusters])
    seeds = np.array([seed_of(seed, "set", name) for name in rows["example"]], dtype=np.int64)
    if fitting.all() or not fitting.any():
        raise NotApplicable(f"the {len(rows)} rows have too few clusters to fit on one half and score on the other.")
    together = len(set(clusters)) < len(clusters)  # the range that theory gives is that of independent rows
    kind = cast("conformal.Score", score)
    sets = conformal.fit(kind, p[fitting], labels[fitting], alpha=alpha, seeds=seeds[fitting])
    found = sets.evaluate(p[~fitting], labels[~fitting], clusters=clusters[~fitting], seeds=seeds[~fitting])
    return [
        (
            score,
            alpha,
            line.group,
            *line.coverage[:3],
            *((np.nan, np.nan) if together else (line.expected_low, line.expected_high)),
            *line.size[:3],
            line.empty.value,
            line.coverage.n,
            f"coverage: {line.coverage.method}; size: {line.size.method}",
        )
        for line in found
    ]
