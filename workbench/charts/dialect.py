"""Charts of the probe `dialect`: what the model associates with the speakers of one variety rather than the other."""

from typing import TYPE_CHECKING, Any

from workbench.charts._forest import forest
from workbench.frames import METRIC_COLUMNS, require

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["association", "relative_association"]

GROUP = "group="


def association(metrics: "pd.DataFrame") -> Any:
    """Return the association of each attribute with the first variety.

    A dot is an attribute: the mean over text pairs of its log p after the first variety (AAE) minus that after the second (SAE),
    with the 95 % interval. Right of zero the model finds it likelier of a speaker of the first variety. If all dots lie on one
    side, one variety makes every word likelier: read the relative association instead.

    Args:
        metrics: metric, group, value, low, high, n, method; a group "group=lazy" is the attribute lazy.

    >>> import pandas as pd
    >>> line = {"metric": "association", "value": 0.2, "low": 0.1, "high": 0.3, "n": 50, "method": "t"}
    >>> association(pd.DataFrame([{**line, "group": "group=lazy"}])).to_dict()["title"]["text"]
    'Association with the first variety'
    """
    return _drawn(metrics, "association", "Association with the first variety")


def relative_association(metrics: "pd.DataFrame") -> Any:
    """Return the association of each attribute, less the mean over all attributes of the list.

    A dot is an attribute: its association with the first variety (AAE) minus the mean association of the whole list in the same
    texts, with the 95 % interval over text pairs. It says which attributes gain more than the others, and adds up to zero.

    Args:
        metrics: metric, group, value, low, high, n, method; a group "group=lazy" is the attribute lazy.

    >>> import pandas as pd
    >>> line = {"metric": "relative_association", "value": 0.2, "low": 0.1, "high": 0.3, "n": 50, "method": "t"}
    >>> relative_association(pd.DataFrame([{**line, "group": "group=lazy"}])).to_dict()["title"]["text"]
    'Relative association with the first variety'
    """
    return _drawn(metrics, "relative_association", "Relative association with the first variety")


def _drawn(metrics: "pd.DataFrame", metric: str, title: str) -> Any:
    require(metrics, METRIC_COLUMNS, what="A chart of associations", remedy="Build it with metrics_frame.")
    some = metrics[(metrics["metric"] == metric) & metrics["group"].str.startswith(GROUP)]
    table = some.assign(label=some["group"].str.removeprefix(GROUP))
    return forest(table, title=title, axis="log p after AAE minus log p after SAE (nats)")
