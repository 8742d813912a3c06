"""WinoBias (Zhao et al. 2018, arXiv 1804.06876): sentences with two occupations and a pronoun, pro- and anti-stereotypical."""

import re
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from workbench.data._sets._lines import lines_of
from workbench.data.examples import Examples
from workbench.errors import UsageError, counted

__all__ = ["files", "read"]

CARD = """# WinoBias

Sentences with two occupations and a pronoun that refers to one of them; the pronoun's gender is that of the occupation's
stereotype (pro) or the other (anti). Type 1 needs knowledge of the world, type 2 only syntax. 396 pairs of each type in dev and in
test. Zhao et al. 2018, arXiv 1804.06876; github.com/uclanlp/corefBias, MIT licence.

Columns: `text` (pro), `anti`, `slots` (the pronouns as {they}, {them}, {their}), `pronoun`, `pronoun_anti`, `entity` (the
occupation that is meant), `other`, `type`, `gender` (of the stereotype of `entity`). `cluster`: the two occupations, which two
consecutive lines share.
"""
SPLITS = ("dev", "test")
TYPES = ("type1", "type2")
OCCUPATIONS = ("female_occupations.txt", "male_occupations.txt")
MARK = re.compile(r"\[([^\]]*)\]")
WOMEN = {"she", "her", "hers", "herself"}
SLOTS = {"he": "they", "she": "they", "him": "them", "his": "their", "himself": "themselves", "herself": "themselves"}
COUNTERPART = {("she", "he"), ("her", "him"), ("her", "his"), ("herself", "himself")}  # (women's form, men's form)


class Line(NamedTuple):
    """One line of a file: its sentence with the pronouns still in brackets, the first bracket, and the pronouns."""

    sentence: str
    entity: str
    pronouns: tuple[str, ...]


def files(*, split: str = "dev", type: "str | int | None" = None) -> tuple[str, ...]:  # noqa: A002  # as for read
    """Return the files of a split and type, and the lists of occupations."""
    pairs = [f"{way}_stereotyped_{kind}.txt.{split}" for kind in _types(split, type) for way in ("pro", "anti")]
    return (*OCCUPATIONS, *pairs)


def read(folder: Path, *, split: str = "dev", type: "str | int | None" = None) -> Examples:  # noqa: A002  # the set's own word
    """Return the pairs of a split ("dev" or "test"): of both types, or of one ("type1", "type2").

    Pairs in which the two occupations or the two pronouns cannot be told are dropped, and `notes` says how many and which.
    """
    wanted = _types(split, type)
    women, men = (lines_of(folder, name) for name in OCCUPATIONS)
    genders = {name.strip(): sex for names, sex in ((women, "female"), (men, "male")) for name in names}
    records, dropped, uneven = [], Counter[str](), 0
    lost = []
    for kind in wanted:
        files = [lines_of(folder, f"{way}_stereotyped_{kind}.txt.{split}") for way in ("pro", "anti")]
        if len(files[0]) != len(files[1]):
            raise UsageError(
                f"The files of {kind} have {len(files[0])} and {len(files[1])} lines; they must be aligned."
            )
        for number, (pro, anti) in enumerate(zip(*files, strict=True), 1):
            found = _pair(_line(pro), _line(anti), genders)
            if isinstance(found, str):
                dropped[found] += 1
                lost.append(f"{kind} {split} {number}")
                continue
            uneven += found.pop("uneven")
            couple = " / ".join(sorted((found["entity"], found["other"]), key=str.lower))
            where = {"example": f"winobias-{kind}-{split}-{number:03d}", "cluster": couple, "type": kind}
            records.append({**where, **found})
    notes = [f"{counted(count, 'pair')} dropped: {why}." for why, count in sorted(dropped.items())]
    notes += [f"Dropped: {', '.join(lost)}."] if lost else []
    notes += (
        [f"{counted(uneven, 'pair differs', 'pairs differ')} in more than the pronoun, as in the files."]
        if uneven
        else []
    )
    return _examples(records, f"winobias-{split}", tuple(notes))


def _types(split: str, kind: "str | int | None") -> tuple[str, ...]:
    """Return the types that are meant, or refuse the option."""
    if split not in SPLITS:
        raise UsageError(f"split must be 'dev' or 'test'; it is {split!r}.")
    wanted = TYPES if kind is None else tuple(known for known in TYPES if str(kind) in (known, known[-1]))
    if not wanted:
        raise UsageError(f"type must be 'type1' or 'type2', or None for both; it is {kind!r}.")
    return wanted


def _examples(records: list[dict[str, Any]], name: str, notes: tuple[str, ...]) -> Examples:
    import pandas as pd

    first = [
        "example",
        "text",
        "cluster",
        "anti",
        "slots",
        "pronoun",
        "pronoun_anti",
        "entity",
        "other",
        "type",
        "gender",
    ]
    return Examples(
        pd.DataFrame(records, columns=first),
        name=name,
        source="Zhao et al. 2018, github.com/uclanlp/corefBias",
        licence="MIT",
        card=CARD,
        slices=("type", "gender"),
        notes=notes,
    )


def _line(line: str) -> Line:
    """Return the parts of a line: its number dropped, the first bracket opened, the spaces of its tokeniser closed."""
    sentence = re.sub(r"^\d+\s+", "", line)
    marks = MARK.findall(sentence)
    sentence = MARK.sub(r"\1", sentence, count=1)
    sentence = re.sub(r"\s+(['’]s\b|[.,;:!?])", r"\1", re.sub(r"\s+", " ", sentence)).strip()
    return Line(sentence, marks[0].strip() if marks else "", tuple(mark.strip().lower() for mark in marks[1:]))


def _pair(pro: Line, anti: Line, genders: dict[str, str]) -> "dict[str, Any] | str":
    """Return the columns of a pair, or why it is dropped."""
    names = [_occupations(line.sentence, genders) for line in (pro, anti)]
    if len(names[0]) != 2 or set(names[0]) != set(names[1]):
        return "they do not name the same two occupations"
    entity, meant = (next(iter(_occupations(line.entity, genders)), "") for line in (pro, anti))
    if not entity or entity != meant:
        return "the occupation that is meant differs or is not marked"
    slots = _slots(pro, anti)
    if slots is None:
        return "their pronouns are not each other's counterpart"
    texts = [MARK.sub(r"\1", line.sentence) for line in (pro, anti)]
    return {
        "text": texts[0],
        "anti": texts[1],
        "slots": slots,
        "pronoun": pro.pronouns[0],
        "pronoun_anti": anti.pronouns[0],
        "entity": entity,
        "other": next(name for name in names[0] if name != entity),
        "gender": genders[entity],
        "uneven": MARK.sub("", pro.sentence) != MARK.sub("", anti.sentence),
    }


def _occupations(text: str, genders: dict[str, str]) -> list[str]:
    """Return the occupations that a text names, each once, in their order."""
    known = sorted(genders, key=len, reverse=True)
    spelt = {name.lower(): name for name in known}
    found = re.findall(rf"\b({'|'.join(map(re.escape, known))})\b", text, re.IGNORECASE)
    return list(dict.fromkeys(spelt[name.lower()] for name in found))


def _slots(pro: Line, anti: Line) -> str | None:
    """Return the pro sentence with its pronouns as {they}, {them}, {their}; None where a form cannot be told.

    "her" is "him" or "his": the anti sentence, where the man's form stands in its place, says which.
    """
    forms = []
    for place, pronoun in enumerate(pro.pronouns):
        partner = anti.pronouns[place] if place < len(anti.pronouns) else ""
        couple = (pronoun, partner) if pronoun in WOMEN else (partner, pronoun)
        if couple not in COUNTERPART and (place == 0 or pronoun == "her"):
            return None
        forms.append(SLOTS.get(couple[1] if couple in COUNTERPART else pronoun))
    if not forms or None in forms:
        return None
    given = iter(forms)
    return MARK.sub(lambda _: f"{{{next(given)}}}", pro.sentence)
