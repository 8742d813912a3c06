"""One example asked again by the path of its probe: the same prompt, options and verb as the run record says, with another text.

The unchanged text is asked, too, of the same model: what changes between the two is the text alone, also where the report is of
another model. Where the present answer to the unchanged text is not the reported one, that is said.
"""

import math
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workbench.errors import NotApplicable, WorkbenchError
from workbench.frames import ROW_COLUMNS
from workbench.models.held import held
from workbench.models.verbs import Silent

if TYPE_CHECKING:
    import pandas as pd

    from workbench.probes.protocol import Again
    from workbench.reports import Report
    from workbench.views._rows import Column
    from workbench.views._tokens import Line

__all__ = ["Answer", "Asked", "Measure", "ask", "differs", "measures", "token_measures", "why_not", "words_of"]

SAME = 1e-3  # an answer that is this near to the reported one is the same: models in other batches differ by less
MOST_CHOICES = 40
ANSWER = {  # columns of a calibration, in this order, and their words
    "predicted": "Answer",
    "correct": "Right",
    "confidence": "Confidence",
    "p_label": "p of the label",
    "nll": "NLL of the label (nats)",
}


class Measure(NamedTuple):
    """One thing before and after: texts or numbers, `reported` by the report, `old` and `new` by the model that was asked now."""

    name: str
    words: str
    reported: Any
    old: Any
    new: Any

    @property
    def difference(self) -> float:
        """New minus old, NaN where they are no numbers."""
        return float(self.new) - float(self.old) if _is_number(self.old) and _is_number(self.new) else math.nan


class Answer(NamedTuple):
    """The row that a model gives now, what the probe says of it, the columns that it was asked with, and the seconds it took."""

    row: "pd.Series[Any]"
    notes: tuple[str, ...]
    given: frozenset[str]
    seconds: float


class Asked(NamedTuple):
    """The rows of one example: as reported, the unchanged text asked now, and the changed one."""

    reported: "pd.Series[Any]"
    before: Answer
    after: Answer

    @property
    def old(self) -> "pd.Series[Any]":
        """The row of the unchanged text."""
        return self.before.row

    @property
    def new(self) -> "pd.Series[Any]":
        """The row of the changed text."""
        return self.after.row

    @property
    def notes(self) -> tuple[str, ...]:
        """What the probe says of the changed text alone."""
        return tuple(note for note in self.after.notes if note not in self.before.notes)


def why_not(report: "Report", rows: "pd.DataFrame", model: Any) -> str:
    """Return why the example of these rows cannot be asked again, "" where it can."""
    again, reason = getattr(report._probe, "again", None), getattr(report._probe, "why_not_again", "")
    if report.record.model.get("kind") in ("predictions", "none"):
        return "these predictions were made elsewhere, so that there is no prompt and no model on record to ask again."
    if again is None:
        return str(reason) or f"the probe {report.probe!r} has no answer about one text alone."
    try:
        again(rows, report.options, report.record.data)
    except WorkbenchError as problem:
        return str(problem)
    if model is not None:
        return ""
    name = str(report.record.model.get("name", ""))
    if any(one.name == name for one in held().values()):
        return f"no model was given. {name} is in memory: wb.explore(report, model={name!r})."
    return f"no model was given: wb.explore(report, model=model), with a loaded one (this report is of {name})."


def ask(report: "Report", model: Any, rows: "pd.DataFrame") -> Answer:
    """Return what the model says now of the first of these rows, which are all of one example."""
    begun = time.perf_counter()
    probe: Any = report._probe
    again: Again = probe.again(rows, report.options, report.record.data)
    scored = probe.score(model, again.examples, {**report.options, **again.options}, monitor=Silent())
    if not len(scored.rows) or scored.missing:
        raise NotApplicable("the model gave no answer.")
    given = frozenset(map(str, again.examples.frame.columns))
    return Answer(again.answer(scored.rows), scored.notes, given, time.perf_counter() - begun)


def differs(report: "Report", model: Any) -> str:
    """Return a sentence where the model is not that of the report by name, weights or number format, else ""."""
    then, now = report.record.model, model.info
    name, reported = str(now.name), str(then.get("name", ""))
    if name != reported:
        return f"Asked now of {name}; the report is of {reported}."
    hashes = str(then.get("weights_hash", "")), str(now.weights_hash)
    if all(hashes) and hashes[0] != hashes[1]:
        return f"{name} has other weights than in the report (hash {hashes[1][:8]}, then {hashes[0][:8]})."
    formats = str(then.get("dtype", "")), str(now.dtype)
    if all(formats) and formats[0] != formats[1]:
        return f"{name} computes in {formats[1]} now, in {formats[0]} when the report was made."
    return (
        ""
        if all(hashes)
        else f"{name} has no hash of its weights: that it is the report's model is known by name alone."
    )


def measures(asked: Asked, texts: Sequence[str], columns: "Sequence[Column]") -> list[Measure]:
    """Return what changed, as measures: answer, confidence and the choices' probabilities, or the numbers of a probe's rows.

    The answers among the `columns` of the example table come first; what the example was asked with is none.
    """
    reported, old, new = asked.reported, asked.old, asked.new
    calibrated = "confidence" in new.index and "predicted" in new.index
    given = {*texts, *asked.after.given, *ROW_COLUMNS, "tie"}
    shown = [one.name for one in columns if one.name not in given and one.kind in ("text", "number", "hit")]
    numbers = [] if calibrated else [name for name in new.index if name not in given and _is_number(new[name])]
    names = dict.fromkeys([*(ANSWER if calibrated else ()), *shown, "predicted", *numbers])
    found = [
        Measure(name, words_of(name, columns), reported.get(name), old[name], new[name])
        for name in names
        if name in new.index and not (_blank(old[name]) and _blank(new[name]))
    ]
    return [*found, *_choices(asked)] if calibrated else found


def token_measures(old: "Sequence[Line]", new: "Sequence[Line]") -> list[Measure]:
    """Return the number of tokens, and log p of a text alone (nats) in all and a token, of each text before and after."""
    found = []
    for before, after in zip(old, new, strict=True):
        told = f" of {before.title}" if len(old) > 1 else ""
        each = [
            line.sum_logp / line.total if line.sum_logp is not None and line.total else None for line in (before, after)
        ]
        found += [
            Measure(f"tokens{told}", f"Tokens of the text{told}", None, before.total, after.total),
            Measure(f"logp{told}", f"log p of the text alone{told} (nats)", None, before.sum_logp, after.sum_logp),
            Measure(f"logp_per_token{told}", f"log p a token{told} (nats)", None, *each),
        ]
    return found


def moved(found: Sequence[Measure]) -> str:
    """Return a sentence where the unchanged text has another answer now than the report has, else ""."""
    far = [one for one in found if _far(one.reported, one.old)]
    if not far:
        return ""
    one = far[0]
    then, now = (f"{value:.4g}" if _is_number(value) else repr(value) for value in (one.reported, one.old))
    return f"The unchanged text gives another answer now than in the report ({one.words.lower()} {now}, then {then})."


def _far(reported: Any, old: Any) -> bool:
    if _is_number(reported) and _is_number(old):
        return abs(float(reported) - float(old)) > SAME
    return reported is not None and not _blank(reported) and str(reported) != str(old)


def _choices(asked: Asked) -> list[Measure]:
    """Return the probability of each choice, where the rows keep the logits of the same choices."""
    names, rows = asked.new.get("choices"), (asked.reported, asked.old, asked.new)
    if names is None or any(row.get("logits") is None for row in rows) or len(names) > MOST_CHOICES:
        return []
    shares = [_softmax(row["logits"]) for row in rows]
    if any(len(share) != len(names) for share in shares):
        return []
    return [Measure(f"p({name})", f"p: {name}", *ps) for name, *ps in zip(names, *shares, strict=True)]


def _softmax(logits: Any) -> list[float]:
    from workbench.probes._prompts import softmax

    return [float(p) for p in softmax(np.asarray(list(logits), float))]


def words_of(name: str, columns: "Sequence[Column]") -> str:
    """Return what a measure is called."""
    from workbench.charts.metrics import metric_title

    titles = {one.name: one.title for one in columns}
    return ANSWER.get(name) or titles.get(name) or metric_title(name)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def _blank(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value)) or value == ""
