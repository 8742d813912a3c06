"""Finding a probe by its name: the entry points `workbench.probes`, ours and a third party's alike."""

from collections.abc import Mapping
from functools import cache
from importlib import metadata
from typing import Any

from workbench.errors import UsageError, unknown
from workbench.probes.protocol import Option, Probe

__all__ = ["find", "names", "settle"]

GROUP = "workbench.probes"
NEEDED = ("name", "title", "question", "limits", "options", "score", "summarise", "tables", "charts")


def names() -> list[str]:
    """Return the names of all installed probes.

    >>> "calibration" in names()
    True
    """
    return sorted({entry.name for entry in metadata.entry_points(group=GROUP)})


def find(probe: "str | Probe") -> Probe:
    """Return the probe of that name, or the Probe object itself after a look at its parts.

    >>> find("calibration").name
    'calibration'
    """
    return _installed(probe) if isinstance(probe, str) else _checked(probe, repr(probe))


@cache
def _installed(probe: str) -> Probe:
    """Return the probe of that name. One that was found stays found; what was not is looked for again, as after an installation."""
    entries = list(metadata.entry_points(group=GROUP, name=probe))
    origins = {entry.dist.name if entry.dist else "?" for entry in entries}
    if len(origins) > 1:
        raise UsageError(f"Two packages offer a probe {probe!r}: {', '.join(sorted(origins))}. Uninstall one of them.")
    if not entries:
        known = names()
        if not known:
            raise UsageError("No probe is installed: entry points exist only after `pip install -e .` or a wheel.")
        raise unknown("probe", probe, known)
    return _checked(entries[0].load(), entries[0].value)


def settle(probe: Probe, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the probe's options with defaults filled in; an unknown option or a value that cannot be raises `UsageError`.

    >>> settle(find("calibration"), {"bins": 10})["bins"]
    10
    >>> settle(find("calibration"), {"bins": 0})
    Traceback (most recent call last):
    ...
    workbench.errors.UsageError: bins must be a whole number from 1 to 1000; it is 0.
    """
    for name, value in options.items():
        if name not in probe.options:
            raise unknown(f"option of {probe.name}", name, [*probe.options, "by", "holdout", "seed"])
        option = probe.options[name]
        several = isinstance(option.default, tuple)
        for one in value if several and isinstance(value, (list, tuple)) else [value]:
            if option.known and (one not in option.known or type(one) is not type(option.known[0])):
                raise unknown(f"value of {name}", one, map(str, option.known))
        if option.limits is not None:
            _within(name, value, option)
    return {name: options.get(name, option.default) for name, option in probe.options.items()}


def _within(name: str, value: Any, option: Option) -> None:
    low, high = option.limits or (value, value)
    whole = isinstance(option.default, int)
    kinds = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
        kind = "a whole number" if whole else "a number"
        raise UsageError(f"{name} must be {kind} from {low:g} to {high:g}; it is {value!r}.")


def _checked(probe: Any, origin: str) -> Probe:
    missing = [part for part in NEEDED if not hasattr(probe, part)]
    if missing:
        raise UsageError(
            f"{origin} is not a probe: it lacks {', '.join(missing)}. See workbench.probes.protocol.Probe."
        )
    checked: Probe = probe
    return checked
