"""What models that score and write do alike, however they compute: check a call, and turn scores into choices."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from workbench.errors import DataError, UsageError
from workbench.frames import seed_of
from workbench.models.verbs import Choices, Question, Request, Scores

__all__ = ["check_generation", "check_questions", "choices_of", "requests_of", "seeds_of"]


def check_questions(questions: Sequence[Question]) -> None:
    """Raise `DataError` for a question without choices."""
    for i, question in enumerate(questions):
        if not question.choices:
            raise DataError(f"Question {i} has no choices. Give each question at least two.")


def requests_of(questions: Sequence[Question]) -> list[Request]:
    """Return every choice of every question as what is to be scored, question after question.

    >>> requests_of([Question("2 + 2 =", (" 3", " 4"))])[1]
    Request(context='2 + 2 =', continuation=' 4')
    """
    check_questions(questions)
    return [Request(question.prompt, choice) for question in questions for choice in question.choices]


def choices_of(questions: Sequence[Question], scores: Scores) -> Choices:
    """Return the scores of all choices, question after question, as the answers to the questions."""
    totals, tokens = scores.total(), np.diff(scores.offsets)
    ends = np.cumsum([len(question.choices) for question in questions], dtype=np.int64)
    spans = [slice(end - len(question.choices), end) for question, end in zip(questions, ends, strict=True)]
    done = np.array([bool(scores.done[span].all()) for span in spans], dtype=bool)
    return Choices(
        tuple(totals[span] if finished else None for span, finished in zip(spans, done, strict=True)),
        tuple(tokens[span] if finished else None for span, finished in zip(spans, done, strict=True)),
        done,
        scores.counters,
        np.array([scores.truncated[span].max() for span in spans], dtype=np.int64),
    )


def check_generation(
    prompts: Sequence[str], max_tokens: int, temperature: float, stop: Sequence[str], seeds: Sequence[int] | None
) -> None:
    """Raise `UsageError` for options of `generate` that mean nothing."""
    if isinstance(prompts, str) or isinstance(stop, str):
        raise UsageError("prompts and stop are lists of texts; a single text was given. Put it in a list.")
    if max_tokens < 1:
        raise UsageError(f"max_tokens must be 1 or more; it is {max_tokens}.")
    if not temperature >= 0 or temperature == float("inf"):
        raise UsageError(f"temperature must be 0 (greedy) or positive; it is {temperature}.")
    if seeds is not None and len(seeds) != len(prompts):
        raise UsageError(f"seeds needs one number per prompt: {len(prompts)} prompts, {len(seeds)} seeds.")
    if "" in stop:
        raise UsageError("stop holds an empty text, which would end every answer at once. Remove it.")


def seeds_of(prompts: Sequence[str]) -> list[int]:
    """Return a seed per prompt that depends on its text and how often it stood before, not on its place.

    >>> seeds_of(["a", "b"])[1] == seeds_of(["b"])[0], len(set(seeds_of(["a", "a"])))
    (True, 2)
    """
    seen: Counter[str] = Counter()
    made = []
    for prompt in prompts:
        made.append(seed_of("generate", prompt, seen[prompt]))
        seen[prompt] += 1
    return made
