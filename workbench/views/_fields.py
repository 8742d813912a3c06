"""Fields: what can be brushed, as one byte per row.

Each field gives every row a code below `bins`; the code `bins` stands for "none" (no confidence, no outcome, no value). A brush
on a field is a set of codes. The browser counts codes, and never sees the values.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from workbench.probes.protocol import View

__all__ = [
    "CONFIDENCE",
    "COVERAGE",
    "MAX_BINS",
    "Field",
    "fields_of",
    "keep",
    "place",
    "tempered",
    "value_edges",
    "view_fields",
]

CONFIDENCE, COVERAGE, OUTCOME, VALUE, SLICE, CURVE = "confidence", "coverage", "outcome", "value", "slice", "curve"
MAX_BINS = 200  # codes are bytes, and 253 to 255 mean something else in the count
FEWEST, MOST_STEPS = 30, 180  # bins of a value before its step is rounded up
ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)  # steps that people can read, times a power of ten
MANY = 20  # a number with more values than this is cut into parts
BLANK, OTHER = "(blank)", "(other)"

Codes = NDArray[np.uint8]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Field:
    """One thing that can be brushed: `codes` (n,), and what they mean: `edges` (bins + 1,) or `labels` (bins,)."""

    name: str
    kind: str  # "confidence", "coverage", "value", "slice", or "curve": a code is a point, `edges` its place, `labels` its line
    bins: int
    codes: Codes
    edges: Floats
    labels: tuple[str, ...] = ()
    title: str = ""  # what it is called; without one by its name

    def for_page(self) -> dict[str, Any]:
        """Return what the page needs to know of it, without the codes."""
        about = {"name": self.name, "kind": self.kind, "bins": self.bins, "labels": list(self.labels)}
        return {**about, "edges": self.edges.tolist(), "title": self.title or self.name}

    def describe(self, codes: Sequence[int]) -> str:
        """Return a set of codes in words.

        >>> edges = np.array([0.0, 0.5, 1.0])
        >>> Field("confidence", "confidence", 2, np.zeros(1, np.uint8), edges).describe([1])
        'confidence 0.5 to 1'
        """
        if self.kind == SLICE:
            return f"{self.name}: {', '.join(self.labels[code] for code in codes if code < self.bins)}"
        if self.kind == CURVE:
            places = sorted({float(self.edges[code]) for code in codes})
            return f"{self.title or self.name} {', '.join(f'{place:g}' for place in places)}"
        low, high = self.edges[min(codes)], self.edges[min(max(codes) + 1, self.bins)]
        digits = 6 if self.kind == VALUE else 3
        return f"{self.title or self.name} {low:.{digits}g} to {high:.{digits}g}"


def fields_of(rows: "pd.DataFrame", by: Sequence[str], options: Mapping[str, Any]) -> tuple[Field, ...]:
    """Return the fields of rows: confidence, coverage, each slice column, and the outcome.

    `options` may hold `bins` and `scheme`, as the calibration probe has them.
    """
    from workbench.stats.binning import edges, mass_edges

    confidence, correct = rows["confidence"].to_numpy(float), rows["correct"].to_numpy(float)
    usable = np.isfinite(confidence) & np.isfinite(correct)
    bins = int(options.get("bins", 15))
    if not 1 <= bins <= MAX_BINS:
        raise DataError(
            f"The explorer shows 1 to {MAX_BINS} bins; this report has {bins}. Use report.with_options(bins=15)."
        )
    by_mass = options.get("scheme", "width") == "mass" and usable.any()
    limits = mass_edges(confidence[usable], bins) if by_mass else edges(bins)
    codes = np.full(len(rows), len(limits) - 1, dtype=np.uint8)
    codes[usable] = place(confidence[usable], limits, closed="right" if by_mass else "left")
    confident = Field(CONFIDENCE, CONFIDENCE, len(limits) - 1, codes, limits)
    return (confident, _coverage(confidence, usable), *_slices(rows, by), _outcome(correct))


def view_fields(rows: "pd.DataFrame", by: Sequence[str], view: "View") -> tuple[Field, ...]:
    """Return the fields of rows that a probe has a view of: its value, each slice column, and its outcome.

    The value is called what its column of the table is, which is short; the axis has its whole title.
    """
    values = rows[view.value].to_numpy(float)
    finite = np.isfinite(values)
    limits = value_edges(values[finite])
    codes = np.full(len(rows), len(limits) - 1, dtype=np.uint8)
    codes[finite] = place(values[finite], limits)
    title = next((said for name, said, _ in view.columns if name == view.value), view.title)
    value = Field(view.value, VALUE, len(limits) - 1, codes, limits, title=title)
    several = view.terms in rows and rows[view.terms].nunique() > 1
    sliced = [*by, view.terms] if several else by
    if several and "group" not in by and rows["group"].astype(str).equals(rows[view.terms].astype(str)):
        rows = rows.drop(columns="group")  # the terms by another name
    outcome = _outcome(rows[view.outcome].to_numpy(float), view.outcomes, "neither")
    titles = {name: said for name, said, _ in view.columns}
    slices = [
        replace(one, title=titles.get(one.name, ""))
        for one in _slices(rows, sliced, dict.fromkeys(view.slices, view.blank))
    ]
    return (value, *_curve(rows, view), *slices, outcome)


def _curve(rows: "pd.DataFrame", view: "View") -> tuple[Field, ...]:
    """Return the points of a view's curve as one field, none where the view has no curve, or too many points.

    The one line that has a point at the first place alone is where every line starts (clean examples); its label is "".
    """
    if not view.curve or not set(view.curve) <= set(rows.columns):
        return ()
    along, line = view.curve
    order = {name: at for at, name in enumerate(dict.fromkeys(rows[line]))}
    points = sorted(set(zip(rows[along].tolist(), rows[line], strict=True)), key=lambda one: (order[one[1]], one[0]))
    if not 2 <= len(points) <= MAX_BINS:
        return ()
    code_of = {point: code for code, point in enumerate(points)}
    codes = np.array([code_of[point] for point in zip(rows[along].tolist(), rows[line], strict=True)], dtype=np.uint8)
    first = min(place for place, _ in points)
    alone = [name for name in order if [place for place, one in points if one == name] == [first]]
    start = alone[0] if len(alone) == 1 and len(order) > 1 else None
    labels = tuple("" if name == start else str(name) for _, name in points)
    edges = np.array([float(place) for place, _ in points])
    return (Field(along, CURVE, len(points), codes, edges, labels, title=along.replace("_", " ")),)


def value_edges(values: Floats) -> Floats:
    """Return the edges of at most 200 bins that hold all values: multiples of a round step, so that zero is one if it lies within.

    The step is that of Freedman and Diaconis (1981), rounded up, where it gives neither few bins nor too many.

    >>> value_edges(np.array([-0.9, -0.2, 0.1, 0.4, 1.3])).tolist()[:3]
    [-0.9, -0.8, -0.7]
    """
    if not len(values):
        return np.array([0.0, 1.0])
    low, high = float(values.min()), float(values.max())
    if low == high:
        half = abs(low) / 2 or 0.5
        return np.array([low - half, low + half])
    quartiles = np.quantile(values, [0.25, 0.75])
    wide = 2 * float(quartiles[1] - quartiles[0]) / len(values) ** (1 / 3)
    wide = min(max(wide, (high - low) / MOST_STEPS), (high - low) / FEWEST)
    power = 10.0 ** np.floor(np.log10(wide))
    step = power * next(size for size in ROUND if size * power >= wide * (1 - 1e-9))
    first, last = np.floor(low / step + 1e-9), np.ceil(high / step - 1e-9)
    return np.round(np.arange(first, last + 1) * step, max(0, 2 - int(np.log10(power)))) + 0.0


def place(confidence: Floats, limits: Floats, *, closed: str = "left") -> Codes:
    """Return the bin of each confidence: closed on the left, the last on both sides (or closed on the right).

    >>> place(np.array([0.0, 0.5, 1.0]), np.array([0.0, 0.5, 1.0]))
    array([0, 1, 1], dtype=uint8)
    """
    side = "left" if closed == "right" else "right"
    return np.searchsorted(limits[1:-1], confidence, side=side).astype(np.uint8)  # type: ignore[call-overload]  # `side` is one of two words


def keep(fields: Sequence[Field], allowed: Sequence[Sequence[int] | None]) -> NDArray[np.bool_]:
    """Return which rows (n,) pass every brush; None lets all pass."""
    passes = np.ones(len(fields[0].codes), dtype=bool)
    for field, codes in zip(fields, allowed, strict=True):
        if codes is not None:
            table = np.zeros(256, dtype=bool)
            table[list(codes)] = True
            passes &= table[field.codes]
    return passes


def _coverage(confidence: Floats, usable: NDArray[np.bool_]) -> Field:
    """Return the rank of each row's confidence, most confident first, in at most 200 parts that never split a tie."""
    n = int(usable.sum())
    codes = np.full(len(confidence), 1, dtype=np.uint8)
    if not n:
        return Field(COVERAGE, COVERAGE, 1, codes, np.array([0.0, 1.0]))
    values, inverse, counts = np.unique(-confidence[usable], return_inverse=True, return_counts=True)
    ends = np.cumsum(counts) / n
    few = len(values) <= MAX_BINS
    part = np.arange(len(values)) if few else np.ceil(ends * MAX_BINS - 1e-9).astype(int) - 1
    kept, part = np.unique(part, return_inverse=True)
    last = np.append(np.flatnonzero(np.diff(part)), len(part) - 1)
    codes = np.full(len(confidence), len(kept), dtype=np.uint8)
    codes[usable] = part[inverse]
    return Field(COVERAGE, COVERAGE, len(kept), codes, np.concatenate([[0.0], ends[last]]))


def _slices(rows: "pd.DataFrame", by: Sequence[str], blanks: Mapping[str, str] = {}) -> list[Field]:
    """Return a field for each slice column, and for the group where there is more than one."""
    columns = dict.fromkeys(by)
    if "group" in rows and rows["group"].nunique() > 1:
        columns["group"] = None
    return [_slice(name, rows[name], blanks.get(name, BLANK)) for name in columns]


def _slice(name: str, column: "pd.Series[Any]", none: str = BLANK) -> Field:
    """Return the categories of a column, the most frequent first; many numbers are cut into fifths."""
    import pandas as pd

    numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    if numeric and column.nunique() > MANY:
        parts = pd.qcut(column, 5, duplicates="drop", precision=3)
        names = [str(part) for part in parts.cat.categories]
        codes = parts.cat.codes.to_numpy()
        blank = bool((codes < 0).any())
        labels = (*names, none) if blank else tuple(names)
        return Field(
            name, SLICE, len(labels), np.where(codes < 0, len(names), codes).astype(np.uint8), np.empty(0), labels
        )
    at, words = _words(column, none)
    counts: dict[str, int] = {}
    for word, n in zip(words, np.bincount(at, minlength=len(words)).tolist(), strict=True):
        if n:
            counts[word] = counts.get(word, 0) + n
    ranked = sorted(counts, key=lambda word: (word == none, -counts[word], word))
    named = ranked if len(ranked) <= MAX_BINS else ranked[: MAX_BINS - 1]
    place_of = {word: i for i, word in enumerate(named)}
    labels = tuple(named) if len(named) == len(ranked) else (*named, OTHER)
    found = np.array([place_of.get(word, MAX_BINS - 1) for word in words], dtype=np.uint8)
    return Field(name, SLICE, len(labels), found[at], np.empty(0), labels)


def _words(column: "pd.Series[Any]", none: str) -> tuple[NDArray[np.intp], list[str]]:
    """Return each row's value (n,) as a place in the words that come with it; a word of several values stands several times."""
    import pandas as pd

    if column.dtype == object:  # 1 and True are equal, but not the same word
        at, words = pd.factorize(column.map(str).where(column.notna(), none))
        return at, [str(word) or none for word in words]
    at, values = pd.factorize(column)  # -1 for what is missing
    return np.where(at < 0, len(values), at), [*(str(value) or none for value in values), none]


def _outcome(outcome: Floats, words: tuple[str, str] = ("right", "wrong"), none: str = "no answer known") -> Field:
    codes = np.where(np.isnan(outcome), 2, np.where(outcome > 0, 0, 1)).astype(np.uint8)
    labels = (*words, none) if (codes == 2).any() else words
    return Field(OUTCOME, SLICE, len(labels), codes, np.empty(0), labels)


def tempered(fields: Sequence[Field], confidence: Floats) -> tuple[Field, Field]:
    """Return the fields of confidence and coverage with other confidences (n,): the bins and the parts' ranks stay.

    A row is usable where it was. The coverage's code is that of the row's new rank, ties at their last row.
    """
    stated, covered = fields
    usable = stated.codes < stated.bins
    codes = stated.codes.copy()
    codes[usable] = place(confidence[usable], stated.edges)
    ranks = covered.codes.copy()
    if usable.any():
        ordered = np.sort(confidence[usable])
        above = len(ordered) - np.searchsorted(ordered, confidence[usable], side="left")
        ranks[usable] = np.searchsorted(covered.edges[1:], above / len(ordered) - 1e-9, side="left").clip(
            0, covered.bins - 1
        )
    new = Field(CONFIDENCE, CONFIDENCE, stated.bins, codes, stated.edges)
    return new, Field(COVERAGE, COVERAGE, covered.bins, ranks, covered.edges)
