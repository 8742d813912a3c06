"""What the page is told of a report once, and the static picture that stays when the kernel is gone."""

import contextvars
import dataclasses
import secrets
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench._text import escape
from workbench.views._lens import Lens
from workbench.views._live import begin
from workbench.views._temperature import HIGHEST, LOWEST

if TYPE_CHECKING:
    import pandas as pd

    from workbench.probes.protocol import View
    from workbench.reports import Report

__all__ = ["about", "line_of", "paired", "part_of", "saved", "show_with_picture", "static_html"]

LINE = 52  # characters of a line of an axis title
MANY = 200_000  # rows from which numbers and pictures take seconds: they are made beside the cells
MARKED = " ○, ✓ and × say that a slice was looked at by itself, and what became of it on the half not seen."
NOTICED = 1.05  # a design effect that is worth a sentence
# JupyterLab writes an error where a widget's model is gone. The picture above it says more, so that line is left out.
STYLE = """<style>
.jp-OutputArea-child:has(.workbench-static) + .jp-OutputArea-child .jupyter-widgets:not(:has(*)) { display: none; }
</style>"""


def about(report: "Report", lens: Lens) -> dict[str, Any]:
    """Return what the page needs besides the bytes: fields, columns, chart specs, the colours of both themes, and words."""
    unit = "examples" if report.explored["example"].is_unique else "rows"
    own = _of_confidence(lens) if lens.view is None else _of_view(lens, lens.view, unit)
    held = int((report.rows["half"] != "explore").sum())
    own["captions"]["slices"] += MARKED if held else ""
    return {
        "key": f"wb-{secrets.token_hex(6)}",  # names the view in the page
        "title": report.title,
        "rows": len(lens.value),
        "unit": unit,
        "fields": [field.for_page() for field in lens.fields],
        "columns": [column._asdict() for column in lens.columns],
        "effect": lens.effect._asdict(),
        **themes_for_page(),
        "temperature": {"why_not": lens.why_not, "low": LOWEST, "high": HIGHEST},
        "held_out": held,
        **own,
    }


def themes_for_page() -> dict[str, Any]:
    """Return the colours of both themes, for Vega (`configs`) and for the page (`palettes`)."""
    from workbench.charts import theme

    themes = ("light", "dark")
    return {
        "configs": {name: theme.config(name) for name in themes},
        "palettes": {name: dataclasses.asdict(theme.palette(name)) for name in themes},
    }


def _of_confidence(lens: Lens) -> dict[str, Any]:
    """Return charts, panels and words of confidences and correct answers."""
    from workbench.charts import how_to_read, linked

    resemble = _resemble(lens)
    charts = {
        "reliability": _without_x_title(linked.with_line(linked.reliability([], height=270))),
        "histogram": linked.with_line(linked.histogram([], title="Confidence", domain=(0.0, 1.0), height=84)),
        "risk_coverage": linked.with_line(linked.risk_coverage([], height=196)),
    }
    read = {name: how_to_read(name if name == "histogram" else f"linked_{name}") for name in charts}
    labels = {"reliability": "Reliability diagram", "histogram": "Histogram of confidence"}
    labels["risk_coverage"] = "Risk-coverage curve"
    together = f"{read['reliability']} {read['histogram']} A chart is not filtered by its own brush.{resemble}"
    return {
        "kind": "calibration",
        "charts": [
            {
                "name": name,
                "spec": spec,
                "label": f"{labels[name]}. {read[name]}",
                "field": int(name == "risk_coverage"),
            }
            for name, spec in charts.items()
        ],
        "panels": [
            {
                "name": "wb-calibration",
                "title": "Reliability",
                "charts": ["reliability", "histogram"],
                "caption": together,
                "brush": {"label": "Confidence", "low": 0, "high": 1, "step": 0.05},
            },
            {
                "name": "wb-risk",
                "title": "Risk and coverage",
                "charts": ["risk_coverage"],
                "caption": read["risk_coverage"],
                "brush": {"label": "Coverage", "low": 0, "high": 1, "step": 0.05},
            },
        ],
        "tiles": [["n", "Selected"], ["rate", "Accuracy"], ["mean", "Mean confidence"], ["ece", "ECE"]],
        "rate": {"said": "Accuracy", "short": "hit rate", "reference": None},
        "missing": "without confidence or outcome",
        "captions": {
            "slices": "A bar counts the examples of a slice: grey for all, coloured for those selected. The dot and line are "
            "their hit rate with its 95 % interval, the upright tick their mean confidence. Click to select, "
            f"shift-click for a run.{resemble}",
            "metrics": "Computed by the kernel for the selection, as stated (T = 1). A binned ECE has no interval; by chance "
            "alone, 95 % of calibrated models reach up to the number beside it.",
        },
    }


def _of_view(lens: Lens, view: "View", unit: str) -> dict[str, Any]:
    """Return chart, panel and words of a value and an outcome."""
    from workbench.charts import linked

    field = lens.fields[0]
    edges = field.edges
    valued = bool((field.codes < field.bins).any()) and not _says_outcome(lens)
    spec = linked.histogram([], title=view.title, domain=(float(edges[0]), float(edges[-1])), height=216)
    for layer in spec["layer"]:
        layer["encoding"]["y"]["title"] = unit.capitalize()
        layer["encoding"]["x"]["title"] = _lines(view.title)
    spec = linked.with_line(spec) if view.truth else spec
    curve = _curve(lens, view)
    none = int((field.codes == field.bins).sum())
    read = f"A bar counts the {unit} of a bin: grey for all, coloured for those selected."
    read += f" {none:,} {unit} have no value and are in no bar." if none else ""
    line = "" if view.reference is None else f", the upright line a model without bias ({100 * view.reference:g} %)"
    return {
        "kind": "view",
        "charts": [
            *curve["charts"],
            *(
                [{"name": "distribution", "spec": spec, "label": f"Histogram of {view.title}. {read}", "field": 0}]
                if valued
                else []
            ),
        ],
        "curve": curve["about"],
        "panels": curve["panels"]
        + [
            {
                "name": "wb-distribution-panel",
                "title": lens.heading,
                "charts": ["distribution"],
                "caption": f"{read} A chart is not filtered by its own brush.",
                "brush": {
                    "label": "Value",
                    "low": float(edges[0]),
                    "high": float(edges[-1]),
                    "step": float(f"{edges[1] - edges[0]:.6g}"),
                },
            }
        ]
        if valued
        else curve["panels"],
        "tiles": [["n", "Selected"], ["rate", view.rate], *([["mean", lens.mean_words]] if valued else [])],
        "rate": {"said": view.rate, "short": view.rate, "reference": view.reference},
        "missing": "with neither outcome",
        "captions": {
            "slices": f"A bar counts the {unit} of a slice: grey for all, coloured for those selected. Dot and line are "
            f"“{view.rate}” in it, with the 95 % interval{line}. Click to select, shift-click for a run."
            f"{_resemble(lens)}",
            "metrics": "Computed by the kernel for the selection. Point at a line to read how its interval was made.",
        },
        "map": None if lens.map is None else lens.map.for_page(unit),
    }


def _says_outcome(lens: Lens) -> bool:
    """Return whether the value is the outcome itself: a loss of 0 or 1, of which a histogram would say nothing more."""
    return bool(np.array_equal(lens.value, lens.outcome, equal_nan=True))


def _lines(title: str) -> list[str]:
    """Return an axis title in as few lines as there must be, of about one length.

    >>> _lines("Rank among in-distribution examples (0 is the least usual)")
    ['Rank among in-distribution', 'examples (0 is the least usual)']
    """
    fewest = len(textwrap.wrap(title, LINE))
    return next(
        lines for wide in range(LINE // 2, LINE + 1) if len(lines := textwrap.wrap(title, wide)) <= max(1, fewest)
    )


def _curve(lens: Lens, view: "View") -> dict[str, Any]:
    """Return chart, panel and words of the view's curve, empty where it has none."""
    from workbench.charts import how_to_read, linked

    if lens.points is None:
        return {"charts": [], "panels": [], "about": None}
    field = lens.fields[1]
    ends = (float(field.edges.min()), float(field.edges.max()))
    named = field.title[:1].upper() + field.title[1:]
    lines = [label for label in dict.fromkeys(field.labels) if label]
    what = lens.mean_words if view.mean else view.rate
    spec = linked.curves([], title=named, ends=ends, what=what, lines=lines)
    read = how_to_read("linked_curves")
    return {
        "charts": [{"name": "curve", "spec": spec, "label": f"{what} by {field.title}. {read}", "field": 1}],
        "about": {"effect": lens.points._asdict(), "mean": view.mean},
        "panels": [
            {
                "name": "wb-curve-panel",
                "title": f"{what} by {field.title}",
                "charts": ["curve"],
                "caption": f"{read} A chart is not filtered by its own brush.",
                "brush": {"label": named, "low": ends[0], "high": ends[1], "step": 1},
            }
        ],
    }


def _resemble(lens: Lens) -> str:
    """Return the sentence about rows that resemble each other, "" where they do not."""
    if lens.effect.effect < NOTICED:
        return ""
    return (
        f" Rows of one cluster resemble each other: intervals here count {lens.effect.effect:.1f} rows as one "
        "(the design effect of all rows)."
    )


def _without_x_title(spec: dict[str, Any]) -> dict[str, Any]:
    """Return a spec whose x axis has no title: the histogram below it has the same axis, and says it."""
    for layer in spec["layer"]:
        layer["encoding"]["x"]["title"] = None
    return spec


def static_html(*reports: Any) -> str:
    """Return the own pictures of reports or a comparison (escaped, no script), marked so that a living view can hide them."""
    return _still("".join(report._repr_html_() for report in reports))


def _still(html: str) -> str:
    return f'<div class="workbench-static">{STYLE}{html}</div>'


def paired(bundle: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a widget gives for its display as data and metadata."""
    if bundle is None:
        return {}, {}
    return bundle if isinstance(bundle, tuple) else (bundle, {})


def show_with_picture(widget: Any, bundle: Any, *reports: Any, rows: int = 0) -> None:
    """Show a static picture, then the view: the picture is hidden while the view lives, and stays in the notebook.

    JupyterLab shows no other form of an output whose widget is gone, only an error; so the picture is an output of its own. That
    of many rows follows when it is made, in a thread: the cell does not wait for it.
    """
    from IPython.display import display

    data, meta = paired(bundle)
    words = {"text/plain": repr(widget)}
    if rows <= MANY:
        display({"text/html": static_html(*reports), **words}, raw=True)
    else:
        place, said = (
            f"wb-{secrets.token_hex(6)}",
            f"{widget!r}. The numbers and charts follow here when they are made.",
        )
        display({"text/html": _still(f"<p>{escape(said)}</p>"), **words}, raw=True, display_id=place)
        make = contextvars.copy_context().run  # the thread's messages belong to this cell
        begin(make, _follow, place, words, reports, name="workbench-picture")
    display({**data, **words}, metadata=meta, raw=True)


def _follow(place: str, words: dict[str, str], reports: tuple[Any, ...]) -> None:
    """Make the picture of reports, and put it in its place."""
    from IPython.display import update_display

    try:
        html = static_html(*reports)
    except Exception as error:  # shown in the notebook: nobody reads a thread's traceback
        html = _still(f"<p>{escape(f'The picture could not be made: {type(error).__name__}: {error}')}</p>")
    update_display({"text/html": html, **words}, display_id=place, raw=True)


def part_of(report: "Report", lens: Lens, rows: "pd.DataFrame") -> "Report":
    """Return the report of some of its rows, without its slices.

    It equals `report.where(ids)` where an example has one row, spares the second's set of ids at 1e5 rows, and takes the very
    rows that are selected where an example has several (tokens of a text).
    """
    brief = dict(lens.view.brief) if lens.view is not None else {}
    overall: Any = report.with_options(by=(), **brief)
    part: Report = dataclasses.replace(overall, rows=rows, stored={}, _look=None)  # the explorer logs it
    return part


def saved(report: "Report") -> list[list[Any]]:
    """Return the name and the number of examples of each named selection, the latest of a name."""
    lines = report.selections
    kept = lines[lines["name"] != ""].drop_duplicates("name", keep="last")
    return [[name, len(examples)] for name, examples in zip(kept["name"], kept["examples"], strict=True)]


def line_of(words: str, row: dict[Any, Any]) -> dict[str, Any]:
    """Return one metric as JSON: NaN is null; without words it is not shown."""
    numbers = {key: None if not np.isfinite(row[key]) else float(row[key]) for key in ("value", "low", "high")}
    return {"metric": str(row["metric"]), "words": words, "n": int(row["n"]), "method": str(row["method"]), **numbers}
