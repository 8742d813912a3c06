"""Rules: slices that are said by columns and values, so that they can be carried to rows that nobody has looked at.

A brush on the explored half names ranges and labels; the same ranges and labels name rows of the half that was held out. A
selection of ids is no rule: the other half has other ids.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.errors import UsageError, unknown

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Condition", "Range", "Rule", "parsed", "plain", "rule_of"]

LENGTH, TEXTS = "length", ("text", "before")  # the number of words, where the rows have no column of that name
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
BETWEEN = re.compile(rf"(?P<column>.+?)\s+(?P<low>{NUMBER}) to (?P<high>{NUMBER})")


class Range(NamedTuple):
    """Numbers from low to high, None for no end; `closed` says which ends belong to it: "left", "right" or "both"."""

    low: float | None
    high: float | None
    closed: str = "both"


class Condition(NamedTuple):
    """What one column must hold: one of some values, as text ("" for a blank), or a number in one of some ranges."""

    column: str
    values: tuple[str, ...] = ()
    ranges: tuple[Range, ...] = ()

    def holds(self, rows: "pd.DataFrame") -> NDArray[np.bool_]:
        """Return which rows (n,) meet it; raise `UsageError` where there is no such column."""
        import pandas as pd

        column = _column(rows, self.column)
        kinds = column.dropna().unique().tolist() if self.values else []
        wanted = [kind for kind in kinds if plain(kind) in self.values or str(kind) in self.values]
        found = column.isin(wanted).to_numpy(bool, copy=True) if wanted else np.zeros(len(rows), dtype=bool)
        if "" in self.values:
            found |= column.isna().to_numpy(bool)
        if not self.ranges or pd.api.types.is_bool_dtype(column):
            return found
        numbers = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        for low, high, closed in self.ranges:
            inside = np.isfinite(numbers)
            if low is not None:
                inside &= numbers > low if closed == "right" else numbers >= low
            if high is not None:
                inside &= numbers < high if closed == "left" else numbers <= high
            found |= inside
        return found

    @property
    def words(self) -> str:
        """The condition in words."""
        said = [", ".join(value or "(blank)" for value in self.values)] if self.values else []
        said += [_between(*one) for one in self.ranges]
        return f"{self.column}: {', '.join(said)}" if self.values else f"{self.column} {' or '.join(said)}"


@dataclass(frozen=True)
class Rule:
    """Conditions that all must hold, sorted, so that the same slice has one rule however it was said.

    >>> import pandas as pd
    >>> rule = rule_of({"domain": "law", "confidence": (0.6, 0.8)})
    >>> rule.words, rule.holds(pd.DataFrame({"domain": ["law", "law"], "confidence": [0.7, 0.9]})).tolist()
    ('confidence 0.6 to 0.8; domain: law', [True, False])
    >>> Rule.from_text(rule.text) == rule
    True
    """

    conditions: tuple[Condition, ...]

    def holds(self, rows: "pd.DataFrame") -> NDArray[np.bool_]:
        """Return which rows (n,) are in the slice."""
        found = np.ones(len(rows), dtype=bool)
        for one in self.conditions:
            found &= one.holds(rows)
        return found

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it names."""
        return tuple(one.column for one in self.conditions)

    def only(self, columns: "tuple[str, ...]") -> "Rule":
        """Return the conditions on these columns alone."""
        return Rule(tuple(one for one in self.conditions if one.column in columns))

    @property
    def words(self) -> str:
        """The rule in words."""
        return "; ".join(one.words for one in self.conditions)

    @property
    def text(self) -> str:
        """The rule as JSON, what a saved report keeps; equal rules have equal texts."""
        return json.dumps(self.conditions, ensure_ascii=False) if self.conditions else ""

    @classmethod
    def from_text(cls, text: str) -> "Rule":
        """Return the rule that `text` wrote."""
        return cls(
            tuple(
                Condition(column, tuple(values), tuple(Range(*one) for one in ranges))
                for column, values, ranges in json.loads(text)
            )
        )


def rule_of(slice_: Mapping[str, Any]) -> Rule:
    """Return the rule of {column: what it must hold}: a value, a list of values, or a tuple (low, high) of two numbers.

    Both ends of a range belong to it; None is no end: (0.9, None).

    >>> rule_of({"severity": 3, "kind": ["ocr", None]}).words
    'kind: (blank), ocr; severity: 3'
    """
    if not slice_:
        raise UsageError("A slice needs at least one condition, such as {'domain': 'law'}.")
    return Rule(tuple(sorted(_condition(str(column), value) for column, value in slice_.items())))


def parsed(said: str, rows: "pd.DataFrame") -> Rule:
    """Return the rule of words such as "domain: law; confidence 0.6 to 0.8" or "domain=law & length=3".

    Raises `UsageError` for words that name no column of these rows.

    >>> import pandas as pd
    >>> parsed("domain: law", pd.DataFrame({"domain": ["law", "art"]})).words
    'domain: law'
    """
    conditions = []
    for part in re.split(r"\s*;\s*|\s+&\s+", said.strip()):
        column, sign, value = _split(part, rows)
        between = BETWEEN.fullmatch(part)
        if sign:
            conditions.append(Condition(column, _values(column, value, rows)))
        elif between:
            ends = (float(between["low"]), float(between["high"]))
            conditions.append(_condition(between["column"], ends))
        else:
            raise UsageError(
                f"{part!r} is no slice that was logged, and no condition. Write {{'column': value}}, 'column: value' or "
                "'column 0.2 to 0.4'."
            )
        _column(rows, conditions[-1].column)
    return Rule(tuple(sorted(conditions)))


def _split(part: str, rows: "pd.DataFrame") -> tuple[str, str, str]:
    """Return column, sign and value of "domain: law" or "domain=law"; the sign is "" where there is neither."""
    for sign in (": ", "="):
        column, found, value = part.partition(sign)
        if found:
            _column(rows, column)
            return column, found, value
    return "", "", ""


def _values(column: str, value: str, rows: "pd.DataFrame") -> tuple[str, ...]:
    """Return the values of "law" or "law, history": one where such a value is in the rows, else several."""
    known = set(_column(rows, column).dropna().map(str))
    if value in known or ", " not in value:
        return (value,)
    return tuple(sorted("" if one == "(blank)" else one for one in value.split(", ")))


def _condition(column: str, value: Any) -> Condition:
    if isinstance(value, tuple):
        if len(value) != 2 or not all(end is None or _is_number(end) for end in value):
            raise UsageError(
                f"The range of {column!r} must be (low, high), two numbers or None; it is {value!r}. Values stand in a list."
            )
        low, high = (None if end is None else float(end) for end in value)
        if (low is None and high is None) or (low is not None and high is not None and low > high):
            raise UsageError(f"The range of {column!r} holds nothing, or everything: {value!r}.")
        return Condition(column, (), (Range(low, high),))
    several = list(value) if isinstance(value, (list, set, frozenset)) else [value]
    if not several:
        raise UsageError(f"The condition on {column!r} names no value.")
    return Condition(column, tuple(sorted({plain(one) for one in several})))


def plain(value: Any) -> str:
    """Return a value as a rule says it: 3 and 3.0 are one value, None and NaN are "".

    >>> plain(3.0), plain("law"), plain(None), plain(True)
    ('3', 'law', '', 'True')
    """
    if value is None or value != value:
        return ""
    return f"{value:.12g}" if _is_number(value) else str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool) and value == value


def _between(low: float | None, high: float | None, closed: str) -> str:
    if low is not None and low == high:
        return f"{low:.6g}"
    if low is None:
        return f"{'below' if closed == 'left' else 'up to'} {high:.6g}"
    if high is None:
        return f"{'above' if closed == 'right' else 'from'} {low:.6g}"
    return f"{low:.6g} to {high:.6g}"


def _column(rows: "pd.DataFrame", name: str) -> "pd.Series[Any]":
    """Return a column of the rows, or the number of words of their texts."""
    if name in rows.columns:
        return rows[name]
    text = next((one for one in TEXTS if one in rows.columns), None)
    if name == LENGTH and text is not None:
        return rows[text].map(lambda one: len(str(one).split()))
    raise unknown("column of the rows", name, [str(one) for one in rows.columns])
