"""Reading answers that were stored elsewhere, for probes whose rows are few named columns."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workbench.data.examples import Examples
from workbench.errors import DataError, unknown
from workbench.frames import example_ids, require

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["numbers_of", "stored_examples"]

NOT_STORED = "(not stored)"
KEYS = ("example", "cluster", "group")


def stored_examples(
    frame: Any,
    columns: Mapping[str, Any],
    by: Sequence[str],
    *,
    needed: Sequence[str],
    optional: Sequence[str],
    lacking: Sequence[str] = (),
) -> Examples:
    """Return the table as examples with our column names: the needed, those of the optional that are there, and `by`.

    `columns` maps our words to the table's column names; a word that is not named is looked for under its own name; the
    texts of `lacking` that are not there are "(not stored)". Raises `DataError` or `UsageError` that names what is missing or
    unknown.
    """
    import pandas as pd

    table = pd.DataFrame(frame).reset_index(drop=True)
    words = (*needed, *optional, *KEYS)
    for word, name in columns.items():
        if word not in words:
            raise unknown("argument of from_predictions", word, words)
        if name not in table.columns:
            raise unknown(f"column of the table ({word}=)", str(name), map(str, table.columns))
    if not len(table):
        raise DataError("The table of predictions is empty.")
    named = {word: columns.get(word, word) for word in words}
    example = f"{needed[-1]}='...'"
    require(table, [named[word] for word in needed], what="from_predictions", remedy=f"Name columns, as in {example}.")
    require(table, by, what="Slicing", remedy="Name columns of the table in by=[...].")
    made = {word: table[name] for word, name in named.items() if name in table.columns}
    for word in KEYS:
        if word in made:
            made[word] = made[word].astype(str)
    if "example" not in made:
        ids = example_ids([{str(key): value for key, value in row.items()} for row in table.to_dict("records")])
        made["example"] = pd.Series(ids)
    made |= {name: table[name] for name in by if name not in made}
    made |= {word: pd.Series([NOT_STORED] * len(table)) for word in lacking if word not in made}
    return Examples(pd.DataFrame(made), name="predictions", slices=tuple(name for name in by if name not in words))


def numbers_of(frame: "pd.DataFrame", name: str) -> "pd.Series[float]":
    """Return a column as numbers, NaN where it is empty; raise `DataError` that names the row of anything else."""
    import pandas as pd

    values = pd.to_numeric(frame[name], errors="coerce").astype(float)
    wrong = values.isna() & frame[name].notna()
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        raise DataError(f"Row {row} has {frame[name].iloc[row]!r} as {name}, which is not a number.")
    return values
