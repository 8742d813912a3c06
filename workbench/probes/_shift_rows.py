"""The rows of the probe `shift`: both sets in one table, each row with what is compared and how typical it is of the new set."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workbench.errors import DataError, UsageError, counted, unknown
from workbench.frames import require
from workbench.models.verbs import Monitor
from workbench.probes._rows import rows_frame
from workbench.probes._shift_features import Features, features_of
from workbench.probes._shift_tests import chosen_test, contributions
from workbench.probes.protocol import Scored

if TYPE_CHECKING:
    from workbench.data.examples import Examples

__all__ = ["rows_of"]

COLUMNS = ("set", "new", "text", "contribution", "label", "vector", "names", "levels", "level_names")
SHOWN = 6  # columns in the text of a row that has none
LOOKED_AT = 1000  # rows in which an order is looked for
SHUFFLES = 199
UNLIKE = 1.25  # ratio of the sets' mean cluster sizes from which a note warns


class Sets(NamedTuple):
    """The two sets of examples."""

    reference: "Examples"
    new: "Examples"


def rows_of(model: Any, examples: "Examples", options: Mapping[str, Any], monitor: Monitor) -> Scored:
    """Return one row per example of either set that was reached, the reference first."""
    import pandas as pd

    sets = _sets(examples, options)
    test = chosen_test(options)
    found = features_of(model, sets, options, monitor)
    at = [slice(0, len(sets.reference)), slice(len(sets.reference), None)]
    parts = []
    for one, name, place in zip(sets, ("reference", "new"), at, strict=True):
        slices = tuple(column for column in sets.new.slices if column in one.frame.columns)
        part = replace(one, slices=slices)
        parts.append(rows_frame(_records(one, found, place, name), part, COLUMNS))
    rows = pd.concat(parts, ignore_index=True)
    for name in ("names", "level_names", "vector", "levels"):
        rows[name] = rows[name].astype(object)
    rows["contribution"] = contributions(rows, test, options) if len(rows) else np.nan
    missing = int((~found.done[at[1]]).sum())
    missing = min(len(examples), max(missing, int((~found.done).sum())))
    return Scored(rows, {}, (*found.notes, *_notes(rows, sets, options, found)), missing=missing)


def _sets(examples: "Examples", options: Mapping[str, Any]) -> Sets:
    """Return reference and new examples, as two were given or one column tells them apart."""
    from workbench.data.named import examples_of

    given, split = options["reference"], options["split"]
    if given is None:
        raise UsageError(
            "The probe 'shift' compares two sets. Give the other one with reference=..., or split='column' and reference='value'."
        )
    if split is None:
        return Sets(examples_of(given), examples)
    frame = examples.frame
    require(frame, [split], what="The probe 'shift'", remedy="Name the column that tells the sets apart in split=.")
    before = (frame[split].astype(str) == str(given)).to_numpy()
    if not before.any():
        raise unknown(f"value of {split} (reference=)", given, sorted(map(str, frame[split].dropna().unique()))[:50])
    if before.all():
        raise DataError(f"All rows have {split}={given!r}: there is nothing to compare them with.")
    keep = [name for name in examples.slices if name != split]
    return Sets(*(replace(examples, _frame=frame[side], slices=tuple(keep)) for side in (before, ~before)))


def _records(examples: "Examples", found: Features, place: slice, name: str) -> list[dict[str, Any]]:
    """Return the records of the examples of a set that were reached."""
    frame = examples.frame
    texts = frame["text"].tolist() if "text" in frame.columns else _described(found, place)
    labels = [str(label) for label in frame["label"]] if examples.kind == "class" else [""] * len(frame)
    names, level_names = list(found.names), list(found.level_names)
    parts = zip(
        frame["example"], texts, labels, found.vectors[place], found.levels[place], found.done[place], strict=True
    )
    return [
        {
            "example": example,
            "variant": name,
            "set": name,
            "new": float(name == "new"),
            "text": text,
            "label": label,
            "vector": vector,
            "names": names,
            "levels": levels.tolist(),
            "level_names": level_names,
        }
        for example, text, label, vector, levels, done in parts
        if done
    ]


def _described(found: Features, place: slice) -> list[str]:
    """Return the first columns of each row as a text."""
    numbers = [
        [f"{name}={value:g}" for name, value in zip(found.names, row, strict=True)] for row in found.vectors[place]
    ]
    kinds = [
        [f"{name}={value}" for name, value in zip(found.level_names, row, strict=True)] for row in found.levels[place]
    ]
    return [", ".join([*kind, *number][:SHOWN]) for number, kind in zip(numbers, kinds, strict=True)]


def _notes(rows: Any, sets: Sets, options: Mapping[str, Any], found: Features) -> list[str]:
    """Return what speaks against the p-values: rows that belong together, stand in both sets, or lie in an order."""
    notes = [
        f"Reference: {sets.reference.name}, {len(sets.reference):,} rows; new: {sets.new.name}, {len(sets.new):,}."
    ]
    if options["on"] in ("embedding", "hidden") and len(rows):
        lost = int(rows["vector"].map(lambda vector: not np.isfinite(vector).all()).sum())
        if lost:
            notes.append(f"{counted(lost, 'text has', 'texts have')} no vector, left out of the tests.")
    several = rows.groupby("set")["cluster"].nunique()
    if several.sum() < len(rows):
        notes.append(_together(rows, several, chosen_test(options)))
    both = len(set(rows.loc[rows["new"] == 1, "text"]) & set(rows.loc[rows["new"] == 0, "text"])) if len(rows) else 0
    if both and options["on"] != "columns":
        notes.append(
            f"{counted(both, 'text stands', 'texts stand')} in both sets: the sets are not drawn independently."
        )
    sides = {"reference": slice(0, len(sets.reference)), "new": slice(len(sets.reference), None)}
    ordered = [name for name, place in sides.items() if _ordered(found.vectors[place], options)]
    if ordered:
        notes.append(
            f"The {' and the '.join(ordered)} rows are ordered: neighbours are more alike than chance. The tests shuffle them; but "
            "where rows were drawn by that order (every tenth of a sorted list, one author after another), p-values are wrong."
        )
    return notes


def _together(rows: Any, several: Any, test: str) -> str:
    """Return what a reader must know of rows that belong together, by the test."""
    said = f"Rows belong together: {len(rows):,} rows are {rows['cluster'].nunique():,} clusters. "
    if test not in ("mmd", "energy"):
        return (
            f"{said}The test {test!r} supposes independent rows, so that its p-values are too small. Take test='mmd' or 'energy', "
            "which deal whole clusters, or one row of each cluster."
        )
    said += "Whole clusters change places in the test, and rows of one cluster are not compared."
    sizes = (rows.groupby("set").size() / several).tolist()
    if max(sizes) > UNLIKE * min(sizes):
        said += (
            f" But clusters hold {sizes[0]:.1f} and {sizes[1]:.1f} rows on average: the p-value supposes clusters of like size in "
            "both sets. Take as many rows of each."
        )
    return said


def _ordered(vectors: np.ndarray, options: Mapping[str, Any]) -> bool:
    """Return whether rows next to each other are more alike than shuffled ones (p <= 0.01); tables of columns are standardised."""
    known = vectors[np.isfinite(vectors).all(axis=1)][:LOOKED_AT]
    if len(known) < 20 or not known.shape[1]:
        return False
    if options["on"] in ("tokens", "columns"):
        spread = known.std(axis=0)
        known = known[:, spread > 0] / spread[spread > 0]
    rng = np.random.default_rng([0, 31])
    total = np.square(known).sum(axis=1)

    def closeness(order: np.ndarray) -> float:
        moved = known[order]
        ends = total[order[0]] + total[order[-1]]
        return float(np.einsum("ij,ij->", moved[:-1], moved[1:]) + ends / 2)

    seen = closeness(np.arange(len(known)))
    return sum(closeness(rng.permutation(len(known))) >= seen for _ in range(SHUFFLES)) + 1 <= 0.01 * (SHUFFLES + 1)
