"""Causal language models: log-likelihoods and choices by the scoring engine, text by `_generate`, vectors by `_states`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from workbench.errors import NotApplicable
from workbench.models._adapt import Identity, Store, absent, heard, settings_of
from workbench.models._ask import check_generation, choices_of, requests_of, seeds_of
from workbench.models._generate import Generation, Writer
from workbench.models._states import Reading, States
from workbench.models.cache import Cache
from workbench.models.engine import Engine
from workbench.models.verbs import (
    Choices,
    Embeddings,
    Generations,
    ModelInfo,
    Monitor,
    Question,
    Readings,
    Request,
    Scores,
)
from workbench.models.watched import turned

if TYPE_CHECKING:
    from workbench.models._open import Opened

__all__ = ["LanguageModel"]


class LanguageModel:
    """A causal language model of transformers: scores, chooses, generates and embeds.

    Attributes: model, tokenizer (transformers' own), name.
    """

    verbs = frozenset({"score", "choose", "generate", "embed", "read"})

    def __init__(self, opened: "Opened") -> None:
        self.model, self.tokenizer, self._info = opened.model, opened.tokenizer, opened.info
        self.name = opened.info.name
        self._options = opened.options
        self._cache = Cache.at(opened.options.cache)
        self._identity = Identity(self.model, opened.fingerprint)
        self._fingerprint = self._identity.now()
        self._engine = self._new_engine()

    def __repr__(self) -> str:
        return f"LanguageModel({self.name!r}, {self.info.parameters:,} parameters, {self.info.dtype} on {self.info.device})"

    def __getattr__(self, name: str) -> Any:
        raise absent(self, name)

    @property
    def info(self) -> ModelInfo:
        """What the run record keeps; the engine's notes are among its notes."""
        engine = self.__dict__.get("_engine")
        return replace(self._info, notes=(*self._info.notes, *(engine.notes if engine else ())))

    @property
    def engine(self) -> Engine:
        """The engine of the weights as they are now; made anew after the model was trained or loaded into."""
        self.model.eval()
        fingerprint = self._identity.now()
        if fingerprint != self._fingerprint:
            self._fingerprint = fingerprint
            self._engine = self._new_engine()
        return self._engine

    def score(self, requests: Sequence[Request], *, monitor: Monitor | None = None) -> Scores:
        """Return per-token statistics of each continuation after its context, in the order given."""
        return self.engine.score(requests, monitor=monitor)

    def choose(self, questions: Sequence[Question], *, monitor: Monitor | None = None) -> Choices:
        """Return the log-likelihood of every choice of every question, in nats, with its number of tokens.

        Letters (one token each) and whole answers are asked alike, and every token that prompts and choices share is run once. A
        question is done when all its choices are.
        """
        requests = requests_of(questions)
        heard_as = turned(monitor, lambda scores: choices_of(questions, scores))
        return choices_of(questions, self.score(requests, monitor=heard_as))

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
        """Return a continuation of each prompt, and the sum of log p of its tokens under the model (nats, at temperature 1).

        Temperature 0 takes the likeliest token. Otherwise each prompt draws from its own seed, so that neither batch nor order
        changes a draw; without `seeds` they come from the prompt's text and how often it stood before. A text ends before the
        first `stop` string, at the end token, or after `max_tokens`; log p counts every token drawn, the end token and those
        of a stop string included. `chat` puts the prompt into the tokenizer's chat template as one user turn. The settings of
        the model's generation_config (penalties, top-p) are not used: what is drawn is the model itself.
        """
        check_generation(prompts, max_tokens, temperature, stop, seeds)
        if chat and not getattr(self.tokenizer, "chat_template", None):
            raise NotApplicable(
                f"{self.name} has no chat template. Leave chat out, or load an instruction-tuned model."
            )
        plan = Generation(max_tokens, float(temperature), tuple(stop))
        writer = Writer(self.model, self.tokenizer, max_length=self.engine.max_length)
        settings = (settings_of(self.model), self.info.dtype, self.model.device.type, repr(plan))
        store = Store(self._cache, self._fingerprint, "generate", *settings)
        return writer.write(writer.encode(prompts, chat=chat), plan, seeds or seeds_of(prompts), store, heard(monitor))

    def embed(
        self,
        texts: Sequence[str],
        *,
        layer: int = -1,
        pooling: str = "auto",
        vectors: str = "hidden",
        monitor: Monitor | None = None,
    ) -> Embeddings:
        """Return one vector per text (n, d), float32; NaN where the person stopped.

        Hidden states of a layer (0: the embeddings, -1: the last), pooled by "mean" over the text's own tokens (what "auto" is),
        "last" or "first"; with vectors="static" the mean of its tokens' rows of the input-embedding matrix. BOS stands before
        every text and is left out of the mean. Texts longer than the model reads are cut at their end.
        """
        return self._states().embed(
            texts,
            Reading(layer, pooling, vectors),
            cache=self._cache,
            fingerprint=self._fingerprint,
            monitor=heard(monitor),
        )

    def read(
        self, texts: Sequence[str], *, layer: int = -1, pooling: str = "auto", monitor: Monitor | None = None
    ) -> Readings:
        """Return the scores of texts after BOS and their vectors, from one pass: what `score` and `embed` give, for half the work.

        What one of them gave before is taken from the cache, and only the rest is run.
        """
        engine = self.engine
        made = self._states().read(
            engine,
            list(texts),
            Reading(layer, pooling),
            cache=self._cache,
            fingerprint=self._fingerprint,
            monitor=heard(monitor),
        )
        return Readings(*made)

    def _states(self) -> States:
        return States(
            self.model,
            self.tokenizer,
            self.name,
            causal=True,
            max_length=self.engine.max_length,
            padding=self.engine.padding,
            token_budget=self._options.token_budget,
        )

    def _new_engine(self) -> Engine:
        engine = Engine(
            self.model,
            self.tokenizer,
            device=self.model.device,
            cache=self._cache,
            fingerprint=self._fingerprint,
            token_budget=self._options.token_budget,
        )
        if self._options.max_length is not None:
            limits = (self._options.max_length, engine.max_length)
            engine.max_length = min(limit for limit in limits if limit is not None)
        return engine
