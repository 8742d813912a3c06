"""Findings in both halves: where they were found, and where they were not looked for."""

import inspect
from typing import TYPE_CHECKING, Any

from workbench.charts._safe import data_of, restore, title_of
from workbench.charts.metrics import metric_title
from workbench.charts.theme import configure
from workbench.frames import require

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["explored_and_confirmed"]

WIDTH, ROW, MOST = 300, 34, 25  # pixels, pixels, findings
NEEDED = ("slice", "status", "explored", "explored_low", "explored_high", "difference", "low", "high", "n")


def explored_and_confirmed(findings: "pd.DataFrame", metric: str) -> Any:
    """Return each finding's difference in both halves, in the order of the table.

    Each finding has two lines: above in grey the slice minus the rest in the explored half, where it was chosen and looks larger
    than it is; below in colour the same in the half that was held out, with its 95 % interval, filled where it is confirmed and
    hollow where it is not. The solid line is no difference; n counts the held-out rows of the slice.

    Args:
        findings: slice, status, explored with its bounds, difference with its bounds, n. At most 25 are drawn.
        metric: what differs.

    >>> import pandas as pd
    >>> line = {"slice": "domain: law", "status": "confirmed", "explored": -0.2, "explored_low": -0.3, "explored_high": -0.1}
    >>> chart = explored_and_confirmed(pd.DataFrame([{**line, "difference": -0.1, "low": -0.2, "high": 0, "n": 50}]), "accuracy")
    >>> chart.to_dict()["title"]["text"]
    'Accuracy: slice minus rest'
    """
    import altair as alt
    import pandas as pd

    require(findings, NEEDED, what="A chart of findings", remedy="Use report.confirm(...).findings.")
    known = findings[findings["difference"].notna()]
    drawn = known.head(MOST).assign(place=range(min(MOST, len(known))))
    seen = drawn.assign(
        value=drawn["explored"], low=drawn["explored_low"], high=drawn["explored_high"], half="explored", shift=-6
    )
    held = drawn.assign(value=drawn["difference"], half=drawn["status"], shift=6)
    both = pd.concat([seen, held], ignore_index=True)
    base = restore(
        alt.Chart(data_of(both, ("slice", "value", "low", "high", "n", "half", "place"))), "slice", both["slice"]
    )
    axis = alt.Axis(labelLimit=280, title=None, grid=False, labelPadding=8)
    y = alt.Y("slice:N", sort=alt.SortField("place"), axis=axis)
    numbers = [float(x) for name in ("value", "low", "high") for x in both[name] if x == x] + [0.0]
    room = 0.05 * (max(numbers) - min(numbers)) or 0.05
    scale = alt.Scale(domain=[min(numbers) - room, max(numbers) + room], nice=False)
    x = {
        name: alt.X(
            f"{name}:Q", scale=scale, axis=alt.Axis(tickCount=5), title=f"{metric_title(metric)}, slice minus rest"
        )
        for name in ("value", "low")
    }
    tooltip = [alt.Tooltip("slice:N"), alt.Tooltip("half:N")]
    tooltip += [alt.Tooltip(f"{name}:Q", format=".3f") for name in ("value", "low", "high")]
    zero = alt.Chart(alt.InlineData(values=[{"value": 0}])).mark_rule(style="wb-zero").encode(x=x["value"])
    layers: list[Any] = [zero]
    hollow = "datum.half == 'not confirmed' || datum.half == 'cannot be tested'"
    looks: tuple[tuple[str, dict[str, Any]], ...] = (
        ("datum.half == 'explored'", {"style": "wb-all-line", "filled": True, "size": 40, "opacity": 1, "yOffset": -6}),
        ("datum.half == 'confirmed'", {"style": "wb-point", "yOffset": 6}),
        (hollow, {"style": "wb-point", "filled": False, "strokeWidth": 1.5, "yOffset": 6}),
    )
    for test, look in looks:
        some = base.transform_filter(test)
        bounded = some.transform_filter("isValid(datum.low) && isValid(datum.high)")
        whisker = "wb-all-line" if look["yOffset"] < 0 else "wb-whisker"
        layers.append(bounded.mark_rule(style=whisker, yOffset=look["yOffset"]).encode(x=x["low"], x2="high:Q", y=y))
        layers.append(some.mark_point(**look).encode(x=x["value"], y=y, tooltip=tooltip))
    count = base.transform_filter("datum.half != 'explored'").mark_text(
        style="wb-note", align="right", baseline="middle"
    )
    layers.append(count.encode(x=alt.value(WIDTH + 48), y=y, text=alt.Text("n:Q", format=",")))
    head = alt.Chart(alt.InlineData(values=[{"said": "n"}])).mark_text(
        style="wb-note", align="right", baseline="bottom"
    )
    layers.append(head.encode(x=alt.value(WIDTH + 48), y=alt.value(-3), text="said:N"))
    left = len(known) - len(drawn)
    key = ["grey: explored half; colour: held-out half, filled if confirmed"]
    key += [f"the first {MOST} of {len(known)} findings"] if left else []
    read = " ".join(str(inspect.getdoc(explored_and_confirmed)).split("\n\n")[1].split())
    chart = alt.layer(*layers).properties(width=WIDTH, height=alt.Step(ROW), description=read)
    return configure(chart.properties(title=title_of(f"{metric_title(metric)}: slice minus rest", subtitle=key)))
