"""Rows of the calibration probe from predictions that were made elsewhere."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import DataError, UsageError, counted, unknown
from workbench.frames import example_ids, require, truths
from workbench.probes._calibration_asked import SUMS_TO_ONE, records_of_questions
from workbench.probes._calibration_rows import CLIP, MAX_LOGITS, check_slices, frame_of, outcome_of
from workbench.probes._prompts import softmax
from workbench.probes.protocol import Scored

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["WORDS", "rows_of"]

WORDS = (
    *("confidence", "correct", "probabilities", "logits", "label", "predicted", "classes", "choices"),
    *("example", "variant", "text", "cluster", "group"),
)
KINDS = (
    "logits",
    "probabilities",
    "confidence",
)  # where a table has several, the first that is there, or that is named
ROUNDED = 0.006  # a confidence written with two decimals says the same
WORDS_OF_TRUTH = ("yes", "no", "right", "wrong", "correct", "incorrect", "y", "n")


def rows_of(frame: Any, *, columns: Mapping[str, Any], by: Sequence[str]) -> Scored:
    """Return the rows of a table of predictions; `columns` maps the words of `WORDS` to the table's column names."""
    import pandas as pd

    table = _table(frame)
    for word in columns:
        if word not in WORDS:
            raise unknown("argument of from_predictions", word, WORDS)
    if not len(table):
        raise DataError("The table of predictions is empty.")
    named = {word: columns.get(word, word) for word in WORDS if word != "classes"}
    check_slices(by)
    require(table, by, what="Slicing", remedy="Name columns of the table in by=[...].")
    for word, name in columns.items():
        if word != "classes" and isinstance(name, str) and name not in table.columns:
            raise unknown(f"column of the table ({word}=)", name, map(str, table.columns))
    given = [word for word in KINDS if _present(table, named[word])]
    given.sort(key=lambda word: word not in columns)  # what the call names comes first
    if not given and not _present(table, named["correct"]):
        raise DataError(
            "from_predictions needs confidence and correct, or probabilities or logits and label; this table has "
            f"{', '.join(map(str, table.columns))}. Name them, as in from_predictions(frame, confidence='p', correct='hit'). "
            "correct alone gives accuracy."
        )
    kind = given[0] if given else "confidence"
    records = _records(table, named, kind, columns.get("classes"))
    beside = _beside(table, named, kind, given[1:], records, {*columns})
    variants = _texts(table, named["variant"])
    ids = _ids(table, named["example"], variants)
    for record, example, variant, text in zip(records, ids, variants, _texts(table, named["text"]), strict=True):
        record.update(example=example, variant=variant, text=text)
    carried = {"example": ids, **{name: table[name] for name in by}}
    for word in ("group", "cluster"):
        if _present(table, named[word]):
            carried[word] = table[named[word]].astype(str)
    rows = _carried(frame_of(records, pd.DataFrame({"example": list(dict.fromkeys(ids))}), ()), carried)
    if rows["confidence"].isna().all() and rows["correct"].notna().any():
        unknown_hits = int(rows["correct"].isna().sum())
        lost = (
            (f"{counted(unknown_hits, 'row has', 'rows have')} no outcome, left out of the count.",)
            if unknown_hits
            else ()
        )
        return Scored(rows, {}, ("There is no confidence: what is reported is accuracy.", *beside, *lost))
    notes = beside + tuple(
        f"{counted(blank, 'row has', 'rows have')} no {what}; counted as unscored."
        for what, blank in (("confidence", rows["confidence"].isna().sum()), ("outcome", rows["correct"].isna().sum()))
        if blank
    )
    return Scored(rows, {}, notes)


def _table(frame: Any) -> "pd.DataFrame":
    """Return a table of its own index; raise for what is none, and for two columns of one name."""
    import pandas as pd

    if isinstance(frame, (str, Path)):
        raise UsageError(
            f"from_predictions takes a table; found the text {str(frame)[:80]!r}. Read the file first: pd.read_csv(...), or "
            "wb.read_predictions(...) for the log of a tool."
        )
    try:
        table = pd.DataFrame(frame).reset_index(drop=True)
    except (ValueError, TypeError) as problem:
        raise UsageError(
            f"from_predictions takes a table; a {type(frame).__name__} is none ({problem}). Make a pandas.DataFrame of it."
        ) from None
    twice = table.columns[table.columns.duplicated()]
    if len(twice):
        raise DataError(f"The table has two columns {twice[0]!r}. Rename or drop one of them.")
    return table


def _present(table: "pd.DataFrame", name: Any) -> bool:
    return all(one in table.columns for one in name) if isinstance(name, (list, tuple)) else name in table.columns


def _texts(table: "pd.DataFrame", name: str) -> list[str]:
    """Return a column as texts, "" where there is none."""
    return table[name].fillna("").astype(str).tolist() if _present(table, name) else [""] * len(table)


def _carried(rows: "pd.DataFrame", carried: Mapping[str, Any]) -> "pd.DataFrame":
    """Return the rows with the columns that the table brings, row by row: an example may have several variants."""
    for name, values in carried.items():
        if name != "example":
            rows[name] = np.asarray(values, dtype=object) if name in ("group", "cluster") else values.to_numpy()
    return rows


def _records(
    table: "pd.DataFrame", named: Mapping[str, Any], kind: str, classes: Sequence[str] | None
) -> list[dict[str, Any]]:
    """Return what is known of each row, by what the table holds: a confidence, or numbers for classes or for choices."""
    if kind == "confidence":
        return _from_confidence(table, named)
    require(table, [named["label"]], what=f"from_predictions with {kind}", remedy="Name it with label='...'.")
    if classes is None and isinstance(named["choices"], str) and _present(table, named["choices"]):
        return records_of_questions(table, named, kind)
    return _from_scores(table, named, kind, classes)


def _beside(
    table: "pd.DataFrame",
    named: Mapping[str, Any],
    kind: str,
    others: Sequence[str],
    records: list[dict[str, Any]],
    chosen: set[str],
) -> tuple[str, ...]:
    """Return which of several accounts of a confidence was used; raise where two disagree and the call has not chosen one."""
    used, notes = _said(named[kind]), []
    for word in others:
        told = _said(named[word])
        if word != "confidence":
            notes.append(f"Confidences come from {used}; {told} is not used.")
            continue
        row, n = _apart(table, named[word], [one["confidence"] for one in records], ROUNDED)
        differs = f"it differs in {counted(n, 'row')} of {len(table):,}" if n else "it says the same"
        if n and (kind in chosen) == (word in chosen):
            raise DataError(
                f"Row {row} has {table[named[word]].iloc[row]} in {told}, but its largest probability by {used} is "
                f"{records[row]['confidence']:.4g}; {differs}. Name the one that counts, and only that: "
                f"{word}={named[word]!r} or {kind}={named[kind]!r}."
            )
        notes.append(f"Confidences are the largest probabilities by {used}; {told} is not used: {differs}.")
    if kind != "confidence" and _present(table, named["correct"]):
        row, n = _apart(table, named["correct"], [one["correct"] for one in records], 0.5)
        if n:
            notes.append(
                f"Right is where the most probable class by {used} is the label; {_said(named['correct'])} is not used: it differs "
                f"in {counted(n, 'row')} of {len(table):,}, first in row {row}."
            )
    return tuple(notes)


def _apart(table: "pd.DataFrame", name: str, made: Sequence[float], most: float) -> tuple[int, int]:
    """Return the first row whose number is further than `most` from what was made of it, and how many there are."""
    import pandas as pd

    told = pd.to_numeric(truths(table[name]), errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    apart = np.abs(told - np.asarray(made, dtype=np.float64)) > most  # False where one of the two is not known
    return int(apart.argmax()), int(apart.sum())


def _ids(table: "pd.DataFrame", name: str, variants: Sequence[str]) -> list[str]:
    """Return the ids of the rows: the column where there is one, else a hash of the row's content."""
    import pandas as pd

    if name not in table.columns:
        return example_ids([{str(key): value for key, value in row.items()} for row in table.to_dict("records")])
    if table[name].isna().any():
        raise DataError(
            f"Row {int(table[name].isna().to_numpy().argmax())} has no id in column {name!r}. Every row needs one."
        )
    ids = table[name].astype(str)
    twice = pd.DataFrame({"example": ids, "variant": variants}).duplicated().to_numpy()
    if twice.any():
        raise DataError(
            f"Two rows have the id {ids[twice].iloc[0]!r} in column {name!r}. Ids must be unique, or told apart by `variant`."
        )
    return ids.tolist()


def _from_confidence(table: "pd.DataFrame", named: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return records of a stated confidence and whether it was right."""
    require(table, [named["correct"]], what="from_predictions with confidence", remedy="Name it with correct='...'.")
    stated = _present(table, named["confidence"])
    confidence = _numbers(table, named["confidence"]) if stated else np.full(len(table), np.nan)
    correct = _numbers(table, named["correct"], truths(table[named["correct"]]))
    _inside(confidence, 0.0, 1.0, named["confidence"], "Give probabilities, not logits or percentages.")
    for value in sorted(set(correct[~np.isnan(correct)]) - {0.0, 1.0}):
        row = int((correct == value).argmax())
        raise DataError(
            f"Row {row} has {value:g} in column {named['correct']!r}; it must be 0 or 1. Cut a graded score first."
        )
    labels, predicted = (_texts(table, named[word]) for word in ("label", "predicted"))
    return [
        {
            "label": labels[i],
            "predicted": predicted[i],
            "confidence": float(confidence[i]),
            "correct": float(correct[i]),
            "p_label": np.nan,
            "nll": np.nan,
            "brier": np.nan,
            "logits": None,
            "choices": None,
            "label_index": -1,
        }
        for i in range(len(table))
    ]


def _from_scores(
    table: "pd.DataFrame", named: Mapping[str, Any], kind: str, classes: Sequence[str] | None
) -> list[dict[str, Any]]:
    """Return records of probabilities or logits (n, K) and labels."""
    scores, own = _matrix(table, named[kind])
    if kind == "probabilities":
        percent = bool((scores >= 0).all() and (np.abs(scores.sum(axis=1) - 100) < 1).all())
        remedy = "Divide percentages by 100." if percent else "If these are logits, pass them as logits=."
        _inside(scores, 0.0, 1.0, named[kind], remedy)
        off = np.abs(scores.sum(axis=1) - 1) > SUMS_TO_ONE
        if off.any():
            row = int(off.argmax())
            n = counted(int(off.sum()), "row does", "rows do")
            raise DataError(
                f"Row {row} of {_said(named[kind])} sums to {scores[row].sum():.4f}, not to 1 ({n} not). Give the probability of "
                "every class (rounded ones divided by their sum), or logits= where they are none."
            )
        p, scores = scores, np.log(np.clip(scores, CLIP, 1.0))
    else:
        inside = bool(((scores >= 0) & (scores <= 1)).all() and ((scores > 0) & (scores < 1)).any())
        if inside and len(scores) > 1 and (np.abs(scores.sum(axis=1) - 1) <= SUMS_TO_ONE).all():
            raise DataError(
                f"Every row of {_said(named[kind])} lies in [0, 1] and sums to 1: these are probabilities, no logits. Pass them as "
                "probabilities=."
            )
        p = softmax(scores)
    names = (
        [str(one) for one in classes] if classes is not None else _classes(own, table[named["label"]], scores.shape[1])
    )
    if len(names) != scores.shape[1]:
        raise UsageError(f"classes names {len(names)} classes; the rows have {scores.shape[1]} {kind}.")
    labels = _labels(table[named["label"]], names)
    keep = scores.shape[1] <= MAX_LOGITS
    records = []
    for row, chances, label in zip(scores, p, labels, strict=True):
        record = outcome_of(chances, label)
        best = record.pop("best")
        records.append(
            {
                **record,
                "label": names[label],
                "predicted": names[best],
                "logits": row.tolist() if keep else None,
                "choices": names if keep else None,
            }
        )
    return records


def _numbers(table: "pd.DataFrame", name: str, read: "pd.Series[Any] | None" = None) -> np.ndarray:
    """Return a column as numbers, NaN where it is blank; `read` is the column as it is to be taken."""
    import pandas as pd

    column = table[name] if read is None else read
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = np.isnan(values) & table[name].notna().to_numpy()
    if wrong.any():
        row = int(wrong.argmax())
        hint = ": 1 for right and 0 for wrong" if str(table[name].iloc[row]).lower() in WORDS_OF_TRUTH else ""
        raise DataError(f"Row {row} has {table[name].iloc[row]!r} in column {name!r}; it must be a number{hint}.")
    return np.asarray(values)


def _classes(own: list[str], labels: "pd.Series[Any]", k: int) -> list[str]:
    """Return the names of k classes: those of columns or keys, if they are what the labels say, else 0, 1, ..."""
    given = {key for key, known in zip(_keys(labels), labels.notna(), strict=True) if known}
    return own if own and given <= set(own) else [str(at) for at in range(k)]


def _matrix(table: "pd.DataFrame", name: Any) -> tuple[np.ndarray, list[str]]:
    """Return (n, K), and the names of classes where there are any, from a column of lists or mappings or from several columns.

    A row of another length, with other keys or with NaN is named.
    """
    own: list[str] = []
    if isinstance(name, (list, tuple)):
        own, values = list(map(str, name)), np.stack([_numbers(table, one) for one in name], axis=1)
    elif len(table) and isinstance(table[name].iloc[0], Mapping):
        first = list(table[name].iloc[0])
        for i, row in enumerate(table[name]):
            if not isinstance(row, Mapping) or set(row) != set(first):
                raise DataError(
                    f"Row {i} of column {name!r} does not name the classes of row 0: {', '.join(map(str, first))}."
                )
        own = list(map(str, first))
        values = np.stack([_floats(name, i, [row[one] for one in first]) for i, row in enumerate(table[name])])
    else:
        lengths = [len(row) if hasattr(row, "__len__") and not isinstance(row, str) else -1 for row in table[name]]
        for i, length in enumerate(lengths):
            if length != lengths[0] or length < 2:
                raise DataError(
                    f"Row {i} of column {name!r} holds {table[name].iloc[i]!r}; each row must be a list of as many numbers, two or "
                    "more: one for each class."
                )
        values = np.stack([_floats(name, i, row) for i, row in enumerate(table[name])])
    bad = ~np.isfinite(values).all(axis=1)
    if bad.any():
        raise DataError(
            f"Row {int(bad.argmax())} of {_said(name)} holds NaN or infinity ({int(bad.sum())} rows do). Drop or mend them."
        )
    return values, own


def _floats(name: Any, row: int, numbers: Sequence[Any]) -> np.ndarray:
    try:
        return np.asarray(list(numbers), dtype=np.float64)
    except (TypeError, ValueError) as problem:
        raise DataError(f"Row {row} of column {name!r} must hold numbers: {problem}.") from None


def _said(name: Any) -> str:
    """Return a column, or several, in words."""
    return f"columns {', '.join(map(repr, name))}" if isinstance(name, (list, tuple)) else f"column {name!r}"


def _inside(values: np.ndarray, low: float, high: float, name: Any, remedy: str) -> None:
    wrong = (values < low) | (values > high)
    if wrong.any():
        row = int(np.argwhere(wrong)[0][0])
        found = ", ".join(f"{one:.6g}" for one in np.atleast_1d(values[row]))
        raise DataError(f"Row {row} of {_said(name)} holds {found}, outside [{low:g}, {high:g}]. {remedy}")


def _keys(labels: "pd.Series[Any]") -> list[str]:
    """Return labels as texts: 1.0 and 1 are one."""
    return [str(int(x)) if isinstance(x, (float, np.floating)) and float(x).is_integer() else str(x) for x in labels]


def _labels(labels: "pd.Series[Any]", names: Sequence[str]) -> list[int]:
    index, keys = {name: i for i, name in enumerate(names)}, _keys(labels)
    by_name = any(key in index for key in keys)  # one reading for the whole column: names where any fits, else numbers
    found = []
    for row, (label, key) in enumerate(zip(labels, keys, strict=True)):
        if not by_name and key.isdecimal() and int(key) < len(names):
            found.append(int(key))
            continue
        if key not in index:
            raise DataError(
                f"Row {row} has the label {label!r}; the classes are {', '.join(names[:20])}. {_mend_label(label, keys, names)}"
            )
        found.append(index[key])
    return found


def _mend_label(label: Any, keys: Sequence[str], names: Sequence[str]) -> str:
    """Return what may be wrong with labels that are no classes."""
    if isinstance(label, (list, tuple, set, np.ndarray)):
        return "A label is one class: with several of a row, make a table and a report for each class."
    if label is None or label != label:
        return "Drop rows without a label."
    counted_from_one = all(key.isdecimal() and 1 <= int(key) <= len(names) for key in keys)
    if counted_from_one and list(names) == [str(at) for at in range(len(names))]:
        return "Count them from 0."
    return "Name the classes in the order of the numbers: classes=[...]."
