"""The rows of the probe `checklist`: one for each text, with the prediction and whether it fails what is expected of it.

Expectations, after Ribeiro et al. 2020 (arXiv 2005.04118) and the code of its authors (`checklist/expect.py`); p is a class
probability, t the tolerance, an original's class is the one predicted for it:

========== ==================================================== =================================================
is         the prediction is `expected`, or is not X ("not X")
same       a perturbed text: the prediction stays               ... or p of the original's class moves at most t
surer      p of the original's class falls at most t            applies where that is not neutral, and p above t
less sure  it rises at most t                                   applies where that is not neutral, p below 1 - t
more X     p(X) less p of its opposite falls at most t          X is positive or negative
turns      the prediction is `expected`                         applies where the original's is not
========== ==================================================== =================================================
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError, UsageError, unknown
from workbench.frames import require
from workbench.models.verbs import Monitor
from workbench.probes._rows import need_verb, rows_frame
from workbench.probes._stored import numbers_of, stored_examples
from workbench.probes.protocol import Scored

if TYPE_CHECKING:
    from workbench.data.examples import Examples

__all__ = ["COLUMNS", "EXPECTATIONS", "Classified", "banded", "rows_of", "score", "verdict"]

EXPECTATIONS = ("is", "same", "surer", "less sure", "more positive", "more negative", "turns")
NEEDED = ("text", "type", "test", "capability", "case", "role", "expectation", "expected")
COLUMNS = (*NEEDED, "original", "predicted", "confidence", "change", "failed")
REMEDY = "wb.benchmark('checklist') has them; docs/checklist.md says what they hold."
ALSO = {"negative": ("neg", "bad"), "positive": ("pos", "good"), "neutral": ("neu",)}  # other spellings of classes
OPPOSITE = {"more positive": ("positive", "negative"), "more negative": ("negative", "positive")}
SLACK = 1e-12  # of float64 sums: a change of exactly the tolerance is within it
Floats = NDArray[np.float64]


class Classified(NamedTuple):
    """Class probabilities (n, K) and the names of the classes."""

    probabilities: Floats
    classes: tuple[str, ...]


def score(model: Any, examples: "Examples", options: Mapping[str, Any], *, monitor: Monitor) -> Scored:
    """Return a row for each text of the cases that the model got through, and what was decided."""
    need_verb(model, "classify", "class probabilities")
    frame = examples.frame
    require(frame, NEEDED, what="The checklist probe", remedy=REMEDY)
    _check(frame)
    texts = frame["text"].tolist()
    unique = list(dict.fromkeys(texts))
    given = model.classify(unique, monitor=monitor)
    at = {text: i for i, text in enumerate(unique)}
    place = np.array([at[text] for text in texts])
    done = np.asarray(given.done, bool)[place]
    known = Classified(given.probabilities[place], tuple(map(str, given.labels)))
    return _scored(examples, known, done, options, str(model.name))


def rows_of(frame: Any, *, columns: Mapping[str, Any], by: Sequence[str], options: Mapping[str, Any]) -> Scored:
    """Return the rows of class probabilities that were made elsewhere.

    The table has the columns of the examples, and one column of probabilities for each class; `probabilities` names these.
    """
    import pandas as pd

    table = pd.DataFrame(frame).reset_index(drop=True)
    given = columns.get("probabilities")
    if isinstance(given, str) or not isinstance(given, Sequence) or len(given) < 2:
        raise UsageError(
            "Name the columns of class probabilities, as in from_predictions(frame, probe='checklist', "
            "probabilities=['negative', 'neutral', 'positive'])."
        )
    require(table, [str(name) for name in given], what="probabilities", remedy="Name columns of the table.")
    rest = {word: name for word, name in columns.items() if word != "probabilities"}
    examples = stored_examples(table, rest, by, needed=NEEDED, optional=("classes",))
    _check(examples.frame)
    shares: Floats = np.stack([numbers_of(table, str(name)).to_numpy(np.float64) for name in given], axis=1)
    done = np.asarray(np.isfinite(shares).all(axis=1), dtype=bool)
    wrong = done & ((shares < 0).any(axis=1) | (np.abs(shares.sum(axis=1) - 1) > 1e-3))
    if wrong.any():
        row = int(wrong.argmax())
        raise DataError(
            f"Row {row} has the probabilities {shares[row].tolist()}; they must be at least 0 and sum to 1."
        )
    return _scored(examples, Classified(shares, tuple(map(str, given))), done, options, "the table")


def _scored(
    examples: "Examples", given: Classified, done: NDArray[np.bool_], options: Mapping[str, Any], model: str
) -> Scored:
    """Return the rows of the probabilities of each text (n, K)."""
    frame = examples.frame
    known, notes = _named(given, _wanted(frame), _classes(frame), options, model)
    lines: list[dict[str, Any]] = [
        dict(zip(("example", *NEEDED), line, strict=True))
        for line in frame[["example", *NEEDED]].itertuples(index=False)
    ]
    records: list[dict[str, Any]] = []
    missing = alone = 0
    for members in frame.groupby("case", sort=False).indices.values():
        case = [lines[i] for i in members]
        if case[0]["type"] != "MFT" and not any(line["role"] == "original" for line in case):
            alone += 1
        elif not done[members].all():
            missing += len(members)
        else:
            judged = Classified(known.probabilities[members], known.classes)
            records += _judged(case, judged, float(options["tolerance"]))
    if alone and not records:
        raise DataError(
            "No case has its original among these examples. Take whole cases: where(case=[...]), per_test=."
        )
    own = tuple(name for name in COLUMNS if name not in examples.slices)
    rows = rows_frame(records, examples, own)
    lost = (f"{alone} cases are not judged: their original is not among the examples.",) if alone else ()
    return Scored(rows, {}, (*notes, *_said(rows), *lost), missing=missing)


def _check(frame: Any) -> None:
    """Refuse an expectation that is not known, and a case of several originals."""
    strange = [name for name in frame["expectation"] if name and name not in EXPECTATIONS]
    if strange:
        raise unknown("expectation", strange[0], EXPECTATIONS)
    moved = frame[~frame["type"].eq("MFT")]
    counts = (moved["role"] == "original").groupby(moved["case"]).sum()
    wrong = counts[counts > 1]
    if len(wrong):
        raise DataError(
            f"The case {wrong.index[0]!r} has {int(wrong.iloc[0])} texts with the role 'original'; INV and DIR cases have one."
        )


def _wanted(frame: Any) -> list[str]:
    """Return the classes that the expectations name."""
    named = [name.removeprefix("not ") for name in frame["expected"] if name]
    named += [name for kind in frame["expectation"] for name in OPPOSITE.get(kind, ())]
    return sorted(set(named))


def _classes(frame: Any) -> list[str]:
    """Return all classes of the suite: those of the column `classes`, whatever tests are asked of it, else those named."""
    if "classes" not in frame.columns:
        return _wanted(frame)
    said = [name.strip() for cell in set(frame["classes"]) for name in str(cell).split(",")]
    return sorted({name for name in said if name} | set(_wanted(frame)))


def _named(
    given: Classified, wanted: Sequence[str], classes: Sequence[str], options: Mapping[str, Any], model: str
) -> tuple[Classified, tuple[str, ...]]:
    """Return the probabilities under the names of the expectations, with a neutral class where a model has none."""
    own = dict(options["labels"])
    for label in own:
        if label not in given.classes:
            raise unknown(f"class of {model}", label, given.classes)
    spelt = {other: name for name, others in ALSO.items() for other in others}
    spelt |= {name.casefold(): name for name in (*ALSO, *classes)}
    names = tuple(str(own.get(label, spelt.get(label.casefold(), label))) for label in given.classes)
    if len(set(names)) < len(names):
        raise UsageError(f"Two classes of {model} get the same name: {', '.join(names)}. Name each with labels=.")
    notes: tuple[str, ...] = ()
    found = Classified(given.probabilities, names)
    width = float(options["neutral"])
    if "neutral" in classes and "neutral" not in names and set(names) == {"negative", "positive"} and width:
        found = banded(found, width)
        notes = (
            f"{model} has no class neutral: p(positive) within {(1 - width) / 2:.3g} to {(1 + width) / 2:.3g} counts as neutral.",
        )
    lacks = [name for name in wanted if name not in found.classes]
    if lacks:
        raise UsageError(
            f"The tests expect the class(es) {', '.join(lacks)}; {model} has {', '.join(given.classes)}. Say which is which, as in "
            f"labels={{{given.classes[0]!r}: {lacks[0]!r}}}, or leave out the tests."
        )
    return found, notes


def banded(given: Classified, width: float) -> Classified:
    """Return three classes of two: p(positive) within a band of that width around one half is neutral.

    The paper counts (1/3, 2/3) as neutral for models of SST-2. Within the band p(neutral) falls linearly from 1 at one half to 1/2
    at the edges and the rest is the nearer class's, which is our choice; outside it p(neutral) is 0.

    >>> banded(Classified(np.array([[0.5, 0.5], [0.1, 0.9], [0.4, 0.6]]), ("negative", "positive")), 0.4).probabilities.round(3)
    array([[0.  , 1.  , 0.  ],
           [0.1 , 0.  , 0.9 ],
           [0.  , 0.75, 0.25]])
    """
    positive = given.probabilities[:, given.classes.index("positive")]
    far = np.abs(positive - 0.5)
    inside = far < width / 2
    neutral = np.where(inside, 1 - far / width, 0.0)
    up = np.where(inside, np.where(positive >= 0.5, 1 - neutral, 0.0), positive)
    down = np.where(inside, np.where(positive < 0.5, 1 - neutral, 0.0), 1 - positive)
    return Classified(np.stack([down, neutral, up], axis=1), ("negative", "neutral", "positive"))


def verdict(kind: str, expected: str, pair: Classified, tolerance: float) -> tuple[float, float]:
    """Return whether a text fails (1, 0, NaN where the expectation does not apply) and the change that was judged (NaN: none).

    `pair` has the probabilities (2, K) of the original and of the text; they are the same row for texts without an original.

    >>> both = Classified(np.array([[0.2, 0.8], [0.6, 0.4]]), ("negative", "positive"))
    >>> verdict("same", "", both, 0.1), verdict("is", "negative", both, 0.1)[0]
    ((1.0, -0.4), 0.0)
    """
    (first, this), classes = pair
    before, after = int(first.argmax()), int(this.argmax())
    change = float(this[before] - first[before])
    if kind in ("is", "turns"):
        if kind == "turns" and classes[before] == expected:
            return np.nan, np.nan
        hit = (
            classes[after] != expected.removeprefix("not ")
            if expected.startswith("not ")
            else classes[after] == expected
        )
        return float(not hit), np.nan
    if kind == "same":
        return float(before != after and abs(change) > tolerance + SLACK), change
    if kind in OPPOSITE:
        up, down = (classes.index(name) for name in OPPOSITE[kind])
        change = float((this[up] - this[down]) - (first[up] - first[down]))
        return float(change < -tolerance - SLACK), change
    sure = float(first[before])
    if kind == "" or classes[before] == "neutral":
        return np.nan, np.nan
    if kind == "surer":
        return (np.nan, np.nan) if sure <= tolerance else (float(change < -tolerance - SLACK), change)
    return (np.nan, np.nan) if sure >= 1 - tolerance else (float(change > tolerance + SLACK), change)


def _judged(case: Sequence[Mapping[str, Any]], given: Classified, tolerance: float) -> list[dict[str, Any]]:
    """Return the records of a case, its original first where it has one."""
    table, classes = given
    minimum = case[0]["type"] == "MFT" or len(case) == 1  # a text that is judged by itself
    origin = None if minimum else next(i for i, line in enumerate(case) if line["role"] == "original")
    records = []
    for place, line in enumerate(case):
        first = place if origin is None else origin
        known: dict[str, Any] = {name: line[name] for name in NEEDED}
        if origin == place:
            failed = change = np.nan
        else:
            pair = Classified(table[[first, place]], classes)
            failed, change = verdict(line["expectation"], line["expected"], pair, tolerance)
        best = int(table[place].argmax())
        records.append(
            {
                "example": line["example"],
                "variant": "" if minimum or origin == place else "perturbed",
                **known,
                "original": "" if minimum or origin == place else case[first]["text"],
                "predicted": classes[best],
                "confidence": float(table[place, best]),
                "change": change,
                "failed": failed,
            }
        )
    return records


def _said(rows: Any) -> tuple[str, ...]:
    """Return how many texts no expectation is known for."""
    unknown_kind = rows[rows["expectation"] == ""]
    if not len(unknown_kind):
        return ()
    tests = ", ".join(sorted(set(unknown_kind["test"])))
    return (f"{unknown_kind['case'].nunique()} cases are not judged, their expectation is not known: {tests}.",)
