"""Families of `workbench.data.corruptions` that change letters."""

import numpy as np

from workbench.data._corrupt_corpus import Array, Corpus, Found, Written, letters, one_each, run_starts

ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
MOST = 8  # neighbours of a key


def _neighbours() -> tuple[Array, Array]:
    """Return the neighbours of each ASCII letter on the keyboard, (128, 8) code points, and how many it has, (128,)."""
    near, count = np.zeros((128, MOST), np.uint32), np.zeros(128, np.uint32)
    for r, row in enumerate(ROWS):
        for i, letter in enumerate(row):
            places = [(r, i - 1), (r, i + 1), *((s, i + d) for s in (r - 1, r + 1) for d in (-1, 0, 1))]
            keys = [ROWS[s][j] for s, j in places if 0 <= s < len(ROWS) and 0 <= j < len(ROWS[s])]
            for cased in (str.lower, str.upper):
                code = ord(cased(letter))
                count[code] = len(keys)
                near[code, : len(keys)] = [ord(cased(key)) for key in keys]
    return near, count


NEAR, COUNT = _neighbours()


def _latin(corpus: Corpus) -> Array:
    """Return where free letters stand that have a key of their own."""
    return np.flatnonzero(letters(corpus) & (corpus.codes < 128))


def _neighbour(codes: Array, draws: Array) -> Array:
    """Return one neighbour of each letter."""
    return np.asarray(NEAR[codes, draws % COUNT[codes]])


def keyboard(corpus: Corpus) -> Found:
    """Find letters; write a neighbour on the keyboard."""
    at = _latin(corpus)
    return Found(at, at + 1, lambda which, draws: one_each(_neighbour(corpus.codes[at[which]], draws)))


def swap(corpus: Corpus) -> Found:
    """Find pairs of letters, each letter in one pair at most; write them exchanged.

    A word is cut into pairs from its first or its second letter, by a bit of its place, so that any two neighbours can be a pair.
    """
    letter = letters(corpus)
    begin = run_starts(letter)
    first = np.flatnonzero(letter[:-1] & letter[1:])
    begins = begin[first]
    odd = (corpus.bits(begins) >> np.uint64(1)) & np.uint64(1)  # no bit that chooses a site or a letter
    at = first[((first - begins) & 1) == odd.astype(np.int64)]
    at = at[corpus.codes[at] != corpus.codes[at + 1]]

    def write(which: Array, _: Array) -> Written:
        here = at[which]
        both = np.stack([corpus.codes[here + 1], corpus.codes[here]], 1)
        return Written(both.reshape(-1), np.full(here.size, 2))

    return Found(at, at + 2, write)


def delete(corpus: Corpus) -> Found:
    """Find letters after the first of their word, so that no word is lost; write nothing."""
    letter = letters(corpus)
    at = np.flatnonzero(letter & (run_starts(letter) < np.arange(letter.size)))
    return Found(at, at + 1, lambda which, _: Written(np.zeros(0, np.uint32), np.zeros(which.size, np.int64)))
