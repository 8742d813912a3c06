"""Fields: byte codes that agree with the statistics."""

import numpy as np
import pandas as pd
import pytest

from workbench.stats.binning import assign
from workbench.views import _fields


def rows_of(confidence: list[float], **columns: object) -> pd.DataFrame:
    """Return rows with these confidences, all right."""
    return pd.DataFrame({"confidence": confidence, "correct": 1.0, **columns})


@pytest.mark.parametrize("scheme", ["width", "mass"])
def test_codes_are_the_bins_of_the_statistics(scheme: str) -> None:
    """Confidences on edges fall where `workbench.stats` puts them, in both schemes."""
    confidence = np.concatenate([np.arange(31) / 30, np.random.default_rng(0).random(500).round(2)])
    field = _fields.fields_of(rows_of(confidence.tolist()), [], {"bins": 10, "scheme": scheme})[0]
    expected, edges = assign(confidence, 10, scheme)

    assert field.codes.tolist() == expected.tolist()
    assert field.edges.tolist() == edges.tolist()


def test_rows_without_confidence_have_a_code_of_their_own() -> None:
    """No confidence or no outcome: the code past the last bin, which no brush allows."""
    rows = rows_of([0.5, np.nan, 0.7])
    rows.loc[2, "correct"] = np.nan
    fields = _fields.fields_of(rows, [], {"bins": 15})

    assert fields[0].codes.tolist() == [7, 15, 15]
    assert fields[-1].labels == ("right", "wrong", "no answer known")
    assert _fields.keep(fields, [list(range(15)), None, None]).tolist() == [True, False, False]


def test_coverage_never_splits_a_tie() -> None:
    """Rows of one confidence share a part; parts are cut at most 200 and ranked by confidence."""
    confidence = np.random.default_rng(1).random(5000).round(3)
    field = _fields.fields_of(rows_of(confidence.tolist()), [], {})[1]
    per_value = pd.Series(field.codes).groupby(confidence).nunique()

    assert per_value.max() == 1
    assert 190 <= field.bins <= 200
    assert (np.diff(field.codes[np.argsort(-confidence, kind="stable")].astype(int)) >= 0).all()
    assert field.edges[-1] == 1.0


def test_the_stated_confidences_give_their_own_parts_back() -> None:
    """Tempering with the same confidences changes no code."""
    confidence = np.random.default_rng(2).random(3000).round(3)
    fields = _fields.fields_of(rows_of(confidence.tolist()), [], {})[:2]
    again = _fields.tempered(fields, confidence)

    assert [field.codes.tolist() for field in again] == [field.codes.tolist() for field in fields]


def test_slices_are_ranked_by_size_blanks_last_and_many_are_gathered() -> None:
    """The most frequent value comes first, blanks last; past 200 values the rest is one."""
    words = ["b"] * 3 + ["a"] * 2 + [None, ""]
    field = _fields.fields_of(rows_of([0.5] * 7, by=words), ["by"], {})[2]
    assert field.labels == ("b", "a", "(blank)")
    assert field.codes.tolist() == [0, 0, 0, 1, 1, 2, 2]
    many = [f"word {i}" for i in range(300)]
    field = _fields.fields_of(rows_of([0.5] * 300, by=many), ["by"], {})[2]
    assert (field.bins, field.labels[-1]) == (200, "(other)")
    assert field.codes.max() == 199


def test_numbers_are_cut_into_fifths() -> None:
    """A column of many numbers becomes five ranges with a fifth of the rows each, and blanks."""
    field = _fields.fields_of(rows_of([0.5] * 101, length=[*range(100), np.nan]), ["length"], {})[2]
    assert np.bincount(field.codes).tolist() == [20, 20, 20, 20, 20, 1]
    assert field.labels[-1] == "(blank)"


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).normal(0, 3, 1500),
        np.random.default_rng(1).standard_cauchy(2000),
        np.random.default_rng(2).random(300),
        np.random.default_rng(3).normal(0, 1e-5, 40),
        np.array([-1e-300, 1e-300]),
        np.array([-2.0, 0.0, 3.0]),
        np.array([7.0]),
        np.array([0.0, 0.0]),
        np.array([]),
    ],
    ids=range(9),
)
def test_edges_of_a_value_hold_it_and_have_zero_among_them(values: np.ndarray) -> None:
    """At most 200 ascending edges, the ends hold all values, and zero is an edge where it lies between them."""
    edges = _fields.value_edges(values)
    room = 1e-9 * (edges[-1] - edges[0])

    assert (np.diff(edges) > 0).all()
    assert 2 <= len(edges) <= _fields.MAX_BINS + 1
    if len(values):
        assert edges[0] - room <= values.min()
        assert values.max() <= edges[-1] + room
        assert 0.0 in edges or not values.min() < 0 < values.max()
