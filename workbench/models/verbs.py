"""What can be asked of a model, and what comes back: the nouns between models and probes.

A model has `name`, `verbs` (the names of the protocols below that it answers), `info`, and `model` and `tokenizer` where there
are such things. Each verb takes a sequence, keeps its order, reports to a `Monitor`, and returns a result whose `done` marks
the entries that were computed: an interrupted call returns what it has, it does not raise.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Blanks",
    "Choices",
    "Chooses",
    "Classes",
    "Classifies",
    "Counters",
    "Embeddings",
    "Embeds",
    "Fillings",
    "Fills",
    "Generates",
    "Generations",
    "Model",
    "ModelInfo",
    "Monitor",
    "NoModel",
    "Question",
    "Readings",
    "Reads",
    "Request",
    "Scores",
    "ScoresText",
    "Silent",
]

Floats = NDArray[np.float64]


class Request(NamedTuple):
    """A continuation to be scored after a context; an empty context means the model's first token (BOS, else EOS)."""

    context: str
    continuation: str


class Question(NamedTuple):
    """A prompt with the continuations to choose among, as they are appended (a leading space is part of them)."""

    prompt: str
    choices: tuple[str, ...]


class Blanks(NamedTuple):
    """Token ids, special tokens included, and the positions that are masked, one at a time."""

    ids: tuple[int, ...]
    positions: tuple[int, ...]


@dataclass(frozen=True)
class ModelInfo:
    """What the run record keeps of a model."""

    name: str
    kind: str  # "language model", "masked language model", "classifier", "embedder", "callable"
    revision: str = ""
    weights_hash: str = ""  # sha256 over the weights; "" where there is none, and then nothing is cached on disk
    device: str = "cpu"
    dtype: str = ""
    parameters: int = 0
    bytes: int = 0
    notes: tuple[str, ...] = ()


@runtime_checkable
class Monitor(Protocol):
    """Hears of progress and may ask to stop; called between batches, from the thread that computes."""

    def start(self, total: int, unit: str) -> None:
        """Hear that a call begins which has `total` pieces of work to do."""

    def advance(self, done: int, **facts: Any) -> None:
        """Hear that `done` more pieces are finished; facts may hold cached, rate, device_memory."""

    def finish(self) -> None:
        """Hear that the call is over, complete or not."""

    @property
    def stopped(self) -> bool:
        """True once the person asked to stop."""


class Silent:
    """A monitor that says nothing and never stops."""

    stopped = False

    def start(self, total: int, unit: str) -> None:
        """Ignore."""

    def advance(self, done: int, **facts: Any) -> None:
        """Ignore."""

    def finish(self) -> None:
        """Ignore."""


@dataclass
class Counters:
    """What a scoring call did: exact, so that tests can assert it.

    `unique_tokens` counts the nodes of the prefix tree of what was not cached; `tokens_run` what went through the model, without
    padding: the same where the tree was one row, and not much more elsewhere.
    """

    requests: int = 0
    unique_requests: int = 0
    cached: int = 0
    unique_tokens: int = 0
    tokens_run: int = 0
    tokens_padded: int = 0
    head_positions: int = 0
    batches: int = 0
    oom_retries: int = 0


@dataclass(frozen=True)
class Scores:
    """Per-token statistics of each request's continuation, ragged: request i has tokens offsets[i]:offsets[i + 1].

    logp, mean_logp (expectation of log p over the vocabulary = -entropy) and var_logp are in nats; rank counts the vocabulary
    entries with a larger logit (0 = the model's first choice); top_logp is the log p of the model's first choice.
    Requests that are not done have no tokens. `truncated` counts the context tokens that were dropped.
    """

    offsets: NDArray[np.int64]  # (r + 1,)
    token: NDArray[np.int64]
    logp: Floats
    top_logp: Floats
    mean_logp: Floats
    var_logp: Floats
    rank: NDArray[np.int64]
    done: NDArray[np.bool_]  # (r,)
    boundary_merge: NDArray[np.bool_]  # (r,)
    truncated: NDArray[np.int64]  # (r,)
    counters: Counters = field(default_factory=Counters)

    def total(self) -> Floats:
        """Log-likelihood of each continuation in nats, (r,); NaN where not done."""
        sums = np.add.reduceat(np.append(self.logp, 0.0), self.offsets[:-1]) if len(self.done) else np.empty(0)
        return np.where(self.done & (np.diff(self.offsets) > 0), sums, np.nan)


@dataclass(frozen=True)
class Fillings:
    """log p (nats) of the true token at each masked position, ragged: sequence i has logp[offsets[i]:offsets[i + 1]].

    A sequence of which a position was not reached is not done, and has no numbers.
    """

    offsets: NDArray[np.int64]  # (n + 1,)
    logp: Floats
    done: NDArray[np.bool_]  # (n,)
    counters: Counters = field(default_factory=Counters)

    def total(self) -> Floats:
        """Pseudo-log-likelihood of each sequence over its positions in nats, (n,); 0 where it has none, NaN where not done."""
        sums = np.concatenate([[0.0], np.cumsum(self.logp)])
        return np.where(self.done, sums[self.offsets[1:]] - sums[self.offsets[:-1]], np.nan)


@dataclass(frozen=True)
class Choices:
    """Log-likelihoods of each question's choices.

    logp[i] has the total log-likelihood (nats) of each choice of question i, tokens[i] its number of tokens; a question that is
    not done has None.
    """

    logp: tuple[Floats | None, ...]
    tokens: tuple[NDArray[np.int64] | None, ...]
    done: NDArray[np.bool_]
    counters: Counters = field(default_factory=Counters)
    truncated: NDArray[np.int64] | None = None  # (n,) tokens of the context that were dropped, the most of any choice


@dataclass(frozen=True)
class Classes:
    """Class probabilities (n, K), float64, rows that are not done NaN; logits where the model has them."""

    labels: tuple[str, ...]
    probabilities: Floats
    logits: Floats | None
    done: NDArray[np.bool_]


@dataclass(frozen=True)
class Generations:
    """Generated texts; logp is the sum of log p of the generated tokens under the model (nats), NaN where not known."""

    texts: tuple[str | None, ...]
    logp: Floats
    done: NDArray[np.bool_]


@dataclass(frozen=True)
class Embeddings:
    """Vectors (n, d), float32; rows that are not done NaN, and those of texts that have no vector, though they are done."""

    vectors: NDArray[np.float32]
    done: NDArray[np.bool_]
    truncated: NDArray[np.int64] | None = None  # (n,) tokens that were dropped at the end of a text


class Readings(NamedTuple):
    """Scores of texts, each after the model's first token, and their vectors, from one pass."""

    scores: Scores
    embeddings: Embeddings


class Model(Protocol):
    """What every model shows."""

    @property
    def name(self) -> str:
        """A short name for tables."""

    @property
    def verbs(self) -> frozenset[str]:
        """Which of choose, score, generate, fill, classify, embed, read it answers."""

    @property
    def info(self) -> ModelInfo:
        """What the run record keeps."""


class NoModel:
    """Stands where a probe was given no model: it answers nothing.

    >>> NoModel().verbs
    frozenset()
    """

    name = ""
    verbs = frozenset[str]()
    info = ModelInfo("", "none")


class ScoresText(Model, Protocol):
    """Gives log-likelihoods of continuations."""

    def score(self, requests: Sequence[Request], *, monitor: Monitor | None = None) -> Scores:
        """Score each continuation after its context."""


class Chooses(Model, Protocol):
    """Gives the log-likelihood of each choice."""

    def choose(self, questions: Sequence[Question], *, monitor: Monitor | None = None) -> Choices:
        """Score every choice of every question."""


class Generates(Model, Protocol):
    """Writes text."""

    def generate(
        self,
        prompts: Sequence[str],
        *,
        max_tokens: int = 64,
        temperature: float = 0.0,
        stop: Sequence[str] = (),
        seeds: Sequence[int] | None = None,
        chat: bool = False,
        monitor: Monitor | None = None,
    ) -> Generations:
        """Continue each prompt; temperature 0 is greedy, `seeds` one per prompt; `chat` applies the chat template."""


class Fills(Model, Protocol):
    """Gives the probability of a token where it is masked."""

    @property
    def mask_id(self) -> int | None:
        """The id of the mask token."""

    @property
    def mask(self) -> str:
        """The mask token as it is written in a text; "" where there is none."""

    @property
    def uncased(self) -> bool:
        """Whether the model reads lower case only."""

    @property
    def max_length(self) -> int | None:
        """The most tokens of a sequence, special ones included; None for no limit."""

    def encode(self, texts: Sequence[str], *, special: bool = True) -> list[tuple[int, ...]]:
        """Return the token ids of each text, with the special tokens around it or without them."""

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of token ids."""

    def fill(self, blanks: Sequence[Blanks], *, monitor: Monitor | None = None) -> Fillings:
        """Give log p of the true token at each position, that position alone masked."""


class Reads(Model, Protocol):
    """Gives scores and vectors of texts at once."""

    def read(
        self, texts: Sequence[str], *, layer: int = -1, pooling: str = "auto", monitor: Monitor | None = None
    ) -> Readings:
        """Score each text after the model's first token, and embed it."""


class Classifies(Model, Protocol):
    """Gives class probabilities."""

    def classify(self, inputs: Sequence[Any], *, monitor: Monitor | None = None) -> Classes:
        """Classify each input: a text, an image, or a mapping of feature columns."""


class Embeds(Model, Protocol):
    """Gives vectors."""

    def embed(
        self,
        texts: Sequence[str],
        *,
        layer: int = -1,
        pooling: str = "auto",
        vectors: str = "hidden",
        monitor: Monitor | None = None,
    ) -> Embeddings:
        """Embed each text.

        `layer` counts hidden states from 0 (embeddings) to -1 (last); `pooling` is "mean" over the text's own tokens, "last" of
        them, the "first" position, or "auto": as the model is meant to be read. `vectors` is "hidden", or "static" for rows of the
        input-embedding matrix, averaged over the text's tokens.
        """
