"""The metrics and tables of the probe `swap`: functions of any of its rows."""

from typing import TYPE_CHECKING

import numpy as np

from workbench.frames import Metric, metrics_frame
from workbench.probes._slices import clusters_of, metrics_of

if TYPE_CHECKING:
    import pandas as pd

    from workbench.stats.intervals import Interval
    from workbench.stats.subgroup_auc import SubgroupAUC

__all__ = ["AREAS", "exchanges", "summarise", "terms"]

AREAS = {"subgroup": "subgroup_auc", "bpsn": "bpsn_auc", "bnsp": "bnsp_auc"}


def summarise(rows: "pd.DataFrame", by: tuple[str, ...]) -> "pd.DataFrame":
    """Return the metrics of all rows, of each slice, axis and term, and the areas of each term that the originals hold."""
    import pandas as pd

    slices = tuple(dict.fromkeys((*by, "axis", "term")))
    gaps = metrics_of(rows, slices, _summary)
    term = gaps["group"].str.startswith("term=")
    idle = (gaps["metric"].eq("term_effect") & ~term) | (gaps["metric"].eq("ctf_gap_of_mean") & term)  # 0, or the same
    gaps = gaps[~idle].reset_index(drop=True)
    areas = [
        Metric(AREAS[name], f"term={term}", *area)
        for term, found in _areas(rows).items()
        for name, area in found._asdict().items()
    ]
    return pd.concat([gaps, metrics_frame(areas)], ignore_index=True) if areas else gaps


def _summary(rows: "pd.DataFrame") -> "dict[str, Interval]":
    """Return the gaps and flips of the variants among any rows, and how many of its originals hold a term."""
    from workbench.stats.intervals import mean, proportion, undefined

    found: dict[str, Interval] = {}
    originals = rows[rows["variant"] == ""]
    if len(originals):
        found["has_term"] = proportion(originals["has_term"], clusters=clusters_of(originals))
    if len(rows) and rows["score"].isna().any():
        found["scored"] = proportion(rows["score"].notna().astype(float), clusters=clusters_of(rows))
    variants = rows[(rows["variant"] != "") & rows["value"].notna()]
    if not len(variants):
        if not len(originals) or (originals["has_term"] > 0).any():
            return found
        return {
            **found,
            "ctf_gap": undefined("no example holds a term"),
            "signed_gap": undefined("no example holds a term"),
        }
    sizes = variants["value"].abs().groupby(variants["example"], sort=True).mean()
    means = variants["value"].groupby(variants["example"], sort=True).mean().abs()
    together = variants.drop_duplicates("example").set_index("example")["cluster"].reindex(sizes.index).to_numpy()
    for name, gaps in (("ctf_gap", sizes), ("ctf_gap_of_mean", means)):
        gap = mean(gaps.to_numpy(), clusters=together)
        found[name] = gap._replace(low=max(0.0, gap.low)) if gap.low < 0 else gap  # an absolute value
    found["signed_gap"] = mean(variants["value"], clusters=clusters_of(variants))
    found["term_effect"] = mean(variants["contrast"].fillna(variants["value"]), clusters=clusters_of(variants))
    flips = variants[variants["flipped"].notna()]
    if len(flips):
        found["flip_rate"] = proportion(flips["flipped"], clusters=clusters_of(flips))
    return found


def _areas(rows: "pd.DataFrame") -> "dict[str, SubgroupAUC]":
    """Return the three areas of each term that occurs in the originals, where their outcome is known."""
    from workbench.stats.subgroup_auc import subgroup_aucs

    some = rows[(rows["variant"] == "") & rows["positive"].notna() & rows["score"].notna()].reset_index(drop=True)
    if not len(some) or some["positive"].nunique() < 2:
        return {}
    held = some["terms"].explode().dropna()
    members = {}
    for term, places in held.groupby(held, sort=True).groups.items():
        inside = np.zeros(len(some))
        inside[places.to_numpy()] = 1.0
        members[str(term)] = inside
    return subgroup_aucs(
        some["score"].to_numpy(), some["positive"].to_numpy(), dict(members), clusters=clusters_of(some)
    )


def terms(rows: "pd.DataFrame", *, draws: int, seed: int) -> "pd.DataFrame":
    """Return the terms, the surest effect first: gap, effect, flips, and a p-value with Holm's correction over all terms.

    The p-value is that of no effect on the score: the differences of each cluster have their sign turned round at random.
    """
    import pandas as pd

    from workbench.stats.sign_flip import sign_flips
    from workbench.stats.significance import holm

    variants = rows[(rows["variant"] != "") & rows["value"].notna()]
    columns = ["axis", "term", "n", "signed_gap", "low", "high", "term_effect", "flip_rate", "p", "p_holm"]
    if not len(variants):
        return pd.DataFrame(columns=columns)
    sums = variants.pivot_table(index="cluster", columns="term", values="value", aggfunc="sum").fillna(0.0).sort_index()
    p = sign_flips(sums.to_numpy(), draws=draws, seed=seed)
    lines = []
    for term, chance in zip(map(str, sums.columns), p, strict=True):
        found = _summary(variants[variants["term"] == term])
        gap = found["signed_gap"]
        lines.append(
            {
                "axis": term.partition(": ")[0],
                "term": term,
                "n": gap.n,
                "signed_gap": gap.value,
                "low": gap.low,
                "high": gap.high,
                "term_effect": found["term_effect"].value,
                "flip_rate": found["flip_rate"].value if "flip_rate" in found else np.nan,
                "p": chance,
            }
        )
    table = pd.DataFrame(lines).assign(p_holm=holm(p))
    order = table.assign(size=-table["signed_gap"].abs()).sort_values(["p", "size", "term"]).index
    return table.loc[order, columns].reset_index(drop=True)


def exchanges(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Return the mean difference for each term that stood there and each that took its place: axis, source, term, value, n."""
    import pandas as pd

    variants = rows[(rows["variant"] != "") & rows["value"].notna()]
    if not len(variants):
        return pd.DataFrame(columns=["axis", "source", "term", "value", "n"])
    put = [term.partition(": ")[2] for term in variants["term"]]
    grouped = variants.assign(term=put).groupby(["axis", "source", "term"], sort=True)["value"]
    return grouped.agg(value="mean", n="size").reset_index()
