// The state of one explorer in the page: brushes, counts, and the talk with the kernel. All views of a widget share one store; the
// stores of reports on the same examples share a link.

const SEND_AFTER = 50, SAY_WAITING_AFTER = 1500, AGAIN_AFTER = 5000;

const GONE = "The kernel that made this view is gone. Counts and charts still follow a brush; for metrics and examples run its cell again.";

const TOLD = new Set(["detail", "tokens", "asked", "asked_tokens", "swaps", "typed"]);      // what is for the open example alone

const STORES = Symbol.for("workbench.stores");

/** The store of an explorer's model, made at first use. */
function storeOf(model) {
  const stores = (globalThis[STORES] ??= new Map()), { key } = model.get("about");
  if (!stores.has(key)) stores.set(key, new Store(model));
  return stores.get(key);
}

/** Forget a store whose explorer is gone. */
function dropStore(store) {
  const stores = globalThis[STORES], { key } = store.about;
  store.dispose();
  if (stores.get(key) === store) stores.delete(key);
}

class Store {
  constructor(model) {
    this.model = model;
    this.about = model.get("about");
    this.fields = this.about.fields;
    this.rows = this.about.rows;
    this.origin = Math.random().toString(36).slice(2);
    const bytes = name => { const v = model.get(name); return new Uint8Array(v.buffer, v.byteOffset, v.byteLength); };
    this.calibrated = this.about.kind === "calibration";
    const codes = bytes("codes"), value = bytes("value"), places = bytes("places");
    this.places = places.byteLength ? new Int32Array(places.slice().buffer) : null;
    this.base = {
      codes: this.fields.map((_, f) => codes.subarray(f * this.rows, (f + 1) * this.rows)),
      value: new Float32Array(value.slice().buffer), outcome: bytes("outcome"), apart: !this.calibrated,
    };
    this.columns = this.base;
    this.truth = bytes("truth").byteLength ? bytes("truth") : this.base.outcome;
    const measured = bytes("measures").slice().buffer;
    this.measured = (this.about.map?.measures ?? []).map((_, m) => new Float32Array(measured, 4 * m * this.rows, this.rows));
    this.bins = this.fields.map(field => field.bins);
    this.charted = this.fields.flatMap((field, f) => (field.kind === "slice" ? [] : [f]));
    this.slice = this.charted.length;       // the slice column on show: fields of charts come first
    this.further = this.about.beside ? [this.about.beside.field] : [];      // counted whatever is on show
    this.logits = null;
    this.loss = this.statedLoss = null;     // per row, at T and at 1
    this.fit = null;
    this.step = 0;                          // brushes of one step are taken back together
    this.moved = null;                      // the field whose brush changed last, null where more than that did
    this.ways = { undo: false, redo: false };
    this.link = linkOf(this);
    this.line = null;                       // the kernel's rates of the abstention or decision
    this.metrics = null;                    // the kernel's last word, and what it was about
    this.window = null;
    this.problem = "";
    this.gone = false;                      // whether the kernel that made this view is
    this.listeners = new Set();
    this.takeState();
    const all = new Uint8Array(this.rows).fill(PASSES);
    this.everything = countMarked(this.base, this.allShown(), this.bins, all).views;
    this.everyCell = this.countCells(all);
    this.link.join(this);
    this.recount();
    this.started = false;
    this.on("change:state", () => { if (model.get("state").origin !== this.origin) { this.takeState(); this.changed("state"); } });
    this.on("change:saved", () => this.tell("saved"));
    this.on("change:findings", () => this.tell("findings"));
    this.on("change:asked", () => this.tell("edits"));
    this.on("msg:custom", (message, buffers) => this.hear(message, buffers));
  }

  /** Ask the kernel for the first rows and metrics, when the first view is on the page. */
  start() {
    if (!this.started) { this.started = true; this.send(); }
  }

  on(event, listener) {
    this.model.on(event, listener);
    this.bound = [...(this.bound ?? []), [event, listener]];
  }

  dispose() {
    for (const [event, listener] of this.bound) this.model.off(event, listener);
    clearTimeout(this.timer);
    clearTimeout(this.waiting);
    clearTimeout(this.retry);
    this.link.leave(this);
    this.listeners.clear();
  }

  /** Call `listener(what)` after each change: "counts", "state", "view", "rows", "metrics", "fit", "detail", "logits", "saved", "findings", "confirmed". */
  subscribe(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  tell(what, message) { for (const listener of this.listeners) listener(what, message); }

  allShown() { return this.fields.map((_, f) => f); }

  get tables() { return this.ranges.map(passTable); }

  get brushed() { return this.ranges.some(codes => codes) || this.masked; }

  get serial() { return this.link.serial; }

  set serial(serial) { this.link.serial = serial; }

  takeState() {
    const state = this.model.get("state"), mask = this.model.get("mask");
    this.ranges = state.ranges.map(codes => codes && [...codes]);
    this.moved = null;
    this.masked = state.mask;
    this.mask = state.mask && mask ? new Uint8Array(mask.buffer, mask.byteOffset, mask.byteLength) : null;
    this.serial = Math.max(this.serial, state.serial);
    this.answered = this.serial;
    this.cut = state.cut ?? null;
    if (state.temperature !== this.temperature) {
      this.temperature = state.temperature;
      if (this.temperature === 1) this.columns = this.base;
      else if (this.logits) this.heat();
      else this.wantLogits();
    }
  }

  /** What each row fails of the own brushes. */
  mark() {
    const fails = new Uint8Array(this.rows);
    mark(this.columns.codes, { tables: this.tables, mask: this.mask }, fails);
    return fails;
  }

  /** Which examples pass the own brushes; null where nothing is brushed, or nobody follows. */
  get passes() { return this.brushed && this.link.examples ? passing(this.mark(), this.places, this.link.examples) : null; }

  /** What each row fails of all brushes, marked when it is asked for. */
  get fails() {
    if (!this.marked) {
      this.marked = this.mark();
      follow(this.marked, this.places, this.link.others(this));
    }
    return this.marked;
  }

  /** Count what is on show, by the link's cubes. */
  recount() {
    const shown = [...new Set([...this.charted, this.slice, ...this.further])], begun = performance.now(), { cubes } = this.link;
    this.marked = null;
    this.views = new Map(shown.map(f => [f, cubes.counts(this, f)]));
    this.cells = this.countCells();
    const counts = restrict(this.views.get(0), this.tables[0], this.bins[0]);
    this.taken = this.about.cut && this.cut !== null ? this.countTaken() : null;
    this.selected = total(counts.n);
    this.measures = measure(counts, this.bins[0], { effect: this.about.effect, calibrated: this.calibrated });
    this.countTime = performance.now() - begun;
  }

  /** Make the cubes for a brush that a hand is about to move. */
  prepare(field) {
    this.moved = field;
    this.link.hold(this);
    for (const store of this.link.stores) store.recount();
  }

  /** The means of the heat map by term, over the rows that pass all brushes but the term's own. */
  countCells(fails = null) {
    const f = this.about.map?.field;
    return this.measured.map(values => countMeans(this.base.codes[f], values, f, this.bins[f], fails ?? this.fails));
  }

  /** What the line takes of the selected rows: the rates overall and by the groups of the slice on show, if it is no outcome. */
  countTaken() {
    const field = this.fields[this.slice], grouped = field?.kind === "slice" && field.name !== "outcome", bins = grouped ? field.bins : 1;
    const code = grouped ? this.columns.codes[this.slice] : new Uint8Array(this.rows);
    const counts = countTaken(this.columns, this.truth, this.bins[0], code, bins, this.fails, this.cut);
    return { field: grouped ? field : null, found: takenRates(counts, bins, this.about.cut.rates.map(([name]) => name)) };
  }

  /** Put the line at a value, null for none. */
  cutTo(cut, going = false) {
    if (cut === this.cut) return;
    this.cut = cut;
    this.touched(going);
  }

  /** Take a code of a slice into its brush, or out of it; `more` codes come in with it. */
  toggle(field, code, more = []) {
    const chosen = new Set([...(this.ranges[field] ?? []), ...more]);
    if (!more.length && !chosen.delete(code)) chosen.add(code);
    this.brush(field, chosen.size && chosen.size < this.bins[field] ? [...chosen].sort((a, b) => a - b) : null);
  }

  /** Set the allowed codes of a field; null lifts the brush. `going`: the hand has not let go since the last one. */
  brush(field, codes, going = false) {
    const same = JSON.stringify(codes) === JSON.stringify(this.ranges[field]);
    if (same) return;
    this.ranges[field] = codes;
    this.touched(going, field);
  }

  clear() {
    this.ranges = this.fields.map(() => null);
    this.masked = false;
    this.mask = null;
    this.touched();
  }

  show(slice) {
    this.slice = slice;
    if (this.cut !== null) this.touched(); else this.changed("slice");        // the kernel compares the groups on show
  }

  heatTo(temperature, going = false) {
    this.temperature = temperature;
    if (!this.logits) { this.wantLogits(); return; }
    this.heat();
    this.touched(going);
  }

  heat() {
    if (this.temperature === 1) { this.columns = this.base; this.loss = this.statedLoss; return; }
    const { loss, columns } = tempered(this, this.temperature);
    this.loss = loss;
    this.columns = columns;
  }

  /** ECE and mean NLL of the selected rows as stated and at the temperature. */
  temperatures() {
    const stated = { ece: eceOf(this.base, this.fails, this.bins[0]), nll: this.statedLoss ? meanLoss(this.statedLoss, this.fails) : NaN };
    if (this.temperature === 1 || !this.loss) return { stated, now: stated };
    return { stated, now: { ece: this.measures.ece, nll: meanLoss(this.loss, this.fails) } };
  }

  wantLogits() {
    if (this.asked) return;
    this.asked = true;
    this.ask({ kind: "logits" });
  }

  touched(going = false, field = null) {
    if (!going) this.step++;
    this.moved = field;
    this.serial++;
    this.changed("counts");
    this.timer ||= setTimeout(() => { this.timer = 0; this.send(); }, SEND_AFTER);
  }

  changed(what) { this.link.changed(this, what); }

  /** Ask the kernel; where it was restarted or shut down, say so: counts follow a brush without it. */
  ask(message) {
    try { this.model.send(message); } catch {
      this.inFlight = false;                                          // the next brush tries again
      this.kernelIs(false);
    }
  }

  /** Say that the kernel is gone, or no longer that it is: a connection may come back. */
  kernelIs(there) {
    if (this.gone !== there) return;
    this.gone = !there;
    if (this.gone || this.problem === GONE) this.problem = this.gone ? GONE : "";
    this.tell("problem");
  }

  /**
   * Send the latest brushes, one message in flight: what changes meanwhile goes out when the answer is here. A connection that
   * breaks loses message or answer without a word, so where none comes they are sent again, less and less often.
   */
  send(again = false) {
    if (this.inFlight && !again) return;
    this.inFlight = true;
    this.sent = this.serial;
    this.ask({ kind: "brush", serial: this.serial, ranges: this.ranges, mask: this.masked,
      temperature: this.temperature, cut: this.cut, by: this.slice, origin: this.origin, step: this.step });
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => { this.late = true; this.tell("late"); }, SAY_WAITING_AFTER);
    clearTimeout(this.retry);
    this.patience = again ? 2 * this.patience : AGAIN_AFTER;
    this.retry = setTimeout(() => { if (this.inFlight) this.send(true); }, this.patience);
  }

  hear(message, buffers) {
    const kind = message.kind;
    this.kernelIs(true);
    if (kind === "view" && message.serial >= this.sent) {
      this.inFlight = false;
      this.late = false;
      clearTimeout(this.waiting);
      clearTimeout(this.retry);
      if (message.serial < this.serial && this.sent < this.serial) this.send();
    }
    if (kind === "view") { this.ways = { undo: message.undo, redo: message.redo }; this.tell("ways"); }
    if (["view", "rows"].includes(kind)) {
      if (message.serial < this.serial) return;                       // stale: a newer brush is on its way
      this.window = kind === "view" ? message : { ...this.window, ...message, kind };
      this.tell(kind);
    } else if (kind === "metrics") {
      if (message.serial < this.serial) return;
      this.metrics = message;
      this.tell(kind);
    } else if (kind === "cut") {
      this.line = message;
      this.tell(kind);
    } else if (kind === "logits") {
      const view = buffers.map(b => new Uint8Array(b.buffer ?? b, b.byteOffset ?? 0, b.byteLength).slice().buffer);
      this.logits = { classes: message.classes, logits: new Float32Array(view[0]), labels: new Int16Array(view[1]) };
      this.statedLoss = tempered(this, 1).loss;
      this.heat();
      this.touched();
      this.tell(kind);
    } else if (kind === "fit") {
      this.fit = message;
      this.heatTo(message.temperature);
      this.tell(kind);
    } else if (TOLD.has(kind) || kind === "confirmed") this.tell(kind, message);
    else if (kind === "problem") { this.problem = message.text; this.tell(kind); }
  }

  /** Send what waits for the next message now. */
  hurry() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.inFlight = false;
    this.send();
  }

  /** Ask for a step in the history; what was brushed a moment ago belongs to it. */
  travel(kind) {
    for (const store of this.link.stores) if (store.timer || (store.inFlight && store.serial > store.sent)) store.hurry();
    this.ask({ kind });
  }

  undo() { this.travel("undo"); }

  redo() { this.travel("redo"); }
}
