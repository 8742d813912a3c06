"""A model behind a URL: any OpenAI-compatible server, asked for what it was found to be able to do.

`score` reads the log-probabilities of an echoed prompt; `choose` reads them, too, or the likeliest next tokens; `generate` and
`embed` are the server's own. Nothing is known of the weights: the record says so, and answers are kept on disk only where
`revision=` names them.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workbench.errors import DataError, ModelError, NotApplicable, counted
from workbench.models._adapt import VerbMissing, absent, heard
from workbench.models._ask import check_generation, check_questions, choices_of, requests_of, seeds_of
from workbench.models._endpoint_http import Asking, Line, Refused
from workbench.models._endpoint_pace import Usage
from workbench.models._endpoint_probe import Abilities
from workbench.models._endpoint_read import Echo, Tail, echo_of, next_of, tail_of, text_of, vectors_of
from workbench.models._endpoint_run import Shelf, Work, gather
from workbench.models._endpoint_tell import Strings, chosen_of, missed_said, scores_of
from workbench.models.cache import Cache
from workbench.models.load import LoadOptions
from workbench.models.verbs import (
    Choices,
    Counters,
    Embeddings,
    Generations,
    ModelInfo,
    Monitor,
    Question,
    Request,
    Scores,
)
from workbench.models.watched import turned

__all__ = ["Endpoint"]

KIND = "remote language model"
RANKS = "of a token's rank the server tells whether it is 0, else a lower bound is given; entropy it does not tell"
TEXTS_AT_ONCE = 32  # texts in one request for vectors
ENDED = 4  # seeds that are tried where a server draws the end of the text, and then tells no likelihoods
LETTER = 3  # characters that a choice may have, spaces aside, where only the next token is told
SEEDS = 2**31  # servers take seeds below it
GUESS = 3.0  # characters of a token, until the server has counted some: a guess that is rather too many tokens


class Endpoint:
    """A model of an OpenAI-compatible server.

    Attributes: `usage` counts requests, tokens and their price; `tokenizer` knows the texts of tokens that came; `reasons` says of
    each verb that is missing what was asked and what came.
    """

    model = None

    def __init__(self, line: Line, name: str, able: Abilities, options: LoadOptions, usage: Usage) -> None:
        self._line, self._model, self._able, self._options = line, name, able, options
        self.usage, self.tokenizer, self.reasons = usage, Strings(), dict(able.reasons)
        self.name = options.name or f"{line.address.base}#{name}"
        self.verbs = able.verbs
        self._said: dict[str, str] = {}
        self._policy_words = _policy_words(options)
        identity = json.dumps([line.address.base, name, options.revision]) if options.revision else ""
        cache = Cache.at(options.cache) if options.revision else None
        self._shelf = Shelf(cache, identity, able.fingerprint, remember=bool(options.cache))

    def __repr__(self) -> str:
        return f"Endpoint({self._model!r} at {self._line.address.base}, answers: {', '.join(sorted(self.verbs))})"

    def __getattr__(self, name: str) -> Any:
        raise absent(self, name)

    @property
    def info(self) -> ModelInfo:
        """What the run record keeps: the server and what it reported, and that its weights are unknown."""
        told = self._shelf.fingerprints
        named = f"revision {self._options.revision!r}, as the person named it" if self._options.revision else ""
        notes = [
            f"the model {self._model!r} at {self._line.address.base}; weights unknown{': ' + named if named else ''}",
            f"the server reported the fingerprint {told[-1]!r}" if told else "the server reports no fingerprint",
        ]
        if len(told) > 1:
            notes.append(f"the fingerprint changed while it was asked: {', '.join(told)}")
        notes += [*self._able.notes, *filter(None, self._said.values()), *self._policy_words]
        return ModelInfo(
            self.name, KIND, revision=self._options.revision or "", device=self._line.address.host, notes=tuple(notes)
        )

    @property
    def per_question(self) -> bool:
        """Whether one request answers a whole question."""
        return not self._able.echo

    def score(self, requests: Sequence[Request], *, monitor: Monitor | None = None) -> Scores:
        """Return the log-likelihood of each continuation's tokens, as far as the server tells.

        `logp` and `top_logp` are nats; `rank` is 0 where the token is the likeliest, else at least 1: how many more is not told.
        `mean_logp` and `var_logp`, which need the whole vocabulary, are NaN. `token` numbers texts (`tokenizer.decode`).

        Raises `NotApplicable` where the server does not echo log-probabilities, or a context is empty and `bos` was not given.
        """
        self._said["score"] = RANKS
        return self._score(requests, monitor)

    def _score(self, requests: Sequence[Request], monitor: Monitor | None) -> Scores:
        self._need("score")
        pairs = [self._prefixed(request, i) for i, request in enumerate(requests)]
        names = [json.dumps(["score", *pair]) for pair in pairs]
        answers: dict[int, Any] = {}
        alone: dict[str, Echo] = {}

        def ask(asking: Asking, places: list[int]) -> list[Any]:
            return [self._scored(asking, pairs[i], f"request {i}", alone)._asdict() for i in places]

        def so_far() -> Scores:
            return scores_of(dict(answers), len(pairs), counters, self.tokenizer)

        counters = Counters(requests=len(pairs), unique_requests=len(set(names)))
        counters.cached = self._gather(Work(names, ask, so_far, "requests"), answers, monitor)
        counters.tokens_run = sum(len(answers[i]["logp"]) for i in answers)
        return so_far()

    def choose(self, questions: Sequence[Question], *, monitor: Monitor | None = None) -> Choices:
        """Return the log-likelihood of every choice of every question, in nats.

        Where the server echoes log-probabilities, as `score` gives them. Else a choice must be one token, such as a letter, among
        the likeliest next ones; one that is not has NaN, and `info.notes` says how many there were and how likely they are at
        most. Through the chat API the choice is what the reply begins with, a space before it or not.
        """
        self._need("choose")
        if self._able.echo:
            heard_as = turned(monitor, lambda scores: choices_of(questions, scores))
            return choices_of(questions, self._score(requests_of(questions), heard_as))
        check_questions(questions)
        long = [choice for question in questions for choice in question.choices if len(choice.strip()) > LETTER]
        if long:
            raise NotApplicable(
                f"{self.name} tells the likeliest next tokens alone, and {long[0].strip()[:40]!r} is longer than a token. Ask for "
                f"letters (scoring='letters'). For whole answers {self.reasons.get('score', 'echo is needed')}."
            )
        names = [json.dumps(["next", self._able.choose, self._able.top, question.prompt]) for question in questions]
        answers: dict[int, Any] = {}

        def ask(asking: Asking, places: list[int]) -> list[Any]:
            return [self._next(asking, questions[i].prompt, f"question {i}") for i in places]

        def so_far() -> Choices:
            return chosen_of(questions, dict(answers), chat=self._able.choose == "chat")

        self._gather(Work(names, ask, so_far, "questions"), answers, monitor)
        found = so_far()
        self._said["choose"] = missed_said(found, answers)
        return found

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
        """Return a continuation of each prompt, from the server's /completions, or /chat/completions where it has no other.

        A seed per prompt goes with it; whether the server draws the same again is its own affair. `logp` sums the log p of the
        tokens that the server lists, at temperature 0 and 1 (at others it may have scaled them, so NaN). `chat` asks
        /chat/completions, with the prompt as one user message.
        """
        self._need("generate")
        check_generation(prompts, max_tokens, temperature, stop, seeds)
        where = "chat" if chat else self._able.write
        options: dict[str, Any] = {"max_tokens": max_tokens, "temperature": temperature}
        options |= {"stop": list(stop)} if stop else {}
        told = self._able.told and where == self._able.write
        drawn = [seed % SEEDS if temperature else 0 for seed in seeds or seeds_of(prompts)]
        names = [json.dumps([where, prompt, seed, options, told]) for prompt, seed in zip(prompts, drawn, strict=True)]
        answers: dict[int, Any] = {}

        def ask(asking: Asking, places: list[int]) -> list[Any]:
            return [self._written(asking, where, prompts[i], {**options, "seed": drawn[i]}, told, i) for i in places]

        def so_far() -> Generations:
            held = dict(answers)
            texts = tuple(held[i][0] if i in held else None for i in range(len(prompts)))
            known = temperature in (0, 1)
            logp = [
                held[i][1] if i in held and known and held[i][1] is not None else np.nan for i in range(len(prompts))
            ]
            return Generations(
                texts, np.array(logp, dtype=np.float64), np.array([t is not None for t in texts], dtype=bool)
            )

        self._gather(Work(names, ask, so_far, "prompts"), answers, monitor)
        return so_far()

    def embed(
        self,
        texts: Sequence[str],
        *,
        layer: int = -1,
        pooling: str = "auto",
        vectors: str = "hidden",
        monitor: Monitor | None = None,
    ) -> Embeddings:
        """Return the server's vectors of texts (n, d); layer and pooling are its own. A text without a character has none (NaN)."""
        self._need("embed")
        if (layer, pooling, vectors) != (-1, "auto", "hidden"):
            raise NotApplicable(
                f"{self.name} gives one vector per text, made as the server makes it: layer, pooling and vectors cannot be chosen."
            )
        said = [i for i, text in enumerate(texts) if text.strip()]
        names = [json.dumps(["embed", texts[i]]) for i in said]
        answers: dict[int, Any] = {}

        def ask(asking: Asking, places: list[int]) -> list[Any]:
            some = [texts[said[i]] for i in places]
            what = f"texts {said[places[0]]} to {said[places[-1]]}"
            body = self._post(asking, "/embeddings", {"input": some}, what, sum(map(len, some)))
            return list(vectors_of(body, len(some), what).tolist())

        def so_far() -> Embeddings:
            held = dict(answers)
            sizes = {len(vector) for vector in held.values()}
            if len(sizes) > 1:
                raise ModelError(f"{self.name} gave vectors of different lengths: {sorted(sizes)}.")
            table = np.full((len(texts), sizes.pop() if sizes else 0), np.nan, dtype=np.float32)
            done = np.array([not text.strip() for text in texts], dtype=bool)
            for i, vector in held.items():
                table[said[i]], done[said[i]] = vector, True
            return Embeddings(table, done)

        self._gather(Work(names, ask, so_far, "texts", TEXTS_AT_ONCE), answers, monitor)
        return so_far()

    def cost_said(self, read: float, written: float) -> str:
        """Return what so many tokens would cost at the price that was given, in a sentence; "" where none was."""
        if self.usage.price is None or not read:
            return ""
        low, high = self.usage.price.of(read, 0), self.usage.price.of(read, written)
        more = f" to {high:,.2g}" if f"{high:,.2g}" != f"{low:,.2g}" else ""
        origin = f"tokens as the server counted them in {counted(self.usage.counted, 'answer')}"
        return f"About {low:,.2g}{more} at the price given, {origin}; what is kept from before costs nothing."

    def _need(self, verb: str) -> None:
        if verb not in self.verbs:
            why = self.reasons.get(verb, "the server does not offer it")
            raise VerbMissing(f"{self.name} cannot {verb}: {why}")

    def _prefixed(self, request: Request, i: int) -> tuple[str, str]:
        """Return context and continuation, whitespace at the context's end moved over, as the engine has it."""
        if not request.continuation:
            raise DataError(f"Request {i} has an empty continuation. Give every request a continuation.")
        context = request.context.rstrip()
        rest = request.context[len(context) :] + request.continuation
        if context:
            return context, rest
        bos = self._options.bos
        if not bos:
            raise NotApplicable(
                f"Request {i} has no context, and a server tells no log-probability for a text's first token. Name the text of the "
                "token that begins texts for this model: wb.load(..., bos='<s>')."
            )
        return bos, rest.removeprefix(bos) or rest

    def _scored(self, asking: Asking, pair: tuple[str, str], what: str, alone: dict[str, Echo]) -> Tail:
        context, rest = pair
        echo, boundary = self._echo(asking, context + rest, what), len(context.encode())
        found = tail_of(echo, boundary, None, what)
        if found is None:  # a token spans the boundary
            if context not in alone:
                alone[context] = self._echo(asking, context, f"the context of {what}")
            found = tail_of(echo, boundary, alone[context], what)
        assert found is not None  # noqa: S101 - with a context there is an answer, or an error
        return found

    def _echo(self, asking: Asking, text: str, what: str) -> Echo:
        payload = {"prompt": text, "max_tokens": self._able.after, "temperature": 1.0, "logprobs": 1, "echo": True}
        return echo_of(self._post(asking, "/completions", payload, what, len(text)), text, what)

    def _next(self, asking: Asking, prompt: str, what: str) -> dict[str, float]:
        """Return the likeliest next tokens, {} where the server ends the text there, whatever the seed, and tells nothing."""
        for seed in range(1, ENDED + 1):
            options: dict[str, Any] = {"max_tokens": 1, "temperature": 1.0, "seed": seed}
            if self._able.choose == "completions":
                path, asked = "/completions", {"prompt": prompt, **options, "logprobs": self._able.top}
            else:
                path = "/chat/completions"
                asked = {"messages": _message(prompt), **options, "logprobs": True, "top_logprobs": self._able.top}
            found = next_of(self._post(asking, path, asked, what, len(prompt)), what)
            if found:
                return found
        return {}

    def _written(
        self, asking: Asking, where: str, prompt: str, options: dict[str, Any], told: bool, i: int
    ) -> tuple[str, float | None]:
        chat = where == "chat"
        payload: dict[str, Any] = {"messages": _message(prompt)} if chat else {"prompt": prompt}
        payload |= options | ({"logprobs": True if chat else 1} if told else {})
        what = f"prompt {i}"
        try:
            body = self._post(asking, "/chat/completions" if chat else "/completions", payload, what, len(prompt))
        except Refused as error:
            if chat and error.status == 404 and self._able.write != "chat":
                raise NotApplicable(f"{self.name} has no chat API ({error}). Leave chat out.") from None
            raise
        text, logp = text_of(body, what)
        return text, None if math.isnan(logp) else logp

    def _post(
        self, asking: Asking, path: str, payload: Mapping[str, Any], what: str, characters: int
    ) -> dict[str, Any]:
        """Return the answer, and count it."""
        pace, most = self._line.pace, payload.get("max_tokens", 0)
        guess = math.ceil(self.usage.tokens_of(characters) or characters / GUESS) + most
        body = asking.post(path, {"model": self._model, **payload}, what=what, tokens=guess)
        used = self.usage.add(body, characters)
        pace.settle(guess, guess if used is None else used)
        self._shelf.see(body.get("system_fingerprint"))
        return body

    def _gather(self, work: Work, answers: dict[int, Any], monitor: Monitor | None) -> int:
        """Fill the answers; return how many were kept from before."""
        many = self._options.concurrency
        with self._line.open(many) as asking:
            return gather(work, answers, asking=asking, shelf=self._shelf, monitor=heard(monitor), concurrency=many)


def _message(prompt: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": prompt}]


def _policy_words(options: LoadOptions) -> tuple[str, ...]:
    if not options.cache:
        return ("answers are not kept (cache=False)",)
    if not options.revision:
        return ("answers are kept in memory only; revision='...' names the weights, and keeps them on disk",)
    return ("answers are kept on disk under the revision named: name another when the model behind the URL changes",)
