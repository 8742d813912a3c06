// Vega: loaded once per page from the shared carrier, drawn again when the theme changes, disposed with the view.

/** The bundle's exports { embed, changeset }. */
const loadVega = model => carried(model, "source");

/** "dark" or "light": what JupyterLab says, else what the system says. */
function themeNow() {
  const said = document.body.dataset.jpThemeLight;
  if (said) return said === "false" ? "dark" : "light";
  if (document.body.classList.contains("vscode-dark")) return "dark";
  return document.body.classList.contains("vscode-light") || !matchMedia("(prefers-color-scheme: dark)").matches ? "light" : "dark";
}

function watchTheme(listener) {
  let last = themeNow();
  const check = () => { const now = themeNow(); if (now !== last) { last = now; listener(now); } };
  const observer = new MutationObserver(check), media = matchMedia("(prefers-color-scheme: dark)");
  observer.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name", "class"] });
  media.addEventListener("change", check);
  return () => { observer.disconnect(); media.removeEventListener("change", check); };
}

/**
 * Wait, a second at most, until a host has a width: while JupyterLab changes its theme everything is 0 wide for a moment, too
 * short for a ResizeObserver to tell.
 */
async function settled(host) {
  for (let tries = 0; tries < 20 && !host.clientWidth; tries++) await new Promise(go => setTimeout(go, 50));
}

/** One linked chart: a spec over the data "all" and "shown", whose brush along x reports [low, high] or null. */
class Chart {
  constructor(host, { spec, field, label, onBrush }) {
    Object.assign(this, { host, spec, field, onBrush, ready: null, result: null, moving: false, placing: 0 });
    host.setAttribute("role", "img");
    host.setAttribute("aria-label", label);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(host);
    this.up = () => { if (this.moving) { this.moving = false; this.place(this.range); } };
    window.addEventListener("pointerup", this.up);
  }

  async draw(vega, about, theme, data) {
    this.vega = vega;
    const spec = structuredClone(this.spec), colours = about.palettes[theme];
    spec.config = about.configs[theme];
    spec.datasets = data;
    for (const layer of spec.layer) {
      for (const param of layer.params ?? []) {
        param.select.zoom = false;                   // the wheel scrolls the notebook
        param.select.mark = { fill: colours.ink, fillOpacity: 0.09, stroke: colours.muted, strokeOpacity: 0.7, cursor: "move" };
      }
    }
    const mount = div("wb-mount");                     // each drawing has an element of its own: an overtaken one cannot clear it
    this.result?.finalize();
    this.result = this.view = null;
    this.host.replaceChildren(mount);
    this.moving = false;                               // no hand holds what is not there
    await settled(this.host);
    if (this.host.firstChild !== mount || this.gone) return;
    const result = await vega.embed(mount, spec);
    if (this.host.firstChild !== mount || this.gone) { result.finalize(); return; }
    this.result = result;
    this.view = result.view;
    this.width = this.view.signal("width");            // 0 where the page was hidden meanwhile: resize() mends it
    this.view.addSignalListener("brush", (_, value) => {
      if (this.placing) return;
      const range = value?.[this.field] ?? null;
      const going = this.moving;
      this.moving = true;
      this.onBrush(range && [Math.min(...range), Math.max(...range)], going);
    });
    await this.resize();
    await this.place(this.range ?? null);
  }

  /** Exchange the rows of a data set. */
  update(name, rows) {
    if (!this.view) return;
    this.view.change(name, this.vega.changeset(this.view).remove(() => true).insert(rows));
  }

  /** Put the brush at [low, high] in data units, null to lift it; while a hand drags, only remember it. */
  async place(range) {
    this.range = range;
    if (!this.view || this.moving) return;
    const scale = this.view.scale("x"), at = range ? range.map(value => scale(value)) : [0, 0];
    const now = this.view.signal("brush_x");
    if (now.length === 2 && Math.abs(now[0] - at[0]) < 0.5 && Math.abs(now[1] - at[1]) < 0.5) return;
    if (!now.length && !range) return;
    this.view.signal("brush_x", at);
    await this.quietly(this.view);
  }

  /** Run the view; a brush that changes meanwhile is not a hand's. Runs overlap while the page changes its width. */
  async quietly(view) {
    this.placing++;
    try { await view.runAsync(); } finally { this.placing--; }
  }

  run() { return this.view?.runAsync(); }

  async resize() {
    const width = this.host.clientWidth;
    if (!this.view || !width || width === this.width) return;
    this.width = width;
    await this.quietly(this.view.width(width));
    await this.place(this.range ?? null);
  }

  dispose() {
    this.gone = true;
    this.observer.disconnect();
    window.removeEventListener("pointerup", this.up);
    this.result?.finalize();
    this.result = this.view = null;
  }
}
