"""The accuracy of each corrupted copy as it would be estimated without its labels, beside the truth."""

from typing import TYPE_CHECKING

import numpy as np

from workbench.frames import halves
from workbench.probes._slices import clusters_of
from workbench.probes._sweep_plan import CLEAN

if TYPE_CHECKING:
    import pandas as pd

    from workbench.stats.unlabelled import Answers

__all__ = ["COLUMNS", "estimate_table"]

COLUMNS = (
    *("corruption", "severity", "estimate", "value", "low", "high", "accuracy", "error", "error_low", "error_high"),
    *("n", "n_source", "method"),
)
DRAWS = 200
FEWEST = 20  # labelled clean examples, and others


def estimate_table(rows: "pd.DataFrame", *, seed: int) -> "pd.DataFrame":
    """Return ATC, DoC, mean confidence and CBPE of each copy, with intervals, and the error of each.

    Half of the clusters, drawn by a hash of their names, stand for a labelled set: their clean answers are the source. The others
    stand for inputs without labels: their answers in each copy are the target, severity 0 included. So no example is on both
    sides. None where there is neither confidence nor label, or where a side has fewer than 20 rows.
    """
    import pandas as pd

    from workbench.stats.unlabelled import Draws, estimates

    lines: list[tuple[object, ...]] = []
    usable = rows[_usable(rows)]
    source = np.array(halves(usable["cluster"].tolist(), 0.5, seed)) == "explore"
    clean = usable[source & usable["corruption"].eq(CLEAN).to_numpy()]
    if len(clean) >= FEWEST:
        for (corruption, severity), target in usable[~source].groupby(["corruption", "severity"], sort=False):
            if len(target) < FEWEST:
                continue
            truth = float(target["correct"].mean())
            found = estimates(_answers(clean), _answers(target), draws=Draws(draws=DRAWS, seed=seed))
            for name, (value, error) in found.items():
                ends = (value.value, value.low, value.high, truth, error.value, error.low, error.high)
                lines.append((corruption, severity, name, *ends, value.n, len(clean), value.method))
    return pd.DataFrame(lines, columns=list(COLUMNS))


def _usable(rows: "pd.DataFrame") -> np.ndarray:
    """Return which rows have a confidence and an outcome."""
    if not {"confidence", "correct"} <= set(rows.columns):
        return np.zeros(len(rows), dtype=bool)
    return np.asarray((rows["confidence"].notna() & rows["correct"].notna()).to_numpy(dtype=bool))


def _answers(rows: "pd.DataFrame") -> "Answers":
    from workbench.stats.unlabelled import Answers

    return Answers(rows["confidence"].to_numpy(float), rows["correct"].to_numpy(float), clusters_of(rows))
