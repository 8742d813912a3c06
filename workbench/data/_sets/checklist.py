"""CheckList suites (Ribeiro et al. 2020, arXiv 2005.04118): what a classifier of sentiment or of duplicate questions should do."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from workbench.data._sets._lines import lines_of
from workbench.data._sets._options import chosen
from workbench.data.examples import Examples
from workbench.errors import DataError, UsageError
from workbench.frames import seed_of

__all__ = ["LABELS", "TYPES", "read"]

TYPES = ("MFT", "INV", "DIR")
LABELS = {"sentiment": ("negative", "neutral", "positive"), "qqp": ("different", "duplicate")}
NEEDED = ("test", "capability", "type", "label", "case", "data")
NOT_NEGATIVE = "not negative"
DIRECTIONS = {  # what each directional test expects of a perturbed text, after the authors' notebooks; class where it names one
    "(question, f(question)) where f(question) replaces synonyms?": (
        "is",
        "duplicate",
    ),  # called INV, of one pair a case
    "intensifiers": ("surer", ""),
    "reducers": ("less sure", ""),
    '"used to" should reduce': ("less sure", ""),
    "add positive phrases": ("more positive", ""),
    "add negative phrases": ("more negative", ""),
    "(q, paraphrase(q))": ("is", "duplicate"),
    "Keep entitites, fill in with gibberish": ("is", "different"),
    "Change first name in one of the questions": ("turns", "different"),
    "Change first and last name in one of the questions": ("turns", "different"),
    "Change location in one of the questions": ("turns", "different"),
    "Change numbers in one of the questions": ("turns", "different"),
}
CARD = """CheckList, Ribeiro, Wu, Guestrin and Singh 2020 (arXiv 2005.04118): a suite is a list of tests by capability.
Minimum functionality tests (MFT) are texts with the class that they should get (`expected`); invariance tests (INV) are an
original and texts that change nothing of weight, and the prediction should stay; directional tests (DIR) are an original and
texts that should move the prediction one way, which depends on the test. `case` groups what belongs together, `role` is
original or perturbed. Suites: sentiment (of tweets about airlines: negative, neutral, positive) and qqp (are two questions
duplicates: `text` is both, with a line break between them). Made by templates: a case of one template is like another, and
rates say little about other texts."""


def read(
    folder: Path,
    *,
    suite: str = "sentiment",
    types: str | Iterable[str] = TYPES,
    per_test: int | None = None,
    seed: int = 0,
) -> Examples:
    """Return the texts of a suite ("sentiment" or "qqp"), of some types of test ("MFT", "INV", "DIR"), case after case.

    Columns: text, cluster (the case), suite, test, capability, type, case, role ("original", "perturbed"; the texts of a MFT are
    all originals), expectation and expected (what the probe `checklist` judges by: "is" a class, or "not negative", "same",
    "surer", ...; empty where it is not known: Testing implications), classes (of the suite), description; first and second (qqp).
    `per_test` keeps at most so many whole cases of each test, drawn by a hash of their names and the seed. Reads JSON lines of
    test, capability, type, description, label, case, data; cases without data are left out and counted in `notes`. The authors'
    release is pickles, which are never opened.
    """
    import pandas as pd

    (name,) = chosen("suite of CheckList", suite, LABELS)
    wanted = chosen("type of test", types, TYPES)
    if per_test is not None and (not isinstance(per_test, int) or isinstance(per_test, bool) or per_test < 1):
        raise UsageError(f"per_test must be a whole number from 1; it is {per_test!r}.")
    file = f"{name}_suite_sample.jsonl"
    records: list[dict[str, Any]] = []
    empty: dict[str, int] = {}
    for number, line in enumerate(lines_of(folder, file, f"{name}_suite.jsonl")):
        case = json.loads(line)
        lacks = [field for field in NEEDED if field not in case]
        if lacks or case["type"] not in TYPES:
            raise DataError(f"Line {number + 1} of {file} lacks {', '.join(lacks) or 'a type of MFT, INV or DIR'}.")
        if case["type"] not in wanted:
            continue
        if case["data"] is None:
            empty[case["test"]] = empty.get(case["test"], 0) + 1
            continue
        records += _texts(name, case)
    absent = f"{sum(empty.values())} cases of {len(empty)} tests are left out: their texts are not in the file."
    notes = [absent] if empty else []
    frame = pd.DataFrame(records)
    if per_test is not None:
        cases = frame.drop_duplicates("case")
        rank = cases["case"].map(lambda case: seed_of(seed, "per_test", case)).groupby(cases["test"]).rank()
        frame = frame[frame["case"].isin(cases.loc[rank <= per_test, "case"])].reset_index(drop=True)
        notes.append(f"At most {per_test} cases of each test: {frame['case'].nunique()} of {len(cases)}.")
    return Examples(
        frame,
        name=f"checklist-{name}",
        source="Ribeiro et al. 2020, marcotcr/checklist, release suites",
        licence="MIT",
        card=CARD,
        slices=("type", "capability"),
        notes=tuple(notes),
    )


def _texts(suite: str, case: dict[str, Any]) -> list[dict[str, Any]]:
    """Return one record for each text of a case."""
    found = _units(suite, case["data"])
    minimum = case["type"] == "MFT"
    where = f"{suite}/{case['test']}/{case['case']}"
    if minimum:
        expectation, expected = "is", _expected(suite, case)
    else:
        default = ("same", "") if case["type"] == "INV" else ("", "")
        expectation, expected = DIRECTIONS.get(case["test"], default)
    shared = {
        "cluster": where,
        "suite": suite,
        "test": case["test"],
        "capability": case["capability"],
        "type": case["type"],
        "case": where,
        "expectation": expectation,
        "expected": expected,
        "classes": ", ".join(LABELS[suite]),
        "description": case.get("description") or "",
    }
    return [
        {
            "example": f"{where}/{i}",
            "text": unit if isinstance(unit, str) else "\n".join(unit),
            **shared,
            "role": "original" if minimum or i == 0 else "perturbed",
            **({} if isinstance(unit, str) else {"first": unit[0], "second": unit[1]}),
        }
        for i, unit in enumerate(found)
    ]


def _units(suite: str, data: Any) -> list[Any]:
    """Return what a model is asked of a case: texts, or pairs of them."""
    if suite == "sentiment":
        return [data] if isinstance(data, str) else list(data)
    return [tuple(data)] if isinstance(data[0], str) else [tuple(pair) for pair in data]


def _expected(suite: str, case: dict[str, Any]) -> str:
    """Return the class that a case should get; the one kind of test without a label wants anything but negative."""
    if case["label"] is None:
        return NOT_NEGATIVE
    return LABELS[suite][int(case["label"])]
