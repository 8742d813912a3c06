"""A line through the values of a report: the confidence below which a model abstains, or the score from which it decides yes.

Rows at or above the line are *taken*. With the truth of each row (whether the answer is right; the label) four counts per group
say the rest, in the page at once and here with intervals: `workbench.stats.groups` of truth and taken. For an abstention the
share taken is the coverage, and the precision is the accuracy of what is answered.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.errors import UsageError
from workbench.views import _fields
from workbench.views._live import Latest

if TYPE_CHECKING:
    import pandas as pd

    from workbench.views._lens import Lens

__all__ = ["Cut", "Rule", "checked_cut", "rates_at", "rule_of"]

Floats = NDArray[np.float64]

DRAWS = 300  # behind the intervals of gaps
MOST_GROUPS = 40  # that are compared


@dataclass(frozen=True, eq=False)
class Rule:
    """What a line is for ("abstain" or "decide"), the truth of each row (n,) as 1, 0 or NaN, and the rates with their words."""

    kind: str
    truth: Floats
    rates: dict[str, str]  # names in `workbench.stats.groups`, and what they are called here

    @property
    def about(self) -> dict[str, Any]:
        """What the page needs to know of it once."""
        return {"kind": self.kind, "rates": [[name, words] for name, words in self.rates.items()]}


ABSTAIN = {"selection_rate": "Coverage", "ppv": "Accuracy, answered"}
DECIDE = {"selection_rate": "Selection rate", "tpr": "TPR", "fpr": "FPR", "accuracy": "Accuracy"}


class Grouped(NamedTuple):
    """The column that rows are grouped by, and the group of each (n,)."""

    column: str
    names: NDArray[Any]


class Job(NamedTuple):
    """What is to be computed: the number of the selection, which rows (n,), their values (n,), and the line."""

    serial: int
    chosen: NDArray[np.bool_]
    values: Floats
    at: float | None


def rule_of(rows: "pd.DataFrame", lens: "Lens") -> Rule | None:
    """Return the rule that fits rows, None where none does: confidences, or scores beside labels of two classes."""
    if lens.view is None:
        return Rule("abstain", lens.outcome, ABSTAIN)
    truth = lens.view.truth
    if not truth or truth not in rows or not np.isin([0.0, 1.0], rows[truth].to_numpy(float)).all():
        return None
    return Rule("decide", rows[truth].to_numpy(float), DECIDE) if np.isfinite(lens.value).any() else None


def checked_cut(at: Any, rule: Rule | None, kind: str, title: str) -> float | None:
    """Return where a line shall stand, None for nowhere; raise `UsageError` where it cannot stand."""
    if rule is None or rule.kind != kind:
        needs = "a confidence and an outcome" if kind == "abstain" else "a score and labels of two classes"
        raise UsageError(f"{kind}() is for rows with {needs}; {title!r} has none.")
    if at is None:
        return None
    if isinstance(at, bool) or not isinstance(at, (int, float, np.number)) or not 0 <= at <= 1:
        raise UsageError(f"{kind}() takes a number from 0 to 1, or None for no line; found {at!r}.")
    return float(at)


def rates_at(
    truth: Floats,
    taken: NDArray[np.bool_],
    rates: Mapping[str, str],
    groups: Grouped | None,
    clusters: NDArray[Any] | None = None,
) -> "pd.DataFrame":
    """Return `rate, group, value, low, high, n, method` of rows (n,): overall ("all"), of each group, and the gaps between groups.

    A gap ("tpr_difference", its group the column's name) is the largest minus the smallest rate of the groups that define it; its
    interval allows for all pairs of groups.

    >>> found = rates_at(np.array([1.0, 0, 1]), np.array([True, True, False]), {"ppv": "Accuracy"}, None)
    >>> found[["group", "value", "n"]].values.tolist()
    [['all', 0.5, 2]]
    """
    import pandas as pd

    from workbench.stats import groups as stats

    label, decision, asked = truth.astype(int), taken.astype(int), tuple(rates)
    lines: list[dict[str, Any]] = []

    def note(names: NDArray[Any], column: str) -> None:
        for name, found in stats.by_group(names, label, decision, clusters=clusters, rates=asked).items():
            group = f"{column}={name}" if column else "all"
            lines.extend({"rate": rate, "group": group, **interval._asdict()} for rate, interval in found.items())

    note(np.full(len(truth), "all", dtype=object), "")
    if groups is not None and len(set(groups.names)) > 1:
        note(groups.names, groups.column)
        how = stats.Settings(draws=DRAWS)
        between = stats.between(groups.names, label, decision, clusters=clusters, rates=asked, settings=how)
        for rate in rates:
            one = between["demographic_parity_difference" if rate == "selection_rate" else f"{rate}_difference"]
            lines.append({"rate": f"{rate}_difference", "group": groups.column, **one.interval._asdict()})
    return pd.DataFrame(lines, columns=["rate", "group", "value", "low", "high", "n", "method"])


class Cut:
    """Answers what a line does to a selection, on a thread of its own: sends {kind: "cut", serial, by, lines}."""

    def __init__(
        self,
        rows: "pd.DataFrame",
        lens: "Lens",
        send: Callable[[dict[str, Any]], None],
        failed: Callable[[Any, Exception], None],
        pause: float,
    ) -> None:
        self._fields, self._send = lens.fields, send
        self.rule = rule_of(rows, lens)
        self._clusters = rows["cluster"].to_numpy() if rows["cluster"].nunique() < len(rows) else None
        self._latest = Latest(self._answer, failed=failed, pause=pause)
        first = [k for k, field in enumerate(self._fields) if field.kind == _fields.SLICE]
        self.by = first[0] if first else -1  # the slice on show, whose groups are compared

    def packed(self) -> bytes:
        """Return the truth of each row as the page gets it, where it is not the outcome."""
        if self.rule is None or self.rule.kind == "abstain":
            return b""
        return np.where(np.isnan(self.rule.truth), 255, self.rule.truth > 0).astype(np.uint8).tobytes()

    def told(self) -> dict[str, Any] | None:
        """Return what the page needs to know once."""
        return None if self.rule is None else self.rule.about

    def put(self, job: Job) -> None:
        """Ask for the rates of a selection."""
        self._latest.put(job)

    def join(self, seconds: float) -> None:
        """Wait for the answer, at most so many seconds."""
        self._latest.join(seconds)

    def rates(self, job: Job) -> "pd.DataFrame":
        """Return the rates of a selection with their intervals."""
        if self.rule is None or job.at is None:
            raise UsageError(
                "No line is set. Set one: explorer.abstain(0.7), or explorer.decide(0.5) for scores of two classes."
            )
        truth, values = self.rule.truth, job.values
        kept = job.chosen & np.isfinite(truth) & np.isfinite(values)
        taken = values[kept] >= job.at
        clusters = None if self._clusters is None else self._clusters[kept]
        return rates_at(truth[kept], taken, self.rule.rates, self._groups(kept), clusters)

    def below(self, job: Job) -> NDArray[np.bool_]:
        """Return which rows (n,) have a value below the line."""
        return np.asarray(np.isfinite(job.values) & (job.values < (job.at or 0.0)))

    def _groups(self, kept: NDArray[np.bool_]) -> Grouped | None:
        """Return the groups of some rows; None where rows are grouped by their outcome, or not at all."""
        by = self.by
        if by < 0 or self._fields[by].name == _fields.OUTCOME or self._fields[by].bins > MOST_GROUPS:
            return None
        field = self._fields[by]
        return Grouped(field.name, np.array([*field.labels, ""], dtype=object)[field.codes[kept]])

    def _answer(self, job: Job) -> None:
        lines = self.rates(job).to_dict("records")
        numbers = [
            {**line, **{key: _json(line[key]) for key in ("value", "low", "high")}, "n": int(line["n"])}
            for line in lines
        ]
        self._send({"kind": "cut", "serial": job.serial, "at": job.at, "by": self.by, "lines": numbers})


def _json(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
