"""The facts in words: capitals, elements, books, animals, and the questions that are written out by hand."""

from tools.facts.fact import Fact, around, shuffled, slug, table

__all__ = ["animals", "capitals", "elements", "literature", "species", "written", "years"]

LEVELS = ("easy", "medium", "hard")


def capitals() -> list[Fact]:
    """Return capitals; wrong answers are the rival city of the same country, then capitals of its region, then of its continent."""
    rows = table("capitals")
    facts = []
    for row in rows:
        country = row["country"].removeprefix("the ")
        others = [other for other in rows if other is not row and other["continent"] == row["continent"]]
        near = [other["capital"] for other in others if other["region"] == row["region"]]
        far = [other["capital"] for other in others if other["region"] != row["region"]]
        pool = shuffled(near, "capital", country) + shuffled(far, "capital", country)
        wrong = ([row["rival"]] if row["rival"] else []) + pool
        millions = float(row["millions"])
        level = (0 if millions >= 40 else 1 if millions >= 5 else 2) + (1 if row["rival"] else 0)
        facts.append(
            Fact(
                f"capital-{slug(country)}", "geography", "capitals", LEVELS[min(level, 2)],
                f"What is the capital of {row['country']}?", row["capital"], tuple(wrong[:3]), row["continent"],
            )
        )  # fmt: skip
    return facts


ANTIQUITY = {"Fe", "Cu", "Ag", "Sn", "Au", "Hg", "Pb"}


def elements() -> list[Fact]:
    """Return one question per element: its symbol, the element of a symbol, or its atomic number."""
    rows = table("elements")
    odd = [row for row in rows if not row["name"].startswith(row["symbol"].lower())]
    plain = [row for row in rows if row["name"].startswith(row["symbol"].lower())]
    kind = {row["symbol"]: ("symbol", "element")[i % 2] for i, row in enumerate(shuffled_rows(odd))}
    kind |= {
        row["symbol"]: ("number", "symbol", "element", "number")[i % 4] for i, row in enumerate(shuffled_rows(plain))
    }
    facts, ranks = [], 0
    for row in rows:
        number, symbol, name = int(row["number"]), row["symbol"], row["name"]
        easy = number <= 20 or symbol in ANTIQUITY
        level = "easy" if easy else "hard" if 57 <= number <= 71 or number >= 84 else "medium"
        if kind[symbol] == "number":
            errors = [number + d for d in shuffled((-8, -6, -4, -3, -2, -1, 1, 2, 3, 4, 6, 8), "number", name)]
            text, right = f"What is the atomic number of {name}?", row["number"]
            wrong = tuple(str(n) for n in around(number, ranks % 4, errors, least=1))
            ranks += 1
        elif kind[symbol] == "symbol":
            text, right = f"What is the chemical symbol of {name}?", symbol
            wrong = _alike(rows, row, "symbol")
        else:
            text, right = f"Which chemical element has the symbol {symbol}?", name
            wrong = _alike(rows, row, "name")
        facts.append(Fact(f"element-{name}", "chemistry", f"element {kind[symbol]}", level, text, right, wrong))
    return facts


def shuffled_rows(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return table lines in a stable order that is not that of the table."""
    by_name = {row["name"]: row for row in rows}
    return [by_name[name] for name in shuffled(by_name, "kind")]


def _alike(rows: list[dict[str, str]], row: dict[str, str], column: str) -> tuple[str, ...]:
    """Return three other elements' symbols or names: two that share a first letter with it, and a neighbour in the table."""
    number, name = int(row["number"]), row["name"]
    others = [other for other in rows if other is not row]
    initials = {name[0], row["symbol"][0].lower()}
    same = [other[column] for other in others if other["name"][0] in initials or other["symbol"][0].lower() in initials]
    near = [other[column] for other in others if abs(int(other["number"]) - number) <= 4]
    size = len(row[column])
    if column == "symbol":  # a symbol of one letter would stand out among symbols of two
        same = [s for s in same if len(s) == size] + [s for s in same if len(s) != size]
    picked = shuffled(same[:8], column, name)[:2]
    rest = [value for value in shuffled(near, column, name) if value not in picked]
    if column == "symbol":
        rest.sort(key=lambda value: len(value) != size)
    return (*picked, *rest)[:3]


def literature() -> list[Fact]:
    """Return authors of works; how close the wrong authors are to the right one sets the difficulty.

    Hard: of the same tradition, born nearest. Medium: of any tradition, born within 60 years. Easy: of another tradition and
    born at least 100 years apart.
    """
    rows = {row["work"]: row for row in table("books")}
    authors = {row["author"]: row for row in rows.values()}
    facts = []
    for i, work in enumerate(shuffled(rows, "book")):
        row = rows[work]
        born = {
            name: abs(int(other["born"]) - int(row["born"])) for name, other in authors.items() if name != row["author"]
        }
        kin = [name for name in born if authors[name]["tradition"] == row["tradition"]]
        near = sorted((name for name in kin if born[name] <= 60), key=lambda name: (born[name], name))[:4]
        level = LEVELS[i % 3]
        if level == "hard" and len(near) < 3:
            level = "medium"
        pools = {
            "easy": [name for name in born if name not in kin and born[name] >= 100],
            "medium": [name for name in born if born[name] <= 60],
            "hard": near,
        }
        if len(pools[level]) < 3:
            level = "easy"
        wrong = shuffled(pools[level], "author", work)[:3]
        text = f"Who wrote the {row['form']} “{work}”?"
        facts.append(Fact(f"author-{slug(work)}", "literature", "authors", level, text, row["author"], tuple(wrong)))
    return facts


VERTEBRATES = ("mammals", "birds", "reptiles", "amphibians", "fish")
OTHERS = ("insects", "arachnids", "crustaceans", "molluscs")


def animals() -> list[Fact]:
    """Return the group of each animal, among groups of the same kind."""
    facts = []
    for row in table("animals"):
        animal, right = row["animal"], row["group"]
        pool = VERTEBRATES if right in VERTEBRATES else OTHERS
        wrong = shuffled((group for group in pool if group != right), "animal", animal)[:3]
        text = f"To which group of animals does the {animal} belong?"
        facts.append(Fact(f"group-{slug(animal)}", "biology", "animal groups", "easy", text, right, tuple(wrong)))
    return facts


def species() -> list[Fact]:
    """Return the living thing of a scientific name, among those of the same kind."""
    rows = table("species")
    facts = []
    for row in rows:
        pool = [other["name"] for other in rows if other is not row and other["kind"] == row["kind"]]
        text = f"Which {'plant' if row['kind'] == 'plant' else 'animal'} has the scientific name {row['species']}?"
        wrong = tuple(shuffled(pool, "species", row["species"])[:3])
        facts.append(
            Fact(f"species-{slug(row['species'])}", "biology", "scientific names", "hard", text, row["name"], wrong)
        )
    return facts


SPREAD = {"easy": (60, 95, 130, 160), "medium": (13, 22, 30, 38), "hard": (2, 3, 5, 7)}


def years() -> list[Fact]:
    """Return years of events; the distance of the wrong years sets the difficulty (easy 60 on, medium 13 on, hard 2 on)."""
    rows = {row["key"]: row for row in table("years")}
    facts = []
    for i, key in enumerate(shuffled(rows, "year")):
        year, level = int(rows[key]["year"]), LEVELS[i % 3]
        steps = shuffled(SPREAD[level], "spread", key)
        errors = [year - step for step in steps] + [year + step for step in steps if year + step <= 2020]
        rank = max((i // 3) % 4, 3 - sum(error > year for error in errors))
        wrong = tuple(str(number) for number in around(year, rank, errors))
        facts.append(Fact(f"year-{key}", "history", "years", level, rows[key]["question"], str(year), wrong))
    return facts


TOPIC_LEVELS = {
    "leaders": "medium", "explorers": "medium", "discoverers": "hard",
    "animals": "easy", "the body": "medium", "plants": "medium", "cells": "hard", "nutrition": "hard",
    "the Solar System": "easy", "instruments": "medium", "matter": "medium", "SI units": "hard",
}  # fmt: skip


def written(name: str) -> list[Fact]:
    """Return the questions of a table that has question, right answer and wrong answers; the topic sets the difficulty."""
    return [
        Fact(row["key"], name, row["topic"], TOPIC_LEVELS[row["topic"]], row["question"], row["right"],
             (row["wrong1"], row["wrong2"], row["wrong3"]))
        for row in table(name)
    ]  # fmt: skip
