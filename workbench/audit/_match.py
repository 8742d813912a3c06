"""The rows of two reports of the same examples, one beside the other."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workbench.errors import DataError, UsageError, unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from workbench.reports import Report

__all__ = ["Matched", "joined", "matched", "settled"]

KEYS = ["example", "variant", "group"]
REMEDY = (
    "Compare what both hold: ids = set(a.rows.example) & set(b.rows.example), then compare(a.where(ids), b.where(ids))."
)


class Matched(NamedTuple):
    """The explored rows of both reports, row for row of the same example, variant and group, and what the reader must know."""

    a: "pd.DataFrame"
    b: "pd.DataFrame"
    notes: tuple[str, ...]


def settled(a: "Report", b: "Report", by: "Sequence[str] | str | None") -> tuple[str, ...]:
    """Return the columns to slice by, or raise `UsageError` where the two reports cannot be compared at all."""
    for name, report in (("a", a), ("b", b)):
        if not hasattr(report, "explored"):
            raise UsageError(
                f"compare takes two reports; {name} is a {type(report).__name__}. Make one with wb.run(...)."
            )
        if not len(report.explored):
            raise UsageError(f"Report {name} has no rows to compare; its outcome is {report.outcome!r}.")
    if a.probe != b.probe:
        raise UsageError(f"compare takes two reports of one probe; a is of {a.probe!r} and b of {b.probe!r}.")
    if by is None:
        return tuple(name for name in a.by if name in b.by)
    wanted = (by,) if isinstance(by, str) else tuple(by)
    shared = [name for name in a.explored.columns if name in set(b.explored.columns)]
    for name in wanted:
        if name not in shared:
            raise unknown("column of both reports", name, shared)
    return wanted


def matched(a: "Report", b: "Report") -> Matched:
    """Return the rows that both reports have, in one order, or raise `DataError` that names what does not match."""
    one, two = a.explored, b.explored
    _same_examples(set(one["example"]), set(two["example"]))
    left, right = (rows.set_index(KEYS, drop=False).rename_axis([None] * 3) for rows in (one, two))
    shared = left.index.intersection(right.index).sort_values()
    if not len(shared):
        raise DataError("No row of a has a counterpart in b: example, variant and group all count. Run both alike.")
    left, right = left.loc[shared].reset_index(drop=True), right.loc[shared].reset_index(drop=True)
    _same_texts(left, right)
    _same_clusters(left, right)
    notes = []
    for name, rows, kept in (("a", one, left), ("b", two, right)):
        if len(kept) < len(rows):
            notes.append(
                f"{len(rows) - len(kept):,} of {len(rows):,} rows of {name} have no counterpart; they are left out."
            )
    return Matched(left, right.assign(cluster=left["cluster"]), (*notes, *_options(a, b)))


def joined(rows: Matched) -> "pd.DataFrame":
    """Return one table of both: columns that agree once, the others as `name_a` and `name_b`."""
    import pandas as pd

    columns: dict[str, Any] = {}
    for name in dict.fromkeys([*rows.a.columns, *rows.b.columns]):
        if name not in rows.b or name not in rows.a:
            side = "a" if name in rows.a else "b"
            columns[f"{name}_{side}"] = getattr(rows, side)[name]
        elif (rows.a[name].astype(str) == rows.b[name].astype(str)).all():
            columns[name] = rows.a[name]
        else:
            columns |= {f"{name}_a": rows.a[name], f"{name}_b": rows.b[name]}
    return pd.DataFrame(columns)


def _same_examples(one: set[str], two: set[str]) -> None:
    if one and two and not one & two:
        raise DataError(
            f"No example of a is in b: ids are like {min(map(str, one))!r} in a, {min(map(str, two))!r} in b. Run both on the same "
            "examples; stored predictions need a column `example`, since an id that is made from a row holds its numbers."
        )
    for name, other, alone in (("a", "b", one - two), ("b", "a", two - one)):
        if alone:
            raise DataError(
                f"{len(alone):,} examples are in {name} and not in {other}, the first is {min(map(str, alone))!r}. {REMEDY}"
            )


def _same_texts(a: "pd.DataFrame", b: "pd.DataFrame") -> None:
    """Raise where a row of one name has another text: other data, or tokens of another tokenizer."""
    if "text" not in a or "text" not in b:
        return
    apart = np.flatnonzero((a["text"].astype(str) != b["text"].astype(str)).to_numpy())
    if len(apart):
        at = int(apart[0])
        said = ", ".join(repr(a[key].iloc[at]) for key in KEYS[:2] if a[key].iloc[at] != "")
        raise DataError(
            f"{len(apart):,} rows have another text in b, the first is {said}: {str(a['text'].iloc[at])[:60]!r} in a, "
            f"{str(b['text'].iloc[at])[:60]!r} in b. Run both on the same examples; next tokens need one tokenizer."
        )


def _same_clusters(a: "pd.DataFrame", b: "pd.DataFrame") -> None:
    """Raise where the two disagree on what was drawn independently."""
    pairs = set(zip(a["cluster"].astype(str), b["cluster"].astype(str), strict=True))
    if len(pairs) != a["cluster"].nunique() or len(pairs) != b["cluster"].nunique():
        raise DataError("The two reports group the examples into other clusters. Run both on the same examples.")


def _options(a: "Report", b: "Report") -> tuple[str, ...]:
    """Return notes on the options in which the runs differ: those that ask otherwise, and those that count otherwise."""
    asks = getattr(a._probe, "asks", ())
    notes = []
    for name in a.options:
        mine, other = a.options[name], b.options.get(name)
        if str(mine) == str(other):
            continue
        if name in asks:
            notes.append(f"The runs were asked differently: {name}={mine!r} in a, {other!r} in b.")
        else:
            notes.append(f"Both are counted with {name}={mine!r}, which b was not ({other!r}).")
    return tuple(notes)
