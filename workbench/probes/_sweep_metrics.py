"""The metrics of a sweep, functions of any of its rows: the inner probe's in each copy, and those against the clean answers."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.frames import metrics_frame
from workbench.probes._slices import OVERALL, clusters_of, groups_of, metrics_of
from workbench.probes._sweep_plan import CLEAN, inner_of, settings_of
from workbench.probes._sweep_rows import inner_rows

if TYPE_CHECKING:
    import pandas as pd

    from workbench.probes.protocol import Probe
    from workbench.stats.intervals import Interval

Floats = NDArray[np.float64]

__all__ = ["DETAIL", "per_row", "summarise", "values"]

DETAIL = ("copies", "pooled", "full")
TOLD = ("correct", "clean_correct", "flipped", "confidence_change")  # of each row
PAIRED = ("group", "cluster", "severity", "edit_count", *TOLD, "corruption")


def summarise(
    rows: "pd.DataFrame", options: Mapping[str, Any], *, by: tuple[str, ...] = (), seed: int = 0
) -> "pd.DataFrame":
    """Return metrics with the index columns `corruption`, `severity` and `slice`.

    In the slices of one copy stand accuracy, its change, flips and the change of confidence; `detail="full"` has all of the inner
    probe's metrics there, too, and `detail="pooled"` nothing of single copies.

    Lines of `corruption` "all" are over all corrupted copies together (group "all", or a slice such as "domain=law"); those of one
    copy have the group "corruption=keyboard:3", in a slice "domain & corruption=law & keyboard:3". The clean copy is
    "corruption=clean", severity 0.
    """
    import pandas as pd

    inner = inner_of(rows.columns, options)
    settings = settings_of(inner, options)
    detail = options["detail"]
    parts = []
    for corruption, severity, part in _cells(rows):
        pooled = corruption == OVERALL
        if detail == "pooled" and not pooled:
            break
        slices = by if pooled or detail == "full" else ()
        made = inner.summarise(inner_rows(part), settings, by=slices, seed=seed)
        held = part[[name for name in PAIRED if name in part] + [name for name in by if name not in PAIRED]]
        own = metrics_of(held, by, paired)
        if "accuracy" in set(made["metric"]):  # the inner probe's own, where it was asked
            own = own[~(own["metric"].eq("accuracy") & own["group"].isin(set(made["group"])))]
        found = pd.concat([some for some in (made, own) if len(some)] or [own], ignore_index=True)
        label = "" if pooled else CLEAN if corruption == CLEAN else f"{corruption}:{severity}"
        found = found.assign(corruption=corruption, severity=severity, slice=found["group"])
        parts.append(found.assign(group=[_group(str(group), label) for group in found["group"]]))
    parts = [part for part in parts if len(part)]
    if not parts:
        return metrics_frame([]).assign(corruption="", severity=0, slice="").astype({"severity": "Int64"})
    return pd.concat([part.astype({"severity": "Int64"}) for part in parts], ignore_index=True)


def paired(rows: "pd.DataFrame") -> "dict[str, Interval]":
    """Return what corruption changed in any rows, each against the clean answer of the same example."""
    from workbench.stats.intervals import mean, proportion
    from workbench.stats.paired import share_difference

    found: dict[str, Interval] = {}
    if "correct" in rows and rows["correct"].notna().any():
        known = rows[rows["correct"].notna()]
        found["accuracy"] = proportion(known["correct"].to_numpy(float), clusters=clusters_of(known))
    copies = rows[rows["severity"] > 0]
    if not len(copies):
        return found
    if "clean_correct" in copies:
        both = copies[copies["correct"].notna() & copies["clean_correct"].notna()]
        if len(both):
            found["accuracy_change"] = share_difference(
                both["correct"].to_numpy(float), both["clean_correct"].to_numpy(float), clusters=clusters_of(both)
            )
    flips = copies[copies["flipped"].notna()]
    if len(flips):
        found["flip_rate"] = proportion(flips["flipped"].to_numpy(float), clusters=clusters_of(flips))
    moved = copies[copies["confidence_change"].notna()]
    if len(moved):
        found["confidence_change"] = mean(moved["confidence_change"].to_numpy(float), clusters=clusters_of(moved))
    found["text_changed"] = proportion((copies["edit_count"] > 0).to_numpy(float), clusters=clusters_of(copies))
    return found


def per_row(rows: "pd.DataFrame", options: Mapping[str, Any]) -> dict[str, Floats]:
    """Return the numbers (n,) whose means are metrics of all corrupted copies together, NaN in the clean rows."""
    inner = inner_of(rows.columns, options)
    found = {**_numbers(rows), **_inner_numbers(inner, rows, settings_of(inner, options))}
    copies = (rows["severity"] > 0).to_numpy(bool)
    return {name: np.where(copies, one, np.nan) for name, one in found.items()} if copies.any() else found


def values(
    rows: "pd.DataFrame", options: Mapping[str, Any], *, by: tuple[str, ...] = ()
) -> dict[tuple[str, str], float]:
    """Return the value of each metric by (metric, group), as `summarise` has it, nothing where the inner probe tells none."""
    inner = inner_of(rows.columns, options)
    settings, detail = settings_of(inner, options), options["detail"]
    quick = getattr(inner, "values", None)
    found: dict[tuple[str, str], float] = {}
    if quick is None:
        return found
    for corruption, severity, part in _cells(rows):
        pooled = corruption == OVERALL
        if detail == "pooled" and not pooled:
            break
        slices = by if pooled or detail == "full" else ()
        groups = groups_of(part, by)
        asked = groups if slices == by else groups_of(part, slices)
        told = {
            **_means(_numbers(part), groups),
            **_means(_inner_numbers(inner, part, settings), asked),
            **quick(inner_rows(part), settings, by=slices),
        }
        label = "" if pooled else CLEAN if corruption == CLEAN else f"{corruption}:{severity}"
        found |= {(name, _group(group, label)): value for (name, group), value in told.items()}
    return found


def _numbers(rows: "pd.DataFrame") -> dict[str, Floats]:
    """Return the numbers (n,) whose means `paired` gives, NaN where a row is in none."""
    copies = (rows["severity"] > 0).to_numpy(bool)
    held = {name: rows[name].to_numpy(float) for name in TOLD if name in rows}
    found = {"accuracy": held["correct"]} if "correct" in held else {}
    if "correct" in held and "clean_correct" in held:
        found["accuracy_change"] = np.where(copies, held["correct"] - held["clean_correct"], np.nan)
    for name, column in (("flip_rate", "flipped"), ("confidence_change", "confidence_change")):
        if column in held:
            found[name] = np.where(copies, held[column], np.nan)
    found["text_changed"] = np.where(copies, (rows["edit_count"] > 0).to_numpy(float), np.nan)
    return found


def _inner_numbers(inner: "Probe", rows: "pd.DataFrame", settings: Mapping[str, Any]) -> Mapping[str, Floats]:
    """Return the numbers whose means are metrics of the inner probe, none where it tells none."""
    tell = getattr(inner, "per_row", None)
    return {} if tell is None else tell(inner_rows(rows), settings)


def _means(numbers: Mapping[str, Floats], groups: list[tuple[str, NDArray[np.bool_]]]) -> dict[tuple[str, str], float]:
    """Return the mean of each list of numbers in each group, NaN where none is known."""
    found = {}
    for name, one in numbers.items():
        there = ~np.isnan(one)
        for group, member in groups:
            known = one[member & there]
            found[name, group] = float(known.mean()) if len(known) else float("nan")
    return found


def _cells(rows: "pd.DataFrame") -> "list[tuple[str, int | None, pd.DataFrame]]":
    """Return all corrupted copies together, then the clean one and each copy, in the order of the run."""
    cells: list[tuple[str, int | None, pd.DataFrame]] = []
    if not len(rows):
        return cells
    copies = rows[rows["severity"] > 0]
    cells.append((OVERALL, None, copies if len(copies) else rows))
    if not len(copies):
        return cells
    place = {name: at for at, name in enumerate(dict.fromkeys(rows["corruption"]))}
    grouped: dict[Any, pd.DataFrame] = dict(iter(rows.groupby(["corruption", "severity"], sort=False)))
    for corruption, severity in sorted(grouped, key=lambda key: (key[0] != CLEAN, place[key[0]], key[1])):
        cells.append((str(corruption), int(severity), grouped[corruption, severity]))
    return cells


def _group(group: str, label: str) -> str:
    """Return the group of a line of one copy: a slice of its own, or crossed with the slice that it stands for."""
    if not label:
        return group
    if group == OVERALL:
        return f"corruption={label}"
    column, equals, value = group.partition("=")
    return f"{column} & corruption={value} & {label}" if equals else f"{group} & corruption={label}"
