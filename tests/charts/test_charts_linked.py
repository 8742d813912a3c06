"""Specs of the explorer's charts."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from charts import chart_checks as checks

from workbench.charts import linked

CURVE = json.loads(checks.curve().to_json(orient="records"))
BINS = json.loads(checks.small_bins().drop(columns="group").to_json(orient="records"))
NAMES = [{"category": "law", "n": 3}, {"category": checks.ATTACK.removesuffix("\u202e"), "n": 5}]  # as the page has it
SPECS: dict[str, Callable[..., dict[str, Any]]] = {
    "linked_reliability": lambda **more: linked.reliability(BINS, **more),
    "linked_histogram": lambda **more: linked.histogram(BINS, title="Confidence", **more),
    "linked_categories": lambda **more: linked.categories(NAMES, title="domain", **more),
    "linked_risk_coverage": lambda **more: linked.risk_coverage(CURVE, **more),
}
POINTS = [
    {"line": name, "place": s, "value": 0.9 - s / 9, "low": 0.8 - s / 9, "high": 1 - s / 9, "n": 9}
    for name in "ab"
    for s in (0, 3)
]
SPECS["linked_curves"] = lambda **more: linked.curves(
    POINTS, title="Severity", ends=(0, 3), what="Accuracy", lines=["a", "b"], **more
)
EACH = pytest.mark.parametrize("name", SPECS)


@EACH
def test_the_spec_is_the_stored_one(name: str) -> None:
    """The spec of a small table equals the copy that was looked at."""
    checks.check_reference(name, SPECS[name]())


@EACH
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_theme_draws_without_a_warning(name: str, theme: str, capfd: Any) -> None:
    """Vega-Lite has nothing to say against the spec."""
    checks.draw(SPECS[name](theme=theme), capfd, theme)


@EACH
def test_the_contract_of_the_explorer_holds(name: str) -> None:
    """Two named data sets, one brush, a width that follows the element, and a ground on which a brush can start."""
    spec = SPECS[name]()
    brushes = [param for layer in spec["layer"] for param in layer.get("params", [])]

    assert spec["datasets"]["all"] == spec["datasets"]["shown"]
    assert [brush["name"] for brush in brushes] == ["brush"]
    assert spec["width"] == "container"
    assert spec["config"]["view"]["fill"] == "transparent"


@EACH
def test_a_theme_changes_the_config_alone(name: str) -> None:
    """Colours stand in the config, so that a view can change its theme by it."""
    light, dark = SPECS[name](theme="light"), SPECS[name](theme="dark")

    assert light.pop("config") != dark.pop("config")
    assert light == dark


@pytest.mark.parametrize(
    "spec", [linked.reliability([]), linked.histogram([], title="x"), linked.categories([], title="x")]
)
def test_no_rows_are_drawn(spec: dict[str, Any], capfd: Any) -> None:
    """A view may start empty."""
    checks.draw(spec, capfd)


def test_null_fields_are_not_drawn(capfd: Any) -> None:
    """A bin without a null band or interval has a bar and a dot alone."""
    rows = [{**row, "low": None, "high": None, "null_low": None, "null_high": None} for row in BINS]
    assert "<path" in checks.draw(linked.reliability(rows), capfd)


def test_lines_of_curves_keep_their_colours() -> None:
    """All names are the domain of colours, whichever rows are shown; one line needs no legend."""
    two = linked.curves([], title="Severity", ends=(0, 5), what="Accuracy", lines=["keyboard", "swap"])
    one = linked.curves([], title="Severity", ends=(0, 5), what="Accuracy", lines=["keyboard"])
    colour = two["layer"][-1]["encoding"]["color"]

    assert ["keyboard", "swap"] == colour["scale"]["domain"]
    assert colour["legend"] is not None
    assert one["layer"][-1]["encoding"]["color"]["legend"] is None
