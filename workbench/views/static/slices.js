// The slices: one bar per value of a column. All columns filter, one is on show. Each row is a check box.

class Slices {
  constructor(store) {
    this.store = store;
    this.choices = store.fields.map((field, f) => [field, f]).filter(([field]) => field.kind === "slice");
    this.select = element("select", { class: "wb-select", "aria-label": "Slice by",
      onchange: () => store.show(Number(this.select.value)) },
      this.choices.map(([field, f]) => element("option", { value: f, text: field.title })));
    this.list = div("wb-slices", [], { role: "group" });
    const { rate, unit, captions } = store.about;
    const legend = div("wb-slice-legend", [span("", ""), span("", unit), span("", ""), span("wb-scale", rate.short)], { "aria-hidden": "true" });
    this.host = panel("Slices", [legend, this.list], { name: "wb-slice-panel", tools: [this.select], caption: captions.slices });
    this.build();
  }

  build() {
    const field = this.store.fields[this.store.slice], all = this.store.everything.get(this.store.slice);
    this.built = this.store.slice;
    this.select.value = String(this.built);
    this.most = Math.max(1, ...all.n.subarray(0, field.bins));
    this.list.setAttribute("aria-label", legible(`Slices by ${apart(field.title)}`));
    this.rows = field.labels.map((label, code) => {
      const parts = { all: span("wb-bar-all", ""), shown: span("wb-bar-shown", ""), n: span("wb-slice-n", ""), line: span("wb-track-line", ""),
        dot: span("wb-track-dot", ""), tick: this.tick(), value: span("wb-slice-value", ""), mark: span("wb-slice-mark", "") };
      parts.all.style.width = `${(100 * all.n[code]) / this.most}%`;
      const button = element("button", { class: "wb-slice", type: "button", role: "checkbox", "aria-checked": "false", title: label,
        onclick: event => this.toggle(code, event.shiftKey) }, [
        element("span", { class: "wb-slice-label" }, [span("wb-slice-name", label), parts.mark]), element("span", { class: "wb-slice-bar" }, [parts.all, parts.shown]), parts.n,
        element("span", { class: "wb-track" }, [parts.line, parts.tick, parts.dot]), parts.value,
      ]);
      return { ...parts, button };
    });
    this.list.replaceChildren(...this.rows.map(row => row.button));
    this.found();
  }

  /** What became of the slices that were looked at by themselves. */
  found() {
    const { store } = this;
    this.became = new Map(store.model.get("findings").marks.flatMap(([f, code, status]) => (f === this.built ? [[code, status]] : [])));
    this.rows.forEach((row, code) => {
      const status = this.became.get(code);
      row.mark.replaceChildren(...(status ? [markOf(status)] : []));
      row.button.classList.toggle("wb-marked", Boolean(status));
    });
    this.paint();
  }

  /** The tick of a row: the mean confidence, or the rate of a model without bias. */
  tick() {
    const { reference } = this.store.about.rate, name = this.store.calibrated ? "wb-track-tick" : "wb-track-reference";
    return span(name, "", { style: reference === null ? {} : { left: `${100 * reference}%` } });
  }

  toggle(code, run) {
    const from = run && this.last !== undefined ? Math.min(this.last, code) : code, to = run ? Math.max(this.last ?? code, code) : code;
    this.store.toggle(this.store.slice, code, from < to ? Array.from({ length: to - from + 1 }, (_, k) => from + k) : []);
    this.last = code;
  }

  paint() {
    const { store } = this;
    if (this.built !== store.slice) { this.build(); return; }
    const { rate: { short, reference }, unit, effect } = store.about;
    const counts = store.views.get(store.slice), chosen = store.ranges[store.slice], field = store.fields[store.slice];
    this.rows.forEach((row, code) => {
      const n = counts.n[code], known = counts.known[code], passes = !chosen || chosen.includes(code);
      const rate = known ? counts.hits[code] / known : NaN, [low, high] = wilson(counts.hits[code], known, effect);
      row.button.setAttribute("aria-checked", String(Boolean(chosen?.includes(code))));
      row.button.setAttribute("aria-label", legible(`${apart(field.labels[code])}: ${whole.format(n)} ${unit}, ${short} ${percent(rate)}${this.became.has(code) ? `, ${this.became.get(code)}` : ""}`));
      row.button.classList.toggle("wb-off", !passes);
      row.shown.style.width = `${(100 * n) / this.most}%`;
      row.n.textContent = whole.format(n);
      row.value.textContent = percent(rate);
      for (const part of [row.line, row.dot]) part.hidden = !known;
      row.tick.hidden = store.calibrated ? !known : reference === null;
      if (!known) return;
      Object.assign(row.line.style, { left: `${100 * low}%`, width: `${100 * (high - low)}%` });
      row.dot.style.left = `${100 * rate}%`;
      if (store.calibrated) row.tick.style.left = `${(100 * counts.sum[code]) / known}%`;
    });
  }
}
