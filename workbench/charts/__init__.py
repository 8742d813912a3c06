"""Charts: frame in, `altair.Chart` out, and static pictures of them.

`calibration`, `groups`, `metrics` and `sweep` draw aggregated tables; `linked` gives plain Vega-Lite dicts over named data for the
explorer; `theme` holds every colour (marks name a style, the theme fills it in, so that a chart changes theme by its config alone);
`static` makes SVG and PNG without a network, and `bundle` the JavaScript that the explorer shares. Altair costs seconds to
import: it is imported inside functions only. Each chart's docstring says how to read every mark; `how_to_read` returns it.
"""

from workbench.charts._quick import defer
from workbench.charts._read import how_to_read
from workbench.charts.calibration import confidence_histogram, reliability, risk_coverage
from workbench.charts.groups import differences_between_groups, rates_side_by_side
from workbench.charts.metrics import metric_bars
from workbench.charts.static import png, svg
from workbench.charts.theme import configure, palette

defer()  # before any chart imports Altair

__all__ = [
    "confidence_histogram",
    "configure",
    "differences_between_groups",
    "how_to_read",
    "metric_bars",
    "palette",
    "png",
    "rates_side_by_side",
    "reliability",
    "risk_coverage",
    "svg",
]
