"""Bias and accuracy of BBQ side by side, in both kinds of context."""

from typing import TYPE_CHECKING, Any

from workbench.charts._safe import data_of, restore, title_of
from workbench.charts.metrics import column_title
from workbench.charts.theme import configure
from workbench.errors import unknown
from workbench.frames import METRIC_COLUMNS, require

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["bias_and_accuracy"]

OVERALL = "all"
CONDITIONS = {"ambiguous": ("wb-point", "wb-whisker", "circle"), "disambiguated": ("wb-wrong", "wb-wrong", "diamond")}
PANELS = {"bias": "Bias score", "accuracy": "Accuracy"}
TOLD = "circle: ambiguous context; diamond: disambiguated; line: 95 % interval over templates"
WIDTH, ROW = 210, 34  # pixels
MOST = 20  # slices drawn at most; more is a table's work


def bias_and_accuracy(metrics: "pd.DataFrame") -> Any:
    """Return bias scores and accuracies by slice, a panel each.

    A row is a slice; its circle (blue) is for ambiguous contexts, whose right answer is "unknown", its diamond (orange) for
    contexts that say the answer, the lines are 95 % intervals, n the answers behind each. Left: right of 0 answers lean to the
    stereotype, left of 0 against it. Right: the share of right answers. No bias at an accuracy of a third is a model that guesses.

    Args:
        metrics: metric, group, value, low, high, n, method, with bias_ambiguous and the like; of more than 20 slices the largest
            are drawn.

    >>> import pandas as pd
    >>> line = {"group": "all", "value": 0.1, "low": 0.0, "high": 0.2, "n": 50, "method": "Wilson"}
    >>> table = pd.DataFrame([{**line, "metric": "bias_ambiguous"}, {**line, "metric": "accuracy_ambiguous"}])
    >>> bias_and_accuracy(table).to_dict()["title"]["text"]
    'Bias and accuracy'
    """
    import altair as alt

    require(metrics, METRIC_COLUMNS, what="A chart of BBQ", remedy="Take them from report.metrics.")
    names = {f"{panel}_{condition}": (panel, condition) for panel in PANELS for condition in CONDITIONS}
    known = metrics[metrics["metric"].isin(list(names)) & metrics["value"].notna()]
    if not len(known):
        raise unknown("metric of BBQ", "bias_ambiguous", metrics["metric"].unique())
    parts = [names[name] for name in known["metric"]]
    table = known.assign(panel=[panel for panel, _ in parts], condition=[condition for _, condition in parts])
    slices = table[table["group"] != OVERALL]
    sizes = slices.groupby("group")["n"].sum().sort_values(ascending=False, kind="stable")
    order = _order(table, list(sizes.index[:MOST]))
    rows = table[table["group"].isin(order)]
    columns = {str(group).partition("=")[0] for group in order if group != OVERALL}
    label = {
        group: str(group).partition("=")[2] if len(columns) == 1 and group != OVERALL else group for group in order
    }
    rows = rows.assign(
        order=rows["group"].map({group: at for at, group in enumerate(order)}), label=rows["group"].map(label)
    )
    panels = [_panel(rows[rows["panel"] == panel], panel, len(order)) for panel in PANELS]
    by = f" by {column_title(next(iter(columns)))}" if len(columns) == 1 else " by slice" if columns else ""
    notes = [TOLD, *([f"the {MOST} largest of {len(sizes)} slices"] if len(sizes) > MOST else [])]
    chart = alt.hconcat(*panels, spacing=18)
    return configure(chart.properties(title=title_of(f"Bias and accuracy{by}", subtitle=notes)))


def _order(table: "pd.DataFrame", slices: list[str]) -> list[str]:
    """Return the groups from top to bottom: the most biased in ambiguous contexts first, all of them last."""
    bias = table[table["metric"] == "bias_ambiguous"].set_index("group")["value"]
    ranked = sorted(slices, key=lambda group: (-float(bias.get(group, 0.0)), group))
    return [*ranked, *([OVERALL] if OVERALL in set(table["group"]) else [])]


def _panel(rows: "pd.DataFrame", panel: str, count: int) -> Any:
    """Return the dots and intervals of bias, or of accuracy; the first panel names the rows."""
    import altair as alt

    first = panel == "bias"
    axis = alt.Axis(labelLimit=220, title=None, grid=False, labelPadding=8, labels=first, ticks=False)
    y = alt.Y("label:N", sort=alt.EncodingSortField("order", op="min"), scale=alt.Scale(paddingInner=0.3), axis=axis)
    offset = alt.YOffset("condition:N", sort=list(CONDITIONS), scale=alt.Scale(domain=list(CONDITIONS)))
    ends = _ends(rows) if first else (0.0, 1.0)
    shown = alt.Axis(tickCount=5, title=PANELS[panel])
    x = {
        name: alt.X(f"{name}:Q", scale=alt.Scale(domain=list(ends), nice=False), axis=shown)
        for name in ("value", "low")
    }
    tooltip = [
        alt.Tooltip("label:N", title="slice"),
        alt.Tooltip("condition:N", title="context"),
        *(alt.Tooltip(f"{name}:Q", title=name, format=".3f") for name in ("value", "low", "high")),
        alt.Tooltip("n:Q", format=","),
    ]
    layers: list[Any] = []
    if first:
        zero = alt.Chart(alt.InlineData(values=[{"value": 0}]))
        layers.append(zero.mark_rule(style="wb-zero").encode(x=x["value"]))
    for condition, (point, whisker, shape) in CONDITIONS.items():
        some = rows[rows["condition"] == condition]
        data = data_of(some, ("label", "condition", "value", "low", "high", "n", "order"))
        base = restore(alt.Chart(data), "label", some["label"]).encode(y=y, yOffset=offset)
        bounded = base.transform_filter("isValid(datum.low) && isValid(datum.high)")
        layers.append(bounded.mark_rule(style=whisker, strokeWidth=1.5).encode(x=x["low"], x2="high:Q"))
        layers.append(
            base.mark_point(style=point, shape=shape, filled=True, size=48).encode(x=x["value"], tooltip=tooltip)
        )
        number = base.mark_text(style="wb-note", fontSize=10, align="right", baseline="middle")
        layers.append(number.encode(x=alt.value(WIDTH + 40), text=alt.Text("n:Q", format=",")))
    head = alt.Chart(alt.InlineData(values=[{"said": "n"}]))
    head = head.mark_text(style="wb-note", align="right", baseline="bottom")
    layers.append(head.encode(x=alt.value(WIDTH + 40), y=alt.value(-3), text="said:N"))
    return alt.layer(*layers).properties(width=WIDTH, height=ROW * count)


def _ends(rows: "pd.DataFrame") -> tuple[float, float]:
    """Return the ends of the axis of bias: all that is drawn and 0, and a little more."""
    numbers = [0.0, *(float(x) for name in ("value", "low", "high") for x in rows[name] if x == x)]
    low, high = min(numbers), max(numbers)
    room = 0.05 * (high - low) or 0.05
    return low - room, high + room
