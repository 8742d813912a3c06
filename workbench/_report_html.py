"""A report as text, as a notebook's HTML, and as one HTML document.

Whatever stands in a report may come from anywhere: every text is escaped, there is no script, and nothing is loaded (the document
forbids both by its content security policy). Charts are static SVG. In the document their colours are CSS variables, so that one
picture serves light and dark; in a notebook they are images in greys and hues that do on any ground, because JupyterLab removes
`<svg>` from the outputs of a notebook that it does not trust, and an image cannot know the theme of the page.
"""

import base64
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from workbench._confirm_show import status_lines, status_table
from workbench._format import format_count, format_metric, metric_parts
from workbench._report_tables import edits, examples, table
from workbench._selections import looks
from workbench._text import escape
from workbench.charts import how_to_read
from workbench.charts.metrics import metric_title
from workbench.charts.static import inline_svg, svg
from workbench.charts.theme import palette
from workbench.errors import UsageError, counted, unknown

if TYPE_CHECKING:
    import pandas as pd

    from workbench.reports import Report

__all__ = ["facts", "image", "label", "notebook_html", "overall", "text", "to_html"]

OVERALL = "all"
MOST_LINES = 20  # of numbers that are shown first
MOST_KEY = 10  # metrics of a probe that has no headline
MOST_SLICED = 6  # metrics in the tables of slices
MOST_SLICES = 200  # lines of the slices' tables

STYLE = """
*{box-sizing:border-box}
body{margin:0;background:var(--wb-background);color:var(--wb-ink);font:15px/1.55 system-ui,-apple-system,'Segoe UI',sans-serif}
main{max-width:1080px;margin:0 auto;padding:40px 24px 80px}
h1{font-size:26px;line-height:1.25;margin:0 0 6px;font-weight:650;overflow-wrap:anywhere}
h2{font-size:18px;margin:44px 0 12px;font-weight:620}h3{font-size:15px;margin:24px 0 6px;font-weight:600}
p{margin:6px 0}.quiet,figcaption,dt,th,caption,.method{color:var(--wb-muted)}
.question{font-size:17px;color:var(--wb-muted);margin:0 0 18px}
dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 18px;margin:0}dd{margin:0;overflow-wrap:anywhere}
.notes{border-left:3px solid var(--wb-accent);margin:18px 0;padding:2px 0 2px 16px}.notes p{margin:4px 0}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:13.5px;width:100%}
th,td{text-align:left;vertical-align:top;padding:6px 14px 6px 0;border-bottom:1px solid var(--wb-line)}
th{font-weight:500;white-space:nowrap}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.t{overflow-wrap:anywhere;white-space:pre-wrap;min-width:16em}.method{font-size:12px;max-width:30em}td.method{min-width:16em}
caption{text-align:left;padding:0 0 6px;font-size:13px}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,420px),1fr));gap:28px 36px;align-items:start}
figure{margin:0}figcaption{font-size:13px;margin-top:8px;max-width:44em}
li{margin:5px 0}details summary{cursor:pointer;color:var(--wb-muted)}
@media print{main{max-width:none;padding:0}}
"""


def text(report: "Report") -> str:
    """Return the report in plain text: what it is, the numbers with intervals, and where the rest is."""
    lines = [_printable(report.title), _printable(", ".join(_brief(report)))]
    lines += [f"! {_printable(note)}" for note in report.notes]
    lines += [_printable(finding) for finding in (*report.findings, *status_lines(report))]
    shown, left = _key_metrics(report)
    names = [label(report, name, group) for name, group, *_ in shown]
    wide = max(map(len, names), default=0)
    for name, (_, _, value, low, high, n, method) in zip(names, shown, strict=True):
        lines.append(
            f"  {_printable(name):<{wide}}  {format_metric(value, low, high, method):<30}  n = {format_count(n)}"
        )
    more = f" ({left} more)" if left else ""
    lines.append(f".metrics{more}, .rows, .tables, .chart() or .charts(), .limits; wb.explore(report) links them")
    return "\n".join(line.rstrip() for line in lines)


def notebook_html(report: "Report") -> str:
    """Return the report for a notebook's cell: the numbers, then the first chart and the first by slice, then the limits.

    Styles are inline and follow JupyterLab's theme; nothing outside the returned element is styled.
    """
    muted = "color:var(--jp-ui-font-color2, #767676)"
    body = [f'<div style="font-size:15px;font-weight:600">{escape(report.title)}</div>']
    body.append(f'<div style="{muted};margin-bottom:8px">{escape(" · ".join(_brief(report)))}</div>')
    body += [
        f'<div style="border-left:3px solid #d9722a;padding-left:10px;margin:6px 0">{escape(n)}</div>'
        for n in report.notes
    ]
    body += [
        f'<div style="margin:6px 0">{escape(finding)}</div>' for finding in (*report.findings, *status_lines(report))
    ]
    shown, left = _key_metrics(report)
    if shown:
        body.append(_small_table([(label(report, *line[:2]), *line[2:]) for line in shown]))
    if left:
        body.append(
            f'<div style="{muted};font-size:12px">{left} more metrics and slices in <code>report.metrics</code></div>'
        )
    pictures = [image(name, chart) for name, chart in _first_charts(report)]
    if pictures:
        body.append(
            f'<div style="display:flex;flex-wrap:wrap;gap:20px;align-items:flex-start">{"".join(pictures)}</div>'
        )
    limits = "".join(f'<li style="margin:2px 0">{escape(limit)}</li>' for limit in report.limits)
    if limits:
        summary = '<summary style="cursor:pointer">What this cannot show</summary>'
        body.append(
            f'<details style="{muted};font-size:12px">{summary}<ul style="margin:4px 0">{limits}</ul></details>'
        )
    font = "font-family:var(--jp-ui-font-family, system-ui, sans-serif);font-size:13px;line-height:1.45"
    return f'<div style="{font};max-width:1000px">{"".join(body)}</div>'


def to_html(report: "Report", *, rows: int = 200, theme: str = "auto", pictures: bool = True) -> str:
    """Return one self-contained HTML document: no script, nothing loaded, at most `rows` examples, under 1 MB.

    Args:
        report: what to show.
        rows: examples at most; fewer where their texts are long.
        theme: "auto" follows the reader's system, "light" stays light.
        pictures: draw the charts, which takes seconds.
    """
    if theme not in ("auto", "light"):
        raise unknown("theme", theme, ("auto", "light"))
    if rows < 0:
        raise UsageError(f"rows must be 0 or more; it is {rows}. Use rows=0 to leave the examples out.")
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    told = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts(report).items())
    notes = "".join(f"<p>{escape(note)}</p>" for note in report.notes)
    parts = [
        f'<header><h1>{escape(report.title)}</h1><p class="question">{escape(report.question)}</p><dl>{told}</dl></header>',
        f'<div class="notes">{notes}</div>' if notes else "",
        "".join(f"<p>{escape(finding)}</p>" for finding in report.findings),
        _section("Findings", status_table(report)),
        _section("Numbers", _numbers(report)),
        _section("Charts", _figures(report)) if pictures else "",
        _section("Slices", _slices(report)),
        _section("Examples", examples(report, rows) if rows else ""),
        _section("What if", edits(report)),
        _section("What this cannot show", _limits(report)),
        _section("Run record", _record(report)),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(report.title)}</title><style>{_colours(theme)}{STYLE}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _colours(theme: str) -> str:
    """Return the CSS variables that the page and its pictures share."""

    def block(name: str) -> str:
        return ";".join(f"--wb-{role}:{colour}" for role, colour in asdict(palette(name)).items())

    if theme == "light":
        return f":root{{color-scheme:light;{block('light')}}}"
    dark = f"@media (prefers-color-scheme: dark){{:root{{{block('dark')}}}}}"
    return f":root{{color-scheme:light dark;{block('light')}}}{dark}"


def facts(report: "Report") -> dict[str, str]:
    """Return what to say about a run in a few words, by name."""
    record = report.record.as_dict()
    model, data = record.get("model") or {}, record.get("data") or {}
    done, total = int(record.get("done") or 0), int(record.get("total") or 0)
    n = report.explored["example"].nunique() if len(report.explored) else 0
    size = counted(n, "example") + (f" of {format_count(total)}" if done < total else "")
    found = {
        "Model": _named(model, ("revision", "dtype")),
        "Data": _named(data, ("source", "licence")),
        "Size": size,
        "Run": str(record.get("started", ""))[:16].replace("T", " ") + (" UTC" if record.get("started") else ""),
        "Outcome": report.outcome if report.outcome != "complete" else "",
    }
    return {name: value for name, value in found.items() if value}


def _brief(report: "Report") -> list[str]:
    """Return the facts for one line: without the model's name, which stands in the title."""
    return [value for name, value in facts(report).items() if name != "Model"]


def _named(about: Mapping[str, Any], further: Iterable[str]) -> str:
    name = str(about.get("name") or "")
    more = [str(about[key]) for key in further if about.get(key)]
    return f"{name} ({', '.join(more)})" if name and more else name


def overall(report: "Report") -> "pd.DataFrame":
    """Return the metrics of all examples and those between the groups of a column; all metrics where there are slices only."""
    metrics = report.metrics
    groups = metrics["group"].astype(str)
    between = ~groups.str.contains("=", regex=False)
    between |= groups.isin(list(report.named))
    if report.parts:
        between |= groups.str.startswith(tuple(f"{part}=" for part in report.parts)) & ~groups.str.contains(" & ")
    return metrics[between] if between.any() else metrics


def label(report: "Report", metric: str, group: str) -> str:
    """Return what a metric of a group is called: by the words of the probe for that group, where it has any."""
    words = report.named.get(group, "" if group == OVERALL else group)
    return f"{metric_title(metric)}, {words}" if words else metric_title(metric)


def _lines(metrics: "pd.DataFrame") -> list[tuple[str, str, float, float, float, int, str]]:
    columns = ["metric", "group", "value", "low", "high", "n", "method"]
    return list(metrics[columns].itertuples(index=False, name=None))


def _key_metrics(report: "Report") -> tuple[list[tuple[str, str, float, float, float, int, str]], int]:
    """Return the metrics to show first, and how many more there are."""
    if not len(report.explored):
        return [], 0
    whole = overall(report)
    if (whole["group"] == OVERALL).any():  # of intersections only the metrics' table speaks
        named = whole["group"].isin([OVERALL, "group", *report.by])
        whole = whole[named | whole["group"].str.contains("=", regex=False)]
    order = {group: at for at, group in enumerate(report.named)}
    whole = whole.sort_values("group", key=lambda groups: groups.map(order).fillna(len(order)), kind="stable")
    wanted = [name for name in report.headline if name in set(whole["metric"])]
    chosen = whole[whole["metric"].isin(wanted)] if wanted else whole.head(MOST_KEY)
    chosen = chosen.sort_values(
        "metric", key=lambda names: names.map({n: i for i, n in enumerate(wanted)}), kind="stable"
    ).head(MOST_LINES)
    return _lines(chosen), len(report.metrics) - len(chosen)


def _small_table(lines: Sequence[tuple[str, float, float, float, int, str]]) -> str:
    """Return the numbers for a notebook, styled cell by cell."""
    cell = "padding:2px 18px 2px 0;border:0;border-bottom:1px solid var(--jp-border-color2, #8080804d);text-align:left"
    number = f"{cell};font-variant-numeric:tabular-nums"
    quiet = f"{cell};font-weight:normal;color:var(--jp-ui-font-color2, #767676)"
    head = "".join(f'<th style="{quiet}">{name}</th>' for name in ("metric", "value", "95 % interval", "n"))
    body = []
    for named, value, low, high, n, method in lines:
        said, interval = metric_parts(value, low, high, method)
        row = f'<td style="{cell}" title="{escape(method)}">{escape(named)}</td><td style="{number};font-weight:600">{said}</td>'
        row += f'<td style="{number}">{interval}</td><td style="{number}">{format_count(n)}</td>'
        body.append(f'<tr style="background:transparent">{row}</tr>')
    looks = "border-collapse:collapse;border:0;font-size:13px;margin:4px 0 6px"
    return f'<table style="{looks}"><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table>'


def _first_charts(report: "Report") -> list[tuple[str, Any]]:
    charts = list(report.charts().items())
    sliced = [pair for pair in charts[1:] if pair[0].endswith("_by_slice")]
    return charts[:1] + sliced[:1]


def _read(name: str, chart: Any) -> str:
    """Return how to read a chart: its own description, else what is known of its name."""
    own = getattr(chart, "description", None)
    if isinstance(own, str) and own:
        return own
    try:
        return how_to_read(name)
    except UsageError:
        return ""


def image(name: str, chart: Any) -> str:
    """Return a chart as an image, with its sentence below it, no wider than the chart."""
    drawn = svg(chart, theme="any")
    wide = re.search(r'width="(\d+)', drawn)
    data = base64.b64encode(drawn.encode()).decode()
    picture = f'<img alt="{escape(metric_title(name))}" style="max-width:100%" src="data:image/svg+xml;base64,{data}">'
    muted = f"font-size:12px;color:var(--jp-ui-font-color2, #767676);max-width:{wide[1] if wide else 440}px"
    return f'<div style="max-width:100%">{picture}<div style="{muted}">{escape(_read(name, chart))}</div></div>'


def _section(title: str, body: str) -> str:
    return f"<section><h2>{title}</h2>{body}</section>" if body else ""


def _numbers(report: "Report") -> str:
    """Return the table of the overall metrics, with n and method."""
    if not len(report.explored):
        return '<p class="quiet">No example was answered.</p>'
    head = [("metric", ""), ("value", "n"), ("95 % interval", ""), ("n", "n"), ("method", "method")]
    lines = [
        (label(report, name, group), *metric_parts(value, low, high, method), format_count(n), method)
        for name, group, value, low, high, n, method in _lines(overall(report))
    ]  # fmt: skip
    return table(head, lines)


def _figures(report: "Report") -> str:
    """Return every chart with the sentence that says how to read it, once where several are read alike."""
    figures, said = [], dict[str, str]()
    for name, chart in report.charts().items():
        read = _read(name, chart)
        first = said.setdefault(read, name)
        caption = read if first == name else f"Read it like {metric_title(first).lower()}."
        figures.append(f"<figure>{inline_svg(chart, name)}<figcaption>{escape(caption)}</figcaption></figure>")
    return f'<div class="charts">{"".join(figures)}</div>' if figures else ""


def _slices(report: "Report") -> str:
    """Return one table per slice column: a line per slice, its main metrics with intervals."""
    if not len(report.explored):
        return ""
    metrics = report.metrics
    parts = metrics[metrics["group"] != OVERALL]
    if not len(parts) or not (metrics["group"] == OVERALL).any():
        return ""
    known = list(dict.fromkeys(parts["metric"]))
    shown = [name for name in report.sliced if name in known][:MOST_SLICED] or known[:MOST_SLICED]
    cells: dict[str, dict[str, str]] = {}
    counts: dict[str, int] = {}
    for name, group, value, low, high, n, method in _lines(parts[parts["metric"].isin(shown)]):
        cells.setdefault(str(group), {})[name] = _kept_together(format_metric(value, low, high, method))
        counts[str(group)] = max(n, counts.get(str(group), 0))
    largest = sorted(cells, key=lambda group: -counts[group])[:MOST_SLICES]
    head = [("", ""), ("n", "n"), *((metric_title(name), "") for name in shown)]
    tables = []
    for column in dict.fromkeys(group.partition("=")[0] for group in cells if group in largest):
        mine = [group for group in cells if group in largest and group.partition("=")[0] == column]
        lines = [
            (group.partition("=")[2] or group, format_count(counts[group]), *(cells[group].get(n, "") for n in shown))
            for group in mine
        ]
        tables.append(f"<h3>{escape(column)}</h3>{table(head, lines)}")
    left = len(cells) - len(largest)
    more = f'<p class="quiet">{left} smaller slices are in report.metrics.</p>' if left else ""
    return "".join(tables) + more


def _kept_together(said: str) -> str:
    """Return a metric that breaks between value and interval only."""
    value, space, interval = said.partition(" ")
    return value + space + interval.replace(" ", "\xa0")


def _limits(report: "Report") -> str:
    limits = "".join(f"<li>{escape(limit)}</li>" for limit in report.limits)
    tried = looks(report._log) if len(report.explored) else 0
    told = counted(tried, "selection of these examples was", "selections of these examples were")
    logged = f'<p class="quiet">{told} looked at before this was written.</p>' if tried else ""
    return f"<ul>{limits}</ul>{logged}" if limits or logged else ""


def _record(report: "Report") -> str:
    """Return the run record, folded."""
    lines = []
    for name, value in report.record.as_dict().items():
        said = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
        lines.append((name, said if len(said) <= 4000 else said[:4000] + "…"))
    return (
        f"<details><summary>What it takes to make this again</summary>{table([('', ''), ('', 't')], lines)}</details>"
    )


def _printable(said: str) -> str:
    """Return the text without control characters: a name must not move a terminal's cursor."""
    return "".join(char if char.isprintable() else " " for char in said)
