"""ARC (Clark et al. 2018, arXiv 1803.05457): questions of science for schools, easy and challenging."""

from collections.abc import Iterable
from pathlib import Path

from workbench.data._sets._files import file_of
from workbench.data._sets._options import chosen
from workbench.data.examples import Examples

__all__ = ["read"]

LEVELS = {"easy": "Easy", "challenge": "Challenge"}
SPLITS = {"test": "Test", "val": "Dev"}
CARD = """ARC, the AI2 Reasoning Challenge (Clark et al. 2018, arXiv 1803.05457): questions of American school tests in
science, with their choices. `level` "challenge" has those that a retrieval and a co-occurrence method of 2018 both got wrong,
"easy" the others: a shift of difficulty within one domain."""


def read(
    folder: Path, *, level: str | Iterable[str] = ("easy", "challenge"), split: str | Iterable[str] = "test"
) -> Examples:
    """Return the questions of one or both levels and splits ("test", "val"): text, choices, label, level, split.

    Files: ARC-Easy_test.jsonl (question, choices, answer: a letter), or the authors' ARC-Easy-Test.jsonl, and their like.
    """
    import pandas as pd

    parts = []
    for one in chosen("split", split, SPLITS):
        for kind in chosen("level", level, LEVELS):
            path = file_of(folder, f"ARC-{LEVELS[kind]}_{one}.jsonl", f"ARC-{LEVELS[kind]}-{SPLITS[one]}.jsonl")
            table = Examples.of(path).frame[["text", "choices", "label"]]
            ids = [f"arc-{kind}-{one}-{number:04d}" for number in range(len(table))]
            parts.append(table.assign(example=ids, level=kind, split=one))
    frame = pd.concat(parts, ignore_index=True)
    return Examples(
        frame[["example", "text", "choices", "label", "level", "split"]],
        name="arc",
        source="Clark et al. 2018, allenai.org/data/arc",
        licence="CC BY-SA 4.0",
        card=CARD,
        slices=tuple(name for name in ("level", "split") if frame[name].nunique() > 1),
    )
