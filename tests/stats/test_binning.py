"""Bins: which row falls where."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.stats import binning

BINS = [1, 2, 3, 7, 10, 12, 15, 20, 49, 100, 1000]


@pytest.mark.parametrize("bins", BINS)
def test_stated_decimals_fall_into_the_upper_bin(bins: int) -> None:
    """Every float nearest to i/B lies in bin i, the float before it in bin i - 1, and 1.0 in the last."""
    edges = binning.edges(bins)
    place, _ = binning.assign(edges, bins)
    before, _ = binning.assign(np.nextafter(edges[1:], 0), bins)

    assert [*range(bins), bins - 1] == place.tolist()
    assert list(range(bins)) == before.tolist()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50), st.sampled_from(BINS))
def test_bins_are_closed_on_the_left(values: list[float], bins: int) -> None:
    """Each value lies at or above the lower edge of its bin and below the upper one (or is 1)."""
    place, edges = binning.assign(np.array(values), bins)

    assert all(edges[b] <= v and (v < edges[b + 1] or v == 1) for v, b in zip(values, place, strict=True))


def test_linspace_would_be_wrong() -> None:
    """The bins of numpy.linspace put 0.3 one bin lower: the edges here must not be those."""
    assert binning.assign(np.array([0.3]), 10)[0][0] == 3
    assert np.searchsorted(np.linspace(0, 1, 11), 0.3, "right") - 1 == 2


@given(
    st.lists(st.sampled_from([0.0, 0.1, 0.3, 0.30000000000000004, 0.5, 1.0]), min_size=1, max_size=40),
    st.integers(1, 99),
)
def test_equal_mass_never_splits_ties(values: list[float], bins: int) -> None:
    """Equal values share a bin, and bins are in the order of the values."""
    array = np.sort(np.array(values))
    place, _ = binning.assign(array, bins, "mass")

    assert all(len(set(place[array == value].tolist())) == 1 for value in set(values))
    assert (np.diff(place) >= 0).all()


def test_equal_mass_is_nearly_equal_without_ties() -> None:
    """Bins hold n // B rows or one more."""
    values = np.random.default_rng(0).random(1007)

    assert {67, 68} == set(binning.cells(values, np.ones(1007), 15, scheme="mass").n.astype(int).tolist())


def test_neighbouring_floats_can_be_parted() -> None:
    """The midpoint of two neighbouring floats rounds to one of them; the edge must still part them."""
    low = 0.3
    high = np.nextafter(low, 1)
    sums = binning.cells([low, high], [1, 0], 2, scheme="mass")

    assert sums.n.tolist() == [1.0, 1.0]


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
def test_cells_hold_exact_sums(rows: list[tuple[float, bool]]) -> None:
    """Counts, hits and sums are those of exact arithmetic."""
    sums = binning.cells([c for c, _ in rows], [a for _, a in rows], 10)

    assert len(rows) == sums.rows
    assert sum(a for _, a in rows) == sums.hits.sum()
    assert float(sum(Fraction(c) for c, _ in rows)) == pytest.approx(sums.confidence.sum(), abs=1e-12)


def test_empty_bins_are_absent() -> None:
    """Only bins with rows are there, with their edges."""
    sums = binning.cells([0.05, 0.95], [0, 1], 10)

    assert sums.bin.tolist() == [0, 9]
    assert sums.lower.tolist() == [0.0, 0.9]


def test_blocks_do_not_show() -> None:
    """Sums over more rows than one block are those of numpy."""
    rng = np.random.default_rng(0)
    confidence, correct = rng.random(50_000), rng.integers(0, 2, 50_000)
    sums = binning.cells(confidence, correct, 15)
    place = np.minimum(np.searchsorted(binning.edges(15), confidence, "right") - 1, 14)

    assert np.bincount(place).tolist() == sums.n.tolist()
    np.testing.assert_allclose(np.bincount(place, weights=confidence), sums.confidence, rtol=1e-12)
