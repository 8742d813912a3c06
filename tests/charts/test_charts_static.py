"""Themes, pictures and sentences."""

import re
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from charts import chart_checks as checks

from workbench.charts import configure, how_to_read, linked, palette, png, reliability, svg
from workbench.charts.static import inline_svg, vega_lite_version
from workbench.charts.theme import THEMES
from workbench.errors import UsageError


def luminance(colour: str) -> float:
    """Return the relative luminance of a hex colour (WCAG 2.1)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21 (WCAG 2.1)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_and_marks_can_be_seen(theme: str) -> None:
    """Text has a contrast of 4.5, marks have 3 on the theme's ground."""
    colours = palette(theme)

    assert min(contrast(colour, colours.background) for colour in (colours.ink, colours.muted)) >= 4.5
    assert (
        min(contrast(colour, colours.background) for colour in (colours.shown, colours.accent, colours.reference)) >= 3
    )


@pytest.mark.parametrize("ground", ["#ffffff", "#111111"])
def test_the_theme_for_any_ground_can_be_seen(ground: str) -> None:
    """Its text has a contrast of 4, its marks have 3 on white and on JupyterLab's dark ground."""
    colours = palette("any")

    assert min(contrast(colour, ground) for colour in (colours.ink, colours.muted)) >= 4
    assert min(contrast(colour, ground) for colour in (colours.shown, colours.accent, colours.reference)) >= 3


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_two_roles_share_a_colour(theme: str) -> None:
    """A picture is recoloured by its colours, so each says its role."""
    colours = list(asdict(THEMES[theme]).values())

    assert len(set(colours)) == len(colours)


def test_configure_sets_no_global_theme() -> None:
    """A chart gets its theme; Altair's active theme stays as it was."""
    import altair as alt

    before = alt.theme.active
    chart = configure(reliability(checks.small_bins()), theme="dark")

    assert chart.to_dict()["config"]["style"]["wb-point"]["color"] == palette("dark").shown
    assert before == alt.theme.active


def test_an_unknown_theme_names_those_that_are_there() -> None:
    """The error has the nearest name."""
    with pytest.raises(UsageError, match="Did you mean 'dark'"):
        palette("drak")


def test_the_vega_lite_is_altairs() -> None:
    """Bundle, pictures and Altair speak one version of Vega-Lite."""
    import altair as alt

    assert alt.SCHEMA_VERSION.startswith(f"v{vega_lite_version()}.")


@pytest.mark.parametrize("name", ["reliability", "linked_reliability"])
def test_png_shows_translucent_colours(name: str) -> None:
    """The light bars are light blue: on a transparent ground vl-convert gives them a grey green."""
    import io

    from PIL import Image

    chart = (
        reliability(checks.small_bins())
        if name == "reliability"
        else linked.reliability(checks.small_bins().to_dict("records"))
    )
    picture = Image.open(io.BytesIO(png(chart))).convert("RGB")
    colours = np.array([colour for _, colour in picture.getcolors(1 << 20)])

    assert np.abs(colours - [178, 213, 232]).max(axis=1).min() <= 2


def test_pictures_load_nothing() -> None:
    """A picture names no address but those of its own format, and a spec that asks for one is refused."""
    drawn = svg(reliability(checks.bins()))

    assert set(re.findall(r"https?://[^\"' ]+", drawn)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    with pytest.raises(ValueError, match=r"not allowed|allowed base"):
        svg({"data": {"url": "http://127.0.0.1:9/data.json"}, "mark": "bar"})


def test_inline_pictures_share_a_page() -> None:
    """Ids carry the picture's name, and colours are variables with the light theme as their default."""
    one, other = inline_svg(reliability(checks.bins()), "one"), inline_svg(reliability(checks.bins()), "other")
    ids = [set(re.findall(r'id="([^"]+)"', drawn)) for drawn in (one, other)]

    assert not ids[0] & ids[1]
    assert f"var(--wb-shown, {palette('light').shown})" in one
    assert not re.findall(r'(?:fill|stroke)="#', one)


@pytest.mark.parametrize(
    "name", ["reliability", "confidence_histogram", "risk_coverage", "metric_bars", "ece_by_slice", "histogram"]
)
def test_each_chart_has_its_sentence(name: str) -> None:
    """How to read it: whole sentences that name marks, without code."""
    said = how_to_read(name)

    assert said.endswith(".")
    assert "\n" not in said
    assert ">>>" not in said
    assert re.search(r"\b(bar|dot|line)\b", said)


def test_a_chart_without_a_sentence_is_an_error() -> None:
    """The error names the charts that have one."""
    with pytest.raises(UsageError, match="reliability"):
        how_to_read("relibility")


def test_charts_do_not_import_altair() -> None:
    """Linked specs and the sentences come without Altair, whose import costs seconds."""
    import subprocess
    import sys

    code = "import sys, workbench.charts.linked as l; l.reliability([]); import workbench.charts.bundle as b; b.bundle_version(); "
    done: Any = subprocess.run(
        [sys.executable, "-c", code + "print('altair' in sys.modules)"], capture_output=True, text=True
    )

    assert done.stdout.strip() == "False"


def test_control_characters_in_names_do_not_abort_the_process() -> None:
    """vl-convert aborts on characters that XML does not allow; names are mended before they are drawn."""
    from workbench.charts._safe import plain

    assert plain("red\x1b\x00\ud800") == "red\ufffd\ufffd\ufffd"
    assert len(plain("x" * 20_000)) == 120
