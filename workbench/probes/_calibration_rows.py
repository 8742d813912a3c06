"""The rows of the calibration probe: one way to get them for each kind of answer.

``choice``  a language model's likelihood of each answer of a multiple-choice question
``class``   a classifier's class probabilities
``token``   a language model's next-token distribution at each token of a text
``stated``  the confidence that a language model writes down after it has chosen an answer
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import DataError, counted
from workbench.frames import require, seed_of
from workbench.models.verbs import Monitor, Request
from workbench.probes._prompts import (
    LETTERS,
    choice_logits,
    confidence_prompt,
    parse_confidence,
    question_of,
    softmax,
)
from workbench.probes._rows import need_verb
from workbench.probes.protocol import Scored

if TYPE_CHECKING:
    import pandas as pd

    from workbench.data.examples import Examples

__all__ = [
    "CLIP",
    "MAX_LOGITS",
    "check_slices",
    "choice_rows",
    "class_rows",
    "frame_of",
    "outcome_of",
    "stated_rows",
    "token_rows",
]

MAX_LOGITS = 64  # rows keep their logits up to this many choices; the temperature slider needs them
CLIP = 1e-12  # probabilities are clipped here before the logarithm, as in the reference values


OURS = ("variant", "half", "confidence", "correct", "p_label", "nll", "brier", "logits", "choices", "label_index")


def check_slices(by: Sequence[str]) -> None:
    """Raise `DataError` for a slice column whose name the rows of this probe need for themselves.

    >>> check_slices(["language", "label"])
    """
    for name in by:
        if name in OURS:
            raise DataError(f"The column {name!r} cannot be a slice: the report has a column of that name. Rename it.")


def outcome_of(p: np.ndarray, label: int) -> dict[str, Any]:
    """Return confidence, correctness, p_label, nll and brier of one row of probabilities (K,) and its label, -1 for none.

    >>> outcome_of(np.array([0.75, 0.25]), 0)["confidence"]
    0.75
    """
    p = np.asarray(p, dtype=np.float64)
    best = int(p.argmax())
    row = {"confidence": float(min(p[best], 1.0)), "best": best, "label_index": label}
    if label < 0:
        return {**row, "correct": np.nan, "p_label": np.nan, "nll": np.nan, "brier": np.nan}
    target = np.zeros_like(p)
    target[label] = 1.0
    p_label = float(p[label])
    return {
        **row,
        "correct": float(best == label),
        "p_label": p_label,
        "nll": -float(np.log(max(p_label, CLIP))),
        "brier": float(((p - target) ** 2).sum()),
    }


def frame_of(records: Sequence[Mapping[str, Any]], frame: "pd.DataFrame", slices: Sequence[str]) -> "pd.DataFrame":
    """Return records as rows, with the slice columns of their examples and the columns of the contract filled in."""
    import pandas as pd

    columns = ["example", "text", "label", "predicted", "confidence", "correct", "p_label", "nll", "brier", "logits"]
    full = [{"variant": "", **record} for record in records]
    of_tokens = [name for name in ("entropy", "rank") if full and name in full[0]]
    rows = pd.DataFrame(full, columns=[*columns, *of_tokens, "choices", "label_index", "variant"])
    rows = rows.astype(dict.fromkeys(("logits", "choices"), object))
    wanted = dict.fromkeys(["group", "cluster", *slices])
    kept = [name for name in wanted if name in frame.columns and name not in rows.columns]
    rows = rows.merge(frame[["example", *kept]].astype({"example": str}), on="example", how="left", validate="m:1")
    rows["group"] = rows["group"].astype(str) if "group" in rows else "all"
    rows["cluster"] = rows["cluster"].astype(str) if "cluster" in rows else rows["example"]
    return rows


def choice_rows(model: Any, examples: "Examples", options: Mapping[str, Any], *, monitor: Monitor) -> Scored:
    """Return rows of multiple choice: confidence is the softmax of the answers' log-likelihoods."""
    need_verb(model, "choose", "log-likelihoods of answers")
    frame = examples.frame
    require(frame, ["text", "choices", "label"], what="Calibration of multiple choice", remedy=_REMEDY)
    scoring = options["scoring"]
    texts, choices = frame["text"].tolist(), [list(c) for c in frame["choices"]]
    _fits(choices, scoring, frame["example"])
    questions = [question_of(text, few, scoring) for text, few in zip(texts, choices, strict=True)]
    answers = model.choose(questions, monitor=monitor)
    records = []
    unusable = 0
    labels, ids = frame["label"].tolist(), frame["example"].tolist()  # a cell of a frame costs 0.1 ms each time
    for i, done in enumerate(answers.done):
        if not done:
            continue
        logits = choice_logits(answers.logp[i], answers.tokens[i], choices[i], scoring)
        usable = bool(np.isfinite(logits).all())
        unusable += not usable
        record = _choice_record(int(labels[i]), choices[i], logits if usable else None)
        records.append({"example": ids[i], "text": str(texts[i]), **record})
    notes: tuple[str, ...] = (f"Answers scored as {scoring!r}.",)
    if answers.truncated is not None:
        notes += _cut_short(answers.truncated)
    if unusable:
        notes += (f"{unusable} examples gave no finite likelihood; they are counted as unscored.",)
    return Scored(frame_of(records, frame, examples.slices), {}, notes, missing=int((~answers.done).sum()))


def stated_rows(model: Any, examples: "Examples", options: Mapping[str, Any], *, monitor: Monitor) -> Scored:
    """Return rows of stated confidence: the answer is chosen by likelihood, the confidence is what the model writes next."""
    need_verb(model, "generate", "written answers")
    chosen = choice_rows(model, examples, options, monitor=monitor)
    rows = chosen.rows.copy()
    if not len(rows):
        return chosen
    prompts = []
    for text, choices, predicted in zip(rows["text"], rows["choices"], rows["predicted"], strict=True):
        best = list(choices).index(predicted) if predicted in choices else 0
        prompts.append(confidence_prompt(question_of(text, choices, options["scoring"]), best))
    seeds = [seed_of("stated", example) for example in rows["example"]]
    written = model.generate(prompts, max_tokens=8, seeds=seeds, chat=options["chat"], monitor=monitor)
    rows["stated"] = [text if text is not None else "" for text in written.texts]
    rows["confidence"] = [parse_confidence(text) for text in rows["stated"]]
    for column in ("p_label", "nll", "brier"):
        rows[column] = np.nan  # a stated number is no distribution over the answers
    rows["logits"] = None
    kept = rows[np.asarray(written.done, dtype=bool)].reset_index(drop=True)
    silent = int(kept["confidence"].isna().sum())
    notes = (
        *chosen.notes,
        f"{silent} of {len(kept)} replies held no number from 0 to 100; they are counted as unscored."
        if silent
        else f"{counted(len(kept), 'reply', 'replies')}, each with a number from 0 to 100.",
    )
    return Scored(kept, {}, notes, missing=chosen.missing + len(rows) - len(kept))


def class_rows(model: Any, examples: "Examples", options: Mapping[str, Any], *, monitor: Monitor) -> Scored:
    """Return rows of a classifier: confidence is its largest class probability."""
    del options
    need_verb(model, "classify", "class probabilities")
    frame = examples.frame
    require(frame, ["label"], what="Calibration of a classifier", remedy=_REMEDY)
    given = model.classify(examples.inputs, monitor=monitor)
    index = _label_indices(frame, given.labels, model.name)
    shown, ids = [_shown(one) for one in examples.inputs], frame["example"].tolist()
    records = []
    for i, done in enumerate(given.done):
        if not done:
            continue
        scores = given.logits[i] if given.logits is not None else np.log(np.clip(given.probabilities[i], CLIP, None))
        keep = len(given.labels) <= MAX_LOGITS
        row = outcome_of(given.probabilities[i], index[i])
        best = given.labels[row.pop("best")]
        records.append(
            {
                "example": ids[i],
                "text": shown[i],
                "label": str(given.labels[index[i]]),
                "predicted": str(best),
                "logits": [float(x) for x in scores] if keep else None,
                "choices": [str(label) for label in given.labels] if keep else None,
                **row,
            }
        )
    return Scored(frame_of(records, frame, examples.slices), {}, (), missing=int((~given.done).sum()))


def token_rows(model: Any, examples: "Examples", options: Mapping[str, Any], *, monitor: Monitor) -> Scored:
    """Return one row per token: confidence is the largest next-token probability, a hit that it is the token that came."""
    need_verb(model, "score", "next-token probabilities")
    frame = examples.frame
    require(frame, ["text"], what="Calibration of next tokens", remedy=_REMEDY)
    scores = model.score([Request("", str(text)) for text in frame["text"]], monitor=monitor)
    tokenizer = getattr(model, "tokenizer", None)
    spans = list(zip(scores.offsets[:-1], scores.offsets[1:], strict=True))
    kept = _whole_texts([int(stop - start) for start, stop in spans], frame["example"].tolist(), options["max_rows"])
    records = []
    for i, (start, stop) in enumerate(spans):
        if i not in kept:
            continue
        for t in range(start, stop):
            token = int(scores.token[t])
            shown = tokenizer.decode([token]) if tokenizer is not None else str(token)
            hit = bool(scores.rank[t] == 0)
            finite = bool(np.isfinite(scores.top_logp[t]))
            records.append(
                {
                    "example": frame["example"].iloc[i],
                    "variant": f"token {t - start:05d}",
                    "text": shown,
                    "label": shown,
                    "predicted": shown if hit else "(another token)",
                    "confidence": float(min(np.exp(scores.top_logp[t]), 1.0)) if finite else np.nan,
                    "correct": float(hit),
                    "p_label": float(np.exp(scores.logp[t])),
                    "nll": min(-float(scores.logp[t]), -float(np.log(CLIP))) if finite else np.nan,
                    "entropy": -float(scores.mean_logp[t]),
                    "rank": int(scores.rank[t]),
                    "brier": np.nan,
                    "logits": None,
                    "choices": None,
                    "label_index": -1,
                }
            )
    notes: tuple[str, ...] = ("One row per token; tokens of one text belong together, and intervals resample texts.",)
    notes += _cut_short(scores.truncated)
    if len(kept) < len(frame):
        notes += (f"{len(kept)} of {len(frame)} texts are kept, drawn by id: all their tokens are max_rows at most.",)
    missing = int((~scores.done).sum())
    return Scored(frame_of(records, frame, examples.slices), {}, notes, missing=missing)


_REMEDY = "Name the columns with Examples.of(..., text=, choices=, label=)."


def _choice_record(label: int, choices: list[str], logits: np.ndarray | None) -> dict[str, Any]:
    if logits is None:
        row: dict[str, Any] = dict.fromkeys(("confidence", "correct", "p_label", "nll", "brier"), np.nan)
        predicted, row["label_index"] = "", label
    else:
        row = outcome_of(softmax(logits), label)
        predicted = choices[row.pop("best")]
    return {
        "label": choices[label],
        "predicted": predicted,
        "logits": [float(x) for x in logits] if logits is not None and len(choices) <= MAX_LOGITS else None,
        "choices": choices,
        **row,
    }


def _cut_short(truncated: np.ndarray) -> tuple[str, ...]:
    """Return a note where texts were longer than the model reads, none otherwise."""
    some = int((truncated > 0).sum())
    if not some:
        return ()
    return (
        f"{some} of {len(truncated)} texts are longer than the model reads; they lost {int(truncated.sum())} tokens of context.",
    )


def _whole_texts(sizes: Sequence[int], ids: Sequence[str], limit: int) -> set[int]:
    """Return which texts are kept so that their tokens are `limit` at most: whole texts, drawn by id, whatever their order."""
    kept, total = set(), 0
    for i in sorted(range(len(ids)), key=lambda i: seed_of("tokens", ids[i])):
        if total + sizes[i] <= limit:
            kept.add(i)
            total += sizes[i]
    return kept


def _shown(value: Any) -> str:
    """Return an input as text for the table: a text as it is, features as name=value, an image by its size."""
    if getattr(value, "ndim", 0) >= 2:
        return "image " + " × ".join(map(str, value.shape))
    return ", ".join(f"{key}={one}" for key, one in value.items()) if isinstance(value, Mapping) else str(value)


def _fits(choices: list[list[str]], scoring: str, ids: "pd.Series[Any]") -> None:
    if scoring != "letters":
        return
    for few, example in zip(choices, ids, strict=True):
        if len(few) > len(LETTERS):
            raise DataError(f"Example {example!r} has {len(few)} choices, more than letters; use scoring='raw'.")


def _label_indices(frame: "pd.DataFrame", labels: Sequence[str], name: str) -> list[int]:
    """Return the index of each example's label among the model's labels: by name first, else by number."""
    names = {str(label): i for i, label in enumerate(labels)}
    by_name = any(str(label) in names for label in frame["label"])  # one reading for all rows
    found = []
    for example, label in zip(frame["example"], frame["label"], strict=True):
        if by_name and str(label) in names:
            found.append(names[str(label)])
        elif not by_name and str(label).isdecimal() and int(label) < len(labels):
            found.append(int(label))
        else:
            raise DataError(
                f"Example {example!r} has the label {label!r}, which is not among those of the model {name!r}: "
                f"{', '.join(map(str, labels))}. Rename the labels, or load the model with labels=[...]."
            )
    return found
