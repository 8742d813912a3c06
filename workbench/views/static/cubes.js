// Cubes: counts by the code of the field that a hand is moving, and by that of a view. A move then adds up codes, not rows.
// What a cube holds stays true while nothing but that one brush changes. The first count of a brush makes the cubes, in one pass
// over the rows for each view; so does the press of a button on a chart, before the hand moves.

/** What the counts of a store hang on, without the brush of one field (-1 for none). */
const settingsOf = (store, but) => [store.columns, store.mask, ...store.ranges.map((codes, f) => (f === but ? null : codes))];

/** Whether no example has two rows: then the codes of its rows add up over examples as well. */
function single(store) {
  if (!store.places) return true;
  if (store.alone === undefined) {
    const seen = new Uint8Array(store.link.examples);
    store.alone = store.places.every(place => !seen[place]++);
  }
  return store.alone;
}

class Cubes {
  /** active: { store, field } whose brush may change; null for none: then all is counted as it stands. */
  constructor(link, active) {
    Object.assign(this, { link, active, stores: [...link.stores], kept: new Map() });
    this.settings = this.stores.map(store => settingsOf(store, this.but(store)));
  }

  but(store) { return this.active?.store === store ? this.active.field : -1; }

  /** Whether the cubes hold for a change of this brush. */
  fits(active) {
    if (!active || active.store !== this.active?.store || active.field !== this.active.field) return false;
    const now = [...this.link.stores];
    return now.length === this.stores.length && now.every((store, k) => store === this.stores[k] &&
      settingsOf(store, this.but(store)).every((one, at) => one === this.settings[k][at]));
  }

  /** What `make` gives, made once for each key. */
  once(key, make) {
    if (!this.kept.has(key)) this.kept.set(key, make());
    return this.kept.get(key);
  }

  /** The marks of a store's own brushes, without the active one. */
  own(store) {
    return this.once(`own ${this.stores.indexOf(store)}`, () => {
      const fails = new Uint8Array(store.rows), but = this.but(store);
      mark(store.columns.codes, { tables: store.tables.map((table, f) => (f === but ? null : table)), mask: store.mask }, fails);
      return fails;
    });
  }

  /** Whether a store has a brush besides the active one. */
  brushed(store) { return store.masked || store.ranges.some((codes, f) => codes && f !== this.but(store)); }

  /** The examples that pass the brushes of the stores besides one and the active one. */
  others(store) {
    return this.stores.filter(other => other !== store && other !== this.active?.store && this.brushed(other))
      .map(other => this.once(`passes ${this.stores.indexOf(other)}`, () => passing(this.own(other), other.places, this.link.examples)));
  }

  /** The marks of a store's rows by all brushes but the active one. */
  marks(store) {
    const others = this.others(store);
    if (!others.length) return this.own(store);
    return this.once(`marks ${this.stores.indexOf(store)}`, () => {
      const fails = this.own(store).slice();
      follow(fails, store.places, others);
      return fails;
    });
  }

  /** Buckets of the active field: its codes, that for "none", and one for examples without a row that passes the rest. */
  get buckets() { return this.active ? this.active.store.bins[this.active.field] + 2 : 1; }

  /** The bucket of each example. */
  get ofExamples() {
    return this.once("examples", () => {
      const { store, field } = this.active, own = this.own(store), code = store.columns.codes[field], { places } = store;
      const found = new Uint8Array(this.link.examples).fill(this.buckets - 1);
      for (let i = 0; i < store.rows; i++) if (own[i] === PASSES) found[places ? places[i] : i] = code[i];
      return found;
    });
  }

  /** The bucket of each row of a store; null where there is one only, as for the view that is brushed. */
  bucketOf(store, f) {
    if (!this.active || f === this.but(store)) return null;
    if (store === this.active.store) return store.columns.codes[this.active.field];
    if (!store.places) return this.ofExamples;
    return this.once(`buckets ${this.stores.indexOf(store)}`, () => Uint8Array.from(store.places, place => this.ofExamples[place]));
  }

  /** The buckets that the active brush lets pass; without a brush in its store an example that the store lacks passes, too. */
  chosen(own) {
    const { store, field } = this.active, codes = store.ranges[field];
    if (codes) return codes;
    return Array.from({ length: this.buckets - Number(own || this.brushed(store)) }, (_, a) => a);
  }

  cube(store, f) {
    return this.once(`cube ${this.stores.indexOf(store)} ${f}`, () => countCube(store.columns, f, store.bins, this.marks(store), this.bucketOf(store, f), this.buckets));
  }

  /** The counts of a view under all brushes but its own. */
  counts(store, f) {
    const whole = !this.active || f === this.but(store);
    return sumCube(this.cube(store, f), whole ? [0] : this.chosen(store === this.active.store), store.bins[f]);
  }

  /** How many examples pass all brushes. */
  get selected() {
    const n = this.once("selected", () => {
      const others = this.others(null), found = new Uint32Array(this.buckets), { examples } = this.link;
      const bucket = this.active ? this.ofExamples : new Uint8Array(examples);
      for (let e = 0; e < examples; e++) {
        let passes = 1;
        for (let k = 0; k < others.length; k++) passes &= others[k][e];
        found[bucket[e]] += passes;
      }
      return found;
    });
    return this.active ? this.chosen(false).reduce((sum, a) => sum + n[a], 0) : n[0];
  }
}
