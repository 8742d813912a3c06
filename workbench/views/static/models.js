// Several models here and elsewhere: their chart, and which of them stands open below it.

async function renderModels({ model, el }) {
  const about = model.get("about"), picked = () => model.get("picked");
  const pick = (place, side) => { if (place >= 0) model.send({ kind: "pick", model: place, side }); };
  const choice = element("select", { class: "wb-select", "aria-label": "Model whose rows stand below", onchange: () => pick(Number(choice.value), picked().side) },
    [element("option", { value: -1, text: "Choose a model" }), ...about.names.map((name, at) => element("option", { value: at, text: name }))]);
  const sides = about.sides.map(([side, n], at) => element("button", { type: "button", class: "wb-button wb-side-button", text: `${side}, n = ${whole.format(n)}`,
    onclick: () => pick(picked().model, at) }));
  const said = element("p", { class: "wb-why", role: "status" }), host = div("wb-models-chart", [], { role: "img", "aria-label": "Accuracy outside over accuracy inside, and the models' distances from the line" });
  const tools = div("wb-models-tools", [span("wb-hint", "Rows behind"), choice, div("wb-side-buttons", sides, { role: "group", "aria-label": "Side" })]);
  const root = div("workbench-explorer workbench-models", [panel(about.title, [tools, said, host], { caption: about.caption, name: "wb-models-panel" })]);
  el.replaceChildren(root);
  const { embed } = await loadVega(model);
  let result = null, drawing = 0;
  const placeOf = item => about.drawn.indexOf(item?.datum?.model);
  const paint = () => {
    const { model: at, side, said: words } = picked();
    choice.value = String(at);
    sides.forEach((button, k) => { button.setAttribute("aria-pressed", String(k === side)); button.disabled = at < 0; });
    said.textContent = legible(words) || (at < 0 ? "Click a dot or a line of the lower part, or choose a model: its rows open below." : "");
    said.hidden = !said.textContent;
    result?.view.signal("picked", at < 0 ? "" : about.drawn[at]).run();
  };
  const draw = async theme => {
    const turn = ++drawing, mount = div("wb-mount");
    applyPalette(root, about, theme);
    const made = await embed(mount, { ...structuredClone(about.spec), config: about.configs[theme] });
    if (turn !== drawing) { made.finalize(); return; }
    result?.finalize();
    result = made;
    host.replaceChildren(mount);
    result.view.addEventListener("click", (_, item) => pick(placeOf(item), picked().side));
    result.view.addEventListener("mousemove", (_, item) => { host.classList.toggle("wb-on-model", placeOf(item) >= 0); });
    paint();
    root.dataset.drawn = theme;
  };
  const unwatch = watchTheme(draw);
  model.on("change:picked", paint);
  try { await draw(themeNow()); } catch (error) { said.textContent = `The chart cannot be drawn: ${error.message}`; }
  return () => { drawing++; unwatch(); model.off("change:picked", paint); result?.finalize(); };
}

const models = { render: renderModels };
