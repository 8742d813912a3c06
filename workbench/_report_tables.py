"""Tables of a report's HTML: every cell is escaped here."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench._format import format_count, format_number
from workbench._text import escape

if TYPE_CHECKING:
    import pandas as pd

    from workbench.reports import Report

__all__ = ["edits", "examples", "table"]

OVERALL = "all"
MOST_EDITS, MOST_ANSWERS = 50, 3
CELL = 300  # characters of an example's text
MOST_BYTES = 550_000  # of the examples' table, so that the document stays under 1 MB
FIRST = ("example", "group", "text", "label", "predicted", "confidence", "correct")
CLASSES = {"text": "t", "number": "n", "hit": ""}  # of a View's kinds


class _Column(NamedTuple):
    """A column of the examples' table: the rows' column, its title and class, and the words of 1 and 0."""

    name: str
    title: str
    kind: str = ""
    words: tuple[str, str] | None = None


def table(head: Sequence[tuple[str, str]], lines: Iterable[Sequence[str]], caption: str = "") -> str:
    """Return a table; `head` is each column's name and class ("n" number, "t" text), cells are escaped here.

    >>> "<td>a &lt; b</td>" in table([("what", "")], [["a < b"]])
    True
    """
    top = "".join(f'<th class="{kind}">{escape(name)}</th>' for name, kind in head)
    kinds = [f' class="{kind}"' if kind else "" for _, kind in head]
    body = "".join(
        f"<tr>{''.join(f'<td{kind}>{escape(cell)}</td>' for kind, cell in zip(kinds, line, strict=True))}</tr>"
        for line in lines
    )
    said = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f'<div class="scroll"><table>{said}<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def edits(report: "Report") -> str:
    """Return the table of the latest edits that were asked, with their answers old and new, "" where there was none."""
    from workbench._edited import answers_of
    from workbench.charts.metrics import metric_title

    frame = report.edits
    if not len(frame):
        return ""
    names = answers_of(frame)[:MOST_ANSWERS]
    texts = [name for name in getattr(report._probe, "texts", ()) if name in frame]
    head = [("Asked", ""), ("Example", ""), *((f"Changed {name}", "t") for name in texts)]
    head += [(metric_title(name), "") for name in names] + [("Model", "")]
    lines = []
    for line in frame.iloc[::-1].head(MOST_EDITS).to_dict("records"):
        answers = [f"{_cell(line[f'{name}_old'], None)} → {_cell(line[f'{name}_new'], None)}" for name in names]
        said = [
            str(line.get("time") or "")[:16].replace("T", " "),
            str(line["example"]),
            *(_cell(line[name], None) for name in texts),
        ]
        lines.append([*said, *answers, str(line.get("model") or "")])
    more = f"The latest {MOST_EDITS} of {format_count(len(frame))}. " if len(frame) > MOST_EDITS else ""
    return table(head, lines, f"{more}One example asked once has no interval: old is the unchanged text, asked then.")


def examples(report: "Report", most: int) -> str:
    """Return the table of at most so many examples, "" where there is nothing to show.

    Those of a view have its columns, the largest values first; where rows know of confidence and outcome, the most confident
    errors come first.
    """
    columns = _columns(report)
    if not len(report.explored) or not columns:
        return ""
    rows, order = _ordered(report, columns)
    lines, size = [], 0
    for row in rows[[column.name for column in columns]].head(most).itertuples(index=False, name=None):
        line = [_cell(value, column.words) for value, column in zip(row, columns, strict=True)]
        size += sum(len(escape(cell).encode()) + 20 for cell in line)
        if size > MOST_BYTES:
            break
        lines.append(line)
    caption = f"{format_count(len(lines))} of {format_count(len(rows))} rows, {order}"
    return table([(column.title, column.kind) for column in columns], lines, caption)


def _columns(report: "Report") -> list[_Column]:
    """Return the columns to show: the view's or the usual ones, then the slices; not what is empty or a group that says nothing."""
    rows, view = report.explored, report.view
    if view is None or not view.columns:
        kinds = {"text": "t", "confidence": "n"}
        words = {"correct": ("right", "wrong")}
        found = [_Column(name, name, kinds.get(name, ""), words.get(name)) for name in FIRST]
    else:
        found = [_Column("example", "example")]
        found += [
            _Column(name, title, CLASSES.get(kind, ""), view.words(name) if kind == "hit" else None)
            for name, title, kind in view.columns
            if kind != "image"
        ]
    named = {column.name for column in found}
    found += [_Column(name, name) for name in report.by if name not in named]
    silent = "group" in rows and set(rows["group"]) == {OVERALL}
    found = [column for column in found if column.name in rows and not (silent and column.name == "group")]
    return [column for column in found if not rows[column.name].eq("").all()]


def _ordered(report: "Report", columns: Sequence[_Column]) -> tuple["pd.DataFrame", str]:
    """Return the rows in the order to show, and what that order is."""
    rows, view = report.explored, report.view
    if view is not None:
        return rows.sort_values(view.value, ascending=False, kind="stable"), f"in descending order of {view.title}"
    if {"confidence", "correct"} <= {column.name for column in columns}:
        by = ["correct", "confidence"]
        return rows.sort_values(by, ascending=[True, False], kind="stable"), "most confident errors first"
    return rows, "in the order of the data"


def _cell(value: Any, words: tuple[str, str] | None) -> str:
    """Return a value of a row in at most CELL characters; what is missing is empty, 1 and 0 are the words."""
    if value is None or (isinstance(value, float) and value != value):
        return ""
    if words is not None and float(value) in (0.0, 1.0):
        return words[0] if value else words[1]
    said = format_number(value) if isinstance(value, float) else str(value)
    return said if len(said) <= CELL else said[: CELL - 1] + "…"
