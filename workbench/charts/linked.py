"""Charts for the explorer: plain Vega-Lite dicts over two named data sets, "all" and "shown".

Grey marks show "all", coloured ones "shown"; both start as the rows that are given, and the explorer exchanges "shown" when a
brush moves (`view.change`). Each has an interval selection "brush" and fills the width of its element. The dicts are written by
hand and hold no example's text: Altair is not imported, because its import costs seconds.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.charts.theme import config

__all__ = ["categories", "curves", "histogram", "reliability", "risk_coverage", "with_line"]

Rows = Sequence[Mapping[str, Any]]
Spec = dict[str, Any]

EXTENT = 34  # pixels kept for the labels of a vertical axis, so that charts above each other are in line
STEP = 20  # pixels per category
SHARE = {"domain": [0, 1], "nice": False}
TENTHS = {"values": [0, 0.2, 0.4, 0.6, 0.8, 1], "format": ".1f"}


def reliability(rows: Rows, *, height: int = 200, theme: str = "light") -> Spec:
    """Return the linked reliability diagram; a brush on confidence gives `{"lower": [a, b]}`.

    A bar is the hit rate of the examples selected in a confidence bin, dot and whisker the same at their mean confidence with its
    95 % interval, the grey tick that of all examples; on the dashed diagonal the model keeps its promise, and the grey boxes are
    what chance alone would fill.

    Args:
        rows: lower, upper, n, confidence, accuracy, low, high, null_low, null_high; null is not drawn.

    >>> reliability([])["data"], sorted(reliability([])["datasets"])
    ({'name': 'all'}, ['all', 'shown'])
    """
    x, y = _x("lower", "Confidence", SHARE, TENTHS), _y("accuracy", "Hit rate", SHARE, TENTHS)
    centre = _x("confidence", "Confidence", SHARE, TENTHS)
    ends = {"values": [{"confidence": 0, "accuracy": 0}, {"confidence": 1, "accuracy": 1}]}
    layers = [
        _brushed(
            {"type": "bar", "style": "wb-bar", "binSpacing": 2}, {"x": x, "x2": _f("upper"), "y": y}, "x", data="shown"
        ),
        _layer(
            "rect",
            "wb-null",
            {"x": x, "x2": _f("upper"), "y": {**y, "field": "null_low"}, "y2": _f("null_high")},
            "null_low",
        ),
        {"data": ends, "mark": {"type": "line", "style": "wb-reference"}, "encoding": {"x": centre, "y": y}},
        _layer(
            "rule",
            "wb-all-line",
            {"x": {**centre, "field": "lower"}, "x2": _f("upper"), "y": y},
            "accuracy",
            data="all",
        ),
        _layer("rule", "wb-whisker", {"x": centre, "y": {**y, "field": "low"}, "y2": _f("high")}, "low"),
        _layer("point", "wb-point", {"x": centre, "y": y, "tooltip": _numbers()}, "accuracy"),
    ]
    return _spec(rows, layers, height, theme)


def histogram(
    rows: Rows, *, title: str, domain: tuple[float, float] | None = None, height: int = 120, theme: str = "light"
) -> Spec:
    """Return the linked histogram of a binned number; a brush gives `{"lower": [a, b]}` in its units.

    A bar counts the examples of a bin: grey for all, coloured for those selected.

    Args:
        rows: lower, upper, n.
        title: the axis's title, plain text.
        domain: ends of the axis; by default those of the rows.

    >>> histogram([{"lower": 0, "upper": 1, "n": 3}], title="Length")["layer"][0]["encoding"]["x"]["scale"]["domain"]
    [0.0, 1.0]
    """
    ends = [float(end) for end in domain] if domain else _ends(rows)
    x = _x("lower", title, {"domain": ends, "nice": False}, {"tickCount": 6})
    y = _y("n", "Examples", {"domainMin": 0}, {"tickCount": 3, "tickMinStep": 1, "format": "~s"})
    return _spec(rows, _twice({"x": x, "x2": _f("upper"), "y": y}, "x"), height, theme)


def categories(rows: Rows, *, title: str, height: int | None = None, theme: str = "light") -> Spec:
    """Return the linked bars of a category, in the order of the rows; a brush down the bars gives `{"category": [...]}`.

    A bar is a category and its length a number of examples: grey for all, coloured for those selected.

    Args:
        rows: category, n.
        title: heading above the bars, plain text.

    >>> categories([{"category": "law", "n": 3}], title="domain")["height"]
    20
    """
    axis = {"labelLimit": 130, "title": None, "grid": False}
    y = {"field": "category", "type": "nominal", "sort": [row["category"] for row in rows], "axis": axis}
    x = {**_f("n", "quantitative"), "title": "Examples", "scale": {"domainMin": 0}}
    x["axis"] = {"tickCount": 3, "tickMinStep": 1, "format": "~s"}
    tall = STEP * max(1, len(rows)) if height is None else height
    spec = _spec(rows, _twice({"x": x, "y": y}, "y"), tall, theme)
    return {**spec, "title": {"text": title, "fontSize": 11, "fontWeight": "normal", "offset": 4}}


def risk_coverage(rows: Rows, *, height: int = 160, theme: str = "light") -> Spec:
    """Return the linked risk-coverage curve; a brush gives `{"coverage": [a, b]}`.

    The line is the share of wrong answers (risk) among the most confident share of the examples selected (coverage), with its 95 %
    band; the grey line is that of all examples.

    Args:
        rows: coverage, risk, low, high, in [0, 1].

    >>> [layer["mark"]["type"] for layer in risk_coverage([])["layer"]]
    ['line', 'area', 'line']
    """
    x = _x("coverage", "Coverage: share answered", SHARE, TENTHS)
    y = _y("risk", "Risk: share wrong", {"domainMin": 0, "nice": True}, {"tickCount": 4})
    band = {"x": x, "y": {**y, "field": "low"}, "y2": _f("high")}
    tooltip = [{**_f(name, "quantitative"), "format": ".3f"} for name in ("coverage", "risk", "low", "high")]
    layers = [
        _brushed({"type": "line", "style": "wb-all-line"}, {"x": x, "y": y}, "x"),
        _layer("area", "wb-band", band, "low"),
        _layer("line", "wb-line", {"x": x, "y": y, "tooltip": tooltip}, "risk"),
    ]
    return _spec(rows, layers, height, theme)


def curves(
    rows: Rows, *, title: str, ends: tuple[float, float], what: str, lines: Sequence[str] = (), theme: str = "light"
) -> Spec:
    """Return linked curves over whole numbers; a brush gives `{"place": [a, b]}`.

    A coloured line is the value of the rows selected, its band the 95 % interval; the grey line behind it is that of all rows. Drag
    to the left or right to select a range.

    Args:
        rows: place, line, value, low, high, n.
        title: the horizontal axis's title; `what` that of the vertical one, plain text.
        ends: the first and the last whole number.
        lines: the names of all lines, which keep their colours whatever is selected.

    >>> curves([], title="Severity", ends=(0, 5), what="Accuracy")["layer"][0]["encoding"]["detail"]
    {'field': 'line', 'type': 'nominal'}
    """
    low, high = ends
    x = _x("place", title, {"domain": [low - 0.45, high + 0.45], "nice": False}, {})
    x["axis"] = {"values": list(range(int(low), int(high) + 1)), "format": "d", "grid": False}
    y = {**_y("value", what, {"zero": False, "nice": True}, {"tickCount": 5})}
    detail = _f("line", "nominal")
    legend = {"title": None, "orient": "bottom", "symbolType": "stroke", "symbolOpacity": 1, "labelLimit": 120}
    several = len(lines) > 1
    colour = {**detail, "scale": {"domain": list(lines)}, "legend": legend if several else None}
    tooltip = [
        *([detail] if several else []),
        {**_f("place", "quantitative"), "title": title},
        *({**_f(name, "quantitative"), "format": ".3f"} for name in ("value", "low", "high")),
        {**_f("n", "quantitative"), "format": ","},
    ]
    band = _layer("area", "wb-band", {"x": x, "y": {**y, "field": "low"}, "y2": _f("high"), "color": colour}, "low")
    band["mark"]["fillOpacity"] = max(0.06, min(0.2, 0.5 / max(1, len(lines))))
    line = _layer("line", "wb-line", {"x": x, "y": y, "color": colour}, "value")
    dots = _layer("point", "wb-point", {"x": x, "y": y, "color": colour, "tooltip": tooltip}, "value")
    behind = _brushed({"type": "line", "style": "wb-all-line", "opacity": 0.5}, {"x": x, "y": y, "detail": detail}, "x")
    return _spec(rows, [behind, band, line, dots], 290, theme)


def with_line(spec: Spec) -> Spec:
    """Return a linked chart with an upright line at the rows `at` of a third data set "line", which is empty at first.

    >>> with_line(risk_coverage([]))["layer"][-1]["encoding"]["x"]["field"]
    'at'
    """
    x = {name: value for name, value in spec["layer"][0]["encoding"]["x"].items() if name != "bin"}
    mark = {"type": "rule", "style": "wb-strong"}
    line = {"data": {"name": "line"}, "mark": mark, "encoding": {"x": {**x, "field": "at"}}}
    return {**spec, "datasets": {**spec["datasets"], "line": []}, "layer": [*spec["layer"], line]}


def _f(field: str, kind: str = "") -> Spec:
    return {"field": field, "type": kind} if kind else {"field": field}


def _x(field: str, title: str, scale: Spec, axis: Spec) -> Spec:
    binned = {"bin": "binned"} if field == "lower" else {}  # without it, bars with two ends are drawn as ticks
    return {**_f(field, "quantitative"), **binned, "title": title, "scale": scale, "axis": axis}


def _y(field: str, title: str, scale: Spec, axis: Spec) -> Spec:
    return {**_f(field, "quantitative"), "title": title, "scale": scale, "axis": {**axis, "minExtent": EXTENT}}


def _layer(mark: str, style: str, encoding: Spec, needs: str, *, data: str = "shown") -> Spec:
    """Return a layer that draws the rows which have the field `needs`."""
    kept = [{"filter": f"isValid(datum.{needs})"}]
    return {"data": {"name": data}, "transform": kept, "mark": {"type": mark, "style": style}, "encoding": encoding}


def _brushed(mark: Spec, encoding: Spec, along: str, *, data: str = "all") -> Spec:
    """Return a layer that carries the brush, on the axis `along`."""
    look = {"fill": "#808080", "fillOpacity": 0.2, "stroke": "#808080", "strokeOpacity": 0.8}  # seen on light and dark
    brush = {"name": "brush", "select": {"type": "interval", "encodings": [along], "mark": look}}
    return {"data": {"name": data}, "params": [brush], "mark": mark, "encoding": encoding}


def _twice(encoding: Spec, along: str) -> list[Spec]:
    """Return the bars of "all" with the brush, and those of "shown" before them."""
    encoding = {**encoding, "tooltip": _counts(encoding)}
    behind = _brushed({"type": "bar", "style": "wb-all", "binSpacing": 1}, encoding, along)
    front: Spec = {"data": {"name": "shown"}, "mark": {"type": "bar", "style": "wb-count", "binSpacing": 1}}
    return [behind, {**front, "encoding": encoding}]


def _counts(encoding: Spec) -> list[Spec]:
    """Return the tooltip of a bar that counts."""
    if "x2" in encoding:
        ends = [
            {**_f(name, "quantitative"), "title": said, "format": ".3~g"}
            for name, said in (("lower", "from"), ("upper", "to"))
        ]
    else:
        ends = [_f("category", "nominal")]
    return [*ends, {**_f("n", "quantitative"), "format": ","}]


def _numbers() -> list[Spec]:
    names = {
        "lower": "from",
        "upper": "to",
        "confidence": "mean confidence",
        "accuracy": "hit rate",
        "low": "low",
        "high": "high",
    }
    numbers = [{**_f(key, "quantitative"), "title": title, "format": ".3f"} for key, title in names.items()]
    return [*numbers, {**_f("n", "quantitative"), "format": ","}]


def _ends(rows: Rows) -> list[float]:
    """Return the lowest and highest edge of the bins."""
    if not rows:
        return [0.0, 1.0]
    return [float(min(row["lower"] for row in rows)), float(max(row["upper"] for row in rows))]


def _spec(rows: Rows, layers: list[Spec], height: int, theme: str) -> Spec:
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "config": config(theme),
        "width": "container",
        "height": height,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "data": {"name": "all"},
        "datasets": {"all": [dict(row) for row in rows], "shown": [dict(row) for row in rows]},
        "layer": layers,
    }
