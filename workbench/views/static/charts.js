// The linked charts: which ones stands in `about.charts`. Charts of one field share its brush.

/** Codes of the parts of the ranking between two coverages of the curve on show. */
function codesOfCoverage(rows, bins, range) {
  if (!range || !rows.length) return null;
  const [low, high] = range, slack = 1e-9;
  let first = -1, last = -1, before = 0;
  rows.forEach((row, i) => {
    if (before < high - slack && row.coverage > low + slack) { if (first < 0) first = i; last = i; }
    before = row.coverage;
  });
  if (first < 0) return null;
  const from = first === 0 ? 0 : rows[first].code, to = last === rows.length - 1 ? bins - 1 : rows[last].code;
  return from === 0 && to === bins - 1 ? null : Array.from({ length: to - from + 1 }, (_, k) => from + k);
}

/** Where a brush on coverage lies on the curve on show. */
function coverageOf(rows, codes) {
  if (!codes || !rows.length) return null;
  const from = codes[0], to = codes.at(-1);
  let low = 0, high = 0;
  for (const row of rows) {
    if (row.code < from) low = row.coverage;
    if (row.code <= to) high = row.coverage;
  }
  return [low, high];
}

/** Codes of the points of a curve in a range; a range between two places means the nearest. Null for nothing and everything. */
function codesOfPoints(places, range) {
  if (!range) return null;
  const inside = places.filter(place => place >= range[0] && place <= range[1]), middle = (range[0] + range[1]) / 2;
  const kept = inside.length ? inside : [places.reduce((best, place) => (Math.abs(place - middle) < Math.abs(best - middle) ? place : best))];
  const codes = places.flatMap((place, code) => (kept.includes(place) ? [code] : []));
  return codes.length === places.length ? null : codes;
}

/** The first and the last place of some points. */
const placesOfCodes = (places, codes) => [Math.min(...codes.map(code => places[code])), Math.max(...codes.map(code => places[code]))];
const widened = ([low, high], by) => [low - by, high + by];

/** Two number inputs, the keyboard's brush: `read()` gives [low, high] or null, `write` takes the two numbers. */
function rangeInputs({ label, low, high, step }, { read, write }) {
  const input = which => element("input", { type: "number", min: low, max: high, step, class: "wb-number",
    placeholder: plain(which === "from" ? low : high), "aria-label": `${label} ${which}` });
  const from = input("from"), to = input("to");
  const changed = () => {
    const a = from.value === "" ? low : Number(from.value), b = to.value === "" ? high : Number(to.value);
    write(from.value === "" && to.value === "" ? null : [Math.max(low, Math.min(a, b)), Math.min(high, Math.max(a, b))]);
  };
  for (const one of [from, to]) {
    one.addEventListener("change", changed);
    one.addEventListener("keydown", event => { if (event.key === "Enter") changed(); });    // JupyterLab keeps Enter's own change away
  }
  const rounded = number => plain(step < 0.05 ? number : Math.round(number * 1e3) / 1e3);
  const show = () => {
    const range = read();
    [from, to].forEach((one, k) => {
      if (document.activeElement !== one) one.value = range ? rounded(range[k]) : "";
    });
  };
  return { show, host: element("span", { class: "wb-range", role: "group", "aria-label": label }, [span("wb-to", label.toLowerCase()), from, span("wb-to", "to"), to]) };
}

/** How the counts of a field become the rows of each chart. */
const ROWS = {
  reliability: (counts, field, design) => reliabilityRows(counts, field.edges, design),
  histogram: (counts, field) => histogramRows(counts, field.edges),
  distribution: (counts, field) => histogramRows(counts, field.edges),
  risk_coverage: (counts, field, design) => riskRows(counts, field.bins, design),
  curve: (counts, field, _, about) => curveRows(counts, field, about.curve),
};
const AXES = { coverage: "coverage", curve: "place" };     // the axis of a brush; that of the others is "lower"

class Charts {
  constructor(store, model) {
    this.store = store;
    this.model = model;
    const hosts = new Map();
    this.charts = store.about.charts.map(({ name, spec, label, field }) => {
      hosts.set(name, div(`wb-chart wb-${name}`, [], { onpointerdown: () => store.prepare(field) }));
      const onBrush = (range, going) => store.brush(field, this.codes(field, range), going);
      return Object.assign(new Chart(hosts.get(name), { spec, label, onBrush, field: AXES[store.fields[field].kind] ?? "lower" }), { name, of: field });
    });
    this.inputs = [];
    this.panels = store.about.panels.map(({ name, title, charts, caption, brush }) => {
      const field = this.charts.find(chart => chart.name === charts[0]).of;
      const inputs = rangeInputs(brush, { read: () => this.said(field), write: range => store.brush(field, this.codes(field, range)) });
      this.inputs.push(inputs);
      return panel(title, charts.map(one => hosts.get(one)), { name, caption, tools: [inputs.host] });
    });
    this.all = this.data(store.everything);
    this.count();
  }

  coverage(field) { return this.store.fields[field].kind === "coverage"; }

  /** The curve on show, along which a brush on coverage lies. */
  get curve() { return this.now[this.charts.findIndex(chart => this.coverage(chart.of))]; }

  /** The codes of a brushed range; null for nothing and for everything. */
  codes(field, range) {
    const { edges, bins } = this.store.fields[field];
    if (this.coverage(field)) return codesOfCoverage(this.curve, bins, range);
    if (this.store.fields[field].kind === "curve") return codesOfPoints(edges, range);
    const codes = range && codesBetween(edges, range[0], range[1]);
    return codes && codes.length === bins ? null : codes;
  }

  /** Where the brush on a field lies in its charts. */
  range(field) {
    const codes = this.store.ranges[field], { edges } = this.store.fields[field];
    if (this.coverage(field)) return coverageOf(this.curve, codes);
    if (this.store.fields[field].kind === "curve") return codes && widened(placesOfCodes(edges, codes), 0.4);
    return codes ? [edges[codes[0]], edges[codes.at(-1) + 1]] : null;
  }

  /** The range as numbers beside the chart: of a curve the whole numbers themselves. */
  said(field) {
    const { kind, edges } = this.store.fields[field], codes = this.store.ranges[field];
    return kind === "curve" ? codes && placesOfCodes(edges, codes) : this.range(field);
  }

  data(views) {
    return this.charts.map(({ name, of }) => ROWS[name](views.get(of), this.store.fields[of], this.store.about.effect, this.store.about));
  }

  lined(chart) { return "line" in chart.spec.datasets; }

  /** Where the line of an abstention or decision stands in a chart: at its value, or at the coverage that it leaves. */
  line(chart) {
    const { cut, taken } = this.store;
    if (cut === null || !taken) return [];
    const at = this.coverage(chart.of) ? taken.found.rates[0] : cut;
    return Number.isFinite(at) ? [{ at }] : [];
  }

  count() { this.now = this.data(this.store.views); }

  async draw(theme) {
    const vega = await loadVega(this.model);
    await Promise.all(this.charts.map((chart, k) => {
      chart.range = this.range(chart.of);
      return chart.draw(vega, this.store.about, theme, { all: this.all[k], shown: this.now[k], ...(this.lined(chart) ? { line: this.line(chart) } : {}) });
    }));
    this.inputs.forEach(one => one.show());
    this.drawn = true;
  }

  /** Repaint after a count; resolves when the pictures have settled. */
  async paint() {
    this.count();
    this.inputs.forEach(one => one.show());
    this.charts.forEach((chart, k) => {
      chart.update("shown", this.now[k]);
      if (this.lined(chart)) chart.update("line", this.line(chart));
    });
    await Promise.all(this.charts.map(chart => chart.run()));
    await Promise.all(this.charts.map(chart => chart.place(this.range(chart.of))));
  }

  dispose() { this.charts.forEach(chart => chart.dispose()); }
}
