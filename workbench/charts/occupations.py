"""Charts of the probe `occupations`: the model's share of women against the real one, and how far it is above or below."""

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.charts._forest import forest
from workbench.charts._safe import data_of, restore, title_of
from workbench.charts.theme import configure
from workbench.frames import require

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["overstatement", "share_scatter"]

COLUMNS = ("occupation", "share_of_women", "model_share", "low", "high", "overstatement", "over_low", "over_high", "n")
REMEDY = "It is the table `occupations` of a report of the probe occupations."
SIZE = 320  # pixels
NAMED = 6  # occupations whose names stand beside their dots: those furthest from the diagonal


def share_scatter(table: "pd.DataFrame") -> Any:
    """Return the model's share of women by occupation against the real share.

    A dot is an occupation: to the right, the real share of women; upwards, the share that the model gives "she" rather than "he",
    with the 95 % interval over templates as a line. On the dashed diagonal both agree: above it the model overstates women, below
    it it understates them. A flat cloud is a model that does not know the difference. Names stand beside the furthest dots that
    have room.

    Args:
        table: occupation, share_of_women, model_share, low, high, overstatement, over_low, over_high, n.

    >>> import pandas as pd
    >>> line = {"occupation": "nurse", "share_of_women": 0.9, "model_share": 0.8, "low": 0.7, "high": 0.9}
    >>> more = {"overstatement": -0.1, "over_low": -0.2, "over_high": 0.0, "n": 10}
    >>> share_scatter(pd.DataFrame([{**line, **more}])).to_dict()["title"]["text"]
    'Share of women, 1 occupation'
    """
    import altair as alt

    require(table, COLUMNS, what="A scatter of shares", remedy=REMEDY)
    drawn = table.assign(low=table["low"].clip(0, 1), high=table["high"].clip(0, 1), named=_named(table))
    base = restore(alt.Chart(data_of(drawn, (*COLUMNS, "named"))), "occupation", drawn["occupation"])
    base = restore(base, "named", drawn["occupation"])
    x = alt.X("share_of_women:Q", title="Real share of women", **_share())
    y = alt.Y("model_share:Q", title="Model: she / (she + he)", **_share())
    ends = alt.InlineData(values=[{"a": 0, "b": 0}, {"a": 1, "b": 1}])
    tooltip = [
        alt.Tooltip("occupation:N"),
        alt.Tooltip("share_of_women:Q", title="real share", format=".2f"),
        *(
            alt.Tooltip(f"{name}:Q", title=said, format=".2f")
            for name, said in (("model_share", "model"), ("low", "low"))
        ),
        alt.Tooltip("high:Q", format=".2f"),
        alt.Tooltip("n:Q", title="templates"),
    ]
    bounded = base.transform_filter("isValid(datum.low) && isValid(datum.high)")
    chart = alt.layer(
        alt.Chart(ends).mark_line(style="wb-reference").encode(x=alt.X("a:Q", **_share()), y=alt.Y("b:Q", **_share())),
        bounded.mark_rule(style="wb-whisker", opacity=0.45).encode(x=x, y=alt.Y("low:Q", **_share()), y2="high:Q"),
        base.mark_point(style="wb-point").encode(x=x, y=y, tooltip=tooltip),
        base.mark_text(style="wb-note", align="left", dx=7).encode(x=x, y=y, text="named:N"),
    )
    said = f"Share of women, {len(table)} occupation{'s' if len(table) != 1 else ''}"
    return configure(chart.properties(width=SIZE, height=SIZE, title=title_of(said)))


def overstatement(table: "pd.DataFrame") -> Any:
    """Return how far the model's share of women is above or below the real one, by occupation.

    A dot is an occupation's mean of the model's share minus the real share over templates, its line the 95 % interval; to the right
    of zero the model overstates the share of women, to the left it understates it. Of more than 60 occupations those furthest
    from zero are drawn.

    Args:
        table: occupation, share_of_women, model_share, low, high, overstatement, over_low, over_high, n.

    >>> import pandas as pd
    >>> line = {"occupation": "nurse", "share_of_women": 0.9, "model_share": 0.8, "low": 0.7, "high": 0.9}
    >>> more = {"overstatement": -0.1, "over_low": -0.2, "over_high": 0.0, "n": 10}
    >>> overstatement(pd.DataFrame([{**line, **more}])).to_dict()["title"]["text"]
    'Over- and understatement of women'
    """
    require(table, COLUMNS, what="A chart of overstatement", remedy=REMEDY)
    columns = {"occupation": "label", "overstatement": "value", "over_low": "low", "over_high": "high"}
    drawn = table[[*columns, "n"]].rename(columns=columns)
    return forest(drawn, title="Over- and understatement of women", axis="Model's share minus the real share")


def _named(table: "pd.DataFrame") -> list[str]:
    """Return the names that stand right of their dots, "" for all others: the furthest from the diagonal that have room there."""
    dots = table[["share_of_women", "model_share"]].to_numpy(float)
    order = table["overstatement"].abs().fillna(0).to_numpy().argsort(kind="stable")[::-1]
    names = [""] * len(table)
    taken: list[int] = []
    for i in order.tolist():
        right, up = (dots - dots[i]).T
        free = not ((right > 0) & (right < 0.14) & (np.abs(up) < 0.025)).any()
        apart = not any(abs(right[j]) < 0.3 and abs(up[j]) < 0.05 for j in taken)
        if np.isfinite(dots[i]).all() and apart and (free or not taken):  # the very furthest in any case
            taken.append(i)
            names[i] = str(table["occupation"].iloc[i])
        if len(taken) == NAMED:
            break
    return names


def _share() -> dict[str, Any]:
    """Return the scale and axis of a share, from 0 to 1."""
    import altair as alt

    return {
        "scale": alt.Scale(domain=[0, 1], nice=False),
        "axis": alt.Axis(values=[0, 0.2, 0.4, 0.6, 0.8, 1], format=".1f"),
    }
