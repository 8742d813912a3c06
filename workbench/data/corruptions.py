"""Corruptions of text: typing errors, case, look-alikes, rewrites, each at five severities, with an exact map of its edits.

    corrupted = corruption("keyboard").apply(texts, ids, severity=3, seed=0)
    corrupted.texts, corrupted.edits        # `workbench.data.edits.apply(text, edits)` gives the corrupted text
    corruption("keyboard") | corruption("swap")      # one after the other

A severity stands for a rate, the share of a family's *sites* that change (`Corruption.rates`, `Corruption.counts`; the table is in
`docs/corruptions.md`). What happens to a text depends on the text, its id, the severity and the seed alone: never on the other
texts, their order or the batch. What changes at one severity also changes, in the same way, at every higher one.

The rates are ours; no family imitates one population of writers.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

import numpy as np

from workbench.data import _corrupt_letters as letters
from workbench.data import _corrupt_rules as rules
from workbench.data import _corrupt_words as words
from workbench.data._corrupt_corpus import (
    NUL,
    Array,
    Corpus,
    Find,
    chosen,
    corrupted,
    edits_of,
    encoded,
    overall,
    texts_of,
)
from workbench.data.edits import EditMap
from workbench.errors import DataError, UsageError, unknown

__all__ = ["SEVERITIES", "Corrupted", "Corruption", "corruption", "corruptions", "synonyms"]

SEVERITIES = (1, 2, 3, 4, 5)
LETTERS = (
    0.01,
    0.02,
    0.05,
    0.10,
    0.20,
)  # an intent classifier's accuracy fell from .95 to .27 over these, by `keyboard`
CASES = (0.10, 0.25, 0.50, 0.75, 1.0)
ADDED = (0.05, 0.10, 0.20, 0.30, 0.50)
RULES = (0.2, 0.4, 0.6, 0.8, 1.0)
DIALECT = ("habitual-be", "negative-concord", "invariant-dont", "aint", "was-levelling", "copula-deletion")

Keep = str | re.Pattern[str] | Sequence[str | Sequence[str]] | None


class Corrupted(NamedTuple):
    """Corrupted texts, and for each the tuple of edits that made it, in order and none overlapping; () where nothing changed."""

    texts: list[str]
    edits: EditMap

    @property
    def unchanged(self) -> int:
        """How many texts are as they were."""
        return int((self.edits.counts == 0).sum())


@dataclass(frozen=True)
class Corruption:
    """A family of changes: `rates` are the shares of its sites that change at severity 1 to 5; `counts` says what a site is.

    `a | b` is a corruption, too: b of what a made, each with its own rates (`parts`; `rates` is empty), edits from the original
    to the end. The same family twice takes other bits the second time. Own rates: `dataclasses.replace(found, rates=(...))`.
    """

    name: str
    rates: tuple[float, ...]
    counts: str
    source: str
    find: Find = field(repr=False)
    parts: tuple["Corruption", ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if self.parts:
            return
        rising = all(low <= high for low, high in zip(self.rates, self.rates[1:], strict=False))
        if len(self.rates) != len(SEVERITIES) or not rising or not all(0 <= rate <= 1 for rate in self.rates):
            raise UsageError(
                f"The corruption {self.name!r} needs five rates between 0 and 1 that do not fall; found {self.rates}."
            )

    def __or__(self, other: "Corruption") -> "Corruption":
        if not isinstance(other, Corruption):
            return NotImplemented
        parts = (*(self.parts or (self,)), *(other.parts or (other,)))
        counts, source = (
            "; ".join(f"{part.name}: {getattr(part, what)}" for part in dict.fromkeys(parts))
            for what in ("counts", "source")
        )
        return Corruption(f"{self.name}|{other.name}", (), counts, source, parts[0].find, parts)

    def apply(
        self, texts: Sequence[str], ids: Sequence[str], *, severity: int = 3, seed: int = 0, keep: Keep = None
    ) -> Corrupted:
        r"""Return the corrupted texts with their edits, in the order of `texts`.

        Args:
            texts: any texts without the character NUL; empty ones stay so.
            ids: one stable id for each text (`Examples.frame["example"]`): it decides, with the seed, where changes fall.
            severity: 1 to 5.
            seed: another one puts the changes elsewhere.
            keep: what must not change: a regular expression (`r"\d+"`), or for each text a word or a list of words and phrases
                (a column of answer choices), which are left alone where they stand as whole words.

        Raises `DataError` for a text with NUL or that is none, and for a number of ids that differs.

        >>> corruption("keyboard").apply(["How do I change my PIN?"], ["a"], severity=5).texts
        ['Bow do I dhsnfd my PIN?']
        """
        corpora, change = self._run(texts, ids, severity, seed, keep)
        if not corpora:
            none = np.zeros(0, np.int64)
            return Corrupted([], EditMap(none, (none,) * 4, [], [], self.name))
        return Corrupted(texts_of(corpora[-1]), edits_of(corpora[0], corpora[-1], change, self.name))

    def sites(self, texts: Sequence[str], ids: Sequence[str], *, seed: int = 0, keep: Keep = None) -> list[int]:
        """Return how many sites of each text this corruption could change: 0 where it has none, as of letters in Arabic script.

        For a composition these are the sites of all parts in the original texts.

        >>> corruption("keyboard").sites(["a cat", "кот"], ["1", "2"])
        [4, 0]
        """
        corpus = _corpus(texts, ids, keep)
        total = np.zeros(len(corpus.length), np.int64)
        for part in self.parts or (self,):
            at = chosen(corpus.keyed(part.name, ids, seed), part.find, 0.0)[0].at
            total += np.bincount(corpus.text_of(at), minlength=total.size)
        return [int(count) for count in total]

    def _run(
        self, texts: Sequence[str], ids: Sequence[str], severity: int, seed: int, keep: Keep
    ) -> tuple[list[Corpus], Any]:
        """Return the corpus before and after, and what changed."""
        if isinstance(severity, bool) or severity not in SEVERITIES:
            raise UsageError(f"severity must be 1, 2, 3, 4 or 5; it is {severity!r}.")
        first = corpus = _corpus(texts, ids, keep)
        if not first.length.size:
            return [], None
        used: list[str] = []
        for part in self.parts or (self,):
            used.append(part.name)
            again = used.count(part.name)
            corpus = corpus.keyed(part.name if again == 1 else f"{part.name}#{again}", ids, seed)
            first = corpus if len(used) == 1 else first  # it has found the text of each place
            corpus, change = corrupted(corpus, part.find, part.rates[severity - 1], traced=bool(self.parts))
        return [first, corpus], overall(corpus, first.codes.size) if self.parts else change


def _corpus(texts: Sequence[str], ids: Sequence[str], keep: Keep) -> Corpus:
    """Return the texts as a corpus in which what is kept is not free; refuse what cannot be one."""
    texts = [texts] if isinstance(texts, str) else list(texts)
    if len(ids) != len(texts) or isinstance(ids, str):
        raise DataError(f"There are {len(texts)} texts and {len(ids)} ids. Give one id for each text, in a list.")
    if set(map(type, texts)) - {str}:
        for row, text in enumerate(texts):
            if not isinstance(text, str):
                raise DataError(f"Text {row} (id {ids[row]!r}) is {text!r}, not a text. Drop it, or make it one.")
    joined = NUL.join([*texts, ""])
    if joined.count(NUL) > len(texts):
        row = next(row for row, text in enumerate(texts) if NUL in text)
        raise DataError(
            f"Text {row} (id {ids[row]!r}) holds the character NUL, which separates texts. Take it out: text.replace('\\0', '')."
        )
    return encoded(texts, joined, None if keep is None else _free(texts, keep))


def _free(texts: list[str], keep: str | re.Pattern[str] | Sequence[str | Sequence[str]]) -> Array:
    """Return which code points of the joined texts may change."""
    if isinstance(keep, (str, re.Pattern)):
        try:
            pattern = re.compile(keep)
        except re.error as error:
            raise UsageError(f"keep={keep!r} is no regular expression: {error}.") from error
        patterns = [pattern] * len(texts)
    else:
        if len(keep) != len(texts):
            raise UsageError(
                f"keep has {len(keep)} entries for {len(texts)} texts. Give one for each, or a regular expression."
            )
        patterns = [_words([words] if isinstance(words, str) else list(words)) for words in keep]
    free, start = np.ones(sum(map(len, texts)) + len(texts), bool), 0
    for text, pattern in zip(texts, patterns, strict=True):
        for match in pattern.finditer(text):
            free[start + match.start() : start + match.end()] = False
        start += len(text) + 1
    return free


def _words(words: Sequence[str]) -> "re.Pattern[str]":
    """Return the pattern of words and phrases that stand by themselves; of none, a pattern that never matches."""
    longest = sorted(filter(None, map(str, words)), key=lambda word: -len(word))
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest))})(?!\w)" if longest else r"(?!)")


def _families() -> dict[str, Corruption]:
    """Return the built-in families and the composition `dialect`, by name."""
    ewave = "rule of ours for eWAVE's feature {}; not parsed, and at rates of no variety"
    found = [
        Corruption("keyboard", LETTERS, "letters a-z and A-Z: a neighbour on a QWERTY keyboard", "ours", letters.keyboard),
        Corruption("swap", LETTERS, "letters in pairs of different neighbours in a word: exchanged", "ours", letters.swap),
        Corruption("delete", LETTERS, "letters after the first of a word: left out", "ours", letters.delete),
        Corruption("insert", LETTERS, "letters a-z and A-Z: a neighbour on the keyboard put after", "ours", letters.insert),
        Corruption("double", LETTERS, "letters: written twice", "ours", letters.double),
        Corruption(
            "ocr", LETTERS, "characters and pairs that look like others (0 O, l 1 I, rn m, cl d): read as those",
            "our list; kinds of error in Rice, Nagy and Nartker 1999, Optical Character Recognition", letters.ocr,
        ),
        Corruption(
            "homoglyphs", LETTERS, "letters with a twin in Cyrillic: that twin",
            "our list, a part of Unicode's confusables (UTS 39)", letters.homoglyphs,
        ),
        Corruption("case", LETTERS, "letters with another case: that case", "ours", letters.case),
        Corruption("capitals", CASES, "words with small letters: in capitals", "ours", words.upper),
        Corruption("lowercase", CASES, "words with capitals: in small letters", "ours", words.lower),
        Corruption("drop-punctuation", RULES, "punctuation marks that no number follows: left out", "ours", words.drop_punctuation),
        Corruption("add-punctuation", ADDED, "ends of words: one of , . ; : ! ? put after", "ours", words.add_punctuation),
        Corruption("whitespace", ADDED, "single spaces between words: left out or doubled, evenly", "ours", words.whitespace),
        Corruption("split", ADDED, "words of four letters or more: a space put inside", "ours", words.split),
        Corruption("expand", RULES, "contractions: written out (don't: do not)", "our rules", rules.expand),
        Corruption("contract", RULES, "pairs of words with a contraction: contracted (do not: don't)", "our rules", rules.contract),
        Corruption(
            "negative-concord", RULES, "any-words in a negated clause: no-words", ewave.format("154"), rules.negative_concord
        ),
        Corruption("aint", RULES, "negated forms of be and have: ain't", ewave.format("155, 156"), rules.aint),
        Corruption("invariant-dont", RULES, "doesn't: don't", ewave.format("158"), rules.invariant_dont),
        Corruption(
            "copula-deletion", RULES, "is and are after he, she, we, you, they, not at the end of a clause: left out",
            ewave.format("174, 176-178 (limits: Labov 1969)"), rules.copula_deletion,
        ),
        Corruption("habitual-be", RULES, "am, is and are before an adverb of habit: be", ewave.format("90"), rules.habitual_be),
        Corruption("was-levelling", RULES, "were after you, we, they: was", ewave.format("180"), rules.was_levelling),
    ]  # fmt: skip
    families = {family.name: family for family in found}
    return families | {"dialect": replace(reduce(or_, (families[name] for name in DIALECT)), name="dialect")}


FAMILIES = _families()


def corruptions() -> dict[str, Corruption]:
    """Return the built-in corruptions by name.

    >>> corruptions()["swap"].rates
    (0.01, 0.02, 0.05, 0.1, 0.2)
    """
    return dict(FAMILIES)


def corruption(name: str) -> Corruption:
    """Return a built-in corruption by name, or a composition of several: "keyboard|swap".

    Raises `UsageError` that names the known ones and the nearest.

    >>> corruption("keyboard|swap").name
    'keyboard|swap'
    >>> corruption("keybord")
    Traceback (most recent call last):
    ...
    workbench.errors.UsageError: Unknown corruption 'keybord'. Did you mean 'keyboard'? Known: ...
    """
    parts = [part.strip() for part in str(name).split("|")]
    for part in parts:
        if part not in FAMILIES:
            raise unknown("corruption", part, FAMILIES)
    return reduce(or_, (FAMILIES[part] for part in parts))


def synonyms(lexicon: Mapping[str, str | Sequence[str]], *, name: str = "synonyms") -> Corruption:
    """Return the corruption that writes one of a word's synonyms, by a person's lexicon from words (or phrases) to synonyms.

    Whole words in any case, which is kept, the longest phrase first; "a" and "an" change with them where they agreed before.
    A lexicon that is to work both ways gives both. Forms are not inflected: list "cars" beside "car".

    Raises `UsageError` for a lexicon without words, with empty or repeated ones, or with a word as its own synonym.

    >>> synonyms({"car": ["automobile"]}).apply(["A car!"], ["a"], severity=5).texts
    ['An automobile!']
    """
    counts = f"words of a lexicon of {len(lexicon)}: one of their synonyms"
    return Corruption(name, RULES, counts, "a person's lexicon", words.synonyms(lexicon))
