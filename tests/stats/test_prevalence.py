"""Rogan and Gladen's correction against its formula, another interval, and its own coverage."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import DataError, UsageError
from workbench.stats.prevalence import DetectorError, rogan_gladen

ONE = DetectorError(180, 20, 285, 15)  # Se 0.9, Sp 0.95


def lang_reiczigel(hits: int, n: int, error: DetectorError) -> tuple[float, float]:
    """Return the interval of Lang and Reiczigel 2014 (Prev Vet Med 113:13), for one source; written from the paper's formulas."""
    z = 1.959964
    positive, negative = error.hit + error.missed, error.passed + error.false
    share = (hits + z * z / 2) / (n + z * z)
    se = (error.hit + 1) / (positive + 2)
    sp = (error.passed + 1) / (negative + 2)
    worth = se + sp - 1
    value = (share + sp - 1) / worth
    shift = 2 * z * z * (value * se * (1 - se) / (positive + 2) - (1 - value) * sp * (1 - sp) / (negative + 2))
    spread = share * (1 - share) / (n + z * z)
    spread += value**2 * se * (1 - se) / (positive + 2) + (1 - value) ** 2 * sp * (1 - sp) / (negative + 2)
    half = z * math.sqrt(spread) / worth
    return value + shift - half, value + shift + half


def test_the_value_is_the_formula_by_hand() -> None:
    """(0.4 + 0.95 - 1) / 0.85."""
    assert rogan_gladen([1] * 40 + [0] * 60, [ONE]).value == pytest.approx(0.35 / 0.85)


def test_sources_count_alike_whatever_their_size() -> None:
    """Se and Sp are the plain means over sources: Se 0.7, Sp 0.95."""
    other = DetectorError(10, 10, 19, 1)

    assert rogan_gladen([1, 0], [ONE, other]).value == pytest.approx((0.5 + 0.95 - 1) / (0.7 + 0.95 - 1))


@given(st.integers(0, 50))
def test_a_detector_without_error_changes_nothing(hits: int) -> None:
    """With Se = Sp = 1 the corrected share is the share."""
    found = rogan_gladen([1] * hits + [0] * (50 - hits), [DetectorError(10**7, 0, 10**7, 0)])

    assert hits / 50 == pytest.approx(found.value)
    assert found.low <= found.value + 0.02
    assert found.high >= found.value - 0.02


@pytest.mark.parametrize("hits", [60, 100, 150])
def test_the_interval_of_one_source_is_that_of_lang_and_reiczigel(hits: int) -> None:
    """Both bounds agree within 0.015 where n = 200."""
    found = rogan_gladen([1] * hits + [0] * (200 - hits), [ONE], draws=20_000)

    assert lang_reiczigel(hits, 200, ONE) == pytest.approx((found.low, found.high), abs=0.015)


def test_sources_that_differ_widen_the_interval() -> None:
    """Two sources with Se 0.98 and 0.6 say less than one with their mean."""
    hits = [1] * 100 + [0] * 100
    apart = rogan_gladen(hits, [DetectorError(196, 4, 190, 10), DetectorError(120, 80, 190, 10)])
    alike = rogan_gladen(hits, [DetectorError(158, 42, 190, 10)] * 2)

    assert apart.high - apart.low > 1.5 * (alike.high - alike.low)


def test_a_share_below_the_false_alarms_is_none() -> None:
    """4 % flagged by a detector with 5 % false alarms: clipped to 0, with an upper bound above it."""
    found = rogan_gladen([1] * 4 + [0] * 96, [ONE])

    assert (0.0, 0.0) == (found.value, found.low)
    assert 0 < found.high < 0.1


def test_the_interval_covers() -> None:
    """Nominal 95 % covers 92 to 98 % where p, Se and Sp are all drawn anew (300 studies, truth 0.3)."""
    rng = np.random.default_rng(1)
    held = 0
    for i in range(300):
        se, sp = rng.binomial(200, 0.9), rng.binomial(300, 0.95)
        flagged = rng.random(150) < 0.3 * 0.9 + 0.7 * 0.05
        found = rogan_gladen(flagged.astype(float), [DetectorError(se, 200 - se, sp, 300 - sp)], draws=400, seed=i)
        held += found.low <= 0.3 <= found.high
    assert 0.92 <= held / 300 <= 0.98


def test_near_copies_do_not_narrow_the_interval() -> None:
    """Each row five times, as clusters, is worth hardly more than once."""
    hits = np.array([1] * 12 + [0] * 28)
    once = rogan_gladen(hits, [ONE])
    copies = rogan_gladen(np.repeat(hits, 5), [ONE], clusters=np.repeat(np.arange(40), 5))

    assert (once.high - once.low) == pytest.approx(copies.high - copies.low, rel=0.1)


def test_where_there_is_no_interval_the_method_says_why() -> None:
    """No rows; one cluster; a detector that is a coin; a share that cannot be had with this error."""
    assert "fewer are flagged than its false alarms" in rogan_gladen([0] * 240, [ONE]).method
    assert "more are flagged than its hits" in rogan_gladen([1] * 240, [ONE]).method
    assert rogan_gladen([], [ONE]).method == "no interval: no rows"
    assert rogan_gladen([1, 0], [ONE], clusters=["a", "a"]).method == "no interval: one cluster"
    assert rogan_gladen([1, 0], [DetectorError(5, 5, 5, 5)]).method == "no interval: the detector tells too little"


def test_errors_say_what_to_do() -> None:
    """No source, a source with one kind of text only, too few draws."""
    with pytest.raises(UsageError, match="errors is empty"):
        rogan_gladen([1], [])
    with pytest.raises(DataError, match="texts of both kinds"):
        rogan_gladen([1], [DetectorError(0, 0, 5, 5)])
    with pytest.raises(UsageError, match="at least 20"):
        rogan_gladen([1], [ONE], draws=3)
