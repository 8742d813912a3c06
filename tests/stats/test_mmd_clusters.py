"""MMD and energy distance by cluster: the statistic is its double loop, whole clusters are dealt, and the level holds."""

from itertools import product

import numpy as np
import pytest

from workbench.errors import DataError, UsageError
from workbench.stats._mmd_clusters import blocks_of, dealt_clusters, pieces_of
from workbench.stats.mmd import Settings, energy, mmd


def clustered(
    clusters: int, each: int, rng: np.random.Generator, *, shift: float = 0.0, alike: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of clusters that have a centre in common, and the number of each row's cluster."""
    centre = np.repeat(rng.normal(shift, alike, (clusters, 3)), each, axis=0)
    return centre + rng.normal(0, 0.5, centre.shape), np.repeat(np.arange(clusters), each)


def naive(x: np.ndarray, y: np.ndarray, of_x: np.ndarray, of_y: np.ndarray, width: float | None) -> float:
    """Return the statistic by a loop over all pairs of rows of different clusters."""

    def mean(a: np.ndarray, b: np.ndarray, of_a: np.ndarray, of_b: np.ndarray) -> float:
        found = []
        for (i, one), (j, other) in product(enumerate(a), enumerate(b)):
            if of_a[i] != of_b[j]:
                far = float(np.linalg.norm(one - other))
                found.append(-far if width is None else np.exp(-(far**2) / (2 * width**2)))
        return float(np.mean(found))

    return mean(x, x, of_x, of_x) + mean(y, y, of_y, of_y) - 2 * mean(x, y, of_x, of_y)


@pytest.mark.parametrize("width", [1.3, None])
@pytest.mark.parametrize("shared", [0, 2, 4])
def test_the_statistic_is_the_double_loop(shared: int, width: float | None) -> None:
    """Clusters of unlike sizes, none, some or all of which lie in both sets."""
    rng = np.random.default_rng(shared)
    of_x, of_y = np.array([0, 0, 0, 1, 2, 2, 3]), np.array([0, 1, 1, 2, 3, 3]) + 4 - shared
    x, y = rng.normal(0, 1, (7, 3)), rng.normal(0.5, 1, (6, 3))
    settings = Settings(width=width or 1.0, draws=20)
    found = (energy if width is None else mmd)(x, y, settings=settings, clusters=(of_x, of_y))

    assert found.value == pytest.approx(naive(x, y, of_x, of_y, width), abs=1e-12)
    assert found.how == "permutations of whole clusters"
    assert "between clusters" in found.method


def test_whole_clusters_are_dealt() -> None:
    """Lone clusters keep their numbers in each set; a shared one exchanges its parts; every draw is a likely one."""
    codes = np.array([0, 0, 1, 2, 7, 3, 4, 4, 7, 7])  # rows 0-4 are the reference; 7 lies in both
    pieces = pieces_of(codes, 5)
    dealt = dealt_clusters(pieces, 4000, np.random.default_rng(0))
    shared = np.flatnonzero(pieces.cluster == 7)
    alone = np.flatnonzero(pieces.cluster != 7)
    kinds, counts = np.unique(dealt, axis=0, return_counts=True)

    assert (dealt[:, alone].sum(axis=1) == 3).all()
    assert (dealt[:, shared].sum(axis=1) == 1).all()
    assert len(kinds) == 10 * 2, "five lone clusters, three to the reference; and one swap"
    assert counts.min() > 140, "200 of each are expected"
    assert dealt[0][pieces.of_row].tolist()[0] == dealt[0][pieces.of_row].tolist()[1], "rows of one cluster go together"


def test_what_clusters_have_in_common_is_no_shift() -> None:
    """Rows of few clusters look different as rows and not as clusters; a shift of the clusters is found."""
    rng = np.random.default_rng(5)
    (x, of_x), (y, of_y), (far, _) = clustered(12, 10, rng), clustered(12, 10, rng), clustered(12, 10, rng, shift=2)
    settings = Settings(method="permutation")

    assert mmd(x, y, settings=settings).p < 0.01
    assert mmd(x, y, settings=settings, clusters=(of_x, of_y + 12)).p > 0.05
    assert mmd(x, far, settings=settings, clusters=(of_x, of_y + 12)).p < 0.01
    assert energy(x, far, settings=settings, clusters=(of_x, of_y + 12)).p < 0.01


def test_the_same_authors_before_and_after_are_pairs() -> None:
    """A small shift of every author is found among authors that differ far more; without one, none is."""
    rng = np.random.default_rng(6)
    centre = rng.normal(0, 3, (20, 3))
    before, same, moved = (np.repeat(centre + at, 3, axis=0) + rng.normal(0, 0.3, (60, 3)) for at in (0.0, 0.0, 0.6))
    authors = np.repeat(np.arange(20), 3)
    settings = Settings()

    assert mmd(before, moved, settings=settings, clusters=(authors, authors)).p < 0.01
    assert mmd(before, same, settings=settings, clusters=(authors, authors)).p > 0.05
    assert mmd(before, moved, settings=settings, clusters=(authors, authors + 20)).p > 0.05, "as strangers they hide it"


def test_clusters_of_one_row_are_the_test_of_rows() -> None:
    """The statistic is MMD^2_u then."""
    rng = np.random.default_rng(7)
    x, y = rng.normal(0, 1, (30, 2)), rng.normal(0.4, 1, (25, 2))
    settings = Settings(method="permutation", width=1.0)
    rows, clusters = (mmd(x, y, settings=settings, clusters=one) for one in (None, (np.arange(30), np.arange(30, 55))))

    assert clusters.value == pytest.approx(rows.value, abs=1e-12)
    assert clusters.p == pytest.approx(rows.p, abs=0.05)


def test_large_sets_are_blocks_of_whole_clusters() -> None:
    """No cluster is split, all rows are used, and the p-value finds a shift and no other."""
    rng = np.random.default_rng(8)
    (x, of_x), (y, of_y), (far, _) = clustered(60, 5, rng), clustered(60, 5, rng), clustered(60, 5, rng, shift=1)
    parts = list(blocks_of((of_x, of_y + 30), 150, rng))  # half of the clusters lie in both sets
    settings = Settings(largest=150)
    found = mmd(x, far, settings=settings, clusters=(of_x, of_y + 60))

    assert sorted(np.concatenate([a for a, _ in parts])) == list(range(300))
    seen = [set(of_x[a]) | set(of_y[b] + 30) for a, b in parts]
    assert sum(map(len, seen)) == len(set().union(*seen)) == 90
    assert found.blocks == 4
    assert found.p < 0.01
    assert mmd(x, y, settings=settings, clusters=(of_x, of_y + 60)).p > 0.05
    with pytest.raises(DataError, match="few large clusters"):
        mmd(x, y, settings=settings, clusters=(of_x // 30, of_y // 30 + 2))


def test_wrong_clusters_are_named() -> None:
    """One cluster in a set, too few names, and sign flips."""
    x = np.arange(12.0)[:, None]

    with pytest.raises(DataError, match="All rows of new are one cluster"):
        mmd(x, x, clusters=(np.arange(12), np.zeros(12)))
    with pytest.raises(DataError, match="clusters of reference has 3 entries for 12 rows"):
        mmd(x, x, clusters=(np.arange(3), np.arange(12)))
    with pytest.raises(UsageError, match="Sign flips need independent rows"):
        mmd(x, x, settings=Settings(method="sign flips"), clusters=(np.arange(12), np.arange(12)))


def rejections(trials: int, how: str) -> float:
    """Return how often sets of like clusters are called different at 0.05."""
    found = 0
    for trial in range(trials):
        rng = np.random.default_rng([trial, 41])
        sizes = rng.integers(1, 6, (2, 9)) if how == "unlike sizes" else np.full((2, 9), 4)
        sides, shared = [], rng.normal(0, 1, (9, 3))
        for side in range(2):
            centre = shared if how == "shared" else rng.normal(0, 1, (9, 3))
            rows = np.repeat(centre, sizes[side], axis=0)
            sides.append((rows + rng.normal(0, 0.5, rows.shape), np.repeat(np.arange(9), sizes[side])))
        (x, of_x), (y, of_y) = sides
        clusters = None if how == "rows" else (of_x, of_y + (0 if how == "shared" else 9))
        way = energy if how == "energy" else mmd
        found += way(x, y, settings=Settings(draws=199, method="permutation", seed=trial), clusters=clusters).differs
    return found / trials


def test_the_level_holds_where_rows_belong_together() -> None:
    """150 pairs of sets of nine clusters; by rows more than a quarter of them are called different."""
    assert rejections(150, "clusters") <= 0.10
    assert rejections(60, "rows") > 0.25


@pytest.mark.slow
@pytest.mark.parametrize("how", ["clusters", "unlike sizes", "shared", "energy"])
def test_the_level_over_2000_trials(how: str) -> None:
    """Within the acceptance's band."""
    assert 0.038 <= rejections(2000, how) <= 0.063
