"""A person's own word vectors as a model that embeds: a mapping, a table, a gensim-like object, or a text file.

A text is looked up whole, then in lower case; a text of several words that is not there is the mean of its words, if all of them
are. Whatever is not there has no vector: its row is NaN, never that of other words.
"""

import gzip
import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError, NotApplicable
from workbench.models._adapt import absent, heard
from workbench.models._features import texts_of
from workbench.models.load import LoadOptions
from workbench.models.verbs import Embeddings, ModelInfo, Monitor

__all__ = ["WordVectors", "from_file", "from_vectors"]

WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")  # letters and digits, with an apostrophe or hyphen inside


class WordVectors:
    """A table of words and their vectors (m, d), float32. It has no layers and no pooling: one word, one vector."""

    verbs = frozenset({"embed"})
    model = None
    tokenizer = None

    def __init__(self, words: Sequence[str], table: NDArray[np.float32], name: str) -> None:
        self.words, self.table, self.name = tuple(words), table, name
        self._place = {word: i for i, word in enumerate(self.words)}
        digest = hashlib.sha256("\n".join(self.words).encode() + table.tobytes()).hexdigest()
        self.info = ModelInfo(
            name, "word vectors", weights_hash=digest, dtype="float32", parameters=table.size, bytes=table.nbytes
        )

    def __repr__(self) -> str:
        return f"WordVectors({self.name!r}, {len(self.words):,} words, {self.table.shape[1]} dimensions)"

    def __getattr__(self, name: str) -> Any:
        raise absent(self, name)

    def embed(
        self,
        texts: Sequence[str],
        *,
        layer: int = -1,
        pooling: str = "auto",
        vectors: str = "static",
        monitor: Monitor | None = None,
    ) -> Embeddings:
        """Return the vectors (n, d), float32; NaN for texts that the table has not."""
        del vectors  # these are static ones, whatever is asked for
        if layer != -1 or pooling != "auto":
            raise NotApplicable(f"{self.name} is a table of word vectors: it has neither layers nor pooling.")
        wanted, _ = texts_of(texts)
        hears = heard(monitor)
        hears.start(len(wanted), "texts")
        made = np.array([self._vector(text) for text in wanted], dtype=np.float32).reshape(-1, self.table.shape[1])
        hears.advance(len(wanted))
        hears.finish()
        return Embeddings(made, np.ones(len(wanted), dtype=bool))

    def _vector(self, text: str) -> NDArray[np.float32]:
        places = [self._find(text)]
        if places[0] is None:
            places = [self._find(word) for word in WORD.findall(text)]
        known = [place for place in places if place is not None]
        if not known or len(known) < len(places):
            return np.full(self.table.shape[1], np.nan, np.float32)
        mean: NDArray[np.float32] = self.table[known].mean(axis=0)
        return mean

    def _find(self, word: str) -> int | None:
        found = self._place.get(word)
        return self._place.get(word.lower()) if found is None else found


def from_vectors(source: Any, options: LoadOptions) -> WordVectors:
    """Return the model of a mapping from words to vectors, of a table (words in the index), or of gensim's KeyedVectors.

    >>> model = from_vectors({"man": [1.0, 0.0], "Ann": [0.0, 1.0]}, LoadOptions(name="two words"))
    >>> model.embed(["Man", "man Ann", "Ann's"]).vectors.tolist()
    [[1.0, 0.0], [0.5, 0.5], [nan, nan]]
    """
    if hasattr(source, "key_to_index"):
        words, rows = list(source.key_to_index), source.vectors
    elif isinstance(source, Mapping):
        words, rows = list(source), list(source.values())
    else:
        words, rows = list(source.index), source.to_numpy()
    return _made(words, rows, options.name or "word vectors")


def from_file(target: str | Path, options: LoadOptions) -> WordVectors:
    """Return the model of a text file as word2vec, fastText and GloVe write it: a word and its numbers on each line.

    A first line of two numbers (how many words, how many dimensions) is passed over; .gz is read too.
    """
    path = Path(target).expanduser()
    words, rows, size = [], [], 0
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            parts = line.rstrip("\n ").split(" ")
            if number == 0 and len(parts) == 2 and all(part.isdigit() for part in parts):
                size = int(parts[1])
                continue
            size = size or len(parts) - 1
            words.append(" ".join(parts[:-size]))  # some words of GloVe 840B hold spaces
            try:
                rows.append(np.array(parts[-size:], dtype=np.float32))
            except ValueError:
                raise DataError(
                    f"Line {number + 1} of {path.name} is not a word and its numbers. Give a text file of word vectors."
                ) from None
    return _made(words, rows, options.name or path.name)


def _made(words: list[Any], rows: Any, name: str) -> WordVectors:
    """Return the checked table."""
    for i, word in enumerate(words):
        if not isinstance(word, str) or not word:
            raise DataError(f"Word {i} is {word!r}; a text is wanted. Word vectors are {{'word': [numbers], ...}}.")
    if len(set(words)) < len(words):
        twice = next(word for word in words if words.count(word) > 1)
        raise DataError(f"The word {twice!r} stands more than once. Give each word one vector.")
    try:
        table = np.asarray(rows, dtype=np.float32)
    except (TypeError, ValueError):
        table = np.empty(0, np.float32)
    if table.ndim != 2 or not table.size:
        raise DataError("Word vectors must be one list of numbers per word, all equally long.")
    bad = ~np.isfinite(table).all(axis=1)
    if bad.any():
        raise DataError(f"The vector of {words[int(bad.argmax())]!r} holds NaN or infinity. Leave that word out.")
    return WordVectors(words, table, name)
