"""Looks: which slices' numbers a person was shown, beside what a brush or a search logs.

A look is a slice whose numbers were made to be read: it could have become a finding. Four rules follow.

* The slices that a report's metrics list are looks: the values of `by`, those of `group`, and intersections ("sex & race=f & x").
  A report by itself need not log them, every view shows them; `shown_slices` names them for `confirm`.
* A part (`Report.where`) is a look when its metrics, tables or charts are first asked for, and so are the slices that these list.
  Making a part, or reading its rows, shows no number of it.
* Other slices of the same rows (`with_options(by=...)`, more intersections) are looks when they are first computed.
* The same rows are one look: a rule that the log holds is not logged again, nor is a part by ids that are those of a logged rule,
  of a named selection, or of a brush that no rule says (`Log.by_ids`, while the kernel lives).
"""

import textwrap
from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench._record import now
from workbench._rules import Condition, Rule, plain, rule_of
from workbench._selections import CONFIRM, Selection
from workbench.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from workbench.reports import Report

__all__ = ["Look", "by_look", "ids_key", "look_of", "note", "part_look", "shown_slices", "within"]

GROUP, CROSSED, WHERE = "group", " & ", "where"
MOST_CROSSED = 4  # columns of an intersection
LONGEST = 60  # characters of a part in a title


class Look(NamedTuple):
    """What a derived report shows: its rule (None: ids alone say it) in words, and the columns whose slices its source lists."""

    rule: Rule | None = Rule(())
    words: str = ""
    known: frozenset[tuple[str, ...]] = frozenset()
    source: "Report | None" = None  # the report that all was derived from
    listed: tuple[Rule, ...] = ()  # what that report lists, where the part was saved and opened without it

    @property
    def shown(self) -> list[Rule]:
        """The slices that the report lists that all was derived from."""
        return list(self.listed) if self.source is None else shown_slices(self.source, self.source.metrics)

    @property
    def beside(self) -> str:
        """What follows the title of a part, "" for all rows.

        >>> Look(words="domain: law").beside, Look(words="").beside
        (', part: domain: law', '')
        """
        return f", part: {textwrap.shorten(self.words, LONGEST, placeholder=' …')}" if self.words else ""

    @property
    def told(self) -> dict[str, Any]:
        """What a saved part keeps of it, as JSON."""
        rule = None if self.rule is None else self.rule.text
        known = sorted(map(list, self.known))
        return {"rule": rule, "words": self.words, "known": known, "listed": [one.text for one in self.shown]}

    def knows(self, rule: Rule) -> bool:
        """Whether the source lists this slice by itself."""
        single = all(len(one.values) == 1 and not one.ranges for one in rule.conditions)
        return single and tuple(sorted(rule.columns)) in self.known


def look_of(told: Mapping[str, Any] | None) -> Look | None:
    """Return the look that `Look.told` wrote, None for a report that is no part; raise `DataError` for anything else.

    >>> look_of({"rule": None, "words": "9 examples by id (0a1b2c)", "known": [["domain"]], "listed": []}).words
    '9 examples by id (0a1b2c)'
    """
    if told is None:
        return None
    try:
        rule = None if told["rule"] is None else _read(told["rule"])
        known = frozenset(tuple(map(str, columns)) for columns in told["known"])
        return Look(rule, str(told["words"]), known, listed=tuple(_read(text) for text in told["listed"]))
    except (KeyError, TypeError, ValueError) as problem:
        raise DataError(f"This saved report is damaged: what it says of its part cannot be read ({problem}).") from None


def _read(text: str) -> Rule:
    return Rule.from_text(text) if text else Rule(())


def shown_slices(report: "Report", metrics: "pd.DataFrame") -> list[Rule]:
    """Return the slices that a report's metrics list, each a rule of one column, or of several that are crossed."""
    labels = {str(one) for one in metrics[GROUP].unique()}
    names = {label.partition("=")[0] for label in labels}
    rows, by, found = report.explored, list(report.by), []
    twins = _twins(rows, by) if GROUP in names and GROUP not in by else set()
    if GROUP in names and GROUP not in by and not set(rows[GROUP]) <= twins:
        by.append(GROUP)
    for column in by:
        values = {plain(one) for one in rows[column].dropna().unique()} - {""}
        values -= twins if column == GROUP else set()
        found += [Rule((Condition(column, (value,)),)) for value in sorted(values)]
    for columns in _crossed(by, MOST_CROSSED) if any(CROSSED in name for name in names) else ():
        name = CROSSED.join(columns)
        if name in names:
            for kind in rows[list(columns)].dropna().drop_duplicates().itertuples(index=False, name=None):
                if f"{name}={CROSSED.join(map(str, kind))}" in labels:
                    pairs = zip(columns, kind, strict=True)
                    found.append(Rule(tuple(sorted(Condition(column, (plain(value),)) for column, value in pairs))))
    return found


def _twins(rows: "pd.DataFrame", by: Iterable[str]) -> set[str]:
    """Return the values of `group` that name the very rows of a value of another column: one look, not two."""
    found: set[str] = set()
    for column in by:
        pairs = rows[[column, GROUP]].drop_duplicates()
        alone = pairs[~pairs[column].duplicated(keep=False) & ~pairs[GROUP].duplicated(keep=False)].dropna()
        found |= set(alone[GROUP].map(plain))
    return found


def _crossed(by: Iterable[str], most: int) -> list[tuple[str, ...]]:
    """Return all ways of taking two columns or more."""
    names = list(by)
    return [few for size in range(2, most + 1) for few in combinations(names, size)]


def by_look(report: "Report") -> Look:
    """Return the look of the same rows under other options: what the report lists by itself is known."""
    if report._look is not None:
        return report._look
    crossed = int(report.options.get("intersections", 1))
    columns = dict.fromkeys((*report.by, GROUP))
    several = [tuple(sorted(few)) for few in _crossed(columns, crossed)]
    return Look(known=frozenset([*((name,) for name in columns), *several]), source=report)


def part_look(report: "Report", rows: "pd.DataFrame", ids: Any, columns: Mapping[str, Any]) -> Look | None:
    """Return the look of a part: rows by ids (None, a saved name, or a set) and columns; None where it is no part at all."""
    explored = rows[rows["half"] == "explore"]
    if len(explored) in (0, len(report.explored)):
        return report._look
    base = by_look(report)
    said, rule = [base.words] if base.words else [], base.rule
    if ids is not None:
        words, chosen = _of_ids(report, ids)
        said, rule = [*said, words], _both(rule, chosen)
    if columns:
        several = {name: list(one) if isinstance(one, (list, tuple, set)) else [one] for name, one in columns.items()}
        chosen = rule_of(several)
        said, rule = [*said, chosen.words], _both(rule, chosen)
    return base._replace(rule=rule, words="; ".join(said) if rule is None else rule.words)


def _of_ids(report: "Report", ids: Any) -> tuple[str, Rule | None]:
    """Return the words and the rule of a selection by its name or by its examples: those of the log, where it holds the same."""
    if isinstance(ids, str):
        line = next(line for line in reversed(report._log) if line.name == ids)
        return line.description, Rule.from_text(line.rule) if line.rule else None
    rows = report.explored
    wanted = set(ids) & set(rows["example"])
    for line in {line.rule: line for line in report._log if line.rule and line.n >= len(wanted)}.values():
        rule = Rule.from_text(line.rule)
        if set(rule.columns) <= set(rows.columns) and set(rows["example"][rule.holds(rows)]) == wanted:
            return line.description, rule
    same = next((line for line in report._log if line.examples and set(line.examples) == wanted), None)
    if same is not None:
        return same.description, None
    key = ids_key(wanted)
    return getattr(report._log, "by_ids", {}).get(key, f"{len(wanted):,} examples by id ({key})"), None


def ids_key(ids: Iterable[str]) -> str:
    """Return six digits that tell a set of examples from others, in whatever order.

    >>> ids_key(["a", "b"]) == ids_key(["b", "a", "a"]) != ids_key(["a"])
    True
    """
    import pandas as pd

    unique = pd.Series(list(ids), dtype=object).drop_duplicates()
    return f"{int(pd.util.hash_pandas_object(unique, index=False).sum()) % 16**6:06x}"


def _both(one: Rule | None, other: Rule | None) -> Rule | None:
    """Return the rule that both hold, None where no rule says it."""
    if one is None or other is None:
        return None
    kept = {condition.column: condition for condition in one.conditions}
    for condition in other.conditions:
        mine = kept.get(condition.column)
        if mine is None or mine == condition:
            kept[condition.column] = condition
            continue
        values = tuple(sorted(set(mine.values) & set(condition.values)))
        if mine.ranges or condition.ranges or not values:
            return None
        kept[condition.column] = Condition(condition.column, values)
    return Rule(tuple(sorted(kept.values())))


def within(report: "Report", rule: Rule) -> Rule | None:
    """Return what a rule of a part means in all rows: the part's own rule, too; None where ids alone say the part."""
    look = report._look
    return rule if look is None else _both(look.rule, rule)


def note(report: "Report", metrics: "pd.DataFrame | None" = None) -> None:
    """Log what a derived report shows: its part and, with its metrics, the slices that they list; each once."""
    look = report._look
    if look is None:
        return
    looked = {line.rule or line.description for line in report._log if line.source != CONFIRM}
    n = len(report.explored)

    def log(words: str, rule: Rule | None, rows: int, tried: int = 1) -> None:
        text = "" if rule is None else rule.text
        if (text or words) not in looked:
            looked.add(text or words)
            report._log.append(Selection(now(), WHERE, words, rows, rule=text, tried=tried))

    if look.words:
        log(look.words, look.rule, n)
    if metrics is None:
        return
    listed = shown_slices(report, metrics)
    if look.rule is None:
        if listed:
            log(f"{look.words}; its {len(listed):,} slices by {_names(listed)}", None, n, len(listed))
        return
    for one in listed:
        rule = _both(look.rule, one)
        if rule is not None and not look.knows(rule):
            log(rule.words, rule, int(one.holds(report.explored).sum()))


def _names(rules: list[Rule]) -> str:
    """Return the columns of some rules, each once."""
    return ", ".join(dict.fromkeys(CROSSED.join(rule.columns) for rule in rules))
