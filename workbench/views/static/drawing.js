// Draw the curve you expect, then see the measured one. The measured curve is not in the page before it is revealed.

const WIDE = 640, HIGH = 340, LEFT = 58, RIGHT = 16, TOP = 12, BOTTOM = 48, GRID = 5;
const STEP = 0.01, LEAP = 0.1;   // of the vertical axis, by a key

/** The curve through the known points, as the path of an SVG. */
const through = places => places.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)},${y.toFixed(1)}`).join("");

function renderDrawing({ model, el }) {
  const about = model.get("about"), [low, high] = about.ends, count = about.at.length;
  let points = [...model.get("state").points], timer = 0, sent = 0, last = null, held = null;
  const x = share => LEFT + share * (WIDE - LEFT - RIGHT);
  const y = value => TOP + (HIGH - TOP - BOTTOM) * (1 - Math.min(1, Math.max(0, (value - low) / (high - low))));
  const isKnown = value => value !== null && value !== undefined;
  const shown = () => Object.keys(model.get("measured")).length > 0;
  const within = value => Math.min(high, Math.max(low, value));

  const words = (cx, cy, text, anchor, more = {}) => element("text", { x: cx, y: cy, "text-anchor": anchor, text, ...more });
  const frame = element("g", { class: "wb-frame", "aria-hidden": "true" });
  const grid = Array.from({ length: GRID + 1 }, (_, step) => low + (high - low) * step / GRID)
    .map(value => (Math.abs(value) < 1e-9 * (high - low) ? 0 : Number(value.toPrecision(4))));
  const places = Math.max(...grid.map(value => (String(value).split(".")[1] ?? "").length));
  for (const value of grid) {
    const at = y(value);
    frame.append(element("path", { d: `M${x(0)},${at.toFixed(1)}H${x(1)}` }), words(LEFT - 8, at + 4, value.toFixed(places).replace("-", "−"), "end"));
  }
  for (const [at, label] of about.ticks) frame.append(words(x(at), HIGH - BOTTOM + 18, label, "middle"));
  const middle = (TOP + HIGH - BOTTOM) / 2;
  frame.append(words(x(0.5), HIGH - 8, about.x, "middle"), words(14, middle, about.y, "middle", { transform: `rotate(-90 14 ${middle})` }));
  const diagonal = element("path", { class: "wb-diagonal", d: about.diagonal ? through([[x(0), y(low)], [x(1), y(high)]]) : "" });
  const truth = element("g", { class: "wb-measured" }), line = element("path", { class: "wb-expected-line" });
  const knobs = about.at.map((at, i) => element("circle", {
    class: "wb-knob", r: 7, cx: x(at), tabindex: 0, role: "slider", "aria-orientation": "vertical", ...OWN_KEYS,
    "aria-label": `${about.y} at ${about.x} ${about.labels[i]}`, "aria-valuemin": low, "aria-valuemax": high, onkeydown: event => press(event, i),
  }));
  const plot = element("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, class: "wb-plot", role: "group", "aria-label": about.title }, [frame, diagonal, truth, line, ...knobs]);
  const boxes = about.labels.map((label, i) => element("input", {
    type: "number", min: low, max: high, step: "any", ...OWN_KEYS, "aria-label": `${about.y} at ${about.x} ${label}`, onchange: event => {
      const value = event.target.value === "" ? null : Number(event.target.value);
      points[i] = Number.isFinite(value) ? within(value) : null;
      draw(); say();
    },
  }));
  const numbers = element("details", { class: "wb-numbers" }, [
    element("summary", { text: "Numbers" }),
    div("wb-boxes", about.labels.map((label, i) => element("label", {}, [span("wb-label", label), boxes[i]]))),
  ]);
  const reveal = element("button", { type: "button", class: "wb-reveal", text: "Reveal", onclick: () => { clearTimeout(timer); model.send({ kind: "reveal", points }); } });
  const clear = element("button", { type: "button", text: "Clear", onclick: () => { points.fill(null); draw(); say(); } });
  const key = div("wb-key", [span("wb-key-expected", "Expected"), span("wb-key-measured", "Measured")]);
  const status = div("wb-status", [], { role: "status" });
  const caption = "Draw the curve that you expect across the chart; or move a ring with the arrow keys, or open Numbers. "
    + "In Python: drawing.points = [...]. When every point is drawn, Reveal shows the measured curve with its 95 % intervals; from then on the drawing is fixed.";

  const draw = () => {
    const over = shown(), known = points.flatMap((value, i) => (isKnown(value) ? [[x(about.at[i]), y(value)]] : []));
    line.setAttribute("d", known.length > 1 ? through(known) : "");
    knobs.forEach((knob, i) => {
      const value = points[i], drawn = isKnown(value);
      knob.setAttribute("cy", y(drawn ? value : (low + high) / 2));
      knob.classList.toggle("wb-blank", !drawn);
      knob.setAttribute("aria-valuenow", drawn ? value : (low + high) / 2);
      knob.setAttribute("aria-valuetext", drawn ? signed(Number(value.toPrecision(3))) : "not drawn yet");
      knob.setAttribute("aria-disabled", over);
      if (document.activeElement !== boxes[i]) boxes[i].value = drawn ? plain(Number(value.toPrecision(3))) : "";
      boxes[i].disabled = over;
    });
    reveal.disabled = over || known.length < count;
    clear.disabled = over || !known.length;
    root.classList.toggle("wb-over", over);
    key.children[1].hidden = !over;
    truth.replaceChildren(...(over ? measuredParts(model.get("measured")) : []));
    const left = count - known.length;
    status.textContent = over ? model.get("measured").words : left ? `${known.length} of ${count} points are drawn.` : "All points are drawn. Reveal shows the measured curve.";
  };
  const measuredParts = told => {
    const parts = [];
    about.at.forEach((at, i) => {
      if (isKnown(told.low[i]) && isKnown(told.high[i])) parts.push(element("path", { class: "wb-whisker", d: `M${x(at).toFixed(1)},${y(told.low[i]).toFixed(1)}V${y(told.high[i]).toFixed(1)}` }));
    });
    const places = about.at.flatMap((at, i) => (isKnown(told.value[i]) ? [[x(at), y(told.value[i])]] : []));
    parts.push(element("path", { class: "wb-measured-line", d: through(places) }));
    return [...parts, ...places.map(([cx, cy]) => element("circle", { cx, cy, r: 4 }))];
  };
  const say = () => {  // at most every 60 ms, the last one always
    clearTimeout(timer);
    const send = () => { sent = Date.now(); model.send({ kind: "points", points }); };
    const wait = 60 - (Date.now() - sent);
    if (wait <= 0) send(); else timer = setTimeout(send, wait);
  };
  const press = (event, i) => {
    const step = { ArrowUp: STEP, ArrowDown: -STEP, PageUp: LEAP, PageDown: -LEAP }[event.key], to = { Home: low, End: high }[event.key];
    const next = { ArrowLeft: i - 1, ArrowRight: i + 1 }[event.key];
    if (step === undefined && to === undefined && next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    if (next !== undefined) { knobs[Math.min(count - 1, Math.max(0, next))].focus(); return; }
    if (shown()) return;
    const from = isKnown(points[i]) ? points[i] : (low + high) / 2;
    points[i] = Number(within(to ?? from + step * (high - low)).toPrecision(6));
    draw(); say();
  };
  const place = event => {
    const box = plot.getBoundingClientRect(), px = (event.clientX - box.left) / box.width * WIDE, py = (event.clientY - box.top) / box.height * HIGH;
    return [(px - LEFT) / (WIDE - LEFT - RIGHT), within(low + (high - low) * (1 - (py - TOP) / (HIGH - TOP - BOTTOM)))];
  };
  const nearest = at => about.at.reduce((best, other, i) => (Math.abs(other - at) < Math.abs(about.at[best] - at) ? i : best), 0);
  const paint = event => {  // every point that the hand passed since the last event takes the height that the hand had there
    const [at, value] = place(event), [from, start] = last ?? [at, value];
    about.at.forEach((other, i) => {
      if (other > Math.min(from, at) && other <= Math.max(from, at)) points[i] = start + (value - start) * (other - from) / (at - from);
    });
    if (held !== null && nearest(at) !== held) held = null;
    if (held !== null) points[held] = value;   // the hand has not left the point that it took
    last = [at, value];
    draw(); say();
  };
  plot.addEventListener("pointerdown", event => {
    if (shown() || event.button) return;
    event.preventDefault();
    plot.setPointerCapture(event.pointerId);
    last = null;
    held = nearest(place(event)[0]);
    paint(event);
    knobs[nearest(place(event)[0])].focus({ preventScroll: true });
  });
  plot.addEventListener("pointermove", event => { if (last) paint(event); });
  const stop = () => { last = null; };
  plot.addEventListener("pointerup", stop);
  plot.addEventListener("pointercancel", stop);

  const follow = () => {  // the echo of an older place of the hand would pull the line back
    const state = model.get("state");
    if (state.by === "kernel") { points = [...state.points]; draw(); }
  };
  const show = () => { points = [...model.get("state").points]; last = null; draw(); };
  const root = div("workbench-drawing", [panel(about.title, [key, plot, div("wb-row", [reveal, clear, status]), numbers], { caption })]);
  el.replaceChildren(root);
  draw();
  model.on("change:state", follow);
  model.on("change:measured", show);
  return () => { clearTimeout(timer); model.off("change:state", follow); model.off("change:measured", show); };
}

export default { render: renderDrawing };
