"""One row asked again: the examples behind it, made of the rows of its example alone, by which another text can be asked.

Each probe says in `again` which columns of its rows are the example; what several of them need stands here.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from workbench.errors import NotApplicable
from workbench.probes.protocol import Again

if TYPE_CHECKING:
    import pandas as pd

    from workbench.data.examples import Examples

__all__ = ["choice_again", "example_of", "same_variant"]


def example_of(
    rows: "pd.DataFrame", columns: Iterable[str], data: Mapping[str, Any], more: Mapping[str, Any] | None = None
) -> "Examples":
    """Return the one example of the first row: its id, those of the columns that it has, and `more`, which wins.

    >>> import pandas as pd
    >>> rows = pd.DataFrame([{"example": "a", "variant": "", "text": "one", "score": 0.2}])
    >>> example_of(rows, ["text", "label"], {"name": "made"}, {"label": "x"}).frame.columns.tolist()
    ['example', 'text', 'label']
    """
    import pandas as pd

    from workbench.data.examples import Examples

    row = rows.iloc[0]
    record = {name: row[name] for name in columns if name in rows.columns} | dict(more or {})
    frame = pd.DataFrame([{"example": str(row["example"]), **record}])
    return Examples(frame, name=str(data.get("name", "examples")), slices=())


def same_variant(rows: "pd.DataFrame") -> "Callable[[pd.DataFrame], pd.Series[Any]]":
    """Return what picks the row of the same variant, of an example that has several."""
    variant = str(rows["variant"].iloc[0])

    def picked(found: "pd.DataFrame") -> "pd.Series[Any]":
        return found[found["variant"] == variant].iloc[0]

    return picked


def choice_again(rows: "pd.DataFrame", columns: Iterable[str], data: Mapping[str, Any]) -> Again:
    """Return the multiple-choice question of a row, with its own choices and label, and further columns."""
    row = rows.iloc[0]
    if row.get("choices") is None or int(row["label_index"]) < 0:
        raise NotApplicable("this row keeps no choices to ask about.")
    asked = {"choices": list(row["choices"]), "label": int(row["label_index"])}
    return Again(example_of(rows, ["text", *columns], data, asked))
