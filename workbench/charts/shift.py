"""Charts of the probe `shift`: what each row adds, the distance of each column, the weight of each class."""

from typing import TYPE_CHECKING, Any

from workbench.charts._safe import data_of, title_of
from workbench.charts.metrics import metric_bars
from workbench.charts.theme import configure
from workbench.frames import require

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["contributions", "distances", "weights"]

WIDTH, HEIGHT = 290, 180  # pixels
AXES = {
    "mmd": "Witness: mean kernel with new minus reference",
    "energy": "Witness: mean distance to reference minus new",
    "c2st": "Held-out probability of being new",
    "ks": "Rank in the column that differs most",
    "chi2": "Log share among new minus reference",
    "bbse": "Weight of the predicted class",
}
READ_CONTRIBUTIONS = (
    "A bar is the share of a set's rows in that range, blue the reference, orange the new set; the further right, the more "
    "typical of the new set. Where the two agree, no shift is seen; orange alone on the right is where the new rows are "
    "that the reference lacks."
)
READ_DISTANCES = (
    "A dot is the Kolmogorov-Smirnov distance between the two sets in a column: the largest gap between their cumulative shares. "
    "Within the grey bar it is no larger than chance gives, all columns allowed for."
)
READ_WEIGHTS = (
    "A dot is how much more frequent a class is among the new rows than in the reference, its line the 95 % interval; the solid "
    "line is no change."
)


def contributions(table: "pd.DataFrame", test: str) -> Any:
    """Return two histograms in one, of how typical rows are of the new set.

    Blue is the reference, orange the new set.

    Args:
        table: set, low, high, share, n, as the probe makes it.
        test: names the axis.

    >>> import pandas as pd
    >>> line = {"low": 0.0, "high": 1.0, "share": 1.0, "n": 3}
    >>> made = contributions(pd.DataFrame([{"set": "new", **line}, {"set": "reference", **line}]), "c2st")
    >>> made.to_dict()["title"]["text"]
    'How typical rows are of the new set'
    """
    import altair as alt

    names = ("set", "low", "high", "share", "n")
    require(table, names, what="A chart of contributions", remedy="The probe shift makes it.")
    x = alt.X(
        "low:Q", bin="binned", title=AXES[test], scale=alt.Scale(zero=False, nice=False), axis=alt.Axis(tickCount=5)
    )
    y = alt.Y("share:Q", title="Share of the set's rows", axis=alt.Axis(tickCount=4))
    tooltip = [
        alt.Tooltip("set:N"),
        *(alt.Tooltip(f"{name}:Q", format=".4g") for name in ("low", "high")),
        alt.Tooltip("share:Q", format=".3f"),
        alt.Tooltip("n:Q", format=","),
    ]
    layers = []
    for name, style in (("reference", "wb-count"), ("new", "wb-wrong")):
        base = alt.Chart(data_of(table[table["set"] == name], names))
        layers.append(
            base.mark_bar(style=style, opacity=0.6, binSpacing=0).encode(x=x, x2="high:Q", y=y, tooltip=tooltip)
        )
    title = title_of("How typical rows are of the new set", subtitle="blue: reference, orange: new")
    chart = alt.layer(*layers).properties(width=WIDTH, height=HEIGHT, title=title, description=READ_CONTRIBUTIONS)
    return configure(chart)


def distances(metrics: "pd.DataFrame") -> Any:
    """Return the KS distance of each column beside what chance gives (grey), a forest plot of the 30 largest.

    Args: metrics with the lines `ks_distance` of groups "column=name".

    >>> import pandas as pd
    >>> line = {"metric": "ks_distance", "value": 0.3, "low": 0.0, "high": 0.2, "n": 9, "method": "null band: chance"}
    >>> distances(pd.DataFrame([{**line, "group": "column=age"}])).to_dict()["title"]["text"]
    'KS distance by column'
    """
    mine = metrics[metrics["metric"] == "ks_distance"].nlargest(30, "value", keep="first")
    chart = metric_bars(mine, "ks_distance")
    chart.description = READ_DISTANCES
    return chart


def weights(metrics: "pd.DataFrame") -> Any:
    """Return the label-shift weight of each class with its interval, about the line of no change.

    Args: metrics with the lines `label_weight` of groups "class=name".

    >>> import pandas as pd
    >>> line = {"metric": "label_weight", "value": 1.3, "low": 1.1, "high": 1.6, "n": 90, "method": "bootstrap"}
    >>> weights(pd.DataFrame([{**line, "group": "class=spam"}])).to_dict()["title"]["text"]
    'Label weight by class'
    """
    mine = metrics[metrics["metric"] == "label_weight"]
    mine = mine.loc[(mine["value"] - 1).abs().nlargest(30).index]
    chart = metric_bars(mine, "label_weight", reference=1.0, meaning="no change")
    chart.description = READ_WEIGHTS
    return chart
