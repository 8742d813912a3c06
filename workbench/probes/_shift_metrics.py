"""Metrics and tables of the probe `shift`, from its rows alone."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.frames import Metric
from workbench.probes._shift_tests import FEWEST, Data, categories, chosen_test, columns, data_of, labels, whole
from workbench.probes._slices import OVERALL, groups_of
from workbench.stats._ks import EXACT, ks_limit

if TYPE_CHECKING:
    import pandas as pd

    from workbench.stats.intervals import Interval
    from workbench.stats.two_sample import TwoSample

__all__ = ["metrics_of_shift", "tables_of_shift"]

BINS = 40
NAMES = {"mmd": "mmd2", "energy": "energy_distance", "c2st": "auroc", "chi2": "chi_squared", "bbse": "chi_squared"}


def metrics_of_shift(
    rows: "pd.DataFrame", options: Mapping[str, Any], *, by: tuple[str, ...], seed: int
) -> list[Metric]:
    """Return the metrics of all rows, of each column or class, and of each slice with its p-value corrected over the slices."""
    tested = rows["level_names"].iloc[0]  # a slice by what is compared has one value of it
    slices = tuple(name for name in by if name not in ("set", "new", options["split"], *tested))
    found, p = [], {}
    for group, members in groups_of(rows, slices):
        data = data_of(rows[members])
        summary = _summary(data, options, seed)
        found += [Metric(name, group, *interval) for name, interval in summary.items()]
        if group == OVERALL:
            found += [Metric(*line) for line in _parts(data, options, seed)]
        elif "p_value" in summary:
            p[group] = summary["p_value"]
    if len(p) > 1:
        from workbench.stats.significance import benjamini_hochberg

        corrected = benjamini_hochberg([one.value for one in p.values()])
        method = f"Benjamini-Hochberg over {len(p)} slices; "
        found += [
            Metric("p_value_bh", group, value, np.nan, np.nan, one.n, method + one.method)
            for (group, one), value in zip(p.items(), corrected, strict=True)
        ]
    return found


def tables_of_shift(rows: "pd.DataFrame", options: Mapping[str, Any], *, seed: int) -> "dict[str, pd.DataFrame]":
    """Return `tests` (one line: the test in full, and as a sentence), `columns` or `weights`, and `contributions` (a histogram)."""
    import pandas as pd

    data, test = data_of(rows), chosen_test(options)
    if not data.enough:
        return {}
    found = {}
    outcome = _outcome(data, test, options, seed)
    if outcome is not None:
        found["tests"] = pd.DataFrame([_line(outcome)])
    if test in ("ks", "chi2"):
        found["columns"] = _columns_table(data, test, options, seed)
    if test == "bbse":
        made = labels(data, options, seed)
        keep = ("weights", "low", "high", "share", "share_low", "share_high")
        found["weights"] = pd.DataFrame({"class": made.classes, **{name: getattr(made, name) for name in keep}})
    known = rows[rows["contribution"].notna()]
    if known["contribution"].nunique() > 1:
        found["contributions"] = _histogram(known)
    return found


def _line(outcome: "TwoSample") -> dict[str, Any]:
    names = ("test", "statistic", "value", "p", "p_low", "p_high", "level", "draws", "exact", "how", "width", "blocks")
    line = {name: getattr(outcome, name) for name in names}
    return {**line, "n_reference": outcome.n, "n_new": outcome.m, "sentence": outcome.sentence}


def _outcome(data: Data, test: str, options: Mapping[str, Any], seed: int) -> "TwoSample | None":
    """Return the one test of all that is compared: of several columns the least p-value by Bonferroni; None without values."""
    from workbench.stats.two_sample import TwoSample

    if test in ("mmd", "energy") and data.clustered and data.fewest_clusters < FEWEST:
        return None
    if test in ("mmd", "energy", "c2st"):
        made: Any = whole(data, test, options, seed)
        found: TwoSample = made.test if test == "c2st" else made
        return found
    if test == "bbse":
        return categories(data, options, seed).get("predicted")
    table = _columns_table(data, test, options, seed)
    known = table[table["p"].notna()]
    if not len(known):
        return None
    best = known.iloc[0]
    single = len(known) == 1
    several = "" if single else f", least p of {len(known)} columns by Bonferroni, that of {best['column']}"
    return TwoSample(
        test={"KS": "Kolmogorov-Smirnov"}.get(best["test"], best["test"]),
        statistic="D" if best["test"] == "KS" else "χ²",
        value=float(best["value"]),
        p=float(best["p_bonferroni"]),
        level=options["level"],
        draws=0,
        exact=bool(best["exact"]),
        how=f"{best['how']}{several}",
        n=int(best["n_reference"]),
        m=int(best["n_new"]),
    )


def _columns_table(data: Data, test: str, options: Mapping[str, Any], seed: int) -> "pd.DataFrame":
    """Return one line per column: its test and p-values, corrected over all columns, smallest p first."""
    import pandas as pd

    from workbench.stats.significance import benjamini_hochberg, bonferroni

    lines: list[dict[str, Any]] = []
    if test == "ks" and data.vectors.shape[1]:
        made = columns(data)
        for j, name in enumerate(data.names):
            n, m = int(made.n[j]), int(made.m[j])
            line = {"column": name, "test": "KS", "value": made.distance[j], "p": made.p[j], "exact": n * m <= EXACT}
            how = "all orders of the rows" if n * m <= EXACT else "limit distribution"
            lines.append({**line, "how": how, "n_reference": n, "n_new": m})
    if test == "chi2" or options["on"] != "softmax":
        lines += [
            {"column": name, "test": "chi-squared", "value": one.value, "p": one.p, "exact": one.exact, "how": one.how,
             "n_reference": one.n, "n_new": one.m}
            for name, one in categories(data, options, seed).items()
        ]  # fmt: skip
    names = ["column", "test", "value", "p", "exact", "how", "n_reference", "n_new"]
    table = pd.DataFrame(lines, columns=names)
    p = table["p"].to_numpy(float)
    table = table.assign(p_bonferroni=bonferroni(p), p_bh=benjamini_hochberg(p))
    return table.sort_values(["p", "column"], kind="stable").reset_index(drop=True)


def _summary(data: Data, options: Mapping[str, Any], seed: int) -> "dict[str, Interval]":
    """Return the metrics of any rows."""
    from workbench.stats.intervals import Interval, undefined

    test = chosen_test(options)
    if not data.enough:
        return {"p_value": undefined("it needs two rows of both sets", n=len(data.new))}
    outcome = _outcome(data, test, options, seed)
    if outcome is None:
        why = (
            "no column has values in both sets"
            if test in ("ks", "chi2", "bbse")
            else "it needs two clusters of both sets"
        )
        return {"p_value": undefined(why, n=len(data.new))}
    n = outcome.n + outcome.m
    found = {"p_value": Interval(outcome.p, outcome.p_low, outcome.p_high, n, outcome.sentence)}
    low, high = outcome.band
    if test == "c2st":
        found |= _classified(whole(data, test, options, seed))
    elif test in ("mmd", "energy"):
        shown = f"null band: 95 % of sets without a difference lie within; {outcome.method}"
        name = NAMES[test] + ("_over_pairs" if outcome.how == "sign flips" else "")
        found[name] = Interval(outcome.value, low, high, n, shown)
    elif test == "bbse":
        made = labels(data, options, seed)
        found["condition_number"] = undefined(made.warning or made.method, value=made.condition, n=made.n)
    else:
        table = _columns_table(data, test, options, seed)
        known = table[table["p"].notna()]
        if len(known) < 2:
            return found
        for name, p in (("columns_shifted", "p_bonferroni"), ("columns_shifted_bh", "p_bh")):
            how = "Bonferroni" if p == "p_bonferroni" else "Benjamini-Hochberg"
            many = int((known[p] <= options["level"]).sum())
            why = f"share of columns with p <= {options['level']:g} after {how} ({many} of {len(known)})"
            found[name] = undefined(why, value=many / len(known), n=len(known))
    return found


def _classified(made: Any) -> "dict[str, Interval]":
    """Return AUROC and balanced accuracy of the held-out probabilities, intervals for these classifiers."""
    from workbench.stats.intervals import Interval, proportion
    from workbench.stats.ranking import auroc

    score = np.concatenate([made.reference, made.new])
    positive = np.concatenate([np.zeros(len(made.reference)), np.ones(len(made.new))])
    area = auroc(score, positive)
    sides = [proportion(part) for part in (made.reference <= 0.5, made.new > 0.5)]
    half = [np.sqrt(sum((one.value - end) ** 2 for one, end in zip(sides, ends, strict=True))) / 2
            for ends in ([one.low for one in sides], [one.high for one in sides])]  # fmt: skip
    value = sum(one.value for one in sides) / 2
    said = "; given these classifiers: the p-value is the test"
    method = "mean of both sets' shares, MOVER of Wilson" + said
    return {
        "auroc": area._replace(method=area.method + said),
        "balanced_accuracy": Interval(value, value - half[0], value + half[1], len(score), method),
    }


def _parts(data: Data, options: Mapping[str, Any], seed: int) -> list[tuple[str, str, float, float, float, int, str]]:
    """Return the KS distance of each column beside what chance gives, or the weight of each class."""
    test = chosen_test(options)
    if not data.enough:
        return []
    if test == "bbse":
        made = labels(data, options, seed)
        return [
            ("label_weight", f"class={name}", value, low, high, made.m, made.method)
            for name, value, low, high in zip(made.classes, made.weights, made.low, made.high, strict=True)
        ]
    if test != "ks" or not data.vectors.shape[1]:
        return []
    found = columns(data)
    known = ~np.isnan(found.distance)
    many = max(1, int(known.sum()))
    sizes = [(int(n), int(m)) for n, m in zip(found.n, found.m, strict=True)]
    limits = {
        one: ks_limit(options["level"] / many, *one) for one, said in zip(sizes, known, strict=True) if said
    }  # each size once
    method = f"null band: up to high p > {options['level']:g} by Bonferroni over {many} columns"
    return [
        (
            "ks_distance",
            f"column={name}",
            found.distance[j],
            0.0,
            limits[sizes[j]],
            int(found.n[j] + found.m[j]),
            method,
        )
        for j, name in enumerate(data.names)
        if known[j]
    ]


def _histogram(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Return the share of each set's rows in bins of the contribution: set, low, high, share, n."""
    import pandas as pd

    edges = np.histogram_bin_edges(rows["contribution"].to_numpy(float), BINS)
    lines = []
    for name, part in rows.groupby("set", sort=True):
        counts, _ = np.histogram(part["contribution"].to_numpy(float), edges)
        for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True):
            lines.append({"set": name, "low": low, "high": high, "share": count / len(part), "n": int(count)})
    return pd.DataFrame(lines)
