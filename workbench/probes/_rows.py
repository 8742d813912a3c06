"""Building the rows of a probe: the columns of the contract, and those that the examples bring."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workbench.errors import DataError, NotApplicable
from workbench.frames import ROW_COLUMNS

if TYPE_CHECKING:
    import pandas as pd

    from workbench.data.examples import Examples

__all__ = ["need_verb", "rows_frame", "shared_texts"]


def need_verb(model: Any, verb: str, what: str) -> None:
    """Raise `NotApplicable` where the model does not answer a verb; `what` names in words what is needed of it."""
    if verb not in model.verbs:
        if not model.name:
            raise NotApplicable(f"this question needs {what} ({verb}), and no model was given.")
        able = ", ".join(sorted(model.verbs)) or "nothing"
        why = getattr(model, "reasons", {}).get(verb, "")  # of a model behind a URL
        because = f" It cannot {verb}: {why}" if why else ""
        raise NotApplicable(f"this question needs {what} ({verb}); the model {model.name!r} can {able}.{because}")


def rows_frame(records: Sequence[Mapping[str, Any]], examples: "Examples", columns: Sequence[str]) -> "pd.DataFrame":
    """Return records as rows: `example, variant, group, cluster`, then `columns`, then what the examples are sliced by.

    A record has `example` and what it knows of the others; `variant` is "" where it says nothing, `group` is that of its
    example or "all", `cluster` that of its example or the example itself. A slice column that bears one of the names in
    `columns` raises `DataError`.
    """
    import pandas as pd

    own = [name for name in columns if name not in ROW_COLUMNS]
    for name in examples.slices:
        if name in own or name in ("variant", "half"):
            raise DataError(f"The column {name!r} cannot be a slice: the report has a column of that name. Rename it.")
    given = {name for record in records for name in record}
    first = ["example", "variant", *(name for name in ("group", "cluster") if name in given)]
    full = [{"variant": "", **record} for record in records]
    rows = pd.DataFrame(full, columns=list(dict.fromkeys([*first, *own])))
    rows = rows.astype(dict.fromkeys(first, object))
    wanted = [name for name in dict.fromkeys(["group", "cluster", *examples.slices]) if name not in rows.columns]
    frame = examples.frame
    kept = [name for name in wanted if name in frame.columns]
    rows = rows.merge(frame[["example", *kept]].astype({"example": str}), on="example", how="left", validate="m:1")
    rows["group"] = rows["group"].astype(object).fillna("all").astype(str) if "group" in rows else "all"
    named = rows["cluster"].astype(object) if "cluster" in rows else rows["example"]
    rows["cluster"] = named.fillna(rows["example"]).astype(str)
    return rows[list(dict.fromkeys(["example", "variant", "group", "cluster", *own, *rows.columns]))]


def shared_texts(one: "Examples", two: "Examples") -> int:
    """Return how many texts stand in both sets of examples; 0 where one has no texts."""
    if "text" not in one.frame or "text" not in two.frame:
        return 0
    return len(set(one.frame["text"]) & set(two.frame["text"]))
