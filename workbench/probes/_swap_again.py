"""A row of the probe `swap` asked again: its text, and of a variant its original beside it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import NotApplicable
from workbench.probes._again import example_of
from workbench.probes.protocol import Again

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["swap_again"]


def swap_again(rows: "pd.DataFrame", options: Mapping[str, Any], data: Mapping[str, Any]) -> Again:
    """Return the text of a row of the probe `swap`, and of a variant its original beside it; nothing is swapped anew.

    The score is that of the row's text; value and flip are against the original, which is asked now as well.
    """
    import pandas as pd

    if options["ask"] in ("auto", "choice") and not options["answers"] and data.get("kind") == "choice":
        raise NotApplicable("the rows of this report keep no choices of its questions to ask about.")
    given = example_of(rows, ["text"], data)
    originals = rows[rows["variant"] == ""]
    if rows["variant"].iloc[0] and not len(originals):
        raise NotApplicable("the original of this variant is not among the rows.")
    if not rows["variant"].iloc[0]:
        return Again(given, {"most": 0}, lambda found: found.iloc[0].drop(["original_score", "change"]))
    beside = pd.DataFrame([{"example": f"{rows['example'].iloc[0]}, original", "text": originals["text"].iloc[0]}])
    both = replace(given, _frame=pd.concat([given.frame, beside], ignore_index=True))
    return Again(both, {"most": 0}, _against_original)


def _against_original(found: "pd.DataFrame") -> "pd.Series[Any]":
    """Return the first row beside the second, its original."""
    row, original = found.iloc[0].drop("change"), found.iloc[1]
    row["original_score"], row["value"] = original["score"], row["score"] - original["score"]
    both = row["predicted"] and original["predicted"]
    row["flipped"] = float(row["predicted"] != original["predicted"]) if both else np.nan
    return row
