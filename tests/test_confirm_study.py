"""Studies that are simulated: what brushing finds where nothing is, and what confirming makes of it.

Each study is a report of answers that are right by chance, with columns to search. Naive brushing takes the best of all slices by
its p-value in the rows that it was chosen in. What `docs/confirm.md` says of these studies is measured here.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from workbench._record import RunRecord
from workbench.frames import Metric, metrics_frame
from workbench.reports import Report
from workbench.stats.held_out import slice_tests
from workbench.stats.significance import benjamini_hochberg, holm

COLUMNS, KINDS = 5, 4  # 20 slices
LEVEL = 0.05


class Right:
    """A probe of one number, the share of right answers, that costs nothing."""

    name, title, question, headline = "right", "Right", "How often is it right?", ("accuracy",)
    limits: tuple[str, ...] = ()
    options: Mapping[str, Any] = {}

    def per_row(self, rows: pd.DataFrame, options: Any) -> dict[str, Any]:
        """Return what the accuracy is the mean of."""
        del options
        return {"accuracy": rows["correct"].to_numpy(float)}

    def summarise(self, rows: pd.DataFrame, options: Any, *, by: tuple[str, ...] = (), seed: int = 0) -> pd.DataFrame:
        """Return the accuracy."""
        del options, by, seed
        return metrics_frame([Metric("accuracy", "all", float(rows["correct"].mean()), 0.0, 1.0, len(rows), "none")])

    def tables(self, *_: Any, **__: Any) -> dict[str, Any]:
        """Return none."""
        return {}

    charts = tables


class Study(NamedTuple):
    """Which rows are in each of 20 slices `(n, 20)`, answers `(n,)`, and the clusters of rows `(n,)` or None."""

    members: np.ndarray
    right: np.ndarray
    clusters: np.ndarray | None = None

    @property
    def explored(self) -> np.ndarray:
        """Half of the rows; by cluster where there are any."""
        owners = np.arange(len(self.right)) if self.clusters is None else self.clusters
        return np.asarray(owners % 2 == 0)

    def p(self, side: np.ndarray, draws: int = 1999) -> np.ndarray:
        """Return the p-value of each slice in some rows."""
        owners = None if self.clusters is None else self.clusters[side]
        return slice_tests(self.members[side], self.right[side], clusters=owners, draws=draws).p


def study(seed: int, *, effect: float = 0.0, n: int = 400, each: int = 1) -> Study:
    """Return a study with answers right in 0.7 of rows, less by `effect` in the first slice; clusters of `each` rows agree."""
    rng = np.random.default_rng([seed, 77])
    kinds = rng.integers(0, KINDS, (n, COLUMNS))
    members = (kinds[:, :, None] == np.arange(KINDS)).reshape(n, -1)
    luck = np.repeat(rng.random(n // each), each) if each > 1 else rng.random(n)
    luck = np.where(rng.random(n) < 0.7, luck, rng.random(n)) if each > 1 else luck
    right = (luck < 0.7 - effect * members[:, 0]).astype(float)
    return Study(members, right, np.repeat(np.arange(n // each), each) if each > 1 else None)


def report_of(one: Study) -> Report:
    """Return a study as a report, sliced by its columns."""
    names = [f"column{at}" for at in range(COLUMNS)]
    kinds = one.members.reshape(len(one.right), COLUMNS, KINDS).argmax(axis=2)
    ids = [f"e{at}" for at in range(len(one.right))]
    half = np.where(one.explored, "explore", "confirm")
    rows = pd.DataFrame({"example": ids, "variant": "", "group": "all", "cluster": ids, "half": half})
    rows = rows.assign(correct=one.right, **{name: kinds[:, at].astype(str) for at, name in enumerate(names)})
    return Report(rows, RunRecord("right", by=tuple(names), versions={}), _given=Right())  # type: ignore[arg-type]  # enough of a probe


def rates(studies: list[Study], draws: int = 1999) -> dict[str, float]:
    """Return how often at least one slice is found: naively, and confirmed with Holm's correction over all 20."""
    naive = [one.p(one.explored, draws).min() <= LEVEL for one in studies]
    held = [holm(one.p(~one.explored, draws)).min() <= LEVEL for one in studies]
    return {"naive": float(np.mean(naive)), "holm": float(np.mean(held))}


def test_where_nothing_is_brushing_finds_something_and_confirming_does_not() -> None:
    """Of 400 studies of noise naive brushing has a finding in nearly half; Holm over what was tried in at most 5 %."""
    found = rates([study(seed) for seed in range(400)])

    assert found["naive"] > 0.35
    assert found["holm"] <= LEVEL + 2 * np.sqrt(LEVEL * (1 - LEVEL) / 400)


def test_a_report_confirms_as_seldom_as_its_level_says() -> None:
    """Of 60 reports of noise the best explored slice, by its p in the explored half, is hardly ever confirmed."""
    confirmed, asked = 0, 0
    for seed in range(1000, 1060):
        one = study(seed)
        best = int(one.p(one.explored).argmin())
        report = report_of(one)
        said = {f"column{best // KINDS}": str(best % KINDS)}
        found = report.confirm(said)
        assert found.tried == COLUMNS * KINDS
        confirmed += found.findings["status"].iloc[0] == "confirmed"
        asked += report.confirm(said, family="asked").findings["status"].iloc[0] == "confirmed"

    assert confirmed <= 2
    assert asked <= 60 * LEVEL + 2 * np.sqrt(60 * LEVEL)


def test_with_an_effect_false_discoveries_keep_to_their_rate_and_true_ones_are_found() -> None:
    """The first column's slices differ, the others' do not: of what BH confirms at most 5 % is false on average."""
    false, power = {"bh": [], "naive": []}, {"bh": [], "holm": []}  # type: dict[str, list[float]], dict[str, list[float]]
    for seed in range(300):
        one = study(seed, effect=0.35, n=600)
        p = one.p(~one.explored)
        chosen = {"bh": benjamini_hochberg(p) <= LEVEL, "naive": one.p(one.explored) <= LEVEL, "holm": holm(p) <= LEVEL}
        for name, shares in false.items():
            shares.append(chosen[name][KINDS:].sum() / max(1, chosen[name].sum()))
        for name, shares in power.items():
            shares.append(float(chosen[name][0]))

    assert np.mean(false["bh"]) <= LEVEL + 0.02
    assert np.mean(false["naive"]) > 3 * np.mean(false["bh"])
    assert np.mean(power["bh"]) > 0.9
    assert np.mean(power["holm"]) > 0.85


@pytest.mark.slow
@pytest.mark.parametrize("each", [1, 5])
def test_many_studies_with_and_without_clusters(each: int) -> None:
    """The family-wise error of 2,000 studies (400 with clusters of 5 rows that agree) is at most 5 % within two standard errors."""
    count = 2000 if each == 1 else 400
    found = rates([study(seed, each=each) for seed in range(5000, 5000 + count)], draws=999)
    print(each, found)

    assert found["naive"] > 0.35
    assert found["holm"] <= LEVEL + 2 * np.sqrt(LEVEL * (1 - LEVEL) / count)
