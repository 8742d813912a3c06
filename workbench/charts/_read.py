"""How to read a chart: the second paragraph of its function's docstring."""

import inspect
from collections.abc import Callable
from typing import Any

from workbench.charts import (
    bbq,
    calibration,
    confirm,
    dialect,
    groups,
    linked,
    metrics,
    occupations,
    pairs,
    robustness,
    specification,
    terms,
)
from workbench.errors import unknown

__all__ = ["how_to_read"]

CHARTS: dict[str, Callable[..., Any]] = {
    "reliability": calibration.reliability,
    "confidence_histogram": calibration.confidence_histogram,
    "risk_coverage": calibration.risk_coverage,
    "metric_bars": metrics.metric_bars,
    "share_scatter": occupations.share_scatter,
    "overstatement": occupations.overstatement,
    "rates_side_by_side": groups.rates_side_by_side,
    "differences_between_groups": groups.differences_between_groups,
    "association": dialect.association,
    "relative_association": dialect.relative_association,
    "linked_reliability": linked.reliability,
    "linked_risk_coverage": linked.risk_coverage,
    "linked_curves": linked.curves,
    "histogram": linked.histogram,
    "categories": linked.categories,
    "explored_and_confirmed": confirm.explored_and_confirmed,
    "effective_robustness": robustness.effective_robustness,
    "specification_curve": specification.specification_curve,
    "bias_and_accuracy": bbq.bias_and_accuracy,
    "differences": pairs.difference_histogram,
    "scatter": pairs.pair_scatter,
    "terms": terms.term_map,
}


def how_to_read(name: str) -> str:
    """Return one or two sentences that explain every mark of a chart; "..._by_slice" is read like `metric_bars`.

    >>> how_to_read("categories")
    'A bar is a category and its length a number of examples: grey for all, coloured for those selected.'
    """
    chart = CHARTS["metric_bars"] if name.endswith("_by_slice") else CHARTS.get(name)
    if chart is None:
        raise unknown("chart", name, CHARTS)
    return " ".join(inspect.getdoc(chart).split("\n\n")[1].split())  # type: ignore[union-attr]  # each has a docstring
