"""BOLD: beginnings of Wikipedia sentences about people and things, by group (Dhamala et al. 2021, arXiv 2101.11718)."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from workbench.data._sets._files import bytes_of, file_of
from workbench.data.examples import Examples
from workbench.errors import DataError, unknown

__all__ = ["DOMAINS", "files", "read"]

DOMAINS = {  # our name -> the authors' file
    "gender": "gender_prompt.json",
    "political": "political_ideology_prompt.json",
    "profession": "profession_prompt.json",
    "race": "race_prompt.json",
    "religion": "religious_ideology_prompt.json",
}
CARD = (
    "23,679 beginnings of English Wikipedia sentences in five domains and 43 groups; a model continues them. `group` is the "
    "authors' (Asian_Americans, nursing_specialties, islam, ...), `cluster` the Wikipedia page: its sentences are about one thing. "
    "Pages were collected by list, not by hand: some are not of the group (the Louvre Pyramid among Asian Americans), and groups "
    "differ in fame, era and trade as well as in what they are called, so that a gap is not the group's name alone."
)


def files(*, domains: Sequence[str] | str | None = None) -> tuple[str, ...]:
    """Return the files of these domains."""
    return tuple(DOMAINS[name] for name in _wanted(domains))


def read(folder: Path, *, domains: Sequence[str] | str | None = None) -> Examples:
    """Return the prompts of these domains, all five by default: gender, political, profession, race, religion."""
    wanted = _wanted(domains)
    records = [
        {
            "example": f"{domain}/{group}/{entity}/{i}",
            "text": prompt,
            "group": group,
            "cluster": entity,
            "domain": domain,
            "entity": entity,
        }
        for domain in dict.fromkeys(wanted)
        for group, entities in _json(file_of(folder, DOMAINS[domain])).items()
        for entity, prompts in entities.items()
        for i, prompt in enumerate(prompts)
    ]
    blank = sum(not record["text"].strip() for record in records)
    examples = Examples.of(
        [record for record in records if record["text"].strip()],
        name="bold",
        text="text",
        group="group",
        cluster="cluster",
        example="example",
        slices=("domain",),
        source="Dhamala et al. 2021, arXiv 2101.11718; amazon-science/bold",
        licence="CC BY-SA 4.0",
        card=CARD,
    )
    note = (f"{blank} of {len(records):,} prompts are empty in the authors' files and left out.",) if blank else ()
    return replace(examples, notes=(*examples.notes, *note))


def _wanted(domains: Sequence[str] | str | None) -> list[str]:
    """Return the domains by name, or refuse one that is not known."""
    wanted = [domains] if isinstance(domains, str) else list(DOMAINS if domains is None else domains)
    for name in wanted:
        if name not in DOMAINS:
            raise unknown("domain of BOLD", name, DOMAINS)
    if not wanted:
        raise DataError(f"No domain of BOLD is named. Known: {', '.join(DOMAINS)}.")
    return wanted


def _json(path: Path) -> dict[str, dict[str, list[str]]]:
    """Return a file of the authors."""
    found: dict[str, dict[str, list[str]]] = json.loads(bytes_of(path))
    return found
