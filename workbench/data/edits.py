"""What was changed in a text: edits in order, none overlapping, that rebuild the changed text from the original and back.

Swaps of identity terms (`workbench.data.swaps`) and corruptions (`workbench.data.corruptions`) give them.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

__all__ = ["Edit", "apply", "marked", "revert"]


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
