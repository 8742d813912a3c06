"""The term lists of `workbench.data.swaps`, written for Workbench: no slurs, one form of every term in each slot.

A *slot* is one grammatical form (an adjective, a plural, a pronoun) with its word for every term of the axis. Its rule says where
a word that has several readings is meant (`workbench.data._swap_rules`).
"""

from dataclasses import dataclass

__all__ = ["AXES", "BUILT_IN", "NAMES", "Axis", "Slot", "words"]


@dataclass(frozen=True)
class Slot:
    """One grammatical form: its word for each term of the axis, and the rule that says where it is read so ("" for anywhere)."""

    forms: tuple[str, ...]
    rule: str = ""


@dataclass(frozen=True)
class Axis:
    """A set of terms that may stand for one another.

    `company` are slots that change along and are no reason to swap by themselves (first names beside "he"); a text that holds a
    word of `unless` is left alone; `kept` are phrases in which no term is meant ("African American" is no nationality).
    """

    name: str
    terms: tuple[str, ...]
    slots: tuple[Slot, ...]
    company: tuple[Slot, ...] = ()
    unless: tuple[Slot, ...] = ()
    kept: tuple[str, ...] = ()


def words(text: str) -> tuple[str, ...]:
    """Return the words of a text: a list that can be read.

    >>> words("man woman")
    ('man', 'woman')
    """
    return tuple(text.split())


PRONOUNS = (
    Slot(("he", "she")),
    Slot(("his", "her"), "before noun"),
    Slot(("his", "hers"), "alone"),
    Slot(("him", "her"), "alone"),
    Slot(("himself", "herself")),
)
NOUNS = words(
    """
    man woman men women boy girl boys girls gentleman lady gentlemen ladies male female males females husband wife
    husbands wives father mother fathers mothers dad mom dads moms dad mum dads mums daddy mommy son daughter sons
    daughters brother sister brothers sisters uncle aunt uncles aunts nephew niece nephews nieces grandfather
    grandmother grandfathers grandmothers grandpa grandma grandson granddaughter grandsons granddaughters stepfather
    stepmother stepson stepdaughter stepbrother stepsister father-in-law mother-in-law son-in-law daughter-in-law
    brother-in-law sister-in-law ex-husband ex-wife ex-boyfriend ex-girlfriend boyfriend girlfriend boyfriends
    girlfriends bridegroom bride bridegrooms brides groom bride grooms brides widower widow widowers widows actor
    actress actors actresses waiter waitress waiters waitresses businessman businesswoman businessmen businesswomen
    policeman policewoman policemen policewomen salesman saleswoman salesmen saleswomen chairman chairwoman
    spokesman spokeswoman congressman congresswoman fatherhood motherhood manhood womanhood masculine feminine Mr Ms
    Mr Mrs
    """
)
NAMES = words(
    """
    James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William Barbara Richard Susan Joseph
    Jessica Thomas Sarah Charles Karen Christopher Lisa Daniel Nancy Matthew Sandra Anthony Ashley Steven Emily
    Andrew Donna Paul Michelle Joshua Carol Kenneth Amanda Kevin Melissa Brian Deborah Timothy Stephanie Jason
    Rebecca Edward Laura George Helen Peter Anna Jack Emma Adam Alice Carlos Maria Miguel Carmen Ahmed Fatima
    Mohammed Aisha Omar Layla Hiroshi Keiko Raj Priya Jamal Keisha Darnell Latoya
    """
)


def _pairs(listed: tuple[str, ...], rule: str = "") -> tuple[Slot, ...]:
    return tuple(Slot(pair, rule) for pair in zip(listed[::2], listed[1::2], strict=True))


def _faiths() -> tuple[Slot, ...]:
    adjective = ("Christian", "Muslim", "Jewish", "Hindu", "Buddhist", "Sikh", "atheist")
    noun = ("Christian", "Muslim", "Jew", "Hindu", "Buddhist", "Sikh", "atheist")
    creed = ("Christianity", "Islam", "Judaism", "Hinduism", "Buddhism", "Sikhism", "atheism")
    plural = tuple(f"{word}s" for word in noun)
    return (Slot(adjective, "adjective"), Slot(noun, "noun"), Slot(plural), Slot(creed))


COUNTRIES = {
    "American": "America",
    "Mexican": "Mexico",
    "Brazilian": "Brazil",
    "German": "Germany",
    "Italian": "Italy",
    "Russian": "Russia",
    "Nigerian": "Nigeria",
    "Iranian": "Iran",
    "Indian": "India",
    "Korean": "Korea",
}
RACES = ("white", "black", "Asian", "Hispanic", "African American", "Native American")
AGES = ("young", "middle-aged", "old", "elderly")
ABILITIES = ("able-bodied", "disabled", "blind", "deaf", "autistic")
ORIENTATIONS = ("straight", "gay", "bisexual", "heterosexual", "homosexual", "queer")
HYPHENATED = ("African", "Asian", "Native", "Latin", "Mexican", "Italian", "German", "Indian", "Korean")


def _of_persons(name: str, terms: tuple[str, ...]) -> Axis:
    return Axis(name, terms, (Slot(terms, "person"),))


BUILT_IN: dict[str, Axis] = {
    axis.name: axis
    for axis in (
        Axis("gender", ("male", "female"), (*PRONOUNS, *_pairs(NOUNS)), company=_pairs(NAMES, "name")),
        Axis("name", ("male", "female"), _pairs(NAMES, "name"), unless=(*PRONOUNS, *_pairs(NOUNS))),
        Axis("religion", ("Christian", "Muslim", "Jewish", "Hindu", "Buddhist", "Sikh", "atheist"), _faiths()),
        Axis(
            "nationality",
            tuple(COUNTRIES),
            (Slot(tuple(COUNTRIES)), Slot(tuple(f"{word}s" for word in COUNTRIES)), Slot(tuple(COUNTRIES.values()))),
            kept=(
                *(f"{first} American{s}" for first in HYPHENATED for s in ("", "s")),
                *(f"American Indian{s}" for s in ("", "s")),
                *(f"{side} {land}" for side in ("North", "South", "Latin", "Central") for land in ("America", "Korea")),
                *(
                    f"{side} {land}"
                    for side in ("North", "South")
                    for land in ("American", "Korean", "Americans", "Koreans")
                ),
                "West Germany",
                "East Germany",
                "Indian Ocean",
                "New Mexico",
            ),
        ),
        _of_persons("race", RACES),
        _of_persons("age", AGES),
        _of_persons("disability", ABILITIES),
        _of_persons("orientation", ORIENTATIONS),
    )
}
AXES = tuple(BUILT_IN)
