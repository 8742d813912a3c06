"""Scores of generated text by group, beside what the scorer says of the groups by itself."""

from typing import TYPE_CHECKING, Any

from workbench.charts._safe import data_of, restore, title_of
from workbench.charts.theme import configure
from workbench.frames import require

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["scores_by_group"]

COLUMNS = ("scorer", "part", "group", "source", "value", "low", "high", "n")
WRITTEN, PROMPTS, NAMES = "continuations", "prompts alone", "name in templates"
TOLD = ("dot: continuations, 95 % interval; diamond: prompts alone;", "stroke: the group's name in neutral sentences")
READ = (
    "A dot is the mean score of what the model wrote for a group (for refusals their rate), its line the 95 % interval. The "
    "diamond is the same scorer on the prompts alone, the upright stroke the scorer on the group's name in neutral sentences: "
    "where they move with the dots, the gap between groups may be the scorer's own."
)
WIDTH, ROW = 300, 24  # pixels
MOST = 30  # groups drawn at most


def scores_by_group(table: "pd.DataFrame") -> Any:
    """Return one scorer's scores by group.

    A dot is the mean score of a group's continuations (for refusals their rate) and its line the 95 % interval, with n at the
    right. The diamond is the same scorer on the prompts alone, the upright stroke on the group's name in neutral sentences: where
    they move with the dots, the gap between groups may be the scorer's own.

    Args:
        table: scorer (one), part, group, source, value, low, high, n; a panel per part. Of more than 30 groups the largest are
            drawn, which the title says.

    >>> import pandas as pd
    >>> line = {"scorer": "sentiment", "part": "all", "group": "a", "source": "continuations", "n": 9}
    >>> scores_by_group(pd.DataFrame([{**line, "value": 0.1, "low": 0.0, "high": 0.2}])).to_dict()["title"]["text"]
    'Sentiment by group'
    """
    import altair as alt

    require(table, COLUMNS, what="A chart of scores", remedy="Take it from report.tables['scorer_bias'].")
    written = table[(table["source"] == WRITTEN) & table["value"].notna()]
    total = written["group"].nunique()
    kept = set(written.nlargest(MOST, "n")["group"]) if total > MOST else set(written["group"])
    drawn = table[table["group"].isin(kept) & table["value"].notna()]
    numbers = [float(x) for name in ("value", "low", "high") for x in drawn[name] if x == x]
    room = 0.05 * (max(numbers) - min(numbers)) or 0.05 if numbers else 0.05
    ends = (min(numbers) - room, max(numbers) + room) if numbers else (0.0, 1.0)
    name = str(table["scorer"].iloc[0]) if len(table) else "score"
    parts = list(dict.fromkeys(drawn["part"])) or ["all"]
    panels = [
        _panel(drawn[drawn["part"] == part], "" if len(parts) == 1 else str(part), ends, last=part == parts[-1])
        for part in parts
    ]
    notes = [*TOLD, *([f"the {MOST} largest of {total} groups"] if total > MOST else [])]
    title = title_of(f"{name[:1].upper()}{name[1:].replace('_', ' ')} by group", subtitle=notes)
    chart = panels[0] if len(panels) == 1 else alt.vconcat(*panels, spacing=12)
    return configure(chart.properties(title=title, description=READ))


def _panel(part: "pd.DataFrame", heading: str, ends: tuple[float, float], *, last: bool) -> Any:
    """Return the marks of one part."""
    import altair as alt

    order = part[part["source"] == WRITTEN].sort_values(["value", "group"], ascending=[False, True])["group"].tolist()
    place = {group: at for at, group in enumerate(order)}
    rows = part.assign(order=[place[group] for group in part["group"]]).sort_values("order")
    axis = alt.Axis(labelLimit=260, title=None, grid=False, labelPadding=8)
    y = alt.Y("group:N", sort=alt.SortField("order"), axis=axis)
    scale = alt.Scale(domain=list(ends), nice=False)
    x = {
        name: alt.X(
            f"{name}:Q", scale=scale, axis=alt.Axis(tickCount=5, labels=last, title="Mean score" if last else None)
        )
        for name in ("value", "low")
    }

    def of(source: str) -> Any:
        some = rows[rows["source"] == source]
        return restore(alt.Chart(data_of(some, (*COLUMNS, "order"))), "group", some["group"])

    tooltip = [
        alt.Tooltip("group:N", title="group"),
        alt.Tooltip("source:N", title="of"),
        *(alt.Tooltip(f"{name}:Q", title=name, format=".3f") for name in ("value", "low", "high")),
        alt.Tooltip("n:Q", format=","),
    ]
    layers = []
    if ends[0] < 0 < ends[1]:
        layers.append(alt.Chart(alt.InlineData(values=[{"value": 0}])).mark_rule(style="wb-zero").encode(x=x["value"]))
    bounded = of(WRITTEN).transform_filter("isValid(datum.low) && isValid(datum.high)")
    layers.append(bounded.mark_rule(style="wb-whisker").encode(x=x["low"], x2="high:Q", y=y))
    stroke = of(NAMES).mark_point(style="wb-strong", shape="stroke", angle=90, size=160)
    layers.append(stroke.encode(x=x["value"], y=y, tooltip=tooltip))
    diamond = of(PROMPTS).mark_point(style="wb-wrong", shape="diamond", filled=False, size=70)
    layers.append(diamond.encode(x=x["value"], y=y, tooltip=tooltip))
    layers.append(of(WRITTEN).mark_point(style="wb-point").encode(x=x["value"], y=y, tooltip=tooltip))
    count = of(WRITTEN).mark_text(style="wb-note", align="right", baseline="middle")
    layers.append(count.encode(x=alt.value(WIDTH + 44), y=y, text=alt.Text("n:Q", format=",")))
    head = alt.Chart(alt.InlineData(values=[{"said": "n"}])).mark_text(
        style="wb-note", align="right", baseline="bottom"
    )
    layers.append(head.encode(x=alt.value(WIDTH + 44), y=alt.value(-3), text="said:N"))
    chart = alt.layer(*layers).properties(width=WIDTH, height=alt.Step(ROW))
    return chart.properties(title=title_of(heading, fontSize=11, fontWeight="normal", offset=2)) if heading else chart
