// The linked charts: reliability diagram and histogram share the brush on confidence, the curve has that on coverage.

const CONFIDENCE = 0, COVERAGE = 1;

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

/** Two number inputs, the keyboard's brush: `read()` gives [low, high] in [0, 1] or null, `write` takes the two numbers. */
function rangeInputs(label, { read, write }) {
  const input = which => element("input", { type: "number", min: 0, max: 1, step: 0.05, class: "wb-number", placeholder: which === "from" ? "0" : "1",
    "aria-label": `${label} ${which}` });
  const from = input("from"), to = input("to");
  const changed = () => {
    const low = from.value === "" ? 0 : Number(from.value), high = to.value === "" ? 1 : Number(to.value);
    write(from.value === "" && to.value === "" ? null : [Math.max(0, Math.min(low, high)), Math.min(1, Math.max(low, high))]);
  };
  for (const one of [from, to]) one.addEventListener("change", changed);
  const show = () => {
    const range = read();
    [from, to].forEach((one, k) => {
      if (document.activeElement !== one) one.value = range ? String(Math.round(range[k] * 1e3) / 1e3) : "";
    });
  };
  return { show, host: element("span", { class: "wb-range", role: "group", "aria-label": label }, [span("wb-to", label.toLowerCase()), from, span("wb-to", "to"), to]) };
}

class Charts {
  constructor(store, model) {
    this.store = store;
    this.model = model;
    this.edges = store.fields[CONFIDENCE].edges;
    const { specs, captions } = store.about, hosts = ["reliability", "histogram", "risk_coverage"].map(name => div(`wb-chart wb-${name}`));
    const byConfidence = range => store.brush(CONFIDENCE, this.confidenceCodes(range));
    const byCoverage = range => store.brush(COVERAGE, codesOfCoverage(this.curve, store.bins[COVERAGE], range));
    this.charts = [
      new Chart(hosts[0], { spec: specs.reliability, field: "lower", label: `Reliability diagram. ${captions.reliability}`, onBrush: byConfidence }),
      new Chart(hosts[1], { spec: specs.histogram, field: "lower", label: `Histogram of confidence. ${captions.histogram}`, onBrush: byConfidence }),
      new Chart(hosts[2], { spec: specs.risk_coverage, field: "coverage", label: `Risk-coverage curve. ${captions.risk_coverage}`, onBrush: byCoverage }),
    ];
    this.inputs = [
      rangeInputs("Confidence", { read: () => this.ranges()[0], write: byConfidence }),
      rangeInputs("Coverage", { read: () => this.ranges()[2], write: byCoverage }),
    ];
    this.calibration = panel("Reliability", [hosts[0], hosts[1]], {
      name: "wb-calibration", caption: `${captions.reliability} ${captions.histogram} A chart is not filtered by its own brush.`, tools: [this.inputs[0].host],
    });
    this.risk = panel("Risk and coverage", [hosts[2]], { name: "wb-risk", caption: captions.risk_coverage, tools: [this.inputs[1].host] });
    this.all = this.data(store.everything);
    this.count();
  }

  confidenceCodes(range) {
    const codes = range && codesBetween(this.edges, range[0], range[1]);
    return codes && codes.length === this.edges.length - 1 ? null : codes;
  }

  /** Where the brushes lie in each chart. */
  ranges() {
    const [codes, covered] = this.store.ranges, of = codes ? [this.edges[codes[0]], this.edges[codes.at(-1) + 1]] : null;
    return [of, of, coverageOf(this.curve, covered)];
  }

  data(views) {
    const bars = reliabilityRows(views.get(CONFIDENCE), this.edges);
    return [bars, bars, riskRows(views.get(COVERAGE), this.store.bins[COVERAGE])];
  }

  count() {
    this.now = this.data(this.store.views);
    this.curve = this.now[2];
  }

  async draw(theme) {
    const vega = await loadVega(this.model);
    await Promise.all(this.charts.map((chart, k) => {
      chart.range = this.ranges()[k];
      return chart.draw(vega, this.store.about, theme, { all: this.all[k], shown: this.now[k] });
    }));
    this.inputs.forEach(one => one.show());
    this.drawn = true;
  }

  /** Repaint after a count; resolves when the pictures have settled. */
  async paint() {
    this.count();
    const ranges = this.ranges();
    this.inputs.forEach(one => one.show());
    this.charts.forEach((chart, k) => chart.update("shown", this.now[k]));
    await Promise.all(this.charts.map(chart => chart.run()));
    await Promise.all(this.charts.map((chart, k) => chart.place(ranges[k])));
  }

  dispose() { this.charts.forEach(chart => chart.dispose()); }
}
