"""The worst of several groups, with an interval that allows for its having been chosen."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from workbench.errors import DataError
from workbench.stats._checks import check_clusters, check_scores
from workbench.stats._intervals import Interval, undefined
from workbench.stats._slice_parts import is_binary, part_of, texts_of, units_of

__all__ = ["Worst", "worst_group"]


class Worst(NamedTuple):
    """The worst group and the interval of the worst true value; how many groups were compared, and how many were too small."""

    interval: Interval
    group: str
    groups: int
    small: int


def worst_group(
    groups: ArrayLike,
    values: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    highest: bool = False,
    smallest: int = 20,
    level: float = 0.95,
) -> Worst:
    """Return the group with the lowest mean (the highest, if so asked), with an interval of the lowest true mean of any group.

    The lowest of several estimates lies below the lowest truth on average, and its own interval does not allow for the choice.
    Here `low` is the lowest of the groups' plain lower bounds, which is below the lowest truth whenever that group's own
    bound is, and `high` the lowest of their upper bounds at level 1 - (1 - level)/G (Bonferroni), so that none of G groups
    is passed by. Wilson's bounds for 0 and 1, else those of a mean. Groups with fewer than `smallest` clusters (rows where they
    are independent) are left out and counted; n is that of the group.

    >>> found = worst_group(["a"] * 50 + ["b"] * 50, [1] * 45 + [0] * 5 + [1] * 30 + [0] * 20)
    >>> found.group, found.interval.value, found.groups
    ('b', 0.6, 2)
    """
    numbers = check_scores(values, "values")
    names, codes = np.unique(texts_of(groups), return_inverse=True)
    if len(codes) != len(numbers):
        raise DataError(f"groups has {len(codes)} rows and values has {len(numbers)}. Pass one of each per row.")
    owners = check_clusters(clusters, len(numbers))
    kind, sign, parts, small = is_binary(numbers), -1.0 if highest else 1.0, [], 0
    large = [at for at, name in enumerate(names) if name and units_of(codes == at, owners) >= max(2, smallest)]
    for at in large:
        plain, wide = (
            part_of(numbers, codes == at, owners, one, binary=kind) for one in (level, 1 - (1 - level) / len(large))
        )
        parts.append((str(names[at]), plain, wide))
    small = int(np.sum(names != "")) - len(large)
    if not parts:
        return Worst(undefined(f"no group with {smallest} rows or clusters"), "", 0, small)
    name, plain, _ = min(parts, key=lambda part: (sign * part[1].value, part[0]))
    if any(np.isnan(one.low) for _, one, _ in parts):
        without = next(group for group, one, _ in parts if np.isnan(one.low))
        said = undefined(f"group {without!r} has none", value=plain.value, n=plain.n)
        return Worst(said, name, len(parts), small)
    near = min(sign * (one.high if highest else one.low) for _, one, _ in parts)
    far = min(sign * (one.low if highest else one.high) for _, _, one in parts)
    low, high = sorted((sign * near, sign * far))
    how = f"{'Wilson' if kind else 't, widened for skewness'}, allowing for the choice among {len(parts)} groups, {level:.0%}"
    return Worst(Interval(plain.value, low, high, plain.n, how), name, len(parts), small)
