"""Shift tests against alibi-detect (MMD, in its own environment) and SciPy's loop (Kolmogorov-Smirnov), numbers checked first."""

import statistics
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import peers
from calibration import line
from timing import Ratio, cpu, interleaved

from workbench.stats.mmd import Settings, mmd
from workbench.stats.two_sample import ks_columns

N, D, DRAWS = 2000, 384, 1000
FEW = 24  # draws of the peer that are timed; 1,000 take minutes: scaled per draw, its kernel counted once
ROUNDS = 3
REQUIREMENTS = (
    *("--no-deps", "alibi-detect==0.13.0"),  # BSL 1.1: a peer that is timed, never a dependency
    *("dill==0.4.1", "catalogue==2.0.10", "toml==0.10.2", "numba==0.68.1", "llvmlite==0.50.0"),
)


def alibi() -> peers.Peer:
    """Return alibi-detect; torch, numpy and the rest are those of this environment, so that both sides run on the same."""
    return peers.Peer(peers.python("alibi-detect", *REQUIREMENTS, beside=True), "peer_alibi.py")


def sets(n: int, kind: Any = np.float32) -> tuple[np.ndarray, np.ndarray]:
    """Return two sets of unit vectors that differ by little."""
    rng = np.random.default_rng(0)
    found = [rng.standard_normal((n, D)) + 0.02 * at for at in (0, 1)]
    return tuple((one / np.linalg.norm(one, axis=1, keepdims=True)).astype(kind) for one in found)  # type: ignore[return-value]


def tested(x: np.ndarray, y: np.ndarray, width: float, way: str) -> Any:
    """Return our test by 1,000 draws or more."""
    return mmd(x, y, settings=Settings(draws=DRAWS, method=way, width=width))


def mmd_rows() -> list[dict[str, str]]:
    """Return ours, by permutation (the same statistic) and by sign flips, against alibi-detect."""
    width = 1.4
    peer = alibi()
    with tempfile.TemporaryDirectory() as folder:
        files: dict[Any, list[str]] = {}
        for kind in (np.float32, np.float64):
            files[kind] = [str(Path(folder) / f"{np.dtype(kind)}{i}.npy") for i in range(2)]
            for path, part in zip(files[kind], sets(N, kind), strict=True):
                np.save(path, part)
        x, y = sets(N)
        exact = peer.ask([*files[np.float64], width, 1])["value"]
        ours = {way: tested(x, y, width, way) for way in ("permutation", "sign flips")}
        gap = abs(ours["permutation"].value - exact)
        assert gap < 1e-9, (ours["permutation"].value, exact)
        peer.ask([*files[np.float32], width, 1])  # warm
        times: dict[str, list[float]] = {"peer": [], **{way: [] for way in ours}}
        for _ in range(ROUNDS):
            few, one = (peer.ask([*files[np.float32], width, draws])["seconds"] for draws in (FEW, 1))
            times["peer"].append(one + (DRAWS - 1) * (few - one) / (FEW - 1))
            for way in ours:
                times[way].append(cpu(partial(tested, x, y, width, way), 3))
    peer.close()
    table = []
    for way, found in ours.items():
        ratios = [theirs / mine for theirs, mine in zip(times["peer"], times[way], strict=True)]
        ratio = Ratio(min(ratios), statistics.median(ratios), 1e3 * min(times[way]), 1e3 * min(times["peer"]))
        said = (
            f"same MMD²_u to {gap:.0e}" if way == "permutation" else "another statistic of the same use, exact as well"
        )
        said += f"; p = {found.p:.2g}, {found.draws:,} draws"
        what = (
            f"MMD test, n = m = {N:,}, d = {D}, {way}, alibi-detect ({FEW} of {DRAWS:,} draws timed, scaled per draw)"
        )
        table.append(line(what, ratio, said))
    return table


def loop(x: np.ndarray, y: np.ndarray, method: str) -> list[Any]:
    """Return SciPy's test of each column."""
    from scipy.stats import ks_2samp

    return [ks_2samp(a, b, method=method) for a, b in zip(x.T, y.T, strict=True)]


def ks_rows() -> list[dict[str, str]]:
    """Return ours against SciPy's `ks_2samp` in a loop over columns."""
    table = []
    for n in (500, N):
        x, y = sets(n)
        found = ks_columns(x, y)
        for method in ("auto", "asymp"):
            oracle = loop(x, y, method)
            off = max(abs(mine - one.statistic) for mine, one in zip(found.distance, oracle, strict=True))
            assert off < 1e-15, off
            ratio = interleaved(partial(ks_columns, x, y), partial(loop, x, y, method), repeats=3)
            what = f"KS of {D} columns, n = m = {n:,}, a loop over SciPy's ks_2samp (method {method!r})"
            table.append(line(what, ratio, f"largest difference of D {off:.0e}"))
    return table


def rows() -> list[dict[str, str]]:
    """Return both tables as one."""
    return [*mmd_rows(), *ks_rows()]


if __name__ == "__main__":
    import run

    print(run.table(rows()))
