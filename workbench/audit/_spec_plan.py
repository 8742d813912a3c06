"""A spec as a plan: which probe asks which model what, and which numbers must hold. Everything is checked before anything runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from workbench.audit._spec_file import Place, Spec
from workbench.data.benchmarks import benchmarks, options_of
from workbench.data.examples import Examples
from workbench.data.named import examples_of
from workbench.data.packs import packs
from workbench.errors import WorkbenchError, unknown
from workbench.models.load import LoadOptions
from workbench.probes.find import find, names, settle

__all__ = ["AT", "Data", "Job", "Output", "Plan", "Threshold", "plan_of"]

TOP = ("name", "notes", "models", "data", "probes", "by", "holdout", "seed", "thresholds", "output")
OF_PROBE = ("probe", "options", "data", "by", "holdout", "seed", "thresholds")
OF_DATA = ("pack", "benchmark", "file", "predictions", "options", "columns", "where", "sample", "sample_seed")
OF_OUTPUT = ("folder", "save", "freeze", "pictures")
SOURCES = ("pack", "benchmark", "file", "predictions")
AT = ("value", "low", "high", "worst")  # what a threshold is held against; worst: low for min, high for max
NOT_HERE = ("transform", "tokenizer")  # options of load that are objects


@dataclass(frozen=True)
class Threshold:
    """A bound that a metric of a group must keep, at its value or a bound of its interval."""

    metric: str
    group: str = "all"
    low: float | None = None  # min
    high: float | None = None  # max
    at: str = "value"
    place: Place = ()

    @property
    def said(self) -> str:
        """The bound in words.

        >>> Threshold("accuracy", low=0.5, at="low").said
        'accuracy >= 0.5 (low)'
        """
        bounds = [f">= {self.low:g}"] if self.low is not None else []
        bounds += [f"<= {self.high:g}"] if self.high is not None else []
        name = self.metric if self.group == "all" else f"{self.metric}, {self.group}"
        return f"{name} {' and '.join(bounds)}" + (f" ({self.at})" if self.at != "value" else "")


@dataclass(frozen=True)
class Data:
    """What is asked: examples, or predictions that were made elsewhere."""

    source: str
    value: str
    options: Mapping[str, Any] = field(default_factory=dict)
    columns: Mapping[str, Any] = field(default_factory=dict)
    where: Mapping[str, Any] = field(default_factory=dict)
    sample: int | None = None
    sample_seed: int = 0

    @property
    def predictions(self) -> bool:
        """Whether no model is asked."""
        return self.source == "predictions"

    @property
    def said(self) -> str:
        """The data in a few words."""
        more = [f"{name}={value}" for name, value in {**self.options, **self.where}.items()]
        more += [f"sample of {self.sample}"] if self.sample else []
        return self.value + (f" ({', '.join(more)})" if more else "")


@dataclass(frozen=True)
class Job:
    """One report to be made."""

    probe: str
    model: str  # what it is called; "" for none
    load: Mapping[str, Any]
    data: Data
    options: Mapping[str, Any]
    by: tuple[str, ...] | None
    holdout: float
    seed: int
    thresholds: tuple[Threshold, ...]
    place: Place = ()


@dataclass(frozen=True)
class Output:
    """What is written, and where; nothing where there is no folder."""

    folder: Path | None = None
    save: bool = True
    freeze: bool = True
    pictures: bool = False


@dataclass(frozen=True)
class Plan:
    """All that a spec asks for."""

    spec: Spec
    name: str
    notes: str
    jobs: tuple[Job, ...]
    output: Output


def plan_of(spec: Spec) -> Plan:
    """Return the plan of a spec; raise `UsageError` that names file, line and key of the first thing that is wrong."""
    top = spec.mapping((), spec.values, TOP, "a spec")
    if "probes" not in top:
        raise spec.wrong((), "the key probes is missing: which probes are to run?")
    models = _models(spec, top.get("models"))
    usual = _general(spec, (), top)
    data = _data(spec, ("data",), top["data"]) if "data" in top else None
    jobs: list[Job] = []
    entries = _entries(spec, top["probes"])
    for place, name, entry in entries:
        mine = {**usual, **_general(spec, place, entry)}
        asked = _data(spec, (*place, "data"), entry["data"]) if "data" in entry else data
        if asked is None:
            raise spec.wrong(place, f"the probe {name!r} has no data: give it some, or all probes, with the key data.")
        options = _options(spec, place, name, entry.get("options") or {})
        shared = top.get("thresholds") or {}
        bounds = _bounds(spec, ("thresholds", name), shared.get(name) if isinstance(shared, dict) else None)
        bounds += _bounds(spec, (*place, "thresholds"), entry.get("thresholds"))
        alone = asked.predictions or (not models and getattr(find(name), "without_model", False))
        if not models and not alone:
            raise spec.wrong(place, f"the probe {name!r} needs a model: name one with the key models.")
        for label, load in ({"": {}} if alone else models).items():
            jobs.append(Job(name, label, load, asked, options, thresholds=tuple(bounds), place=place, **mine))
    _strangers(spec, top.get("thresholds"), {name for _, name, _ in entries})
    name, notes = _text(spec, ("name",), top, spec.path.stem), _text(spec, ("notes",), top, "")
    return Plan(spec, name, notes, tuple(jobs), _output(spec, top))


def resolve(spec: Spec, text: str) -> str:
    """Return a path beside the spec where there is such a file or folder, else the text."""
    beside = spec.path.parent / text
    return str(beside) if text and beside.exists() and not Path(text).is_absolute() else text


def examples_for(spec: Spec, place: Place, data: Data) -> Examples:
    """Return the examples of the data of a spec."""
    from workbench.data.benchmarks import benchmark

    try:
        if data.source == "benchmark":
            found = benchmark(data.value, **data.options)
        elif data.source == "file":
            found = Examples.of(data.value, **data.columns)
        else:
            found = examples_of(data.value)
        if data.where:
            found = found.where(**data.where)
        return found.sample(data.sample, seed=data.sample_seed) if data.sample else found
    except WorkbenchError as problem:
        raise spec.wrong((*place, "data"), problem) from problem


def _text(spec: Spec, place: Place, top: Mapping[str, Any], usual: str) -> str:
    return str(spec.kind(place, top.get(place[-1], usual), str, "a text"))


def _models(spec: Spec, value: Any) -> dict[str, dict[str, Any]]:
    """Return the models by name, each with the options of `load`."""
    if value is None:
        return {}
    found: dict[str, dict[str, Any]] = {}
    known = ("load", *(each.name for each in fields(LoadOptions) if each.name not in NOT_HERE))
    for at, one in enumerate(value if isinstance(value, list) else [value]):
        place: Place = ("models", at) if isinstance(value, list) else ("models",)
        held = {"load": one} if isinstance(one, str) else dict(spec.mapping(place, one, known, "a model"))
        target = spec.kind((*place, "load"), held.get("load"), str, "the name or folder of a model (load)")
        held["load"] = resolve(spec, target)
        label = str(held.get("name") or target)
        if label in found:
            raise spec.wrong(place, f"two models are called {label!r}. Tell them apart with name.")
        found[label] = held
    return found


def _entries(spec: Spec, value: Any) -> list[tuple[Place, str, dict[str, Any]]]:
    """Return the probes with what is said of each, whether they stand as a name, a list, or a mapping."""
    given: list[tuple[Place, Any, Any]] = []
    if isinstance(value, str):
        given = [(("probes",), value, {})]
    elif isinstance(value, list):
        for at, one in enumerate(value):
            place: Place = ("probes", at)
            entry = {"probe": one} if isinstance(one, str) else spec.mapping(place, one, OF_PROBE, "a probe")
            given.append((place, entry.get("probe"), entry))
    elif isinstance(value, dict):
        for name, one in value.items():
            entry = spec.mapping(("probes", name), one or {}, OF_PROBE[1:], "a probe")
            given.append((("probes", name), name, entry))
    if not given:
        raise spec.wrong(
            ("probes",), "a probe's name, a list, or a mapping from names to what is said of each is wanted."
        )
    for place, name, _ in given:
        if name not in names():
            raise spec.wrong(place, unknown("probe", name, names()))
    return [(place, str(name), dict(entry)) for place, name, entry in given]


def _general(spec: Spec, place: Place, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return by, holdout and seed as far as they are given, and their defaults at the top."""
    found: dict[str, Any] = {} if place else {"by": None, "holdout": 0.0, "seed": 0}
    if "by" in entry:
        value = entry["by"]
        listed = (
            [value]
            if isinstance(value, str)
            else spec.kind((*place, "by"), value, list, "a column, or a list of columns")
        )
        found["by"] = tuple(spec.kind((*place, "by"), one, str, "the name of a column") for one in listed)
    if "holdout" in entry:
        share = spec.kind((*place, "holdout"), entry["holdout"], (int, float), "a share from 0 to below 1")
        if not 0 <= share < 1:
            raise spec.wrong((*place, "holdout"), f"a share from 0 to below 1 is wanted; it is {share}.")
        found["holdout"] = float(share)
    if "seed" in entry:
        found["seed"] = spec.kind((*place, "seed"), entry["seed"], int, "a whole number from 0")
        if found["seed"] < 0:
            raise spec.wrong((*place, "seed"), f"a whole number from 0 is wanted; it is {found['seed']}.")
    return found


def _data(spec: Spec, place: Place, value: Any) -> Data:
    """Return what is asked, with a look at names and options; nothing is read yet."""
    if isinstance(value, str):
        known = (*packs(), *benchmarks())
        path = resolve(spec, value)
        if value not in known and not Path(path).exists():
            raise spec.wrong(
                place, f"{unknown('pack or published set', value, known)} There is no file of that name either."
            )
        if value not in known:
            return Data("file", path)
        return Data("pack" if value in packs() else "benchmark", value)
    held = spec.mapping(place, value, OF_DATA, "data")
    chosen = [source for source in SOURCES if source in held]
    if len(chosen) != 1:
        raise spec.wrong(place, f"one of {', '.join(SOURCES)} is wanted; there are {', '.join(chosen) or 'none'}.")
    source = chosen[0]
    text = spec.kind((*place, source), held[source], str, "a name or a path")
    if source in ("pack", "benchmark"):
        known = tuple(packs() if source == "pack" else benchmarks())
        if text not in known:
            raise spec.wrong((*place, source), unknown(source, text, known))
    elif not Path(resolve(spec, text)).exists():
        raise spec.wrong((*place, source), f"there is no file {text!r}, neither beside the spec nor in {Path.cwd()}.")
    choices = options_of(text) if source == "benchmark" else ()
    options = dict(spec.mapping((*place, "options"), held.get("options") or {}, choices, "options of the data"))
    for name in ("columns", "where"):
        if name in held and not isinstance(held[name], dict):
            raise spec.wrong((*place, name), f"a mapping is wanted; it is {held[name]!r}.")
    if "columns" in held and source in ("pack", "benchmark"):
        raise spec.wrong(
            (*place, "columns"), f"a {source} names its own columns: this key is for a file or predictions."
        )
    for name in ("options", "sample", "sample_seed") if source == "predictions" else ():
        if name in held:
            raise spec.wrong(
                (*place, name),
                "predictions are taken whole, or by where: this key is for examples that a model is asked.",
            )
    sample = held.get("sample")
    if sample is not None and spec.kind((*place, "sample"), sample, int, "a number of examples") < 1:
        raise spec.wrong((*place, "sample"), f"at least 1 example is wanted; it is {sample}.")
    seed = spec.kind((*place, "sample_seed"), held.get("sample_seed", 0), int, "a whole number")
    value = resolve(spec, text) if source in ("file", "predictions") else text
    return Data(source, value, options, held.get("columns") or {}, held.get("where") or {}, sample, seed)


def _options(spec: Spec, place: Place, name: str, given: Any) -> dict[str, Any]:
    """Return the options of a probe, checked; data in place of a value are read when they are needed."""
    probe = find(name)
    held = dict(spec.mapping((*place, "options"), given, probe.options, f"options of {name}"))
    for key, value in held.items():
        at = (*place, "options", key)
        if isinstance(value, dict) and probe.options[key].variable:
            held[key] = _data(spec, at, value)
            continue
        try:
            settle(probe, {key: value})
        except WorkbenchError as problem:
            raise spec.wrong(at, problem) from None
    return held


def _bounds(spec: Spec, place: Place, value: Any) -> list[Threshold]:
    """Return the thresholds of a probe: a mapping from metrics to a bound, or to a list of them."""
    if value is None:
        return []
    if not isinstance(value, dict):
        raise spec.wrong(place, f"a mapping is wanted, as in accuracy: {{min: 0.5}}; it is {value!r}.")
    found = []
    for metric, bounds in value.items():
        listed = bounds if isinstance(bounds, list) else [bounds]
        for at, one in enumerate(listed):
            here: Place = (*place, metric, at) if isinstance(bounds, list) else (*place, metric)
            held = spec.mapping(here, one, ("min", "max", "at", "group"), "a threshold")
            numbers = {
                key: float(spec.kind((*here, key), held[key], (int, float), "a number"))
                for key in ("min", "max")
                if key in held
            }
            if not numbers:
                raise spec.wrong(here, "min or max is wanted.")
            if held.get("at", "value") not in AT:
                raise spec.wrong((*here, "at"), unknown("value of at", held["at"], AT))
            group = spec.kind(
                (*here, "group"), held.get("group", "all"), str, "the name of a group, as in domain=history"
            )
            found.append(
                Threshold(metric, group, numbers.get("min"), numbers.get("max"), held.get("at", "value"), here)
            )
    return found


def _strangers(spec: Spec, value: Any, known: set[str]) -> None:
    """Raise where thresholds name a probe that does not run."""
    spec.mapping(("thresholds",), value or {}, sorted(known), "thresholds (the probes that run)")


def _output(spec: Spec, top: Mapping[str, Any]) -> Output:
    value = top.get("output")
    if value is None:
        return Output()
    held = {"folder": value} if isinstance(value, str) else spec.mapping(("output",), value, OF_OUTPUT, "output")
    folder = spec.kind(("output", "folder"), held.get("folder"), str, "a folder")
    flags = {
        key: spec.kind(("output", key), held[key], bool, "true or false")
        for key in ("save", "freeze", "pictures")
        if key in held
    }
    return Output(Path(folder), **flags)
