"""Everything about the calibration of one group of rows at once, or of many groups.

`summary` never raises for a small or one-sided group: such metrics have NaN bounds, and `method` says why. It does raise for
rows that are no numbers at all (see `workbench.stats._checks`). Draws start from the same seed in every group, so that
`summary_by` gives each group what `summary` gives its rows alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from workbench.errors import DataError
from workbench.stats._binned import (
    BinTable,
    band_of,
    error_of,
    gap_noise,
    group_codes,
    inflation,
    l2_of,
    own_noise,
    table_of,
)
from workbench.stats._bins import Cells, Scheme, cells_of, grouped_cells, limits_of
from workbench.stats._brier import parts_of
from workbench.stats._checks import (
    Floats,
    Ints,
    check_bins,
    check_clusters,
    check_pairs,
    check_probabilities,
    check_scores,
)
from workbench.stats._classwise import classwise_null
from workbench.stats._cumulative import ks, kuiper, spiegelhalter, walk_of
from workbench.stats._draws import Draws, Rows, bootstrap, null_gaps
from workbench.stats._intervals import (
    Interval,
    gap_of,
    mean_of,
    proportion_of,
    two_class_freedom,
    undefined,
    widening,
    z_quantile,
)
from workbench.stats._losses import cut, loss_of
from workbench.stats._ranking import aurc_of, auroc_of, e_aurc_of
from workbench.stats._smooth import interval_of

__all__ = ["Extras", "Settings", "bin_table_by", "summary", "summary_by"]

KS_95 = 2.2414  # the 95 % quantile of the maximum of |Brownian motion|
KUIPER_95 = 2.4977  # the same of its range
BINNED = ("ece", "ece_mass", "ece_unweighted", "mce")


@dataclass(frozen=True)
class Settings:
    """How metrics are computed; level is that of the intervals."""

    bins: int = 15
    scheme: Scheme = "width"
    draws: int = 1000
    seed: int = 0
    level: float = 0.95


@dataclass(frozen=True)
class Extras:
    """What is known of each row beside confidence and hit: each None, or one entry per row.

    nll: -log p(label); brier: squared error summed over classes; probabilities `(n, K)` with labels `(n,)`; clusters: an id
    of what was drawn independently.
    """

    nll: ArrayLike | None = None
    brier: ArrayLike | None = None
    probabilities: ArrayLike | None = None
    labels: ArrayLike | None = None
    clusters: ArrayLike | None = None

    def where(self, rows: Ints) -> "Extras":
        """Return the extras of some rows."""
        return Extras(*(None if value is None else np.asarray(value)[rows] for value in vars(self).values()))


class _Group(NamedTuple):
    """Checked rows of one group."""

    confidence: Floats
    correct: Floats
    clusters: Ints | None
    settings: Settings
    extras: Extras

    @property
    def marked(self) -> str:
        """What to add to a method where clusters were used."""
        return "" if self.clusters is None else f", {int(self.clusters.max()) + 1} clusters"


def summary(
    confidence: ArrayLike, correct: ArrayLike, *, extras: Extras | None = None, settings: Settings | None = None
) -> dict[str, Interval]:
    """Return every metric of one group, with interval, n and method.

    The bounds of ece, ece_mass, ece_unweighted, mce, classwise_ece, ks, kuiper and spiegelhalter are a null band (what
    calibrated models show), not an interval of the value: a binned error has no honest one. brier, nll and classwise_ece
    appear where `extras` has what they need.

    >>> found = summary([0.9, 0.8, 0.7, 0.6] * 25, [1, 1, 0, 1] * 25)
    >>> found["accuracy"].value, found["accuracy"].method
    (0.75, 'Wilson, 95%')
    >>> round(found["ece"].value, 3), found["ece"].low
    (0.35, 0.0)
    """
    extras, settings = extras or Extras(), settings or Settings()
    check_bins(settings.bins, settings.scheme)
    pairs = check_pairs(confidence, correct, empty=True)
    _check_extras(extras, len(pairs.correct))
    return _summarise(_Group(*pairs, check_clusters(extras.clusters, len(pairs.correct)), settings, extras), None)


def summary_by(
    groups: ArrayLike,
    confidence: ArrayLike,
    correct: ArrayLike,
    *,
    extras: Extras | None = None,
    settings: Settings | None = None,
) -> dict[str, dict[str, Interval]]:
    """Return `summary` of each group by name, sorted; bin sums of all groups come from one pass.

    >>> found = summary_by(["a", "b", "a"], [0.9, 0.8, 0.7], [1, 1, 0])
    >>> found["b"]["accuracy"].n, found["a"]["accuracy"].value
    (1, 0.5)
    """
    extras, settings = extras or Extras(), settings or Settings()
    pairs = check_pairs(confidence, correct, empty=True)
    _check_extras(extras, len(pairs.correct))
    found = {}
    for name, rows, sums in _split(groups, *pairs, settings):
        part = extras.where(rows)
        clusters = check_clusters(part.clusters, len(rows))
        found[name] = _summarise(_Group(pairs.confidence[rows], pairs.correct[rows], clusters, settings, part), sums)
    return found


def bin_table_by(
    groups: ArrayLike, confidence: ArrayLike, correct: ArrayLike, *, settings: Settings | None = None
) -> dict[str, BinTable]:
    """Return `calibration.bin_table` of each group by name, sorted.

    >>> bin_table_by(["a", "b", "a"], [0.9, 0.8, 0.7], [1, 1, 0])["a"].n
    array([1, 1])
    """
    settings = settings or Settings()
    pairs = check_pairs(confidence, correct, empty=True)
    tables = {}
    for name, rows, sums in _split(groups, *pairs, settings):
        stated, hit = pairs.confidence[rows], pairs.correct[rows]
        limits = limits_of(stated, settings.bins, settings.scheme)
        sums = cells_of(stated, hit, limits, settings.scheme) if sums is None else sums
        gaps = null_gaps(sums, Rows(stated, hit, limits, settings.scheme), settings.draws, settings.seed)
        tables[name] = table_of(sums, band_of(sums, gaps, level=settings.level), level=settings.level)
    return tables


def _split(
    groups: ArrayLike, confidence: Floats, correct: Floats, settings: Settings
) -> Iterator[tuple[str, Ints, Cells | None]]:
    """Yield name, rows and (for bins of equal width) cells of each group, sorted by name."""
    bins = check_bins(settings.bins, settings.scheme)
    names, codes = group_codes(groups, len(correct))
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(len(names) + 1))
    sums: list[Cells] | None = None
    if settings.scheme == "width" and len(correct):
        limits = limits_of(confidence, bins, "width")
        sums = grouped_cells(codes, len(names), (confidence, correct), limits, "width")
    for code in sorted(range(len(names)), key=names.__getitem__):
        rows = order[starts[code] : starts[code + 1]]
        if len(rows):
            yield names[code], rows, sums[code] if sums else None


def _check_extras(extras: Extras, n: int) -> None:
    for name in ("nll", "brier"):
        values = getattr(extras, name)
        if values is not None and len(check_scores(values, name)) != n:
            raise DataError(
                f"{name} has {len(np.asarray(values))} rows and confidence has {n}. Pass one of each per row."
            )
    if (extras.probabilities is None) != (extras.labels is None):
        raise DataError("probabilities and labels belong together; only one of them was given. Pass both or neither.")
    if extras.probabilities is not None and extras.labels is not None and n:
        table, _ = check_probabilities(extras.probabilities, extras.labels)
        if len(table) != n:
            raise DataError(f"probabilities have {len(table)} rows and confidence has {n}. Pass one of each per row.")


def _summarise(group: _Group, sums: Cells | None) -> dict[str, Interval]:
    confidence, correct, clusters, settings, extras = group
    n, level = len(correct), settings.level
    found = {
        "accuracy": proportion_of(correct, clusters, level),
        "mean_confidence": cut(mean_of(confidence, clusters, level), 1.0),
        "confidence_gap": gap_of(confidence, correct, clusters, level),
    }
    if not n:
        names = (
            *BINNED,
            "l2_debiased",
            "smooth_ece",
            "ks",
            "kuiper",
            "spiegelhalter",
            "brier_event",
            "brier_reliability",
        )
        rest = ("brier_resolution", "brier_uncertainty", "brier_within", "auroc", "aurc", "e_aurc")
        return found | {name: undefined("no rows") for name in names + rest}
    found |= _binned(group, sums)
    found["smooth_ece"] = interval_of(confidence, correct, clusters, (settings.draws, settings.seed, level))
    found |= _walks(group)
    residual = confidence - correct
    found["brier_event"] = loss_of("brier_event", residual * residual, confidence, clusters, level)
    found["auroc"] = auroc_of(confidence, correct, clusters, level)
    found["aurc"] = aurc_of(confidence, correct, clusters, level)
    found["e_aurc"] = e_aurc_of(confidence, correct, clusters, level)
    for name, values in (("brier", extras.brier), ("nll", extras.nll)):
        if values is not None:
            found[name] = loss_of(name, np.asarray(values, dtype=np.float64), confidence, clusters, level)
    if extras.probabilities is not None and extras.labels is not None:
        found["classwise_ece"] = _classwise(group, *check_probabilities(extras.probabilities, extras.labels))
    return found


def _binned(group: _Group, sums: Cells | None) -> dict[str, Interval]:
    """Return the binned errors with their null band, the debiased error, and the parts of the Brier score."""
    confidence, correct, clusters, settings, _ = group
    n = len(correct)
    limits = limits_of(confidence, settings.bins, settings.scheme)
    sums = cells_of(confidence, correct, limits, settings.scheme) if sums is None else sums
    rows = Rows(confidence, correct, limits, settings.scheme, clusters)
    gaps = null_gaps(sums, rows, settings.draws, settings.seed)
    band = band_of(sums, gaps, level=settings.level)
    means = np.abs(gaps / sums.n).mean(axis=1)
    plain = float(np.abs(sums.gap).mean())
    share = (1 + int((means >= plain - 1e-12).sum())) / (1 + len(means))
    if settings.scheme == "mass":
        mass, mass_band = sums, band
    else:
        limits = limits_of(confidence, settings.bins, "mass")
        mass = cells_of(confidence, correct, limits, "mass")
        redrawn = null_gaps(mass, Rows(confidence, correct, limits, "mass", clusters), settings.draws, settings.seed)
        mass_band = band_of(mass, redrawn, level=settings.level)
    found = {
        "ece": _null(group, error_of(sums.gap * sums.n, sums.n), band.ece, band.ece_p),
        "ece_mass": _null(group, error_of(mass.gap * mass.n, mass.n), mass_band.ece, mass_band.ece_p),
        "ece_unweighted": _null(group, plain, float(np.quantile(means, settings.level)), share),
        "mce": _null(group, float(np.abs(sums.gap).max()), band.mce, band.mce_p),
    }
    if n < 2 or (clusters is not None and clusters.max() < 1):
        why = "fewer than two rows" if n < 2 else "one cluster"
        parts = parts_of(sums)
        return found | {
            "l2_debiased": undefined(why, n=n),
            "brier_reliability": undefined(why, value=parts.reliability, n=n),
            "brier_resolution": undefined(why, value=parts.resolution, n=n),
            "brier_uncertainty": undefined(why, value=parts.uncertainty, n=n),
            "brier_within": undefined(why, value=parts.within_variance - parts.within_covariance, n=n),
        }
    drawn = bootstrap(sums, rows, settings.draws, settings.seed)
    noise = gap_noise(sums, rows)
    own = own_noise(sums)
    excess = 0.0 if clusters is None else noise - own
    l2 = l2_of(sums, drawn, level=settings.level, excess=excess, widen=widening(clusters, settings.level))
    found["l2_debiased"] = l2._replace(method=l2.method + group.marked)
    return found | _brier_parts(group, (sums, rows), drawn, own if clusters is None else noise)


def _null(group: _Group, value: float, high: float, p: float) -> Interval:
    low_bound = "labels redrawn" if group.clusters is None else "labels redrawn, luck shared inside clusters"
    what = f"null band: {group.settings.level:.0%} of perfectly calibrated models lie below high; p = {p:.3g}; "
    return Interval(
        value, 0.0, high, len(group.correct), f"{what}{group.settings.draws} draws, {low_bound}{group.marked}"
    )


def _brier_parts(group: _Group, binned: tuple[Cells, Rows], drawn: Draws, noise: float) -> dict[str, Interval]:
    """Return reliability, resolution (recentred bootstrap about the value less its bias), uncertainty and the rest."""
    (sums, rows), level, n = binned, group.settings.level, len(group.correct)
    parts = parts_of(sums)
    with np.errstate(invalid="ignore", divide="ignore"):
        inverse = np.where(drawn.n > 0.5, 1 / drawn.n, 0.0)
    total = drawn.n.sum(axis=1)
    base = drawn.hits.sum(axis=1) / total
    reliability = ((drawn.hits - drawn.confidence) ** 2 * inverse).sum(axis=1) / total
    resolution = (drawn.hits**2 * inverse).sum(axis=1) / total - base**2
    tail, widen = (1 - level) / 2, widening(group.clusters, level) * inflation(sums)
    what = f"recentred bootstrap about the value less its bias, {len(drawn.n)} draws, {level:.0%}, conservative{group.marked}"

    def about(value: float, redrawn: Floats) -> Interval:
        if sums.hits.sum() in (0, n):
            return undefined("hits and errors are needed to know the spread", value=value, n=n)
        low, high = widen * (np.quantile(redrawn, [tail, 1 - tail]) - redrawn.mean()) + value - noise
        return Interval(value, float(min(max(0.0, low), value)), float(max(high, value)), n, what)

    right = proportion_of(group.correct, group.clusters, level)
    ends = [right.low * (1 - right.low), right.high * (1 - right.high)]
    top = 0.25 if right.low <= 0.5 <= right.high else max(ends)
    place = rows.places(sums.bin)
    stated, hit = group.confidence - (sums.confidence / sums.n)[place], group.correct - (sums.hits / sums.n)[place]
    unbiased = (sums.n / np.maximum(sums.n - 1, 1))[place]
    terms = (stated * stated - 2 * stated * hit) * unbiased
    freedom = two_class_freedom(terms - terms.mean(), group.correct, group.clusters)
    within = mean_of(terms, group.clusters, level, freedom)
    how = within.method if np.isnan(within.low) else f"approximate: {within.method}"
    return {
        "brier_reliability": about(parts.reliability, reliability),
        "brier_resolution": about(parts.resolution, resolution),
        "brier_uncertainty": Interval(parts.uncertainty, min(ends), top, n, f"accuracy (1 - accuracy): {right.method}"),
        "brier_within": within._replace(value=parts.within_variance - parts.within_covariance, method=how),
    }


def _walks(group: _Group) -> dict[str, Interval]:
    """Return the tests without bins: distances in probability units, z as it is."""
    confidence, correct, clusters, settings, _ = group
    n, level = len(correct), settings.level
    steps, scale = walk_of(confidence, correct)
    tests = (("ks", ks(confidence, correct), KS_95), ("kuiper", kuiper(confidence, correct), KUIPER_95))
    distances = {"ks": float(np.abs(steps).max()), "kuiper": float(np.ptp(steps))}
    if clusters is not None:
        why = "p-values of this test hold for independent rows only"
        return {name: undefined(why, value=distances[name], n=n) for name, _, _ in tests} | {
            "spiegelhalter": undefined(why, value=spiegelhalter(confidence, correct).statistic, n=n)
        }
    found = {}
    for name, test, quantile in tests:
        what = f"null band: 95% of perfectly calibrated models lie below high; {_p(test.p_value)} (Brownian motion)"
        found[name] = Interval(distances[name], 0.0, quantile * scale, n, what)
    z = spiegelhalter(confidence, correct)
    if not np.isfinite(z.statistic):
        return found | {
            "spiegelhalter": undefined("a row that was stated as certain was wrong, or all were certain", n=n)
        }
    reach = z_quantile(level)
    what = f"null band of z: {level:.0%} of perfectly calibrated models lie within; two-sided {_p(z.p_value)}"
    found["spiegelhalter"] = Interval(z.statistic, -reach, reach, n, what)
    return found


def _p(value: float) -> str:
    """Return a p-value as text; one that rounding has taken to 0 is said to be small."""
    return f"p = {value:.3g}" if value >= 1e-15 else "p < 1e-15"


def _classwise(group: _Group, table: Floats, labels: Ints) -> Interval:
    settings = group.settings
    if group.clusters is not None:
        settings = replace(settings, draws=0)
    found = classwise_null(
        table, labels, (settings.bins, settings.scheme, settings.draws, settings.seed), settings.level
    )
    if group.clusters is not None:
        return undefined(
            "the null band of this metric holds for independent rows only", value=found.value, n=len(labels)
        )
    what = f"null band: {settings.level:.0%} of perfectly calibrated models lie below high; p = {found.p_value:.3g}; {found.how}"
    return Interval(found.value, 0.0, found.high, len(labels), what)
