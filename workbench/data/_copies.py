"""Corrupted copies of examples: the same ids with other texts or images, and the edits that made them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.data.corruptions import corruption as text_corruption
from workbench.data.edits import Edit
from workbench.data.images import image_corruption
from workbench.errors import DataError, UsageError, counted, unknown

if TYPE_CHECKING:
    import pandas as pd

    from workbench.data.examples import Examples

__all__ = ["BEFORE", "EDITS", "Copies", "check_column", "copies_of", "corrupted_examples"]

BEFORE, EDITS = "before", "edits"  # columns of corrupted examples: the text as it was, and the list of its edits


class Copies(NamedTuple):
    """The corrupted values of some columns, for each example its edits with their column, and how many texts were spared.

    A text of which nothing would be left stays as it is (`emptied`). Images have no edits.
    """

    columns: dict[str, list[Any]]
    edits: list[list[tuple[str, Edit]]]
    emptied: int


def copies_of(examples: "Examples", made_by: Any, columns: Sequence[str], *, severity: int, **options: Any) -> Copies:
    """Return corrupted copies of columns of texts, or of the images: a pure function of ids, values, severity and options.

    `options` are those of the corruption: `seed`, and of texts `keep`.
    """
    frame = examples.frame
    ids = frame["example"].tolist()
    if examples.image:
        images = made_by.apply(frame[examples.image].tolist(), ids, severity=severity, **options)
        return Copies({examples.image: images}, [[] for _ in ids], 0)
    edits: list[list[tuple[str, Edit]]] = [[] for _ in ids]
    found: dict[str, list[Any]] = {}
    emptied = 0
    for at, column in enumerate(columns):
        texts = frame[column].tolist()
        own = ids if at == 0 else [f"{example}\x1f{column}" for example in ids]  # no two columns share their bits
        made = made_by.apply(texts, own, severity=severity, **options)
        _check(made, texts, made_by.name)
        found[column] = []
        for place, (text, new, some) in enumerate(zip(texts, made.texts, made.edits, strict=True)):
            if not new.strip() and text.strip():
                emptied += 1
                found[column].append(text)
                continue
            found[column].append(new)
            edits[place] += [(column, edit) for edit in some]
    return Copies(found, edits, emptied)


def corrupted_examples(
    examples: "Examples", corruption: Any, column: str, *, severity: int, seed: int, keep: Any = None
) -> "Examples":
    """Return the examples with one column corrupted, and what was done in the columns `before` and `edits`."""
    by_name = image_corruption if examples.image else text_corruption
    made_by = by_name(corruption) if isinstance(corruption, str) else corruption
    if not callable(getattr(made_by, "apply", None)):
        raise UsageError(f"corrupt() takes the name of a corruption, or one; found {type(corruption).__name__}.")
    frame = examples.frame
    for taken in (BEFORE, EDITS):
        if taken in frame.columns:
            raise UsageError(
                f"These examples have a column {taken!r} already. For one corruption after another compose them: "
                "corrupt('keyboard|swap'); a column of your own needs another name."
            )
    if not examples.image:
        if column == "text" and "text" not in frame.columns:
            raise UsageError(
                "Corruptions change texts or images; these examples are rows of features. Name a column of texts."
            )
        check_column(frame, column)
    if severity == 0 and not isinstance(severity, bool):
        return examples
    options = {"seed": seed} | ({} if keep is None else {"keep": keep})
    made = copies_of(examples, made_by, (column,), severity=severity, **options)
    (name, values), *_ = made.columns.items()
    copied, same = examples.with_column(name, values), 0
    if not examples.image:
        copied = copied.with_column(BEFORE, frame[column].tolist())
        copied = copied.with_column(EDITS, [[edit for _, edit in some] for some in made.edits])
        same = sum(not some for some in made.edits)
    said = [f"Corrupted by {made_by.name}, severity {severity}, seed {seed}."]
    said += [f"{same:,} of {counted(len(examples), 'text')} unchanged."] if same else []
    said += [f"{counted(made.emptied, 'text')} would have been empty: kept as before."] if made.emptied else []
    given = [repr(made_by.name), *([f"column={column!r}"] if column != "text" and not examples.image else [])]
    given += [f"severity={severity}", f"seed={seed}", *(["keep=..."] if keep is not None else [])]
    step = f".corrupt({', '.join(given)})"
    return replace(
        copied, slices=examples.slices, steps=(*examples.steps, step), notes=(*examples.notes, " ".join(said))
    )


def check_column(frame: "pd.DataFrame", column: str) -> None:
    """Raise where a column of examples holds no texts to corrupt."""
    if column in ("example", "choices", "label", "group", "cluster"):
        raise UsageError(
            f"The column {column!r} is what an answer is held against or told apart by; it is not corrupted."
        )
    if column not in frame.columns:
        raise unknown("column of the examples", column, frame.columns)
    wrong = next((value for value in frame[column] if not isinstance(value, str)), None)
    if wrong is not None:
        raise DataError(f"The column {column!r} holds {wrong!r}, which is no text. Name a column of texts.")


def _check(made: Any, texts: Sequence[str], name: str) -> None:
    """Raise `DataError` where a person's own corruption does not give what it must."""
    if len(made.texts) != len(texts) or len(made.edits) != len(texts):
        raise DataError(
            f"The corruption {name!r} gave {len(made.texts)} texts for {len(texts)}. It must give one for each."
        )
