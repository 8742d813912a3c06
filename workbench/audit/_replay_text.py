"""A replay as text: what changed, what was reproduced and within what, which findings survived."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workbench.audit._differ import REDRAWN, REPRODUCED, SAME, SIDE, distance
from workbench.errors import counted

if TYPE_CHECKING:
    from workbench.audit.replay import Replay

__all__ = ["text"]

MOST = 15  # lines of one kind that are shown; the rest is counted


def text(replay: "Replay") -> str:
    """Return the replay in plain text, without control characters."""
    about, files = replay.about, replay.files
    lines = [f"Audit {about['name']!r}, frozen {about['created']}: {counted(len(about['reports']), 'report')}"]
    n = len(files.whole) + len(files.changed) + len(files.missing)
    lines.append(f"  files     {len(files.whole)} of {n} as their checksums say")
    shown = [
        f"  {kind:<9} {name}{f' ({report})' if report else ''}: {_became(frozen, now)}"
        for report, kind, name, frozen, now in replay.changes.itertuples(index=False, name=None)
    ]
    lines += _most(shown, "changes")
    for key, told in zip((one["key"] for one in about["reports"]), replay.told, strict=False):
        lines.append(told)
        lines += _report(replay, key)
    if replay.damaged and not replay.told:
        lines.append("Nothing was run: mend the folder, or run what is there with --anyway (anyway=True).")
    lines.append(replay.verdict)
    return "\n".join("".join(char if char.isprintable() else " " for char in line).rstrip() for line in lines)


def _became(frozen: str, now: str) -> str:
    if not frozen:
        return now
    return f"{frozen} -> {now}" if frozen not in ("there", "not there", "as its checksum", "readable") else now


def _report(replay: "Replay", key: str) -> list[str]:
    """Return what came of one report."""
    metrics = replay.metrics[replay.metrics["report"] == key]
    if not len(metrics) and not (replay.findings["report"] == key).any():
        return []
    good = metrics[metrics["verdict"] == REPRODUCED]
    within = f"{metrics['tolerance'].iloc[0]:g}" if len(metrics) else "-"
    largest = good["difference"].max() if len(good) else 0.0
    lines = [
        f"  metrics   {len(good):,} of {len(metrics):,} reproduced within {within} (largest difference {largest:.1g})"
    ]
    redrawn = metrics[metrics["verdict"] == REDRAWN]
    if len(redrawn):
        lines.append(
            f"            of {len(redrawn):,} more the value is, too, and a bound that is drawn at random moved by at most "
            f"{redrawn['difference'].max():.1g}"
        )
    wrong = metrics[~metrics["verdict"].isin(SAME)]
    lines += _most(
        [
            f"            {line['metric']}, {line['group']}: {line['value']:.6g} -> {line['value_now']:.6g}{_bound(line)} "
            f"(by {line['difference']:.2g}; n {_whole(line['n'])} -> {_whole(line['n_now'])}): {line['verdict']}"
            for line in wrong.to_dict("records")
        ],
        "metrics",
    )
    rows = replay.rows[replay.rows["report"] == key]
    lines.append("  rows      all reproduced" if not len(rows) else "  rows      not all reproduced")
    lines += _most(
        [
            f"            {line['table']}, {line['column']}: {line['rows']:,} differ, most {line['where']!r}: {line['frozen']} -> "
            f"{line['now']}"
            for line in rows.to_dict("records")
        ],
        "columns",
    )
    findings = replay.findings[replay.findings["report"] == key]
    lines += _most(
        [
            f"  {verdict if verdict != 'survived' else 'survived '} {finding}{f'; now {now}' if now else ''}"
            for _, finding, verdict, now in findings.itertuples(index=False, name=None)
        ],
        "findings",
    )
    return lines


def _bound(line: Mapping[Any, Any]) -> str:
    """Return the bound of a metric that moved further than its value did, "" where neither has."""
    gaps = {name: distance(line[name], line[f"{name}_now"]) for name in SIDE}
    name = max(SIDE, key=gaps.__getitem__)  # the first of the largest
    return "" if name == "value" else f", its {name} {line[name]:.6g} -> {line[f'{name}_now']:.6g}"


def _whole(n: float) -> str:
    return "none" if n != n else f"{int(n):,}"


def _most(lines: list[str], what: str) -> list[str]:
    more = len(lines) - MOST
    return [*lines[:MOST], f"            and {more:,} more {what}"] if more > 0 else lines
