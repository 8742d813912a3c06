// The link of the stores of several reports on the same examples: what one selects, all others follow, in one repaint.

const LINKS = Symbol.for("workbench.links");

/** The link of a store, one for all stores of one key. */
function linkOf(store) {
  const links = (globalThis[LINKS] ??= new Map()), { key, examples } = store.about.link;
  if (!links.has(key)) links.set(key, new Link(key, examples));
  return links.get(key);
}

class Link {
  constructor(key, examples) {
    this.key = key;
    this.examples = examples;               // 0 where a report stands alone: there is nobody to follow
    this.serial = 0;
    this.stores = new Set();
    this.pending = new Map();
    this.listeners = new Set();
  }

  join(store) {
    this.stores.add(store);
    this.cubes = new Cubes(this, null);
    if (this.stores.size > 1) this.changed(store, "counts");       // what it has brushed, a page that was loaded again knows only now
  }

  leave(store) {
    this.stores.delete(store);
    this.pending.delete(store);
    this.cubes = new Cubes(this, null);
    if (this.stores.size) return;
    cancelAnimationFrame(this.frame);
    if (globalThis[LINKS].get(this.key) === this) globalThis[LINKS].delete(this.key);
  }

  /** The examples that pass the brushes of each other store that has one. */
  others(store) { return [...this.stores].flatMap(other => (other !== store && other.passes ? [other.passes] : [])); }

  /** How many examples pass all brushes. */
  get selected() { return this.cubes.selected; }

  /** Keep or make the cubes for the brush that moved last in a store; without one all is counted anew. */
  hold(store) {
    const along = store && store.moved !== null && (this.stores.size === 1 || single(store));
    const active = along ? { store, field: store.moved } : null;
    if (!this.cubes.fits(active)) this.cubes = new Cubes(this, active);
  }

  changed(store, what) {
    this.pending.set(store, this.pending.get(store) === "state" ? "state" : what);
    this.frame ||= requestAnimationFrame(() => this.flush());
  }

  flush() {
    const told = this.pending, counted = [...told].flatMap(([store, what]) => (what === "slice" ? [] : [store]));
    this.pending = new Map();
    this.frame = 0;
    if (counted.length) this.hold(counted.length === 1 ? counted[0] : null);
    const all = counted.length ? [...this.stores] : [...told.keys()];
    for (const store of all) store.recount();
    for (const store of all) store.tell(told.get(store) ?? "counts");
    for (const listener of this.listeners) listener();
  }

  clear() { for (const store of this.stores) if (store.brushed) store.clear(); }
}
