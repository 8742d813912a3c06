"""The metrics and the table of tests of the probe `checklist`: functions of any of its rows.

A case fails if one of its texts does (the authors' rule); cases to which the expectation does not apply are left out of n.
"""

from typing import TYPE_CHECKING

import numpy as np

from workbench.probes._slices import metrics_of

if TYPE_CHECKING:
    import pandas as pd

    from workbench.stats.intervals import Interval

__all__ = ["RATES", "failed_cases", "summarise", "tests"]

RATES = {"MFT": "mft_failure_rate", "INV": "inv_failure_rate", "DIR": "dir_failure_rate"}
TABLE = ("type", "capability", "test", "n", "failed", "failure_rate", "low", "high", "text_failure_rate", "left_out")


def summarise(rows: "pd.DataFrame", by: tuple[str, ...]) -> "pd.DataFrame":
    """Return the failure rates overall, by slice, by capability and by test."""
    return metrics_of(rows, tuple(dict.fromkeys((*by, "capability", "test"))), _summary)


def failed_cases(rows: "pd.DataFrame") -> "pd.Series[float]":
    """Return for each case 1 if one of its texts fails, else 0; NaN where the expectation applies to none of them."""
    return rows.groupby("case", sort=True)["failed"].max()


def _summary(rows: "pd.DataFrame") -> "dict[str, Interval]":
    from workbench.stats.intervals import proportion

    found: dict[str, Interval] = {}
    for kind, name in RATES.items():
        mine = rows[rows["type"] == kind]
        cases = failed_cases(mine)
        known = cases.dropna()
        if len(known):
            found[name] = proportion(known.to_numpy())
        if len(known) < len(cases):
            found[f"{kind.lower()}_applies"] = proportion(cases.notna().astype(float).to_numpy())
    texts = rows[(rows["variant"] != "") & rows["failed"].notna()]
    if len(texts):
        found["text_failure_rate"] = proportion(texts["failed"].to_numpy(), clusters=texts["case"].to_numpy())
    return found


def tests(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Return a line for each test, the type's worst first: cases, failures, rate with interval, cases left out."""
    import pandas as pd

    from workbench.stats.intervals import proportion

    lines = []
    for (kind, capability, test), mine in rows.groupby(["type", "capability", "test"], sort=True):
        cases = failed_cases(mine)
        known = cases.dropna().to_numpy()
        rate = proportion(known) if len(known) else None
        texts = mine.loc[mine["variant"] != "", "failed"].dropna()
        lines.append(
            {
                "type": kind,
                "capability": capability,
                "test": test,
                "n": len(known),
                "failed": int(known.sum()),
                "failure_rate": np.nan if rate is None else rate.value,
                "low": np.nan if rate is None else rate.low,
                "high": np.nan if rate is None else rate.high,
                "text_failure_rate": float(texts.mean()) if len(texts) else np.nan,
                "left_out": len(cases) - len(known),
            }
        )
    table = pd.DataFrame(lines, columns=list(TABLE))
    place = table["type"].map({kind: i for i, kind in enumerate(RATES)})
    order = table.assign(place=place).sort_values(["place", "failure_rate", "test"], ascending=[True, False, True])
    return table.loc[order.index].reset_index(drop=True)
