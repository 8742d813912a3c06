"""An audit as a folder: records, rows, numbers, the examples that were asked, environment and checksums.

`freeze` writes it whole or not at all; `workbench.audit.replay` runs it again. What can be run again is decided here (`_plan`): a
model that was loaded by name is loaded again, examples come back from their pack or published set, or by value. What cannot is kept
as rows, from which every number follows, and the folder says which of the two it is.
"""

import io
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import _record
from workbench._report_files import contents
from workbench.audit import _folder
from workbench.audit._freeze_page import page
from workbench.audit._opened import held_by
from workbench.audit._plan import RUN, planned, pointed
from workbench.data import kept
from workbench.data.examples import Examples
from workbench.errors import DataError, UsageError, WorkbenchError, unknown
from workbench.models.origin import tensor_marks_of
from workbench.reports import Report

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["freeze"]

SCHEMA = 1
ROW_KEYS = ("example", "variant", "group")
WAYS = ("auto", "all", "none")
MOST_BYTES = 64 * 2**20  # of examples by value, unless data="all"


def freeze(
    *reports: Report,
    to: str | os.PathLike[str],
    name: str | None = None,
    notes: str = "",
    data: str = "auto",
    pictures: bool = True,
    overwrite: bool = False,
) -> Path:
    """Return the folder `to`, written whole: the reports, what it takes to run them again, and checksums.

    `python -m workbench replay FOLDER` runs it again, `sha256sum -c SHA256SUMS` in it checks the files, `wb.open` opens the folder
    of a report. Packs and published sets are kept by name, hash and a mark per example; other examples by value, up to 64 MiB.
    `data="all"` keeps all by value (mind the licence of a published set), `data="none"` none. `pictures=False` leaves the charts
    out of the HTML pages, which saves seconds.

    Raises `UsageError` where `to` is there already, unless it is a frozen audit and `overwrite` is True.

    >>> import pandas as pd, tempfile, workbench as wb
    >>> report = wb.from_predictions(pd.DataFrame({"confidence": [0.9, 0.8], "correct": [1, 0]}))
    >>> with tempfile.TemporaryDirectory() as home:
    ...     sorted(path.name for path in freeze(report, to=f"{home}/audit", pictures=False).iterdir())
    ['README.md', 'SHA256SUMS', 'audit.json', 'environment.json', 'reports', 'requirements.txt']
    """
    if not reports:
        raise UsageError("wb.freeze needs reports: wb.freeze(report, to='audit').")
    for one in reports:
        if not isinstance(one, Report):
            raise UsageError(
                f"wb.freeze takes reports, one after another (a list as *reports); found a {type(one).__name__}."
            )
    if data not in WAYS:
        raise unknown("value of data", data, WAYS)
    target = Path(to).expanduser()
    _folder.check_target(target, overwrite=overwrite)
    audit = _Audit(data)
    told = [audit.add(report, at, pictures=pictures) for at, report in enumerate(reports, start=1)]
    about = {
        "schema": SCHEMA,
        "name": name or target.name,
        "notes": notes,
        "created": _record.now(),
        "reports": told,
        "data": audit.data,
    }
    surroundings = _folder.environment()
    packages = surroundings["packages"]
    files = {
        **audit.files,
        _folder.INDEX: _json(about),
        "environment.json": _json(surroundings),
        "requirements.txt": "".join(f"{package}=={version}\n" for package, version in packages.items()).encode(),
    }
    files["README.md"] = page(about, reports, surroundings, sorted(files)).encode()
    _folder.write_folder(target, files, overwrite=overwrite)
    return target


class _Audit:
    """Collects the files of an audit; examples that several reports share are kept once."""

    def __init__(self, way: str) -> None:
        self.way = way
        self.files: dict[str, bytes] = {}
        self.data: dict[str, dict[str, Any]] = {}

    def add(self, report: Report, at: int, *, pictures: bool) -> dict[str, Any]:
        """Keep a report, and return what the index says of it."""
        key = f"{at:02d}-{_slug(report.probe)}" + (f"-{_slug(report.record.model.get('name', ''))}").rstrip("-")
        place = f"reports/{key}"
        for name, content in contents(report, pictures=pictures).items():
            self.files[f"{place}/{name}"] = content
        rows = _as_read(report.rows)
        self.files[f"{place}/marks.csv"] = kept.marks_text(kept.marks_of(rows, ROW_KEYS), ROW_KEYS)
        self.files[f"{place}/metrics.csv"] = report.metrics.to_csv(index=False).encode()
        tensors = tensor_marks_of(report.record.model)
        if tensors:
            self.files[f"{place}/weights.json"] = _json(tensors)
        held = held_by(report)
        options, unplain = self._options(held.options)
        asked = "" if held.examples is None else self._keep(held.examples)
        plan = planned(report, held, unplain, self._problem(asked, options))
        return {
            "key": key,
            "title": report.title,
            "probe": report.probe,
            "model": report.record.model.get("name", ""),
            "replay": plan.how,
            "why": plan.why,
            "part": any(note.startswith("A part: ") for note in report.notes),
            "data": asked,
            "options": options if plan.how == RUN else {},
            "findings": list(report.findings),
            "rows": len(report.rows),
            "metrics": len(report.metrics),
            "seconds": report.record.seconds,
        }

    def _options(self, options: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        """Return the options as data, and which of them cannot be so."""
        plain: dict[str, Any] = {}
        for name, value in options.items():
            try:
                plain[name] = pointed(value, self._keep)
            except TypeError as problem:
                return {}, f"{name} ({problem})"
        return plain, ""

    def _problem(self, asked: str, options: Mapping[str, Any]) -> str:
        """Return why examples cannot be had again, "" where they can."""
        text = json.dumps(options)
        keys = [key for key in self.data if key == asked or f'"{key}"' in text]
        return next((str(self.data[key]["problem"]) for key in keys if self.data[key]["problem"]), "")

    def _keep(self, examples: Examples) -> str:
        """Keep examples, and return their key."""
        key = f"{_slug(examples.name) or 'examples'}-{examples.hash[:12]}"
        if key in self.data:
            return key
        about, problem = kept.about_of(examples), ""
        how = _whence(examples) if self.way != "all" else "value"
        if how == "value":
            try:
                lines = b"" if self.way == "none" else kept.to_lines(examples)
                if self.way == "none":
                    problem = f"The examples of {examples.name!r} were not kept (data='none')."
                elif self.way == "auto" and len(lines) > MOST_BYTES:
                    problem = f"The examples of {examples.name!r} are larger than 64 MiB; data='all' keeps them."
                elif kept.from_lines(lines, about).hash != examples.hash:
                    problem = f"The examples of {examples.name!r} do not come back from text as they were."
                else:
                    self.files[f"data/{key}.jsonl"] = lines
            except DataError as wrong:
                problem = str(wrong)
        self.files[f"data/{key}.marks.csv"] = kept.marks_text(kept.marks_of(examples.frame))
        self.files[f"data/{key}.json"] = _json(about)
        told = ("name", "hash", "n", "kind", "source", "licence", "origin", "steps")
        self.data[key] = {**{name: about[name] for name in told}, "kept": "" if problem else how, "problem": problem}
        return key


def _whence(examples: Examples) -> str:
    """Return "pack" or "benchmark" where the examples come back from there as they are, else "value"."""
    if not examples.origin:
        return "value"
    about, ids = kept.about_of(examples), examples.frame["example"].tolist()
    try:
        again = kept.rebuilt(about, ids).examples
    except WorkbenchError:
        return "value"
    same = again is not None and again.hash == examples.hash
    return next(iter(examples.origin)) if same else "value"


def _as_read(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Return a table as it comes back from a file."""
    import pandas as pd

    return pd.read_parquet(io.BytesIO(frame.to_parquet(index=False)))


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", str(name).lower()).strip("-.")[:40]


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False, default=str) + "\n").encode()
