// The heat map of a view: one line per term, one cell per measure. Each line is a check box of the term.

const BLOCKS = 4, LINES = 6;                           // blocks beside each other, least lines of one
const STRONGEST = 60, QUIET = 40;                      // per cent of colour, of a measure with a reference and of one without
const LONG = [24, 13];                                 // characters of a name from which there are two blocks, three

/** How strong a cell is coloured, from -1 to 1: how far its mean lies from the reference, or from zero, towards the furthest. */
function strengthOf(mean, { reference, reach }) {
  return reach ? Math.max(-1, Math.min(1, (mean - (reference ?? 0)) / reach)) : 0;
}

class TermMap {
  constructor(store) {
    const { field, measures, caption } = store.about.map, cells = store.everyCell;
    this.store = store;
    this.field = field;
    this.labels = store.fields[field].labels;
    this.codes = this.labels.map((_, code) => code).filter(code => cells.some(one => one.n[code]));
    this.measures = measures.map((measure, m) => {
      const means = this.codes.filter(code => cells[m].n[code]).map(code => cells[m].sum[code] / cells[m].n[code]);
      const places = this.codes.map(code => cellOf(cells[m], code, measure, store.about.map.students)).filter(Boolean)
        .map(({ low, high }) => placesOf(low, high)).sort((a, b) => a - b);
      const furthest = Math.max(...means.map(mean => Math.abs(mean - (measure.reference ?? 0))));
      return { ...measure, places: places[places.length >> 1], reach: measure.share ? Math.max(measure.reference ?? 0, 1 - (measure.reference ?? 0)) : furthest };
    });
    this.body = div("wb-map", [], { role: "group", "aria-label": `Means by ${store.fields[field].name}` });
    this.host = panel(`By ${store.fields[field].name}`, [this.body], { name: "wb-map-panel", caption });
    this.sort(0);
  }

  /** Order the lines by a measure, the largest first, or by name (-1); the order is that of all rows, and stays while brushing. */
  sort(by) {
    const cells = this.store.everyCell[by], mean = code => (cells.n[code] ? cells.sum[code] / cells.n[code] : -Infinity);
    const byName = (a, b) => this.labels[a].localeCompare(this.labels[b]);
    this.codes.sort(by < 0 ? byName : (a, b) => mean(b) - mean(a) || byName(a, b));
    this.by = by;
    this.build();
  }

  build() {
    const longest = Math.max(...this.codes.map(code => this.labels[code].length)), most = BLOCKS - LONG.filter(n => longest > n).length;
    const blocks = Math.max(1, Math.min(most, Math.ceil(this.codes.length / LINES))), tall = Math.ceil(this.codes.length / blocks);
    this.lines = this.codes.map(code => {
      const cells = this.measures.map(() => span("wb-map-cell", ""));
      const button = element("button", { class: "wb-map-line", type: "button", role: "checkbox", "aria-checked": "false",
        onclick: () => this.store.toggle(this.field, code) }, [span("wb-map-name", this.labels[code]), ...cells]);
      return { code, cells, button };
    });
    this.body.style.setProperty("--wb-measures", this.measures.length);
    this.body.style.setProperty("--wb-name", `${Math.max(12, longest) + 1}ch`);
    this.body.style.setProperty("--wb-block", `${most < BLOCKS ? 310 : 225}px`);
    this.body.replaceChildren(...Array.from({ length: blocks }, (_, k) =>
      div("wb-map-block", [this.head(k > 0), ...this.lines.slice(k * tall, (k + 1) * tall).map(line => line.button)])));
    this.paint();
  }

  /** The headings of a block, which sort; those of the second and later blocks are there for the eye alone. */
  head(again) {
    const sorter = (words, by) => element("button", { class: `wb-sort${by < 0 ? "" : " wb-right"}`, type: "button", text: words, title: words,
      tabindex: again ? -1 : null, "aria-pressed": again ? null : String(this.by === by), onclick: () => this.sort(by) });
    return div("wb-map-head", [sorter(this.store.fields[this.field].name, -1), ...this.measures.map(({ title }, m) => sorter(title, m))],
      again ? { "aria-hidden": "true" } : {});
  }

  paint() {
    const { store } = this, chosen = store.ranges[this.field], { unit, map: { students } } = store.about;
    for (const { code, cells, button } of this.lines) {
      const said = this.measures.map((measure, m) => this.paintCell(cells[m], cellOf(store.cells[m], code, measure, students), measure));
      const n = Math.max(...store.cells.map(one => one.n[code]));
      button.title = legible([apart(this.labels[code]), ...said, `${whole.format(n)} ${unit}`].join("\n"));
      button.setAttribute("aria-label", legible(`${apart(this.labels[code])}: ${said.join(", ")}, ${whole.format(n)} ${unit}`));
      button.setAttribute("aria-checked", String(Boolean(chosen?.includes(code))));
      button.classList.toggle("wb-off", Boolean(chosen && !chosen.includes(code)));
    }
  }

  /** Colour and fill a cell; returns its words. */
  paintCell(host, cell, measure) {
    const { title, share, reference } = measure;
    const number = value => (value === null ? "–" : share ? percent(value) : digits(value, cell.low, cell.high, measure.places));
    host.textContent = cell ? number(cell.mean) : "";
    const strength = cell ? strengthOf(cell.mean, measure) : 0;
    const hue = reference === null ? "var(--wb-muted)" : strength > 0 ? "var(--wb-accent)" : "var(--wb-shown)";
    host.style.background = cell ? `color-mix(in srgb, ${hue} ${((reference === null ? QUIET : STRONGEST) * Math.abs(strength)).toFixed(1)}%, var(--wb-ground))` : "none";
    const apart = cell && reference !== null && cell.low !== null && (cell.low > reference || cell.high < reference);
    host.classList.toggle("wb-apart", Boolean(apart));
    return cell ? `${title} ${number(cell.mean)} (95 %: ${number(cell.low)} to ${number(cell.high)})` : `${title} –`;
  }
}
