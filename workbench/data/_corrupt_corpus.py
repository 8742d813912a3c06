"""A whole corpus as one array of code points, and what the families of `workbench.data.corruptions` do to it.

A family is a function `find(corpus) -> Found`: the sites that it could change, and how it writes a chosen one. Which sites are
chosen depends on 64 bits per site, a counter-based generator (splitmix64) keyed by blake2b of (seed, family) and of the id: so
neither the other texts nor their order matter, and the sites chosen at one rate are among those chosen at a higher one.
"""

import hashlib
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np

from workbench.data.edits import EditMap

Array = np.ndarray[Any, Any]

NUL = "\0"  # stands after each text
LETTER, EXTEND, JOINER, NUMBER, MARK, SPACE = 1, 2, 4, 8, 16, 32  # classes of code points; MARK is punctuation
UNSEEN = 255
LOW = np.uint64(0xFFFFFFFF)


@lru_cache(maxsize=1 << 16)
def _digest(name: str) -> bytes:
    """Return 8 bytes of blake2b; kept, as a sweep asks for the same ids again and again."""
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()


@lru_cache(maxsize=8)
def _digests(names: tuple[str, ...]) -> Array:
    """Return the digests of many names as integers; kept for the few sets that are at work."""
    return np.frombuffer(b"".join(map(_digest, names)), "<u8")


def _mixed(x: Array) -> Array:
    """Return 64-bit integers through the finaliser of splitmix64 (Steele et al. 2014, Stafford's mix 13)."""
    x = x ^ (x >> np.uint64(30))
    x *= np.uint64(0xBF58476D1CE4E5B9)
    x ^= x >> np.uint64(27)
    x *= np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(31)
    return np.asarray(x)


@dataclass(frozen=True, eq=False)
class Corpus:
    """Texts as one array: `codes` (N,) holds each text and a NUL; `free` says what may change; `keys` (n,) are the texts' seeds.

    `origin` (N,) is the place in the first corpus of each code point that is still the same one, -1 for a new one.
    """

    codes: Array
    start: Array
    length: Array
    free: Array
    origin: Array
    keys: Array

    @cached_property
    def text(self) -> str:
        """The texts joined, each followed by NUL."""
        return decoded(self.codes)

    @cached_property
    def kind(self) -> Array:
        """The classes of the code points."""
        return classes(self.codes)

    def text_of(self, at: Array) -> Array:
        """Return the index of the text that holds each place."""
        return np.asarray(self._owner[at])

    @cached_property
    def _owner(self) -> Array:
        """The index of the text that holds each place."""
        return np.repeat(np.arange(self.length.size), self.length + 1)

    def bits(self, at: Array) -> Array:
        """Return 64 random bits for each place, by the text's key and the place in the text."""
        step = np.uint64(0x9E3779B97F4A7C15)
        first = self.keys - self.start.astype(np.uint64) * step  # so that a place counts from its text's start
        x = at.astype(np.uint64)
        x *= step
        x += first[self.text_of(at)]
        return _mixed(x)

    def keyed(self, name: str, ids: Sequence[str], seed: int) -> "Corpus":
        """Return the corpus with the keys of a family."""
        family = np.frombuffer(_digest(f"{seed}\x1f{name}"), "<u8")
        return replace(self, keys=_mixed(_digests(tuple(map(str, ids))) ^ family))

    def all_free(self, at: Array, end: Array) -> Array:
        """Return whether nothing in each [at, end) is protected."""
        closed = np.concatenate([[0], np.cumsum(~self.free)])
        return np.asarray(closed[end] == closed[at])


class Written(NamedTuple):
    """New texts of some sites: their code points one after another, and how many each has."""

    codes: Array
    lengths: Array


class Found(NamedTuple):
    """Sites [at, end) in order, none overlapping; `write(which, draws)` gives the new text of some of them by 32 bits each."""

    at: Array
    end: Array
    write: Callable[[Array, Array], Written]


class Change(NamedTuple):
    """What was written over [at, end) of a corpus stands at [new_at, new_end) of the next."""

    at: Array
    end: Array
    new_at: Array
    new_end: Array


Find = Callable[[Corpus], Found]


def encoded(texts: Sequence[str], joined: str, free: Array | None = None) -> Corpus:
    """Return the texts, also given joined with a NUL after each, as a corpus without keys."""
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), "<u4")
    length = np.fromiter(map(len, texts), np.int64, len(texts))
    start = np.cumsum(length + 1) - length - 1
    may = codes != 0
    return Corpus(codes, start, length, may if free is None else may & free, np.arange(codes.size), np.zeros(0, "<u8"))


def decoded(codes: Array) -> str:
    """Return code points as text."""
    return codes.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")


def chosen(corpus: Corpus, find: Find, rate: float) -> tuple[Found, Array, Written]:
    """Return the sites of a family, which of them are chosen at this rate, and what is written there."""
    found = find(corpus)
    bits = corpus.bits(found.at)
    which = np.flatnonzero((bits >> np.uint64(32)) < np.uint64(round(rate * 2**32)))
    return found, which, found.write(which, bits[which] & LOW)


def corrupted(corpus: Corpus, find: Find, rate: float, *, traced: bool = False) -> tuple[Corpus, Change]:
    """Return the corpus after one family, and what changed; its `free` and `origin` are those from before unless traced."""
    found, which, written = chosen(corpus, find, rate)
    at, end = found.at[which], found.end[which]
    gone, come = end - at, written.lengths
    shift = np.cumsum(come - gone)
    new_end = end + shift
    change = Change(at, end, new_end - come, new_end)
    if not shift.size:
        return corpus, change
    length, start = corpus.length, corpus.start
    if (come != gone).any():
        length = length + np.bincount(corpus.text_of(at), come - gone, len(length)).astype(np.int64)
        start = np.cumsum(length + 1) - length - 1
    put, spliced = spans(change.new_at, come), _splicer(corpus.codes.size, change)
    codes = spliced(corpus.codes)
    codes[put] = written.codes
    free, origin = corpus.free, corpus.origin
    if traced:
        free, origin = spliced(free), spliced(origin)
        free[put], origin[put] = True, -1
    return Corpus(codes, start, length, free, origin, corpus.keys), change


def _splicer(size: int, change: Change) -> Callable[[Array], Array]:
    """Return what gives a column of `size` code points the shape after a change; what is written over is left to be set."""
    shift = change.new_end - change.end
    if not shift.any():
        return np.copy
    ends = np.concatenate([[0], change.new_end, [size + shift[-1]]])
    source = np.arange(ends[-1]) - np.repeat(np.concatenate([[0], shift]), np.diff(ends))
    return lambda column: column.take(source, mode="clip")


def spans(at: Array, length: Array) -> Array:
    """Return all places of the spans [at, at + length)."""
    total = np.cumsum(length)
    within = np.arange(total[-1] if total.size else 0) - np.repeat(total - length, length)
    return np.asarray(np.repeat(at, length) + within)


def overall(last: Corpus, size: int) -> Change:
    """Return what changed between the first corpus, of `size` code points, and the last, by what is still the same."""
    place = np.concatenate([[-1], np.flatnonzero(last.origin >= 0), [last.codes.size]])
    origin = np.concatenate([[-1], last.origin[place[1:-1]], [size]])
    gap = np.flatnonzero((np.diff(place) > 1) | (np.diff(origin) > 1))
    return Change(origin[gap] + 1, origin[gap + 1], place[gap] + 1, place[gap + 1])


class Pieces:
    """The texts of spans of a corpus, as a column of `EditMap`: cut when looked at."""

    def __init__(self, whole: str, at: Array, end: Array) -> None:
        """Keep the joined texts and the spans [at, end) of them."""
        self.whole, self.at, self.end = whole, at, end

    def __getitem__(self, part: slice) -> list[str]:
        at, end = self.at[part].tolist(), self.end[part].tolist()
        return [self.whole[a:b] for a, b in zip(at, end, strict=True)]


def edits_of(first: Corpus, last: Corpus, change: Change, kind: str) -> EditMap:
    """Return the edits of each text, without those that wrote what had been there."""
    kept = ~_same(first, last, change)
    if not kept.all():
        change = Change(*(column[kept] for column in change))
    text = first.text_of(change.at)
    before, after = first.start[text], last.start[text]
    places = (change.at - before, change.end - before, change.new_at - after, change.new_end - after)
    counts = np.bincount(text, minlength=first.length.size)
    old = Pieces(first.text, change.at, change.end)
    return EditMap(counts, places, old, Pieces(last.text, change.new_at, change.new_end), kind)


def _same(first: Corpus, last: Corpus, change: Change) -> Array:
    """Return where what was written is what had been there."""
    width = change.end - change.at
    same = width == change.new_end - change.new_at
    some = np.flatnonzero(same & (width > 0))
    if some.size:
        width = width[some]
        equal = first.codes[spans(change.at[some], width)] == last.codes[spans(change.new_at[some], width)]
        same[some] = np.logical_and.reduceat(equal, np.cumsum(width) - width)
    return np.asarray(same)


def texts_of(corpus: Corpus) -> list[str]:
    """Return the texts."""
    return corpus.text.split(NUL)[:-1]


def one_each(codes: Array) -> Written:
    """Return texts of one code point each."""
    return Written(codes, np.ones(codes.size, np.int64))


def pieces(texts: Sequence[str]) -> Written:
    """Return texts of any length."""
    joined = "".join(texts).encode("utf-32-le", "surrogatepass")
    return Written(np.frombuffer(joined, "<u4"), np.fromiter(map(len, texts), np.int64, len(texts)))


@cache
def _table() -> Array:
    """Return the classes of all code points that were asked for yet."""
    return np.full(0x110000, UNSEEN, np.uint8)


def classes(codes: Array) -> Array:
    """Return the classes of code points, as bits: LETTER, EXTEND (what continues a grapheme), JOINER, NUMBER, MARK, SPACE."""
    table = _table()
    found = table[codes]
    unseen = codes[found == UNSEEN]
    if unseen.size:
        for code in np.unique(unseen).tolist():
            table[code] = _class(code)
        found = table[codes]
    return found


def _class(code: int) -> int:
    """Return the class of one code point."""
    char = chr(code)
    category = unicodedata.category(char)
    if unicodedata.combining(char) == 9 or code == 0x200D:  # viramas and ZWJ join what follows, too
        return EXTEND | JOINER
    jamo = 0x1160 <= code <= 0x11FF or 0xD7B0 <= code <= 0xD7FF
    skin_or_tag = 0x1F3FB <= code <= 0x1F3FF or 0xE0020 <= code <= 0xE007F
    am = code in (0x0E33, 0x0EB3)  # Thai and Lao vowels that Unicode counts as letters and as continuing
    if category[0] == "M" or code == 0x200C or jamo or skin_or_tag or am:
        return EXTEND
    if char in "#%&*/@\\\u2030":  # punctuation to Unicode, symbols to a reader
        return 0
    kinds = {"L": LETTER, "N": NUMBER, "P": MARK, "Z": SPACE}
    return SPACE if char in "\t\n\r\v\f" else kinds.get(category[0], 0)


def single(corpus: Corpus) -> Array:
    """Return which code points are free, and each a grapheme of its own: neither continued nor joined to what was before."""
    shared = corpus.kind & (EXTEND | JOINER)
    if not shared.any():
        return corpus.free
    alone = corpus.free & ((shared & EXTEND) == 0)
    alone[:-1] &= (shared[1:] & EXTEND) == 0
    alone[1:] &= (shared[:-1] & JOINER) == 0
    return np.asarray(alone)


def letters(corpus: Corpus) -> Array:
    """Return which code points are letters of which `single` is true."""
    return np.asarray(single(corpus) & ((corpus.kind & LETTER) > 0))


@cache
def _cases() -> Array:
    """Return the other case of all letters that were asked for yet; 0 for the rest."""
    return np.zeros(0x110000, np.uint32)


def other_case(codes: Array) -> Array:
    """Return letters in their other case; the same where there is none, or none that leads back."""
    table = _cases()
    found = table[codes]
    if not found.all():
        for code in np.unique(codes[found == 0]).tolist():
            char = chr(code)
            other = char.lower() if char.isupper() else char.upper()
            back = other.lower() if other.isupper() else other.upper()
            table[code] = ord(other) if len(other) == 1 and back == char else code
        found = table[codes]
    return np.asarray(found)


def run_starts(mask: Array) -> Array:
    """Return for each place of a mask where its run of True began (anything where the mask is False)."""
    begins = mask.copy()
    begins[1:] &= ~mask[:-1]
    return np.maximum.accumulate(np.where(begins, np.arange(mask.size), 0))
