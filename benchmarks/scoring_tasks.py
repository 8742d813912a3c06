r"""What is scored: questions and pairs of published sets, in the forms that evaluation harnesses give them.

Text form: after "Question: ...\nAnswer:" each whole answer. Letter form: the answers stand in the prompt, and their letters are
scored. Shots are questions of another split with their right answers, each followed by a blank line. Pairs: a whole sentence each.
"""

import csv
import gzip
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

LETTERS = "ABCDEFGH"


class Asked(NamedTuple):
    """A question, its choices and the place of the right one."""

    question: str
    choices: tuple[str, ...]
    answer: int


@dataclass(frozen=True)
class Task:
    """Requests, in order; question i has the next `sizes[i]` of them, of which number `answers[i]` is right."""

    title: str
    requests: tuple[tuple[str, str], ...]
    sizes: tuple[int, ...]
    answers: tuple[int, ...]

    def chosen(self, logp: Sequence[float]) -> list[int]:
        """Return the likeliest choice of each question."""
        ends = list(itertools.accumulate(self.sizes))
        spans = [logp[end - size : end] for end, size in zip(ends, self.sizes, strict=True)]
        return [max(range(len(span)), key=span.__getitem__) for span in spans]

    def accuracy(self, logp: Sequence[float]) -> float:
        """Return the share of questions whose right choice is the likeliest; of pairs, whose first sentence is."""
        chosen = self.chosen(logp)
        return sum(one == right for one, right in zip(chosen, self.answers, strict=True)) / len(chosen)

    def close(self, logp: Sequence[float], margin: float) -> list[bool]:
        """Return whether the two likeliest choices of each question are within `margin` nats."""
        ends = list(itertools.accumulate(self.sizes))
        spans = [sorted(logp[end - size : end]) for end, size in zip(ends, self.sizes, strict=True)]
        return [span[-1] - span[-2] < margin for span in spans]


def lines(path: Path) -> Iterator[dict[str, object]]:
    """Return the records of a JSON-lines file, plain or compressed."""
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as stream:
        yield from map(json.loads, stream)


def arc(folder: Path, split: str = "test") -> list[Asked]:
    """Return ARC-Challenge."""
    return [plain(line) for line in lines(folder / "arc" / f"ARC-Challenge_{split}.jsonl.gz")]


def commonsense_qa(folder: Path) -> list[Asked]:
    """Return CommonsenseQA's validation split."""
    return [plain(line) for line in lines(folder / "commonsense_qa" / "commonsense_qa_val.jsonl.gz")]


def openbookqa(folder: Path) -> list[Asked]:
    """Return OpenBookQA's test split, its lettered block of options taken apart."""
    found = []
    for line in lines(folder / "openbookqa" / "openbookqa_test.jsonl"):
        options = str(line["options"]).split("\n")
        found.append(
            Asked(
                str(line["question"]).strip(),
                tuple(option[3:] for option in options),
                LETTERS.index(str(line["answer"])[0]),
            )
        )
    return found


def plain(line: dict[str, object]) -> Asked:
    """Return a record whose choices are a list and whose answer is a letter."""
    choices = line["choices"]
    assert isinstance(choices, list)
    return Asked(str(line["question"]), tuple(map(str, choices)), LETTERS.index(str(line["answer"])))


def text_form(asked: Asked) -> tuple[str, list[str]]:
    """Return the prompt of a question and what is scored after it: the answers."""
    return f"Question: {asked.question}\nAnswer:", [f" {choice}" for choice in asked.choices]


def letter_form(asked: Asked) -> tuple[str, list[str]]:
    """Return the prompt of a question with its answers, and what is scored after it: their letters."""
    block = "".join(f"\n{letter}. {choice}" for letter, choice in zip(LETTERS, asked.choices, strict=False))
    return f"Question: {asked.question}{block}\nAnswer:", [f" {letter}" for letter in LETTERS[: len(asked.choices)]]


def questions(title: str, asked: Sequence[Asked], shots: Sequence[Asked] = (), *, letters: bool = False) -> Task:
    """Return the task of some questions after some shots."""
    form = letter_form if letters else text_form
    before = "".join(f"{prompt}{choices[shot.answer]}\n\n" for shot in shots for prompt, choices in [form(shot)])
    forms = [form(one) for one in asked]
    requests = tuple((before + prompt, choice) for prompt, choices in forms for choice in choices)
    return Task(title, requests, tuple(len(one.choices) for one in asked), tuple(one.answer for one in asked))


def crows_pairs(folder: Path, most: int | None = None) -> Task:
    """Return the sentences of CrowS-Pairs' first pairs: the more stereotyping one of each first."""
    with gzip.open(folder / "crows_pairs" / "crows_pairs_anonymized.csv.gz", "rt") as stream:
        pairs = list(itertools.islice(csv.DictReader(stream), most))
    requests = tuple(("", pair[name]) for pair in pairs for name in ("sent_more", "sent_less"))
    return Task("CrowS-Pairs", requests, (2,) * len(pairs), (0,) * len(pairs))


TASKS = (  # in the order of their cost, the cheap ones first
    "crows-pairs",
    "openbookqa",
    "commonsense-qa",
    "arc-letters",
    "arc-text",
    "arc-letters-5",
    "arc-text-5",
)


def task(name: str, folder: Path, most: int | None = None) -> Task:
    """Return a task by its name, of its first `most` questions or pairs."""
    if name == "crows-pairs":
        return crows_pairs(folder, most)
    if name == "openbookqa":
        return questions("OpenBookQA, answer text", openbookqa(folder)[:most])
    if name == "commonsense-qa":
        return questions("CommonsenseQA, answer text", commonsense_qa(folder)[:most])
    kind, letters, *count = name.split("-")
    assert kind == "arc", name
    shots = int(count[0]) if count else 0
    title = f"ARC-Challenge {shots}-shot, {'letters' if letters == 'letters' else 'answer text'}"
    return questions(title, arc(folder)[:most], arc(folder, "val")[:shots], letters=letters == "letters")


def pool(folder: Path, most: int) -> Task:
    """Return the first requests of ARC, CommonsenseQA and OpenBookQA, taken in turn and cut after whole questions."""
    sets = [arc(folder), commonsense_qa(folder), openbookqa(folder)]
    mixed = [one for some in itertools.zip_longest(*sets) for one in some if one is not None]
    ends = list(itertools.accumulate(len(one.choices) for one in mixed))
    return questions(f"{most:,} requests", mixed[: sum(end <= most for end in ends)])
