"""A model behind a URL answers as the same model here, says what it cannot do, and keeps the key to itself."""

import copy
import json
import logging
import pickle
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
from openai_server import Server, serving

import workbench as wb
from workbench.errors import DataError, ModelError, NotApplicable, UsageError
from workbench.models.language import LanguageModel
from workbench.models.load import kind_of, load
from workbench.models.origin import reopen
from workbench.models.verbs import Question, Request, Silent

LETTERS = (" A", " B", " C", " D")
QUESTIONS = [Question(f"Question: {word}\nAnswer:", LETTERS) for word in ("gold", "fox", "Paris")]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture(scope="module")
def here() -> LanguageModel:
    """Return the tiny model, asked directly."""
    made = load(tiny.language_model(), tokenizer=tiny.tokenizer(), cache=False)
    assert isinstance(made, LanguageModel)
    return made


@pytest.fixture
def server(here: LanguageModel) -> Iterator[Server]:
    """Return a server of the same weights."""
    with serving(Server(here.model, here.tokenizer)) as one:
        yield one


class Stop(Silent):
    """Asks to stop after so many answers."""

    def __init__(self, after: int) -> None:
        self.after, self.done, self.seen = after, 0, []

    def advance(self, done: int, **facts: Any) -> None:
        """Count."""
        self.done += done
        self.seen.append(int(facts["answers"]().done.sum()))

    @property
    def stopped(self) -> bool:  # type: ignore[override]  # a plain value in Silent
        """Whether it is enough."""
        return self.done >= self.after


def test_log_likelihoods_are_those_of_the_model_here(server: Server, here: LanguageModel) -> None:
    """Tokens, boundaries, log p and the largest log p of every token; plain forward passes are the second source."""
    far = load(server.url, bos="<bos>")
    ours, theirs = far.score(tiny.REQUESTS), here.score(tiny.REQUESTS)

    np.testing.assert_array_equal(theirs.offsets, ours.offsets)
    np.testing.assert_allclose(ours.logp, theirs.logp, atol=1e-4)
    np.testing.assert_array_equal(theirs.boundary_merge, ours.boundary_merge)
    told = ~np.isnan(ours.top_logp)
    assert told.mean() > 0.9
    np.testing.assert_allclose(ours.top_logp[told], theirs.top_logp[told], atol=1e-4)
    np.testing.assert_array_equal(theirs.rank[told] == 0, ours.rank[told] == 0)
    assert np.isnan(ours.mean_logp).all()
    assert ours.done.all()


@pytest.mark.parametrize("shown", [True, False], ids=["shown", "hidden"])
def test_a_token_that_the_server_puts_in_front_is_left_out(here: LanguageModel, shown: bool) -> None:
    """Whether it is listed or not; naming it in bos= would double it, which is refused."""
    tokens = tiny.tokenizer(adds_bos=True)
    local = load(here.model, tokenizer=tokens, cache=False)
    with serving(Server(here.model, tokens, adds_bos=True, shows_bos=shown)) as server:
        some = [request for request in tiny.REQUESTS if request.context]
        np.testing.assert_allclose(load(server.url).score(some).logp, local.score(some).logp, atol=1e-4)
        with pytest.raises(UsageError, match="puts a token of its own before every text"):
            load(server.url, bos="<bos>")


def test_a_text_without_a_context_needs_the_token_that_begins_texts(server: Server) -> None:
    """Its first token has no likelihood, which is said, not guessed; a bos that is no token is refused."""
    with pytest.raises(NotApplicable, match=r"Request 1 has no context.*bos='<s>'"):
        load(server.url).score([Request("a", " b"), Request(" ", "fox")])
    with pytest.raises(UsageError, match="does not read bos='<s>' as one token"):
        load(server.url, bos="<s>")
    with pytest.raises(DataError, match="Request 0 has an empty continuation"):
        load(server.url).score([Request("a", "")])


def test_choices_are_scored_where_they_stand(server: Server, here: LanguageModel) -> None:
    """Whole answers, as the engine has them."""
    questions = [*QUESTIONS, Question("The quick brown", (" fox jumps", " dog"))]
    for ours, theirs in zip(load(server.url).choose(questions).logp, here.choose(questions).logp, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


@pytest.mark.parametrize("way", ["completions", "chat"])
def test_without_echo_letters_are_read_off_the_next_token(server: Server, here: LanguageModel, way: str) -> None:
    """A letter has its own log p where it is told, NaN with a note of its bound where it is not; answers are refused."""
    server.echo, server.completions = False, way == "completions"
    prompts = [q.prompt if way == "completions" else f"user: {q.prompt}\nassistant:" for q in QUESTIONS]
    table = [server.table(server.ids(prompt))[-1] for prompt in prompts]
    best = [np.argsort(-row)[:20] for row in table]
    words = [[here.tokenizer.decode([int(i)]) for i in some] for some in best]
    known = [
        next(word for word in some if word.strip() and len(word.strip()) <= 3 and "\ufffd" not in word)
        for some in words
    ]
    asked = [Question(q.prompt, (one, " \u00e9")) for q, one in zip(QUESTIONS, known, strict=True)]
    far = load(server.url)
    assert "score" not in far.verbs
    found = far.choose(asked)

    for i, (one, logp) in enumerate(zip(known, found.logp, strict=True)):
        assert logp is not None
        same = [word == one if way == "completions" else word.strip() == one.strip() for word in words[i]]
        expected = np.logaddexp.reduce(table[i][best[i]][same])
        assert logp[0] == pytest.approx(expected, abs=1e-4)
        assert np.isnan(logp[1])
    assert found.done.all()
    note = next(note for note in far.info.notes if "likeliest next tokens" in note)
    assert note.startswith("in 3 of 3 questions a choice was not among")
    with pytest.raises(NotApplicable, match="longer than a token.*scoring='letters'.*For whole answers"):
        far.choose([Question("Q", (" Paris", " London"))])


def test_a_text_that_the_server_ends_is_asked_with_other_seeds(server: Server) -> None:
    """llama-cpp-python tells nothing where it draws the end: four seeds are tried, then the question has no likelihoods."""
    server.echo = False
    far = load(server.url, concurrency=1, cache=False)
    told = {"tokens": [], "token_logprobs": [], "top_logprobs": [], "text_offset": []}
    ended = {"raw": json.dumps({"choices": [{"text": "", "finish_reason": "stop", "logprobs": told}]}).encode()}
    server.script.append(ended)
    far.choose(QUESTIONS[:1])
    assert [1, 2] == [payload["seed"] for payload in server.posts("/v1/completions")[-2:]]
    assert not any("ended the text" in note for note in far.info.notes)

    server.script.extend([ended] * 4)
    found = far.choose(QUESTIONS)
    assert found.logp[0] is not None
    assert np.isnan(found.logp[0]).all()
    assert any(
        "in 1 of 3 questions the server ended the text and told no likelihoods" in note for note in far.info.notes
    )


def test_texts_are_written_as_here(server: Server, here: LanguageModel) -> None:
    """Greedy texts and their log p; a stop; drawn ones from a seed each, the same again."""
    prompts = ["The quick", "Gold is", "Paris"]
    far = load(server.url, cache=False)
    ours, theirs = far.generate(prompts, max_tokens=6), here.generate(prompts, max_tokens=6)
    ends = [here.tokenizer.eos_token not in (text or "") for text in theirs.texts]
    assert all(ends)
    assert theirs.texts == ours.texts
    np.testing.assert_allclose(ours.logp, theirs.logp, atol=1e-3)

    drawn = far.generate(prompts * 2, max_tokens=6, temperature=1.0)
    assert drawn.texts == far.generate(prompts * 2, max_tokens=6, temperature=1.0).texts
    seeds = [payload["seed"] for payload in server.posts("/v1/completions")[-6:]]
    assert len(set(seeds)) == 6
    assert np.isfinite(drawn.logp).all()
    assert np.isnan(far.generate(["a"], max_tokens=2, temperature=0.5).logp).all()
    assert far.generate(["The quick"], max_tokens=6, stop=["?"]).texts[0] == (theirs.texts[0] or "").split("?")[0]
    far.generate(["Hello"], max_tokens=2, chat=True)
    assert [{"role": "user", "content": "Hello"}] == server.posts("/chat/completions")[-1]["messages"]
    server.chat = False
    with pytest.raises(NotApplicable, match="has no chat API"):
        far.generate(["Hello"], chat=True)


def test_vectors_are_the_servers(server: Server) -> None:
    """In the order of the texts, in few requests; a blank text has none; other readings are refused."""
    texts = [f"fox {i}" for i in range(40)] + [" "]
    far = load(server.url)
    found = far.embed(texts)
    expected = server.vectors({"input": texts[:1]})["data"][0]["embedding"]

    np.testing.assert_allclose(found.vectors[0], expected, atol=1e-5)
    assert np.isnan(found.vectors[-1]).all()
    assert found.done.all()
    assert 2 == len(server.posts("/embeddings")) - 1
    with pytest.raises(NotApplicable, match="layer, pooling and vectors cannot be chosen"):
        far.embed(texts, layer=0)


@pytest.mark.parametrize(
    ("lacks", "verbs", "verb", "reason"),
    [
        (
            {"echo": False},
            {"choose", "generate", "embed"},
            "score",
            r"asked for echo=true with logprobs=1, and the tokens",
        ),
        ({"embeddings": False}, {"score", "choose", "generate"}, "embed", r"/embeddings was asked, and .*404"),
        ({"logprobs": False}, {"generate", "embed"}, "choose", r"no log-probabilities .*nor does /chat/completions"),
        ({"completions": False}, {"choose", "generate", "embed"}, "score", r"echoed .*no /completions"),
        (
            {"completions": False, "chat": False},
            {"embed"},
            "generate",
            r"/completions .*/chat/completions was asked, too",
        ),
        ({"most_top": 5}, {"score", "choose", "generate", "embed"}, "fill", r"remote language model: it cannot fill"),
    ],
    ids=["echo", "embeddings", "logprobs", "completions", "vectors alone", "older"],
)
def test_what_a_server_can_do_is_found_when_it_is_loaded(
    server: Server, lacks: dict[str, Any], verbs: set[str], verb: str, reason: str
) -> None:
    """The verbs are those that work; for another the reason says what was asked and what came."""
    for name, value in lacks.items():
        setattr(server, name, value)
    far: Any = load(server.url)

    assert verbs == far.verbs
    with pytest.raises(NotApplicable, match=reason):
        {"fill": lambda: far.fill([]), "choose": lambda: far.choose(QUESTIONS), "score": lambda: far.score([])}.get(
            verb, lambda: far.generate(["a"]) if verb == "generate" else far.embed(["a"])
        )()
    if verb == "score":
        report = wb.run("calibration", far, {"text": ["a fox", "a dog"]}, answer="token")
        assert report.outcome == "not applicable"
        assert "It cannot score:" in report.notes[0]


def test_echoed_numbers_that_stand_one_place_off_are_found(server: Server) -> None:
    """They are held against the next token's: a server that pairs them wrongly cannot score."""

    def shifted(path: str, body: dict[str, Any]) -> dict[str, Any]:
        told = body["choices"][0]["logprobs"] if path == "/v1/completions" else None
        if told and len(told["tokens"]) > 2:
            told["token_logprobs"] = [None, None, *told["token_logprobs"][1:-1]]
            told["token_logprobs"][1] = -1.0
        return body

    server.change = shifted
    far: Any = load(server.url)

    assert "score" not in far.verbs
    assert "has log-probability" in far.reasons["score"]
    assert "as the next token" in far.reasons["score"]


def test_a_server_that_can_do_nothing_or_knows_no_such_model_is_an_error(server: Server) -> None:
    """The nearest model is named; a list of one is taken; without any the reason is given."""
    base, _, _ = server.url.partition("#")
    assert load(base).info.name == server.url
    assert load(base, model="tiny").info.name == server.url
    with pytest.raises(UsageError, match=r"Unknown model of 127.0.0.1:\d+ 'tinny'. Did you mean 'tiny'"):
        load(base, model="tinny")
    with pytest.raises(UsageError, match="The URL names the model 'tiny' and model= says 'other'"):
        load(server.url, model="other")
    server.lists = False
    with pytest.raises(ModelError, match="does not list its models.*Name one"):
        load(base)
    server.completions = server.chat = server.embeddings = False
    with pytest.raises(ModelError, match=r"can be asked nothing with the model 'tiny': .*\(404: There is no"):
        load(server.url)
    server.key = "k"
    with pytest.raises(ModelError, match="does not accept a request without a key.*Set OPENAI_API_KEY"):
        load(server.url)


def test_requests_are_bounded_and_each_distinct_one_is_sent_once(server: Server) -> None:
    """No more at once than was said, more than one, and nothing twice."""
    far = load(server.url, concurrency=3)
    before = len(server.posts())
    server.most_at_once = 0
    server.script.extend([{"delay": 0.05}] * 10)
    requests = [Request("The quick", f" fox {i % 8}") for i in range(40)]
    found = far.score(requests)

    assert 8 == len(server.posts()) - before
    assert 1 < server.most_at_once <= 3
    assert (40, 8, 0) == (found.counters.requests, found.counters.unique_requests, found.counters.cached)
    assert far.score(requests).counters.cached == 40
    assert 8 == len(server.posts()) - before


def test_answers_are_kept_on_disk_under_the_name_of_a_revision_alone(server: Server) -> None:
    """Another process asks nothing again with the same revision and fingerprint; without a revision nothing is written."""
    requests = [Request("The quick", " fox")]

    def asked(**options: Any) -> int:
        far = load(server.url, **options)
        before = len(server.posts())
        far.score(requests)
        return len(server.posts()) - before

    assert [1, 1] == [asked(), asked()]
    assert [1, 0, 0] == [asked(revision="May"), asked(revision="May"), asked(revision="May", concurrency=2)]
    assert [1, 1, 1] == [asked(revision="June"), asked(revision="May", cache=False), asked()]
    server.fingerprint = "fp_2"
    assert [1, 0] == [asked(revision="May"), asked(revision="May")]


def test_a_fingerprint_that_changes_is_noted(server: Server) -> None:
    """What came before is asked again, and the record shows both."""
    far = load(server.url)
    far.score([Request("a", " b")])
    server.fingerprint = "fp_2"
    far.score([Request("a", " c")])

    assert "the fingerprint changed while it was asked: fp_1, fp_2" in far.info.notes
    assert far.score([Request("a", " b")]).counters.cached == 0


def test_an_interrupted_call_keeps_what_is_done(server: Server) -> None:
    """It ends soon with what came, partial answers are told on the way, and the same call asks only for the rest."""
    far = load(server.url, concurrency=2)
    server.script.extend([{"delay": 0.02}] * 12)
    requests = [Request("The quick", f" fox {i}") for i in range(12)]
    stop = Stop(4)
    found = far.score(requests, monitor=stop)

    assert 4 <= found.done.sum() < 12
    assert stop.seen == list(range(1, len(stop.seen) + 1))
    assert np.isnan(found.total()[~found.done]).all()
    server.script.clear()
    before = len(server.posts())
    whole = far.score(requests)
    assert whole.done.all()
    assert 12 - int(found.done.sum()) == len(server.posts()) - before
    np.testing.assert_allclose(whole.total()[found.done], found.total()[found.done])


def test_a_fault_in_the_middle_keeps_what_came(server: Server) -> None:
    """The error names the request; the same call asks the rest."""
    far = load(server.url, concurrency=1)
    server.script.extend([{}, {}, {}, {"status": 400, "body": {"error": {"message": "context too long"}}}])
    requests = [Request("The quick", f" fox {i}") for i in range(6)]
    with pytest.raises(ModelError, match=r"refused request 3 \(400: context too long\)"):
        far.score(requests)

    assert far.score(requests).counters.cached == 3


def test_a_wait_for_the_server_can_be_interrupted(server: Server) -> None:
    """Stopping does not wait for a Retry-After."""
    far = load(server.url)
    server.script.append({"status": 429, "headers": {"Retry-After": "100"}})
    stop = Stop(1)
    threading.Timer(0.3, lambda: setattr(stop, "after", 0)).start()
    start = time.monotonic()
    found = far.score([Request("The quick", " fox")], monitor=stop)

    assert not found.done.any()
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("body", ["no logprobs", "too few", "not JSON"])
def test_an_answer_that_cannot_be_read_is_one_error(server: Server, body: str) -> None:
    """It names the request, and is raised by the verb."""
    far = load(server.url)

    def spoil(_: str, answer: dict[str, Any]) -> dict[str, Any]:
        told = answer["choices"][0]["logprobs"]
        if body == "no logprobs":
            answer["choices"][0]["logprobs"] = None
        else:
            told["token_logprobs"] = told["token_logprobs"][:-1]
        return answer

    server.change = spoil
    if body == "not JSON":
        server.script.append({"raw": b"oops"})
    said = {"no logprobs": "gave no log-probabilities", "too few": "must be as many", "not JSON": "not JSON"}[body]
    with pytest.raises(ModelError, match=said) as caught:
        far.score([Request("The quick", " fox")])
    assert "request 0" in str(caught.value)


def test_the_key_is_kept_nowhere(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """Not in the object, its record, a saved report, the cache, a log or an error; it reaches the server alone."""
    secret = "sk-0123456789abcdef"
    monkeypatch.setenv("MINE", secret)
    server.key = secret
    caplog.set_level(logging.DEBUG)
    far = load(server.url, key_env="MINE", revision="May", name="mine")
    report = wb.run("calibration", far, "mini", scoring="letters")
    report.save(tmp_path / "report.wb")
    monkeypatch.setenv("MINE", "sk-another-key")
    with pytest.raises(ModelError, match="does not accept the key in MINE") as caught:
        far.score([Request("a", " b")])

    assert {f"Bearer {secret}", "Bearer sk-another-key"} == {key for _, _, key in server.seen}
    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert kept
    held = [
        repr(far),
        str(caught.value),
        caplog.text,
        json.dumps(asdict(far.info)),
        repr(vars(far._line)),
        *map(str, kept),
    ]
    for text in held:
        assert secret not in text
        assert "sk-another-key" not in text


def test_the_record_says_what_is_known_of_the_model(server: Server) -> None:
    """Server, model, fingerprint, that weights are unknown; the report shows it, and record and command load the same again."""
    report = wb.run("calibration", load(server.url), "mini", scoring="letters")

    assert server.url == report.record.model["name"]
    assert report.record.model["weights_hash"] == ""
    assert any("weights unknown" in note for note in report.notes)
    assert any("'fp_1'" in note for note in report.notes)
    assert f"wb.run('calibration', {server.url!r}, 'mini', scoring='letters')" == report.record.command
    assert server.url == reopen(report.record.model, trust=True).info.name


def test_usage_and_price_are_counted(server: Server) -> None:
    """Tokens as the server counts them, times the price; answers that were kept cost nothing."""
    far: Any = load(server.url, price=(2, 10))
    start = copy.copy(far.usage.read)
    far.score([Request("The quick", " fox")] * 2)
    read = len(server.ids("The quick fox"))

    assert read == far.usage.read - start
    assert far.usage.cost == pytest.approx((far.usage.read * 2 + far.usage.written * 10) / 1e6)
    assert "tokens read" in repr(far.usage)
    assert far.cost_said(1_000_000, 0).startswith("About 2 at the price given, tokens as the server counted them in")
    assert far.cost_said(1_000_000, 100_000).startswith("About 2 to 3 at the price given")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"device": "cpu"}, "device says nothing of a model behind a URL"),
        ({"labels": ["a"]}, "labels says nothing of a model behind a URL"),
        ({"concurrency": 0}, "concurrency must be a whole number, 1 or more; it is 0"),
        ({"requests_per_minute": 1.5}, "requests_per_minute must be a whole number"),
        ({"timeout": 0}, "timeout is a number of seconds above 0"),
        ({"price": 3}, r"price is what a million tokens cost, read and written: price=\(0.5, 1.5\); it is 3"),
        ({"price": (1, -1)}, "price is what a million tokens cost"),
        ({"key_env": "NOT_SET_HERE"}, "NOT_SET_HERE is not set"),
    ],
)
def test_options_that_mean_nothing_are_refused(options: dict[str, Any], said: str) -> None:
    """Before anything is asked."""
    with pytest.raises(UsageError, match=said):
        load("http://127.0.0.1:9/v1#x", **options)


def test_options_of_a_server_are_for_servers() -> None:
    """A callable has no key; a URL is known by its scheme."""
    with pytest.raises(UsageError, match="key_env is for a model behind a URL; this one is a callable"):
        load(len, key_env="MINE", labels=["a"])
    assert ("url", "url") == (kind_of("https://host/v1#m"), kind_of("ftp://host"))


def test_what_a_server_has_told_can_be_pickled_with_a_report(server: Server) -> None:
    """Scores hold plain arrays, and the texts of tokens are found again."""
    far: Any = load(server.url)
    found = far.score([Request("The quick", " brown fox")])

    assert " brown fox" == far.tokenizer.decode(found.token)
    assert any("of a token's rank" in note for note in far.info.notes)
    np.testing.assert_array_equal(found.logp, pickle.loads(pickle.dumps(found)).logp)


def test_the_shift_probe_does_without_entropy(server: Server) -> None:
    """A server tells no entropy: the column is left out, and the rest is compared."""
    far = load(server.url, bos="<bos>")
    texts = [f"the fox {i} jumps" for i in range(12)]
    report = wb.run(
        "shift",
        far,
        {"text": texts},
        reference={"text": [text.upper() for text in texts]},
        on="tokens",
        draws=99,
    )

    assert report.outcome == "complete"
    assert np.isfinite(report.metrics["value"]).any()
