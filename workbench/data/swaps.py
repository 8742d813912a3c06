"""Identity terms put in place of one another: variants of a text, each with its exact map of edits.

`swap(text)` finds the terms of an axis (gender, religion, ...; lists of our own, or a person's) and gives, for every
other term, the text in which the first term found and that one have changed places: "the Muslim and his wife" has a
variant "the Christian and his wife". All forms change together: adjective, noun and plural, pronouns with the nouns of
gender, "a" and "an". Case is kept. Nothing inside a word, or joined to another by a hyphen, is touched.

"her" and "his" have two readings each; one stated rule decides (a determiner is followed at once by a word that is no function
word, no adverb in -ly and none of a few verbs), and errs on 3.4 % of them (82 of 2,380 in encyclopaedia text, `docs/swap.md`).
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from workbench.data._swap_rules import CHOOSES, NEAR, agrees, fits, starts_sentence, wants_an
from workbench.data._swap_terms import AXES, BUILT_IN, Axis, Slot
from workbench.data.edits import Edit, apply, marked, revert
from workbench.errors import UsageError, unknown

__all__ = [
    "AXES",
    "Axis",
    "Edit",
    "Slot",
    "Swap",
    "apply",
    "axes_of",
    "marked",
    "revert",
    "swap",
    "swap_on",
    "terms_in",
    "terms_on",
]

IRREGULAR = {"man": "men", "woman": "women", "person": "people", "child": "children", "wife": "wives"}
PIECES = r"\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\u00ad\u200b-\u200d\u2060"  # of a word
HYPHENS = "-\u2010\u2011"
BEFORE = rf"(?<![\w@{PIECES}])(?<![\w{PIECES}][{HYPHENS}'’])"
AFTER = rf"(?![\w{PIECES}])(?![{HYPHENS}]\w)"
ARTICLE = re.compile(rf"{BEFORE}(an?)(\s+)$", re.IGNORECASE)


class Swap(NamedTuple):
    """A variant of a text: `source` and `term` of an axis have changed places in it, by these edits in order."""

    axis: str
    source: str
    term: str
    text: str
    edits: tuple[Edit, ...]


class _Hit(NamedTuple):
    start: int
    end: int
    slot: Slot
    term: int  # index of the term
    own: bool  # a reason to swap, not only company


def swap(text: str, axes: "str | Iterable[str] | Mapping[str, Any] | None" = None) -> list[Swap]:
    """Return the variants of a text, by axis and then by term in the order of the lists; none where no term occurs.

    Only the first term found of an axis is exchanged with each other term; where both occur they change places everywhere.

    Args:
        text: any text.
        axes: what `axes_of` takes; None for all built-in axes.

    >>> [variant.text for variant in swap("He said his wife was a waitress.", "gender")]
    ['She said her husband was a waiter.']
    >>> swap("a Muslim man", {"faith": ["Muslim", "atheist"]})[0].edits[0]
    Edit(start=0, end=1, new_start=0, new_end=2, old='a', new='an', kind='article')
    """
    return [variant for axis in axes_of(axes) for variant in swap_on(text, axis)]


def terms_in(text: str, axes: "str | Iterable[str] | Mapping[str, Any] | None" = None) -> dict[str, tuple[str, ...]]:
    """Return the terms of each axis that occur in a text, in the order of their first occurrence; axes without one are left out.

    >>> terms_in("Muslims and Christians met her", ["religion", "gender"])
    {'religion': ('Muslim', 'Christian'), 'gender': ('female',)}
    """
    found = {axis.name: terms_on(text, axis) for axis in axes_of(axes)}
    return {name: terms for name, terms in found.items() if terms}


def terms_on(text: str, axis: Axis) -> tuple[str, ...]:
    """Return the terms of one axis that occur in a text, in the order of their first occurrence.

    >>> terms_on("Muslims and Christians", axes_of("religion")[0])
    ('Muslim', 'Christian')
    """
    hits = _hits(text, axis)
    return tuple(dict.fromkeys(axis.terms[hit.term] for hit in hits)) if any(hit.own for hit in hits) else ()


def axes_of(axes: "str | Iterable[str] | Mapping[str, Any] | None" = None) -> tuple[Axis, ...]:
    """Return axes: built-in ones by name (None: all), or a person's own, a mapping from a name to terms.

    The terms of an own axis are texts, whose regular plurals change with them ("blinds" would count as "blind"), or lists of forms,
    as many for each term, in one order: `{"religion": [["Jew", "Jews"], ["Christian", "Christians"]]}`; then nothing is added.

    Raises `UsageError` for an unknown name, fewer than two terms, terms that repeat, and lists of forms of unequal length.

    >>> [axis.name for axis in axes_of(["religion", "age"])]
    ['religion', 'age']
    >>> axes_of({"city": ["Rome"]})
    Traceback (most recent call last):
    ...
    workbench.errors.UsageError: The axis 'city' has 1 term; a swap needs at least 2. Give a list of texts.
    """
    if axes is None:
        return tuple(BUILT_IN.values())
    if isinstance(axes, Mapping):
        return tuple(_own(str(name), terms) for name, terms in axes.items())
    chosen = []
    for name in dict.fromkeys((axes,) if isinstance(axes, str) else axes):
        if name not in BUILT_IN:
            raise unknown("axis", name, AXES)
        chosen.append(BUILT_IN[name])
    return tuple(chosen)


def _own(name: str, terms: Any) -> Axis:
    """Return the axis of a person's own list."""
    if isinstance(terms, str) or not isinstance(terms, Iterable):
        raise UsageError(f"The axis {name!r} must be a list of terms; it is {terms!r}. Write {{{name!r}: [...]}}.")
    listed = [tuple(term) if isinstance(term, (list, tuple)) else (term,) for term in terms]
    if len(listed) < 2:
        raise UsageError(
            f"The axis {name!r} has {len(listed)} term{'s' * (not listed)}; a swap needs at least 2. Give a list of texts."
        )
    for forms in listed:
        if len(forms) != len(listed[0]):
            raise UsageError(
                f"The axis {name!r} has {len(forms)} forms of {forms[0]!r} and {len(listed[0])} of {listed[0][0]!r}. "
                "Give as many for each term."
            )
        for form in forms:
            if not isinstance(form, str) or not form.strip():
                raise UsageError(f"The axis {name!r} has the term {form!r}; terms are texts that are not empty.")
    columns = [tuple(" ".join(form.split()) for form in column) for column in zip(*listed, strict=True)]
    folded = [form.casefold() for form in columns[0]]
    for form in folded:
        if folded.count(form) > 1:
            raise UsageError(f"The axis {name!r} has the term {form!r} twice. Name each once.")
    if all(len(forms) == 1 for forms in listed):
        columns.append(tuple(_plural(form) for form in columns[0]))
    return Axis(name, columns[0], tuple(map(Slot, columns)))


def _plural(term: str) -> str:
    """Return the regular plural of a term's last word.

    >>> [_plural(term) for term in ("Jew", "trans woman", "lady", "boss")]
    ['Jews', 'trans women', 'ladies', 'bosses']
    """
    head, gap, last = term.rpartition(" ")
    lower = last.lower()
    for one, many in IRREGULAR.items():
        if lower.endswith(one) and (one != "man" or not lower.endswith(("human", "german", "roman"))):
            return (
                f"{head}{gap}{last[: -len(one)]}{many[0] if last[-len(one)].islower() else many[0].upper()}{many[1:]}"
            )
    if lower.endswith(("s", "x", "z", "ch", "sh")):
        return f"{term}es"
    return f"{term[:-1]}ies" if re.search(r"[^aeiou]y$", lower) else f"{term}s"


@lru_cache(maxsize=256)
def _table(
    slots: tuple[Slot, ...], kept: tuple[str, ...]
) -> tuple["re.Pattern[str]", dict[str, list[tuple[int, int]]]]:
    """Return the pattern of all forms, longest first, and the readings (slot, term) of each form."""
    readings: dict[str, list[tuple[int, int]]] = {phrase.casefold(): [] for phrase in kept}
    forms = list(kept)
    for place, slot in enumerate(slots):
        for term, form in enumerate(slot.forms):
            forms.append(form)
            readings.setdefault(form.casefold(), []).append((place, term))
    ordered = sorted(dict.fromkeys(forms), key=lambda form: (-len(form), form))
    words = "|".join(r"\s+".join(map(re.escape, form.split())) for form in ordered)
    return re.compile(f"{BEFORE}(?:{words}){AFTER}", re.IGNORECASE), readings


def _hits(text: str, axis: Axis) -> list[_Hit]:
    """Return where terms of an axis occur, in order; none where a word of `unless` does."""
    if axis.unless and _table(axis.unless, ())[0].search(text):
        return []
    slots = (*axis.slots, *axis.company)
    pattern, readings = _table(slots, axis.kept)
    hits = []
    for match in pattern.finditer(text):
        options = readings.get(" ".join(match.group().split()).casefold(), [])
        meant = _meant([(slots[place], place, term) for place, term in options], text, match)
        if meant is not None:
            slot, place, term = meant
            hits.append(_Hit(match.start(), match.end(), slot, term, place < len(axis.slots)))
    return hits


def _meant(options: list[tuple[Slot, int, int]], text: str, match: "re.Match[str]") -> tuple[Slot, int, int] | None:
    """Return the first reading whose rule fits; of readings that rules only choose between, the first where none fits."""
    spare = None
    for option in options:
        rule = option[0].rule
        if fits(rule, text, match.start(), match.end()):
            return option
        if rule in CHOOSES and spare is None:
            spare = option
    return spare


def swap_on(text: str, axis: Axis) -> list[Swap]:
    """Return the variants of a text on one axis, as `swap` does.

    >>> [variant.term for variant in swap_on("She sings", axes_of("gender")[0])]
    ['male']
    """
    hits = _hits(text, axis)
    first = next((hit.term for hit in hits if hit.own), None)
    if first is None:
        return []
    variants = []
    for other in range(len(axis.terms)):
        if other == first:
            continue
        exchanged = {first: other, other: first}
        edits: list[Edit] = []
        shift = 0
        for hit in hits:
            if hit.term not in exchanged:
                continue
            for start, end, new, kind in _replaced(text, hit, exchanged[hit.term]):
                edits.append(Edit(start, end, start + shift, start + shift + len(new), text[start:end], new, kind))
                shift += len(new) - (end - start)
        if edits:
            variants.append(Swap(axis.name, axis.terms[first], axis.terms[other], apply(text, edits), tuple(edits)))
    return variants


def _replaced(text: str, hit: _Hit, term: int) -> list[tuple[int, int, str, str]]:
    """Return the replacement of one hit, and that of the article before it where the new word wants the other one."""
    listed, wanted = hit.slot.forms[hit.term], hit.slot.forms[term]
    surface = text[hit.start : hit.end]
    new = _in_case(surface, listed, wanted, at_start=starts_sentence(text, hit.start))
    if new == surface:
        return []
    done = [(hit.start, hit.end, new, "term")]
    near = max(0, hit.start - NEAR)
    article = ARTICLE.search(text[near : hit.start])
    if article is None or not agrees(article.group(1), listed) or agrees(article.group(1), wanted):
        return done
    old = article.group(1)
    word = "an" if wants_an(wanted) else "a"
    shouted = (len(old) > 1 and old.isupper()) or (old == "A" and surface.isupper() and len(surface) > 1)
    changed = word.upper() if shouted else word.capitalize() if old[0].isupper() else word
    return [(near + article.start(1), near + article.end(1), changed, "article"), *done]


def _in_case(surface: str, listed: str, wanted: str, *, at_start: bool) -> str:
    """Return the wanted word in the case of the one that it replaces."""
    letters = [char for char in surface if char.isalpha()]
    if len(letters) > 1 and surface.isupper() and not listed.isupper():
        return wanted.upper()
    if listed[:1].isupper():
        if surface.islower():
            return wanted.lower()
        return wanted[:1].upper() + wanted[1:] if at_start else wanted
    if surface[:1].isupper():
        return wanted[:1].upper() + wanted[1:]
    return wanted
