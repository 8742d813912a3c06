"""Bin tables where rows belong together."""

import numpy as np

from workbench.stats import calibration, clustered


def test_without_repeats_it_is_the_table_of_single_rows() -> None:
    """A cluster for each row: the same bins and hit rates, and nearly the same whiskers."""
    rng = np.random.default_rng(0)
    stated = rng.beta(4, 1.2, 400)
    hit = (rng.random(400) < stated).astype(float)
    single = calibration.bin_table(stated, hit, bins=5)
    table = clustered.bin_table(stated, hit, np.arange(400), settings=clustered.Settings(bins=5))

    assert np.array_equal(single.accuracy, table.accuracy)
    assert np.allclose(single.low, table.low, atol=0.02)
    assert np.allclose(single.null_high, table.null_high, atol=0.06)


def test_whiskers_of_copied_rows_cover_the_truth() -> None:
    """Each row five times: the whiskers that know it cover 93 %, those that do not far less."""
    rng = np.random.default_rng(1)
    held, naive, bars = 0, 0, 0
    for _ in range(150):
        stated = np.full(60, 0.7)
        ids = np.repeat(np.arange(60), 5)
        hit = (rng.random(60) < stated).astype(float)[ids]
        known = clustered.bin_table(stated[ids], hit, ids, settings=clustered.Settings(draws=20))
        single = calibration.bin_table(stated[ids], hit, draws=20)
        held += int((known.low <= 0.7)[0] and (known.high >= 0.7)[0])
        naive += int((single.low <= 0.7)[0] and (single.high >= 0.7)[0])
        bars += 1

    assert held >= 0.92 * bars
    assert naive < 0.8 * bars
