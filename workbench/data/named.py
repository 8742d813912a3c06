"""Examples of whatever names them: examples themselves, a table, a file, the name of a pack or of a published set."""

from typing import Any

from workbench.data.benchmarks import benchmark, benchmarks
from workbench.data.examples import Examples
from workbench.data.packs import pack, packs
from workbench.errors import unknown

__all__ = ["examples_of", "said"]


def examples_of(given: Any) -> Examples:
    """Return Examples of whatever was given; a bare word is the name of a pack, or of a published set that can be read.

    >>> examples_of("facts").name, len(examples_of([{"text": "a"}]))
    ('facts', 1)
    >>> examples_of("fact")
    Traceback (most recent call last):
    ...
    workbench.errors.UsageError: Unknown pack or published set 'fact'. Did you mean 'facts'? ...
    """
    if isinstance(given, str) and not any(mark in given for mark in "./\\:"):
        if given not in (*packs(), *benchmarks()):
            raise unknown("pack or published set", given, [*packs(), *benchmarks()])
        return benchmark(given) if given in benchmarks() else pack(given)
    return Examples.of(given)


def said(examples: Examples) -> str:
    """Return examples as an argument of a call: a name in quotes where a pack or set has it, and the calls that took a part.

    >>> said(examples_of("facts")), said(examples_of("facts").sample(5))
    ("'facts'", "wb.pack('facts').sample(5, seed=0)")
    """
    source = "pack" if examples.name in packs() else "benchmark" if examples.name in benchmarks() else ""
    if not examples.steps:
        return repr(examples.name) if source else examples.name
    return (f"wb.{source}({examples.name!r})" if source else examples.name) + "".join(examples.steps)
