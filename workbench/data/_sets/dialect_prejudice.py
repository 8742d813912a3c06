"""Pairs of texts in African American and Standardised American English (Hofmann et al. 2024), and lists of attributes."""

from pathlib import Path

from workbench.data._sets._lines import lines_of
from workbench.data.examples import Examples
from workbench.errors import DataError, unknown

__all__ = ["files", "read"]

CARD = """# dialect-prejudice

Pairs of texts of one meaning that differ in habitual "be" ("she be loving", "she's usually loving"), and lists of words that could
be said of the speaker: trait adjectives of the Princeton Trilogy (Katz and Braly 1933 and its successors) and occupations. Hofmann,
Kalluri, Jurafsky and King 2024, Nature 633:147, arXiv 2403.00742; github.com/valentinhofmann/dialect-prejudice, MIT licence.

Columns: `text` (AAE), `sae`, `choices` (the attributes), `attributes` (the list's name), `subject` (he, she, they). `cluster`: the
text without its subject, since "he be loving" and "she be loving" are near copies. The files have no ratings of how favourable
an attribute is.
"""
LISTS = ("katz", "occupations")
SUBJECTS = ("he", "she", "they")


def files(*, attributes: str = "katz") -> tuple[str, ...]:
    """Return the files of the text pairs and of a list of attributes."""
    if attributes not in LISTS:
        raise unknown("list of attributes", attributes, LISTS)
    return ("pairs/habitual.txt", f"attributes/{attributes}.txt")


def read(folder: Path, *, attributes: str = "katz") -> Examples:
    """Return the text pairs, each with the attributes of a list: "katz" (trait adjectives) or "occupations"."""
    import pandas as pd

    theirs = files(attributes=attributes)
    pairs = lines_of(folder, "habitual_be_pairs.txt", "habitual.txt", theirs[0])
    names = lines_of(folder, f"attributes_{attributes}.txt", f"{attributes}.txt", theirs[1])
    words = list(dict.fromkeys(name.strip() for name in names))
    lines = []
    for number, pair in enumerate(pairs, 1):
        first, tab, second = pair.partition("\t")
        if not tab or not first.strip() or not second.strip():
            raise DataError(f"Line {number} of the pairs is {pair!r}; two texts with a tab between them are wanted.")
        subject, _, rest = first.strip().partition(" ")
        alone = subject.lower() not in SUBJECTS
        lines.append(
            {
                "example": f"dialect-habitual-{number:03d}",
                "text": first.strip(),
                "choices": words,
                "cluster": first.strip() if alone else rest,
                "sae": second.strip(),
                "attributes": attributes,
                "subject": "" if alone else subject.lower(),
            }
        )
    return Examples(
        pd.DataFrame(lines),
        name=f"dialect-prejudice-{attributes}",
        source="Hofmann et al. 2024, github.com/valentinhofmann/dialect-prejudice",
        licence="MIT",
        card=CARD,
        slices=("subject",),
    )
