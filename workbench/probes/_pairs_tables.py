"""Aggregated numbers behind the charts of pairs: a histogram, a grid, and a test for each group."""

from typing import TYPE_CHECKING

import numpy as np

from workbench.errors import unknown
from workbench.probes._slices import OVERALL, clusters_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COMPARED", "bins_of", "grid_of", "tests_of"]

COMPARED = "bias_type"  # the column that is tested where none is named, CrowS-Pairs' own
BINS, CELLS = 30, 24
WIDEST = 0.99  # of the absolute differences lie inside the histogram; the ends hold the rest
STEPS = (1, 2, 2.5, 5, 10)


def bins_of(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Return counts of differences in bins of equal width about zero: lower, upper, n; the outer two hold what is beyond."""
    import pandas as pd

    difference = rows["difference"].to_numpy(float)
    width = _round_up(2 * float(np.quantile(np.abs(difference), WIDEST)) / BINS) or 1.0
    edges = width * np.arange(-BINS // 2, BINS // 2 + 1)
    inside = np.clip(difference, edges[0] + width / 2, edges[-1] - width / 2)
    counts = np.bincount(np.floor(inside / width).astype(int) + BINS // 2, minlength=BINS)
    return pd.DataFrame({"lower": edges[:-1], "upper": edges[1:], "n": counts})


def grid_of(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Return counts of pairs by both sentences' log-likelihood per token: x (the less stereotyping), y (the more), width, n."""
    import pandas as pd

    y = rows["logp"].to_numpy(float) / np.maximum(rows["tokens"].to_numpy(float), 1)
    x = rows["logp_other"].to_numpy(float) / np.maximum(rows["tokens_other"].to_numpy(float), 1)
    low, high = float(min(x.min(), y.min())), float(max(x.max(), y.max()))
    width = _round_up((high - low) / CELLS) or 1.0
    cells = pd.DataFrame({"x": np.floor(x / width), "y": np.floor(y / width)})
    grid = cells.groupby(["x", "y"]).size().rename("n").reset_index()
    return grid.assign(x=(grid["x"] + 0.5) * width, y=(grid["y"] + 0.5) * width, width=width)


def tests_of(rows: "pd.DataFrame", column: str, *, seed: int) -> "pd.DataFrame | None":
    """Return, for each value of a column, its share and a sign test against one half, with Holm's correction over all values.

    None where the rows have not that column with two values or more; in place of the default column `group` will do. Ties count
    as no preference in the share, as published; the test leaves them out.
    """
    import pandas as pd

    from workbench.stats.intervals import proportion
    from workbench.stats.significance import holm, sign_test

    if column not in rows.columns and column != COMPARED:
        raise unknown("column of the rows (compare=)", column, map(str, rows.columns))
    name = column if column in rows.columns else "group"
    values = rows[name].astype(str).where(rows[name].notna(), "")
    groups = [value for value in sorted(set(values)) if value and (name, value) != ("group", OVERALL)]
    if len(groups) < 2:
        return None
    lines = []
    for value in groups:
        some = rows[values == value]
        share = proportion(some["prefers_more"].to_numpy(float), clusters=clusters_of(some))
        clear = some[some["difference"] != 0]
        p = sign_test((clear["difference"] > 0).to_numpy(float), clusters=clusters_of(clear), seed=seed)
        lines.append(
            {
                name: value,
                "prefers_more": share.value,
                "low": share.low,
                "high": share.high,
                "n": share.n,
                "ties": len(some) - len(clear),
                "p": p,
            }
        )
    table = pd.DataFrame(lines)
    return table.assign(p_holm=holm(table["p"].to_numpy(float)))


def _round_up(width: float) -> float:
    """Return the next round number: 1, 2, 2.5 or 5 times a power of ten; 0 for 0."""
    if width <= 0:
        return 0.0
    power = 10.0 ** np.floor(np.log10(width))
    return float(next(step * power for step in STEPS if step * power >= width * (1 - 1e-9)))
