// The line of an abstention or of a decision: a slider, the rates at once, their intervals when the kernel has them.

const CUTS = {
  abstain: {
    title: "Abstention", label: "Abstain below a confidence of", ends: ["answers all", "answers none"], start: 0, off: "answers all", on: at => `below ${at}`,
    below: "Select the abstained", chip: at => `abstains below ${at}`, row: "Selected",
    caption: "The model answers from this confidence on and abstains below it: the upright line in the charts. Coverage is the share answered. A gap is the largest minus the smallest rate of the groups of the slice on show; its interval is the kernel's and allows for all pairs of groups.",
  },
  decide: {
    title: "Decision threshold", label: "Decide yes from a score of", ends: ["all yes", "all no"], start: 0.5, off: "as reported", on: at => `yes from ${at}`,
    below: "Select those below", chip: at => `yes from ${at}`, row: "Selected",
    caption: "The positive class is decided from this score on: the upright line in the chart. A gap is the largest minus the smallest rate of the groups of the slice on show; its interval is the kernel's and allows for all pairs of groups. Table and metrics keep the decisions of the report.",
  },
};

const twoPlaces = at => plain(Math.round(at * 1000) / 1000);

class CutPanel {
  constructor(store) {
    this.store = store;
    const { kind, rates } = store.about.cut;
    this.words = CUTS[kind];
    this.rates = rates;
    const options = { min: 0, max: 1, step: 0.005, "aria-label": this.words.label, ...OWN_KEYS };
    this.slider = element("input", { type: "range", class: "wb-slider", ...options, oninput: () => this.moved(this.slider.value, true), onchange: () => { this.going = false; } });
    this.number = element("input", { type: "number", class: "wb-number", placeholder: "0 to 1", ...options, onchange: () => this.typed(),
      onkeydown: event => { if (event.key === "Enter") { this.typed(); event.stopPropagation(); } } });
    this.value = element("output", { class: "wb-temperature" });
    this.reset = element("button", { type: "button", class: "wb-button", text: "Reset", onclick: () => store.cutTo(null) });
    this.show = element("button", { type: "button", class: "wb-button", text: this.words.below, title: "Show these rows in the table and in all views", onclick: () => store.ask({ kind: "below" }) });
    const ends = div("wb-ends", this.words.ends.map(text => span("", text)), { "aria-hidden": "true" });
    const head = texts => element("thead", {}, [element("tr", {}, texts.map((text, k) => element("th", { text, scope: "col", class: k ? "wb-right" : "" })))]);
    this.body = element("tbody");
    this.groups = element("tbody");
    this.table = element("table", { class: "wb-metrics" }, [head([this.words.row, "", "95 % interval"]), this.body]);
    this.by = element("th", { scope: "col" });
    const heads = element("thead", {}, [element("tr", {}, [this.by, ...["n", ...rates.map(([, words]) => words)].map(text => element("th", { text, scope: "col", class: "wb-right" }))])]);
    this.split = div("wb-cut-groups", [element("table", { class: "wb-metrics" }, [heads, this.groups])], { tabindex: 0, role: "group", "aria-label": "Rates by group", ...OWN_KEYS });
    this.host = panel(this.words.title, [this.slider, ends, div("wb-cut-tools", [this.number, this.show]), this.table, this.split],
      { name: "wb-cut-panel", tools: [this.value, this.reset], caption: this.words.caption });
    this.paint();
  }

  moved(value, sliding = false) {
    this.store.cutTo(Number(value), sliding && this.going);
    this.going = sliding;
  }

  typed() {
    if (this.number.value === "") { this.store.cutTo(null); return; }
    this.moved(Math.max(0, Math.min(1, Number(this.number.value))));
  }

  /** The kernel's interval of a rate, as a text; "…" while it is on its way. */
  interval(rate, group) {
    const { store } = this, heard = store.line;
    if (!heard || heard.serial < store.serial || heard.at !== store.cut || heard.by !== store.slice) return ["…", ""];
    const line = heard.lines.find(one => one.rate === rate && (group === null ? one.rate.endsWith("_difference") : one.group === group));
    if (!line || line.low === null) return ["–", line?.method ?? ""];
    return [`${percent(line.low)} to ${percent(line.high)}`, `${line.method}, n = ${whole.format(line.n)}`];
  }

  paint() {
    const { store } = this, on = store.cut !== null && store.taken !== null, at = on ? store.cut : this.words.start, said = on ? this.words.on(twoPlaces(at)) : this.words.off;
    this.value.textContent = said;
    if (document.activeElement !== this.slider || !on) this.slider.value = String(at);
    this.slider.setAttribute("aria-valuetext", said);
    if (document.activeElement !== this.number) this.number.value = on ? twoPlaces(at) : "";
    this.reset.disabled = this.show.disabled = !on;
    this.table.hidden = this.split.hidden = !on;
    if (!on) return;
    const { found, field } = store.taken, names = this.rates;
    const line = (words, value, [interval, title]) => element("tr", { title }, [element("th", { text: words, scope: "row" }), element("td", { class: "wb-right", text: percent(value) }), element("td", { class: "wb-right", text: interval })]);
    const rows = names.map(([name, words], k) => line(words, found.rates[k], this.interval(name, "all")));
    if (field) rows.push(...names.map(([name, words], k) => line(`${words}: gap by ${field.title}`, found.gaps[k], this.interval(`${name}_difference`, null))));
    this.body.replaceChildren(...rows);
    this.split.hidden = !field;
    if (!field) return;
    this.by.textContent = legible(field.title);
    this.groups.replaceChildren(...found.groups.flatMap(({ n, rates }, code) => (n ? [element("tr", {}, [element("th", { scope: "row", text: field.labels[code] }), element("td", { class: "wb-right", text: whole.format(n) }),
      ...rates.map(rate => element("td", { class: "wb-right", text: percent(rate) }))])] : [])));
  }
}
