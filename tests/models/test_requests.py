"""Requests become the token ids that lm-eval would use, with one BOS at most, and never silently less."""

import pytest
import tiny
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import DataError, ModelError, UsageError
from workbench.models.requests import Piece, encode, front_tokens, pieces, prefix_token
from workbench.models.verbs import Request

BOS, EOS = 1, 2
PARTS = st.sampled_from([*"abAB .,?é日本", "\n", "\t", "🙂", " Paris", " fox", "ris", " Pa"])
TEXTS = st.lists(PARTS, max_size=12).map("".join)


@given(context=TEXTS, continuation=TEXTS.filter(bool), adds_bos=st.booleans())
def test_the_split_is_that_of_lm_eval(context: str, continuation: str, *, adds_bos: bool) -> None:
    """Ids and cut agree with a second implementation of lm-eval's rule wherever no token spans the boundary."""
    tokens = tiny.tokenizer(adds_bos=adds_bos)
    [encoded] = encode(tokens, [Request(context, continuation)])
    ids, n_context = tiny.pair(tokens, Request(context, continuation))
    [piece] = encoded.pieces

    assert tuple(ids) == piece.ids
    assert 1 <= piece.n_context < len(piece.ids)
    before = tokens(context.rstrip())["input_ids"] if context.rstrip() else [BOS]
    assert encoded.boundary_merge == (ids[: len(before)] != before)
    if not encoded.boundary_merge:
        assert n_context == piece.n_context


@pytest.mark.parametrize("adds_bos", [True, False])
@pytest.mark.parametrize("context", ["", " ", "  \n", "\t"])
def test_an_empty_or_blank_context_becomes_one_bos(context: str, *, adds_bos: bool) -> None:
    """Whitespace moves to the continuation, so that every token of it is scored, after BOS alone."""
    tokens = tiny.tokenizer(adds_bos=adds_bos)

    [encoded] = encode(tokens, [Request(context, "A")])

    scored = tokens(context + "A", add_special_tokens=False)["input_ids"]
    assert encoded.pieces == (Piece((BOS, *scored), 1),)


@pytest.mark.parametrize("adds_bos", [True, False])
@pytest.mark.parametrize(
    "request_", [Request("<bos>The quick", " fox"), Request("", "<bos>The quick"), Request("<bos>", "A")]
)
def test_bos_is_never_doubled(request_: Request, *, adds_bos: bool) -> None:
    """A text that begins with BOS has one BOS, at its start; what the tokenizer alone would give has two."""
    tokens = tiny.tokenizer(adds_bos=adds_bos)

    [encoded] = encode(tokens, [request_])

    [piece] = encoded.pieces
    assert piece.ids[0] == BOS
    assert piece.ids.count(BOS) == 1
    assert tokens(request_.context + request_.continuation)["input_ids"].count(BOS) == 1 + adds_bos
    assert not encoded.boundary_merge


def test_a_tokenizer_that_adds_no_bos_gets_none() -> None:
    """With a context of its own nothing is put in front: the tokenizer decides."""
    [with_bos] = encode(tiny.tokenizer(adds_bos=True), [Request("The", " fox")])
    [without] = encode(tiny.tokenizer(), [Request("The", " fox")])

    assert with_bos.pieces[0].ids == (BOS, *without.pieces[0].ids)
    assert (front_tokens(tiny.tokenizer(adds_bos=True)), front_tokens(tiny.tokenizer())) == ((BOS,), ())


def test_eos_stands_in_for_a_missing_bos() -> None:
    """Without BOS the prefix is EOS; without either the error says what to do."""

    class Without:
        bos_token_id = None
        eos_token_id: int | None = EOS

        def __call__(self, texts: object, **options: object) -> dict[str, list]:
            return tiny.tokenizer()(texts, **options)

    tokens = Without()
    assert prefix_token(tokens) == EOS
    assert encode(tokens, [Request("", "A")])[0].pieces[0].ids[0] == EOS
    tokens.eos_token_id = None
    with pytest.raises(ModelError, match="neither a BOS nor an EOS"):
        encode(tokens, [Request("", "A")])
    assert encode(tokens, [Request("The", " fox")])[0].pieces[0].n_context == 1


def test_tokens_at_the_end_of_a_text_are_left_out() -> None:
    """A tokenizer that appends EOS would put it between context and continuation."""

    class Appends:
        bos_token_id = eos_token_id = EOS

        def __call__(self, texts: object, *, add_special_tokens: bool = True) -> dict[str, list]:
            ids = tiny.tokenizer()(texts)["input_ids"]
            if not add_special_tokens:
                return {"input_ids": ids}
            return {"input_ids": [*ids, EOS] if isinstance(texts, str) else [[*one, EOS] for one in ids]}

    [encoded] = encode(Appends(), [Request("The", " fox")])

    assert EOS not in encoded.pieces[0].ids
    assert not encoded.boundary_merge


@pytest.mark.parametrize(
    ("context", "continuation", "merged", "scored"),
    [("is Pa", "ris", True, " Paris"), ("is", " Paris", False, " Paris"), ("The f", "ox jumps", True, None)],
)
def test_merges_over_the_boundary(context: str, continuation: str, merged: bool, scored: str | None) -> None:
    """A token that spans the boundary sets the flag; where it swallows the continuation, that token is scored."""
    tokens = tiny.tokenizer()

    [encoded] = encode(tokens, [Request(context, continuation)])

    [piece] = encoded.pieces
    assert encoded.boundary_merge == merged
    assert len(piece.ids) > piece.n_context >= 1
    if scored is not None:
        assert tuple(tokens(scored)["input_ids"]) == piece.ids[piece.n_context :]


def test_a_merge_into_the_first_token_is_scored_after_the_prefix() -> None:
    """Where context and continuation are one token together, it is predicted from BOS."""
    tokens = tiny.tokenizer()
    assert len(tokens(" fox")["input_ids"]) == 1

    [encoded] = encode(tokens, [Request(" f", "ox")])

    assert encoded.boundary_merge
    assert encoded.pieces == (Piece((BOS, *tokens(" fox")["input_ids"]), 1),)


@pytest.mark.parametrize("request_", [Request("The", ""), Request("", ""), Request("The ", "")])
def test_an_empty_continuation_is_an_error_that_names_the_request(request_: Request) -> None:
    """The message has the number of the request and its context."""
    with pytest.raises(DataError, match=f"Request 1 has an empty continuation .its context is {request_.context!r}"):
        encode(tiny.tokenizer(), [Request("A", "B"), request_])


def test_a_continuation_of_bos_alone_is_an_error() -> None:
    """Nothing is left to score when the only token is the prefix itself."""
    with pytest.raises(DataError, match="continuation of request 0, '<bos>', has no token"):
        encode(tiny.tokenizer(), [Request("", "<bos>")])


def test_each_distinct_text_is_tokenised_once() -> None:
    """One batch call with every context and every whole, each once."""
    calls: list[list[str]] = []

    class Counts:
        bos_token_id = BOS

        def __call__(self, texts: object, **options: object) -> dict[str, list]:
            if not isinstance(texts, str):
                calls.append(list(texts))
            return tiny.tokenizer()(texts, **options)

    encode(Counts(), [Request("The", " fox"), Request("The", " dog"), Request("The ", "fox"), Request("The", " fox")])

    assert [sorted(call) for call in calls] == [["The", "The dog", "The fox"]]


@given(
    n_context=st.integers(1, 30), n_scored=st.integers(1, 40), front=st.integers(0, 2), max_length=st.integers(4, 30)
)
def test_pieces_score_each_token_once(n_context: int, n_scored: int, front: int, max_length: int) -> None:
    """Whatever is cut, each target is scored once, every piece fits, keeps the front, and is a run of the sequence."""
    front = min(front, n_context)
    ids = tuple(range(n_context + n_scored))

    parts, dropped = pieces(Piece(ids, n_context), front, max_length)

    assert ids[n_context:] == tuple(token for part in parts for token in part.ids[part.n_context :])
    assert 0 <= dropped <= n_context - max(front, 1)
    for part in parts:
        assert len(part.ids) - 1 <= max_length
        assert part.n_context >= 1
        assert ids[:front] == part.ids[:front]
        rest = part.ids[front:]
        assert rest == tuple(range(rest[0], rest[0] + len(rest)))
    for part in parts[1:]:
        assert part.n_context >= (max_length + 1) // 2


def test_the_context_is_cut_no_more_than_needed() -> None:
    """The inputs fill the model's length exactly, and the count says what went."""
    whole = Piece(tuple(range(10)), 8)

    assert pieces(whole, 1, 9) == ((whole,), 0)
    assert pieces(whole, 1, 8) == ((Piece((0, 2, 3, 4, 5, 6, 7, 8, 9), 7),), 1)
    assert pieces(whole, 0, 8) == ((Piece((1, 2, 3, 4, 5, 6, 7, 8, 9), 7),), 1)
    assert pieces(whole, 1, 2) == ((Piece((0, 8, 9), 1),), 7)


def test_a_length_without_room_is_refused() -> None:
    """BOS alone cannot be the whole input of a longer text's window."""
    with pytest.raises(UsageError, match="Give at least 2"):
        pieces(Piece((1, 5, 6), 1), 1, 1)


def test_a_pair_that_is_no_request_is_said() -> None:
    """A plain tuple has no names."""
    with pytest.raises(UsageError, match=r"Request 0 is .*\('a', 'b'\).*Request\(context, continuation\)"):
        encode(tiny.tokenizer(), [("a", "b")])  # type: ignore[list-item]  # that is the fault
