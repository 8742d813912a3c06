"""Options of readers that name one or several parts of a set."""

from collections.abc import Iterable

from workbench.errors import UsageError, unknown

__all__ = ["chosen"]


def chosen(what: str, value: str | Iterable[str], known: Iterable[str]) -> tuple[str, ...]:
    """Return the named parts, each once, or refuse one that is not known.

    >>> chosen("split", "test", ("train", "test"))
    ('test',)
    """
    names = list(known)
    wanted = [value] if isinstance(value, str) else list(dict.fromkeys(value))
    for name in wanted:
        if name not in names:
            raise unknown(what, name, names)
    if not wanted:
        raise UsageError(f"No {what} is named. Known: {', '.join(names)}.")
    return tuple(wanted)
