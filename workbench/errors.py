"""What can go wrong, as a tree.

::

    WorkbenchError            one clear sentence or two: what is wrong, what was found, what to do
    ├── UsageError            a wrong option, name or argument
    ├── DataError             examples or rows that do not fit: names the column or row
    ├── ModelError            a model that cannot be loaded or gave unusable numbers
    │   └── OutOfMemory       ... because it does not fit; carries the numbers
    ├── MissingExtra          an optional package is absent; prints the pip line
    └── NotApplicable         not a failure but an outcome: the question cannot be asked of this model
"""

import difflib
from collections.abc import Iterable

__all__ = [
    "DataError",
    "MissingExtra",
    "ModelError",
    "NotApplicable",
    "OutOfMemory",
    "UsageError",
    "WorkbenchError",
    "counted",
    "unknown",
]


class WorkbenchError(Exception):
    """Root of all errors that Workbench raises on purpose."""


class UsageError(WorkbenchError, ValueError):
    """A wrong option, name or argument."""


class DataError(WorkbenchError, ValueError):
    """Examples, rows or numbers that do not fit; the message names the column or the row."""


class ModelError(WorkbenchError, RuntimeError):
    """A model that cannot be loaded, or whose numbers cannot be used."""


class OutOfMemory(ModelError):
    """A model or batch that does not fit; the message has the numbers."""


class MissingExtra(WorkbenchError, ImportError):
    """An optional package is absent.

    >>> str(MissingExtra("datasets", "hub", "Reading a Hugging Face data set"))
    "Reading a Hugging Face data set needs the package 'datasets'. Install it with: pip install 'fm-workbench[hub]'"
    """

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        line = f"pip install 'fm-workbench[{extra}]'"
        super().__init__(f"{purpose} needs the package {package!r}. Install it with: {line}")


class NotApplicable(WorkbenchError):
    """An outcome, not a failure: this question cannot be asked of this model or these examples."""


def unknown(kind: str, name: object, known: Iterable[str]) -> UsageError:
    """Return the error for a name that is not among the known ones, with the nearest of them.

    >>> str(unknown("probe", "calibratoin", ["calibration", "bias"]))
    "Unknown probe 'calibratoin'. Did you mean 'calibration'? Known: bias, calibration."
    """
    names = sorted(known)
    near = difflib.get_close_matches(str(name), names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return UsageError(f"Unknown {kind} {name!r}.{hint} Known: {', '.join(names) or 'none'}.")


def counted(n: int, one: str, many: str = "") -> str:
    """Return a number and its word: `many` for all numbers but 1, by default `one` with an s.

    >>> counted(1, "pair"), counted(1200, "pair"), counted(0, "row repeats", "rows repeat")
    ('1 pair', '1,200 pairs', '0 rows repeat')
    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"
