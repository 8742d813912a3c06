// The list of runs: one line each, the newest first.

function render({ model, el }) {
  const list = element("ul", { class: "wb-runs", "aria-label": "Runs of this kernel" });
  const none = div("wb-facts", [], { hidden: true });
  none.textContent = "No run yet. Start one with wb.run(...) or wb.launch().";
  el.replaceChildren(div("workbench-progress workbench-runs", [list, none]));
  const lines = new Map();
  const paint = () => {
    const runs = model.get("runs");
    none.hidden = runs.length > 0;
    for (const state of runs) {
      if (!lines.has(state.number)) lines.set(state.number, runLine(state, () => model.send({ kind: "cancel", number: state.number })));
      lines.get(state.number).paint(state);
    }
    const shown = runs.map(state => lines.get(state.number).line);  // put in order without a loss of focus
    if (shown.length !== list.children.length || shown.some((line, at) => list.children[at] !== line)) list.replaceChildren(...shown);
  };
  paint();
  model.on("change:runs", paint);
  return () => model.off("change:runs", paint);
}

/** One run: title, bar while it goes on, words, Cancel. */
function runLine(first, cancelled) {
  const title = span("wb-run-title", ""), words = span("wb-facts", ""), bar = div("wb-fill");
  const track = div("wb-progress", [bar], { role: "progressbar", "aria-valuemin": 0, "aria-label": `Progress of run ${first.number}` });
  const cancel = element("button", { type: "button", class: "wb-cancel", text: "Cancel", "aria-label": `Cancel run ${first.number}`, onclick: () => { cancel.disabled = true; cancelled(); } });
  const line = element("li", {}, [div("wb-line", [title, cancel]), track, div("wb-said-line", [words])]);
  return {
    line,
    paint(state) {
      title.textContent = legible(`${state.number}. ${apart(state.title)}`);
      bar.style.width = `${state.total ? (100 * state.done) / state.total : 0}%`;
      track.setAttribute("aria-valuemax", state.total || 1);
      track.setAttribute("aria-valuenow", state.done);
      track.hidden = cancel.hidden = !isGoing(state.status);
      const into = state.variable && !isGoing(state.status) ? `in ${state.variable}` : "";
      words.textContent = legible([runCount(state), runFacts(state), into, state.problem].filter(Boolean).join(" · "));
      line.dataset.status = state.status;
    },
  };
}

export default { render };
