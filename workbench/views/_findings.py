"""What was looked at in an explorer and what became of it, and a selection's test on the half that was held out.

The log of the report is watched: a test in any cell, and in the page, moves the marks beside saved selections and slices. The
page's button asks for `report.confirm` of the rule of its brushes; nothing that it does differs from the same line in a cell.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench._confirm_show import CONFIRMED, NOT, UNTESTED, said_parts
from workbench._looks import by_look, ids_key, note
from workbench._rules import LENGTH, Rule
from workbench._selections import CONFIRM, EXPLORED, Log, Selection
from workbench.charts.metrics import metric_title
from workbench.errors import WorkbenchError
from workbench.views import _fields
from workbench.views._live import Latest
from workbench.views._messages import Brush
from workbench.views._rule import rule_of_words, words_of

if TYPE_CHECKING:
    import pandas as pd

    from workbench.reports import Report
    from workbench.views._lens import Lens

__all__ = ["IN_PART", "Findings"]

IN_PART = "confirmed in part"  # by one metric, not by another
ORDER = (EXPLORED, CONFIRMED, IN_PART, NOT, UNTESTED)
MOST = 40  # lines that the page lists
MOMENT = 0.05  # seconds that the log must rest: a test of many slices is told once
NOTHING_HELD = "Nothing is held out, so that there are no rows to confirm on. Run with holdout=0.5."
IDS = "A selection by id is no rule: the held-out half has other examples. Brush charts or slices."
WARM = "The held-out rows are tested as stated: reset the temperature."
OTHERS = "Brushes of other reports are in this selection; clear them to test this report's own."
NO_RULE = "No column of the rows says this selection, so that no held-out rows can be chosen by it."

Send = Callable[[dict[str, Any]], None]


class Asked(NamedTuple):
    """A test that the page asks for: the number of the selection, and its rule."""

    serial: int
    rule: Rule


class Findings:
    """The log of a report as the page shows it, and tests of selections on a thread of their own."""

    def __init__(self, report: "Report", lens: "Lens", rows: "pd.DataFrame", send: Send, changed: Send) -> None:
        self._report, self._lens, self._rows, self._send = report, lens, rows, send
        self.last = ""  # the words that were logged last
        self._places: dict[str, list[int] | None] = {}
        self._held = int((report.rows["half"] == "confirm").sum())
        self._told = Latest(lambda _: changed(self.told()), failed=lambda _, error: self._problem(error), pause=MOMENT)
        self._tests = Latest(self._test, failed=lambda _, error: self._problem(error))
        note(report)  # of a part: it is looked at now
        if isinstance(report._log, Log):
            report._log.watch(self.heard)

    def heard(self) -> None:
        """Tell the page that the log has grown."""
        self._told.put(len(self._report._log))

    def join(self, seconds: float) -> None:
        """Wait until tests are made and told, at most so many seconds each."""
        self._tests.join(seconds)
        self._told.join(seconds)

    # -- looks -----------------------------------------------------------------------------------------------------------

    def looked(self, words: str, brush: Brush, chosen: NDArray[np.bool_]) -> str:
        """Log that rows (n,) were looked at, if they are not the last ones again; return why they cannot be tested, or ""."""
        if not words:
            return ""
        rule, why_not = self._rule(words, brush)
        said = words if rule is not None else self._by_ids(words, brush, chosen)
        if said != self.last:
            self.last = said
            self._report.log_selection("explorer", said, int(chosen.sum()), rule=rule)
        return why_not

    def keep(self, words: str, brush: Brush, chosen: NDArray[np.bool_], name: str) -> None:
        """Log a selection with its name and its examples."""
        rule, ids = self._rule(words, brush)[0], list(dict.fromkeys(self._rows["example"][chosen]))
        said = words if rule is not None else self._by_ids(words, brush, chosen)
        self._report.log_selection("explorer", said, int(chosen.sum()), name=name, examples=ids, rule=rule)

    def _by_ids(self, words: str, brush: Brush, chosen: NDArray[np.bool_]) -> str:
        """Return the words of rows (n,) that no rule says; two sets of ids are two selections."""
        key = ids_key(self._rows["example"][chosen])
        said = f"{words} ({key})" if brush.mask else words
        if isinstance(self._report._log, Log):
            self._report._log.by_ids[key] = said
        return said

    def _rule(self, words: str, brush: Brush) -> tuple[Rule | None, str]:
        """Return the rule of a selection and why it cannot be tested."""
        rule = rule_of_words(self._report, self._lens, self._rows, brush, words)
        known = {*self._report.rows.columns, LENGTH}
        if rule is not None and not set(rule.columns) <= known:  # of what another report says of these rows
            rule = None
        if not self._held:
            return rule, NOTHING_HELD
        if rule is not None:
            return rule, ""
        others = words != words_of(self._lens.fields, brush)
        return None, IDS if brush.mask else WARM if brush.temperature != 1.0 else OTHERS if others else NO_RULE

    # -- tests -----------------------------------------------------------------------------------------------------------

    def ask(self, serial: int, words: str, brush: Brush) -> None:
        """Test a selection on the held-out half; its answer is {kind: "confirmed", serial, ...}."""
        rule, why_not = self._rule(words, brush)
        if rule is None or why_not:
            self._send({"kind": "confirmed", "serial": serial, "why_not": why_not or NO_RULE})
            return
        self._tests.put(Asked(serial, rule))

    def _test(self, asked: Asked) -> None:
        told: dict[str, Any] = {"kind": "confirmed", "serial": asked.serial, "why_not": ""}
        try:
            found = self._report.confirm([asked.rule])  # type: ignore[list-item]  # a rule, as the log keeps it
        except WorkbenchError as error:
            self._send({**told, "why_not": str(error)})
            return
        line = found.findings.to_dict("records")[0]
        said = {"words": line["slice"], "status": line["status"], "note": line["note"], "method": line["method"]}
        numbers = {} if line["status"] == UNTESTED else said_parts(line, found.correction, found.tried)
        self._send({**told, **said, "metric": metric_title(found.metric), "numbers": numbers})

    def _problem(self, error: Exception) -> None:
        self._send({"kind": "problem", "text": f"{type(error).__name__}: {error}"})

    # -- what the page shows -----------------------------------------------------------------------------------------------

    def told(self) -> dict[str, Any]:
        """Return what was looked at or tested, the newest first, with what became of it; the same by name and by value of a slice.

        `counts` are of looks: slices that were brushed, logged or are listed by the report itself; `unseen` of those that were
        tested without one.
        """
        log = list(self._report._log)
        found: dict[str, list[Selection]] = {}
        for line in log:
            key = line.rule or line.description
            found[key] = [*found.pop(key, []), line]
        statuses = {key: _status(lines) for key, lines in found.items()}
        seen = [status for key, status in statuses.items() if self._was_looked_at(key, found[key])]
        counts = {status: n for status in ORDER if (n := seen.count(status))}
        newest = list(reversed(found.items()))[:MOST]
        marks = [(self._place(key), key) for key, lines in found.items() if lines[-1].rule] if self._held else []
        return {
            "held": self._held,
            "why_not": "" if self._held else NOTHING_HELD,
            "counts": counts,
            "unseen": len(statuses) - len(seen),
            "lines": [self._line(lines, statuses[key]) for key, lines in newest] if self._held else [],
            "left": max(0, len(found) - MOST),
            "names": {line.name: statuses[line.rule or line.description] for line in log if line.name and self._held},
            "marks": [[*place, statuses[key]] for place, key in marks if place is not None],
        }

    def _was_looked_at(self, text: str, lines: list[Selection]) -> bool:
        """Whether a slice was looked at, or is one that every view shows; else it was tested as it was named."""
        if any(line.source != CONFIRM for line in lines):
            return True
        return text.startswith("[") and by_look(self._report).knows(Rule.from_text(text))

    def _line(self, lines: list[Selection], status: str) -> dict[str, Any]:
        tests = {line.metric: line for line in lines if line.source == CONFIRM}
        results = [
            f"{metric_title(name)}{f': {line.status}' if len(tests) > 1 else ''}: {line.result}"
            if name
            else line.result
            for name, line in tests.items()
        ]
        name = next((line.name for line in reversed(lines) if line.name), "")
        return {"words": lines[0].description, "name": name, "status": status, "results": results}

    def _place(self, text: str) -> list[int] | None:
        """Return the field and the code of the slice value that a rule means, None where it means more or less than one."""
        if text not in self._places:
            self._places[text] = self._looked_up(text)
        return self._places[text]

    def _looked_up(self, text: str) -> list[int] | None:
        if not text.startswith("["):
            return None
        rule, look = Rule.from_text(text), self._report._look
        of_part = () if look is None or look.rule is None else look.rule.columns
        columns = tuple(name for name in rule.columns if name not in of_part)
        for at, field in enumerate(self._lens.fields):
            if field.kind == _fields.SLICE and columns == (field.name,) and field.name in self._rows:
                counts = np.bincount(field.codes[rule.holds(self._rows)], minlength=field.bins + 1)
                chosen = np.flatnonzero(counts)
                if (
                    len(chosen) == 1
                    and chosen[0] < field.bins
                    and counts[chosen[0]] == (field.codes == chosen[0]).sum()
                ):
                    return [at, int(chosen[0])]
        return None


def _status(lines: list[Selection]) -> str:
    """Return what became of a selection: of each metric its last test counts.

    >>> look = Selection("t", "explorer", "domain: law", 3)
    >>> one = look._replace(source="confirm", metric="accuracy", status="confirmed")
    >>> other = one._replace(metric="nll", status="not confirmed")
    >>> _status([look]), _status([look, one]), _status([look, one, other])
    ('explored', 'confirmed', 'confirmed in part')
    """
    last: Mapping[str, str] = {line.metric: line.status for line in lines if line.source == CONFIRM}
    several = set(last.values())
    if len(several) < 2:
        return next(iter(several), EXPLORED)
    return IN_PART if CONFIRMED in several else next(one for one in (NOT, *several) if one in several)
