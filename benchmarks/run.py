"""Run every benchmark and write its tables into benchmarks/README.md, with the machine and the versions."""

import argparse
import os
import platform
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import calibration
import groups
import imports

from workbench._record import versions

HERE = Path(__file__).parent
HEADER = """# Benchmarks

Made by `make bench`. CPU time, one thread, ours and the peer's interleaved in one run, the numbers checked for equality first.
A ratio is peer time over ours. Compare ratios, not milliseconds: the machine is shared.

"""


def table(rows: list[dict[str, str]]) -> str:
    """Return rows as a Markdown table."""
    columns = list(rows[0])
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(row[column] for column in columns) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run and write."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    parts = {
        "Imports (fresh interpreters)": imports.rows(),
        "Calibration statistics": calibration.rows(),
        "Group metrics": groups.rows(),
    }
    machine = f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}; " + ", ".join(
        f"{name} {version}" for name, version in versions().items()
    )
    text = (
        HEADER + "\n".join(f"## {title}\n\n{table(rows)}" for title, rows in parts.items()) + f"\nMachine: {machine}\n"
    )
    (HERE / "README.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
