"""The run record: what it takes to say where a report came from, and to make it again."""

import json
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from typing import Any

from workbench.errors import DataError

__all__ = ["PACKAGES", "SCHEMA", "RunRecord", "now", "versions"]

SCHEMA = 1
PACKAGES = (
    "fm-workbench",
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "torch",
    "transformers",
    "altair",
    "netcal",
    "fairlearn",
    "sliceline",
)


def now() -> str:
    """Return the time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@cache  # an absent one is looked for again
def _version(package: str) -> str:
    """Return the version of a package as this process first saw it: what it has imported stays, whatever is installed later."""
    return metadata.version(package)


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that numbers depend on; absent packages are left out.

    >>> "python" in versions()
    True
    """
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = _version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


@dataclass(frozen=True)
class RunRecord:
    """Where a report came from. `seconds` is wall time; `done` and `total` count examples."""

    probe: str
    options: Mapping[str, Any] = field(default_factory=dict)
    model: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    by: tuple[str, ...] = ()
    seed: int = 0
    holdout: float = 0.0
    outcome: str = "complete"  # or "interrupted", "not applicable"
    done: int = 0
    total: int = 0
    seconds: float = 0.0
    started: str = field(default_factory=now)
    command: str = ""
    versions: Mapping[str, str] = field(default_factory=versions)
    platform: str = field(default_factory=lambda: f"{platform.system()} {platform.machine()}, {sys.byteorder}-endian")
    schema: int = SCHEMA

    def as_dict(self) -> dict[str, Any]:
        """Return the record as plain, JSON-ready values."""
        held = {
            one.name: getattr(self, one.name) for one in fields(self)
        }  # asdict would copy a model among the options
        plain: dict[str, Any] = json.loads(json.dumps(held, default=_plain))
        return plain

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "RunRecord":
        """Return the record that `as_dict` wrote; refuse a schema newer than this version knows.

        >>> RunRecord.from_dict(RunRecord("calibration", by=("domain",)).as_dict()).by
        ('domain',)
        """
        schema = values.get("schema")
        if not isinstance(schema, int) or schema > SCHEMA:
            raise DataError(
                f"This report has schema {schema!r}; this version of Workbench reads up to {SCHEMA}. Upgrade fm-workbench."
            )
        known = {name: values[name] for name in cls.__dataclass_fields__ if name in values}
        return cls(**{**known, "by": tuple(values.get("by", ()))})


def _plain(value: Any) -> Any:
    """Return what JSON can keep of an option: what examples or a model say of themselves, or its text."""
    if hasattr(value, "verbs") and hasattr(value, "info"):
        from workbench.models.origin import recorded

        return {"model": recorded(value)}
    return value.about() if hasattr(value, "about") else str(value)
