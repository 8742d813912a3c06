"""Logs of other tools as predictions: lm-evaluation-harness, Inspect, HELM and garak.

`read_predictions` finds out what a file or folder is, and gives a frame with one row per answer; `wb.from_predictions` makes a
report of it, so that what was run elsewhere can be sliced, compared and brushed like a run of ours. The readers stand in `_logs`.
"""

import fnmatch
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.data._logs._files import head_of
from workbench.data._logs._lm_eval_choices import softmax
from workbench.data._logs._part import Asked, Part, Printed, Read
from workbench.errors import DataError, UsageError, counted, unknown

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Predictions", "read_predictions"]

FORMATS = {"lm-eval": "lm_eval", "inspect": "inspect_logs", "helm": "helm", "garak": "garak"}
TITLES = {"lm-eval": "lm-evaluation-harness", "inspect": "Inspect", "helm": "HELM", "garak": "garak"}
ENDINGS = (".jsonl", ".json", ".eval")
MOST_FILES = 20_000
SHOWN = 12
CLOSE = 1e-9  # a tool's number and the mean of its rows are the same up to rounding
EMPTY = ("choices", "logits", "confidence", "label", "predicted")  # columns that a log may not fill at all


@dataclass(frozen=True, eq=False, repr=False)
class Predictions:
    """Answers that another tool logged: a frame with one row per answer, and what the tool printed of them.

    `frame` has the columns example, variant, cluster, task, text, label, predicted, choices, logits, confidence (in [0, 1]),
    correct (0 or 1, NaN where the tool gave no verdict) and value (the tool's own number), of these as many as the log fills, and
    what the log says of each example. `printed` has metric, group, printed, rows (the mean of the rows) and n.
    """

    frame: "pd.DataFrame"
    name: str
    model: str
    task: str
    tool: str
    source: str
    metric: str
    printed: "pd.DataFrame"
    slices: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    command: str = ""  # the call that reads them again

    def __len__(self) -> int:
        return len(self.frame)

    def about(self) -> dict[str, Any]:
        """Return what a run record keeps of the data."""
        facts = {"name": self.task, "n": len(self), "source": self.source, "tool": self.tool, "metric": self.metric}
        return {**facts, "notes": list(self.notes)}

    def said(self) -> tuple[str, ...]:
        """Return what the tool printed, a sentence each, and what the rows give."""
        lines = [f"{TITLES[self.tool]} {_said(line)}." for line in self.printed.head(SHOWN).to_dict("records")]
        more = len(self.printed) - SHOWN
        return (*lines, f"{more} more numbers stand in the table `printed`.") if more > 0 else tuple(lines)

    def __repr__(self) -> str:
        title = f"Predictions of {self.model} on {self.task}: {counted(len(self), 'row')}, read by {self.metric}"
        return "\n  ".join([title, f"columns: {', '.join(self.frame.columns)}", *self.said(), *self.notes])


def read_predictions(
    path: str | os.PathLike[str],
    *,
    format: str | None = None,  # noqa: A002 — the word that everyone looks for
    task: str | Sequence[str] | None = None,
    model: str | None = None,
    metric: str | None = None,
    right: float | None = None,
) -> Predictions:
    """Return the predictions in a log of lm-evaluation-harness, Inspect, HELM or garak, for `wb.from_predictions`.

    Args:
        path: a file (`samples_*.jsonl`, `.eval`, Inspect's JSON, `per_instance_stats.json`, `*.report.jsonl`), or a folder that
            holds some.
        format: "lm-eval", "inspect", "helm" or "garak"; recognised by content where it is not given.
        task: which task (of garak: probe), where there are several; a list, or a pattern such as "mmlu_*", takes them together.
        model: which model, where there are several.
        metric: the tool's metric that says what is right ("acc_norm", "exact_match,strict", a scorer, a detector); the log's first
            where none is named.
        right: from which value on an answer is right, for a metric that is more than 0 and 1; of garak, below which it passed.

    Raises `DataError` that names file and line of what cannot be read, `UsageError` that names the choices.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise UsageError(f"read_predictions takes the path of a log; found a {type(path).__name__}.")
    place = Path(path)
    if format is not None and format not in FORMATS:
        raise unknown("format of a log", format, FORMATS)
    if not place.exists():
        near = sorted(one.name for one in place.parent.glob("*"))[:8] if place.parent.is_dir() else []
        raise DataError(
            f"There is no {os.fspath(path)!r}." + (f" {place.parent} has {', '.join(near)}." if near else "")
        )
    found = _parts(place, format)
    wanted = _of_task(_of_model(_named(found, task), model), task)
    read = [(part, part.read(Asked(metric, right))) for part in wanted]
    given = {"format": format, "task": task, "model": model, "metric": metric, "right": right}
    told = "".join(f", {name}={value!r}" for name, value in given.items() if value is not None)
    return replace(_together(read, os.fspath(path)), command=f"wb.read_predictions({os.fspath(path)!r}{told})")


# -- which parts there are ---------------------------------------------------------------------------------------------


def _reader(name: str) -> Any:
    return import_module(f"workbench.data._logs.{FORMATS[name]}")


def _recognised(path: Path, format: str | None) -> str | None:  # noqa: A002 — as in read_predictions
    """Return the format of a file, None where it is no log that is known (or of another format than was asked for)."""
    start, fields = head_of(path)
    for name in (format,) if format else ("garak", "lm-eval", "inspect", "helm"):
        if _reader(name).recognises(start, fields):
            return name
    return None


def _files(place: Path) -> list[Path]:
    """Return the files of a folder, of all below it, that can be logs."""
    found: list[Path] = []
    for folder, below, names in os.walk(place):
        below.sort()
        found += [Path(folder) / name for name in sorted(names) if name.lower().endswith(ENDINGS)]
        if len(found) > MOST_FILES:
            raise DataError(f"{place} holds more than {MOST_FILES:,} files. Name the folder of one run.")
    return [one for one in found if one.is_file()]


def _parts(place: Path, format: str | None) -> list[Part]:  # noqa: A002 — as in read_predictions
    """Return every task of every log at a place; a run of HELM counts once, whichever of its files is met."""
    if place.is_file():
        name = _recognised(place, None) if format is None else format
        beside = _beside(place) if name is None else None
        if beside is not None:
            return _parts(beside, format)
        if name is None and not place.stat().st_size:
            raise DataError(f"{place.name} is empty. Copy the log again.")
        if name is None:
            raise DataError(f"{place.name} is no log that is known. {_known()}")
        found: list[Part] = _reader(name).parts(place)
        return found
    parts: dict[tuple[str, str, Path], Part] = {}
    for path in _files(place):
        name = _recognised(path, format)
        for part in _reader(name).parts(path) if name else []:
            parts.setdefault((part.model, part.task, part.path), part)
    if not parts:
        what = TITLES[format] if format else "a tool that is known"
        raise DataError(f"{place} holds no log of {what}. {_known()}")
    return list(parts.values())


def _beside(path: Path) -> Path | None:
    """Return the folder of a file that stands beside logs and is none itself: results of lm-eval, other files of a HELM run."""
    named = path.name in ("run_spec.json", "scenario_state.json", "stats.json", "instances.json")
    return path.parent if named or (path.name.startswith("results") and path.suffix == ".json") else None


def _known() -> str:
    known = "; ".join(f"{TITLES[name]} ({_reader(name).NAMES})" for name in FORMATS)
    return f"Known are {known}. lm-evaluation-harness writes samples with --log_samples."


def _listed(names: Sequence[str]) -> str:
    some = ", ".join(map(repr, names[:SHOWN]))
    return f"{some} and {len(names) - SHOWN} more" if len(names) > SHOWN else some


def _named(parts: list[Part], task: str | Sequence[str] | None) -> list[Part]:
    """Return the parts whose task was asked for, by name or by pattern; all where none was."""
    tasks = list(dict.fromkeys(part.task for part in parts))
    patterns = [task] if isinstance(task, str) else list(task or ["*"])
    for pattern in patterns:
        if not any(name == pattern or fnmatch.fnmatchcase(name, pattern) for name in tasks):
            raise unknown("task of these logs", pattern, tasks)
    return [part for part in parts if any(part.task == p or fnmatch.fnmatchcase(part.task, p) for p in patterns)]


def _of_model(parts: list[Part], model: str | None) -> list[Part]:
    models = list(dict.fromkeys(part.model for part in parts))
    if model is None and len(models) > 1:
        raise UsageError(f"There are logs of {len(models)} models: {_listed(models)}. Choose with model=.")
    if model is not None and model not in models:
        raise unknown("model of these logs", model, models)
    return [part for part in parts if model is None or part.model == model]


def _of_task(parts: list[Part], task: str | Sequence[str] | None) -> list[Part]:
    """Return the parts, or raise where one of several tasks is to be chosen, or a task was run more than once."""
    tasks = list(dict.fromkeys(part.task for part in parts))
    if task is None and len(tasks) > 1:
        raise UsageError(
            f"There are {len(tasks)} tasks: {_listed(tasks)}. Choose with task=, several in a list or by a pattern such as '*'."
        )
    for name in tasks:
        same = [os.fspath(part.path) for part in parts if part.task == name]
        if len(same) > 1:
            raise UsageError(f"{parts[0].model} was run {len(same)} times on {name!r}. Give one of {_listed(same)}.")
    return parts


# -- one frame of all --------------------------------------------------------------------------------------------------


def _together(read: list[tuple[Part, Read]], source: str) -> Predictions:
    """Return the parts as one; of several each id begins with its task, and the task is a slice."""
    import pandas as pd

    several = len(read) > 1
    frames, printed, notes = [], [], []
    for part, one in read:
        frame = one.frame
        if several:
            ids = [f"{part.task}/{example}" for example in frame["example"]]
            groups = [f"{part.task}/{cluster}" for cluster in frame["cluster"]]
            frame = frame.assign(example=ids, cluster=groups)
        frames.append(frame)
        printed += [(part.task, line) for line in one.printed]
        notes += [f"{part.task}: {note}" if several else note for note in one.notes]
    frame = pd.concat(frames, ignore_index=True)
    if several and len({bool(one["logits"].notna().any()) for one in frames}) > 1:
        frame["confidence"] = [
            p if q is None else float(softmax(q).max())
            for p, q in zip(frame["confidence"], frame["logits"], strict=True)
        ]
        notes.append("Some tasks have logits and some have none: of the former the confidence is kept.")
        frame["logits"] = None
    empty = [name for name in EMPTY if frame[name].isna().all()]
    frame = frame.drop(columns=empty)
    metrics = dict.fromkeys(one.metric for _, one in read)
    part = read[0][0]
    task = part.task if not several else f"{len(read)} tasks"
    slices = dict.fromkeys(["task"] if several else [])
    slices |= dict.fromkeys(name for _, one in read for name in one.slices if not several or name in frame)
    lines = pd.DataFrame(
        [line._replace(group=_group(one, line.group) if several else line.group) for one, line in printed],
        columns=list(Printed._fields),
    )
    notes = [*notes, *_differences(lines, part.tool)]
    return Predictions(
        frame,
        name=f"{part.model}, {task}",
        model=part.model,
        task=task,
        tool=part.tool,
        source=source,
        metric=", ".join(metrics),
        printed=lines,
        slices=tuple(slices),
        notes=tuple(dict.fromkeys(notes)),
    )


def _group(task: str, group: str) -> str:
    return f"task={task}" if group == "all" else f"task={task} & {group}"


def _said(line: dict[Any, Any]) -> str:
    rows = "" if line["rows"] != line["rows"] else f"; the {line['n']:,} rows give {line['rows']:.4f}"
    group = "" if line["group"] == "all" else f" ({line['group']})"
    return f"printed {line['metric']}{group} {line['printed']:.4f}{rows}"


def _differences(printed: "pd.DataFrame", tool: str) -> list[str]:
    """Return a note where the rows do not give what the tool printed."""
    apart = printed[(printed["printed"] - printed["rows"]).abs() > CLOSE]
    return [f"The rows do not give what {TITLES[tool]} printed: it {_said(line)}." for line in apart.to_dict("records")]
