// The headline with its numbers and brushes, the kernel's metrics with intervals, and the temperature.

const SAY_AFTER = 500;

/** A report's title; of one of two that are compared, with its side and what sets it apart. */
const titleOf = ({ about: { apart, beside, title } }) => (beside ? `${beside.side}: ${title}${beside.apart && `, ${beside.apart}`}` : apart ? `${title}, ${apart}` : title);

class Headline {
  constructor(store, tools) {
    this.store = store;
    this.tools = tools;
    const tile = (name, words) => {
      const value = span("wb-value", ""), note = span("wb-note", "");
      return { value, note, host: div(`wb-tile wb-tile-${name}`, [span("wb-label", words, { title: words }), value, note]) };
    };
    this.tiles = Object.fromEntries(store.about.tiles.map(([name, words]) => [name, tile(name, words)]));
    this.chips = div("wb-chips");
    this.said = element("div", { role: "status", "aria-live": "polite", class: "wb-said" });
    this.problem = element("p", { class: "wb-problem", role: "alert", hidden: true });
    this.confirming = new Confirming(store);
    this.host = element("header", { class: "wb-top" }, [
      div("wb-headline", [element("h2", { class: "wb-name", text: titleOf(store) }), this.chips, tools?.host ?? null]),
      div("wb-tiles", Object.values(this.tiles).map(one => one.host)), this.confirming.host, this.said, this.problem,
    ]);
  }

  paint() {
    const { store } = this, m = store.measures, said = this.numbers(m);
    for (const [name, tile] of Object.entries(this.tiles)) [tile.value.textContent, tile.note.textContent] = said[name]();
    if (this.tiles.ece) {
      this.tiles.ece.value.dataset.ece = String(m.ece);
      this.tiles.ece.host.classList.toggle("wb-outside", m.ece > m.band.high);
    }
    this.paintChips();
    this.confirming.paint();
    this.problem.hidden = !store.problem;
    this.problem.textContent = legible(store.problem);
    clearTimeout(this.timer);
    if (store.link.examples) return;       // of several reports the canvas says it, once
    this.timer = setTimeout(() => { this.said.textContent = this.sentence(); }, SAY_AFTER);
  }

  /** The value and the note of each tile. */
  numbers(m) {
    const { store } = this, { unit, missing } = store.about, without = store.selected - m.known;
    return {
      n: () => [whole.format(store.selected), `of ${whole.format(store.rows)} ${unit}${without ? `, ${whole.format(without)} ${missing}` : ""}`],
      rate: () => [percent(m.rate), m.known ? this.within(m) : "nothing to count"],
      mean: () => (store.calibrated ? this.meanConfidence(m) : this.meanValue(m)),
      ece: () => [m.known ? m.ece.toFixed(3) : "–",
        m.known ? `calibrated models stay below ${m.band.high.toFixed(3)}${m.ece > m.band.high ? "" : ", as here"}` : ""],
    };
  }

  /** The rate's interval: the kernel's where it has answered for this selection, for it knows which rows are of one cluster. */
  within({ rate, interval }) {
    const { metrics, serial, about } = this.store, words = about.tiles.find(([one]) => one === "rate")[1];
    const told = metrics?.serial >= serial && metrics.metrics.find(line => line.words === words && line.low !== null && Math.abs(line.value - rate) < 1e-9);
    const [low, high] = told ? [told.low, told.high] : interval;
    return `95 %: ${percent(low)} to ${percent(high)}`;
  }

  meanConfidence(m) {
    const gap = 100 * (m.mean - m.rate);
    return [percent(m.mean), m.known ? `${Math.abs(gap).toFixed(1)} points ${gap >= 0 ? "above" : "below"} accuracy` : ""];
  }

  meanValue({ mean, deviation, valued }) {
    const error = deviation * Math.sqrt(this.store.about.effect.effect / valued), few = valued < this.store.selected;
    const said = digits(deviation, -2 * error, 2 * error);
    return [digits(mean, mean - 2 * error, mean + 2 * error),
      valued ? `standard deviation ${said}${few ? `, of ${whole.format(valued)} ${this.store.about.unit}` : ""}` : "no values"];
  }

  sentence() {
    const { store } = this, m = store.measures, { tiles, unit } = store.about, name = key => tiles.find(([one]) => one === key)?.[1];
    const numbers = [`${name("rate")} ${percent(m.rate)}`, name("mean") && `${name("mean").replace(/^M/, "m")} ${this.numbers(m).mean()[0]}`,
      name("ece") && `ECE ${m.ece.toFixed(3)}`].filter(Boolean);
    return `${whole.format(store.selected)} of ${whole.format(store.rows)} ${unit} selected.${m.known ? ` ${numbers.join(", ")}.` : ""}`;
  }

  paintChips() {
    const { store } = this, chips = [];
    store.fields.forEach((field, f) => {
      const codes = store.ranges[f];
      if (codes) chips.push([this.words(field, codes), () => store.brush(f, null)]);
    });
    if (store.masked) chips.push(["chosen by id", () => { store.masked = false; store.mask = null; store.touched(); }]);
    if (store.about.cut && store.cut !== null) chips.push([CUTS[store.about.cut.kind].chip(twoPlaces(store.cut)), () => store.cutTo(null)]);
    const key = chips.map(([words]) => words).join("\n");
    this.tools?.paint();
    if (key === this.key) return;
    this.key = key;
    const hint = span("wb-hint", `${store.about.charts.length ? "Drag across a chart or click" : "Click"} a slice to select.`);
    this.chips.replaceChildren(...(chips.length ? chips.map(([words, lift]) =>
      element("button", { type: "button", class: "wb-chip", "aria-label": `Remove the brush: ${words}`, onclick: lift },
        [span("wb-chip-words", words), span("wb-x", "×", { "aria-hidden": "true" })])) : [hint]));
  }

  words(field, codes) {
    if (field.kind === "slice") {
      const named = codes.slice(0, 3).map(code => apart(field.labels[code])).join(", ");
      return `${apart(field.title)}: ${named}${codes.length > 3 ? `, ${codes.length - 3} more` : ""}`;
    }
    if (field.kind === "curve") {
      const [low, high] = placesOfCodes(field.edges, codes);
      return `${field.title} ${signed(low)}${high > low ? ` to ${signed(high)}` : ""}`;
    }
    if (field.kind === "value") return `${field.title} ${signed(field.edges[codes[0]])} to ${signed(field.edges[codes.at(-1) + 1])}`;
    if (field.kind === "confidence") return `confidence ${field.edges[codes[0]].toFixed(2)} to ${field.edges[codes.at(-1) + 1].toFixed(2)}`;
    return `coverage rank ${field.edges[codes[0]].toFixed(2)} to ${field.edges[codes.at(-1) + 1].toFixed(2)}`;
  }

  dispose() { clearTimeout(this.timer); }
}

/** The kernel's metrics: value and interval, with the method as a tooltip. */
class Metrics {
  constructor(store) {
    this.store = store;
    this.body = element("tbody");
    this.state = span("wb-state", "");
    const heads = ["Metric", "Value", "95 % interval"].map((text, k) => element("th", { text, scope: "col", class: k ? "wb-right" : "" }));
    this.table = element("table", { class: "wb-metrics" }, [element("thead", {}, [element("tr", {}, heads)]), this.body]);
    this.host = panel("Metrics", [this.table], { name: "wb-metrics-panel", tools: [this.state],
      caption: store.about.captions.metrics });
  }

  /** Say that numbers are old, but only if the wait is long enough to be seen. */
  stale() {
    const old = !this.store.metrics || this.store.metrics.serial < this.store.serial;
    clearTimeout(this.timer);
    if (!old) { this.state.textContent = `n = ${whole.format(this.store.metrics.n)}`; this.table.classList.remove("wb-old"); return; }
    this.timer = setTimeout(() => {
      this.state.textContent = this.store.gone ? "no kernel" : this.store.late ? "waiting for the kernel" : "updating";
      this.table.classList.add("wb-old");
    }, 150);
  }

  paint() {
    this.stale();
    if (!this.store.metrics) return;
    const lines = this.store.metrics.metrics.filter(line => line.words);
    this.body.replaceChildren(...lines.map(({ words, value, low, high, n, method }) => {
      const counted = n === this.store.metrics.n ? null : span("wb-line-n", ` n = ${whole.format(n)}`);    // it is of some of the rows, or of what they stand for
      const some = low !== null && high !== null, band = some && method.startsWith("null band");
      const interval = !some ? "–" : band ? `chance: up to ${digits(high, low, high)}` : `${digits(low, low, high)} to ${digits(high, low, high)}`;
      return element("tr", { title: method }, [element("th", { scope: "row" }, [legible(words), counted]),
        element("td", { class: "wb-right", text: digits(value, low, high) }), element("td", { class: "wb-right", text: interval })]);
    }));
  }

  dispose() { clearTimeout(this.timer); }
}

/** The temperature slider, on a log scale; 1 is what the model says. */
class Temperature {
  constructor(store) {
    this.store = store;
    const { why_not: whyNot, low, high } = store.about.temperature;
    this.slider = element("input", { type: "range", ...OWN_KEYS, min: Math.log2(low), max: Math.log2(high), step: 0.01, class: "wb-slider",
      "aria-label": "Temperature", disabled: Boolean(whyNot), list: `${store.about.key}-ticks`, oninput: () => this.moved(), onchange: () => { this.going = false; } });
    this.value = element("output", { class: "wb-temperature", text: "T = 1.00" });
    this.fit = element("button", { type: "button", class: "wb-button", text: "Fit", disabled: Boolean(whyNot),
      title: "The temperature with the least negative log-likelihood of the selected examples", onclick: () => { this.asked = true; this.fit.disabled = true; store.ask({ kind: "fit" }); } });
    this.reset = element("button", { type: "button", class: "wb-button", text: "Reset", disabled: true, onclick: () => store.heatTo(1) });
    this.cells = {};
    const line = (key, words) => {
      this.cells[key] = [element("td", { class: "wb-right", text: "–" }), element("td", { class: "wb-right", text: "–" })];
      return element("tr", {}, [element("th", { text: words, scope: "row" }), ...this.cells[key]]);
    };
    this.now = element("th", { text: "at T", scope: "col", class: "wb-right" });
    const heads = [element("th", { text: "Selected", scope: "col" }), element("th", { text: "stated", scope: "col", class: "wb-right" }), this.now];
    const table = element("table", { class: "wb-metrics" }, [element("thead", {}, [element("tr", {}, heads)]),
      element("tbody", {}, [line("ece", "ECE"), line("nll", "NLL (nats)")])]);
    this.note = element("p", { class: "wb-fitted", hidden: true });
    const ends = div("wb-ends", [span("", "sharper"), span("", "as stated"), span("", "softer")], { "aria-hidden": "true" });
    this.host = panel("Temperature", whyNot ? [this.slider, element("p", { class: "wb-why", text: `Not available: ${whyNot}` })]
      : [this.slider, ends, table, this.note], { name: "wb-temperature-panel", tools: [this.value, this.fit, this.reset],
      caption: whyNot ? "" : "Divides all logits by T: above 1 softens, below 1 sharpens. The answers, and so the accuracy, stay. Grey marks stay as stated." });
    this.paint();
  }

  moved() {
    const t = 2 ** Number(this.slider.value);
    this.store.heatTo(Math.abs(t - 1) < 0.005 ? 1 : t, this.going);
    this.going = true;
    this.value.textContent = `T = ${t.toFixed(2)}`;
  }

  paint() {
    const { store } = this, t = store.temperature;
    this.value.textContent = `T = ${t.toFixed(2)}`;
    this.now.textContent = `T = ${t.toFixed(2)}`;
    if (document.activeElement !== this.slider || t === 1) this.slider.value = String(Math.log2(t));
    this.slider.setAttribute("aria-valuetext", `T = ${t.toFixed(2)}`);
    this.reset.disabled = t === 1;
    if (store.about.temperature.why_not) return;
    const both = store.temperatures(), fresh = store.metrics?.serial === store.serial && store.metrics.metrics.find(one => one.metric === "nll");
    if (fresh && t === 1) both.stated.nll = both.now.nll = fresh.value;   // the kernel's, while no logits are here
    for (const key of ["ece", "nll"]) {
      [both.stated, both.now].forEach((one, k) => { this.cells[key][k].textContent = Number.isFinite(one[key]) ? one[key].toFixed(4) : "–"; });
    }
    if (store.fit && this.asked) {
      this.asked = false;
      this.fit.disabled = false;
      this.note.hidden = false;
      this.note.textContent = `Best T = ${store.fit.temperature.toFixed(3)} on these ${whole.format(store.fit.n)} examples themselves: it flatters a little.`;
    }
  }
}
