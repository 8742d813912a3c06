"""The rows of the probe `swap`: each example as it is, and once more for every exchange of terms, with the scores of both."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.data.swaps import Axis, Swap, axes_of, marked, swap_on, terms_on
from workbench.errors import DataError, NotApplicable, UsageError, unknown
from workbench.frames import example_ids, require, seed_of
from workbench.models.verbs import Monitor
from workbench.probes._rows import rows_frame
from workbench.probes._stored import numbers_of
from workbench.probes._swap_ask import Answer, Answers, Asked, ask
from workbench.probes.protocol import Scored

if TYPE_CHECKING:
    import pandas as pd

    from workbench.data.examples import Examples

__all__ = ["COLUMNS", "rows_of", "score"]

COLUMNS = (
    *("text", "change", "axis", "source", "term", "score", "original_score", "value", "contrast"),
    *("predicted", "flipped", "positive", "has_term", "terms"),
)
EDITS = ("example", "variant", "start", "end", "new_start", "new_end", "old", "new", "kind")
WORDS = ("score", "label", "text", "identity", "example", "cluster", "group")
REMEDY = "Name the columns, as in from_predictions(frame, probe='swap', score='p', label='toxic')."


def score(model: Any, examples: "Examples", options: Mapping[str, Any], *, monitor: Monitor) -> Scored:
    """Return the rows of a model's answers to every example and variant, the table `edits`, and what was decided."""
    import pandas as pd

    if examples.features:
        raise NotApplicable("terms are swapped in texts; these examples are rows of features.")
    frame = examples.frame
    require(frame, ["text"], what="The swap probe", remedy="Name it with Examples.of(..., text=...).")
    axes = chosen(options)
    plans, left_out = _plans(frame, axes, int(options["most"]))
    texts = [
        Asked(place, text) for place, plan in enumerate(plans) for text in (plan[0], *(one.text for one in plan[1]))
    ]
    answers = ask(model, texts, examples, options, monitor=monitor)
    labels, note = _positives(frame, answers) if examples.kind == "class" else ([np.nan] * len(frame), ())
    records: list[dict[str, Any]] = []
    edits: list[tuple[Any, ...]] = []
    at = missing = 0
    for place, (text, swaps, found) in enumerate(plans):
        given = answers.answers[at : at + 1 + len(swaps)]
        at += 1 + len(swaps)
        known = [answer for answer in given if answer is not None]
        if len(known) < len(given):
            missing += 1
            continue
        example = frame["example"].iloc[place]
        records.append({**_original(example, text, known[0], found), "positive": labels[place]})
        records += _variant_records(example, text, swaps, known)
        edits += [(example, _name(one), *edit) for one in swaps for edit in one.edits]
    rows = rows_frame(records, examples, COLUMNS)
    notes = (*answers.notes, *note, *_said(rows, axes, left_out, int(options["most"])))
    return Scored(rows, {"edits": pd.DataFrame(edits, columns=list(EDITS))}, notes, missing=missing)


def chosen(options: Mapping[str, Any]) -> tuple[Axis, ...]:
    """Return the axes of the options: built-in ones by name, a person's own, or all built-in ones where neither is given."""
    named, own = options["axes"], options["terms"] or {}
    if not isinstance(own, Mapping):
        raise UsageError(
            f"terms must map the name of an axis to its terms, as {{'city': ['Rome', 'Oslo']}}; it is {own!r}."
        )
    built_in = axes_of(named) if named else () if own else axes_of()
    twice = [axis.name for axis in built_in if axis.name in own]
    if twice:
        raise UsageError(f"The axis {twice[0]!r} is built in and in terms, too. Give yours another name.")
    return (*built_in, *axes_of(own))


def _plans(
    frame: "pd.DataFrame", axes: Sequence[Axis], most: int
) -> tuple[list[tuple[str, list[Swap], tuple[str, ...]]], int]:
    """Return the text, the variants and the terms of each example, and how many variants were left out."""
    plans, left_out = [], 0
    for example, text in zip(frame["example"], frame["text"], strict=True):
        swaps: list[Swap] = []
        for axis in axes if most else ():
            made = swap_on(str(text), axis)
            if len(made) > most:
                ranked = sorted(made, key=lambda one: seed_of("swap", example, _name(one)))[:most]
                left_out += len(made) - most
                made = [one for one in made if one in ranked]
            swaps += made
        found = tuple(f"{axis.name}: {term}" for axis in axes for term in terms_on(str(text), axis))
        plans.append((str(text), swaps, found))
    return plans, left_out


def _name(one: Swap) -> str:
    return f"{one.axis}: {one.source} → {one.term}"


def _original(example: str, text: str, answer: Answer, found: Sequence[str]) -> dict[str, Any]:
    return {
        "example": example,
        "variant": "",
        "text": text,
        "change": text,
        "axis": "",
        "source": "",
        "term": "",
        "score": answer.score,
        "original_score": answer.score,
        "value": np.nan,
        "contrast": np.nan,
        "predicted": answer.predicted,
        "flipped": np.nan,
        "has_term": float(bool(found)),
        "terms": list(found),
    }


def _variant_records(example: str, text: str, swaps: Sequence[Swap], known: Sequence[Answer]) -> list[dict[str, Any]]:
    """Return the records of an example's variants; `known` are the answers to the original and to each of them."""
    original, answers = known[0], known[1:]
    records = []
    for one, answer in zip(swaps, answers, strict=True):
        others = [
            given.score for other, given in zip(swaps, answers, strict=True) if other.axis == one.axis and other != one
        ]
        both = original.predicted and answer.predicted
        records.append(
            {
                "example": example,
                "variant": _name(one),
                "text": one.text,
                "change": marked(text, one.edits),
                "axis": one.axis,
                "source": one.source,
                "term": f"{one.axis}: {one.term}",
                "score": answer.score,
                "original_score": original.score,
                "value": answer.score - original.score,
                "contrast": answer.score - float(np.mean([original.score, *others])),
                "predicted": answer.predicted,
                "flipped": float(answer.predicted != original.predicted) if both else np.nan,
                "positive": np.nan,
                "has_term": 1.0,
                "terms": [],
            }
        )
    return records


def _positives(frame: "pd.DataFrame", answers: Answers) -> tuple[list[float], tuple[str, ...]]:
    """Return 1 or 0 for each example, whether its label is the class of the score; NaN and a note where the classes differ."""
    own = sorted(set(map(str, frame["label"])))
    if not answers.positive:
        return [np.nan] * len(frame), ()
    if not set(own) <= set(answers.labels):
        note = (
            f"The labels ({', '.join(own[:5])}) are not the model's classes ({', '.join(answers.labels[:5])}), so that there is no "
            "subgroup AUC. Load the model with labels=[...]."
        )
        return [np.nan] * len(frame), (note,)
    return [float(str(label) == answers.positive) for label in frame["label"]], ()


def _said(rows: "pd.DataFrame", axes: Sequence[Axis], left_out: int, most: int) -> tuple[str, ...]:
    """Return what a reader has to know of the terms."""
    names = ", ".join(axis.name for axis in axes)
    originals = rows[rows["variant"] == ""]
    bare = int((originals["has_term"] == 0).sum())
    notes = (
        [f"{bare} of {len(originals)} examples hold no term of the axes {names}: they are in no gap."] if bare else []
    )
    if not most:
        notes.append("Nothing was swapped (most=0): the originals alone were asked.")
    if left_out:
        notes.append(f"{left_out} variants were left out: at most {most} an example and axis are asked, drawn by id.")
    unusable = int(rows["score"].isna().sum())
    if unusable:
        notes.append(f"{unusable} texts have no usable score; they are counted as unscored.")
    return tuple(notes)


def rows_of(frame: Any, *, columns: Mapping[str, Any], by: Sequence[str], options: Mapping[str, Any]) -> Scored:
    """Return the rows of scores that were made elsewhere: originals alone, for subgroup, BPSN and BNSP AUC.

    The table holds `score`, `label` (0 or 1, or a class where `positive` says which one counts), and `identity` (a term, blank for
    none) or `text`, in which the terms of the axes are looked for.
    """
    import pandas as pd

    from workbench.data.examples import Examples

    table = pd.DataFrame(frame).reset_index(drop=True)
    for word in columns:
        if word not in WORDS:
            raise unknown("argument of from_predictions", word, WORDS)
    named = {word: str(columns.get(word, word)) for word in WORDS}
    need = [named["score"], named["label"], *(str(name) for name in columns.values()), *by]
    require(table, list(dict.fromkeys(need)), what="from_predictions of scores", remedy=REMEDY)
    if not len(table):
        raise DataError("The table of scores is empty.")
    texts = table[named["text"]].astype(str).tolist() if named["text"] in table else [""] * len(table)
    terms = _terms_of(table, named, texts, options)
    records = [
        {**_original(example, text, Answer(float(value), ""), found), "positive": hit}
        for example, text, value, found, hit in zip(
            _ids(table, named["example"]),
            texts,
            numbers_of(table, named["score"]),
            terms,
            _outcomes(table[named["label"]].tolist(), named["label"], str(options["positive"])),
            strict=True,
        )
    ]
    kept = {word: table[named[word]].astype(str) for word in ("cluster", "group") if named[word] in table}
    carried = {"example": [record["example"] for record in records], "text": "-", **kept}
    examples = Examples(pd.DataFrame({**carried, **{name: table[name] for name in by}}), slices=tuple(by))
    rows = rows_frame(records, examples, COLUMNS)
    blank = int((rows["score"].isna() | rows["positive"].isna()).sum())
    return Scored(
        rows, {}, (f"{blank} of {len(rows)} rows lack a score or an outcome; they are in no AUC.",) if blank else ()
    )


def _terms_of(
    table: "pd.DataFrame", named: Mapping[str, str], texts: Sequence[str], options: Mapping[str, Any]
) -> list[list[str]]:
    """Return the terms of each row: those of the column `identity`, else those found in the text."""
    if named["identity"] in table:
        listed = table[named["identity"]]
        return [
            [f"identity: {term}"] if some and str(term).strip() else []
            for term, some in zip(listed, listed.notna(), strict=True)
        ]
    if named["text"] not in table:
        raise DataError(f"from_predictions of scores needs the column identity or text. {REMEDY}")
    axes = chosen(options)
    return [[f"{axis.name}: {term}" for axis in axes for term in terms_on(text, axis)] for text in texts]


def _outcomes(labels: Sequence[Any], name: str, positive: str) -> list[float]:
    """Return 1 or 0 for each label, NaN where there is none."""
    blank = [label is None or label != label for label in labels]
    if positive:
        if positive not in {str(label) for label, none in zip(labels, blank, strict=True) if not none}:
            raise unknown(f"class in column {name}", positive, sorted({str(label) for label in labels})[:20])
        return [
            float("nan") if none else float(str(label) == positive) for label, none in zip(labels, blank, strict=True)
        ]
    for row, (label, none) in enumerate(zip(labels, blank, strict=True)):
        if not none and label not in (0, 1):
            raise DataError(
                f"Row {row} has {label!r} in column {name!r}; it must be 0 or 1, or positive='...' say which class counts."
            )
    return [float("nan") if none else float(label) for label, none in zip(labels, blank, strict=True)]


def _ids(table: "pd.DataFrame", name: str) -> list[str]:
    """Return the ids of the rows: the column where there is one, else a hash of the row's content."""
    if name in table:
        return [str(example) for example in table[name]]
    columns = list(map(str, table.columns))
    return example_ids([dict(zip(columns, line, strict=True)) for line in table.itertuples(index=False)])
