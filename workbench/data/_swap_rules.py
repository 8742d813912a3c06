"""Which reading of a word is meant: the rules of `workbench.data.swaps`, each a look at the words beside it.

`before noun` and `alone` tell "her" (his) from "her" (him), and "his" (her) from "his" (hers): a determiner is followed at once by
a word that is not a function word, an adverb in -ly or one of a few verbs. `noun` and `adjective` tell "a Christian" (a Jew) from
"a Christian school" (a Jewish school). These rules choose between readings; a word with one reading needs none.

`person` and `name` can refuse a word: "black" only where it is said of a person, "Thomas" only as a first name.
"""

import re

from workbench.data._swap_terms import NAMES, words

__all__ = ["CHOOSES", "NEAR", "agrees", "fits", "starts_sentence", "wants_an"]

NEAR = 120  # characters before a word that a rule looks at, so that long texts take no longer per word
CHOOSES = frozenset({"before noun", "alone", "noun", "adjective"})
DETERMINERS = frozenset(
    words(
        """
        a an the this that one every each another any no some my your his her our their
        """
    )
)
FUNCTION = frozenset(
    words(
        """
        a an the about above across after again against ago all almost along already also always am among and are
        around as at away back be because been before being behind below beneath beside between beyond both but by
        came can could did do does down during either else enough ever every everything except far for forever from
        get go goes had has have he here him himself herself how i if in inside instead into is it its just last
        later like made may maybe me might more much must my near neither never no none nor not nothing now of off
        often on once onto or our out outside over perhaps quite rather shall she should since so some something
        sometimes soon still such take than that the their them then there these they this those though through
        throughout till to today together tomorrow tonight too toward towards twice under unless until up upon us
        very was we well were what whatever when where whether which while who whom why will with within without
        would yesterday yet you your come leave know feel think become cry having going coming saying looking making
        doing getting taking leaving
        """
    )
)
OWNED = frozenset(
    words(
        """
        back being last later more then will
        """
    )
)  # function words that stand after "his" rather than "him"
NOT_ADVERBS = frozenset(
    words(
        """
        family only early lovely elderly lonely friendly daily weekly monthly yearly likely lively ugly silly belly
        reply supply assembly newly recently highly previously formerly deadly costly holy jelly ally bully rally
        monopoly butterfly
        """
    )
)
PEOPLE = frozenset(
    words(
        """
        person persons people man men woman women boy boys girl girls child children kid kids guy guys lady ladies
        gentleman gentlemen male males female females adult adults teenager teenagers student students teacher
        teachers worker workers employee employees applicant applicants candidate candidates patient patients family
        families couple couples community communities neighbor neighbors neighbour neighbours immigrant immigrants
        voter voters citizen citizens american americans christian christians muslim muslims jew jews hindu hindus
        folk folks individual individuals driver drivers doctor doctors nurse nurses lawyer lawyers friend friends
        mother father mothers fathers parents parent son daughter brother sister husband wife
        """
    )
)
WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
OF_PERSON = re.compile(
    r"(?:\b(?:i|you|we|they|he|she|who|someone|somebody|everyone|everybody|person|people|man|men|woman|women)"
    r"(?:\s+(?:am|are|is|was|were|be)|['’](?:m|re|s))|\bbeing)"
    r"(?:\s+(?:not|very|also|both|all|openly|proudly|too|so|really|legally|completely))*\s+$",
    re.IGNORECASE,
)
FIRST_NAMES = frozenset(name.lower() for name in NAMES)
TITLES = frozenset(
    words(
        """
        mr ms mrs dr miss uncle aunt saint st sir lady president king queen prince princess professor and but
        """
    )
)
SOUNDS_CONSONANT = re.compile(r"uni(?!n|m)|use|usu|uti|ubi|eu|ewe|one\b|once", re.IGNORECASE)
SILENT_H = re.compile(r"hour|honest|hono|heir", re.IGNORECASE)


def fits(rule: str, text: str, start: int, end: int) -> bool:
    """Return whether the word at text[start:end] may be read as the rule says.

    >>> fits("before noun", "her book", 0, 3), fits("before noun", "saw her there", 4, 7)
    (True, False)
    >>> fits("person", "a black man", 2, 7), fits("person", "a black car", 2, 7)
    (True, False)
    """
    if rule == "before noun":
        return _before_noun(text, end)
    if rule == "alone":
        return not _before_noun(text, end)
    if rule == "noun":
        return _is_noun(text, start, end)
    if rule == "adjective":
        return not _is_noun(text, start, end)
    if rule == "person":
        return _of_person(text, start, end)
    if rule == "name":
        return _first_name(text, start, end)
    return True


def starts_sentence(text: str, start: int) -> bool:
    """Return whether a sentence begins at text[start].

    >>> starts_sentence("Hi. Men", 4), starts_sentence("two Men", 4)
    (True, False)
    """
    before = text[max(0, start - NEAR) : start].rstrip(" \t\"'“‘(*[")
    return not before or before[-1] in ".!?:\n\r…"


def wants_an(word: str) -> bool:
    """Return whether "an", not "a", stands before a word as it is listed (capitals of an abbreviation are spelt out).

    >>> [wants_an(word) for word in ("old man", "European", "LGBT", "Muslim", "heir")]
    [True, False, True, False, True]
    """
    first = re.split(r"[\s-]", word, maxsplit=1)[0]
    if len(first) > 1 and first.isupper():
        return first[0] in "AEFHILMNORSX"
    if SILENT_H.match(word):
        return True
    return word[:1].lower() in "aeiou" and not SOUNDS_CONSONANT.match(word)


def agrees(article: str, word: str) -> bool:
    """Return whether an article, "a" or "an", agrees with a word.

    >>> agrees("An", "atheist"), agrees("a", "atheist")
    (True, False)
    """
    return (article.lower() == "an") == wants_an(word)


def _next_word(text: str, end: int) -> "re.Match[str] | None":
    """Return the word that follows at once, None where punctuation or the end does."""
    space = re.compile(r"\s+").match(text, end)
    return WORD.match(text, space.end()) if space else None


def _before_noun(text: str, end: int) -> bool:
    word = _next_word(text, end)
    if word is None:
        return bool(re.compile(r"\s+[\d\"“‘'`]").match(text, end))  # her "friend", his 3 cars
    lower = word.group().lower()
    if lower in ("and", "or"):  # his or her car
        other = _next_word(text, word.end())
        if other is not None and other.group().lower() in ("his", "her", "their", "my", "your", "our"):
            return _before_noun(text, other.end())
        return False
    if lower in FUNCTION and lower not in OWNED:
        return False
    return not lower.endswith("ly") or lower in NOT_ADVERBS


def _is_noun(text: str, start: int, end: int) -> bool:
    """Return whether a determiner stands before the word, at most two words away, and no noun after it."""
    word = _next_word(text, end)
    if word is not None and word.group().lower() not in FUNCTION:
        return False
    if re.compile(r"['’]s\b").match(text, end):
        return True
    clause = re.split(r"[.,;:!?()\n]", text[max(0, start - NEAR) : start])[-1]
    for before in reversed(WORD.findall(clause)[-3:]):
        if before.lower() in DETERMINERS:
            return True
        if before.lower() in FUNCTION:
            return False
    return False


def _of_person(text: str, start: int, end: int) -> bool:
    """Return whether a word for people is among the next three, or a pronoun and a form of "be" stand before."""
    at = end
    for _ in range(3):
        word = _next_word(text, at)
        if word is None or (lower := word.group().lower()) in FUNCTION:
            break
        if lower in PEOPLE:
            return True
        at = word.end()
    before = re.sub(r"\s+(?:an?|the)\s+$", " ", text[max(0, start - NEAR) : start])
    return bool(OF_PERSON.search(before))


def _first_name(text: str, start: int, end: int) -> bool:
    """Return whether the word has a capital, and no capitalised word before it that would make it a surname."""
    if not text[start].isupper():
        return False
    near = max(0, start - NEAR)
    before = re.search(r"([^\W\d_]+)\.?\s+$", text[near:start])
    if before is None or not before.group(1)[0].isupper() or before.group(1).lower() in TITLES:
        return True
    if before.group(1).lower() in FIRST_NAMES:
        return False
    return text[start:end].isupper() or starts_sentence(text, near + before.start())
