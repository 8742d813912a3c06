"""What thresholds by group would change: fitted by fairlearn on other rows than those that they decide."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import NotApplicable, WorkbenchError
from workbench.frames import seed_of
from workbench.probes._groups_summary import Attribute, attributes_of, carried, usable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["mitigation_table"]

FOLDS = 5
COLUMNS = ("attribute", "constraint", "metric", "before", "after", "difference", "low", "high", "n", "interval")
CAVEAT = "as if the thresholds were given"


def mitigation_table(
    rows: "pd.DataFrame", constraints: tuple[str, ...], options: Mapping[str, Any], *, seed: int
) -> "pd.DataFrame":
    """Return, per attribute, constraint and metric, the value before and after thresholds by group, and the paired difference.

    Each fold of the clusters is decided by thresholds fitted on the other folds. What cannot be done has one line, with
    the reason in `interval`.
    """
    import pandas as pd

    lines: list[tuple[Any, ...]] = []
    for attribute in attributes_of(rows, carried(rows), 1):
        for constraint in constraints:
            try:
                lines += _compare(rows, attribute, constraint, options, seed)
            except WorkbenchError as reason:
                blank = [np.nan] * 5
                lines.append((attribute.name, constraint, "not applicable", *blank, len(rows), str(reason)))
    return pd.DataFrame(lines, columns=list(COLUMNS)).astype({"n": int})


def _compare(
    rows: "pd.DataFrame", attribute: Attribute, constraint: str, options: Mapping[str, Any], seed: int
) -> list[tuple[Any, ...]]:
    from workbench.stats._fairlearn import chances
    from workbench.stats._group_paired import paired
    from workbench.stats.groups import Settings
    from workbench.stats.recalibration import folds_of

    given = usable(rows, options)
    kept = given.counted & given.scored & attribute.known
    if not kept.any():
        raise NotApplicable("thresholds need labels, predictions and a score of the positive class in each row.")
    part = rows[kept]
    label = given.label[kept]
    fold = folds_of(part["cluster"].to_numpy(), folds=FOLDS, seed=seed)
    chance = chances(part["score"].to_numpy(float), label, attribute.of(kept), constraint, fold=fold)
    known = ~np.isnan(chance)
    if not known.any():
        raise NotApplicable("no two groups have both labels in every fold.")
    drawn = np.array(
        [
            seed_of(seed, "mitigate", example, variant) / 2**63
            for example, variant in zip(part["example"], part["variant"], strict=True)
        ]
    )
    after = (drawn < chance).astype(float)[known]
    clusters = part["cluster"].to_numpy(object)[known]
    together = clusters if len(set(clusters)) < len(clusters) else None
    settings = Settings(draws=options["draws"], seed=seed)
    found = paired(
        attribute.of(np.flatnonzero(kept)[known]),
        label[known],
        given.prediction[kept][known],
        after,
        clusters=together,
        settings=settings,
    )
    left = f"; {int((~known).sum())} rows of groups without both labels left out" if not known.all() else ""
    return [
        (
            attribute.name,
            constraint,
            name,
            one.before,
            one.after,
            *one.difference[:4],
            _told(one.difference.method, left),
        )
        for name, one in found.items()
    ]


def _told(method: str, left: str) -> str:
    return f"{method}; {CAVEAT}{left}"
