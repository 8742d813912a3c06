// The example table: rows come in windows from the kernel; only those near the eye stand in the page.

const ROW = 28, TALL = 44, NARROW = 500;               // px of a row, of one with two lines, and of a column of sentences that needs those
const CHARACTER = 7, BOLD = 8;                          // px of a character, and of one in a title
const ROOMY = { wide: [240, 160, 110], fitted: 130, number: 100 };  // least px of columns of sentences (one, two, more), most of words, least of numbers
const TIGHT = { wide: [120, 120, 100], fitted: 88, number: 76 };    // the same where the table would scroll sideways
const SCROLLED = { ...TIGHT, wide: ROOMY.wide };      // and where it does so all the same: sentences are for reading
const WORDY = 190;                                     // px of the widest column of two words, where there is room
const TITLED = 175;                                    // px of the widest title of a number
const AHEAD = 30, TALLEST = 12_000_000;                // rows fetched beyond the eye, px that browsers can scroll

/** A text with its edits (kept, old, new, kept, ...) as elements: what went is struck out, what came is marked. Others have none. */
function edited(text) {
  if (!Array.isArray(text)) return [];
  return text.map((part, i) => (part === "" ? null : element(["span", "del", "ins"][i % 3], { text: part })));
}

/** A picture that the kernel made, a PNG and nothing else, as an element; none for other texts. */
function pictured(address, title) {
  return /^data:image\/png;base64,[A-Za-z0-9+/=]+$/.test(address) ? [element("img", { src: address, alt: title, class: "wb-picture" })] : [];
}

/** The same in words, for a tooltip. */
const inWords = text => (Array.isArray(text) ? text.map((part, i) => (i % 3 === 1 ? `‹${part} → ` : i % 3 === 2 ? `${part}›` : part)).join("") : text);

class Grid {
  constructor(store) {
    this.store = store;
    this.columns = store.about.columns;
    this.sorted = { column: null, descending: false };
    this.active = -1;
    this.wide = this.columns.filter(column => column.wide).length;
    this.pictures = this.columns.some(column => column.kind === "image");
    this.body = div("wb-body", [], { role: "rowgroup" });
    this.spacer = div("wb-spacer", [this.body], { role: "presentation" });
    this.heads = this.columns.map(column => element("button", { type: "button", class: "wb-sort", text: column.title, title: column.title,
      disabled: column.kind === "image", onclick: () => this.sort(column.name) }));
    const head = element("div", { class: "wb-row wb-grid-head", role: "row" },
      this.heads.map((button, k) => element("div", { role: "columnheader", class: `wb-cell wb-${this.columns[k].kind}`, "aria-sort": "none" }, [button])));
    this.head = element("div", { role: "rowgroup", class: "wb-grid-top" }, [head]);
    this.port = div("wb-port", [this.head, this.spacer], { tabindex: 0, ...OWN_KEYS, role: "grid", "aria-colcount": this.columns.length,
      "aria-label": "Examples. Arrow keys move, Enter shows the whole example." });
    this.none = element("p", { class: "wb-empty", text: "No example passes all brushes. Clear one of them.", hidden: true });
    this.tokens = new TokenView();
    this.whatIf = new WhatIf(store);
    this.edits = new Edits(store, row => this.open(row));
    this.detail = div("wb-detail", [], { hidden: true, role: "region", "aria-label": "The whole example" });
    this.host = panel("Examples", [this.port, this.none, this.detail, this.edits.host], { name: "wb-examples",
      caption: "The selected examples. Click a heading to sort, a row (or Enter) to read it whole." });
    this.port.addEventListener("scroll", () => { this.frame ||= requestAnimationFrame(() => { this.frame = 0; this.ask(); }); }, { passive: true });
    this.port.addEventListener("keydown", event => this.key(event));
    this.detail.addEventListener("keydown", event => {
      if (event.key !== "Escape" || event.target.matches("textarea, input, select")) return;
      this.close();
      event.stopPropagation();
    });
    this.observer = new ResizeObserver(() => { this.fit(); this.draw(); this.ask(); });
    this.observer.observe(this.port);
    this.fit();
  }

  /** The columns' widths: tight ones where the others would not fit side by side. */
  fit() {
    const least = widths => total(widths.map(width => Number(/\d+/.exec(width)[0])));
    const ways = [ROOMY, TIGHT, SCROLLED].map(way => this.widths(way)), room = this.port.clientWidth || Infinity;
    const widths = ways.find(one => least(one) <= room) ?? ways[2];
    this.port.style.setProperty("--wb-columns", widths.join(" "));
    this.port.style.setProperty("--wb-least", `${least(widths)}px`);   // narrower, it scrolls
  }

  widths({ wide, fitted, number }) {
    const bounded = (low, width, high) => Math.max(low, Math.min(high, Math.round(width))), room = n => 18 + CHARACTER * n, titled = title => 20 + BOLD * title.length;
    const least = ({ title, characters }) => bounded(64, Math.max(room(characters), titled(title)), fitted);
    return this.columns.map(column => (column.wide ? `minmax(${wide[Math.min(this.wide, 3) - 1]}px, 340fr)`
      : column.kind === "text" ? `minmax(${least(column)}px, ${least(column)}fr)` : column.kind === "number" ? `${bounded(number, titled(column.title), TITLED)}px`
      : `${bounded(72, Math.max(titled(column.title), ...column.words.map(word => room(word.length))), fitted === ROOMY.fitted ? WORDY : ROOMY.fitted)}px`));
  }

  get n() { return this.store.window?.n ?? 0; }

  /** Height of a row: sentences side by side get two lines where their columns are narrow, pictures the same room. */
  get row() { return this.pictures || this.wide > 1 && this.port.clientWidth < NARROW * this.wide ? TALL : ROW; }

  get exact() { return this.n * this.row <= TALLEST; }

  get height() { return Math.min(this.n * this.row, TALLEST); }

  /** Height of what is below the heading. */
  get room() { return Math.max(0, this.port.clientHeight - this.head.offsetHeight); }

  get visible() { return Math.ceil(this.room / this.row) || 1; }

  /** The first row under the eye. */
  get first() {
    if (this.exact) return Math.floor(this.port.scrollTop / this.row);
    const share = this.port.scrollTop / Math.max(1, TALLEST - this.room);
    return Math.floor(share * Math.max(0, this.n - this.visible));
  }

  /** A new selection or order: back to the top. */
  view() {
    this.port.scrollTop = 0;
    this.active = -1;
    this.asked = null;
    this.draw();
    this.none.hidden = this.n > 0;
    this.port.hidden = this.n === 0;
    this.port.setAttribute("aria-rowcount", this.n + 1);
    this.ask();
  }

  draw() {
    const shown = this.store.window;
    if (!shown) return;
    const { row } = this;
    this.port.classList.toggle("wb-tall", row === TALL);
    this.spacer.style.height = `${this.height}px`;
    const top = this.exact ? shown.start * row : this.port.scrollTop - (this.first - shown.start) * row;
    this.body.style.transform = `translateY(${top}px)`;
    this.body.replaceChildren(...shown.cells.map((cells, i) => this.line(cells, shown.start + i, shown.rows[i])));
  }

  line(cells, at, row) {
    return element("div", { class: "wb-row", role: "row", id: `${this.store.about.key}-row-${at}`, "aria-rowindex": at + 2,
      "aria-selected": String(at === this.active), "data-row": row, onclick: () => { this.mark(at); this.open(row); } },
    cells.map((text, k) => {
      const { kind, title, words, wrong, wide } = this.columns[k], second = kind === "hit" && text === words[1] && text !== "";
      const class_ = `wb-cell wb-${kind}${wide ? " wb-wide" : ""}${second ? (wrong ? " wb-wrong" : " wb-second") : ""}`;
      if (kind === "image") return element("div", { class: class_, role: "gridcell" }, pictured(text, title));
      return element("div", { class: class_, role: "gridcell", ...(Array.isArray(text) ? {} : { text }), title: wide || k < 3 || kind === "text" ? inWords(text) : null }, edited(text));
    }));
  }

  /** Fetch the rows under the eye, unless they are here or on their way. */
  ask() {
    const shown = this.store.window;
    if (!shown) return;
    const first = Math.min(this.first, Math.max(0, this.n - 1)), last = Math.min(this.n, first + this.visible + 1);
    if (first >= shown.start && last <= shown.start + shown.cells.length) { if (!this.exact) this.draw(); return; }
    const start = Math.max(0, first - AHEAD), wanted = `${this.store.serial}:${start}`;
    if (this.asked === wanted) return;
    this.asked = wanted;
    this.store.ask({ kind: "rows", start, end: last + AHEAD });
  }

  arrived() { this.draw(); this.ask(); }

  sort(column) {
    const again = this.sorted.column === column;
    this.sorted = again && this.sorted.descending ? { column: null, descending: false } : { column, descending: again };
    this.heads.forEach((button, k) => {
      const on = this.columns[k].name === this.sorted.column, way = on ? (this.sorted.descending ? "descending" : "ascending") : "none";
      button.parentElement.setAttribute("aria-sort", way);
    });
    this.store.ask({ kind: "sort", ...this.sorted });
  }

  mark(at) {
    this.active = at;
    for (const row of this.body.children) row.setAttribute("aria-selected", String(Number(row.getAttribute("aria-rowindex")) - 2 === at));
    this.port.setAttribute("aria-activedescendant", `${this.store.about.key}-row-${at}`);
  }

  key(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: this.visible, PageUp: -this.visible, Home: -this.n, End: this.n };
    if (event.key === "Enter" && this.active >= 0) {
      const shown = this.store.window, row = shown.rows[this.active - shown.start];
      if (row !== undefined) this.open(row);
    } else if (event.key === "Escape") this.close();
    else if (event.key in steps && this.n) {
      const at = Math.max(0, Math.min(this.n - 1, this.active + steps[event.key]));
      if (this.exact) {
        const { row, room } = this, { scrollTop } = this.port;
        if (at * row < scrollTop) this.port.scrollTop = at * row;
        else if ((at + 1) * row > scrollTop + room) this.port.scrollTop = (at + 1) * row - room;
      }
      this.mark(at);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  open(row) { this.opened = row; this.store.ask({ kind: "detail", row }); }

  /** Close the whole example; the keyboard goes on where it was opened. */
  close() {
    const within = this.detail.contains(document.activeElement);
    this.detail.hidden = true;
    if (within) this.port.focus();
  }

  read(message) {
    const close = element("button", { type: "button", class: "wb-button wb-close", text: "Close", onclick: () => this.close() });
    this.detail.replaceChildren(close, element("dl", { tabindex: 0, "aria-label": "What is known of it", ...OWN_KEYS }, message.pairs.flatMap(([name, text, kind]) =>
      [element("dt", { text: name }), kind === "image" ? element("dd", {}, pictured(text, name)) : Array.isArray(text) ? element("dd", {}, edited(text)) : element("dd", { text: text || "–" })])));
    this.detail.append(this.tokens.host, this.whatIf.host);
    this.tokens.wait();
    this.whatIf.open(message.row, message.texts);
    this.detail.hidden = false;
  }

  /** What the kernel says of an edited example. */
  tell(what, message) {
    const { whatIf } = this, heard = { asked: () => whatIf.answered(message), asked_tokens: () => whatIf.spelled(message), swaps: () => whatIf.listed(message), typed: () => whatIf.corrupted(message) };
    heard[what]();
  }

  /** The tokens of the example that is open. */
  spell(message) { if (message.row === this.opened) this.tokens.show(message); }

  dispose() { this.observer.disconnect(); cancelAnimationFrame(this.frame); this.whatIf.dispose(); }
}
