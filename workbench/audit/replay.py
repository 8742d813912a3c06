"""A frozen audit, made again: what changed since, which numbers come back and which findings survive.

In this order: the checksums of the files; the marks of rows and examples, which name what a changed file holds; versions; then for
each report model, data and run, or the numbers from its rows where it cannot be run. Answers that are kept on disk are not used: a
replay asks the model anew.
"""

import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.audit import _folder
from workbench.audit._again import Again, Asked, again
from workbench.audit._changes import Change, in_files, in_packages, in_source, once
from workbench.audit._differ import Column
from workbench.audit._folder import Files
from workbench.errors import DataError, UsageError, unknown

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Replay", "replay"]

SCHEMA = 1
REPRODUCES, DIFFERS, CANNOT = 0, 1, 2  # exit codes of `python -m workbench replay`
VERDICTS = {
    REPRODUCES: "Every number was reproduced.",
    DIFFERS: "Not everything was reproduced.",
    CANNOT: "Not everything could be run again.",
}
UNKNOWN = "Every number was reproduced; whether a model is the same cannot be told: its identity cannot be compared."
DAMAGED = "The folder is not as it was frozen."


@dataclass(frozen=True, eq=False, repr=False)
class Replay:
    """What came of making an audit again.

    `changes` has the columns report, kind, name, frozen, now: what is not as it was, of the kinds "file", "row", "example",
    "version", "code", "weights", "tensor", "setting" (of the model's config), "identity" (it cannot be told whether a model is the
    same), "not compared", "tokenizer", "revision", "dtype", "device", "outcome" and "cannot run". `metrics` holds report, metric,
    group, both values with bounds and n, difference, tolerance and verdict; `rows` the columns of rows and tables that differ;
    `findings` each finding with what became of it. `code` is the exit code: 0 where every number was reproduced, 1 where some was
    not, or model or data are others, 2 where the folder is damaged, or not all could be run again.
    """

    folder: Path
    about: Mapping[str, Any]
    files: Files
    changes: "pd.DataFrame"
    metrics: "pd.DataFrame"
    rows: "pd.DataFrame"
    findings: "pd.DataFrame"
    told: tuple[str, ...]  # a line for each report: how it was made again
    code: int
    damaged: bool = False

    @property
    def verdict(self) -> str:
        """The outcome in one sentence."""
        if self.damaged:
            return DAMAGED
        unknown_model = self.code == REPRODUCES and (self.changes["kind"] == "identity").any()
        return UNKNOWN if unknown_model else VERDICTS[self.code]

    def __repr__(self) -> str:
        from workbench.audit._replay_text import text

        return text(self)


def replay(
    folder: str | os.PathLike[str],
    *,
    from_rows: bool = False,
    models: Mapping[str, Any] | None = None,
    tolerance: float | None = None,
    anyway: bool = False,
    trust: bool = False,
) -> Replay:
    """Return what comes of making a frozen audit again: what changed, which numbers come back, which findings survive.

    Numbers of a run count as reproduced within 1e-4, those from the same rows within 1e-9 (of the larger of 1 and the number);
    `tolerance` sets another. `from_rows` asks no model. `models` gives by name models that cannot be loaded by one, or others in
    their place. A folder whose files changed is not run, unless `anyway`. `trust` allows what the run allowed: pickles, code
    that comes with a model, and to send examples and a key to a model's server.

    Raises `DataError` where the folder is no frozen audit.
    """
    home = Path(folder).expanduser()
    files = _folder.checked(home)
    about = _folder.read_index(home)
    _check(about, models, tolerance)
    held = in_files(home, about, files)
    changes = [*held, *in_source(home), *in_packages(home)]
    made: list[Again] = []
    if anyway or not held:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as answers:
            asked = Asked(home, about, dict(models or {}), tolerance, from_rows, trust, answers)
            made = [again(told, asked) for told in about["reports"]]
    for one in made:
        changes += [change for change in one.changes if change not in changes]
    return _replay(home, about, files, once(changes), made, bool(held))


def _replay(
    home: Path, about: Mapping[str, Any], files: Files, changes: list[Change], made: list[Again], damaged: bool
) -> Replay:
    """Return all of it together, with its exit code."""
    import pandas as pd

    def stacked(name: str, columns: tuple[str, ...]) -> "pd.DataFrame":
        parts = [getattr(one, name) for one in made if len(getattr(one, name))]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(columns))

    code = max((one.code for one in made), default=CANNOT)
    return Replay(
        folder=home,
        about=about,
        files=files,
        changes=pd.DataFrame(changes, columns=list(Change._fields)),
        metrics=stacked("metrics", ("report", "metric", "group", "difference", "verdict")),
        rows=stacked("rows", ("report", "table", *Column._fields)),
        findings=stacked("findings", ("report", "finding", "verdict", "now")),
        told=tuple(one.told for one in made),
        code=CANNOT if damaged else code,
        damaged=damaged,
    )


def _check(about: Mapping[str, Any], models: Mapping[str, Any] | None, tolerance: float | None) -> None:
    """Raise before anything is loaded if an argument cannot be used, or the audit is of a newer kind."""
    if not isinstance(about.get("schema"), int) or about["schema"] > SCHEMA:
        found = about.get("schema")
        raise DataError(
            f"This audit has schema {found!r}; this version of Workbench reads up to {SCHEMA}. Upgrade fm-workbench."
        )
    for key in (*(told.get("key", "") for told in about["reports"]), *about.get("data", {})):
        if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", str(key)):
            raise DataError(f"The index of this audit names a folder {key!r}, which wb.freeze does not write.")
    known = [str(told["model"]) for told in about["reports"] if told["model"]]
    for name in models or {}:
        if name not in known:
            raise unknown("model of this audit", name, known)
    if tolerance is not None and not 0 <= tolerance < 1:
        raise UsageError(f"tolerance must be at least 0 and below 1; it is {tolerance!r}.")
