"""A comparison as text and as a notebook's HTML; every text is escaped, there is no script."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench._format import decimals, format_count, format_metric, format_number
from workbench._report_html import image
from workbench._text import escape
from workbench.audit._margins import needed_words
from workbench.charts.metrics import metric_title
from workbench.probes._slices import OVERALL

if TYPE_CHECKING:
    import pandas as pd

    from workbench.audit.compare import Comparison
    from workbench.audit.fragility import Fragility
    from workbench.audit.robustness import Robust

__all__ = ["fragility_html", "notebook_html", "robustness_html", "text"]

MOST = 24  # lines that are shown; the rest is in `.metrics`


def text(comparison: "Comparison") -> str:
    """Return the comparison in plain text: both values, their difference with its interval, p and n."""
    lines, left = _lines(comparison)
    names = [_name(metric, group) for metric, group in zip(lines["metric"], lines["group"], strict=True)]
    wide = max(map(len, names), default=0)
    said = [_printable(comparison.title)]
    said += [f"! {_printable(note)}" for note in comparison.notes]
    for name, line in zip(names, _cells(lines), strict=True):
        one, two, difference, p, n = line
        said.append(f"  {_printable(name):<{wide}}  {one} - {two} = {difference:<26}  {p:<16}  n = {n}".rstrip())
    words = needed_words(comparison)
    said += [words] if words else []
    more = f" ({left} more)" if left else ""
    ways = ".equivalence(margin), .noninferiority(margin), .sample_size()"
    return "\n".join([*said, f".metrics{more}, .rows, .chart(), {ways}, .limits"])


def notebook_html(comparison: "Comparison") -> str:
    """Return the comparison for a notebook's cell: the table, the first chart, the limits; styled like a report."""
    muted = "color:var(--jp-ui-font-color2, #767676)"
    cell = "padding:2px 18px 2px 0;border:0;border-bottom:1px solid var(--jp-border-color2, #8080804d);text-align:left"
    lines, left = _lines(comparison)
    head = "".join(
        f'<th style="{cell};font-weight:normal;{muted}">{escape(name)}</th>'
        for name in ("metric", *(f"{side}: {name}" for side, name in zip("ab", comparison.names, strict=True)),
                     "a − b, 95 % interval", "p", "n")
    )  # fmt: skip
    body = []
    for metric, group, method, line in zip(
        lines["metric"], lines["group"], lines["method"], _cells(lines), strict=True
    ):
        named = f'<td style="{cell}" title="{escape(method)}">{escape(_name(metric, group))}</td>'
        numbers = "".join(f'<td style="{cell};font-variant-numeric:tabular-nums">{escape(one)}</td>' for one in line)
        body.append(f'<tr style="background:transparent">{named}{numbers}</tr>')
    parts = [f'<div style="font-size:15px;font-weight:600">{escape(comparison.title)}</div>']
    parts += [
        f'<div style="border-left:3px solid #d9722a;padding-left:10px;margin:6px 0">{escape(note)}</div>'
        for note in comparison.notes
    ]
    looks = "border-collapse:collapse;border:0;font-size:13px;margin:4px 0 6px"
    parts.append(f'<table style="{looks}"><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table>')
    if left:
        parts.append(f'<div style="{muted};font-size:12px">{left} more lines in <code>.metrics</code></div>')
    words = needed_words(comparison)
    parts += [f'<div style="{muted};margin:4px 0">{escape(words)}</div>'] if words else []
    if comparison.by and len(lines):
        parts.append(image("difference", comparison.chart()))
    limits = "".join(f'<li style="margin:2px 0">{escape(limit)}</li>' for limit in comparison.limits)
    summary = '<summary style="cursor:pointer">What this cannot show</summary>'
    parts.append(f'<details style="{muted};font-size:12px">{summary}<ul style="margin:4px 0">{limits}</ul></details>')
    font = "font-family:var(--jp-ui-font-family, system-ui, sans-serif);font-size:13px;line-height:1.45"
    return f'<div style="{font};max-width:1000px">{"".join(parts)}</div>'


def fragility_html(found: "Fragility") -> str:
    """Return a number under many choices for a notebook's cell: sentences, the curve, how to read it, the limits."""
    return _page(found.title, found.notes, found.sentences, image("specification_curve", found.chart()), found.limits)


def robustness_html(found: "Robust") -> str:
    """Return several models here and elsewhere for a notebook's cell: the line, who stands away from it, the chart, the limits."""
    slope = found.slope
    said = [f"The slope of the line is {format_metric(slope.value, slope.low, slope.high)} (logits)."]
    apart = found.metrics[(found.metrics["low"] > 0) | (found.metrics["high"] < 0)]
    for name, value, low, high in apart[["model", "value", "low", "high"]].itertuples(index=False, name=None):
        side = "above" if value > 0 else "below"
        said.append(f"{name} stands {side} the line: {format_metric(value, low, high)}.")
    return _page(found.title, found.notes, said, image("effective_robustness", found.chart()), found.limits)


def _page(title: str, notes: Sequence[str], said: Sequence[str], picture: str, limits: Sequence[str]) -> str:
    """Return title, notes, sentences, a picture and limits; every text is escaped."""
    muted = "color:var(--jp-ui-font-color2, #767676)"
    parts = [f'<div style="font-size:15px;font-weight:600">{escape(title)}</div>']
    parts += [
        f'<div style="border-left:3px solid #d9722a;padding-left:10px;margin:6px 0">{escape(note)}</div>'
        for note in notes
    ]
    parts += [f'<div style="margin:6px 0">{escape(sentence)}</div>' for sentence in said]
    parts.append(picture)
    listed = "".join(f'<li style="margin:2px 0">{escape(limit)}</li>' for limit in limits)
    summary = '<summary style="cursor:pointer">What this cannot show</summary>'
    parts.append(f'<details style="{muted};font-size:12px">{summary}<ul style="margin:4px 0">{listed}</ul></details>')
    font = "font-family:var(--jp-ui-font-family, system-ui, sans-serif);font-size:13px;line-height:1.45"
    return f'<div style="{font};max-width:1000px">{"".join(parts)}</div>'


def _lines(comparison: "Comparison") -> tuple["pd.DataFrame", int]:
    """Return the lines to show, the headline's first: of all examples, then of the slices; and how many more there are."""
    metrics, wanted = comparison.metrics, list(comparison.headline)
    shown = metrics[metrics["metric"].isin(wanted)]
    place = shown["metric"].map({name: at for at, name in enumerate(wanted)})
    shown = shown.assign(_slice=shown["group"] != OVERALL, _place=place).sort_values(
        ["_slice", "_place"], kind="stable"
    )
    kept = shown[~shown["_slice"] | (shown["_place"] == 0)].head(MOST)
    return kept, len(metrics) - len(kept)


def _name(metric: str, group: str) -> str:
    return metric_title(metric) if group == OVERALL else f"{metric_title(metric)}, {group}"


def _cells(lines: "pd.DataFrame") -> list[tuple[str, str, str, str, str]]:
    """Return both values, the difference with its interval, p and n of each line, as text."""
    columns = ["value_a", "value_b", "difference", "low", "high", "p", "p_holm", "group", "n"]
    found = []
    for one, two, difference, low, high, p, corrected, group, n in lines[columns].itertuples(index=False, name=None):
        digits = decimals((high - low) / 2)
        chance = "" if p != p else f"p {_chance(p)}"
        if p == p and group != OVERALL:
            chance += f", Holm {_chance(corrected).removeprefix('= ')}"
        said = format_metric(difference, low, high)
        found.append((format_number(one, digits), format_number(two, digits), said, chance, format_count(n)))
    return found


def _chance(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.3f}" if p < 0.1 else f"= {p:.2f}"


def _printable(said: str) -> str:
    """Return the text without control characters: a name must not move a terminal's cursor."""
    return "".join(char if char.isprintable() else " " for char in said)
