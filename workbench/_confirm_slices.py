"""The slices of a report that are to be confirmed, and all those that were tried."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench._looks import shown_slices, within
from workbench._rules import Rule, parsed, plain, rule_of
from workbench._selections import CONFIRM
from workbench.errors import UsageError, unknown

if TYPE_CHECKING:
    from workbench.reports import Report

__all__ = ["Slice", "asked_slices", "beyond", "tried_slices"]


class Slice(NamedTuple):
    """A slice in words, its rule, or None where ids alone say it; how many it stands for."""

    words: str
    rule: Rule | None
    tried: int = 1


def tried_slices(report: "Report") -> list[Slice]:
    """Return everything that was looked at: the log, and the slices that the report's metrics list, which every view shows."""
    metrics = report.metrics  # first: the slices that a part lists are noted with its metrics
    found = [
        Slice(line.description, Rule.from_text(line.rule) if line.rule else None, line.tried)
        for line in report._log
        if line.source != CONFIRM
    ]
    if report._look is not None:
        found += [Slice(rule.words, rule) for rule in report._look.shown]
    if report._look is None or report._look.rule is not None:
        found += [_within(report, Slice(rule.words, rule)) for rule in shown_slices(report, metrics)]
    return _unique(found)


def _unique(slices: Iterable[Slice]) -> list[Slice]:
    """Return each slice once: by its rule, without one by its words."""
    kept: dict[str, Slice] = {}
    for one in slices:
        kept.setdefault(f"ids\x1f{one.words}" if one.rule is None else one.rule.text, one)
    return list(kept.values())


def beyond(tried: Iterable[Slice]) -> int:
    """Return how many slices were tried that no rule carries: each counts as a test that found nothing."""
    return sum(one.tried - (one.rule is not None) for one in tried)


def asked_slices(report: "Report", slices: Any) -> list[Slice]:
    """Return the slices that are meant, each once; raise `UsageError` for what is none."""
    return _unique(_found(report, one) for one in _several(slices))


def _several(slices: Any) -> Sequence[Any]:
    if isinstance(slices, (str, Mapping, Rule)):
        return [slices]
    if not isinstance(slices, (list, tuple)):
        raise UsageError(
            f"confirm() takes a slice, such as {{'domain': 'law'}}, or a list of them; found {type(slices).__name__}. "
            "A table of rows is no rule."
        )
    if not slices:
        raise UsageError("The list of slices is empty. Leave it out to test all that was tried.")
    return slices


def _found(report: "Report", one: Any) -> Slice:
    """Return the slice that is meant: a kept or logged selection, a mapping, or words."""
    if isinstance(one, str):
        same = [line for line in report._log if line.name == one] or [
            line for line in report._log if line.description == one
        ]
        if same and not any(line.rule for line in same):
            raise UsageError(
                f"The selection {one!r} is a set of examples, not a rule of columns, and the held-out half has other examples. "
                "Name it by columns: report.confirm({'domain': 'law', 'confidence': (0.6, 0.8)})."
            )
        if same:
            last = next(line for line in reversed(same) if line.rule)
            return _within(report, Slice(last.description, Rule.from_text(last.rule)))
        rule = parsed(one, report.rows)
    elif isinstance(one, Mapping):
        rule = rule_of(one)
    elif isinstance(one, Rule):
        rule = one
    else:
        raise UsageError(f"{one!r} is no slice. Write {{'domain': 'law'}} or 'domain: law'; an id is no rule.")
    for condition in rule.conditions:
        if not condition.holds(report.rows).any():
            column = report.rows.get(condition.column)
            known = [] if column is None else sorted({plain(value) for value in column.dropna()})[:20]
            raise unknown(f"value of {condition.column}", condition.words.partition(" ")[2], known)
    return _within(report, Slice(rule.words, rule))


def _within(report: "Report", one: Slice) -> Slice:
    """Return a slice of a part as all rows have it: with the part's own rule, where it has one."""
    rule = None if one.rule is None else within(report, one.rule)
    return one if rule is None or rule == one.rule else Slice(rule.words, rule)
