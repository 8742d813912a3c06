"""What if the text were another one: the explorer's edits of an example, and their answers beside the old ones.

Messages from the page: what_if (ask), swaps (which terms can be swapped), typos (add some). Answers: asked, asked_tokens, swaps,
typed. What asks the model runs on a thread of its own, for the latest edit alone. `_again` asks.
"""

import difflib
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workbench._record import now
from workbench.errors import NotApplicable, UsageError, WorkbenchError, unknown
from workbench.views import _again, _messages
from workbench.views._live import Latest
from workbench.views._rows import Column
from workbench.views._tokens import LONGEST, Line, scored_lines

if TYPE_CHECKING:
    import pandas as pd

    from workbench.reports import Report

__all__ = ["WhatIf", "as_json", "changes"]

COLUMNS = ("measure", "reported", "old", "new", "difference")
MOST_SWAPS = 60  # that the page offers for one text
FAMILIES = (
    "keyboard",
    "swap",
    "delete",
    "insert",
    "double",
    "ocr",
    "homoglyphs",
    "lowercase",
    "drop-punctuation",
    "whitespace",
)


class WhatIf:
    """Asks one example again with another text: `what_if` in Python, `hear` for the page; every answer is one line of `edits`."""

    def __init__(
        self,
        report: "Report",
        rows: "pd.DataFrame",
        columns: Sequence[Column],
        model: Any,
        send: Callable[[dict[str, Any]], None],
    ) -> None:
        self._report, self._rows, self._model, self._send = report, rows, model, send
        self._columns = columns
        self._titles = {one.name: one.title for one in columns}
        self._unique = rows["example"].is_unique
        self._why_not = _again.why_not(report, self._whole(0), model)
        self._texts = tuple(name for name in getattr(report._probe, "texts", ()) if name in rows and any(rows[name]))
        self._lock = threading.Lock()
        self._unchanged: dict[int, Any] = {}  # the row's answer to its own text, asked now
        self._latest = Latest(self._answer, failed=self._failed)

    # -- Python's side ---------------------------------------------------------------------------------------------------

    def what_if(self, example: Any, texts: Mapping[str, Any]) -> "pd.DataFrame":
        """Return `measure, reported, old, new, difference` of an example, by its id or one of its rows, with other texts."""
        import pandas as pd

        self._need()
        at = self._place(example)
        for name, text in texts.items():
            if name not in self._texts:
                raise unknown("text of the example", name, self._texts)
            if not isinstance(text, str) or len(text) > LONGEST:
                raise UsageError(f"{name}= takes a text of at most {LONGEST:,} characters; found {str(text)[:60]!r}.")
        asked = self._asked(at, texts)
        found = [*self._measures(asked), *self._token_measures(asked)[0]]
        frame = pd.DataFrame(
            [(one.name, one.reported, one.old, one.new, one.difference) for one in found], columns=list(COLUMNS)
        )
        frame.attrs["notes"] = list(self._notes(asked))
        return frame

    @property
    def edits(self) -> "pd.DataFrame":
        """Every edit that was asked, oldest first: time, example, variant, texts, answers old and new, model, seconds."""
        with self._lock:
            return self._report._edited.frame(self._rows, self._texts)

    # -- the page --------------------------------------------------------------------------------------------------------

    def for_page(self) -> dict[str, Any]:
        """Return what the page needs to know once."""
        several = len(self._texts) > 1
        named = [{"name": name, "title": self._titles.get(name, name) if several else "Text"} for name in self._texts]
        by = "" if self._model is None else str(self._model.name)
        return {"why_not": self._why_not, "texts": named, "families": list(FAMILIES), "model": by, "longest": LONGEST}

    @property
    def listed(self) -> dict[str, Any]:
        """Return the report's edits as the page shows them."""
        from workbench.views._edits import listed

        return listed(self.edits, self._rows, self._texts, self._columns)

    def texts_of(self, row: int) -> dict[str, str]:
        """Return the texts of a row whole, {} where they cannot be edited."""
        found = {name: str(self._rows[name].iloc[row]) for name in self._texts}
        return {} if self._why_not or any(len(text) > LONGEST for text in found.values()) else found

    def hear(self, content: Mapping[str, Any]) -> None:
        """Answer one message of the page; what does not fit is dropped."""
        row = _messages.integer(content.get("row"), 0, len(self._rows) - 1)
        if row is None or self._why_not:
            return
        kind = content.get("kind")
        if kind == "what_if":
            self._hear_ask(row, content)
        elif isinstance(content.get("text"), str) and len(content["text"]) <= LONGEST:
            (self._hear_swaps if kind == "swaps" else self._hear_typos)(row, content)

    def join(self, seconds: float) -> None:
        """Wait for the answers, at most so many seconds."""
        self._latest.join(seconds)

    def _hear_ask(self, row: int, content: Mapping[str, Any]) -> None:
        at, texts = _messages.integer(content.get("ask")), content.get("texts")
        if at is None or not isinstance(texts, dict) or not set(texts) <= set(self._texts):
            return
        if all(isinstance(text, str) and len(text) <= LONGEST for text in texts.values()):
            self._latest.put((row, at, texts))

    def _hear_swaps(self, row: int, content: Mapping[str, Any]) -> None:
        from workbench.data.swaps import swap

        found = swap(content["text"])[:MOST_SWAPS]
        listed = [{"words": f"{one.axis}: {one.source} → {one.term}", "text": one.text} for one in found]
        self._send({"kind": "swaps", "row": row, "column": str(content.get("column"))[:80], "swaps": listed})

    def _hear_typos(self, row: int, content: Mapping[str, Any]) -> None:
        from workbench.data.corruptions import corruption

        family, seed = content.get("family"), _messages.integer(content.get("seed"))
        severity = _messages.integer(content.get("severity"), 1, 5)
        if family not in FAMILIES or severity is None or seed is None:
            return
        ids = [str(self._rows["example"].iloc[row])]
        found = corruption(family).apply([content["text"]], ids, severity=severity, seed=seed)
        told = {"text": found.texts[0], "n": len(found.edits[0])}
        self._send({"kind": "typed", "row": row, "column": str(content.get("column"))[:80], **told})

    # -- asking ----------------------------------------------------------------------------------------------------------

    def _need(self) -> None:
        if self._why_not:
            raise NotApplicable(f"No what-if: {self._why_not}")

    def _whole(self, at: int) -> "pd.DataFrame":
        """Return a row, then the other rows of its example."""
        if self._unique:
            return self._rows.iloc[[at]]
        same = (self._rows["example"] == self._rows["example"].iloc[at]).to_numpy().nonzero()[0]
        return self._rows.iloc[[at, *(int(one) for one in same if one != at)]]

    def _place(self, example: Any) -> int:
        """Return the place of an example's first row, or of the very row that is given."""
        name, variant = getattr(example, "example", example), getattr(example, "variant", None)
        same = self._rows["example"] == name
        found = (same if variant is None else same & (self._rows["variant"] == variant)).to_numpy().nonzero()[0]
        if not len(found):
            raise unknown("explored example", name, list(self._rows["example"][:20]))
        return int(found[0])

    def _asked(self, at: int, texts: Mapping[str, str]) -> _again.Asked:
        """Ask the unchanged text, once for all edits of a row, and the changed one; note the edit."""
        given = self._whole(at)
        with self._lock:
            old = self._unchanged.get(at)
        if old is None:
            old = _again.ask(self._report, self._model, given)
        changed = given.assign(**{name: [text, *given[name].iloc[1:]] for name, text in texts.items()})
        new = _again.ask(self._report, self._model, changed)
        asked = _again.Asked(given.iloc[0], old, new)
        told = {name: texts.get(name, given[name].iloc[0]) for name in self._texts}
        answers = {
            f"{one.name}_{which}": getattr(one, which)
            for one in self._measures(asked)
            if not one.name.startswith("p(")
            for which in ("old", "new")
        }
        info = self._model.info
        which = {name: str(given[name].iloc[0]) for name in ("example", "variant")}
        line = {"time": now(), **which, **told, **answers}
        with self._lock:
            self._unchanged[at] = old
            seconds = new.seconds
            self._report._edited.edits.append(
                {**line, "model": info.name, "weights_hash": info.weights_hash, "seconds": seconds}
            )
        return asked

    def _measures(self, asked: _again.Asked) -> list[_again.Measure]:
        return _again.measures(asked, self._texts, self._columns)

    def _token_measures(self, asked: _again.Asked) -> tuple[list[_again.Measure], list[Line]]:
        """Return the statistics of the texts' tokens, and the tokens themselves; none where the model gives none."""
        if "score" not in self._model.verbs:
            return [], []
        titles = {name: self._titles.get(name, name) for name in self._texts} if len(self._texts) > 1 else {}
        pairs = [
            (titles.get(name, ""), str(asked.reported[name]), str(asked.new.get(name, asked.reported[name])))
            for name in self._texts
        ]
        told = [(title or "Text", was, new) for title, was, new in pairs]
        lines = scored_lines(self._model, [*((t, was) for t, was, _ in told), *((t, new) for t, _, new in told)])
        old, new = lines[: len(told)], lines[len(told) :]
        named = [
            line._replace(title=f"{line.title}, {word}")
            for some, word in ((old, "as it was"), (new, "changed"))
            for line in some
        ]
        return _again.token_measures(old, new), named

    def _notes(self, asked: _again.Asked) -> tuple[str, ...]:
        found = (_again.differs(self._report, self._model), _again.moved(self._measures(asked)))
        return tuple(filter(None, (*found, *asked.notes)))

    def _answer(self, job: tuple[int, int, dict[str, str]]) -> None:
        """Send the answer, then the tokens, whose numbers are one more pass."""
        row, at, texts = job
        asked = self._asked(row, texts)
        said = {"row": row, "ask": at}
        changed = {name: changes(str(asked.reported[name]), text) for name, text in texts.items()}
        lines = [_plain(one) for one in self._measures(asked)]
        about = {"seconds": asked.after.seconds, "notes": list(self._notes(asked)), "model": str(self._model.name)}
        self._send({"kind": "asked", **said, "lines": lines, "changes": changed, **about})
        found, tokens = self._token_measures(asked)
        self._send(
            {
                "kind": "asked_tokens",
                **said,
                "lines": [_plain(one) for one in found],
                "tokens": [one._asdict() for one in tokens],
            }
        )

    def _failed(self, job: Any, error: Exception) -> None:
        told = str(error) if isinstance(error, WorkbenchError) else f"{type(error).__name__}: {error}"
        self._send({"kind": "asked", "row": job[0], "ask": job[1], "why": told})


def _plain(one: _again.Measure) -> dict[str, Any]:
    """Return a measure as JSON: numbers that are not known are null."""
    values = {key: as_json(getattr(one, key)) for key in ("reported", "old", "new", "difference")}
    return {"name": one.name, "words": one.words, **values}


def as_json(value: Any) -> Any:
    """Return a text or a number for the page, None for what is neither or not finite."""
    if value is None or isinstance(value, str):
        return value
    number = float(value)
    return number if number == number and abs(number) != float("inf") else None


def changes(old: str, new: str) -> list[str]:
    """Return a text with its changes, word by word, as parts: kept, old, new, kept, and so on, which begin and end with kept.

    >>> changes("She sings well", "He sings well")
    ['', 'She', 'He', ' sings well']
    """
    first, second = (re.findall(r"\w+|\W", text) for text in (old, new))
    parts = [""]
    for way, i, j, k, m in difflib.SequenceMatcher(None, first, second, autojunk=len(first) > 2000).get_opcodes():
        if way == "equal":
            parts[-1] += "".join(first[i:j])
        else:
            parts += ["".join(first[i:j]), "".join(second[k:m]), ""]
    return parts
