"""MMD and energy distance: the naive sums, brute-force signs, level, power, and what is said."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import DataError, UsageError
from workbench.stats._kernels import Kernel, pair_matrix, strips_of
from workbench.stats.mmd import Settings, energy, mmd, permuted, sign_flipped, witness


def naive(x: np.ndarray, y: np.ndarray, width: float | None) -> float:
    """Return MMD^2_u by a double loop; minus the distance as kernel where there is no width."""

    def k(a: np.ndarray, b: np.ndarray) -> float:
        square = float(((a - b) ** 2).sum())
        return -(square**0.5) if width is None else float(np.exp(-square / (2 * width**2)))

    xx = sum(k(a, b) for i, a in enumerate(x) for j, b in enumerate(x) if i != j) / (len(x) * (len(x) - 1))
    yy = sum(k(a, b) for i, a in enumerate(y) for j, b in enumerate(y) if i != j) / (len(y) * (len(y) - 1))
    return xx + yy - 2 * sum(k(a, b) for a in x for b in y) / (len(x) * len(y))


def sets(n: int, m: int, *, shift: float = 0.0, d: int = 5, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return Gaussian rows, those of the second set moved along the first axis."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, d)), rng.normal(size=(m, d))
    y[:, 0] += shift
    return x, y


def test_two_points_against_two_by_hand() -> None:
    """Distances 1 inside, 3, 4, 2 and 3 between: energy 2 * 3 - 1 - 1 = 4."""
    found = energy([0.0, 1.0], [3.0, 4.0], settings=Settings(method="permutation", draws=200))

    assert found.value == pytest.approx(4.0, abs=1e-12)
    assert found.p > 0.2  # 2 of 6 ways to deal are as far out


@pytest.mark.parametrize("width", [None, 1.7])
@pytest.mark.parametrize(("n", "m"), [(12, 9), (8, 8), (2, 30)])
def test_the_statistic_is_the_double_loop(n: int, m: int, width: float | None) -> None:
    """To 1e-9, with sets of any sizes; and the witness's means differ by it."""
    x, y = sets(n, m, shift=0.5)
    chosen = Settings(method="permutation", width=width, draws=20)
    found = energy(x, y, settings=chosen) if width is None else mmd(x, y, settings=chosen)
    made = witness(x, y, width=width, energy=width is None)

    assert found.value == pytest.approx(naive(x, y, width), abs=1e-9)
    assert made.new.mean() - made.reference.mean() == pytest.approx(naive(x, y, width), abs=1e-9)


def test_permuted_values_are_the_double_loop_on_the_same_labels() -> None:
    """Each draw, not the observed one alone."""
    x, y = sets(9, 7, shift=1.0)
    rows, rng = np.concatenate([x, y]), np.random.default_rng(1)
    labels = rng.permuted(np.tile(np.r_[np.ones(9), np.zeros(7)], (25, 1)), axis=1)
    expected = [naive(rows[one == 1], rows[one == 0], 1.3) for one in labels]

    assert permuted(strips_of(rows, Kernel(1.3)), 9, labels) == pytest.approx(expected, abs=1e-9)


def test_float32_moves_permuted_values_by_less_than_a_hundredth_of_the_null() -> None:
    """Large sets are computed in float32: the value stays within 1e-9, and the draws within 1 % of the null's deviation."""
    x, y = sets(900, 1100, shift=0.05, d=40)
    rows = np.concatenate([x, y])
    labels = np.random.default_rng(2).permuted(np.tile(np.r_[np.ones(900), np.zeros(1100)], (60, 1)), axis=1)
    labels[0] = np.r_[np.ones(900), np.zeros(1100)]
    double, single = (
        permuted(strips_of(rows.astype(kind), Kernel(9.0)), 900, labels) for kind in (np.float64, np.float32)
    )
    found = mmd(x, y, settings=Settings(width=9.0, draws=20, method="permutation"))

    assert np.abs(single - double).max() < 0.01 * double[1:].std()
    assert found.value == pytest.approx(double[0], abs=1e-9)


@pytest.mark.parametrize("n", [3, 5, 8, 11])
def test_sign_flips_are_brute_force_sign_vectors(n: int) -> None:
    """Every drawn statistic is that of a sign vector; each vector of a block is another one, and the first is the data."""
    h = np.random.default_rng(n).normal(size=(n, n))
    h = h + h.T
    np.fill_diagonal(h, 0)
    every = [np.array(e) @ h @ np.array(e) for e in itertools.product((1, -1), repeat=n)]
    size = 1 << max(1, (n - 1).bit_length())
    drawn = sign_flipped(h, 3 * size, np.random.default_rng(0))

    assert len(drawn) == 3 * size
    assert drawn[0] == pytest.approx(h.sum(), abs=1e-9)
    assert max(min(abs(one - other) for other in every) for one in drawn) < 1e-9
    assert len(np.unique(drawn[:size].round(9))) == size


def test_sign_flips_of_a_subgroup_are_closed() -> None:
    """The statistics of the first block are those of a group: multiplying by one of its members gives the same ones."""
    n = 6
    basis = [np.array(e) for e in itertools.product((1, -1), repeat=n)]
    marks = np.diag(2.0 ** np.arange(n))  # T = sum e_i e_j H_ij tells every sign vector (up to sign) from every other
    h = marks @ np.ones((n, n)) @ marks * (1 - np.eye(n))
    by_value = {round(float(e @ h @ e), 6): e for e in basis}
    block = [by_value[round(float(t), 6)] for t in sign_flipped(h, 8, np.random.default_rng(3))]
    known = {tuple(e * e[0]) for e in block}

    assert len(known) == 8
    assert {tuple(a * b * a[0] * b[0]) for a in block for b in block} == known


def test_the_pair_matrix_is_its_definition() -> None:
    """H_ij = k(x_i, x_j) + k(y_i, y_j) - k(x_i, y_j) - k(x_j, y_i), zero on the diagonal."""
    x, y = sets(10, 10)
    kernel = Kernel(1.1)
    across = kernel.between(x, y)
    expected = kernel.between(x, x) + kernel.between(y, y) - across - across.T
    np.fill_diagonal(expected, 0)

    assert pair_matrix(x, y, kernel) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=25)
@given(st.integers(2, 12), st.integers(2, 12), st.floats(-1e3, 1e3), st.integers(0, 99))
def test_a_move_of_both_sets_changes_nothing_and_p_is_never_zero(n: int, m: int, move: float, seed: int) -> None:
    """Distances alone matter; p lies in [1 / (1 + draws), 1]."""
    x, y = sets(n, m, shift=1.0, d=2, seed=seed)
    found, moved = (energy(x + by, y + by, settings=Settings(draws=50)) for by in (0.0, move))

    assert found.value == pytest.approx(moved.value, abs=1e-6)
    assert 1 / (1 + found.draws) <= found.p <= 1


def test_sets_that_differ_are_found_and_p_has_its_floor() -> None:
    """No draw is as far out: p = 1 / (1 + draws), in both ways and in blocks."""
    x, y = sets(150, 150, shift=4.0)
    for way in ("permutation", "sign flips"):
        found = mmd(x, y, settings=Settings(method=way))
        blocks = mmd(x, y, settings=Settings(method=way, largest=100))

        assert found.p == 1 / (1 + found.draws)
        assert found.differs
        assert blocks.blocks == 3
        assert (blocks.n, blocks.p <= 0.01) == (150, True)
        assert blocks.value == pytest.approx(found.value, rel=0.2)


def test_a_far_larger_set_is_cut_to_blocks() -> None:
    """60 rows against 3,000 with room for 200: one block, 140 of the larger set, and the result says so."""
    found = mmd(*sets(60, 3000), settings=Settings(largest=200, draws=50))

    assert (found.n, found.m, found.blocks) == (60, 140, 1)


def test_rows_that_are_all_alike_do_not_differ() -> None:
    """Nothing to tell apart: p = 1, though every distance is zero."""
    assert [1.0, 1.0] == [test(np.ones((6, 2)), np.ones((many, 2))).p for test, many in ((mmd, 6), (energy, 9))]


@pytest.mark.parametrize("draws", [100, 999])
def test_blocks_of_unequal_pairs_have_as_many_draws(draws: int) -> None:
    """257 rows a set in blocks of 129 and 128 pairs, on both sides of a power of two (as 4,097 rows are by default)."""
    found = mmd(*sets(257, 257), settings=Settings(largest=400, draws=draws))

    assert (found.blocks, found.n, found.how) == (2, 257, "sign flips")
    assert found.draws >= draws


@pytest.mark.parametrize("rows", [(6, 4), (5, 5), (1200, 900)])
def test_rounding_is_no_difference(rows: tuple[int, int]) -> None:
    """Rows of one value that a float cannot hold, and all but one of it: every deal is as far apart as the observed one."""
    x, y = (np.full((many, 3), 0.1) for many in rows)

    few = Settings(draws=99)
    assert mmd(x, y, settings=few).p == energy(x, y, settings=few).p == 1
    x[0] = 0.7
    assert mmd(x, y, settings=few).p > 0.3


def test_the_witness_has_the_width_of_the_test_whatever_the_seed() -> None:
    """Its means differ by the statistic, also where the width is that of some of the rows."""
    x, y = sets(600, 500, shift=0.3)
    made = witness(x, y)

    for seed in (0, 5):
        assert made.new.mean() - made.reference.mean() == pytest.approx(
            mmd(x, y, settings=Settings(seed=seed, draws=20)).value
        )


def test_what_is_said_names_test_level_draws_and_width() -> None:
    """The sentence has all that a reader needs; the Monte-Carlo bounds hold p."""
    found = mmd(*sets(40, 30, shift=2.0), settings=Settings(draws=99, width=2.0, level=0.01))

    assert found.sentence == (
        f"MMD: the sets differ at level 0.01; MMD²_u = {found.value:.3g}, p = 0.01 (99 permutations, exact, RBF kernel of "
        "width 2; 40 reference rows, 30 new)."
    )
    assert found.p_low <= found.p <= found.p_high + 0.01
    assert found.band[0] < 0 < found.band[1] < found.value


def test_bad_input_is_named() -> None:
    """NaN, one row, other columns, sign flips of unequal sets, unknown options."""
    x, y = sets(5, 4)
    x[3, 1] = np.nan
    with pytest.raises(DataError, match="reference is NaN or infinite in row 3"):
        mmd(x, y)
    with pytest.raises(DataError, match="new must be a table of at least two rows"):
        mmd(y, y[:1])
    with pytest.raises(DataError, match="reference has 5 columns and new has 4"):
        mmd(y, y[:, :4])
    with pytest.raises(DataError, match="Sign flips need sets of one size; these have 4 and 3 rows"):
        mmd(y, y[:3], settings=Settings(method="sign flips"))
    with pytest.raises(UsageError, match="Unknown method 'bootstrap'"):
        Settings(method="bootstrap")
    with pytest.raises(UsageError, match="draws must be at least 20"):
        Settings(draws=3)


def rejections(trials: int, *, shift: float, way: str, n: int = 24, m: int = 24) -> float:
    """Return the share of trials with p <= 0.05."""
    chosen = [Settings(draws=199, method=way, seed=seed) for seed in range(trials)]
    found = [mmd(*sets(n, m, shift=shift, d=3, seed=10_000 + one.seed), settings=one).p for one in chosen]
    return float(np.mean(np.array(found) <= 0.05))


@pytest.mark.parametrize(("way", "m"), [("permutation", 30), ("sign flips", 24)])
def test_chance_alone_is_called_a_shift_as_often_as_it_says(way: str, m: int) -> None:
    """300 pairs of sets without a shift (the 2,000 of the acceptance are slow)."""
    assert 0.015 <= rejections(300, shift=0.0, way=way, m=m) <= 0.09


@pytest.mark.slow
@pytest.mark.parametrize(("way", "m"), [("permutation", 30), ("sign flips", 24), ("permutation", 24)])
def test_the_level_over_2000_trials(way: str, m: int) -> None:
    """Rejections lie in [0.038, 0.063]."""
    assert 0.038 <= rejections(2000, shift=0.0, way=way, m=m) <= 0.063


@pytest.mark.slow
@pytest.mark.parametrize("shift", [0.4, 0.7, 1.0])
def test_sign_flips_have_the_power_of_permutations(shift: float) -> None:
    """Within 5 points at three sizes of effect, 1,500 trials each."""
    power = [rejections(1500, shift=shift, way=way) for way in ("permutation", "sign flips")]

    assert abs(power[0] - power[1]) < 0.05
    assert power[0] > 0.06
