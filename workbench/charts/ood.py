"""Charts of out-of-distribution scores: how the scores of both kinds of examples lie, and the ROC curves."""

from typing import TYPE_CHECKING, Any

from workbench.charts._safe import data_of, title_of
from workbench.charts.metrics import metric_title
from workbench.charts.theme import configure
from workbench.frames import require

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["roc_curves", "score_histogram"]

WIDTH, HEIGHT, SQUARE = 290, 150, 220  # pixels
MOST = 12  # curves
COLUMNS = 3  # curves beside each other


def score_histogram(bins: "pd.DataFrame", *, threshold: float | None = None) -> Any:
    """Return the histogram of a score, of in-distribution examples and of the others.

    A bar is the share of its kind whose score falls there: blue for in-distribution examples, or for all where that is not known,
    orange for those from outside; the outer bars hold all that lies beyond. Left of the dashed line an example is flagged: the line
    keeps 95 % of the in-distribution examples, and the orange bars to its right are let through.

    Args:
        bins: score, lower, upper, kind ("inside", "outside" or "unknown"), n, share.
        threshold: where the line stands; none is drawn without it.

    >>> import pandas as pd
    >>> line = {"score": "msp", "lower": 0.0, "upper": 1.0, "kind": "inside", "n": 3, "share": 1.0}
    >>> score_histogram(pd.DataFrame([line])).to_dict()["title"]["text"]
    'MSP'
    """
    import altair as alt

    columns = ("score", "lower", "upper", "kind", "n", "share")
    require(bins, columns, what="A histogram of scores", remedy="The probe ood makes it.")
    name = metric_title(str(bins["score"].iloc[0])) if len(bins) else ""
    ends = [float(bins["lower"].min()), float(bins["upper"].max())]
    shared = {"title": f"{name} (higher: more usual)", "axis": alt.Axis(tickCount=6)}
    shared["scale"] = alt.Scale(domain=ends, nice=False)
    x = alt.X("lower:Q", bin="binned", **shared)
    y = alt.Y("share:Q", title="Share of its kind", axis=alt.Axis(tickCount=4, format="%"), stack=None)
    tooltip = [alt.Tooltip("kind:N"), *(alt.Tooltip(f"{end}:Q", format=".3g") for end in ("lower", "upper"))]
    tooltip.append(alt.Tooltip("n:Q", format=","))
    layers = []
    for kinds, style in ((("inside", "unknown"), "wb-count"), (("outside",), "wb-wrong")):
        part = bins[bins["kind"].isin(kinds)]
        if len(part):
            drawn = alt.Chart(data_of(part, columns[1:])).mark_bar(style=style, binSpacing=0, opacity=0.6)
            layers.append(drawn.encode(x=x, x2="upper:Q", y=y, tooltip=tooltip))
    if threshold is not None and ends[0] <= threshold <= ends[1]:
        line = alt.Chart(alt.InlineData(values=[{"lower": threshold}])).mark_rule(style="wb-reference")
        layers.append(line.encode(x=alt.X("lower:Q", **shared)))
    counts = bins.groupby("kind", sort=False)["n"].sum()
    said = ", ".join(f"{kind} n = {int(n):,}" for kind, n in counts.items())
    chart = alt.layer(*layers).properties(width=WIDTH, height=HEIGHT)
    return configure(chart.properties(title=title_of(name, **({"subtitle": said} if said else {}))))


def roc_curves(curves: "pd.DataFrame") -> Any:
    """Return the ROC curve of each score.

    A line says for every threshold which share of the in-distribution examples is kept (upwards) and which share of the others is
    let through (to the right); the nearer to the upper left corner the better, and on the dashed diagonal a score tells nothing.
    The thin line marks 95 % kept: where a curve crosses it, read FPR95 below.

    Args:
        curves: score, kept, through, in [0, 1].

    >>> import pandas as pd
    >>> rows = pd.DataFrame({"score": "msp", "kept": [0.0, 1.0], "through": [0.0, 1.0]})
    >>> roc_curves(rows).to_dict()["title"]["text"]
    'Kept against let through'
    """
    import altair as alt

    require(curves, ("score", "kept", "through"), what="A chart of ROC curves", remedy="The probe ood makes it.")
    scale = alt.Scale(domain=[0, 1], nice=False)
    axis = alt.Axis(values=[0, 0.25, 0.5, 0.75, 1], format="%")
    x = alt.X("through:Q", title="Outside, let through", scale=scale, axis=axis)
    y = alt.Y("kept:Q", title="Inside, kept", scale=scale, axis=axis)
    diagonal = alt.Chart(alt.InlineData(values=[{"through": 0, "kept": 0}, {"through": 1, "kept": 1}]))
    level = alt.Chart(alt.InlineData(values=[{"kept": 0.95}])).mark_rule(style="wb-zero").encode(y=y)
    panels = []
    for name, part in list(curves.groupby("score", sort=False))[:MOST]:
        ordered = part.sort_values(["through", "kept"])
        line = alt.Chart(data_of(ordered, ("through", "kept"))).mark_line(style="wb-line", interpolate="step-after")
        tooltip = [alt.Tooltip("kept:Q", format=".3f"), alt.Tooltip("through:Q", format=".3f")]
        layers = [
            diagonal.mark_line(style="wb-reference").encode(x=x, y=y),
            level,
            line.encode(x=x, y=y, tooltip=tooltip),
        ]
        panel = alt.layer(*layers).properties(width=SQUARE, height=SQUARE)
        panels.append(panel.properties(title=title_of(metric_title(str(name)), fontSize=11, fontWeight="normal")))
    title = title_of("Kept against let through")
    return configure(alt.concat(*panels, columns=COLUMNS).properties(title=title))
