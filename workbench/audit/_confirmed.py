"""Findings that were confirmed on held-out rows, tested again on the rows that a replay made.

The log of a report says what was tested, when and with which result, not with which correction, family and direction; those are the
ones that give the logged results on the frozen rows.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby, product
from typing import NamedTuple

from workbench._confirm_show import UNTESTED
from workbench._selections import CONFIRM, Selection
from workbench.errors import WorkbenchError
from workbench.reports import Report

__all__ = ["Tested", "tested_again"]

FAMILY = r"\w+(?:-\w+)? over [\d,]+"  # "Holm over 12": what tells two calls of the same second apart
CORRECTIONS, FAMILIES, DIRECTIONS = ("holm", "bh"), ("tried", "asked"), ("either", "explored")


class Tested(NamedTuple):
    """A finding with its status and result, frozen and now; `now` is "" where it could not be tested again."""

    finding: str
    frozen: str
    now: str
    result: str


def tested_again(frozen: Report, made: Report) -> list[Tested]:
    """Return what became of each finding that was tested on held-out rows."""
    found = []
    for before, lines in _calls(frozen._log):
        name = f"{lines[0].metric}: " if lines[0].metric else ""
        now = _again(frozen, made, before, lines)
        for at, line in enumerate(lines):
            status, result = (now[at].status, now[at].result) if now else ("", "the test could not be made again")
            found.append(
                Tested(f"{line.status}: {name}{line.description} ({line.result})", line.status, status, result)
            )
    return found


def _calls(log: list[Selection]) -> Iterator[tuple[list[Selection], list[Selection]]]:
    """Give the tests of each call of `confirm`, with what the log held before it."""
    start, known = 0, [line for line in log if line.status != UNTESTED]

    def call(line: Selection) -> tuple[bool, str, str, tuple[str, ...]]:
        return line.source == CONFIRM, line.time, line.metric, tuple(re.findall(FAMILY, line.result))

    for (is_test, *_), part in groupby(known, key=call):
        lines = list(part)
        if is_test:
            yield known[:start], lines
        start += len(lines)


def _again(frozen: Report, made: Report, before: list[Selection], lines: list[Selection]) -> list[Selection]:
    """Return the same tests on the new rows, [] where no way of testing gives the frozen results on the frozen rows."""
    for correction, family, direction in product(CORRECTIONS, FAMILIES, DIRECTIONS):
        tried = _tests(frozen, before, lines, correction, family, direction)
        if [line.result for line in tried] == [line.result for line in lines]:
            return _tests(made, before, lines, correction, family, direction)
    return []


def _tests(
    report: Report, before: list[Selection], lines: list[Selection], correction: str, family: str, direction: str
) -> list[Selection]:
    """Return what `confirm` would log."""
    copy = replace(report, _log=list(before))
    try:
        copy.confirm(
            [line.description for line in lines],
            metric=lines[0].metric or None,
            correction=correction,
            family=family,
            direction=direction,
        )
    except WorkbenchError:
        return []
    return copy._log[len(before) :]
