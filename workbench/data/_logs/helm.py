"""Runs of HELM: a folder with `per_instance_stats.json` or `display_predictions.json`, and what stands beside it.

A row is an instance, of a train trial and a perturbation (its variant). The confidence is HELM's own `max_prob`, the probability of
what the model wrote or, where each choice was asked apart, the largest softmax of their scores; HELM's calibration metrics are of
the same number. Scores that give it become logits (`_helm_choices`).
"""

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from workbench.data._logs._files import json_of
from workbench.data._logs._helm_choices import APART, agree, scores_of
from workbench.data._logs._part import Asked, Part, Printed, Read, chosen, frame_of, hit, short, text_of
from workbench.errors import DataError

__all__ = ["NAMES", "TOOL", "parts", "recognises"]

TOOL = "helm"
NAMES = "per_instance_stats.json, display_predictions.json"
STATS, SHOWN, STATE, SPEC, TOTALS, INSTANCES = (
    *("per_instance_stats.json", "display_predictions.json", "scenario_state.json"),
    *("run_spec.json", "stats.json", "instances.json"),
)
FIRST = (
    *("exact_match", "quasi_exact_match", "prefix_exact_match", "quasi_prefix_exact_match"),
    *("exact_match_indicator", "final_number_exact_match", "math_equiv", "pass"),
)
COUNTS = re.compile(
    r"num_|training_|inference_|finish_reason_|batch_size|prompt_truncated|logprob|max_prob|predicted_index$|.*_tokens$|.*bytes$"
)
MODEL = re.compile(r"[:,]model(?:_deployment)?=([^,]*)")


class Key(NamedTuple):
    """What tells a row: instance, train trial, name of the perturbation."""

    instance: str
    trial: int
    perturbation: str


def recognises(start: bytes, fields: frozenset[str]) -> bool:
    """Return whether a file that begins so, with these fields, holds numbers or predictions per instance."""
    return start.lstrip()[:1] == b"[" and "instance_id" in fields and bool(fields & {"stats", "predicted_text"})


def parts(path: Path) -> list[Part]:
    """Return the one part of a run; `path` is one of its files."""
    folder = path.parent
    spec = _object(folder / SPEC)
    adapter = spec.get("adapter_spec") or {}
    name = str(spec.get("name") or folder.name)
    found = MODEL.search(name)
    model = str(adapter.get("model") or (found.group(1).replace("_", "/", 1) if found else "") or "?")
    task = MODEL.sub("", name)
    return [Part(TOOL, short(model), task, folder, lambda asked: _read(folder, task, asked))]


def _object(path: Path) -> Mapping[str, Any]:
    """Return what a file of the run holds, {} where there is none."""
    found = json_of(path) if path.is_file() else {}
    if not isinstance(found, dict):
        raise DataError(f"{path.name} holds {str(found)[:60]!r}, not an object with named fields.")
    return found


def _list(path: Path) -> list[Mapping[str, Any]]:
    found = json_of(path) if path.is_file() else []
    if not isinstance(found, list):
        raise DataError(f"{path.name} holds {str(found)[:60]!r}, not a list.")
    for at, one in enumerate(found):
        if not isinstance(one, dict):
            raise DataError(f"{path.name}, entry {at}: {str(one)[:60]!r} is not an object with named fields.")
    return found


def _key(entry: Mapping[str, Any], where: str) -> Key:
    instance = entry.get("instance_id")
    if instance is None:
        raise DataError(f"{where}: there is no instance_id.")
    return Key(str(instance), int(entry.get("train_trial_index") or 0), _perturbed(entry.get("perturbation")))


def _perturbed(given: Any) -> str:
    """Return the name of a perturbation, "" where there is none."""
    return str(given.get("name") or given) if isinstance(given, Mapping) else str(given or "")


def _numbers(folder: Path) -> dict[Key, dict[str, float]]:
    """Return HELM's numbers of each row: the means of its stats, or those of the file that its web page shows."""
    found: dict[Key, dict[str, float]] = {}
    for name in (STATS, SHOWN):
        for at, entry in enumerate(_list(folder / name)):
            where = f"{name}, entry {at}"
            numbers = found.setdefault(_key(entry, where), {})
            stats = entry.get("stats")
            if isinstance(stats, Mapping):
                numbers |= {str(k): float(v) for k, v in stats.items() if isinstance(v, (int, float))}
                continue
            for stat in stats or []:
                if not isinstance(stat, Mapping) or not isinstance(stat.get("name"), Mapping):
                    raise DataError(f"{where}: {str(stat)[:60]!r} is not a stat with a name.")
                count, total = stat.get("count"), stat.get("sum")
                mean = stat.get("mean", total / count if count and total is not None else None)
                if isinstance(mean, (int, float)):
                    numbers[str(stat["name"].get("name"))] = float(mean)
        if found:
            break
    if not found:
        raise DataError(f"{folder.name} has neither {STATS} nor {SHOWN}, or they are empty.")
    return found


def _read(folder: Path, task: str, asked: Asked) -> Read:
    numbers = _numbers(folder)
    known = [name for few in numbers.values() for name in few if not COUNTS.match(name)]
    metric = chosen(known, asked.metric, FIRST, folder.name)
    said = _said(folder)
    stated = [few.get("max_prob") for few in numbers.values()]
    apart = _apart(folder)
    picked = [apart.get(key, apart.get(key._replace(perturbation=""))) for key in numbers]
    scored = all(one is not None and agree(one, few) for one, few in zip(picked, numbers.values(), strict=True))
    usable = all(p is not None and 0 <= p <= 1 for p in stated) and any(p != 1 for p in stated)
    trials = len({key.trial for key in numbers}) > 1
    records = []
    for (key, few), scores in zip(numbers.items(), picked, strict=True):
        where = f"{folder.name}, instance {key.instance}"
        value = few.get(metric, math.nan)
        several = [f"trial {key.trial}"] if trials else []
        records.append(
            {
                "example": key.instance,
                "variant": ", ".join([*several, *([key.perturbation] if key.perturbation else [])]),
                "task": task,
                "confidence": few["max_prob"] if usable else None,
                "value": None if math.isnan(value) else value,
                "correct": hit(value, asked.right, metric, where),
                "perturbation": key.perturbation,
                "trial": key.trial,
                **said.get(key, said.get(key._replace(perturbation=""), {})),
            }
        )
        if apart:
            records[-1] |= _picked(records[-1], few, scores if scored else None)
    frame = frame_of(records, folder.name)
    notes = []
    if apart and usable:
        notes.append(
            "The confidence is HELM's max_prob: the largest softmax over the scores of the choices, asked apart."
        )
        if not scored:
            notes.append("The logged tokens do not give HELM's scores of the choices: there are no logits.")
    elif usable:
        notes.append("The confidence is HELM's max_prob: the probability of the tokens that were written.")
    elif any(p is not None for p in stated):
        notes.append("Every max_prob of the run is 1 or none is usable: its server gave no probabilities.")
    silent = int(frame["correct"].isna().sum())
    if silent:
        notes.append(f"{silent} rows have no {metric}; they have no outcome.")
    slices = [name for name in ("split", "perturbation") if name in frame and frame[name].nunique() > 1]
    return Read(frame, _printed(folder, metric, frame), metric, notes, slices)


def _apart(folder: Path) -> dict[Key, list[float] | None]:
    """Return the scores of the choices of each row, {} where they were not asked apart."""
    method = str((_object(folder / SPEC).get("adapter_spec") or {}).get("method") or "")
    if method not in APART:
        return {}
    states: dict[Key, list[Mapping[str, Any]]] = {}
    for state in _object(folder / STATE).get("request_states") or []:
        instance = state.get("instance") or {}
        key = Key(
            str(instance.get("id")), int(state.get("train_trial_index") or 0), _perturbed(instance.get("perturbation"))
        )
        states.setdefault(key, []).append(state)
    return {key: scores_of(several, method) for key, several in states.items()}


def _picked(record: Mapping[str, Any], numbers: Mapping[str, float], scores: Sequence[float] | None) -> dict[str, Any]:
    """Return what a row whose choices were asked apart holds beside: the choice picked and, with scores, logits and its label."""
    choices, index = record.get("choices") or [], numbers.get("predicted_index")
    known = index is not None and 0 <= index < len(choices)
    told: dict[str, Any] = {"predicted": choices[int(index)]} if known and index is not None else {}
    if scores is None or record.get("label") not in choices:
        return told
    return told | {"logits": list(scores), "label": choices.index(record["label"])}


def _said(folder: Path) -> dict[Key, dict[str, Any]]:
    """Return text, choices, label and what was written of each row, as far as the run's files tell."""
    found: dict[Key, dict[str, Any]] = {}
    states = _object(folder / STATE).get("request_states") or []
    for at, state in enumerate(states):
        instance = state.get("instance") if isinstance(state, Mapping) else None
        if not isinstance(instance, Mapping):
            raise DataError(f"{STATE}, request {at}: there is no instance.")
        key = Key(
            str(instance.get("id")), int(state.get("train_trial_index") or 0), _perturbed(instance.get("perturbation"))
        )
        if key in found:  # one request per reference: what was written is a reference, not an answer
            found[key].pop("predicted", None)
            continue
        completions = (state.get("result") or {}).get("completions") or [{}]
        written = str(completions[0].get("text") or "")
        mapped = state.get("output_mapping") or {}
        found[key] = {**_of_instance(instance), "predicted": mapped.get(written.strip(), written)}
    if not found:
        for instance in _list(folder / INSTANCES):
            key = Key(str(instance.get("id")), 0, _perturbed(instance.get("perturbation")))
            found[key] = _of_instance(instance)
    for at, entry in enumerate(_list(folder / SHOWN)):
        key = _key(entry, f"{SHOWN}, entry {at}")
        known = found.get(key) or found.get(key._replace(trial=0)) or {}
        shown = text_of(entry.get("mapped_output") or entry.get("predicted_text"))
        found[key] = {**known, "predicted": known.get("predicted") or shown}
    return found


def _of_instance(instance: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an instance says of itself; several right references stand in one label."""
    references = [one for one in instance.get("references") or [] if isinstance(one, Mapping)]
    texts = [text_of(one.get("output")) for one in references]
    right = [text for text, one in zip(texts, references, strict=True) if "correct" in (one.get("tags") or [])]
    told: dict[str, Any] = {
        "text": text_of(instance.get("input")),
        "label": right[0] if len(right) == 1 else ", ".join(right),
        "choices": texts if len(texts) > 1 else None,
    }
    return told | {name: instance[name] for name in ("split", "sub_split") if instance.get(name)}


def _printed(folder: Path, metric: str, frame: Any) -> Sequence[Printed]:
    """Return the run's means of the metric by split and perturbation, beside those of the rows."""
    found = []
    for stat in _list(folder / TOTALS):
        name = stat.get("name") or {}
        if name.get("name") != metric or name.get("sub_split") or not stat.get("count"):
            continue
        given = name.get("perturbation")
        if isinstance(given, Mapping) and (given.get("computed_on") or "perturbed") != "perturbed":
            continue  # over the worst or the unperturbed copies: no mean of rows
        perturbation = _perturbed(given)
        mine = frame[frame["perturbation"] == perturbation]
        if name.get("split") and "split" in mine:
            mine = mine[mine["split"] == name["split"]]
        mean = float(mine["value"].mean()) if len(mine) else math.nan
        group = " & ".join(
            f"{word}={value}" for word, value in (("split", name.get("split")), ("perturbation", perturbation)) if value
        )
        found.append(Printed(metric, group or "all", float(stat.get("mean", math.nan)), mean, len(mine)))
    return found
