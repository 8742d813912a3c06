"""What is run together: rows of tokens, and batches of rows.

A row is a sequence of tokens that goes through the model once, with what is wanted of it. Pieces whose inputs are equal (answer
letters after one question), or of which one begins with the other, share a row: in a causal model the later tokens change nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from workbench.models.requests import Ids, Piece

__all__ = ["Row", "Wanted", "batches", "plan"]


class Wanted(NamedTuple):
    """The target `target`, which the row's token at `position` predicts, is number `offset` of the scored tokens of `piece`."""

    piece: Piece
    offset: int
    position: int
    target: int


@dataclass
class Row:
    """Tokens to be run once, and what is wanted of them."""

    tokens: Ids
    wanted: list[Wanted] = field(default_factory=list)

    @property
    def pieces(self) -> list[Piece]:
        """The pieces that this row answers."""
        return list(dict.fromkeys(wanted.piece for wanted in self.wanted))


def plan(pieces: Iterable[Piece]) -> list[Row]:
    """Return rows, longest first, that answer each distinct piece once."""
    rows: list[Row] = []
    for piece in sorted(set(pieces), key=lambda piece: (piece.ids[:-1], piece)):
        inputs = piece.ids[:-1]
        if rows and inputs[: len(rows[-1].tokens)] == rows[-1].tokens:
            rows[-1].tokens = inputs
        else:
            rows.append(Row(inputs))
        targets = enumerate(piece.ids[piece.n_context :])
        rows[-1].wanted += [Wanted(piece, i, piece.n_context + i - 1, token) for i, token in targets]
    for row in rows:
        row.wanted.sort(key=lambda wanted: wanted.position)
    return sorted(rows, key=lambda row: (-len(row.tokens), row.tokens))


def batches(rows: Sequence[Row], budget: int, *, padding: bool = True) -> Iterator[list[Row]]:
    """Cut rows, longest first, into batches of at most `budget` tokens with padding (a longer row stands alone).

    Without padding a batch has rows of one length only.
    """
    batch: list[Row] = []
    for row in rows:
        longest = len(batch[0].tokens) if batch else 0
        if batch and ((len(batch) + 1) * longest > budget or not (padding or len(row.tokens) == longest)):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
