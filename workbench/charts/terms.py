"""The map of target terms: how well the model knows what makes sense, against which way it leans."""

from typing import TYPE_CHECKING, Any

from workbench.charts._safe import data_of, restore, title_of
from workbench.charts.theme import configure
from workbench.frames import require

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["term_map"]

WIDTH, HEIGHT = 290, 230  # pixels


def term_map(terms: "pd.DataFrame", setting: str = "") -> Any:
    """Return LMS against SS, one dot per target term.

    Right of the dashed line the model prefers the stereotypes of a term more often than not; the higher a dot, the more often it
    prefers what makes sense. The best place is the middle of the upper edge. A dot's area grows with the term's examples; with few
    of them it lies far out by chance alone.

    Args:
        terms: target, n, lms, ss (shares in [0, 1]).
        setting: which examples these are, for the title.

    >>> import pandas as pd
    >>> chart = term_map(pd.DataFrame({"target": ["nurse"], "n": [26], "lms": [0.9], "ss": [0.6]}), "intrasentence")
    >>> chart.to_dict()["title"]["text"]
    '1 target term, intrasentence'
    """
    import altair as alt

    require(terms, ("target", "n", "lms", "ss"), what="A map of terms", remedy="The probe stereoset makes it.")
    axis = alt.Axis(values=[0, 0.25, 0.5, 0.75, 1], format=".2f")
    scale = alt.Scale(domain=[-0.02, 1.02], nice=False)
    x = alt.X("ss:Q", title="SS: prefers the stereotype", scale=scale, axis=axis)
    y = alt.Y("lms:Q", title="LMS: prefers what makes sense", scale=scale, axis=axis)
    most = int(terms["n"].max()) if len(terms) else 1
    size = alt.Size("n:Q", scale=alt.Scale(domain=[0, most], range=[0, 70]), legend=None)
    numbers = [alt.Tooltip(f"{name}:Q", title=name.upper(), format=".2f") for name in ("ss", "lms")]
    tooltip = [alt.Tooltip("target:N", title="term"), *numbers, alt.Tooltip("n:Q", format=",")]
    base = restore(alt.Chart(data_of(terms, ("target", "n", "lms", "ss"))), "target", terms["target"])
    dots = base.mark_point(style="wb-point", fillOpacity=0.7).encode(x=x, y=y, size=size, tooltip=tooltip)
    half = alt.Chart(alt.InlineData(values=[{"ss": 0.5}])).mark_rule(style="wb-reference").encode(x=x)
    name = f"{len(terms)} target term{'s' * (len(terms) != 1)}{f', {setting}' if setting else ''}"
    chart = alt.layer(half, dots).properties(width=WIDTH, height=HEIGHT, title=title_of(name))
    return configure(chart)
