"""Write the chapters as students get them: no solutions, no hidden tests, no instructor's notes.

    python notebooks/course/student.py my-course

The stubs are nbgrader's own, so that what is handed in can be graded with it.
"""

import argparse
import json
import re
import shutil
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SOLUTION = re.compile(r"^( *)### BEGIN SOLUTION\n.*?^ *### END SOLUTION\n?", re.DOTALL | re.MULTILINE)
HIDDEN = re.compile(r"^ *### BEGIN HIDDEN TESTS\n.*?^ *### END HIDDEN TESTS\n?", re.DOTALL | re.MULTILINE)
STUB = ("# YOUR CODE HERE", "raise NotImplementedError()")
WRITE = "YOUR ANSWER HERE"


def stripped(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return a notebook without solutions and hidden tests."""
    cells = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        lines = (WRITE,) if cell["cell_type"] == "markdown" else STUB
        source = SOLUTION.sub(lambda found, lines=lines: "".join(f"{found[1]}{line}\n" for line in lines), source)
        source = HIDDEN.sub("", source).rstrip("\n")
        cells.append({**cell, "source": source.splitlines(keepends=True)})
    return {**notebook, "cells": cells}


def write(folder: Path) -> list[Path]:
    """Write the chapters and the models to a folder, and return the paths; a chapter that is there already is left alone."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for path in sorted(HERE.glob("0*.ipynb")):
        target = folder / path.name
        if target.exists():
            print(f"{target} is there already, perhaps with answers in it: left as it is.")
            continue
        target.write_text(json.dumps(stripped(json.loads(path.read_text())), indent=1, ensure_ascii=False) + "\n")
        made.append(target)
    shutil.copyfile(HERE / "planted.py", folder / "planted.py")
    return made


def main() -> None:
    """Write the folder that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    made = write(parser.parse_args().folder)
    print(f"{len(made)} chapters written. Open one with: jupyter lab {parser.parse_args().folder}")


if __name__ == "__main__":
    main()
