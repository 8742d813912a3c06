"""Families of `workbench.data.corruptions` that change words and what stands between them."""

import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from workbench.data._corrupt_corpus import (
    EXTEND,
    LETTER,
    MARK,
    NUL,
    NUMBER,
    SPACE,
    Array,
    Corpus,
    Find,
    Found,
    Written,
    letters,
    one_each,
    pieces,
    run_starts,
    single,
)
from workbench.data._swap_rules import agrees, wants_an
from workbench.data.swaps import AFTER, BEFORE, PIECES
from workbench.errors import UsageError

LETTERS = r"[^\W\d_]"
WORD = re.compile(rf"{LETTERS}(?:{LETTERS}|[{PIECES}]|['’](?={LETTERS}))*")
TOKEN = re.compile(rf"(?:({BEFORE}an?)(\s+))?({BEFORE}[^\W_]+{AFTER}(?!['’]t\b))", re.IGNORECASE)
STOPS = np.array([ord(char) for char in ",.;:!?"], np.uint32)
Place = tuple[int, int, str | tuple[str, ...]]  # [start, end) of the joined texts, and what can be written there


def at_places(corpus: Corpus, places: Sequence[Place]) -> Found:
    """Return the sites of places in order, those left out of which a part is protected."""
    at = np.fromiter((place[0] for place in places), np.int64, len(places))
    end = np.fromiter((place[1] for place in places), np.int64, len(places))
    free = np.flatnonzero(corpus.all_free(at, end))

    def write(which: Array, draws: Array) -> Written:
        news = [places[row][2] for row in free[which].tolist()]
        draw = draws.tolist()
        return pieces([new if isinstance(new, str) else new[by % len(new)] for new, by in zip(news, draw, strict=True)])

    return Found(at[free], end[free], write)


def _in_capitals(word: str) -> str:
    """Return a word in capitals, letter by letter; letters whose capital is two (ß) stay."""
    whole = word.upper()
    return whole if len(whole) == len(word) else "".join(c.upper() if len(c.upper()) == 1 else c for c in word)


def _in_small(word: str) -> str:
    """Return a word in small letters, letter by letter."""
    whole = word.lower()
    return whole if len(whole) == len(word) else "".join(c.lower() if len(c.lower()) == 1 else c for c in word)


def _cased(change: Callable[[str], str]) -> Find:
    """Return the family of words that a change of case changes."""

    def find(corpus: Corpus) -> Found:
        matches = [(match, change(match.group())) for match in WORD.finditer(corpus.text)]
        return at_places(corpus, [(match.start(), match.end(), new) for match, new in matches if new != match.group()])

    return find


upper = _cased(_in_capitals)
lower = _cased(_in_small)


def whitespace(corpus: Corpus) -> Found:
    """Find single spaces between words; leave them out or write two."""
    kind = corpus.kind
    blank = (kind & SPACE > 0) | (corpus.codes == 0)
    lone = single(corpus) & (corpus.codes == 32)
    lone[1:] &= ~blank[:-1]
    lone[:-1] &= ~blank[1:]
    at = np.flatnonzero(lone)
    at = at[at > 0]

    def write(_: Array, draws: Array) -> Written:
        lengths = (draws & np.uint64(1)).astype(np.int64) * 2
        return Written(np.full(int(lengths.sum()), 32, np.uint32), lengths)

    return Found(at, at + 1, write)


def split(corpus: Corpus) -> Found:
    """Find words of four letters or more, one place inside each; write a space there."""
    letter = letters(corpus)
    begin = run_starts(letter)
    last = letter.copy()
    last[:-1] &= ~letter[1:]
    end = np.flatnonzero(last) + 1
    start = begin[end - 1]
    long = end - start >= 4
    start, end = start[long], end[long]
    drawn = corpus.bits(start) & np.uint64(0xFFFFFFFF)
    at = start + 1 + (drawn % (end - start - 1).astype(np.uint64)).astype(np.int64)
    return Found(at, at, lambda which, _: one_each(np.full(which.size, 32, np.uint32)))


def drop_punctuation(corpus: Corpus) -> Found:
    """Find punctuation marks that no number follows ("3.50", "-5"); write nothing."""
    kind = corpus.kind
    mark = single(corpus) & (kind & MARK > 0)
    mark[:-1] &= kind[1:] & NUMBER == 0
    at = np.flatnonzero(mark)
    return Found(at, at + 1, lambda which, _: Written(np.zeros(0, np.uint32), np.zeros(which.size, np.int64)))


def add_punctuation(corpus: Corpus) -> Found:
    """Find the ends of words and numbers before a space or the end of the text; write one of , . ; : ! ?."""
    kind = corpus.kind
    blank = (kind & SPACE > 0) | (corpus.codes == 0)
    at = np.flatnonzero(corpus.free[:-1] & (kind[:-1] & (LETTER | EXTEND | NUMBER) > 0) & blank[1:]) + 1
    return Found(at, at, lambda _, draws: one_each(STOPS[draws % np.uint64(len(STOPS))]))


def synonyms(lexicon: Mapping[str, str | Sequence[str]]) -> Find:
    """Return the family of the words of a lexicon; write one of each word's synonyms."""
    table = _lexicon(lexicon)
    most = max(len(key.split()) for key in table)

    def find(corpus: Corpus) -> Found:
        text, places, row = corpus.text, [], 0
        tokens = list(TOKEN.finditer(text))
        while row < len(tokens):
            for n in range(min(most, len(tokens) - row), 0, -1):
                first, last = tokens[row], tokens[row + n - 1]
                surface = text[first.start(3) : last.end()]
                options = table.get(" ".join(surface.casefold().split())) if NUL not in surface else None
                if options:
                    places.append(_place(corpus, first, last.end(), surface, options))
                    row += n - 1
                    break
            row += 1
        return at_places(corpus, places)

    return find


def _place(corpus: Corpus, match: "re.Match[str]", end: int, surface: str, options: tuple[str, ...]) -> Place:
    """Return a place of a word, with the article before it where that is free."""
    news = tuple(_like(surface, option) for option in options)
    article = match.group(1)
    if not article or not agrees(article, surface) or not corpus.free[match.start() : match.end(2)].all():
        return match.start(3), end, news
    return (
        match.start(),
        end,
        tuple(_like(article, "an" if wants_an(new) else "a") + match.group(2) + new for new in news),
    )


def _like(surface: str, word: str) -> str:
    """Return a word in the case of another one."""
    if surface.isupper() and len(surface) > 1:
        return word.upper()
    return word[:1].upper() + word[1:] if surface[:1].isupper() else word


def _lexicon(lexicon: Mapping[str, str | Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Return a lexicon by words in small letters, or raise what is wrong with it."""
    if not isinstance(lexicon, Mapping) or not lexicon:
        raise UsageError(
            f"A lexicon is a mapping from words to synonyms; found {lexicon!r}. Write {{'car': ['automobile']}}."
        )
    table = {}
    for word, given in lexicon.items():
        options = (given,) if isinstance(given, str) else tuple(given)
        texts = (word, *options)
        if not options or not all(isinstance(text, str) and text.strip() and NUL not in text for text in texts):
            raise UsageError(
                f"The lexicon gives {given!r} for {word!r}; words and their synonyms are texts that are not empty."
            )
        key = " ".join(word.casefold().split())
        if key in table:
            raise UsageError(
                f"The lexicon has the word {key!r} twice, but for case and spaces. Put its synonyms in one list."
            )
        if any(" ".join(option.casefold().split()) == key for option in options):
            raise UsageError(f"The lexicon gives {word!r} as a synonym of itself. Take it out.")
        if not all(map(str.isalnum, key.split())):
            raise UsageError(
                f"The lexicon has {word!r}; only words of letters and digits, and phrases of them, are looked for."
            )
        table[key] = options
    return table
