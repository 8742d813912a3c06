"""Trees: every target is wanted once, every shared token is there once, and rows are cut where little is lost."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.models._plan import Row, batches, lineage
from workbench.models._tree import HARD, Tree, forest
from workbench.models.requests import Piece

IDS = st.lists(st.integers(0, 2), min_size=2, max_size=9).map(tuple)
PIECES = st.lists(IDS.flatmap(lambda ids: st.integers(1, len(ids) - 1).map(lambda n: Piece(ids, n))), max_size=25)
SIZES = st.integers(1, 30)
WORTHS = st.sampled_from([1, 3, 64])


def paths(row: Row) -> list[tuple[int, ...]]:
    """Return the whole sequence that ends in each token of a row, by the definition of `end`."""
    above = tuple(token for each in [*lineage(row.parent)][::-1] for token in each.tokens)
    ends = row.end or (len(row.tokens),) * len(row.tokens)
    return [above + tuple(row.tokens[k] for k in range(q + 1) if k <= q < ends[k]) for q in range(len(row.tokens))]


def prefixes(pieces: Sequence[Piece]) -> set[tuple[int, ...]]:
    """Return the distinct beginnings of the inputs: the nodes of their tree, counted without one."""
    return {piece.ids[:n] for piece in pieces for n in range(1, len(piece.ids))}


@given(pieces=PIECES, size=SIZES, worth=WORTHS, kept=st.booleans())
def test_each_target_is_read_where_its_own_sequence_ends(
    pieces: list[Piece], size: int, worth: int, *, kept: bool
) -> None:
    """Every token of every piece is wanted once, at a node whose ancestors are the piece's own tokens up to there."""
    rows = forest(pieces, size, prefixes=kept, worth=worth)
    wanted = [(one.piece, one.offset) for row in rows for one in row.wanted]

    assert sorted(wanted) == sorted((p, i) for p in set(pieces) for i in range(len(p.ids) - p.n_context))
    for row in rows:
        sequences = paths(row)
        assert [len(path) - 1 for path in sequences] == list(row.depth or range(row.start, row.stop))
        for piece, offset, position, target in row.wanted:
            assert sequences[position] == piece.ids[: piece.n_context + offset]
            assert target == piece.ids[piece.n_context + offset]
        assert [one.position for one in row.wanted] == sorted(one.position for one in row.wanted)


@given(pieces=PIECES)
def test_one_row_runs_each_beginning_once(pieces: list[Piece]) -> None:
    """The tokens of one large row are the distinct beginnings of the inputs, each once; `Tree.nodes` counts them."""
    rows = forest(pieces, 10**6)
    run = [path for row in rows for path in paths(row)]

    assert len(run) == len(set(run)) == len(prefixes(pieces)) == Tree(pieces).nodes
    assert set(run) == prefixes(pieces)


@given(pieces=PIECES, size=SIZES, worth=WORTHS, kept=st.booleans())
def test_rows_stay_short_and_parents_come_first(pieces: list[Piece], size: int, worth: int, *, kept: bool) -> None:
    """A row is longer than its limit only for one sequence or one stem, or for what it shares; parents are kept chains."""
    rows = forest(pieces, size, prefixes=kept, worth=worth)

    for i, row in enumerate(rows):
        stem = max((len(path) for path in paths(row)), default=0) - row.start
        assert len(row.tokens) <= max(HARD * size, stem + size)
        assert row.parent is None or (row.parent in rows[:i] and row.parent.kept and not row.parent.depth)
        assert kept or (row.parent is None and not row.kept)


def test_a_few_shot_prompt_is_run_once() -> None:
    """A prompt of 300 tokens before 40 questions of 30: a chain in two rows, and rows below that run the questions alone."""
    prompt = tuple(range(1000, 1300))
    pieces = [Piece((*prompt, *range(q * 30, q * 30 + 30), choice), 330) for q in range(40) for choice in (1, 2)]

    rows = forest(pieces, 256)

    assert [row.kept for row in rows] == [True, True, *[False] * 5]
    assert rows[0].tokens + rows[1].tokens == prompt
    assert rows[1].parent is rows[0]
    assert {row.start for row in rows[2:]} == {300}
    assert sum(len(row.tokens) for row in rows) == Tree(pieces).nodes == 300 + 40 * 30
    assert sum(len(row.tokens) for row in forest(pieces, 256, prefixes=False)) < 300 * 3 + 40 * 30


def test_prompts_nest() -> None:
    """A common instruction, then a long document each, then its questions: chains below a chain."""
    top = tuple(range(5000, 5100))
    pieces = [
        Piece((*top, *range(1000 * d, 1000 * d + 150), 7, *[q] * 60, 9), 310) for d in range(3) for q in range(10)
    ]

    rows = forest(pieces, 200)

    assert sum(len(row.tokens) for row in rows) == Tree(pieces).nodes
    assert [row.start for row in rows if row.kept] == [0, 100, 100, 100]
    assert len({len([*lineage(row)]) for row in rows if not row.kept}) == 1


def test_a_long_chain_of_beginnings_is_one_row() -> None:
    """A text scored at each of its 400 places, a request each, is one sequence."""
    text = tuple(range(401))
    [row] = forest([Piece(text[: n + 1], n) for n in range(1, 401)], 64)

    assert (len(row.tokens), row.depth, len(row.wanted)) == (400, (), 400)


@pytest.mark.parametrize("requests", [3000])
def test_many_nested_beginnings_do_not_exhaust_the_stack(requests: int) -> None:
    """Branches at each of 3,000 depths are planned without recursion."""
    pieces = [Piece((*[1] * n, 2, 2), n) for n in range(1, requests)]

    rows = forest(pieces, 50)

    assert sum(len(row.wanted) for row in rows) == sum(len(piece.ids) - piece.n_context for piece in pieces)


@given(pieces=PIECES, size=SIZES, budget=SIZES)
def test_a_batch_reads_one_parent(pieces: list[Piece], size: int, budget: int) -> None:
    """Rows of a batch have the same parent, a kept one stands alone, and the budget holds."""
    rows = forest(pieces, size, worth=1)
    cut = list(batches(rows, budget))

    assert [row for batch in cut for row in batch] == rows
    for batch in cut:
        assert len({row.parent for row in batch}) == 1
        assert len(batch) == 1 or not any(row.kept for row in batch)
        assert len(batch) == 1 or len(batch) * max(len(row.tokens) for row in batch) <= budget
