// What the carrier's module gives to the widgets of explorers and canvases.

export { canvas, explorer };
