"""One metric by slice, as a forest plot."""

import inspect
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.charts._safe import data_of, restore, title_of
from workbench.charts.theme import configure
from workbench.errors import unknown
from workbench.frames import METRIC_COLUMNS, require

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NULL_BAND", "column_title", "metric_bars", "metric_title"]

OVERALL = "all"
NULL_BAND = "null band"  # a method that starts so has no interval: `high` is what chance alone would give
WIDTH, ROW = 250, 22  # pixels
MOST = 30  # slices drawn at most; more is a table's work
ACRONYMS = frozenset({
    *("auc", "aurc", "auroc", "bnsp", "bpsn", "ece", "fdr", "fnr", "fpr", "icat", "ks", "l2", "lms", "mce", "nll", "npv"),
    *("atc", "aupr", "cbpe", "ctf", "dir", "fpr95", "inv", "mft", "msp", "pll", "ppv", "roc", "seat", "ss", "tnr", "tpr"),
    *("bh", "mmd2", "weat"),
})  # fmt: skip
TITLES = {  # of names whose words alone do not say it
    "doc": "DoC",
    "doc_error": "DoC error",
    "e_aurc": "E-AURC",
    "knn": "kNN",
    "mmd2": "MMD²",
    "mmd2_over_pairs": "MMD² over pairs",
    "text_changed": "Copies changed",  # texts or images
    "vim": "ViM",
    "marginal_mahalanobis": "Marginal Mahalanobis",
    "relative_mahalanobis": "Relative Mahalanobis",
    "prefers_more": "Prefers the stereotype",
    "prefers_more_per_token": "Prefers the stereotype, per token",
    "prefers_more_stereo": "Prefers the stereotype, stereo pairs",
    "prefers_more_antistereo": "Prefers the stereotype, antistereo pairs",
}
SIGNED = ("gap", "difference", "bias")  # metrics of these names have a meaning at zero, also where none is below it


class _Lines(NamedTuple):
    """What a panel draws besides its dots: the value of all, lines that mean something, and the axis's title."""

    whole: float
    marks: tuple[float, ...]
    title: str


def metric_title(metric: str) -> str:
    """Return a metric's name as people write it.

    >>> metric_title("smooth_ece"), metric_title("accuracy"), metric_title("bpsn_auc")
    ('Smooth ECE', 'Accuracy', 'BPSN AUC')
    """
    if metric in TITLES:
        return TITLES[metric]
    words = [word.upper() if word in ACRONYMS else word for word in metric.split("_")]
    name = " ".join(words)
    return name[:1].upper() + name[1:]


def column_title(column: str) -> str:
    """Return the name of a column as people write it.

    >>> column_title("bias_type"), column_title("sex & race")
    ('bias type', 'sex & race')
    """
    return column.replace("_", " ").strip()


def metric_bars(
    metrics: "pd.DataFrame", metric: str, *, reference: float | None = None, meaning: str = "no bias"
) -> Any:
    """Return one metric by group, sorted within each slice column.

    A dot is a slice's value and its line the 95 % interval, with n at the right; the dashed line is the value of all examples. For
    a metric without an interval (ECE, MCE) the grey bar reaches as far as chance alone would take a perfectly calibrated model
    in 95 % of cases: a dot within it shows nothing.

    Args:
        metrics: metric, group, value, low, high, n, method; a group "domain=law" is the value law of the column domain.
        metric: the metric to draw. Slices without a value are left out and counted in the title; of more than 30 the largest
            are drawn. A metric with a value or bound below zero has a line at zero.
        reference: a value that means something (0.5 for a preference, 0 for a difference), drawn as a thin solid line.
        meaning: what it means, said under the title: "solid line: no bias (0.5)".

    >>> import pandas as pd
    >>> line = {"metric": "accuracy", "value": 0.8, "low": 0.7, "high": 0.9, "n": 50, "method": "Wilson"}
    >>> chart = metric_bars(pd.DataFrame([{**line, "group": "all"}, {**line, "group": "domain=law"}]), "accuracy")
    >>> chart.to_dict()["title"]["text"]
    'Accuracy by domain'
    """
    import altair as alt

    require(metrics, METRIC_COLUMNS, what="A chart of metrics", remedy="Build it with workbench.frames.metrics_frame.")
    mine = metrics[metrics["metric"] == metric]
    if not len(mine):
        raise unknown("metric", metric, metrics["metric"].unique())
    overall = mine[mine["group"] == OVERALL]
    slices = mine[mine["group"] != OVERALL]
    drawn, notes = _drawn(slices if len(slices) else overall)
    parts = [(str(column), part) for column, part in drawn.groupby("column", sort=False)] or [("", drawn)]
    null = bool(drawn["method"].str.startswith(NULL_BAND).any())
    whole = float(overall["value"].iloc[0]) if len(overall) and len(slices) and not null else float("nan")
    marks = tuple(dict.fromkeys([*([] if reference is None else [float(reference)]), *_zero(mine, null=null)]))
    ends = _domain(drawn, whole, marks, null=null)
    name = metric_title(metric)
    single = len(parts) == 1
    by = "" if not len(slices) else f" by {column_title(parts[0][0]) or 'slice'}" if single else " by slice"
    panels = [
        _panel(part, "" if single else column_title(column), ends, _Lines(whole, marks, name if last else ""))
        for (column, part), last in zip(parts, [False] * (len(parts) - 1) + [True], strict=True)
    ]
    notes += [f"solid line: {meaning} ({reference:g})"] if reference is not None else []
    title = title_of(f"{name}{by}", **({"subtitle": "; ".join(notes)} if notes else {}))
    chart = panels[0] if single else alt.vconcat(*panels, spacing=10)
    read = _read(null=null)
    if reference is not None:
        read += f" The solid line stands for {meaning} ({reference:g})."
    elif marks and not null:
        read += " The solid line is zero."
    return configure(chart.properties(title=title, description=read))


def _read(*, null: bool) -> str:
    """Return how to read these bars, of the grey bar only where there is one: such a chart may have any name in a probe."""
    read = " ".join(str(inspect.getdoc(metric_bars)).split("\n\n")[1].split())
    return read if null else read[: read.index(" For a metric without")]


def _drawn(slices: "pd.DataFrame") -> tuple["pd.DataFrame", list[str]]:
    """Return the slices to draw with `column`, `label` and `order`, and notes of what was left out."""
    known = slices[slices["value"].notna()]
    kept = known.nlargest(MOST, "n") if len(known) > MOST else known
    parts = [str(group).partition("=") for group in kept["group"]]
    column = [name if equals else "" for name, equals, _ in parts]
    label = [value if equals else name for name, equals, value in parts]
    table = kept.assign(column=column, label=label, method=kept["method"].astype(str))
    first = {name: at for at, name in enumerate(dict.fromkeys(column))}
    table = table.assign(place=[first[name] for name in column]).sort_values(
        ["place", "value", "label"], ascending=[True, False, True]
    )
    notes = [f"the {MOST} largest of {len(known)} slices"] if len(known) > MOST else []
    if len(known) < len(slices):
        notes.append(f"{len(slices) - len(known)} without a value left out")
    return table.assign(order=range(len(table))), notes


def _zero(mine: "pd.DataFrame", *, null: bool) -> list[float]:
    """Return [0.0] where zero has a meaning for a metric: it falls below zero, its name says so, or chance starts there."""
    below = bool((mine[["value", "low"]] < 0).to_numpy().any())
    return [0.0] if null or below or any(word in str(mine["metric"].iloc[0]) for word in SIGNED) else []


def _domain(drawn: "pd.DataFrame", whole: float, marks: tuple[float, ...], *, null: bool) -> tuple[float, float]:
    """Return the ends of the axis: all that is drawn, every line, and 4 % more; a null band starts at zero itself."""
    numbers = [float(x) for name in ("value", "low", "high") for x in drawn[name] if x == x]
    numbers += [whole] if whole == whole else []
    numbers += marks
    low, high = (min(numbers), max(numbers)) if numbers else (0.0, 1.0)
    room = 0.04 * (high - low) or 0.05
    return (low if null and low == 0 else low - room), (high if null and high == 0 else high + room)


def _panel(part: "pd.DataFrame", heading: str, ends: tuple[float, float], lines: _Lines) -> Any:
    """Return the dots and intervals of one slice column."""
    import altair as alt

    data = data_of(part, ("label", "value", "low", "high", "n", "method", "order"))
    base = restore(alt.Chart(data), "label", part["label"])
    axis = alt.Axis(labelLimit=260, title=None, grid=False, labelPadding=8)
    y = alt.Y("label:N", sort=alt.SortField("order"), axis=axis)
    scale = alt.Scale(domain=list(ends), nice=False)
    shown = alt.Axis(tickCount=5, labels=bool(lines.title), title=lines.title or None)
    x = {name: alt.X(f"{name}:Q", scale=scale, axis=shown) for name in ("value", "low")}
    layers: list[Any] = []
    styles = [("wb-reference", lines.whole)] if lines.whole == lines.whole else []
    styles += [("wb-zero", mark) for mark in lines.marks if ends[0] < mark < ends[1]]
    for style, at in styles:
        drawn = alt.Chart(alt.InlineData(values=[{"value": at}]))
        layers.append(drawn.mark_rule(style=style).encode(x=x["value"]))
    is_null = f"indexof(datum.method, '{NULL_BAND}') == 0"
    bounded = base.transform_filter("isValid(datum.low) && isValid(datum.high)")
    if part["method"].str.startswith(NULL_BAND).any():
        layers.append(
            bounded.transform_filter(is_null).mark_bar(style="wb-null", height=10).encode(x=x["low"], x2="high:Q", y=y)
        )
    if not part["method"].str.startswith(NULL_BAND).all():
        layers.append(
            bounded.transform_filter(f"!({is_null})").mark_rule(style="wb-whisker").encode(x=x["low"], x2="high:Q", y=y)
        )
    tooltip = [alt.Tooltip("label:N", title="slice"), *_numbers()]
    layers.append(base.mark_point(style="wb-point").encode(x=x["value"], y=y, tooltip=tooltip))
    count = base.mark_text(style="wb-note", align="right", baseline="middle")
    layers.append(count.encode(x=alt.value(WIDTH + 44), y=y, text=alt.Text("n:Q", format=",")))
    head = alt.Chart(alt.InlineData(values=[{"said": "n"}])).mark_text(
        style="wb-note", align="right", baseline="bottom"
    )
    layers.append(head.encode(x=alt.value(WIDTH + 44), y=alt.value(-3), text="said:N"))
    chart = alt.layer(*layers).properties(width=WIDTH, height=alt.Step(ROW))
    return chart.properties(title=title_of(heading, fontSize=11, fontWeight="normal", offset=2)) if heading else chart


def _numbers() -> list[Any]:
    import altair as alt

    names = {"value": "value", "low": "low", "high": "high"}
    return [*(alt.Tooltip(f"{key}:Q", title=names[key], format=".3f") for key in names), alt.Tooltip("n:Q", format=",")]
