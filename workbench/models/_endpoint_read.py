r"""What a server's answer says, checked: tokens laid over the text they came from, likelihoods, texts, vectors.

Two forms of log-probabilities are read: OpenAI's older one, parallel lists `tokens`, `token_logprobs`, `top_logprobs` and
`text_offset`, and the newer one, a list `content` of tokens with their `top_logprobs`.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ModelError

__all__ = ["Echo", "Tail", "Unlaid", "echo_of", "next_of", "tail_of", "text_of", "vectors_of"]

TIE = 1e-9  # nats within which two log-probabilities are the same number, written twice
SLACK = 1e-3  # how far above 0 rounding may put a log-probability
_BYTES = re.compile(r"bytes:((?:\\x[0-9a-fA-F]{2})+)")


class Unlaid(ModelError):
    """The tokens of an answer are not those of the text that was sent."""


class Echo(NamedTuple):
    """The tokens of a text that was sent, special ones in front left out.

    `starts` are places in the text's UTF-8 bytes; `logp` is None where the server gives none (the first token); `top` maps the
    likeliest tokens at that place to their log-probabilities. `front` special tokens were left out.
    """

    tokens: tuple[str, ...]
    starts: tuple[int, ...]
    logp: tuple[float | None, ...]
    top: tuple[Mapping[str, float], ...]
    front: int = 0


class Tail(NamedTuple):
    """The scored part of a text, token by token.

    `logp` and `top`, the largest log p at that place (NaN where not told), are nats; `rank` counts the tokens told there that are
    likelier: a lower bound of the rank, -1 where none are told.
    """

    tokens: list[str]
    logp: list[float]
    top: list[float]
    rank: list[int]
    merged: bool


def echo_of(body: Mapping[str, Any], text: str, what: str) -> Echo:
    r"""Return the tokens of the text that was sent, what the server wrote after it left out.

    Raises `ModelError` where log-probabilities are missing or do not fit, `Unlaid` where the tokens are not the text's.

    >>> told = {"tokens": ["<s>", "a", " b", "!"], "token_logprobs": [None, -1.0, -2.0, -3.0],
    ...         "top_logprobs": [None, {"a": -1.0}, {" c": -0.5}, {}], "text_offset": [0, 0, 1, 3]}
    >>> echo = echo_of({"choices": [{"text": "a b!", "logprobs": told}]}, "a b", "the text")
    >>> echo.tokens, echo.starts, echo.logp
    (('a', ' b'), (0, 1), (-1.0, -2.0))
    """
    told = _first(body, what).get("logprobs")
    if not isinstance(told, Mapping) or "tokens" not in told:
        raise ModelError(f"The server gave no log-probabilities for {what}, though logprobs was asked.")
    tokens = _list(told, "tokens", what)
    logp = _list(told, "token_logprobs", what)
    top = told.get("top_logprobs") or [{}] * len(tokens)
    offsets = told.get("text_offset")
    for name, values in (("token_logprobs", logp), ("top_logprobs", top), ("text_offset", offsets)):
        if values is not None and len(values) != len(tokens):
            raise ModelError(
                f"The server gave {len(tokens)} tokens and {len(values)} {name} for {what}; they must be as many."
            )
    words = [str(token) for token in tokens]
    first, starts = _laid(words, offsets, text.encode(), what)
    span = slice(first, first + len(starts))
    while words[span.start] == "" and logp[span.start] is None and len(starts) > 1:  # a special token shown as nothing
        span, starts = slice(span.start + 1, span.stop), starts[1:]
    return Echo(
        tuple(words[span]),
        tuple(starts),
        tuple(None if each is None else _logp(each, what) for each in logp[span]),
        tuple(_top(each, what) for each in top[span]),
        span.start,
    )


def tail_of(echo: Echo, boundary: int, context: Echo | None, what: str) -> Tail | None:
    """Return what is scored of an echoed text: the tokens that start at byte `boundary` or later.

    Where a token spans the boundary, they are counted as the engine and lm-eval count: as many tokens are context as the context
    has alone, or, where nothing is left then, those before the first that differs. None where that needs the `context`, echoed
    alone, and it was not given.
    """
    start = sum(each < boundary for each in echo.starts)
    merged = start > 0 and (start == len(echo.starts) or echo.starts[start] != boundary)
    if merged:
        if context is None:
            return None
        start = len(context.tokens)
        if start >= len(echo.tokens):
            pairs = zip(context.tokens, echo.tokens, strict=False)
            start = next((i for i, (one, other) in enumerate(pairs) if one != other), len(echo.tokens))
    part = slice(start, None)
    if not echo.tokens[part]:
        raise ModelError(f"The server found no token in the continuation of {what}.")
    logp, best, rank = [], [], []
    for token, own, top in zip(echo.tokens[part], echo.logp[part], echo.top[part], strict=True):
        if own is None:
            raise Unlaid(
                f"The server gave no log-probability for a token of {what} that is not the first of the text."
                if start
                else f"The server gave no log-probability for the first token of {what}."
            )
        logp.append(own)
        likelier = sum(each > own + TIE for each in top.values())
        told = bool(top) and (
            likelier > 0 or "\ufffd" not in token
        )  # parts of characters look alike, and hide one another
        best.append(max([own, *top.values()]) if told else math.nan)
        rank.append(likelier if told else -1)
    return Tail(list(echo.tokens[part]), logp, best, rank, merged)


def next_of(body: Mapping[str, Any], what: str) -> dict[str, float]:
    """Return the likeliest next tokens with their log-probabilities (nats), the token that was written among them.

    Nothing where the text ended there: some servers (llama-cpp-python 0.3.36) then list no token, not even its end.

    >>> next_of({"choices": [{"logprobs": {"content": [{"token": " A", "logprob": -0.1,
    ...     "top_logprobs": [{"token": " A", "logprob": -0.1}, {"token": " B", "logprob": -2.5}]}]}}]}, "it")
    {' A': -0.1, ' B': -2.5}
    """
    first = _first(body, what)
    told = first.get("logprobs")
    if (
        isinstance(told, Mapping)
        and [] in (told.get("content"), told.get("tokens"))
        and first.get("finish_reason") == "stop"
    ):
        return {}
    if isinstance(told, Mapping) and isinstance(told.get("content"), list) and told["content"]:
        content = told["content"]
        if not isinstance(content[0], Mapping):
            raise ModelError(f"The server's log-probabilities for {what} have no form that is known.")
        return _top(content[0].get("top_logprobs"), what) | _top([content[0]], what)
    if isinstance(told, Mapping) and told.get("tokens"):
        tokens, logp, top = (told.get(name) or [] for name in ("tokens", "token_logprobs", "top_logprobs"))
        if len(tokens) != len(logp) or (top and len(top) != len(tokens)):
            raise ModelError(
                f"The server gave {len(tokens)} tokens, {len(logp)} token_logprobs and {len(top)} top_logprobs for {what}; they "
                "must be as many."
            )
        own = {} if logp[0] is None else {str(tokens[0]): _logp(logp[0], what)}
        return (_top(top[0], what) if top else {}) | own
    raise ModelError(f"The server gave no log-probabilities for {what}, though they were asked.")


def text_of(body: Mapping[str, Any], what: str) -> tuple[str, float]:
    """Return the text that was written, and the sum of its tokens' log p, NaN where it is not told."""
    first = _first(body, what)
    message = first.get("message")
    text = message.get("content") if isinstance(message, Mapping) else first.get("text")
    if text is None and isinstance(message, Mapping):
        text = ""  # a model that thinks in a field of its own, or wrote nothing
    if not isinstance(text, str):
        raise ModelError(f"The server's answer to {what} holds no text.")
    told = first.get("logprobs")
    values: list[Any] = []
    if isinstance(told, Mapping):
        content = told.get("content")
        values = [each.get("logprob") for each in content if isinstance(each, Mapping)] if content else []
        values = values or list(told.get("token_logprobs") or [])
    known = bool(values) and all(isinstance(each, int | float) for each in values)
    return text, math.fsum(values) if known else math.nan


def vectors_of(body: Mapping[str, Any], n: int, what: str) -> NDArray[np.float32]:
    """Return the vectors (n, d) of an answer, in the order of the texts that were sent."""
    data = body.get("data")
    if not isinstance(data, list) or len(data) != n:
        raise ModelError(f"The server gave {_size(data)} vectors for {n} texts ({what}).")
    made: list[Any] = [None] * n
    for i, each in enumerate(data):
        vector = each.get("embedding") if isinstance(each, Mapping) else None
        place = each.get("index", i) if isinstance(each, Mapping) else i
        if not isinstance(vector, list) or not isinstance(place, int) or not 0 <= place < n:
            raise ModelError(f"The server's vector {i} of {what} is not a list of numbers.")
        made[place] = vector
    try:
        table = np.asarray(made, dtype=np.float32)
    except (TypeError, ValueError):
        raise ModelError(f"The server's vectors of {what} differ in length, or are not numbers.") from None
    if table.ndim != 2 or not np.isfinite(table).all():
        raise ModelError(f"The server's vectors of {what} are not one row of finite numbers per text.")
    return table


def _laid(words: Sequence[str], offsets: Any, text: bytes, what: str) -> tuple[int, list[int]]:
    """Return the number of special tokens in front, and where each token of the text starts."""
    raw = [_bytes(word) for word in words]
    for first in range(min(3, len(words))):
        for variant in (raw, [each.replace("▁".encode(), b" ") for each in raw]):
            for strip in (0, 1):
                starts = _joined(variant[first:], text, strip)
                if starts is not None:
                    return first, starts
    plain = text.decode()
    if isinstance(offsets, list) and all(isinstance(each, int) for each in offsets):
        for first in range(min(3, len(words))):
            if not 0 <= offsets[first] <= len("".join(words[:first])):
                continue  # more than special tokens would stand before it
            chars = [each - offsets[first] for each in offsets[first:]]
            chars = [each for each in chars if each < len(plain)]
            fits = all(
                plain.startswith(word, at) or "�" in word or word.startswith("bytes:")
                for word, at in zip(words[first:], chars, strict=False)
            )
            if chars and fits and chars == sorted(chars):
                return first, [len(plain[:at].encode()) for at in chars]
    shown = "".join(words)
    raise Unlaid(
        f"The tokens that the server gave for {what} are not those of the text: {len(words)} tokens, together "
        f"{shown[:60] + '…' if len(shown) > 60 else shown!r}."
    )


def _joined(raw: Sequence[bytes], text: bytes, strip: int) -> list[int] | None:
    """Return where each token starts if they are the text one after the other (`strip`: but for a space in front), else None."""
    whole = b"".join(raw)
    if strip and not whole.startswith(b" "):
        return None
    if not whole[strip:].startswith(text) or not text:
        return None
    starts, at = [], -strip
    for each in raw:
        if at >= len(text):
            break
        starts.append(max(at, 0))
        at += len(each)
    return starts


def _bytes(word: str) -> bytes:
    r"""Return the bytes of a token; a part of a character is written as "bytes:\xe2\x80"."""
    found = _BYTES.fullmatch(word)
    return bytes.fromhex(found[1].replace("\\x", "")) if found else word.encode("utf-8", "surrogatepass")


def _first(body: Mapping[str, Any], what: str) -> Mapping[str, Any]:
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
        raise ModelError(f"The server's answer to {what} has no choices.")
    return choices[0]


def _list(told: Mapping[str, Any], name: str, what: str) -> list[Any]:
    value = told.get(name)
    if not isinstance(value, list):
        raise ModelError(f"The server's log-probabilities for {what} have no list {name}.")
    return value


def _logp(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value <= SLACK:
        raise ModelError(f"The server gave {value!r} as a log-probability for {what}; it must be a number up to 0.")
    return min(float(value), 0.0)


def _top(told: Any, what: str) -> dict[str, float]:
    """Return the likeliest tokens of one place, from a mapping or from a list of tokens with theirs."""
    if isinstance(told, list):
        if not all(isinstance(each, Mapping) and "token" in each for each in told):
            raise ModelError(f"The server's top log-probabilities for {what} have no form that is known.")
        return {str(each["token"]): _logp(each.get("logprob"), what) for each in told}
    if told is None:
        return {}
    if not isinstance(told, Mapping):
        raise ModelError(f"The server's top log-probabilities for {what} have no form that is known.")
    return {str(token): _logp(value, what) for token, value in told.items()}


def _size(data: Any) -> str:
    return str(len(data)) if isinstance(data, list) else "no"
