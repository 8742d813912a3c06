"""sliceline behind one door: SliceLine's search for slices (Sagadeeva and Boehm 2021, SIGMOD), as the package of that name has it.

sliceline (extra `slices`) is imported inside a function. SliceLine ranks slices by a score that trades their error against their
size, and prunes those that cannot be among the best, so that it cannot say how large a search it was: the p-values of
`workbench.stats.slices.search` come from the whole family, whoever names the slices.
"""

import numpy as np

from workbench.errors import MissingExtra
from workbench.stats._checks import Floats, Ints

__all__ = ["need_sliceline", "top_slices"]

Where = tuple[tuple[int, int], ...]  # (column, code) of each condition, by column


def need_sliceline() -> None:
    """Raise `MissingExtra` where sliceline is not installed."""
    try:
        import sliceline  # noqa: F401  # seen, not used: the message is what matters
    except ImportError:
        raise MissingExtra("sliceline", "slices", "Searching slices by SliceLine") from None


def top_slices(codes: Ints, error: Floats, *, top: int, depth: int, smallest: int, weight: float = 0.95) -> list[Where]:
    """Return the conditions of SliceLine's best slices, best first; ties at the last place are all returned.

    Slices that name a blank (code -1) are left out.

    Args:
        codes: `(n, k)` codes of column values.
        error: `(n,)` numbers of at least 0.
        top: how many.
        depth: conditions at most.
        smallest: rows at least.
        weight: of a slice's error against its size, SliceLine's alpha.

    >>> codes = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 25)
    >>> top_slices(codes, (codes.sum(axis=1) == 2) * 1.0, top=1, depth=2, smallest=10)
    [((0, 1), (1, 1))]
    """
    need_sliceline()
    from sliceline import Slicefinder

    if not error.any():
        return []
    finder = Slicefinder(alpha=weight, k=top, max_l=depth, min_sup=smallest, verbose=False)
    finder.fit(codes, error)
    found = [
        tuple((at, int(code)) for at, code in enumerate(line) if code is not None)
        for line in np.atleast_2d(finder.top_slices_)
        if finder.top_slices_.size
    ]
    return [where for where in found if where and min(code for _, code in where) >= 0]
