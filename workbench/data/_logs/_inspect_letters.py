"""The confidence in a letter that a model wrote, from the log-probabilities of the tokens in a log of Inspect."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

__all__ = ["Letters", "answered"]

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SIGNS = {"Ġ": " ", "▁": " ", "Ċ": "\n"}  # how tokenizers write a blank or a line end


class Letters(NamedTuple):
    """The place of the right choice, the confidence in the letter written, logits of all, and whether tokens fit the text."""

    label: int | None = None
    confidence: float | None = None
    logits: list[float] | None = None
    trusted: bool = True


def answered(output: Mapping[str, Any], answer: str, choices: Sequence[Any] | None, target: Any) -> Letters:
    """Return what the tokens of an output say of its answer.

    >>> likely = [{"token": " A", "logprob": -1.0}, {"token": " B", "logprob": -0.5}]
    >>> token = {**likely[1], "top_logprobs": likely}
    >>> output = {"completion": " B", "choices": [{"logprobs": {"content": [token]}}]}
    >>> answered(output, "B", ["yes", "no"], "A")
    Letters(label=0, confidence=0.6065306597126334, logits=[-1.0, -0.5], trusted=True)
    """
    k = min(len(choices), len(LETTERS)) if choices else 0
    letters = LETTERS[:k]
    label = letters.index(target) if isinstance(target, str) and len(target) == 1 and target in letters else None
    replies = output.get("choices") or [{}]
    content = (replies[0].get("logprobs") or {}).get("content") if isinstance(replies[0], Mapping) else None
    if not content or not k:
        return Letters(label)
    tokens = [(_plain(one.get("token")), one) for one in content if isinstance(one, Mapping)]
    if not _same("".join(text for text, _ in tokens), str(output.get("completion") or "")):
        return Letters(label, trusted=False)
    wanted = answer.strip()[:1] if re.match(r"[A-Z]\b", answer.strip()) else ""
    if wanted not in letters or not wanted:
        return Letters(label)
    found = [one for text, one in tokens if text.strip() == wanted]
    if not found:
        return Letters(label)
    last = found[-1]
    best: dict[str, float] = {}
    for other in last.get("top_logprobs") or []:
        text = _plain(other.get("token")).strip()
        if text in letters and text:
            best[text] = max(float(other["logprob"]), best.get(text, -math.inf))
    logits = [best[letter] for letter in letters] if len(best) == k else None
    return Letters(label, min(math.exp(float(last["logprob"])), 1.0), logits)


def _plain(token: Any) -> str:
    text = str(token or "")
    for sign, meant in SIGNS.items():
        text = text.replace(sign, meant)
    return text


def _same(tokens: str, written: str) -> bool:
    """Return whether tokens are those of a text, blanks and special tokens at the end aside."""
    one, two = ("".join(text.split()) for text in (tokens, written))
    return one.startswith(two) or (bool(one) and two.startswith(one))
