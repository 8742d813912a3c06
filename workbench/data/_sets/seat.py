"""SEAT (May et al. 2019): the tests of WEAT and their sentence forms, each two sets of targets and two of attributes."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from workbench.data._sets._files import Missing, bytes_of
from workbench.data._sources import files_of
from workbench.data.examples import Examples
from workbench.errors import DataError, unknown

__all__ = ["files", "read"]

SETS = ("targ1", "targ2", "attr1", "attr2")
ENDINGS = (".jsonl", ".jsonl.gz", ".json", ".json.gz")
FRAMES = tuple(  # the authors' sentences around a word
    re.compile(frame)
    for frame in (
        r"(?:There|Here) (?P<word>he|she) is\.",
        r"The person's name is (?P<word>.+)\.",
        r"(?:This|That|There|Here|It|These|Those|They) (?:is|are|will|did|can|may) (?:an? |the )?(?P<word>.+)\.",
        r"(?:The |An? )?(?P<word>.+?) (?:is|are) (?:here|there|an? thing|things|an? person|people)\.",
    )
)
PLURALS = (
    ("men", "man"),
    ("ren", ""),
    ("ies", "y"),
    ("ves", "f"),
    ("ves", "fe"),
    ("es", ""),
    ("s", ""),
)  # ending, and of the singular
CARD = """SEAT, May, Wang, Bordia, Bowman and Rudinger 2019 (arXiv 1903.10561), with the word tests of WEAT (Caliskan, Bryson and
Narayanan 2017, arXiv 1608.07187) that it extends. Files named sent-... put each word into short sentences that say little else;
`word` is the word of a sentence, and what is drawn independently: the sentences of one word are near copies. The lists are
American and of their time; many names carry age and class beside gender and race. Non-commercial licence: for tests and research
only, never to be shipped. A test that finds nothing does not show that there is nothing."""


def files(*, tests: str | Iterable[str] | None = None) -> tuple[str, ...]:
    """Return the files of these tests, of all that can be downloaded where it is None."""
    known = {file.name.removesuffix(".jsonl"): file.name for file in files_of("seat")}
    wanted = [tests] if isinstance(tests, str) else list(known if tests is None else tests)
    for name in wanted:
        if name not in known:
            raise unknown("test of SEAT", name, known)
    return tuple(known[name] for name in wanted)


def read(folder: Path, *, tests: str | Iterable[str] | None = None) -> Examples:
    """Return the texts of the tests: text, test, set (targ1, targ2, attr1, attr2), category, word.

    `tests` names files without their ending ("weat6", "sent-weat6"); all that are in the folder where it is None. `word` is the
    cluster: that of a sentence, the text itself in tests of words and of whole descriptions.
    """
    import pandas as pd

    found = {path.name.split(".json")[0]: path for path in sorted(folder.iterdir()) if path.name.endswith(ENDINGS)}
    if not found:
        raise Missing(f"{folder} has no .jsonl files of SEAT. Give the authors' folder tests/ (sent-bias).")
    wanted = [tests] if isinstance(tests, str) else list(found if tests is None else tests)
    for name in wanted:
        if name not in found:
            raise unknown("test of SEAT", name, found)
    lines = [line for name in wanted for line in _lines(name, found[name])]
    if not lines:
        raise DataError("No test of SEAT was named. Give tests=['weat6', ...], or leave it out for all.")
    return Examples(
        pd.DataFrame(lines),
        name="seat",
        source="W4ngatang/sent-bias, tests/",
        licence="CC BY-NC 4.0",
        card=CARD,
        slices=("test",),
    )


def _lines(test: str, path: Path) -> list[dict[str, Any]]:
    """Return one record for each text of a test."""
    text = bytes_of(path).decode("utf-8")
    try:
        sets = json.loads(text)
        parts = [(name, str(sets[name]["category"]), list(sets[name]["examples"])) for name in SETS]
    except (ValueError, KeyError, TypeError) as problem:
        raise DataError(
            f"{path.name} is not a test of SEAT ({type(problem).__name__}: {problem}). It has targ1, targ2, attr1 and attr2, each "
            "with category and examples."
        ) from None
    return [
        {
            "example": f"{test}/{name}/{i}",
            "text": each,
            "cluster": word,
            "test": test,
            "set": name,
            "category": category,
            "word": word,
        }
        for name, category, texts in parts
        for i, (each, word) in enumerate(zip(texts, _words(test, texts), strict=True))
    ]


def _words(test: str, texts: list[str]) -> list[str]:
    """Return the word of each text, of sentences in lower case and in the singular where that occurs too."""
    if not test.startswith("sent-"):
        return texts
    found = []
    for text in texts:
        match = next((match for frame in FRAMES if (match := frame.fullmatch(text))), None)
        found.append((match["word"] if match else text).lower())
    known = set(found)
    return [next((one for one in _singulars(word) if one in known), word) for word in found]


def _singulars(word: str) -> list[str]:
    """Return what the word could be the plural of: "women of color" of "woman of color"."""
    head, of, rest = word.partition(" of ")
    ends = ((head, of + rest), (word, ""))
    return [
        part.removesuffix(ending) + single + more
        for part, more in ends
        for ending, single in PLURALS
        if part.endswith(ending)
    ]
