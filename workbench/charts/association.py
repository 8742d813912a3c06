"""Charts of associations: effect sizes by test, and where each target word lies."""

from typing import TYPE_CHECKING, Any

from workbench.charts._safe import data_of, restore, title_of
from workbench.charts.metrics import metric_bars
from workbench.charts.theme import configure
from workbench.frames import require

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["effect_sizes", "target_dots"]

WIDTH, ROW = 290, 17  # pixels
MOST = 12  # tests drawn as dots
READ_EFFECTS = (
    "A dot is the effect size d of a test and its line the 95 % interval, over other words for targets and attributes; right of "
    "the solid line the first targets lie nearer to the first attributes, as the test supposes. |d| is at most 2 for large sets. "
    "An interval across the line does not show that there is no association."
)
READ_DOTS = (
    "A tick is a target word: how much nearer it lies to the first attributes than to the second, as a difference of mean cosines. "
    "Blue words are the test's first set, orange ones its second. Where the two rows of a test hardly overlap, the effect size is "
    "large; zero itself means nothing."
)


def effect_sizes(metrics: "pd.DataFrame") -> Any:
    """Return the effect size of each test, a forest plot.

    A dot is the effect size d of a test and its line the 95 % interval; the solid line is no association. What lies to the right is
    as the test supposes.

    Args:
        metrics: metric, group, value, low, high, n, method, as the probe `association` makes them.

    >>> import pandas as pd
    >>> line = {"metric": "effect_size", "group": "all", "value": 0.8, "low": 0.1, "high": 1.4, "n": 16, "method": "jackknife"}
    >>> effect_sizes(pd.DataFrame([line])).to_dict()["title"]["text"]
    'Effect size'
    """
    chart = metric_bars(metrics, "effect_size", reference=0.0, meaning="no association")
    chart.description = READ_EFFECTS
    return chart


def target_dots(targets: "pd.DataFrame", tests: "pd.DataFrame") -> Any:
    """Return where the target words of each test lie between the attributes.

    A tick is a target word: how much nearer it lies to the first attributes than to the second (difference of mean cosines). Blue
    is the test's first set, orange its second. The 12 tests with the largest effects are drawn.

    Args:
        targets: test, set (targ1, targ2), category, association; one line per word. No words are drawn.
        tests: test, effect_size: which tests are drawn, and in which order.

    >>> import pandas as pd
    >>> words = pd.DataFrame({"test": "a", "set": ["targ1", "targ2"], "category": ["x", "y"], "association": [0.1, 0.2]})
    >>> target_dots(words, pd.DataFrame({"test": ["a"], "effect_size": [1.0]})).to_dict()["title"]["text"]
    'Association of each target word'
    """
    import altair as alt

    require(
        targets, ("test", "set", "category", "association"), what="A chart of targets", remedy="The probe makes it."
    )
    size = tests.set_index("test")["effect_size"].abs().fillna(-1.0).sort_values(ascending=False, kind="stable")
    shown = list(size.index[:MOST])
    drawn = targets[targets["test"].isin(shown)]
    place = {test: i for i, test in enumerate(shown)}
    single = len(shown) == 1
    label = (
        drawn["category"].astype(str) if single else drawn["test"].astype(str) + ": " + drawn["category"].astype(str)
    )
    order = drawn["test"].map(place) * 2 + (drawn["set"] != "targ1").astype(int)
    drawn = drawn.assign(label=label, order=order)
    axis = alt.Axis(labelLimit=300, title=None, grid=True, labelPadding=8)
    y = alt.Y("label:N", sort=alt.SortField("order"), axis=axis)
    x = alt.X(
        "association:Q",
        title="Mean cosine with the first minus the second attributes",
        scale=alt.Scale(zero=False),
        axis=alt.Axis(tickCount=5, grid=False),
    )
    layers = []
    for part, style in ((drawn[drawn["set"] == "targ1"], "wb-point"), (drawn[drawn["set"] != "targ1"], "wb-wrong")):
        base = restore(alt.Chart(data_of(part, ("label", "order", "association"))), "label", part["label"])
        tooltip = [alt.Tooltip("label:N", title="set"), alt.Tooltip("association:Q", format=".4f")]
        ticks = base.mark_tick(style=style, thickness=2, size=12, opacity=0.75)
        layers.append(ticks.encode(x=x, y=y, tooltip=tooltip))
    note = {"subtitle": f"the {MOST} largest effects of {len(tests)} tests"} if len(tests) > MOST else {}
    title = title_of("Association of each target word", **note)
    chart = alt.layer(*layers).properties(width=WIDTH, height=alt.Step(ROW), title=title, description=READ_DOTS)
    return configure(chart)
