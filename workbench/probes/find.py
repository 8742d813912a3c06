"""Finding a probe by its name: the entry points `workbench.probes`, ours and a third party's alike."""

from importlib import metadata
from typing import Any

from workbench.errors import UsageError, unknown
from workbench.probes.protocol import Probe

__all__ = ["find", "names"]

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
    if not isinstance(probe, str):
        return _checked(probe, repr(probe))
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


def _checked(probe: Any, origin: str) -> Probe:
    missing = [part for part in NEEDED if not hasattr(probe, part)]
    if missing:
        raise UsageError(
            f"{origin} is not a probe: it lacks {', '.join(missing)}. See workbench.probes.protocol.Probe."
        )
    checked: Probe = probe
    return checked
