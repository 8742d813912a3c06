"""Subgroup, BPSN and BNSP AUC: whether a classifier ranks a subgroup's rows as well as the rest (Borkan et al. 2019, 1903.04561).

Three areas for each subgroup, from the scores alone, without a threshold:

* *subgroup*: positives against negatives of the subgroup,
* *BPSN* (background positive, subgroup negative): low where harmless rows of the subgroup score as high as bad rows of the rest,
* *BNSP* (background negative, subgroup positive): low where bad rows of the subgroup score as low as harmless ones of the rest.

The background is every row that is not in the subgroup. A tie counts one half. Intervals are DeLong's, by cluster where there are
any (`workbench.stats.ranking.auroc`).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import DataError
from workbench.stats._checks import Floats, Ints, check_clusters, check_pairs, check_scores
from workbench.stats._intervals import Interval
from workbench.stats._ranking import auroc_of

__all__ = ["SubgroupAUC", "subgroup_auc", "subgroup_aucs"]


class SubgroupAUC(NamedTuple):
    """The three areas of one subgroup, each with its interval; n counts the rows of that comparison."""

    subgroup: Interval
    bpsn: Interval
    bnsp: Interval


def subgroup_auc(
    score: ArrayLike,
    positive: ArrayLike,
    member: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
) -> SubgroupAUC:
    """Return the subgroup, BPSN and BNSP AUC of the rows that are members.

    Args:
        score: `(n,)` finite numbers, high where the model thinks the row positive.
        positive: `(n,)` 0 or 1.
        member: `(n,)` 0 or 1, whether the row is of the subgroup.
        clusters: `(n,)` what was drawn independently (templates); each row where it is None.
        level: nominal coverage.

    An area without both classes is NaN, and its `method` says why. Raises `DataError` for arrays that do not fit.

    >>> found = subgroup_auc([0.9, 0.2, 0.6, 0.8, 0.1], [1, 0, 0, 1, 0], [0, 0, 1, 1, 1])
    >>> [round(area.value, 3) for area in found]
    [1.0, 1.0, 1.0]
    >>> subgroup_auc([0.5, 0.2, 0.6, 0.8], [1, 0, 0, 1], [0, 0, 1, 1]).bpsn.value  # a harmless row of the subgroup is on top
    0.0
    """
    return subgroup_aucs(score, positive, {"member": member}, clusters=clusters, level=level)["member"]


def subgroup_aucs(
    score: ArrayLike,
    positive: ArrayLike,
    members: "dict[str, ArrayLike]",
    *,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
) -> dict[str, SubgroupAUC]:
    """Return the three areas of several subgroups, which may overlap; `members` maps a name to who is in it (n,).

    >>> found = subgroup_aucs([0.9, 0.2, 0.6], [1, 0, 0], {"a": [0, 0, 1], "b": [1, 1, 0]})
    >>> found["b"].subgroup.value, found["a"].subgroup.method
    (1.0, 'no interval: no row is positive; two classes are needed')
    """
    numbers, hits = check_scores(score, "score"), _flags(positive, "positive")
    if len(numbers) != len(hits):
        raise DataError(f"score has {len(numbers)} rows and positive has {len(hits)}. Pass one of each per row.")
    codes = check_clusters(clusters, len(hits))
    found = {}
    for name, member in members.items():
        inside = _flags(member, f"member {name!r}") > 0
        if len(inside) != len(hits):
            raise DataError(f"member {name!r} has {len(inside)} rows and positive has {len(hits)}. Pass one per row.")
        bad = hits > 0
        parts = (inside, np.where(inside, ~bad, bad), np.where(inside, bad, ~bad))
        found[name] = SubgroupAUC(*(_area(numbers, hits, codes, part, level) for part in parts))
    return found


def _area(numbers: Floats, hits: Floats, codes: Ints | None, part: NDArray[np.bool_], level: float) -> Interval:
    kept = None if codes is None else np.unique(codes[part], return_inverse=True)[1].astype(codes.dtype)
    if kept is not None and not len(kept):
        kept = None
    return auroc_of(numbers[part], hits[part], kept, level)


def _flags(values: ArrayLike, name: str) -> Floats:
    """Return 0 or 1 as floats, (n,)."""
    try:
        return check_pairs(np.zeros(np.shape(values)), np.asarray(values, dtype=np.float64), empty=True).correct
    except DataError as problem:
        raise DataError(f"{name} must be 0 or 1 in every row. {problem}") from None
