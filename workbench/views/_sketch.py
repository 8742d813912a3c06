"""What a page shows of a report that is not finished: a few metrics with their intervals, and how they came to be there."""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from workbench.reports import Report

__all__ = ["grown", "lines"]

MOST_LINES = 6
DRAWS = 200  # random draws behind nulls and bootstraps, which the method of a metric says: a look is not the result
MOST_POINTS = 40  # of the path that a metric took
CONFIDENCE = (
    "accuracy",
    "confidence",
    "confidence_gap",
    "smooth_ece",
    "brier",
    "auroc",
)  # where a probe names no headline


def lines(report: "Report") -> list[dict[str, Any]]:
    """Return the overall metrics that a person looks at first: words, value, interval, n and method, as JSON.

    >>> import pandas as pd
    >>> from workbench import from_predictions
    >>> frame = pd.DataFrame({"confidence": [0.9, 0.4], "correct": [1, 0]})
    >>> [line["words"] for line in lines(from_predictions(frame))][:2]
    ['Accuracy', 'Mean confidence']
    """
    from workbench._format import is_null, metric_parts
    from workbench.charts.metrics import metric_title

    quick = {"draws": DRAWS} if report.options.get("draws", 0) > DRAWS else {}
    overall = report.with_options(by=(), **quick)
    found = overall.metrics
    whole = found[found["group"] == "all"] if (found["group"] == "all").any() else found
    names = set(whole["metric"])
    wanted = [name for name in (report.headline or CONFIDENCE) if name in names] or list(dict.fromkeys(whole["metric"]))
    shown = []
    for name in wanted:
        for row in whole[whole["metric"] == name].to_dict("records")[: 1 if len(wanted) > 2 else MOST_LINES]:
            said, interval = metric_parts(row["value"], row["low"], row["high"], str(row["method"]))
            group = "" if row["group"] == "all" else f", {row['group']}"
            numbers = {key: float(row[key]) if np.isfinite(row[key]) else None for key in ("value", "low", "high")}
            told = {"said": said, "interval": interval, "n": int(row["n"]), "method": str(row["method"])}
            shown.append({"words": metric_title(name) + group, "null": is_null(str(row["method"])), **told, **numbers})
    return shown[:MOST_LINES]


def grown(trail: list[dict[str, Any]], done: int, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the path of the metrics with one more point, thinned where it grows long.

    >>> [point["n"] for point in grown([{"n": 5, "at": []}], 9, [])]
    [5, 9]
    """
    point = {"n": done, "at": [[line["value"], line["low"], line["high"]] for line in found]}
    kept = [one for one in trail if len(one["at"]) == len(found) and one["n"] < done]
    return [*(kept if len(kept) < MOST_POINTS else kept[::2]), point]
