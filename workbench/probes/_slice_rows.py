"""The rows of the probe `slices`: those of any report, with the columns that are searched, and the slices that were found."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workbench.errors import DataError, UsageError, counted, unknown
from workbench.frames import example_ids, halves, require
from workbench.models.verbs import Monitor
from workbench.probes._slices import clusters_of
from workbench.probes.protocol import Scored

if TYPE_CHECKING:
    import pandas as pd

    from workbench.stats.slices import Search

__all__ = ["COLUMNS", "LENGTH", "SLICES", "TOPIC", "looked_at", "rows_of", "searched"]

LENGTH, TOPIC = "length", "topic"  # columns that are made where they are asked for
PART, SEARCHED, KEPT, BOTH = "part", "search", "estimate", "both"
TEXTS = ("text", "before")  # where a length is counted
LOSSES = ("correct", "error", "value")  # looked for in this order
WORDS = ("loss", "correct", "text", "example", "variant", "cluster", "group")
MOST = 20  # slices that can be named
SLICES = tuple(f"slice_{at}" for at in range(1, MOST + 1))
COLUMNS = ("example", "variant", "group", "cluster", "half", "loss", "wrong", PART, *SLICES)
FEW = 8  # numbers of so many kinds are categories


class Loss(NamedTuple):
    """What is high where a row is bad `(n,)`, NaN where it is not known; whether it is 0 or 1; and what it is called."""

    values: Any
    binary: bool
    name: str


def searched(rows: "pd.DataFrame", by: Sequence[str]) -> tuple[str, ...]:
    """Return what is searched where nobody says: what the report is sliced by, corruption and severity, length.

    >>> import pandas as pd
    >>> searched(pd.DataFrame({"text": ["a"], "severity": [1]}), ["domain"])
    ('domain', 'severity', 'length')
    """
    more = [name for name in ("corruption", "severity") if name in rows.columns]
    length = [LENGTH] if any(name in rows.columns for name in TEXTS) else []
    return tuple(dict.fromkeys([*by, *more, *length]))


def rows_of(
    frame: Any,
    columns: Mapping[str, str],
    by: Sequence[str],
    options: Mapping[str, Any],
    *,
    monitor: Monitor | None = None,
) -> Scored:
    """Return the rows with the slices found in them, and the table `search` of what the search saw."""
    rows = _named(frame, columns)
    names = tuple(by) or searched(rows, ())
    names = (*names, TOPIC) if options["topics"] and TOPIC not in names else names
    if not names:
        raise DataError(
            "There is nothing to search. Name columns with by=[...], such as a domain, or a text for its length."
        )
    loss = _loss(rows, str(options["loss"]))
    notes = [f"The loss is {loss.name}."]
    for name in names:
        rows[name] = _column(rows, name, options, monitor)
    rows["loss"] = loss.values
    rows["wrong"] = loss.values if loss.binary else np.nan
    known = rows["loss"].notna().to_numpy()
    if not known.all():
        notes.append(f"{counted(int((~known).sum()), 'row has', 'rows have')} no loss: they are in no number.")
    if not known.any():
        raise DataError(f"No row has a loss ({loss.name}). Name a column of numbers with loss='...'.")
    share = float(options["split"])
    sides = halves(rows["cluster"].tolist(), share, 0)
    rows[PART] = [BOTH if not share else KEPT if side == "confirm" else SEARCHED for side in sides]
    look = known & (rows[PART] != KEPT).to_numpy()
    if not look.any():
        raise DataError("No row is left to search in. Use split=0 to search in all of them.")
    found = _search(rows[look], names, options)
    table = _table(found)
    table.attrs["tried"] = found.tried
    for at, one in enumerate(found.slices):
        mine = np.logical_and.reduce([(rows[column].astype(str) == value).to_numpy() for column, value in one.where])
        rows[SLICES[at]] = np.where(mine, one.name, "")
    return Scored(_ordered(rows), {"search": table}, (*notes, *_said(found, rows, look)))


def _named(frame: Any, columns: Mapping[str, str]) -> "pd.DataFrame":
    """Return a copy of the table under our words, with what each row needs: example, variant, group, cluster."""
    import pandas as pd

    table = pd.DataFrame(frame).reset_index(drop=True)
    for word, name in columns.items():
        if word not in WORDS:
            raise unknown("argument of from_predictions", word, WORDS)
        if name not in table.columns:
            raise unknown(f"column of the table ({word}=)", str(name), map(str, table.columns))
    if not len(table):
        raise DataError("The table of predictions is empty.")
    for word, name in columns.items():
        table[word] = table[name]
    if "loss" in columns:
        table["error"] = table["loss"]
        table = table.drop(columns=["correct"], errors="ignore")
    old = [name for name in table.columns if name in (*SLICES, PART, "half", "wrong", "loss")]
    table = table.drop(columns=old)
    if "example" not in table:
        table["example"] = example_ids(
            [{str(key): one for key, one in line.items()} for line in table.to_dict("records")]
        )
    for word, default in (("variant", ""), ("group", "all"), ("cluster", None)):
        blank = table["example"] if default is None else pd.Series([default] * len(table))
        given = table[word].astype("object") if word in table else blank
        table[word] = given.where(given.notna(), blank).astype(str)
    table["example"] = table["example"].astype(str)
    return table


def _loss(rows: "pd.DataFrame", wanted: str) -> Loss:
    """Return the loss: a column that is named, else 1 - correct, error, value."""
    import pandas as pd

    if wanted and wanted not in rows.columns:
        raise unknown("column of the rows (loss=)", wanted, map(str, rows.columns))
    column = wanted or next((name for name in LOSSES if name in rows.columns), "")
    if not column:
        raise DataError(
            f"These rows have none of {', '.join(LOSSES)}. Name a column that is high where a row is bad, with loss='...'."
        )
    given = rows[column]
    numbers = pd.to_numeric(given, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    bad = (np.isnan(numbers) & given.notna().to_numpy()) | np.isinf(numbers)
    if bad.any():
        at = int(bad.argmax())
        raise DataError(f"Row {at} has {given.tolist()[at]!r} in column {column!r}; a loss must be a finite number.")
    known = numbers[~np.isnan(numbers)]
    binary = bool(np.isin(known, (0.0, 1.0)).all())
    if column == "correct":
        if not binary:
            raise DataError("The column 'correct' must hold 0 or 1. Name another with loss='...'.")
        return Loss(1 - numbers, binary, "1 where the answer is wrong")
    return Loss(numbers, binary, f"the column {column!r}, the higher the worse")


def _column(rows: "pd.DataFrame", name: str, options: Mapping[str, Any], monitor: Monitor | None) -> Any:
    """Return a column as it is searched: values as they are, numbers of many kinds in bins, lengths, topics."""
    import pandas as pd

    from workbench.stats.slices import binned

    if name in COLUMNS and name != "group":
        raise DataError(f"The column {name!r} cannot be searched: the report has a column of that name. Rename it.")
    if name == TOPIC and options["topics"] and TOPIC not in rows:
        from workbench.probes._slice_topics import topics_of

        require(rows, ["text"], what="Finding topics", remedy="Name it with text='...'.")
        return topics_of(rows["text"].astype(str).tolist(), options, monitor=monitor)
    if name == LENGTH and LENGTH not in rows:
        text = next((one for one in TEXTS if one in rows.columns), "text")
        require(rows, [text], what="A length", remedy="Name the column of texts with text='...'.")
        words = [len(str(one).split()) for one in rows[text]]
        return np.array([f"{one} words" for one in binned(words, bins=options["bins"])], dtype=object)
    if name not in rows.columns:
        raise unknown("column of the rows", name, [*map(str, rows.columns), LENGTH])
    given = rows[name]
    if pd.api.types.is_numeric_dtype(given) and not pd.api.types.is_bool_dtype(given) and given.nunique() > FEW:
        return binned(given.to_numpy(dtype=np.float64, na_value=np.nan), bins=options["bins"])
    return given.astype("object").where(given.notna(), None).map(lambda one: None if one is None else str(one))


def _search(rows: "pd.DataFrame", names: Sequence[str], options: Mapping[str, Any]) -> "Search":
    from workbench.stats.slices import Settings, search

    if options["top"] > MOST:
        raise UsageError(f"top must be at most {MOST}; it is {options['top']}.")
    chosen = {name: options[name] for name in ("depth", "smallest", "top", "overlap", "method", "draws")}
    columns = {name: rows[name].to_numpy(dtype=object) for name in names}
    return search(columns, rows["loss"].to_numpy(float), clusters=clusters_of(rows), settings=Settings(**chosen))


def _table(found: "Search") -> "pd.DataFrame":
    """Return what the search saw of each slice that it names."""
    import pandas as pd

    lines = [
        (one.name, one.n, one.error, one.rest, one.deviations, one.p, one.p_family, found.tried, found.method)
        for one in found.slices
    ]
    names = ("slice", "n", "loss", "rest", "deviations", "p", "p_family", "tried", "method")
    return pd.DataFrame(lines, columns=list(names))


def looked_at(made: "pd.DataFrame", source: "pd.DataFrame", search: "pd.DataFrame") -> list[tuple[str, int, list[Any]]]:
    """Return name, number of rows and conditions of each slice that a search named, in the columns of the rows it was given.

    A condition is (column, values, ranges), as `workbench._rules` has it: a bin of numbers or lengths is a range. A slice of
    topics, or of any column that the source lacks, has no conditions.
    """
    import pandas as pd

    found = []
    for name, n in zip(search["slice"], search["n"], strict=True):
        conditions: list[Any] = []
        for part in str(name).split(" & "):
            column, _, value = part.partition("=")
            given = source.get(column)
            if given is None and column == LENGTH:
                text = next((one for one in TEXTS if one in source), None)
                given = None if text is None else source[text].map(lambda one: len(str(one).split()))
            if given is None or column not in made:
                conditions = []
                break
            labels = made[column].astype(str).to_numpy()
            if not pd.api.types.is_numeric_dtype(given) or set(labels) <= set(given.map(str)):
                conditions.append((column, (value,), ()))
                continue
            numbers = given.to_numpy(np.float64, na_value=np.nan)
            most, all_below = numbers[labels == value].max(), numbers[numbers < numbers[labels == value].min()]
            ends = (
                float(all_below.max()) if len(all_below) else None,
                None if most == np.nanmax(numbers) else float(most),
            )
            conditions.append((column, (), ((*ends, "right"),)))
        found.append((str(name), int(n), sorted(conditions)))
    return found


def _said(found: "Search", rows: "pd.DataFrame", look: Any) -> list[str]:
    """Return how the search was made, and what its numbers are of."""
    notes = [f"{found.method[:1].upper()}{found.method[1:]}."]
    other = int(((rows[PART] == KEPT) & rows["loss"].notna()).sum())
    if other:
        notes.append(
            f"Slices were searched in {int(look.sum()):,} rows; what is said of each is of the {other:,} rows that the search "
            "did not see."
        )
    elif found.slices:
        notes.append(
            "What is said of the slices is of the rows that they were found in: they look worse than they are."
        )
    if not found.slices:
        notes.append("No slice with enough rows has a higher loss than the rest.")
    return notes


def _ordered(rows: "pd.DataFrame") -> "pd.DataFrame":
    first = [
        "example",
        "variant",
        "group",
        "cluster",
        "loss",
        "wrong",
        PART,
        *(name for name in SLICES if name in rows),
    ]
    return rows[[*first, *(name for name in rows.columns if name not in first)]]
