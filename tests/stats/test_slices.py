"""The search for slices: by hand, against a naive search and sliceline, its level under the null, and what it finds."""

from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import DataError, MissingExtra, UsageError
from workbench.stats import slices
from workbench.stats._slice_draws import deal
from workbench.stats._slice_family import Cells, blocks_of, cells_of
from workbench.stats._sliceline import top_slices
from workbench.stats.slices import Settings, binned, search, slice_difference, slice_p_values


def table(rng: np.random.Generator, n: int, sizes: tuple[int, ...] = (3, 4, 2)) -> dict[str, Any]:
    """Return columns of random values."""
    return {f"c{at}": rng.integers(0, size, n).astype(str) for at, size in enumerate(sizes)}


def naive(columns: dict[str, Any], error: Any, *, depth: int, smallest: int) -> dict[str, tuple[int, float, float]]:
    """Return every slice by its name: rows, mean error, deviations from the rest; a loop over rows."""
    found: dict[str, tuple[int, float, float]] = {}
    masks: dict[str, Any] = {}
    n, spread = len(error), error.var()
    for size in range(1, depth + 1):
        for names in combinations(columns, size):
            for values in product(*(sorted(set(columns[name])) for name in names)):
                mask = np.all([columns[name] == value for name, value in zip(names, values, strict=True)], axis=0)
                name = " & ".join(f"{column}={value}" for column, value in zip(names, values, strict=True))
                parents = [" & ".join(part) for part in combinations(name.split(" & "), size - 1)] if size > 1 else []
                masks[name] = mask
                if mask.sum() < smallest or mask.all() or any((masks[one] == mask).all() for one in parents):
                    continue
                m = mask.sum()
                above = error[mask].sum() - m * error.mean()
                found[name] = (int(m), error[mask].mean(), above / np.sqrt(m * (n - m) / (n - 1) * spread))
    return found


def test_a_search_by_hand() -> None:
    """Eight rows, all errors in one corner: of the 8 ways to name 2 errors' places the corner is rarest."""
    columns = {"a": ["x", "x", "x", "x", "y", "y", "y", "y"], "b": ["p", "p", "q", "q"] * 2}
    found = search(columns, [1, 1, 0, 0, 0, 0, 0, 0], settings=Settings(smallest=2, draws=4999))
    first = found.slices[0]

    assert ("a=x & b=p", 2, 1.0, 0.0) == (first.name, first.n, first.error, first.rest)
    assert found.tried == 8
    assert first.p == pytest.approx(1 / 28, abs=0.01)  # both errors in this corner
    assert first.p_family == pytest.approx(4 / 28, abs=0.02)  # both errors in any one of the four corners
    assert found.members[:, 0].tolist() == [True, True] + [False] * 6


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 3), st.integers(2, 15))
def test_it_looks_at_what_a_loop_over_all_slices_looks_at(seed: int, depth: int, smallest: int) -> None:
    """The number of slices tried, and the best slice with its numbers, are those of the naive search."""
    rng = np.random.default_rng(seed)
    columns, error = table(rng, 80), rng.random(80)
    expected = naive(columns, error, depth=depth, smallest=smallest)
    found = search(columns, error, settings=Settings(depth=depth, smallest=smallest, draws=20, top=1))
    best = max(expected, key=lambda name: expected[name][2])

    assert len(expected) == found.tried
    assert expected[best][2] == pytest.approx(found.slices[0].deviations, rel=1e-4)
    assert expected[found.slices[0].name][:2] == pytest.approx(found.slices[0][1:3])


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_the_order_of_the_rows_changes_nothing(seed: int, clustered: bool) -> None:
    """Shuffled rows give the same slices and p-values, also with clusters."""
    rng = np.random.default_rng(seed)
    columns, error = table(rng, 90), (rng.random(90) < 0.3) * 1.0
    owner = np.repeat(np.arange(30), 3) if clustered else None
    order = rng.permutation(90)
    how = Settings(smallest=5, draws=60)
    moved = {name: values[order] for name, values in columns.items()}
    one = search(columns, error, clusters=owner, settings=how)
    two = search(moved, error[order], clusters=None if owner is None else owner[order], settings=how)

    assert one.slices == two.slices
    assert (one.members[order] == two.members).all()


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_slicelines_best_slices_are_those_of_its_score_over_our_family(depth: int) -> None:
    """SliceLine's score, computed for every slice that we look at, has its largest values where sliceline says."""
    rng = np.random.default_rng(5)
    columns = table(rng, 600)
    error = (rng.random(600) < np.where((columns["c0"] == "1") & (columns["c1"] == "2"), 0.7, 0.2)) * 1.0
    expected = naive(columns, error, depth=depth, smallest=10)
    n, mean = len(error), error.mean()
    score = {name: 0.95 * (e / mean - 1) - 0.05 * (n / m - 1) for name, (m, e, _) in expected.items()}
    codes = np.stack([values.astype(np.intp) for values in columns.values()], axis=1)
    found = [
        " & ".join(f"c{at}={code}" for at, code in where)
        for where in top_slices(codes, error, top=4, depth=depth, smallest=10)
    ]

    best = sorted((name for name in score if score[name] > 0), key=lambda name: -score[name])
    assert best[:4] == found[:4]
    if depth > 1:
        ours = [search(columns, error, settings=Settings(depth=depth, method=m)) for m in slices.METHODS]
        assert {"c0=1 & c1=2"} == {one.slices[0].name for one in ours}
        assert ours[0].slices[0] == ours[1].slices[0]
        assert ours[0].tried == ours[1].tried


def test_a_planted_slice_is_found_after_correction() -> None:
    """Twice the error in one of 47 slices: named first, with a family-wise p below 0.05, in nearly all of 20 samples."""
    hits = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        columns = table(rng, 800)
        planted = (columns["c0"] == "1") & (columns["c1"] == "2")
        error = (rng.random(800) < np.where(planted, 0.5, 0.2)) * 1.0
        first = search(columns, error, settings=Settings(draws=199)).slices[0]
        hits += first.name == "c0=1 & c1=2" and first.p_family < 0.05
    assert hits >= 18


def rejections(trials: int, draws: int, sample: Any, *, ignore: bool = False) -> float:
    """Return how often the smallest family-wise p-value is at most 0.05."""
    found = 0
    for seed in range(trials):
        columns, error, owner = sample(np.random.default_rng(seed))
        how = Settings(smallest=8, draws=draws, top=1, seed=seed)
        named = search(columns, error, clusters=None if ignore else owner, settings=how).slices
        found += bool(named) and named[0].p_family <= 0.05
    return found / trials


def independent(rng: np.random.Generator) -> tuple[Any, Any, None]:
    """Return rows that have nothing to do with their errors, one in ten of them wrong."""
    return table(rng, 200), (rng.random(200) < 0.1) * 1.0, None


def clustered(rng: np.random.Generator, *, unlike: bool = False) -> tuple[Any, Any, Any]:
    """Return rows in clusters with much luck in common; c0 is the cluster's own, the others vary inside it."""
    sizes = rng.integers(1, 9, 80) if unlike else np.full(80, 4)
    owner = np.repeat(np.arange(80), sizes)
    columns = table(rng, len(owner))
    columns["c0"] = rng.integers(0, 3, 80).astype(str)[owner]
    luck = rng.choice([0.02, 0.8], 80, p=[0.75, 0.25])
    return columns, (rng.random(len(owner)) < luck[owner]) * 1.0, owner


def unlike(rng: np.random.Generator) -> tuple[Any, Any, Any]:
    """Return clusters of 1 to 8 rows."""
    return clustered(rng, unlike=True)


@pytest.mark.parametrize("sample", [independent, clustered, unlike])
def test_chance_alone_is_taken_for_a_slice_at_the_level(sample: Any) -> None:
    """Of 120 searches where no column matters at most 0.05 and its Monte-Carlo error (2.9 deviations) find anything."""
    assert rejections(120, 39, sample) <= 0.05 + 2.9 * np.sqrt(0.05 * 0.95 / 120)


def test_ignoring_clusters_takes_chance_for_slices() -> None:
    """The check above can fail: with rows taken for independent the clusters' luck is found far too often."""
    assert rejections(100, 39, clustered, ignore=True) > 0.11


@pytest.mark.slow
@pytest.mark.parametrize("sample", [independent, clustered, unlike])
def test_the_level_over_two_thousand_searches(sample: Any) -> None:
    """The family-wise rate of false findings is at most 0.063."""
    rate = rejections(2000, 99, sample)
    print(f"{sample.__name__}: {rate:.4f}")
    assert rate <= 0.063


def test_the_draws_of_clusters_keep_their_totals() -> None:
    """Clusters of one size exchange whole lists: the totals of clusters are those observed, in another order."""
    rng = np.random.default_rng(0)
    owner, error = np.repeat(np.arange(30), 3), (rng.random(90) < 0.4) * 1.0
    dealt = deal(error, Cells(np.arange(30)[:, None], owner), owner, draws=25, seed=1)

    assert "(approximate)" not in dealt.how
    assert all(sorted(column) == sorted(dealt.sums[:, 0]) for column in dealt.sums.T)
    assert any((column != dealt.sums[:, 0]).any() for column in dealt.sums.T)


def test_slices_count_clusters_and_not_rows() -> None:
    """A slice of 40 rows of two clusters is too small where 3 are asked for."""
    cells = cells_of(np.repeat([0, 1], 40)[:, None].astype(np.intp))
    owner = np.concatenate([np.repeat([0, 1], 20), 2 + np.arange(40)])

    assert [40.0] == blocks_of(cells, owner, depth=1, smallest=3)[0].rows.tolist()
    assert [40.0, 40.0] == blocks_of(cells, None, depth=1, smallest=3)[0].rows.tolist()


def test_blanks_are_no_slice_and_like_slices_are_named_once() -> None:
    """None and NaN name nothing; a second column that says the same is left out by its overlap."""
    topic = np.array(["law"] * 50 + ["art"] * 50 + [None] * 50, dtype=object)
    error = np.array([1.0] * 40 + [0.0] * 110)
    found = search({"topic": topic, "copy": topic}, error, settings=Settings(top=9))

    assert ["topic=law"] == [one.name for one in found.slices]
    assert found.tried == 4


def test_p_values_of_given_slices() -> None:
    """One slice has all errors, one none of them, one is everybody."""
    error = np.array([1.0] * 10 + [0.0] * 30)
    members = np.stack([error == 1, error == 0, np.ones(40, dtype=bool)], axis=1)
    found = slice_p_values(members, error)

    assert (0.001, 1.0) == (found[0], found[1])
    assert np.isnan(found[2])


def test_a_wide_spread_is_not_taken_for_a_higher_mean() -> None:
    """Twenty rows spread three times wider than 380 of one mean: p is below 0.05 in 5 % or so of 300 studies."""
    rng = np.random.default_rng(3)
    members = np.arange(400)[:, None] < 20
    spread = np.where(members[:, 0], 3.0, 1.0)
    found = [slice_p_values(members, 9 + spread * rng.normal(size=400), draws=199)[0] < 0.05 for _ in range(300)]

    assert 0.01 <= np.mean(found) <= 0.09


def test_the_difference_is_newcombes_where_rows_are_independent() -> None:
    """56/70 against 48/80: Newcombe's 1998 table, method 10, gives 0.0524 to 0.3339."""
    values = [1] * 56 + [0] * 14 + [1] * 48 + [0] * 32
    found = slice_difference([True] * 70 + [False] * 80, values)

    assert (0.2, 70) == (pytest.approx(found.value), found.n)
    assert (0.0524, 0.3339) == (pytest.approx(found.low, abs=5e-5), pytest.approx(found.high, abs=5e-5))


@pytest.mark.parametrize("inside", [False, True])
def test_the_interval_of_a_difference_holds_with_clusters(inside: bool) -> None:
    """Of 400 samples of 60 clusters the 95 % interval holds the true difference in 92 to 98 of 100, paired or not."""
    held = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        owner = np.repeat(np.arange(60), 4)
        mine = np.tile([True, True, False, False], 60) if inside else owner % 3 == 0
        luck = np.clip(rng.normal(0.3, 0.2, 60), 0, 0.8)[owner]
        values = (rng.random(240) < luck + 0.1 * mine) * 1.0
        found = slice_difference(mine, values, clusters=owner)
        held += found.low <= 0.1 <= found.high
    assert 0.92 <= held / 400 <= 0.98


def test_numbers_are_binned_by_equal_shares() -> None:
    """Ties stay together; what a bin is called are its smallest and largest values."""
    assert ["1", "1", "1", "2 to 9", "2 to 9"] == binned([1, 1, 1, 2, 9], bins=2).tolist()
    assert 4 == len(set(binned(np.arange(100)).tolist()))


@pytest.mark.parametrize(
    ("columns", "error", "how", "message"),
    [
        ({}, [1.0], {}, "needs at least one column"),
        ({"a": ["x"]}, [1.0, 0.0], {}, "error has 2 rows and the columns have 1"),
        ({"a": ["x", "y"], "b": ["x"]}, [1.0, 0.0], {}, "Column 'b' has 1 rows and 'a' has 2"),
        ({"a": ["x", "y"]}, [1.0, float("nan")], {}, "error is NaN or infinite in row 1"),
        ({"a": ["x", "y"]}, [1.0, 0.0], {"depth": 5}, "depth must be from 1 to 4; it is 5"),
        ({"a": ["x", "y"]}, [1.0, 0.0], {"method": "slicelin"}, "Did you mean 'sliceline'"),
        ({"a": ["x", "y"]}, [-1.0, 0.0], {"method": "sliceline"}, "errors of at least 0"),
    ],
)
def test_what_does_not_fit_is_named(columns: Any, error: Any, how: Any, message: str) -> None:
    """Each fault is one error that says what was found and what to do."""
    with pytest.raises((DataError, UsageError), match=message):
        search(columns, error, settings=Settings(**how))


def test_a_search_that_would_not_end_is_refused() -> None:
    """Depth 4 over 30 columns of free text: the message has the number of sets of columns."""
    rng = np.random.default_rng(0)
    columns = {f"c{at}": rng.integers(0, 2, 5000).astype(str) for at in range(30)}

    with pytest.raises(UsageError, match="means 31,930 sets of columns.*fewer columns"):
        search(columns, np.zeros(5000), settings=Settings(depth=4))


def test_without_sliceline_the_pip_line_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the search by SliceLine needs the package."""
    monkeypatch.setitem(__import__("sys").modules, "sliceline", None)
    columns, error = {"a": ["x", "y"] * 50}, [1.0, 0.0] * 50

    assert "a=x" == search(columns, error).slices[0].name
    with pytest.raises(MissingExtra, match=r"fm-workbench\[slices\]"):
        search(columns, error, settings=Settings(method="sliceline"))
