"""What a comparison says of a margin, and how many examples a difference needs: tables from its pairs and its intervals."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.audit._paired import Pair, interval_of, shares
from workbench.errors import UsageError, unknown
from workbench.stats._intervals import cluster_freedom
from workbench.stats.equivalence import Verdict, equivalence, needed_clusters, noninferiority, unseen
from workbench.stats.intervals import Interval, design_effect, t_quantile, undefined, z_quantile
from workbench.stats.sample_size import paired_means, paired_shares

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from workbench.audit.compare import Comparison

__all__ = ["needed", "needed_words", "shared_clusters", "verdicts"]


def verdicts(
    comparison: "Comparison", margin: float, *, metric: str | None, better: str | None, level: float
) -> "pd.DataFrame":
    """Return a line for each metric and group: what its difference says of the margin; `better` None asks for equivalence."""
    import pandas as pd

    lines = []
    for line in _lines(comparison, metric):
        key = (str(line["metric"]), str(line["group"]))
        at = _interval_at(comparison.pairs.get(key), line)
        clusters = shared_clusters(comparison.pairs.get(key))
        found: Verdict = (
            equivalence(at, margin, level=level, clusters=clusters)
            if better is None
            else noninferiority(at, margin, better=better, level=level, clusters=clusters)
        )
        numbers = (line["difference"], found.low, found.high, margin, int(line["n"]), found.p, found.word)
        how = (
            f"{'two one-sided tests' if better is None else 'one-sided test'} at {level:g}: {at(1 - 2 * level).method}"
        )
        ahead = {None: 0.0, "higher": line["difference"], "lower": -line["difference"]}[better]
        lines.append((*key, *numbers, how + _too_few(margin, clusters, level, max(0.0, ahead))))
    names = ["metric", "group", "difference", "low", "high", "margin", "n", "p", "verdict", "method"]
    return pd.DataFrame(lines, columns=names)


def shared_clusters(pair: Pair | None) -> float | None:
    """Return the effective number of clusters of shares whose rows belong together, else None."""
    if pair is None or pair.clusters is None or not shares(pair):
        return None
    codes = np.unique(pair.clusters, return_inverse=True)[1].astype(np.intp)
    return cluster_freedom(codes, len(codes)) + 1


def _too_few(margin: float, clusters: float | None, level: float, ahead: float) -> str:
    """Return what to add to a method where so many clusters cannot show that a margin is kept, whatever their rows say."""
    chance = 0.0 if clusters is None else unseen(margin, clusters, ahead=ahead)
    if clusters is None or chance <= level:
        return ""
    wanted, there = needed_clusters(margin, level, ahead=ahead), math.floor(clusters + 1e-9)
    return (
        f"; {there:,} clusters (of equal size) are too few for this margin, {wanted:,} are needed: had the models differed "
        f"altogether in so many of all that it is reached, these would show none with p = {chance:.2g}"
    )


def needed(
    comparison: "Comparison", *, metric: str | None, difference: float | None, power: float, level: float
) -> "pd.DataFrame":
    """Return a line for each metric and group: how many rows show a difference, the observed one where none is given."""
    import pandas as pd

    if difference is not None and not (
        isinstance(difference, (int, float)) and math.isfinite(difference) and difference
    ):
        raise UsageError(f"difference must be a number other than 0; it is {difference!r}.")
    lines = []
    for line in _lines(comparison, metric):
        key = (str(line["metric"]), str(line["group"]))
        size = float(line["difference"] if difference is None else difference)
        effect, n, how = _needed(comparison.pairs.get(key), line, size, (power, level))
        lines.append((*key, size, int(line["n"]), n, effect, power, how))
    names = ["metric", "group", "difference", "n", "n_needed", "design_effect", "power", "method"]
    return pd.DataFrame(lines, columns=names)


def needed_words(comparison: "Comparison") -> str:
    """Return how many examples a difference of the first metric's size needs, "" where it has been seen or cannot be said."""
    known = comparison.headline[:1]
    if not known or not (comparison.metrics["group"] == "all").any():
        return ""
    found = needed(comparison, metric=known[0], difference=None, power=0.8, level=0.05)
    line = comparison.metrics[(comparison.metrics["metric"] == known[0]) & (comparison.metrics["group"] == "all")]
    mine = found[found["group"] == "all"]
    if not len(mine) or not len(line) or not np.isfinite(mine["n_needed"].iloc[0]) or line["p"].iloc[0] <= 0.05:
        return ""
    size, n = abs(float(mine["difference"].iloc[0])), float(mine["n_needed"].iloc[0])
    digits = max(2, 1 - math.floor(math.log10(size)))
    return (
        f"A difference of this size ({size:.{digits}f}) needs about {_rounded(n)} examples to be seen in four of five studies; "
        f"here are {int(mine['n'].iloc[0]):,}."
    )


def _rounded(n: float) -> str:
    """Return a number of examples as it is known, which is roughly: two digits.

    >>> _rounded(1234.0), _rounded(87.0)
    ('1,200', '87')
    """
    return f"{round(n, 1 - math.floor(math.log10(n))):,.0f}" if n >= 100 else f"{n:.0f}"


def _lines(comparison: "Comparison", metric: str | None) -> "list[dict[Any, Any]]":
    """Return the lines of one metric, those of the headline where none is named."""
    known = dict.fromkeys(comparison.metrics["metric"])
    if metric is not None and metric not in known:
        raise unknown("metric", metric, known)
    wanted = comparison.headline if metric is None else (metric,)
    table = comparison.metrics
    return [line for name in wanted for line in table[table["metric"] == name].to_dict("records")]


def _interval_at(pair: Pair | None, line: "dict[Any, Any]") -> "Callable[[float], Interval]":
    """Return the interval of a difference as a function of the level: by row, else by the t of the bootstrap's error."""
    if pair is not None:
        return lambda level: interval_of(pair, level)
    value, n, method = float(line["difference"]), int(line["n"]), str(line["method"])
    if not np.isfinite(line["low"]):
        return lambda _: undefined(method.removeprefix("no interval: "), value=value, n=n)
    error, freedom = _error(line)

    def at(level: float) -> Interval:
        half = t_quantile(level, freedom) * error
        return Interval(value, value - half, value + half, n, method)

    return at


def _error(line: "dict[Any, Any]") -> tuple[float, float]:
    """Return the standard error and the degrees of freedom behind a bootstrapped line."""
    words = str(line["method"]).split()
    clusters = int(words[words.index("clusters,") - 1]) if "clusters," in words else int(line["n"])
    return float(line["high"] - line["low"]) / 2 / t_quantile(0.95, clusters - 1), clusters - 1.0


def _needed(
    pair: Pair | None, line: "dict[Any, Any]", size: float, asked: tuple[float, float]
) -> tuple[float, float, str]:
    """Return the design effect, the rows that a difference needs, NaN where that cannot be said, and how it was found."""
    power, level = asked
    nothing = float("nan")
    if not np.isfinite(size) or size == 0:
        return nothing, nothing, "no difference: no number of examples shows none"
    if pair is None:
        if not np.isfinite(line["low"]):
            return nothing, nothing, str(line["method"])
        from scipy.special import ndtri

        error, _ = _error(line)
        n = line["n"] * ((z_quantile(1 - level) + float(ndtri(power))) * error / abs(size)) ** 2
        return nothing, float(math.ceil(n)), "from the bootstrap's standard error, which falls with the root of n"
    apart = pair.a - pair.b
    spread = float(apart.std(ddof=1)) if len(apart) > 1 else 0.0
    if spread <= 0:
        return nothing, nothing, "all rows differ alike, so that the spread is not known"
    effect = max(1.0, design_effect(apart, clusters=pair.clusters).effect)
    if shares(pair):
        discordant = float((apart != 0).mean())
        if abs(size) > discordant:
            return (
                effect,
                nothing,
                f"the models differ in {discordant:.2g} of the rows: no larger difference is possible",
            )
        n, how = paired_shares(size, discordant, power=power, level=level), "McNemar's exact test"
    else:
        n, how = paired_means(size, spread, power=power, level=level), "paired t test"
    told = "" if pair.clusters is None else f", times the design effect {effect:.2f}"
    return effect, float(math.ceil(n * effect)), f"{how}, power {power:g}, level {level:g}{told}"
