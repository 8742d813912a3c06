"""The cell that a launcher writes, and runs: plain Python of the public API that gives the same report.

Whatever the page says is checked and written as a literal or as the name of a variable; nothing of it is run as code.
"""

import ast
from collections.abc import Mapping
from typing import Any, NamedTuple

from workbench.errors import DataError, UsageError
from workbench.views._choices import is_data, is_model, is_report

__all__ = ["Cell", "Choice", "cell_of", "free_name"]

MOST = 10_000_000


class Choice(NamedTuple):
    """What is chosen on the page: texts as they were typed, and options by name."""

    model: str = ""
    data: str = ""
    probe: str = ""
    options: Mapping[str, Any] = {}
    by: str = ""
    most: str = ""
    seed: str = ""
    holdout: str = ""
    out: str = "report"

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Choice":
        """Return what a page said; what does not fit is left out.

        >>> Choice.of({"probe": "calibration", "options": {"bins": 10}, "else": 1}).options
        {'bins': 10}
        """
        given = {name: str(told[name]).strip() for name in cls._fields if isinstance(told.get(name), str | int | float)}
        options = told.get("options")
        given.pop("options", None)
        return cls(**given, options=dict(options) if isinstance(options, Mapping) else {})


class Cell(NamedTuple):
    """A cell in parts: what loads the model ("" where it is a variable), the run, and the names that they fill."""

    load: str
    run: str
    model: str  # expression: a variable
    name: str  # the model by its own name
    examples: str  # expression, "" where a report brings its rows
    out: str
    arguments: str  # of the run, behind the examples

    @property
    def source(self) -> str:
        """The whole cell."""
        lines = ["import workbench as wb", "", *([self.load] if self.load else []), self.run, self.out]
        return "\n".join(lines)


def cell_of(choice: Choice, space: Mapping[str, Any]) -> Cell:
    """Return the cell of a choice; `UsageError` where it cannot be one, in a sentence.

    >>> print(cell_of(Choice("smollm2-135m-instruct", "facts", "calibration", {"bins": "10"}, most="50"), {}).source)
    import workbench as wb
    <BLANKLINE>
    model = wb.load('smollm2-135m-instruct')
    report = wb.run('calibration', model, wb.pack('facts').sample(50, seed=0), bins=10)
    report
    """
    from workbench.probes.find import find, settle

    if not choice.probe:
        raise UsageError("Choose a probe.")
    probe = find(choice.probe)
    load, model, name = _model(choice, probe, space)
    seed = _whole("seed", choice.seed, 0, 2**31) or 0
    rows = is_report(space.get(model))
    examples = "" if rows else _examples(choice, seed, space)
    values = {
        name: _value(probe.options[name], said, space) for name, said in choice.options.items() if name in probe.options
    }
    literals = {key: one.value for key, one in values.items() if not one.variable}
    settle(probe, literals)
    arguments = ([f"by={_listed(choice.by)}"] if choice.by else []) + _numbers(choice, seed)
    arguments += [f"{key}={one.code}" for key, one in values.items()]
    _check_out(choice.out)
    given = ", ".join([repr(probe.name), model, *([examples] if examples else []), *arguments])
    run = f"{choice.out} = wb.run({given})"
    return Cell(load, run, model, name, examples, choice.out, ", ".join(arguments))


def free_name(base: str, space: Mapping[str, Any]) -> str:
    """Return a name for a new variable: `base`, or with a number behind it where that is taken.

    >>> free_name("report", {"report": 1})
    'report_2'
    """
    names = (base, *(f"{base}_{i}" for i in range(2, 10_000)))
    return next(name for name in names if name not in space)


class _Value(NamedTuple):
    code: str
    value: Any
    variable: bool = False


def _model(choice: Choice, probe: Any, space: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return the line that loads the model, the expression that is it, and its name."""
    said = choice.model
    if not said:
        if getattr(probe, "without_model", False):
            return "", "None", ""
        raise UsageError("Choose a model, or type the name of one: of the hub (owner/model), or a folder.")
    held = space.get(said) if said.isidentifier() else None
    if is_model(held):
        return "", said, str(held.info.name)  # type: ignore[union-attr] # is_model
    if is_report(held):
        if not hasattr(probe, "from_predictions"):
            raise UsageError(f"The probe {probe.name!r} asks a model; {said!r} is a report. Choose a model.")
        return "", said, str(held.record.model.get("name", ""))  # type: ignore[union-attr] # is_report
    variable = "model"
    if "model" in space and not (is_model(space["model"]) and space["model"].info.name == said):
        variable = free_name("model", space)
    target = said if held is not None else repr(said)
    return f"{variable} = wb.load({target})", variable, said


def _examples(choice: Choice, seed: int, space: Mapping[str, Any]) -> str:
    """Return the expression of the examples."""
    from workbench.data.benchmarks import benchmarks
    from workbench.data.packs import pack, packs

    said, most = choice.data, _whole("Examples at most", choice.most, 1, MOST)
    if not said:
        raise UsageError("Choose examples: a pack, a published set, a table of this notebook, or a file.")
    held = space.get(said) if said.isidentifier() else None
    if held is not None and is_data(held):
        if most is None or most >= len(held):
            return said
        return (
            f"{said}.sample({most}, seed={seed})"
            if hasattr(held, "sample") and hasattr(held, "slices")
            else (f"wb.Examples.of({said}).sample({most}, seed={seed})")
        )
    if said in packs():
        whole, known = f"wb.pack({said!r})", len(pack(said))
    elif said in benchmarks():
        whole, known = f"wb.benchmark({said!r})", MOST + 1
    elif any(mark in said for mark in "./\\"):
        whole, known = f"wb.Examples.of({said!r})", MOST + 1
    else:
        raise UsageError(f"{said!r} is no table of this notebook, no pack and no published set. A file has a path.")
    return whole if most is None or most >= known else f"{whole}.sample({most}, seed={seed})"


def _numbers(choice: Choice, seed: int) -> list[str]:
    """Return seed and hold-out as arguments, where they are not what they are without."""
    found = [f"seed={seed}"] if seed else []
    if choice.holdout:
        try:
            share = float(choice.holdout)
        except ValueError:
            raise UsageError(f"The hold-out is a share from 0 to below 1; it is {choice.holdout!r}.") from None
        if not 0 <= share < 1:
            raise DataError(f"The hold-out is a share from 0 to below 1; it is {choice.holdout}.")
        found += [f"holdout={share:g}"] if share else []
    return found


def _whole(what: str, said: str, low: int, high: int) -> int | None:
    """Return a whole number, None where nothing is said."""
    if not said:
        return None
    try:
        value = int(said)
    except ValueError:
        raise UsageError(f"{what} must be a whole number; it is {said!r}.") from None
    if not low <= value <= high:
        raise UsageError(f"{what} must be from {low:,} to {high:,}; it is {value:,}.")
    return value


def _listed(said: str) -> str:
    return repr([name.strip() for name in said.split(",") if name.strip()])


def _value(option: Any, said: Any, space: Mapping[str, Any]) -> _Value:
    """Return an option's value as Python: as one of the known values, a number, a variable, a literal, or text."""
    known = {str(value): value for value in option.known}
    if isinstance(option.default, tuple):
        parts = said if isinstance(said, list) else [part.strip() for part in str(said).split(",") if part.strip()]
        several = tuple(known.get(str(part), _literal(str(part))) for part in parts)
        return _Value(repr(list(several)), several)
    if isinstance(said, bool):
        return _Value(repr(said), said)
    text = str(said).strip()
    if text in known:
        return _Value(repr(known[text]), known[text])
    if option.variable and text.isidentifier() and text in space:
        return _Value(text, None, variable=True)
    value = text if option.limits is None and isinstance(option.default, str) else _literal(text)
    if isinstance(option.default, float) and isinstance(value, int):
        value = float(value)
    return _Value(repr(value), value)


def _literal(text: str) -> Any:
    """Return a text as a Python literal where it is one, else the text."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _check_out(name: str) -> None:
    import keyword

    if not name.isidentifier() or keyword.iskeyword(name) or name == "wb":
        raise UsageError(f"{name!r} cannot be the name of a variable. Use letters, digits and underscores.")
