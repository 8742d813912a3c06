"""A language model whose log-likelihoods are a given function: whatever bias is wanted can be planted in it."""

from collections.abc import Callable, Sequence

import numpy as np

from workbench.frames import seed_of
from workbench.models.verbs import Choices, ModelInfo, Monitor, Question, Request, Scores


class Oracle:
    """Gives `logp(context, continuation)` as one token; stops after `stop_after` requests or questions."""

    name = "oracle"
    verbs = frozenset({"choose", "score"})
    model = None
    tokenizer = None
    info = ModelInfo("oracle", "language model")

    def __init__(self, logp: Callable[[str, str], float], *, stop_after: int | None = None, cut: int = 0) -> None:
        self.logp, self.stop_after, self.cut = logp, stop_after, cut
        self.asked: list[Request] = []

    def score(self, requests: Sequence[Request], *, monitor: Monitor | None = None) -> Scores:
        """Score each request; those that are not reached have no tokens."""
        n = len(requests)
        done = np.arange(n) < (n if self.stop_after is None else self.stop_after)
        self.asked += list(requests)
        logp = np.array([self.logp(*request) for request in requests])[done]
        same = np.zeros(len(logp))
        return Scores(
            offsets=np.concatenate([[0], np.cumsum(done)]),
            token=np.zeros(len(logp), dtype=np.int64),
            logp=logp,
            top_logp=same,
            mean_logp=same,
            var_logp=same,
            rank=np.zeros(len(logp), dtype=np.int64),
            done=done,
            boundary_merge=np.zeros(n, dtype=bool),
            truncated=np.full(n, self.cut),
        )

    def choose(self, questions: Sequence[Question], *, monitor: Monitor | None = None) -> Choices:
        """Score each choice of each question."""
        done = [self.stop_after is None or i < self.stop_after for i in range(len(questions))]
        self.asked += [Request(q.prompt, choice) for q in questions for choice in q.choices]
        logp = tuple(
            np.array([self.logp(q.prompt, choice) for choice in q.choices]) if reached else None
            for q, reached in zip(questions, done, strict=True)
        )
        tokens = tuple(None if row is None else np.ones(len(row), dtype=np.int64) for row in logp)
        return Choices(logp, tokens, np.array(done, dtype=bool), truncated=np.full(len(questions), self.cut))


def uniform(*parts: object) -> float:
    """Return a number in [0, 1) that depends on the parts alone."""
    return seed_of(*parts) / 2**63


def normal(*parts: object) -> float:
    """Return a standard normal number that depends on the parts alone."""
    return float(np.random.default_rng(seed_of(*parts)).standard_normal())
