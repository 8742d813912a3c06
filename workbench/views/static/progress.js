// A run: how far, how fast, how long still, and a way to stop it.

const HINT_AFTER = 2500;

/** Seconds as "42 s", "3 min 5 s", "2 h 10 min". */
function duration(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}

function facts(state) {
  const parts = [];
  if (state.rate > 0 && state.status === "running") parts.push(`${state.rate >= 10 ? Math.round(state.rate) : state.rate.toFixed(1)} ${state.unit} per second`);
  if (state.left !== null && state.status === "running") parts.push(`about ${duration(state.left)} left`);
  if (state.status !== "running") parts.push(`in ${duration(state.seconds)}`);
  if (state.cached > 0) parts.push(`${whole.format(state.cached)} from the cache`);
  if (state.memory > 0) parts.push(`${(state.memory / 2 ** 30).toFixed(2)} GiB on the device`);
  return parts.join(" · ");
}

function render({ model, el }) {
  const bar = div("wb-fill"), count = span("wb-count", ""), more = span("wb-facts", "");
  const track = div("wb-progress", [bar], { role: "progressbar", "aria-valuemin": 0, "aria-label": "Progress of the run" });
  const cancel = element("button", { type: "button", class: "wb-cancel", text: "Cancel", onclick: () => {
    cancel.disabled = true;
    cancel.textContent = "Cancelling";
    model.send({ kind: "cancel" });
    timer = setTimeout(() => { if (!model.get("state").stopped) hint.hidden = false; }, HINT_AFTER);
  } });
  const hint = span("wb-facts", "This kernel hears the page only between cells: interrupt it (■) instead.", { hidden: true });
  const words = { running: "", done: "Done", cancelled: "Cancelled", unfinished: "Stopped" };
  let timer = 0;
  const paint = () => {
    const state = model.get("state"), share = state.total ? Math.min(1, state.done / state.total) : 0;
    bar.style.width = `${100 * share}%`;
    track.setAttribute("aria-valuemax", state.total);
    track.setAttribute("aria-valuenow", state.done);
    count.textContent = `${words[state.status] ? `${words[state.status]}: ` : ""}${whole.format(state.done)} of ${whole.format(state.total)} ${state.unit}`;
    more.textContent = facts(state);
    const running = state.status === "running";
    cancel.hidden = !running;
    if (running && state.stopped) { cancel.disabled = true; cancel.textContent = "Cancelling"; }
    if (state.stopped || !running) hint.hidden = true;
    el.firstChild.dataset.status = state.status;
  };
  el.replaceChildren(div("workbench-progress", [div("wb-line", [track, cancel]), div("wb-said-line", [count, more, hint], { role: "status" })]));
  paint();
  model.on("change:state", paint);
  return () => { clearTimeout(timer); model.off("change:state", paint); };
}

export default { render };
