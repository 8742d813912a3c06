// The explorer: lays out the views of one store and repaints them together.

const STORES = Symbol.for("workbench.stores");

function storeOf(model) { return (globalThis[STORES] ??= new Map()).get(model.get("about").key); }

function initialize({ model }) {
  const stores = (globalThis[STORES] ??= new Map()), key = model.get("about").key, store = new Store(model);
  stores.set(key, store);
  return () => { store.dispose(); if (stores.get(key) === store) stores.delete(key); };
}

function applyPalette(el, about, theme) {
  for (const [role, colour] of Object.entries(about.palettes[theme])) el.style.setProperty(`--wb-${role}`, colour);
  el.dataset.theme = theme;
}

async function render({ model, el }) {
  const store = storeOf(model), { about } = store;
  const headline = new Headline(store), charts = new Charts(store, model), slices = new Slices(store), map = about.map ? new TermMap(store) : null;
  const metrics = new Metrics(store), temperature = store.calibrated ? new Temperature(store) : null, grid = new Grid(store);
  const [first, ...further] = charts.panels;
  const parts = [headline.host, first, slices.host, ...further, map?.host, metrics.host, temperature?.host, grid.host].filter(Boolean);
  const root = div("workbench-explorer", [div(`wb-layout wb-of-${first ? about.kind : "outcomes"}${map ? " wb-mapped" : ""}${about.curve ? " wb-curved" : ""}`, parts)]);
  if (about.held_out) root.append(element("p", { class: "wb-caption", text: `${whole.format(about.held_out)} examples are held out and not shown.` }));
  applyPalette(root, about, themeNow());
  el.replaceChildren(root);

  let painting = null, again = false;
  const repaint = async () => {                        // one repaint at a time, and one more for what came meanwhile
    headline.paint();
    slices.paint();
    map?.paint();
    metrics.stale();
    temperature?.paint();
    if (painting) { again = true; return; }
    do {
      again = false;
      painting = charts.drawn ? charts.paint() : Promise.resolve();
      await painting;
    } while (again);
    painting = null;
    root.dataset.painted = String(Number(root.dataset.painted ?? 0) + 1);
  };
  const heard = (what, message) => {
    if (what === "view") grid.view();
    else if (what === "rows") grid.arrived();
    else if (what === "metrics" || what === "late") { metrics.paint(); temperature?.paint(); }
    else if (what === "detail") grid.read(message);
    else if (what === "problem") headline.paint();
    else repaint();
  };
  const forget = store.subscribe(heard);
  const unwatch = watchTheme(theme => { applyPalette(root, about, theme); charts.count(); charts.draw(theme); });
  headline.paint();
  if (store.window) { grid.view(); metrics.paint(); }
  store.start();
  try {
    await charts.draw(themeNow());
  } catch (error) {
    root.prepend(element("p", { class: "wb-problem", role: "alert", text: `The charts cannot be drawn: ${error.message}` }));
  }
  repaint();
  root.dataset.ready = "true";
  return () => { forget(); unwatch(); for (const part of [charts, headline, metrics, grid]) part.dispose(); };
}

export default { initialize, render };
