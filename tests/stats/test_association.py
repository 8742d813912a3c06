"""WEAT and SEAT against plain Python over all splits, and the coverage of the interval.

The effect sizes that Caliskan et al. published need the vectors of GloVe 840B, which are not here: they cannot be recomputed
offline, so the second source is an implementation of the definition without numpy.
"""

import itertools
import math
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import DataError, UsageError
from workbench.stats.association import Similarities, cosines, effect, effect_size, permutation, weat


def cosine(u: list[float], v: list[float]) -> float:
    """Return the cosine of two vectors."""
    dot = sum(a * b for a, b in zip(u, v, strict=True))
    return dot / math.sqrt(sum(a * a for a in u)) / math.sqrt(sum(b * b for b in v))


def plain_weat(x: list, y: list, a: list, b: list) -> tuple[float, float, float]:
    """Return d, one-sided and two-sided p as the paper has them, with dictionaries and loops."""
    words = [*x, *y]
    s = [statistics.mean(cosine(w, t) for t in a) - statistics.mean(cosine(w, t) for t in b) for w in words]
    n = len(x)
    d = (statistics.mean(s[:n]) - statistics.mean(s[n:])) / statistics.stdev(s)
    observed = sum(s[:n]) - sum(s[n:])
    one = two = splits = 0
    for chosen in itertools.combinations(range(len(words)), n):
        value = sum(s[i] if i in chosen else -s[i] for i in range(len(words)))
        one += value >= observed - 1e-12
        two += abs(value) >= abs(observed) - 1e-12
        splits += 1
    return d, one / splits, two / splits


@pytest.mark.parametrize("seed", range(4))
def test_the_exact_test_equals_plain_python_over_all_splits(seed: int) -> None:
    """Effect size, one-sided and two-sided p of random vectors, with sets of unequal size of attributes."""
    rng = np.random.default_rng(seed)
    x, y, a, b = (rng.normal(size=(n, 6)) for n in (5, 5, 4, 3))
    x[:, 0] += 1.0
    d, one, two = plain_weat(x.tolist(), y.tolist(), a.tolist(), b.tolist())

    found = weat(x, y, a, b)

    assert found.test.exact
    assert found.test.splits == math.comb(10, 5)
    assert found.effect.value == pytest.approx(d, abs=1e-12)
    assert (found.test.p, found.test.p_two_sided) == pytest.approx((one, two), abs=1e-12)


def test_a_perfect_separation_has_the_smallest_p() -> None:
    """Three words a side: only the split that was observed is as large, 1 of 20; both tails, 2 of 20."""
    found = permutation([0.9, 0.8, 0.7], [0.1, 0.2, 0.3])

    assert (1 / 20, 2 / 20) == (found.p, found.p_two_sided)


def test_ties_count_against_the_association() -> None:
    """Where all targets agree every split equals the observed one, so that p is 1 (>=, not >)."""
    assert permutation([0.2, 0.2], [0.2, 0.2]).p == 1.0
    assert permutation([0.1 + 0.2, 0.3], [0.3, 0.3 + 1e-17]).p == 1.0


def test_the_other_direction_has_the_other_tail() -> None:
    """The test is one-sided: a reversed association has a p near 1, and the same two-sided p."""
    x, y = [0.9, 0.8, 0.75], [0.1, 0.2, 0.3]

    assert permutation(y, x).p == 1.0
    assert permutation(x, y).p_two_sided == permutation(y, x).p_two_sided


def test_sampled_splits_follow_the_plus_one_rule_and_the_exact_p() -> None:
    """With fewer draws than splits p = (1 + #) / (1 + draws), its own interval holds the exact p, and it is never 0."""
    rng = np.random.default_rng(3)
    x, y = rng.normal(0.5, 1, 8), rng.normal(0, 1, 8)
    exact = permutation(x, y, draws=12_870)
    sampled = permutation(x, y, draws=5000, seed=1)

    assert (True, 12_870) == (exact.exact, exact.splits)
    assert (False, 5000) == (sampled.exact, sampled.splits)
    assert sampled.low < exact.p < sampled.high
    assert permutation(x + 50, y, draws=1000).p == 1 / 1001
    assert (sampled.p * 5001) % 1 == pytest.approx(0, abs=1e-6)


def test_order_changes_nothing_and_the_seed_does() -> None:
    """Targets in another order give the same sampled p; another seed another one."""
    rng = np.random.default_rng(5)
    x, y = rng.normal(0.3, 1, 20), rng.normal(0, 1, 20)

    assert permutation(x, y, draws=500, seed=2) == permutation(x[::-1], np.roll(y, 3), draws=500, seed=2)
    assert permutation(x, y, draws=500, seed=2).p != permutation(x, y, draws=500, seed=3).p


def test_p_is_uniform_without_association() -> None:
    """At most 5 % of tests of equal sets have p <= 0.05, and about 5 % have."""
    rng = np.random.default_rng(8)
    p = np.array([permutation(*rng.normal(size=(2, 6)), draws=1000).p for _ in range(600)])

    assert 0.03 < (p <= 0.05).mean() < 0.07


def test_sets_of_unequal_size_keep_their_sizes() -> None:
    """C(5, 2) = 10 splits, means compared; the largest mean of two is the observed one."""
    found = permutation([0.9, 0.8], [0.1, 0.2, 0.3])

    assert (10, 0.1) == (found.splits, found.p)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=4, max_size=12), st.floats(0.1, 10), st.floats(-5, 5))
def test_scale_and_shift_change_no_effect_size(values: list[float], scale: float, shift: float) -> None:
    """The effect size is free of the unit of the cosines, bounded, and turns its sign with the sets."""
    first, second = np.array(values[:2]), np.array(values[2:])
    d = effect_size(first, second)
    if np.std(values) < 1e-3:
        return
    n, k = len(values), 2

    assert effect_size(first * scale + shift, second * scale + shift) == pytest.approx(d, abs=1e-6)
    assert effect_size(second, first) == pytest.approx(-d, abs=1e-9)
    assert abs(d) <= math.sqrt(n * (n - 1) / (k * (n - k))) + 1e-9


def test_cosines_are_those_of_numpy_and_nan_for_nothing() -> None:
    """A zero vector has no direction."""
    u, v = np.array([[3.0, 4.0], [0.0, 0.0]]), np.array([[4.0, 3.0]])

    assert cosines(u, v)[0, 0] == pytest.approx(0.96)
    assert np.isnan(cosines(u, v)[1, 0])
    with pytest.raises(DataError, match="zero or holds NaN"):
        weat(u, v, v, v)


def test_sentences_of_one_word_are_one_word() -> None:
    """Each target three times over: the same d up to ddof, and an interval as wide as that of the words, not narrower."""
    rng = np.random.default_rng(4)
    near = rng.normal(size=(16, 16)) + np.repeat([0.4, -0.4], 8)[:, None]
    inside = np.repeat([True, False], 8)
    words = effect(Similarities(near[:, :8], near[:, 8:] * 0.5, inside))
    again = np.repeat(near, 3, axis=0)
    names = [str(i // 3) for i in range(48)]
    alike = Similarities(again[:, :8], again[:, 8:] * 0.5, np.repeat(inside, 3), words=names)
    found = effect(alike)
    scale = math.sqrt(47 / 48 / (15 / 16))

    assert found.value == pytest.approx(words.value * scale)
    assert (found.high - found.low) == pytest.approx((words.high - words.low) * scale, rel=1e-6)


def test_taking_sentences_for_words_would_be_too_narrow() -> None:
    """With attributes given, three copies of each target would shorten the interval by the root of three."""
    rng = np.random.default_rng(4)
    s = np.repeat(rng.normal(size=16) + np.repeat([0.4, -0.4], 8), 3)[:, None]
    inside, names = np.repeat([True, False], 24), [str(i // 3) for i in range(48)]
    naive, found = (effect(Similarities(s, 0 * s, inside, words=words)) for words in (None, names))

    assert (found.high - found.low) > 1.4 * (naive.high - naive.low)


def test_attributes_of_several_texts_are_weighted_by_them() -> None:
    """The mean over words, weighted by texts, is the mean over texts."""
    rng = np.random.default_rng(6)
    texts = rng.normal(size=(6, 5))  # three texts of one word, two of another
    words = np.stack([texts[:, :3].mean(axis=1), texts[:, 3:].mean(axis=1)], axis=1)
    made = Similarities(words, np.zeros((6, 1)), np.arange(6) < 3, texts_first=np.array([3.0, 2.0]))

    np.testing.assert_allclose(made.associations(), texts.mean(axis=1))


def test_where_there_is_no_interval_the_method_says_why() -> None:
    """One word in a set, no spread, and no targets are lines, not exceptions; an attribute set of one word is taken as given."""
    near = np.array([[0.9], [0.5], [0.1], [0.2]])
    zero = np.zeros_like(near)
    alone = effect(Similarities(near, zero, np.array([True, False, False, False])))
    nothing = effect(Similarities(zero, zero, np.array([True, True, False, False])))
    given_one = effect(Similarities(near, zero, np.array([True, True, False, False])))

    assert "one word only in a target set" in alone.method
    assert np.isfinite(alone.value)
    assert "associations that differ" in nothing.method
    assert "attributes of one word taken as given" in given_one.method


def test_draws_must_be_enough() -> None:
    """Fewer than twenty draws say nothing."""
    with pytest.raises(UsageError, match="draws must be at least 20; it is 3"):
        permutation([0.1], [0.2], draws=3)


def drawn(rng: np.random.Generator, words: int, shift: float, reach: float, size: int) -> tuple[Similarities, float]:
    """Return similarities of Gaussian words and attributes, and Fisher's z of the infinitely many words of these attributes."""
    axis = np.zeros(size)
    axis[0] = 1.0
    a, b = rng.normal(size=(8, size)) + reach * axis, rng.normal(size=(8, size)) - reach * axis
    targets = rng.normal(size=(2 * words, size)) + np.repeat([shift / 2, -shift / 2], words)[:, None] * axis
    toward = a.mean(axis=0) - b.mean(axis=0)
    mean = shift / 2 * toward[0]
    z = np.arctanh(mean / np.sqrt(toward @ toward + mean**2))
    return Similarities(targets @ a.T, targets @ b.T, np.arange(2 * words) < words), float(z)


@pytest.mark.parametrize(("shift", "reach", "size"), [(0.0, 1.0, 50), (2.5, 1.0, 50), (2.5, 3.0, 20), (6.0, 3.0, 20)])
@pytest.mark.parametrize("words", [6, 16])
def test_the_interval_covers(words: int, shift: float, reach: float, size: int) -> None:
    """Of 95 % intervals, over targets and attributes, 92 to 98 % (and luck) hold the mean effect of other words."""
    rng = np.random.default_rng([words, int(10 * shift), size])
    cases = [drawn(rng, words, shift, reach, size) for _ in range(500)]
    scale = math.sqrt(2 * words * (2 * words - 1)) / words
    truth = math.tanh(np.mean([z for _, z in cases])) * scale
    found = [effect(case) for case, _ in cases]
    held = np.mean([one.low <= truth <= one.high for one in found])

    assert 0.92 <= held <= 0.99
    assert all(one.low <= one.value <= one.high for one in found)
