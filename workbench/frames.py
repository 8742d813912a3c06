"""The tidy tables that everything else is a function of, and their checks.

*Rows* have one line per example, variant and group; a probe adds columns of its own. ``example`` is a stable id, ``variant``
names a pair member, a token position, a corruption or a swap ("" where there is one only), ``group`` the group of interest
("all" where none was named), ``cluster`` what was drawn independently (the example, unless a probe or the data say more) and
``half`` the side of the hold-out ("explore" or "confirm"; all rows explore where none is held out).

*Metrics* have one line per metric and group: ``metric, group, value, low, high, n, method``, and further index columns.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "METRIC_COLUMNS",
    "ROW_COLUMNS",
    "SELECTION_COLUMNS",
    "Metric",
    "check_metrics",
    "check_rows",
    "example_ids",
    "halves",
    "metrics_frame",
    "require",
    "seed_of",
    "truths",
]

ROW_COLUMNS = ("example", "variant", "group", "cluster", "half")
METRIC_COLUMNS = ("metric", "group", "value", "low", "high", "n", "method")
SELECTION_COLUMNS = (
    *("time", "source", "description", "n", "name", "examples"),
    *("rule", "tried", "metric", "status", "result"),
    *("correction", "family", "direction", "level", "counted"),
)  # of the log of a search


class Metric(NamedTuple):
    """One line of a metrics table."""

    metric: str
    group: str
    value: float
    low: float
    high: float
    n: int
    method: str


def metrics_frame(metrics: Iterable[Metric]) -> "pd.DataFrame":
    """Return the metrics as a table with the columns of `METRIC_COLUMNS`.

    >>> metrics_frame([Metric("accuracy", "all", 0.5, 0.2, 0.8, 10, "Wilson")]).shape
    (1, 7)
    """
    import pandas as pd

    return pd.DataFrame(list(metrics), columns=list(METRIC_COLUMNS)).astype(
        {"value": float, "low": float, "high": float, "n": int}
    )


def seed_of(*parts: object) -> int:
    """Return a 63-bit seed that depends on the parts alone: not on order, batch size or process.

    >>> seed_of(0, "a") == seed_of(0, "a"), seed_of(0, "a") == seed_of(0, "b")
    (True, False)
    """
    digest = hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def example_ids(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return one stable id per record: a hash of its content, and a count where the content repeats.

    >>> example_ids([{"text": "a"}, {"text": "a"}])
    ['fcf7579b2db1', 'fcf7579b2db1-2']
    """
    seen: dict[str, int] = {}
    ids = []
    for record in records:
        content = json.dumps(record, sort_keys=True, default=str, ensure_ascii=True)
        digest = hashlib.sha256(content.encode()).hexdigest()[:12]
        seen[digest] = count = seen.get(digest, 0) + 1
        ids.append(digest if count == 1 else f"{digest}-{count}")
    return ids


def halves(clusters: Sequence[str], holdout: float, seed: int) -> list[str]:
    """Return "explore" or "confirm" for each row, by cluster: the share `holdout` of the clusters is held out.

    The clusters are ranked by a hash of their name and the seed, so that the same cluster falls on the same side whatever the
    order of the rows.

    >>> halves(["a", "a", "b"], 0.5, seed=0)
    ['explore', 'explore', 'confirm']
    """
    if not 0 <= holdout < 1:
        raise DataError(f"holdout must be at least 0 and below 1; it is {holdout}. Use 0.5 to hold out a half.")
    known = set(clusters)
    wanted = round(holdout * len(known))
    if not wanted:  # a million hashes take seconds
        return ["explore"] * len(clusters)
    held = set(sorted(known, key=lambda name: seed_of(seed, "half", name))[:wanted])
    return ["confirm" if name in held else "explore" for name in clusters]


def require(frame: "pd.DataFrame", columns: Iterable[str], *, what: str, remedy: str) -> None:
    """Raise `DataError` that names the columns that are missing, those that are there, and the remedy.

    >>> import pandas as pd
    >>> require(pd.DataFrame({"id": [1]}), ["group"], what="The bias probe", remedy="Add one with `by=`.")
    Traceback (most recent call last):
    ...
    workbench.errors.DataError: The bias probe needs the column(s) group; this table has id. Add one with `by=`.
    """
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        have = ", ".join(map(str, frame.columns)) or "no columns"
        raise DataError(f"{what} needs the column(s) {', '.join(missing)}; this table has {have}. {remedy}")


def check_rows(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Return the rows, or raise `DataError` that names the first row that breaks the contract of this module."""
    require(rows, ROW_COLUMNS, what="A table of rows", remedy="A probe's `score` must return them all.")
    for column in ROW_COLUMNS:
        if rows[column].isna().any():
            where = int(rows[column].isna().to_numpy().argmax())
            raise DataError(f"Row {where} has no {column}. Every row needs example, variant, group, cluster and half.")
    unique = rows["example"].is_unique  # then nothing can repeat, which is told in a third of the time
    repeated = None if unique else rows.duplicated(["example", "variant", "group"])
    if repeated is not None and repeated.any():
        first = rows[repeated].iloc[0]
        raise DataError(
            f"Two rows have example {first['example']!r}, variant {first['variant']!r} and group {first['group']!r}. "
            "Name what tells them apart in `variant`."
        )
    wrong = set(rows["half"].unique()) - {"explore", "confirm"}
    if wrong:
        raise DataError(f"half must be 'explore' or 'confirm'; found {sorted(map(str, wrong))}.")
    return rows


def check_metrics(metrics: "pd.DataFrame") -> "pd.DataFrame":
    """Return the metrics, or raise `DataError` where a column is missing or a value has neither interval nor n."""
    require(metrics, METRIC_COLUMNS, what="A table of metrics", remedy="Build it with `metrics_frame`.")
    nameless = metrics["method"].astype(str).str.strip() == ""
    if nameless.any():
        raise DataError(f"Metric {metrics['metric'][nameless].iloc[0]!r} does not name its method.")
    return metrics


def truths(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return a column of outcomes in which the texts true and false, as a CSV file holds booleans, are 1 and 0.

    >>> import pandas as pd
    >>> truths(pd.Series(["True", "False", None, "1"])).tolist()
    [1, 0, None, '1']
    """
    if column.dtype.kind in "biuf" or not column.map(lambda value: isinstance(value, str)).any():
        return column
    known = {"true": 1, "false": 0}
    given: list[Any] = column.astype(object).where(column.notna(), None).tolist()
    values = [known.get(value.strip().lower(), value) if isinstance(value, str) else value for value in given]
    return column.__class__(values, index=column.index, name=column.name, dtype=object)
