"""Families of `workbench.data.corruptions` that change letters."""

import numpy as np

from workbench.data._corrupt_corpus import (
    Array,
    Corpus,
    Found,
    Written,
    letters,
    one_each,
    other_case,
    run_starts,
    single,
    spans,
)

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


def insert(corpus: Corpus) -> Found:
    """Find the places after letters; write a neighbour of that letter."""
    at = _latin(corpus) + 1
    return Found(at, at, lambda which, draws: one_each(_neighbour(corpus.codes[at[which] - 1], draws)))


def double(corpus: Corpus) -> Found:
    """Find the places after letters; write that letter."""
    at = np.flatnonzero(letters(corpus)) + 1
    return Found(at, at, lambda which, _: one_each(corpus.codes[at[which] - 1]))


LOOKS = {
    "0": "OoD", "1": "lI", "2": "Z", "5": "S", "6": "G", "8": "B", "O": "0", "l": "1I", "I": "l1", "Z": "2", "S": "5",
    "G": "6", "B": "8", "D": "O", "e": "c", "c": "e", "o": "0", "a": "o", "i": "l", "t": "f", "f": "t", "g": "q", "q": "g",
    "u": "v", "v": "u",
}  # fmt: skip
SPLITS = {"m": "rn", "d": "cl", "w": "vv", "h": "li"}
# What is written, one after another: first for single shapes, then for pairs by their first letter.
OPTIONS = [
    *((0, shape, other) for shape, others in LOOKS.items() for other in others),
    *((0, whole, parts) for whole, parts in SPLITS.items()),
    *((1, parts[0], whole) for whole, parts in SPLITS.items()),
]
TEXT = np.array([ord(char) for _, _, text in OPTIONS for char in text], np.uint32)
LENGTH = np.array([len(text) for _, _, text in OPTIONS])
START = np.cumsum(LENGTH) - LENGTH
FIRST, MANY = np.zeros((2, 128), np.int64), np.zeros((2, 128), np.int64)
for _place, (_pair, _shape, _) in reversed(list(enumerate(OPTIONS))):
    FIRST[_pair, ord(_shape)] = _place
    MANY[_pair, ord(_shape)] += 1
SECOND = np.zeros(128, np.uint32)  # of pairs, by their first letter
SECOND[[ord(parts[0]) for parts in SPLITS.values()]] = [ord(parts[1]) for parts in SPLITS.values()]
SHAPE = (MANY[0] > 0) + 2 * (SECOND > 0).astype(np.uint8)  # 1: read for another alone; 2: with the next


def ocr(corpus: Corpus) -> Found:
    """Find shapes that are read for another, one letter for two and two for one; write the other.

    Of overlapping pairs the first counts, and letters of a pair count with it alone.
    """
    codes, alone = corpus.codes, single(corpus)
    shape = SHAPE[np.minimum(codes, 127)]
    begin = np.flatnonzero(shape > 1)  # first letters of pairs; the last code point is a NUL
    begin = begin[(codes[begin + 1] == SECOND[codes[begin]]) & alone[begin] & alone[begin + 1]]
    begin = begin[np.append(True, np.diff(begin) > 1)[: begin.size]]
    site = alone & ((shape & 1) > 0)
    site[begin] = True
    site[begin + 1] = False
    at = np.flatnonzero(site)
    two = np.zeros(at.size, np.int64)
    two[np.searchsorted(at, begin)] = 1

    def write(which: Array, draws: Array) -> Written:
        shape = two[which], codes[at[which]]
        option = FIRST[shape] + (draws % MANY[shape].astype(np.uint64)).astype(np.int64)
        return Written(TEXT[spans(START[option], LENGTH[option])], LENGTH[option])

    return Found(at, at + 1 + two, write)


TWINS = dict(zip("aceijopsxyABCEHIJKMOPSTXY", "асеіјорѕхуАВСЕНІЈКМОРЅТХҮ", strict=True))  # Cyrillic
TWIN = np.array([ord(TWINS.get(chr(code), "\0")) for code in range(128)], np.uint32)


def homoglyphs(corpus: Corpus) -> Found:
    """Find letters that have a twin in Cyrillic; write it."""
    at = _latin(corpus)
    at = at[TWIN[corpus.codes[at]] > 0]
    return Found(at, at + 1, lambda which, _: one_each(TWIN[corpus.codes[at[which]]]))


def case(corpus: Corpus) -> Found:
    """Find letters that have another case; write it."""
    at = np.flatnonzero(letters(corpus))
    other = other_case(corpus.codes[at])
    cased = other != corpus.codes[at]
    at, other = at[cased], other[cased]
    return Found(at, at + 1, lambda which, _: one_each(other[which]))
