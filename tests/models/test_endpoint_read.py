"""Answers of servers are laid over the text that was sent, and what does not fit is refused."""

from typing import Any

import numpy as np
import pytest

from workbench.errors import ModelError
from workbench.models._endpoint_read import Unlaid, echo_of, next_of, tail_of, text_of, vectors_of


def body(tokens: list[str], logp: list[Any], **more: Any) -> dict[str, Any]:
    """Return an answer of /completions."""
    return {"choices": [{"text": "", "logprobs": {"tokens": tokens, "token_logprobs": logp, **more}}]}


@pytest.mark.parametrize(
    ("tokens", "offsets", "starts"),
    [
        (["a", " é", " b", " and more"], None, (0, 1, 4)),
        (["<s>", "a", " é", " b"], [0, 0, 1, 3], (0, 1, 4)),
        (["<s>", "a", " é", " b"], [0, 3, 4, 6], (0, 1, 4)),
        (["▁a", "▁é", "▁b"], None, (0, 1, 4)),
        (["a", " ", "bytes:\\xc3", "bytes:\\xa9", " b"], None, (0, 1, 2, 3, 4)),
        (["a", " ", "\ufffd", "\ufffd", " b", " c"], [0, 1, 2, 2, 3, 5], (0, 1, 2, 2, 4)),
        (["", "a é", " b", ""], None, (0, 4)),
    ],
    ids=["and what was written", "special", "special that counts", "sentencepiece", "bytes", "parts", "nothing shown"],
)
def test_tokens_are_laid_over_the_text_by_its_bytes(
    tokens: list[str], offsets: list[int] | None, starts: tuple[int, ...]
) -> None:
    """Special tokens in front and what was written behind are left out, however tokens are spelt."""
    told = body(tokens, [None, *[-1.0] * (len(tokens) - 1)], **({"text_offset": offsets} if offsets else {}))

    assert starts == echo_of(told, "a é b", "it").starts


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({}, "The server's answer to it has no choices"),
        ({"choices": [{"text": "a b", "logprobs": None}]}, "no log-probabilities for it, though logprobs was asked"),
        (body(["a", " b"], [None]), "2 tokens and 1 token_logprobs"),
        (body(["a", " b"], [None, -1.0], top_logprobs=[None]), "2 tokens and 1 top_logprobs"),
        (body(["a", " b"], [None, -1.0], text_offset=[0]), "2 tokens and 1 text_offset"),
        (body(["a", " b"], [None, 0.5]), "0.5 as a log-probability for it; it must be a number up to 0"),
        (body(["a", " b"], [None, float("nan")]), "nan as a log-probability"),
        (body(["a", " b"], [None, "-1"]), "'-1' as a log-probability"),
        (body(["a", " c"], [None, -1.0]), "are not those of the text: 2 tokens, together 'a c'"),
        (body([" Paris"], [-1.0], text_offset=[3]), "1 tokens, together ' Paris'"),
        (body(["\ufffd"], [-1.0], text_offset=[3]), "are not those of the text"),
        (body(["a", " b"], [None, -1.0], top_logprobs=[None, 3]), "no form that is known"),
    ],
)
def test_what_does_not_fit_is_refused(answer: dict[str, Any], said: str) -> None:
    """Missing lists, lists of other lengths, numbers that cannot be, tokens of another text."""
    with pytest.raises(ModelError, match=said):
        echo_of(answer, "a b", "it")


def test_a_token_across_the_boundary_is_counted_as_the_engine_counts() -> None:
    """As many tokens are context as the context has alone; where nothing is left, the first that differs is scored."""
    more = echo_of(body(["A", " bc", " d"], [None, -1.0, -2.0]), "A bc d", "it")
    alone = echo_of(body(["A", " b"], [None, -3.0]), "A b", "it")
    within = echo_of(body(["A", " bc"], [None, -1.0]), "A bc", "it")

    assert tail_of(more, 3, None, "it") is None
    assert ([" d"], [-2.0], True) == (
        (found := tail_of(more, 3, alone, "it")) and (found.tokens, found.logp, found.merged)
    )
    assert ([" bc"], [-1.0], True) == (
        (found := tail_of(within, 3, alone, "it")) and (found.tokens, found.logp, found.merged)
    )
    assert ([" d"], False) == ((found := tail_of(more, 4, None, "it")) and (found.tokens, found.merged))


def test_rank_and_largest_likelihood_come_from_what_is_told() -> None:
    """0 for the likeliest, a lower bound for others; parts of characters, which look alike, have neither."""
    top = [None, {" b": -0.1}, {" x": -0.2, " c": -3.0}, {"\ufffd": -4.0}, {"!": -0.3, "\ufffd": -4.0}]
    tokens = ["a", " b", " c", "\ufffd", "\ufffd"]
    told = body(tokens, [None, -0.1, -3.0, -4.0, -4.0], top_logprobs=top, text_offset=[0, 1, 3, 5, 5])
    found = tail_of(echo_of(told, "a b c é", "it"), 1, None, "it")

    assert found is not None
    assert [0, 1, -1, 1] == found.rank
    np.testing.assert_array_equal([-0.1, -0.2, np.nan, -0.3], found.top)


def test_the_first_token_of_a_text_has_no_likelihood() -> None:
    """It is refused, never 0."""
    echo = echo_of(body(["a", " b"], [None, -1.0]), "a b", "it")

    with pytest.raises(Unlaid, match="no log-probability for the first token of it"):
        tail_of(echo, 0, None, "it")


def test_both_forms_of_likeliest_tokens_are_read() -> None:
    """Parallel lists and a list of tokens say the same."""
    lists = body([" A"], [-0.1], top_logprobs=[{" A": -0.1, " B": -2.5}])
    both = [{"token": " A", "logprob": -0.1}, {"token": " B", "logprob": -2.5}]
    content = {"choices": [{"logprobs": {"content": [{**both[0], "top_logprobs": both}]}}]}

    assert {" A": -0.1, " B": -2.5} == next_of(lists, "it") == next_of(content, "it")


@pytest.mark.parametrize(
    "answer",
    [
        {"choices": [{"logprobs": None}]},
        body([], []),
        body(["a"], [-1.0], top_logprobs=[{}, {}]),
        {"choices": [{"logprobs": {"content": ["a"]}}]},
        {"choices": [{"logprobs": {"content": [{"token": "a", "logprob": -1.0, "top_logprobs": [{"a": 1}]}]}}]},
        {"choices": [{"logprobs": {"content": [{"token": "a"}]}}]},
    ],
)
def test_likeliest_tokens_that_cannot_be_read_are_refused(answer: dict[str, Any]) -> None:
    """One error for whatever form."""
    with pytest.raises(ModelError):
        next_of(answer, "it")


def test_a_text_comes_with_the_sum_of_its_log_probabilities() -> None:
    """NaN where they are not told; an answer without a text is refused."""
    lists = {"tokens": ["a", " b"], "token_logprobs": [-1.0, -2.0]}
    assert ("a b", -3.0) == text_of({"choices": [{"text": "a b", "logprobs": lists}]}, "it")
    chat = {
        "choices": [{"message": {"content": "hi"}, "logprobs": {"content": [{"logprob": -1.0}, {"logprob": -2.0}]}}]
    }
    assert ("hi", -3.0) == text_of(chat, "it")
    assert np.isnan(text_of({"choices": [{"text": "hi"}]}, "it")[1])
    with pytest.raises(ModelError, match="holds no text"):
        text_of({"choices": [{"message": 3}]}, "it")


def test_vectors_stand_in_the_order_of_their_texts() -> None:
    """By their index, whatever order they come in; others are refused."""
    data = [{"index": 1, "embedding": [2.0, 3.0]}, {"index": 0, "embedding": [0.0, 1.0]}]
    assert [[0.0, 1.0], [2.0, 3.0]] == vectors_of({"data": data}, 2, "it").tolist()

    for wrong, said in [
        ({"data": data[:1]}, "1 vectors for 2 texts"),
        ({"error": "no"}, "no vectors for 2 texts"),
        ({"data": [{"embedding": [1.0]}, {"embedding": [1.0, 2.0]}]}, "differ in length"),
        ({"data": [{"embedding": "abc"}, {"embedding": [1.0]}]}, "not a list of numbers"),
        ({"data": [{"index": 0, "embedding": [1.0]}] * 2}, "differ in length|one row"),
        ({"data": [{"embedding": [float("nan")]}, {"embedding": [1.0]}]}, "finite numbers"),
    ]:
        with pytest.raises(ModelError, match=said):
            vectors_of(wrong, 2, "it")
