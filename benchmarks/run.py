"""Run every benchmark, or some, and write its tables into benchmarks/README.md, with the machine and the versions."""

import argparse
import os
import platform
import re
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import brush
import calibration
import corruptions
import groups
import imports
import notebook_cost
import ood
import partial
import scoring
import scoring_curves
import shift

from workbench._record import versions

HERE = Path(__file__).parent
HEADER = """# Benchmarks

Made by `make bench`; the tables of scoring, which take hours, by `benchmarks/run.py scoring` and `benchmarks/run.py curves`,
those of brushing, which need Chromium, by `benchmarks/run.py brush`, those of the notebooks by `benchmarks/run.py notebooks`.
CPU time, one thread, ours and the peer's interleaved in one run, the numbers checked for equality first.
A ratio is peer time over ours. Compare ratios, not milliseconds: the machine is shared.

"""


def table(rows: list[dict[str, str]]) -> str:
    """Return rows as a Markdown table."""
    columns = list(rows[0])
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(row[column] for column in columns) + " |" for row in rows]
    return "\n".join(lines) + "\n"


PARTS: dict[str, Callable[..., list[dict[str, str]]]] = {
    "Scoring": lambda *, kept=False: scoring.speed_rows(scoring.Settings(kept=kept)),
    "Scoring: memory, numbers and counts of the same runs": lambda *, kept=False: scoring.check_rows(
        scoring.Settings(kept=kept)
    ),
    "Curves of scoring, SmolLM2-135M-Instruct": scoring_curves.rows,
    "Brushing linked views": brush.rows,
    "Watching a run": partial.rows,
    "Notebooks: time and memory": notebook_cost.rows,
    "Imports (fresh interpreters)": imports.rows,
    "Calibration statistics": calibration.rows,
    "Group metrics": groups.rows,
    "Corruptions of text (2,000 utterances)": corruptions.rows,
    "Out-of-distribution scores": ood.rows,
    "Shift": shift.rows,
}
KEPT = ("scoring", "curves", "brush")  # what was run before is kept, case by case
LONG = (*KEPT, "notebooks")  # run only when named
NOTES = {
    "Scoring": scoring.NOTE,
    "Brushing linked views": brush.NOTE,
    "Watching a run": partial.NOTE,
    "Notebooks: time and memory": notebook_cost.NOTE,
    "Curves of scoring, SmolLM2-135M-Instruct": scoring_curves.NOTE,
}


def merged(before: str, after: str) -> str:
    """Return a table with the lines of an older one that it lacks, told by their first cell; those of n rows by size."""

    def lines(text: str) -> dict[str, str]:
        return {line.split("|")[1].strip(): line + "\n" for line in text.splitlines() if line.startswith("|")}

    def size(cell: str) -> int:
        found = re.match(r"[\d,]+ rows", cell)
        return int(found[0].split()[0].replace(",", "")) if found else 0

    both = lines(before) | lines(after)
    return "".join(both[cell] for cell in sorted(both, key=size))


def sections(text: str) -> dict[str, str]:
    """Return the sections of a written README by their title."""
    found = re.findall(r"^## (.*?)\n\n(.*?)(?=^## |^Machine|\Z)", text, re.MULTILINE | re.DOTALL)
    return {title: body.rstrip() + "\n" for title, body in found}


def main() -> None:
    """Run all parts but the long ones, or those whose title starts with one of the words given, and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", nargs="*", help="beginnings of titles; the other sections stay as they are")
    parser.add_argument(
        "--kept", action="store_true", help="write the long tables from what results/ holds; run nothing"
    )
    given = parser.parse_args()
    wanted = tuple(part.lower() for part in given.part)
    page = HERE / "README.md"
    before = sections(page.read_text()) if page.exists() else {}
    after = {}
    for title, rows in PARTS.items():
        long, keeps = title.lower().startswith(LONG), title.lower().startswith(KEPT)
        if title.lower().startswith(wanted) if wanted else not long:
            made = table(rows(kept=given.kept) if keeps else rows())
            after[title] = NOTES.get(title, "") + (
                merged(before.get(title, ""), made) if given.kept and keeps else made
            )
    parts = {title: after.get(title, before.get(title, "")) for title in PARTS}
    machine = f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}; " + ", ".join(
        f"{name} {version}" for name, version in versions().items()
    )
    text = (
        HEADER + "\n".join(f"## {title}\n\n{body}" for title, body in parts.items() if body) + f"\nMachine: {machine}\n"
    )
    page.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
