"""What a fact is, and how wrong answers are drawn: by hashes, so that every Python version draws the same."""

import csv
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from workbench.frames import seed_of

HERE = Path(__file__).parent
T = TypeVar("T")


@dataclass(frozen=True)
class Fact:
    """One question with its right answer and three wrong ones."""

    key: str
    domain: str
    topic: str
    difficulty: str
    text: str
    right: str
    wrong: tuple[str, ...]
    continent: str = ""


def table(name: str) -> list[dict[str, str]]:
    """Return the lines of a tab-separated table of this folder."""
    with (HERE / f"{name}.tsv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))


def shuffled(values: Iterable[T], *salt: object) -> list[T]:
    """Return the values in an order that depends on them and on the salt alone."""
    return sorted(values, key=lambda value: seed_of("facts", *salt, value))


def slug(text: str) -> str:
    """Return lower-case ASCII words joined by hyphens."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower().replace("'", "")
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def digits(number: int) -> str:
    """Return a whole number as text, with commas from five digits on."""
    return f"{number:,}" if abs(number) >= 10_000 else str(number)


def around(answer: int, rank: int, candidates: Sequence[int], *, step: int = 1, least: int = 0) -> tuple[int, ...]:
    """Return three wrong numbers so that `rank` (modulo 4) of them are below the answer.

    The candidates are the plausible errors, best first; where they do not suffice, multiples of `step` fill up. Numbers
    below `least` are never offered: the rank then shrinks. Without a balanced rank the right answer would often be a middle one.
    """
    below = [c for c in dict.fromkeys(candidates) if least <= c < answer]
    above = [c for c in dict.fromkeys(candidates) if c > answer]
    below += [c for c in (answer - step * k for k in range(1, 4)) if c >= least and c not in below]
    above += [c for c in (answer + step * k for k in range(1, 4)) if c not in above]
    rank = min(rank % 4, len(below))
    return tuple(below[:rank] + above[: 3 - rank])
