"""Group metrics with intervals against fairlearn's bootstrap, the numbers checked for equality first."""

from typing import Any

import numpy as np
from calibration import line
from timing import Ratio, cpu

from workbench.stats import groups

N, GROUPS, DRAWS = 20_000, 5, 1000
PEER_DRAWS = 50  # a run of 1,000 takes half an hour; the time is scaled per draw
LEVELS = (0.025, 0.975)
RATES = ("selection_rate", "tpr", "fpr")
QUANTILE_ERROR = 0.38  # Monte-Carlo error of a 2.5 % quantile of 50 normal draws, in their standard deviations
Frame = tuple[np.ndarray, np.ndarray, np.ndarray]


def world() -> Frame:
    """Return groups, labels and predictions whose rates differ by group."""
    rng = np.random.default_rng(0)
    group = rng.integers(0, GROUPS, N)
    label = (rng.random(N) < 0.3 + 0.05 * group).astype(int)
    prediction = (rng.random(N) < 0.2 + 0.4 * label + 0.04 * group).astype(int)
    return np.array(list("abcde"))[group], label, prediction


def peer(data: Frame, draws: int) -> Any:
    """Return fairlearn's frame of the three rates with bootstrap intervals."""
    from fairlearn import metrics

    rates = (metrics.selection_rate, metrics.true_positive_rate, metrics.false_positive_rate)
    return metrics.MetricFrame(
        metrics=dict(zip(RATES, rates, strict=True)),
        y_true=data[1],
        y_pred=data[2],
        sensitive_features=data[0],
        n_boot=draws,
        ci_quantiles=list(LEVELS),
        random_state=0,
    )


def intervals(data: Frame) -> dict[str, np.ndarray]:
    """Return the same percentile intervals of ours: by group `(2, g + 1)`, the difference last."""
    drawn = groups.drawn_rates(*data, settings=groups.Settings(draws=DRAWS))
    return {
        rate: np.quantile(np.column_stack([drawn[rate], np.ptp(drawn[rate], axis=1)]), LEVELS, axis=0) for rate in RATES
    }


def live(data: Frame) -> None:
    """Compute what the probe shows of one attribute: eight rates, all differences and ratios, intervals and nulls."""
    groups.by_group(*data)
    groups.between(*data, settings=groups.Settings(draws=DRAWS))


def checked(data: Frame, frame: Any) -> str:
    """Return how far values and intervals are from the peer's; raise where they are not the same."""
    ours = groups.by_group(*data)
    values = [abs(ours[name][rate].value - frame.by_group[rate][name]) for name in ours for rate in RATES]
    between = groups.between(*data, rates=RATES)
    names = ("demographic_parity_difference", "tpr_difference", "fpr_difference")
    gaps = frame.difference()
    values += [abs(between[name].interval.value - gaps[rate]) for name, rate in zip(names, RATES, strict=True)]
    assert max(values) < 1e-12, max(values)
    mine, off = intervals(data), []
    for rate in RATES:
        for at in (0, 1):
            theirs = [frame.by_group_ci[at][rate][name] for name in ours] + [frame.difference_ci()[at][rate]]
            spread = (mine[rate][1] - mine[rate][0]) / 3.92 * QUANTILE_ERROR
            off += (np.abs(mine[rate][at] - np.array(theirs)) / spread).tolist()
    assert max(off) < 4, max(off)
    return (
        f"values to {max(values):.0e}; {len(off)} bounds within {max(off):.1f} Monte-Carlo errors of {PEER_DRAWS} draws"
    )


def rows() -> list[dict[str, str]]:
    """Return the table: the same intervals as fairlearn's, and all that the probe shows."""
    data = world()
    peer(data, 2), intervals(data), live(data)  # warm
    found: dict[str, Any] = {}
    before = [cpu(lambda: intervals(data), 20), cpu(lambda: live(data), 5)]
    seconds = cpu(lambda: found.update(frame=peer(data, PEER_DRAWS))) * DRAWS / PEER_DRAWS
    after = [cpu(lambda: intervals(data), 20), cpu(lambda: live(data), 5)]
    note = checked(data, found["frame"])
    said = f"n = {N:,}, {GROUPS} groups, {DRAWS:,} draws; fairlearn's bootstrap ({PEER_DRAWS} draws timed, scaled per draw)"
    table = []
    for at, what in enumerate(
        ("percentile intervals of 3 rates and their differences", "8 rates, all differences and ratios, nulls")
    ):
        times = (before[at], after[at])
        ratio = Ratio(seconds / max(times), seconds * 2 / sum(times), 1e3 * min(times), 1e3 * seconds)
        table.append(line(f"{what}, {said}", ratio, note if at == 0 else "the peer has 3 rates"))
    return table


if __name__ == "__main__":
    import run

    print(run.table(rows()))
