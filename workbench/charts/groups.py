"""Charts of groups: rates side by side, and differences between groups beside what permuted groups show."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workbench.charts._safe import data_of, restore, title_of
from workbench.charts.metrics import column_title, metric_title
from workbench.charts.theme import configure
from workbench.errors import DataError
from workbench.frames import METRIC_COLUMNS, require

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["differences_between_groups", "rates_side_by_side"]

WIDTH, ROW = 170, 24  # pixels
MOST = 20  # groups drawn at most
BETWEEN = ("attribute", "metric", "value", "low", "high", "null", "p", "lowest", "highest", "n")


def rates_side_by_side(metrics: "pd.DataFrame", names: Sequence[str]) -> Any:
    """Return several rates by group, a panel each, the groups in one order.

    A row is a group, largest first; a dot its rate, the line the 95 % interval, the dashed line the rate of all. Read along a row:
    where base rates differ, no imperfect predictor can have equal PPV and equal FPR in all groups, so that dots that
    stand in line in one panel stand apart in the other.

    Args:
        metrics: metric, group, value, low, high, n, method; groups of one column ("sex=f"), and "all".
        names: the metrics to draw, from left to right.

    >>> import pandas as pd
    >>> line = {"value": 0.6, "low": 0.5, "high": 0.7, "n": 50, "method": "Wilson"}
    >>> table = pd.DataFrame([{**line, "metric": m, "group": g} for m in ("ppv", "fpr") for g in ("sex=f", "sex=m")])
    >>> len(rates_side_by_side(table, ["ppv", "fpr"]).to_dict()["hconcat"])
    2
    """
    import altair as alt

    require(metrics, METRIC_COLUMNS, what="A chart of groups", remedy="Build it with workbench.frames.metrics_frame.")
    sliced = metrics[metrics["metric"].isin(names) & metrics["group"].astype(str).str.contains("=", regex=False)]
    if not len(sliced):
        raise DataError(f"There are no groups with {', '.join(names)} to draw. Name columns in by=[...].")
    size = sliced.groupby("group", sort=False)["n"].max()
    kept = size.nlargest(MOST).index.tolist()
    place = {group: at for at, group in enumerate(kept)}
    panels = []
    for at, name in enumerate(names):
        mine = sliced[(sliced["metric"] == name) & sliced["group"].isin(kept)]
        whole = metrics[(metrics["metric"] == name) & (metrics["group"] == "all")]["value"]
        table = mine.assign(
            label=[str(group).partition("=")[2] for group in mine["group"]],
            order=[place[group] for group in mine["group"]],
        )
        panels.append(_panel(table, name, float(whole.iloc[0]) if len(whole) else float("nan"), labels=at == 0))
    column = str(kept[0]).partition("=")[0]
    more = {"subtitle": f"the {MOST} largest of {len(size)} groups"} if len(size) > MOST else {}
    title = title_of(f"{', '.join(metric_title(name) for name in names)} by {column_title(column)}", **more)
    return configure(alt.hconcat(*panels, spacing=18, title=title).resolve_scale(y="shared"))


def _panel(table: "pd.DataFrame", name: str, whole: float, *, labels: bool) -> Any:
    """Return one rate by group; values from 0 to 1."""
    import altair as alt

    base = restore(alt.Chart(data_of(table, ("label", "value", "low", "high", "n", "order"))), "label", table["label"])
    axis = alt.Axis(labels=labels, title=None, grid=False, ticks=False, labelLimit=220, labelPadding=8)
    y = alt.Y("label:N", sort=alt.SortField("order"), axis=axis)
    shown = alt.Axis(values=[0, 0.25, 0.5, 0.75, 1], format=".2~f", title=metric_title(name))
    x = {field: alt.X(f"{field}:Q", scale=alt.Scale(domain=[0, 1]), axis=shown) for field in ("value", "low")}
    layers = []
    if whole == whole:
        at = alt.Chart(alt.InlineData(values=[{"value": whole}]))
        layers.append(at.mark_rule(style="wb-reference").encode(x=x["value"]))
    bounded = base.transform_filter("isValid(datum.low) && isValid(datum.high)")
    layers.append(bounded.mark_rule(style="wb-whisker").encode(x=x["low"], x2="high:Q", y=y))
    numbers = [alt.Tooltip(f"{field}:Q", format=".3f") for field in ("value", "low", "high")]
    tooltip = [alt.Tooltip("label:N", title="group"), *numbers, alt.Tooltip("n:Q", format=",")]
    known = base.transform_filter("isValid(datum.value)")
    layers.append(known.mark_point(style="wb-point").encode(x=x["value"], y=y, tooltip=tooltip))
    return alt.layer(*layers).properties(width=WIDTH, height=alt.Step(ROW))


def differences_between_groups(between: "pd.DataFrame") -> Any:
    """Return the largest difference of each metric between groups, beside what chance alone would give.

    A dot is the largest minus the smallest value of any group and its line the 95 % interval, which allows for having picked the
    extremes. The grey bar reaches as far as permuted groups do in 95 % of draws: a dot within it shows nothing.

    Args:
        between: attribute, metric, value, low, high, null, p, lowest, highest, n; a panel for each attribute.

    >>> import pandas as pd
    >>> line = {"attribute": "sex", "metric": "fpr_difference", "value": 0.2, "low": 0.1, "high": 0.3, "null": 0.05}
    >>> table = pd.DataFrame([{**line, "p": 0.001, "lowest": "f", "highest": "m", "n": 900}])
    >>> differences_between_groups(table).to_dict()["title"]["text"]
    'Differences between groups of sex'
    """
    import altair as alt

    require(between, BETWEEN, what="A chart of differences", remedy="It is the table `between` of the groups probe.")
    mine = between[between["metric"].astype(str).str.contains("difference", regex=False) & between["value"].notna()]
    if not len(mine):
        raise DataError("No difference between groups has a value: there are fewer than two groups.")
    numbers = mine[["value", "high", "null"]].to_numpy(float)
    top = max(float(x) for x in numbers.ravel() if x == x) * 1.05 or 0.05
    parts = [(str(name), part) for name, part in mine.groupby("attribute", sort=False)]
    single = len(parts) == 1
    panels = [
        _differences(part, "" if single else name, top, last=at == len(parts) - 1)
        for at, (name, part) in enumerate(parts)
    ]
    title = title_of(f"Differences between groups of {parts[0][0]}" if single else "Differences between groups")
    chart = panels[0] if single else alt.vconcat(*panels, spacing=10)
    return configure(chart.properties(title=title))


def _differences(part: "pd.DataFrame", heading: str, top: float, *, last: bool) -> Any:
    import altair as alt

    said = [metric_title(str(name).replace("_difference", "")) for name in part["metric"]]
    banded = (
        part["method"].astype(str).str.startswith("null band").tolist() if "method" in part else [False] * len(part)
    )
    table = part.assign(label=said, order=range(len(part)), banded=banded, zero=0)
    fields = ("label", "value", "low", "high", "null", "p", "lowest", "highest", "n", "order", "banded", "zero")
    base = restore(alt.Chart(data_of(table, fields)), "lowest", part["lowest"])
    base = restore(base, "highest", part["highest"])
    y = alt.Y(
        "label:N", sort=alt.SortField("order"), axis=alt.Axis(title=None, grid=False, labelLimit=260, labelPadding=8)
    )
    shown = alt.Axis(tickCount=5, labels=last, title="Largest minus smallest" if last else None)
    x = {f: alt.X(f"{f}:Q", scale=alt.Scale(domain=[0, top], nice=False), axis=shown) for f in ("value", "low", "zero")}
    null = base.transform_filter("isValid(datum.null)").mark_bar(style="wb-null", height=10)
    whisker = base.transform_filter("isValid(datum.low) && isValid(datum.high) && !datum.banded")
    tooltip = [
        alt.Tooltip("label:N", title="metric"),
        *(
            alt.Tooltip(f"{f}:Q", title=t, format=".3f")
            for f, t in (("value", "difference"), ("low", "low"), ("high", "high"))
        ),
        alt.Tooltip("null:Q", title="by chance up to", format=".3f"),
        alt.Tooltip("p:Q", title="p", format=".2~g"),
        *(alt.Tooltip(f"{f}:N", title=f) for f in ("lowest", "highest")),
        alt.Tooltip("n:Q", format=","),
    ]
    layers = [
        null.encode(x=x["zero"], x2="null:Q", y=y),
        whisker.mark_rule(style="wb-whisker").encode(x=x["low"], x2="high:Q", y=y),
        base.mark_point(style="wb-point").encode(x=x["value"], y=y, tooltip=tooltip),
    ]
    chart = alt.layer(*layers).properties(width=250, height=alt.Step(ROW))
    return chart.properties(title=title_of(heading, fontSize=11, fontWeight="normal", offset=2)) if heading else chart
