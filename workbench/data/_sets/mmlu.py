"""MMLU (Hendrycks et al. 2021, arXiv 2009.03300): four-choice questions of 57 subjects."""

from collections.abc import Iterable
from pathlib import Path

from workbench.data._sets._files import file_of
from workbench.data._sets._options import chosen
from workbench.data.examples import Examples

__all__ = ["read"]

SPLITS = ("test", "dev")
CARD = """MMLU, Hendrycks et al. 2021 (arXiv 2009.03300): questions with four choices in 57 subjects, from elementary
mathematics to law, gathered from tests and study guides; 14,042 for testing and five a subject for prompts. Errors are known:
Gema et al. 2024 (arXiv 2406.04127) found 6.5 % of the questions they read again faulty, in virology more than half. A few
questions repeat a choice."""


def read(folder: Path, *, subjects: str | Iterable[str] | None = None, split: str = "test") -> Examples:
    """Return the questions of some subjects, of all by default, in the split "test" or "dev": text, choices, label, subject.

    Files: mmlu_test.jsonl and mmlu_dev.jsonl (subject, question, choices, answer: a letter).
    """
    (one,) = chosen("split", split, SPLITS)
    read_as = Examples.of(file_of(folder, f"mmlu_{one}.jsonl"))
    frame = read_as.frame[["text", "choices", "label", "subject"]]
    frame.insert(0, "example", [f"mmlu-{one}-{number:05d}" for number in range(len(frame))])
    if subjects is not None:
        wanted = chosen("subject of MMLU", subjects, sorted(set(frame["subject"])))
        frame = frame[frame["subject"].isin(wanted)]
    return Examples(
        frame,
        name="mmlu",
        source="Hendrycks et al. 2021, hendrycks/test",
        licence="MIT",
        card=CARD,
        slices=("subject",),
        notes=read_as.notes,
    )
