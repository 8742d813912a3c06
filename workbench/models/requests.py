"""Token ids of what is to be scored, split between context and continuation as lm-eval splits them.

A request becomes one `Piece`, or several where its scored part alone is longer than the model reads at once. Tokens `n_context` and
later of a piece are targets: target t is predicted at position t - 1, and the last token is never an input.

The split (EleutherAI lm-evaluation-harness, `_encode_pair`): whitespace at the end of the context moves to the continuation;
context + continuation is encoded as one text, and the number of tokens of the context alone says where to cut. Where we differ:
a context of whitespace alone gets the prefix token too (lm-eval stops), a text that begins with the BOS token does not get a
second one, tokens that a tokenizer puts at the end of a text are left out, and truncation keeps BOS.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from workbench.errors import DataError, ModelError, UsageError
from workbench.models.verbs import Request

__all__ = ["Encoded", "Piece", "encode", "front_tokens", "pieces", "pooled", "prefix_token"]

Ids = tuple[int, ...]
POOLED = -1  # stands where the token after a text would: the states are wanted, no token is scored


class Piece(NamedTuple):
    """Token ids, the first `n_context` (>= 1) of which are given and the others scored."""

    ids: Ids
    n_context: int

    @property
    def scored(self) -> bool:
        """Whether tokens are scored; else the states that would predict them are what is wanted (`pooled`)."""
        return self.ids[-1] != POOLED


def pooled(ids: Ids, how: str, own: int) -> Piece:
    """Return the piece whose vector is the mean of the states at its wanted positions: nothing of it is scored.

    Args:
        ids: the tokens of a text, special ones in front
        how: "mean" over the text's own tokens, "last" of them, or "first" position
        own: how many of the tokens come before the text's own; where none is its own, all count

    >>> pooled((1, 5, 6, 7), "mean", 1)  # the states at 5, 6 and 7
    Piece(ids=(1, 5, 6, 7, -1), n_context=2)
    >>> pooled((1, 5, 6, 7), "first", 1)
    Piece(ids=(1, -1), n_context=1)
    """
    if how == "first":
        return Piece((ids[0], POOLED), 1)
    start = own if own < len(ids) else 0
    return Piece((*ids, POOLED), len(ids) if how == "last" else start + 1)


class Encoded(NamedTuple):
    """A request as token ids.

    `boundary_merge`: the ids of context + continuation do not begin with those of the context, since a token spans the boundary.
    `truncated`: how many context tokens were dropped to fit the model.
    """

    pieces: tuple[Piece, ...]
    boundary_merge: bool
    truncated: int


def front_tokens(tokenizer: Any) -> Ids:
    """Return the special tokens that the tokenizer puts before a text by itself; () for one that adds none.

    >>> class Tokenizer:
    ...     def __call__(self, text, add_special_tokens=True):
    ...         return {"input_ids": [1, 97] if add_special_tokens else [97]}
    >>> front_tokens(Tokenizer())
    (1,)
    """
    full = list(tokenizer("a")["input_ids"])
    plain = list(tokenizer("a", add_special_tokens=False)["input_ids"])
    for start in range(len(full) - len(plain) + 1):
        if full[start : start + len(plain)] == plain:
            return tuple(full[:start])
    return ()


def prefix_token(tokenizer: Any) -> int:
    """Return the token that stands for an empty context: BOS, else EOS.

    >>> class Tokenizer:
    ...     bos_token_id, eos_token_id = None, 2
    >>> prefix_token(Tokenizer())
    2
    """
    token = _prefix(tokenizer)
    if token is not None:
        return token
    raise ModelError(
        "A request has an empty context, and this tokenizer has neither a BOS nor an EOS token to stand for it. "
        "Give each request a context, or set tokenizer.bos_token."
    )


def encode(tokenizer: Any, requests: Sequence[Request], *, max_length: int | None = None) -> list[Encoded]:
    """Return the token ids of each request; the tokenizer sees each distinct text once, in one batch.

    Args:
        tokenizer: a transformers tokenizer
        requests: what to score; a continuation without a token raises DataError
        max_length: the most tokens that the model reads at once, None for no limit

    >>> class Tokenizer:
    ...     bos_token_id = 1
    ...     def __call__(self, texts, add_special_tokens=True):
    ...         one = lambda text: [ord(letter) for letter in text]
    ...         return {"input_ids": one(texts) if isinstance(texts, str) else [one(text) for text in texts]}
    >>> encode(Tokenizer(), [Request("ab ", "c"), Request("", "c")])
    [Encoded(pieces=(Piece(ids=(97, 98, 32, 99), n_context=2),), boundary_merge=False, truncated=0),
     Encoded(pieces=(Piece(ids=(1, 99), n_context=1),), boundary_merge=False, truncated=0)]
    """
    for i, request in enumerate(requests):
        if not isinstance(request, Request):
            raise UsageError(
                f"Request {i} is {_short(repr(request))}, no Request. Write workbench.models.verbs.Request(context, continuation)."
            )
        if not request.continuation:
            raise DataError(
                f"Request {i} has an empty continuation (its context is {_short(request.context)}), so there is nothing to "
                "score. Give every request a continuation."
            )
    contexts = [request.context.rstrip() for request in requests]
    wholes = [request.context + request.continuation for request in requests]
    ids = _tokenise(tokenizer, [*contexts, *wholes])
    front = front_tokens(tokenizer)
    prefix = _prefix(tokenizer)
    encoded = []
    for i, (context, whole) in enumerate(zip(contexts, wholes, strict=True)):
        tokens, n_context, merged = _split(_after(front, ids[context]), _after(front, ids[whole]), tokenizer)
        if len(tokens) <= n_context:
            raise DataError(
                f"The continuation of request {i}, {_short(requests[i].continuation)}, has no token of its own after the context "
                f"{_short(requests[i].context)}, so there is nothing to score. Give every request a continuation with text."
            )
        begins = tokens[: len(front)] == front
        kept = len(front) if front and begins else int(tokens[0] == prefix)
        parts, truncated = pieces(Piece(tokens, n_context), min(kept, n_context), max_length)
        encoded.append(Encoded(parts, merged, truncated))
    return encoded


def pieces(whole: Piece, front: int, max_length: int | None) -> tuple[tuple[Piece, ...], int]:
    """Return pieces whose inputs fit `max_length` tokens, and how many context tokens were dropped.

    The first `front` tokens (BOS) stay in each piece. The context is cut at its beginning; only where the scored part does not
    fit either is it read in windows, each target once, with at least half a window before it from the second window on.

    >>> pieces(Piece((1, 5, 6, 7, 8), 4), 1, 3)
    ((Piece(ids=(1, 6, 7, 8), n_context=3),), 1)
    >>> pieces(Piece((1, 5, 6, 7, 8, 9), 2), 1, 3)
    ((Piece(ids=(1, 6, 7, 8), n_context=1), Piece(ids=(1, 7, 8, 9), n_context=3)), 1)
    """
    ids, n_context = whole
    if max_length is None or len(ids) <= max_length + 1:
        return (whole,), 0
    if max_length <= front:
        raise UsageError(
            f"max_length is {max_length}, which leaves no room beside the first token. Give at least {front + 1}."
        )
    room = max_length + 1 - (len(ids) - n_context)
    if room >= max(front, 1):
        tail = ids[n_context - (room - front) :]
        return (Piece(ids[:front] + tail, room),), n_context - room
    size = max_length + 1
    given = ids[:front] or ids[n_context - 1 : n_context]
    stop = n_context + size - len(given)
    parts = [Piece(given + ids[n_context:stop], len(given))]
    step = max((size - front) // 2, 1)
    while stop < len(ids):
        start, stop = stop, min(stop + step, len(ids))
        parts.append(Piece(ids[:front] + ids[stop - (size - front) : stop], size - (stop - start)))
    return tuple(parts), n_context - len(given)


def _tokenise(tokenizer: Any, texts: Iterable[str]) -> dict[str, Ids]:
    """Return the ids of each distinct text, without special tokens."""
    unique = list(dict.fromkeys(texts))
    if not unique:
        return {}
    return {
        text: tuple(ids)
        for text, ids in zip(unique, tokenizer(unique, add_special_tokens=False)["input_ids"], strict=True)
    }


def _prefix(tokenizer: Any) -> int | None:
    """Return BOS, else EOS, else None."""
    tokens = (getattr(tokenizer, name, None) for name in ("bos_token_id", "eos_token_id"))
    return next((int(token) for token in tokens if token is not None), None)


def _after(front: Ids, ids: Ids) -> Ids:
    """Return ids after the front tokens, which are not doubled where the text itself begins with them."""
    return ids if ids[: len(front)] == front else front + ids


def _split(context: Ids, whole: Ids, tokenizer: Any) -> tuple[Ids, int, bool]:
    """Return the ids, how many are context (at least one), and whether a token spans the boundary."""
    n_context, merged = len(context), whole[: len(context)] != context
    if merged and len(whole) <= n_context:  # the continuation merged into the context's last token: score that token
        n_context = next((i for i, (a, b) in enumerate(zip(context, whole, strict=False)) if a != b), len(whole))
    if n_context == 0:
        prefix = prefix_token(tokenizer)
        return (whole if whole[:1] == (prefix,) else (prefix, *whole)), 1, merged
    return whole, n_context, merged


def _short(text: str) -> str:
    """Return the text in quotes, its end alone where it is long."""
    return repr(text if len(text) <= 60 else "…" + text[-60:])
