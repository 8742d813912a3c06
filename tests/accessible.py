"""What can be checked of a page's accessibility: by axe-core, and by rules of our own."""

import json
from importlib.resources import files
from typing import Any

__all__ = ["accessible"]

SOURCE = files("axe_playwright_python") / "axe.min.js"  # axe-core, MPL-2.0, as the test dependency carries it
LEAST = 5  # rules that apply to any of our views: fewer would mean that axe looked at nothing
AXE = """async scope => {
  const found = await axe.run(scope, { resultTypes: ["violations"] });
  const told = found.violations.map(v => [v.impact, v.id, v.nodes.length, v.nodes.slice(0, 4).map(n => n.html.slice(0, 240))]);
  return [found.passes.length, told];
}"""
OWN_RULES = """scope => {
  const root = document.querySelector(scope), seen = e => e.getClientRects().length > 0, wrong = [];
  const named = e => e.getAttribute("aria-label") || e.labels?.length || e.textContent.trim() || e.title;
  for (const e of root.querySelectorAll("button, select, input, summary, [role=progressbar], [role=meter], [role=group]"))
    if (seen(e) && !named(e)) wrong.push(["no name", e.outerHTML.slice(0, 160)]);
  const ids = [...root.querySelectorAll("[id]")].map(e => e.id);
  for (const id of ids) if (document.querySelectorAll(`[id="${CSS.escape(id)}"]`).length > 1) wrong.push(["id twice", id]);
  for (const e of root.querySelectorAll("[aria-describedby]"))
    if (!document.getElementById(e.getAttribute("aria-describedby"))) wrong.push(["described by nothing", e.id]);
  const rgb = text => text.match(/[\\d.]+/g).map((v, k) => (text.startsWith("color(") && k < 3 ? 255 * v : Number(v)));
  const light = c => { const [r, g, b] = c.map(v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] === 1) return c; } return [255, 255, 255]; };
  for (const e of root.querySelectorAll("*")) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || !seen(e) || e.closest(":disabled") || e.matches("option, optgroup")) continue;
    const [a, b] = [light(rgb(getComputedStyle(e).color).slice(0, 3)), light(ground(e).slice(0, 3))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) wrong.push([`contrast ${ratio.toFixed(2)}`, e.outerHTML.slice(0, 160)]);
  }
  return wrong;
}"""


def accessible(page: Any, scope: str) -> None:
    """Fail where names, ids or contrast are wrong by our own rules, or axe finds a serious violation in the first such element."""
    wrong = page.evaluate(OWN_RULES, scope)
    assert wrong == [], f"{scope}: {json.dumps(wrong, indent=1)}"
    page.evaluate(SOURCE.read_text(encoding="utf-8"))
    passed, found = page.evaluate(AXE, scope)
    serious = [one for one in found if one[0] in ("serious", "critical")]
    assert serious == [], f"{scope}: {json.dumps(serious, indent=1)}"
    assert passed >= LEAST, scope
