"""A row of a sweep asked again: the inner probe's question about the text of that copy, corrupted no further."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workbench.errors import NotApplicable
from workbench.probes._sweep_plan import inner_of, settings_of
from workbench.probes._sweep_rows import inner_rows
from workbench.probes.protocol import Again

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["sweep_again"]


def sweep_again(rows: "pd.DataFrame", options: Mapping[str, Any], data: Mapping[str, Any]) -> Again:
    """Return how the inner probe asks the copy of the first row again; its answer alone, not set against the clean one."""
    inner: Any = inner_of(rows.columns, options)
    settings = settings_of(inner, options)
    if "text" not in getattr(inner, "texts", ()):
        raise NotApplicable(
            f"its copies are asked by the probe {inner.name!r}, which has no answer about one text alone."
        )
    row = rows.iloc[0]
    copy = rows[(rows["corruption"] == row["corruption"]) & (rows["severity"] == row["severity"])]
    made: Again = inner.again(inner_rows(copy.reset_index(drop=True)), settings, data)
    asked = {
        "severities": (0,),
        "columns": (),
        "inner": inner,
        "inner_options": {**options["inner_options"], **made.options},
    }
    return Again(made.examples, asked, lambda found: made.answer(inner_rows(found)))
