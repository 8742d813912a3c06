"""The bundle of Vega, and the linked charts in a browser."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from charts import chart_checks as checks

from workbench.charts import bundle, linked

CHROMIUM = shutil.which("chromium")
PAGE = """async ([source, specs]) => {
  const vega = window.vega_ = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  window.charts = {}; window.seen = {};
  for (const [name, spec] of Object.entries(specs)) {
    const place = document.body.appendChild(document.createElement("div"));
    place.id = name; place.style.width = "380px";
    charts[name] = await vega.embed(place, spec);
    charts[name].view.addSignalListener("brush", (_, value) => { seen[name] = value; });
  }
  return Object.keys(vega).sort();
}"""
CHANGE = """async rows => {
  const view = charts.reliability.view;
  await view.change("shown", vega_.changeset(view).remove(() => true).insert(rows)).runAsync();
  return [view.data("shown").length, view.data("all").length, view.signal("brush")];
}"""


def test_the_bundle_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second call reads the file; a folder that cannot be written is no error."""
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    first = bundle.vega_bundle()

    assert [bundle.bundle_path()] == list((tmp_path / "vega").iterdir())
    assert 500_000 < len(first) < 1_500_000
    bundle.bundle_path().write_text("kept")
    assert bundle.vega_bundle() == "kept"
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "file"))
    assert first == bundle.vega_bundle()


@pytest.mark.browser
def test_linked_charts_can_be_brushed_and_changed(
    browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A drag over each chart gives its brush in data units, new rows replace "shown", names are text, nothing is loaded."""
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    rows = json.loads(checks.bins().drop(columns="group").to_json(orient="records"))
    specs = {
        "reliability": linked.reliability(rows),
        "histogram": linked.histogram(rows, title="Confidence", domain=(0, 1)),
        "categories": linked.categories(
            [{"category": c, "n": 3} for c in ("a", checks.ATTACK, "c")], title=checks.ATTACK
        ),
        "risk": linked.risk_coverage(json.loads(checks.curve().to_json(orient="records"))),
    }
    noticed: list[str] = []

    page = browser.new_page(viewport={"width": 420, "height": 900})
    page.on("pageerror", lambda error: noticed.append(str(error)))
    page.on("console", lambda message: noticed.append(message.text))
    page.on("request", lambda request: noticed.append(request.url) if request.url.startswith("http") else None)
    page.set_content("<body style='margin:0'></body>")
    exports = page.evaluate(PAGE, [bundle.vega_bundle(), specs])
    for name in specs:
        drag(page, name)
    seen: dict[str, Any] = page.evaluate("seen")
    left, kept, brush = page.evaluate(CHANGE, rows[:2])
    attacked = page.evaluate("window.__xss")
    page.close()

    assert exports == ["changeset", "embed", "vegaEmbed"]
    assert noticed == []
    assert attacked is None
    for name, field in (("reliability", "lower"), ("histogram", "lower"), ("risk", "coverage")):
        low, high = seen[name][field]
        assert 0.3 < low < 0.45
        assert 0.6 < high < 0.75
    assert checks.ATTACK in seen["categories"]["category"]
    assert (left, kept) == (2, len(rows))
    assert brush == seen["reliability"]


def drag(page: Any, name: str) -> None:
    """Drag from 45 % to 70 % of a chart's width, from 30 % to 60 % of its height."""
    box = page.query_selector(f"#{name} canvas").bounding_box()
    page.mouse.move(box["x"] + 0.45 * box["width"], box["y"] + 0.3 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.6 * box["height"], steps=5)
    page.mouse.up()
    page.wait_for_timeout(100)
