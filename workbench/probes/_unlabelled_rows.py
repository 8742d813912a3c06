"""The rows of the probe `unlabelled`: the answers on labelled reference examples, and those on the target."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.data.named import examples_of
from workbench.errors import DataError, NotApplicable, counted
from workbench.models.verbs import Classes, Monitor
from workbench.probes import _calibration_rows as ways
from workbench.probes._rows import need_verb, shared_texts
from workbench.probes.protocol import Scored
from workbench.stats.logistic import Logistic, fit_logistic
from workbench.stats.unlabelled import domain_weights

if TYPE_CHECKING:
    import pandas as pd

    from workbench.data.examples import Examples

__all__ = ["REFERENCE", "TARGET", "rows_of"]

REFERENCE, TARGET = "reference", "target"
SHOWN = ("text", "label", "predicted", "confidence", "correct")
FEWEST = 2  # folds of the domain classifier need so many examples of each set


class Sets(NamedTuple):
    """The labelled examples and those whose accuracy is wanted."""

    reference: "Examples"
    target: "Examples"


class Vectors(NamedTuple):
    """Vectors (n, d) of both sets, NaN where there is none."""

    reference: NDArray[np.float32]
    target: NDArray[np.float32]


def rows_of(model: Any, examples: "Examples", options: Mapping[str, Any], *, monitor: Monitor) -> Scored:
    """Return the rows of both sets; `weight` is the importance of reference rows, NaN without weights."""
    if options["reference"] is None:
        raise DataError("Name labelled examples with reference=: those that the model's accuracy is known on.")
    sets = Sets(examples_of(options["reference"]), examples)
    if sets.reference.kind == "text":
        raise DataError(f"The reference {sets.reference.name!r} has no labels. Name their column with label=.")
    notes: list[str] = []
    vectors = None
    asked = model
    if not {"classify", "choose"} & set(model.verbs):
        need_verb(model, "embed", "answers (classify, choose), or vectors for a head")
        head = _head(model, options, monitor)
        vectors = Vectors(*(_vectors(model, each, monitor) for each in sets))
        asked = _WithHead(model, head, dict(zip((REFERENCE, TARGET), vectors, strict=True)))
    elif options["weights"] == "vectors":
        need_verb(model, "embed", "vectors for importance weights")
        vectors = Vectors(*(_vectors(model, each, monitor) for each in sets))
    parts = []
    for name, each in zip((REFERENCE, TARGET), sets, strict=True):
        if isinstance(asked, _WithHead):
            asked.now = name
        made = _answers(asked, each, sets.reference, monitor)
        if name == REFERENCE and (made.missing or not len(made.rows)):
            return Scored(made.rows[:0].assign(set="", weight=np.nan), {}, made.notes, missing=len(examples))
        notes += [note for note in made.notes if note not in notes]
        missing = made.missing
        parts.append(made.rows.assign(set=name, variant=name))
    parts[0] = parts[0].assign(weight=_weights(sets, vectors, options, notes, parts[0]))
    rows = _joined(parts)
    both = shared_texts(*sets)
    if both:
        stand = counted(both, "text stands", "texts stand")
        notes.append(f"{stand} both in the reference and in the target: the sets are not drawn independently.")
    if rows.loc[rows["set"] == TARGET, "correct"].isna().all():
        notes.append("The target has no labels: its accuracy is estimated, and no error can be given.")
    return Scored(rows, {}, tuple(notes), missing=missing)


def _answers(model: Any, examples: "Examples", reference: "Examples", monitor: Monitor) -> Scored:
    """Return confidence and correctness, of examples without labels as well: there `correct` is NaN."""
    kind = reference.kind
    blind = examples.kind == "text" or "label" not in examples.frame.columns
    given = examples
    if blind:
        frame = examples.frame
        frame["label"] = 0 if kind == "choice" else reference.frame["label"].iloc[0]
        given = replace(examples, _frame=frame)
    if given.kind != kind:
        raise DataError(
            f"The reference {reference.name!r} is of the kind {kind!r}, {examples.name!r} of the kind {given.kind!r}. Both must be "
            "asked alike: name their columns with Examples.of(..., choices=, label=)."
        )
    if kind == "choice":
        made = ways.choice_rows(model, given, {"scoring": "raw"}, monitor=monitor)
    else:
        made = ways.class_rows(model, given, {}, monitor=monitor)
    rows = made.rows.drop(columns=["logits", "choices", "p_label", "nll", "brier", "label_index"])
    return replace(made, rows=rows.assign(label="", correct=np.nan) if blind else rows)


def _head(model: Any, options: Mapping[str, Any], monitor: Monitor) -> Logistic:
    """Return the logistic head of a model that gives vectors, fitted on the examples of `train`."""
    if options["train"] is None:
        raise DataError(
            f"{model.name!r} gives vectors, no answers: name labelled examples with train=, others than the reference, to fit a "
            "head on."
        )
    train = examples_of(options["train"])
    if train.kind != "class":
        raise DataError(f"The examples {train.name!r} (train=) have no labels. Name their column with label=.")
    made = model.embed([str(text) for text in train.frame["text"]], monitor=monitor)
    if not made.done.all():
        raise NotApplicable("the run was stopped before the head was fitted; the same call goes on from there.")
    order = np.argsort(
        train.frame["example"].to_numpy(str), kind="stable"
    )  # rounding does not follow the order of rows
    order = order[np.isfinite(made.vectors[order]).all(axis=1)]
    return fit_logistic(made.vectors[order], train.frame["label"].to_numpy(str)[order])


def _vectors(model: Any, examples: "Examples", monitor: Monitor) -> NDArray[np.float32]:
    return np.asarray(model.embed([str(text) for text in examples.frame["text"]], monitor=monitor).vectors)


class _WithHead:
    """A classifier made of vectors and a head: answers `classify` for the set that is `now`."""

    verbs = frozenset({"classify"})
    now = REFERENCE

    def __init__(self, model: Any, head: Logistic, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        self.name, self.head, self.vectors = model.name, head, vectors

    def classify(self, inputs: Any, *, monitor: Monitor | None = None) -> Classes:
        """Return the head's probabilities."""
        del inputs, monitor
        rows = self.vectors[self.now]
        done: NDArray[np.bool_] = np.asarray(np.isfinite(rows).all(axis=1))
        logits = np.full((len(rows), len(self.head.classes)), np.nan)
        if done.any():
            logits[done] = self.head.logits(rows[done])
        shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
        return Classes(tuple(self.head.classes), shifted / shifted.sum(axis=1, keepdims=True), logits, done)


def _weights(
    sets: Sets, vectors: Vectors | None, options: Mapping[str, Any], notes: list[str], rows: "pd.DataFrame"
) -> NDArray[np.float64]:
    """Return the importance of each reference row: of a column `weight`, of a domain classifier, or none (NaN)."""
    frame = sets.reference.frame
    none = np.full(len(rows), np.nan)
    if options["weights"] == "none":
        return none
    if "weight" in frame.columns and options["weights"] == "auto":
        given = frame["weight"].to_numpy(float)
        if not (np.isfinite(given).all() and (given >= 0).all() and given.sum() > 0):
            raise DataError("The column weight of the reference must hold numbers from 0, not all 0. Mend or drop it.")
        notes.append("Importance weights are those of the column weight of the reference.")
        return given
    if vectors is None:
        return none
    usable = [np.flatnonzero(np.isfinite(each).all(axis=1)) for each in vectors]
    if min(map(len, usable)) < FEWEST:
        return none
    ordered = [  # by id: folds do not follow the order of the rows
        each[np.argsort(examples.frame["example"].to_numpy(str)[each], kind="stable")]
        for each, examples in zip(usable, sets, strict=True)
    ]
    folds = min(5, *map(len, ordered))
    known = domain_weights(vectors.reference[ordered[0]], vectors.target[ordered[1]], folds=folds)
    weights = none.copy()
    weights[ordered[0]] = known
    effective = float(known.sum() ** 2 / (known**2).sum())
    notes.append(
        f"Importance weights are the odds of a cross-fitted domain classifier on vectors; {effective:,.0f} of {len(known):,} "
        "reference examples count by them."
    )
    return weights


def _joined(parts: list["pd.DataFrame"]) -> "pd.DataFrame":
    import pandas as pd

    return pd.concat([part.astype({"correct": float}) for part in parts], ignore_index=True)
