"""The bundle of Vega, and the linked charts in a browser."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import vl_convert
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


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[str]]:
    """Make the bundle in an empty cache; return it, and the files that are there then."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_CACHE", str(folder))
        source = bundle.vega_bundle()
        assert bundle.bundle_path().read_text(encoding="utf-8") == source
    return source, [path.name for path in (folder / "vega").iterdir()]


def test_the_bundle_is_made_once(made: tuple[str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is one file, which the next call reads; a folder that cannot be written is no error."""
    source, files = made
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))

    assert files == [bundle.bundle_path().name]
    assert 500_000 < len(source) < 1_500_000
    bundle.bundle_path().parent.mkdir()
    bundle.bundle_path().write_text("kept")
    assert bundle.vega_bundle() == "kept"
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "file"))
    monkeypatch.setattr(vl_convert, "javascript_bundle", lambda *args, **kwargs: "made again")
    assert bundle.vega_bundle() == "made again"


@pytest.mark.browser
def test_linked_charts_can_be_brushed_and_changed(browser: Any, made: tuple[str, list[str]]) -> None:
    """A drag over each chart gives its brush in data units, new rows replace "shown", names are text, nothing is loaded."""
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
    exports = page.evaluate(PAGE, [made[0], specs])
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
