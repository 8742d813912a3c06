// What the carrier's module gives to the widgets of explorers, canvases and models.

export { canvas, explorer, models };
