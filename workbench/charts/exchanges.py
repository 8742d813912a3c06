"""The mean difference of each exchange of two terms, as a heat map."""

from typing import TYPE_CHECKING, Any

from workbench.charts._safe import data_of, restore, title_of
from workbench.charts.theme import configure
from workbench.frames import require

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["exchange_map"]

READ = (
    "A cell is the mean difference of the score over all sentences in which the term across took the place of the term down: blue "
    "where it falls, orange where it rises, pale near zero, empty where no sentence had it. A column of one colour is a term that "
    "moves the score wherever it is put. These are means alone; intervals are in the chart of gaps by term."
)
CELL = 26  # pixels
MOST = 30  # terms on a side; more is a table's work


def exchange_map(exchanges: "pd.DataFrame") -> Any:
    """Return the mean difference of the score for each term that stood there (down) and each that took its place (across).

    A cell is the mean of variant minus original over all sentences with that exchange: orange where the score rises, blue where
    it falls, the stronger the further from zero, pale near zero; empty where no sentence had it. A column of one colour is a term
    that moves the score wherever it is put. It shows means alone: intervals are in the forest plot by term.

    Args:
        exchanges: axis, source, term, value, n of one axis. Of more than 30 terms those with the largest differences are drawn.

    >>> import pandas as pd
    >>> line = {"axis": "faith", "source": "Sikh", "term": "Jew", "value": 0.1, "n": 4}
    >>> exchange_map(pd.DataFrame([line])).to_dict()["title"]["text"]
    'Mean difference by exchange: faith'
    """
    import altair as alt

    require(
        exchanges,
        ["axis", "source", "term", "value", "n"],
        what="A map of exchanges",
        remedy="Use tables['exchanges'].",
    )
    size = exchanges.assign(size=exchanges["value"].abs())
    kept = [set(size.groupby(side)["size"].max().nlargest(MOST).index) for side in ("source", "term")]
    table = exchanges[exchanges["source"].isin(kept[0]) & exchanges["term"].isin(kept[1])]
    left = len(exchanges) - len(table)
    most = float(table["value"].abs().max()) or 1.0
    base = alt.Chart(data_of(table, ("source", "term", "value", "n")))
    for side in ("source", "term"):
        base = restore(base, side, table[side])
    colour = alt.Color(
        "value:Q", title="Difference", scale=alt.Scale(scheme="blueorange", domain=[-most, most], domainMid=0)
    )
    axis = alt.Axis(labelLimit=160, grid=False)
    chart = base.mark_rect().encode(
        x=alt.X("term:N", title="Put in its place", axis=alt.Axis(labelLimit=160, grid=False, labelAngle=-40)),
        y=alt.Y("source:N", title="Stood there", axis=axis),
        color=colour,
        tooltip=["source:N", "term:N", alt.Tooltip("value:Q", format="+.3f"), "n:Q"],
    )
    note = {"subtitle": f"{left} exchanges with small differences left out"} if left else {}
    sides = {"width": CELL * table["term"].nunique(), "height": CELL * table["source"].nunique()}
    title = title_of(f"Mean difference by exchange: {table['axis'].iloc[0]}", **note)
    return configure(chart.properties(title=title, description=READ, **sides))
