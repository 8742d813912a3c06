// Taking back, and naming what is selected. The kernel keeps the history and the names.

class Tools {
  /** store: where the kernel is spoken to; `words` are what is selected, `clear` lifts every brush. */
  constructor(store, { clear, brushed }) {
    this.store = store;
    this.brushed = brushed;
    const button = (name, words, text, onclick) => element("button", { type: "button", class: `wb-button wb-${name}`, "aria-label": words, title: words, text, onclick });
    this.undo = button("undo", "Undo the last change of the selection (Ctrl+Z)", "↶", () => store.undo());
    this.redo = button("redo", "Redo (Ctrl+Shift+Z)", "↷", () => store.redo());
    this.clear = button("clear", "Clear all brushes", "Clear all", clear);
    this.input = element("input", { type: "text", ...OWN_KEYS, class: "wb-named", maxlength: 80, placeholder: "Name this selection", "aria-label": "Name of this selection",
      onkeydown: event => { if (event.key === "Enter") this.name(); }, oninput: () => this.paint() });
    this.keep = button("keep", "Keep this selection with the report", "Save", () => this.name());
    this.saved = element("select", { class: "wb-saved", "aria-label": "Saved selections", onchange: () => this.recall() });
    this.host = div("wb-tools", [this.undo, this.redo, this.input, this.keep, this.saved, this.clear], { role: "group", "aria-label": "Selection" });
    this.list();
    this.paint();
  }

  list() {
    const saved = this.store.model.get("saved"), { names } = this.store.model.get("findings");
    const key = JSON.stringify([saved, names]);
    if (key === this.listed) return;
    this.listed = key;
    this.saved.hidden = !saved.length;
    this.saved.replaceChildren(element("option", { value: "", text: "Saved selections" }),
      ...saved.map(([name, n]) => element("option", { value: name, text: `${name} (${whole.format(n)})${names[name] ? ` ${MARKS[names[name]]} ${names[name]}` : ""}` })));
  }

  name() {
    if (this.input.value.trim() === "" || !this.brushed()) return;
    this.store.ask({ kind: "name", name: this.input.value });
    this.input.value = "";
    this.paint();
  }

  recall() {
    if (this.saved.value) this.store.ask({ kind: "recall", name: this.saved.value });
    this.saved.value = "";
  }

  paint() {
    const some = this.brushed(), { undo, redo } = this.store.ways;
    this.undo.disabled = !undo;
    this.redo.disabled = !redo;
    this.clear.hidden = this.input.hidden = this.keep.hidden = !some;
    this.keep.disabled = this.input.value.trim() === "";
  }
}

/** Ctrl+Z and Ctrl+Shift+Z (or Ctrl+Y) within an element, before JupyterLab takes them for the cell; texts keep their own. */
function undoKeys(root, store) {
  const heard = event => {
    const key = event.key.toLowerCase(), { target } = event;
    if (!(event.ctrlKey || event.metaKey) || event.altKey || !["z", "y"].includes(key) || !root.contains(target)) return;
    if (target.matches("textarea, input[type=text]") && target.value) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (key === "y" || event.shiftKey) store.redo(); else store.undo();
  };
  window.addEventListener("keydown", heard, true);
  return () => window.removeEventListener("keydown", heard, true);
}
