"""The probe `shift` on two tables of predictions: the probabilities that were stored, the texts, or the columns."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.data.examples import Examples
from workbench.errors import DataError, UsageError, unknown
from workbench.frames import example_ids, require
from workbench.models.verbs import Classes, ModelInfo, NoModel, Silent
from workbench.probes._prompts import softmax
from workbench.probes._shift_rows import rows_of
from workbench.probes.protocol import Scored

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["stored_rows"]

WORDS = ("text", "label", "example", "variant", "cluster", "group", "probabilities", "logits")
WAYS = ("tokens", "columns", "softmax")
NEVER = ("choices", "logits", "probabilities", "half", "value", "trial")  # of predictions, no column to compare


class Stored:
    """Class probabilities that were stored, as a classifier gives them: of the rows of both sets, in their order."""

    name = "predictions"
    verbs = frozenset({"classify"})
    info = ModelInfo("predictions", "predictions")

    def __init__(self, probabilities: np.ndarray) -> None:
        self.probabilities = probabilities

    def classify(self, inputs: Sequence[Any], *, monitor: Any = None) -> Classes:
        """Return the stored probabilities (n, K), whatever the inputs."""
        del monitor
        labels = tuple(f"class {k}" for k in range(self.probabilities.shape[1]))
        return Classes(labels, self.probabilities, None, np.ones(len(inputs), dtype=bool))


def stored_rows(frame: Any, columns: Mapping[str, Any], by: Sequence[str], options: Mapping[str, Any]) -> Scored:
    """Return the rows of the probe for a table of new predictions and one of reference, or one table and `split`."""
    import pandas as pd

    way = options["on"]
    if way not in WAYS:
        raise UsageError(
            f"Predictions hold no vectors for on={way!r}. Name what they hold: on='tokens' (texts), on='columns' or "
            "on='softmax' (probabilities or logits)."
        )
    for word in columns:
        if word not in WORDS:
            raise unknown("argument of from_predictions", word, WORDS)
    named = {word: columns.get(word, word) for word in WORDS}
    tables = _sets(pd.DataFrame(frame), options)
    examples = [
        _examples(table, name, named, by, way) for table, name in zip(tables, ("reference", "new"), strict=True)
    ]
    model: Any = (
        Stored(np.concatenate([_probabilities(table, named) for table in tables])) if way == "softmax" else NoModel()
    )
    asked = {**options, "reference": examples[0], "split": None}
    return rows_of(model, examples[1], asked, Silent())


def _sets(table: "pd.DataFrame", options: Mapping[str, Any]) -> "tuple[pd.DataFrame, pd.DataFrame]":
    """Return the tables of the reference and of the new predictions."""
    import pandas as pd

    reference, split = options["reference"], options["split"]
    if reference is None:
        raise UsageError(
            "The probe 'shift' compares two sets. Give the other table with reference=..., or split='column' and reference='value'."
        )
    if split is None:
        reference = getattr(reference, "frame", reference)
        if isinstance(reference, str):
            raise UsageError(
                f"reference={reference!r} is no table of predictions. With split='column' it is a value of it."
            )
        return pd.DataFrame(reference).reset_index(drop=True), table.reset_index(drop=True)
    require(table, [split], what="The probe 'shift'", remedy="Name the column that tells the sets apart in split=.")
    before = table[split].astype(str) == str(reference)
    if not before.any() or before.all():
        raise DataError(
            f"{int(before.sum())} of {len(table)} rows have {split}={reference!r}; some must, and some not."
        )
    return table[before].reset_index(drop=True), table[~before].reset_index(drop=True)


def _examples(table: "pd.DataFrame", name: str, named: Mapping[str, Any], by: Sequence[str], way: str) -> Examples:
    """Return a table of predictions as examples: their texts or columns, without choices and numbers per choice."""
    import pandas as pd

    if not len(table):
        raise DataError(f"The table of the {name} predictions is empty.")
    require(table, by, what="Slicing", remedy="Name columns of both tables in by=[...].")
    made: dict[str, Any] = {}
    ids = table[named["example"]].astype(str) if named["example"] in table else None
    if ids is None:
        made["example"] = example_ids([{str(k): str(v) for k, v in row.items()} for row in table.to_dict("records")])
    else:
        variants = table[named["variant"]].fillna("").astype(str) if named["variant"] in table else [""] * len(table)
        made["example"] = [f"{one} ({more})" if more else one for one, more in zip(ids, variants, strict=True)]
    for word in ("text", "cluster", "group"):
        if named[word] in table:
            made[word] = table[named[word]].astype(str).tolist()
    taken = {*named.values(), *NEVER} - {named["label"]}
    others = [column for column in table.columns if str(column) not in taken and column not in made]
    for column in others:
        values = table[column]
        if values.map(lambda one: isinstance(one, (list, dict, tuple, np.ndarray))).any():
            continue
        made["label_given" if column == "label" else str(column)] = values.tolist()
    plain = pd.DataFrame(made).infer_objects()
    own = ("example", "cluster", "group")
    features = () if "text" in made else tuple(str(column) for column in plain if column not in own)
    if way == "softmax" and not features and "text" not in made:
        plain, features = plain.assign(row=np.arange(len(plain))), ("row",)
    return Examples(plain, name=name, slices=tuple(name for name in by if name in plain), features=features)


def _probabilities(table: "pd.DataFrame", named: Mapping[str, Any]) -> np.ndarray:
    """Return the stored probabilities (n, K) of one table."""
    kind = next((word for word in ("logits", "probabilities") if _there(table, named[word])), None)
    if kind is None:
        have = ", ".join(map(str, table.columns))
        raise DataError(
            f"on='softmax' needs probabilities or logits; this table has {have}. Name them with probabilities=."
        )
    column = named[kind]
    lists = table[list(column)].to_numpy() if isinstance(column, (list, tuple)) else table[column].tolist()
    if len({len(row) if hasattr(row, "__len__") else -1 for row in lists}) != 1:
        raise DataError(
            f"The rows of {column!r} are not all lists of one length: on='softmax' compares shared classes."
        )
    values = np.asarray([list(row) for row in lists], dtype=np.float64)
    return softmax(values) if kind == "logits" else values


def _there(table: "pd.DataFrame", name: Any) -> bool:
    return all(one in table for one in name) if isinstance(name, (list, tuple)) else name in table
