"""What it takes to make a report again: by a run, or from its rows; and the options of a run as data, with what they point at."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.audit._opened import MODEL, Held
from workbench.data.examples import Examples
from workbench.errors import UsageError
from workbench.models.origin import named, recorded
from workbench.probes.find import find

if TYPE_CHECKING:
    from workbench.reports import Report

__all__ = ["NOTHING", "ROWS", "RUN", "Plan", "planned", "pointed", "resolved"]

RUN, ROWS, NOTHING = "run", "rows", "nothing"  # how a report can be made again
DATA = "$data"  # what an option that is examples points at; MODEL where it is a model


class Plan(NamedTuple):
    """How a report can be made again, and why not by a run where it cannot."""

    how: str
    why: str = ""


def planned(report: "Report", held: Held, unplain: str, data_problem: str) -> Plan:
    """Return how a report can be made again.

    `held` is what it was asked with, `unplain` names an option that cannot be kept, `data_problem` says why examples cannot be; ""
    where there is no such thing.
    """
    model = report.record.model
    try:
        find(report.probe)
    except UsageError:
        why = f"The probe {report.probe!r} was given as an object: no installed package offers it by this name."
        return Plan(NOTHING, why)
    if model.get("kind") == "predictions":
        return Plan(ROWS, "The predictions were made elsewhere: the numbers are computed again from the rows.")
    if report.outcome == "interrupted":
        return Plan(ROWS, f"The run was interrupted at {report.record.done} of {report.record.total} examples.")
    if held.examples is None:
        return Plan(ROWS, held.why)
    if unplain:
        return Plan(ROWS, f"The option {unplain} is an object that cannot be kept as data.")
    if data_problem:
        return Plan(ROWS, data_problem)
    if model.get("kind") != "none" and not named(model):
        why = f"The model {model.get('name')!r} was not loaded by a name"
        why += f". {model['changed']}" if model.get("changed") else ": give it to wb.replay(..., models={name: model})."
        return Plan(RUN, why)
    return Plan(RUN)


def pointed(value: Any, keep: Callable[[Examples], str]) -> Any:
    """Return an option as plain data; `keep` keeps examples and gives the key to find them by.

    Raises `TypeError` for what is neither data, examples nor a model that was loaded by name.
    """
    if isinstance(value, Examples):
        return {DATA: keep(value)}
    if hasattr(value, "verbs") and hasattr(value, "info"):
        about = recorded(value)
        if not named(about):
            raise TypeError(f"the model {about['name']!r}, which was not loaded by a name")
        return {MODEL: about}
    if isinstance(value, (list, tuple)):
        return [pointed(part, keep) for part in value]
    if isinstance(value, Mapping):
        return {str(name): pointed(part, keep) for name, part in value.items()}
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    raise TypeError(f"a {type(value).__name__}")


def resolved(value: Any, data: Callable[[str], Any], model: Callable[[Mapping[str, Any]], Any]) -> Any:
    """Return an option that `pointed` made plain, with the examples and models that it points at; lists become tuples.

    >>> resolved({"a": [1, {"$data": "key"}]}, str.upper, dict)
    {'a': (1, 'KEY')}
    """
    if isinstance(value, Mapping):
        if set(value) == {DATA}:
            return data(value[DATA])
        if set(value) == {MODEL}:
            return model(value[MODEL])
        return {name: resolved(part, data, model) for name, part in value.items()}
    if isinstance(value, list):
        return tuple(resolved(part, data, model) for part in value)
    return value
