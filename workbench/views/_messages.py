"""What the page may say, checked: a message from the page is input like any other.

Every check gives None for what does not fit, and the message is dropped: the page is ours, so a message that does not fit is a
bug or an attack, never a user's mistake.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from workbench.views._fields import Field
from workbench.views._temperature import HIGHEST, LOWEST

__all__ = ["Brush", "brush", "integer", "number", "step"]

LARGEST = 2**53  # integers of JavaScript
LONGEST_NAME = 64


class Brush(NamedTuple):
    """The state of all brushes: allowed codes per field or None, whether the mask of `select(ids)` holds, and T."""

    serial: int
    ranges: tuple[tuple[int, ...] | None, ...]
    mask: bool
    temperature: float
    origin: str
    cut: float | None = None  # where the line of an abstention or a decision stands

    @classmethod
    def none(cls, serial: int, fields: int, origin: str) -> "Brush":
        """Return the state in which nothing is brushed."""
        return cls(serial, (None,) * fields, False, 1.0, origin)

    @property
    def told(self) -> dict[str, Any]:
        """The state as the page gets it."""
        return {**self._asdict(), "ranges": [None if codes is None else list(codes) for codes in self.ranges]}


def integer(value: Any, low: int = 0, high: int = LARGEST) -> int | None:
    """Return an integer between two bounds, or None.

    >>> integer(3), integer(True), integer("3"), integer(-1), integer(10, 0, 9)
    (3, None, None, None, None)
    """
    return value if type(value) is int and low <= value <= high else None


def number(value: Any, low: float, high: float) -> float | None:
    """Return a finite number between two bounds, or None.

    >>> number(1, 0.25, 4), number(float("nan"), 0, 1), number(True, 0, 1)
    (1.0, None, None)
    """
    if type(value) not in (int, float) or not math.isfinite(value) or not low <= value <= high:
        return None
    return float(value)


def step(content: dict[str, Any]) -> str | None:
    """Return what tells one movement of a hand from the next, or None: brushes of one step are taken back together.

    >>> step({"origin": "x1", "step": 3}), step({"origin": "x1"})
    ('x1:3', None)
    """
    at = integer(content.get("step"))
    return None if at is None else f"{content.get('origin')}:{at}"


def brush(content: dict[str, Any], fields: Sequence[Field]) -> Brush | None:
    """Return the brushes of a message, or None where anything does not fit."""
    serial, mask = integer(content.get("serial")), content.get("mask")
    temperature = number(content.get("temperature"), LOWEST, HIGHEST)
    given, origin = content.get("ranges"), content.get("origin")
    if serial is None or temperature is None or type(mask) is not bool:
        return None
    if (
        not isinstance(given, list)
        or len(given) != len(fields)
        or not isinstance(origin, str)
        or len(origin) > LONGEST_NAME
    ):
        return None
    ranges: list[tuple[int, ...] | None] = []
    for field, codes in zip(fields, given, strict=True):
        if codes is None:
            ranges.append(None)
            continue
        if not isinstance(codes, list) or not 0 < len(codes) <= field.bins:
            return None
        if any(integer(code, 0, field.bins - 1) is None for code in codes):
            return None
        ranges.append(tuple(sorted(set(codes))))
    at = content.get("cut")
    cut = None if at is None else number(at, 0.0, 1.0)
    if at is not None and cut is None:
        return None
    return Brush(serial, tuple(ranges), mask, temperature, origin, cut)
