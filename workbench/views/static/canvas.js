// The canvas: panes of several reports beside each other, one line of tools above them, one table of examples below.

/** The examples of one report at a time, chosen by tabs. */
class Tables {
  constructor(panes) {
    this.panes = panes;
    this.tabs = panes.map(({ store }, k) => element("button", { type: "button", role: "tab", class: "wb-tab", text: titleOf(store), title: titleOf(store),
      onclick: () => this.show(k), onkeydown: event => this.key(event, k) }));
    this.list = div("wb-tabs", this.tabs, { role: "tablist", "aria-label": "Examples of" });
    this.host = div("wb-tables", [this.list, ...panes.map(({ grid }) => grid.host)]);
    this.show(0);
  }

  show(k) {
    this.panes.forEach(({ grid }, j) => { grid.host.hidden = j !== k; });
    this.tabs.forEach((tab, j) => { tab.setAttribute("aria-selected", String(j === k)); tab.tabIndex = j === k ? 0 : -1; });
  }

  key(event, k) {
    const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!way) return;
    const next = (k + way + this.tabs.length) % this.tabs.length;
    this.show(next);
    this.tabs[next].focus();
    event.preventDefault();
    event.stopPropagation();
  }
}

/** What is selected over all reports, and the tools. */
class Bar {
  constructor(link, stores) {
    this.link = link;
    this.tools = new Tools(stores[0], { clear: () => link.clear(), brushed: () => stores.some(store => store.brushed) });
    this.n = span("wb-value", "");
    this.note = span("wb-note", "");
    this.said = element("div", { role: "status", "aria-live": "polite", class: "wb-said" });
    this.host = element("header", { class: "wb-bar" }, [div("wb-tile wb-tile-linked", [span("wb-label", "Examples selected"), this.n, this.note]), this.tools.host, this.said]);
    this.paint();
  }

  paint() {
    const { link } = this, brushed = [...link.stores].filter(store => store.brushed).length;
    this.n.textContent = whole.format(link.selected);
    this.note.textContent = `of ${whole.format(link.examples)} in ${link.stores.size} reports${brushed > 1 ? `, brushed in ${brushed}` : ""}`;
    this.tools.paint();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.said.textContent = `${whole.format(link.selected)} of ${whole.format(link.examples)} examples selected in ${link.stores.size} reports, brushed in ${brushed}.`;
    }, SAY_AFTER);
  }

  dispose() { clearTimeout(this.timer); }
}

/** Leave a caption where it stands first; elsewhere the panel's heading has it as a tooltip. */
function sayOnce(root) {
  const said = new Set();
  for (const caption of root.querySelectorAll(".wb-panes .wb-caption")) {
    if (!said.has(caption.textContent)) { said.add(caption.textContent); continue; }
    caption.parentElement.querySelector(".wb-title")?.setAttribute("title", caption.textContent);
    caption.remove();
  }
}

async function renderCanvas({ model, el }) {
  const ids = model.get("explorers").map(id => id.replace("IPY_MODEL_", ""));
  const models = await Promise.all(ids.map(id => model.widget_manager.get_model(id)));
  const stores = models.map(storeOf), [{ link, about }] = stores;
  const panes = stores.map((store, k) => new Pane(store, models[k], { shared: true }));
  const bar = new Bar(link, stores), tables = new Tables(panes);
  const compare = model.get("about").compare ? [new Agreement(stores[0], stores[1]), new Differences(stores[0], model)] : [];
  const root = div("workbench-explorer workbench-canvas", [bar.host, compare.length ? div("wb-compare", compare.map(one => one.host)) : null, div("wb-panes", panes.map(pane => pane.root)), tables.host]);
  for (const pane of panes) for (const one of [...pane.root.querySelectorAll(".wb-panel"), pane.grid.host]) one.setAttribute("aria-label", `${one.getAttribute("aria-label")}, ${titleOf(pane.store)}`);
  sayOnce(root);
  applyPalette(root, about, themeNow());
  el.replaceChildren(root);
  const paint = () => { bar.paint(); for (const one of compare) one.paint(); };
  link.listeners.add(paint);
  const forget = stores[0].subscribe(what => { if (what === "saved" || what === "findings") bar.tools.list(); else if (what === "ways") bar.paint(); });
  const unwatch = watchTheme(theme => applyPalette(root, about, theme)), unbind = undoKeys(root, stores[0]);
  await Promise.all(panes.map(pane => pane.start()));
  root.dataset.ready = "true";
  return () => { link.listeners.delete(paint); for (const one of [bar, ...compare]) one.dispose(); forget(); unwatch(); unbind(); for (const pane of panes) pane.dispose(); };
}

const canvas = { render: renderCanvas };
