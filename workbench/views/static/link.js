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
    if (this.stores.size > 1) this.changed(store, "counts");       // what it has brushed, a page that was loaded again knows only now
  }

  leave(store) {
    this.stores.delete(store);
    this.pending.delete(store);
    if (this.stores.size) return;
    cancelAnimationFrame(this.frame);
    if (globalThis[LINKS].get(this.key) === this) globalThis[LINKS].delete(this.key);
  }

  /** The examples that pass the brushes of each other store that has one. */
  others(store) { return [...this.stores].flatMap(other => (other !== store && other.passes ? [other.passes] : [])); }

  /** How many examples pass all brushes. */
  get selected() {
    const all = [...this.stores].flatMap(({ passes }) => (passes ? [passes] : []));
    if (!all.length) return this.examples;
    const [first, ...rest] = all;
    let n = 0;
    for (let e = 0; e < this.examples; e++) if (first[e] && rest.every(passes => passes[e])) n++;
    return n;
  }

  changed(store, what) {
    this.pending.set(store, this.pending.get(store) === "state" ? "state" : what);
    this.frame ||= requestAnimationFrame(() => this.flush());
  }

  flush() {
    const told = this.pending, counted = [...told].flatMap(([store, what]) => (what === "slice" ? [] : [store]));
    this.pending = new Map();
    this.frame = 0;
    for (const store of counted) store.mark();
    const all = counted.length ? [...this.stores] : [...told.keys()];
    for (const store of all) store.recount();
    for (const store of all) store.tell(told.get(store) ?? "counts");
    for (const listener of this.listeners) listener();
  }

  clear() { for (const store of this.stores) if (store.brushed) store.clear(); }
}
