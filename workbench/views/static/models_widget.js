// All that the models' widget brings by itself; the rest comes from the carrier.

export default { async render(given) { return (await carried(given.model, "views")).models.render(given); } };
