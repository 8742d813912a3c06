"""What is run together: rows of tokens, and batches of rows.

A row goes through the model once, with what is wanted of it. It is a chain (one sequence) or a tree: several sequences, each token
that they share once, laid out in preorder (`_tree` plans those). `plan` makes chains alone, for models that cannot read trees:
pieces whose inputs are equal (answer letters after one question), or of which one begins with the other, share a row, since in a
causal model the later tokens change nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Optional

from workbench.models.requests import Ids, Piece

__all__ = ["Row", "Wanted", "batches", "lineage", "plan"]


class Wanted(NamedTuple):
    """The target `target`, which the row's token at `position` predicts, is number `offset` of the scored tokens of `piece`."""

    piece: Piece
    offset: int
    position: int
    target: int


@dataclass(eq=False)
class Row:
    """Tokens to be run once, and what is wanted of them.

    A tree has `depth` (distance of each token from the beginning of its sequence, those of `parent` included: its position id) and
    `end` (one past the last token of its subtree: token k is an ancestor of q, or q itself, exactly when k <= q < end[k]). A row
    without them is a chain. Where there is a `parent`, the row goes on where that chain ends, and reads its keys and values, which
    are `kept` until the last row that reads them is done.
    """

    tokens: Ids
    wanted: list[Wanted] = field(default_factory=list)
    depth: Ids = ()
    end: Ids = ()
    parent: Optional["Row"] = None
    start: int = 0  # how many tokens come before the first one
    kept: bool = False

    @property
    def stop(self) -> int:
        """One past the depth of a chain's last token."""
        return self.start + len(self.tokens)

    @property
    def scored(self) -> list[Wanted]:
        """What is wanted of the head; the rest are states to be pooled."""
        return [one for one in self.wanted if one.piece.scored]

    @property
    def pieces(self) -> list[Piece]:
        """The pieces that this row answers, or a part of them."""
        return list(dict.fromkeys(wanted.piece for wanted in self.wanted))


def lineage(row: Row | None) -> Iterator[Row]:
    """Yield the row, its parent, the parent's parent, and so on."""
    while row is not None:
        yield row
        row = row.parent


def plan(pieces: Iterable[Piece]) -> list[Row]:
    """Return chains, longest first, that answer each distinct piece once."""
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
    """Cut rows, in their order, into batches of at most `budget` tokens with padding (a longer row stands alone).

    The rows of a batch read the same parent, and a row whose keys and values are kept stands alone. Without padding a batch has
    rows of one length only.
    """
    batch: list[Row] = []
    longest = 0
    for row in rows:
        size = max(longest, len(row.tokens))
        apart = batch and (row.kept or batch[-1].kept or row.parent is not batch[-1].parent)
        if batch and (apart or (len(batch) + 1) * size > budget or not (padding or len(row.tokens) == longest)):
            yield batch
            batch, size = [], len(row.tokens)
        batch.append(row)
        longest = size
    if batch:
        yield batch
