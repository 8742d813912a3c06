"""A report as Markdown: its numbers with intervals and n, its limits and its run record; text of data and models is escaped."""

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from workbench._format import format_count, metric_parts
from workbench._report_html import facts, label, overall
from workbench._selections import looks
from workbench.errors import counted

if TYPE_CHECKING:
    from workbench.reports import Report

__all__ = ["escaped", "limits", "numbers", "record", "table", "to_markdown"]

MARKS = "\\`*_[]|~$#!"
ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
LONG = 400  # characters of one value of a run record


def escaped(said: object) -> str:
    r"""Return text that Markdown shows as it is, on one line: no HTML, no link, no emphasis, no structure.

    >>> print(escaped("<b>a_b</b> | [x](http://y)"))
    &lt;b&gt;a\_b&lt;/b&gt; \| \[x\](http&#58;//y)
    """
    flat = " ".join("".join(char if char.isprintable() else " " for char in str(said)).split())
    text = "".join(f"\\{char}" if char in MARKS else ENTITIES.get(char, char) for char in flat)
    text = text.replace("://", "&#58;//").replace("www.", "www&#46;").replace("@", "&#64;")
    first = text.split(" ", 1)[0]
    digits = first[:-1].isdigit() and first[-1:] in ".)"  # "1." and "1)" begin a list
    if digits:
        return f"{first[:-1]}\\{first[-1]}{text[len(first) :]}"
    return f"\\{text}" if text[:1] in "+-=" and text else text


def table(head: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    r"""Return a table; every cell is escaped here.

    >>> print(table(["a"], [["1 | 2"]]))
    | a |
    |---|
    | 1 \| 2 |
    """
    rows = [f"| {' | '.join(escaped(cell) for cell in line)} |" for line in lines]
    return "\n".join([f"| {' | '.join(map(escaped, head))} |", f"|{'---|' * len(head)}", *rows])


def numbers(report: "Report", *, headline: bool = False) -> str:
    """Return the table of the overall metrics, with interval, n and method; those of the probe's headline alone where asked."""
    columns = ["metric", "group", "value", "low", "high", "n", "method"]
    shown = overall(report) if len(report.explored) else report.metrics
    if headline and set(report.headline) & set(shown["metric"]):
        shown = shown[shown["metric"].isin(report.headline)]
    lines = [
        (label(report, metric, group), *metric_parts(value, low, high, method), format_count(n), method)
        for metric, group, value, low, high, n, method in shown[columns].itertuples(index=False, name=None)
    ]
    return table(("metric", "value", "95 % interval", "n", "method"), lines) if lines else "No example was answered."


def limits(report: "Report") -> str:
    """Return what the report cannot show, and how much was looked at, as a list."""
    said = [escaped(limit) for limit in report.limits]
    tried = looks(report._log)
    if tried:
        told = counted(tried, "selection of these examples was", "selections of these examples were")
        said.append(f"{told} looked at before this was written.")
    return "\n".join(f"- {line}" for line in said)


def record(report: "Report") -> str:
    """Return the run record as a table of what is not empty."""
    lines = []
    for name, value in report.record.as_dict().items():
        if isinstance(value, dict):
            lines += [(f"{name}: {key}", _short(part)) for key, part in value.items() if part not in ("", None, [], {})]
        elif value not in ("", None, [], {}):
            lines.append((name, _short(value)))
    return table(("", "run record"), lines)


def to_markdown(report: "Report", *, level: int = 2) -> str:
    """Return the report: its facts, notes, findings, numbers, limits and run record."""
    mark = "#" * level
    parts = [f"{mark} {escaped(report.title)}", escaped(report.question)]
    parts.append("\n".join(f"- {name}: {escaped(value)}" for name, value in facts(report).items()))
    parts.append("\n".join(f"> {escaped(note)}  " for note in report.notes))
    parts.append("\n".join(f"- {escaped(finding)}" for finding in report.findings))
    parts += [f"{mark}# Numbers", numbers(report), f"{mark}# What this cannot show", limits(report)]
    parts += [f"{mark}# Run record", record(report)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _short(value: Any) -> str:
    said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return said if len(said) <= LONG else f"{said[:LONG]}…"
