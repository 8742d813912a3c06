"""How the probe `swap` asks a model: the originals and their variants as one list of texts, and one score for each.

``class``       a classifier's probability of one class
``choice``      a language model's probability of one answer: the right one of a question, or the first of `answers` to a text
``likelihood``  a language model's log-likelihood of the text itself, per token
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workbench.errors import DataError, UsageError, unknown
from workbench.models.verbs import Monitor, Question, Request
from workbench.probes._prompts import choice_logits, question_of, softmax
from workbench.probes._rows import need_verb

if TYPE_CHECKING:
    from workbench.data.examples import Examples

__all__ = ["ASKS", "Answer", "Answers", "Asked", "ask", "ask_of"]

ASKS = ("auto", "class", "choice", "likelihood")


class Asked(NamedTuple):
    """A text to be scored, and the example that it comes from (its place in the table)."""

    place: int
    text: str


class Answer(NamedTuple):
    """The score of a text, NaN where it cannot be used, and what the model predicted ("" where it predicts nothing)."""

    score: float
    predicted: str


@dataclass(frozen=True)
class Answers:
    """One answer a text, None where the model did not get to it; `positive` names the class or answer of the score, if one."""

    answers: Sequence[Answer | None]
    positive: str = ""
    labels: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def ask_of(model: Any, examples: "Examples", options: Mapping[str, Any]) -> str:
    """Return how to ask: as the option says, else what the model and the examples allow."""
    if options["ask"] != "auto":
        return str(options["ask"])
    if "classify" in model.verbs:
        return "class"
    return "choice" if options["answers"] or examples.kind == "choice" else "likelihood"


def ask(
    model: Any, texts: Sequence[Asked], examples: "Examples", options: Mapping[str, Any], *, monitor: Monitor
) -> Answers:
    """Return the model's answers, in the order of the texts; the same text is asked once."""
    how = {"class": _classes, "choice": _choices, "likelihood": _likelihoods}[ask_of(model, examples, options)]
    return how(model, texts, examples, options, monitor)


def _classes(
    model: Any, texts: Sequence[Asked], examples: "Examples", options: Mapping[str, Any], monitor: Monitor
) -> Answers:
    need_verb(model, "classify", "class probabilities")
    unique = list(dict.fromkeys(each.text for each in texts))
    given = model.classify(unique, monitor=monitor)
    labels = tuple(map(str, given.labels))
    frame, positive = examples.frame, str(options["positive"])
    if positive and positive not in labels:
        raise unknown(f"class of {model.name}", positive, labels)
    if not positive and len(labels) == 2:
        positive = labels[1]
    if positive:
        note = f"The score is the probability of the class {positive!r}."
        columns = dict.fromkeys(range(len(frame)), labels.index(positive))
    elif "label" in frame.columns and examples.kind == "class":
        note = "The score is the probability of each example's own label."
        columns = {place: _label(labels, frame, place, model.name) for place in {each.place for each in texts}}
    else:
        raise UsageError(
            f"{model.name!r} has {len(labels)} classes: {', '.join(labels)}. Say which one's probability is the score: "
            f"positive={labels[-1]!r}."
        )
    best = [
        labels[int(row.argmax())] if done else "" for row, done in zip(given.probabilities, given.done, strict=True)
    ]
    at = {text: i for i, text in enumerate(unique)}
    answers: list[Answer | None] = []
    for each in texts:
        i = at[each.text]
        known = bool(given.done[i])
        answers.append(Answer(float(given.probabilities[i, columns[each.place]]), best[i]) if known else None)
    cut = int(getattr(model, "__dict__", {}).get("truncated", 0))
    cut_note = (f"{cut} texts are longer than the model reads; they were cut at the end.",) if cut else ()
    return Answers(answers, positive, labels, (note, *cut_note))


def _label(labels: tuple[str, ...], frame: Any, place: int, name: str) -> int:
    label = str(frame["label"].iloc[place])
    if label not in labels:
        raise DataError(
            f"Example {frame['example'].iloc[place]!r} has the label {label!r}, which is not among those of the model {name!r}: "
            f"{', '.join(labels)}. Name the class to read with positive=."
        )
    return labels.index(label)


def _choices(
    model: Any, texts: Sequence[Asked], examples: "Examples", options: Mapping[str, Any], monitor: Monitor
) -> Answers:
    need_verb(model, "choose", "log-likelihoods of answers")
    frame, scoring = examples.frame, str(options["scoring"])
    offered, prompt, positive = _offered(options)
    if not offered and examples.kind != "choice":
        raise UsageError(f"The examples {examples.name!r} have no choices. Offer some with answers=['good', 'bad'].")
    own = [] if offered else [tuple(choices) for choices in frame["choices"]]
    keys = [(each.text, offered or own[each.place]) for each in texts]
    unique = list(dict.fromkeys(keys))
    questions = [
        Question(prompt.replace("{text}", text), tuple(f" {answer}" for answer in answers))
        if offered
        else question_of(text, answers, scoring)
        for text, answers in unique
    ]
    given = model.choose(questions, monitor=monitor)
    found: dict[Any, np.ndarray | None] = {}
    for key, done, logp, tokens in zip(unique, given.done, given.logp, given.tokens, strict=True):
        found[key] = softmax(choice_logits(logp, tokens, key[1], scoring)) if done else None
    answers: list[Answer | None] = []
    for each, key in zip(texts, keys, strict=True):
        p = found[key]
        if p is None:
            answers.append(None)
            continue
        right = offered.index(positive) if offered else int(frame["label"].iloc[each.place])
        usable = bool(np.isfinite(p).all())
        answers.append(Answer(float(p[right]), key[1][int(p.argmax())]) if usable else Answer(float("nan"), ""))
    what = f"of the answer {positive!r} among {', '.join(offered)}" if offered else "of each question's right answer"
    notes: tuple[str, ...] = (
        f"The score is the probability {what}; answers are scored as {scoring!r}, and not swapped.",
    )
    if given.truncated is not None:
        notes += _cut(given.truncated)
    return Answers(answers, notes=notes)


def _offered(options: Mapping[str, Any]) -> tuple[tuple[str, ...], str, str]:
    """Return the answers offered to every text, how it is put, and the answer whose probability is the score."""
    given = options["answers"]
    offered = (given,) if isinstance(given, str) else tuple(map(str, given))
    prompt, positive = str(options["prompt"]), str(options["positive"])
    if not offered:
        if positive:
            raise UsageError(
                "positive= names one of the answers; a question's own right answer is the score without it."
            )
        return (), prompt, ""
    if len(offered) < 2 or len(set(offered)) < len(offered):
        raise UsageError(f"answers must be two or more that differ; found {', '.join(offered)}. Give ['good', 'bad'].")
    if "{text}" not in prompt:
        raise UsageError(f"prompt must hold {{text}}, where the text is put; it is {prompt!r}.")
    if options["scoring"] == "letters":
        raise UsageError("scoring='letters' lists a question's own choices; with answers=[...] use 'raw'.")
    if positive and positive not in offered:
        raise unknown("answer", positive, offered)
    return offered, prompt, positive or offered[0]


def _likelihoods(
    model: Any, texts: Sequence[Asked], examples: "Examples", options: Mapping[str, Any], monitor: Monitor
) -> Answers:
    del examples, options
    need_verb(model, "score", "log-likelihoods of texts")
    unique = list(dict.fromkeys(each.text for each in texts))
    given = model.score([Request("", text) for text in unique], monitor=monitor)
    tokens = np.diff(given.offsets)
    per_token = given.total() / np.maximum(tokens, 1)
    known = {
        text: Answer(float(value) if np.isfinite(value) else float("nan"), "") if done else None
        for text, value, done in zip(unique, per_token, given.done, strict=True)
    }
    note = (
        "The score is the log-likelihood of the text per token (nats); nothing is predicted, so that nothing can flip."
    )
    return Answers([known[each.text] for each in texts], notes=(note, *_cut(given.truncated)))


def _cut(truncated: np.ndarray) -> tuple[str, ...]:
    some = int((truncated > 0).sum())
    return (f"{some} texts are longer than the model reads; they lost {int(truncated.sum())} tokens.",) if some else ()
