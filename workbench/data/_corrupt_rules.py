"""Families of `workbench.data.corruptions` that rewrite English by rules: contractions, and features of varieties of English.

The rules look at words, not at parses. They are rules, not speakers: each applies a feature that linguists describe where a pattern
of words permits it, at rates that are no variety's. Numbers F are those of the electronic World Atlas of Varieties of English
(Kortmann, Lunkenheimer and Ehret 2020, ewave-atlas.org).
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from workbench.data._corrupt_corpus import Corpus, Find, Found
from workbench.data._corrupt_words import Place, at_places
from workbench.data.swaps import AFTER, BEFORE

Rewrite = Callable[["re.Match[str]"], "str | None"]


class Rule(NamedTuple):
    """A pattern of words, and what is written for a match: None where the words around forbid it."""

    pattern: "re.Pattern[str]"
    rewrite: Rewrite


def rule(words: str, rewrite: str | Rewrite) -> Rule:
    """Return a rule for whole words; `rewrite` may be a template of `re.Match.expand`."""
    write = (lambda match: match.expand(rewrite)) if isinstance(rewrite, str) else rewrite
    return Rule(re.compile(rf"{BEFORE}(?:{words}){AFTER}", re.IGNORECASE), write)


def ruled(*rules: Rule) -> Find:
    """Return the family of the places where rules fit: of overlapping ones the first, then that of the first rule."""

    def find(corpus: Corpus) -> Found:
        text, places = corpus.text, []
        for order, (pattern, rewrite) in enumerate(rules):
            for match in pattern.finditer(text):
                new = rewrite(match)
                if new is not None:
                    places.append((match.start(), order, match.end(), _like(match.group(), new)))
        kept: list[Place] = []
        for start, _, end, new in sorted(places):
            if not kept or start >= kept[-1][1]:
                kept.append((start, end, new))
        return at_places(corpus, kept)

    return find


def _like(old: str, new: str) -> str:
    """Return a rewrite in the case of what it replaces."""
    letters = [char for char in old if char.isalpha()]
    if len(letters) > 2 and old.isupper():
        return new.upper()
    return new[:1].upper() + new[1:] if old[:1].isupper() else new


def _before(match: "re.Match[str]") -> str:
    """Return the clause before a match, in small letters, as far as 80 characters back."""
    return re.split(r"[.?!;:,()\0\n]", match.string[max(0, match.start() - 80) : match.start()])[-1].lower()


def _after(match: "re.Match[str]") -> str:
    """Return the word after a match, in small letters; "" at the end of a clause."""
    found = re.match(r"[ ]+([\w'’]+)", match.string[match.end() : match.end() + 40])
    return found.group(1).lower() if found else ""


def unless(words: str, then: str, *, last: bool = False) -> Rewrite:
    """Return a rewrite that does not apply where one of the words follows, nor, with `last`, at the end of a clause."""
    stops = set(words.split())

    def write(match: "re.Match[str]") -> str | None:
        word = _after(match)
        return None if word in stops or (last and not word) else match.expand(then)

    return write


AUX = "is|are|was|were|do|does|did|has|have|had|could|would|should|must|might|need"
PRONOUN = "I|you|he|she|it|we|they|there"
HAVING = "been got had become ever"  # "it's been" is "it has been"
ASKS = re.compile(r"(?:^|\b(?:why|how|what|when|where|who|and|but|so))\s*$")
STEMS = {"ca": "can", "wo": "will", "sha": "shall"}


def _not(match: "re.Match[str]") -> str:
    """Return "is not" for "isn't"; "cannot" for "can't"."""
    stem = match.group(1)
    return "cannot" if stem.lower() == "ca" else f"{STEMS.get(stem.lower(), stem)} not"


def _asked(match: "re.Match[str]") -> str | None:
    """Return "do you not" for "don't you" where a question begins."""
    stem = match.group(1)
    return f"{STEMS.get(stem.lower(), stem)} {match.group(2)} not" if ASKS.search(_before(match)) else None


def _is_or_has(match: "re.Match[str]") -> str:
    """Return "it is" for "it's", "it has" before a participle of `HAVING`."""
    return f"{match.group(1)} {'has' if _after(match) in HAVING.split() else 'is'}"


expand = ruled(
    rule(rf"(ca|wo|sha|{AUX})n['’]t ({PRONOUN})", _asked),
    rule(rf"(ca|wo|sha|{AUX})n['’]t", _not),
    rule(r"(I)['’]m", r"\1 am"),
    rule(r"(you|we|they|who|there|what)['’]re", r"\1 are"),
    rule(r"(I|you|we|they|who|could|would|should|might|must)['’]ve", r"\1 have"),
    rule(r"(I|you|he|she|it|we|they|who|that|there|what)['’]ll", r"\1 will"),
    rule(r"(let)['’]s", r"\1 us"),
    rule(r"(it|he|she|that|there|what|where|who|how|here)['’]s", _is_or_has),
)
contract = ruled(
    rule(r"(is|are|was|were|do|does|did|has|have|had|could|would|should) not", r"\1n't"),
    rule(r"can ?not", "can't"),
    rule("will not", "won't"),
    rule("(I) am", unless("", r"\1'm", last=True)),
    rule("(you|we|they) are", unless("", r"\1're", last=True)),
    rule("(he|she|it|that|there|what|who|where) is", unless("", r"\1's", last=True)),
    rule(r"(I|you|we|they) have(?= (?:been|got|had|done|seen|made|never|always|already|just|ever|\w+ed)\b)", r"\1've"),
    rule("(I|you|he|she|it|we|they) will", unless("not", r"\1'll", last=True)),
    rule("(I|you|he|she|we|they) would", unless("not", r"\1'd", last=True)),
)

NEGATED = re.compile(r"\b(?:(?<!or )not(?! only| just)|never|nobody|nothing|cannot|no one)\b|n['’]t\b")
OTHER_CLAUSE = re.compile(r"\b(?:but|because|if|unless|whether|since|although|though|what|where|who|how|why|which)\b")
NO = {
    "any": "no",
    "anything": "nothing",
    "anybody": "nobody",
    "anyone": "nobody",
    "anywhere": "nowhere",
    "ever": "never",
}
SUPERLATIVE = re.compile(
    r"\b(?:best|worst|most|least|first|last|only|\w{3,}est)\b"
)  # "the best I have ever seen" is not negated
NONE_SUCH = re.compile(
    r"\b(?:nothing|nobody|no one) (?:that )?(?:i|you|he|she|it|we|they)\b"
)  # "like nothing we've ever seen"
STOPS = {*HAVING.split(), "and", "or", "but", "that", "than", "as", "if", "when"}
PARTICIPLES = {
    *("made", "seen", "shown", "given", "taken", "told", "found", "left", "put", "known", "built", "brought"),
    *("written", "done", "used", "born", "kept", "held"),
}
AHEAD = re.compile(r"\b(?:how(?: \w+)?|what|who|where|which|as|than)\s*$")  # what the copula joins may stand before it
HABIT = "always|usually|often|constantly|normally"  # "generally" tells what is so as a rule, and hardly a habit


def _concord(match: "re.Match[str]") -> str | None:
    """Return "nothing" for "anything" where its clause has been negated."""
    clause = OTHER_CLAUSE.split(_before(match))[-1]
    word = match.group().lower()
    if not NEGATED.search(clause) or (word == "ever" and (SUPERLATIVE.search(clause) or NONE_SUCH.search(clause))):
        return None
    return "none" if word == "any" and _after(match) == "of" else NO[word]


def _no_copula(match: "re.Match[str]") -> str | None:
    """Return "she" for "she is", but where a speaker keeps the verb, or where what is left would be another sentence.

    It is kept at the end of a clause, where what it joins stands before ("how bad they are to us", "as tall as she is to us") and
    before "n't". Before a participle "he's" may be "he has", and "they" without "are" would be who does it.
    """
    word = _after(match)
    if not word or word in STOPS or word in PARTICIPLES or word.endswith("ed") or word.startswith(("n'", "n’")):
        return None
    moved = AHEAD.search(_before(match)) and not word.endswith("ing")
    return None if moved else match.group(1)


def _habit(match: "re.Match[str]") -> str | None:
    """Return "often be" for "is often", but not in "as is often the case", nor at the end of a clause."""
    kept = not _after(match) or re.search(r"\bas\s*$", _before(match))
    return None if kept else match.expand(r"\1 be")


def _levelled(match: "re.Match[str]") -> str | None:
    """Return "they was" for "they were", but where a condition or a wish stands before."""
    return None if re.search(r"\b(?:if|wish|though|as)\s+$", _before(match)) else match.expand(r"\1 was\2")


negative_concord = ruled(rule("|".join(NO), _concord))  # F154
aint = ruled(  # F155, F156
    rule(r"(?:am|is|are|has|have) not|(?:is|are|has|have)n['’]t", "ain't"),
    rule(r"(I|you|he|she|it|we|they|that|there)['’](?:m|s|re|ve) not", r"\1 ain't"),
)
invariant_dont = ruled(rule(r"doesn['’]t|does not", "don't"))  # F158
copula_deletion = ruled(  # F174, F176-F178; not "am", not "it", "that" and "what", not at the end: Labov 1969
    rule(
        r"(he|she|we|you|they)(?:['’]s|['’]re| is| are)",
        _no_copula,
    )
)
habitual_be = ruled(  # F90, where an adverb says that it is a habit
    rule(rf"(?:am|is|are) ({HABIT})", _habit),
    rule(rf"(I|you|he|she|it|we|they)['’](?:m|s|re) ({HABIT})", unless(HAVING, r"\1 \2 be", last=True)),
)
was_levelling = ruled(rule(r"(you|we|they) were(n['’]t)?", _levelled))  # F180
