// All that an explorer's widget brings by itself; the rest comes from the carrier.

export default {
  async initialize({ model }) { return (await carried(model, "views")).explorer.initialize({ model }); },
  async render(given) { return (await carried(given.model, "views")).explorer.render(given); },
};
