"""Logs of Inspect: `.eval`, a zip of JSON files, and the same as one JSON file.

A row is a sample and epoch (the epoch is its variant). A scorer's value is read as Inspect's own metrics read it: "C", "I", "P"
and "N" are 1, 0, 0.5 and 0, words and numbers as they say. Where the log has the log-probabilities of the written tokens, the
token that is the answer's letter gives a confidence; of a sample with choices whose letters are all among the likeliest, logits.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.data._logs._files import Archive, json_of
from workbench.data._logs._inspect_letters import answered
from workbench.data._logs._part import Asked, Part, Printed, Read, carried, chosen, frame_of, hit, short, text_of
from workbench.errors import DataError, counted

__all__ = ["NAMES", "TOOL", "parts", "recognises"]

TOOL = "inspect"
NAMES = "*.eval, *.json"
ZIP = b"PK\x03\x04"
SAMPLE = re.compile(r"samples/(?:[^/]+\.json|[^/]+/sample\.json)")
VALUES = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}
WORDS = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
MEANS = ("accuracy", "mean")
NEWEST = 2  # version of the format


def recognises(start: bytes, fields: frozenset[str]) -> bool:
    """Return whether a file that begins so, with these fields, is a log."""
    return start.startswith(ZIP) or {"version", "status", "eval"} <= fields


def parts(path: Path) -> list[Part]:
    """Return the one part of a log."""
    header = _header(path)
    spec = header.get("eval")
    if not isinstance(spec, Mapping):
        raise DataError(f"{path.name} has no field eval; a log of Inspect says there what was run.")
    task = str(spec.get("task_display_name") or spec.get("task") or path.stem)
    return [Part(TOOL, short(spec.get("model") or "?"), task, path, lambda asked: _read(path, task, asked))]


def _zipped(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == ZIP


def _header(path: Path) -> Mapping[str, Any]:
    """Return what a log says of itself: results where the run came to an end."""
    if not _zipped(path):
        found = json_of(path)
    else:
        archive = Archive(path)
        name = next((one for one in ("header.json", "_journal/start.json") if one in archive.members), "")
        if not name:
            raise DataError(f"{path.name} is a zip without header.json or _journal/start.json: no log of Inspect.")
        found = archive.json(name)
    if not isinstance(found, dict):
        raise DataError(f"{path.name} holds {str(found)[:60]!r}, not a log of Inspect.")
    return found


def _samples(path: Path, header: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each sample with where it stands."""
    if not _zipped(path):
        for at, sample in enumerate(header.get("samples") or []):
            yield f"{path.name}, sample {at}", _mapping(sample, f"{path.name}, sample {at}")
        return
    archive = Archive(path)
    for name in archive.members:
        if SAMPLE.fullmatch(name):
            yield f"{path.name}, {name}", _mapping(archive.json(name), f"{path.name}, {name}")


def _mapping(sample: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(sample, Mapping):
        raise DataError(f"{where}: {str(sample)[:60]!r} is not a sample.")
    return sample


def _read(path: Path, task: str, asked: Asked) -> Read:
    header = _header(path)
    samples = [(where, sample, _verdicts(sample, header)) for where, sample in _samples(path, header)]
    if not samples:
        raise DataError(f"{path.name} has no samples: it was written with --no-log-samples, or ended before the first.")
    known = dict.fromkeys(name for _, _, verdicts in samples for name in verdicts)
    metric = chosen(known, asked.metric, (), path.name)
    order = sorted(samples, key=lambda one: one[1].get("epoch") or 1)
    records, doubtful = [], 0
    for where, sample, verdicts in order:
        record, trusted = _record(where, sample, verdicts.get(metric), metric, asked.right)
        doubtful += not trusted
        records.append({**record, "task": task})
    frame = frame_of(_logits_of_all(records), path.name)
    notes = _notes(header, metric, known, frame)
    if doubtful:
        notes.append(
            f"In {doubtful} samples the logged tokens are not those of the text that was written; they give no confidence."
        )
    return Read(frame, _printed(header, metric, frame), metric, notes)


def _logits_of_all(records: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """Return records with logits only where all that have a confidence have them: two sorts of confidence do not mix."""
    if all(one.get("logits") is not None for one in records if one.get("confidence") is not None):
        return records
    return [{**one, "logits": None} for one in records]


def _notes(header: Mapping[str, Any], metric: str, known: Mapping[str, None], frame: Any) -> list[str]:
    notes = []
    if header.get("status") not in (None, "success"):
        problem = header.get("error")
        reason = f": {str(problem.get('message'))[:200]}" if isinstance(problem, Mapping) else ""
        notes.append(
            f"The run ended with status {header.get('status')!r}{reason}. The rows are the samples it reached."
        )
    elif header.get("status") is None:
        notes.append("The run did not come to an end. The rows are the samples it reached.")
    version = header.get("version")
    if isinstance(version, int) and version > NEWEST:
        notes.append(
            f"The log has version {version} of Inspect's format and is read as version {NEWEST}, the newest that is known: hold "
            "its numbers against those that Inspect printed."
        )
    silent = int(frame["correct"].isna().sum())
    if silent:
        first = frame.loc[frame["correct"].isna(), "example"].iloc[0]
        notes.append(f"{counted(silent, 'sample has', 'samples have')} no score, the first {first!r}: no outcome.")
    others = [name for name in known if name != metric]
    if others:
        notes.append(f"Read is the scorer {metric}; the log also has {', '.join(others)} (metric=...).")
    return notes


def _verdicts(sample: Mapping[str, Any], header: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the scores of a sample by name; a scorer that gives several values has one name for each."""
    scores = sample.get("scores")
    if not scores and isinstance(sample.get("score"), Mapping):  # versions before several scorers
        old = ((header.get("results") or {}).get("scorer") or {}).get("name", "score")
        scores = {str(old): sample["score"]}
    found: dict[str, Mapping[str, Any]] = {}
    for name, score in (scores or {}).items():
        if not isinstance(score, Mapping):
            continue
        value = score.get("value")
        if isinstance(value, Mapping):
            found |= {f"{name}/{key}": {**score, "value": one} for key, one in value.items()}
        else:
            found[str(name)] = score
    return found


def _value(value: Any, where: str, metric: str) -> float:
    """Return a score's value as Inspect's `value_to_float` reads it, NaN where the sample was not scored.

    >>> _value("C", "", ""), _value("no", "", ""), _value(0.3, "", ""), _value("0.5", "", "")
    (1.0, 0.0, 0.3, 0.5)
    """
    if value is None:
        return math.nan
    if isinstance(value, (bool, int, float)):
        return float(value)
    if isinstance(value, str):
        if value in VALUES:
            return VALUES[value]
        if value.lower() in WORDS:
            return WORDS[value.lower()]
        try:
            return float(value)
        except ValueError:
            pass
    raise DataError(f"{where}: the scorer {metric} gave {str(value)[:60]!r}, which is no number.")


def _record(
    where: str, sample: Mapping[str, Any], score: Mapping[str, Any] | None, metric: str, right: float | None
) -> tuple[dict[str, Any], bool]:
    """Return the row of a sample, and whether what the log says of its tokens can be trusted."""
    if sample.get("id") is None:
        raise DataError(f"{where}: the sample has no id.")
    value = math.nan if score is None else _value(score.get("value"), where, metric)
    epoch = sample.get("epoch") or 1
    choices = sample.get("choices") or None
    attached = sample.get("attachments") or {}
    target = sample.get("target")
    output = sample.get("output") or {}
    answer = str((score or {}).get("answer") or "")
    letters = answered(output, answer, choices, target)
    record = {
        "example": str(sample["id"]),
        "variant": "" if epoch == 1 else f"epoch {epoch}",
        "text": _attached(text_of(sample.get("input")), attached),
        "label": letters.label
        if letters.label is not None
        else ", ".join(target)
        if isinstance(target, list)
        else target,
        "predicted": answer or _attached(text_of(output.get("completion")), attached),
        "choices": list(map(str, choices)) if choices else None,
        "logits": letters.logits,
        "confidence": letters.confidence,
        "value": None if math.isnan(value) else value,
        "correct": hit(value, right, metric, where),
        **carried(sample.get("metadata")),
    }
    if record["logits"] is not None and (
        max(range(len(letters.logits or ())), key=(letters.logits or ()).__getitem__) == record["label"]
    ) != (record["correct"] == 1):
        record["logits"] = None  # the letter that was written is not the likeliest: a sampled answer
    return record, letters.trusted


def _attached(text: str, attachments: Mapping[str, Any]) -> str:
    """Return a text that the log keeps elsewhere in the sample, or the text itself."""
    return str(attachments.get(text.removeprefix("attachment://"), text)) if text.startswith("attachment://") else text


def _printed(header: Mapping[str, Any], metric: str, frame: Any) -> list[Printed]:
    """Return the metrics that the log holds of a scorer, beside the mean of the rows: over epochs, then over samples."""
    results = header.get("results") or {}
    scores = results.get("scores") or ([{**(results.get("scorer") or {}), **results}] if results.get("metrics") else [])
    known = frame[frame["value"].notna()]
    mean = float(known.groupby("example")["value"].mean().mean()) if len(known) else math.nan
    found = []
    for score in scores:
        names = {str(score.get("name")), f"{score.get('scorer')}/{score.get('name')}"}
        if metric not in names:
            continue
        reducer = score.get("reducer")
        for name, one in (score.get("metrics") or {}).items():
            value = one.get("value") if isinstance(one, Mapping) else one
            if not isinstance(value, (int, float)) or name in ("stderr", "std", "var", "bootstrap_stderr"):
                continue
            same = name in MEANS and reducer in (None, "mean")
            title = f"{metric}/{name}" + (f" ({reducer})" if reducer else "")
            found.append(Printed(title, "all", float(value), mean if same else math.nan, len(known)))
    return found
