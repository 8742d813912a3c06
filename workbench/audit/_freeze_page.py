"""The README of a frozen audit: what was found, what is in the folder, how to check it and run it again."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workbench._report_markdown import escaped, limits, numbers, table

if TYPE_CHECKING:
    from workbench.reports import Report

__all__ = ["page"]

HOW = {
    "run": "can be run again",
    "rows": "its numbers can be computed again from its rows",
    "nothing": "cannot be made again here",
}
KEPT = {"pack": "by name: a pack of Workbench", "benchmark": "by name: a published set", "value": "here, by value"}


def page(
    about: Mapping[str, Any], reports: Sequence["Report"], surroundings: Mapping[str, Any], files: Sequence[str]
) -> str:
    """Return the README of an audit; all text of data and models is escaped."""
    version = surroundings["packages"].get("fm-workbench", "?")
    parts = [f"# Audit: {escaped(about['name'])}"]
    parts.append(f"Frozen {about['created']} with Workbench {version}, Python {surroundings['python']}.")
    parts += [escaped(line) for line in str(about["notes"]).splitlines() if line.strip()]
    parts.append("## Check it, run it again")
    parts.append(_COMMANDS)
    for told, report in zip(about["reports"], reports, strict=True):
        parts.append(f"## {escaped(told['title'])}")
        facts = [
            f"Folder `reports/{told['key']}`: {told['rows']:,} rows, {told['metrics']:,} metrics; {HOW[told['replay']]}."
        ]
        facts += [escaped(told["why"])] if told["why"] else []
        facts += [escaped(note) for note in report.notes]
        facts += [escaped(finding) for finding in told["findings"]]
        parts.append("\n".join(f"- {fact}" for fact in facts))
        parts += [numbers(report, headline=True), "What this cannot show:", limits(report)]
    if about["data"]:
        parts.append("## Examples")
        lines = [
            (
                one["name"],
                f"{one['n']:,}",
                one["licence"] or "not stated",
                KEPT.get(one["kept"], one["problem"]),
                one["hash"][:16],
            )
            for one in about["data"].values()
        ]
        parts.append(table(("name", "n", "licence", "kept", "sha256 of the content"), lines))
        parts.append(
            "The rows hold texts of the examples. Before this folder is given away, see whether their licence allows it, and "
            "whether they are anybody's secret."
        )
    parts += ["## What is in this folder", "\n".join(f"- `{name}`" for name in _grouped(files)), _KINDS]
    return "\n\n".join(parts) + "\n"


_COMMANDS = """```bash
sha256sum -c SHA256SUMS                    # every file is as it was
pip install -r requirements.txt            # the environment, as far as it is on an index
python -m workbench replay .               # runs it again, and says which numbers and findings come back
python -m workbench replay . --from-rows   # the same from the stored rows, without the model
```"""
_KINDS = (
    "In the folder of a report: `report.html` to read, `report.json` the run record, `rows.parquet`, `metrics.parquet` (and "
    "`metrics.csv`) and `tables/`, as `wb.open(folder)` reads them; `marks.csv` has a hash of each row, and `weights.json` of each "
    "tensor of the model, so that what changed can be named. The log of what was looked at is `tables/selections.parquet`. "
    "`data/` has each set of examples: what is said of it, a hash of each example and, where they are kept by value, the examples."
)


def _grouped(files: Sequence[str]) -> list[str]:
    """Return files and folders of the first two levels."""
    return sorted(
        {"/".join(name.split("/")[:2]) + ("/" if name.count("/") > 1 else "") for name in files} | {"SHA256SUMS"}
    )
