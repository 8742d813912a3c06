"""A spec that runs without a notebook: reports are made, numbers are held against thresholds, and all of it is kept.

`read` makes a plan of a YAML or JSON file and checks it whole before anything is loaded (`_spec_plan`); `run_spec` makes the
reports, judges, and writes reports, a frozen audit and the results to the output folder.
"""

import difflib
import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench import _conduct
from workbench._format import format_count, format_metric, format_number, is_null
from workbench._report_files import write
from workbench.audit._spec_file import read_spec
from workbench.audit._spec_plan import Data, Job, Output, Plan, Threshold, examples_for, plan_of
from workbench.audit.freeze import freeze
from workbench.errors import DataError, UsageError, WorkbenchError, counted, unknown
from workbench.models.load import load

if TYPE_CHECKING:
    import pandas as pd

    from workbench.reports import Report

__all__ = ["Judged", "Outcome", "doubts", "planned_text", "read", "run_spec"]

HELD, MISSED, CANNOT = 0, 1, 2  # exit codes of `python -m workbench run`
TEXTS = ("example", "cluster", "group", "text")  # columns of predictions that stay text: "001" is an id


class Judged(NamedTuple):
    """A threshold, what it was held against, and whether it held: "held", "missed" or "cannot say", with the reason."""

    report: str
    threshold: str
    found: str
    number: float
    n: int
    verdict: str
    why: str = ""


@dataclass(frozen=True, eq=False, repr=False)
class Outcome:
    """What came of a spec: its reports by key, each threshold judged, what could not be done, and the exit code."""

    plan: Plan
    reports: "Mapping[str, Report]"
    judged: tuple[Judged, ...]
    problems: Mapping[str, str]
    folder: Path | None = None

    @property
    def code(self) -> int:
        """0: all thresholds held; 1: one was missed; 2: something could not be done or judged."""
        if self.problems or any(one.verdict == "cannot say" for one in self.judged):
            return CANNOT
        return MISSED if any(one.verdict == "missed" for one in self.judged) else HELD

    def __repr__(self) -> str:
        return "\n".join(_printable(line) for line in _lines(self))


def read(path: str | os.PathLike[str], *, output: str | os.PathLike[str] | None = None) -> Plan:
    """Return the plan of a spec, checked; `output` names another folder for what is written.

    Raises `UsageError` with file, line and key of what is wrong, and the nearest known name.
    """
    plan = plan_of(read_spec(Path(path)))
    return replace(plan, output=replace(plan.output, folder=Path(output))) if output is not None else plan


def doubts(plan: Plan) -> list[str]:
    """Return a sentence for each metric of a threshold that is none of its probe's main ones; a probe may have others.

    Which metrics a report has is known when it is there: it follows from the rows, the options, and what else was asked.
    """
    from workbench.probes.find import find

    said: dict[str, None] = {}
    for job in plan.jobs:
        probe = find(job.probe)
        main = sorted({*getattr(probe, "headline", ()), *getattr(probe, "sliced", ())})
        for one in job.thresholds:
            if main and one.metric not in main:
                near = difflib.get_close_matches(one.metric, main, n=1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                words = f"{one.metric!r} is none of the main metrics of {job.probe}; it is looked for in the report."
                said[str(plan.spec.wrong(one.place, words + hint))] = None
    return list(said)


def run_spec(plan: Plan, tell: Callable[[str], None] = lambda _: None) -> Outcome:
    """Return what comes of a plan: every report is made, every threshold judged, and all is written to the output folder.

    What fails is a problem of its report; the others are made all the same. `tell` hears at once of what could not be done or
    judged, while other reports are made.
    """
    reports: dict[str, Report] = {}
    problems: dict[str, str] = {}
    judged: list[Judged] = []
    models: dict[str, Any] = {}
    for key, job in _keyed(plan):
        try:
            report = reports[key] = _made(plan, job, models)
        except WorkbenchError as problem:
            problems[key] = str(problem)
            tell(f"{key}: could not be done: {problem}")
            continue
        if report.outcome == "interrupted":
            problems[key] = report.notes[0]
        found = [_judge(key, report, one) for one in job.thresholds]
        for one in found:
            if one.verdict == "cannot say":
                tell(f"{key}: {one.threshold}: cannot say. {one.why}")
        judged += found
    outcome = Outcome(plan, reports, tuple(judged), problems, plan.output.folder)
    if plan.output.folder is not None:
        _write(outcome, plan.output, plan.output.folder)
    return outcome


def planned_text(plan: Plan, count: Callable[[Any, str, Any, dict[str, Any]], str] | None = None) -> str:
    """Return what a plan would do, a line for each report; nothing is loaded. `count` says what a model would be asked."""
    from workbench.probes.find import find, settle

    lines = [f"{plan.name}: {counted(len(plan.jobs), 'report')}"]
    for key, job in _keyed(plan):
        lines.append(f"{key}: {job.probe} of {job.model or 'no model'} on {job.data.said}{_general(job)}")
        if not job.data.predictions:
            data = examples_for(plan.spec, job.place, job.data)
            lines.append(f"  {counted(len(data), 'example')}")
            if count is not None and job.model:
                options = settle(find(job.probe), _resolved(plan, job))
                lines.append(f"  {count(find(job.probe), job.load['load'], data, options)}")
        lines += [f"  must hold: {one.said}" for one in job.thresholds]
    folder = plan.output.folder
    lines.append(f"written to {folder}" if folder else "nothing is written: no output folder is named")
    lines += doubts(plan)
    return "\n".join(_printable(line) for line in lines)


def _general(job: Job) -> str:
    said = [f"{name}={value!r}" for name, value in job.options.items()]
    said += [f"by {', '.join(job.by)}"] if job.by else []
    said += [f"holdout {job.holdout:g}"] if job.holdout else []
    said += [f"seed {job.seed}"] if job.seed else []
    return f"; {', '.join(said)}" if said else ""


def _keyed(plan: Plan) -> list[tuple[str, Job]]:
    """Return the jobs by a short name each."""
    return [(f"{at:02d}-{job.probe}", job) for at, job in enumerate(plan.jobs, start=1)]


def _resolved(plan: Plan, job: Job) -> dict[str, Any]:
    """Return the options of a job, with the examples that some of them are."""
    return {
        name: examples_for(plan.spec, (*job.place, "options", name), value) if isinstance(value, Data) else value
        for name, value in job.options.items()
    }


def _made(plan: Plan, job: Job, models: dict[str, Any]) -> "Report":
    """Return the report of a job; a model is loaded once."""
    general: dict[str, Any] = {"by": job.by, "holdout": job.holdout, "seed": job.seed}
    if job.data.predictions:
        from workbench.data._read import read as table_of

        frame = _part(table_of(job.data.value).frame, job.data)
        told = ", ".join(f"{column}={value}" for column, value in job.data.where.items())
        name = Path(job.data.value).stem + (f" ({told})" if told else "")
        given = {**job.data.columns, **_resolved(plan, job)}
        texts = {job.data.columns.get(word, word) for word in TEXTS} | set(job.by or ())
        return _conduct.from_predictions(_numbers(frame, texts), probe=job.probe, name=name, **general, **given)
    data = examples_for(plan.spec, job.place, job.data)
    if job.model and job.model not in models:
        options = {name: value for name, value in job.load.items() if name != "load"}
        models[job.model] = load(job.load["load"], **options)
    return _conduct.run(job.probe, models.get(job.model), data, **general, **_resolved(plan, job))


def _part(frame: "pd.DataFrame", data: Data) -> "pd.DataFrame":
    """Return the rows of a table of predictions that have the values of `where`, compared as a CSV file writes them."""
    for column, value in data.where.items():
        if column not in frame.columns:
            raise unknown("column of the predictions (where)", column, map(str, frame.columns))
        listed = value if isinstance(value, list) else [value]
        allowed = {way for one in listed for way in _ways(one)}
        cells = frame[column].map(_cell)
        if not cells.isin(allowed).any():
            known = ", ".join(sorted(cells[frame[column].notna()].unique())[:10])
            raise DataError(
                f"No row of {Path(data.value).name} has {column}={value!r}. The column holds {known or 'nothing'}."
            )
        frame = frame[cells.isin(allowed)]
    return frame


def _ways(value: Any) -> set[str]:
    """Return how a CSV file may write a value: pandas writes 1 as 1.0 in a column with blank cells."""
    if isinstance(value, bool):
        return {str(value), str(value).lower()}
    return {_cell(value), str(float(value))} if isinstance(value, (int, float)) else {_cell(value)}


def _cell(value: Any) -> str:
    """Return a value as a CSV file writes it: 1.0 and 1 are one."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _numbers(frame: Any, texts: set[Any]) -> Any:
    """Return a table whose columns of numbers are numbers, but for those named: in a CSV file every cell is text."""
    import pandas as pd

    made = frame.copy()
    for name in made.columns.difference(list(texts)):
        if made[name].dtype == object or str(made[name].dtype) in {"str", "string"}:
            numbers = pd.to_numeric(made[name], errors="coerce")
            whole = numbers.notna() | made[name].isna() | (made[name].astype(str).str.strip() == "")
            if whole.all() and numbers.notna().any():
                made[name] = numbers
    return made


def _judge(key: str, report: "Report", bound: Threshold) -> Judged:
    """Return whether a metric keeps a bound."""

    def cannot(why: object) -> Judged:
        return Judged(key, bound.said, "", math.nan, 0, "cannot say", str(why))

    if report.outcome == "not applicable":
        return cannot(report.notes[0] if report.notes else "The probe is not applicable.")
    metrics = report.metrics
    mine = metrics[metrics["metric"] == bound.metric]
    if not len(mine):
        return cannot(unknown("metric", bound.metric, dict.fromkeys(metrics["metric"])))
    mine = mine[mine["group"] == bound.group]
    if not len(mine):
        groups = dict.fromkeys(metrics[metrics["metric"] == bound.metric]["group"].astype(str))
        return cannot(unknown(f"group of {bound.metric}", bound.group, list(groups)[:20]))
    line = mine.iloc[0]
    found = format_metric(line["value"], line["low"], line["high"], line["method"])
    if bound.at != "value" and (is_null(line["method"]) or not math.isfinite(line["high"] - line["low"])):
        has = "a null band" if is_null(line["method"]) else "no interval"
        return cannot(
            f"{bound.metric} has {has}, so that at: {bound.at} cannot be judged. Write at: value, or take another metric."
        )
    sides = {"min": bound.low, "max": bound.high}
    at = {side: _side(bound.at, side) for side in sides}
    held = {
        "min": bound.low is None or line[at["min"]] >= bound.low,
        "max": bound.high is None or line[at["max"]] <= bound.high,
    }
    side = next((name for name in sides if not held[name]), "min" if bound.low is not None else "max")
    verdict = "held" if all(held.values()) else "missed"
    return Judged(key, bound.said, found, float(line[at[side]]), int(line["n"]), verdict)


def _side(at: str, side: str) -> str:
    """Return the column that a bound is held against."""
    return {"worst": {"min": "low", "max": "high"}[side]}.get(at, at)


def _write(outcome: Outcome, output: Output, folder: Path) -> None:
    """Write reports, frozen audit, and the results as JSON and Markdown."""
    folder.mkdir(parents=True, exist_ok=True)
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder.")
    for key, report in outcome.reports.items():
        if output.save:
            report.save(folder / key, pictures=output.pictures)
    if output.freeze and outcome.reports:
        freeze(
            *outcome.reports.values(),
            to=folder / "audit",
            name=outcome.plan.name,
            notes=outcome.plan.notes,
            pictures=output.pictures,
            overwrite=True,
        )
    told = {
        "name": outcome.plan.name,
        "spec": outcome.plan.spec.path.name,
        "code": outcome.code,
        "thresholds": [one._asdict() for one in outcome.judged],
        "problems": dict(outcome.problems),
        "reports": {key: report.title for key, report in outcome.reports.items()},
    }
    write(folder / "results.json", (json.dumps(_finite(told), indent=1, ensure_ascii=False) + "\n").encode())
    parts = [report.to_markdown() for report in outcome.reports.values()]
    write(folder / "summary.md", "\n".join(parts).encode())


def _finite(value: Any) -> Any:
    """Return a value without NaN, which is no JSON."""
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _lines(outcome: Outcome) -> list[str]:
    """Return the outcome as a compact table."""
    lines = []
    for key, job in _keyed(outcome.plan):
        report = outcome.reports.get(key)
        title = report.title if report is not None else f"{job.probe} of {job.model or job.data.said}"
        lines.append(f"{key}  {title}" + (f": {report.outcome}" if report and report.outcome != "complete" else ""))
        if key in outcome.problems:
            lines.append(f"    could not be done: {outcome.problems[key]}")
        mine = [one for one in outcome.judged if one.report == key]
        wide = max((len(one.threshold) for one in mine), default=0)
        for one in mine:
            mark = {"held": "held  ", "missed": "MISSED"}.get(one.verdict, "CANNOT SAY")
            found = f"{one.found}, n = {format_count(one.n)}" if one.found else one.why
            exact = f" ({format_number(one.number, 6)})" if one.verdict == "missed" else ""
            lines.append(f"    {mark}  {one.threshold:<{wide}}  {found}{exact}")
        if report is not None and not mine:
            metrics = report.metrics[
                (report.metrics["group"] == "all") & report.metrics["metric"].isin(report.headline)
            ]
            for name, value, low, high, n, method in metrics[
                ["metric", "value", "low", "high", "n", "method"]
            ].itertuples(index=False, name=None):
                lines.append(f"    {name:<20}  {format_metric(value, low, high, method)}, n = {format_count(n)}")
    if outcome.folder is not None:
        lines.append(f"written to {outcome.folder}")
    missed = sum(one.verdict == "missed" for one in outcome.judged)
    said = {
        HELD: f"All of {counted(len(outcome.judged), 'threshold')} held."
        if outcome.judged
        else "Done; no threshold was set.",
        MISSED: f"{missed} of {counted(len(outcome.judged), 'threshold')} missed.",
        CANNOT: "Not everything could be done or judged.",
    }
    return [*lines, said[outcome.code]]


def _printable(line: str) -> str:
    return "".join(char if char.isprintable() else " " for char in line)
