"""What a model is asked: `Examples` from any source (`examples`), and the packs that ship (`packs`)."""
