"""What the page is told of a report once, and the static picture that stays when the kernel is gone."""

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from workbench.views._fields import Field
from workbench.views._rows import Column
from workbench.views._temperature import HIGHEST, LOWEST

if TYPE_CHECKING:
    from workbench.reports import Report

__all__ = ["METRICS", "about", "static_html"]

METRICS = {  # the metrics that the page shows, in this order, and their words
    "accuracy": "Accuracy",
    "mean_confidence": "Mean confidence",
    "confidence_gap": "Confidence gap",
    "ece": "ECE, binned",
    "smooth_ece": "ECE, smooth",
    "l2_debiased": "L2, debiased",
    "brier": "Brier score",
    "nll": "NLL (nats)",
    "auroc": "AUROC of confidence",
    "aurc": "Area under risk-coverage",
}
# JupyterLab writes an error where a widget's model is gone. The picture above it says more, so that line is left out.
STYLE = """<style>
.jp-OutputArea-child:has(.workbench-static) + .jp-OutputArea-child .jupyter-widgets:not(:has(*)) { display: none; }
</style>"""


def about(report: "Report", fields: Sequence[Field], columns: Sequence[Column], why_not: str) -> dict[str, Any]:
    """Return what the page needs besides the bytes: fields, columns, chart specs of both themes, and words."""
    from dataclasses import asdict

    from workbench.charts import how_to_read, linked, theme

    specs = {
        "reliability": _without_x_title(linked.reliability([], height=270)),
        "histogram": linked.histogram([], title="Confidence", domain=(0.0, 1.0), height=84),
        "risk_coverage": linked.risk_coverage([], height=196),
    }
    captions = {
        "reliability": how_to_read("linked_reliability"),
        "histogram": how_to_read("histogram"),
        "risk_coverage": how_to_read("linked_risk_coverage"),
    }
    themes = ("light", "dark")
    return {
        "key": f"wb-{secrets.token_hex(6)}",  # names the view in the page
        "title": report.title,
        "rows": len(fields[0].codes),
        "fields": [field.for_page() for field in fields],
        "columns": [column._asdict() for column in columns],
        "specs": specs,
        "captions": captions,
        "configs": {name: theme.config(name) for name in themes},
        "palettes": {name: asdict(theme.palette(name)) for name in themes},
        "metrics": [[key, words] for key, words in METRICS.items()],
        "temperature": {"why_not": why_not, "low": LOWEST, "high": HIGHEST},
        "held_out": int((report.rows["half"] != "explore").sum()),
    }


def _without_x_title(spec: dict[str, Any]) -> dict[str, Any]:
    """Return a spec whose x axis has no title: the histogram below it has the same axis, and says it."""
    for layer in spec["layer"]:
        layer["encoding"]["x"]["title"] = None
    return spec


def static_html(report: "Report") -> str:
    """Return the report's own picture (escaped, no script), marked so that a living view can hide it."""
    return f'<div class="workbench-static">{STYLE}{report._repr_html_()}</div>'
