"""The requests of lm-evaluation-harness: which of them ask for choices, and what their log-likelihoods say."""

import ast
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError

__all__ = ["Picked", "Request", "asked_of_choices", "delimiter_of", "picked", "requests_of", "softmax", "written"]

LOGITS = ("acc", "acc_norm", "acc_bytes", "acc_mutual_info")  # metrics that are an argmax over the choices
FLOAT = re.compile(r"[\s(\[]*([-+]?(?:inf|nan|\d+\.?\d*(?:e[-+]?\d+)?|\.\d+))", re.IGNORECASE)


class Request(NamedTuple):
    """What was put to the model: a context, and a continuation, or the settings of a text that it wrote."""

    context: Any
    continuation: Any


class Placed(Protocol):
    """A row of the log that can say where it stands."""

    @property
    def where(self) -> str:
        """File and line."""


class Picked(NamedTuple):
    """The choices (K,) of a row and their logits, None where the metric is no argmax or a number is not finite."""

    choices: tuple[str, ...]
    logits: NDArray[np.float64] | None

    def golds(self, target: Any) -> list[int]:
        """Return the places of the right choices, [] where the log does not tell."""
        value = target
        if isinstance(value, str) and value.startswith("["):
            try:
                value = ast.literal_eval(value)
            except (ValueError, SyntaxError, RecursionError, MemoryError):
                return []
        several = value if isinstance(value, list) else [value]
        places = []
        for one in several:
            text = str(one).strip()
            if text.isdecimal() and int(text) < len(self.choices):
                places.append(int(text))
            elif text in self.choices:
                places.append(self.choices.index(text))
        return places

    def label(self, target: Any, correct: float) -> int | None:
        """Return the right choice: of several the one that was picked, where it is one of them."""
        golds = self.golds(target)
        if self.logits is not None and int(self.logits.argmax()) in golds and correct == 1:
            return int(self.logits.argmax())
        return golds[0] if golds else None

    def agrees(self, target: Any, correct: float) -> bool:
        """Return whether the likeliest choice is right exactly where the tool says so."""
        golds = self.golds(target)
        return bool(golds) and self.logits is not None and (int(self.logits.argmax()) in golds) == (correct == 1)

    def fields(self, target: Any, correct: float) -> dict[str, Any]:
        """Return the columns of the row."""
        best = None if self.logits is None else self.choices[int(self.logits.argmax())]
        logits = None if self.logits is None else self.logits.tolist()
        return {
            "choices": list(self.choices),
            "label": self.label(target, correct),
            "predicted": best,
            "logits": logits,
        }


def requests_of(arguments: Any, where: str) -> list[Request]:
    """Return the requests of a row, as this version of the tool wrote them.

    >>> requests_of({"gen_args_0": {"arg_0": "2 + 2 =", "arg_1": " 4"}}, "") == requests_of([["2 + 2 =", " 4"]], "")
    True
    """
    given: list[Any] = list(arguments.values()) if isinstance(arguments, Mapping) else arguments
    if not isinstance(given, list) or not given:
        raise DataError(f"{where}: arguments are {str(arguments)[:60]!r}, not those of a request.")
    made = []
    for one in given:
        values = list(one.values()) if isinstance(one, Mapping) else one
        values = values if isinstance(values, (list, tuple)) else [values]
        made.append(Request(values[0] if values else "", values[1] if len(values) > 1 else None))
    return made


def asked_of_choices(requests: Sequence[Request]) -> bool:
    """Return whether the requests are the choices of a question."""
    return len(requests) > 1 and all(isinstance(one.continuation, str) for one in requests)


def delimiter_of(rows: Sequence[Mapping[str, Any]], config: Mapping[str, Any]) -> str:
    """Return what stands between context and choice: as the task says, else a space where all continuations have one."""
    if isinstance(config.get("target_delimiter"), str):
        return str(config["target_delimiter"])
    texts = [one.continuation for row in rows for one in requests_of(row.get("arguments", [["", ""]]), "")]
    return " " if texts and all(isinstance(text, str) and text.startswith(" ") for text in texts) else ""


def picked(requests: Sequence[Request], answers: Any, metric: str, delimiter: str, row: Placed) -> Picked:
    """Return the choices of a row and the logits that the metric compares."""
    logp = np.array([_logp(one, row.where) for one in answers]) if isinstance(answers, list) else np.array([])
    if len(logp) != len(requests):
        raise DataError(f"{row.where}: {len(logp)} answers for {len(requests)} requests.")
    half = len(requests) // 2
    paired = not len(requests) % 2 and all(one.context == "" for one in requests[half:]) and requests[0].context != ""
    asked = requests[:half] if paired else requests
    same = len({one.continuation for one in asked}) == 1  # the choices stand in the context, as in Winogrande
    choices = tuple(str(one.context) if same else str(one.continuation).removeprefix(delimiter) for one in asked)
    lengths = {"acc_norm": [len(one) for one in choices], "acc_bytes": [len(one.encode()) for one in choices]}
    scores = logp[: len(asked)]
    if metric == "acc_mutual_info":
        scores = scores - logp[half:] if paired else np.full(len(asked), np.nan)
    elif metric in lengths:
        scores = scores / np.maximum(lengths[metric], 1)
    usable = metric in LOGITS and bool(np.isfinite(scores).all())
    return Picked(choices, scores if usable else None)


def _logp(answer: Any, where: str) -> float:
    """Return the log-likelihood in an answer: a number, a pair with whether it was greedy, a list of one, or any of them as text.

    >>> _logp([["-1.5", "False"]], ""), _logp("(-1.5, False)", ""), _logp([-1.5, False], "")
    (-1.5, -1.5, -1.5)
    """
    if isinstance(answer, (list, tuple)) and answer:
        return _logp(answer[0], where)
    if isinstance(answer, (int, float)) and not isinstance(answer, bool):
        return float(answer)
    found = FLOAT.match(answer) if isinstance(answer, str) else None
    if found is None:
        raise DataError(f"{where}: the answer {str(answer)[:60]!r} holds no log-likelihood.")
    return float(found.group(1))


def written(answers: Any) -> str:
    """Return the text that a model wrote, the first of several.

    >>> written([["Paris", "Rome"]]), written(["Paris"]), written([])
    ('Paris', 'Paris', '')
    """
    while isinstance(answers, (list, tuple)):
        if not answers:
            return ""
        answers = answers[0]
    return "" if answers is None else str(answers)


def softmax(logits: Sequence[float]) -> NDArray[np.float64]:
    """Return probabilities of logits (K,)."""
    shifted = np.exp(np.asarray(logits) - max(logits))
    return np.asarray(shifted / shifted.sum())
