// The launcher's form: model, examples, probe and options; what it costs; the cell that does the same; Run.

const OTHER = "\u0000other";
let counter = 0;

/** Something that can be labelled: text, control, and a sentence that explains it. */
function field(label, control, note, { name = "wb-field" } = {}) {
  const id = `wb-launch-${++counter}`, about = element("span", { class: "wb-note", text: note ?? "", id: `${id}-note`, hidden: !note });
  const input = control.matches("select, input") ? control : control.querySelector("select, input");
  input.id = id;
  input.setAttribute("aria-describedby", about.id);
  const made = div(name, [element("label", { text: label, for: id }), control, about]);
  return { made, tell: text => { about.textContent = legible(text); about.hidden = !text; } };
}

/** A list in groups with a last entry for what is typed; `onchange` hears the value. */
function picker(words, placeholder, changed) {
  const select = element("select", { onchange: () => { typed.hidden = select.value !== OTHER; if (typed.hidden) changed(select.value); else typed.focus(); } });
  const typed = element("input", { type: "text", placeholder, "aria-label": `${words}, typed`, hidden: true, spellcheck: "false", onchange: () => changed(typed.value.trim()), ...OWN_KEYS });
  return {
    control: div("wb-pair", [select, typed]),
    fill(entries, value) {
      const groups = new Map();
      for (const entry of entries) {
        if (!groups.has(entry.group)) groups.set(entry.group, element("optgroup", { label: entry.group }));
        groups.get(entry.group).append(element("option", { value: entry.value, text: entry.detail ? `${apart(entry.label)} (${entry.detail})` : entry.label }));
      }
      const other = element("option", { value: OTHER, text: `Another: ${placeholder}` });
      select.replaceChildren(...groups.values(), other);
      const known = entries.some(entry => entry.value === value);
      select.value = known ? value : OTHER;
      typed.hidden = known;
      if (!known && document.activeElement !== typed) typed.value = value;
    },
  };
}

/** The control of one option, with `read` (undefined where it is the default). */
function optionControl(option, value, changed) {
  const given = value === undefined ? option.default : value;
  if (option.kind === "flag") {
    const box = element("input", { type: "checkbox", onchange: changed });
    box.checked = given === true || given === "True";
    return { control: div("wb-check", [box]), read: () => (box.checked === option.default ? undefined : box.checked) };
  }
  if (option.kind === "one") {
    const select = element("select", { onchange: changed }, option.known.map(one => element("option", { value: one, text: String(one) })));
    select.value = String(given);
    return { control: select, read: () => (select.value === String(option.default) ? undefined : select.value) };
  }
  if (option.kind === "several" && option.known.length && option.known.length <= 12) {
    const chosen = new Set((Array.isArray(given) ? given : String(given).split(",")).map(one => String(one).trim()));
    const boxes = option.known.map(one => {
      const box = element("input", { type: "checkbox", value: one, onchange: changed });
      box.checked = chosen.has(String(one));
      return box;
    });
    const usual = option.default.map(String).join();
    const read = () => { const now = boxes.filter(box => box.checked).map(box => box.value); return now.join() === usual ? undefined : now; };
    const group = div("wb-checks", boxes.map((box, at) => element("label", {}, [box, span("", String(option.known[at]))])), { role: "group", "aria-label": option.name });
    return { control: group, read, group: true };
  }
  const usual = Array.isArray(option.default) ? option.default.join(", ") : String(option.default);
  const kind = option.kind === "number" ? "number" : "text";
  const [min, max] = option.limits.length ? option.limits : [null, null];
  const input = element("input", { type: kind, step: kind === "number" ? "any" : null, min, max, placeholder: usual || (option.variable ? "a variable" : ""), spellcheck: "false", onchange: changed, ...OWN_KEYS });
  input.value = value === undefined ? "" : Array.isArray(value) ? value.join(", ") : value;
  return { control: input, read: () => (input.value.trim() === "" || input.value.trim() === usual ? undefined : input.value.trim()) };
}

/** Put text on the clipboard, also where a page may not: by a selection. */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = element("textarea", { style: { position: "fixed", opacity: "0" } });
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    return copied;
  }
}

/** Buttons that hand over a cell: to the clipboard, and into the notebook where JupyterLab's extension is there. */
function cellButtons(source, el) {
  const lab = globalThis[Symbol.for("workbench.lab")];
  const copy = element("button", { type: "button", class: "wb-button wb-copy", text: "Copy the cell", onclick: async () => {
    copy.textContent = (await copyText(source())) ? "Copied" : "Select it and press Ctrl-C";
    setTimeout(() => { copy.textContent = "Copy the cell"; }, 1800);
  } });
  const insert = element("button", { type: "button", class: "wb-button wb-insert", text: "Insert it below", hidden: !lab?.insertCell, onclick: () => lab.insertCell(source(), el) });
  return [copy, insert];
}

function render({ model, el }) {
  const send = (kind, more = {}) => model.send({ kind, ...more });
  const get = () => model.get("choice");
  const change = changes => { model.set("choice", { ...get(), ...changes }); send("choice", { choice: get() }); };
  const answer = () => model.get("answer");
  let options = [], probeShown = "";

  const models = picker("Model", "a hub name, a folder, a variable", value => change({ model: value }));
  const data = picker("Examples", "a file, a variable", value => change({ data: value }));
  const probe = element("select", { onchange: () => change({ probe: probe.value, options: {} }) });
  const modelField = field("Model", models.control, "");
  const dataField = field("Examples", data.control, "");
  const probeField = field("Probe", probe, "");
  const limits = element("details", { class: "wb-note" });
  const grid = div("wb-options");
  const optionsBox = element("details", {}, [element("summary", { text: "Options" }), grid]);
  const text = (name, label, note, placeholder = "") => {
    const input = element("input", { type: "text", placeholder, spellcheck: "false", onchange: () => change({ [name]: input.value.trim() }), ...OWN_KEYS });
    return { input, name, ...field(label, input, note, { name: "wb-option" }) };
  };
  const more = [
    text("most", "At most so many examples", "drawn by id with the seed; empty takes all", "all"),
    text("by", "Slice by", "", "the examples' own slices"),
    text("seed", "Seed", "of draws, samples and the hold-out", "0"),
    text("holdout", "Hold out", "share that views and metrics leave out, to confirm findings on", "0"),
    text("out", "Variable for the report", "a name in this notebook"),
  ];
  const moreBox = element("details", { open: true }, [element("summary", { text: "How many, by what, and where to" }), div("wb-options", more.map(one => one.made))]);

  const cell = element("pre", { class: "wb-source", tabindex: "0", "aria-label": "The cell that gives the same report" });
  const problem = div("wb-problem", [], { role: "alert", hidden: true });
  const notice = div("wb-note", [], { hidden: true });
  const cost = div("wb-cost", [], { role: "status", "aria-label": "Cost before the start" });
  const run = element("button", { type: "button", class: "wb-button wb-run", text: "Run", onclick: () => send("run") });
  const time = element("button", { type: "button", class: "wb-button wb-time", text: "Time it", title: "Measure the pace on 12 of the examples; their answers are kept", onclick: () => send("time") });
  const ended = div("wb-ended", [], { hidden: true, role: "status" });
  const root = div("workbench-launcher", [
    div("wb-form", [
      div("wb-side", [modelField.made, dataField.made, probeField.made, limits, optionsBox, moreBox]),
      div("wb-side", [
        div("wb-field", [element("span", { class: "wb-label", text: "Cost" }), cost]),
        problem,
        div("wb-buttons", [run, time]),
        div("wb-field", [element("span", { class: "wb-label", text: "The cell that gives the same report" }), cell, notice, div("wb-buttons", cellButtons(() => cell.textContent, el))]),
      ]),
    ]),
    ended,
  ], { role: "form", "aria-label": "Workbench launcher" });
  root.addEventListener("focusin", event => { if (event.target.tagName === "SELECT" && !root.contains(event.relatedTarget)) send("look"); });
  el.replaceChildren(root);

  const readOptions = () => {
    const now = {};
    for (const { option, read, made } of options) {
      const value = read();
      made.classList.toggle("wb-changed", value !== undefined);
      if (value !== undefined) now[option.name] = value;
    }
    change({ options: now });
    countOptions(Object.keys(now).length);
  };
  const countOptions = changed => { optionsBox.firstChild.textContent = `Options (${options.length}${changed ? `, ${changed} changed` : ""})`; };

  const paintProbe = () => {
    const known = model.get("known"), choice = get(), chosen = known.probes.find(one => one.name === choice.probe);
    probe.replaceChildren(...known.probes.map(one => element("option", { value: one.name, text: `${one.title} (${one.name})` })));
    probe.value = choice.probe;
    probeField.tell(chosen?.question ?? "");
    if (probeShown === choice.probe) return;
    probeShown = choice.probe;
    limits.replaceChildren(element("summary", { text: "What it cannot show" }), element("ul", {}, (chosen?.limits ?? []).map(limit => element("li", { text: limit }))));
    limits.hidden = !chosen?.limits.length;
    options = (chosen?.options ?? []).map(option => {
      const { control, read, group } = optionControl(option, choice.options[option.name], readOptions);
      const made = group
        ? div("wb-option", [span("wb-label", option.name), control, span("wb-note", option.help)])
        : field(option.name, control, option.help, { name: "wb-option" }).made;
      made.classList.toggle("wb-changed", choice.options[option.name] !== undefined);
      return { option, read, made };
    });
    grid.replaceChildren(...options.map(one => one.made));
    countOptions(Object.keys(choice.options).length);
  };
  const paintChoice = () => {
    const known = model.get("known"), choice = get();
    const reports = known.probes.find(one => one.name === choice.probe)?.rows;
    models.fill(known.models.filter(one => reports || !one.group.startsWith("Rows")), choice.model);
    data.fill(known.data, choice.data);
    const rows = known.models.some(one => one.value === choice.model && one.group.startsWith("Rows"));
    dataField.made.hidden = rows;
    for (const { input, name } of more) if (document.activeElement !== input) input.value = choice[name] ?? "";
    paintProbe();
  };
  const paintAnswer = () => {
    const said = answer();
    cell.textContent = said.cell ?? "";
    cell.parentElement.hidden = !said.cell;
    problem.hidden = !said.problem;
    problem.textContent = legible(said.problem ?? "");
    notice.hidden = !said.notice;
    notice.textContent = legible(said.notice ?? "");
    const lines = said.busy ? [`${said.busy} …`] : said.estimate?.length ? said.estimate : said.problem ? ["Unknown until this can be run."] : ["Counting …"];
    cost.replaceChildren(...lines.map(line => element("p", { text: line })));
    run.disabled = !said.cell || Boolean(said.running);
    run.textContent = said.running || "Run";
    time.disabled = !said.cell || Boolean(said.running) || Boolean(said.busy);
    more[1].tell(said.columns?.length ? `columns: ${said.columns.slice(0, 12).map(apart).join(", ")}` : "");
    paintEnded(said);
  };
  let shown = "";
  const paintEnded = said => {
    const found = said.ended ?? {};
    ended.hidden = !found.out;
    if (shown === JSON.stringify(found)) return;
    shown = JSON.stringify(found);
    if (!found.out) return;
    const names = [span("", "The report is in "), element("code", { text: found.out })];
    if (found.model) names.push(span("", ", the model in "), element("code", { text: found.model }));
    names.push(span("", "."));
    const explore = element("button", { type: "button", class: "wb-button wb-explore", text: "Open its explorer below", disabled: !found.rows, onclick: () => send("explore") });
    ended.replaceChildren(div("", names), div("wb-buttons", [explore, ...cellButtons(() => found.cell, el)], { style: { marginTop: "6px" } }));
  };
  paintChoice();
  paintAnswer();
  model.on("change:known", paintChoice);
  model.on("change:choice", paintChoice);
  model.on("change:answer", paintAnswer);
  return () => {
    model.off("change:known", paintChoice);
    model.off("change:choice", paintChoice);
    model.off("change:answer", paintAnswer);
  };
}

export default { render };
