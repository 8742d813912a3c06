// A threshold to drag: histograms of both kinds, the shares at the line, counted here while it moves.

const BINS = 60, WIDE = 600, HIGH = 160, STEPS = 1000;

/** A number of at most four digits, with a minus sign. */
const short = number => signed(Number(number.toPrecision(4)));

/** How many of sorted values are at or above a limit. */
function atOrAbove(sorted, limit) {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < limit) low = middle + 1; else high = middle;
  }
  return sorted.length - low;
}

/** The scores with their values by kind, sorted, and the ends of the axis. */
function readScores(model) {
  const bytes = (name, kind) => { const view = model.get(name); return new kind(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength)); };
  const values = bytes("values", Float32Array), kinds = bytes("kinds", Uint8Array);
  let at = 0;
  return model.get("about").scores.map(about => {
    const parts = [[], [], []];
    for (const end = at + about.count; at < end; at++) parts[kinds[at]].push(values[at]);
    const sorted = parts.map(part => Float32Array.from(part).sort());
    const all = Float32Array.from(parts.flat()).sort();
    let low = all[Math.floor(0.005 * (all.length - 1))], high = all[Math.ceil(0.995 * (all.length - 1))];
    if (!(high > low)) { low -= 0.5; high += 0.5; }
    const room = (high - low) / 50;
    return { ...about, sorted, low: low - room, high: high + room };
  });
}

/** The outline of a histogram, each kind to its own total, as the path of an SVG. */
function outline(values, low, high, most) {
  const counts = new Float64Array(BINS);
  for (const value of values) counts[Math.min(BINS - 1, Math.max(0, Math.floor((value - low) / (high - low) * BINS)))]++;
  const tall = count => HIGH - (HIGH - 4) * count / (values.length * most);
  let path = `M0,${HIGH}`;
  counts.forEach((count, bin) => { path += `V${tall(count).toFixed(1)}H${((bin + 1) * WIDE / BINS).toFixed(1)}`; });
  return `${path}V${HIGH}Z`;
}

/** The values by kind that are drawn: those of unknown kind only where no other is known, a few would tower over the rest. */
function drawn(score) {
  const [inside, outside, unknown] = score.sorted;
  return [inside, outside, inside.length + outside.length ? [] : unknown];
}

function largestShare(score) {
  let most = 0;
  for (const values of drawn(score)) {
    const counts = new Float64Array(BINS);
    for (const value of values) counts[Math.min(BINS - 1, Math.max(0, Math.floor((value - score.low) / (score.high - score.low) * BINS)))]++;
    if (values.length) most = Math.max(most, Math.max(...counts) / values.length);
  }
  return most || 1;
}

function renderThreshold({ model, el }) {
  const scores = readScores(model);
  let place = model.get("state").score, limit = model.get("state").threshold, sent = 0, timer = 0, dragging = false;
  const choice = element("select", { "aria-label": "Score", onchange: () => { place = Number(choice.value); limit = scores[place].start; draw(); say(); } },
    scores.map((score, i) => element("option", { value: i, text: score.title })));
  const areas = [0, 1, 2].map(kind => element("path", { class: `wb-kind-${kind}` }));
  const line = element("path", { class: "wb-limit" });
  const plot = element("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: "none", class: "wb-plot", "aria-hidden": "true" }, [...areas, line]);
  const slider = element("input", { type: "range", ...OWN_KEYS, min: 0, max: STEPS, step: 1, class: "wb-slider", "aria-label": "Threshold", oninput: () => {
    const score = scores[place];
    limit = score.low + (score.high - score.low) * Number(slider.value) / STEPS;
    draw(); say();
  } });
  const ends = div("wb-ends", [span("wb-low", ""), span("wb-at", ""), span("wb-high", "")]);
  const shares = div("wb-shares", [], { role: "status" }), intervals = div("wb-intervals");
  const caption = "Blue: examples known to be inside, or all where that is not known; orange: outside ones, each as shares of their kind. "
    + "Drag the line, or use the arrow keys on the slider: left of it examples are flagged. wb.selection holds them in the next cell.";

  const draw = () => {
    const score = scores[place], most = largestShare(score);
    choice.value = String(place);
    drawn(score).forEach((values, kind) => areas[kind].setAttribute("d", values.length ? outline(values, score.low, score.high, most) : ""));
    const x = Math.min(WIDE, Math.max(0, (limit - score.low) / (score.high - score.low) * WIDE));
    line.setAttribute("d", `M${x.toFixed(1)},0V${HIGH}`);
    slider.value = String(Math.round(STEPS * x / WIDE));
    slider.setAttribute("aria-valuetext", signed(limit));
    ends.children[0].textContent = short(score.low);
    ends.children[1].textContent = `${score.title} ≥ ${short(limit)} is kept`;
    ends.children[2].textContent = short(score.high);
    const [inside, outside, unknown] = score.sorted, limit32 = Math.fround(limit);
    const parts = [];
    const part = (words, values, name) => {
      if (!values.length) return;
      const kept = atOrAbove(values, limit32);
      parts.push(span(name, `${words} ${percent(kept / values.length)} (${whole.format(kept)} of ${whole.format(values.length)})`));
    };
    part("Inside, kept (TPR):", inside, "wb-tpr");
    part("Outside, let through (FPR):", outside, "wb-fpr");
    part("Not known, kept:", unknown, "wb-rest");
    shares.replaceChildren(...parts);
  };
  const say = () => {  // at most every 60 ms, the last one always
    intervals.textContent = "";
    clearTimeout(timer);
    const send = () => { sent = Date.now(); model.send({ kind: "move", score: place, threshold: limit }); };
    const wait = 60 - (Date.now() - sent);
    if (wait <= 0) send(); else timer = setTimeout(send, wait);
  };
  const drag = event => {
    const box = plot.getBoundingClientRect(), score = scores[place];
    limit = score.low + (score.high - score.low) * Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    draw(); say();
  };
  plot.addEventListener("pointerdown", event => { dragging = true; plot.setPointerCapture(event.pointerId); drag(event); });
  plot.addEventListener("pointermove", event => { if (dragging) drag(event); });
  plot.addEventListener("pointerup", () => { dragging = false; });
  plot.addEventListener("pointercancel", () => { dragging = false; });

  const follow = () => {
    const state = model.get("state");
    if (state.by !== "kernel" || dragging) return;  // the echo of an older place of the hand would pull the line back
    clearTimeout(timer);
    if (state.score !== place || state.threshold !== limit) { place = state.score; limit = state.threshold; draw(); }
  };
  const hear = content => {
    if (content.kind === "problem") intervals.textContent = content.text;
    if (content.kind !== "rates" || content.score !== place || content.threshold !== limit) return;
    intervals.textContent = content.rates.map(rate => `${rate.words}: ${percent(rate.value)} [${percent(rate.low)}, ${percent(rate.high)}], n = ${whole.format(rate.n)}`).join(" · ");
  };
  el.replaceChildren(div("workbench-threshold", [panel("Threshold", [div("wb-field", [plot, slider, ends]), shares, intervals], { caption, tools: [choice] })]));
  draw();
  model.on("change:state", follow);
  model.on("msg:custom", hear);
  model.send({ kind: "rates" });   // the intervals of the line as it stands
  return () => { clearTimeout(timer); model.off("change:state", follow); model.off("msg:custom", hear); };
}

export default { render: renderThreshold };
