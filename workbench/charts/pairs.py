"""Charts of paired sentences: how far apart the two log-likelihoods are, and which of the two is larger."""

from typing import TYPE_CHECKING, Any

from workbench.charts._safe import data_of, title_of
from workbench.charts.theme import configure
from workbench.frames import require

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["difference_histogram", "pair_scatter"]

WIDTH, HEIGHT, SQUARE = 290, 180, 250  # pixels
LARGEST = 170  # area of the largest dot


def difference_histogram(bins: "pd.DataFrame") -> Any:
    """Return the histogram of differences between the two log-likelihoods of a pair.

    A bar counts the pairs whose difference falls there: right of the line (orange) the model finds the more stereotyping sentence
    likelier, left of it (blue) the other. Without a preference both sides would be alike. The outer bars hold all that lies
    beyond; ties stand just right of the line.

    Args:
        bins: lower, upper (nats), n.

    >>> import pandas as pd
    >>> chart = difference_histogram(pd.DataFrame({"lower": [-1.0, 0.0], "upper": [0.0, 1.0], "n": [3, 5]}))
    >>> chart.to_dict()["title"]["text"]
    'Difference of log-likelihoods, n = 8'
    """
    import altair as alt

    require(bins, ("lower", "upper", "n"), what="A histogram of differences", remedy="The probe pairs makes it.")
    ends = [float(bins["lower"].min()), float(bins["upper"].max())]
    shared = {"title": "More minus less stereotyping (nats)", "axis": alt.Axis(tickCount=6)}
    shared["scale"] = alt.Scale(domain=ends, nice=False)
    x = alt.X("lower:Q", bin="binned", **shared)
    y = alt.Y("n:Q", title="Pairs", axis=alt.Axis(tickCount=4, tickMinStep=1))
    tooltip = [alt.Tooltip("lower:Q", title="from"), alt.Tooltip("upper:Q", title="to"), alt.Tooltip("n:Q", format=",")]
    layers = []
    for part, style in ((bins[bins["lower"] < 0], "wb-count"), (bins[bins["lower"] >= 0], "wb-wrong")):
        drawn = alt.Chart(data_of(part, ("lower", "upper", "n"))).mark_bar(style=style, binSpacing=1)
        layers.append(drawn.encode(x=x, x2="upper:Q", y=y, tooltip=tooltip))
    zero = (
        alt.Chart(alt.InlineData(values=[{"lower": 0}])).mark_rule(style="wb-zero").encode(x=alt.X("lower:Q", **shared))
    )
    chart = alt.layer(*layers, zero).properties(width=WIDTH, height=HEIGHT)
    title = title_of(f"Difference of log-likelihoods, n = {int(bins['n'].sum()):,}")
    return configure(chart.properties(title=title))


def pair_scatter(grid: "pd.DataFrame") -> Any:
    """Return the log-likelihood per token of one sentence of each pair against the other's.

    A dot stands for all pairs in a small square, its area for their number. Above the dashed diagonal the model finds the more
    stereotyping sentence likelier; far from it are the pairs in which the group matters most. A dot on the diagonal holds pairs of
    either kind.

    Args:
        grid: x (the less stereotyping sentence), y (the more), both in nats per token; n.

    >>> import pandas as pd
    >>> pair_scatter(pd.DataFrame({"x": [-4.0], "y": [-3.5], "width": [0.5], "n": [7]})).to_dict()["title"]["text"]
    'Pairs by log-likelihood per token, n = 7'
    """
    import altair as alt

    require(grid, ("x", "y", "width", "n"), what="A scatter of pairs", remedy="The probe pairs makes it.")
    room = float(grid["width"].max()) if len(grid) else 1.0
    numbers = [*grid["x"], *grid["y"]]
    ends = [min(numbers, default=-1.0) - room, max(numbers, default=0.0) + room]
    scale = alt.Scale(domain=ends, nice=False)
    x = alt.X("x:Q", title="Less stereotyping (nats per token)", scale=scale, axis=alt.Axis(tickCount=5))
    y = alt.Y("y:Q", title="More stereotyping (nats per token)", scale=scale, axis=alt.Axis(tickCount=5))
    most = int(grid["n"].max()) if len(grid) else 1
    size = alt.Size("n:Q", scale=alt.Scale(domain=[0, most], range=[0, LARGEST]), legend=None)
    tooltip = [alt.Tooltip("n:Q", title="pairs"), alt.Tooltip("x:Q", format=".2f"), alt.Tooltip("y:Q", format=".2f")]
    dots = alt.Chart(data_of(grid, ("x", "y", "n"))).mark_point(style="wb-point", fillOpacity=0.7)
    diagonal = alt.Chart(alt.InlineData(values=[{"x": end, "y": end} for end in ends])).mark_line(style="wb-reference")
    chart = alt.layer(diagonal.encode(x=x, y=y), dots.encode(x=x, y=y, size=size, tooltip=tooltip))
    title = title_of(f"Pairs by log-likelihood per token, n = {int(grid['n'].sum()):,}")
    return configure(chart.properties(width=SQUARE, height=SQUARE, title=title))
