"""How a model is asked about pairs of sentences.

A causal model gives the log-likelihood of each whole sentence after its first token (BOS, else EOS), as lm-evaluation-harness
has it. A masked model gives the pseudo-log-likelihood of the tokens that both sentences share, as CrowS-Pairs' authors have it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workbench.errors import DataError, unknown
from workbench.frames import ROW_COLUMNS, require
from workbench.models.verbs import Blanks, Monitor, Request
from workbench.probes._pairs_tables import COMPARED
from workbench.probes._rows import need_verb, rows_frame
from workbench.probes._stored import numbers_of, stored_examples
from workbench.probes.protocol import Scored

if TYPE_CHECKING:
    import pandas as pd

    from workbench.data.examples import Examples

CAUSAL, MASKED, STORED = "log-likelihood", "pseudo-log-likelihood", "stored"
COLUMNS = ("text", "other", "direction", "logp", "logp_other", "tokens", "tokens_other")
DERIVED = ("difference", "difference_per_token", "prefers_more", "tie", "asked")
DECIMALS = 3  # to which CrowS-Pairs' authors round a masked score before they compare: it decides what is a tie
HIGHEST = 1e-6  # a log-likelihood that was rounded
DIRECTIONS = ("stereo", "antistereo", "")


class Asked(NamedTuple):
    """What a model said of n pairs: log-likelihoods (n, 2) in nats, tokens (n, 2), which pairs are done (n,), and notes."""

    logp: np.ndarray
    tokens: np.ndarray
    done: np.ndarray
    how: str
    notes: tuple[str, ...]


class Shared(NamedTuple):
    """Positions of the shared tokens in the first and in the second sequence, aligned."""

    first: tuple[int, ...]
    second: tuple[int, ...]


def rows_of(model: Any, examples: "Examples", other: str, *, monitor: Monitor) -> Scored:
    """Return one row per pair that was reached."""
    pairs = pairs_of(examples, other)
    asked = (masked if "fill" in model.verbs and "score" not in model.verbs else causal)(model, pairs, monitor)
    return _scored(examples, pairs, asked, other)


def with_compared(examples: "Examples", column: str) -> "Examples":
    """Return the examples whose rows will have the column that is tested; raise `UsageError` where they lack the one named."""
    known = examples.frame.columns
    if column not in known:
        if column == COMPARED:
            return examples
        raise unknown("column of the examples (compare=)", column, map(str, known))
    if column in (*COLUMNS, *DERIVED, *ROW_COLUMNS, *examples.slices):
        return examples
    return replace(examples, slices=(*examples.slices, column))


def stored_rows(frame: Any, columns: Mapping[str, Any], by: Sequence[str], other: str) -> Scored:
    """Return one row per line of a table of stored scores: logp and logp_other in nats, tokens where they are known."""
    named = {**columns, **({} if other == "other" else {"other": other})}
    examples = stored_examples(
        frame,
        named,
        by,
        needed=("text", "other", "logp", "logp_other"),
        optional=("tokens", "tokens_other", "direction"),
    )
    table, n = examples.frame, len(examples)
    logp = np.stack([numbers_of(table, name) for name in ("logp", "logp_other")], axis=1)
    for name, values in zip(("logp", "logp_other"), logp.T, strict=True):
        if (values > HIGHEST).any():
            row = int((values > HIGHEST).argmax())
            raise DataError(
                f"Row {row} has {values[row]:g} as {name}; a log-likelihood is at most 0. Turn losses round: logp = -loss."
            )
    counts = [
        numbers_of(table, name).fillna(0) if name in table else np.zeros(n) for name in ("tokens", "tokens_other")
    ]
    asked = Asked(logp, np.stack(counts, axis=1).astype(np.int64), np.ones(n, dtype=bool), STORED, ())
    return _scored(examples, pairs_of(examples, "other"), asked, "other")


def _scored(examples: "Examples", pairs: Sequence[tuple[str, str]], asked: Asked, other: str) -> Scored:
    """Return the rows of what was asked."""
    frame = examples.frame
    directions = _directions(frame["direction"].tolist()) if "direction" in frame.columns else [""] * len(frame)
    records = []
    for i in np.flatnonzero(asked.done).tolist():
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


def pair_again(rows: "pd.DataFrame", options: Mapping[str, Any], data: Mapping[str, Any]) -> "Examples":
    """Return the one pair of a row as examples."""
    from workbench.data.examples import Examples

    known = [name for name in ("direction", options["compare"]) if name in rows]
    kept = rows[list(dict.fromkeys(["example", "text", "other", *known]))].iloc[:1]
    return Examples(kept.rename(columns={"other": options["other"]}), name=str(data.get("name", "pairs")), slices=())


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
    need_verb(model, "score", "the log-likelihood of a text, or a masked language model")
    scores = model.score([Request("", text) for pair in pairs for text in pair], monitor=monitor)
    logp = scores.total().reshape(-1, 2)
    tokens = np.diff(scores.offsets).reshape(-1, 2)
    return Asked(logp, tokens, scores.done.reshape(-1, 2).all(axis=1), CAUSAL, ())


def masked(model: Any, pairs: Sequence[tuple[str, str]], monitor: Monitor) -> Asked:
    """Return the pseudo-log-likelihood of the tokens that both sentences of each pair share, rounded as the authors round it.

    A pair of which a sentence is longer than the model reads has NaN and a note. `tokens` counts the shared tokens.
    """
    texts = [text.lower() if model.uncased else text for pair in pairs for text in pair]
    ids = model.encode(texts)
    limit = model.max_length or max(map(len, ids), default=0)
    long = np.array([len(a) > limit or len(b) > limit for a, b in zip(ids[::2], ids[1::2], strict=True)], dtype=bool)
    blanks = []
    for first, second, cut in zip(ids[::2], ids[1::2], long, strict=True):
        spans = Shared((), ()) if cut else shared_tokens(first, second)
        blanks += [Blanks(first[:limit], spans.first), Blanks(second[:limit], spans.second)]
    filled = model.fill(blanks, monitor=monitor)
    logp = np.round(filled.total().reshape(-1, 2), DECIMALS)
    tokens = np.array([len(blank.positions) for blank in blanks], dtype=np.int64).reshape(-1, 2)
    logp[long] = np.nan
    notes: tuple[str, ...] = ()
    if long.any():
        notes = (f"{int(long.sum())} pairs have a sentence of more than {limit} tokens, which is too long.",)
    if model.uncased:
        notes += ("The texts were lower-cased, since the model reads lower case only.",)
    return Asked(logp, tokens, filled.done.reshape(-1, 2).all(axis=1), MASKED, notes)


def shared_tokens(first: Sequence[int], second: Sequence[int]) -> Shared:
    """Return the positions of the tokens that two sequences share, without the first and the last of them (special tokens).

    The equal blocks of `difflib.SequenceMatcher`, as in `get_span` and `mask_unigram` of CrowS-Pairs' metric.py.

    >>> shared_tokens([1, 7, 8, 9, 2], [1, 7, 5, 6, 9, 2])
    Shared(first=(1, 3), second=(1, 4))
    """
    blocks = SequenceMatcher(None, list(first), list(second)).get_matching_blocks()
    pairs = [(block.a + i, block.b + i) for block in blocks for i in range(block.size)][1:-1]
    return Shared(tuple(a for a, _ in pairs), tuple(b for _, b in pairs))


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
