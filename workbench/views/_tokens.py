"""The tokens of one example: log p, entropy and rank of each, from the rows of a report or, on demand, from a model.

Rows of next tokens (`variant` "token 00012") hold them; of other reports the texts of an example are scored when it is opened, on a
thread of their own, where a model was given. Where neither is at hand, the page is told the reason.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.errors import UsageError, WorkbenchError
from workbench.models.held import held
from workbench.models.verbs import Request, Scores
from workbench.views._live import Latest
from workbench.views._rows import Column

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LONGEST", "Line", "Tokens", "checked_model", "line_of_rows", "pieces", "scored_lines"]

MOST_TOKENS = 400  # of one text
MOST_TEXTS = 2  # of one example: the two sentences of a pair
LONGEST = 20_000  # characters of a text that is scored
PLACED = "token "  # begins the variant of a row that is one token
NO_MODEL = "this report keeps no tokens, and no model was given to score the text: wb.explore(report, model=model)."


class Line(NamedTuple):
    """The tokens of one text in order, `total` of them in all; a number that is not known is None."""

    title: str
    tokens: list[str]
    logp: list[float | None]
    entropy: list[float | None]
    rank: list[int | None]
    total: int
    sum_logp: float | None


def checked_model(model: Any) -> Any:
    """Return a loaded model, the one in memory of that name, or None; raise `UsageError` for what is none.

    >>> checked_model("no such model")
    Traceback (most recent call last):
    ...
    workbench.errors.UsageError: explore(model=...) takes a loaded model; found str. Load it first: wb.load(...).
    """
    if isinstance(model, str):
        model = next((one for one in reversed(held().values()) if one.name == model), model)
    if model is not None and not (hasattr(model, "verbs") and hasattr(model, "info")):
        found = type(model).__name__
        raise UsageError(f"explore(model=...) takes a loaded model; found {found}. Load it first: wb.load(...).")
    return model


class Tokens:
    """Answers what the tokens of a row's example are: `ask(row)` sends {kind: "tokens", row, lines | why, by}."""

    def __init__(
        self,
        rows: "pd.DataFrame",
        columns: Sequence[Column],
        model: Any,
        of: str,
        send: Callable[[dict[str, Any]], None],
    ) -> None:
        self._rows, self._model, self._of, self._send = rows, model, of, send
        self._kept = "nll" in rows and bool(len(rows)) and str(rows["variant"].iloc[0]).startswith(PLACED)
        texts = [one for one in columns if one.kind == "text" and one.name in rows and one.name != "example"]
        self._texts = ([one for one in texts if one.wide] or texts[:1])[:MOST_TEXTS]
        self._latest = Latest(self._answer, failed=self._failed)

    @property
    def why_not(self) -> str:
        """Why there are no tokens, "" where there are."""
        if self._kept:
            return ""
        if self._model is None:
            return NO_MODEL
        if "score" not in self._model.verbs:
            return f"{self._model.name} gives no log-likelihoods of tokens (it can {', '.join(sorted(self._model.verbs))})."
        return "" if self._texts else "the rows of this report hold no text."

    def ask(self, row: int) -> None:
        """Answer for a row, later and for the latest alone; the reason at once."""
        if self.why_not:
            self._send({"kind": "tokens", "row": row, "why": f"No tokens: {self.why_not}"})
        else:
            self._latest.put(row)

    def join(self, seconds: float) -> None:
        """Wait for the answers, at most so many seconds."""
        self._latest.join(seconds)

    def _answer(self, row: int) -> None:
        by = ""
        if self._kept:
            lines = [line_of_rows(self._rows, str(self._rows["example"].iloc[row]))]
        else:
            lines = self._scored(row)
            by = f"Scored now by {self._model.name}, each text alone"
            by += "." if self._of in ("", self._model.name) else f"; the report is of {self._of}."
        self._send({"kind": "tokens", "row": row, "lines": [line._asdict() for line in lines], "by": by})

    def _scored(self, row: int) -> list[Line]:
        texts = [(one.title, self._rows[one.name].iloc[row]) for one in self._texts]
        return scored_lines(self._model, [(title, text) for title, text in texts if isinstance(text, str)])

    def _failed(self, row: Any, error: Exception) -> None:
        told = str(error) if isinstance(error, WorkbenchError) else f"{type(error).__name__}: {error}"
        self._send({"kind": "tokens", "row": row, "why": f"No tokens: {told}"})


def scored_lines(model: Any, texts: Sequence[tuple[str, str]]) -> list[Line]:
    """Return the tokens of titled texts that are not blank, each scored alone after the model's first token."""
    given = [(title, text[:LONGEST]) for title, text in texts if text.strip()]
    scores = model.score([Request("", text) for _, text in given])
    return [_line(title, scores, i, getattr(model, "tokenizer", None)) for i, (title, _) in enumerate(given)]


def line_of_rows(rows: "pd.DataFrame", example: str) -> Line:
    """Return the tokens of an example from rows that are tokens, in their order."""
    own = rows[rows["example"] == example].sort_values("variant")
    logp = -own["nll"].to_numpy(float)
    entropy, rank = (
        own[name].to_numpy(float) if name in own else np.full(len(own), np.nan) for name in ("entropy", "rank")
    )
    return _cut("", own["text"].astype(str).tolist(), logp, entropy, rank)


def _line(title: str, scores: Scores, i: int, tokenizer: Any) -> Line:
    """Return the tokens of request i."""
    part = slice(int(scores.offsets[i]), int(scores.offsets[i + 1]))
    ids = scores.token[part].tolist()
    words = pieces(tokenizer, ids[:MOST_TOKENS])
    return _cut(title, words, scores.logp[part], -scores.mean_logp[part], scores.rank[part].astype(float))


def _cut(
    title: str, words: list[str], logp: NDArray[np.float64], entropy: NDArray[np.float64], rank: NDArray[np.float64]
) -> Line:
    total = float(logp.sum())
    numbers = [[float(x) if np.isfinite(x) else None for x in values[:MOST_TOKENS]] for values in (logp, entropy, rank)]
    ranks = [None if x is None else int(x) for x in numbers[2]]
    known = total if np.isfinite(total) else None
    return Line(title, words[:MOST_TOKENS], numbers[0], numbers[1], ranks, len(logp), known)


def pieces(tokenizer: Any, ids: Sequence[int]) -> list[str]:
    """Return the text of each token as it stands in the whole: with its space, and "" for the first part of a character.

    >>> class Tokenizer:
    ...     def decode(self, ids):
    ...         return " ".join("abc"[i] for i in ids)
    >>> pieces(Tokenizer(), [0, 2, 1])
    ['a', ' c', ' b']
    >>> pieces(None, [7])
    ['7']
    """
    if tokenizer is None:
        return [str(one) for one in ids]
    found, before = [], ""
    for k in range(len(ids)):
        now = str(tokenizer.decode(list(ids[: k + 1])))
        if now.endswith("\ufffd"):  # a character that is not whole yet: its text comes with its last token
            found.append("")
        elif now.startswith(before):
            found.append(now[len(before) :])
            before = now
        else:
            found.append(str(tokenizer.decode([ids[k]])))
            before = now
    return found
