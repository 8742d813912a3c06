"""Names that come from users, in specs that may stand inside a page.

Altair's default display writes the spec into a `<script>` element as it is, so that a group named `</script><script>...` would
run (checked in JupyterLab 4.6 and nbconvert). No `<` of a name is therefore written into a spec: data carry a stand-in, which a
transform turns back inside Vega, and titles become expressions with the character escaped.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from workbench._text import legible

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["data_of", "plain", "records", "restore", "title_of"]

LONGEST = 120  # characters of a name in a chart; longer ones take seconds to draw and cannot be read
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
STAND_IN = "\ue03c"  # private use; no font draws it, no name should hold it


def plain(value: Any) -> Any:
    r"""Return a value that JSON can hold: numpy numbers as Python's, what is not finite as None, `<` as its stand-in.

    >>> plain(float("nan")), plain("a<b") == "a\ue03cb"
    (None, True)
    """
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return _drawable(value).replace("<", STAND_IN) if isinstance(value, str) else value


def _drawable(text: str) -> str:
    """Return a text that SVG can hold: control characters and halves of characters as U+FFFD, at most `LONGEST` characters.

    Those that turn the direction of writing are written out: an axis's label, a tooltip and a title say more than the name.

    vl-convert 1.9 aborts the whole process on a character that XML does not allow.
    """
    text = legible(text)
    cut = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    return NOT_XML.sub("\ufffd", cut)


def records(frame: "pd.DataFrame", columns: Iterable[str]) -> list[dict[str, Any]]:
    """Return the named columns that the frame has, as JSON-ready lines."""
    kept = [name for name in columns if name in frame.columns]
    lines = zip(*(frame[name].tolist() for name in kept), strict=True)
    return [{name: plain(value) for name, value in zip(kept, line, strict=True)} for line in lines]


def data_of(frame: "pd.DataFrame", columns: Iterable[str]) -> Any:
    """Return the frame as Altair's inline data; it passes by any data transformer that the user has set."""
    import altair as alt

    return alt.InlineData(values=records(frame, columns))


def restore(chart: Any, field: str, names: Iterable[Any]) -> Any:
    """Return the chart with the stand-in in `field` turned back inside Vega, where one of the names needs it."""
    if not any("<" in str(name) for name in names):
        return chart
    expression = f"replace(datum[{field!r}], regexp('{STAND_IN}', 'g'), '\\x3c')"
    return chart.transform_calculate(**{field: expression})


def title_of(text: str, **more: Any) -> Mapping[str, Any]:
    r"""Return a Vega-Lite title; one with `<` is written as an expression that holds none.

    >>> title_of("a < b")
    {'text': {'expr': '"a \\u003c b"'}}
    """
    text = legible(text)
    safe = {"expr": json.dumps(text).replace("<", "\\u003c")} if "<" in text else text
    return {"text": safe, **more}
