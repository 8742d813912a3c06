"""The facts that are reckoned: arithmetic, the calendar and units."""

from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from math import gcd

from tools.facts.fact import Fact, around, digits, shuffled, slug, table

__all__ = ["arithmetic", "calendar", "units"]

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _sum(topic: str, level: str, text: str, answer: int, errors: list[int], rank: int) -> Fact:
    """Return an arithmetic question whose wrong answers are the given errors, of which `rank` are below the answer."""
    wrong = tuple(digits(n) for n in around(answer, rank, errors))
    return Fact("", "arithmetic", topic, level, text, digits(answer), wrong)


def _pairs(first: range, second: range, count: int, salt: str) -> list[tuple[int, int]]:
    """Return `count` pairs of numbers, none a multiple of ten, no number used more than twice on one side."""
    pool = shuffled(((a, b) for a in first for b in second if a % 10 and b % 10 and a != b), salt)
    picked: list[tuple[int, int]] = []
    for a, b in pool:
        if sum(a == p for p, _ in picked) < 2 and sum(b == q for _, q in picked) < 2 and (b, a) not in picked:
            picked.append((a, b))
        if len(picked) == count:
            break
    return picked


def _sums() -> Iterator[Fact]:
    sizes = {"easy": range(3, 10), "medium": range(12, 99), "hard": range(112, 999)}
    rank = 0
    for level, numbers in sizes.items():
        for a, b in _pairs(numbers, numbers, 9, f"add {level}"):
            errors = [a + b + d for d in shuffled((-10, -2, -1, 1, 2, 10) if level != "easy" else (-2, -1, 1, 2), a, b)]
            yield _sum("addition", level, f"What is {a} + {b}?", a + b, errors, rank := rank + 1)
        for a, b in _pairs(numbers, numbers, 9, f"subtract {level}"):
            a, b = max(a, b), min(a, b)
            errors = [a - b + d for d in shuffled((-10, -2, -1, 1, 2, 10) if level != "easy" else (-2, -1, 1, 2), a, b)]
            yield _sum("subtraction", level, f"What is {a} - {b}?", a - b, errors, rank := rank + 1)


def _products() -> Iterator[Fact]:
    sizes = {
        "easy": (range(3, 10), range(3, 10)),
        "medium": (range(12, 99), range(3, 10)),
        "hard": (range(12, 99),) * 2,
    }
    rank = 0
    for level, (first, second) in sizes.items():
        for a, b in _pairs(first, second, 10, f"multiply {level}"):
            errors = shuffled((a * (b - 1), a * (b + 1), a * b - 10, a * b + 10, (a + 1) * b, (a - 1) * b), a, b)
            yield _sum("multiplication", level, f"What is {a} × {b}?", a * b, errors, rank := rank + 1)
    for level, (first, second) in list(sizes.items())[:2]:
        for a, b in _pairs(first, second, 8, f"divide {level}"):
            errors = [a + d for d in shuffled((-2, -1, 1, 2) if level == "easy" else (-10, -2, -1, 1, 2, 10), a, b)]
            yield _sum("division", level, f"What is {a * b} ÷ {b}?", a, errors, rank := rank + 1)


def _further() -> Iterator[Fact]:
    rank = 0
    for base, power in ((2, 7), (2, 9), (2, 10), (3, 4), (3, 5), (4, 4), (5, 4), (6, 3), (7, 3), (9, 3)):
        value = base**power
        errors = [
            base ** (power - 1),
            base ** (power + 1),
            value - base,
            value + base,
            value - 10,
            value + 10,
            power**base,
        ]
        text = f"What is {base} to the power of {power}?"
        yield _sum("powers", "hard", text, value, errors, rank := rank + 1)
    for share, whole in (
        (5, 60),
        (10, 70),
        (15, 80),
        (20, 45),
        (25, 48),
        (30, 90),
        (40, 65),
        (60, 35),
        (75, 32),
        (12, 50),
    ):
        value = share * whole // 100
        errors = shuffled((value - 2, value - 1, value + 1, value + 2, value + 5, value - 5), share, whole)
        yield _sum("percentages", "medium", f"What is {share}% of {whole}?", value, errors, rank := rank + 1)
    for a, b in _pairs(range(31, 99), range(6, 10), 8, "remainder"):
        text = f"What is the remainder when {a} is divided by {b}?"
        errors = shuffled((n for n in range(b) if n != a % b), a, b)
        rank = max((rank + 1) % 4, 4 + a % b - b)  # no wrong answer reaches the divisor
        yield _sum("remainders", "medium", text, a % b, errors, rank)
    for a, b in ((12, 18), (16, 40), (21, 49), (24, 60), (27, 45), (28, 70), (36, 48), (45, 75)):
        value = gcd(a, b)
        errors = shuffled((value // 2, value * 2, value + 1, value - 1, value + 3, value - 3, abs(a - b)), a, b)
        text = f"What is the greatest common divisor of {a} and {b}?"
        yield _sum("common divisors", "hard", text, value, [e for e in errors if e], rank := rank + 1)


ROMAN = ((1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"),
         (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))  # fmt: skip


PRIMES = ((31, 33, 39, 49), (53, 57, 63, 69), (67, 63, 69, 77), (79, 77, 81, 87), (97, 87, 91, 93), (113, 117, 119, 121),
          (29, 21, 27, 33), (41, 39, 49, 51), (83, 81, 87, 91), (103, 91, 99, 111))  # fmt: skip
FRACTIONS = (
    (1, 2, 1, 3),
    (1, 2, 1, 5),
    (1, 3, 1, 4),
    (2, 3, 1, 5),
    (1, 4, 2, 5),
    (1, 6, 1, 5),
    (3, 4, 1, 7),
    (2, 7, 1, 3),
)


def roman(number: int) -> str:
    """Return a number below 4,000 in Roman numerals."""
    text = ""
    for value, sign in ROMAN:
        text += sign * (number // value)
        number %= value
    return text


def _signs() -> Iterator[Fact]:
    for i, number in enumerate((14, 19, 44, 49, 66, 90, 99, 149, 400, 444, 944, 1066, 1492, 1666)):
        step = (2, 5, 9, 20)
        errors = [number + d for d in shuffled((*step, *(-s for s in step)), number)]
        text = f"Which number is written {roman(number)} in Roman numerals?"
        yield _sum("Roman numerals", "medium", text, number, errors, i)
    for prime, *other in PRIMES:
        shown = sorted((prime, *other))
        text = f"Which of the numbers {shown[0]}, {shown[1]}, {shown[2]} and {shown[3]} is prime?"
        yield Fact("", "arithmetic", "primes", "hard", text, str(prime), tuple(map(str, other)))
    for a, b, c, d in FRACTIONS:
        total = Fraction(a, b) + Fraction(c, d)
        near = [total + Fraction(step, b * d) for step in (-4, -3, -2, -1, 1, 2, 3, 4)]
        alike = shuffled((str(value) for value in near if value.denominator == total.denominator), a, b, c, d)
        wrong = (str(Fraction(a + c, b + d)), *alike)
        yield Fact("", "arithmetic", "fractions", "hard", f"What is {a}/{b} + {c}/{d}?", str(total), wrong[:3])


def arithmetic() -> list[Fact]:
    """Return sums. Easy: one digit; medium: two digits; hard: three digits, two factors of two digits, powers, primes, ..."""
    facts = [*_sums(), *_products(), *_further(), *_signs()]
    return [_keyed(fact, f"{fact.topic}-{_operands(fact.text)}") for fact in facts]


def _operands(text: str) -> str:
    """Return what stands in a question besides words, as part of its key."""
    return slug(
        " ".join(word for word in text.replace("/", " ").split() if any(c.isdigit() for c in word) or word.isupper())
    )


def _keyed(fact: Fact, key: str) -> Fact:
    return Fact(slug(key), fact.domain, fact.topic, fact.difficulty, fact.text, fact.right, fact.wrong)


def _ordinal(n: int) -> str:
    ending = "th" if 10 <= n % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending}"


def _months() -> Iterator[Fact]:
    long = [name for i, name in enumerate(MONTHS) if i not in (1, 3, 5, 8, 10)]
    short = [MONTHS[i] for i in (3, 5, 8, 10)]
    for right, days, pool in [*((m, 30, long) for m in short), *((m, 31, short) for m in long)]:
        wrong = shuffled(pool, "days", right)[:3]
        shown = sorted((right, *wrong), key=MONTHS.index)
        text = f"Which of the months {shown[0]}, {shown[1]}, {shown[2]} and {shown[3]} has {days} days?"
        yield Fact(f"days-{slug(right)}", "calendar", "months", "easy", text, right, tuple(wrong))
    for i, right in enumerate(MONTHS):
        ring = [MONTHS[(i + d) % 12] for d in (-3, -2, -1, 1, 2, 3)]
        text = f"Which is the {_ordinal(i + 1)} month of the year?"
        yield Fact(f"month-{i + 1}", "calendar", "months", "easy", text, right, tuple(shuffled(ring, "month", i)[:3]))


def _weekdays() -> Iterator[Fact]:
    for today, days in shuffled(((d, n) for d in range(7) for n in range(8, 40) if n % 7), "weekday")[:14]:
        right = DAYS[(today + days) % 7]
        wrong = tuple(shuffled((day for day in DAYS if day != right), "in days", today, days)[:3])
        text = f"If today is {DAYS[today]}, which day of the week is it in {days} days?"
        yield Fact(f"in-{days}-days-from-{slug(DAYS[today])}", "calendar", "weekdays", "medium", text, right, wrong)
    for offset in shuffled(range(80_000), "date")[:14]:
        day = date(1800, 1, 1) + timedelta(offset)
        right = DAYS[day.weekday()]
        wrong = tuple(shuffled((name for name in DAYS if name != right), "date", offset)[:3])
        text = f"On which day of the week was {day.day} {MONTHS[day.month - 1]} {day.year}, in the Gregorian calendar?"
        yield Fact(f"weekday-{day.isoformat()}", "calendar", "weekdays", "hard", text, right, wrong)


def _leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _spans() -> Iterator[Fact]:
    leaps = [1600, *shuffled((y for y in range(1604, 2016) if _leap(y) and y != 2000), "leap")[:12], 2000]
    for i, right in enumerate(leaps):
        century = [year for year in (1700, 1800, 1900) if abs(year - right) <= 100]
        common = [y for y in range(right - 30, right + 30) if not _leap(y) and y % 2 == 0 and y % 100]
        pool = shuffled(century, i)[:1] + shuffled((y for y in common if 1583 <= y <= 2020), "common", i)
        shown = sorted((right, *pool[:3]))
        text = f"Which of the years {shown[0]}, {shown[1]}, {shown[2]} and {shown[3]} was a leap year in the Gregorian calendar?"
        yield Fact(
            f"leap-year-{right}", "calendar", "leap years", "medium", text, str(right), tuple(map(str, pool[:3]))
        )
    starts = shuffled(((m, d, n) for m in range(3, 11) for d in range(2, 28) for n in range(20, 75)), "span")
    spans = [(date(2001, m, d), date(2001, m, d) + timedelta(n)) for m, d, n in starts]
    spans = [(start, end) for start, end in spans if end.year == 2001 and end.month != start.month][:14]
    for i, (start, end) in enumerate(spans):
        days = (end - start).days
        errors = [days + d for d in shuffled((-3, -2, -1, 1, 2, 3), "span", i)]
        text = f"How many days after {_day(start)} is {_day(end)} of the same year?"
        wrong = tuple(str(n) for n in around(days, i % 4, errors))
        yield Fact(
            f"from-{slug(_day(start))}-to-{slug(_day(end))}", "calendar", "spans", "hard", text, str(days), wrong
        )
    for i, year in enumerate(shuffled(range(650, 1990), "century")[:12]):
        right = (year - 1) // 100 + 1
        wrong = tuple(_ordinal(n) for n in around(right, i % 4, [right - 1, right + 1, right - 2, right + 2]))
        yield Fact(f"century-{year}", "calendar", "centuries", "medium", f"In which century was the year {year}?",
                   _ordinal(right), wrong)  # fmt: skip


def _day(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]}"


def calendar() -> list[Fact]:
    """Return questions on the calendar.

    Easy: months; medium: weekdays from today, leap years, centuries; hard: weekdays of dates, spans.
    """
    return [*_months(), *_weekdays(), *_spans()]


def units() -> list[Fact]:
    """Return conversions.

    Easy: metric; medium: time, angles, counting and information; hard: other units, prefixes and temperatures.
    """
    facts = []
    for i, row in enumerate(table("units")):
        factor = int(row["factor"])
        count = (
            int(row["count"]) if row["count"] else shuffled((2, 3, 4, 5, 6, 7, 8), "units", row["one"], row["small"])[0]
        )
        answer = count * factor
        what = f"1 {row['one']}" if count == 1 else f"{count} {row['many']}"
        errors = [n * count for n in map(int, row["mistaken"].split())]
        wrong = tuple(digits(n) for n in around(answer, i % 4, errors, step=max(1, answer // 10), least=1))
        text = f"How many {row['small']} are there in {what}?"
        facts.append(Fact(f"{slug(row['many'])}-to-{slug(row['small'])}", "units", row["topic"], row["level"], text,
                          digits(answer), wrong))  # fmt: skip
    prefixes = {"kilo": 3, "mega": 6, "giga": 9, "tera": 12, "peta": 15, "milli": -3, "micro": -6, "nano": -9, "pico": -12,
                "centi": -2, "deci": -1, "hecto": 2}  # fmt: skip
    for i, (name, power) in enumerate(prefixes.items()):
        near = [power + d for d in ((-3, 3, -6, 6, 9, -9) if abs(power) > 2 else (-1, 1, -2, 2, 3, -3, 4, -4))]
        wrong = tuple(f"10^{n}" for n in around(power, i % 4, [n for n in near if n], step=12, least=-24))
        text = f"By which power of ten does the SI prefix {name} multiply a unit?"
        facts.append(Fact(f"prefix-{name}", "units", "prefixes", "hard", text, f"10^{power}", wrong))
    for i, celsius in enumerate((-40, -10, 5, 10, 15, 20, 25, 30, 35, 100)):
        answer = celsius * 9 // 5 + 32
        errors = shuffled(
            (celsius * 2 + 30, celsius + 32, answer - 9, answer + 9, answer - 18, answer + 18), "heat", celsius
        )
        wrong = tuple(str(n) for n in around(answer, i % 4, [e for e in errors if e != answer], step=9, least=-100))
        text = f"What is {celsius} degrees Celsius in degrees Fahrenheit?"
        facts.append(Fact(f"celsius-{'minus-' if celsius < 0 else ''}{abs(celsius)}", "units", "temperature", "hard", text,
                          str(answer), wrong))  # fmt: skip
    return facts
