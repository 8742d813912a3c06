"""The picture of a curve that somebody drew before it was measured, and of the measured one: plain SVG, no Altair.

The page draws the same from the same `Axes` (`views/static/drawing.js`); this is what stays in a saved notebook.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from workbench._text import escape
from workbench.charts._safe import plain
from workbench.charts.theme import FONT, palette

__all__ = ["Axes", "Measured", "drawn"]

WIDE, HIGH = 640, 340
LEFT, RIGHT, TOP, BOTTOM = 58, 16, 12, 48
STEPS = 5  # of the vertical grid


@dataclass(frozen=True)
class Axes:
    """What is known before the measurement: titles, and the places where the curve is asked for.

    `at` are shares of the horizontal axis in [0, 1], one for each point, `labels` their names; `ticks` the marks below the axis;
    `ends` the ends of the vertical one; `diagonal` draws the line from corner to corner.
    """

    title: str
    x_title: str
    y_title: str
    at: tuple[float, ...]
    labels: tuple[str, ...]
    ticks: tuple[tuple[float, str], ...]
    ends: tuple[float, float] = (0.0, 1.0)
    diagonal: bool = False


class Measured(NamedTuple):
    """A measured curve, one number for each point: value, its interval (NaN: none) and n (0: not said)."""

    value: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    n: tuple[int, ...]


def drawn(axes: Axes, points: Sequence[float | None], measured: Measured | None = None) -> str:
    """Return SVG of the drawn points, and of the measured curve where it may be seen.

    Orange, dashed, with rings: what was expected. Blue, with dots: what was measured, each dot with its 95 % interval. The
    dashed grey diagonal, where there is one, is a model that keeps what it promises.

    >>> axes = Axes("Reliability", "Confidence", "Hit rate", (0.25, 0.75), ("0.25", "0.75"), ((0.0, "0"), (1.0, "1")))
    >>> picture = drawn(axes, [0.2, None])
    >>> picture.count("<circle"), "Expected" in picture, "Measured" in picture
    (1, True, False)
    """
    colours = palette("any")
    parts = [*_frame(axes, colours.line, colours.muted)]
    if axes.diagonal:
        parts.append(
            _path([(_x(0.0), _y(axes, axes.ends[0])), (_x(1.0), _y(axes, axes.ends[1]))], colours.reference, "4 3")
        )
    if measured is not None:
        for at, low, high in zip(axes.at, measured.low, measured.high, strict=True):
            if math.isfinite(low) and math.isfinite(high):
                parts.append(_path([(_x(at), _y(axes, low)), (_x(at), _y(axes, high))], colours.shown))
        parts += _line(axes, measured.value, colours.shown, filled=True)
    parts += _line(axes, points, colours.accent, filled=False)
    key = [("Expected", colours.accent), *([("Measured", colours.shown)] if measured is not None else [])]
    for i, (word, colour) in enumerate(key):
        parts.append(_text(LEFT + 8 + 84 * i, TOP + 12, word, colour, "start"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}" width="{WIDE}" height="{HIGH}" '
        f'font-family="{escape(FONT, quote=True)}" font-size="12">{"".join(parts)}</svg>'
    )


def _x(share: float) -> float:
    return LEFT + share * (WIDE - LEFT - RIGHT)


def _y(axes: Axes, value: float) -> float:
    low, high = axes.ends
    return TOP + (HIGH - TOP - BOTTOM) * (1 - min(1.0, max(0.0, (value - low) / (high - low))))


def _frame(axes: Axes, line: str, muted: str) -> list[str]:
    low, high = axes.ends
    parts = []
    for step in range(STEPS + 1):
        value = low + (high - low) * step / STEPS
        value = 0.0 if abs(value) < 1e-9 * (high - low) else value  # -2.94 to 1.96 has a line at 4e-16
        y = _y(axes, value)
        parts.append(f'<path d="M{_x(0):.1f},{y:.1f}H{_x(1):.1f}" stroke="{line}"/>')
        parts.append(_text(LEFT - 8, y + 4, f"{value:.4g}", muted, "end"))
    parts += [_text(_x(at), HIGH - BOTTOM + 18, label, muted, "middle") for at, label in axes.ticks]
    parts.append(_text(_x(0.5), HIGH - 8, axes.x_title, muted, "middle"))
    middle = (TOP + HIGH - BOTTOM) / 2
    parts.append(_text(14, middle, axes.y_title, muted, "middle", f' transform="rotate(-90 14 {middle})"'))
    return parts


def _line(axes: Axes, values: Sequence[float | None], colour: str, *, filled: bool) -> list[str]:
    known = [(_x(at), _y(axes, v)) for at, v in zip(axes.at, values, strict=True) if v is not None and math.isfinite(v)]
    fill = colour if filled else "none"
    dots = [
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{fill}" stroke="{colour}" stroke-width="2"/>' for x, y in known
    ]
    return [_path(known, colour, "" if filled else "6 4"), *dots] if known else []


def _path(places: Sequence[tuple[float, float]], colour: str, dashes: str = "") -> str:
    way = "L".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<path d="M{way}" fill="none" stroke="{colour}" stroke-width="2"{dashed}/>'


def _text(x: float, y: float, words: str, colour: str, anchor: str, more: str = "") -> str:
    shown = escape(str(plain(words)).replace("\ue03c", "<"))
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}"{more}>{shown}</text>'
