"""Accuracy elsewhere against accuracy here: the line of the standard models, and how far each model stands from it."""

import copy
import inspect
import math
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.charts._safe import STAND_IN, data_of, plain, restore, title_of
from workbench.charts.theme import configure
from workbench.frames import require

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["drawn_name", "effective_robustness", "marking"]

WIDTH, HEIGHT, ROW = 420, 320, 17  # pixels
TICKS = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
FINER = tuple(at / 100 for at in range(2, 99, 2))  # where the accuracies lie close together
LETTER, LINE, AWAY = 5.5, 13.0, 9.0  # pixels of a name's letter and line, and from its dot
CHOSEN = "#80808030"  # behind the row that was clicked
NAMED = 30  # models that are named in the upper part
COLUMNS = ("model", "inside", "outside", "expected", "value", "low", "high", "baseline")
LOOKS = (  # of the models on the line, and of those in question: filter, whisker, dot
    ("datum.baseline", "wb-all-line", "wb-all-line"),
    ("!datum.baseline", "wb-whisker", "wb-point"),
)
SIDES = ("inside_low", "inside_high", "outside_low", "outside_high")


class _Span(NamedTuple):
    """The ends of an axis, in logits."""

    low: float
    high: float


def effective_robustness(
    metrics: "pd.DataFrame", line: "pd.DataFrame", *, title: str = "Accuracy here and elsewhere"
) -> Any:
    """Return accuracy elsewhere over accuracy here with the line of the standard models, and below it each model's distance.

    A dot is a model, its cross the 95 % intervals of both accuracies; both axes are stretched towards 0 and 1 (logits), as the line
    is fitted. The solid line through the grey dots says what accuracy here foretells elsewhere, its band the 95 % interval of
    that; on the dashed line nothing would be lost. The thick bar from the line to a coloured dot is that model's effective
    robustness, which stands below with its own interval: right of zero it is more accurate elsewhere than foretold.

    Args:
        metrics: model, inside, outside, expected, value, low, high, baseline, and the bounds of inside and outside.
        line: inside, outside, low, high along the line.
        title: of the chart.

    >>> import pandas as pd
    >>> models = {"model": ["a"], "inside": [0.8], "outside": [0.7], "expected": [0.6], "value": [0.1], "low": [0.0], "high": [0.2]}
    >>> bounds = {"inside_low": [0.7], "inside_high": [0.9], "outside_low": [0.6], "outside_high": [0.8], "baseline": [False]}
    >>> ends = {"inside": [0.7, 0.9], "outside": [0.5, 0.8], "low": [0.4, 0.7], "high": [0.6, 0.9]}
    >>> effective_robustness(pd.DataFrame(models | bounds), pd.DataFrame(ends)).to_dict()["title"]["text"]
    'Accuracy here and elsewhere'
    """
    import altair as alt

    remedy = "Use .metrics and .line of wb.robustness(...)."
    require(metrics, [*COLUMNS, *SIDES], what="A chart of robustness", remedy=remedy)
    require(line, ["inside", "outside", "low", "high"], what="The line of a chart of robustness", remedy=remedy)
    drawn = metrics.sort_values("value", ascending=False, kind="stable")
    drawn = drawn.assign(order=range(len(drawn)), baseline=drawn["baseline"].astype(bool))
    upper = _scatter(drawn, line)
    base = restore(
        alt.Chart(data_of(drawn, ("model", "value", "low", "high", "baseline", "order"))), "model", drawn["model"]
    )
    names = alt.Axis(labelLimit=170, title=None, grid=False, labelPadding=8, labelOverlap=False)
    y = alt.Y("model:N", sort=alt.SortField("order"), axis=names)
    scale = alt.Scale(nice=False, padding=8, zero=True)
    x = {
        name: alt.X(f"{name}:Q", scale=scale, title="Effective robustness: outside − foretold, 95 % interval")
        for name in ("value", "low")
    }
    zero = alt.Chart(alt.InlineData(values=[{"value": 0}])).mark_rule(style="wb-zero").encode(x=x["value"])
    tooltip = [alt.Tooltip("model:N"), *(alt.Tooltip(f"{one}:Q", format="+.3f") for one in ("value", "low", "high"))]
    bounded = base.transform_filter("isValid(datum.low) && isValid(datum.high)")
    layers: list[Any] = [zero]
    for test, whisker, dot in LOOKS:
        layers.append(bounded.transform_filter(test).mark_rule(style=whisker).encode(y=y, x=x["low"], x2="high:Q"))
        point = base.transform_filter(test).mark_point(style=dot, filled=True, size=45)
        layers.append(point.encode(y=y, x=x["value"], tooltip=tooltip))
    lower = alt.layer(*layers).properties(width=WIDTH, height=alt.Step(ROW))
    read = " ".join(str(inspect.getdoc(effective_robustness)).split("\n\n")[1].split())
    return configure(alt.vconcat(upper, lower, spacing=16).properties(title=title_of(title), description=read))


def drawn_name(model: str) -> str:
    """Return a model's name as the chart's data have it: a long one is cut.

    >>> drawn_name("a<b")
    'a<b'
    """
    return str(plain(model)).replace(STAND_IN, "<")


def marking(spec: dict[str, Any]) -> dict[str, Any]:
    """Return a Vega-Lite spec of the chart without its colours, to be clicked: the signal `picked` names the model that stands out.

    The rows of the lower part take a click over their whole width.

    >>> part = {"mark": {"type": "point", "size": 45}, "encoding": {"y": {"field": "model"}}}
    >>> marked = marking({"vconcat": [{"layer": [part]}]})["vconcat"][0]["layer"]
    >>> [layer["mark"]["type"] for layer in marked], marked[1]["encoding"]["size"]["value"]
    (['rect', 'point'], 45)
    """
    marked = copy.deepcopy({key: value for key, value in spec.items() if key != "config"})
    marked["params"] = [*marked.get("params", []), {"name": "picked", "value": ""}]
    chosen = {"test": "datum.model === picked"}
    dots = [[layer for layer in part["layer"] if layer["mark"]["type"] == "point"] for part in marked["vconcat"]]
    ground = {"condition": {**chosen, "value": CHOSEN}, "value": "transparent"}
    for layer in dots[-1]:
        row = {**layer, "mark": {"type": "rect"}, "encoding": {"y": layer["encoding"]["y"], "fill": ground}}
        marked["vconcat"][-1]["layer"].insert(0, row)
    for layer in (layer for part in dots for layer in part):
        size = layer["mark"].pop("size")
        layer["encoding"]["size"] = {"condition": {**chosen, "value": 4 * size}, "value": size}
    return marked


def _scatter(drawn: "pd.DataFrame", line: "pd.DataFrame") -> Any:
    """Return the models, the line with its band, and the diagonal, over logits."""
    import altair as alt
    import pandas as pd

    across = _span([*drawn["inside"], *drawn["inside_low"], *drawn["inside_high"]])
    up = _span([*drawn["outside"], *drawn["outside_low"], *drawn["outside_high"], *drawn["expected"]])
    x = {name: _axis(alt.X, name, across, "Accuracy inside, logit scale") for name in ("inside", "inside_low")}
    y = {
        name: _axis(alt.Y, name, up, "Accuracy outside, logit scale")
        for name in ("outside", "outside_low", "low", "expected")
    }
    places = _in_logits(line, ("inside", "outside", "low", "high"))
    band = alt.Chart(data_of(places, places.columns))
    ends = [max(across.low, up.low), min(across.high, up.high)]
    same = alt.Chart(data_of(pd.DataFrame({"inside": ends, "outside": ends}), ("inside", "outside")))
    numbers = _in_logits(drawn, ("inside", "outside", "expected", *SIDES)).assign(
        **{f"{name}_shown": drawn[name] for name in ("inside", "outside")}
    )
    base = restore(alt.Chart(data_of(numbers, numbers.columns)), "model", drawn["model"])
    tooltip = [
        alt.Tooltip("model:N"),
        *(alt.Tooltip(f"{one}_shown:Q", title=one, format=".3f") for one in ("inside", "outside")),
    ]
    layers: list[Any] = [
        band.mark_area(style="wb-null", clip=True).encode(x=x["inside"], y=y["low"], y2="high:Q"),
        band.mark_line(style="wb-all-line", clip=True).encode(x=x["inside"], y=y["outside"]),
    ]
    if ends[0] < ends[1]:
        layers.append(same.mark_line(style="wb-reference").encode(x=x["inside"], y=y["outside"]))
    for test, whisker, dot in LOOKS:
        part = base.transform_filter(test)
        layers.append(
            part.mark_rule(style=whisker, opacity=0.6, strokeWidth=1).encode(
                x=x["inside_low"], x2="inside_high:Q", y=y["outside"]
            )
        )
        layers.append(
            part.mark_rule(style=whisker, opacity=0.6, strokeWidth=1).encode(
                x=x["inside"], y=y["outside_low"], y2="outside_high:Q"
            )
        )
        if test.startswith("!"):
            layers.append(
                part.mark_rule(style="wb-wrong", strokeWidth=3).encode(x=x["inside"], y=y["expected"], y2="outside:Q")
            )
        layers.append(
            part.mark_point(style=dot, filled=True, size=55).encode(x=x["inside"], y=y["outside"], tooltip=tooltip)
        )
    labels = _labels(numbers, across, up)
    for (right, up_there), named in labels.groupby(["right", "above"]):
        at = {"align": "left" if right else "right", "dx": AWAY if right else -AWAY, "dy": -AWAY if up_there else AWAY}
        text = restore(alt.Chart(data_of(named, ("model", "inside", "outside"))), "model", named["model"])
        words = text.mark_text(style="wb-note", baseline="middle", **at)
        layers.append(words.encode(x=x["inside"], y=y["outside"], text="model:N"))
    return alt.layer(*layers).properties(width=WIDTH, height=HEIGHT)


def _in_logits(frame: "pd.DataFrame", names: tuple[str, ...]) -> "pd.DataFrame":
    kept = [name for name in ("model", "baseline", *names) if name in frame]
    return frame[kept].assign(**{name: [_logit(share) for share in frame[name]] for name in names})


def _logit(share: float) -> float:
    held = min(max(float(share), 5e-4), 1 - 5e-4)  # 0 and 1 stand at the ends
    return math.log(held / (1 - held))


def _span(shares: list[float]) -> _Span:
    logits = [_logit(share) for share in shares if share == share]
    room = 0.06 * (max(logits) - min(logits)) or 0.2
    return _Span(min(logits) - room, max(logits) + room)


def _axis(kind: Any, name: str, span: _Span, title: str) -> Any:
    """Return an axis over logits whose labels are accuracies."""
    import altair as alt

    ticks = [tick for tick in TICKS if span.low <= _logit(tick) <= span.high]
    if len(ticks) < 4:
        ticks = [tick for tick in FINER if span.low <= _logit(tick) <= span.high]
    while len(ticks) > 9:
        ticks = ticks[::2]
    axis = alt.Axis(values=[_logit(tick) for tick in ticks], labelExpr="format(1 / (1 + exp(-datum.value)), '.2f')")
    return kind(
        f"{name}:Q", scale=alt.Scale(domain=[span.low, span.high], nice=False, zero=False), axis=axis, title=title
    )


def _labels(numbers: "pd.DataFrame", across: _Span, up: _Span) -> "pd.DataFrame":
    """Return the names that find room between the arms of their crosses, and where; the others stand in the lower part alone."""
    import pandas as pd

    numbers = numbers.sort_values("baseline", kind="stable")  # those in question have the first choice
    dots = [
        (WIDTH * (x - across.low) / (across.high - across.low), HEIGHT * (up.high - y) / (up.high - up.low))
        for x, y in zip(numbers["inside"], numbers["outside"], strict=True)
    ]
    taken = [(x - 4, y - 4, x + 4, y + 4) for x, y in dots]
    told = [HEIGHT * (up.high - y) / (up.high - up.low) for y in numbers["expected"]]
    for (x, y), line, on_it in zip(dots, told, numbers["baseline"], strict=True):
        taken += [] if on_it else [(x - 3, min(y, line), x + 3, max(y, line))]  # the bar from the line to its dot
    found: list[tuple[str, float, float, bool, bool]] = []
    lines = numbers[["model", "inside", "outside"]].itertuples(index=False, name=None)
    for (model, inside, outside), (x, y) in zip(lines, dots, strict=True):
        wide = LETTER * len(str(model))
        for right, above in ((True, True), (True, False), (False, True), (False, False)):
            start, middle = (x + AWAY if right else x - AWAY - wide), (y - AWAY if above else y + AWAY)
            box = (start, middle - LINE / 2, start + wide, middle + LINE / 2)
            held = box[0] >= 0 and box[1] >= 0 and box[2] <= WIDTH and box[3] <= HEIGHT
            if held and len(found) < NAMED and not any(_meet(box, other) for other in taken):
                taken.append(box)
                found.append((model, inside, outside, right, above))
                break
    return pd.DataFrame(found, columns=["model", "inside", "outside", "right", "above"])


def _meet(one: tuple[float, ...], two: tuple[float, ...]) -> bool:
    return one[0] < two[2] and two[0] < one[2] and one[1] < two[3] and two[1] < one[3]
