"""The rows of the probe `ood`: one per example and score, with what is known of the example and its rank."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.data.named import examples_of
from workbench.errors import DataError, counted, unknown
from workbench.frames import halves, require
from workbench.models.verbs import Monitor
from workbench.probes import _ood_scores as ways
from workbench.probes._rows import rows_frame, shared_texts
from workbench.probes.protocol import Scored
from workbench.stats._checks import Floats
from workbench.stats.ood_metrics import keeping

if TYPE_CHECKING:
    import pandas as pd

    from workbench.data.examples import Examples

__all__ = ["COLUMNS", "rows_of"]

COLUMNS = ("text", "score", "value", "outside", "rank", "kept", "label", "predicted", "correct")
OUT = frozenset({"1", "true", "yes", "out", "outside", "ood", "oos"})
IN = frozenset({"0", "false", "no", "in", "inside", "id", "ind"})
KNOWN = ("outside", "ood")  # columns that are read without being named
FEWEST = 20  # rows of the reference that are held out for ranks


def rows_of(model: Any, examples: "Examples", options: Mapping[str, Any], *, monitor: Monitor) -> Scored:
    """Return the rows, and notes of what was decided."""
    frame = examples.frame
    if not examples.features:
        require(frame, ["text"], what="Scoring examples", remedy="Name the column with Examples.of(..., text=).")
    wanted = (options["scores"],) if isinstance(options["scores"], str) else tuple(options["scores"])
    reference = None if options["reference"] is None else examples_of(options["reference"])
    wanted = ways.need_scores(model, wanted, reference is not None)
    outside, said = _outside(examples, reference, options["outside"])
    classify = "classify" in model.verbs
    held: NDArray[np.bool_] | None = None
    if classify:
        asked = ways.ask(model, examples, wanted, monitor=monitor)
        if said is None and examples.kind == "class":
            outside = np.array([float(str(label) not in asked.classes) for label in frame["label"]])
            said = "Outside is what has a label that the model does not know."
        ranked: dict[str, Floats] = {}
        if reference is not None and not (outside == 0).any():
            ranked = ways.ask(model, reference, wanted, monitor=monitor).scores
    else:
        asked_for, alone = {**options, "scores": wanted}, not (outside == 0).any()
        asked, ranked, held = _embedded(model, examples, reference, asked_for, alone, monitor)
    notes = [
        *asked.notes,
        *([said] if said else ["Which examples are out-of-distribution is not known: no rates are given."]),
    ]
    if said and len({*outside[~np.isnan(outside)]}) < 2:
        which = "None" if not (outside == 1).any() else "All"
        notes.append(f"{which} of the examples known to be in or out are outside: AUROC and the rates need both kinds.")
    if ranked:
        notes.append(_ranked_by(reference, held))
    both = 0 if reference is None else shared_texts(reference, examples)
    if both:
        stand = counted(both, "text stands", "texts stand")
        notes.append(f"{stand} both in the reference and in the examples: they look more usual than new texts would.")
    left = [name for name in wanted if name not in asked.scores and not any(name in note for note in asked.notes)]
    if left and asked.done.all():
        notes.append(f"Left out, since they need labels of the reference or logits: {', '.join(left)}.")
    rows = _table(examples, asked, outside, ranked)
    return Scored(rows, {}, tuple(notes), missing=int((~asked.done).sum()))


def _embedded(
    model: Any,
    examples: "Examples",
    reference: "Examples | None",
    options: Mapping[str, Any],
    alone: bool,
    monitor: Monitor,
) -> tuple[ways.Asked, dict[str, Floats], NDArray[np.bool_] | None]:
    """Return scores of vectors and likelihoods, and those of a held-out part of the reference where ranks need them."""
    texts = [str(text) for text in examples.frame["text"]]
    wanted = options["scores"]
    scores: dict[str, Floats] = {}
    ranked: dict[str, Floats] = {}
    done = np.ones(len(texts), dtype=bool)
    predicted, classes, held = None, frozenset[str](), None
    fluency, known_fluency = None, None
    others = reference is not None and any(name != "perplexity" for name in wanted)
    if others and reference is not None:
        sources = [str(text) for text in reference.frame["text"]]
        fluent = "perplexity" in wanted
        known = ways.read(model, sources, options, likelihood=fluent and alone, monitor=monitor)
        if not known.done.all():
            return ways.Asked({}, np.zeros(len(texts), dtype=bool)), {}, None
        given = ways.read(model, texts, options, likelihood=fluent, monitor=monitor)
        fluency, known_fluency = given.fluency, known.fluency
        done &= given.done
        labels = None
        if reference.kind == "class":
            labels = np.array([str(label) for label in reference.frame["label"]], dtype=object)
            classes = frozenset(labels.tolist())
        usable = np.isfinite(known.vectors).all(axis=1)
        held = _held(reference, options["check"]) & usable if alone else np.zeros(len(sources), dtype=bool)
        fit = usable & ~held
        if not fit.any():
            raise DataError(f"No example of the reference {reference.name!r} has a vector. Are its texts empty?")
        order = np.argsort(reference.frame["example"].to_numpy(str), kind="stable")
        order = order[fit[order]]  # by id: rounding in the fit does not follow the order of the rows
        fitted = ways.Fitted.of(known.vectors[order], None if labels is None else labels[order], wanted)
        with_vector = done & np.isfinite(given.vectors).all(axis=1)
        if with_vector.any():
            found = fitted.scores(given.vectors[with_vector], wanted, options)
            scores = {name: ways._spread(values, with_vector) for name, values in found.items()}
            if fitted.head is not None:
                best = fitted.head.logits(given.vectors[with_vector]).argmax(axis=1)
                predicted = np.full(len(texts), "", dtype=object)
                predicted[with_vector] = np.array(fitted.head.classes, dtype=object)[best]
        if held.any():
            ranked = fitted.scores(known.vectors[held], wanted, options)
    if "perplexity" in wanted:
        if fluency is None:
            fluency, reached = ways.perplexity_of(model, texts, monitor=monitor)
            done &= reached
        scores["perplexity"] = fluency
        if alone and reference is not None:
            if known_fluency is None:
                known_fluency, _ = ways.perplexity_of(
                    model, [str(text) for text in reference.frame["text"]], monitor=monitor
                )
            ranked["perplexity"] = known_fluency
    return ways.Asked(scores, done, predicted, classes), ranked, held


def _held(reference: "Examples", share: float) -> NDArray[np.bool_]:
    """Return which examples of the reference are kept from the fit, drawn by id; none where there would be too few."""
    if share * len(reference) < FEWEST:
        return np.zeros(len(reference), dtype=bool)
    return np.array([half == "confirm" for half in halves(reference.frame["example"].tolist(), share, 0)])


def _ranked_by(reference: "Examples | None", held: NDArray[np.bool_] | None) -> str:
    name = "the reference" if reference is None else reference.name
    part = f"the {int(held.sum()):,} examples of {name} that nothing was fitted on" if held is not None else name
    return f"Ranks and thresholds are those among {part}."


def _outside(examples: "Examples", reference: "Examples | None", column: str) -> tuple[Floats, str | None]:
    """Return 1 for examples that are out-of-distribution, 0 for others, NaN where it is not known, and how it is known."""
    frame = examples.frame
    if column and column not in frame.columns:
        raise unknown("column of the examples (outside=)", column, map(str, frame.columns))
    named = column or next((name for name in KNOWN if name in frame.columns), "")
    if named:
        return np.array(
            [_flag(value, row, named) for row, value in enumerate(frame[named].tolist())]
        ), f"Outside is what the column {named!r} says."
    if reference is not None and "class" == examples.kind == reference.kind:
        classes = set(reference.classes)
        found = np.array([float(label not in classes) for label in frame["label"]])
        return found, f"Outside is what has a label that the reference {reference.name!r} lacks."
    return np.full(len(frame), np.nan), None


def _flag(value: Any, row: int, column: str) -> float:
    if value is None or value != value:
        return float("nan")
    text = str(int(value)) if isinstance(value, (int, float, bool)) and value in (0, 1) else str(value).strip().lower()
    if text in OUT or text in IN:
        return float(text in OUT)
    if not text:
        return float("nan")
    raise DataError(
        f"Row {row} has {value!r} in the column {column!r}; it must say whether the example is out-of-distribution: 1 or 0, "
        "out or in."
    )


def _table(examples: "Examples", asked: ways.Asked, outside: Floats, ranked: Mapping[str, Floats]) -> "pd.DataFrame":
    import pandas as pd

    frame = examples.frame
    shown = list(frame["text"]) if not examples.features else [_said(one) for one in examples.inputs]
    labels = [str(label) for label in frame["label"]] if examples.kind == "class" else [""] * len(frame)
    predicted = np.full(len(frame), "", dtype=object) if asked.predicted is None else asked.predicted
    right = np.array([float(one == two) for one, two in zip(labels, predicted, strict=True)])
    correct = (
        np.where((outside != 1) & np.isin(labels, list(asked.classes)), right, np.nan)
        if asked.classes
        else np.full(len(frame), np.nan)
    )
    kept = [i for i in range(len(frame)) if asked.done[i]]
    facts = [
        {"example": str(frame["example"].iloc[i]), "text": str(shown[i]), "outside": outside[i], "label": labels[i],
         "predicted": str(predicted[i]), "correct": correct[i]}
        for i in kept
    ]  # fmt: skip
    base = rows_frame(
        facts, replace(examples, slices=tuple(name for name in examples.slices if name != "outside")), COLUMNS
    )
    parts = []
    for name in ways.SCORES:
        if name not in asked.scores:
            continue
        values = asked.scores[name][kept]
        given = ranked.get(name)
        others = values[outside[kept] == 0] if given is None else given
        others = others[np.isfinite(others)]
        rank, through = np.full(len(kept), np.nan), np.full(len(kept), np.nan)
        some = np.isfinite(values)
        if len(others):
            rank[some] = np.searchsorted(np.sort(others), values[some], "right") / len(others)
            through[some] = values[some] >= keeping(others)
        parts.append(base.assign(variant=name, score=name, value=values, rank=rank, kept=through))
    return pd.concat(parts, ignore_index=True) if parts else base[:0].assign(rank=1.0)


def _said(value: Any) -> str:
    return ", ".join(f"{key}={one}" for key, one in value.items()) if isinstance(value, Mapping) else str(value)
