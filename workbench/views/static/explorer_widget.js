// All that an explorer's widget brings by itself; the rest comes from the carrier.

export default {
  /** Not awaited: anywidget gives a model two seconds, and drops all that the kernel tells one that took longer. */
  initialize({ model }) {
    const begun = carried(model, "views").then(({ explorer }) => explorer.initialize({ model }));
    begun.catch(() => {});                                            // render says it
    return () => begun.then(end => end(), () => {});
  },
  async render(given) { return (await carried(given.model, "views")).explorer.render(given); },
};
