// What was explored and what held: the selection's test on the half not seen, and all that was looked at with what became of it.

const MARKS = { explored: "○", confirmed: "✓", "not confirmed": "×", "cannot be tested": "–", "confirmed in part": "◐" };

/** What became of a selection: a sign and its words, so that no colour is needed. */
function markOf(status, words = status) {
  return element("span", { class: `wb-mark wb-mark-${status.replaceAll(" ", "-")}` }, [span("wb-sign", MARKS[status] ?? "○", { "aria-hidden": "true" }), span("", words)]);
}

class Confirming {
  constructor(store) {
    this.store = store;
    const id = `${store.about.key}-why`;
    this.button = element("button", { type: "button", class: "wb-button wb-confirm", text: "Confirm on the half not seen", "aria-describedby": id, onclick: () => this.ask() });
    this.why = span("wb-confirm-why", "", { id });
    this.result = div("wb-confirmed", [], { role: "status", "aria-live": "polite" });
    this.summary = element("summary", { class: "wb-looked-summary" });
    this.body = element("tbody");
    const heads = ["Looked at or tested", "", "Slice minus rest"].map(text => element("th", { text, scope: "col" }));
    const table = element("table", { class: "wb-metrics wb-looked-lines" }, [element("thead", {}, [element("tr", {}, heads)]), this.body]);
    this.details = element("details", { class: "wb-looked" }, [this.summary, div("wb-looked-port", [table], { tabindex: 0, role: "group", "aria-label": "What was looked at or tested", ...OWN_KEYS })]);
    this.host = div("wb-confirming", [div("wb-confirm-line", [this.button, this.why]), this.result, this.details]);
    this.list();
    this.paint();
  }

  get told() { return this.store.model.get("findings"); }

  ask() {
    if (this.button.getAttribute("aria-disabled") === "true") return;
    this.asked = this.store.serial;
    this.store.ask({ kind: "confirm" });
    this.paint();
  }

  /** The kernel's answer, if it is about the selection on show. */
  heard(message) {
    if (message.serial === this.asked) this.asked = null;
    if (message.serial !== this.store.serial) return;
    this.shown = message.serial;
    const { words, status, metric, numbers, note, why_not: why, method } = message;
    if (why) this.result.replaceChildren(span("wb-confirm-note", why));
    else {
      const said = numbers.effect ? [["wb-effect", `${metric}, slice minus rest: ${numbers.effect}`], ["", numbers.p], ["", numbers.n], ["", `explored ${numbers.explored}`]] : [];
      this.result.replaceChildren(markOf(status), ...said.map(([name, text]) => span(`wb-number-said ${name}`, signedText(text), { title: method })),
        span("wb-confirm-note", note), span("wb-confirm-rule", words));
    }
    this.paint();
  }

  /** What was looked at or tested, the newest first; the count is of looks. */
  list() {
    const { lines, left, counts, unseen } = this.told, said = Object.entries(counts).map(([status, n]) => `${whole.format(n)} ${status}`);
    this.details.hidden = !lines.length;
    const tested = unseen ? `${said.length ? " · t" : "T"}ested without a look: ${whole.format(unseen)}` : "";
    this.summary.textContent = `${said.length ? `Looked at: ${said.join(", ")}` : ""}${tested}`;
    this.body.replaceChildren(...lines.map(({ words, name, status, results }) => element("tr", {}, [
      element("th", { scope: "row", text: name ? `${apart(name)} (${words})` : words }), element("td", {}, [markOf(status)]),
      element("td", {}, results.map(text => div("", [document.createTextNode(legible(signedText(text)))]))),
    ])), ...(left ? [element("tr", {}, [element("td", { colspan: 3, text: `${whole.format(left)} more in report.selections` })])] : []));
  }

  paint() {
    const { store } = this, { why_not: none, held, lines } = this.told, fresh = store.metrics?.serial === store.serial;
    const why = none || (fresh ? store.metrics.why_not : this.last ?? ""), going = this.asked === store.serial;
    if (fresh) this.last = why;
    this.host.hidden = !store.brushed && !lines.length;
    this.button.parentElement.hidden = !store.brushed;
    this.button.setAttribute("aria-disabled", String(Boolean(why) || !fresh || going));
    this.why.textContent = going ? "Testing…" : why || `Tests whether this selection differs from the rest of the ${whole.format(held)} held-out rows.`;
    this.result.hidden = this.shown !== store.serial;
  }
}

/** Numbers for people: a true minus sign before a digit, and no line that breaks within "p < 0.001". */
const signedText = text => text.replace(/(^|[\s[])-(?=\d)/g, "$1−").replace(/ ([<=]) /g, "\u00a0$1\u00a0");
