"""One report of a frozen audit, made again: by a run where that can be, else from its rows."""

import io
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench._conduct import run
from workbench._report_files import read
from workbench.audit._changes import Change, in_model, in_versions, marks_at
from workbench.audit._confirmed import tested_again
from workbench.audit._differ import REDRAWN, REPRODUCED, SAME, WITHIN, columns_that_differ, metrics_side_by_side
from workbench.audit._plan import NOTHING, RUN, resolved
from workbench.audit.freeze import ROW_KEYS
from workbench.data import kept
from workbench.data.examples import Examples
from workbench.errors import DataError, WorkbenchError, counted
from workbench.models.origin import reopen
from workbench.probes.find import find
from workbench.reports import Report, open_report

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Again", "Asked", "again"]

OF_RUNS, OF_ROWS = 1e-4, 1e-9  # within which numbers are the same: of the engine, of statistics of the same rows
HARMLESS = (
    "version",
    "code",
    "device",
    "dtype",
    "revision",
    "identity",
    "not compared",
)  # changes that count only where a number differs
SURVIVED, NOT = "survived", "not reproduced"


@dataclass(frozen=True)
class Asked:
    """What a replay was asked for, and the models and examples that it has loaded so far."""

    home: Path
    about: Mapping[str, Any]
    models: dict[str, Any]
    tolerance: float | None
    from_rows: bool
    trust: bool
    answers: str  # a folder of this replay alone: what is asked twice is answered once, as it was in the run
    loaded: dict[str, Any] = field(default_factory=dict)

    def model(self, record: Mapping[str, Any]) -> Any:
        """Return the model of a record: the one that was given in its place, or loaded by its name, once."""
        if record.get("kind") == "none":
            return None
        if record.get("name") in self.models:
            return self.models[record["name"]]
        key = json.dumps([record.get(name) for name in ("target", "revision", "dtype", "load_options")], sort_keys=True)
        if key not in self.loaded:
            self.loaded[key] = reopen(record, trust=self.trust, cache=self.answers)
        return self.loaded[key]

    def examples(self, key: str) -> kept.Found:
        """Return the examples of a key, and those that are not as they were."""
        about = json.loads((self.home / f"data/{key}.json").read_bytes())
        marks = marks_at(self.home / f"data/{key}.marks.csv")
        ids = [mark[0] for mark in marks]
        if self.about["data"][key]["kept"] == "value":
            base = kept.from_lines((self.home / f"data/{key}.jsonl").read_bytes(), about)
            return kept.found(base, about, ids, marks)
        return kept.rebuilt(about, ids, marks)


class Again(NamedTuple):
    """What came of one report: exit code, changes, metrics side by side, columns that differ, findings, and a line of text."""

    code: int
    changes: list[Change]
    metrics: "pd.DataFrame"
    rows: "pd.DataFrame"
    findings: "pd.DataFrame"
    told: str


class _Made(NamedTuple):
    """A report as it is now, with the tables to hold against the frozen ones."""

    report: Report
    metrics: "pd.DataFrame"
    tables: "dict[str, pd.DataFrame]"
    told: str


def again(told: Mapping[str, Any], asked: Asked) -> Again:
    """Return what comes of making a report again."""
    import pandas as pd

    key, place = told["key"], asked.home / "reports" / told["key"]
    none = pd.DataFrame()
    try:
        frozen, frames = open_report(place), read(place).frames
    except WorkbenchError as problem:
        change = Change(key, "cannot run", key, "", str(problem))
        return Again(2, [change], none, none, none, f"{key}: cannot be read")
    changes = in_versions(frozen.record.as_dict())
    if told["replay"] == NOTHING:
        change = Change(key, "cannot run", frozen.record.probe, "", told["why"])
        return Again(2, [*changes, change], none, none, none, f"{key}: {told['why']}")
    made, code = None, 0
    if told["replay"] == RUN and not asked.from_rows:
        clock = time.perf_counter()
        try:
            made = _ran(told, frozen, asked, changes, clock)
        except (WorkbenchError, OSError, ValueError, KeyError) as problem:
            changes.append(Change(key, "cannot run", told["probe"], "", _sentence(problem)))
            code = 2
    by_run = made is not None
    try:
        made = made or _from_rows(frozen, told, failed=code == 2)
    except WorkbenchError as problem:
        changes.append(Change(key, "cannot run", told["probe"], "", _sentence(problem)))
        return Again(2, changes, none, none, none, f"{key}: its numbers cannot be computed from the rows")
    tolerance = asked.tolerance if asked.tolerance is not None else OF_RUNS if by_run else OF_ROWS
    if made.report.outcome != frozen.outcome:
        changes.append(Change(key, "outcome", told["title"], frozen.outcome, made.report.outcome))
    metrics = metrics_side_by_side(frames["metrics"], made.metrics, tolerance).assign(report=key)
    rows = _differing(key, frames, made, tolerance)
    findings = _findings(key, told, made, metrics, frozen)
    same = bool(metrics["verdict"].isin(SAME).all()) and not len(rows)
    same &= not (findings["verdict"] == NOT).any() and all(change.kind in HARMLESS for change in changes)
    return Again(code or int(not same), changes, metrics, rows, findings, f"{key}: {made.told}")


def _ran(told: Mapping[str, Any], frozen: Report, asked: Asked, changes: list[Change], clock: float) -> _Made:
    """Return the report of a new run; what model and data are not as they were is added to `changes`."""
    key, record = told["key"], frozen.record

    def data(name: str) -> Examples:
        found = asked.examples(name)
        changes.extend(Change(key, "example", example, "there", "gone") for example in found.lacking[:20])
        changes.extend(Change(key, "example", example, "there", "changed") for example in found.changed[:20])
        if found.examples is None:
            n = counted(len(found.lacking), "example")
            raise DataError(f"{n} of {asked.about['data'][name]['name']!r} are not there any more.")
        return found.examples

    examples = data(told["data"])
    model = asked.model(record.model)
    tensors = asked.home / "reports" / key / "weights.json"
    if model is not None and hasattr(model, "info"):
        known = json.loads(tensors.read_bytes()) if tensors.is_file() else {}
        upgraded = any((change.kind, change.name) == ("version", "transformers") for change in changes)
        changes.extend(in_model(key, record.model, model, known, upgraded=upgraded))
    usual = {name: option.default for name, option in find(record.probe).options.items()}
    options = resolved(told["options"], data, asked.model)
    options = {name: value for name, value in options.items() if name not in usual or value != usual[name]}
    by = tuple(name for name in record.by if name in examples.frame.columns)
    made = run(record.probe, model, examples, by=by, holdout=record.holdout, seed=record.seed, **options)
    if by != record.by:  # columns that the rows have and the examples have not: with_options(by=...)
        made = replace(made, record=replace(made.record, by=record.by))
    if told["part"]:
        wanted = set(frozen.rows[list(ROW_KEYS)].itertuples(index=False, name=None))
        mask = [line in wanted for line in made.rows[list(ROW_KEYS)].itertuples(index=False, name=None)]
        made = replace(made, rows=made.rows[mask].reset_index(drop=True), stored={})
    where = made.record.model.get("device") or "no device"
    seconds = f"{time.perf_counter() - clock:.1f} s (frozen run: {record.seconds:.1f} s)"
    return _Made(made, made.metrics, made.tables, f"run again on {where} in {seconds}")


def _from_rows(frozen: Report, told: Mapping[str, Any], *, failed: bool) -> _Made:
    """Return the report with its numbers computed from the stored rows."""
    fresh = replace(frozen)  # without the metrics that were stored with it
    why = "could not be run; numbers computed again from the rows" if failed else "numbers computed again from the rows"
    reason = f" ({told['why'].rstrip('.')})" if told["why"] and told["replay"] != RUN else ""
    return _Made(fresh, fresh.metrics, fresh.tables, why + reason)


def _differing(key: str, frames: "Mapping[str, pd.DataFrame]", made: _Made, tolerance: float) -> "pd.DataFrame":
    """Return the columns of rows and tables that differ, a line each."""
    import pandas as pd

    lines = []
    new = {"rows": made.report.rows, **{f"tables/{name}": table for name, table in made.tables.items()}}
    for name, table in frames.items():
        if name in ("metrics", "tables/selections"):
            continue
        if name not in new:
            lines.append((key, name, "(table)", len(table), float("inf"), "", f"{len(table)} rows", "gone"))
            continue
        keys = ROW_KEYS if name == "rows" else ()
        lines += [(key, name, *one) for one in columns_that_differ(table, _as_read(new[name]), tolerance, keys)]
    return pd.DataFrame(lines, columns=["report", "table", "column", "rows", "largest", "where", "frozen", "now"])


def _findings(
    key: str, told: Mapping[str, Any], made: _Made, metrics: "pd.DataFrame", frozen: Report
) -> "pd.DataFrame":
    """Return what became of each finding: the probe's sentences, what was confirmed, and the metrics of its headline."""
    import pandas as pd

    now = list(made.report.findings)
    lines = [
        (key, one, SURVIVED if one in now else NOT, "" if one in now else " ".join(now)) for one in told["findings"]
    ]
    for one in tested_again(frozen, made.report):
        verdict = SURVIVED if one.frozen == one.now else NOT
        lines.append((key, one.finding, verdict, "" if verdict == SURVIVED else f"{one.now} {one.result}".strip()))
    main = metrics[metrics["metric"].isin(frozen.headline) & ~metrics["group"].astype(str).str.contains("=")]
    for line in main.to_dict("records"):
        name = line["metric"] if line["group"] == "all" else f"{line['metric']}, {line['group']}"
        said = f"{name} = {line['value']:.4g} [{line['low']:.4g}, {line['high']:.4g}]"
        verdict = {REPRODUCED: SURVIVED, REDRAWN: SURVIVED, WITHIN: f"{SURVIVED}, within its interval"}.get(
            line["verdict"], NOT
        )
        lines.append((key, said, verdict, "" if verdict == SURVIVED else f"{line['value_now']:.4g}"))
    return pd.DataFrame(lines, columns=["report", "finding", "verdict", "now"])


def _as_read(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Return a table as it comes back from a file."""
    import pandas as pd

    return pd.read_parquet(io.BytesIO(frame.to_parquet(index=False)))


def _sentence(problem: BaseException) -> str:
    return str(problem) or type(problem).__name__
