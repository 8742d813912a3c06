"""The examples and options of a report that was opened from a file, had again from what its record says of them.

A saved report holds rows and a record, and not the examples. Where these came from a pack or a published set, they are read again:
all of it, the part that the recorded steps take, or that whose ids stand in the rows, whichever has the hash of the record.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench._conduct import OF_A_REPORT
from workbench.data.examples import Examples
from workbench.errors import DataError, WorkbenchError
from workbench.models.origin import named

if TYPE_CHECKING:
    from workbench.reports import Report

__all__ = ["MODEL", "Held", "held_by"]

MODEL = "$model"  # what an option that is a model points at
TAKES = ("sample", "where")  # steps that a record tells whole


class Held(NamedTuple):
    """What a report was asked with: examples (None where they cannot be had, `why` says so), and the options of its run."""

    examples: Examples | None
    options: Mapping[str, Any]
    why: str = ""


def held_by(report: "Report") -> Held:
    """Return the examples that a report holds, or those that its record leads back to."""
    if report._examples is not None:
        return Held(report._examples, report.options)
    if report.record.model.get("kind") == "predictions":
        return Held(None, report.options, "The predictions were made elsewhere.")
    if any(note.startswith(OF_A_REPORT) for note in report.notes):
        return Held(None, report.options, "The report is of another report's rows.")
    try:
        options = {name: _restored(value) for name, value in report.options.items()}
        _check_objects(report, options)
        return Held(_found(report.record.data, report.rows["example"].unique()), options)
    except WorkbenchError as problem:
        return Held(None, report.options, f"The report was opened from a file. {problem}")


def _check_objects(report: "Report", options: Mapping[str, Any]) -> None:
    """Raise where an option took an object (a table, a function) of which a record holds only the text."""
    for name, value in options.items():
        takes = getattr(report._probe.options.get(name), "variable", False)
        if isinstance(value, str) and ((value.startswith("<") and " at 0x" in value) or (takes and "\n" in value)):
            raise DataError(f"Its option {name} was an object, of which the record holds only the text.")


def _found(about: Mapping[str, Any], ids: Iterable[str] = ()) -> Examples:
    """Return the examples that a record tells of; raise `DataError` where there are none with its hash."""
    name, origin = about.get("name"), about.get("origin") or {}
    if not about.get("hash") or not ({"pack", "benchmark"} & set(origin)):
        raise DataError(f"Its record names no pack and no published set that the examples {name!r} could be read from.")
    if "pack" in origin:
        from workbench.data.packs import pack

        base = pack(origin["pack"])
    else:
        from workbench.data.benchmarks import benchmark

        base = benchmark(origin["benchmark"], **origin.get("options", {}))
    for part in _parts(base, about.get("steps") or (), list(ids)):
        if part.hash == about["hash"]:
            notes, steps = (tuple(about.get(key) or ()) for key in ("notes", "steps"))
            return replace(part, name=str(name), notes=notes, steps=steps)
    where = " and ".join(f"the {kind} {origin[kind]!r}" for kind in ("pack", "benchmark") if kind in origin)
    raise DataError(f"The examples {name!r} were of {where}, and none of its parts has the hash of the record now.")


def _parts(base: Examples, steps: Iterable[str], ids: list[str]) -> Iterator[Examples]:
    """Yield what may have been asked: what the steps take, all of it, and the examples of the ids."""
    part: Examples | None = base
    for step in steps:
        part = None if part is None else _taken(part, step)
    if part is not None:
        yield part
    yield base
    if ids and set(ids) <= set(base.frame["example"]):
        yield base.where(ids)


def _taken(examples: Examples, step: str) -> Examples | None:
    """Return the examples after a step such as ".sample(100, seed=0)", None where the record does not tell it whole."""
    try:
        call = ast.parse(f"_{step}", mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or call.func.attr not in TAKES:
            return None
        given = [ast.literal_eval(one) for one in call.args]
        columns = {str(one.arg): ast.literal_eval(one.value) for one in call.keywords}
        taken: Examples = getattr(examples, call.func.attr)(*given, **columns)
    except (SyntaxError, ValueError, TypeError, WorkbenchError):
        return None
    return taken


def _restored(value: Any) -> Any:
    """Return an option as it was given: examples that a record tells of, a model that can be loaded again; else the value.

    Raises `DataError` where examples or a model cannot be had again.
    """
    if isinstance(value, Mapping):
        if set(value) == {"model"} and isinstance(value["model"], Mapping):
            if not named(value["model"]):
                raise DataError(
                    f"Its option holds the model {value['model'].get('name')!r}, which has no name to load."
                )
            return {MODEL: dict(value["model"])}
        if {"hash", "kind", "n", "name"} <= set(value):
            return _found(value)
        return {name: _restored(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_restored(part) for part in value]
    return value
