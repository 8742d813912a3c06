"""Charts of calibration: reliability diagram, histogram of confidences, risk-coverage curve.

Frames have the columns of `BinTable` or `RiskCoverage` (`workbench.stats`) and `group`; several groups become panels beside each
other with the same scales. Confidence, hit rate, coverage and risk are in [0, 1].
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from workbench.charts._safe import data_of, title_of
from workbench.charts.theme import configure
from workbench.frames import require

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["confidence_histogram", "reliability", "risk_coverage"]

WIDTH, HEIGHT, STRIP = 290, 230, 46  # pixels of the plot itself; axes and titles come on top
PER_ROW = 3
BINS = ("lower", "upper", "n", "confidence", "accuracy")
INTERVALS = ("low", "high", "null_low", "null_high")
CURVE = ("coverage", "risk")
STEADY = 0.1  # coverage from which on the band sets the scale of the risk
EXTENT = 34  # pixels kept for the labels of a vertical axis, so that what stands above each other is in line


def reliability(bins: "pd.DataFrame") -> Any:
    """Return the reliability diagram: hit rate by confidence.

    A bar is a confidence bin, its height the share of right answers; dot and whisker stand at the bin's mean confidence, with the
    95 % Wilson interval. A calibrated model's dots lie on the dashed diagonal, 95 % of them within the grey boxes that chance
    alone would fill: below it the model promises too much, above it too little. The strip below counts the examples.

    Args:
        bins: lower, upper, n, confidence, accuracy; low, high, null_low, null_high where known; `group` for several panels.

    >>> import pandas as pd
    >>> chart = reliability(pd.DataFrame({"lower": [0.5], "upper": [1.0], "n": [9], "confidence": [0.8], "accuracy": [0.6]}))
    >>> sorted(chart.to_dict())[-3:]
    ['spacing', 'title', 'vconcat']
    """
    require(bins, BINS, what="A reliability diagram", remedy="Build it with workbench.stats.calibration.bin_table.")
    return _panels(bins, "Reliability", _reliability, int(bins["n"].max()) if len(bins) else 1)


def confidence_histogram(bins: "pd.DataFrame") -> Any:
    """Return the histogram of confidences.

    A bar counts the examples of a confidence bin: the blue part was right, the orange part wrong. The solid line is the share of
    right answers, the dashed line the mean confidence; the distance between them is the confidence gap.

    Args:
        bins: lower, upper, n, confidence, accuracy; `group` for several panels.

    >>> import pandas as pd
    >>> bins = pd.DataFrame({"lower": [0.5], "upper": [1.0], "n": [9], "confidence": [0.8], "accuracy": [0.6]})
    >>> confidence_histogram(bins).to_dict()["title"]["text"]
    'Confidence, n = 9'
    """
    require(
        bins, BINS, what="A histogram of confidences", remedy="Build it with workbench.stats.calibration.bin_table."
    )
    return _panels(bins, "Confidence", _histogram, int(bins["n"].max()) if len(bins) else 1)


def risk_coverage(curve: "pd.DataFrame") -> Any:
    """Return the risk-coverage curve: errors among the answers kept, if the least confident are withheld.

    The line is the share of wrong answers (risk) among the most confident share of examples (coverage), with its 95 % band; the
    dashed line is the risk without abstaining. A confidence that knows its errors makes the line fall to the left.

    Args:
        curve: coverage, risk; low, high where known; `group` for several panels.

    >>> import pandas as pd
    >>> risk_coverage(pd.DataFrame({"coverage": [0.5, 1.0], "risk": [0.1, 0.3]})).to_dict()["width"]
    290
    """
    require(curve, CURVE, what="A risk-coverage curve", remedy="Build it with workbench.stats.ranking.risk_coverage.")
    steady = curve[
        curve["coverage"] >= STEADY
    ]  # the first few answers have a band up to 1, which would flatten all the rest
    ends = [steady[name].max() for name in ("high", "risk") if name in curve.columns] + [curve["risk"].max()]
    top = max((float(end) for end in ends if end == end), default=0.0)
    return _panels(curve, "Risk and coverage", _curve, min(1.0, 1.08 * top) if top > 0 else 1.0)


def _panels(frame: "pd.DataFrame", title: str, draw: Callable[..., Any], top: float) -> Any:
    """Return one panel per group, in the order of the table, in the light theme."""
    import altair as alt

    groups = list(dict.fromkeys(frame["group"])) if "group" in frame.columns else []
    if len(groups) <= 1:
        only = "" if not groups or groups[0] == "all" else f" of {groups[0]}"
        return configure(draw(frame, f"{title}{only}", top))
    charts = [draw(frame[frame["group"] == group], str(group), top) for group in groups]
    return configure(alt.concat(*charts, columns=min(PER_ROW, len(groups))))


def _with_n(title: str, frame: "pd.DataFrame") -> str:
    return f"{title}, n = {int(frame['n'].sum()):,}" if "n" in frame.columns else title


def _share(field: str, title: str, **more: Any) -> dict[str, Any]:
    """Return the arguments of an axis from 0 to 1."""
    import altair as alt

    axis = alt.Axis(values=[0, 0.2, 0.4, 0.6, 0.8, 1], format=".1f", **more)
    return {"shorthand": f"{field}:Q", "title": title, "scale": alt.Scale(domain=[0, 1], nice=False), "axis": axis}


def _numbers(extra: tuple[str, ...] = ()) -> list[Any]:
    import altair as alt

    names = {"lower": "from", "upper": "to", "n": "n", "confidence": "mean confidence", "accuracy": "hit rate"}
    names |= {"low": "95 % low", "high": "95 % high", "null_low": "by chance, low", "null_high": "by chance, high"}
    wanted = ("lower", "upper", "n", "confidence", "accuracy", *extra)
    return [alt.Tooltip(f"{key}:Q", title=names[key], format="," if key == "n" else ".3f") for key in wanted]


def _reliability(bins: "pd.DataFrame", title: str, top: int) -> Any:
    import altair as alt

    drawn = alt.Chart(data_of(bins, (*BINS, *INTERVALS)))
    edges = {"x": alt.X(**_share("lower", "", labels=False), bin="binned"), "x2": "upper:Q"}
    y = alt.Y(**_share("accuracy", "Hit rate", minExtent=EXTENT))
    tooltip = _numbers(tuple(name for name in INTERVALS if name in bins.columns))
    diagonal = alt.Chart(alt.InlineData(values=[{"confidence": 0, "accuracy": 0}, {"confidence": 1, "accuracy": 1}]))
    x = alt.X(**_share("confidence", "", labels=False))
    layers = [drawn.mark_bar(style="wb-bar", binSpacing=2).encode(**edges, y=y, tooltip=tooltip)]
    if "null_low" in bins.columns:
        null = drawn.transform_filter("isValid(datum.null_low)").mark_rect(style="wb-null", tooltip=None)
        layers.append(null.encode(**edges, y=alt.Y(**_share("null_low", "Hit rate")), y2="null_high:Q"))
    layers.append(diagonal.mark_line(style="wb-reference").encode(x=x, y=y))
    if "low" in bins.columns:
        known = drawn.transform_filter("isValid(datum.low)").mark_rule(style="wb-whisker")
        layers.append(known.encode(x=x, y=alt.Y(**_share("low", "Hit rate")), y2="high:Q"))
    layers.append(drawn.mark_point(style="wb-point").encode(x=x, y=y, tooltip=tooltip))
    strip = drawn.mark_bar(style="wb-count", binSpacing=2).encode(
        x=alt.X(**_share("lower", "Confidence"), bin="binned"),
        x2="upper:Q",
        y=_counts(top, "Examples", tick_count=2),
        tooltip=tooltip,
    )
    upper = alt.layer(*layers).properties(width=WIDTH, height=HEIGHT)
    lower = strip.properties(width=WIDTH, height=STRIP)
    return alt.vconcat(upper, lower, spacing=8, title=title_of(_with_n(title, bins)))


def _counts(top: int, title: str, tick_count: int = 4) -> Any:
    import altair as alt

    axis = alt.Axis(tickCount=tick_count, tickMinStep=1, format="~s", minExtent=EXTENT)
    return alt.Y("n:Q", title=title, scale=alt.Scale(domain=[0, 1.04 * top], nice=False), axis=axis)


def _histogram(bins: "pd.DataFrame", title: str, top: int) -> Any:
    import altair as alt

    n = bins["n"].sum()
    mean = float((bins["n"] * bins["confidence"]).sum() / n) if n else float("nan")
    hit = float((bins["n"] * bins["accuracy"]).sum() / n) if n else float("nan")
    drawn = alt.Chart(data_of(bins.assign(right=bins["n"] * bins["accuracy"]), (*BINS, "right")))
    x = {"x": alt.X(**_share("lower", "Confidence"), bin="binned"), "x2": "upper:Q"}
    y = _counts(top, "Examples")
    layers = [drawn.mark_bar(style="wb-wrong", binSpacing=2).encode(**x, y=y, y2="right:Q", tooltip=_numbers())]
    layers.append(drawn.mark_bar(style="wb-count", binSpacing=2).encode(**x, y=alt.Y("right:Q"), tooltip=_numbers()))
    said = ""
    if n:
        for value, style in ((mean, "wb-reference"), (hit, "wb-zero")):
            at = alt.Chart(alt.InlineData(values=[{"at": value}]))
            layers.append(at.mark_rule(style=[style, "wb-strong"]).encode(x=alt.X(**_share("at", "Confidence"))))
        said = f"right {hit:.2f} (solid), mean confidence {mean:.2f} (dashed)"
    chart = alt.layer(*layers).properties(width=WIDTH, height=HEIGHT)
    return chart.properties(title=title_of(_with_n(title, bins), **({"subtitle": said} if said else {})))


def _curve(curve: "pd.DataFrame", title: str, top: float) -> Any:
    import altair as alt

    drawn = alt.Chart(data_of(curve, (*CURVE, "low", "high", "threshold")))
    x = alt.X(**_share("coverage", "Coverage: share of examples answered"))
    scale = alt.Scale(domain=[0, top], nice=False, clamp=True)
    axis = alt.Axis(tickCount=5, minExtent=EXTENT)
    y = alt.Y("risk:Q", title="Risk: share of them wrong", scale=scale, axis=axis)
    layers = []
    if "low" in curve.columns:
        known = drawn.transform_filter("isValid(datum.low)").mark_area(style="wb-band")
        layers.append(known.encode(x=x, y=alt.Y("low:Q", title=None), y2="high:Q"))
    if len(curve):
        whole = float(curve["risk"].to_numpy(float)[curve["coverage"].to_numpy(float).argmax()])
        at = alt.Chart(alt.InlineData(values=[{"risk": whole}])).mark_rule(style="wb-reference")
        layers.append(at.encode(y=y))
    names = {
        "coverage": "coverage",
        "risk": "risk",
        "low": "95 % low",
        "high": "95 % high",
        "threshold": "least confidence",
    }
    tooltip = [alt.Tooltip(f"{key}:Q", title=names[key], format=".3f") for key in names if key in curve.columns]
    mark = drawn.mark_line(style="wb-line") if len(curve) > 1 else drawn.mark_point(style="wb-point")
    layers.append(mark.encode(x=x, y=y, tooltip=tooltip))
    return alt.layer(*layers).properties(width=WIDTH, height=HEIGHT, title=title_of(title))
