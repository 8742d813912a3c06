"""Models whose answers are known by construction."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.models.verbs import Choices, Classes, Generations, ModelInfo, Monitor, Question, Request, Scores


class Chooser:
    """Chooses the answer that `knows` gives with probability `confidence`, spreads the rest evenly."""

    name = "chooser"
    verbs = frozenset({"choose", "generate"})
    model = None
    tokenizer = None

    def __init__(
        self, confidence: float = 0.7, *, right: Sequence[bool] = (True,), stop_after: int | None = None
    ) -> None:
        self.confidence, self.right, self.stop_after = confidence, list(right), stop_after
        self.says = "85"

    @property
    def info(self) -> ModelInfo:
        """What the record keeps."""
        return ModelInfo(self.name, "language model", dtype="float32")

    def choose(self, questions: Sequence[Question], *, monitor: Monitor | None = None) -> Choices:
        """Answer with log-probabilities; the first choice is taken as the right one in every other question."""
        logp, tokens, done = [], [], []
        for i, question in enumerate(questions):
            k = len(question.choices)
            p = np.full(k, (1 - self.confidence) / (k - 1))
            p[0 if self.right[i % len(self.right)] else 1] = self.confidence
            reached = self.stop_after is None or i < self.stop_after
            logp.append(np.log(p) if reached else None)
            tokens.append(np.ones(k, dtype=np.int64) if reached else None)
            done.append(reached)
        return Choices(tuple(logp), tuple(tokens), np.array(done))

    def generate(self, prompts: Sequence[str], **options: Any) -> Generations:
        """Write the same reply to all."""
        return Generations((self.says,) * len(prompts), np.zeros(len(prompts)), np.ones(len(prompts), dtype=bool))


class Classifier:
    """Gives fixed probabilities of "no" and "yes": that of "yes" is the input's own number."""

    name = "fixed"
    verbs = frozenset({"classify"})
    model = None
    tokenizer = None
    info = ModelInfo("fixed", "classifier")

    def classify(self, inputs: Sequence[str], *, monitor: Monitor | None = None) -> Classes:
        """Read the probability from the text."""
        yes = np.array([float(text) for text in inputs])
        return Classes(("no", "yes"), np.stack([1 - yes, yes], axis=1), None, np.ones(len(inputs), dtype=bool))


class Speller:
    """Gives each text two tokens: one that it expected, one that it did not."""

    name = "speller"
    verbs = frozenset({"score"})
    model = None
    tokenizer = None
    info = ModelInfo("speller", "language model")

    def score(self, requests: Sequence[Request], *, monitor: Monitor | None = None) -> Scores:
        """Token 0 with probability 0.5 and rank 0, token 1 with 0.2 where another had 0.6."""
        n = len(requests)
        per_text = {"top": np.log([0.5, 0.6]), "own": np.log([0.5, 0.2]), "rank": [0, 1]}
        return Scores(
            offsets=np.arange(n + 1) * 2,
            token=np.tile([7, 8], n),
            logp=np.tile(per_text["own"], n),
            top_logp=np.tile(per_text["top"], n),
            mean_logp=np.full(2 * n, -1.0),
            var_logp=np.ones(2 * n),
            rank=np.tile(np.array(per_text["rank"]), n),
            done=np.ones(n, dtype=bool),
            boundary_merge=np.zeros(n, dtype=bool),
            truncated=np.zeros(n, dtype=np.int64),
        )
