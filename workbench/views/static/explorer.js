// The view of one report.

const explorer = {
  initialize({ model }) {
    const store = storeOf(model);
    return () => dropStore(store);
  },

  async render({ model, el }) {
    const pane = new Pane(storeOf(model), model);
    el.replaceChildren(pane.root);
    await pane.start();
    return () => pane.dispose();
  },
};
