"""Colours and type, in one place.

Marks name a style ("wb-bar"); `config` says what the styles look like in a theme. So a spec holds no colour, one chart serves
every theme, and no global Altair theme is touched. Hues are Okabe and Ito's (2008), which people with any of the common colour
deficiencies tell apart. Backgrounds are transparent. The theme "any" is for pictures that cannot know what they stand on: its
grey has a contrast of at least 4:1 on white and on JupyterLab's dark ground alike.
"""

from dataclasses import asdict, dataclass
from typing import Any

from workbench.errors import unknown

__all__ = ["FONT", "THEMES", "Palette", "config", "configure", "css_colours", "palette"]

FONT = "Inter, 'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', sans-serif"
FURTHER = ("#009e73", "#cc79a7", "#8c6bb1", "#a6761d")  # of categories beyond two; seen on light and dark


@dataclass(frozen=True)
class Palette:
    """Colours of one theme, as hex; within a theme no two roles share a colour, so that a picture can be recoloured."""

    ink: str  # titles and values
    muted: str  # labels, axes
    line: str  # grid and rules
    reference: str  # diagonals and reference lines
    band: str  # what chance alone would give
    all: str  # everything, behind a selection
    shown: str  # the selection, or the one series
    accent: str  # errors, the second series
    background: str  # what the picture is meant to stand on; painted in PNG only


THEMES: dict[str, Palette] = {
    "light": Palette(
        ink="#1f2328",
        muted="#57606a",
        line="#e3e6ea",
        reference="#6e7781",
        band="#9aa3ad",
        all="#cdd2d8",
        shown="#0072b2",
        accent="#d55e00",
        background="#ffffff",
    ),
    "dark": Palette(
        ink="#e6e8eb",
        muted="#a6adb5",
        line="#363b42",
        reference="#989fa7",
        band="#767f89",
        all="#50575f",
        shown="#56b4e9",
        accent="#e69f3c",
        background="#111111",
    ),
    "any": Palette(
        ink="#777777",
        muted="#767676",
        line="#8080804d",
        reference="#787878",
        band="#858585",
        all="#8a8a8a",
        shown="#2a86c8",
        accent="#d9722a",
        background="#ffffff",
    ),
}


def palette(theme: str = "light") -> Palette:
    """Return the colours of a theme: "light", "dark", or "any" for a picture that must do on both.

    >>> palette("light").shown
    '#0072b2'
    """
    if theme not in THEMES:
        raise unknown("theme", theme, THEMES)
    return THEMES[theme]


def css_colours(text: str) -> str:
    """Return a picture in the light theme with each colour as a CSS variable: `var(--wb-shown, #0072b2)`.

    Set the variables for another theme: one SVG then serves both. Without them it stays light.

    >>> css_colours('<path fill="#0072b2"/>')
    '<path fill="var(--wb-shown, #0072b2)"/>'
    """
    for role, colour in asdict(THEMES["light"]).items():
        text = text.replace(f'"{colour}"', f'"var(--wb-{role}, {colour})"')
    return text


def config(theme: str = "light") -> dict[str, Any]:
    """Return the Vega-Lite `config` of a theme.

    >>> config("dark")["background"]
    'transparent'
    """
    colours = palette(theme)
    axis = {
        "domain": False,
        "gridColor": colours.line,
        "gridWidth": 1,
        "labelColor": colours.muted,
        "labelFontSize": 11,
        "labelPadding": 5,
        "ticks": False,
        "titleColor": colours.muted,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
        "titlePadding": 8,
    }
    return {
        "background": "transparent",
        "font": FONT,
        "padding": 6,
        "axis": axis,
        "axisX": {"labelFlush": False},
        "concat": {"spacing": 24},
        "header": {"labelColor": colours.ink, "titleColor": colours.muted},
        "legend": {"labelColor": colours.muted, "titleColor": colours.muted},
        "range": {"category": [colours.shown, colours.accent, *FURTHER]},
        "title": {
            "anchor": "start",
            "color": colours.ink,
            "fontSize": 13,
            "fontWeight": 600,
            "frame": "group",
            "offset": 8,
            "subtitleColor": colours.muted,
            "subtitleFontSize": 11,
            "subtitlePadding": 4,
        },
        "view": {"stroke": None, "fill": "transparent"},  # not None: on a ground that is not filled no brush can start
        "style": _styles(colours),
    }


def _styles(colours: Palette) -> dict[str, Any]:
    # Vega-Lite fills in its own blue where a style says `fill` or `stroke` alone: `color` is what it asks for.
    return {
        "wb-all": {"color": colours.all},
        "wb-all-line": {"color": colours.reference, "strokeWidth": 1.5},
        "wb-bar": {"color": colours.shown, "fillOpacity": 0.3},
        "wb-count": {"color": colours.shown, "fillOpacity": 0.8},
        "wb-wrong": {"color": colours.accent, "fillOpacity": 0.8},
        "wb-null": {"color": colours.band, "fillOpacity": 0.32},
        "wb-band": {"color": colours.shown, "fillOpacity": 0.2},
        "wb-line": {"color": colours.shown, "strokeWidth": 2},
        "wb-whisker": {"color": colours.shown, "strokeWidth": 1.5},
        "wb-point": {"color": colours.shown, "fillOpacity": 1, "filled": True, "size": 40},
        "wb-reference": {"color": colours.reference, "strokeWidth": 1.25, "strokeDash": [4, 3]},
        "wb-zero": {"color": colours.reference, "strokeWidth": 1.25},
        "wb-strong": {"color": colours.ink, "strokeWidth": 1.5},
        "wb-note": {"color": colours.muted, "fontSize": 11},
    }


def configure(chart: Any, *, theme: str = "light") -> Any:
    """Return a copy of an Altair chart in a theme; no global theme is set.

    >>> import altair as alt
    >>> configure(alt.Chart().mark_bar(), theme="dark").to_dict()["config"]["background"]
    'transparent'
    """
    return chart.configure(**config(theme))
