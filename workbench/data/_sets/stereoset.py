"""StereoSet (Nadeem et al. 2021): a stereotype, an anti-stereotype and an unrelated sentence for each context."""

import json
from pathlib import Path
from typing import Any

from workbench.data._read import read as read_table
from workbench.data._sets._files import file_of
from workbench.data.examples import Examples
from workbench.errors import DataError, UsageError
from workbench.frames import require, seed_of

__all__ = ["read"]

LINES, AUTHORS = "stereoset_dev.jsonl", "dev.json"
COLUMNS = ("type", "target", "bias_type", "context", "stereotype", "anti-stereotype", "unrelated")
SETTINGS = ("intrasentence", "intersentence")
CARD = """StereoSet, Nadeem, Bethke and Reddy 2021 (arXiv 2004.09456), development set: 2,106 intrasentence and 2,123
intersentence examples of 79 target terms in four domains. Intrasentence: the context has a BLANK, which three words fill;
intersentence: three sentences may follow the context. The texts were written by crowdworkers in the United States and are
offensive. Blodgett et al. 2021 found faults in many: unclear stereotypes, and sentences that differ in more than the stereotype;
in a few, letters stick to the BLANK. Religion has three target terms only."""


def read(folder: Path, *, per_term: int | None = None, seed: int = 0) -> Examples:
    """Return the examples in the order of the file: context, stereotype, anti_stereotype, unrelated, setting, target, domain.

    `per_term` keeps at most so many of each target term and setting, drawn by a hash of their ids and the seed. Reads the authors'
    dev.json, or one JSON line an example (stereoset_dev.jsonl); target terms are the clusters.
    """
    import pandas as pd

    if per_term is not None and (not isinstance(per_term, int) or isinstance(per_term, bool) or per_term < 1):
        raise UsageError(f"per_term must be a whole number from 1; it is {per_term!r}.")
    path = file_of(folder, LINES, AUTHORS)
    table = pd.DataFrame(_of_authors(path)) if path.name.startswith(AUTHORS) else read_table(path).frame
    require(table, COLUMNS, what="StereoSet", remedy=f"Give the authors' {AUTHORS}.")
    strange = sorted(set(table["type"]) - set(SETTINGS))
    if strange:
        raise DataError(f"type must be intrasentence or intersentence; {path.name} has {strange[0]!r}.")
    names = {"type": "setting", "bias_type": "domain", "anti-stereotype": "anti_stereotype"}
    frame = table.rename(columns=names)
    if "example" not in frame:
        frame["example"] = [f"stereoset-{i:04d}" for i in range(len(frame))]
    inter = frame["setting"] == "intersentence"
    frame["text"] = frame["stereotype"].where(~inter, frame["context"] + " " + frame["stereotype"])
    frame["cluster"] = frame["target"]
    notes: tuple[str, ...] = ()
    if per_term is not None:
        rank = frame["example"].map(lambda example: seed_of(seed, "per_term", example))
        place = rank.groupby([frame["target"], frame["setting"]]).rank()
        notes = (
            f"At most {per_term} of each target term and setting: {int((place <= per_term).sum())} of {len(frame)}.",
        )
        frame = frame[place <= per_term]
    kept = [
        "example",
        "text",
        "cluster",
        "setting",
        "target",
        "domain",
        "context",
        "stereotype",
        "anti_stereotype",
        "unrelated",
    ]
    return Examples(
        frame[kept],
        name="stereoset",
        source="moinnadeem/StereoSet, data/dev.json",
        licence="CC BY-SA 4.0",
        card=CARD,
        slices=("domain",),
        notes=notes,
    )


def _of_authors(path: Path) -> list[dict[str, Any]]:
    """Return the examples of the authors' file, which nests the sentences."""
    import gzip

    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    try:
        data = json.loads(raw)["data"]
        return [
            {
                "example": item["id"],
                "type": setting,
                "target": item["target"],
                "bias_type": item["bias_type"],
                "context": item["context"],
                **{sentence["gold_label"]: sentence["sentence"] for sentence in item["sentences"]},
            }
            for setting in SETTINGS
            for item in data.get(setting, [])
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path} is not the authors' dev.json ({type(error).__name__}: {error}).") from error
