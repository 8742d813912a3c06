// The explorer of one report.

function initialize({ model }) {
  const store = storeOf(model);
  return () => dropStore(store);
}

async function render({ model, el }) {
  const pane = new Pane(storeOf(model), model);
  el.replaceChildren(pane.root);
  await pane.start();
  return () => pane.dispose();
}

export default { initialize, render };
