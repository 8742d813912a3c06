// The one model of a kernel that carries what all views share: Vega's code and that of explorers and canvases.

const CARRIED = Symbol.for("workbench.carried");

/** The exports of a module that the carrier holds under a name, imported once however many widgets ask. */
async function carried(model, name) {
  const id = model.get("bundle").replace("IPY_MODEL_", ""), key = `${id} ${name}`;
  const loaded = (globalThis[CARRIED] ??= new Map());
  if (!loaded.has(key)) {
    loaded.set(key, (async () => {
      const source = (await model.widget_manager.get_model(id)).get(name);
      const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
      try { return await import(/* webpackIgnore: true */ url); } finally { URL.revokeObjectURL(url); }
    })());
    loaded.get(key).catch(() => loaded.delete(key));
  }
  return loaded.get(key);
}
