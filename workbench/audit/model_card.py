"""Reports as sections of a Hugging Face model card, with the `model-index` metadata that the hub reads.

The sections are those of the hub's template: "Bias, Risks, and Limitations", and "Evaluation" with testing data, factors, metrics
and results. Source: https://github.com/huggingface/hub-docs/blob/main/modelcard.md and huggingface_hub's `modelcard_template.md`.
"""

import math
from collections.abc import Sequence
from typing import Any

from workbench._format import format_metric
from workbench._report_html import facts, label, overall
from workbench._report_markdown import escaped, limits, numbers
from workbench.errors import DataError, UsageError
from workbench.reports import Report

__all__ = ["model_card", "model_index"]

TASKS = {
    "language model": "text-generation",
    "masked language model": "fill-mask",
    "classifier": "text-classification",
    "callable": "text-classification",
    "embedder": "feature-extraction",
    "word vectors": "feature-extraction",
}
OTHER = "other"


def model_card(*reports: Report, name: str | None = None, metadata: bool = True) -> str:
    """Return the sections "Bias, Risks, and Limitations" and "Evaluation" of a model card, in Markdown.

    All reports must be of one model; `name` is what the card calls it. Before the text stands the `model-index` as YAML, to be
    merged with the card's own metadata; `metadata=False` leaves it out. All text of data and models is escaped.

    >>> import pandas as pd, workbench as wb
    >>> report = wb.from_predictions(pd.DataFrame({"confidence": [0.9, 0.8], "correct": [1, 0]}), name="trial")
    >>> print(model_card(report, metadata=False).splitlines()[0])
    ## Bias, Risks, and Limitations
    """
    called = _name(reports, name)
    parts = [_front(reports, called)] if metadata else []
    parts += [
        "## Bias, Risks, and Limitations",
        _findings(reports),
        "What these numbers cannot show:",
        _limits(reports),
    ]
    parts += ["## Evaluation", "### Testing Data, Factors & Metrics", "#### Testing Data", _data(reports)]
    parts += ["#### Factors", _factors(reports), "#### Metrics", _metrics(reports), "### Results"]
    for report in reports:
        parts += [f"#### {escaped(report.title)}", escaped(report.question), numbers(report, headline=True)]
        parts.append("\n".join(f"- {escaped(note)}" for note in report.notes))
    parts += ["### Summary", _made(reports)]
    return "\n\n".join(part for part in parts if part) + "\n"


def model_index(*reports: Report, name: str | None = None) -> list[dict[str, Any]]:
    """Return the `model-index` of a model card: per report task, dataset, and the headline metrics that are numbers.

    A metric's name says its interval and n, for which the hub has no field. Metrics without a value are left out.
    """
    results = []
    for report in reports:
        record = report.record
        data = record.data
        metrics = [
            {
                "type": str(metric),
                "value": float(value),
                "name": f"{label(report, metric, group)}: {format_metric(value, low, high, method)}, n = {n:,}",
            }
            for metric, group, value, low, high, n, method in _main(report)
            if math.isfinite(value)
        ]
        if not metrics:
            continue
        about = {"type": _slug(data.get("name", "")), "name": str(data.get("name") or "not named")}
        about |= {"revision": str(data["hash"])} if data.get("hash") else {}
        task = {"type": TASKS.get(str(record.model.get("kind")), OTHER), "name": report.title}
        results.append({"task": task, "dataset": about, "metrics": metrics})
    return [{"name": _name(reports, name), "results": results}]


def _name(reports: Sequence[Report], name: str | None) -> str:
    """Return what the card calls the model; raise where the reports are of several."""
    if not reports:
        raise UsageError("wb.model_card needs reports: wb.model_card(report).")
    for one in reports:
        if not isinstance(one, Report):
            raise UsageError(f"wb.model_card takes reports; found a {type(one).__name__}.")
    known = dict.fromkeys(str(report.record.model.get("name") or "") for report in reports)
    hashes = dict.fromkeys(str(report.record.model.get("weights_hash") or "") for report in reports)
    if len(known) > 1 or len([one for one in hashes if one]) > 1:
        said = ", ".join(map(repr, known)) + (" with other weights" if len(known) == 1 else "")
        raise DataError(f"A card is of one model; these reports are of {said}. Make one card for each.")
    return name or next(iter(known)) or "model"


def _front(reports: Sequence[Report], name: str) -> str:
    import yaml

    index = {"model-index": model_index(*reports, name=name)}
    return f"---\n{yaml.safe_dump(index, sort_keys=False, allow_unicode=True, width=1000)}---"


def _main(report: Report) -> list[tuple[str, str, float, float, float, int, str]]:
    """Return the overall metrics of the headline, all overall ones where there is none."""
    if not len(report.explored):
        return []
    shown = overall(report)
    if set(report.headline) & set(shown["metric"]):
        shown = shown[shown["metric"].isin(report.headline)]
    columns = ["metric", "group", "value", "low", "high", "n", "method"]
    return list(shown[columns].itertuples(index=False, name=None))


def _findings(reports: Sequence[Report]) -> str:
    said = [escaped(finding) for report in reports for finding in report.findings]
    return "\n".join(f"- {line}" for line in said)


def _limits(reports: Sequence[Report]) -> str:
    """Return the limits of all reports, each once."""
    return "\n".join(dict.fromkeys(line for report in reports for line in limits(report).splitlines()))


def _data(reports: Sequence[Report]) -> str:
    lines = []
    for report in reports:
        data = report.record.data
        said = [f"{escaped(data.get('name') or 'not named')}: {int(data.get('n') or report.record.total):,} examples"]
        said += [
            f"{title} {escaped(data[key])}"
            for key, title in (("source", "source"), ("licence", "licence"))
            if data.get(key)
        ]
        said += [f"sha256 of the content `{str(data['hash'])[:16]}`"] if data.get("hash") else []
        said += [f"taken by {escaped(''.join(data['steps']))}"] if data.get("steps") else []
        lines.append("- " + "; ".join(said))
    return "\n".join(dict.fromkeys(lines))


def _factors(reports: Sequence[Report]) -> str:
    names = list(dict.fromkeys(name for report in reports for name in report.by))
    return f"Sliced by {', '.join(map(escaped, names))}." if names else "Not sliced."


def _metrics(reports: Sequence[Report]) -> str:
    names = list(dict.fromkeys(label(report, *line[:2]) for report in reports for line in _main(report)))
    how = "Each with a 95 % interval, or the range in which a perfectly calibrated model would fall, and n."
    return f"{', '.join(map(escaped, names))}. {how}" if names else ""


def _made(reports: Sequence[Report]) -> str:
    lines = []
    for report in reports:
        record, said = report.record, facts(report)
        versions = ", ".join(
            f"{name} {record.versions[name]}"
            for name in ("fm-workbench", "torch", "transformers")
            if name in record.versions
        )
        weights = str(record.model.get("weights_hash") or "")
        parts = [
            f"{escaped(report.title)}: {escaped(said.get('Run', 'time not known'))}, seed {record.seed}, {escaped(versions)}"
        ]
        parts += [f"weights sha256 `{escaped(weights[:16])}`"] if weights else []
        lines.append("- " + "; ".join(parts))
    return "\n".join(lines)


def _slug(name: object) -> str:
    kept = "".join(char if char.isalnum() or char in "-_./" else "-" for char in str(name).lower()).strip("-")
    return kept or "custom"
