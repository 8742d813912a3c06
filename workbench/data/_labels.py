"""From what stands in a table to lists of choices and indices of the right one."""

import ast
import json
import re
import string
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from workbench.errors import DataError, UsageError, counted, unknown

__all__ = ["FORMS", "Answers", "answers_of", "blank", "class_name", "listed"]

LETTERED = re.compile(r"\s*\(?([A-Za-z])[.):]\s+(.*\S)\s*")
Reader = Callable[[Any, "Answers"], int | None]


class Answers(NamedTuple):
    """The choices of one example, and their keys where the source names them ("A" or "1")."""

    choices: tuple[str, ...]
    keys: tuple[str, ...] = ()


def blank(value: Any) -> bool:
    """Return whether a cell holds nothing: None, NaN, NaT or only white space.

    >>> blank(None), blank(float("nan")), blank(" "), blank(0), blank([])
    (True, True, True, False, False)
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return True
    if isinstance(value, (list, tuple, dict)) or hasattr(value, "__len__"):
        return False
    return type(value).__name__ in ("NAType", "NaTType") or bool(value != value)


def listed(value: Any, row: int) -> Answers:
    r"""Return the choices in a cell: a list, a JSON list, an ARC record of text and label, or lines "A. ...".

    >>> listed('["yes", "no"]', 0).choices, listed("A. yes\nB. no", 0).choices
    (('yes', 'no'), ('yes', 'no'))
    >>> listed({"text": ["yes", "no"], "label": ["A", "B"]}, 0).keys
    ('A', 'B')
    """
    if isinstance(value, str):
        value = _parsed(value, row)
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping) and "text" in value:
        keys = value.get("label")
        texts = list(value["text"]) if not isinstance(value["text"], str) else [value["text"]]
        return Answers(_texts(texts, row), tuple(map(str, keys)) if keys is not None else ())
    if isinstance(value, Sequence) and value and all(isinstance(v, Mapping) and "text" in v for v in value):
        keys = tuple(str(v["label"]) for v in value if "label" in v)
        return Answers(_texts([v["text"] for v in value], row), keys if len(keys) == len(value) else ())
    if not isinstance(value, Sequence) or isinstance(value, (str, bytes)):
        raise DataError(f"Row {row}: the choices are {_short(value)}, not a list of answers.")
    return Answers(_texts(list(value), row))


def _texts(values: list[Any], row: int) -> tuple[str, ...]:
    for value in values:
        if blank(value):
            raise DataError(f"Row {row}: one of the choices {_short(values)} is empty.")
        if isinstance(value, (list, dict, tuple)):
            raise DataError(f"Row {row}: the choice {_short(value)} is not a text.")
    if len(values) < 2:
        raise DataError(
            f"Row {row}: {_short(values)} has {counted(len(values), 'choice')}; a question needs at least 2."
        )
    return tuple(map(str, values))


def _parsed(text: str, row: int) -> Any:
    stripped = text.strip()
    if stripped[:1] in ("[", "{"):
        for parse in (json.loads, ast.literal_eval):
            try:
                return parse(stripped)
            except (ValueError, SyntaxError):
                continue
        raise DataError(f"Row {row}: the choices {_short(text)} are neither a JSON list nor a Python list.")
    lines = [LETTERED.fullmatch(line) for line in stripped.splitlines() if line.strip()]
    matches = [match for match in lines if match]
    letters = [match[1].upper() for match in matches]
    if len(matches) == len(lines) >= 2 and letters == list(string.ascii_uppercase[: len(lines)]):
        return [match[2] for match in matches]
    raise DataError(
        f"Row {row}: the choices are {_short(text)}, not a list of answers (a JSON list, or lines 'A. ...')."
    )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


# -- ways to read a label ----------------------------------------------------------------------------------------------


def _whole(value: Any) -> int | None:
    """Return a whole number, from an integer, a whole float or digits; None for all else, booleans too."""
    if isinstance(value, bool) or type(value).__name__ in ("bool", "bool_"):
        return None
    if isinstance(value, str):
        return int(value) if re.fullmatch(r"\s*\d{1,9}\s*", value) else None
    try:
        return int(value) if int(value) == value else None
    except (TypeError, ValueError):
        return None


def _index(value: Any, answers: Answers) -> int | None:
    number = _whole(value)
    return number if number is not None and 0 <= number < len(answers.choices) else None


def _from_one(value: Any, answers: Answers) -> int | None:
    number = _whole(value)
    return number - 1 if number is not None and 1 <= number <= len(answers.choices) else None


def _letter(value: Any, answers: Answers) -> int | None:
    letter = value.strip().strip("().").upper() if isinstance(value, str) else ""
    if len(letter) != 1 or letter not in string.ascii_uppercase:
        return None
    place = string.ascii_uppercase.index(letter)
    return place if place < len(answers.choices) else None


def _key(value: Any, answers: Answers) -> int | None:
    text = str(value).strip()
    return answers.keys.index(text) if text in answers.keys else None


def _text(value: Any, answers: Answers) -> int | None:
    text = str(value)
    if text in answers.choices:
        return answers.choices.index(text)
    stripped = [choice.strip() for choice in answers.choices]
    return stripped.index(text.strip()) if text.strip() in stripped else None


def _lettered_text(value: Any, answers: Answers) -> int | None:
    match = LETTERED.fullmatch(value) if isinstance(value, str) else None
    place = _letter(match[1], answers) if match else None
    return place if match and place is not None and answers.choices[place].strip() == match[2] else None


FORMS: dict[str, tuple[str, Reader]] = {
    "key": ("the key of the right choice", _key),
    "letter": ("the letter of the right choice", _letter),
    "index": ("the index of the right choice, counted from 0", _index),
    "index from 1": ("the number of the right choice, counted from 1", _from_one),
    "text": ("the text of the right choice", _text),
    "letter and text": ("letter and text of the right choice", _lettered_text),
}


def answers_of(labels: Sequence[Any], answers: Sequence[Answers], label_as: str | None) -> tuple[list[int], str]:
    """Return the index of the right choice of each example, and a note on how the labels were read.

    One way of reading holds for the whole column. Where two ways fit every row and disagree, the caller must say which.

    >>> answers_of(["B", "A"], [Answers(("yes", "no"))] * 2, None)
    ([1, 0], 'label: the letter of the right choice.')
    """
    for row, label in enumerate(labels):
        if blank(label):
            raise DataError(f"Row {row} has no label. Drop such rows, or leave the label out.")
    if label_as is not None and label_as not in FORMS:
        raise unknown("way to read labels (label_as)", label_as, FORMS)
    forms = {label_as: FORMS[label_as]} if label_as else FORMS
    read = {
        name: [reader(label, a) for label, a in zip(labels, answers, strict=True)]
        for name, (_, reader) in forms.items()
    }
    whole = {name: [place for place in places if place is not None] for name, places in read.items()}
    fitting = {name: places for name, places in whole.items() if len(places) == len(labels)}
    if "index" in fitting and "index from 1" in fitting:
        del fitting["index from 1"]  # no label is 0 and none the number of choices: counting from 0 is the custom
    if "key" in fitting:
        fitting = {"key": fitting["key"]}  # the source itself says what its labels mean
    elif "index" in fitting and not any(isinstance(label, str) for label in labels):
        fitting = {"index": fitting["index"]}  # numbers, not digits in a text: an index, even beside choices like "1"
    if not fitting:
        raise _unfit(labels, answers, read, whole)
    if len({tuple(places) for places in fitting.values()}) > 1:
        names = list(fitting)
        row = next(i for i in range(len(labels)) if len({places[i] for places in fitting.values()}) > 1)
        raise UsageError(
            f"The labels can be read as {' or as '.join(names)}: row {row} has {labels[row]!r} with the choices "
            f"{_short(list(answers[row].choices))}. Say which with label_as={names[0]!r} or {names[1]!r}."
        )
    name = next(iter(fitting))
    return fitting[name], f"label: {FORMS[name][0]}."


def _unfit(
    labels: Sequence[Any],
    answers: Sequence[Answers],
    read: Mapping[str, list[int | None]],
    whole: Mapping[str, list[int]],
) -> DataError:
    """Return the error for labels that no way of reading fits: it names the first row that breaks the best one."""
    best = max(read, key=lambda name: len(whole[name])) if any(whole.values()) else "text"
    row = next(i for i, place in enumerate(read.get(best, [None])) if place is None)
    how = f" Most labels here are {FORMS[best][0]}." if len(whole.get(best, [])) > len(labels) / 2 else ""
    return DataError(
        f"Row {row}: the label {labels[row]!r} is not among the choices {_short(list(answers[row].choices))}.{how} "
        "A label is an index from 0, a letter, or the text of a choice."
    )


def class_name(value: Any) -> str:
    """Return a label as the name of its class.

    >>> class_name(1), class_name(1.0), class_name(True), class_name("spam")
    ('1', '1', 'True', 'spam')
    """
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
