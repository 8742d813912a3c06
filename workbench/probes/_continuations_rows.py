"""Rows of the continuations probe: one per prompt and sample, with what each scorer says of it, of the prompt and of the group."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError, UsageError, counted, unknown
from workbench.frames import example_ids, require, seed_of
from workbench.models.scorers import BUILT_IN, Scorer, scorer
from workbench.models.verbs import Monitor
from workbench.probes._rows import need_verb, rows_frame
from workbench.probes._slices import OVERALL
from workbench.probes._stored import numbers_of
from workbench.probes.protocol import Scored

if TYPE_CHECKING:
    import pandas as pd

    from workbench.data.examples import Examples

__all__ = ["OWN", "PROMPT", "SCORE", "TEMPLATES", "TERM", "WITHIN", "blank_in", "read_rows", "write_rows"]

SCORE, PROMPT, TERM = (
    "score_",
    "prompt_",
    "term_",
)  # of the continuation, of the prompt alone, of the group in neutral templates
WITHIN = "domain"  # the column within which groups are compared where none is named
OWN = ("text", "continuation", "score", "flagged")
WORDS = ("text", "continuation", "example", "sample", "group", "cluster", "scores")
TEMPLATES = (  # ours; a scorer should say the same of each whatever stands in it
    "The text is about {}.",
    "This page describes {}.",
    "The list has a section on {}.",
    "A chapter of the book covers {}.",
    "The next entry is on {}.",
    "She wrote a report on {}.",
    "The archive holds files about {}.",
    "They read an article on {}.",
)


def write_rows(model: Any, examples: "Examples", options: Mapping[str, Any], *, monitor: Monitor) -> Scored:
    """Return the rows of what the model writes; an example that was not reached in all its samples is counted as missing."""
    need_verb(model, "generate", "a model that writes text")
    scorers = _scorers(options["scorers"])
    samples, temperature = options["samples"], options["temperature"]
    if samples > 1 and temperature == 0:
        raise UsageError(f"samples={samples} with temperature=0 gives {samples} times the same. Set temperature=1.0.")
    if "text" not in examples.frame.columns:
        raise DataError(f"The examples {examples.name!r} have no text to continue. Name its column with text=.")
    frame = examples.frame
    names = [prefix + one.name for one in scorers for prefix in (SCORE, PROMPT, TERM)]
    if options["within"] in (*OWN, *names, "example", "variant", "group", "cluster", "half"):
        raise UsageError(f"within={options['within']!r} is a column of the report. Name a column of the examples.")
    more = _within(frame, examples.slices, options["within"])
    texts = [text if options["chat"] else text.rstrip() for text in frame["text"]]
    asked = [(i, sample) for i in range(len(frame)) for sample in range(samples)]
    ids = frame["example"].astype(str).tolist()
    written = model.generate(
        [texts[i] for i, _ in asked],
        max_tokens=options["max_tokens"],
        temperature=float(temperature),
        seeds=[seed_of("continuations", ids[i], sample) for i, sample in asked],
        chat=options["chat"],
        monitor=monitor,
    )
    records = [
        {"example": ids[i], "variant": f"sample {sample}", "text": frame["text"].iloc[i], "continuation": text}
        for (i, sample), text in zip(asked, written.texts, strict=True)
        if text is not None
    ]
    done = np.asarray(written.done).reshape(len(frame), samples).all(axis=1)
    by_id = {example: {name: frame[name].iloc[i] for name in more} for i, example in enumerate(ids)}
    rows = rows_frame([{**record, **by_id[record["example"]]} for record in records], examples, [*OWN, *names, *more])
    notes = [f"Continuations are cut at {options['max_tokens']} tokens, mostly in the middle of a sentence."]
    stripped = sum(one != two for one, two in zip(texts, frame["text"], strict=True))
    if stripped:
        notes.append(f"{stripped} of {len(frame)} prompts end in white space, which was not sent to the model.")
    return _scored(rows, scorers, options, tuple(notes), missing=int((~done).sum()))


def read_rows(frame: Any, *, columns: Mapping[str, Any], by: Sequence[str], options: Mapping[str, Any]) -> Scored:
    """Return the rows of stored continuations: a table with `continuation`, and `text`, `group` and the like where known.

    `columns` maps the words of `WORDS` to the table's names; `scores` lists columns of numbers that are scores already, to be
    shown beside those of the scorers.
    """
    import pandas as pd

    table = pd.DataFrame(frame).reset_index(drop=True)
    for word in columns:
        if word not in WORDS:
            raise unknown("argument of from_predictions", word, WORDS)
    named = {word: str(columns.get(word, word)) for word in WORDS if word != "scores"}
    require(
        table, [named["continuation"]], what="Scoring stored continuations", remedy="Name it with continuation='...'."
    )
    given = columns.get("scores", ())
    own = [given] if isinstance(given, str) else list(given)
    require(table, [*by, *own], what="Scoring stored continuations", remedy="Name columns of the table.")
    for word in ("text", "example", "sample", "group", "cluster"):
        if word in columns and named[word] not in table.columns:
            raise unknown(f"column of the table ({word}=)", named[word], map(str, table.columns))
    if not len(table):
        raise DataError("The table of continuations is empty.")
    rows = _stored(table, named, {*by, *_within(table, (), options["within"])})
    scorers = _scorers(options["scorers"])
    for name in own:
        if name in BUILT_IN or name in {one.name for one in scorers}:
            raise UsageError(f"scores={name!r}: a scorer has that name. Rename the column.")
        rows[SCORE + name] = numbers_of(table, name)
    return _scored(rows, scorers, options, (), missing=0)


def _scorers(wanted: Any) -> list[Scorer]:
    """Return the scorers that an option names or holds, each with a name of its own."""
    several = wanted if isinstance(wanted, (list, tuple)) else [wanted]
    found = [scorer(one) for one in several]
    names = [one.name for one in found]
    if len(set(names)) < len(names):
        raise UsageError(f"Two scorers have the same name: {', '.join(names)}. Load one with another name=.")
    return found


def _within(frame: "pd.DataFrame", slices: Sequence[str], name: str) -> list[str]:
    """Return the column within which groups are compared, where there is one that the rows would not have anyway."""
    if name and name not in frame.columns and name != WITHIN:
        raise unknown("column of the examples (within=)", name, map(str, frame.columns))
    return [name] if name in frame.columns and name not in slices else []


def _stored(table: "pd.DataFrame", named: Mapping[str, str], carried: set[str]) -> "pd.DataFrame":
    """Return the rows of a table of continuations, without scores."""
    import pandas as pd

    def column(word: str, default: str) -> "pd.Series[str]":
        there = table[named[word]] if named[word] in table.columns else pd.Series(default, index=table.index)
        return there.astype(object).where(there.notna(), default).astype(str)

    text, group = column("text", ""), column("group", OVERALL)
    if named["example"] in table.columns:
        example = column("example", "")
    elif named["text"] in table.columns:  # rows of one prompt and group are its samples
        pairs = pd.MultiIndex.from_arrays([text, group])
        unique = list(dict.fromkeys(pairs))
        of = dict(zip(unique, example_ids([{"text": one, "group": two} for one, two in unique]), strict=True))
        example = pd.Series([of[pair] for pair in pairs], index=table.index)
    else:
        example = pd.Series([str(i) for i in range(len(table))], index=table.index)
    place = (
        table[named["sample"]].astype(str) if named["sample"] in table.columns else example.groupby(example).cumcount()
    )
    rows = pd.DataFrame(
        {
            "example": example,
            "variant": "sample " + place.astype(str).str.removeprefix("sample "),
            "group": group,
            "cluster": column("cluster", "").where(lambda one: one != "", example),
            "text": text,
            "continuation": column("continuation", ""),
        }
    )
    return rows.assign(**{name: table[name] for name in sorted(carried) if name not in rows.columns})


def _scored(
    rows: "pd.DataFrame", scorers: Sequence[Scorer], options: Mapping[str, Any], notes: tuple[str, ...], *, missing: int
) -> Scored:
    """Return the rows with what the scorers say, and notes on the scorers."""
    texts = rows["continuation"].tolist()
    if options["reads"] == "whole":
        texts = [_joined(prompt, text) for prompt, text in zip(rows["text"], texts, strict=True)]
    for one in scorers:
        rows[SCORE + one.name] = one.values(texts)
        rows[PROMPT + one.name] = one.values(rows["text"].tolist())
        rows[TERM + one.name] = _of_terms(one, rows["group"].tolist())
        read = f"P({one.label})" if not one.contrast else f"P({one.label}) minus the rest, from -1 to 1"
        notes = (*notes, f"The score {one.name} is {read} of {one.model.name}.")
    columns = [name for name in rows.columns if name.startswith(SCORE)]
    if not columns:
        raise UsageError(f"No scorer is named. Known: {', '.join(BUILT_IN)}, or a classifier of wb.load.")
    score = rows[columns[0]].to_numpy(float)
    over = np.where(np.isnan(score), np.nan, score >= options["threshold"])
    rows = rows.assign(score=score, flagged=over)
    blank = int(rows["continuation"].str.strip().eq("").sum())
    if blank:
        notes = (*notes, f"{blank} of {len(rows)} continuations are empty: they have no score and are counted as such.")
    return Scored(rows, {}, (*notes, *_without(rows, options["within"])), missing)


def blank_in(rows: "pd.DataFrame", name: str) -> NDArray[np.bool_]:
    """Return which rows have no value in the column within which groups are compared; none where there is no such column."""
    if name not in rows.columns:
        return np.zeros(len(rows), dtype=bool)
    return (rows[name].isna() | rows[name].astype(str).str.strip().eq("")).to_numpy(bool)


def _without(rows: "pd.DataFrame", name: str) -> tuple[str, ...]:
    """Return the note on rows that are compared in no part, where the column `name` makes parts."""
    blank = blank_in(rows, name)
    if not blank.any() or rows[name][~blank].nunique() < 2:
        return ()
    said = counted(int(blank.sum()), "row has", "rows have")
    return (f"{said} no {name}: in the numbers of all, but in no comparison of groups, which is made within {name}.",)


def _joined(prompt: str, text: str) -> str:
    """Return prompt and continuation as one text."""
    return prompt.rstrip() + text if text[:1].isspace() else f"{prompt.rstrip()} {text}".strip()


def _of_terms(one: Scorer, groups: list[str]) -> NDArray[np.float64]:
    """Return, for each row, the mean score of its group's name in the neutral templates; NaN for rows without a group."""
    names = [name for name in dict.fromkeys(groups) if name != OVERALL]
    filled = [template.format(name.replace("_", " ")) for name in names for template in TEMPLATES]
    means = one.values(filled).reshape(len(names), len(TEMPLATES)).mean(axis=1) if names else np.empty(0)
    of = dict(zip(names, means, strict=True))
    return np.array([of.get(name, np.nan) for name in groups], dtype=np.float64)
