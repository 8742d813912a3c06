"""The specification curve: one number under many combinations of choices, sorted, with the choices below."""

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workbench.charts._safe import data_of, restore, title_of
from workbench.charts.theme import configure
from workbench.frames import require

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["specification_curve"]

WIDTH, HEIGHT, ROW = 460, 170, 17  # pixels
MOST = 12  # settings of one choice that have a line


def specification_curve(
    specifications: "pd.DataFrame", choices: Sequence[str], *, title: str = "Specifications", null: float = 0.0
) -> Any:
    """Return all specifications from the lowest value to the highest, and below them which choices each has made.

    Above, a dot is the number under one combination of choices and its line the 95 % interval: filled where the interval leaves the
    solid line out, hollow where it does not; the ring marks the report's own. Below, each column is the same combination, and a
    tick stands in the row of each choice that it makes: ticks that gather on one side show a choice that moves the number.

    Args:
        specifications: the choices, value, low, high, verdict and perhaps base; those without a value are not drawn.
        choices: the columns that vary.
        title: of the chart.
        null: what the number is set against.

    >>> import pandas as pd
    >>> lines = [{"bins": k, "value": k / 100, "low": 0.0, "high": 0.2, "verdict": "above"} for k in (5, 10)]
    >>> specification_curve(pd.DataFrame(lines), ["bins"]).to_dict()["title"]["text"]
    'Specifications'
    """
    import altair as alt
    import pandas as pd

    needs = ["value", "low", "high", "verdict", *choices]
    require(specifications, needs, what="A specification curve", remedy="Use wb.fragility(...).specifications.")
    known = specifications[specifications["value"].notna()].sort_values("value", kind="stable")
    own = known["base"].to_numpy(bool) if "base" in known else [False] * len(known)
    known = known.assign(place=range(len(known)), own=own).drop(columns="base", errors="ignore")
    numbers = [float(x) for name in ("value", "low", "high") for x in known[name] if x == x] + [null]
    room = 0.06 * (max(numbers) - min(numbers)) or 0.05
    ends = [min(numbers) - room, max(numbers) + room]
    scale = alt.Scale(domain=[-1, max(1, len(known))], nice=False)
    x = alt.X("place:Q", scale=scale, axis=None)
    base = alt.Chart(data_of(known, ("place", "value", "low", "high", "n", "verdict", "own")))
    y = {
        name: alt.Y(
            f"{name}:Q",
            scale=alt.Scale(domain=ends, nice=False),
            axis=alt.Axis(tickCount=5),
            title="Value, 95 % interval",
        )
        for name in ("value", "low")
    }
    tooltip = [alt.Tooltip("verdict:N"), *(alt.Tooltip(f"{one}:Q", format=".4f") for one in ("value", "low", "high"))]
    zero = alt.Chart(alt.InlineData(values=[{"value": null}])).mark_rule(style="wb-zero").encode(y=y["value"])
    sure = "datum.verdict == 'above' || datum.verdict == 'below'"
    bounded = base.transform_filter("isValid(datum.low) && isValid(datum.high)")
    size = 40 if len(known) <= 60 else 18
    layers: list[Any] = [
        zero,
        bounded.mark_rule(style="wb-whisker", opacity=0.55).encode(x=x, y=y["low"], y2="high:Q"),
        base.transform_filter(sure).mark_point(style="wb-point", size=size).encode(x=x, y=y["value"], tooltip=tooltip),
        base.transform_filter(f"!({sure})").mark_point(style="wb-point", filled=False, strokeWidth=1.5, size=size)
        .encode(x=x, y=y["value"], tooltip=tooltip),
        base.transform_filter("datum.own").mark_point(style="wb-strong", filled=False, size=150).encode(x=x, y=y["value"]),
    ]  # fmt: skip
    curve = alt.layer(*layers).properties(width=WIDTH, height=HEIGHT)
    panels = [curve]
    for choice in choices:
        settings = list(dict.fromkeys(specifications[choice].map(str)))
        drawn = settings[:MOST]
        ticks = pd.DataFrame({"place": known["place"], "setting": known[choice].map(str)})
        ticks = ticks[ticks["setting"].isin(drawn)]
        order = ticks["setting"].map({name: at for at, name in enumerate(drawn)})
        data = restore(alt.Chart(data_of(ticks.assign(order=order), ("place", "setting", "order"))), "setting", drawn)
        axis = alt.Axis(labelLimit=170, title=None, grid=False, labelPadding=8)
        rows = alt.Y("setting:N", sort=alt.SortField("order"), axis=axis)
        mark = data.mark_tick(style="wb-count", thickness=2, orient="vertical").encode(x=x, y=rows)
        left = len(settings) - len(drawn)
        heading = f"{choice}, the first {MOST} of {len(settings)}" if left else choice
        named = title_of(heading, fontSize=11, fontWeight="normal", offset=2)
        panels.append(mark.properties(width=WIDTH, height=alt.Step(ROW), title=named))
    read = " ".join(str(inspect.getdoc(specification_curve)).split("\n\n")[1].split())
    chart = alt.vconcat(*panels, spacing=8).properties(title=title_of(title), description=read)
    return configure(chart)
