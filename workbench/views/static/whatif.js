// What if the text were another one: an example's text to edit, and the model's new answer beside the old one.

const LOOK_AGAIN_AFTER = 300;       // ms after the last key, before the terms that can be swapped are looked up
const FLAGS = new Set(["correct"]), COUNT = /^tokens/;

/** A number with a few digits, yes and no in words, a text as it is; a dash for none. */
function valueOf(name, value, columns) {
  if (value === null || value === undefined) return "–";
  if (typeof value === "string") return value;
  const column = columns.find(one => one.name === name && one.kind === "hit");
  if (column || FLAGS.has(name)) return (column?.words ?? ["right", "wrong"])[value > 0 ? 0 : 1];
  return (COUNT.test(name) ? whole.format(value) : value.toFixed(3)).replace("-", "−");
}

/** A difference with its sign; nothing where it means nothing. */
function differenceOf(name, value, columns) {
  if (value === null || FLAGS.has(name) || columns.some(one => one.name === name && one.kind === "hit")) return "";
  const said = Math.abs(value) < 5e-4 ? "0" : COUNT.test(name) ? whole.format(Math.abs(value)) : Math.abs(value).toFixed(3);
  return said === "0" ? "0" : `${value < 0 ? "−" : "+"}${said}`;
}

class WhatIf {
  constructor(store) {
    this.store = store;
    this.about = store.about.what_if;
    this.asks = this.seeds = 0;
    this.host = element("section", { class: "wb-edit", "aria-label": "What if" });
    this.tokens = new TokenView();
    if (this.about.why_not) this.host.append(this.title(), element("p", { class: "wb-why", text: `Not available: ${this.about.why_not}` }));
    else this.build();
  }

  title() { return element("h4", { class: "wb-token-title", text: "What if" }); }

  build() {
    const { texts, families } = this.about, id = name => `${this.store.about.key}-edit-${name}`;
    const button = (text, words, onclick) => element("button", { type: "button", class: "wb-button", text, title: words, onclick });
    const choose = (label, options, onchange) => element("select", { class: "wb-select", "aria-label": label, ...OWN_KEYS, onchange }, options);
    this.swaps = choose("Swap a term", [], () => this.swap());
    this.family = choose("Kind of typos", families.map(text => element("option", { value: text, text })));
    this.severity = choose("Severity of the typos, 1 to 5", [1, 2, 3, 4, 5].map(k => element("option", { value: k, text: `severity ${k}`, selected: k === 3 })));
    this.ask = button("Ask", "Ask the model about the changed text (Ctrl+Enter)", () => this.send());
    this.ask.classList.add("wb-ask");
    this.back = button("Reset", "Back to the text of the report", () => this.reset());
    this.areas = Object.fromEntries(texts.map(({ name, title }) => [name, element("textarea", { class: "wb-area", id: id(name), rows: 2, ...OWN_KEYS,
      maxlength: this.about.longest, spellcheck: "false", "aria-label": `${title}, to be changed`, onfocus: () => this.turn(name), oninput: () => this.typed(), onkeydown: event => this.key(event) })]));
    this.said = element("p", { class: "wb-why", role: "status" });
    this.found = div("wb-found", [], { hidden: true });
    const tools = div("wb-edit-tools", [this.swaps, element("span", { class: "wb-typos" }, [this.family, this.severity, button("Add typos", "Typing errors of this kind and severity, at other places each time", () => this.typos())]), this.back, this.ask]);
    const labelled = texts.map(({ name, title }) => div("wb-edit-text", [texts.length > 1 ? element("label", { class: "wb-label", for: id(name), text: title }) : null, this.areas[name]]));
    this.host.append(this.title(), ...labelled, tools, this.said, this.found);
  }

  /** A row was opened: its texts, {} where they are too long to be changed. */
  open(row, texts) {
    this.row = row;
    if (this.about.why_not) return;
    const some = Object.keys(texts).length > 0;
    for (const part of this.host.querySelectorAll("textarea, select, button")) part.disabled = !some;
    this.texts = texts;
    this.asks++;                                              // what is still on its way is of another example
    this.clear(some ? "" : "Not available: the text is too long to be changed here.");
    for (const [name, area] of Object.entries(this.areas)) area.value = texts[name] ?? "";
    this.turn(this.about.texts[0].name);
  }

  clear(words) {
    this.said.textContent = words;
    this.found.hidden = true;
    this.tokens.host.hidden = true;
  }

  /** The text that swaps and typos change: the one that was entered last. */
  turn(column) {
    this.column = column;
    for (const [name, area] of Object.entries(this.areas)) {
      if (name === column) this.grow(area);
    }
    this.look();
  }

  grow(area) {
    const lines = area.value.split("\n").reduce((sum, line) => sum + 1 + Math.floor(line.length / 110), 0);
    area.rows = Math.max(2, Math.min(8, lines));
  }

  typed() {
    this.grow(this.areas[this.column]);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), LOOK_AGAIN_AFTER);
  }

  key(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { this.send(); event.preventDefault(); }
    event.stopPropagation();
  }

  message(kind, more) { this.store.ask({ kind, row: this.row, column: this.column, text: this.areas[this.column].value, ...more }); }

  /** Ask which terms of the text have others to be put in their place. */
  look() {
    if (this.texts?.[this.column] !== undefined) this.message("swaps");
  }

  listed({ row, column, swaps }) {
    if (row !== this.row || column !== this.column) return;
    this.offers = swaps;
    this.swaps.disabled = !swaps.length;
    this.swaps.replaceChildren(element("option", { value: "", text: swaps.length ? "Swap a term …" : "No term to swap" }),
      ...swaps.map(({ words }, k) => element("option", { value: k, text: words })));
  }

  swap() {
    const offer = this.offers[Number(this.swaps.value)];
    if (this.swaps.value !== "" && offer) this.write(offer.text);
    this.swaps.value = "";
  }

  typos() { this.message("typos", { family: this.family.value, severity: Number(this.severity.value), seed: this.seeds++ }); }

  corrupted({ row, column, text, n }) {
    if (row !== this.row || column !== this.column) return;
    this.write(text);
    if (!n) this.said.textContent = "Nothing to change at this severity: take a higher one, or another kind.";
  }

  write(text) {
    this.areas[this.column].value = text;
    this.said.textContent = "";
    this.grow(this.areas[this.column]);
    this.look();
  }

  reset() {
    for (const [name, area] of Object.entries(this.areas)) area.value = this.texts[name];
    this.clear("");
    this.grow(this.areas[this.column]);
    this.look();
  }

  send() {
    if (this.ask.disabled) return;
    this.asks++;
    this.clear("");
    this.said.textContent = legible(`Asking ${this.about.model} …`);
    this.ask.setAttribute("aria-busy", "true");
    const texts = Object.fromEntries(Object.entries(this.areas).map(([name, area]) => [name, area.value]));
    this.store.ask({ kind: "what_if", row: this.row, ask: this.asks, texts });
  }

  answered(message) {
    if (message.row !== this.row || message.ask !== this.asks) return;
    this.ask.removeAttribute("aria-busy");
    if (message.why) { this.said.textContent = legible(`No answer: ${message.why}`); return; }
    const { lines, notes, seconds, model, changes } = message;
    this.said.textContent = legible(`${this.sentence(lines)} One example, asked once: no interval. ${model}, ${seconds.toFixed(2)} s.`);
    const [choices, rest] = [lines.filter(line => line.name.startsWith("p(")), lines.filter(line => !line.name.startsWith("p("))];
    this.moved = lines.some(({ reported, old }) => typeof reported === "number" && typeof old === "number" && Math.abs(reported - old) > 1e-3);
    this.body = element("tbody", {}, rest.map(line => this.line(line)));
    this.found.replaceChildren(...notes.map(text => element("p", { class: this.moved ? "wb-problem" : "wb-why", text })),
      ...Object.values(changes).map(parts => element("p", { class: "wb-change" }, edited(parts))),
      div("wb-found-tables", [this.table("Measure", [this.body]), choices.length ? this.table("Choices", [element("tbody", {}, choices.map(line => this.line(line, true)))]) : null]), this.tokens.host);
    this.found.hidden = false;
    this.tokens.wait();
  }

  /** What the answer says, in a sentence. */
  sentence(lines) {
    const of = name => lines.find(line => line.name === name), answer = of("predicted"), confidence = of("confidence");
    if (!answer) { const [first] = lines; return first ? `${first.words}: ${valueOf(first.name, first.old, this.store.about.columns)} before, ${valueOf(first.name, first.new, this.store.about.columns)} now.` : ""; }
    const said = answer.old === answer.new ? `The answer stays “${apart(answer.new)}”` : `The answer changes from “${apart(answer.old)}” to “${apart(answer.new)}”`;
    return confidence ? `${said}, its confidence ${answer.old === answer.new ? "goes" : "is"} ${valueOf("confidence", confidence.old, [])} → ${valueOf("confidence", confidence.new, [])}.` : `${said}.`;
  }

  table(title, bodies) {
    const heads = [title, ...(this.moved ? ["Report"] : []), "Old", "New", "Difference"];
    return element("table", { class: "wb-metrics" }, [element("thead", {}, [element("tr", {}, heads.map((text, k) => element("th", { text, scope: "col", class: k ? "wb-right" : "" })))]), ...bodies]);
  }

  line({ name, words, reported, old, new: now, difference }, bar = false) {
    const { columns } = this.store.about, cell = text => element("td", { class: "wb-right", text });
    const bars = bar ? element("span", { class: "wb-slice-bar", "aria-hidden": "true" }, [span("wb-bar-all", "", { style: { width: `${100 * old}%` } }), span("wb-bar-shown", "", { style: { width: `${100 * now}%` } })]) : null;
    const head = element("th", { scope: "row", title: words }, [span("", bar ? words.slice(3) : words), bars].filter(Boolean));
    return element("tr", { class: typeof old === "string" && old !== now ? "wb-turned" : "" }, [head, this.moved ? cell(valueOf(name, reported, columns)) : null, cell(valueOf(name, old, columns)),
      cell(valueOf(name, now, columns)), cell(differenceOf(name, difference, columns))].filter(Boolean));
  }

  spelled({ row, ask, lines, tokens }) {
    if (row !== this.row || ask !== this.asks) return;
    this.body.append(...lines.map(line => this.line(line)));
    this.tokens.show(tokens.length ? { lines: tokens, by: "Each text alone, without what the probe puts around it." }
      : { why: `No tokens: ${this.about.model} gives no log-likelihoods of tokens.` });
  }

  dispose() { clearTimeout(this.timer); }
}
