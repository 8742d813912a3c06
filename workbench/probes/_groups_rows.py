"""The rows of the groups probe, from a model's answers and from predictions made elsewhere: both are tables of the same words.

``decision`` is 1 where the positive class was predicted, ``outcome`` 1 where it is the label, ``score`` its probability.
Where there is no positive class (multiple choice, many classes) both are NaN, ``correct`` is what is compared between groups,
and ``score`` is the confidence in the answer.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workbench.errors import DataError, unknown
from workbench.frames import example_ids, require, truths
from workbench.probes._prompts import softmax
from workbench.probes.protocol import Scored

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["OWN", "WORDS", "check_groups", "rows_of"]

WORDS = ("label", "predicted", "score", "correct", "confidence", "logits", "choices")
PLACE = ("example", "variant", "text", "cluster", "group")
OWN = ("example", "variant", "text", "label", "predicted", "outcome", "decision", "score", "correct", "half")
FEWEST = 10  # decisions of which none is right, by names of which none is a label: the names do not fit
YES = ("1", "yes", "true", "positive", "pos")  # what a positive class is called, where one of two is


class Named(NamedTuple):
    """The columns of a table by our words, and the table."""

    table: "pd.DataFrame"
    columns: Mapping[str, str]

    def has(self, word: str) -> bool:
        """Return whether the table has a column for the word."""
        return self.columns.get(word, word) in self.table.columns

    def of(self, word: str) -> "pd.Series[Any]":
        """Return the column of a word."""
        return self.table[self.columns.get(word, word)]


def check_groups(names: Sequence[str], grouped: bool) -> None:
    """Raise `DataError` where there is nothing to compare, or a column bears a name that the rows need for themselves.

    >>> check_groups(["sex"], grouped=False)
    """
    for name in names:
        if name in OWN:
            raise DataError(f"The column {name!r} cannot be a slice: the report has a column of that name. Rename it.")
    if not names and not grouped:
        raise DataError(
            "There are no groups to compare. Name the column(s) with by=[...], or Examples.with_groups(...)."
        )


def rows_of(
    frame: Any, *, columns: Mapping[str, str], by: Sequence[str], positive: Any = None, classes: bool = True
) -> Scored:
    """Return the rows of a table of predictions; `columns` maps `WORDS` to the table's column names.

    Args:
        frame: a table, or the rows of another report.
        columns: our words, and what the table calls them.
        by: the columns that name groups.
        positive: the class whose rates are wanted; one of two is chosen, and said, where it is None.
        classes: whether labels are classes at all; the answers to questions are not.
    """
    import pandas as pd

    table = pd.DataFrame(frame).reset_index(drop=True)
    for word, name in columns.items():
        if word not in (*WORDS, *PLACE):
            raise unknown("argument of from_predictions", word, (*WORDS, *PLACE))
        if name not in table.columns:
            raise unknown(f"column of the table ({word}=)", name, map(str, table.columns))
    if not len(table):
        raise DataError("The table of predictions is empty.")
    require(table, by, what="Comparing groups", remedy="Name columns of the table in by=[...].")
    given = Named(table, columns)
    check_groups(by, given.has("group") and given.of("group").astype(str).nunique() > 1)
    answers, notes = _answers(given, positive, classes and not _asked(given))
    rows = pd.DataFrame(
        {
            "example": _ids(given),
            "variant": given.of("variant").fillna("").astype(str) if given.has("variant") else "",
            "text": given.of("text").astype(str) if given.has("text") else "",
            **answers,
        }
    )
    for word, default in (("group", "all"), ("cluster", None)):
        known = given.of(word).astype("object") if given.has(word) else None
        blank = rows["example"] if default is None else default
        rows[word] = blank if known is None else known.where(known.notna(), blank).astype(str)
    for name in by:
        if name not in rows.columns:
            rows[name] = table[name]
        empty = int(table[name].isna().sum())
        if empty:
            notes.append(f"{empty:,} rows have no {name}; they are in none of its groups.")
    first = ["example", "variant", "group", "cluster"]
    return Scored(rows[[*first, *(name for name in rows.columns if name not in first)]], {}, tuple(notes))


def _asked(given: Named) -> bool:
    """Return whether the rows are questions: each has its own choices."""
    if not given.has("choices"):
        return False
    lists = [None if few is None else tuple(few) for few in given.of("choices")]
    return len(set(lists)) > 1


def _ids(given: Named) -> list[str]:
    if given.has("example"):
        return [str(one) for one in given.of("example")]
    records = given.table.to_dict("records")
    return example_ids([{str(key): value for key, value in record.items()} for record in records])


def _answers(given: Named, positive: Any, classes: bool) -> tuple[dict[str, Any], list[str]]:
    """Return the columns label, predicted, outcome, decision, score and correct, and what was decided."""
    n = len(given.table)
    label = _classes(given.of("label")) if given.has("label") else np.full(n, "", dtype=object)
    predicted = _classes(given.of("predicted")) if given.has("predicted") else np.full(n, "", dtype=object)
    known = (label != "") & (predicted != "")
    if given.has("correct"):
        correct = _numbers(given, "correct", (0.0, 1.0))
    elif known.any():
        correct = np.where(known, (label == predicted).astype(float), np.nan)
    else:
        correct = np.full(n, np.nan)
    blank = np.full(n, np.nan)
    common = {"label": label, "predicted": predicted}
    names = set(label[known]) | set(predicted[known])
    unlike = not given.has("correct") and len(names) > 2 and not set(label[known]) & set(predicted[known])
    if unlike and known.sum() >= FEWEST:
        said = [", ".join(sorted(set(map(str, values[known])))[:4]) for values in (predicted, label)]
        raise DataError(
            f"No prediction is one of the labels: predicted holds {said[0]}, label holds {said[1]}. Name the classes alike."
        )
    chosen, notes = _positive(label, predicted, positive, classes)
    if chosen is not None:
        decision = np.where(predicted != "", (predicted == chosen).astype(float), np.nan)
        outcome = np.where(label != "", (label == chosen).astype(float), np.nan)
        score = _score(given, chosen, decision)
        both = ~np.isnan(decision) & ~np.isnan(outcome)
        correct = np.where(both, (decision == outcome).astype(float), np.nan)
        if not (label != "").any():
            notes.append("There are no labels: only selection rates can be compared.")
        return {**common, "outcome": outcome, "decision": decision, "score": score, "correct": correct}, notes
    if np.isnan(correct).all():
        decide = (
            " Of a score make a decision first: frame['decision'] = frame['score'] >= 0.5."
            if given.has("score")
            else ""
        )
        raise DataError(
            "The groups probe needs predicted (and label, where there is one), or correct; this table has "
            f"{', '.join(map(str, given.table.columns))}. Name them, as in from_predictions(frame, predicted='decision').{decide}"
        )
    stated = _numbers(given, "confidence", (0.0, 1.0), inside=True) if given.has("confidence") else blank
    return {**common, "outcome": blank, "decision": blank, "score": stated, "correct": correct}, notes


def _positive(label: Any, predicted: Any, wanted: Any, classes: bool) -> tuple[str | None, list[str]]:
    """Return the positive class, None where there is none, and a note of the choice."""
    names = sorted((set(label) | set(predicted)) - {""})
    if wanted is not None:
        chosen = _name(wanted)
        if chosen not in names:
            raise unknown("class (positive=)", chosen, names[:50])
        if not set(predicted) - {""}:
            raise DataError("positive= needs to know what was predicted. Name the column with predicted='...'.")
        return chosen, []
    if not set(predicted) - {""}:
        return None, []
    if not classes or len(names) > 2:
        what = "whether the answer is right" if not classes else f"accuracy: there are {len(names)} classes"
        return None, [f"Compared is {what}. Name a class with positive= for its rates."]
    likely = [name for name in names if name.lower() in YES]
    chosen = likely[0] if likely else names[-1]
    if len(names) == 1 and not likely:
        return None, [f"All labels and predictions are {names[0]!r}. Name the positive class with positive=."]
    return chosen, [f"The positive class is {chosen!r} (of {', '.join(map(repr, names))}); positive= names another."]


def _score(given: Named, positive: str, decision: Any) -> Any:
    """Return the probability of the positive class (n,), NaN where the table does not tell."""
    n = len(given.table)
    if given.has("score"):
        return _numbers(given, "score", (0.0, 1.0), inside=True)
    if given.has("logits") and given.has("choices") and given.of("logits").notna().all():
        lists = [list(map(_name, few)) for few in given.of("choices")]
        logits = [list(row) for row in given.of("logits")]
        if all(few == lists[0] for few in lists) and positive in lists[0]:
            return np.minimum(softmax(np.asarray(logits, dtype=np.float64))[:, lists[0].index(positive)], 1.0)
    two = given.has("label") and given.has("predicted")
    names = (set(_classes(given.of("label"))) | set(_classes(given.of("predicted")))) - {""} if two else set()
    if given.has("confidence") and 0 < len(names) <= 2:
        stated = _numbers(given, "confidence", (0.0, 1.0), inside=True)
        return np.where(decision == 1, stated, 1 - stated)
    return np.full(n, np.nan)


def _classes(values: "pd.Series[Any]") -> Any:
    """Return the names of classes (n,) as texts, "" where there is none."""
    import pandas as pd

    kinds = {value: "" if pd.isna(value) else _name(value) for value in values.unique()}
    return np.array([kinds.get(value, "") for value in values.tolist()], dtype=object)


def _name(value: Any) -> str:
    """Return a class as text: 1.0 and 1 are one class."""
    whole = isinstance(value, (float, np.floating)) and float(value).is_integer()
    return str(int(value)) if whole else str(value)


def _numbers(given: Named, word: str, ends: tuple[float, float], *, inside: bool = False) -> Any:
    """Return a column as floats, NaN where it is blank; a value that cannot be raises `DataError` that names the row."""
    import pandas as pd

    column = given.of(word) if inside else truths(given.of(word))
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    bad = np.isnan(values) & column.notna().to_numpy()
    bad |= (values < ends[0]) | (values > ends[1]) if inside else ~np.isnan(values) & ~np.isin(values, ends)
    if bad.any():
        row = int(bad.argmax())
        must = f"a number from {ends[0]:g} to {ends[1]:g}" if inside else "0 or 1"
        found = column.tolist()[row]
        raise DataError(f"Row {row} has {found!r} in column {column.name!r}; it must be {must}.")
    return values
