// The tokens of an example: a heat line under its text; point at a token, or walk with the arrow keys, for its numbers.

const HEATS = [
  { key: "logp", words: "log p", unit: "nats", ends: ["0", "−8 and less"], strength: value => -value / 8 },
  { key: "entropy", words: "entropy", unit: "nats", ends: ["0", "6 and more"], strength: value => value / 6 },
  { key: "rank", words: "rank", unit: "", ends: ["0, the first choice", "1,000 and more"], strength: value => Math.log1p(value) / Math.log(1001) },
];

/** How strongly a token is coloured, 0 to 1; null where the number is not known. */
const heatOf = (heat, value) => (value === null || value === undefined ? null : Math.max(0, Math.min(1, heat.strength(value))));

/** A token so that it can be seen: what is no letter has a sign. */
const visible = token => (token === "" ? "·" : token.replace(/\n/g, "⏎\n").replace(/\t/g, "⇥"));

/** A log-probability with two decimals and a minus sign. */
const nats = value => value.toFixed(2).replace("-", "−");

class TokenView {
  constructor() {
    this.heat = HEATS[0];
    this.host = div("wb-tokens", [], { hidden: true });
  }

  wait() {
    this.host.hidden = false;
    this.host.replaceChildren(element("p", { class: "wb-why", text: "Tokens …" }));
  }

  show(message) {
    this.host.hidden = false;
    if (message.why) { this.host.replaceChildren(element("p", { class: "wb-why", text: message.why })); return; }
    this.lines = message.lines;
    this.buttons = HEATS.filter(({ key }) => this.lines.some(line => line[key].some(value => value !== null))).map(heat =>
      element("button", { type: "button", class: "wb-button wb-heat", text: heat.words, "aria-pressed": "false", onclick: () => this.colour(heat) }));
    this.low = span("", "");
    this.high = span("", "");
    this.readout = element("p", { class: "wb-token-said", "aria-live": "polite", text: "Point at a token, or use the arrow keys." });
    const legend = div("wb-heat-legend", [this.low, span("wb-heat-scale", ""), this.high], { "aria-hidden": "true" });
    this.host.replaceChildren(div("wb-token-head", [element("h4", { class: "wb-token-title", text: "Tokens" }), ...this.buttons, legend]),
      ...this.lines.map((line, k) => this.line(line, k)), this.readout, ...(message.by ? [element("p", { class: "wb-why", text: message.by })] : []));
    this.colour(this.heat);
  }

  line({ title, tokens, total, sum_logp: sum }, k) {
    const n = `${whole.format(total)} tokens`, cut = tokens.length < total ? `, the first ${tokens.length} shown` : "";
    const told = sum === null ? n : `${n}${cut}: log p ${nats(sum)} nats in all, ${nats(sum / total)} a token`;
    const options = tokens.map((token, t) => element("span", { role: "option", class: "wb-token", tabindex: t ? -1 : 0, "aria-selected": "false", text: visible(token),
      "aria-label": this.said(k, t), onpointerenter: () => this.read(k, t), onfocus: event => this.focus(event.target, k, t) }));
    const box = div("wb-token-line", options, { role: "listbox", "aria-orientation": "horizontal", "aria-label": `Tokens${title ? ` of ${title}` : ""}`, ...OWN_KEYS,
      onkeydown: event => this.key(event, options) });
    return div("wb-token-text", [element("p", { class: "wb-why", text: title ? `${title}: ${told}` : told }), box]);
  }

  /** The numbers of a token in words. */
  said(k, t) {
    const line = this.lines[k], number = (value, digits) => value.toFixed(digits).replace("-", "−");
    const parts = [line.logp[t] !== null && `log p ${number(line.logp[t], 3)} (p ${Math.exp(line.logp[t]).toPrecision(2)})`,
      line.entropy[t] !== null && `entropy ${number(line.entropy[t], 3)} nats`, line.rank[t] !== null && `rank ${whole.format(line.rank[t])}`].filter(Boolean);
    return `Token ${t + 1} “${apart(visible(line.tokens[t]).trim() || "space")}”: ${parts.join(", ") || "no numbers"}`;
  }

  read(k, t) { this.readout.textContent = legible(this.said(k, t)); }

  focus(target, k, t) {
    for (const one of target.parentElement.children) { one.tabIndex = one === target ? 0 : -1; one.setAttribute("aria-selected", String(one === target)); }
    this.read(k, t);
  }

  key(event, options) {
    const at = options.indexOf(document.activeElement), to = { ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + 10, ArrowUp: at - 10, Home: 0, End: options.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    options[Math.max(0, Math.min(options.length - 1, to))].focus();
    event.preventDefault();
    event.stopPropagation();
  }

  colour(heat) {
    this.heat = heat;
    [this.low.textContent, this.high.textContent] = heat.ends;
    for (const button of this.buttons) button.setAttribute("aria-pressed", String(button.textContent === heat.words));
    this.host.querySelectorAll(".wb-token-line").forEach((box, k) => [...box.children].forEach((option, t) => {
      const strength = heatOf(heat, this.lines[k][heat.key][t]);
      option.style.setProperty("--wb-heat", strength === null ? "0%" : `${(100 * strength).toFixed(0)}%`);
      option.classList.toggle("wb-unknown", strength === null);
    }));
  }
}
