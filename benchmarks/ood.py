"""Mahalanobis distances against pytorch-ood, which runs in an environment of its own; the numbers checked for equality first."""

import statistics
import tempfile
from pathlib import Path

import numpy as np
import peers
from calibration import line
from timing import Ratio, cpu

from workbench.stats.ood import fit_gaussians

N, D, CLASSES = 10_000, 384, 150
PART = 2_000  # test rows of the peer that are timed, scaled to all
ROUNDS = 3
TOLERANCE = 1e-3  # relative: the peer inverts in float32


def peer() -> peers.Peer:
    """Return pytorch-ood; torch and numpy are those of this environment, so that both sides run on the same."""
    return peers.Peer(peers.python("pytorch-ood", "--no-deps", "pytorch-ood==0.4.0", beside=True), "peer_ood.py")


def world() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return training rows, their classes and test rows: unit vectors around class means."""
    rng = np.random.default_rng(0)
    means = rng.normal(size=(CLASSES, D))
    labels = np.arange(N) % CLASSES
    sets = [means[labels] + rng.normal(size=(N, D)) for _ in range(2)]
    train, new = ((one / np.linalg.norm(one, axis=1, keepdims=True)).astype(np.float32) for one in sets)
    return train, labels, new


def rows() -> list[dict[str, str]]:
    """Return the table: scores alone, and fit with scores."""
    train, labels, new = world()
    other = peer()
    ours: list[tuple[float, float]] = []
    theirs: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder) / f"{i}.npy") for i in range(3)]
        for path, part in zip(paths, (train, labels, new), strict=True):
            np.save(path, part)
        answer = other.ask([*paths, 200])  # warm
        # theirs is half the distance under sums that are not divided by n, with a ridge of 1e-6
        mine = -fit_gaussians(train, labels, ridge=1e-6 / N).mahalanobis(new[:200]) / (2 * N)
        gap = float(np.max(np.abs(mine / np.array(answer["scores"]) - 1)))
        assert gap < TOLERANCE, gap
        fitted = fit_gaussians(train, labels)
        fitted.mahalanobis(new)
        for _ in range(ROUNDS):
            found = other.ask([*paths, PART])
            theirs.append((found["seconds"] * N / PART, found["fit"]))
            ours.append((cpu(lambda: fitted.mahalanobis(new), 2), cpu(lambda: fit_gaussians(train, labels))))
    other.close()
    table = []
    said = f"{N:,} training and {N:,} test rows, d = {D}, {CLASSES} classes, pytorch-ood ({PART:,} test rows timed, scaled)"
    for at, what in enumerate(("Mahalanobis distances", "fit and distances")):
        pairs = [(sum(one[: at + 1]), sum(two[: at + 1])) for one, two in zip(ours, theirs, strict=True)]
        ratios = [slow / quick for quick, slow in pairs]
        best = [1e3 * min(column) for column in zip(*pairs, strict=True)]
        note = f"largest relative difference {gap:.0e}" if not at else "ours factors the covariance of all rows, too"
        table.append(line(f"{what}, {said}", Ratio(min(ratios), statistics.median(ratios), *best), note))
    return table


if __name__ == "__main__":
    import run

    print(run.table(rows()))
