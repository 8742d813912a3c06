"""What confirming found: a table, its text and HTML, and what a report says of its findings. Every text is escaped."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench._format import decimals, format_count, format_metric, format_number
from workbench._report_tables import table
from workbench._selections import CONFIRM
from workbench._text import escape
from workbench.charts.metrics import metric_title
from workbench.errors import UsageError, counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from workbench.reports import Report

__all__ = [
    "CONFIRMED",
    "LIMITS",
    "NOT",
    "UNTESTED",
    "Confirmation",
    "result_of",
    "said_parts",
    "status_lines",
    "status_table",
]

CONFIRMED, NOT, UNTESTED = "confirmed", "not confirmed", "cannot be tested"
CORRECTIONS = {"holm": "Holm", "bh": "Benjamini-Hochberg"}
MOST = 30  # lines that are shown; the rest is in `.findings`
FIRST = 6  # findings that a report's own text names
LIMITS = (
    "The held-out half counts as not looked at. Whoever read report.rows, or asked, looked on and asked again, has looked; no "
    "program can know.",
    "Counted is what was logged: brushes, thresholds, searches for slices, parts (report.where) whose numbers were asked for, the "
    "report's own slices. Slices taken from report.rows are not; log them with report.log_selection(..., rule={...}).",
    "Not confirmed is not refuted: the half may be too small, and the note says what it could have seen.",
    "Confirmed is that the slice differs from all other rows, not why; slices that overlap share their reasons.",
    "The interval is of this finding alone, at 95 %; the correction is in the p-value.",
    "A slice by a number that the metric is made of (the confidence, for a loss of it) differs by its making.",
)


@dataclass(frozen=True, eq=False, repr=False)
class Confirmation:
    """Findings, tested on the half that was held out.

    `findings` has one line per slice: slice, metric, status ("confirmed", "not confirmed", "cannot be tested"), explored with
    explored_low, explored_high and explored_n (slice minus rest where it was found: optimistic), difference with low, high
    and n (the same in the held-out rows), p, p_adjusted, note, method, rule. `tried` is how many tests the correction counts.
    """

    report: "Report"
    findings: "pd.DataFrame"
    metric: str
    correction: str
    level: float
    tried: int
    held: "pd.DataFrame"
    notes: tuple[str, ...] = ()
    limits: tuple[str, ...] = LIMITS

    @property
    def title(self) -> str:
        """What was tested, in one line."""
        return f"{self.report.title}: {metric_title(self.metric)} on the half not seen"

    def rows(self, slice: str) -> "pd.DataFrame":  # noqa: A002 — what it is called in the table
        """Return the held-out rows of a finding, by its words."""
        from workbench._rules import Rule

        mine = self.findings[self.findings["slice"] == slice]
        if not len(mine) or not mine["rule"].iloc[0]:
            known = ", ".join(map(repr, self.findings["slice"][self.findings["rule"] != ""]))
            raise UsageError(f"There is no finding {slice!r} with rows. Known: {known}.")
        return self.held[Rule.from_text(mine["rule"].iloc[0]).holds(self.held)].reset_index(drop=True)

    def chart(self) -> Any:
        """Return a forest plot: each finding in the explored half and in the held-out one."""
        from workbench.charts.confirm import explored_and_confirmed
        from workbench.charts.offline import offline

        return offline(explored_and_confirmed(self.findings, self.metric))

    @property
    def _about(self) -> str:
        clusters, n = self.held["cluster"].nunique(), len(self.held)
        independent = "" if clusters == n else f" in {clusters:,} clusters"
        return (
            f"slice minus rest; {CORRECTIONS[self.correction]} over {counted(self.tried, 'test')}, level {self.level:g}; "
            f"{n:,} held-out rows{independent}"
        )

    def __repr__(self) -> str:
        said = [_printable(self.title), f"  {self._about}", *(f"! {note}" for note in self.notes)]
        for line in self.findings.head(MOST).to_dict("records"):
            seen = format_metric(line["explored"], line["explored_low"], line["explored_high"])
            said.append(_printable(f"  {line['status']}: {line['slice']}"))
            if line["rule"]:
                said.append(f"    explored {seen}, n = {format_count(line['explored_n'])}; held out {_numbers(line)}")
            said += [f"    {_printable(line['note'])}"] if line["note"] else []
        left = len(self.findings) - MOST
        return "\n".join([*said, f".findings{f' ({left} more)' if left > 0 else ''}, .rows(slice), .chart(), .limits"])

    def _repr_html_(self) -> str:
        from workbench._report_html import image

        muted = "color:var(--jp-ui-font-color2, #767676)"
        body = [f'<div style="font-size:15px;font-weight:600">{escape(self.title)}</div>']
        body.append(f'<div style="{muted};margin-bottom:6px">{escape(self._about)}</div>')
        body += [
            f'<div style="border-left:3px solid #d9722a;padding-left:10px;margin:6px 0">{escape(note)}</div>'
            for note in self.notes
        ]
        body.append(_notebook_table(self.findings.head(MOST)))
        if len(self.findings) > MOST:
            body.append(f'<div style="{muted}">{len(self.findings) - MOST} more in <code>.findings</code></div>')
        if self.findings["difference"].notna().any():
            body.append(image("explored_and_confirmed", self.chart()))
        limits = "".join(f'<li style="margin:2px 0">{escape(limit)}</li>' for limit in self.limits)
        summary = '<summary style="cursor:pointer">What this cannot show</summary>'
        body.append(
            f'<details style="{muted};font-size:12px">{summary}<ul style="margin:4px 0">{limits}</ul></details>'
        )
        font = "font-family:var(--jp-ui-font-family, system-ui, sans-serif);font-size:13px;line-height:1.45"
        return f'<div style="{font};max-width:1000px">{"".join(body)}</div>'


def _notebook_table(findings: "pd.DataFrame") -> str:
    cell = "padding:3px 18px 3px 0;border:0;border-bottom:1px solid var(--jp-border-color2, #8080804d);"
    cell += "text-align:left;vertical-align:top"
    quiet = f"{cell};font-weight:normal;color:var(--jp-ui-font-color2, #767676)"
    names = ("slice", "", "explored", "held out, 95 % interval", "p", "corrected", "n")
    head = "".join(f'<th style="{quiet}">{escape(name)}</th>' for name in names)
    body = []
    for line in findings.to_dict("records"):
        weight = ";font-weight:600" if line["status"] == CONFIRMED else ""
        note = f'<div style="font-size:12px;color:var(--jp-ui-font-color2, #767676);max-width:26em">{escape(line["note"])}</div>'
        cells = [
            f'<td style="{cell};max-width:22em;overflow-wrap:anywhere">{escape(line["slice"])}</td>',
            f'<td style="{cell}{weight}">{escape(line["status"])}{note if line["note"] else ""}</td>',
        ]
        tested = line["difference"] == line["difference"]
        numbers = (
            _seen(line) if tested else "",
            format_metric(line["difference"], line["low"], line["high"]) if tested else "",
            *(_chance(line[name]).removeprefix("= ") for name in ("p", "p_adjusted")),
            format_count(line["n"]) if tested else "",
        )
        cells += [
            f'<td style="{cell};white-space:nowrap;font-variant-numeric:tabular-nums">{escape(said)}</td>'
            for said in numbers
        ]
        body.append(f'<tr style="background:transparent" title="{escape(line["method"])}">{"".join(cells)}</tr>')
    looks = "border-collapse:collapse;border:0;font-size:13px;margin:4px 0 6px"
    return f'<table style="{looks}"><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table>'


def result_of(line: "Mapping[Any, Any]", correction: str, m: int) -> str:
    """Return what came of a finding in one line, for the log."""
    if line["status"] == UNTESTED:
        return str(line["note"])
    return f"held out {_numbers(line, CORRECTIONS[correction], m)}; explored {_seen(line)}"


def said_parts(line: "Mapping[Any, Any]", correction: str, m: int) -> dict[str, str]:
    """Return the numbers of a finding that was tested, each in words: effect with interval, explored, corrected p, n."""
    over = f"{CORRECTIONS[correction]} over {counted(m, 'test')}"
    return {
        "effect": format_metric(line["difference"], line["low"], line["high"]),
        "explored": _seen(line),
        "p": f"corrected p {_chance(line['p_adjusted'])} ({over})",
        "n": f"n = {format_count(line['n'])}",
    }


def status_lines(report: "Report") -> list[str]:
    """Return what a report says of its findings: each that was tested, by its last test, and how many were not."""
    tests, left = _last(report), _left(report)
    said = [f"{line.status}: {line.description}, {metric_title(line.metric)}: {line.result}" for line in tests[:FIRST]]
    rest = [line.status for line in tests[FIRST:]]
    said += [
        f"{counted(rest.count(status), 'further finding')} {status} (.selections)" for status in dict.fromkeys(rest)
    ]
    held = bool((report.rows["half"] == "confirm").any())
    if left and (held or said):
        said.append(f"explored only: {counted(left, 'selection')} (.selections)")
    return said


def status_table(report: "Report") -> str:
    """Return the same as an HTML table, "" where nothing was tested."""
    lines = [(line.description, metric_title(line.metric), line.status, line.result) for line in _last(report)]
    if not lines:
        return ""
    left = _left(report)
    caption = (
        f"{counted(left, 'further selection was', 'further selections were')} explored and not tested" if left else ""
    )
    head = [("slice", "t"), ("metric", ""), ("status", ""), ("slice minus rest", "t")]
    return table(head, lines, caption)


def _last(report: "Report") -> list[Any]:
    """Return the last test of each slice and metric, what is confirmed first."""
    found = {(line.rule or line.description, line.metric): line for line in report._log if line.source == CONFIRM}
    return sorted(found.values(), key=lambda line: (CONFIRMED, NOT, UNTESTED).index(line.status))


def _left(report: "Report") -> int:
    """Return how many slices were looked at and never tested."""
    tested = {line.rule or line.description for line in _last(report)}
    looked = {line.rule or line.description for line in report._log if line.source != CONFIRM}
    return len(looked - tested)


def _seen(line: "Mapping[Any, Any]") -> str:
    return (
        "none"
        if line["explored"] != line["explored"]
        else format_number(line["explored"], decimals((line["explored_high"] - line["explored_low"]) / 2))
    )


def _numbers(line: "Mapping[Any, Any]", correction: str = "corrected", m: int = 0) -> str:
    """Return the held-out difference with its interval, p, corrected p and n."""
    if line["status"] == UNTESTED:
        return "not tested"
    over = f" over {m}" if m else ""
    value = format_metric(line["difference"], line["low"], line["high"])
    return f"{value}, p {_chance(line['p'])}, {correction}{over} {_chance(line['p_adjusted'])}, n = {format_count(line['n'])}"


def _chance(p: float) -> str:
    if p != p:
        return ""
    return "< 0.001" if p < 0.001 else f"= {p:.3f}" if p < 0.1 else f"= {p:.2f}"


def _printable(said: str) -> str:
    """Return the text without control characters: a name must not move a terminal's cursor."""
    return "".join(char if char.isprintable() else " " for char in said)
