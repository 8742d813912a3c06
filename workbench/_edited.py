"""What is kept with a report beside its rows: edits of examples that were asked, and how its explorer was left.

That is where the line of an abstention or a decision stands, and at which temperature.

No metric rests on it. Files from before it was kept have none.
"""

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FIRST", "LAST", "Edited", "answers_of", "edited_of"]

FIRST, LAST = ("time", "example", "variant"), ("model", "weights_hash", "seconds")  # columns of every edit
OLD, NEW = "_old", "_new"


@dataclass
class Edited:
    """Edits of examples that were asked, oldest first; where the line of an abstention or a decision stands, if it does; and T."""

    edits: list[dict[str, Any]] = field(default_factory=list)
    line: float | None = None
    temperature: float = 1.0

    @property
    def told(self) -> dict[str, float]:
        """What a saved report says of line and temperature; nothing where all is as the model has it.

        >>> Edited(line=0.7, temperature=1.5).told, Edited().told
        ({'line': 0.7, 'temperature': 1.5}, {})
        """
        line = {} if self.line is None else {"line": self.line}
        return line if self.temperature == 1 else {**line, "temperature": self.temperature}

    def frame(self, rows: "pd.DataFrame | None" = None, texts: tuple[str, ...] = ()) -> "pd.DataFrame":
        """Return the edits as a table, those of the examples of some rows; `texts` are its columns where there is no edit yet.

        >>> Edited([{"time": "now", "example": "a", "predicted_old": "x", "predicted_new": "y"}]).frame()["predicted_new"].tolist()
        ['y']
        """
        import pandas as pd

        lines = list(self.edits)
        if lines and rows is not None:
            known = set(rows["example"])
            lines = [line for line in lines if line["example"] in known]
        return pd.DataFrame(lines) if lines else pd.DataFrame(columns=[*FIRST, *texts, *LAST])

    def to_store(self, rows: "pd.DataFrame") -> "pd.DataFrame":
        """Return the edits of the examples of some rows with one type a column: one that holds a text holds texts alone."""
        frame = self.frame(rows)
        for name in frame.columns:
            if any(isinstance(value, str) for value in frame[name]):
                frame[name] = [None if _blank(value) else str(value) for value in frame[name]]
        return frame


def edited_of(about: dict[str, Any], edits: "pd.DataFrame | None") -> Edited:
    """Return what a saved report holds of it; no number from 0 to 1 is no line, none above 0 is T = 1, no examples no edits.

    >>> kept = edited_of({"line": 0.7, "temperature": 1.5}, None)
    >>> kept.line, kept.temperature, edited_of({}, None).line, edited_of({"line": "here"}, None).line
    (0.7, 1.5, None, None)
    """
    line, heat = _number(about.get("line")), _number(about.get("temperature"))
    lines = [] if edits is None or "example" not in edits else edits.to_dict("records")
    return Edited(
        [{str(name): value for name, value in one.items()} for one in lines],
        line if line is not None and line <= 1 else None,
        heat if heat else 1.0,
    )


def _number(value: Any) -> float | None:
    """Return a finite number from 0 on, None for anything else."""
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < math.inf
    return float(value) if good else None


def answers_of(edits: "pd.DataFrame") -> list[str]:
    """Return the names of the answers that edits hold before and after, in their order.

    >>> import pandas as pd
    >>> answers_of(pd.DataFrame(columns=["text", "predicted_old", "predicted_new", "seconds"]))
    ['predicted']
    """
    names = [str(name) for name in edits.columns]
    found = [name.removesuffix(OLD) for name in names if name.endswith(OLD)]
    return [name for name in found if f"{name}{NEW}" in names]


def _blank(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
