"""transformers reads a GGUF file's header three times and makes the map of its tensors' names once a module: here each once.

For the embedded model that is two thirds of the conversion: its header, 98,000 pieces of vocabulary, takes five seconds a time.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

__all__ = ["read_once"]

_alone = threading.Lock()  # the package's functions are replaced for all threads


@contextmanager
def read_once() -> Iterator[None]:
    """Within the block, what the package `gguf` gives for the same file, or for the same architecture and depth, is kept.

    transformers takes both functions from the package at each call. A file must not change within the block.

    >>> import gguf
    >>> with read_once():
    ...     one = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, 2)
    ...     one is gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, 2)
    True
    """
    import gguf

    with _alone:
        reader, names = gguf.GGUFReader, gguf.get_tensor_name_map
        gguf.GGUFReader, gguf.get_tensor_name_map = cache(reader), cache(names)
        try:
            yield
        finally:
            gguf.GGUFReader, gguf.get_tensor_name_map = reader, names
