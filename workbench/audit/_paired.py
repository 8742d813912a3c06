"""The difference of each metric between two tables of the same rows, with interval and p-value.

A metric that is a mean over rows (a probe says so in `per_row`) is compared row by row: shares by Tango's score interval and
McNemar's exact test, other means by a t interval of the differences, widened for skewness, and sign flips of whole clusters,
which is the permutation test that exchanges the two models within a cluster. Every other metric is a function of all rows:
clusters are resampled for both reports alike, `summarise` (or the probe's `values`, the numbers without their intervals) is
asked again for each draw, and the spread of the differences is the standard error of Student's t. Where `exchanges` are asked
for, its p-value is that of a permutation: the models change places in whole clusters, at random.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.charts.metrics import NULL_BAND
from workbench.probes._slices import OVERALL
from workbench.stats._intervals import mean_chance
from workbench.stats.intervals import Interval, mean, t_quantile, undefined
from workbench.stats.paired import mcnemar, score_difference
from workbench.stats.resample import MOST_UNDEFINED
from workbench.stats.sign_flip import sign_flips
from workbench.stats.significance import holm

if TYPE_CHECKING:
    import pandas as pd

    from workbench.probes.protocol import Probe

__all__ = ["COLUMNS", "Asked", "Compared", "Pair", "compared", "differences", "interval_of", "shares"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Teller = Callable[["pd.DataFrame"], Mapping[tuple[str, str], float]]  # the value of each (metric, group) of any rows
COLUMNS = (
    *("metric", "group", "value_a", "value_b", "difference", "low", "high", "n", "p", "p_holm", "method"),
)  # of a comparison's metrics
FLIPS, FEWER_FLIPS, MANY = 9999, 1999, 5000  # sign vectors, and how many above so many clusters
EXACT = 1e-9  # how far the mean of `per_row` may lie from the metric before it is not believed
QUICK = 20  # draws behind a metric's own interval, which a bootstrap of its value has no use for


class Asked(NamedTuple):
    """How the rows are counted: by which probe, options and slices; `draws` of the bootstrap, its seed, and exchanges."""

    probe: "Probe"
    options: Mapping[str, Any]
    by: tuple[str, ...]
    draws: int
    seed: int
    exchanges: int = 0


class _Line(NamedTuple):
    """One metric of one group: both values and what the probe says of them."""

    metric: str
    group: str
    value_a: float
    value_b: float
    n: int
    n_b: int
    method: str
    method_b: str


class Pair(NamedTuple):
    """What a metric is the mean of, in both reports, (n,) over the rows in it, and their clusters."""

    a: Floats
    b: Floats
    clusters: NDArray[np.object_] | None
    codes: NDArray[np.intp]


class Compared(NamedTuple):
    """The table of differences, notes, and what each metric is the mean of, where it is a mean over rows."""

    table: "pd.DataFrame"
    notes: tuple[str, ...]
    pairs: Mapping[tuple[str, str], Pair]


def differences(a: "pd.DataFrame", b: "pd.DataFrame", asked: Asked) -> tuple["pd.DataFrame", tuple[str, ...]]:
    """Return the table of differences with the columns `COLUMNS`, and notes; rows of both in one order, clusters the same."""
    found = compared(a, b, asked)
    return found.table, found.notes


def compared(a: "pd.DataFrame", b: "pd.DataFrame", asked: Asked) -> Compared:
    """Return the differences, and the pairs behind those that are means; rows of both in one order, clusters the same."""
    import pandas as pd

    lines, alone = _lines(*(_summary(rows, asked, asked.options) for rows in (a, b)))
    codes = a["cluster"].astype(str).factorize(sort=True)[0].astype(np.intp)
    pairs = _pairs(lines, a, b, asked, codes)
    chances = _flips(pairs, int(codes.max()) + 1, asked.seed)
    banded = {
        (one.metric, one.group) for one in lines if any(m.startswith(NULL_BAND) for m in (one.method, one.method_b))
    }
    rest = [
        one
        for one in lines
        if (one.metric, one.group) not in {*pairs, *banded} and not one.metric.startswith("p_value")
    ]
    told = _teller(a, b, asked, rest)
    drawn = _drawn(a, b, told, asked, codes) if rest and asked.draws else {}
    exchanged = _exchanged(a, b, told, asked, codes) if rest and asked.exchanges else {}
    records = []
    for one in lines:
        key = (one.metric, one.group)
        if key in pairs:
            found, p = _of_rows(pairs[key], chances[key])
        elif one.metric.startswith("p_value"):
            reason = "a p-value is no estimate, and copies of rows change it; compare what it is the test of"
            found, p = undefined(reason, value=one.value_a - one.value_b, n=one.n), float("nan")
        elif key in banded:
            reason = "it has a null band in place of an interval; compare a metric that has one"
            found, p = undefined(reason, value=one.value_a - one.value_b, n=one.n), float("nan")
        else:
            found, p = _of_draws(one, drawn.get(key), _clusters(_members(a, one.group), codes), asked.draws)
            if key in exchanged:
                p = _of_exchanges(one.value_a - one.value_b, exchanged[key])
                how = f"p: models exchanged in whole clusters, {asked.exchanges} times"
                found = found._replace(method=f"{found.method.removesuffix('; p: the same t')}; {how}")
        records.append((*key, one.value_a, one.value_b, *found[:4], p, float("nan"), found.method))
    table = pd.DataFrame(records, columns=list(COLUMNS)).astype({"n": int})
    notes = (f"In one of the two only: {', '.join(alone)}.",) if alone else ()
    return Compared(table.assign(p_holm=_holm(table)), notes, pairs)


def _summary(rows: "pd.DataFrame", asked: Asked, options: Mapping[str, Any]) -> "pd.DataFrame":
    return asked.probe.summarise(rows, options, by=asked.by, seed=asked.seed)


def _lines(a: "pd.DataFrame", b: "pd.DataFrame") -> tuple[list[_Line], list[str]]:
    """Return the metrics that both have, in the order of a, and the names of those that one has alone."""
    both = a.merge(b, on=["metric", "group"], how="left", suffixes=("", "_b"), indicator=True)
    kept = both[both["_merge"] == "both"]
    columns = ["metric", "group", "value", "value_b", "n", "n_b", "method", "method_b"]
    names = [set(table["metric"]) for table in (a, b)]
    return [_Line(*line) for line in kept[columns].itertuples(index=False, name=None)], sorted(names[0] ^ names[1])


def _members(rows: "pd.DataFrame", group: str) -> Mask | None:
    """Return the rows of a group such as "domain=law", None where no column of the rows says it."""
    if group == OVERALL:
        return np.ones(len(rows), dtype=bool)
    column, equals, value = group.partition("=")
    if not equals or column not in rows.columns:
        return None
    return np.asarray(rows[column].astype(str).where(rows[column].notna(), "") == value)


def _clusters(members: Mask | None, codes: NDArray[np.intp]) -> int:
    """Return how many clusters a group has, all where its rows are not known."""
    return len(np.unique(codes if members is None else codes[members]))


def _pairs(
    lines: Iterable[_Line], a: "pd.DataFrame", b: "pd.DataFrame", asked: Asked, codes: NDArray[np.intp]
) -> dict[tuple[str, str], Pair]:
    """Return the metrics that are a mean over the same rows in both; a `per_row` that does not give the metric is not believed."""
    per_row = getattr(asked.probe, "per_row", None)
    if per_row is None:
        return {}
    one, two = per_row(a, asked.options), per_row(b, asked.options)
    clusters, members = a["cluster"].astype(str).to_numpy(object), dict[str, Mask | None]()
    found = {}
    for line in lines:
        if line.group not in members:
            members[line.group] = _members(a, line.group)
        inside = members[line.group]
        if inside is None or line.metric not in one or line.metric not in two:
            continue
        x, y = (np.asarray(part[line.metric], dtype=np.float64) for part in (one, two))
        known = inside & ~np.isnan(x)
        if not known.any() or (known != (inside & ~np.isnan(y))).any():
            continue
        x, y = x[known], y[known]
        off = max(abs(x.mean() - line.value_a), abs(y.mean() - line.value_b))
        if off <= EXACT * max(1.0, abs(line.value_a), abs(line.value_b)):
            own = clusters[known]
            found[line.metric, line.group] = Pair(x, y, own if len(set(own)) < len(own) else None, codes[known])
    return found


def shares(pair: Pair) -> bool:
    """Return whether all numbers of a pair are 0 or 1."""
    return bool(np.isin(pair.a, (0.0, 1.0)).all() and np.isin(pair.b, (0.0, 1.0)).all())


def _flips(pairs: Mapping[tuple[str, str], Pair], m: int, seed: int) -> dict[tuple[str, str], float]:
    """Return the p-value of each pair: all that flip signs do so in the same draws."""
    chances, sums, keys = {}, [], []
    for key, pair in pairs.items():
        if shares(pair):
            chances[key] = mcnemar(pair.a, pair.b, clusters=pair.clusters, seed=seed)
        else:
            keys.append(key)
            sums.append(np.bincount(pair.codes, weights=pair.a - pair.b, minlength=m))
    if sums:
        draws = FLIPS if m <= MANY else FEWER_FLIPS
        found = sign_flips(np.stack(sums, axis=1), draws=draws, seed=seed)
        chances |= {key: float(p) for key, p in zip(keys, found, strict=True)}
    return chances


def interval_of(pair: Pair, level: float = 0.95) -> Interval:
    """Return the difference of a mean over rows with its interval at a level: one that holds a margin's level, too."""
    if shares(pair):
        return score_difference(pair.a, pair.b, clusters=pair.clusters, level=level)
    return mean(pair.a - pair.b, clusters=pair.clusters, level=level)


def _of_rows(pair: Pair, p: float) -> tuple[Interval, float]:
    """Return the difference of a mean over rows, and its p-value."""
    found = interval_of(pair)
    if shares(pair):
        test = "exact McNemar" if pair.clusters is None else "McNemar, whole clusters exchanged"
    else:
        codes = None if pair.clusters is None else np.unique(pair.codes, return_inverse=True)[1].astype(np.intp)
        p, test = (
            float(np.fmax(p, mean_chance(pair.a - pair.b, codes))),
            "sign flips of clusters, or t's where it is larger",
        )
    return found._replace(method=f"{found.method}; p: {test}"), p


def _teller(a: "pd.DataFrame", b: "pd.DataFrame", asked: Asked, rest: list[_Line]) -> Teller:
    """Return what tells the values of drawn rows: the probe's `values`, where they are `summarise`'s of these lines, else that."""
    options = {**asked.options, "draws": QUICK} if "draws" in asked.probe.options else asked.options

    def summarised(rows: "pd.DataFrame") -> Mapping[tuple[str, str], float]:
        table = _summary(rows, asked, options)
        return dict(zip(zip(table["metric"], table["group"], strict=True), table["value"], strict=True))

    quick = getattr(asked.probe, "values", None)
    if quick is None:
        return summarised
    for rows, known in ((a, [one.value_a for one in rest]), (b, [one.value_b for one in rest])):
        told = quick(rows, options, by=asked.by)
        mine = np.array([told.get((one.metric, one.group), np.inf) for one in rest])
        if not np.allclose(mine, known, rtol=EXACT, atol=EXACT, equal_nan=True):
            return summarised
    return lambda rows: quick(rows, options, by=asked.by)


def _drawn(
    a: "pd.DataFrame", b: "pd.DataFrame", told: Teller, asked: Asked, codes: NDArray[np.intp]
) -> dict[tuple[str, str], Floats]:
    """Return the difference of each metric in resampled clusters, (draws,); NaN where a draw does not define it."""
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(int(codes.max()) + 2))
    rng = np.random.default_rng([asked.seed, 17])
    m, found = len(starts) - 1, dict[tuple[str, str], Floats]()
    for draw in range(asked.draws):
        chosen = rng.integers(0, m, m)
        sizes = starts[chosen + 1] - starts[chosen]
        slot = np.repeat(np.arange(m), sizes)
        within = np.arange(len(slot)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        places = order[starts[chosen][slot] + within]
        first, second = (told(_copies(rows, places, slot)) for rows in (a, b))
        for key, value in first.items():
            if key in second:
                found.setdefault(key, np.full(asked.draws, np.nan))[draw] = value - second[key]
    return found


def _exchanged(
    a: "pd.DataFrame", b: "pd.DataFrame", told: Teller, asked: Asked, codes: NDArray[np.intp]
) -> dict[tuple[str, str], Floats]:
    """Return the difference of each metric with the models exchanged in some clusters (exchanges,), NaN where it has none."""
    rng, found = np.random.default_rng([asked.seed, 19]), dict[tuple[str, str], Floats]()
    own, n = [name for name in a.columns if name in set(b.columns)], len(a)
    both = _stacked(a[own], b[own])
    for at in range(asked.exchanges):
        turned = rng.integers(0, 2, int(codes.max()) + 1).astype(bool)[codes]
        places = np.where(turned, np.arange(n) + n, np.arange(n))
        first, second = (told(both.take(one).reset_index(drop=True)) for one in (places, (places + n) % (2 * n)))
        for key, value in first.items():
            if key in second:
                found.setdefault(key, np.full(asked.exchanges, np.nan))[at] = value - second[key]
    return found


def _stacked(a: "pd.DataFrame", b: "pd.DataFrame") -> "pd.DataFrame":
    import pandas as pd

    return pd.concat([a, b], ignore_index=True)


def _of_exchanges(value: float, found: Floats) -> float:
    """Return the two-sided p-value; an exchange that does not define the metric counts as one that reaches the value."""
    if not np.isfinite(value):
        return float("nan")
    reached = int((~(np.abs(found) < abs(value) * (1 - EXACT) - 1e-12)).sum())
    return (1 + reached) / (1 + len(found))


def _copies(rows: "pd.DataFrame", places: NDArray[np.intp], slot: NDArray[np.intp]) -> "pd.DataFrame":
    """Return drawn rows; each copy of a cluster is a cluster, and its examples are examples, of their own."""
    drawn = rows.take(places).reset_index(drop=True)
    mark = [f"#{at}" for at in slot]
    return drawn.assign(example=drawn["example"].astype(str) + mark, cluster=drawn["cluster"].astype(str) + mark)


def _of_draws(line: _Line, found: Floats | None, m: int, draws: int) -> tuple[Interval, float]:
    """Return the difference of any other metric: Student's t with the standard error of the draws."""
    from scipy.special import stdtr

    value, nothing = line.value_a - line.value_b, float("nan")
    if not np.isfinite(value):
        return undefined("not defined in both", n=line.n), nothing
    if found is None:
        return undefined("draws=0 leaves out what is no mean over rows", value=value, n=line.n), nothing
    known = found[np.isfinite(found)]
    if m < 2 or draws - len(known) > MOST_UNDEFINED * draws:
        reason = "one cluster" if m < 2 else f"{draws - len(known)} of {draws} draws do not define it"
        return undefined(reason, value=value, n=line.n), nothing
    error = float(known.std(ddof=1)) * np.sqrt(m / (m - 1))
    if error <= 1e-12 * max(1.0, abs(value)):
        return undefined("no draw differs from another", value=value, n=line.n), 1.0 if value == 0 else nothing
    half, p = t_quantile(0.95, m - 1) * error, 2 * float(stdtr(m - 1, -abs(value) / error))
    apart = "" if line.n == line.n_b else f", n = {line.n_b} in b"
    method = f"paired bootstrap of {m} clusters, {draws} draws, t of its standard error, 95%{apart}; p: the same t"
    return Interval(value, value - half, value + half, line.n, method), p


def _holm(table: "pd.DataFrame") -> Floats:
    """Return p corrected for the number of groups of one metric and one slice column; "all" stands by itself."""
    family = table["metric"] + "\x1f" + [str(group).partition("=")[0] for group in table["group"]]
    corrected = np.full(len(table), np.nan)
    for places in table.groupby(family.to_numpy(), sort=False).indices.values():
        corrected[places] = holm(table["p"].to_numpy(float)[places])
    return corrected
