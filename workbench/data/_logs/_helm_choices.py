"""Runs of HELM that ask for each choice apart: the score of each, from the tokens that `scenario_state.json` holds.

HELM's score of a choice is its log-likelihood per token, or (calibrated) that less the one without the question, and its `max_prob`
the largest softmax of them. The file holds the tokens of prompt and choice together; the choice's are the last ones, whose text it
is. Where the server put a chat template around the prompt they are not, and neither is HELM's score of the choice.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["APART", "agree", "scores_of"]

APART = ("multiple_choice_separate_original", "multiple_choice_separate_calibrated", "ranking_binary")
CALIBRATED = APART[1]
CLOSE = 1e-6


def scores_of(states: Sequence[Mapping[str, Any]], method: str) -> list[float] | None:
    """Return the score of each choice of one instance, None where the tokens of one of them are not told.

    >>> token = {"text": " yes", "logprob": -2.0}
    >>> instance = {"references": [{"output": {"text": "yes"}}]}
    >>> state = {"instance": instance, "reference_index": 0, "result": {"completions": [{"tokens": [token]}]}}
    >>> scores_of([state], "multiple_choice_separate_original")
    [-2.0]
    """
    sums: dict[tuple[int, str], tuple[float, int]] = {}
    for state in states:
        found = _spelled(state)
        if found is None:
            return None
        sums[int(state["reference_index"]), str(state.get("request_mode") or "original")] = found
    made = []
    for at in range(len(states[0]["instance"].get("references") or ())):
        asked, bare = sums.get((at, "original")), sums.get((at, "calibration"))
        if asked is None or (bare is None and method == CALIBRATED):
            return None
        made.append(asked[0] - bare[0] if method == CALIBRATED and bare is not None else asked[0] / asked[1])
    return made or None


def agree(scores: Sequence[float], numbers: Mapping[str, float]) -> bool:
    """Return whether the scores give the `max_prob` and the `predicted_index` that HELM wrote.

    >>> agree([0.0, 0.0], {"max_prob": 0.5, "predicted_index": 0.0}), agree([0.0, 1.0], {"max_prob": 0.5})
    (True, False)
    """
    shifted = np.exp(np.asarray(scores) - max(scores))
    near = abs(float((shifted / shifted.sum()).max()) - numbers.get("max_prob", np.nan)) < CLOSE
    return near and numbers.get("predicted_index", int(np.argmax(scores))) == int(np.argmax(scores))


def _spelled(state: Mapping[str, Any]) -> tuple[float, int] | None:
    """Return log-likelihood and number of the last tokens that spell the choice, None where none do."""
    completions = (state.get("result") or {}).get("completions") or [{}]
    references, at = state["instance"].get("references") or [], state.get("reference_index")
    if not isinstance(at, int) or not 0 <= at < len(references):
        return None
    wanted = str((references[at].get("output") or {}).get("text") or "").strip()
    said, total, n = "", 0.0, 0
    for token in reversed(completions[0].get("tokens") or []):
        text = str(token.get("text"))
        if said.strip() == wanted and (said.startswith(" ") or text.strip()):
            return total, n
        # the space before it counts too
        said, total, n = text + said, total + float(token.get("logprob") or 0.0), n + 1
        if len(said.strip()) > len(wanted):
            return None
    return (total, n) if said.strip() == wanted and n else None
