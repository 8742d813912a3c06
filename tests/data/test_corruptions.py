"""Corruptions of text: edit maps that rebuild, edits that nest, and results that no other text can change."""

import gzip
import json
import random
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keyboard_reference import keyboard_reference
from scipy import stats

from workbench.data._corrupt_letters import COUNT, NEAR
from workbench.data.corruptions import Corrupted, Corruption, corruption, corruptions, synonyms
from workbench.data.edits import apply, revert
from workbench.errors import DataError, UsageError

FAMILIES = sorted(name for name, family in corruptions().items() if not family.parts)
CHAIN = "keyboard|ocr|drop-punctuation|contract|split|case"
WORDS = "How do I change the PIN of my card, please? It's 3.50 and I am not sure."
TEXTS = st.lists(
    st.one_of(
        st.text(st.characters(exclude_characters="\0"), max_size=40),
        st.lists(st.sampled_from(["modern", "It's", "é", "नमस्ते", "👩‍👩‍👧", "rn", "don't", "\r\n", " ", ", "])).map(
            "".join
        ),
        st.lists(st.sampled_from(WORDS.split())).map(" ".join),
    ),
    min_size=1,
    max_size=6,
)


def ids_of(texts: list[str]) -> list[str]:
    """Return one id for each text."""
    return [f"id{row}" for row in range(len(texts))]


def done(name: str, text: str, severity: int = 5, **options: object) -> str:
    """Return one text corrupted."""
    return corruption(name).apply([text], ["a"], severity=severity, **options).texts[0]


def certain(name: str, text: str, **options: object) -> str:
    """Return one text corrupted at every site."""
    return replace(corruption(name), rates=(1.0,) * 5).apply([text], ["a"], **options).texts[0]


def changes(result: Corrupted) -> list[set[tuple[int, int, str, str]]]:
    """Return each text's edits by their place in the original."""
    return [{(edit.start, edit.end, edit.old, edit.new) for edit in edits} for edits in result.edits]


@settings(max_examples=120, deadline=None)
@given(st.sampled_from([*FAMILIES, CHAIN, "dialect", "keyboard|keyboard"]), TEXTS, st.integers(1, 5))
def test_edits_rebuild_the_text(name: str, texts: list[str], severity: int) -> None:
    """The edits make the corrupted text of the original and the other way, in order, none overlapping and none empty."""
    result = corruption(name).apply(texts, ids_of(texts), severity=severity)

    for text, new, edits in zip(texts, result.texts, result.edits, strict=True):
        assert new == apply(text, edits)
        assert text == revert(new, edits)
        assert all(edit.old != edit.new and edit.kind == name for edit in edits)
        assert all(text[edit.start : edit.end] == edit.old for edit in edits)
        assert all(left.end <= right.start for left, right in pairwise(edits))
        assert (new == text) == (not edits)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(FAMILIES), TEXTS, st.integers(0, 3))
def test_edits_nest(name: str, texts: list[str], seed: int) -> None:
    """What changes at one severity changes in the same way at the next."""
    family = corruption(name)
    found = [changes(family.apply(texts, ids_of(texts), severity=s, seed=seed)) for s in range(1, 6)]

    for low, high in pairwise(found):
        assert all(some <= more for some, more in zip(low, high, strict=True))


@settings(max_examples=80, deadline=None)
@given(st.sampled_from([*FAMILIES, CHAIN, "dialect"]), TEXTS, st.randoms())
def test_other_texts_change_nothing(name: str, texts: list[str], order: random.Random) -> None:
    """A text alone, and all in another order, give the same as all at once."""
    family, ids = corruption(name), ids_of(texts)
    whole = family.apply(texts, ids, severity=4)
    rows = list(range(len(texts)))
    order.shuffle(rows)
    mixed = family.apply([texts[row] for row in rows], [ids[row] for row in rows], severity=4)

    assert [whole.texts[row] for row in rows] == mixed.texts
    assert [whole.edits[row] for row in rows] == mixed.edits
    alone = family.apply(texts[:1], ids[:1], severity=4)
    assert (whole.texts[0], whole.edits[0]) == (alone.texts[0], alone.edits[0])


@lru_cache
def prose(n: int = 400) -> list[str]:
    """Return texts with sites for every family."""
    rng = random.Random(7)
    parts = [
        *WORDS.split(), "modern", "clear", "they have never seen anything", "it is not here", "he doesn't know", "ß",
        "you were late", "she is working", "we're always tired", "they won't say.", "I cannot", "don't you see any?",
    ]  # fmt: skip
    return [" ".join(rng.choices(parts, k=20)) + "." for _ in range(n)]


@pytest.mark.parametrize("name", FAMILIES)
def test_the_rate_is_right(name: str) -> None:
    """The share of sites that change is the documented rate, within four binomial standard errors."""
    texts, family = prose(), corruption(name)
    sites = sum(family.sites(texts, ids_of(texts)))

    assert sites > 200
    for severity, rate in enumerate(family.rates, 1):
        edits = sum(map(len, family.apply(texts, ids_of(texts), severity=severity).edits))
        assert abs(edits - sites * rate) <= 4 * (sites * rate * (1 - rate)) ** 0.5


def test_neighbours_are_those_of_the_keyboard() -> None:
    """Q has w, a and s; s has eight; capitals get capitals."""
    near = {chr(code): "".join(map(chr, NEAR[code, : COUNT[code]])) for code in range(128) if COUNT[code]}

    assert "was" == near["q"]
    assert set("adqwezx") | {"c"} >= set(near["s"]) >= set("adwe")
    assert near["s"].upper() == near["S"]
    assert 52 == len(near)
    assert all(left in near[right] for left in near for right in near[left])


def test_neighbours_are_drawn_evenly() -> None:
    """Each neighbour of a letter is as likely as the others."""
    texts = ["g" * 100] * 100
    new = "".join(replace(corruption("keyboard"), rates=(1.0,) * 5).apply(texts, ids_of(texts)).texts)
    counts = [new.count(letter) for letter in map(chr, NEAR[ord("g"), : COUNT[ord("g")]])]

    assert len(new) == sum(counts)
    assert stats.chisquare(counts).pvalue > 1e-3


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("swap", "ab cd", {"ba dc", "ba cd", "ab dc", "ab cd"}),
        ("swap", "aa 1 b", {"aa 1 b"}),
        ("swap", "аб", {"ба", "аб"}),
        ("delete", "I am Ann, ok", {"I a A, o"}),
        ("delete", "你好", {"你"}),
        ("double", "Hé 1", {"HHéé 1"}),
        ("ocr", "burn a cl0d", {"bvm o dOcl"}),
        ("ocr", "vvv m", {"wv rn", "wu rn"}),
        ("homoglyphs", "ABh", {"\u0410\u0412h"}),
        ("case", "aBß é", {"Abß É"}),
        ("capitals", "don't, Straße I OK", {"DON'T, STRAßE I OK"}),
        ("lowercase", "OK İ é", {"ok İ é"}),
        ("drop-punctuation", "It's -5, 3.50 (50%) #a?!", {"Its -5 3.50 (50% #a"}),
        ("whitespace", "a  b\n c", {"a  b\n c"}),
        ("whitespace", " a b ", {" ab ", " a  b "}),
        ("split", "abc abcd", {"abc a bcd", "abc ab cd", "abc abc d"}),
        ("expand", "I DON'T. Can't you? If you don't they’ll", {"I DO NOT. Can you not? If you do not they will"}),
        ("expand", "it's been what she's let's I'm we've", {"it has been what she is let us I am we have"}),
        ("expand", "John's can'ts he'd", {"John's can'ts he'd"}),
        ("contract", "He is not what he is. CANNOT I will not", {"He's not what he is. CAN'T I won't"}),
        ("contract", "I have seen it; I have two. They would go", {"I've seen it; I have two. They'd go"}),
        ("negative-concord", "I didn't see anyone, any of it", {"I didn't see nobody, any of it"}),
        (
            "negative-concord",
            "not now, but is there any? He never, ever",
            {"not now, but is there any? He never, ever"},
        ),
        ("negative-concord", "Nobody ever says anything if anyone asks", {"Nobody never says nothing if anyone asks"}),
        (
            "negative-concord",
            "not only any; it is not the best I ever saw",
            {"not only any; it is not the best I ever saw"},
        ),
        ("aint", "He's not here, isn't he? I HAVE NOT", {"He ain't here, ain't he? I AIN'T"}),
        ("invariant-dont", "Doesn't he? He does not.", {"Don't he? He don't."}),
        ("copula-deletion", "She is tall, they're at home; he's been", {"She tall, they at home; he's been"}),
        ("copula-deletion", "I am sure it is what he is.", {"I am sure it is what he is."}),
        (
            "habitual-be",
            "She is often ill, we're always late, it is often.",
            {"She often be ill, we always be late, it is often."},
        ),
        ("habitual-be", "As is often the case, it is generally so", {"As is often the case, it is generally so"}),
        (
            "negative-concord",
            "I don't like any of it, like nothing we ever saw",
            {"I don't like none of it, like nothing we ever saw"},
        ),
        (
            "negative-concord",
            "Whether or not any came; not where any are",
            {"Whether or not any came; not where any are"},
        ),
        ("copula-deletion", "how bad they are to us; how you are doing", {"how bad they are to us; how you doing"}),
        (
            "copula-deletion",
            "he is n't here, they're used to it, he's applied",
            {"he is n't here, they're used to it, he's applied"},
        ),
        ("copula-deletion", "as old as she is to me; they are a team", {"as old as she is to me; they a team"}),
        ("was-levelling", "They weren't late if you were.", {"They wasn't late if you were."}),
    ],
)
def test_every_site_by_hand(name: str, text: str, expected: set[str]) -> None:
    """Hand cases at a rate of one."""
    assert certain(name, text) in expected


def test_insertions_are_neighbours() -> None:
    """After each letter stands one of its neighbours; a mark follows a word, none stands inside."""
    new = certain("insert", "ab 1é")

    assert ("a", "b", " 1é") == (new[0], new[2], new[4:])
    assert ord(new[1]) in NEAR[ord("a")]
    assert ord(new[3]) in NEAR[ord("b")]
    assert certain("add-punctuation", "a 12") in {f"a{left} 12{right}" for left in ",.;:!?" for right in ",.;:!?"}
    assert certain("add-punctuation", "(a) b-c.") in {"(a) b-c."}


def test_synonyms_keep_case_and_agree() -> None:
    """Whole words and the longest phrase, in their case, with the article; each synonym as likely; nothing else."""
    family = replace(
        synonyms({"car": "automobile", "hot  dog": ["Wurst"], "dog": "hound", "hour": "minute"}), rates=(1.0,) * 5
    )
    texts = ["A car, THE CAR and an hour.", "Hot dog\ndog hot dogs", "a-car car's cars an car"]
    new = [
        "An automobile, THE AUTOMOBILE and a minute.",
        "Wurst\nhound hot dogs",
        "a-car automobile's cars an automobile",
    ]

    assert new == family.apply(texts, ids_of(texts)).texts
    assert ["a automobile"] == family.apply(["a car"], ["1"], keep=r"\ba\b").texts
    drawn = replace(synonyms({"a": ["b", "c"]}), rates=(1.0,) * 5).apply(["a"] * 400, ids_of(["a"] * 400)).texts
    assert 150 < drawn.count("b") < 250
    assert 3 == len(set(drawn) | {"a"})


@pytest.mark.parametrize(
    ("lexicon", "message"),
    [
        ({}, "A lexicon is a mapping"),
        ([("a", "b")], "A lexicon is a mapping"),
        ({"a": []}, "for 'a'; words and their synonyms"),
        ({"a": ["b\0"]}, "words and their synonyms"),
        ({"a": "b", "A": "c"}, "'a' twice"),
        ({"a": ["A"]}, "a synonym of itself"),
        ({"a-b": "c"}, "only words of letters and digits"),
    ],
)
def test_wrong_lexicons_are_refused(lexicon: object, message: str) -> None:
    """A lexicon's faults are named."""
    with pytest.raises(UsageError, match=message):
        synonyms(lexicon)


@pytest.mark.parametrize(
    "name", ["keyboard", "swap", "delete", "insert", "double", "ocr", "homoglyphs", "case", "split", "drop-punctuation"]
)
def test_graphemes_stay_whole(name: str) -> None:
    """Emoji, line ends, and letters with marks or joined to others are not taken apart; empty texts stay."""
    texts = ["", "34 7", "👩‍👩‍👧 🇳🇴 👍🏽 #️⃣", "\r\n", "e\u0301a\u0301", "क्षि", "กำ"]

    assert texts == replace(corruption(name), rates=(1.0,) * 5).apply(texts, ids_of(texts)).texts


@pytest.mark.parametrize("name", FAMILIES)
def test_kept_spans_stay(name: str) -> None:
    """What a pattern or a column of words names is left alone, the rest is not."""
    text = "the modern 3 people: they are not here, I don't know; He doesn't see anything, it's here"
    texts = [f"{text} and you were always late, she is often sure"] * 40
    pattern = replace(corruption(name), rates=(1.0,) * 5).apply(texts, ids_of(texts), keep=r"modern \d+|they are")
    words = replace(corruption(name), rates=(1.0,) * 5).apply(
        texts, ids_of(texts), keep=[["modern 3", "they are"]] * 40
    )

    assert pattern == words
    assert all("modern 3" in new and "they are" in new for new in pattern.texts)
    assert set(texts) == set(corruption(name).apply(texts, ids_of(texts), severity=5, keep=r"(?s).+").texts)


def test_kept_words_are_whole() -> None:
    """The word "a" as an answer does not protect every a; an empty list protects nothing."""
    family = replace(corruption("keyboard"), rates=(1.0,) * 5)
    new = family.apply(["a cat", "a cat"], ["1", "2"], keep=["a", []]).texts

    assert "a " == new[0][:2]
    assert "a" != new[1][0]
    assert "a" != new[0][3]


def test_composition_maps_from_the_original() -> None:
    """Edits of a composition lead from the first text to the last; a part with nothing to do changes nothing."""
    both = corruption("swap") | corruption("delete")
    texts = prose(20)
    first = corruption("swap").apply(texts, ids_of(texts), severity=5)
    second = corruption("delete").apply(first.texts, ids_of(texts), severity=5)
    whole = both.apply(texts, ids_of(texts), severity=5)

    assert second.texts == whole.texts
    assert ("swap", "delete") == tuple(part.name for part in both.parts)
    none = corruption("swap") | replace(corruption("delete"), rates=(0.0,) * 5)
    assert changes(none.apply(["ab"] * 9, ids_of(["ab"] * 9), severity=5)) == changes(
        corruption("swap").apply(["ab"] * 9, ids_of(["ab"] * 9), severity=5)
    )


def test_a_family_twice_takes_other_bits() -> None:
    """keyboard|keyboard changes other letters the second time."""
    texts = ["abcdefghij" * 20] * 20
    once, twice = (
        corruption(name).apply(texts, ids_of(texts), severity=5) for name in ("keyboard", "keyboard|keyboard")
    )
    share = np.mean(
        [sum(a != b for a, b in zip(old, new, strict=True)) for old, new in zip(texts, twice.texts, strict=True)]
    )

    assert sum(map(len, once.edits)) / 4000 == pytest.approx(0.2, abs=0.03)
    assert share / 200 == pytest.approx(0.36 - 0.04 / 5, abs=0.03)


@pytest.mark.data
def test_the_stored_curve_has_these_edits(benchmark_data: Path) -> None:
    """The reference generator gives the edits per text of the stored severity curve (seed 1234); the product's rates agree."""
    with gzip.open(benchmark_data / "clinc_oos/data_full.json.gz") as file:
        texts = [text for text, _ in json.load(file)["test"][::15]]

    stored = {0.01: 0.33, 0.02: 0.73, 0.05: 1.72, 0.1: 3.34, 0.2: 6.53}
    for severity, (rate, edits) in enumerate(stored.items(), 1):
        made = keyboard_reference(texts, rate, 1234)
        changed = [sum(map(str.__ne__, old, new)) for old, new in zip(texts, made, strict=True)]
        assert edits == round(sum(changed) / 300, 2)
        ours = corruption("keyboard").apply(texts, ids_of(texts), severity=severity).edits.counts.mean()
        assert edits == pytest.approx(ours, abs=4 * (edits / 300) ** 0.5)


def test_the_map_is_made_when_looked_at() -> None:
    """A text's edits, a slice and all are the same ones; counts and comparison with a list need no look at each."""
    result = corruption("ocr").apply(prose()[:20], ids_of(prose()[:20]), severity=4)
    made = list(result.edits)

    assert [result.edits[row] for row in range(-20, 0)] == made == result.edits[:] == result.edits
    assert list(map(len, made)) == result.edits.counts.tolist()
    assert result.edits != made[1:]
    assert result.edits != 3
    with pytest.raises(IndexError):
        _ = result.edits[20]
    assert repr(result.edits).startswith("EditMap of 20 texts, ")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("keyboard", ["Wilo midern clinics holc 10 rare books, dicidly?", "кот rm vvv"]),
        ("swap", ["Wlil modern clinics ohdl 10 rare books, vividly?", "кот rn vvv"]),
        ("delete", ["Wl morn clics hold 10 rare boks, viidy?", "ко rn vv"]),
        ("insert", ["Wiull mokderfn clinbicsw hnoklod 10 rgare books, vividly?", "кот rgn vvv"]),
        ("ocr", ["Wlll rnoclem clinics h01d I0 rarc books, vivid1y?", "кот rn vvu"]),
        ("ocr|delete", ["Wl rnlem clics h01d I0 rarc boks, vvi1y?", "ко rn vv"]),
        ("whitespace", ["Will modern  clinics hold  10rarebooks,vividly?", "кот rn vvv"]),
    ],
)
def test_draws_stay_what_they_were(name: str, expected: list[str]) -> None:
    """What a seed gives is part of every stored result: a faster way must give the same."""
    texts = ["Will modern clinics hold 10 rare books, vividly?", "", "кот rn vvv"]

    assert corruption(name).apply(texts, ["a", "d", "c"], severity=5, seed=7).texts == [expected[0], "", expected[1]]


def test_seeds_ids_and_families_draw_apart() -> None:
    """Another seed, id or family changes other places."""
    texts = ["abcdefghij" * 30]
    places = {
        tuple(edit.start for edit in corruption(name).apply(texts, [id_], severity=5, seed=seed).edits[0])
        for name, id_, seed in [("keyboard", "a", 0), ("keyboard", "a", 1), ("keyboard", "b", 0), ("delete", "a", 0)]
    }

    assert 4 == len(places)


def test_texts_without_sites_are_counted() -> None:
    """Other scripts have no letter on the keyboard: no site, unchanged; lone surrogates are carried along."""
    texts = ["кот и пёс", "קוֹד", "cat", "\ud800 x"]
    family = replace(corruption("keyboard"), rates=(1.0,) * 5)

    assert [0, 0, 3, 1] == family.sites(texts, ids_of(texts))
    assert 2 == family.apply(texts, ids_of(texts)).unchanged
    assert ([], []) == family.apply([], [])
    assert [5, 1] == corruption("keyboard|delete").sites(["cat1", "a"], ["1", "2"])


@pytest.mark.parametrize(
    ("texts", "ids", "options", "error", "message"),
    [
        (["a", "b\0"], ["1", "2"], {}, DataError, r"Text 1 \(id '2'\) holds the character NUL"),
        (["a", None], ["1", "2"], {}, DataError, r"Text 1 \(id '2'\) is None"),
        (["a"], ["1", "2"], {}, DataError, "1 texts and 2 ids"),
        ("ab", "12", {}, DataError, "1 texts and 2 ids"),
        (["a"], ["1"], {"severity": 0}, UsageError, "severity must be 1, 2, 3, 4 or 5; it is 0"),
        (["a"], ["1"], {"severity": True}, UsageError, "severity must be"),
        (["a"], ["1"], {"keep": "("}, UsageError, "no regular expression"),
        (["a"], ["1"], {"keep": ["a", "b"]}, UsageError, "keep has 2 entries for 1 texts"),
    ],
)
def test_errors_say_what_is_wrong(texts: object, ids: object, options: object, error: type, message: str) -> None:
    """NUL, what is no text, unequal lengths, unknown severities and bad patterns are named."""
    with pytest.raises(error, match=message):
        corruption("keyboard").apply(texts, ids, **options)


def test_wrong_rates_and_names_are_refused() -> None:
    """Rates are five, rise and stand in [0, 1]; an unknown name has the nearest beside it."""
    with pytest.raises(UsageError, match="five rates"):
        replace(corruption("swap"), rates=(0.1, 0.2))
    with pytest.raises(UsageError, match="do not fall"):
        replace(corruption("swap"), rates=(0.5, 0.2, 0.3, 0.4, 0.5))
    with pytest.raises(UsageError, match="Did you mean 'keyboard'"):
        corruption("swap|keybord")
    assert Corruption.__or__(corruption("swap"), 3) is NotImplemented  # type: ignore[operator]
