"""The prefix tree of many sequences, cut into rows: every token that sequences share is run once.

Sorted by their ids, neighbours share their longest common beginning, and one walk over the sorted sequences lays a row out in
preorder. Two rules say where it is cut:

- Where what comes after a shared beginning fills two rows or more, the beginning becomes a chain of its own, whose keys and values
  are kept and read by all the rows below it (`Row.parent`), if that saves more than `WORTH` tokens. So a few-shot prompt is run
  once, and so is a long document below it, in any depth of nesting. A chain longer than a row is itself cut into rows.
- What is left are units, each of which fits in a row. They are put into rows one after the other, and a row ends where the next
  unit would make it too long, unless the unit shares more with the row than it brings: a cut there would run that again.

Rows are short, since attention inside a packed row is quadratic in its length, however little of it the mask lets through.
"""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from workbench.models._plan import Row, Wanted, lineage
from workbench.models.requests import Ids, Piece

__all__ = ["Tree", "forest"]

WORTH = 64  # tokens not run again that pay for a forward of its own
HARD = 4  # a row is never longer than so many times its limit, but for a single sequence


class Group(NamedTuple):
    """Sequences `first` to `last` (one past the end) in sorted order, all equal in their first `stem` tokens."""

    first: int
    last: int
    stem: int


def forest(pieces: Iterable[Piece], row_tokens: int, *, prefixes: bool = True, worth: int | None = None) -> list[Row]:
    """Return the rows of a tree of pieces: `Tree.rows`."""
    return Tree(pieces).rows(row_tokens, prefixes=prefixes, worth=worth)


class Tree:
    """Distinct pieces in the order of their inputs, with what neighbours share: the prefix tree of the inputs."""

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self.pieces = sorted(set(pieces), key=lambda piece: (piece.ids[:-1], piece))
        self.inputs = [piece.ids[:-1] for piece in self.pieces]
        self.shared = [0, *(_common(a, b) for a, b in pairwise(self.inputs))]
        self.new = [0]  # running sum of the tokens that each sequence adds to the tree
        for inputs, shared in zip(self.inputs, self.shared, strict=False):
            self.new.append(self.new[-1] + len(inputs) - shared)

    @property
    def nodes(self) -> int:
        """How many tokens there are to run, each shared one once.

        >>> Tree([Piece((1, 2, 3, 4), 2), Piece((1, 2, 5, 6), 2), Piece((1, 2, 3), 2)]).nodes
        4
        """
        return self.new[-1]

    def rows(self, row_tokens: int, *, prefixes: bool = True, worth: int | None = None) -> list[Row]:
        """Return rows that answer each distinct piece once, a parent always before the rows that read it.

        Args:
            row_tokens: about how many tokens a row may have
            prefixes: whether keys and values of a shared beginning can be kept; without, each row runs its own beginning
            worth: how many tokens a chain must save; WORTH where it is not said

        >>> shared = tuple(range(100, 180))
        >>> rows = Tree(Piece((*shared, i, j, 0), 80) for i in range(9) for j in range(9)).rows(50)
        >>> [(len(row.tokens), row.start, row.kept) for row in rows]
        [(40, 0, True), (40, 40, True), (50, 80, False), (40, 80, False)]
        """
        least = (WORTH if worth is None else worth) if prefixes else math.inf
        rows: list[Row] = []
        left: list[tuple[Group, Row | None]] = [(Group(0, len(self.inputs), 0), None)]
        while left:
            group, parent = left.pop()
            start = 0 if parent is None else parent.stop
            parts = -(-(group.stem - start) // row_tokens)
            for part in range(parts):  # a long stem in parts, each of which reads those before it
                first, last = (start + (group.stem - start) * i // parts for i in (part, part + 1))
                parent = Row(self.inputs[group.first][first:last], parent=parent, start=first, kept=True)
                rows.append(parent)
            units, large = self._cut(group, row_tokens, least)
            rows += [row for row in self._packed(units, parent, row_tokens) if row.tokens]
            left += [(each, parent) for each in reversed(large)]
        for row in rows:
            row.wanted.sort(key=lambda wanted: wanted.position)
        return rows

    def _size(self, first: int, last: int, start: int) -> int:
        """Return how many nodes the sequences have below depth `start`, to which they are all equal."""
        return self.new[last] - self.new[first + 1] + len(self.inputs[first]) - start

    def _cut(self, group: Group, row_tokens: int, worth: float) -> tuple[list[Group], list[Group]]:
        """Return the units below a group's stem, and the groups whose own stem is worth a chain."""
        units: list[Group] = []
        large: list[Group] = []
        left = self._children(group)[::-1]
        while left:
            each = left.pop()
            size = self._size(each.first, each.last, group.stem)
            stem = min([*self.shared[each.first + 1 : each.last], len(self.inputs[each.first])])
            chain = size == len(self.inputs[each.last - 1]) - group.stem
            rest = size - (stem - group.stem)
            if chain or rest <= row_tokens:
                units.append(each)
            elif (stem - group.stem) * (-(-rest // row_tokens) - 1) >= worth:
                large.append(Group(each.first, each.last, stem))
            else:
                left += self._children(Group(each.first, each.last, stem))[::-1]
        return units, large

    def _children(self, group: Group) -> list[Group]:
        """Return the groups of sequences that are equal for one token more than the stem, at least; alone what ends there."""
        starts = [i for i in range(group.first + 1, group.last) if self.shared[i] == group.stem]
        edges = [group.first, *starts, group.last]
        return [Group(a, b, group.stem) for a, b in pairwise(edges) if a < b]

    def _packed(self, units: Sequence[Group], parent: Row | None, row_tokens: int) -> list[Row]:
        """Return rows that hold these units, below their parent."""
        start = 0 if parent is None else parent.stop
        made: list[_Growing] = []
        for unit in units:
            shared = _common(self.inputs[unit.first], made[-1].before) - start if made else 0
            added = self._size(unit.first, unit.last, start) - shared
            if not made or (
                (size := len(made[-1].tokens) + added) > row_tokens and (shared <= added or size > HARD * row_tokens)
            ):
                made.append(_Growing(parent, start))
            for piece in self.pieces[unit.first : unit.last]:
                made[-1].add(piece)
        return [growing.row() for growing in made]


class _Growing:
    """A row that sequences are added to, in sorted order."""

    def __init__(self, parent: Row | None, start: int) -> None:
        self.parent, self.start = parent, start
        self.tokens: list[int] = []
        self.depth: list[int] = []
        self.end: list[int] = []
        self.path: list[int] = []  # the nodes of the sequence added last
        self.before: Ids = ()
        self.wanted: list[Wanted] = []

    def add(self, piece: Piece) -> None:
        """Add the nodes of a piece that are not there yet, and what is wanted of them and of the rows above."""
        inputs = piece.ids[:-1]
        shared = max(_common(inputs, self.before) - self.start, 0) if self.before else 0
        for node in self.path[shared:]:
            self.end[node] = len(self.tokens)
        del self.path[shared:]
        for depth in range(self.start + shared, len(inputs)):
            self.path.append(len(self.tokens))
            self.tokens.append(inputs[depth])
            self.depth.append(depth)
            self.end.append(0)
        for offset, target in enumerate(piece.ids[piece.n_context :]):
            depth = piece.n_context + offset - 1
            if depth >= self.start:
                self.wanted.append(Wanted(piece, offset, self.path[depth - self.start], target))
            else:
                above = next(row for row in lineage(self.parent) if row.start <= depth)
                above.wanted.append(Wanted(piece, offset, depth - above.start, target))
        self.before = inputs

    def row(self) -> Row:
        """Return the row, which is a chain where nothing branches."""
        for node in self.path:
            self.end[node] = len(self.tokens)
        branches = any(end != len(self.tokens) for end in self.end)
        depth, end = (tuple(self.depth), tuple(self.end)) if branches else ((), ())
        return Row(tuple(self.tokens), self.wanted, depth, end, self.parent, self.start)


def _common(a: Ids, b: Ids) -> int:
    """Return how many leading tokens two sequences share."""
    low, high = 0, min(len(a), len(b))
    if a[:high] == b[:high]:
        return high
    while high - low > 1:  # a[:low] == b[:low], a[:high] != b[:high]
        middle = (low + high) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle
    return low
