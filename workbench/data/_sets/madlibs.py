"""The madlibs set: short sentences made of templates, identity terms and adjectives, toxic or not by their adjective or verb.

Dixon et al. 2018 (AIES); the authors' file is `bias_madlibs_77k.csv` of conversationai/unintended-ml-bias-analysis, CC BY 4.0.
"""

import csv
import gzip
import re
from pathlib import Path

from workbench.data._sets._files import file_of
from workbench.data.examples import Examples
from workbench.errors import DataError

__all__ = ["read"]

FILE = "bias_madlibs_77k.csv"
SOURCE = "conversationai/unintended-ml-bias-analysis@9c7d91aaa534, Dixon et al. 2018"
SHAPES = {  # what a template's sentences look like: the identity term, and what makes them toxic or not
    "name_adj": r"\S+ is a (?P<word>\S+) (?P<term>.+)",
    "you_are_adj": r"You are a (?P<word>\S+) (?P<term>.+)",
    "being_adj": r"Being (?P<term>.+) is (?P<word>\S+)\.",
    "verb_adj": r"(?P<word>\S+) (?P<term>.+)",
    "am_hate_adj": r"(?P<word>i am|i hate) (?P<term>.+)",
    "you_occupation": r"You are a (?P<word>\S+) (?P<occupation>.+)",  # holds no identity term
}
CARD = """Sentences such as "Anna is a kind lesbian" (NOT_BAD): six templates, 50 identity terms, each with the same
words around it.

`identity` is the term, `template` the authors' template. A cluster is the adjective or verb: the label follows from
it alone, and the sentences that it stands in, with each of the terms and names, are near copies: 76,564 rows are 42
independent ones. Many rows are poor English ("Anna is a kind deaf"), which is part of the set."""


def read(folder: Path) -> Examples:
    """Return the sentences, kind "class" with the labels BAD and NOT_BAD, and the columns identity and template.

    `identity` is None where a sentence holds no identity term (the template you_occupation).
    """
    import pandas as pd

    path = file_of(folder, FILE)
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    parts = [_parts(row, number) for number, row in enumerate(rows, start=2)]
    frame = pd.DataFrame(
        {
            "example": [f"madlibs-{i:05d}" for i in range(len(rows))],
            "text": [row["Text"] for row in rows],
            "label": [row["Label"] for row in rows],
            "cluster": [part["word"].lower() for part in parts],
            "identity": [part.get("term") for part in parts],
            "template": [row["Template"] for row in rows],
        }
    )
    return Examples(
        frame, name="madlibs", source=SOURCE, licence="CC BY 4.0", card=CARD, slices=("identity", "template")
    )


def _parts(row: dict[str, str], number: int) -> dict[str, str]:
    """Return the words that a template was filled with."""
    template, text = row.get("Template", ""), row.get("Text", "")
    match = re.fullmatch(SHAPES[template], text) if template in SHAPES else None
    if match is None or row.get("Label") not in ("BAD", "NOT_BAD"):
        raise DataError(
            f"Line {number} of {FILE} is {text!r} with the template {template!r} and the label {row.get('Label')!r}, which is not "
            "of the set as published. Give the authors' file."
        )
    return match.groupdict()
