"""The example behind a row of the calibration probe, made of the row alone, so that it can be asked again with another text."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workbench.errors import NotApplicable

if TYPE_CHECKING:
    import pandas as pd

    from workbench.data.examples import Examples

__all__ = ["examples_again"]


def examples_again(rows: "pd.DataFrame", options: Mapping[str, Any], data: Mapping[str, Any]) -> "Examples":
    """Return the one example of a row: its text, its choices or classes as they are, and its label.

    `data` is what the run record says of the examples. Raises `NotApplicable` for rows of tokens, and for inputs that were no
    texts.

    >>> import pandas as pd
    >>> row = {"example": "a", "variant": "", "text": "2 + 2?", "label": "4", "label_index": 1, "choices": ["3", "4"]}
    >>> examples_again(pd.DataFrame([row]), {"answer": "auto"}, {"kind": "choice"}).frame["label"].tolist()
    [1]
    """
    from workbench.data.examples import Examples

    row = rows.iloc[0]
    kind = data.get("kind") if options["answer"] == "auto" else options["answer"]
    if str(row["variant"]).startswith("token ") or kind in ("token", "text"):
        raise NotApplicable("a row of this report is one token, and no row keeps the whole text.")
    if data.get("features"):
        raise NotApplicable("the model was given features or images, not a text that could be edited.")
    record: dict[str, Any] = {"example": str(row["example"]), "text": row["text"]}
    if kind == "class":
        record["label"] = str(row["label"])
    elif row.get("choices") is None or int(row["label_index"]) < 0:
        raise NotApplicable("this row keeps no choices to ask about.")
    else:
        record |= {"choices": list(row["choices"]), "label": int(row["label_index"])}
    return Examples(_framed(record), name=str(data.get("name", "examples")), slices=())


def _framed(record: Mapping[str, Any]) -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame([record])
