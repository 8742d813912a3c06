"""Examples: what a model is asked, as one tidy table with ids, and where it came from.

A source (`_read`) becomes a plain table; its columns get their parts (`_columns`), choices and labels are read (`_labels`), and
`_build` puts them under our names. Whatever was decided on the way is said in `notes`.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Unpack

from workbench._text import escape
from workbench.data._build import OURS, build, plain, tidy
from workbench.data._checked import checked, sliceable
from workbench.data._columns import Columns
from workbench.data._labels import blank
from workbench.data._read import read
from workbench.errors import DataError, UsageError, counted, unknown
from workbench.frames import require, seed_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Examples"]

SHOWN = 5
KNOWN = 20  # values of a column that a message names
AUTOMATIC = ("*",)  # slice by every column that is fit for it


@dataclass(frozen=True, eq=False, repr=False)
class Examples:
    """A table of examples with a name and a licence; it does not change, `with_column` and the like give a new one.

    The table has the columns `example` (text, unique), `text`, `choices` (list of texts), `label`, `group` and `cluster` (only
    those that there are), then all further columns. `label` is the index of the right choice (kind "choice") or the name of the
    class (kind "class"). Make one with `Examples.of`; the constructor takes a table that already has our names.

    >>> Examples.of([{"text": "Is fire cold?", "choices": ["yes", "no"], "label": "no"}]).kind
    'choice'
    """

    _frame: "pd.DataFrame"
    name: str = "examples"
    source: str = ""
    licence: str = ""
    card: str = ""
    slices: tuple[str, ...] = AUTOMATIC
    features: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()  # how a part was taken, as calls: ".sample(100, seed=0)"
    origin: Mapping[str, Any] = field(default_factory=dict)  # {"pack": "facts"}, {"benchmark": "arc", "options": {...}}

    def __post_init__(self) -> None:
        frame = checked(self._frame.reset_index(drop=True), self.features)
        object.__setattr__(self, "_frame", frame)
        chosen = sliceable(frame) if self.slices == AUTOMATIC else tuple(self.slices)
        for name in chosen:
            if name not in frame.columns or name in ("example", "text", "choices", "label"):
                raise unknown("column to slice by", name, [c for c in frame.columns if c not in OURS])
        object.__setattr__(self, "slices", chosen)

    @classmethod
    def of(cls, source: Any, /, *, name: str | None = None, **columns: Unpack[Columns]) -> "Examples":
        """Return the examples in a source: a table, a list of records, a dictionary of columns, a file, a data set.

        Files: .csv, .tsv, .jsonl, .json, .parquet, each optionally .gz. Data sets: a Hugging Face Dataset or another object with
        `to_pandas`, or "hf:owner/name:config:split". Columns are named by `text`, `choices` (a column, one column per choice, or
        the answers that all rows share), `label`, `group`, `cluster`, `example`, `context` (stands before the text), `features`
        (a table without text); those that are not named are recognised by common names, and `notes` says which. `label_as` says
        how labels are to be read where two ways fit, `slices` names the columns to slice by; `source`, `licence` and `card` are
        kept as they are.

        >>> Examples.of({"question": ["2 + 2?"], "choices": [["3", "4"]], "answer": ["B"]}).frame["label"].tolist()
        [1]
        """
        if isinstance(source, cls):
            if not columns:
                return source if name is None else replace(source, name=name)
            named: Columns = {"source": source.source, "licence": source.licence, "card": source.card}
            if source.features:
                named["features"] = source.features
            named.update(columns)
            return cls.of(source.frame, name=name or source.name, **named)
        table = read(source)
        built = build(table, columns)
        return cls(
            built.frame,
            name=name or table.name,
            source=columns.get("source", table.source),
            licence=columns.get("licence", ""),
            card=columns.get("card", ""),
            slices=_several(columns.get("slices", AUTOMATIC)),
            features=built.features,
            notes=built.notes,
        )

    # -- what it is ----------------------------------------------------------------------------------------------------

    @property
    def frame(self) -> "pd.DataFrame":
        """The table, one row per example; a copy, so that changing it does not change the examples."""
        return self._frame.copy()

    @property
    def kind(self) -> str:
        """What is asked: "choice" (choices and a label), "class" (text or features, and a label) or "text"."""
        if "label" not in self._frame.columns:
            return "text"
        return "choice" if "choices" in self._frame.columns else "class"

    @property
    def inputs(self) -> list[Any]:
        """What a classifier is given: the texts, the images, or one dictionary of features per row."""
        if self.image:
            return list(self._frame[self.image])
        if self.features:
            return [
                dict(zip(self.features, row, strict=True))
                for row in self._frame[list(self.features)].itertuples(index=False)
            ]
        return list(self._frame["text"])

    @property
    def image(self) -> str:
        """The column that holds images, numpy arrays (h, w) or (h, w, c), where they are the one feature; else "".

        >>> import numpy as np
        >>> Examples.of([{"image": np.zeros((2, 2), np.uint8), "label": "dark"}], label="label").image
        'image'
        """
        if len(self.features) != 1:
            return ""
        return self.features[0] if getattr(self._frame[self.features[0]].iloc[0], "ndim", 0) >= 2 else ""

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, sorted; empty where the label is not a class."""
        return tuple(sorted(set(self._frame["label"]))) if self.kind == "class" else ()

    @cached_property
    def hash(self) -> str:
        """sha256 of the content as hexadecimal text: the same whatever the order of rows and columns, and the pandas version."""
        names = sorted(self._frame.columns)
        rows = sorted(
            zip(*(map(plain, self._frame[name].tolist()) for name in ["example", *names]), strict=True), key=_first
        )
        digest = hashlib.sha256(json.dumps([self.kind, names, list(self.features)]).encode())
        for row in rows:
            digest.update(json.dumps(row[1:], sort_keys=True, ensure_ascii=True).encode() + b"\n")
        return digest.hexdigest()

    def about(self) -> dict[str, Any]:
        """Return what a run record keeps: name, hash, n, kind, source, licence, notes, origin, steps; features where there are any.

        >>> Examples.of([{"text": "a"}], name="one").about()["n"]
        1
        """
        facts: dict[str, Any] = {"name": self.name, "hash": self.hash, "n": len(self), "kind": self.kind}
        facts |= {"features": list(self.features)} if self.features else {}
        told = {**facts, "source": self.source, "licence": self.licence, "notes": list(self.notes)}
        return {**told, "origin": dict(self.origin), "steps": list(self.steps)}

    def __len__(self) -> int:
        return len(self._frame)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        names = list(self._frame.columns)
        return (dict(zip(names, row, strict=True)) for row in self._frame.itertuples(index=False, name=None))

    # -- parts and changes ---------------------------------------------------------------------------------------------

    def sample(self, n: int, seed: int = 0) -> "Examples":
        """Return n of the examples, drawn by a hash of their ids: the same ones, in the order drawn, whatever that of the rows.

        A part of a sample from its beginning is a smaller sample; the order says nothing of the examples, as that of a file may.

        >>> Examples.of([{"text": t} for t in "abc"]).sample(2).frame["text"].tolist()
        ['a', 'c']
        """
        if not 0 < n <= len(self):
            raise UsageError(f"A sample of {n} cannot be drawn from {len(self)} examples. Ask for 1 to {len(self)}.")
        ranked = sorted(self._frame["example"], key=lambda example: seed_of(seed, "sample", example))
        note = f"A sample of {n:,} of {len(self):,} examples, drawn by id with seed {seed}."
        place = self._frame["example"].map({example: at for at, example in enumerate(ranked[:n])}).dropna()
        part = self._part(self._frame.loc[place.sort_values().index], f".sample({n}, seed={seed})")
        return replace(part, notes=(*self.notes, note))

    def where(self, ids: "Iterable[str] | pd.DataFrame | None" = None, **columns: Any) -> "Examples":
        """Return the examples with these ids (a list, or a table with a column `example`), or with these column values.

        >>> Examples.of([{"text": t, "kind": k} for t, k in ("ax", "by")]).where(kind="y").frame["text"].tolist()
        ['b']
        """
        frame = self._frame
        if ids is not None:
            wanted = _wanted(ids)
            strangers = sorted(set(wanted) - set(frame["example"]))
            if strangers:
                raise UsageError(
                    f"{len(strangers)} of these ids are not in {self.name!r}, the first is {strangers[0]!r}. Its ids look like "
                    f"{frame['example'].iloc[0]!r}."
                )
            frame = frame[frame["example"].isin(wanted)]
        for column, value in columns.items():
            if column not in frame.columns:
                raise UsageError(f"{unknown('column', column, frame.columns)}{_option(self.name, column, value)}")
            allowed = list(value) if isinstance(value, (list, tuple, set, frozenset)) else [value]
            frame = frame[frame[column].isin(allowed)]
        if not len(frame):
            asked = ", ".join(f"{column}={value!r}" for column, value in columns.items()) or "these ids"
            raise DataError(f"None of the {len(self):,} examples of {self.name!r} has {asked}.{self._instead(columns)}")
        given = [] if ids is None else [f"[... {len(wanted)} ids]"]
        given += [f"{column}={value!r}" for column, value in columns.items()]
        return self._part(frame, f".where({', '.join(given)})")

    def _instead(self, asked: Mapping[str, Any]) -> str:
        """Return what to write where no example has what was asked."""
        said = ""
        for column, value in asked.items():
            known = sorted(map(str, self._frame[column].dropna().unique()))
            said += f" Values of {column}: {', '.join(known) or 'none'}." if len(known) <= KNOWN else ""
            said += _option(self.name, column, value)
        return said

    def _part(self, frame: "pd.DataFrame", step: str) -> "Examples":
        return replace(self, _frame=frame, steps=(*self.steps, step))

    def with_groups(self, groups: str | Mapping[str, Any]) -> "Examples":
        """Return the examples with the column `group`: a copy of a column, or a mapping from every example id to its group.

        >>> Examples.of([{"text": "a", "sex": "f"}]).with_groups("sex").frame["group"].tolist()
        ['f']
        """
        if isinstance(groups, str):
            if groups not in self._frame.columns:
                raise unknown("column", groups, self._frame.columns)
            values = self._frame[groups].tolist()
        else:
            values = self._by_id("group", groups)
        names = ["(missing)" if blank(value) else str(plain(value)) for value in values]
        empty = names.count("(missing)")
        note = (f"{empty} of {len(names)} rows have no group: (missing) stands for it.",) if empty else ()
        return replace(self.with_column("group", names), notes=(*self.notes, *note))

    def with_column(self, name: str, values: Sequence[Any] | Mapping[str, Any]) -> "Examples":
        """Return the examples with a further column: one value per row, or a mapping from every example id to its value.

        >>> Examples.of([{"text": "a"}]).with_column("length", [1]).frame["length"].tolist()
        [1]
        """
        if name == "example":
            raise UsageError("The ids of examples do not change. Make new ones with Examples.of(..., example='...').")
        listed = self._by_id(name, values) if isinstance(values, Mapping) else list(values)
        if isinstance(values, str) or len(listed) != len(self):
            raise DataError(
                f"The column {name!r} has {counted(len(listed), 'value')} for {counted(len(self), 'example')}. Give one for each."
            )
        frame = self.frame
        frame[name] = tidy(listed, digits=False)
        first = [column for column in OURS if column in frame.columns]
        frame = frame[[*first, *(column for column in frame.columns if column not in first)]]
        fit = [column for column in sliceable(frame) if column == name]
        changed = (f".with_column({name!r}, [... {len(self)} values])",) if name in self._frame.columns else ()
        steps = (*self.steps, *changed)  # a new column is not asked; one that is replaced may be the text
        return replace(self, _frame=frame, slices=tuple(dict.fromkeys((*self.slices, *fit))), steps=steps)

    def corrupt(
        self, corruption: Any, *, severity: int = 3, seed: int = 0, column: str = "text", keep: Any = None
    ) -> "Examples":
        """Return the examples with corrupted texts or images, under the same ids: the copy that a sweep asks at this severity.

        `corruption` is a name, several with "|", or one of `workbench.data.corruptions` or `workbench.data.images`, which say what
        the severities 1 to 5, `seed` and `keep` (of texts) do; severity 0 changes nothing. Of texts the column `before` keeps what
        they were, `edits` the list of `workbench.data.edits.Edit` of each.

        >>> worse = Examples.of([{"id": "a", "text": "How do I change my PIN?"}]).corrupt("keyboard", severity=5)
        >>> worse.frame["text"].tolist()
        ['Bow do I dhsnfd my PIN?']
        >>> from workbench.data.edits import marked
        >>> marked(worse.frame["before"][0], worse.frame["edits"][0])
        '‹H → B›ow do I ‹c → d›h‹a → s›n‹g → f›‹e → d› my PIN?'
        """
        from workbench.data._copies import corrupted_examples

        return corrupted_examples(self, corruption, column, severity=severity, seed=seed, keep=keep)

    def _by_id(self, name: str, values: Mapping[str, Any]) -> list[Any]:
        missing = [example for example in self._frame["example"] if example not in values]
        if missing:
            raise DataError(
                f"{name}: {len(missing)} of {len(self)} examples have no value, the first is {missing[0]!r}."
            )
        return [values[example] for example in self._frame["example"]]

    # -- showing -------------------------------------------------------------------------------------------------------

    def _facts(self) -> list[str]:
        """Return what is worth saying, a line each."""
        frame = self._frame
        forms = {"choice": ("question",), "class": ("example with a class", "examples with a class"), "text": ("text",)}
        sizes = sorted({len(choices) for choices in frame["choices"]}) if self.kind == "choice" else []
        more = f" with {sizes[0]}{f' to {sizes[-1]}' if len(sizes) > 1 else ''} choices" if sizes else ""
        lines = [f"{counted(len(self), *forms[self.kind])}{more}"]
        if self.slices:
            lines.append("slices: " + ", ".join(f"{name} ({frame[name].nunique()})" for name in self.slices))
        lines += [f"{title}: {value}" for title, value in (("licence", self.licence), ("source", self.source)) if value]
        return [*lines, *self.notes]

    def __repr__(self) -> str:
        return "\n  ".join([f"Examples {self.name!r}", *self._facts()])

    def _repr_html_(self) -> str:
        shown = [name for name in self._frame.columns if name not in ("cluster", "edits")]
        head = "".join(f'<th style="text-align:left">{escape(str(name))}</th>' for name in shown)
        cell = '<td style="text-align:left;vertical-align:top;white-space:pre-wrap">{}</td>'
        rows = "".join(
            "<tr>" + "".join(cell.format(escape(_clipped(row[name]))) for name in shown) + "</tr>"
            for row in (dict(zip(self._frame.columns, values, strict=True)) for values in self._first())
        )
        facts = "<br>".join(escape(line) for line in self._facts())
        more = f"<div>... and {len(self) - SHOWN:,} more</div>" if len(self) > SHOWN else ""
        return (
            f"<div><strong>{escape(self.name)}</strong><br>{facts}</div>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{more}"
        )

    def _first(self) -> Iterator[tuple[Any, ...]]:
        return iter(self._frame.head(SHOWN).itertuples(index=False, name=None))


def _option(name: str, column: str, value: Any) -> str:
    """Return how a published set's reader is asked for what a column was asked for, "" where it has no such option."""
    from workbench.data.benchmarks import options_of

    if column not in options_of(name):
        return ""
    return f" The reader of the set has it as an option: wb.benchmark({name!r}, {column}={value!r})."


def _first(row: tuple[Any, ...]) -> str:
    return str(row[0])


def _clipped(value: Any, most: int = 160) -> str:
    text = " | ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= most else text[: most - 3] + "..."


def _wanted(ids: Any) -> list[str]:
    """Return ids as a list; a text, a mask and a table without `example` are refused, each with what to write instead."""
    if isinstance(ids, str):
        raise UsageError(f"where() takes a list of ids or a table; found the text {ids!r}. Write where([{ids!r}]).")
    if hasattr(ids, "columns"):
        require(ids, ["example"], what="A table of ids", remedy="Give a list of ids, or rows of a report.")
        ids = ids["example"]
    wanted = list(ids)
    wrong = next((value for value in wanted if not isinstance(value, str)), None)
    if wrong is not None:
        raise UsageError(f"where() takes example ids, which are texts; found {wrong!r}. By value: where(column=value).")
    return wanted


def _several(names: "str | Iterable[str]") -> tuple[str, ...]:
    """Return one name or several as a tuple."""
    return (names,) if isinstance(names, str) else tuple(names)
