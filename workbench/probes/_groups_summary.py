"""From the rows of the groups probe to numbers: which columns name groups, and what is known of each group and between them."""

from collections.abc import Mapping
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workbench.frames import Metric
from workbench.probes._groups_rows import OWN
from workbench.probes._slices import OVERALL, clusters_of

if TYPE_CHECKING:
    import pandas as pd

    from workbench.stats.groups import Comparison, Grouping
    from workbench.stats.intervals import Interval

__all__ = ["Attribute", "attributes_of", "between_of", "carried", "decided", "metrics_of_groups", "usable"]


class Attribute(NamedTuple):
    """What groups the rows: a column, or several crossed."""

    name: str
    groups: tuple[str, ...]
    codes: Any  # (n,) place of each row's group, -1 where it has none

    @property
    def known(self) -> Any:
        """Which rows are in a group (n,)."""
        return self.codes >= 0

    def of(self, mask: Any) -> "Grouping":
        """Return the groups of some rows, all of them known, as the statistics take them."""
        from workbench.stats.groups import Grouping

        return Grouping(self.groups, self.codes[mask])


def carried(rows: "pd.DataFrame") -> tuple[str, ...]:
    """Return the columns of the rows that name groups: all that are not the probe's own."""
    return tuple(name for name in rows.columns if name not in (*OWN, "group", "cluster"))


def attributes_of(rows: "pd.DataFrame", by: tuple[str, ...], crossed: int) -> list[Attribute]:
    """Return the slice columns, `group` where it says more than "all", and their intersections up to `crossed` columns."""
    if "group" not in by and (rows["group"] != OVERALL).any():
        by = (*by, "group")
    single = [_coded(name, rows[name]) for name in by]
    found = list(single)
    for size in range(2, crossed + 1):
        found += [_crossed(few) for few in combinations(single, size)]
    return found


def _coded(name: str, column: "pd.Series[Any]") -> Attribute:
    """Return the groups of one column; a blank is no group."""
    import pandas as pd

    text = column.astype(str)
    codes, names = pd.factorize(text.where(column.notna() & (text != "")))
    return Attribute(name, tuple(map(str, names)), np.asarray(codes, dtype=np.intp))


def _crossed(few: "tuple[Attribute, ...]") -> Attribute:
    """Return the intersections that occur."""
    known = np.logical_and.reduce([one.known for one in few])
    codes = np.stack([one.codes[known] for one in few])
    kinds, place = np.unique(codes, axis=1, return_inverse=True)
    names = tuple(" & ".join(one.groups[at] for one, at in zip(few, kind, strict=True)) for kind in kinds.T.tolist())
    found = np.full(len(known), -1, dtype=np.intp)
    found[known] = np.ravel(place)
    return Attribute(" & ".join(one.name for one in few), names, found)


def decided(rows: "pd.DataFrame", options: Mapping[str, Any]) -> Any:
    """Return the decision of each row (n,): as it was predicted, or by the threshold on the score, NaN where there is none."""
    if options["threshold"] is None:
        return rows["decision"].to_numpy(float)
    score = rows["score"].to_numpy(float)
    return np.where(np.isnan(score), np.nan, (score >= options["threshold"]).astype(float))


class Usable(NamedTuple):
    """Label and prediction as the statistics take them, the rates that they define, and where each can be used."""

    label: Any
    prediction: Any
    rates: tuple[str, ...]
    counted: Any  # (n,) bool
    score: Any
    event: Any  # what the score is a probability of
    scored: Any  # (n,) bool
    gap: str  # what the calibration gap is called


def usable(rows: "pd.DataFrame", options: Mapping[str, Any]) -> Usable:
    """Return what can be compared in these rows: decisions with labels, decisions alone, or whether answers are right."""
    from workbench.stats.groups import RATES

    decision, outcome = decided(rows, options), rows["outcome"].to_numpy(float)
    correct, score = rows["correct"].to_numpy(float), rows["score"].to_numpy(float)
    if rows["decision"].isna().all():
        known, ones = ~np.isnan(correct), np.ones(len(rows))
        return Usable(ones, correct, ("accuracy",), known, score, correct, known & ~np.isnan(score), "confidence_gap")
    if np.isnan(outcome).all():
        known = ~np.isnan(decision)
        return Usable(np.zeros(len(rows)), decision, ("selection_rate",), known, score, outcome, ~known & False, "")
    known, scored = ~np.isnan(decision) & ~np.isnan(outcome), ~np.isnan(score) & ~np.isnan(outcome)
    return Usable(outcome, decision, RATES, known, score, outcome, scored, "calibration_gap")


def _of(values: Any, mask: Any) -> Any:
    return None if values is None else values[mask]


def _settings(options: Mapping[str, Any], seed: int) -> Any:
    from workbench.stats.groups import Settings

    return Settings(draws=options["draws"], seed=seed, interval=options["interval"], bins=options["bins"])


def metrics_of_groups(
    rows: "pd.DataFrame", options: Mapping[str, Any], *, by: tuple[str, ...], seed: int
) -> list[Metric]:
    """Return every metric: of all rows, of each group ("sex=f"), and between the groups of each attribute ("sex")."""
    given, clusters = usable(rows, options), clusters_of(rows)
    everything = Attribute("", (OVERALL,), np.zeros(len(rows), dtype=np.intp))
    found = _by_group(everything, given, clusters, options, seed)
    for attribute in attributes_of(rows, by, options["intersections"]):
        found += _by_group(attribute, given, clusters, options, seed)
        lines = between_of(attribute, given, clusters, options, seed)
        found += [Metric(name, attribute.name, *one.interval) for name, one in lines.items()]
    return found


def _by_group(
    attribute: Attribute, given: Usable, clusters: Any, options: Mapping[str, Any], seed: int
) -> list[Metric]:
    from workbench.stats.groups import by_group, calibration_by_group
    from workbench.stats.intervals import proportion

    found: dict[str, dict[str, Interval]] = {}
    counted, scored = given.counted & attribute.known, given.scored & attribute.known
    if not counted[attribute.known].all():
        for at, name in enumerate(attribute.groups):
            mine = attribute.codes == at
            found[name] = {"scored": proportion(counted[mine].astype(float), clusters=_of(clusters, mine))}
    for table in (
        by_group(
            attribute.of(counted),
            given.label[counted],
            given.prediction[counted],
            clusters=_of(clusters, counted),
            rates=given.rates,
        ),
        calibration_by_group(
            attribute.of(scored),
            given.score[scored],
            given.event[scored],
            clusters=_of(clusters, scored),
            settings=_settings(options, seed),
        ),
    ):
        for name, metrics in table.items():
            found.setdefault(name, {}).update(metrics)
    prefix = f"{attribute.name}=" if attribute.name else ""
    return [
        Metric(_gap(metric, given), f"{prefix}{name}", *interval)
        for name in sorted(found)
        for metric, interval in found[name].items()
    ]


def between_of(
    attribute: Attribute, given: Usable, clusters: Any, options: Mapping[str, Any], seed: int
) -> "dict[str, Comparison]":
    """Return what is between the groups of one attribute."""
    from workbench.stats.groups import between, calibration_between

    counted, scored = given.counted & attribute.known, given.scored & attribute.known
    settings = _settings(options, seed)
    found = between(
        attribute.of(counted),
        given.label[counted],
        given.prediction[counted],
        clusters=_of(clusters, counted),
        rates=given.rates,
        settings=settings,
    )
    if scored.any():
        found |= calibration_between(
            attribute.of(scored),
            given.score[scored],
            given.event[scored],
            clusters=_of(clusters, scored),
            settings=settings,
        )
    return {_gap(name, given): one for name, one in found.items()}


def _gap(metric: str, given: Usable) -> str:
    """Return a metric's name; the gap of a confidence bears the name that the calibration probe gives it."""
    return metric.replace("calibration_gap", given.gap) if given.gap else metric
