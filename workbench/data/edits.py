"""What was changed in a text: edits in order, none overlapping, that rebuild the changed text from the original and back.

Swaps of identity terms (`workbench.data.swaps`) and corruptions (`workbench.data.corruptions`) give them.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice, repeat
from typing import Any, NamedTuple, overload

import numpy as np

__all__ = ["Edit", "EditMap", "apply", "marked", "revert"]


class Edit(NamedTuple):
    """One replacement: text[start:end] was `old`, variant[new_start:new_end] is `new`; `kind` says what made it.

    Positions count code points. A swap's kinds are "term" and "article", a corruption's kind is its name.
    """

    start: int
    end: int
    new_start: int
    new_end: int
    old: str
    new: str
    kind: str


class EditMap(Sequence[tuple[Edit, ...]]):
    """The edits of many texts, a tuple for each, kept as columns: an `Edit` is made when it is looked at.

    `counts` (n,) is the number of edits of each text. Equal to any sequence of the same tuples.

    >>> place = np.array([0])
    >>> both = EditMap(np.array([1, 0]), (place, place + 1, place, place + 1), ["a"], ["b"], "keyboard")
    >>> both[0], both[1]
    ((Edit(start=0, end=1, new_start=0, new_end=1, old='a', new='b', kind='keyboard'),), ())
    """

    def __init__(
        self, counts: "np.ndarray[Any, Any]", places: Sequence["np.ndarray[Any, Any]"], old: Any, new: Any, kind: str
    ) -> None:
        """Keep the columns: four arrays of places, the old and the new texts (sequences of texts), and what made them."""
        self.counts = counts
        self._bounds = np.concatenate([[0], np.cumsum(counts)]).tolist()
        self._places, self._texts, self._kind = places, (old, new), kind

    def _made(self, part: slice) -> Iterator[Edit]:
        """Make some edits."""
        places = [column[part].tolist() for column in self._places]
        texts = [column[part] for column in self._texts]
        fields = zip(*places, *texts, repeat(self._kind), strict=False)
        return map(tuple.__new__, repeat(Edit), fields)  # what Edit._make does, without its frames

    @cached_property
    def _all(self) -> list[tuple[Edit, ...]]:
        """All edits, made once."""
        made = self._made(slice(None))
        return [tuple(islice(made, count)) for count in self.counts.tolist()]

    def __len__(self) -> int:
        return len(self.counts)

    @overload
    def __getitem__(self, row: int) -> tuple[Edit, ...]: ...
    @overload
    def __getitem__(self, row: slice) -> list[tuple[Edit, ...]]: ...
    def __getitem__(self, row: int | slice) -> tuple[Edit, ...] | list[tuple[Edit, ...]]:
        if isinstance(row, slice):
            return self._all[row]
        row = range(len(self))[row]
        return tuple(self._made(slice(self._bounds[row], self._bounds[row + 1])))

    def __iter__(self) -> Iterator[tuple[Edit, ...]]:
        return iter(self._all)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and self._all == list(other)

    __hash__ = None  # type: ignore[assignment]  # as of a list

    def __repr__(self) -> str:
        return f"EditMap of {len(self)} texts, {int(self.counts.sum())} edits in {int((self.counts > 0).sum())} of them"


def apply(text: str, edits: Sequence[Edit]) -> str:
    """Return the variant that edits make of a text.

    >>> apply("an American", [Edit(0, 2, 0, 1, "an", "a", "article"), Edit(3, 11, 2, 9, "American", "Mexican", "term")])
    'a Mexican'
    """
    return _spliced(text, [(edit.start, edit.end, edit.new) for edit in edits])


def revert(text: str, edits: Sequence[Edit]) -> str:
    """Return the text that a variant was made of.

    >>> revert("He sings.", [Edit(0, 3, 0, 2, "She", "He", "term")])
    'She sings.'
    """
    return _spliced(text, [(edit.new_start, edit.new_end, edit.old) for edit in edits])


def marked(text: str, edits: Sequence[Edit]) -> str:
    """Return the text with its edits marked inline, as plain text.

    >>> marked("She sings.", [Edit(0, 3, 0, 2, "She", "He", "term")])
    '‹She → He› sings.'
    """
    return _spliced(text, [(edit.start, edit.end, f"‹{edit.old} → {edit.new}›") for edit in edits])


def _spliced(text: str, parts: Iterable[tuple[int, int, str]]) -> str:
    """Return the text with each [start, end) replaced; parts in order, none overlapping."""
    pieces, at = [], 0
    for start, end, new in parts:
        pieces += [text[at:start], new]
        at = end
    return "".join([*pieces, text[at:]])
