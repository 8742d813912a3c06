"""Answers of a server as results: scores, choices, and the texts of tokens that it named."""

import math
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workbench.models.verbs import Choices, Counters, Question, Scores

__all__ = ["Strings", "chosen_of", "missed_said", "scores_of"]


class Strings:
    """The texts of tokens that a server named, by numbers of our own: it does not tell its ids."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids: dict[str, int] = {}
        self._texts: list[str] = []

    def ids(self, tokens: Sequence[str]) -> list[int]:
        """Return a number for each text, the same for the same text.

        >>> strings = Strings()
        >>> strings.ids([" a", "b", " a"]), strings.decode([0, 1])
        ([0, 1, 0], ' ab')
        """
        with self._lock:
            for token in tokens:
                if token not in self._ids:
                    self._ids[token] = len(self._texts)
                    self._texts.append(token)
            return [self._ids[token] for token in tokens]

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of numbers."""
        return "".join(self._texts[int(each)] for each in ids)


def scores_of(held: Mapping[int, Any], n: int, counters: Counters, strings: Strings) -> Scores:
    """Return the tails of n requests, by their place, as scores; requests that are not held are not done."""
    sizes = [len(held[i]["logp"]) if i in held else 0 for i in range(n)]
    names = ("tokens", "logp", "top", "rank")
    flat = {name: [x for i in range(n) if i in held for x in held[i][name]] for name in names}
    unknown = np.full(len(flat["logp"]), np.nan)
    return Scores(
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        np.array(strings.ids(flat["tokens"]), dtype=np.int64),
        np.array(flat["logp"], dtype=np.float64),
        np.array(flat["top"], dtype=np.float64),
        unknown,
        unknown.copy(),
        np.array(flat["rank"], dtype=np.int64),
        np.array([i in held for i in range(n)], dtype=bool),
        np.array([bool(held[i]["merged"]) if i in held else False for i in range(n)], dtype=bool),
        np.zeros(n, dtype=np.int64),
        counters,
    )


def chosen_of(questions: Sequence[Question], held: Mapping[int, Any], *, chat: bool) -> Choices:
    """Return the choices of questions of which the likeliest next tokens are held, each a mapping to log p.

    >>> found = chosen_of([Question("Q", (" A", " B", " C"))], {0: {" A": -0.1, "A": -3.0, " B": -2.5}}, chat=False)
    >>> found.logp[0].tolist()
    [-0.1, -2.5, nan]
    """
    logp = [
        np.array([_of(held[i], choice, chat) for choice in question.choices]) if i in held else None
        for i, question in enumerate(questions)
    ]
    tokens = [None if one is None else np.ones(len(one), dtype=np.int64) for one in logp]
    done = np.array([one is not None for one in logp], dtype=bool)
    return Choices(tuple(logp), tuple(tokens), done, Counters(requests=len(questions)))


def missed_said(found: Choices, held: Mapping[int, Any]) -> str:
    """Return in words how many questions had a choice that was not told, and how likely it is at most; "" for none.

    >>> held = {0: {" A": -0.1, " B": -2.5}}
    >>> missed_said(chosen_of([Question("Q", (" A", " C"))], held, chat=False), held)[:60]
    'in 1 of 1 questions a choice was not among the 2 likeliest n'
    """
    lacking = [i for i, one in enumerate(found.logp) if one is not None and np.isnan(one).any()]
    missed, silent = [i for i in lacking if held[i]], [i for i in lacking if not held[i]]
    said, asked = [], int(found.done.sum())
    if missed:
        bounds, fewest = [_bound(held[i]) for i in missed], min(len(held[i]) for i in missed)
        said.append(
            f"in {len(missed)} of {asked} questions a choice was not among the {fewest} likeliest next tokens that the server "
            f"tells (its probability is at most {max(bounds):.2g}); such a choice has no likelihood"
        )
    if silent:
        said.append(f"in {len(silent)} of {asked} questions the server ended the text and told no likelihoods")
    return "; ".join(said)


def _of(top: Mapping[str, float], choice: str, chat: bool) -> float:
    """Return the log p of a choice among the likeliest tokens, NaN where it is not there."""
    if not chat:
        return top.get(choice, math.nan)
    same = [logp for token, logp in top.items() if token.strip() == choice.strip()]
    return float(np.logaddexp.reduce(same)) if same else math.nan


def _bound(top: Mapping[str, float]) -> float:
    """Return the largest probability that a token which is not told can have."""
    return max(0.0, min([math.exp(min(top.values())), 1 - math.fsum(map(math.exp, top.values()))]))
