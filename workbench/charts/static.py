"""Pictures that need neither a kernel nor a network: SVG and PNG by vl-convert."""

import re
from functools import cache
from typing import Any

from workbench.charts.theme import config, css_colours, palette

__all__ = ["inline_svg", "png", "spec_of", "svg", "vega_lite_version"]


@cache
def vega_lite_version() -> str:
    """Return the newest Vega-Lite that vl-convert has; a test holds that it is the installed Altair's.

    >>> vega_lite_version().count(".")
    1
    """
    import vl_convert

    return str(max(vl_convert.get_vegalite_versions(), key=lambda name: tuple(map(int, name.split(".")))))


def spec_of(chart: Any, *, theme: str = "light") -> dict[str, Any]:
    """Return the Vega-Lite dict of an Altair chart, or of such a dict, in a theme; a responsive width becomes 300 px.

    >>> spec_of({"mark": "bar", "width": "container"})["width"]
    300
    """
    spec = dict(chart) if isinstance(chart, dict) else chart.to_dict()
    if spec.get("width") == "container":
        spec["width"] = 300
    return {**spec, "config": config(theme)}


def svg(chart: Any, *, theme: str = "light") -> str:
    """Return the chart as SVG with a transparent background; nothing is loaded, and text in data is escaped.

    Args:
        chart: an Altair chart, or a Vega-Lite dict with its data inside.
        theme: "light", "dark", or "any" for a ground that is not known.

    >>> picture = svg({"data": {"values": [{"a": 1}]}, "mark": "point", "encoding": {"x": {"field": "a", "type": "quantitative"}}})
    >>> picture.startswith("<svg")
    True
    """
    import vl_convert

    spec = spec_of(chart, theme=theme)
    drawn: str = vl_convert.vegalite_to_svg(spec, vl_version=vega_lite_version(), allowed_base_urls=[])
    return drawn


def png(chart: Any, *, theme: str = "light", scale: float = 2.0) -> bytes:
    """Return the chart as PNG on the theme's ground, `scale` device pixels per pixel; nothing is loaded.

    >>> png({"data": {"values": [{"a": 1}]}, "mark": "point"})[1:4]
    b'PNG'
    """
    import vl_convert

    spec = spec_of(chart, theme=theme)
    # On a transparent ground vl-convert 1.9 clips the colour of translucent pixels to their alpha (blue turns grey-green).
    spec["config"]["background"] = palette(theme).background
    drawn: bytes = vl_convert.vegalite_to_png(spec, vl_version=vega_lite_version(), scale=scale, allowed_base_urls=[])
    return drawn


def inline_svg(chart: Any, name: str) -> str:
    """Return SVG to stand in an HTML page: colours as CSS variables, ids with the prefix `name`, shrinking with the page.

    >>> picture = inline_svg({"data": {"values": [{"a": 1}]}, "mark": "bar"}, "trial")
    >>> 'role="img"' in picture
    True
    """
    prefix = re.sub(r"[^a-zA-Z0-9-]", "-", name)
    text = css_colours(svg(chart))
    text = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', text)
    text = re.sub(r'url\((["\']?)#', rf"url(\1#{prefix}-", text)
    style = 'style="max-width:100%;height:auto"'
    return text.replace("<svg ", f'<svg role="img" {style} ', 1)
