"""Findings that were confirmed on held-out rows, tested again on the rows that a replay made.

The log of a report says what was tested, how (correction, family, direction, level) and with which result. Logs that were written
before it said how are asked again in every way: theirs is the one that gives the logged results on the frozen rows.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby, product, starmap
from typing import Any, NamedTuple

from workbench._confirm_show import UNTESTED
from workbench._selections import CONFIRM, Selection
from workbench.errors import WorkbenchError
from workbench.reports import Report

__all__ = ["Tested", "tested_again"]

FAMILY = r"\w+(?:-\w+)? over [\d,]+"  # "Holm over 12": what tells two calls of the same second apart
LEVEL = 0.05
CORRECTIONS, FAMILIES, DIRECTIONS = ("holm", "bh"), ("tried", "asked"), ("either", "explored")


class How(NamedTuple):
    """How findings were tested together."""

    correction: str
    family: str
    direction: str
    level: float = LEVEL


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

    def call(line: Selection) -> tuple[Any, ...]:
        counted = (line.counted, *re.findall(FAMILY, line.result))
        return line.source == CONFIRM, line.time, line.metric, _how(line), counted

    for (is_test, *_), part in groupby(known, key=call):
        lines = list(part)
        if is_test:
            yield known[:start], lines
        start += len(lines)


def _how(line: Selection) -> How | None:
    """Return how a finding was tested, None where its log does not say."""
    return How(line.correction, line.family, line.direction, line.level) if line.correction else None


def _again(frozen: Report, made: Report, before: list[Selection], lines: list[Selection]) -> list[Selection]:
    """Return the same tests on the new rows, [] where they cannot be made, or no way gives the frozen results again."""
    known = _how(lines[0])
    if known is not None:
        return _tests(made, before, lines, known)
    for how in starmap(How, product(CORRECTIONS, FAMILIES, DIRECTIONS)):
        tried = _tests(frozen, before, lines, how)
        if [line.result for line in tried] == [line.result for line in lines]:
            return _tests(made, before, lines, how)
    return []


def _tests(report: Report, before: list[Selection], lines: list[Selection], how: How) -> list[Selection]:
    """Return what `confirm` would log."""
    copy = replace(report, _log=list(before))
    try:
        copy.confirm([line.description for line in lines], metric=lines[0].metric or None, **how._asdict())
    except WorkbenchError:
        return []
    return [line for line in copy._log[len(before) :] if line.source == CONFIRM]
