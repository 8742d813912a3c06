"""Rows and batches: each piece once, each shared sequence once, the budget kept."""

from hypothesis import given
from hypothesis import strategies as st

from workbench.models._plan import batches, plan
from workbench.models.requests import Piece

IDS = st.lists(st.integers(0, 2), min_size=2, max_size=6).map(tuple)
PIECES = st.lists(IDS.flatmap(lambda ids: st.integers(1, len(ids) - 1).map(lambda n: Piece(ids, n))), max_size=20)


@given(pieces=PIECES)
def test_each_target_is_wanted_once(pieces: list[Piece]) -> None:
    """Every token of every distinct piece is predicted by the token before it, in exactly one row."""
    rows = plan(pieces)
    wanted = [(one.piece, one.offset) for row in rows for one in row.wanted]

    assert sorted(wanted) == sorted((p, i) for p in set(pieces) for i in range(len(p.ids) - p.n_context))
    for row in rows:
        for piece, offset, position, target in row.wanted:
            assert piece.ids[: position + 1] == row.tokens[: position + 1]
            assert (position, target) == (piece.n_context + offset - 1, piece.ids[piece.n_context + offset])
        assert [one.position for one in row.wanted] == sorted(one.position for one in row.wanted)


@given(pieces=PIECES)
def test_no_sequence_is_run_twice(pieces: list[Piece]) -> None:
    """No row begins another, so no sequence that is asked for goes through the model more than once."""
    tokens = [row.tokens for row in plan(pieces)]

    assert not [(a, b) for a in tokens for b in tokens if a is not b and a == b[: len(a)]]


def test_a_beginning_is_absorbed() -> None:
    """Inputs that begin other inputs need no row of their own."""
    rows = plan([Piece((1, 2, 3), 1), Piece((1, 2, 3, 4), 3), Piece((1, 2, 9), 2), Piece((1, 5), 1)])

    assert [row.tokens for row in rows] == [(1, 2, 3)]
    assert len(rows[0].pieces) == 4


@given(pieces=PIECES, budget=st.integers(1, 30))
def test_batches_keep_the_budget_and_the_order(pieces: list[Piece], budget: int) -> None:
    """Padded size stays within the budget, but for a row that is alone; nothing is lost; a row more would not fit."""
    rows = plan(pieces)
    cut = list(batches(rows, budget))

    assert [row for batch in cut for row in batch] == rows
    for batch in cut:
        assert len(batch) == 1 or len(batch) * len(batch[0].tokens) <= budget
    for batch in cut[:-1]:
        assert (len(batch) + 1) * len(batch[0].tokens) > budget


@given(pieces=PIECES, budget=st.integers(1, 30))
def test_without_padding_a_batch_has_one_length(pieces: list[Piece], budget: int) -> None:
    """For models that padding changes."""
    for batch in batches(plan(pieces), budget, padding=False):
        assert len({len(row.tokens) for row in batch}) == 1
