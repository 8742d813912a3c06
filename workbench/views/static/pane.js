// One report's views, laid out and repainted together: an explorer alone, or one of several on a canvas.

function applyPalette(el, about, theme) {
  for (const [role, colour] of Object.entries(about.palettes[theme])) el.style.setProperty(`--wb-${role}`, colour);
  el.dataset.theme = theme;
}

class Pane {
  /** shared: whether tools and table stand elsewhere, for several reports. */
  constructor(store, model, { shared = false } = {}) {
    const { about } = store;
    Object.assign(this, { store, model, shared, painting: null, again: false });
    this.tools = shared ? null : new Tools(store, { clear: () => store.clear(), brushed: () => store.brushed });
    this.headline = new Headline(store, this.tools);
    this.charts = new Charts(store, model);
    this.slices = new Slices(store);
    this.map = about.map ? new TermMap(store) : null;
    this.metrics = new Metrics(store);
    const heat = store.calibrated && !(shared && about.temperature.why_not);
    this.temperature = heat ? new Temperature(store) : null;
    this.cut = about.cut ? new CutPanel(store) : null;
    this.grid = new Grid(store);
    const [first, ...further] = this.charts.panels;
    const parts = [this.headline.host, first, this.slices.host, ...further, this.map?.host, this.metrics.host, this.temperature?.host, this.cut?.host, shared ? null : this.grid.host];
    const kind = `${shared && !heat ? "wb-cool " : ""}wb-of-${first ? about.kind : "outcomes"}${this.map ? " wb-mapped" : ""}${about.curve ? " wb-curved" : ""}${about.cut?.kind === "decide" ? " wb-deciding" : ""}`;
    this.root = element("div", { class: "workbench-explorer" }, [div(`wb-layout ${kind}`, parts.filter(Boolean))]);
    if (about.held_out) this.root.append(element("p", { class: "wb-caption", text: `${whole.format(about.held_out)} examples are held out and not shown.` }));
    applyPalette(this.root, about, themeNow());
  }

  /** Draw, when the root stands in the page. */
  async start() {
    const { store } = this;
    this.forget = store.subscribe((what, message) => this.heard(what, message));
    this.unwatch = watchTheme(theme => { applyPalette(this.root, store.about, theme); this.charts.count(); this.charts.draw(theme); });
    this.unbind = this.shared ? () => {} : undoKeys(this.root, store);
    this.headline.paint();
    if (store.window) { this.grid.view(); this.metrics.paint(); }
    store.start();
    try {
      await this.charts.draw(themeNow());
    } catch (error) {
      this.root.prepend(element("p", { class: "wb-problem", role: "alert", text: `The charts cannot be drawn: ${error.message}` }));
    }
    this.repaint();
    this.root.dataset.ready = "true";
  }

  /** One repaint at a time, and one more for what came meanwhile. */
  async repaint() {
    this.headline.paint();
    this.slices.paint();
    this.map?.paint();
    this.metrics.stale();
    this.temperature?.paint();
    this.cut?.paint();
    if (this.painting) { this.again = true; return; }
    do {
      this.again = false;
      this.painting = this.charts.drawn ? this.charts.paint() : Promise.resolve();
      await this.painting;
    } while (this.again);
    this.painting = null;
    this.root.dataset.painted = String(Number(this.root.dataset.painted ?? 0) + 1);
  }

  heard(what, message) {
    if (what === "view") this.grid.view();
    else if (what === "rows") this.grid.arrived();
    else if (what === "metrics" || what === "late") { this.metrics.paint(); this.temperature?.paint(); this.headline.paint(); }
    else if (what === "cut") this.cut?.paint();
    else if (what === "detail") this.grid.read(message);
    else if (what === "tokens") this.grid.spell(message);
    else if (TOLD.has(what)) this.grid.tell(what, message);
    else if (what === "problem") this.headline.paint();
    else if (what === "ways") this.tools?.paint();
    else if (what === "saved") this.tools?.list();
    else if (what === "findings") this.found();
    else if (what === "confirmed") this.headline.confirming.heard(message);
    else if (what === "edits") this.grid.edits.paint();
    else this.repaint();
  }

  /** What was looked at or tested, here or in a cell: lists and marks. */
  found() {
    this.tools?.list();
    this.headline.confirming.list();
    this.headline.confirming.paint();
    this.slices.found();
  }

  dispose() {
    this.forget?.();
    this.unwatch?.();
    this.unbind?.();
    for (const part of [this.charts, this.headline, this.metrics, this.grid]) part.dispose();
  }
}
