"""How a model is asked about pairs of sentences.

A causal model gives the log-likelihood of each whole sentence after its first token (BOS, else EOS), as lm-evaluation-harness
has it. A masked model gives the pseudo-log-likelihood of the tokens that both sentences share, as CrowS-Pairs' authors have it.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workbench.errors import DataError
from workbench.frames import require
from workbench.models.verbs import Monitor, Request
from workbench.probes._rows import need_verb, rows_frame
from workbench.probes.protocol import Scored

if TYPE_CHECKING:
    from workbench.data.examples import Examples

CAUSAL, MASKED = "log-likelihood", "pseudo-log-likelihood"
COLUMNS = ("text", "other", "direction", "logp", "logp_other", "tokens", "tokens_other")
DERIVED = ("difference", "difference_per_token", "prefers_more", "tie", "asked")
DIRECTIONS = ("stereo", "antistereo", "")


class Asked(NamedTuple):
    """What a model said of n pairs: log-likelihoods (n, 2) in nats, tokens (n, 2), which pairs are done (n,), and notes."""

    logp: np.ndarray
    tokens: np.ndarray
    done: np.ndarray
    how: str
    notes: tuple[str, ...]


def rows_of(model: Any, examples: "Examples", other: str, *, monitor: Monitor) -> Scored:
    """Return one row per pair that was reached."""
    frame, pairs = examples.frame, pairs_of(examples, other)
    asked = causal(model, pairs, monitor)
    directions = _directions(frame["direction"].tolist()) if "direction" in frame.columns else [""] * len(frame)
    records = []
    for i in np.flatnonzero(asked.done):
        (logp, logp_other), (tokens, tokens_other) = asked.logp[i].tolist(), asked.tokens[i].tolist()
        difference = logp - logp_other
        per_token = logp / tokens - logp_other / tokens_other if tokens and tokens_other else float("nan")
        known = difference == difference
        records.append(
            {
                "example": frame["example"].iloc[i],
                "text": pairs[i][0],
                "other": pairs[i][1],
                "direction": directions[i],
                "logp": logp,
                "logp_other": logp_other,
                "tokens": tokens,
                "tokens_other": tokens_other,
                "difference": difference,
                "difference_per_token": per_token,
                "prefers_more": float(difference > 0) if known else float("nan"),
                "tie": float(difference == 0) if known else float("nan"),
                "asked": asked.how,
            }
        )
    own = [name for name in (*COLUMNS, *DERIVED) if name != "direction" or name not in examples.slices]
    sliced = tuple(name for name in examples.slices if name not in ("text", other, "other"))
    rows = rows_frame(records, replace(examples, slices=sliced), own)
    lost = int(rows["difference"].isna().sum())
    notes = (f"{lost} of {len(rows)} pairs have no score and are in no share.",) if lost else ()
    return Scored(rows, {}, (*notes, *asked.notes), missing=int((~asked.done).sum()))


def pairs_of(examples: "Examples", other: str) -> list[tuple[str, str]]:
    """Return the two sentences of each example, or raise `DataError` that names the column or the row that does not fit."""
    frame = examples.frame
    remedy = "Name the column of the second sentence with other='...'."
    require(frame, ["text", other], what="The probe pairs", remedy=remedy)
    for i, value in enumerate(frame[other].tolist()):
        if not isinstance(value, str) or not value.strip():
            raise DataError(
                f"Example {frame['example'].iloc[i]!r} has no second sentence: its {other} is {value!r}. {remedy}"
            )
    return list(zip(frame["text"].tolist(), frame[other].tolist(), strict=True))


def causal(model: Any, pairs: Sequence[tuple[str, str]], monitor: Monitor) -> Asked:
    """Return the log-likelihood of every sentence, given the model's first token alone."""
    need_verb(model, "score", "the log-likelihood of a text")
    scores = model.score([Request("", text) for pair in pairs for text in pair], monitor=monitor)
    logp = scores.total().reshape(-1, 2)
    tokens = np.diff(scores.offsets).reshape(-1, 2)
    return Asked(logp, tokens, scores.done.reshape(-1, 2).all(axis=1), CAUSAL, ())


def _directions(values: Sequence[Any]) -> list[str]:
    """Return the directions as texts, "" where a pair has none."""
    texts = ["" if value is None or value != value else str(value) for value in values]
    strange = next((text for text in texts if text not in DIRECTIONS), None)
    if strange is not None:
        raise DataError(
            f"The column direction holds {strange!r}. It says 'stereo' (the text shows a stereotype) or 'antistereo' (it shows "
            "the opposite); leave it out, or rename a column that means something else."
        )
    return texts
