"""A forest plot of many named numbers that have a meaning at zero, the largest on top."""

from typing import TYPE_CHECKING, Any

from workbench.charts._safe import data_of, restore, title_of
from workbench.charts.theme import configure

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MOST", "forest"]

MOST = 60  # names drawn: those furthest from zero
WIDTH, ROW = 250, 15  # pixels


def forest(table: "pd.DataFrame", *, title: str, axis: str) -> Any:
    """Return dots with intervals around zero, in the light theme; `table` has label, value, low, high and n."""
    import altair as alt

    known = table[table["value"].notna()]
    kept = known.loc[known["value"].abs().nlargest(MOST).index]
    drawn = kept.sort_values(["value", "label"], ascending=[False, True]).assign(order=range(len(kept)))
    columns = ("label", "value", "low", "high", "n", "order")
    base = restore(alt.Chart(data_of(drawn, columns)), "label", drawn["label"])
    names = alt.Axis(labelLimit=220, title=None, grid=False, labelPadding=6, labelOverlap=False)
    y = alt.Y("label:N", sort=alt.SortField("order"), axis=names)
    named = {"title": axis, "scale": alt.Scale(nice=False, padding=8, zero=True)}
    tooltip = [
        alt.Tooltip("label:N", title="name"),
        *(alt.Tooltip(f"{name}:Q", format="+.3f") for name in ("value", "low", "high")),
        alt.Tooltip("n:Q", format=","),
    ]
    zero = alt.Chart(alt.InlineData(values=[{"value": 0}])).mark_rule(style="wb-zero")
    bounded = base.transform_filter("isValid(datum.low) && isValid(datum.high)")
    chart = alt.layer(
        zero.encode(x=alt.X("value:Q", **named)),
        bounded.mark_rule(style="wb-whisker").encode(x=alt.X("low:Q", **named), x2="high:Q", y=y),
        base.mark_point(style="wb-point").encode(
            x=alt.X("value:Q", axis=alt.Axis(tickCount=6), **named), y=y, tooltip=tooltip
        ),
    )
    more = {"subtitle": f"the {MOST} furthest from zero of {len(known)}"} if len(known) > len(kept) else {}
    return configure(chart.properties(width=WIDTH, height=alt.Step(ROW), title=title_of(title, **more)))
