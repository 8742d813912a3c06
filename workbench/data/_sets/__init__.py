"""One module for each published set: `read(folder, **options)` gives its examples."""
