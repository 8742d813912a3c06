"""Reports of garak: `*.report.jsonl`, one line per entry.

A part is a probe. A row is an output and a detector's verdict on it: `value` is the detector's score (0 to 1, 1 where it finds what
it looks for), `correct` is 1 where the output passed, which is where the score is below garak's own threshold.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from workbench.data._logs._files import lines_of
from workbench.data._logs._part import Asked, Part, Printed, Read, carried, chosen, frame_of, short, text_of
from workbench.errors import DataError

__all__ = ["NAMES", "TOOL", "parts", "recognises"]

TOOL = "garak"
NAMES = "*.report.jsonl"
THRESHOLD = 0.5
DONE = 2  # the status of an attempt that detectors have seen


def recognises(start: bytes, fields: frozenset[str]) -> bool:
    """Return whether a file that begins so, with these fields, is a report."""
    del start
    return "entry_type" in fields


@lru_cache(maxsize=2)
def _entries(path: Path, changed: int) -> tuple[tuple[int, Mapping[str, Any]], ...]:
    """Return the entries that are read; the file's time tells a report that goes on from the one that was read before."""
    del changed
    kinds = ("start_run setup", "init", "attempt", "eval")
    return tuple((number, one) for number, one in lines_of(path) if one.get("entry_type") in kinds)


def parts(path: Path) -> list[Part]:
    """Return a part per probe of the report."""
    entries = _entries(path, path.stat().st_mtime_ns)
    setup: dict[str, Any] = {}
    probes = dict.fromkeys(str(one["probe_classname"]) for _, one in entries if one.get("probe_classname"))
    for _, one in entries:
        if one["entry_type"] == "start_run setup":
            setup.update(one)
    names = [setup.get(f"plugins.{word}") for word in ("target_name", "model_name", "target_type", "model_type")]
    model = short(next((name for name in names if name), path.name.split(".")[0]))
    limit = setup.get("run.eval_threshold")
    threshold = float(limit) if isinstance(limit, (int, float)) else THRESHOLD
    if not probes:
        raise DataError(f"{path.name} has no attempt: the run ended before a probe began.")

    def reader(probe: str) -> Any:
        return lambda asked: _read(path, probe, threshold, asked)

    return [Part(TOOL, model, probe, path, reader(probe)) for probe in probes]


def _read(path: Path, probe: str, threshold: float, asked: Asked) -> Read:
    entries = _entries(path, path.stat().st_mtime_ns)
    attempts = [
        (n, one) for n, one in entries if one["entry_type"] == "attempt" and one.get("probe_classname") == probe
    ]
    whole = [(n, one) for n, one in attempts if one.get("status") == DONE]
    known = dict.fromkeys(name for _, one in whole for name in one.get("detector_results") or {})
    one = asked.metric is not None or not known
    wanted = [chosen(known, asked.metric, (), f"{path.name}, {probe}")] if one else list(known)
    below = threshold if asked.right is None else asked.right
    records = [
        record for number, one in whole for record in _records(one, probe, wanted, below, f"{path.name}, line {number}")
    ]
    frame = frame_of(records, f"{path.name}, {probe}")
    begun = {one.get("uuid") for _, one in attempts} - {one.get("uuid") for _, one in whole}
    notes = [
        f"Right is an output that passed: its detector's score is below {below:g}. Accuracy is the share that passed."
    ]
    if len(wanted) > 1:
        notes.append(f"Each output has {len(wanted)} verdicts, a row per detector; metric= reads one of them.")
    if begun:
        notes.append(f"{len(begun)} attempts of {probe} were begun and not judged; they are no rows.")
    printed = _printed(entries, probe, frame)
    return Read(frame, printed, ", ".join(wanted), notes, ("detector",) if len(wanted) > 1 else ())


def _records(
    attempt: Mapping[str, Any], probe: str, detectors: Sequence[str], below: float, where: str
) -> list[dict[str, Any]]:
    """Return a record per output and detector of an attempt."""
    outputs = attempt.get("outputs") or []
    results = attempt.get("detector_results") or {}
    example = f"{probe}:{attempt.get('seq', attempt.get('uuid', where))}"
    made = []
    for detector in detectors:
        scores = results.get(detector)
        if scores is None:
            continue
        if not isinstance(scores, list):
            raise DataError(f"{where}: {detector} has {scores!r}, not a list of scores.")
        for at, score in enumerate(scores):
            if score is not None and (isinstance(score, bool) or not isinstance(score, (int, float))):
                raise DataError(f"{where}: {detector} gives output {at} {score!r}, which is not a score.")
            several = [f"output {at}"] if len(scores) > 1 else []
            made.append(
                {
                    "example": example,
                    "variant": ", ".join([*several, *([detector] if len(detectors) > 1 else [])]),
                    "task": probe,
                    "text": text_of(attempt.get("prompt")),
                    "predicted": text_of(outputs[at]) if at < len(outputs) else "",
                    "value": score,
                    "correct": None if score is None else float(score < below),
                    "detector": detector,
                    **carried({"goal": attempt.get("goal"), "intent": attempt.get("intent")}),
                }
            )
    return made


def _printed(entries: Sequence[tuple[int, Mapping[str, Any]]], probe: str, frame: Any) -> list[Printed]:
    """Return the share that passed, as garak counted it and of the rows, for each detector that was read."""
    found = []
    for _, one in entries:
        if one["entry_type"] != "eval" or one.get("probe") != probe:
            continue
        detector = str(one.get("detector", "")).removeprefix("detector ")
        total = one.get("total_evaluated", one.get("total"))
        mine = frame.loc[frame["detector"] == detector, "correct"].dropna()
        if not len(mine) or not isinstance(total, (int, float)) or not total:
            continue
        share = float(one.get("passed", np.nan)) / float(total)
        found.append(Printed("passed", f"detector={detector}", share, float(mine.mean()), int(total)))
    return found
