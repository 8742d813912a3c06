r"""How a multiple-choice question is put to a language model, and how its likelihoods become confidences.

The forms are those of lm-evaluation-harness's ARC task, so that numbers can be compared: the text form appends each answer to
"Question: ...\nAnswer:", the letter form lists the answers as "A. ..." and appends the letter.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workbench.models.verbs import Question

__all__ = ["LETTERS", "SCORINGS", "choice_logits", "confidence_prompt", "parse_confidence", "question_of", "softmax"]

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SCORINGS = ("raw", "per_token", "per_character", "letters")


def question_of(text: str, choices: Sequence[str], scoring: str) -> Question:
    r"""Return the prompt and its continuations.

    >>> question_of("2 + 2?", ["3", "4"], "raw")
    Question(prompt='Question: 2 + 2?\nAnswer:', choices=(' 3', ' 4'))
    >>> question_of("2 + 2?", ["3", "4"], "letters")
    Question(prompt='Question: 2 + 2?\nA. 3\nB. 4\nAnswer:', choices=(' A', ' B'))
    """
    if scoring == "letters":
        listed = "".join(f"\n{letter}. {choice}" for letter, choice in zip(LETTERS, choices, strict=False))
        return Question(f"Question: {text}{listed}\nAnswer:", tuple(f" {letter}" for letter in LETTERS[: len(choices)]))
    return Question(f"Question: {text}\nAnswer:", tuple(f" {choice}" for choice in choices))


def choice_logits(
    logp: NDArray[np.float64], tokens: NDArray[np.int64], choices: Sequence[str], scoring: str
) -> NDArray[np.float64]:
    """Return one logit per choice: the log-likelihood (nats), as it is or divided by the answer's length.

    "raw" and "letters" keep the sum, "per_token" divides by the number of tokens (HELM), "per_character" by the number of
    characters of the answer (acc_norm of lm-evaluation-harness).

    >>> choice_logits(np.array([-2.0, -6.0]), np.array([1, 3]), ["a", "bcd"], "per_token")
    array([-2., -2.])
    """
    if scoring == "per_token":
        return logp / np.maximum(tokens, 1)
    if scoring == "per_character":
        return logp / np.maximum([len(choice) for choice in choices], 1)
    return logp


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probabilities of logits (..., K) along the last axis.

    >>> softmax(np.array([0.0, 0.0]))
    array([0.5, 0.5])
    """
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))


def confidence_prompt(question: Question, chosen: int) -> str:
    r"""Return the prompt that asks for a stated confidence in the chosen answer, 0 to 100 (Tian et al. 2023, 2305.14975).

    >>> print(confidence_prompt(Question("Question: 2 + 2?\nAnswer:", (" 3", " 4")), 1))
    Question: 2 + 2?
    Answer: 4
    How confident are you that this answer is correct, from 0 (certainly wrong) to 100 (certainly correct)?
    Confidence (0-100):
    """
    ask = "How confident are you that this answer is correct, from 0 (certainly wrong) to 100 (certainly correct)?"
    return f"{question.prompt}{question.choices[chosen]}\n{ask}\nConfidence (0-100):"


def parse_confidence(text: str) -> float:
    """Return the confidence in [0, 1] that a reply states, NaN where it states none.

    Counted are a number from 0 to 100 that begins the reply, one with "%", "percent", "/100" or "out of 100", and a decimal
    below 1. A repeated scale ("from 0 to 100", "0 (certainly wrong)") and a calculation ("7 x 9") are not confidences.

    >>> parse_confidence(" 85%"), parse_confidence("I'd say 0.7"), parse_confidence("90 out of 100"), parse_confidence("400")
    (0.85, 0.7, 0.9, nan)
    >>> parse_confidence("10 out of 10"), parse_confidence("1.0"), parse_confidence("1,000")
    (nan, 1.0, nan)
    >>> parse_confidence("From 0 (certainly wrong) to 100"), parse_confidence("7 x 9 = 63"), parse_confidence("76 of the 80 said")
    (nan, nan, nan)
    """
    import re

    reply = re.sub(r"\b0\s*(\([^)]*\)?)?\s*(-|–|to)\s*100\b(\s*\([^)]*\)?)?", " ", text)
    number = r"(\d+(?:\.\d+)?)"
    marked = re.search(rf"(?<![\w.]){number}\s*(?:%|percent|/\s*100\b|out of 100\b)", reply)
    share = re.search(r"(?<![\w.])(0?\.\d+|1\.0+)(?![\d%])", reply)
    first = re.match(
        rf"(?:\W*confidence\W*)?[^\w-]*{number}(?!\s*(?:[\d+*/×x=(-]|,\d|(?:out\s+)?of\b|on\s+a\b|\.\d))",
        reply,
        re.IGNORECASE,
    )
    if marked:
        value = float(marked.group(1)) / 100
    elif share:
        value = float(share.group(1))
    elif first:
        value = float(first.group(1)) / 100
    else:
        return float("nan")
    return value if 0 <= value <= 1 else float("nan")
