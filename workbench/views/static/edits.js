// The edits that were asked of a report, now or before it was saved: answers old and new, a line each, the latest first.

class Edits {
  constructor(store, open) {
    Object.assign(this, { store, open });
    this.summary = element("summary", { class: "wb-edits-title" });
    this.table = div("wb-edits-table", [], { tabindex: 0, role: "group", "aria-label": "What was asked before", ...OWN_KEYS });
    const caption = element("p", { class: "wb-caption", text: "The unchanged text’s answer → the changed text’s, of the model that was asked then. Each was asked once: no interval." });
    this.host = element("details", { class: "wb-edits" }, [this.summary, this.table, caption]);
    this.paint();
  }

  paint() {
    const { n = 0, heads = [], lines = [] } = this.store.model.get("asked") ?? {};
    this.host.hidden = !n;
    if (!n) return;
    const more = n > lines.length ? `, the latest ${whole.format(lines.length)} shown` : "";
    this.summary.textContent = `${whole.format(n)} ${n === 1 ? "edit was" : "edits were"} asked of this report${more}`;
    const cell = (text, title) => element("td", { text, title });
    const head = element("tr", {}, ["Example", "Changed text", ...heads.map(({ words }) => words), "Model"].map(text => element("th", { text, scope: "col" })));
    this.table.replaceChildren(element("table", { class: "wb-metrics" }, [element("thead", {}, [head]), element("tbody", {}, lines.map(line => this.line(line, heads, cell)))]));
  }

  line({ row, example, parts, answers, model, time }, heads, cell) {
    const { columns } = this.store.about, said = (name, value) => valueOf(name, value, columns);
    const place = row === null ? element("td", { text: example, title: "Not among the rows that are explored here" })
      : element("td", {}, [element("button", { type: "button", class: "wb-link", text: example, title: "Open this example", onclick: () => this.open(row) })]);
    const told = answers.map(([old, now], k) => element("td", { class: typeof (now ?? old) === "string" ? (old === now ? "wb-told" : "wb-told wb-turned") : "" },
      old === null && now === null ? [span("", "–")] : [span("wb-was", said(heads[k].name, old)), span("", " → "), span("", said(heads[k].name, now))]));
    return element("tr", {}, [place, element("td", { class: "wb-change" }, edited(parts)), ...told, cell(model, time)]);
  }
}
