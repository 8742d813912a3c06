// A run: how far, how fast, how long still, what it says so far, and a way to stop it.

const HINT_AFTER = 2500;

/** The bar, the count and the metrics so far; returns how to paint them. */
function runMonitor(el, cancelled) {
  const bar = div("wb-fill");
  const count = span("wb-count", "");
  const more = span("wb-facts", "");
  const track = div("wb-progress", [bar], { role: "progressbar", "aria-valuemin": 0, "aria-label": "Progress of the run" });
  const cancel = element("button", { type: "button", class: "wb-cancel", text: "Cancel", onclick: () => {
    cancel.disabled = true;
    cancel.textContent = "Cancelling";
    cancelled();
    timer = setTimeout(() => { if (!stopped) hint.hidden = false; }, HINT_AFTER);
  } });
  const hint = span("wb-facts", "This kernel hears the page only between cells: interrupt it (■) instead.", { hidden: true });
  const problem = div("wb-problem", [], { hidden: true, role: "status" });
  const partial = div("wb-partial", [], { hidden: true });
  let timer = 0, stopped = false;
  const root = div("workbench-progress", [div("wb-line", [track, cancel]), div("wb-said-line", [count, more, hint], { role: "status" }), problem, partial]);
  el.replaceChildren(root);
  return {
    paint(state) {
      const share = state.total ? Math.min(1, state.done / state.total) : 0, going = isGoing(state.status);
      stopped = state.stopped;
      bar.style.width = `${100 * share}%`;
      track.setAttribute("aria-valuemax", state.total || 1);
      track.setAttribute("aria-valuenow", state.done);
      count.textContent = runCount(state);
      more.textContent = runFacts(state);
      cancel.hidden = !going;
      if (going && stopped) { cancel.disabled = true; cancel.textContent = "Cancelling"; }
      if (stopped || !going) hint.hidden = true;
      problem.hidden = !state.problem;
      problem.textContent = legible(state.problem ?? "");
      root.dataset.status = state.status;
    },
    sketch(told) {
      partial.hidden = !told.lines && !told.why;
      partial.replaceChildren(...(told.lines ? sketched(told) : told.why ? [span("wb-facts", told.why)] : []));
    },
    stop: () => clearTimeout(timer),
  };
}

/** The metrics so far, each with its interval and the path that it took. */
function sketched({ done, total, lines, trail }) {
  const share = total ? ` (${percent(done / total)})` : "";
  const head = div("wb-partial-head", [
    span("wb-partial-mark", "Partial"),
    span("", `${whole.format(done)} of ${whole.format(total)} examples${share}: numbers so far, which may still move.`),
  ]);
  const table = element("table", { class: "wb-partial-table", "aria-label": "Metrics so far" }, [
    element("thead", {}, [element("tr", {}, ["Metric", "So far", "95 % interval", "n", "As examples came in"].map(text => element("th", { text, scope: "col" })))]),
    element("tbody", {}, lines.map((line, at) => element("tr", { title: line.method }, [
      element("th", { text: line.words, scope: "row" }),
      element("td", { text: line.said, class: "wb-strong" }),
      element("td", { text: line.interval }),
      element("td", { text: whole.format(line.n) }),
      element("td", {}, [path(trail, at, line)]),
    ]))),
  ]);
  return [head, table];
}

const SVG = "http://www.w3.org/2000/svg";

/** A band (interval) and a line (value) over the number of examples that were done. */
function path(trail, at, line) {
  const wide = 150, high = 26, pad = 3;
  const points = trail.map(point => ({ n: point.n, value: point.at[at][0], low: point.at[at][1], high: point.at[at][2] })).filter(p => p.value !== null);
  const known = points.flatMap(p => [p.value, p.low, p.high]).filter(v => v !== null);
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${wide} ${high}`);
  svg.setAttribute("class", "wb-path");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `${line.words}: ${line.said}, ${line.interval}`);
  if (!known.length) return svg;
  const low = Math.min(...known), span_ = Math.max(...known) - low || 1;
  const last = points.at(-1).n, first = Math.min(points[0].n, last / 2);
  const x = n => pad + ((wide - 2 * pad) * (n - first)) / (last - first || 1), y = v => high - pad - (high - 2 * pad) * ((v - low) / span_);
  const draw = (name, attributes) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    svg.append(made);
  };
  const band = points.filter(p => p.low !== null && p.high !== null);
  if (band.length) {
    const edge = [...band.map(p => `${x(p.n)},${y(p.high)}`), ...band.toReversed().map(p => `${x(p.n)},${y(p.low)}`)];
    draw("polygon", { points: edge.join(" "), class: "wb-band" });
    const end = band.at(-1);
    draw("line", { x1: x(end.n), x2: x(end.n), y1: y(end.low), y2: y(end.high), class: "wb-whisker" });
  }
  draw("polyline", { points: points.map(p => `${x(p.n)},${y(p.value)}`).join(" "), class: "wb-trace" });
  draw("circle", { cx: x(points.at(-1).n), cy: y(points.at(-1).value), r: 2.5, class: "wb-dot" });
  return svg;
}

function render({ model, el }) {
  const shown = runMonitor(el, () => model.send({ kind: "cancel" }));
  const paint = () => shown.paint(model.get("state"));
  const sketch = () => shown.sketch(model.get("partial") ?? {});
  paint();
  sketch();
  model.on("change:state", paint);
  model.on("change:partial", sketch);
  return () => { shown.stop(); model.off("change:state", paint); model.off("change:partial", sketch); };
}

export default { render };
