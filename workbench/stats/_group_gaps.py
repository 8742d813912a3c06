"""Calibration by group: mean score minus base rate, and ECE in bins of equal mass, with what permuted groups would show."""

import numpy as np
from numpy.typing import ArrayLike

from workbench.stats._binned import band_of
from workbench.stats._bins import cells_of, gap_sums, mass_edges, place_in
from workbench.stats._checks import Floats, Ints, check_clusters, check_pairs
from workbench.stats._draws import Rows, null_gaps
from workbench.stats._group_between import span
from workbench.stats._group_spread import Rated, critical, difference_bounds
from workbench.stats._group_tables import Coded, code_of, fewer, permuted_cells, permuted_tables
from workbench.stats._group_types import Comparison, Grouping, Settings, alone, compared
from workbench.stats._intervals import Bounds, Interval, gap_of, mean_variance, undefined
from workbench.stats._shuffles import pieces_of, shuffled_means, sums_of
from workbench.stats.resample import drawn_sums

__all__ = ["calibration_between", "calibration_by_group"]

MOST_FINE = 90  # bins of all scores behind those of a group, where fewer are asked for
EDGE = "null band: 95% of perfectly calibrated models lie below high; p = "


def calibration_by_group(
    groups: ArrayLike | Grouping,
    score: ArrayLike,
    label: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    settings: Settings | None = None,
) -> dict[str, dict[str, Interval]]:
    """Return calibration_gap (mean score minus base rate; above 0: the score promises too much) and ece_mass of each group.

    The score is the probability of the positive class in [0, 1]. The ECE has bins of equal mass and, for bounds, a null band: a
    perfectly calibrated group of this size stays below `high` in 95 % of draws.

    >>> found = calibration_by_group(["a", "b"] * 50, [0.6] * 100, [1, 0] * 50)
    >>> round(found["a"]["calibration_gap"].value, 3), round(found["b"]["ece_mass"].value, 3)
    (-0.4, 0.6)
    """
    how = settings or Settings()
    pairs = check_pairs(score, label, empty=True)
    names, codes = code_of(groups, len(pairs.correct))
    together = check_clusters(clusters, len(pairs.correct))
    found = {}
    for at, name in enumerate(names):
        mine = codes == at
        part = None if together is None else _compact(together[mine])
        found[name] = {
            "calibration_gap": gap_of(pairs.confidence[mine], pairs.correct[mine], part, how.level),
            "ece_mass": _ece(pairs.confidence[mine], pairs.correct[mine], part, how),
        }
    return found


def calibration_between(
    groups: ArrayLike | Grouping,
    score: ArrayLike,
    label: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    settings: Settings | None = None,
) -> dict[str, Comparison]:
    """Return calibration_gap_difference and ece_mass_difference, largest minus smallest, beside permuted groups.

    In the null, rows are dealt out to the groups at random, by fine bins of the score and the label. A difference of binned errors
    has no honest interval: its bounds are those of the null.

    >>> rng = np.random.default_rng(0)
    >>> score = rng.random(2000)
    >>> label = rng.random(2000) < np.repeat([0.0, 0.2], 1000) + 0.8 * score
    >>> found = calibration_between(["a"] * 1000 + ["b"] * 1000, score, label)["calibration_gap_difference"]
    >>> found.interval.low < 0.2 < found.interval.high, found.p < 0.01, found.highest
    (True, True, 'a')
    """
    how = settings or Settings()
    pairs = check_pairs(score, label, empty=True)
    names, codes = code_of(groups, len(pairs.correct))
    both = ("calibration_gap_difference", "ece_mass_difference")
    if len(names) < 2:
        return dict.fromkeys(both, alone(len(codes), "one group only", names))
    together = check_clusters(clusters, len(codes))
    gap_null, ece_null = _null(pairs.confidence, pairs.correct, codes, together, how)
    gaps = _gaps(pairs.confidence - pairs.correct, codes, together, how)
    value = gaps.value
    ends = (names[int(value.argmin())], names[int(value.argmax())], len(names))
    found = {both[0]: compared(_gap_interval(pairs, codes, together, gaps, how), span(gap_null), ends, level=how.level)}
    errors = np.array(
        [_error(pairs.confidence[codes == at], pairs.correct[codes == at], how) for at in range(len(names))]
    )
    ends = (names[int(errors.argmin())], names[int(errors.argmax())], len(names))
    spread = span(ece_null)
    bare = compared(Interval(float(np.ptp(errors)), 0.0, 0.0, len(codes), ""), spread, ends, level=how.level)
    told = f"null band: groups permuted, 95% of {len(spread):,} draws lie below high; p = {bare.p:.2g}"
    found[both[1]] = bare._replace(interval=bare.interval._replace(high=bare.null, method=told))
    return found


def _compact(codes: Ints) -> Ints | None:
    """Return the codes of the clusters that occur, None where each row is its own."""
    kinds, found = np.unique(codes, return_inverse=True)
    return None if len(kinds) == len(codes) else found


def _error(score: Floats, label: Floats, how: Settings) -> float:
    gaps, _ = gap_sums(score, label, mass_edges(score, how.bins), "mass")
    return float(np.abs(gaps).sum() / len(score))


def _ece(score: Floats, label: Floats, clusters: Ints | None, how: Settings) -> Interval:
    """Return the ECE with its null band, as the calibration probe has it."""
    if not len(score):
        return undefined("no rows")
    limits = mass_edges(score, how.bins)
    sums = cells_of(score, label, limits, "mass")
    band = band_of(sums, null_gaps(sums, Rows(score, label, limits, "mass", clusters), how.draws, how.seed))
    value = float(np.abs(sums.gap * sums.n).sum() / sums.rows)
    return Interval(value, 0.0, band.ece, len(score), f"{EDGE}{band.ece_p:.2g}")


def _gaps(residual: Floats, codes: Ints, clusters: Ints | None, how: Settings) -> Rated:
    """Return the gap of each group with draws: normal where rows are independent, of the resampled clusters otherwise."""
    size = int(codes.max()) + 1
    n, total = np.bincount(codes, minlength=size), np.bincount(codes, weights=residual, minlength=size)
    value = total / n
    if clusters is None:
        errors = [
            np.sqrt(mean_variance(residual[codes == g] - value[g], None)) if n[g] > 1 else 0.0 for g in range(size)
        ]
        rng = np.random.default_rng([how.seed, 15])
        return Rated(value, value + rng.standard_normal((how.draws, size)) * np.array(errors))
    count = int(clusters.max()) + 1
    key = clusters * size + codes
    parts = [np.bincount(key, weights=w, minlength=count * size).reshape(count, size) for w in (residual, None)]
    drawn = drawn_sums(np.hstack(parts).astype(np.float64), draws=how.draws, seed=how.seed)
    with np.errstate(invalid="ignore", divide="ignore"):
        return Rated(value, drawn[:, :size] / drawn[:, size:])


def _gap_interval(
    pairs: "tuple[Floats, Floats]", codes: Ints, clusters: Ints | None, gaps: Rated, how: Settings
) -> Interval:
    """Return the interval of the largest difference of gaps, from each group's own interval at the level for all pairs."""
    from scipy.special import ndtr

    n, value = len(codes), float(np.ptp(gaps.value))
    level = float(2 * ndtr(critical([gaps], how.level)) - 1)
    own = [
        gap_of(
            pairs[0][codes == g],
            pairs[1][codes == g],
            None if clusters is None else _compact(clusters[codes == g]),
            level,
        )
        for g in range(len(gaps.value))
    ]
    bounds = Bounds(np.array([one.low for one in own]), np.array([one.high for one in own]))
    bounds = Bounds(np.where(np.isnan(bounds.low), -1.0, bounds.low), np.where(np.isnan(bounds.high), 1.0, bounds.high))
    low, high = difference_bounds(gaps.value, bounds)
    pairs_of = len(own) * (len(own) - 1) // 2
    how_made = f"MOVER of each group's interval, all {pairs_of} pairs at once" if pairs_of > 1 else "MOVER, two groups"
    return Interval(value, low, min(2.0, high), n, f"{how_made}, {how.level:.0%}")


def _null(score: Floats, label: Floats, codes: Ints, clusters: Ints | None, how: Settings) -> tuple[Floats, Floats]:
    """Return gap and ECE by group `(draws, g)` under permuted groups.

    Rows are dealt out by fine bins of all scores and the label; of those each group gets bins of its own that hold its rows in
    equal parts. In bins of all rows a small group's numbers would vary, which lowers its ECE: p <= 0.05 in 10 % of data sets.
    """
    limits = mass_edges(score, how.bins * max(1, MOST_FINE // how.bins))
    fine, size = len(limits) - 1, int(codes.max()) + 1
    cell = 2 * place_in(score, limits, "mass").astype(np.intp) + label.astype(np.intp)
    n = np.bincount(cell, minlength=2 * fine)
    total = np.bincount(cell, weights=score - label, minlength=2 * fine)
    square = np.bincount(cell, weights=(score - label) ** 2, minlength=2 * fine)
    mean = total / np.maximum(n, 1)
    inside = np.maximum(square / np.maximum(n, 1) - mean**2, 0.0)
    if clusters is None:
        tables = permuted_tables(np.bincount(codes), n, how.draws, how.seed)
    else:
        tables = permuted_cells(Coded(codes, clusters, size), cell, 2 * fine, draws=how.draws, seed=how.seed)
    noise = np.random.default_rng([how.seed, 16]).standard_normal(tables.shape) * np.sqrt(tables * inside)
    sums = (tables * mean + noise).reshape(len(tables), size, fine, 2).sum(axis=3)
    rows = tables.reshape(len(tables), size, fine, 2).sum(axis=3)
    whole = rows.sum(axis=2)
    ece = np.abs(_gathered(sums, rows, how.bins)).sum(axis=2) / whole
    if clusters is None:
        return sums.sum(axis=2) / whole, ece
    residual = score - label
    pieces = pieces_of(residual, codes, clusters)
    rng, draws = np.random.default_rng([how.seed, 18]), fewer(how.draws, len(pieces.group))
    return shuffled_means(pieces, [sums_of(pieces, residual)], size, draws=draws, rng=rng)[0], ece


def _gathered(sums: Floats, rows: Floats, bins: int) -> Floats:
    """Return sums of fine bins `(draws, g, fine)` in bins that hold the rows of each group in nearly equal parts."""
    draws, size, fine = sums.shape
    whole = rows.sum(axis=2, keepdims=True)
    middle = np.cumsum(rows, axis=2) - rows / 2
    place = np.minimum((middle / whole * np.minimum(bins, whole)).astype(np.intp), bins - 1)
    key = np.arange(draws * size)[:, None] * bins + place.reshape(-1, fine)
    found = np.bincount(key.ravel(), weights=sums.ravel(), minlength=draws * size * bins)
    return np.asarray(found.reshape(draws, size, bins))
