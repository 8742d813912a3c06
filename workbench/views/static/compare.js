// Two reports on the same examples: who is right where, and the difference of each metric in the selection.

/** A table of two by two: what both say, and what one says alone. A cell is a check box of its examples. */
class Agreement {
  constructor(store, other) {
    const { field, words: [yes, no], name } = store.about.beside;
    this.store = store;
    this.field = field;
    this.labels = store.fields[field].labels;
    const cell = code => {
      const parts = { n: span("wb-cross-n", ""), share: span("wb-cross-share", ""), interval: span("wb-cross-interval", "") };
      const button = element("button", { type: "button", role: "checkbox", "aria-checked": "false",
        class: `wb-cross-cell${code === 1 || code === 2 ? " wb-apart" : ""}`, onclick: () => store.toggle(field, code) }, Object.values(parts));
      return { ...parts, code, button };
    };
    this.cells = [0, 1, 2, 3].map(cell);
    const head = (text, side, title) => element("span", { class: "wb-cross-head", title }, [element("b", { text: `${side} ` }), text]);
    const theirs = other.about.beside.name, [a, b, c, d] = this.cells.map(one => one.button);
    this.table = div("wb-cross", [span("", ""), head(yes, "b", theirs), head(no, "b", theirs), head(yes, "a", name), a, b, head(no, "a", name), c, d], { role: "group", "aria-label": "Agreement of a and b" });
    this.names = element("p", { class: "wb-cross-names" }, [element("b", { text: "a" }), `: ${legible(apart(name))}, `, element("b", { text: "b" }), `: ${legible(apart(theirs))}`]);
    this.said = element("p", { class: "wb-cross-said" });
    this.host = panel("Agreement", [this.names, this.table, this.said], { name: "wb-agreement-panel",
      caption: `Each cell counts the selected ${store.about.unit}, with its share of those known of both and the 95 % interval. Click cells to select their examples in both reports.` });
    this.paint();
  }

  paint() {
    const { store } = this, { n } = store.views.get(this.field), chosen = store.ranges[this.field], { unit, effect } = store.about;
    const known = n[0] + n[1] + n[2] + n[3];
    for (const { code, button, ...parts } of this.cells) {
      const [low, high] = wilson(n[code], known, effect), share = n[code] / known;
      parts.n.textContent = whole.format(n[code]);
      parts.share.textContent = percent(share);
      parts.interval.textContent = known ? `${percent(low)} to ${percent(high)}` : "";
      button.style.setProperty("--wb-share", `${known ? (55 * share).toFixed(1) : 0}%`);
      button.setAttribute("aria-checked", String(Boolean(chosen?.includes(code))));
      button.setAttribute("aria-label", legible(`${apart(this.labels[code])}: ${whole.format(n[code])} ${unit}, ${percent(share)}`));
      button.classList.toggle("wb-off", Boolean(chosen && !chosen.includes(code)));
    }
    const same = n[0] + n[3], [low, high] = wilson(same, known, effect);
    const missing = total(n) - known;
    this.said.textContent = known ? `They agree on ${percent(same / known)} (95 %: ${percent(low)} to ${percent(high)}) of ${whole.format(known)} ${unit}${missing ? `; ${whole.format(missing)} are not known of both` : ""}.`
      : `No selected ${unit} are known of both.`;
  }

  dispose() {}
}

/** The kernel's paired differences of the selection. */
class Differences {
  constructor(store, model) {
    this.store = store;
    this.model = model;
    this.body = element("tbody");
    this.state = span("wb-state", "");
    const heads = ["Metric", "a", "b", "a − b", "95 % interval", "p"].map((text, k) => element("th", { text, scope: "col", class: k ? "wb-right" : "" }));
    const table = element("table", { class: "wb-metrics" }, [element("thead", {}, [element("tr", {}, heads)]), this.body]);
    this.host = panel("What differs", [table], { name: "wb-differences-panel", tools: [this.state],
      caption: "Paired, computed by the kernel for the selection. Bold: the interval leaves out 0. p is that of one line, for rows that were not picked by their outcome." });
    this.heard = message => {
      if (message.kind === "problem") this.state.textContent = legible(message.text);
      if (message.kind !== "differences" || message.serial < store.serial || (this.last?.serial === message.serial && this.last.draws > message.draws)) return;
      this.last = message;
      this.paint();
    };
    model.on("msg:custom", this.heard);
    model.send({ kind: "differences" });
  }

  paint() {
    const { last } = this;
    if (!last) return;
    const old = last.serial < this.store.serial;
    this.host.querySelector("table").classList.toggle("wb-old", old);
    this.state.textContent = old ? "updating" : `n = ${whole.format(last.n)}${last.draws ? "" : ", resampling"}`;
    this.body.replaceChildren(...last.lines.map(({ words, value_a: a, value_b: b, difference, low, high, p, method }) => {
      const some = low !== null, places = some ? placesOf(low, high) : 3, apart = some && (low > 0 || high < 0);
      const cell = text => element("td", { class: "wb-right", text });
      return element("tr", { title: method, class: apart ? "wb-apart" : "" }, [element("th", { text: words, scope: "row" }),
        cell(digits(a, low ?? 0, high ?? 0, places)), cell(digits(b, low ?? 0, high ?? 0, places)), cell(digits(difference, low ?? 0, high ?? 0, places)),
        cell(some ? `${digits(low, low, high)} to ${digits(high, low, high)}` : "–"), cell(p === null ? "–" : p < 0.001 ? "< 0.001" : p.toFixed(3))]);
    }));
    if (!last.lines.length) this.body.replaceChildren(element("tr", {}, [element("td", { colspan: 6, text: "No selected row is in both reports." })]));
  }

  dispose() { this.model.off("msg:custom", this.heard); }
}
