"""Charts of the probe `occupations`: the model's share of women against the real one, and how far it is above or below."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.charts._forest import forest
from workbench.charts._safe import data_of, restore, title_of
from workbench.charts.theme import configure
from workbench.frames import require

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

__all__ = ["overstatement", "share_scatter"]

COLUMNS = ("occupation", "share_of_women", "model_share", "low", "high", "overstatement", "over_low", "over_high", "n")
REMEDY = "It is the table `occupations` of a report of the probe occupations."
SIZE = 320  # pixels
NAMED = 6  # occupations whose names stand beside their dots: those furthest from the diagonal
BESIDE, CHARACTER, TALL = (
    9 / SIZE,
    6.2 / SIZE,
    13 / SIZE,
)  # of a name: from its dot, a character, its height, as shares of the axis


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
    drawn = table.assign(low=table["low"].clip(0, 1), high=table["high"].clip(0, 1))
    right, left = _named(drawn)
    drawn = drawn.assign(right=right, left=left)
    base = restore(alt.Chart(data_of(drawn, (*COLUMNS, "right", "left"))), "occupation", drawn["occupation"])
    for side in ("right", "left"):
        base = restore(base, side, drawn["occupation"])
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
        base.mark_text(style="wb-note", align="left", dx=7).encode(x=x, y=y, text="right:N"),
        base.mark_text(style="wb-note", align="right", dx=-7).encode(x=x, y=y, text="left:N"),
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


def _named(table: "pd.DataFrame") -> tuple[list[str], list[str]]:
    """Return the names that stand right and left of their dots, "" for all others: of the furthest from the diagonal.

    A name has room where it meets no dot, no other name and no edge, and if possible no whisker; the very furthest is named in any
    case.
    """
    x, y = (table[name].to_numpy(float) for name in ("share_of_women", "model_share"))
    ends = table[["model_share", "low", "high"]].to_numpy(float)
    low, high = np.nanmin(ends, axis=1, initial=2) - TALL / 2, np.nanmax(ends, axis=1, initial=-1) + TALL / 2
    order = table["overstatement"].abs().fillna(0).to_numpy().argsort(kind="stable")[::-1]
    sides: tuple[list[str], list[str]] = ([""] * len(table), [""] * len(table))
    taken: list[tuple[float, float, float]] = []  # of names: where they begin and end, and their height

    def room(start: float, end: float, up: float, below: Floats, above: Floats) -> bool:
        met = (x > start) & (x < end) & (below < up) & (up < above)
        apart = all(end <= a or b <= start or abs(up - height) >= TALL for a, b, height in taken)
        return start >= 0 and end <= 1 and apart and not met.any()

    for i in (i for i in order.tolist() if np.isfinite([x[i], y[i]]).all()):
        name = str(table["occupation"].iloc[i])
        wide = BESIDE + CHARACTER * len(name)
        spans = ((x[i], x[i] + wide), (x[i] - wide, x[i]))
        bare = [side for side, span in enumerate(spans) if room(*span, y[i], low, high)]
        free = bare or [side for side, span in enumerate(spans) if room(*span, y[i], y - TALL / 2, y + TALL / 2)]
        if not free and taken:
            continue
        side = free[0] if free else int(spans[0][1] > 1)
        taken.append((*spans[side], y[i]))
        sides[side][i] = name
        if len(taken) == NAMED:
            break
    return sides


def _share() -> dict[str, Any]:
    """Return the scale and axis of a share, from 0 to 1."""
    import altair as alt

    return {
        "scale": alt.Scale(domain=[0, 1], nice=False),
        "axis": alt.Axis(values=[0, 0.2, 0.4, 0.6, 0.8, 1], format=".1f"),
    }
