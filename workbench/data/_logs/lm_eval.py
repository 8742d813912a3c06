"""Sample logs of lm-evaluation-harness: `samples_<task>_<date>.jsonl`, and the `results_<date>.json` beside them.

One line per document and filter. Of multiple choice the log-likelihoods of the choices become logits: as they are for `acc`, per
character for `acc_norm`, per byte for `acc_bytes`, less the unconditional ones for `acc_mutual_info`; each row's answer is held
against the value that the tool wrote. Older versions (0.4.0 on) wrote one JSON list, arguments as lists, metrics without a filter.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from workbench.data._logs import _lm_eval_choices as choices_of
from workbench.data._logs._files import json_of, lines_of
from workbench.data._logs._part import Asked, Part, Printed, Read, carried, chosen, frame_of, hit, short, text_of
from workbench.errors import DataError

__all__ = ["NAMES", "TOOL", "parts", "recognises"]

TOOL = "lm-eval"
NAMES = "samples_*.jsonl"
DATED = re.compile(r"_(\d{4}-\d\d-\d\dT[\d\-:.]+)$")
OWN = (
    *("doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics"),
    *("doc_hash", "prompt_hash", "target_hash", "idx", "request_type"),
)
FIRST = ("acc", "exact_match", "acc_norm")
NO_FILTER = "none"


def recognises(start: bytes, fields: frozenset[str]) -> bool:
    """Return whether a file that begins so, with these fields, is a sample log."""
    del start
    return "doc_id" in fields and bool(fields & {"resps", "filtered_resps"})


def parts(path: Path) -> list[Part]:
    """Return the one part of a sample log."""
    name = path.name.removesuffix(".jsonl").removesuffix(".json").removeprefix("samples_")
    dated = DATED.search(name)
    date = dated.group(1) if dated else ""
    task = DATED.sub("", name)
    results = _results(path, date, task)
    if results:
        tasks = [one for one in results.get("results", {}) if re.sub(r'[<>:"/\\|?*]', "_", one) == task]
        task = tasks[0] if tasks else task
    model = _model(results) or path.parent.name
    return [Part(TOOL, short(model), task, path, lambda asked: _read(path, task, results, asked))]


def _results(path: Path, date: str, task: str) -> Mapping[str, Any]:
    """Return what the results file beside a sample log holds, {} where there is none that fits."""
    beside = sorted(path.parent.glob("results*.json"))
    named = [one for one in beside if date and one.name == f"results_{date}.json"]
    for one in named or ([beside[0]] if len(beside) == 1 else []):
        found = json_of(one)
        if isinstance(found, dict) and isinstance(found.get("results"), dict) and (named or task in found["results"]):
            return found
    return {}


def _model(results: Mapping[str, Any]) -> str:
    config = results.get("config") or {}
    given = config.get("model_args")
    pairs = dict(given) if isinstance(given, Mapping) else {}
    if isinstance(given, str):
        pairs = dict(pair.split("=", 1) for pair in given.split(",") if "=" in pair)
    names = (results.get("model_name"), pairs.get("pretrained"), pairs.get("model"), config.get("model"))
    return str(next((name for name in names if name), ""))


class Line(NamedTuple):
    """A row of the log, and where it stands."""

    row: Mapping[str, Any]
    where: str

    @property
    def filter(self) -> str:
        """The filter that gave it."""
        return str(self.row.get("filter") or NO_FILTER)

    def of(self, name: str) -> Any:
        """Return a field that every row needs."""
        if name not in self.row:
            raise DataError(f"{self.where}: there is no {name}; a sample of lm-evaluation-harness has one.")
        return self.row[name]


def _read(path: Path, task: str, results: Mapping[str, Any], asked: Asked) -> Read:
    lines = [Line(row, f"{path.name}, line {number}") for number, row in lines_of(path)]
    if not lines:
        raise DataError(f"{path.name} is empty.")
    filters = list(dict.fromkeys(line.filter for line in lines))
    known = [f"{metric},{one}" for one in filters for metric in _metrics(lines, one)]
    wanted = asked.metric
    if wanted is not None and "," not in wanted:
        wanted = next((name for name in known if name.rpartition(",")[0] == wanted), wanted)
    name = chosen(known, wanted, [f"{metric},{one}" for metric in FIRST for one in filters], path.name)
    metric, _, one = name.rpartition(",")
    kept = [line for line in lines if line.filter == one]
    config = (results.get("configs") or {}).get(task) or {}
    records, notes = _records(kept, metric, config, asked.right)
    frame = frame_of([{**record, "task": task} for record in records], path.name)
    printed = _printed(results, task, kept)
    others = [f for f in filters if f != one]
    told = [f"Rows are those of the filter {one}; the log also has {', '.join(others)} (metric=...)."] if others else []
    if not results:
        told.append("There is no results file beside this log: what the tool printed is not known.")
    return Read(frame, printed, name if filters != [NO_FILTER] else metric, (*told, *notes))


def _metrics(lines: Sequence[Line], one: str) -> list[str]:
    """Return the metrics of a filter that are a number in each of its rows."""
    rows = [line.row for line in lines if line.filter == one]
    named = rows[0].get("metrics") or [name for name in rows[0] if name not in OWN]
    return [str(name) for name in named if all(_number(row.get(name)) is not None for row in rows)]


def _number(value: Any) -> float | None:
    """Return a value as a number, None where it is none; a log may hold it as a text.

    >>> _number("0.5"), _number(True), _number([1, 2])
    (0.5, 1.0, None)
    """
    if isinstance(value, (bool, int, float)):
        return float(value)
    try:
        return float(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _records(
    lines: Sequence[Line], metric: str, config: Mapping[str, Any], right: float | None
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return a record per row, and notes; logits are kept only where each row's answer is the tool's."""
    records: list[dict[str, Any]] = []
    seen: dict[str, int] = {}
    delimiter = choices_of.delimiter_of([line.row for line in lines], config)
    differ = []
    for line in lines:
        requests = choices_of.requests_of(line.of("arguments"), line.where)
        example = str(line.of("doc_id"))
        seen[example] = seen.get(example, 0) + 1
        value = float(_number(line.row[metric]) or 0.0)
        correct = hit(value, right, metric, line.where)
        record: dict[str, Any] = {
            "example": example,
            "variant": "" if seen[example] == 1 else f"again {seen[example]}",
            "text": text_of(requests[0].context),
            "value": value,
            "correct": correct,
            **carried(line.row.get("doc")),
        }
        answers = line.row.get("filtered_resps", line.row.get("resps"))
        if choices_of.asked_of_choices(requests):
            picked = choices_of.picked(requests, answers, metric, delimiter, line)
            record |= picked.fields(line.row.get("target"), correct)
            if picked.logits is not None and not picked.agrees(line.row.get("target"), correct):
                differ.append(line.where)
        else:
            record |= {"label": text_of(line.row.get("target")), "predicted": choices_of.written(answers)}
        records.append(record)
    notes = ["Some documents stand in the log more than once; rows after the first are variants."]
    notes = notes if any(count > 1 for count in seen.values()) else []
    if differ:
        for record in records:
            logits = record.pop("logits", None)
            record["confidence"] = None if logits is None else float(choices_of.softmax(logits).max())
        notes.append(
            f"In {len(differ)} rows, the first {differ[0]}, {metric} is not what the log-likelihoods give: kept are the tool's "
            "verdict and the confidence, without logits."
        )
    return records, notes


def _printed(results: Mapping[str, Any], task: str, lines: Sequence[Line]) -> list[Printed]:
    """Return the numbers of the results file of this task and filter, beside the means of the rows."""
    told = (results.get("results") or {}).get(task) or {}
    found = []
    for name, value in told.items():
        metric, _, one = name.partition(",")
        if not isinstance(value, (int, float)) or isinstance(value, bool) or metric.endswith("_stderr"):
            continue
        if (one or NO_FILTER) != lines[0].filter and one:
            continue
        numbers = [_number(line.row.get(metric)) for line in lines]
        known = [number for number in numbers if number is not None]
        if metric in lines[0].row:
            mean = float(np.mean(known)) if len(known) == len(lines) else float("nan")
            found.append(Printed(name, "all", float(value), mean, len(known)))
    return found
