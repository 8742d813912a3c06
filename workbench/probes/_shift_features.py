"""What the probe `shift` compares: a vector for each example, and categories, read from a model, a text or a table.

``embedding``  the model's own vector of the text
``hidden``     hidden states of a layer, pooled
``softmax``    a classifier's probabilities, and the class that it predicts
``tokens``     counts and shares of characters and words; with a language model also how it expects the tokens
``columns``    columns of the table: numbers, and categories
"""

import string
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workbench.errors import DataError, NotApplicable, counted
from workbench.frames import require
from workbench.models.verbs import Monitor, Request
from workbench.probes._rows import need_verb

if TYPE_CHECKING:
    import pandas as pd

    from workbench.data.examples import Examples

__all__ = ["WAYS", "Features", "features_of"]

WAYS = ("embedding", "hidden", "softmax", "tokens", "columns")
OWN = ("example", "text", "choices", "label", "group", "cluster", "context")  # columns that are no features
MOST_LEVELS = 50  # categories of a column that is taken without being named
TEXT_NAMES = (
    *("characters", "words", "characters_per_word", "capitals", "digits", "punctuation", "non_ascii", "distinct_words"),
)
TOKEN_NAMES = ("tokens", "surprise", "surprise_spread", "entropy")
PUNCTUATION = frozenset(string.punctuation)


class Features(NamedTuple):
    """Numbers (n, d), NaN where there is none, categories (n, q) as texts, "" for none; what they are; what was reached."""

    vectors: np.ndarray
    names: tuple[str, ...]
    levels: np.ndarray
    level_names: tuple[str, ...]
    done: np.ndarray
    notes: tuple[str, ...] = ()


def features_of(model: Any, sets: "Sequence[Examples]", options: Mapping[str, Any], monitor: Monitor) -> Features:
    """Return the features of all examples of the sets, in their order; raise NotApplicable where the model cannot be asked."""
    way = options["on"]
    if way == "columns":
        return _columns(sets, options)
    if way == "softmax":
        return _classes(model, sets, monitor)
    for one in sets:
        require(one.frame, ["text"], what=f"The probe 'shift' on {way!r}", remedy="A table without text: on='columns'.")
    texts = [text for one in sets for text in one.frame["text"]]
    return _tokens(model, texts, monitor) if way == "tokens" else _embedded(model, texts, options, monitor)


def _without_levels(vectors: np.ndarray, names: Sequence[str], done: np.ndarray, notes: Sequence[str] = ()) -> Features:
    return Features(vectors, tuple(names), np.empty((len(vectors), 0), dtype=object), (), done, tuple(notes))


def _embedded(model: Any, texts: list[str], options: Mapping[str, Any], monitor: Monitor) -> Features:
    try:
        need_verb(model, "embed", "vectors of texts")
    except NotApplicable as reason:
        softmax = "'softmax' (class probabilities), " if "classify" in model.verbs else ""
        raise NotApplicable(
            f"{reason} Compare something else with on=: {softmax}'tokens' (counts of each text) or 'columns'."
        ) from None
    asked = {"layer": options["layer"], "pooling": options["pooling"]} if options["on"] == "hidden" else {}
    made = model.embed(texts, monitor=monitor, **asked)
    notes = []
    cut = 0 if made.truncated is None else int((made.truncated > 0).sum())
    if cut:
        notes.append(f"{counted(cut, 'text is', 'texts are')} longer than the model reads, cut at the end.")
    return _without_levels(made.vectors, (), made.done, notes)


def _classes(model: Any, sets: "Sequence[Examples]", monitor: Monitor) -> Features:
    need_verb(model, "classify", "class probabilities")
    made = model.classify([each for one in sets for each in one.inputs], monitor=monitor)
    table = np.asarray(made.probabilities, dtype=np.float64)
    predicted = np.full(len(table), "", dtype=object)
    known = made.done & np.isfinite(table).all(axis=1)
    predicted[known] = np.array(made.labels, dtype=object)[table[known].argmax(axis=1)]
    return Features(table, tuple(made.labels), predicted[:, None], ("predicted",), made.done)


def _tokens(model: Any, texts: list[str], monitor: Monitor) -> Features:
    own = np.array([_text_numbers(text) for text in texts])
    if "score" not in getattr(model, "verbs", ()):
        return _without_levels(own, TEXT_NAMES, np.ones(len(texts), dtype=bool))
    made = model.score([Request("", text) for text in texts], monitor=monitor)
    asked = np.full((len(texts), len(TOKEN_NAMES)), np.nan)
    for i, (low, high) in enumerate(zip(made.offsets[:-1], made.offsets[1:], strict=True)):
        if high > low:
            logp = made.logp[low:high]
            asked[i] = [high - low, -logp.mean(), logp.std(), -made.mean_logp[low:high].mean()]
    names: tuple[str, ...] = TOKEN_NAMES
    if np.isnan(asked[made.done, -1]).all():  # a model behind a URL does not tell the entropy
        asked, names = asked[:, :-1], names[:-1]
    return _without_levels(np.hstack([own, asked]), (*TEXT_NAMES, *names), made.done)


def _text_numbers(text: str) -> list[float]:
    """Return the numbers of `TEXT_NAMES`; shares are of characters, those of words of words.

    >>> _text_numbers("Go go!")
    [6.0, 2.0, 2.5, 0.16666666666666666, 0.0, 0.16666666666666666, 0.0, 0.5]
    """
    words = text.split()
    many, count = max(len(text), 1), max(len(words), 1)
    plain = [word.strip(string.punctuation).lower() for word in words]
    share = [sum(map(test, text)) / many for test in (str.isupper, str.isdigit, PUNCTUATION.__contains__)]
    foreign = sum(ord(one) > 127 for one in text) / many
    return [
        *(float(len(text)), float(len(words)), sum(map(len, words)) / count, *share, foreign),
        len(set(plain)) / count,
    ]


def _columns(sets: "Sequence[Examples]", options: Mapping[str, Any]) -> Features:
    """Return numbers and categories of the columns that both sets have, or of those that were named."""
    import pandas as pd

    named = options["columns"]
    named = (named,) if isinstance(named, str) else tuple(named)
    for one in sets:
        require(one.frame, named, what="The probe 'shift'", remedy="Name columns that both sets have in columns=[...].")
    table = pd.concat([one.frame for one in sets], ignore_index=True)
    features = [name for name in sets[-1].features if all(name in one.frame.columns for one in sets)]
    common = [name for name in table.columns if all(name in one.frame.columns for one in sets) and name not in OWN]
    chosen = named or tuple(features or (name for name in common if name != options["split"]))
    numbers = [name for name in chosen if _is_number(table[name])]
    levels = [name for name in chosen if name not in numbers and (named or table[name].nunique() <= MOST_LEVELS)]
    notes = []
    passed = [name for name in chosen if name not in numbers and name not in levels]
    if passed:
        notes.append(f"Columns with more than {MOST_LEVELS} different texts were passed over: {', '.join(passed[:5])}.")
    if not numbers and not levels:
        raise DataError(
            f"The two sets share no column to compare; they have {', '.join(map(str, table.columns))}. Name some in columns=[...]."
        )
    blank = int(table[[*numbers, *levels]].isna().any(axis=1).sum())
    if blank:
        notes.append(
            f"{blank:,} of {len(table):,} rows lack a value in some column: tests by column leave out the value, tests of "
            "whole rows the row."
        )
    kinds = [table[name].astype(object).where(table[name].notna(), "").astype(str) for name in levels]
    return Features(
        table[numbers].astype(np.float64).to_numpy() if numbers else np.empty((len(table), 0)),
        tuple(numbers),
        np.array(kinds, dtype=object).T if levels else np.empty((len(table), 0), dtype=object),
        tuple(levels),
        np.ones(len(table), dtype=bool),
        tuple(notes),
    )


def _is_number(column: "pd.Series[Any]") -> bool:
    from pandas.api import types

    return bool(types.is_numeric_dtype(column) and not types.is_bool_dtype(column))
