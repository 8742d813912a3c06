"""A causal language model chooses and generates as the plain model would, whatever the batch."""

import copy
from typing import Any

import numpy as np
import pytest
import tiny
import torch

from workbench.errors import DataError, NotApplicable, UsageError
from workbench.models.load import load
from workbench.models.verbs import Question, Request, Silent

PROMPTS = ["The quick brown", "What is the capital of France? Answer:", "Gold", "", "Twelve and seven make"]


def model_of(family: str = "llama", **options: Any) -> Any:
    """Return a loaded tiny model without a cache on disk."""
    return load(tiny.language_model(family), tokenizer=tiny.tokenizer(), cache=False, **options)


class Stopper(Silent):
    """Asks to stop after some pieces of work."""

    def __init__(self, after: int) -> None:
        self.after, self.seen = after, 0

    def advance(self, done: int, **facts: Any) -> None:
        """Count."""
        self.seen += done

    @property
    def stopped(self) -> bool:
        """Whether enough was done."""
        return self.seen >= self.after


@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma3", "bloom", "opt"])
def test_greedy_text_equals_that_of_transformers(family: str) -> None:
    """The same text as `generate` of each prompt alone, though ours is batched with padding."""
    model, tokens = model_of(family), tiny.tokenizer()
    made = model.generate(PROMPTS, max_tokens=12)

    for prompt, text in zip(PROMPTS, made.texts, strict=True):
        ids = torch.tensor([tokens(prompt)["input_ids"] or [1]])
        whole = model.model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=12, do_sample=False, pad_token_id=0, eos_token_id=2
        )
        assert tokens.decode(whole[0, ids.shape[1] :], skip_special_tokens=True) == text


def test_log_p_is_that_of_the_tokens_written() -> None:
    """The sum of log p equals the score of the text, where nothing but text was written."""
    model, tokens = model_of(), tiny.tokenizer()
    ids = model.model.generate(
        torch.tensor([tokens(PROMPTS[0])["input_ids"]]), max_new_tokens=6, do_sample=False, pad_token_id=0
    )[0].tolist()
    made = model.generate(PROMPTS[:1], max_tokens=6)
    n_context = len(tokens(PROMPTS[0])["input_ids"])

    assert tiny.plain(model.model, ids, n_context)[0].sum() == pytest.approx(made.logp[0], abs=1e-4)


def test_a_draw_depends_on_its_seed_alone() -> None:
    """Alone, in a batch, in another order: the same text for the same seed; another seed, another text."""
    model = model_of()
    seeds = [11, 22, 33, 44, 55]
    together = model.generate(PROMPTS, temperature=1.0, max_tokens=16, seeds=seeds)
    alone = [
        model.generate([p], temperature=1.0, max_tokens=16, seeds=[s]).texts[0]
        for p, s in zip(PROMPTS, seeds, strict=True)
    ]
    backwards = model.generate(PROMPTS[::-1], temperature=1.0, max_tokens=16, seeds=seeds[::-1])
    other = model.generate(PROMPTS, temperature=1.0, max_tokens=16, seeds=[seed + 1 for seed in seeds])

    assert list(together.texts) == alone == list(backwards.texts[::-1])
    np.testing.assert_allclose(together.logp, backwards.logp[::-1], atol=1e-4)
    assert together.texts != other.texts


def test_without_seeds_equal_prompts_draw_apart_and_again_alike() -> None:
    """Seeds come from the prompt and how often it stood before."""
    model = model_of()
    first = model.generate(["Gold", "Gold", "The"], temperature=1.0, max_tokens=16)
    again = model.generate(["The", "Gold", "Gold"], temperature=1.0, max_tokens=16)

    assert first.texts[0] != first.texts[1]
    assert first.texts == (again.texts[1], again.texts[2], again.texts[0])


def test_draws_follow_the_distribution() -> None:
    """The first token's frequencies over 2,000 seeds agree with the model's probabilities at that temperature."""
    model, tokens, n = model_of(), tiny.tokenizer(), 2000
    with torch.no_grad():
        logits = model.model(torch.tensor([tokens("Gold")["input_ids"]])).logits[0, -1].double()
    expected = torch.softmax(logits / 0.5, -1)
    token = int(expected.argmax())
    from workbench.models._generate import Writer

    writer = Writer(model.model, tokens, max_length=None)
    draws = [torch.Generator().manual_seed(seed) for seed in range(n)]
    picked, _ = writer._pick(logits.expand(n, -1), draws, 0.5)
    p = float(expected[token])

    assert abs(picked.count(token) / n - p) < 4 * np.sqrt(p * (1 - p) / n)


def test_a_stop_string_ends_the_text_before_it() -> None:
    """The text is the greedy one up to the stop string, also where it spans tokens."""
    model = model_of()
    whole = model.generate(PROMPTS[:1], max_tokens=24).texts[0]
    stop = whole[5:8]
    cut = model.generate(PROMPTS[:1], max_tokens=24, stop=[stop, "never there"]).texts[0]

    assert whole[: whole.find(stop)] == cut


def test_the_end_token_ends_the_text() -> None:
    """Nothing stands after the end token, and its log p is counted."""
    model = model_of()
    first = model.generate(PROMPTS[:1], max_tokens=1)
    head = model.model.lm_head.weight
    with torch.no_grad():
        ids = torch.tensor([tiny.tokenizer()(PROMPTS[0])["input_ids"]])
        state = model.model.model(ids).last_hidden_state[0, -1]
        head[2] = state * 50  # now the end token is the likeliest
    made = model.generate(PROMPTS[:1], max_tokens=8)

    assert first.texts[0] != ""
    assert ("", True) == (made.texts[0], bool(made.done[0]))
    assert -1e-3 < made.logp[0] <= 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"max_tokens": 0}, "max_tokens must be 1"),
        ({"temperature": -1.0}, "temperature must be 0"),
        ({"seeds": [1]}, "5 prompts, 1 seeds"),
        ({"stop": "x"}, "lists of texts"),
        ({"stop": [""]}, "empty text"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], said: str) -> None:
    """Each option that cannot be meant says so."""
    with pytest.raises(UsageError, match=said):
        model_of().generate(PROMPTS, **options)


def test_a_chat_needs_a_template() -> None:
    """Without one it is not applicable; with one the prompt is put into it."""
    model = model_of()
    with pytest.raises(NotApplicable, match="has no chat template"):
        model.generate(["Gold"], chat=True)
    tokens = copy.deepcopy(tiny.tokenizer(eos=False))
    tokens.chat_template = "{% for message in messages %}Question: {{ message.content }} Answer:{% endfor %}"
    chatty = load(tiny.language_model(), tokenizer=tokens, cache=False)
    plain = load(tiny.language_model(), tokenizer=tokens, cache=False)

    assert (
        plain.generate(["Question: Gold Answer:"], max_tokens=8).texts
        == chatty.generate(["Gold"], max_tokens=8, chat=True).texts
    )


def test_a_prompt_that_is_too_long_is_refused() -> None:
    """Nothing is cut in silence."""
    with pytest.raises(DataError, match=r"Prompt 1 has .* tokens; with max_tokens=8 that is more than the 256"):
        model_of().generate(["Gold", "Gold " * 300], max_tokens=8)


def test_a_stop_keeps_what_is_done() -> None:
    """A stopped call returns the batches that are finished, and None for the rest."""
    prompts = [f"{'Gold ' * 40}{i}" for i in range(40)]
    made = model_of().generate(prompts, max_tokens=4, monitor=Stopper(1))

    assert 0 < made.done.sum() < 40
    assert [text is not None for text in made.texts] == made.done.tolist()
    assert np.isnan(made.logp[~made.done]).all()


def test_answers_are_kept_on_disk(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same call again computes nothing; another temperature does."""
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    first = load(tiny.language_model(), tokenizer=tiny.tokenizer())
    before = first.generate(PROMPTS, max_tokens=6)
    second = load(tiny.language_model(), tokenizer=tiny.tokenizer())
    monkeypatch.setattr("workbench.models._generate.Writer._batch", lambda *args: pytest.fail("computed"))

    assert before.texts == second.generate(PROMPTS, max_tokens=6).texts
    with pytest.raises(pytest.fail.Exception):
        second.generate(PROMPTS, max_tokens=6, temperature=0.5)


def test_choices_are_the_sums_of_their_tokens() -> None:
    """Log-likelihoods and token counts per choice equal a plain forward; letters and texts alike."""
    model, tokens = model_of(), tiny.tokenizer()
    questions = [
        Question("Question: What is the capital of France? Answer:", (" Paris", " gold", " the day after Monday")),
        Question("Twelve and seven make", (" A", " B")),
    ]
    made = model.choose(questions)

    for question, logp, count in zip(questions, made.logp, made.tokens, strict=True):
        for choice, total, n in zip(question.choices, logp, count, strict=True):
            ids, n_context = tiny.pair(tokens, Request(question.prompt, choice))
            assert total == pytest.approx(tiny.plain(model.model, ids, n_context)[0].sum(), abs=1e-4)
            assert n == len(ids) - n_context
    assert made.done.all()


def test_questions_that_were_not_reached_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A question is done only when all its choices are."""
    monkeypatch.setattr("workbench.models.engine.HEAD", 1)  # ask the head after every batch
    questions = [Question(f"{i} {'Gold ' * 60}", (" a", " b")) for i in range(30)]
    made = model_of().choose(questions, monitor=Stopper(1))

    assert 0 < made.done.sum() < 30
    assert [each is not None for each in made.logp] == made.done.tolist()
    assert model_of().choose([]).logp == ()
    with pytest.raises(DataError, match="Question 0 has no choices"):
        model_of().choose([Question("a", ())])
