"""Metrics and tables of the probe `association`, from its rows alone."""

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.probes._association_rows import TARGETS

if TYPE_CHECKING:
    import pandas as pd

    from workbench.stats.association import Permutation, Similarities
    from workbench.stats.intervals import Interval

__all__ = ["summary_of", "targets_of", "tests_of"]

SIMILAR = ("similar_1", "similar_2")


def summary_of(rows: "pd.DataFrame", options: Mapping[str, Any], seed: int) -> "dict[str, Interval]":
    """Return the metrics of rows of one test; of several tests the mean size of their effects."""
    from workbench.stats.association import effect, effect_size
    from workbench.stats.intervals import proportion, undefined

    targets = rows[rows["set"].isin(TARGETS)]
    usable = targets[targets["association"].notna()]
    parts = [part for _, part in usable.groupby("test", sort=True)]
    found: dict[str, Interval] = {}
    if len(parts) > 1:
        sides = ([part.loc[part["set"] == name, "association"] for name in TARGETS] for part in parts)
        sizes = np.abs([effect_size(first, second) for first, second in sides])
        known = sizes[np.isfinite(sizes)]
        why = "an average of sizes is above 0 by chance alone; read the tests one by one"
        value = float(known.mean()) if len(known) else float("nan")
        found["mean_absolute_effect_size"] = undefined(why, value=value, n=len(known))
    elif parts:
        found["effect_size"] = effect(similarities_of(parts[0]))
        one, two = (_p_value(parts[0], options, seed, two_sided=both) for both in (False, True))
        found |= {"p_value": one, "p_value_two_sided": two}
        if _has_words(parts[0]):
            found["p_value_by_word"] = _p_value(parts[0], options, seed, by_word=True)
    else:
        found["effect_size"] = undefined("no target has an association")
    if len(targets) and len(usable) < len(targets):
        found["scored"] = proportion(targets["association"].notna().to_numpy(float))
    return found


def tests_of(rows: "pd.DataFrame", options: Mapping[str, Any], seed: int) -> "pd.DataFrame":
    """Return one line per test: what is compared, effect size with interval, p-values, and Holm's correction over all tests.

    `mean_cosine` is that of all targets with all attributes: near 1 the vectors hardly differ, and little decides the effect.
    """
    import pandas as pd

    from workbench.stats.association import effect
    from workbench.stats.significance import holm

    names = rows.drop_duplicates(["test", "set"]).set_index(["test", "set"])["category"]
    lines = []
    for test, part in _usable(rows).groupby("test", sort=True):
        near = similarities_of(part)
        size, p = effect(near), _permutation(part, options, seed)
        inside = near.in_first
        line: dict[str, Any] = {"test": test}
        line |= {name: names.get((test, name), "") for name in ("targ1", "targ2", "attr1", "attr2")}
        line |= {"n_1": int(inside.sum()), "n_2": int((~inside).sum())}
        line |= {"effect_size": size.value, "low": size.low, "high": size.high, "p": p.p, "p_two_sided": p.p_two_sided}
        line["p_by_word"] = _permutation(part, options, seed, by_word=True).p if _has_words(part) else p.p
        line |= {"splits": p.splits, "exact": p.exact, "mean_cosine": _mean_cosine(near)}
        lines.append(line)
    table = pd.DataFrame(lines)
    corrected = {f"{name}_holm": holm(table[name].to_numpy(float)) for name in ("p", "p_by_word") if lines}
    return table.assign(**corrected)


def targets_of(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Return one line per word of the targets: test, set, category, word (the cluster), mean association, number of texts."""
    columns = ["test", "set", "category", "cluster"]
    means = _usable(rows).groupby(columns, sort=True)["association"].agg(association="mean", n="size").reset_index()
    return means.rename(columns={"cluster": "word"})


def similarities_of(rows: "pd.DataFrame") -> "Similarities":
    """Return the similarities of the targets of one test; all their rows list the same attribute words."""
    from workbench.stats.association import Similarities

    first, second = (np.array([list(row) for row in rows[name]], dtype=np.float64) for name in SIMILAR)
    texts = [np.asarray(rows[name].iloc[0], dtype=np.float64) for name in ("texts_1", "texts_2")]
    inside = (rows["set"] == TARGETS[0]).to_numpy(bool)
    return Similarities(first, second, inside, texts[0], texts[1], words=rows["cluster"].tolist())


def _usable(rows: "pd.DataFrame") -> "pd.DataFrame":
    return rows[rows["set"].isin(TARGETS) & rows["association"].notna()]


def _has_words(rows: "pd.DataFrame") -> bool:
    """Return whether some word has several texts."""
    return bool(rows.duplicated(["set", "cluster"]).any())


def _permutation(
    rows: "pd.DataFrame", options: Mapping[str, Any], seed: int, *, by_word: bool = False
) -> "Permutation":
    """Return the permutation test over texts, or over words with the mean of their texts."""
    sides = []
    for name in TARGETS:
        mine = rows[rows["set"] == name]
        s = mine.groupby("cluster", sort=True)["association"].mean() if by_word else mine["association"]
        sides.append(np.sort(s.to_numpy(np.float64)).tobytes())
    return _permuted(sides[0], sides[1], int(options["draws"]), seed)


@lru_cache(maxsize=512)
def _permuted(first: bytes, second: bytes, draws: int, seed: int) -> "Permutation":
    """Return the permutation test; remembered, since metrics, tables and every slice that holds the same targets ask for it."""
    from workbench.stats.association import permutation

    return permutation(np.frombuffer(first), np.frombuffer(second), draws=draws, seed=seed)


def _p_value(
    rows: "pd.DataFrame", options: Mapping[str, Any], seed: int, *, two_sided: bool = False, by_word: bool = False
) -> "Interval":
    """Return a p-value as a metric; its bounds, where splits were drawn, are those of the drawing."""
    from workbench.stats.intervals import Interval, undefined

    test = _permutation(rows, options, seed, by_word=by_word)
    n = int(rows.groupby("set")["cluster"].nunique().sum()) if by_word else len(rows)
    if not test.splits:
        return undefined("it needs targets in both sets", n=n)
    what = f"permutation of {'words' if by_word else 'texts'}, {'two' if two_sided else 'one'}-sided"
    p = test.p_two_sided if two_sided else test.p
    if test.exact:
        return undefined(f"{what}, all {test.splits:,} splits counted", value=p, n=n)
    low, high = (np.nan, np.nan) if two_sided else (test.low, test.high)
    return Interval(p, low, high, n, f"{what}, {test.splits:,} splits drawn (bounds are those of the drawing)")


def _mean_cosine(near: "Similarities") -> float:
    first, second = (
        float((cosines @ texts).mean() / texts.sum())
        for cosines, texts in ((near.first, near.texts_first), (near.second, near.texts_second))
        if texts is not None
    )
    return (first + second) / 2
