"""What a run will cost, before it is begun: how many requests, how many tokens, and how long, as far as it can be known.

The requests are counted by letting the probe score a stand-in that answers nothing of worth at once. Seconds come from a rate that
was measured: of an earlier run of the same probe and model in this kernel, or of a few examples.
"""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from workbench.errors import NotApplicable, WorkbenchError
from workbench.models.verbs import (
    Choices,
    Classes,
    Embeddings,
    Fillings,
    Generations,
    ModelInfo,
    Question,
    Readings,
    Request,
    Scores,
    Silent,
)
from workbench.views._tally import Pace

__all__ = ["Count", "count", "seconds_said"]

PATIENCE = 4.0  # seconds that counting may take
SAMPLED = 64  # texts whose tokens are counted
LANGUAGE = frozenset({"score", "choose", "generate", "embed", "read"})
UNITS = {
    "choose": "answers to score",
    "score": "texts to score",
    "generate": "texts to write",
    "fill": "tokens to fill",
}
UNITS |= {"classify": "inputs to classify", "embed": "texts to embed", "read": "texts to read"}


class Count(NamedTuple):
    """Requests by verb, whether there may be more, tokens in all where they are known, and why it stopped.

    `written` is how many tokens are written at most.
    """

    requests: dict[str, int]
    exact: bool
    tokens: int | None
    problem: str = ""
    written: int = 0

    @property
    def total(self) -> int:
        """All requests."""
        return sum(self.requests.values())

    @property
    def said(self) -> str:
        """The count in words."""
        if not self.total:
            return "The number of requests cannot be known before the model is loaded."
        parts = [f"{n:,} {UNITS[verb]}" for verb, n in self.requests.items() if n]
        more = "" if self.exact else "at least "
        tokens = f", about {_round(self.tokens):,} tokens before what they share" if self.tokens else ""
        return f"{more}{' and '.join(parts)}{tokens}."


class _Late(Exception):
    """Counting took too long."""


class _StandIn:
    """Answers every verb at once, and counts what it was asked. Where the model is loaded all else is the model's own."""

    def __init__(self, model: Any, name: str) -> None:
        self._model, self._until = model, time.monotonic() + PATIENCE
        self.name, self.verbs = name, getattr(model, "verbs", LANGUAGE)
        self.info = getattr(model, "info", None) or ModelInfo(name, "language model")
        self.requests: dict[str, int] = {}
        self.texts: list[str] = []
        self.written = 0

    def __getattr__(self, name: str) -> Any:
        if self._model is None:
            raise AttributeError(name)
        return getattr(self._model, name)

    def _note(self, verb: str, n: int, texts: Sequence[str] = ()) -> None:
        if time.monotonic() > self._until:
            raise _Late
        self.requests[verb] = self.requests.get(verb, 0) + n
        step = max(1, len(texts) // SAMPLED)
        self.texts += [text for text in texts[::step] if isinstance(text, str)]

    def choose(self, questions: Sequence[Question], **_: Any) -> Choices:
        """Give every choice the same likelihood."""
        sizes = [len(question.choices) for question in questions]
        whole = [question.prompt + choice for question in questions for choice in question.choices]
        once = getattr(self._model, "per_question", False)  # a server that tells the likeliest next tokens at once
        asked = [question.prompt for question in questions] if once else whole
        self._note("choose", len(asked), asked)
        logp = tuple(np.full(size, -1.0) for size in sizes)
        return Choices(logp, tuple(np.ones(size, np.int64) for size in sizes), np.ones(len(sizes), bool))

    def score(self, requests: Sequence[Request], **_: Any) -> Scores:
        """Give every text one token."""
        n = len(requests)
        self._note("score", n, [request.context + request.continuation for request in requests])
        flat, none = np.full(n, -1.0), np.zeros(n, np.int64)
        no = np.zeros(n, bool)
        return Scores(np.arange(n + 1), none, flat, flat, flat, -flat, none, ~no, no, none)

    def generate(self, prompts: Sequence[str], **options: Any) -> Generations:
        """Write nothing."""
        n = len(prompts)
        self._note("generate", n, list(prompts))
        self.written += n * int(options.get("max_tokens", 64))
        return Generations(("",) * n, np.zeros(n), np.ones(n, bool))

    def fill(self, blanks: Sequence[Any], **_: Any) -> Fillings:
        """Fill every blank alike."""
        sizes = [len(blank.positions) for blank in blanks]
        self._note("fill", sum(sizes))
        return Fillings(np.concatenate([[0], np.cumsum(sizes)]), np.full(sum(sizes), -1.0), np.ones(len(sizes), bool))

    def classify(self, inputs: Sequence[Any], **_: Any) -> Classes:
        """Give every class the same probability."""
        labels = tuple(self._model.labels)
        self._note("classify", len(inputs), inputs)
        even = np.full((len(inputs), len(labels)), 1 / max(len(labels), 1))
        return Classes(labels, even, np.zeros_like(even), np.ones(len(inputs), bool))

    def embed(self, texts: Sequence[str], **_: Any) -> Embeddings:
        """Give every text the same vector."""
        self._note("embed", len(texts), texts)
        return Embeddings(np.ones((len(texts), 4), np.float32), np.ones(len(texts), bool))

    def read(self, texts: Sequence[str], **_: Any) -> Readings:
        """Score and embed."""
        scores = self.score([Request("", text) for text in texts])
        self.requests["read"] = self.requests.pop("score")
        return Readings(scores, Embeddings(np.ones((len(texts), 4), np.float32), np.ones(len(texts), bool)))


def count(probe: Any, model: Any, name: str, examples: Any, options: dict[str, Any]) -> Count:
    """Return what a probe will ask; `model` is None where it is not loaded, and is then taken for a language model.

    >>> from workbench.data.packs import pack
    >>> from workbench.probes.find import find, settle
    >>> probe = find("calibration")
    >>> count(probe, None, "smollm2-135m-instruct", pack("mini"), settle(probe, {})).said
    '48 answers to score.'
    """
    asked = _StandIn(model, name)
    problem, exact = "", True
    try:
        probe.score(asked, examples, options, monitor=Silent())
    except NotApplicable as reason:
        problem, exact = f"Not applicable: {reason}", bool(asked.requests)
    except WorkbenchError as wrong:
        problem, exact = str(wrong) if not asked.requests else "", False
    except Exception:  # a probe that cannot do with empty answers: what it asked until then is known
        exact = False
    return Count(asked.requests, exact, _tokens(asked, model), problem, asked.written)


def _tokens(asked: _StandIn, model: Any) -> int | None:
    """Return about how many tokens the requests have in all, from a sample of them."""
    tokenizer, texts = getattr(model, "tokenizer", None), asked.texts[: 4 * SAMPLED]
    if tokenizer is None or not texts:
        return None
    usage = getattr(model, "usage", None)
    if usage is not None:  # a model behind a URL: as many as its server counted for texts until now
        each = usage.tokens_of(float(np.mean([len(text) for text in texts])))
        return None if each is None else round(each * sum(asked.requests.values()))
    try:
        ids = tokenizer(texts, add_special_tokens=False)["input_ids"]
    except Exception:  # a tokenizer of another kind
        return None
    return round(float(np.mean([len(one) for one in ids])) * sum(asked.requests.values()))


def seconds_said(requests: int, pace: Pace, origin: str) -> str:
    """Return a range of seconds in words.

    >>> seconds_said(600, Pace(slow=20.0, fast=30.0), "at the pace of run 2")
    'About 20 to 30 s, at the pace of run 2.'
    """
    low, high = requests / pace.fast, requests / pace.slow
    if high < 1.5:
        return f"About a second, {origin}."
    short, long = _said(low), _said(high)
    if short == long:
        return f"About {long}, {origin}."
    number, _, unit = short.partition(" ")
    return f"About {number if long.endswith(unit) and ' ' not in unit else short} to {long}, {origin}."


def _said(seconds: float) -> str:
    if seconds < 100:
        return f"{max(1, round(seconds)):,} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _round(n: int) -> int:
    """Return a number with two digits that count."""
    digits = max(0, len(str(n)) - 2)
    return round(n, -digits)
