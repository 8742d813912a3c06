"""Severity curves: a metric at each severity of each corruption, from the clean examples on."""

import inspect
from typing import TYPE_CHECKING, Any

from workbench.charts._safe import data_of, restore, title_of
from workbench.charts.metrics import NULL_BAND, metric_title
from workbench.charts.theme import configure
from workbench.errors import unknown
from workbench.frames import METRIC_COLUMNS, require

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["estimate_curves", "severity_curves"]

CLEAN = "clean"
WIDTH, HEIGHT = 320, 210  # pixels
HUES = 6  # colours of the theme; lines beyond are dashed, then dotted
DASHES: tuple[list[int], ...] = ([1, 0], [6, 3], [2, 2], [8, 2, 2, 2])
MOST = HUES * len(DASHES)
READ = (
    "A line is a corruption: at severity 0 all start from the clean examples. A dot is the value at a severity, its band the "
    "95 % interval; the same examples stand behind all dots of a line, so that a line is surer than its bands look."
)
READ_NULL = (
    "A line is a corruption: at severity 0 all start from the clean examples. A dot is the value at a severity. This metric has no "
    "interval: the dotted line is as far as chance alone would take 95 % of perfectly calibrated models. Below it, a dot shows "
    "nothing."
)


def severity_curves(metrics: "pd.DataFrame", metric: str) -> Any:
    """Return one metric of a sweep by severity, a line for each corruption.

    A line is a corruption: at severity 0 all start from the clean examples. A dot is the value at a severity, its band the 95 %
    interval. A metric without one (ECE) has a dotted line instead: as far as chance alone would take 95 % of calibrated models.

    Args:
        metrics: metric, value, low, high, n, method, corruption, severity; the clean examples are the corruption "clean".
            Of more than 24 corruptions the first are drawn, which the title says.
        metric: the metric to draw.

    >>> import pandas as pd
    >>> line = {"metric": "accuracy", "group": "all", "value": 0.8, "low": 0.7, "high": 0.9, "n": 50, "method": "Wilson"}
    >>> lines = [{**line, "corruption": "clean", "severity": 0}, {**line, "corruption": "ocr", "severity": 3}]
    >>> severity_curves(pd.DataFrame(lines), "accuracy").to_dict()["title"]["text"]
    'Accuracy by severity'
    """
    import altair as alt

    needs = [*METRIC_COLUMNS, "corruption", "severity"]
    require(metrics, needs, what="A severity curve", remedy="Use the metrics of the probe sweep.")
    mine = metrics[metrics["metric"] == metric]
    if not len(mine):
        raise unknown("metric", metric, metrics["metric"].unique())
    table, left = _joined(mine[mine["value"].notna()])
    null = bool(table["method"].str.startswith(NULL_BAND).any())
    names = list(dict.fromkeys(table["corruption"]))
    base = restore(
        alt.Chart(data_of(table, ("corruption", "severity", "value", "low", "high", "n"))), "corruption", names
    )
    last = max([1, *table["severity"]])
    x = alt.X(
        "severity:Q",
        title="Severity",
        scale=alt.Scale(domain=[0, last], nice=False, padding=8),
        axis=alt.Axis(values=list(range(last + 1)), format="d", grid=False),
    )
    y = alt.Y("value:Q", title=metric_title(metric), scale=alt.Scale(zero=False, nice=True), axis=alt.Axis(tickCount=6))
    many = len(names) > 1
    look = {"symbolType": "stroke", "symbolStrokeWidth": 2, "symbolOpacity": 1}
    legend = alt.Legend(title=None, orient="right", labelLimit=150, **look) if many else None
    colour = alt.Color("corruption:N", sort=None, legend=legend)  # as in the data: no name in the spec
    dashed = (
        {"strokeDash": alt.StrokeDash("corruption:N", sort=None, scale=_dashes(len(names)), legend=legend)}
        if len(names) > HUES
        else {}
    )
    bounded = base.transform_filter("isValid(datum.low) && isValid(datum.high)")
    layers: list[Any] = []
    if _signed(table, metric):
        zero = alt.Chart(alt.InlineData(values=[{"value": 0}]))
        layers.append(zero.mark_rule(style="wb-zero").encode(y=y))
    layers.append(
        base.mark_line(strokeWidth=2).encode(x=x, y=y, color=colour, **dashed)
    )  # first: it has all names, in order
    if null:
        layers.append(bounded.mark_line(strokeDash=[1, 3], strokeWidth=1.25).encode(x=x, y=_y(y, "high"), color=colour))
    else:
        band = bounded.mark_area(opacity=max(0.04, min(0.2, 0.3 / len(names))))
        layers.append(band.encode(x=x, y=_y(y, "low"), y2="high:Q", color=colour))
    tooltip = [
        *(alt.Tooltip(f"{name}:N") for name in ("corruption", "severity")),
        *(alt.Tooltip(f"{name}:Q", format=".3f") for name in ("value", "low", "high")),
        alt.Tooltip("n:Q", format=","),
    ]
    layers.append(base.mark_point(filled=True, size=40, opacity=1).encode(x=x, y=y, color=colour, tooltip=tooltip))
    note = [] if many or not names else [names[0]]
    note += [f"the first {MOST} of {left + MOST} corruptions"] if left else []
    title = title_of(f"{metric_title(metric)} by severity", **({"subtitle": "; ".join(note)} if note else {}))
    chart = alt.layer(*layers).properties(width=WIDTH, height=HEIGHT)
    return configure(chart.properties(title=title, description=READ_NULL if null else READ))


def estimate_curves(estimates: "pd.DataFrame", corruption: str) -> Any:
    """Return estimates of accuracy without labels by severity of one corruption, beside the accuracy.

    The line "accuracy" is the truth, each other line an estimate that saw no label of these examples, its band the 95 % interval of
    the estimate. Where a line leaves the truth, the assumption of that estimate does not hold: ATC and CBPE take confidence to mean
    what it means on clean examples, DoC that accuracy falls as confidence does, mean confidence that the model is calibrated.

    Args:
        estimates: corruption, severity, estimate, value, low, high, accuracy, n; `tables["estimates"]` of a sweep.
        corruption: the one to draw; the clean examples are severity 0.

    >>> import pandas as pd
    >>> line = {"severity": 0, "estimate": "atc", "value": 0.8, "low": 0.7, "high": 0.9, "accuracy": 0.75, "n": 50}
    >>> lines = [{**line, "corruption": "clean"}, {**line, "corruption": "ocr", "severity": 3}]
    >>> estimate_curves(pd.DataFrame(lines), "ocr").to_dict()["title"]["text"]
    'Accuracy without labels: ocr'
    """
    import pandas as pd

    needs = ["corruption", "severity", "estimate", "value", "low", "high", "accuracy", "n"]
    require(estimates, needs, what="A chart of estimates", remedy="Use tables['estimates'] of a sweep.")
    mine = estimates[estimates["corruption"].isin([CLEAN, corruption])]
    truth = mine.drop_duplicates("severity").assign(estimate="accuracy", low=float("nan"), high=float("nan"))
    truth["value"] = truth["accuracy"]
    words = {
        name: name.replace("_", " ").replace("atc", "ATC").replace("doc", "DoC").replace("cbpe", "CBPE")
        for name in mine["estimate"]
    }
    table = pd.concat([truth, mine.assign(estimate=mine["estimate"].map(words))], ignore_index=True)
    table = table.assign(metric="accuracy", group="all", method="bootstrap", corruption=table["estimate"])
    chart = severity_curves(table, "accuracy")
    read = " ".join(str(inspect.getdoc(estimate_curves)).split("\n\n")[1].split())
    return chart.properties(title=title_of(f"Accuracy without labels: {corruption}"), description=read)


def _joined(mine: "pd.DataFrame") -> tuple["pd.DataFrame", int]:
    """Return a line for each corruption that starts from the clean examples, and how many corruptions were left out."""
    import pandas as pd

    clean = mine[mine["corruption"] == CLEAN]
    names = [name for name in dict.fromkeys(mine["corruption"]) if name != CLEAN]
    drawn = names[:MOST]
    starts = [clean.assign(corruption=name) for name in drawn or [CLEAN]]
    table = pd.concat([*starts, mine[mine["corruption"].isin(drawn)]], ignore_index=True)
    table = table.assign(severity=table["severity"].astype(int), method=table["method"].astype(str))
    order = {name: at for at, name in enumerate(drawn)}
    place = [order.get(name, 0) for name in table["corruption"]]
    return table.assign(place=place).sort_values(["place", "severity"]).reset_index(drop=True), len(names) - len(drawn)


def _dashes(n: int) -> Any:
    """Return solid lines for as many corruptions as there are colours, dashed ones for the next."""
    import altair as alt

    return alt.Scale(range=[DASHES[at // HUES] for at in range(n)])


def _signed(table: "pd.DataFrame", metric: str) -> bool:
    return "change" in metric or bool((table["value"] < 0).any())


def _y(y: Any, field: str) -> Any:
    """Return the axis for another field."""
    made = y.copy()
    made.shorthand = f"{field}:Q"
    return made
