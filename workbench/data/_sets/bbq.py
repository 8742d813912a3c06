"""BBQ, the bias benchmark for question answering (Parrish et al. 2022, arXiv 2110.08193), from the files of its authors.

A *template* (`question_index` within a category) is filled with persons and words many times; each *filling* gives four examples:
a negative and a non-negative question, each in an ambiguous context and in a longer one that says the answer. `target` is the
answer that names the stereotyped group, which the files do not say: `_bbq_target` derives it.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.data._read import read as read_table
from workbench.data._sets._bbq_target import NONE, Named, crossed_target, target, unknown
from workbench.data._sets._files import Missing
from workbench.data.examples import Examples
from workbench.errors import DataError, UsageError
from workbench.errors import unknown as unknown_name
from workbench.frames import require, seed_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CATEGORIES", "Template", "read", "table_of"]

CATEGORIES = (
    "Age",
    "Disability_status",
    "Gender_identity",
    "Nationality",
    "Physical_appearance",
    "Race_ethnicity",
    "Race_x_SES",
    "Race_x_gender",
    "Religion",
    "SES",
    "Sexual_orientation",
)
ANSWERS = ("ans0", "ans1", "ans2")
NEEDED = (
    "example_id",
    "question_index",
    "question_polarity",
    "context_condition",
    "category",
    "answer_info",
    "context",
    "question",
    *ANSWERS,
    "label",
)
LAST_LABEL = (
    25  # templates with a higher index use names of persons (the authors' script), but for the crossed categories
)
REMEDY = "Give a file of the authors: data/<category>.jsonl of nyu-mll/BBQ."
CARD = """BBQ: a hand-built bias benchmark for question answering (Parrish et al. 2022, arXiv 2110.08193; nyu-mll/BBQ, CC BY 4.0).

Templates about stereotypes attested in the United States, in eleven categories. Each filled template asks a negative and a
non-negative question, in an ambiguous context (the right answer is "unknown") and in a disambiguated one. The stereotyped answer
(`target`) is derived from the group labels by the rules of the authors' script; an example in which not exactly one answer names a
stereotyped group has target -1. English, US stereotypes, templates by the authors: it says nothing about other languages or
places. The questions state stereotypes in order to measure them.
"""


class Template(NamedTuple):
    """What a template's file says: the stereotyped groups; if crossed, race, second trait and whether it names persons."""

    groups: tuple[str, ...] = ()
    race: tuple[str, ...] = ()
    second: str = ""
    names: bool = False


Templates = Mapping[tuple[str, int], Template]


def read(
    folder: Path, *, categories: Sequence[str] | str | None = None, fillings: int | None = None, seed: int = 0
) -> Examples:
    """Return the examples of some categories (default: all whose files are there).

    The files are `<category>.jsonl` (also .gz) in the folder or its `data`; the templates' CSV files beside them in `templates` are
    needed for the crossed categories only. `fillings=n` draws, by seed, n fillings of each template whose informative context
    agrees with the stereotype and n whose context contradicts it, which is 8 n balanced examples a template, or fewer where it
    has fewer.
    """
    import pandas as pd

    files = {_stem(path): path for place in (folder / "data", folder) for path in sorted(place.glob("*.jsonl*"))}
    files = {name: files[name] for name in CATEGORIES if name in files}
    if not files:
        raise Missing(f"The folder {str(folder)!r} holds no file of BBQ, such as Age.jsonl. {REMEDY}")
    named = (categories,) if isinstance(categories, str) else tuple(categories or files)
    for name in named:
        if name not in files:
            raise unknown_name("category of BBQ here", name, files)
    templates = _templates(folder)
    parts = [table_of(read_table(files[name]).frame, templates) for name in files if name in named]
    frame = pd.concat(parts, ignore_index=True)
    notes = _lost(frame)
    if fillings is not None:
        frame = _drawn(frame, fillings, seed)
        notes = (*_lost(frame), f"At most {2 * fillings} fillings of each template, drawn with seed {seed}.")
    return Examples(
        frame,
        name="bbq",
        source="https://github.com/nyu-mll/BBQ",
        licence="CC BY 4.0",
        card=CARD,
        slices=("category",),
        notes=notes,
    )


def table_of(table: "pd.DataFrame", templates: Templates | None = None) -> "pd.DataFrame":
    """Return records of the authors' fields as the table of Examples; further columns (stored answers) are kept.

    `target` and `unknown` are indices among `choices`; -1 where not exactly one choice is that.
    """
    import pandas as pd

    require(table, NEEDED, what="BBQ", remedy=REMEDY)
    rest = [name for name in table.columns if name not in (*NEEDED, "additional_metadata")]
    named = [_answers(info, row) for row, info in enumerate(table["answer_info"])]
    about: Sequence[Any] = (
        table["additional_metadata"].tolist() if "additional_metadata" in table else [{}] * len(table)
    )
    index = [int(value) for value in table["question_index"]]
    known = [
        (templates or {}).get((category, at), Template()) for category, at in zip(table["category"], index, strict=True)
    ]
    groups = [_groups(extra, template) for extra, template in zip(about, known, strict=True)]
    targets = [
        crossed_target(answers, template.race, template.second)
        if "_x_" in category
        else target(category, answers, stereotyped)
        for category, answers, stereotyped, template in zip(table["category"], named, groups, known, strict=True)
    ]
    people = [
        t.names if "_x_" in c else i > LAST_LABEL for c, i, t in zip(table["category"], index, known, strict=True)
    ]
    contexts = table["context"].astype(str).str.strip()
    frame = pd.DataFrame(
        {
            "example": table["category"] + "-" + table["example_id"].astype(str),
            "text": contexts + " " + table["question"].astype(str).str.strip(),
            "choices": pd.Series(table[list(ANSWERS)].astype(str).to_numpy().tolist(), dtype=object),
            "label": [int(value) for value in table["label"]],
            "cluster": table["category"] + "/" + pd.Series(index).astype(str),
            "category": [f"{c} (names)" if p else c for c, p in zip(table["category"], people, strict=True)],
            "context": contexts,
            "question": table["question"],
            "question_index": index,
            "question_polarity": table["question_polarity"],
            "context_condition": table["context_condition"],
            "target": targets,
            "unknown": [unknown(answers) for answers in named],
            "target_group": [
                _group_of(answers, at, c) for answers, at, c in zip(named, targets, table["category"], strict=True)
            ],
            "choice_names": pd.Series([[answer.text for answer in answers] for answers in named], dtype=object),
            "choice_groups": pd.Series([[answer.group for answer in answers] for answers in named], dtype=object),
            "stereotyped_groups": ["; ".join(names) for names in groups],
            "subcategory": [_said(extra, "subcategory") for extra in about],
            "version": [_said(extra, "version") for extra in about],
            "attested_in": [_said(extra, "source") for extra in about],
            "filling": table["category"] + "-" + (table["example_id"].astype(int) // 4).astype(str),
        }
    )
    return frame.assign(**{name: table[name].to_numpy() for name in rest})


def _answers(info: Any, row: int) -> list[Named]:
    """Return the entries of `answer_info`, braces that the generator left over removed."""
    try:
        return [Named(re.sub("[{}]", "", str(info[name][0])), str(info[name][1])) for name in ANSWERS]
    except (KeyError, TypeError, IndexError):
        raise DataError(
            f"Row {row} of BBQ has the answer_info {info!r}; it must name a text and a group for ans0, ans1, ans2. {REMEDY}"
        ) from None


def _groups(about: Any, template: Template) -> tuple[str, ...]:
    """Return the stereotyped groups of an example; those of its template where it says none (crossed: the race and the trait)."""
    said = about.get("stereotyped_groups") if isinstance(about, Mapping) else None
    if said is not None and len(said):
        return tuple(map(str, said))
    return template.groups or (*template.race, *([template.second] if template.second else []))


def _said(about: Any, name: str) -> str:
    """Return a field of the further metadata, "" for none."""
    said = str(about.get(name, "")) if isinstance(about, Mapping) else ""
    return "" if said == "None" else said


def _group_of(answers: Sequence[Named], at: int, category: str) -> str:
    """Return the stereotyped group of an example: the label, for nationalities (labelled by continent) the country's text."""
    if at == NONE:
        return ""
    return answers[at].text if category == "Nationality" else answers[at].group


def _lost(frame: "pd.DataFrame") -> tuple[str, ...]:
    """Return a note that says how many examples have no single target, none where all have."""
    lost = int((frame["target"] == NONE).sum())
    where = ", ".join(sorted(set(frame["category"][frame["target"] == NONE])))
    return (
        (f"{lost} of {len(frame)} examples have not exactly one stereotyped answer ({where}): target -1.",)
        if lost
        else ()
    )


def _drawn(frame: "pd.DataFrame", fillings: int, seed: int) -> "pd.DataFrame":
    """Return `fillings` fillings of each template and of either side: the informative context agrees with the stereotype or not."""
    if isinstance(fillings, bool) or not isinstance(fillings, int) or fillings < 1:
        raise UsageError(f"fillings must be a whole number from 1; it is {fillings!r}.")
    negative = frame[(frame["context_condition"] == "disambig") & (frame["question_polarity"] == "neg")]
    agrees = dict(zip(negative["filling"], negative["label"] == negative["target"], strict=True))
    template = dict(zip(frame["filling"], frame["cluster"], strict=True))
    sides: dict[tuple[str, bool], list[str]] = {}
    for filling, cluster in template.items():
        sides.setdefault((cluster, bool(agrees.get(filling, False))), []).append(filling)
    kept: set[str] = set()
    for names in sides.values():
        kept.update(sorted(names, key=lambda name: seed_of(seed, "filling", name))[:fillings])
    return frame[frame["filling"].isin(kept)].reset_index(drop=True)


def _templates(folder: Path) -> dict[tuple[str, int], Template]:
    """Return what the templates' files say, by category and question index; none where there are no files."""
    found: dict[tuple[str, int], Template] = {}
    for path in sorted((folder / "templates").glob("*.csv*")):
        category = next((name for name in CATEGORIES if _stem(path).endswith(name)), None)
        if category is None:  # fillers and vocabularies
            continue
        for line in read_table(path).frame.to_dict("records"):
            if not str(line.get("Q_id") or "").strip().isdecimal():
                continue
            template = Template(
                _list(line.get("Known_stereotyped_groups")),
                _list(line.get("Known_stereotyped_race")),
                str(line.get("Known_stereotyped_var2") or "").strip(),
                str(line.get("Proper_nouns_only") or "").strip().upper() == "TRUE",
            )
            found.setdefault((category, int(line["Q_id"])), template)
    return found


def _list(cell: Any) -> tuple[str, ...]:
    """Return the names in a cell such as '["Black", "African American"]'."""
    return tuple(re.findall(r'"([^"]+)"', str(cell or "")))


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").rpartition(".")[0]
