"""What every probe's `summarise` shares: all rows and each slice, and what was drawn independently in them."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workbench.frames import Metric, metrics_frame

if TYPE_CHECKING:
    import pandas as pd

    from workbench.stats.intervals import Interval

__all__ = ["OVERALL", "clusters_of", "groups_of", "metrics_of"]

OVERALL = "all"


def groups_of(rows: "pd.DataFrame", by: tuple[str, ...]) -> list[tuple[str, NDArray[np.bool_]]]:
    """Return the name and the members (n,) of all rows and of each slice; blank values of a slice column are no slice.

    The column `group` is a slice too, wherever it says more than "all".

    >>> import pandas as pd
    >>> rows = pd.DataFrame({"group": ["all", "all"], "domain": ["law", None]})
    >>> [(name, members.tolist()) for name, members in groups_of(rows, ("domain",))]
    [('all', [True, True]), ('domain=law', [True, False])]
    """
    groups = [(OVERALL, np.ones(len(rows), dtype=bool))]
    if "group" not in by and len(rows) and set(rows["group"].unique()) != {OVERALL}:
        by = (*by, "group")
    for column in by:
        values = rows[column].astype(str).where(rows[column].notna(), "")
        groups += [
            (f"{column}={value}", (values == value).to_numpy(bool)) for value in sorted(values.unique()) if value
        ]
    return groups


def clusters_of(rows: "pd.DataFrame") -> "NDArray[np.object_] | None":
    """Return what was drawn independently (n,), None where that is each row by itself."""
    return rows["cluster"].to_numpy() if rows["cluster"].nunique() < len(rows) else None


def metrics_of(
    rows: "pd.DataFrame",
    by: tuple[str, ...],
    summary: "Callable[[pd.DataFrame], Mapping[str, Interval]]",
) -> "pd.DataFrame":
    """Return the metrics table of a summary, a function of any rows, over all rows and each slice."""
    found = [
        Metric(name, group, *interval)
        for group, members in groups_of(rows, by)
        for name, interval in summary(rows[members]).items()
    ]
    return metrics_frame(found)
